"""What is to be predicted: one class of several, several labels at a time, or values."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

SCALARS = {"str": str, "int": int, "float": float, "bool": bool}


@dataclasses.dataclass(frozen=True)
class Target:
    """How targets are encoded, and how predictions go back to the form they came in.

    `kind` is "classes", "labels" (several at a time) or "values"; `form` is "flat" `(n,)`, "column" `(n, 1)`, "one_hot" or
    "wide" `(n, outputs)`. Values are standardised by `mean` and `scale`.
    """

    kind: str
    form: str
    outputs: int
    classes: tuple[Any, ...] = ()
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    name: str = ""

    def encode(self, y: Any) -> np.ndarray:
        """Targets as float32 `(n, outputs)`: one-hot classes, 0/1 labels, standardised values. Unknown classes are errors."""
        y = _array(y)
        if self.kind == "values":
            values = _numbers(y).reshape(len(y), -1)
            self._width(values)
            return ((values - np.array(self.mean)) / np.array(self.scale)).astype("float32")
        if self.form in ("one_hot", "wide"):
            self._width(y.reshape(len(y), -1))
            return y.reshape(len(y), -1).astype("float32")
        flat = y.ravel()
        index = {value: i for i, value in enumerate(self.classes)}
        unknown = sorted({str(value) for value in flat.tolist() if value not in index})
        if unknown:
            raise ValueError(f"y holds the class(es) {unknown[:5]}, which training did not know; it knew {list(self.classes)[:20]}.")
        encoded = np.zeros((len(flat), self.outputs), "float32")
        encoded[np.arange(len(flat)), [index[value] for value in flat.tolist()]] = 1
        return encoded

    def _width(self, y: np.ndarray) -> None:
        if y.shape[1] != self.outputs:
            raise ValueError(f"y has {y.shape[1]} column(s), training had {self.outputs}; pass y in the form it had there.")

    def decode(self, prediction: np.ndarray) -> np.ndarray:
        """Predictions `(n, outputs)` in the form of the targets: class labels, 0/1 labels, values."""
        if self.kind == "values":
            values = prediction * np.array(self.scale) + np.array(self.mean)
            return (values[:, 0] if self.form == "flat" else values).astype("float32")
        if self.kind == "labels":
            return (prediction >= 0.5).astype("int64")
        best = prediction.argmax(axis=1)
        if self.form == "one_hot":
            return np.eye(self.outputs, dtype="float32")[best]
        labels = self.labels[best]
        return labels if self.form == "flat" else labels[:, None]

    @property
    def labels(self) -> np.ndarray:
        """The classes as an array of their own type."""
        return np.array(self.classes, dtype=object if isinstance(self.classes[0], str) else None)

    def config(self) -> dict[str, Any]:
        """The target as JSON."""
        types = [type(value).__name__ for value in self.classes[:1]]
        return {**dataclasses.asdict(self), "classes": list(self.classes), "class_type": types[0] if types else ""}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Target:
        """The target of a config."""
        config = dict(config)
        kind = SCALARS.get(config.pop("class_type"), str)
        for name, convert in (("classes", kind), ("mean", float), ("scale", float)):
            config[name] = tuple(convert(value) for value in config[name])
        return cls(**config)


def find_target(y: Any, regression: bool, multi_label: bool = False, outputs: int | None = None, name: str = "") -> Target:
    """The target that y needs; raises where y cannot be learnt (missing values, one class, text for a regressor)."""
    y = _array(y)
    if len(y) == 0:
        raise ValueError("y is empty; at least two rows are needed.")
    return _find_values(y, outputs, name) if regression else _find_classes(y, multi_label, outputs, name)


def _find_values(y: np.ndarray, outputs: int | None, name: str) -> Target:
    values = _numbers(y)
    if values.ndim > 2:
        raise ValueError(f"y must have shape (n,) or (n, outputs), got {values.shape}.")
    form = "flat" if values.ndim == 1 else "column" if values.shape[1] == 1 else "wide"
    values = values.reshape(len(values), -1)
    if outputs not in (None, values.shape[1]):
        raise ValueError(f"output_dim is {outputs}, but y has {values.shape[1]} column(s).")
    scale = values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return Target("values", form, values.shape[1], (), tuple(values.mean(axis=0).tolist()), tuple(scale.tolist()), name)


def _find_classes(y: np.ndarray, multi_label: bool, outputs: int | None, name: str) -> Target:
    if y.ndim == 2 and y.shape[1] > 1:
        ones = _numbers(y)
        if not np.isin(ones, (0, 1)).all():
            raise ValueError("y has several columns that are not 0/1; pass one column of classes, or 0/1 columns.")
        if not multi_label and not (ones.sum(axis=1) == 1).all():
            raise ValueError("Some rows of y have no 1 or several; pass multi_label=True for several labels at a time.")
        if outputs not in (None, y.shape[1]):
            raise ValueError(f"num_classes is {outputs}, but y has {y.shape[1]} columns.")
        kind, form = ("labels", "wide") if multi_label else ("classes", "one_hot")
        return Target(kind, form, y.shape[1], tuple(range(y.shape[1])), name=name)
    if multi_label:
        raise ValueError(f"multi_label=True needs y of 0/1 with shape (n, labels), got {y.shape}.")
    if y.ndim > 2:
        raise ValueError(f"y must have shape (n,) or (n, classes), got {y.shape}.")
    flat = y.ravel()
    classes = _sorted_classes(flat)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only ({classes[0]!r}); two or more are needed to learn to tell them apart.")
    if outputs is not None and len(classes) > outputs:
        raise ValueError(f"num_classes is {outputs}, but y holds {len(classes)} classes: {list(classes)[:10]}.")
    if flat.dtype.kind == "f" and outputs is None and len(classes) > max(20, len(flat) // 2) and (flat != np.round(flat)).any():
        raise ValueError(f"y holds {len(classes)} distinct decimal numbers in {len(flat)} rows: use the regressor (or pass num_classes).")
    return Target("classes", "flat" if y.ndim == 1 else "column", len(classes), classes, name=name)


def _sorted_classes(flat: np.ndarray) -> tuple[Any, ...]:
    found = set(flat.tolist())
    wrong = sorted({type(value).__name__ for value in found if not isinstance(value, (str, int, float, bool))})
    if wrong:
        raise TypeError(f"Classes may be strings, numbers or booleans, got {', '.join(wrong)}; convert them with str().")
    if len({str if isinstance(value, str) else float for value in found}) > 1:
        raise TypeError("y mixes strings and numbers; convert the classes to one type.")
    return tuple(sorted(found))


def _array(y: Any) -> np.ndarray:
    y = np.asarray(y)
    if y.ndim == 0:
        raise ValueError(f"y must be a list or an array, got {y!r}.")
    if y.dtype.kind == "O":
        missing = np.array([value is None or value != value for value in y.ravel().tolist()]).reshape(y.shape)
    else:
        missing = np.isnan(y) if y.dtype.kind == "f" else np.isnat(y) if y.dtype.kind in "mM" else np.zeros(1, bool)
    if missing.any():
        rows = np.unique(np.nonzero(missing)[0])
        raise ValueError(f"y is missing (NaN or None) in {len(rows)} row(s), the first: {rows[:5].tolist()}; drop those rows of x and y.")
    if y.dtype.kind == "O":  # of one type inside: an array of that type
        kinds = {type(value) for value in y.ravel().tolist()}
        if kinds <= {bool} or kinds <= {int, float} or kinds <= {int}:
            y = np.array(y.tolist())
    return y.astype(str).astype(object) if y.dtype.kind in "SU" else y


def _numbers(y: np.ndarray) -> np.ndarray:
    try:
        values = y.astype("float64")
    except (TypeError, ValueError):
        sample = next((value for value in y.ravel().tolist() if isinstance(value, str)), y.ravel()[0])
        raise TypeError(f"y must be numbers here, got {sample!r}; for classes use the classifier.") from None
    if not np.isfinite(values).all():
        rows = np.unique(np.nonzero(~np.isfinite(values))[0])
        raise ValueError(f"y is infinite in {len(rows)} row(s), the first: {rows[:5].tolist()}.")
    return values
