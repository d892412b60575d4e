"""Core models for JAX's users: the state as a pytree, and the call as a pure function of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from core.backend.journal import TRACING, journal, swapped


def state(layer: Any) -> dict[str, list]:
    """The values of the layer's variables as a pytree: `{"trainable": [...], "non_trainable": [...]}`."""
    return {"trainable": [v.value for v in layer.trainable_variables], "non_trainable": [v.value for v in layer.non_trainable_variables]}


def set_state(layer: Any, values: dict[str, list]) -> None:
    """Puts values of the form of `state` into the layer's variables."""
    for variable, value in zip(*_matched(layer, values), strict=True):
        variable.assign(value)


@contextmanager
def with_state(layer: Any, values: dict[str, list]) -> Iterator[Any]:
    """A `with` form in which the layer has these values, tracers allowed; afterwards it has its own again."""
    holders, given = _matched(layer, values)
    with TRACING, swapped(holders, given), journal() as notes:
        try:
            yield layer
        finally:
            notes.take_back()


def function(layer: Any) -> Callable:
    """The layer's call as a pure function: `(state, *args, **kwargs) -> (outputs, new state)`, for `jax.jit`, `jax.grad`, `jax.vmap`.

    >>> dense = core.layers.Dense(2)
    >>> dense.build((None, 3))
    >>> apply = function(dense)
    >>> y, new = jax.jit(apply)(state(dense), jax.numpy.ones((1, 3)))
    """

    def apply(values: dict[str, list], *args: Any, **kwargs: Any) -> tuple[Any, dict]:
        _matched(layer, values)
        outputs, new = layer.stateless_call(values["trainable"], values["non_trainable"], *args, **kwargs)
        return outputs, {"trainable": values["trainable"], "non_trainable": new}

    return apply


def _matched(layer: Any, values: dict[str, list]) -> tuple[list, list]:
    holders = {"trainable": layer.trainable_variables, "non_trainable": layer.non_trainable_variables}
    if values.keys() != holders.keys() or any(len(values[key]) != len(holders[key]) for key in holders):
        expected = {key: len(found) for key, found in holders.items()}
        got = {key: len(found) for key, found in values.items()}
        raise ValueError(f"The state of {layer.name!r} has {expected} values, got {got}; take it from core.interop.jax.state.")
    return [v for key in holders for v in holders[key]], [x for key in holders for x in values[key]]


__all__ = ["function", "set_state", "state", "with_state"]
