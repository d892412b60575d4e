"""What every source of batches is: numbered passes over some data, and epochs cut out of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.backend import seeds, slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.base import config, tree

Batch = tuple  # (x,), (x, y) or (x, y, sample_weight); each a tensor or a structure of tensors


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The batch `x`, `(x, y)` or `(x, y, sample_weight)`: what a `PyDataset` or a generator yields.

    A bare `x` stays as it is unless it is a list or tuple, which would be mistaken for a whole batch; that is wrapped as `(x,)`.

    >>> pack_x_y_sample_weight([1, 2], 3)
    ([1, 2], 3)
    """
    if sample_weight is not None:
        return (x, y, sample_weight)
    if y is not None:
        return (x, y)
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`(x, y, sample_weight)` of a batch, None for what it lacks. Anything but a list or tuple is `x`.

    Raises:
        ValueError: a list or tuple of none or more than three parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch is x, (x, y) or (x, y, sample_weight), got a {type(data).__name__} of {len(data)} parts; wrap several inputs in one "
            "list."
        )
    return (*data, None, None)[:3]  # type: ignore[return-value]


def fresh_seed() -> int:
    """A seed for shuffling, out of NumPy's global generator, which `core.utils.set_random_seed` seeds."""
    return seeds.fresh()[0]


def permutation(seed: int, number: int, length: int) -> np.ndarray:
    """The order of pass `number`: drawn on the host by a counter-based generator, so the same on every backend and after a restart."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((*seeds.from_int(seed), number)))).permutation(length)


def floats_to_floatx(array: np.ndarray) -> np.ndarray:
    """Arrays of Python's and NumPy's default float, and half ones, as floatx; all other dtypes as they are."""
    wide = array.dtype.kind == "f" and array.dtype.name != config.floatx()
    return array.astype(config.floatx()) if wide else array


def host_array(x: Any) -> Any:
    """Tensors of any framework, pandas columns and Python numbers as NumPy arrays; zero-copy where they lie in host memory."""
    if isinstance(x, Holder):
        x = x.value
    owner = slot.owner(x)
    if owner is not None:
        view = owner.host_view(x)
        return owner.convert_to_numpy(x) if view is None else view
    if is_frame(x):
        return frame_values(x)
    return np.asarray(x)


def is_frame(x: Any) -> bool:
    """Whether `x` is a pandas DataFrame or Series."""
    return type(x).__module__.partition(".")[0] == "pandas" and hasattr(x, "to_numpy")


def frame_values(x: Any) -> np.ndarray:
    """The values of a DataFrame, or of a Series as one column. Mixed numeric columns get their common dtype; text stays text."""
    values = x.to_numpy()
    if values.dtype == object:
        try:
            values = values.astype(config.floatx())
        except (TypeError, ValueError):
            return values.reshape(len(values), -1)  # text
    return values.reshape(len(values), -1)


class Source:
    """Numbered batches, passes and epochs. A subclass gives `one_pass`, and its length where it knows it.

    Attributes:
        batch_size: rows of a full batch, or None where the data decides.
        pass_batches: batches of one pass over the data, None where unknown or endless.
        num_batches: batches of one epoch: `steps` where given, else `pass_batches`.
        has_partial_batch: whether the last batch of a pass is known to be shorter.
        repeat: whether an epoch of `steps` batches goes on where the one before stopped (`fit`), or begins anew (`evaluate`).
    """

    has_partial_batch = False

    def __init__(
        self, backend: Backend, *, batch_size: int | None, pass_batches: int | None, steps: int | None, repeat: bool, native: bool
    ):
        if steps is not None and (not isinstance(steps, (int, np.integer)) or steps < 1):
            raise ValueError(f"The number of steps must be a positive integer or None, got {steps!r}.")
        self.backend, self.batch_size, self.pass_batches = backend, batch_size, pass_batches
        self.steps, self.repeat, self.native = steps, repeat, native

    @property
    def num_batches(self) -> int | None:
        """Batches of one epoch; None where only the data knows."""
        if self.steps is None:
            return self.pass_batches
        return self.steps if self.repeat or self.pass_batches is None else min(self.steps, self.pass_batches)

    def one_pass(self, number: int, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """The batches `start` to `stop` of pass `number` over the data."""
        raise TypeError(f"{type(self).__name__} must define one_pass.")

    def spans(self, epoch: int, start: int = 0) -> Iterator[tuple[int, int, int | None]]:
        """The `(pass, first batch, end)` that make up an epoch from its batch `start` on."""
        if self.steps is None or not self.repeat or self.pass_batches is None:
            yield (epoch, start, self.steps)
            return
        at, end = epoch * self.steps + start, (epoch + 1) * self.steps
        while at < end:
            number, first = divmod(at, self.pass_batches)
            last = min(self.pass_batches, first + end - at)
            yield (number, first, last)
            at += last - first

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch. Where the data is addressed by number, the same epoch always gives the same batches.

        Args:
            epoch: from 0 on.
            start: the batch to begin with, to go on after a stop within an epoch.
        """
        for number, first, last in self.spans(epoch, start):
            yield from self.one_pass(number, first, last)

    def stacked(self, epoch: int, k: int, start: int = 0) -> Iterator[tuple[int, Batch]]:
        """The same batches in packs: `(k, batch)` with a new leading axis of size `k`, then what is left as `(1, batch)` without one."""
        pack: list[Batch] = []
        for batch in self.batches(epoch, start):
            if pack and _signature(batch) != _signature(pack[0]):
                yield from ((1, one) for one in pack)
                pack = []
            pack.append(batch)
            if len(pack) == k:
                yield (1, pack[0]) if k == 1 else (k, tree.map_structure(self._stacked, *pack))
                pack = []
        yield from ((1, one) for one in pack)

    def _stacked(self, *parts: Any) -> Any:
        return None if parts[0] is None else self.backend.stack_batches(parts)

    def peek(self) -> Batch:
        """The first batch of epoch 0, which the epoch then gives again."""
        batch = next(iter(self.batches(0)), None)
        if batch is None:
            raise ValueError("The data is empty: it gave no batch.")
        return batch

    def on_epoch_begin(self) -> None:
        """Told by the loop before each epoch."""

    def on_epoch_end(self) -> None:
        """Told by the loop after each epoch."""


def _signature(batch: Batch) -> list:
    return [None if leaf is None else (tuple(leaf.shape), leaf.dtype) for leaf in tree.flatten(batch)]
