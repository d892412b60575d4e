"""Approximators: what is trained on simulations and then asked about observations."""

from bayes.approximators.approximator import Approximator
from bayes.approximators.continuous_approximator import ContinuousApproximator
from bayes.approximators.model_comparison_approximator import ModelComparisonApproximator
from bayes.approximators.standardization import Standardization

__all__ = ["Approximator", "ContinuousApproximator", "ModelComparisonApproximator", "Standardization"]
