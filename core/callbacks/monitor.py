"""What callbacks that watch one metric share: its direction, and whether a value is better."""

from __future__ import annotations

import math
import warnings
from typing import Any

from core.callbacks.callback import Callback

LOWER = ("loss", "error", "divergence", "crossentropy", "entropy", "mse", "mae", "mape", "msle", "rmse", "hinge", "poisson", "perplexity",
         "false_positives", "false_negatives", "logcosh", "log_cosh")  # fmt: skip
HIGHER = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score", "iou", "r2_score", "similarity", "sensitivity",
          "specificity", "true_positives", "true_negatives", "correlation", "concordance", "bleu", "rouge", "dice")  # fmt: skip


def direction_of(monitor: str, model: Any) -> str | None:
    """`"min"` or `"max"` for a metric: as the metric of the model says, else by its name; None where neither tells."""
    name = monitor.removeprefix("val_")
    for metric in getattr(model, "metrics", None) or ():
        direction = getattr(metric, "_direction", None) if getattr(metric, "name", None) == name else None
        if direction in ("up", "down"):
            return "max" if direction == "up" else "min"
    lower, higher = (any(word in name for word in words) for words in (LOWER, HIGHER))
    if lower == higher:
        return None
    return "min" if lower else "max"


class MonitorCallback(Callback):
    """Base of callbacks that compare a metric with the best so far.

    Args:
        monitor: name of the metric in the logs.
        mode: `"min"`, `"max"`, or `"auto"`: by the metric's own direction or name.
        initial_value_threshold: the first value to beat.
        min_delta: by how much a value must be better to count.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", initial_value_threshold: float | None = None, min_delta: float = 0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} knows the modes 'auto', 'min' and 'max', got {mode!r}; 'auto' is taken.", stacklevel=3)
            mode = "auto"
        self.monitor, self.mode, self.best, self.min_delta = monitor, mode, initial_value_threshold, abs(min_delta)
        self._sign: int | None = {"min": -1, "max": 1, "auto": None}[mode]

    def _direction(self) -> int:
        """1 where greater is better, -1 where less is."""
        if self._sign is None:
            found = direction_of(self.monitor, self.model)
            if found is None:
                raise ValueError(
                    f"{type(self).__name__} cannot tell whether {self.monitor!r} is better when it is larger or smaller; say so with "
                    "mode='max' or mode='min'."
                )
            self._sign = 1 if found == "max" else -1
        return self._sign

    def get_monitor_value(self, logs: dict | None) -> float | None:
        """The watched value in `logs`; None, with a warning, where it is missing."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not among the metrics: {', '.join(logs or {}) or 'none'}. "
                "A val_ metric needs validation data.",
                stacklevel=3,
            )
        return value

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if reference is None:
            self._direction()
            return not math.isnan(value)
        sign = self._direction()
        return sign * value - self.min_delta > sign * reference


def learning_rate_of(callback: Callback) -> float:
    """The optimizer's learning rate as a float, with an error where it cannot be set."""
    optimizer = getattr(callback.model, "optimizer", None)
    if optimizer is None or not hasattr(optimizer, "learning_rate"):
        raise ValueError(f"{type(callback).__name__} needs a compiled model whose optimizer has a learning_rate.")
    return float(as_float(optimizer.learning_rate))


def as_float(value: Any) -> float:
    """A variable, tensor or number as a float."""
    if hasattr(value, "numpy") and not hasattr(value, "__float__"):
        value = value.numpy()
    return float(value)
