"""Random search without repetition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tuner.samplers.cube import TABLED
from tuner.samplers.sampler import Sampler, Seen, generator
from tuner.space import Parameter, Space
from tuner.space.parameters import key
from tuner.trial import EXHAUSTED, Answer, Proposal, Trial

DRAWS = 200  # how often a draw may hit what was tried before the points that are left are listed instead
LISTED = 20_000  # up to how many points that are left are listed to choose among them evenly


class RandomSampler(Sampler):
    """Draws evenly from the unit cube; never a point twice, so that a finite space is exhausted exactly.

    >>> space = Space([Choice("a", values=(1, 2, 3)), Int("b", min_value=1, max_value=3)])
    >>> trials = []
    >>> while (answer := RandomSampler().suggest(space, trials, len(trials), seed=0)) is not EXHAUSTED:
    ...     trials.append(Trial.of(answer, len(trials)))
    >>> len(trials)
    9
    """

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        point = unseen(space, Seen(trials), generator(seed, number))
        return EXHAUSTED if point is None else Proposal(point)


def unseen(space: Space, seen: Seen, rng: np.random.Generator) -> dict[str, Any] | None:
    """A point drawn evenly among those not seen yet; None where none is left."""
    for _ in range(DRAWS):
        if not seen.covers(point := space.sample(rng)):
            return point
    left = space.grid(lambda parameter: _options(parameter, seen, rng), seen.covers)
    listed = [point for point, _ in zip(left, range(LISTED))]
    return listed[rng.integers(len(listed))] if listed else None


def _options(parameter: Parameter, seen: Seen, rng: np.random.Generator) -> Sequence[Any]:
    """The values that need trying to find what is left: all where a few were tried of few, and one that was not tried where there are many.

    Whether a point was seen cannot depend on a parameter that no trial has: of such a one any value does.
    """
    tried = seen.values_of(parameter.name)
    if tried and parameter.count <= max(TABLED, len(tried)):
        return parameter.grid()
    value = parameter.at(rng.random())
    while key(value) in tried:  # ends, since there are more values than were tried
        value = parameter.at(rng.random())
    return [value]
