"""`Simulator`: draws named arrays of parameters and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bayes.simulators.seeds import Seed, generator_of
from bayes.simulators.support import Support

Shape = int | Sequence[int]


class Simulator:
    """Base of simulators: a subclass defines `draw(batch_shape, rng, **kwargs)`.

    `support` maps names of parameters to the boxes they lie in; inference then never leaves them.
    """

    support: Mapping[str, Support] = {}

    def draw(self, batch_shape: tuple[int, ...], rng: np.random.Generator, **kwargs: Any) -> dict[str, Any]:
        """Arrays of shape `(*batch_shape, ...)` by name, drawn from `rng`."""
        raise TypeError(f"{type(self).__name__} must define draw(batch_shape, rng, **kwargs), which returns a dict of arrays.")

    def sample(self, batch_shape: Shape, *, seed: Seed = None, **kwargs: Any) -> dict[str, Any]:
        """Simulations by name, of shape `(*batch_shape, ...)`.

        Args:
            batch_shape: how many; an integer or a tuple.
            seed: integer or generator; the same integer gives the same arrays.
            kwargs: values that are taken as given instead of drawn, by name.

        >>> from bayes.simulators import TwoMoons
        >>> TwoMoons().sample(3, seed=0)["parameters"].shape
        (3, 2)
        """
        return self.draw(as_shape(batch_shape), generator_of(seed), **kwargs)

    def sample_batched(self, batch_shape: Shape, *, sample_size: int, seed: Seed = None, **kwargs: Any) -> dict[str, Any]:
        """As `sample`, drawn in parts of at most `sample_size` simulations: less memory. One-dimensional batches only."""
        total, rng = _length(as_shape(batch_shape)), generator_of(seed)
        if sample_size < 1:
            raise ValueError(f"sample_size must be at least 1, got {sample_size!r}.")
        parts = [self.draw((min(sample_size, total - start),), rng, **kwargs) for start in range(0, total, sample_size)]
        return joined(parts)

    def rejection_sample(
        self,
        batch_shape: Shape,
        predicate: Callable[[dict[str, np.ndarray]], np.ndarray],
        *,
        axis: int = 0,
        sample_size: int | None = None,
        seed: Seed = None,
        max_rounds: int = 1000,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Exactly the asked number of simulations for which `predicate(simulations)`, an array of booleans along `axis`, holds.

        Raises:
            RuntimeError: `max_rounds` draws of `sample_size` did not give enough; the acceptance rate is in the message.
        """
        total, rng = _length(as_shape(batch_shape)), generator_of(seed)
        size, accepted, drawn, parts = sample_size or total, 0, 0, []
        for _ in range(max_rounds):
            part = self.draw((size,), rng, **kwargs)
            keep = np.asarray(predicate(part), bool)
            if keep.ndim != 1:
                raise ValueError(f"predicate must return one boolean for each of the {size} simulations, got shape {keep.shape}.")
            drawn, accepted = drawn + len(keep), accepted + int(keep.sum())
            parts.append({k: np.compress(keep, v, axis=axis) if _has_axis(v, axis, len(keep)) else v for k, v in part.items()})
            if accepted >= total:
                whole = joined(parts, axis)
                first = np.arange(total)
                return {k: np.take(v, first, axis=axis) if _has_axis(v, axis, accepted) else v for k, v in whole.items()}
        raise RuntimeError(
            f"rejection_sample accepted {accepted} of {drawn} simulations, {total} were asked for: loosen the predicate or raise "
            "max_rounds."
        )


def as_shape(batch_shape: Shape) -> tuple[int, ...]:
    """A batch shape as a tuple of positive integers."""
    shape = (batch_shape,) if isinstance(batch_shape, (int, np.integer)) else tuple(batch_shape)
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in shape):
        raise ValueError(f"A batch shape is a positive integer or a tuple of those, got {batch_shape!r}.")
    return tuple(int(n) for n in shape)


def joined(parts: Sequence[Mapping[str, Any]], axis: int = 0) -> dict[str, Any]:
    """Simulations drawn in parts as one. What has no such axis, since it is shared by a batch, is kept once."""
    return {
        key: np.concatenate([part[key] for part in parts], axis=axis) if np.ndim(parts[0][key]) > axis else parts[0][key]
        for key in parts[0]
    }


def _length(shape: tuple[int, ...]) -> int:
    if len(shape) != 1:
        raise ValueError(f"Here the batch shape is a number of simulations, got {shape}.")
    return shape[0]


def _has_axis(value: Any, axis: int, length: int) -> bool:
    return np.ndim(value) > axis and np.shape(value)[axis] == length
