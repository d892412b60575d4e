"""The loss of a compiled model: one per output, weighted and summed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import losses, ops
from core.base import tree
from core.base.errors import unknown_name
from core.losses.loss import Loss
from core.metrics import Mean


class CompileLoss:
    """Computes the total loss.

    Args:
        loss: one loss for all outputs, or a list or dict with one per output (None for none).
        loss_weights: numbers in the same structure.
        output_names: names of the model's outputs, in flat order.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: list[str] | None):
        self.given, self.weights_given = loss, loss_weights
        self.output_names = output_names
        self.single: Callable | None = None  # the one loss of a model with one output
        self.parts: list[tuple[Callable | None, float | None, str]] | None = None
        self.trackers: list[Mean] = []

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches losses with outputs, once the outputs are known."""
        count = len(tree.flatten(y_pred))
        names = self._names(y_pred, count)
        flat = self._flat(self.given, names, count, "loss")
        weights = self._flat(self.weights_given, names, count, "loss_weights")
        for weight in weights:
            if weight is not None and not isinstance(weight, (int, float)) and not hasattr(weight, "shape"):
                raise ValueError(f"loss_weights must hold numbers, got {weight!r}.")
        weights = weights or [None] * count
        self.parts = [(losses.get(one) if one is not None else None, weight, name) for one, weight, name in zip(flat, weights, names)]
        if count == 1 and self.parts[0][1] is None and not isinstance(self.given, dict):
            self.single = self.parts[0][0]
        if count > 1 and sum(part[0] is not None for part in self.parts) > 1 or isinstance(self.given, dict) and count > 1:
            self.trackers = [Mean(name=f"{name}_loss") for loss, _, name in self.parts if loss is not None]

    def _names(self, y_pred: Any, count: int) -> list[str]:
        if isinstance(y_pred, dict):
            return [str(k) for k in sorted(y_pred)]
        if self.output_names is not None and len(self.output_names) == count:
            return list(self.output_names)
        return [f"output_{i}" for i in range(count)]

    def _flat(self, given: Any, names: list[str], count: int, what: str) -> list:
        if given is None:
            return []
        if isinstance(given, dict) and "class_name" not in given:
            for key in given:
                if key not in names:
                    raise unknown_name(f"output in {what}", key, names)
            return [given.get(name) for name in names]
        if isinstance(given, (list, tuple)):
            flat = list(given) if len(given) == count else tree.flatten(given)
            if len(flat) != count:
                raise ValueError(f"{what} has {len(flat)} entries for a model of {count} outputs ({', '.join(names)}).")
            return flat
        return [given] * count

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses, or None where there is none."""
        if self.parts is None:
            self.build(y_true, y_pred)
        if self.single is not None and not tree.is_nested(y_pred):
            return self._one(self.single, y_true, y_pred, sample_weight)
        flat_pred = tree.flatten(y_pred)
        flat_true = self._flat_targets(y_true, y_pred, len(flat_pred))
        flat_weight = self._flat_weights(sample_weight, len(flat_pred), y_pred)
        total, values = None, []
        for (loss, weight, _), true, pred, sample in zip(self.parts, flat_true, flat_pred, flat_weight):  # type: ignore[arg-type]
            if loss is None or true is None:
                continue
            value = self._one(loss, true, pred, sample)
            values.append((value, pred))
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        for tracker, (value, pred) in zip(self.trackers, values):
            tracker.update_state(ops.stop_gradient(value), sample_weight=pred.shape[0])
        return total

    def _one(self, loss: Callable, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        if isinstance(loss, Loss):
            return loss(y_true, y_pred, sample_weight)
        value = loss(y_true, y_pred)
        if sample_weight is not None:
            value = value * sample_weight
        return ops.mean(value)

    def _flat_targets(self, y_true: Any, y_pred: Any, count: int) -> list:
        if isinstance(y_true, dict):
            names = [part[2] for part in self.parts or ()]
            for key in y_true:
                if key not in names:
                    raise unknown_name("output in y", key, names)
            return [y_true.get(name) for name in names]
        flat = tree.flatten(y_true)
        if len(flat) != count:
            raise ValueError(f"The model has {count} outputs ({', '.join(p[2] for p in self.parts or ())}), y holds {len(flat)} targets.")
        return flat

    def _flat_weights(self, sample_weight: Any, count: int, y_pred: Any) -> list:
        if sample_weight is None:
            return [None] * count
        if isinstance(sample_weight, dict):
            return [sample_weight.get(part[2]) for part in self.parts or ()]
        flat = tree.flatten(sample_weight)
        if len(flat) not in (1, count):
            raise ValueError(f"The model has {count} outputs, sample_weight holds {len(flat)} entries; give one for all, or one for each.")
        return flat * count if len(flat) == 1 else flat
