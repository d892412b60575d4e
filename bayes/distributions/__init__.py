"""Base distributions of flows: densities over vectors that can be drawn from."""

from bayes.distributions.diagonal_normal import DiagonalNormal
from bayes.distributions.diagonal_student_t import DiagonalStudentT
from bayes.distributions.distribution import Distribution
from bayes.distributions.find import find_distribution

__all__ = ["DiagonalNormal", "DiagonalStudentT", "Distribution", "find_distribution"]
