"""Adapters: whatever users train on, as one kind of source of batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import slot
from core.backend.protocol import Backend
from core.training.data.arrays import ArrayDataset, ArraySource, as_arrays, check_labels, is_array, rows_of, split_arrays
from core.training.data.class_weight import check_class_weight, weights_of_labels
from core.training.data.convert import BatchConverter
from core.training.data.iterables import IterableSource, is_grain, is_tf_dataset, is_torch_dataset, is_torch_loader, iterable_and_length
from core.training.data.py_dataset import PyDataset, PyDatasetSource
from core.training.data.source import Source, pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = [
    "ArrayDataset", "ArraySource", "BatchConverter", "IterableSource", "PyDataset", "PyDatasetSource", "Source", "adapter", "as_arrays",
    "check_labels", "pack_x_y_sample_weight", "rows_of", "split_arrays", "unpack_x_y_sample_weight", "weights_of_labels",
]  # fmt: skip

ACCEPTED = (
    "NumPy arrays, tensors of JAX, PyTorch or TensorFlow, pandas tables, lists of numbers, dicts, lists and tuples of those, "
    "a tf.data.Dataset, a torch DataLoader, a grain loader, a PyDataset, a generator, or another iterable of batches"
)


def adapter(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict | None = None,
    steps: int | None = None,
    repeat: bool = False,
    backend: Backend | str | None = None,
    native: bool = False,
    seed: int | None = None,
) -> Source:
    """A `Source` of batches from any data that a model can be trained on.

    Args:
        x: see the error text for all that is taken.
        y, sample_weight: with arrays only; a dataset yields them itself.
        batch_size: rows per batch of arrays, 32 by default.
        shuffle: `True` for a new order in each pass (of rows for arrays, of batches for a `PyDataset`), `"batch"` to move whole batches.
        class_weight: weights by class index, turned into sample weights (and multiplied with given ones).
        steps: batches of an epoch, where that is not one pass over the data.
        repeat: whether an epoch of `steps` goes on where the last one stopped (training), or begins anew (evaluation).
        backend: whose tensors the batches are; the active one by default.
        native: whether batches must be tensors even where a compiled step takes NumPy arrays faster (JAX).
        seed: of the shuffling; drawn from NumPy's global generator where None.

    Raises:
        ValueError: lengths that differ, empty or unknown data, or `y` next to a dataset.

    >>> [len(x) for x, y in adapter(np.zeros((5, 2)), np.zeros(5), batch_size=2, backend="numpy").batches(0)]
    [2, 2, 1]
    """
    backend = slot.active() if backend is None else slot.get(backend)
    if isinstance(x, Source):
        return x
    if isinstance(x, ArrayDataset) and y is None and sample_weight is None:
        x, y, sample_weight = unpack_x_y_sample_weight(x.arrays) if isinstance(x.arrays, tuple) else (x.arrays, None, None)
    if shuffle not in (True, False, "batch") and shuffle is not None:
        raise ValueError(f"shuffle must be True, False or 'batch', got {shuffle!r}.")
    class_weight = None if class_weight is None else check_class_weight(class_weight)
    common: dict[str, Any] = {"steps": steps, "repeat": repeat, "native": native}
    if _is_arrays(x):
        return ArraySource(
            x, y, sample_weight, backend, batch_size=batch_size, shuffle=shuffle or False, class_weight=class_weight, seed=seed, **common
        )
    kind = type(x).__name__
    dataset_like = _is_py_dataset(x) or is_tf_dataset(x) or is_torch_loader(x) or is_torch_dataset(x) or is_grain(x)
    if not dataset_like and (not hasattr(x, "__iter__") or isinstance(x, (str, bytes, list, tuple, dict, set))):
        raise ValueError(f"Data of type {kind} is not understood. Give {ACCEPTED}.")
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} was given next to a dataset ({kind}), which yields (x, y) or (x, y, sample_weight) itself; leave {name} out."
            )
    converter = BatchConverter(backend, class_weight, native)
    if _is_py_dataset(x):
        return PyDatasetSource(x, backend, converter, shuffle=shuffle or False, seed=seed, **common)
    iterable, count, rows = iterable_and_length(x, batch_size)
    return IterableSource(iterable, backend, converter, pass_batches=count, batch_size=rows, **common)


def _is_arrays(x: Any) -> bool:
    """Whether `x` is an array or a structure with arrays or numbers at its leaves."""
    if is_tf_dataset(x) or _is_py_dataset(x):
        return False
    if is_array(x):
        return True
    if isinstance(x, dict):
        return bool(x) and all(map(_is_arrays, x.values()))
    if isinstance(x, (list, tuple)):
        return bool(x) and all(_is_arrays(part) or isinstance(part, (bool, int, float, str, bytes, np.generic)) for part in x)
    return False


def _is_py_dataset(x: Any) -> bool:
    """A `PyDataset`, or Keras' own one, by its methods."""
    return isinstance(x, PyDataset) or (hasattr(x, "on_epoch_end") and hasattr(x, "__getitem__") and not is_array(x))
