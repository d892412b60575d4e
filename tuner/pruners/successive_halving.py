"""Asynchronous successive halving: at rungs of growing resource only the better part goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.pruners.pruner import Pruner, others, value_at
from tuner.trial import Trial


@dataclass(frozen=True)
class SuccessiveHalvingPruner(Pruner):
    """Stops a trial that at a rung is not among the best `1 / factor` of those that got there.

    Rungs lie at `min_resource * factor ** k`. A rung judges as soon as `factor` trials have reached it; there is no barrier, so no worker
    waits. (Li et al. 2020, "A system for massively parallel hyperparameter tuning", the variant that stops trials where they are.)

    Arguments:
        min_resource: Steps before the first rung: no trial stops earlier.
        factor: The share that goes on is `1 / factor`.

    >>> done = [Trial(i, reports={1: float(i)}, state="completed") for i in range(3)]
    >>> SuccessiveHalvingPruner().should_prune(Trial(3, reports={1: 0.5}, state="running"), done)
    True
    >>> SuccessiveHalvingPruner().should_prune(Trial(3, reports={1: -0.5}, state="running"), done)
    False
    """

    min_resource: int = 1
    factor: int = 3

    def __post_init__(self):
        if self.min_resource < 1 or self.factor < 2:
            got = f"{self.min_resource} and {self.factor}"
            raise ValueError(f"SuccessiveHalvingPruner expected min_resource >= 1 and factor >= 2, got {got}.")

    def should_prune(self, trial: Trial, trials: Sequence[Trial]) -> bool:
        if not trial.reports:
            return False
        rung, now = self.min_resource, max(trial.reports)
        while rung * self.factor <= now:
            rung *= self.factor
        if now < rung or any(rung <= step < now for step in trial.reports):
            return False  # before the first rung, or past a rung that has judged already
        own = trial.reports[now]
        if not own < float("inf"):
            return True
        values = [value for other in others(trial, trials) if (value := value_at(other, rung)) is not None]
        if len(values) + 1 < self.factor:
            return False
        return sum(value <= own for value in values) >= (len(values) + 1) // self.factor
