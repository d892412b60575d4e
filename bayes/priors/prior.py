"""`Prior`: a density with a support that can be drawn from; and independent products of priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayes.simulators.seeds import Seed, generator_of
from bayes.simulators.simulator import Shape, Simulator, as_shape
from bayes.simulators.support import Support, as_supports


class Prior:
    """Independent draws along the axes of an event; a subclass defines `support`, `draw` and `log_density`.

    Shapes: events are `event_shape`, or one axis of length 1 where all arguments are numbers.
    """

    event_shape: tuple[int, ...]
    support: Support

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Values of shape `shape`, whose last axes are the event's."""
        raise TypeError(f"{type(self).__name__} must define draw(shape, rng).")

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """The log density of each axis of `x` by itself, inside the support."""
        raise TypeError(f"{type(self).__name__} must define log_density(x).")

    def sample(self, batch_shape: Shape = 1, *, seed: Seed = None) -> np.ndarray:
        """Draws of shape `(*batch_shape, *event_shape)`, float64."""
        return np.asarray(self.draw((*as_shape(batch_shape), *self.event_shape), generator_of(seed)), "float64")

    def log_prob(self, x: Any) -> np.ndarray:
        """The log density of values of shape `(..., *event_shape)`: -inf outside the support. Shape `(...)`."""
        x = np.asarray(x, "float64")
        lead = x.ndim - len(self.event_shape)
        if x.shape[lead:] != self.event_shape:
            raise ValueError(f"{type(self).__name__} expected values of shape (..., {str(self.event_shape)[1:]}, got {x.shape}.")
        inside = (x >= self.support.lower) & (x <= self.support.upper)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(inside, self.log_density(x), -np.inf)
        return np.sum(logs, axis=tuple(range(lead, x.ndim)))


class Joint(Simulator):
    """Priors of several named parameters, independent of each other: a `Simulator` that starts a model.

    >>> from bayes import priors
    >>> joint = Joint(mu=priors.Normal(0.0, 1.0), sigma=priors.HalfNormal(2.0))
    >>> {name: draws.shape for name, draws in joint.sample(4, seed=0).items()}
    {'mu': (4, 1), 'sigma': (4, 1)}
    """

    def __init__(self, **priors: Prior):
        strange = {name: type(p).__name__ for name, p in priors.items() if not isinstance(p, Prior)}
        if not priors or strange:
            raise TypeError(f"Joint takes a prior for each parameter's name, as in Joint(theta=Uniform(-1, 1)), got {strange or 'none'}.")
        self.priors = priors
        self.support = {name: prior.support for name, prior in priors.items()}

    def draw(self, batch_shape: tuple[int, ...], rng: np.random.Generator, **kwargs: Any) -> dict[str, Any]:
        """A draw of each parameter; those given by name are taken as given."""
        return {name: kwargs[name] if name in kwargs else prior.sample(batch_shape, seed=rng) for name, prior in self.priors.items()}

    def log_prob(self, data: Mapping[str, Any]) -> np.ndarray:
        """The joint log density of parameters by name, of shape `(batch,)`; other names are passed over."""
        missing = sorted(set(self.priors) - set(data))
        if missing:
            raise ValueError(f"The joint prior needs values of {sorted(self.priors)}; {missing} are missing.")
        return np.sum([prior.log_prob(data[name]) for name, prior in self.priors.items()], axis=0)


def from_function(fn: Callable[..., Mapping[str, Any]], support: Mapping[str, Any] | None = None) -> Simulator:
    """A prior out of a function that returns one draw as a dict, with the supports of its parameters.

    >>> prior = from_function(lambda rng: {"rate": rng.gamma(2.0)}, support={"rate": (0, None)})
    >>> prior.sample(3, seed=0)["rate"].shape
    (3, 1)
    """
    from bayes.simulators.sequential_simulator import make_simulator

    simulator = make_simulator([fn])
    simulator.support = as_supports(support)
    return simulator
