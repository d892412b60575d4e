"""The metrics of a compiled model: resolved by name once the outputs are known, one set per output."""

from __future__ import annotations

from typing import Any

from core import metrics as public
from core.base import tree
from core.base.errors import unknown_name
from core.metrics import MeanMetricWrapper, Metric

ACCURACY = ("accuracy", "acc")
CROSSENTROPY = ("crossentropy", "ce")


def resolve(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object; `"accuracy"` and `"crossentropy"` mean the variant that the shapes call for."""
    if isinstance(identifier, Metric):
        return identifier
    name = identifier if isinstance(identifier, str) else None
    if name in (*ACCURACY, *CROSSENTROPY):
        kind = _variant(tuple(y_true.shape), tuple(y_pred.shape), y_true)
        family = "accuracy" if name in ACCURACY else "crossentropy"
        function = getattr(public, f"{kind}_{family}")
        return MeanMetricWrapper(function, name=name)
    found = public.get(identifier)
    if isinstance(found, type):
        found = found()
    if isinstance(found, Metric):
        return found
    return MeanMetricWrapper(found, name=getattr(found, "__name__", None))


def _variant(true: tuple, pred: tuple, y_true: Any) -> str:
    if pred[-1:] == (1,) or len(pred) <= 1:
        return "binary"
    if len(true) < len(pred) or (true[-1:] == (1,) and pred[-1:] != (1,)):
        return "sparse_categorical"
    return "categorical"


class CompileMetrics:
    """Holds `metrics` and `weighted_metrics` and updates them output by output."""

    def __init__(self, metrics: Any, weighted: Any, output_names: list[str] | None):
        self.given, self.weighted_given, self.output_names = metrics, weighted, output_names
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
        flat_pred = tree.flatten(y_pred)
        names = self._names(y_pred, len(flat_pred))
        flat_true = self._flat_targets(y_true, names, len(flat_pred))
        plain = self._per_output(self.given, names, "metrics")
        weighted = self._per_output(self.weighted_given, names, "weighted_metrics")
        self.parts = []
        for name, mine, mine_weighted, true, pred in zip(names, plain, weighted, flat_true, flat_pred):
            pair = tuple([resolve(one, true, pred) for one in given] for given in (mine, mine_weighted))
            self.parts.append(pair)  # type: ignore[arg-type]
            for metric in (*pair[0], *pair[1]):
                self.labels.append((f"{name}_{metric.name}" if len(names) > 1 else metric.name, metric))

    def _names(self, y_pred: Any, count: int) -> list[str]:
        if isinstance(y_pred, dict):
            return [str(k) for k in sorted(y_pred)]
        if self.output_names is not None and len(self.output_names) == count:
            return list(self.output_names)
        return [f"output_{i}" for i in range(count)]

    def _flat_targets(self, y_true: Any, names: list[str], count: int) -> list:
        if isinstance(y_true, dict):
            return [y_true.get(name) for name in names]
        flat = tree.flatten(y_true)
        return flat if len(flat) == count else [None] * count

    @staticmethod
    def _per_output(given: Any, names: list[str], what: str) -> list[list]:
        """A list of metrics for each output."""
        if given is None:
            return [[] for _ in names]
        if isinstance(given, dict):
            for key in given:
                if key not in names:
                    raise unknown_name(f"output in {what}", key, names)
            return [_as_list(given.get(name)) for name in names]
        given = _as_list(given)
        if len(names) == 1:
            return [[one for part in given for one in _as_list(part)]]
        if given and len(given) == len(names) and any(isinstance(part, (list, tuple)) or part is None for part in given):
            return [_as_list(part) for part in given]
        if len(given) == len(names) and not any(isinstance(part, (list, tuple)) for part in given):
            return [_as_list(part) for part in given]
        if any(isinstance(part, (list, tuple)) for part in given):
            raise ValueError(f"{what} has {len(given)} entries for a model of {len(names)} outputs ({', '.join(names)}).")
        raise ValueError(
            f"For a model of {len(names)} outputs, {what} must say which metric belongs to which output: "
            f"a dict with the keys {names}, or a list with one list per output."
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Updates every metric with one batch."""
        if self.parts is None:
            self.build(y_true, y_pred)
        if not self.labels:
            return
        flat_pred = tree.flatten(y_pred)
        flat_true = self._flat_targets(y_true, self._names(y_pred, len(flat_pred)), len(flat_pred))
        flat_weight = tree.flatten(sample_weight)
        flat_weight = flat_weight * len(flat_pred) if len(flat_weight) == 1 else flat_weight
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
