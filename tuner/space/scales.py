"""Maps between the unit interval and a range, evenly, by ratios, or by ratios from the upper end."""

from __future__ import annotations

import math

SAMPLINGS = ("linear", "log", "reverse_log")


def to_range(unit: float, low: float, high: float, sampling: str) -> float:
    """The value at `unit` in [0, 1] of `[low, high]`.

    >>> to_range(0.5, 1.0, 100.0, "log"), to_range(0.5, 0.0, 4.0, "linear")
    (10.0, 2.0)
    """
    if sampling == "linear":
        return low + unit * (high - low)
    if sampling == "log":
        return low * (high / low) ** unit
    return low + high - low * (high / low) ** (1.0 - unit)


def to_unit(value: float, low: float, high: float, sampling: str) -> float:
    """Where `value` lies between `low` and `high`, in [0, 1]; the inverse of `to_range`."""
    if high == low:
        return 0.5
    if sampling == "linear":
        return (value - low) / (high - low)
    if sampling == "log":
        return math.log(value / low) / math.log(high / low)
    return 1.0 - math.log((low + high - value) / low) / math.log(high / low)


def steps(low: float, high: float, step: float, sampling: str) -> int:
    """How many values a range holds that is walked from `low` by adding `step` (for logarithmic sampling: multiplying by it)."""
    length = (high - low) / step if sampling == "linear" else math.log(high / low) / math.log(step)
    return int(math.floor(length + 1e-8)) + 1


def stepped(index: int, low: float, high: float, step: float, sampling: str) -> float:
    """The value number `index` of such a walk; `reverse_log` mirrors the walk, so that its fine end is the upper one."""
    if sampling == "linear":
        return low + index * step
    if sampling == "log":
        return low * step**index
    return low + high - low * step ** (steps(low, high, step, sampling) - 1 - index)
