"""Sparse tensors in ops: which ops keep them sparse, and how. Every other op sees them dense.

The sparse tensors are JAX's and TensorFlow's own, in coordinate format: places (stored, rank) and their values. `result_is_sparse`
speaks for calls on values and for symbolic ones alike. What a framework has to offer lies in `core/backend/*/sparse.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.backend import slot

# f(0) = 0: these act on the stored values.
MAPPED = frozenset(
    """abs arcsin arcsinh arctan arctanh cast cbrt ceil celu conj copy deg2rad elu erf erfinv expm1 fabs floor gelu
    hard_shrink hard_tanh imag leaky_relu log1p nan_to_num negative rad2deg real relu relu6 round saturate_cast selu sign silu sin sinh
    soft_shrink softsign sqrt square stop_gradient tan tanh tanh_shrink trunc""".split()
)
MOVED = frozenset("expand_dims mean ravel reshape squeeze sum transpose".split())  # these act on the places
TOGETHER = frozenset("add maximum minimum subtract".split())  # f(0, 0) = 0: on values at the places of both
PRODUCTS = frozenset("dense matmul".split())  # these multiply the stored values alone, and give dense tensors where one is dense
SCALED = frozenset("divide multiply".split())  # f(0, x) = 0: on values and on what the other tensor has at their places


def result_is_sparse(name: str, sparse: Sequence[bool], shapes: Sequence[tuple]) -> bool:
    """Whether an op gives a sparse tensor: from which of its tensors are sparse, and their shapes."""
    if name in MAPPED or name in MOVED:
        return sparse[0]
    if name in ("matmul", "concatenate"):
        return all(sparse)
    if name in TOGETHER:
        return all(sparse) and shapes[0] == shapes[1]
    if name in SCALED and any(sparse):
        kept = 0 if sparse[0] else 1
        scaled = name == "multiply" or sparse == [True, False]
        return scaled and (_fits(shapes[1 - kept], shapes[kept]) if not all(sparse) else shapes[0] == shapes[1])
    return False


def _fits(shape: tuple, into: tuple) -> bool:
    """Whether broadcasting with `shape` leaves `into` as it is; an unknown dimension is taken to fit."""
    return len(shape) <= len(into) and all(one in (1, other, None) or other is None for one, other in zip(shape[::-1], into[::-1]))


def formats(name: str) -> Any:
    """The active backend's module of sparse tensors, for an op that is to make one; a ValueError where it has none."""
    backend = slot.active()
    if backend.sparse is None:
        raise ValueError(f"{name}: the {backend.name} backend has no sparse tensors; jax and tensorflow have. Leave sparse=False.")
    return backend.sparse


def function(name: str, dense: Callable, formats: Any) -> Callable:
    """The function of an op of the groups above on sparse tensors.

    Args:
        name: the op.
        dense: the op on dense tensors of the backend.
        formats: the backend's module of sparse tensors.
    """
    if name in MAPPED:
        return lambda x, *options, **named: formats.with_values(x, dense(formats.values(x), *options, **named))
    if name in TOGETHER:
        return lambda x1, x2: _together(dense, formats, x1, x2)
    if name in SCALED:
        return lambda x1, x2: _scaled(dense, formats, x1, x2)
    return getattr(formats, name)


def _together(dense: Callable, formats: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = formats.aligned(x1, x2)
    return formats.with_values(x1, dense(formats.values(x1), formats.values(x2)))


def _scaled(dense: Callable, formats: Any, x1: Any, x2: Any) -> Any:
    first, second = isinstance(x1, formats.TYPES), isinstance(x2, formats.TYPES)
    if first and second:
        return _together(dense, formats, x1, x2)
    if first:
        return formats.with_values(x1, dense(formats.values(x1), formats.values_at(x2, x1)))
    return formats.with_values(x2, dense(formats.values_at(x1, x2), formats.values(x2)))
