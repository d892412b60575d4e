"""What a tuner hooks into `fit`: reports of each epoch, the best weights, pruning, and the end of the time."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from core.callbacks import Callback
from tuner.search.trial import SearchTrial

if TYPE_CHECKING:
    from tuner.search.tuner import Tuner


class TunerCallback(Callback):
    """Calls the tuner's `on_epoch_begin`, `on_epoch_end`, `on_batch_begin` and `on_batch_end` with the trial and the model."""

    def __init__(self, tuner: Tuner, trial: SearchTrial):
        super().__init__()
        self.tuner, self.trial = tuner, trial

    @property
    def needs_batches(self) -> bool:
        """Whether the tuner's class overrides a batch hook: only then the loop pauses after each batch."""
        from tuner.search.tuner import Tuner

        return any(getattr(type(self.tuner), hook) is not getattr(Tuner, hook) for hook in ("on_batch_begin", "on_batch_end"))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.tuner.on_epoch_begin(self.trial, self.model, epoch, logs=logs)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.tuner.on_batch_begin(self.trial, self.model, batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.tuner.on_batch_end(self.trial, self.model, batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.tuner.on_epoch_end(self.trial, self.model, epoch, logs=logs)


class SaveBestEpoch(Callback):
    """Saves the weights whenever the objective is better than in all epochs and executions of the trial before."""

    def __init__(self, tuner: Tuner, trial: SearchTrial):
        super().__init__()
        self.tuner, self.trial = tuner, trial
        self.best: float | None = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        objective = self.tuner.oracle.objective
        if not logs or not objective.has_value(logs):
            if objective.name == "default_objective":  # what `fit` returns is the objective; the last epoch stands for the trial
                self.tuner.save_model(self.trial.trial_id, self.model, epoch)
            return
        value = objective.get_value(logs)
        if math.isfinite(value) and (self.best is None or objective.better_than(value, self.best)):
            self.best = value
            self.tuner.save_model(self.trial.trial_id, self.model, epoch)


class Deadline(Callback):
    """Stops training once the time of the search is over; what was reached until then counts."""

    def __init__(self, seconds: float):
        super().__init__()
        self._end = time.monotonic() + seconds

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if time.monotonic() >= self._end:
            self.model.stop_training = True


def best_epoch(history: Any, objective: Any) -> tuple[dict[str, float], int]:
    """`(metrics, epoch)` of the epoch of a `History` in which the objective was best; epochs count from 0, resumed ones included."""
    names, epochs = list(history.history), history.epoch
    logs = [{name: float(history.history[name][i]) for name in names if i < len(history.history[name])} for i in range(len(epochs))]
    scored = [(i, objective.get_value(log)) for i, log in enumerate(logs) if objective.has_value(log)]
    finite = [(i, value) for i, value in scored if math.isfinite(value)]
    if not scored:
        if not logs:
            raise ValueError("The training had no epoch, so that there is no objective.")
        objective.get_value(logs[-1])  # names the metrics that there are
    index = min(finite, key=lambda pair: (objective.sign * pair[1], pair[0]))[0] if finite else scored[-1][0]
    return logs[index], int(epochs[index])
