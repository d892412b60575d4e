"""`PyDataset`: batches by number, out of the user's Python code, made ahead in threads or processes."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from core.backend.protocol import Backend
from core.training.data.convert import BatchConverter
from core.training.data.source import Batch, Source, fresh_seed, permutation


class PyDataset:
    """Base of datasets that make a batch from its number: define `__getitem__(index)`, returning a batch, and `__len__`.

    Args:
        workers: how many batches are made at the same time; with 1, they are made in the training thread.
        use_multiprocessing: whether the workers are processes instead of threads. They are started as `multiprocessing.set_start_method`
            says, anew for each epoch; what they return must be picklable.
        max_queue_size: how many batches may wait ready.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return index, index**2
    >>> [Squares()[i] for i in range(3)]
    [(0, 0), (1, 1), (2, 4)]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self._workers, self._use_multiprocessing, self._max_queue_size = workers, use_multiprocessing, max_queue_size

    # A subclass may leave out super().__init__(): then the defaults hold.
    @property
    def workers(self) -> int:
        """How many batches are made at the same time."""
        return getattr(self, "_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether workers are processes."""
        return getattr(self, "_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """How many batches may wait ready."""
        return getattr(self, "_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        raise TypeError(f"{type(self).__name__} must define __getitem__(index), which returns the batch of that number.")

    @property
    def num_batches(self) -> int | None:
        """Batches of one epoch; None for an endless dataset (override it so)."""
        if hasattr(self, "__len__"):
            return len(self)
        raise TypeError(f"{type(self).__name__} must define __len__, or num_batches returning None where it has no end.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


_dataset: Any = None  # in a worker process: its copy


def _install(dataset: Any) -> None:
    global _dataset
    _dataset = dataset


def _fetch(index: int) -> Any:
    return _dataset[index]


def in_order(executor: Executor, fetch: Callable[[int], Any], indices: Iterable[int], ahead: int) -> Iterator[Any]:
    """`fetch(i)` for each index, in the order of the indices, at most `ahead` of them waiting or being made."""
    waiting: deque[Future] = deque()
    try:
        for index in indices:
            waiting.append(executor.submit(fetch, index))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise RuntimeError(
            "A worker process of the dataset died. Its class must be importable from a module and picklable, and the script must start "
            "training under "
            "`if __name__ == '__main__':`; or set use_multiprocessing=False to work in threads."
        ) from error
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


class PyDatasetSource(Source):
    """The batches of a `PyDataset`, or of anything with the same methods. Shuffling changes the order of the batches."""

    def __init__(self, dataset: Any, backend: Backend, converter: BatchConverter, *, shuffle: bool | str, seed: int | None,
                 steps: int | None, repeat: bool, native: bool):  # fmt: skip
        self.dataset, self.converter = dataset, converter
        count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)
        if count is not None and count < 1:
            raise ValueError(f"The dataset {type(dataset).__name__} is empty: it says that it has {count} batches.")
        self.shuffle, self.seed = shuffle and count is not None, (fresh_seed() if shuffle else 0) if seed is None else seed
        super().__init__(
            backend, batch_size=getattr(dataset, "batch_size", None), pass_batches=count, steps=steps, repeat=repeat, native=native
        )

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        if self.pass_batches is None and self.steps is not None and self.repeat:  # endless: epochs go on counting
            start += epoch * self.steps
            return self.one_pass(0, start, (epoch + 1) * self.steps)
        return super().batches(epoch, start)

    def one_pass(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        count = self.pass_batches
        end = stop if count is None else count if stop is None else min(stop, count)
        indices: Iterable[int] = itertools.count(start) if end is None else range(start, end)
        if self.shuffle:
            indices = permutation(self.seed, number, count)[start:end].tolist()  # type: ignore[arg-type]
        return map(self.converter, self._fetched(indices))

    def _fetched(self, indices: Iterable[int]) -> Iterator[Any]:
        dataset = self.dataset
        workers = getattr(dataset, "workers", 1) or 1
        ahead = max(1, getattr(dataset, "max_queue_size", 10) or 1)
        if getattr(dataset, "use_multiprocessing", False):
            workers = min(workers, (os.cpu_count() or 1) * 4)
            pool = ProcessPoolExecutor(workers, multiprocessing.get_context(), initializer=_install, initargs=(dataset,))
            return in_order(pool, _fetch, indices, ahead)
        if workers > 1:
            return in_order(ThreadPoolExecutor(workers, "core-dataset"), dataset.__getitem__, indices, ahead)
        return map(dataset.__getitem__, indices)

    def on_epoch_begin(self) -> None:
        getattr(self.dataset, "on_epoch_begin", lambda: None)()

    def on_epoch_end(self) -> None:
        getattr(self.dataset, "on_epoch_end", lambda: None)()
