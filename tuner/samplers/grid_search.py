"""Exhaustive search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuner.samplers.sampler import Sampler, Seen
from tuner.space import Parameter, Space
from tuner.trial import EXHAUSTED, Answer, Proposal, Trial


class GridSampler(Sampler):
    """Every point of the space, the last parameter varying fastest; of a continuous parameter without a step ten values.

    Conditions are followed: of a branch that is not taken no value is tried.
    """

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        seen = Seen(trials)

        def options(parameter: Parameter) -> Sequence[Any]:
            # Of a parameter that no trial has, only the first value is looked at: whether a point was seen cannot depend on it.
            return parameter.grid() if seen.values_of(parameter.name) else parameter.grid()[:1]

        return next(map(Proposal, space.grid(options, seen.covers)), EXHAUSTED)
