"""The metrics of a compiled model: resolved by name once the outputs are known, one set per output."""

from __future__ import annotations

from typing import Any

from core import metrics as public
from core.base import tree
from core.base.errors import unknown_name
from core.metrics import MeanMetricWrapper, Metric
from core.training.outputs import describe, entries, is_config, names_of, sample_weights, targets, unique_label

ACCURACY = ("accuracy", "acc")
CROSSENTROPY = ("crossentropy", "ce")


def resolve(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object; `"accuracy"` and `"crossentropy"` mean the variant that the shapes call for.

    A metric given by name keeps that name: `"mse"` is shown as `mse`.
    """
    if isinstance(identifier, Metric):
        return identifier
    name = identifier if isinstance(identifier, str) else None
    if name in (*ACCURACY, *CROSSENTROPY):
        kind = _variant(tuple(y_true.shape), tuple(y_pred.shape))
        family = "accuracy" if name in ACCURACY else "crossentropy"
        return MeanMetricWrapper(getattr(public, f"{kind}_{family}"), name=name)
    found = public.get(identifier)
    if isinstance(found, type):
        found = found()
    if not isinstance(found, Metric):
        label = getattr(found, "name", None) or getattr(found, "__name__", None) or type(found).__name__
        found = MeanMetricWrapper(found, name="lambda" if label == "<lambda>" else label)
    if name is not None:
        found.name = name
    return found


def _variant(true: tuple, pred: tuple) -> str:
    if pred[-1:] == (1,) or len(pred) <= 1:
        return "binary"
    if len(true) < len(pred) or (true[-1:] == (1,) and pred[-1:] != (1,)):
        return "sparse_categorical"
    return "categorical"


class CompileMetrics:
    """Holds `metrics` and `weighted_metrics` and updates them output by output.

    Attributes:
        labels: pairs of the name in logs and the metric, in order.
    """

    def __init__(self, metrics: Any, weighted: Any, output_names: list[str] | None):
        for given in (metrics, weighted):
            for one in entries(given):  # an unknown name is an error now, not in the first step
                if one not in (*ACCURACY, *CROSSENTROPY) if isinstance(one, str) else one is not None:
                    public.get(one)
        self.given, self.weighted_given, self.output_names = metrics, weighted, output_names
        self.names: list[str] | None = None
        self.parts: list[tuple[list[Metric], list[Metric]]] | None = None
        self.labels: list[tuple[str, Metric]] = []

    @property
    def built(self) -> bool:
        return self.parts is not None

    @property
    def metrics(self) -> list[Metric]:
        """The metric objects, in order."""
        return [metric for _, metric in self.labels]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolves names, once targets and outputs are known."""
        self.names = names_of(y_pred, self.output_names)
        flat_pred, flat_true = tree.flatten(y_pred), self._targets(y_true, y_pred)
        plain = self._per_output(self.given, len(flat_pred), "metrics")
        weighted = self._per_output(self.weighted_given, len(flat_pred), "weighted_metrics")
        parts: list = []
        labels: dict = {}
        for i, (mine, mine_weighted, true, pred) in enumerate(zip(plain, weighted, flat_true, flat_pred)):
            if true is None and (mine or mine_weighted):
                where = f" for output {self.names[i]!r}" if self.names and len(flat_pred) > 1 else ""
                raise ValueError(f"y holds no target{where}, which has metrics. The model has {describe(self.names, len(flat_pred))}.")
            prefix = f"{self.names[i]}_" if self.names and len(flat_pred) > 1 else ""
            pair = ([resolve(one, true, pred) for one in mine], [resolve(one, true, pred) for one in mine_weighted])
            own = {metric.name for metric in pair[0]}
            for metric in pair[0]:
                labels[unique_label(prefix + metric.name, labels)] = metric
            for metric in pair[1]:
                labels[unique_label(prefix + ("weighted_" if metric.name in own else "") + metric.name, labels)] = metric
            parts.append(pair)
        self.parts, self.labels = parts, list(labels.items())

    def _targets(self, y_true: Any, y_pred: Any) -> list:
        return [None] * len(tree.flatten(y_pred)) if y_true is None else targets(y_true, self.names, y_pred)

    def _per_output(self, given: Any, count: int, what: str) -> list[list]:
        """A list of metrics for each output."""
        names = self.names
        if given is None:
            return [[] for _ in range(count)]
        if isinstance(given, dict) and not is_config(given):
            keys = names or [str(i) for i in range(count)]
            for key in given:
                if key not in keys:
                    raise unknown_name(f"output in {what}", key, keys)
            return [_as_list(given.get(name)) for name in keys]
        given = _as_list(given)
        if count == 1:
            return [[one for part in given for one in _as_list(part)]]
        if len(given) in (0, count):
            return [_as_list(part) for part in given] or [[] for _ in range(count)]
        raise ValueError(
            f"{what} has {len(given)} entries for a model of {describe(names, count)}. Say which metric belongs to which output: "
            "a list with one list per output, or a dict by output name."
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Updates every metric with one batch."""
        if self.parts is None:
            self.build(y_true, y_pred)
        if not self.labels:
            return
        flat_pred, flat_true = tree.flatten(y_pred), self._targets(y_true, y_pred)
        flat_weight = sample_weights(sample_weight, self.names, y_pred)
        for (plain, weighted), true, pred, weight in zip(self.parts or (), flat_true, flat_pred, flat_weight):
            if true is None:
                continue
            for metric in plain:
                metric.update_state(true, pred)
            for metric in weighted:
                metric.update_state(true, pred, sample_weight=weight)

    def result(self) -> dict[str, Any]:
        """The values by label."""
        values: dict[str, Any] = {}
        for label, metric in self.labels:
            value = metric.result()
            if isinstance(value, dict):
                values.update(value)
            else:
                values[label] = value
        return values


def _as_list(value: Any) -> list:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
