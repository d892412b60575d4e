"""Base distributions by name."""

from __future__ import annotations

from typing import Any

from bayes.distributions.diagonal_normal import DiagonalNormal
from bayes.distributions.diagonal_student_t import DiagonalStudentT
from bayes.distributions.distribution import Distribution

DISTRIBUTIONS: dict[str, type[Distribution]] = {"normal": DiagonalNormal, "student": DiagonalStudentT, "student_t": DiagonalStudentT}


def find_distribution(which: Any) -> Distribution:
    """The distribution of a name, or the given one.

    >>> type(find_distribution("normal")).__name__
    'DiagonalNormal'
    """
    if isinstance(which, str) and which.lower() in DISTRIBUTIONS:
        return DISTRIBUTIONS[which.lower()]()
    if isinstance(which, type) and issubclass(which, Distribution):
        return which()
    if isinstance(which, Distribution):
        return which
    raise ValueError(f"A base distribution is one of {sorted(DISTRIBUTIONS)} or a bayes.distributions.Distribution, got {which!r}.")
