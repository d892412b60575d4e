"""Gaussian benchmark tasks, whose posteriors are known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes.priors.families import Normal, Uniform
from bayes.priors.prior import Prior
from bayes.simulators.benchmark_simulator import BenchmarkSimulator
from bayes.simulators.seeds import Seed, generator_of


class _GaussianLocation(BenchmarkSimulator):
    """Normal data around the parameters; with `n_obs`, that many data points, of shape `(batch, n_obs, D)`."""

    def __init__(self, prior: Prior, n_obs: int | None, obs_scale: float, rng: Seed):
        super().__init__(prior, rng)
        if not obs_scale > 0:
            raise ValueError(f"obs_scale is a variance and must be positive, got {obs_scale!r}.")
        self.n_obs, self.obs_scale = n_obs, obs_scale

    def observe(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        mean = parameters if self.n_obs is None else np.repeat(parameters[..., None, :], self.n_obs, axis=-2)
        return rng.normal(mean, np.sqrt(self.obs_scale))


class GaussianLinear(_GaussianLocation):
    """Normal parameters, mean 0 and variance `prior_scale`; normal data around them with variance `obs_scale`.

    As sbibm defines it, the scales are variances.

    >>> GaussianLinear().posterior(np.ones(10))[1].round(3)[:2]
    array([0.05, 0.05])
    """

    def __init__(self, D: int = 10, prior_scale: float = 0.1, n_obs: int | None = None, obs_scale: float = 0.1, rng: Seed = None):
        if not prior_scale > 0:
            raise ValueError(f"prior_scale is a variance and must be positive, got {prior_scale!r}.")
        super().__init__(Normal(np.zeros(D), np.sqrt(prior_scale)), n_obs, obs_scale, rng)
        self.prior_scale = prior_scale

    def posterior(self, observation: Any) -> tuple[np.ndarray, np.ndarray]:
        """The exact posterior's mean and variances, each of shape `(D,)`, for one observation."""
        points = np.atleast_2d(np.asarray(observation, "float64"))
        precision = 1 / self.prior_scale + len(points) / self.obs_scale
        mean = points.sum(axis=0) / self.obs_scale / precision
        return mean, np.full(mean.shape, 1 / precision)

    def posterior_sample(self, observation: Any, num_samples: int, *, seed: Seed = None) -> np.ndarray:
        """Exact draws of the posterior, shape `(num_samples, D)`."""
        mean, variance = self.posterior(observation)
        return generator_of(seed).normal(mean, np.sqrt(variance), (num_samples, len(mean)))


class GaussianLinearUniform(_GaussianLocation):
    """Uniform parameters in a box; normal data around them with variance `obs_scale`.

    >>> GaussianLinearUniform(D=3).sample(2, seed=0)["observables"].shape
    (2, 3)
    """

    def __init__(
        self,
        D: int = 10,
        lower_bound: float = -1.0,
        upper_bound: float = 1.0,
        n_obs: int | None = None,
        obs_scale: float = 0.1,
        rng: Seed = None,
    ):
        super().__init__(Uniform(np.full(D, lower_bound), np.full(D, upper_bound)), n_obs, obs_scale, rng)


class GaussianMixture(BenchmarkSimulator):
    """Uniform parameters; data from one of two normals around them, of standard deviations `scale_c1` (with `prob`) and `scale_c2`.

    >>> GaussianMixture().sample(2, seed=0)["observables"].shape
    (2, 2)
    """

    def __init__(
        self,
        D: int = 2,
        lower_bound: float = -10.0,
        upper_bound: float = 10.0,
        prob: float = 0.5,
        scale_c1: float = 1.0,
        scale_c2: float = 0.1,
        rng: Seed = None,
    ):
        if not 0 <= prob <= 1:
            raise ValueError(f"prob must lie between 0 and 1, got {prob!r}.")
        super().__init__(Uniform(np.full(D, lower_bound), np.full(D, upper_bound)), rng)
        self.prob, self.scale_c1, self.scale_c2 = prob, scale_c1, scale_c2

    def observe(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return parameters + self._noise(parameters.shape, rng)

    def _noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        first = rng.uniform(size=shape[:-1]) < self.prob
        return rng.normal(0.0, np.where(first, self.scale_c1, self.scale_c2)[..., None], shape)

    def posterior_sample(self, observation: Any, num_samples: int, *, seed: Seed = None) -> np.ndarray:
        """Exact draws of the posterior, shape `(num_samples, D)`: the mixture around the observation, inside the box."""
        rng, observation = generator_of(seed), np.asarray(observation, "float64").ravel()
        found = np.empty((0, len(observation)))
        for _ in range(1000):
            draws = observation + self._noise((num_samples, len(observation)), rng)
            found = np.concatenate([found, draws[self.parameter_prior.support.contains(draws)]])
            if len(found) >= num_samples:
                return found[:num_samples]
        raise ValueError(f"The observation {observation.tolist()} is all but impossible under the prior.")
