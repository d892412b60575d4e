"""What can only be iterated: tf.data datasets, PyTorch loaders, grain loaders, generators and other iterables."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from core.backend.protocol import Backend
from core.training.data.convert import BatchConverter
from core.training.data.source import Batch, Source


class IterableSource(Source):
    """Batches of an iterable. With `steps` and `repeat`, one iterator lives across epochs, begun anew where it ends.

    Generators and other iterators cannot begin anew: an epoch ends where they do, and the loop tells.
    """

    def __init__(self, iterable: Iterable, backend: Backend, converter: BatchConverter, *, pass_batches: int | None, batch_size: int | None,
                 steps: int | None, repeat: bool, native: bool):  # fmt: skip
        self.iterable, self.converter = iterable, converter
        self.once = hasattr(iterable, "__next__")  # an iterator: one pass is all there is
        self._live: Any = iter(iterable) if self.once else None
        self._started = False
        self._peeked: list[Any] = []  # taken from an iterator that cannot begin anew
        super().__init__(backend, batch_size=batch_size, pass_batches=pass_batches, steps=steps, repeat=repeat, native=native)

    @property
    def num_batches(self) -> int | None:
        if self.once or self.pass_batches is None:
            return self.steps
        return super().num_batches

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        if self.once or (self.repeat and self.steps is not None):
            raw = self._continued(None if self.steps is None else self.steps - start)
        else:
            if hasattr(self.iterable, "set_epoch"):
                self.iterable.set_epoch(epoch)
            raw = itertools.islice(iter(self.iterable), start, self.steps)
        return map(self.converter, self._not_empty(raw))

    def peek(self) -> Batch:
        first = self._peeked
        if not first:
            first = list(itertools.islice(self._live if self.once else iter(self.iterable), 1))
            if not first:
                raise ValueError(f"The dataset is empty: {type(self.iterable).__name__} gave no batch.")
            if self.once:
                self._peeked = first
        return self.converter(first[0])

    def _continued(self, count: int | None) -> Iterator[Any]:
        """The next `count` batches, across passes where the iterable can begin anew."""
        done = 0
        fresh = False
        while count is None or done < count:
            if self._live is None:
                self._live, fresh = iter(self.iterable), True
            try:
                batch = self._peeked.pop() if self._peeked else next(self._live)
            except StopIteration:
                if self.once or fresh:  # fresh: a whole pass gave nothing
                    return
                self._live = None
                continue
            fresh = False
            done += 1
            yield batch

    def _not_empty(self, raw: Iterator[Any]) -> Iterator[Any]:
        for batch in raw:
            self._started = True
            yield batch
        if not self._started:
            raise ValueError(f"The dataset is empty: {type(self.iterable).__name__} gave no batch.")


def _origin(x: Any) -> set[tuple[str, str]]:
    return {(base.__module__.partition(".")[0], base.__name__) for base in type(x).__mro__}


def is_tf_dataset(x: Any) -> bool:
    """Whether `x` is a `tf.data.Dataset` (or a distributed one), told without importing TensorFlow."""
    return bool(_origin(x) & {("tensorflow", "DatasetV2"), ("tensorflow", "DistributedDataset")})


def is_torch_dataset(x: Any) -> bool:
    """Whether `x` is a PyTorch map-style or iterable `Dataset`, which yields single samples."""
    return ("torch", "Dataset") in _origin(x)


def is_torch_loader(x: Any) -> bool:
    """Whether `x` is a PyTorch `DataLoader`."""
    return ("torch", "DataLoader") in _origin(x)


def is_grain(x: Any) -> bool:
    """Whether `x` is one of grain's datasets or loaders."""
    return any(root == "grain" for root, _ in _origin(x))


def iterable_and_length(x: Any, batch_size: int | None) -> tuple[Iterable, int | None, int | None]:
    """`(iterable of batches, its number of batches or None, rows of a batch or None)`."""
    if is_tf_dataset(x):
        cardinality = int(x.cardinality()) if hasattr(x, "cardinality") else -2
        if cardinality == 0:
            raise ValueError("The dataset is empty: its cardinality is 0.")
        return x, cardinality if cardinality > 0 else None, None
    if is_torch_dataset(x) and not is_torch_loader(x):
        from torch.utils.data import DataLoader

        x = DataLoader(x, batch_size=32 if batch_size is None else batch_size)
    count: int | None = None
    if hasattr(x, "__len__"):
        try:
            count = len(x)
        except (TypeError, NotImplementedError):  # a loader over an iterable-style dataset has no length
            count = None
        if count == 0:
            raise ValueError(f"The dataset is empty: {type(x).__name__} has 0 batches.")
        if count is not None and count >= 2**62:  # grain's endless datasets
            count = None
    size = getattr(x, "batch_size", None)
    return x, count, size if isinstance(size, int) else None
