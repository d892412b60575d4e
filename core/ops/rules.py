"""Shape rules that many ops share. A rule gets the op's arguments, with `KerasTensor`s of the promoted dtype, and returns such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes


def like(x: KerasTensor, *args: Any, **kwargs: Any) -> KerasTensor:
    """The first tensor's shape and dtype."""
    return KerasTensor(x.shape, x.dtype)


def broadcast(x1: KerasTensor, x2: KerasTensor, *args: Any, **kwargs: Any) -> KerasTensor:
    """Two tensors broadcast against each other."""
    return KerasTensor(shapes.broadcast(x1.shape, x2.shape), x1.dtype)


def reduce(x: KerasTensor, axis: Any = None, keepdims: bool = False, *args: Any, **kwargs: Any) -> KerasTensor:
    """`x` with `axis` taken away, or kept as 1."""
    return KerasTensor(shapes.reduced(x.shape, axis, keepdims), x.dtype)


def typed(rule: Callable[..., KerasTensor], dtype: str | Callable[[str], str]) -> Callable[..., KerasTensor]:
    """`rule` with its result's dtype set, or mapped by a function of names."""

    def with_dtype(*args: Any, **kwargs: Any) -> KerasTensor:
        result = rule(*args, **kwargs)
        return KerasTensor(result.shape, dtype(result.dtype) if callable(dtype) else dtype)

    return with_dtype


def integers(rule: Callable[..., Any]) -> Callable[..., Any]:
    """`rule` for integers and bools, which the first tensor tells: the others have been promoted to its dtype."""

    def of_integers(*args: Any, **kwargs: Any) -> Any:
        check_integers(args[0], "The tensors")
        return rule(*args, **kwargs)

    return of_integers


def check_integers(x: Any, name: str) -> None:
    """A `ValueError` unless `x`, a tensor with or without values, holds integers or bools."""
    dtype = dtypes.standardize_dtype(x.dtype)
    if dtype != "bool" and not dtypes.is_int_dtype(dtype):
        raise ValueError(f"{name} must be integers, got dtype {dtype}; cast to int32 first.")


def real(rule: Callable[..., Any]) -> Callable[..., Any]:
    """`rule` for what complex numbers have not: an order, a sign, a fraction."""

    def of_reals(*args: Any, **kwargs: Any) -> Any:
        if args[0].dtype in dtypes.COMPLEX:
            raise ValueError(f"Real numbers are needed, got dtype {args[0].dtype}; take the real or the imaginary part, or abs, first.")
        return rule(*args, **kwargs)

    return of_reals


def shaped(x: KerasTensor, shape: Sequence[int | None], dtype: str | None = None) -> KerasTensor:
    """A tensor of another shape and the same dtype, for use inside rules."""
    return KerasTensor(shape, dtype or x.dtype)


def matmul(x1: KerasTensor, x2: KerasTensor) -> KerasTensor:
    """Matrix product over the last two axes, the leading ones broadcast."""
    a, b = x1.shape, x2.shape
    if not a or not b:
        raise ValueError(f"matmul needs tensors of at least one dimension, got shapes {a} and {b}.")
    rows, columns = (a[-2:-1], b[-1:] if len(b) > 1 else ())
    inner, other = a[-1], b[-2] if len(b) > 1 else b[-1]
    if inner is not None and other is not None and inner != other:
        raise ValueError(f"matmul needs equal inner dimensions, got shapes {a} and {b}: {inner} is not {other}.")
    batch = shapes.broadcast(a[:-2], b[:-2])
    return KerasTensor((*batch, *rows, *columns), x1.dtype)
