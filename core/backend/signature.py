"""What tells one signature of a compiled function from another: the structure of its arguments and the values of the static ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.base import tree

TRACED = type("Traced", (), {"__repr__": lambda self: "TRACED"})()  # stands for a leaf whose value does not matter
_BY_VALUE = frozenset((int, bool, str, type(None)))


class Static:
    """A static leaf: hashed and compared by value where it can be, else by identity."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any):
        self.value = value
        if type(value) in _BY_VALUE:
            self.key: tuple = (type(value), value)
        elif type(value) is float:
            self.key = (float, value.hex())  # tells -0.0 from 0.0, and takes one NaN for another
        else:
            try:
                hash(value)
                self.key = (type(value), value)
            except TypeError:
                self.key = (type(value), id(value))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Static) and self.key == other.key


def signature(args: tuple, kwargs: dict, traced: tuple[type, ...]) -> tuple[Any, Any, tuple | None, list]:
    """`(key, structure, static leaves or None, traced leaves)` of a call."""
    leaves, spec = tree.flatten_with_spec((args, kwargs))
    for leaf in leaves:
        if not isinstance(leaf, traced):
            static = tuple([TRACED if isinstance(leaf, traced) else Static(leaf) for leaf in leaves])
            return (spec, static), spec, static, [leaf for leaf in leaves if isinstance(leaf, traced)]
    return spec, spec, None, leaves


def of_traced(fn: Callable, spec: Any, static: tuple | None) -> Callable:
    """`fn` as a function of the list of its traced leaves."""

    def run(leaves: list) -> Any:
        if static is not None:
            given = iter(leaves)
            leaves = [next(given) if s is TRACED else s.value for s in static]
        args, kwargs = tree.unflatten(spec, leaves)
        return fn(*args, **kwargs)

    return run
