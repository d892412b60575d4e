"""Priors with supports, in NumPy: what inference knows about parameters before it sees data."""

from bayes.priors.families import Beta, Gamma, HalfNormal, LogNormal, Normal, Uniform
from bayes.priors.prior import Joint, Prior, from_function
from bayes.simulators.support import Support

__all__ = ["Beta", "Gamma", "HalfNormal", "Joint", "LogNormal", "Normal", "Prior", "Support", "Uniform", "from_function"]
