"""`split_dataset`: one dataset as two."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import slot
from core.base import tree
from core.training.data import PyDataset, adapter, as_arrays, rows_of
from core.training.data.arrays import ArrayDataset, is_array
from core.training.data.iterables import is_tf_dataset, is_torch_loader
from core.training.data.source import host_array, permutation


def split_dataset(dataset: Any, left_size: float | int | None = None, right_size: float | int | None = None, shuffle: bool = False,
                  seed: int | None = None, preferred_backend: str | None = None) -> tuple[Any, Any]:  # fmt: skip
    """Two datasets out of one: the first `left_size` and the last `right_size` of its samples.

    They are `tf.data.Dataset`s under the TensorFlow backend or out of one, PyTorch `Dataset`s under PyTorch, `ArrayDataset`s otherwise; all
    of them go into `fit` (a `tf.data.Dataset` after `.batch(n)`).

    Args:
        dataset: arrays, a tuple, list or dict of them, a `tf.data.Dataset`, a torch `DataLoader` or `Dataset`, or a `PyDataset` of batches.
        left_size, right_size: a share (float) or a number (int) of samples; at least one, the other is the rest.
        shuffle: whether the samples are put in a new order first, by `seed`.
        preferred_backend: `"tensorflow"`, `"torch"`, `"jax"` or `"numpy"`, whose kind of dataset to make.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), len(right)
    (8, 2)
    """
    arrays = _collected(dataset)
    rows = rows_of(data=arrays)
    left, right = _sizes(rows, left_size, right_size)
    order = (
        permutation(0 if seed is None else seed, 0, rows)
        if shuffle and seed is not None
        else np.random.permutation(rows)
        if shuffle
        else np.arange(rows)
    )
    kind = preferred_backend or ("tensorflow" if is_tf_dataset(dataset) else slot.backend())
    parts = (order[:left], order[rows - right :])
    return tuple(_as_kind(tree.map_structure(lambda leaf, part=part: leaf[part], arrays), kind) for part in parts)  # type: ignore[return-value]


def _collected(dataset: Any) -> Any:
    """All samples as one structure of arrays."""
    if isinstance(dataset, PyDataset) or is_torch_loader(dataset):  # of batches
        batches = list(adapter(dataset, backend="numpy").batches(0))
        joined = tree.map_structure(lambda *parts: np.concatenate(parts), *batches)
        return joined[0] if len(joined) == 1 else joined
    if is_tf_dataset(dataset) or (hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not is_array(dataset)
                                  and not isinstance(dataset, (list, tuple, dict))):  # fmt: skip
        samples = list(dataset) if is_tf_dataset(dataset) else [dataset[i] for i in range(len(dataset))]
        if not samples:
            raise ValueError("split_dataset got an empty dataset.")
        return tree.map_structure(lambda *parts: np.stack([host_array(part) for part in parts]), *samples)
    if is_array(dataset) or isinstance(dataset, (list, tuple, dict)):
        return tree.map_structure(host_array, as_arrays(dataset))
    raise ValueError(
        "split_dataset takes arrays, structures of them, a tf.data.Dataset, a torch DataLoader or Dataset, or a PyDataset; got "
        f"{type(dataset).__name__}."
    )


def _sizes(rows: int, left: Any, right: Any) -> tuple[int, int]:
    def count(name: str, size: Any) -> int | None:
        if size is None:
            return None
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            raise TypeError(f"{name} must be an int or a float, got {size!r}.")
        if (isinstance(size, float) and not 0 < size < 1) or (isinstance(size, int) and not 0 < size < rows):
            raise ValueError(f"{name} must be a share between 0 and 1 or a number between 0 and the {rows} samples, got {size!r}.")
        return round(size * rows) if isinstance(size, float) else size

    a, b = count("left_size", left), count("right_size", right)
    if a is None:
        if b is None:
            raise ValueError("split_dataset needs left_size, right_size or both.")
        a = rows - b
    b = rows - a if b is None else b
    if a + b > rows or not a or not b:
        raise ValueError(f"left_size={left} and right_size={right} of {rows} samples make parts of {a} and {b}; choose others.")
    return a, b


def _as_kind(arrays: Any, kind: str) -> Any:
    if kind == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices(tuple(arrays) if isinstance(arrays, list) else arrays)
    if kind == "torch":
        import torch

        class TorchArrays(ArrayDataset, torch.utils.data.Dataset):
            pass

        return TorchArrays(tree.map_structure(lambda leaf: torch.from_numpy(np.ascontiguousarray(leaf)), arrays))
    if kind not in ("jax", "numpy"):
        raise ValueError(f"preferred_backend must be 'tensorflow', 'torch', 'jax' or 'numpy', got {kind!r}.")
    return ArrayDataset(arrays)
