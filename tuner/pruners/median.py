"""The median rule: a trial stops that at its best is worse than the middle of the others on average."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tuner.pruners.pruner import Pruner, others
from tuner.trial import Trial


@dataclass(frozen=True)
class MedianPruner(Pruner):
    """Stops a trial whose best value so far is worse than the median of the completed trials' running averages up to the same step.

    (Golovin et al. 2017, "Google Vizier", section 3.2.)

    Arguments:
        min_trials: How many trials must have completed before any is stopped.
        min_resource: Steps that every trial may take.
    """

    min_trials: int = 5
    min_resource: int = 1

    def __post_init__(self):
        if self.min_trials < 1 or self.min_resource < 1:
            raise ValueError(f"MedianPruner expected min_trials >= 1 and min_resource >= 1, got {self.min_trials} and {self.min_resource}.")

    def should_prune(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        if not trial.reports or (now := max(trial.reports)) < self.min_resource:
            return False
        averages = []
        for other in others(trial, trials):
            values = [value for step, value in other.reports.items() if step <= now]
            if other.usable and values and all(map(math.isfinite, values)):
                averages.append(statistics.fmean(values))
        if len(averages) < self.min_trials:
            return False
        best = min((value for value in trial.reports.values() if math.isfinite(value)), default=math.inf)
        return best > statistics.median(averages)
