"""Arrays as a source of batches: gathered a chunk of batches at a time, handed out as views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.base import tree
from core.training.data.class_weight import weights_of_labels
from core.training.data.source import Batch, Source, floats_to_floatx, frame_values, fresh_seed, host_array, is_frame, permutation
from core.training.data.sparse_rows import SparseRows

CHUNK_BYTES = 1 << 20  # what stays in the cache between gathering and use
CHUNK_BATCHES = 64


def is_array(x: Any) -> bool:
    """Whether `x` is one array for us: with a shape and a dtype, or a pandas table."""
    if isinstance(x, Holder) or is_frame(x):
        return True
    return hasattr(x, "shape") and hasattr(x, "dtype") and (hasattr(x, "__getitem__") or slot.owner(x) is not None)


def _is_numbers(x: Any) -> bool:
    """Whether `x` is a (nested) list of Python numbers or strings, which stands for one array."""
    if not isinstance(x, (list, tuple)) or not x:
        return False
    first = x[0]
    return isinstance(first, (bool, int, float, str, bytes, np.generic)) or _is_numbers(first)


def as_arrays(structure: Any) -> Any:
    """The structure with an array at each leaf: frames and lists of numbers become NumPy arrays, floats floatx.

    Raises:
        ValueError: a leaf is none of these.
    """

    def one(x: Any) -> Any:
        if x is None:
            return None
        if isinstance(x, Holder):
            x = x.value
        if is_frame(x):
            return floats_to_floatx(frame_values(x))
        if isinstance(x, (list, tuple)):
            array = np.array(x)
            return floats_to_floatx(array.astype(object) if array.dtype.kind in "US" else array)
        if isinstance(x, np.ndarray):
            return floats_to_floatx(x)
        if is_array(x):
            return x if (rows := SparseRows.of(x)) is None else rows
        raise ValueError(
            f"Data must be arrays, tensors, pandas tables, lists of numbers, or dicts, lists and tuples of those; got {type(x).__name__}."
        )

    if _is_numbers(structure) or is_frame(structure):
        return one(structure)
    if isinstance(structure, dict):
        return {key: as_arrays(part) for key, part in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*map(as_arrays, structure))
    if isinstance(structure, (list, tuple)):
        return type(structure)(map(as_arrays, structure))
    return one(structure)


def rows_of(**data: Any) -> int:
    """The common number of rows of named structures of arrays.

    Raises:
        ValueError: they differ (each is named with its length), one is a scalar, or there are none.
    """
    lengths = {}
    for name, structure in data.items():
        for path, leaf in tree.flatten_with_path(structure):
            if leaf is not None:
                label = name + "".join(f"[{key!r}]" for key in path)
                if not len(leaf.shape):
                    raise ValueError(f"{label} is a scalar; data needs a first axis that counts the samples.")
                lengths[label] = int(leaf.shape[0])
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{label} has {length}" for label, length in lengths.items())
        raise ValueError(f"All arrays need the same number of samples, but {listed}. Check how the data was cut.")
    if not lengths:
        raise ValueError("No data was given: x holds no array.")
    rows = next(iter(lengths.values()))
    if rows == 0:
        raise ValueError(f"The data is empty: {', '.join(lengths)} {'has' if len(lengths) == 1 else 'have'} 0 samples.")
    return rows


def split_arrays(x: Any, y: Any, sample_weight: Any, fraction: float) -> tuple[tuple, tuple]:
    """`((x, y, sample_weight), the same for validation)`: the last `fraction` of the rows, in the order given, before any shuffling.

    Raises:
        ValueError: the fraction is not between 0 and 1, one part would be empty, or the data is not arrays.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split must lie between 0 and 1, got {fraction!r}.")
    if not all(leaf is None or is_array(leaf) for part in (x, y, sample_weight) if not _is_numbers(part) for leaf in tree.flatten(part)):
        raise ValueError(
            f"validation_split cuts arrays, and x is a {type(x).__name__}; split the dataset yourself, for example with "
            "core.utils.split_dataset, "
            "and pass validation_data."
        )
    x, y, sample_weight = as_arrays(x), as_arrays(y), as_arrays(sample_weight)
    rows = rows_of(x=x, y=y, sample_weight=sample_weight)
    at = int(rows * (1.0 - fraction))
    if not 0 < at < rows:
        raise ValueError(
            f"validation_split={fraction} of {rows} samples leaves one part empty; use another fraction or pass validation_data."
        )

    def cut(part: slice) -> tuple:
        def one(leaf: Any) -> Any:
            return leaf.cut(part) if isinstance(leaf, SparseRows) else None if leaf is None else leaf[part]

        return tuple(tree.map_structure(one, data) for data in (x, y, sample_weight))

    return cut(slice(None, at)), cut(slice(at, None))


def check_labels(y: Any) -> None:
    """Raises a ValueError where float labels that are whole numbers otherwise hold NaN: as integers they would become arbitrary classes."""
    for path, leaf in tree.flatten_with_path(as_arrays(y)):
        array = host_array(leaf) if leaf is not None else None
        if array is None or array.dtype.kind != "f":
            continue
        missing = np.isnan(array)
        if missing.any() and np.array_equal(array[~missing], np.rint(array[~missing])):
            label = "y" + "".join(f"[{key!r}]" for key in path)
            row = int(np.argwhere(missing)[0][0])
            raise ValueError(
                f"{label} holds {int(missing.sum())} NaN among whole-number labels, the first in row {row}; drop or fill those rows first."
            )


class ArraySource(Source):
    """Batches of rows of arrays. Not shuffled: slices. Shuffled: each chunk of batches is gathered at once, then sliced."""

    batch_size: int
    pass_batches: int

    def __init__(self, x: Any, y: Any, sample_weight: Any, backend: Backend, *, batch_size: int | None, shuffle: bool | str,
                 class_weight: dict | None, steps: int | None, repeat: bool, native: bool, seed: int | None):  # fmt: skip
        x, y, sample_weight = as_arrays(x), as_arrays(y), as_arrays(sample_weight)
        self.rows = rows_of(x=x, y=y, sample_weight=sample_weight)
        batch_size = 32 if batch_size is None else batch_size
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}.")
        batch_size = int(batch_size)
        if class_weight is not None:
            weights = weights_of_labels(tree.map_structure(lambda leaf: None if leaf is None else host_array(leaf), y), class_weight)
            if sample_weight is not None:
                own = host_array(sample_weight)
                weights = weights * own.reshape(own.shape + (1,) * (weights.ndim - own.ndim))
            sample_weight = weights
        data = (x,) if y is None and sample_weight is None else (x, y) if sample_weight is None else (x, y, sample_weight)
        leaves, self._spec = tree.flatten_with_spec(data)
        self._leaves = [_resident(leaf, backend) for leaf in leaves]
        self.shuffle, self.seed = shuffle, (fresh_seed() if shuffle else 0) if seed is None else seed
        self.has_partial_batch = self.rows % batch_size != 0
        super().__init__(
            backend, batch_size=batch_size, pass_batches=-(-self.rows // batch_size), steps=steps, repeat=repeat, native=native
        )
        row_bytes = sum(_row_bytes(leaf) for leaf in self._leaves)
        self._chunk = max(1, min(CHUNK_BATCHES, CHUNK_BYTES // max(1, row_bytes * batch_size)))
        self._order: tuple[int, np.ndarray] | None = None

    def order(self, number: int) -> np.ndarray | None:
        """The rows of pass `number` in their order, or None for the order given."""
        if not self.shuffle:
            return None
        if self._order is None or self._order[0] != number:
            if self.shuffle == "batch":  # whole batches change places; a short one stays last
                full = self.rows // self.batch_size
                blocks = permutation(self.seed, number, full)[:, None] * self.batch_size + np.arange(self.batch_size)
                found = np.concatenate([blocks.ravel(), np.arange(full * self.batch_size, self.rows)])
            else:
                found = permutation(self.seed, number, self.rows)
            self._order = (number, found)
        return self._order[1]

    def _rows(self, number: int, first: int, last: int) -> list:
        """The leaves' rows of the batches `first` to `last` of a pass, as one chunk each."""
        start, stop = first * self.batch_size, min(last * self.batch_size, self.rows)
        order = self.order(number)
        if order is None:
            return [leaf if leaf is None else _slice(leaf, start, stop) for leaf in self._leaves]
        return [leaf if leaf is None else _take(leaf, order[start:stop], self.backend) for leaf in self._leaves]

    def one_pass(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        end = self.pass_batches if stop is None else min(stop, self.pass_batches)
        split, size, native, unflatten, spec = self.backend.split_rows, self.batch_size, self.native, tree.unflatten, self._spec
        flat = all(part is spec_leaf for part, spec_leaf in zip(unflatten(spec, self._leaves), self._leaves))  # (x, y): no structure within
        for first in range(start, end, self._chunk):
            last = min(first + self._chunk, end)
            columns = [(None,) * (last - first) if part is None else split(part, size, native) for part in self._rows(number, first, last)]
            if flat:
                yield from zip(*columns)
            else:
                for leaves in zip(*columns):
                    yield unflatten(spec, leaves)

    def stacked(self, epoch: int, k: int, start: int = 0) -> Iterator[tuple[int, Batch]]:
        full = self.rows // self.batch_size  # only full batches stack
        for number, first, last in self.spans(epoch, start):
            last = self.pass_batches if last is None else min(last, self.pass_batches)
            at = first
            while k > 1 and at + k <= min(last, full):
                parts = self._rows(number, at, at + k)
                yield k, tree.unflatten(self._spec, [part if part is None else self._stack(part, k) for part in parts])
                at += k
            for batch in self.one_pass(number, at, last):
                yield 1, batch

    def _stack(self, part: Any, k: int) -> Any:
        if isinstance(part, np.ndarray):
            return self.backend.batch_tensor(part.reshape(k, self.batch_size, *part.shape[1:]), self.native)
        return self.backend.stack_batches(self.backend.split_rows(part, self.batch_size))


def _resident(leaf: Any, backend: Backend) -> Any:
    """The leaf as it is read during training: a NumPy array, or a tensor of the backend that lies on an accelerator."""
    if leaf is None:
        return None
    if isinstance(leaf, SparseRows):
        return leaf
    owner = slot.owner(leaf)
    if owner is None and not isinstance(leaf, np.ndarray):
        leaf = np.asarray(leaf)
    elif owner is not None:
        view = owner.host_view(leaf)
        if view is None and owner is backend:
            return leaf
        leaf = host_array(leaf) if view is None else view
    return floats_to_floatx(leaf)


def _row_bytes(leaf: Any) -> int:
    if leaf is None:
        return 0
    return int(np.prod([d for d in leaf.shape[1:] if d is not None], dtype=np.int64)) * (
        leaf.dtype.itemsize if hasattr(leaf.dtype, "itemsize") else 4
    )


def _slice(leaf: Any, start: int, stop: int) -> Any:
    return leaf[start:stop]


def _take(leaf: Any, indices: np.ndarray, backend: Backend) -> Any:
    if isinstance(leaf, np.ndarray):
        return leaf.take(indices, 0)
    return leaf[indices] if isinstance(leaf, SparseRows) else backend.gather_rows(leaf, indices)


class ArrayDataset:
    """Samples of a structure of arrays, one after the other; `fit` takes it as the arrays. `core.utils.split_dataset` makes it.

    `len()` counts them, `dataset[i]` is one, `arrays` has all of them.
    """

    def __init__(self, arrays: Any):
        self.arrays = arrays

    def __len__(self) -> int:
        return rows_of(data=self.arrays)

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Sample {index} of a dataset with {len(self)}.")
        return tree.map_structure(lambda leaf: leaf[index], self.arrays)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))
