"""A trial as tuners and oracles show it: KerasTuner's names over a trial of the study."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tuner.space import HyperParameters
from tuner.study.objective import Objective, direction_of
from tuner.study.record import StudyTrial


class TrialStatus:
    """The states of a trial, and the answers of an oracle."""

    RUNNING = "RUNNING"
    IDLE = "IDLE"
    INVALID = "INVALID"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    PRUNED = "PRUNED"


STATUS_OF = {
    "waiting": "IDLE",
    "running": "RUNNING",
    "completed": "COMPLETED",
    "pruned": "PRUNED",
    "failed": "FAILED",
    "infeasible": "FAILED",
}


@dataclass(frozen=True)
class MetricObservation:
    """The values (one for each execution) of a metric at a step."""

    value: list[float]
    step: int

    def mean(self) -> float:
        """Mean over the executions."""
        return sum(self.value) / len(self.value)


class TrialMetrics:
    """The metrics of one trial: what was observed at which step."""

    def __init__(self, objective: Objective | None = None):
        self._objective = objective
        self._observed: dict[str, dict[int, list[float]]] = {}

    @property
    def metrics(self) -> dict[str, list[MetricObservation]]:
        """Observations by name of the metric."""
        return {name: self.get_history(name) for name in self._observed}

    def update(self, name: str, value: float | list[float], step: int = 0) -> None:
        """Adds an observation."""
        values = value if isinstance(value, (list, tuple)) else [value]
        self._observed.setdefault(name, {}).setdefault(step, []).extend(float(v) for v in values)

    def exists(self, name: str) -> bool:
        """Whether the metric was observed."""
        return name in self._observed

    def get_history(self, name: str) -> list[MetricObservation]:
        """All observations of a metric, by step."""
        return [MetricObservation(values, step) for step, values in sorted(self._known(name).items())]

    def get_direction(self, name: str) -> str | None:
        """`"min"` or `"max"`; None where it is not known."""
        parts = [self._objective, *getattr(self._objective, "objectives", ())]
        return next((part.direction for part in parts if part is not None and part.name == name), direction_of(name))

    def get_best_step(self, name: str) -> int | None:
        """The first step at which the metric's mean was best."""
        means = {o.step: o.mean() for o in self.get_history(name)}
        finite = {step: value for step, value in means.items() if math.isfinite(value)}
        if not finite:
            return None
        sign = -1 if self.get_direction(name) == "max" else 1
        return min(finite, key=lambda step: (sign * finite[step], step))

    def get_best_value(self, name: str) -> float | None:
        """The metric's best mean; None where it was never finite."""
        step = self.get_best_step(name)
        return None if step is None else next(o.mean() for o in self.get_history(name) if o.step == step)

    def get_last_value(self, name: str) -> float | None:
        """The metric's mean at the last step."""
        history = self.get_history(name)
        return history[-1].mean() if history else None

    def get_statistics(self, name: str) -> dict[str, float]:
        """Minimum, maximum, mean, median, variance and standard deviation of all of the metric's values."""
        import numpy as np

        values = [v for o in self.get_history(name) for v in o.value if math.isfinite(v)]
        if not values:
            return {}
        reduce: dict[str, Any] = {"min": np.min, "max": np.max, "mean": np.mean, "median": np.median, "var": np.var, "std": np.std}
        return {key: float(function(values)) for key, function in reduce.items()}

    def _known(self, name: str) -> dict[int, list[float]]:
        if name not in self._observed:
            raise ValueError(f"The trial has no metric {name!r}; it has {', '.join(sorted(self._observed)) or 'none'}.")
        return self._observed[name]


class SearchTrial:
    """One trial of a tuner.

    Attributes:
        trial_id: its number as text.
        hyperparameters: its values.
        status: one of `TrialStatus`.
        score: the objective as measured (not turned to be minimised); None while there is none.
        best_step: the step of the best value: epochs from 0.
        message: why it failed.
        metrics: what was observed.
        record: the study's trial; None for an answer without one (`STOPPED`, `IDLE`).
    """

    def __init__(self, hyperparameters: HyperParameters, trial_id: str, status: str = TrialStatus.RUNNING, message: str | None = None,
                 record: StudyTrial | None = None, metrics: TrialMetrics | None = None):  # fmt: skip
        self.hyperparameters, self.trial_id, self.status, self.message = hyperparameters, trial_id, status, message
        self.record, self.metrics = record, metrics or TrialMetrics()
        self.score: float | None = None
        self.best_step: int | None = None
        self.final: dict[str, float] | None = None  # what the score is of: the mean over executions of each one's best epoch
        self.retry = True

    def summary(self) -> None:
        """Prints the values, the score, and why it failed."""
        print(f"Trial {self.trial_id} summary\nHyperparameters:")
        for name, value in self.hyperparameters.values.items():
            print(f"{name}: {value}")
        if self.score is not None:
            print(f"Score: {self.score}")
        if self.message:
            print(self.message)

    def get_state(self) -> dict[str, Any]:
        """All that is known of it (JSON)."""
        observed = {name: [{"value": o.value, "step": o.step} for o in history] for name, history in self.metrics.metrics.items()}
        return {
            "trial_id": self.trial_id, "hyperparameters": self.hyperparameters.get_config(), "metrics": observed, "score": self.score,
            "best_step": self.best_step, "status": self.status, "message": self.message,
        }  # fmt: skip


def view(record: StudyTrial, hyperparameters: HyperParameters, trial_id: str, objective: Objective) -> SearchTrial:
    """The `SearchTrial` of a trial of the study."""
    metrics = TrialMetrics(objective)
    for execution in record.executions.values():
        for name, history in execution.items():
            for step, value in history.items():
                metrics.update(name, value, max(step - 1, 0))
    trial = SearchTrial(hyperparameters, trial_id, STATUS_OF[record.state], record.message or None, record, metrics)
    trial.score = None if record.score is None else objective.sign * record.score
    trial.best_step = None if record.best_step is None else max(record.best_step - 1, 0)
    return trial
