"""What the frameworks' gradient functions share."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from core.base import tree


def call(grad_fn: Callable, args: tuple, upstream: tuple) -> Any:
    """The arguments' gradients by a user's `grad_fn`, which is written as `grad_fn(*args, upstream)` or as `grad_fn(upstream)`.

    The first form is known by a parameter named `upstream` that is not its first one.
    """
    parameters = list(inspect.signature(grad_fn).parameters)
    if "upstream" in parameters[1:]:
        return grad_fn(*args, upstream=upstream[0] if len(upstream) == 1 else upstream)
    return grad_fn(*upstream)


class _Here(threading.local):
    before: dict | None = None  # what remat notes of the variables that are written in place
    depth = 0  # how many gradients are being taken around this point
    vmap = 0  # how many vmaps run around this point


HERE = _Here()


def before_write(held: Any, copy: Callable) -> None:
    """Called by frameworks with mutable variables before they write one in place."""
    if HERE.before is not None and id(held) not in HERE.before:
        HERE.before[id(held)] = held, copy(held)


@contextmanager
def noting(before: dict) -> Iterator[None]:
    """Fills `before` with the variables that are written and the values that they had."""
    outer, HERE.before = HERE.before, before
    try:
        yield
    finally:
        HERE.before = outer
        if outer is not None:
            for key, pair in before.items():
                outer.setdefault(key, pair)


@contextmanager
def inside(what: str) -> Iterator[None]:
    """Counts the transforms of one kind that run around a piece of code."""
    setattr(HERE, what, getattr(HERE, what) + 1)
    try:
        yield
    finally:
        setattr(HERE, what, getattr(HERE, what) - 1)


def repeatable(fn: Callable, copy: Callable, write: Callable) -> Callable:
    """`fn` for a checkpoint: its second run starts from the variables as the first one found them, and changes none of them.

    So a dropout draws the same mask again, and a moving average moves once.
    """
    before: dict | None = None

    def run(*args: Any) -> Any:
        nonlocal before
        if before is None:
            before = {}
            with noting(before):
                return fn(*args)
        now = [(held, copy(held)) for held, _ in before.values()]
        for held, value in before.values():
            write(held, value)
        try:
            with noting({}):
                return fn(*args)
        finally:
            for held, value in now:
                write(held, value)

    return run


def split(args: tuple, kwargs: dict, is_tensor: Callable, fn: Callable) -> tuple[list, Callable]:
    """The tensors among the arguments, and `fn` as a function of them alone; flags, Nones and the like stay where they are."""
    leaves, spec = tree.flatten_with_spec((args, kwargs))
    places = [is_tensor(leaf) for leaf in leaves]

    def of_tensors(*tensors: Any) -> Any:
        given = iter(tensors)
        args, kwargs = tree.unflatten(spec, [next(given) if place else leaf for leaf, place in zip(leaves, places)])
        return fn(*args, **kwargs)

    return [leaf for leaf, place in zip(leaves, places) if place], of_tensors
