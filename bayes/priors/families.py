"""The families of priors; their arguments are numbers or arrays, which give the event its shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayes.priors.prior import Prior
from bayes.simulators.support import Support

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _arguments(**given: Any) -> tuple[np.ndarray, ...]:
    """The arguments as float64 arrays of one shape, numbers as one axis of length 1."""
    arrays = {name: np.atleast_1d(np.asarray(value, "float64")) for name, value in given.items()}
    for name, array in arrays.items():
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be finite, got {given[name]!r}.")
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ValueError(f"The arguments of a prior must have shapes that fit together, got {shapes}.") from None


def _positive(name: str, value: np.ndarray) -> None:
    if not np.all(value > 0):
        raise ValueError(f"{name} must be positive, got {value.tolist()}.")


class Uniform(Prior):
    """Uniform in the box from `low` to `high`.

    >>> prior = Uniform([-1.0, 0.0], [1.0, 4.0])
    >>> prior.log_prob([[0.0, 1.0], [0.0, 5.0]]).round(4)
    array([-2.0794,    -inf])
    """

    def __init__(self, low: Any = 0.0, high: Any = 1.0):
        self.low, self.high = _arguments(low=low, high=high)
        self.event_shape, self.support = self.low.shape, Support(self.low, self.high)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.low, self.high, shape)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(-np.log(self.high - self.low), x.shape)


class Normal(Prior):
    """Normal with mean `mean` and standard deviation `std`.

    >>> Normal(0.0, 1.0).log_prob([[0.0]]).round(4)
    array([-0.9189])
    """

    def __init__(self, mean: Any = 0.0, std: Any = 1.0):
        self.mean, self.std = _arguments(mean=mean, std=std)
        _positive("std", self.std)
        self.event_shape, self.support = self.mean.shape, Support(None, None)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.mean, self.std, shape)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        return -0.5 * ((x - self.mean) / self.std) ** 2 - np.log(self.std) - HALF_LOG_2PI


class HalfNormal(Prior):
    """The absolute value of a normal with mean 0 and standard deviation `std`.

    >>> HalfNormal(1.0).log_prob([[0.0], [-1.0]]).round(4)
    array([-0.2258,    -inf])
    """

    def __init__(self, std: Any = 1.0):
        (self.std,) = _arguments(std=std)
        _positive("std", self.std)
        self.event_shape, self.support = self.std.shape, Support(0.0, None)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return np.abs(rng.normal(0.0, self.std, shape))

    def log_density(self, x: np.ndarray) -> np.ndarray:
        return math.log(2) - 0.5 * (x / self.std) ** 2 - np.log(self.std) - HALF_LOG_2PI


class LogNormal(Prior):
    """`exp` of a normal with mean `mean` and standard deviation `std`.

    >>> LogNormal(0.0, 1.0).log_prob([[1.0]]).round(4)
    array([-0.9189])
    """

    def __init__(self, mean: Any = 0.0, std: Any = 1.0):
        self.mean, self.std = _arguments(mean=mean, std=std)
        _positive("std", self.std)
        self.event_shape, self.support = self.mean.shape, Support(0.0, None)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.lognormal(self.mean, self.std, shape)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        log_x = np.log(np.maximum(x, np.finfo("float64").tiny))
        return -0.5 * ((log_x - self.mean) / self.std) ** 2 - np.log(self.std) - HALF_LOG_2PI - log_x


class Gamma(Prior):
    """Gamma with shape `concentration` and rate `rate`.

    >>> Gamma(1.0, 2.0).log_prob([[0.5]]).round(4)
    array([-0.3069])
    """

    def __init__(self, concentration: Any = 1.0, rate: Any = 1.0):
        self.concentration, self.rate = _arguments(concentration=concentration, rate=rate)
        _positive("concentration", self.concentration)
        _positive("rate", self.rate)
        self.event_shape, self.support = self.rate.shape, Support(0.0, None)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.gamma(self.concentration, 1 / self.rate, shape)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        from scipy.special import gammaln, xlogy

        a, b = self.concentration, self.rate
        return a * np.log(b) - gammaln(a) + xlogy(a - 1, np.maximum(x, 0)) - b * x


class Beta(Prior):
    """Beta with the exponents `a - 1` and `b - 1`, on the unit interval.

    >>> Beta(2.0, 1.0).log_prob([[0.5]]).round(4) + 0.0
    array([0.])
    """

    def __init__(self, a: Any = 1.0, b: Any = 1.0):
        self.a, self.b = _arguments(a=a, b=b)
        _positive("a", self.a)
        _positive("b", self.b)
        self.event_shape, self.support = self.a.shape, Support(0.0, 1.0)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.beta(self.a, self.b, shape)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        from scipy.special import betaln, xlog1py, xlogy

        x = np.clip(x, 0, 1)
        return xlogy(self.a - 1, x) + xlog1py(self.b - 1, -x) - betaln(self.a, self.b)
