"""Raw strings as training data: a dataset that preprocesses batch by batch, in whatever form the strings came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import core
from core.saving import ConfigError
from hub.tokenizers.tokenizer import as_text


def is_raw(x: Any) -> bool:
    """Whether `x` is, or yields, strings that a preprocessor turns into arrays. A dict of arrays is ready as it is."""
    if isinstance(x, Mapping):
        return any(_holds_text(value) for value in x.values())
    if isinstance(x, tuple):
        return any(_holds_text(part) for part in x)
    return _holds_text(x) or _is_dataset(x)


def _holds_text(x: Any) -> bool:
    if as_text(x) is not None:
        raise ConfigError("fit, evaluate and predict take batches: put a single string into a list, as in ['...'].")
    if isinstance(x, (list, tuple)):
        return bool(x) and (isinstance(x[0], (str, bytes)) or isinstance(x[0], tuple) and all(isinstance(p, (str, bytes)) for p in x[0]))
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "US" or (x.dtype.kind == "O" and x.size > 0 and isinstance(x.flat[0], (str, bytes)))
    if hasattr(x, "iloc") and hasattr(x, "dtype"):  # a column of a table
        return len(x) > 0 and isinstance(x.iloc[0], str)
    return "string" in str(getattr(x, "dtype", ""))


def _is_dataset(x: Any) -> bool:
    return not isinstance(x, (list, tuple, np.ndarray)) and not hasattr(x, "dtype") and not hasattr(x, "columns") and (
        hasattr(x, "__next__") or hasattr(x, "as_numpy_iterator") or hasattr(x, "dataset") or isinstance(x, core.utils.PyDataset)
    )  # fmt: skip


def batches(process: Callable, x: Any, y: Any, sample_weight: Any, batch_size: int, shuffle: bool) -> Any:
    """A dataset of preprocessed batches: of arrays, a `PyDataset`; of a dataset, an iterable as long as that."""
    if _is_dataset(x):
        return Mapped(process, x)
    return TextBatches(process, _rows(x), _rows(y), _rows(sample_weight), batch_size, shuffle)


def split(x: Any, y: Any, sample_weight: Any, fraction: float) -> tuple[tuple, tuple]:
    """The first rows to learn from and the last `fraction` of them to validate on."""
    if not 0 < fraction < 1:
        raise ConfigError(f"validation_split must be between 0 and 1, got {fraction}.")
    if _is_dataset(x):
        raise ConfigError("validation_split needs data with rows; give validation_data beside a dataset.")
    parts = [_rows(part) for part in (x, y, sample_weight)]
    count = _count(parts[0])
    place = int(count * (1 - fraction))
    if not 0 < place < count:
        raise ConfigError(f"validation_split={fraction} of {count} rows leaves nothing to learn from or nothing to validate on.")
    first, last = (tuple(_take(part, rows) for part in parts) for rows in (np.arange(place), np.arange(place, count)))
    return first, tuple(part for part in last if part is not None)


class TextBatches(core.utils.PyDataset):
    """Batches of raw rows, preprocessed as they are asked for. Each epoch has a new order with `shuffle`."""

    def __init__(self, process: Callable, x: Any, y: Any, sample_weight: Any, batch_size: int, shuffle: bool):
        super().__init__()
        self.process, self.parts = process, (x, y, sample_weight)
        self.batch_size, self.shuffle = batch_size, shuffle
        counts = {_count(part) for part in self.parts if part is not None}
        if len(counts) != 1:
            raise ConfigError(f"x, y and sample_weight must have equally many rows, and have {sorted(counts)}.")
        self.count = counts.pop()
        if not self.count:
            raise ConfigError("There are no rows in the data.")
        self.order = np.arange(self.count)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.process(*(_take(part, rows) for part in self.parts))

    def on_epoch_end(self) -> None:
        """Draws the next epoch's order, from NumPy's global generator as `core.utils.set_random_seed` seeds it."""
        if self.shuffle:
            self.order = np.random.permutation(self.count)


class Mapped:
    """The batches of a dataset, preprocessed."""

    def __init__(self, process: Callable, dataset: Any):
        self.process, self.dataset = process, dataset
        if hasattr(dataset, "__len__") or hasattr(dataset, "cardinality"):
            length = _length(dataset)
            if length >= 0:
                self.__class__ = _SizedMapped

    def __iter__(self) -> Iterator[Any]:
        if hasattr(self.dataset, "as_numpy_iterator"):
            source: Any = self.dataset.as_numpy_iterator()
        elif isinstance(self.dataset, core.utils.PyDataset):
            source = (self.dataset[i] for i in range(_length(self.dataset)))
        else:
            source = iter(self.dataset)
        for batch in source:
            # A batch is (x, y) or (x, y, sample_weight), or x alone; a list is x alone unless its first part is itself a batch of texts.
            parts = batch if isinstance(batch, tuple) else tuple(batch) if _is_listed(batch) else (batch,)
            if isinstance(parts[0], tuple) and parts[0] and isinstance(parts[0][0], (str, bytes)):
                parts = (list(parts[0]), *parts[1:])  # torch's loaders put the strings of a batch into a tuple
            yield self.process(*parts)


class _SizedMapped(Mapped):
    """As `Mapped`, where the number of batches is known."""

    def __len__(self) -> int:
        return _length(self.dataset)


def _length(dataset: Any) -> int:
    """The number of a dataset's batches; negative where it does not know."""
    return int(dataset.cardinality()) if hasattr(dataset, "cardinality") else len(dataset)


def _is_listed(batch: Any) -> bool:
    """Whether a list is `[x, y]`, as torch's loaders give it."""
    return isinstance(batch, list) and 1 < len(batch) <= 3 and not any(isinstance(part, (str, bytes)) for part in batch[:2])


def _rows(part: Any) -> Any:
    """A part of the data as something with rows: arrays, or dicts and tuples of arrays."""
    if part is None or isinstance(part, np.ndarray):
        return part
    if isinstance(part, Mapping):
        return {key: _rows(value) for key, value in part.items()}
    if isinstance(part, tuple):
        return tuple(_rows(value) for value in part)
    if isinstance(part, list) and part and isinstance(part[0], (str, bytes, tuple)):
        column = np.empty(len(part), dtype=object)
        column[:] = part
        return column
    if hasattr(part, "to_numpy"):
        return part.to_numpy()
    if isinstance(part, list):
        return np.array(part)
    return core.ops.convert_to_numpy(part) if not hasattr(part, "numpy") else part.numpy()


def _count(part: Any) -> int:
    if isinstance(part, (dict, tuple)):
        counts = {_count(value) for value in (part.values() if isinstance(part, dict) else part)}
        if len(counts) != 1:
            raise ConfigError(f"All parts of x must have equally many rows, and have {sorted(counts)}.")
        return counts.pop()
    return len(part)


def _take(part: Any, rows: np.ndarray) -> Any:
    if isinstance(part, dict):
        return {key: _take(value, rows) for key, value in part.items()}
    if isinstance(part, tuple):
        return tuple(_take(value, rows) for value in part)
    if part is None:
        return None
    taken = part[rows]
    return taken.tolist() if taken.dtype.kind in "OUS" else taken
