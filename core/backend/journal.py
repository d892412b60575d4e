"""Which variables a piece of code reads and writes: what the lifted transforms of functional frameworks need to know.

A `Holder` is what stands for a tensor (`core.Variable` is the one subclass). Reading `value` and writing it with `put` are
noted in the innermost open `Journal` of the thread; where none is open, that costs the look at one global counter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_open = 0  # how many journals are open in the process
_local = threading.local()
TRACING = threading.RLock()  # held while variables hold tracers; reentrant, since traces nest


class Holder:
    """Holds a tensor in `value`. Ops take the value; transforms swap it."""

    __slots__ = ("__weakref__", "_value")
    _value: Any
    backend: Any

    @property
    def value(self) -> Any:
        """The tensor."""
        if _open:
            _note_read(self)
        return self._value

    def put(self, value: Any) -> None:
        """Replaces the tensor as it is: no cast, no check, no copy."""
        if _open:
            _note_write(self)
        self._value = value


class Journal:
    """The holders read, and the ones written with the values that they had before, since it was opened."""

    __slots__ = ("dry", "reads", "writes")

    def __init__(self, dry: bool = False) -> None:
        self.dry = dry
        self.reads: dict[Holder, None] = {}  # a dict keeps the order
        self.writes: dict[Holder, Any] = {}

    def take_back(self) -> dict[Holder, Any]:
        """Undoes all writes and returns what had been written."""
        new = {holder: holder._value for holder in self.writes}
        for holder, old in self.writes.items():
            holder._value = old
        return new


def any_open() -> bool:
    """Whether any thread takes notes."""
    return _open > 0


def _stack() -> list[Journal]:
    return _local.__dict__.setdefault("stack", [])


def _note_read(holder: Holder) -> None:
    stack = _stack()
    if stack:
        top = stack[-1]
        top.reads.setdefault(holder)
        if top.dry and holder not in top.writes:  # in-place writes shall go to a copy
            top.writes[holder] = holder._value
            holder._value = holder.backend.as_functional(holder._value)


def _note_write(holder: Holder) -> None:
    stack = _stack()
    if stack:
        stack[-1].writes.setdefault(holder, holder._value)


@contextmanager
def journal(dry: bool = False) -> Iterator[Journal]:
    """Opens a journal for this thread. Its reads go to the one around it as well; its writes do unless taken back.

    With `dry`, what is read is swapped for a functional value first, so that `take_back` undoes in-place writes as well.
    """
    global _open
    opened, stack = Journal(dry), _stack()
    stack.append(opened)
    _open += 1
    try:
        yield opened
    finally:
        _open -= 1
        stack.remove(opened)
        if stack:
            outer = stack[-1]
            for holder in opened.reads:
                outer.reads.setdefault(holder)
            for holder, old in opened.writes.items():
                if holder._value is not old:
                    outer.writes.setdefault(holder, old)


@contextmanager
def swapped(holders: Sequence[Holder], values: Sequence[Any]) -> Iterator[None]:
    """Puts values into holders for the length of a `with` block, unseen by any journal."""
    before = [holder._value for holder in holders]
    for holder, value in zip(holders, values, strict=True):
        holder._value = value
    try:
        yield
    finally:
        for holder, value in zip(holders, before):
            holder._value = value
