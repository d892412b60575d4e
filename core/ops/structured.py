"""Ops that take functions, seeds or nested structures of tensors: control flow and random draws."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor
from core.base import tree
from core.ops.registry import REGISTRY, Op, _to_spec

P = ParamSpec("P")
R = TypeVar("R")
_ARRAYS = (np.ndarray, np.generic, bool, int, float, complex)


class StructuredOp(Op):
    """An op whose tensors may stand in nested structures. Everything that is no tensor or number passes as it is.

    The owner is found among all leaves of all arguments, seed generators included; creation ops inside the functions that are
    passed land on the owner too.
    """

    def dispatch(self, args: tuple, kwargs: dict) -> Any:
        bound = self.bind(args, kwargs)
        if self.prepare is not None:
            self.prepare(self.name, bound)
        leaves = tree.flatten(bound)
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return self.symbolic(args, kwargs)
        backend = slot.owner_of(leaf._value if isinstance(leaf, Holder) else leaf for leaf in leaves)
        if backend is None:
            seeds = (leaf.backend for leaf in leaves if isinstance(getattr(leaf, "backend", None), Backend))
            backend = next(seeds, None) or slot.active()
        convert = functools.partial(_to_native, backend=backend)
        for name in self.tensors:
            if name in bound:
                bound[name] = tree.map_structure(convert, bound[name])
        for name in self.also:
            if name in bound:
                bound[name] = tree.map_structure(_unwrapped, bound[name])
        with slot.use(backend):
            return self._apply(self.implementation(backend), bound)

    def output_spec(self, args: tuple, kwargs: dict) -> Any:
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name in self.tensors:
            bound.arguments[name] = tree.map_structure(_spec, bound.arguments[name])
        return self.rule(*bound.args, **bound.kwargs)  # type: ignore[misc]  # asked only of ops that have one


def _unwrapped(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, Holder) else leaf


def _to_native(leaf: Any, backend: Backend) -> Any:
    if isinstance(leaf, Holder):
        return leaf.value
    return backend.convert_to_tensor(leaf) if isinstance(leaf, _ARRAYS) else leaf


def _spec(leaf: Any) -> Any:
    return leaf if leaf is None or isinstance(leaf, str) or (callable(leaf) and not isinstance(leaf, Holder)) else _to_spec(leaf, None)


def structured_op(
    tensors: str = "", *, rule: Callable | None, also: str = "", prepare: Callable[[str, dict], None] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declares a function as a `StructuredOp`: numbers and arrays in `tensors` become tensors, in `also` they stay as they are."""

    def declare(reference: Callable[P, R]) -> Callable[P, R]:
        spec = StructuredOp(reference, tensors, also, None, rule, prepare=prepare)
        if spec.name in REGISTRY:
            raise ValueError(f"The op {spec.name} is declared twice.")
        REGISTRY[spec.name] = spec

        @functools.wraps(reference)
        def public(*args: P.args, **kwargs: P.kwargs) -> R:
            return spec.dispatch(args, kwargs)

        spec.public, public.op = public, spec  # type: ignore[attr-defined]
        return public

    return declare
