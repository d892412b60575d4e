"""What every sampler does, and what it may know of the trials so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tuner.space import Space
from tuner.space.parameters import key
from tuner.trial import Answer, Proposal, Trial


class Sampler:
    """Proposes what to try next.

    A sampler holds settings only. What it proposes is a function of the trials, the number of the next one, and the seed: so a study that
    was killed goes on as if nothing had been, and no state need be saved. Trials that run are among `trials`, without a score.
    """

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        """The proposal for trial `number`; `WAIT` while others must end first; `EXHAUSTED` where nothing is left to try."""
        raise TypeError("Sampler is abstract: use RandomSampler, GridSampler, TPESampler, GaussianProcessSampler or HyperbandSampler.")


def generator(seed: int, number: int) -> np.random.Generator:
    """The stream of random numbers of trial `number`: streams of neighbouring seeds and numbers are independent."""
    return np.random.default_rng([seed, number])


class Seen:
    """The points that were handed out, whatever came of them.

    A point is covered by a trial if it agrees with all of the trial's values. Under declared conditions this is equality. Under
    define-by-run a trial has only what its build asked for; a point that agrees in all of that would ask for the same again, whatever
    else it holds. A trial without any value began before the space had a parameter, or failed before it asked for one: it says nothing of
    points that have values.

    >>> seen = Seen([Trial(0, {"layers": 1, "units_0": 8})])
    >>> seen.covers({"layers": 1, "units_0": 8, "units_1": 16}), seen.covers({"layers": 2, "units_0": 8, "units_1": 16})
    (True, False)
    """

    def __init__(self, trials: Iterable[Trial]):
        self._points: dict[tuple[str, ...], set[tuple]] = {}
        for trial in trials:
            names = tuple(sorted(trial.values))
            self._points.setdefault(names, set()).add(tuple(key(trial.values[name]) for name in names))

    def covers(self, values: dict[str, Any]) -> bool:
        """Whether a trial had these values already."""
        for names, points in self._points.items():
            told = bool(names) or not values
            if told and all(name in values for name in names) and tuple(key(values[name]) for name in names) in points:
                return True
        return False

    def values_of(self, name: str) -> set[Any]:
        """The keys of the values of a parameter that were handed out."""
        return {point[names.index(name)] for names, points in self._points.items() if name in names for point in points}
