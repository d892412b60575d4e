"""Slices in recorded calls. A structure is not looked into slices, so that symbolic bounds would not be found there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from core.backend.dimension import holds_symbolic


class Bounds(NamedTuple):
    """A slice as a tuple, in the arguments of a node."""

    start: Any
    stop: Any
    step: Any


def recordable(function: Callable, args: tuple, kwargs: dict) -> tuple[Callable, tuple, dict]:
    """The function and the arguments that a node keeps: slices with symbolic bounds as `Bounds`, which the function then takes."""
    plain = _map_slices((*args, *kwargs.values()))
    if plain is None:
        return function, args, kwargs
    return OfBounds(function), tuple(plain[: len(args)]), dict(zip(kwargs, plain[len(args) :]))


def _map_slices(values: tuple) -> tuple | None:
    """`values` with their symbolic slices as `Bounds`, None where there are none."""
    made, found = [], False
    for value in values:
        if isinstance(value, slice) and holds_symbolic((value,)):
            value, found = Bounds(value.start, value.stop, value.step), True
        elif type(value) is tuple:
            inner = _map_slices(value)
            value, found = (value, found) if inner is None else (inner, True)
        made.append(value)
    return tuple(made) if found else None


class OfBounds:
    """A function that takes `Bounds` for slices."""

    def __init__(self, function: Callable):
        self.function = function

    @property
    def op(self) -> Any:
        """The function's, if it is an op."""
        return self.function.op  # type: ignore[attr-defined]  # raises where it is none

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*map(_as_slices, args), **{name: _as_slices(value) for name, value in kwargs.items()})


def _as_slices(value: Any) -> Any:
    if type(value) is Bounds:
        return slice(*value)
    return tuple(map(_as_slices, value)) if type(value) is tuple else value
