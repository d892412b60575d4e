"""What every pruner does, and how it reads the reports of a trial."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuner.trial import Trial


class Pruner:
    """Says of a running trial whether to stop it, from what it and the others reported; a function of the trials, without a memory."""

    def should_prune(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        """Whether `trial` should stop now. `trials` are those of the study, `trial` itself among them or not."""
        raise TypeError("Pruner is abstract: use SuccessiveHalvingPruner or MedianPruner.")


def others(trial: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """All but `trial`."""
    return [other for other in trials if other.number != trial.number]


def value_at(trial: Trial, step: int) -> float | None:
    """The value that a trial reported first at `step` or later; None before. What is not finite counts as infinitely bad."""
    reached = [at for at in trial.reports if at >= step]
    if not reached:
        return None
    value = trial.reports[min(reached)]
    return value if math.isfinite(value) else math.inf
