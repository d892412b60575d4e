"""Two moons: a posterior of two crescents, of two parameters."""

from __future__ import annotations

import numpy as np

from bayes.priors.families import Uniform
from bayes.simulators.benchmark_simulator import BenchmarkSimulator
from bayes.simulators.seeds import Seed, generator_of


class TwoMoons(BenchmarkSimulator):
    """`parameters` uniform in the box, `observables = (r cos a + 0.25, r sin a) + (-|t1 + t2|, -t1 + t2) / sqrt(2)`.

    The angle a is uniform in (-pi/2, pi/2), the radius r normal with mean 0.1 and standard deviation 0.01.

    >>> TwoMoons().sample(3, seed=0)["observables"].shape
    (3, 2)
    """

    def __init__(self, lower_bound: float = -1.0, upper_bound: float = 1.0, rng: Seed = None):
        super().__init__(Uniform(np.full(2, lower_bound), np.full(2, upper_bound)), rng)

    def observe(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return _crescent(parameters.shape[:-1], rng) + _shift(parameters)

    def posterior_sample(self, observation: np.ndarray, num_samples: int, *, seed: Seed = None) -> np.ndarray:
        """Exact draws of the posterior, shape `(num_samples, 2)`: the crescent is taken off, one of the two signs drawn.

        What falls outside the prior's box is drawn again.
        """
        rng, found = generator_of(seed), np.empty((0, 2))
        while len(found) < num_samples:
            shift = np.asarray(observation, "float64") - _crescent((2 * num_samples,), rng)
            total, difference = np.sqrt(2) * shift[:, 0], np.sqrt(2) * shift[:, 1]
            total *= rng.choice([-1.0, 1.0], len(total))
            draws = np.stack([(total - difference) / 2, (total + difference) / 2], axis=-1)
            possible = shift[:, 0] <= 0  # an absolute value with a minus sign
            draws = draws[possible & self.parameter_prior.support.contains(draws)]
            if not len(draws):
                raise ValueError(f"The observation {np.asarray(observation).tolist()} is impossible under the prior.")
            found = np.concatenate([found, draws])
        return found[:num_samples]


def _crescent(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    angle, radius = rng.uniform(-np.pi / 2, np.pi / 2, shape), rng.normal(0.1, 0.01, shape)
    return np.stack([radius * np.cos(angle) + 0.25, radius * np.sin(angle)], axis=-1)


def _shift(parameters: np.ndarray) -> np.ndarray:
    first, second = parameters[..., 0], parameters[..., 1]
    return np.stack([-np.abs(first + second), second - first], axis=-1) / np.sqrt(2)
