"""The loss of a compiled model: one per output, weighted and summed."""

from __future__ import annotations

from typing import Any

from core import losses, ops
from core.base import tree
from core.graph import abstract
from core.losses.loss import Loss, LossFunctionWrapper
from core.metrics import Mean
from core.training.data.arrays import as_arrays, check_labels
from core.training.data.source import host_array
from core.training.outputs import describe, entries, names_of, sample_weights, spread, targets, unique_label


class CompileLoss:
    """Computes the total loss.

    Args:
        loss: one loss for all outputs, or a list or dict with one per output (None for none).
        loss_weights: numbers in the same structure.
        output_names: names of the model's outputs, in flat order; None where they are not known.

    Attributes:
        trackers: of several losses, the mean of each over the epoch.
    """

    def __init__(self, loss: Any, loss_weights: Any, output_names: list[str] | None):
        for one in entries(loss):  # an unknown name is an error now, not in the first step
            losses.get(one)
        self.given, self.weights_given = loss, loss_weights
        self.output_names = output_names
        self.names: list[str] | None = None
        self.single: Loss | None = None  # the one loss of a model with one output
        self.parts: list[tuple[Loss | None, float | None]] | None = None
        self.trackers: list[Mean] = []
        self.outputs: Any = None  # their shapes, once checked

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Matches losses with outputs, once the outputs are known."""
        self.names = names_of(y_pred, self.output_names)
        flat = spread(self.given, self.names, y_pred, "loss", required=True)
        weights = spread(self.weights_given, self.names, y_pred, "loss_weights")
        for weight in weights:
            if weight is not None and not isinstance(weight, (int, float)) and not hasattr(weight, "shape"):
                raise ValueError(f"loss_weights must hold numbers, got {weight!r}.")
        self.parts = [(_loss_object(one), weight) for one, weight in zip(flat, weights)]
        if len(flat) == 1 and weights[0] is None:
            self.single = self.parts[0][0]
        self.trackers = []
        if sum(one is not None for one in flat) > 1:
            labels: list[str] = []
            for i, one in enumerate(flat):
                if one is not None:
                    labels.append(unique_label(f"{self.names[i] if self.names else _name(one)}_loss", labels))
            self.trackers = [Mean(name=label) for label in labels]

    def check(self, y_true: Any, y_pred: Any) -> None:
        """Raises where targets of these shapes cannot be compared with such outputs by the built-in losses."""
        if self.parts is None:
            self.build(y_true, y_pred)
        self.outputs = y_pred
        pairs = zip(targets(y_true, self.names, y_pred), tree.flatten(y_pred))
        for i, ((loss, _), (true, pred)) in enumerate(zip(self.parts or (), pairs)):
            where = f" for output {self.names[i]!r}" if self.names and len(self.parts or ()) > 1 else ""
            if loss is None:
                continue
            if true is None:
                has = describe(self.names, len(self.parts or ()))
                raise ValueError(f"y holds no target{where}, but its loss is {_name(loss)!r}. The model has {has}.")
            if _is_built_in(loss):
                try:
                    abstract.output_spec(loss, true, pred)
                except ValueError as error:
                    error.add_note(f"in loss {_name(loss)!r}{where}: y of shape {true.shape}, outputs of shape {pred.shape}")
                    raise

    def check_labels(self, y: Any) -> None:
        """Raises where the targets of a built-in sparse loss hold NaN, or class numbers that the outputs do not have."""
        if self.outputs is None:
            return
        for (loss, _), true, pred in zip(self.parts or (), targets(as_arrays(y), self.names, self.outputs), tree.flatten(self.outputs)):
            if loss is None or true is None or "sparse_categorical" not in getattr(getattr(loss, "fn", None), "__name__", ""):
                continue
            check_labels(true)
            settings: dict = loss._fn_kwargs  # type: ignore[attr-defined]  # a loss with `fn` is a LossFunctionWrapper
            labels = host_array(true)
            if labels.dtype.kind not in "iuf" or not labels.size or settings.get("axis", -1) != -1:
                continue
            if settings.get("ignore_class") is not None:
                labels = labels[labels != settings["ignore_class"]]
            low, high = (labels.min(), labels.max()) if labels.size else (0, 0)
            if low < 0 or high >= pred.shape[-1]:
                wrong, count = int(low if low < 0 else high), pred.shape[-1]
                raise ValueError(
                    f"y holds the class number {wrong}, but the model has {count} outputs, for the classes 0 to {count - 1}. "
                    "Change the units of the last layer or the labels, or give the loss an ignore_class."
                )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted sum of the losses, or None where there is none."""
        if self.parts is None:
            self.build(y_true, y_pred)
        if self.single is not None and not tree.is_nested(y_pred) and not tree.is_nested(y_true) and not tree.is_nested(sample_weight):
            return self.single(y_true, y_pred, sample_weight)
        flat_pred = tree.flatten(y_pred)
        flat_true = targets(y_true, self.names, y_pred)
        flat_weight = sample_weights(sample_weight, self.names, y_pred)
        total, values = None, []
        for (loss, weight), true, pred, sample in zip(self.parts, flat_true, flat_pred, flat_weight):  # type: ignore[arg-type]
            if loss is None:
                continue
            if true is None:
                raise ValueError(
                    f"y holds no target for an output whose loss is {_name(loss)!r}; the model has {describe(self.names, len(flat_pred))}."
                )
            value = loss(true, pred, sample)
            values.append((value, pred))
            value = value if weight is None else value * weight
            total = value if total is None else total + value
        for tracker, (value, pred) in zip(self.trackers, values):
            tracker.update_state(ops.stop_gradient(value), sample_weight=pred.shape[0] if pred.shape[0] is not None else ops.shape(pred)[0])
        return total


class _FunctionLoss(LossFunctionWrapper):
    """The loss of a function, which may have averaged over the samples by itself."""

    def __init__(self, function: Any):
        super().__init__(function, name=_name(function))
        self._casts_labels = "sparse" not in self.name  # class numbers stay integers

    def _finish(self, values: Any, sample_weight: Any, mask: Any) -> Any:
        if not values.shape:
            return values if sample_weight is None else values * ops.mean(sample_weight)
        return super()._finish(values, sample_weight, mask)


def _loss_object(given: Any) -> Loss | None:
    found = None if given is None else losses.get(given)
    if isinstance(found, type):
        found = found()
    return found if found is None or isinstance(found, Loss) else _FunctionLoss(found)


def _is_built_in(loss: Loss) -> bool:
    return getattr(loss.fn if isinstance(loss, _FunctionLoss) else type(loss), "__module__", "").startswith("core.losses")


def _name(loss: Any) -> str:
    return loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__
