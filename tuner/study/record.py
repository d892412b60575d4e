"""`StudyTrial`: a trial as the study keeps it, with its executions and its attempts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from tuner.trial import Trial


@dataclass
class StudyTrial(Trial):
    """A `Trial` with what the store knows beyond it.

    Args:
        attempt: how often it has been handed out; tells a late result of a lost worker from a good one.
        failures: how often it failed and was tried again.
        losses: how often its worker died.
        owner: token of the session that runs it.
        executions: `{execution: {name: {step: value}}}`; `metrics` holds the means over the executions.
        study: the study that handed it out; None in a list of trials.
    """

    attempt: int = 0
    failures: int = 0
    losses: int = 0
    owner: str | None = None
    executions: dict[int, dict[str, dict[int, float]]] = field(default_factory=dict)
    study: Any = field(default=None, repr=False, compare=False)
    _hyperparameters: Any = field(default=None, repr=False, compare=False)

    @property
    def seconds(self) -> float | None:
        """How long its last attempt took; None while it has not ended."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    @property
    def best_step(self) -> int | None:
        """The step whose reported objective was best; the earliest of equals. None without reports."""
        finite = {step: value for step, value in self.reports.items() if math.isfinite(value)}
        return min(finite, key=lambda step: (finite[step], step)) if finite else None

    @property
    def hyperparameters(self) -> Any:
        """Its values as `HyperParameters`: a build may ask for those it knows, and declare more."""
        if self._hyperparameters is None:
            if self.study is None:
                raise ValueError("Only a trial that a study has handed out has hyperparameters; use `values`.")
            self._hyperparameters = self.study.hyperparameters_of(self)
        return self._hyperparameters

    def report(self, *, step: int, value: Any) -> None:
        """Stores the objective (or a dict of metrics) at `step`, while the trial runs."""
        self._asked().report(self, step, value)

    def should_prune(self) -> bool:
        """Whether the study's pruner would stop this trial, by its last report."""
        return self._asked().should_prune(self)

    def _asked(self) -> Any:
        if self.study is None:
            raise ValueError("This trial comes from a list; report to one that `study.ask()` or `study.optimize` handed out.")
        return self.study


def mean_over_executions(executions: dict[int, dict[str, dict[int, float]]]) -> dict[str, dict[int, float]]:
    """`{name: {step: mean}}`, each mean over the executions that have the step.

    >>> mean_over_executions({0: {"loss": {1: 1.0, 2: 4.0}}, 1: {"loss": {1: 3.0}}})
    {'loss': {1: 2.0, 2: 4.0}}
    """
    gathered: dict[str, dict[int, list[float]]] = {}
    for metrics in executions.values():
        for name, history in metrics.items():
            for step, value in history.items():
                gathered.setdefault(name, {}).setdefault(step, []).append(value)
    return {name: {step: sum(v) / len(v) for step, v in sorted(steps.items())} for name, steps in gathered.items()}
