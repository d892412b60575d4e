"""`timeseries_dataset_from_array`: windows of a series as batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.training.data import PyDataset
from core.training.data.source import fresh_seed, host_array, permutation


class Windows(PyDataset):
    """Batches of windows of a series: `(windows, targets)`, or windows alone. A window is gathered when its batch is asked for."""

    def __init__(
        self, data: Any, targets: Any, starts: np.ndarray, length: int, rate: int, batch_size: int, shuffle: bool, seed: int | None
    ):
        super().__init__()
        self.data, self.targets, self.starts, self.batch_size, self.shuffle = data, targets, starts, batch_size, shuffle
        self.offsets = np.arange(length) * rate
        self.seed = fresh_seed() if seed is None else seed
        self.epoch = 0
        self._order()

    def _order(self) -> None:
        count = len(self.starts)
        self.order = permutation(self.seed, self.epoch, count) if self.shuffle else np.arange(count)

    def __len__(self) -> int:
        return -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}.")
        starts = self.starts[self.order[index * self.batch_size : (index + 1) * self.batch_size]]
        windows = self.data[starts[:, None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[starts])

    def on_epoch_end(self) -> None:
        """Puts the windows in a new order."""
        self.epoch += 1
        self._order()


def timeseries_dataset_from_array(data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128, shuffle=False,
                                  seed=None, start_index=None, end_index=None, format="tf"):  # fmt: skip
    """Batches of windows over a series: `(windows, targets)`, or windows alone where `targets` is None.

    Args:
        data: array whose first axis is time.
        targets: `targets[i]` belongs to the window that starts at `data[i]`.
        sequence_length: items of a window.
        sequence_stride: items between the starts of two windows.
        sampling_rate: items between two neighbours in a window.
        batch_size: windows per batch; None for single windows without a batch axis (`format="tf"` only).
        shuffle, seed: whether and how the windows are put in a new order.
        start_index, end_index: the part of the data that is used.
        format: `"tf"` for a `tf.data.Dataset` where TensorFlow is installed, else, and with `"grain"` or `"numpy"`, a `PyDataset`.

    >>> batches = timeseries_dataset_from_array(np.arange(5), None, sequence_length=3, format="numpy")
    >>> batches[0].tolist()
    [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    """
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate)):
        if not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"{name} must be a positive integer, got {value!r}.")
    data = host_array(data)
    first, end = start_index or 0, len(data) if end_index is None else end_index
    if not 0 <= first < end <= len(data):
        raise ValueError(f"start_index and end_index must mark a part of the {len(data)} items, got {start_index} and {end_index}.")
    data = data[first:end]
    targets = None if targets is None else host_array(targets)
    count = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = targets[first:]
        count = min(count, len(targets))
    if count < 1:
        raise ValueError(f"A window spans {(sequence_length - 1) * sampling_rate + 1} items, but the data has {len(data)}.")
    starts = np.arange(0, count, sequence_stride)
    windows = Windows(data, targets, starts, sequence_length, sampling_rate, batch_size or 1, shuffle, seed)
    return _as_tf(windows, batch_size) if format == "tf" else windows


def _as_tf(windows: Windows, batch_size: int | None):
    try:
        import tensorflow as tf
    except ModuleNotFoundError:
        return windows
    dataset = tf.data.Dataset.from_tensor_slices(windows.starts)
    if windows.shuffle:
        dataset = dataset.shuffle(len(windows.starts), seed=windows.seed)
    data, targets = tf.constant(windows.data), None if windows.targets is None else tf.constant(windows.targets)

    def window(start):
        rows = tf.gather(data, start + windows.offsets)
        return rows if targets is None else (rows, targets[start])

    dataset = dataset.map(window)
    return dataset if batch_size is None else dataset.batch(batch_size)
