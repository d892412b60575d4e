"""Callbacks that set the learning rate: by a schedule of the epochs, and when a metric no longer gets better."""

from __future__ import annotations

import inspect
import math
import numbers
import warnings
from collections.abc import Callable

from core.callbacks.callback import Callback
from core.callbacks.monitor import MonitorCallback, learning_rate_of
from core.training.progress import print_msg


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: a function `(epoch, learning_rate)` or `(epoch)` that returns the new learning rate.
        verbose: 1 to print it.
    """

    def __init__(self, schedule: Callable, verbose: int = 0):
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        before = learning_rate_of(self)
        rate = self.schedule(epoch, before) if _takes_two(self.schedule) else self.schedule(epoch)
        if not (isinstance(rate, numbers.Real) or getattr(rate, "shape", None) == ()):
            raise ValueError(f"The schedule of LearningRateScheduler must return a float, got {rate!r} for epoch {epoch}.")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = learning_rate_of(self)


def _takes_two(schedule: Callable) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return True
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement.

    Args:
        monitor, mode: the metric to watch and its direction.
        factor: below 1.
        patience: how many epochs without improvement are waited for.
        verbose: 1 to print when it acts.
        min_delta: an improvement must be larger than this.
        cooldown: epochs after a reduction that do not count.
        min_lr: the learning rate does not go below this.
    """

    def __init__(
        self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4, cooldown=0, min_lr=0.0, **kwargs
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau got unexpected arguments {sorted(kwargs)}.")
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau needs a factor below 1, got {factor}.")
        self.factor, self.patience, self.verbose, self.cooldown, self.min_lr = factor, patience, verbose, cooldown, min_lr
        self.cooldown_counter = self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was made too recently to make another."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs=None):
        self.cooldown_counter, self.wait, self.best = 0, 0, None

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = learning_rate_of(self)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"ReduceLROnPlateau watches {self.monitor!r}, which is not among the metrics: {', '.join(logs)}.", stacklevel=2)
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, before: float) -> None:
        if before <= self.min_lr or math.isclose(before, self.min_lr, rel_tol=1e-6):
            return
        rate = max(before * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        self.cooldown_counter, self.wait = self.cooldown, 0
