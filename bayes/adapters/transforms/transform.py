"""`Transform`: one step of an adapter, from a dict of arrays to a dict of arrays and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import core

serializable = core.saving.register_keras_serializable(package="bayes")
Data = dict[str, Any]


class Transform:
    """Base of transforms on dicts. A subclass defines `forward` and, where it can be undone, `inverse`.

    `forward` and `inverse` return new dicts and never change the arrays they are given. `strict=False` passes over missing names:
    at inference, only the data is there.
    """

    def forward(self, data: Data, *, strict: bool = True, stage: str = "inference", **kwargs: Any) -> Data:
        """The transformed dict."""
        raise TypeError(f"{type(self).__name__} must define forward(data).")

    def inverse(self, data: Data, *, strict: bool = False, stage: str = "inference", **kwargs: Any) -> Data:
        """The dict before the transform; what cannot be undone is left as it is."""
        return dict(data)

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        """`log_det` with this transform's share added, by name, each of shape `(batch,)`. `data` is what goes in."""
        return log_det

    def get_config(self) -> dict:
        """What `from_config` makes the same transform from."""
        return {}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Transform:
        """The transform of a config."""
        return cls(**core.saving.deserialize_keras_object(config))

    def extra_repr(self) -> str:
        """What `repr` shows in parentheses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        return f"{type(self).__name__}({extra})" if extra else type(self).__name__


class ElementwiseTransform:
    """Base of transforms of one array. `MapTransform` applies them to names."""

    def forward(self, data: Any, *, stage: str = "inference", **kwargs: Any) -> Any:
        """The transformed array."""
        raise TypeError(f"{type(self).__name__} must define forward(data).")

    def inverse(self, data: Any, *, stage: str = "inference", **kwargs: Any) -> Any:
        """The array before the transform."""
        return data

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray | None:
        """The log determinant of the Jacobian at `data`, of shape `(batch,)`; None where the volume stays."""
        return None

    def get_config(self) -> dict:
        """What `from_config` makes the same transform from."""
        return {}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> ElementwiseTransform:
        """The transform of a config."""
        return cls(**core.saving.deserialize_keras_object(config))


@serializable
class MapTransform(Transform):
    """An elementwise transform for each of some names."""

    def __init__(self, transform_map: Mapping[str, ElementwiseTransform]):
        self.transform_map = dict(transform_map)

    def _present(self, data: Data, strict: bool) -> dict[str, ElementwiseTransform]:
        if strict:
            require(data, self.transform_map, _name_of(self.transform_map))
        return {k: t for k, t in self.transform_map.items() if k in data}

    def forward(self, data: Data, *, strict: bool = True, stage: str = "inference", **kwargs: Any) -> Data:
        return {**data, **{k: t.forward(data[k], stage=stage) for k, t in self._present(data, strict).items()}}

    def inverse(self, data: Data, *, strict: bool = False, stage: str = "inference", **kwargs: Any) -> Data:
        return {**data, **{k: t.inverse(data[k], stage=stage) for k, t in self._present(data, strict).items()}}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        log_det = dict(log_det)
        for key, transform in self._present(data, False).items():
            share = transform.log_det_jac(data[key], inverse=inverse, **kwargs)
            if share is not None:
                log_det[key] = log_det.get(key, 0.0) + share
        return log_det

    def get_config(self) -> dict:
        return {"transform_map": core.saving.serialize_keras_object(self.transform_map)}

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self.transform_map))

    def __repr__(self) -> str:
        return f"{_name_of(self.transform_map)}({self.extra_repr()})"


@serializable
class FilterTransform(Transform):
    """An elementwise transform of all arrays that pass a filter, made for each name by `transform_constructor(**kwargs)`.

    Args:
        include: the names; all by default.
        predicate: `(name, array) -> bool`, asked about the included names.
        exclude: names left alone.
    """

    def __init__(
        self,
        include: str | Sequence[str] | None = None,
        *,
        transform_constructor: Callable[..., ElementwiseTransform],
        predicate: Callable[[str, Any], bool] | None = None,
        exclude: str | Sequence[str] | None = None,
        transform_map: Mapping[str, ElementwiseTransform] | None = None,
        **kwargs: Any,
    ):
        self.include = None if include is None else names(include)
        self.exclude = [] if exclude is None else names(exclude)
        transform_constructor(**kwargs)  # raises now what would be wrong later
        self.transform_constructor, self.predicate, self.kwargs = transform_constructor, predicate, kwargs
        self.transform_map = dict(transform_map or {})
        both = sorted(set(self.include or ()) & set(self.exclude))
        if both:
            raise ValueError(f"{both} are both included and excluded.")

    def _applies(self, key: str, value: Any) -> bool:
        named = self.include is None or key in self.include
        return named and key not in self.exclude and (self.predicate is None or bool(self.predicate(key, value)))

    def forward(self, data: Data, *, strict: bool = True, stage: str = "inference", **kwargs: Any) -> Data:
        if strict and self.include is not None:
            require(data, self.include, self.transform_constructor.__name__)
        result = dict(data)
        for key, value in data.items():
            if self._applies(key, value):
                transform = self.transform_map.setdefault(key, self.transform_constructor(**self.kwargs))
                result[key] = transform.forward(value, stage=stage)
        return result

    def inverse(self, data: Data, *, strict: bool = False, stage: str = "inference", **kwargs: Any) -> Data:
        return {**data, **{k: t.inverse(data[k], stage=stage) for k, t in self._known(data).items()}}

    def log_det_jac(self, data: Data, log_det: dict[str, Any], *, inverse: bool = False, **kwargs: Any) -> dict[str, Any]:
        return MapTransform(self._known(data)).log_det_jac(data, log_det, inverse=inverse, **kwargs)

    def _known(self, data: Data) -> dict[str, ElementwiseTransform]:
        """The transforms by name; those named outright need no forward pass before."""
        made = {
            k: self.transform_constructor(**self.kwargs) for k in self.include or () if k not in self.exclude and self.predicate is None
        }
        return {k: t for k, t in {**made, **self.transform_map}.items() if k in data}

    def get_config(self) -> dict:
        return {
            "include": self.include,
            "transform_constructor": core.saving.serialize_keras_object(self.transform_constructor),
            "predicate": core.saving.serialize_keras_object(self.predicate),
            "exclude": self.exclude,
            "transform_map": core.saving.serialize_keras_object(self.transform_map),
            **core.saving.serialize_keras_object(self.kwargs),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> FilterTransform:
        constructor = config.pop("transform_constructor")
        name = constructor.get("registered_name") if isinstance(constructor, dict) else None
        found = core.saving.get_registered_object(name) if isinstance(name, str) else None
        if not (isinstance(found, type) and issubclass(found, ElementwiseTransform)):
            raise core.saving.UnsafeArtifactError(f"The config names {name!r}, which is no registered elementwise transform.")
        return cls(transform_constructor=found, **core.saving.deserialize_keras_object(config))

    def __repr__(self) -> str:
        inside = [repr(key) for key in self.include or ()] + ([f"exclude={self.exclude}"] if self.exclude else [])
        return f"{self.transform_constructor.__name__}" + (f"({', '.join(inside)})" if inside else "")


def names(keys: str | Sequence[str]) -> list[str]:
    """One name or several as a list; a name twice is refused."""
    keys = [keys] if isinstance(keys, str) else list(keys)
    strange = [key for key in keys if not isinstance(key, str)]
    if strange:
        raise TypeError(f"Variables are named by strings, got {strange!r}.")
    if len(set(keys)) < len(keys):
        raise ValueError(f"A name stands twice in {keys}.")
    return keys


def require(data: Mapping[str, Any], keys: Any, who: str) -> None:
    """Raises a KeyError that tells which names are missing and which there are."""
    missing = [key for key in keys if key not in data]
    if missing:
        raise KeyError(f"{who} needs {missing}, which the data lacks; it has {sorted(data)}.")


def sum_per_row(values: np.ndarray) -> np.ndarray:
    """The sum over all axes but the first."""
    values = np.asarray(values)
    return values.reshape(len(values), -1).sum(axis=1) if values.ndim else values[None]


def _name_of(transform_map: Mapping[str, ElementwiseTransform]) -> str:
    return type(next(iter(transform_map.values()))).__name__ if transform_map else "MapTransform"
