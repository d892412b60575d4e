"""SLCP: a simple likelihood with a complex posterior of four modes (Papamakarios et al. 2019, arXiv:1805.07226)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes.priors.families import Uniform
from bayes.simulators.benchmark_simulator import BenchmarkSimulator
from bayes.simulators.seeds import Seed

JITTER = 1e-6  # on the diagonal of the covariance, as the benchmark has it


class SLCP(BenchmarkSimulator):
    """Five parameters, uniform in a box: a mean (2), two standard deviations by their square roots, a correlation by its atanh.

    `observables` are `n_obs` normal points of the plane, flat, of shape `(batch, 2 * n_obs)`; with `flatten=False`, `(batch, n_obs, 2)`.

    >>> SLCP().sample(3, seed=0)["observables"].shape
    (3, 8)
    """

    def __init__(self, lower_bound: float = -3.0, upper_bound: float = 3.0, n_obs: int = 4, flatten: bool = True, rng: Seed = None):
        super().__init__(Uniform(np.full(5, lower_bound), np.full(5, upper_bound)), rng)
        self.n_obs, self.flatten = n_obs, flatten

    def observe(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        mean, covariance = moments(parameters)
        factor = np.linalg.cholesky(covariance)  # (..., 2, 2)
        noise = rng.normal(size=(*parameters.shape[:-1], self.n_obs, 2))
        points = mean[..., None, :] + noise @ np.swapaxes(factor, -1, -2)
        return points.reshape(*parameters.shape[:-1], -1) if self.flatten else points

    def log_likelihood(self, parameters: Any, observation: Any) -> np.ndarray:
        """The exact log density of one observation for parameters of shape `(batch, 5)`; shape `(batch,)`."""
        mean, covariance = moments(np.asarray(parameters, "float64"))
        points = np.asarray(observation, "float64").reshape(self.n_obs, 2)
        offsets = points - mean[..., None, :]
        squares = np.einsum("...ni,...ij,...nj->...n", offsets, np.linalg.inv(covariance), offsets)
        return np.sum(-0.5 * squares, axis=-1) - self.n_obs * (0.5 * np.linalg.slogdet(covariance)[1] + np.log(2 * np.pi))


def moments(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean `(..., 2)` and covariance `(..., 2, 2)` of the points."""
    s1, s2, rho = parameters[..., 2] ** 2, parameters[..., 3] ** 2, np.tanh(parameters[..., 4])
    covariance = np.stack([np.stack([s1**2, rho * s1 * s2], -1), np.stack([rho * s1 * s2, s2**2], -1)], -2)
    return parameters[..., :2], covariance + JITTER * np.eye(2)
