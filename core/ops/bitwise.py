"""Whole numbers: their bits, divisors and multiples."""

from __future__ import annotations

from core.ops import rules
from core.ops.registry import op, primitive

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "gcd", "lcm",
    "left_shift", "right_shift",
]  # fmt: skip


def _counted(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


@op("x y", rule=rules.integers(rules.broadcast), promote="numeric")
def bitwise_and(x, y):
    """The bits set in both integers; for bools the logical and.

    >>> bitwise_and([6], 3)
    array([2], dtype=int32)
    """
    primitive()


@op("x y", rule=rules.integers(rules.broadcast), promote="numeric")
def bitwise_or(x, y):
    """The bits set in one integer or both; for bools the logical or.

    >>> bitwise_or([6], 3)
    array([7], dtype=int32)
    """
    primitive()


@op("x y", rule=rules.integers(rules.broadcast), promote="numeric")
def bitwise_xor(x, y):
    """The bits set in exactly one of two integers; for bools the exclusive or.

    >>> bitwise_xor([6], 3)
    array([5], dtype=int32)
    """
    primitive()


@op(rule=rules.integers(rules.like), promote="numeric")
def bitwise_not(x):
    """Every bit of an integer flipped; for bools the logical not.

    >>> bitwise_not([0, 5])
    array([-1, -6], dtype=int32)
    """
    primitive()


bitwise_invert = bitwise_not


@op("x y", rule=rules.integers(rules.typed(rules.broadcast, _counted)), promote="numeric")
def bitwise_left_shift(x, y):
    """The bits of `x` moved `y` places up: `x * 2**y`.

    >>> bitwise_left_shift([3], 2)
    array([12], dtype=int32)
    """
    primitive()


@op("x y", rule=rules.integers(rules.typed(rules.broadcast, _counted)), promote="numeric")
def bitwise_right_shift(x, y):
    """The bits of `x` moved `y` places down, keeping the sign: `x // 2**y`.

    >>> bitwise_right_shift([12], 2)
    array([3], dtype=int32)
    """
    primitive()


left_shift = bitwise_left_shift
right_shift = bitwise_right_shift


@op("x1 x2", rule=rules.integers(rules.broadcast), promote="numeric")
def gcd(x1, x2):
    """The greatest common divisor of integers, never negative.

    >>> gcd([12, -8], 20)
    array([4, 4], dtype=int32)
    """
    primitive()


@op("x1 x2", rule=rules.integers(rules.broadcast), promote="numeric")
def lcm(x1, x2):
    """The least common multiple of integers, never negative.

    >>> lcm([4, -6], 10)
    array([20, 30], dtype=int32)
    """
    primitive()
