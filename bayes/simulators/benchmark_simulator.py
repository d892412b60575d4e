"""`BenchmarkSimulator`: the tasks of the sbibm benchmark, vectorized (Lueckmann et al. 2021, arXiv:2101.04653)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes.priors.prior import Prior
from bayes.simulators.seeds import Seed, generator_of
from bayes.simulators.simulator import Simulator


class BenchmarkSimulator(Simulator):
    """Draws `parameters` of shape `(batch, D)` and `observables` of shape `(batch, dim)`, float32.

    Subclasses set `parameter_prior` and define `observe(parameters, rng)`.
    """

    parameter_prior: Prior

    def __init__(self, parameter_prior: Prior, rng: Seed = None):
        self.parameter_prior, self.rng = parameter_prior, None if rng is None else generator_of(rng)
        self.support = {"parameters": parameter_prior.support}

    def observe(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Data for parameters of shape `(..., D)`."""
        raise TypeError(f"{type(self).__name__} must define observe(parameters, rng).")

    def draw(self, batch_shape: tuple[int, ...], rng: np.random.Generator, **kwargs: Any) -> dict[str, Any]:
        """Parameters from the prior (or as given) and data for them."""
        given = kwargs.get("parameters")
        parameters = self.parameter_prior.sample(batch_shape, seed=rng) if given is None else np.asarray(given, "float64")
        observables = self.observe(parameters, rng)
        return {"parameters": parameters.astype("float32"), "observables": observables.astype("float32")}

    def sample(self, batch_shape: Any, *, seed: Seed = None, **kwargs: Any) -> dict[str, Any]:
        """Simulations by name; without a seed they come from the `rng` of the simulator, where it has one."""
        return super().sample(batch_shape, seed=self.rng if seed is None else seed, **kwargs)

    def prior(self, *, seed: Seed = None) -> np.ndarray:
        """One draw of the parameters, shape `(D,)`."""
        return self.parameter_prior.sample(1, seed=self.rng if seed is None else seed)[0]

    def observation_model(self, parameters: Any, *, seed: Seed = None) -> np.ndarray:
        """Data for parameters of shape `(D,)` or `(batch, D)`."""
        return self.observe(np.asarray(parameters, "float64"), generator_of(self.rng if seed is None else seed))
