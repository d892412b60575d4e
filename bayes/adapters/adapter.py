"""`Adapter`: from a simulator's names, shapes and ranges to what networks take, and back, with log-determinants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import core
from bayes.adapters import transforms as T
from bayes.adapters.transforms.transform import names, serializable

Keys = str | Sequence[str]
STOCHASTIC = (T.RandomSubsample,)
BENDING = (T.Constrain, T.Log, T.Sqrt, T.NumpyTransform, T.SerializableCustomTransform, T.OneHot)  # what moves a variable off its support


@serializable
class Adapter(MutableSequence):
    """A sequence of transforms of dicts of arrays. The verbs append one and return the adapter, so that they chain.

    Calling it runs the transforms; `inverse=True` undoes them, last first. With `log_det_jac=True` the log-determinants come, too: a dict
    of arrays of shape `(batch,)` by name. Missing names are an error unless `strict=False`.

    >>> adapter = Adapter().log("sigma").concatenate(["mu", "sigma"], into="inference_variables")
    >>> data = adapter({"mu": np.zeros((2, 1)), "sigma": np.ones((2, 1))})
    >>> data["inference_variables"].shape, adapter(data, inverse=True)["sigma"].tolist()
    ((2, 2), [[1.0], [1.0]])
    """

    def __init__(self, transforms: Sequence[T.Transform] | None = None):
        self.transforms: list[T.Transform] = []
        for transform in transforms or ():
            self.append(transform)

    @staticmethod
    def create_default(inference_variables: Keys) -> Adapter:
        """An adapter that makes float32 arrays and joins the named variables into `inference_variables`."""
        keys = names(inference_variables)
        adapter = Adapter().to_array().convert_dtype("float64", "float32")
        if len(keys) == 1:
            return adapter.rename(keys[0], "inference_variables")
        return adapter.concatenate(keys, into="inference_variables")

    # ------------------------------------------------------------------------------------------ running

    def __call__(self, data: Mapping[str, Any], *, inverse: bool = False, **kwargs: Any) -> Any:
        return self.inverse(data, **kwargs) if inverse else self.forward(data, **kwargs)

    def forward(
        self, data: Mapping[str, Any], *, log_det_jac: bool = False, strict: bool = True, stage: str = "inference", **kwargs: Any
    ) -> Any:
        """The transformed data; with `log_det_jac`, `(data, log-determinants)`."""
        log_det: dict[str, Any] = {}
        data = data if not isinstance(data, Mapping) else dict(data)
        for transform in self.transforms:
            if log_det_jac:
                log_det = transform.log_det_jac(data, log_det, stage=stage)
            data = transform.forward(data, strict=strict, stage=stage)
        return (data, log_det) if log_det_jac else data

    def inverse(
        self, data: Mapping[str, Any], *, log_det_jac: bool = False, strict: bool = False, stage: str = "inference", **kwargs: Any
    ) -> Any:
        """The data before the transforms; with `log_det_jac`, `(data, log-determinants of the inverse)`."""
        result = dict(data)
        log_det: dict[str, Any] = {}
        for transform in reversed(self.transforms):
            if log_det_jac:
                log_det = transform.log_det_jac(result, log_det, inverse=True, stage=stage)
            result = transform.inverse(result, strict=strict, stage=stage)
        return (result, log_det) if log_det_jac else result

    @property
    def is_stochastic(self) -> bool:
        """Whether two passes over the same data may differ."""
        return any(any(isinstance(e, STOCHASTIC) for e in _elementwise(t)) for t in self.transforms)

    def bends(self, key: str) -> bool:
        """Whether a transform already changes the range of the variable `key` by more than shift and scale."""
        return any(
            isinstance(t, T.MapTransform) and isinstance(t.transform_map.get(key), BENDING)
            or (isinstance(t, T.FilterTransform) and t.transform_constructor in BENDING and (t.include is None or key in t.include))
            for t in self.transforms
        )

    # ------------------------------------------------------------------------------------------ as a sequence

    def __len__(self) -> int:
        return len(self.transforms)

    def __iter__(self) -> Iterator[T.Transform]:
        return iter(self.transforms)

    def __getitem__(self, index: Any) -> Any:
        return Adapter(self.transforms[index]) if isinstance(index, slice) else self.transforms[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.transforms[index] = [_checked(v) for v in value] if isinstance(index, slice) else _checked(value)

    def __delitem__(self, index: Any) -> None:
        del self.transforms[index]

    def insert(self, index: int, value: Any) -> Adapter:  # type: ignore[override]
        """Puts a transform, or several, before the one at `index`."""
        values = [_checked(v) for v in ([value] if isinstance(value, T.Transform) else value)]
        self.transforms[index:index] = values
        return self

    def append(self, value: T.Transform) -> Adapter:  # type: ignore[override]
        """Puts a transform at the end."""
        self.transforms.append(_checked(value))
        return self

    add_transform = append

    def extend(self, values: Any) -> Adapter:  # type: ignore[override]
        """Puts several transforms, or another adapter's, at the end."""
        for value in list(values):
            self.append(value)
        return self

    def clear(self) -> Adapter:  # type: ignore[override]
        """Takes all transforms out."""
        self.transforms = []
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Adapter) and self.get_config() == other.get_config()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Adapter([{' -> '.join(f'{i}: {t!r}' for i, t in enumerate(self.transforms))}])"

    def get_config(self) -> dict:
        """What `from_config` makes the same adapter from, sizes seen included."""
        return {"transforms": core.saving.serialize_keras_object(self.transforms)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Adapter:
        """The adapter of a config."""
        return cls(core.saving.deserialize_keras_object(config["transforms"], custom_objects=custom_objects))

    # ------------------------------------------------------------------------------------------ the verbs

    def _map(self, keys: Keys, make: Callable[[], T.ElementwiseTransform]) -> Adapter:
        return self.append(T.MapTransform({key: make() for key in names(keys)}))

    def _filter(self, include: Keys | None, constructor: type, predicate: Any, exclude: Keys | None, **kwargs: Any) -> Adapter:
        transform = T.FilterTransform(include, transform_constructor=constructor, predicate=predicate, exclude=exclude, **kwargs)
        return self.append(transform)

    def apply(
        self,
        include: Keys | None = None,
        *,
        forward: Any,
        inverse: Any = None,
        predicate: Any = None,
        exclude: Keys | None = None,
        **kwargs: Any,
    ) -> Adapter:
        """A NumPy function by itself or its name (`"exp"`); the inverse is known for common ones."""
        return self._filter(include, T.NumpyTransform, predicate, exclude, forward=forward, inverse=inverse, **kwargs)

    def apply_serializable(
        self,
        include: Keys | None = None,
        *,
        forward: Callable,
        inverse: Callable,
        predicate: Any = None,
        exclude: Keys | None = None,
        **kwargs: Any,
    ) -> Adapter:
        """A function and its inverse; registered with `core.saving.register_keras_serializable`, they can be saved."""
        return self._filter(include, T.SerializableCustomTransform, predicate, exclude, forward=forward, inverse=inverse, **kwargs)

    def as_set(self, keys: Keys) -> Adapter:
        """Arrays as sets `(batch, elements, features)`, whose order does not matter."""
        return self._map(keys, T.AsSet)

    def as_time_series(self, keys: Keys) -> Adapter:
        """Arrays as time series `(batch, time, features)`."""
        return self._map(keys, T.AsTimeSeries)

    def broadcast(self, keys: Keys, *, to: str, expand: Any = "left", exclude: Any = -1, squeeze: Any = None) -> Adapter:
        """Arrays repeated to the batch of the array `to`."""
        return self.append(T.Broadcast(names(keys), to=to, expand=expand, exclude=exclude, squeeze=squeeze))

    def concatenate(self, keys: Keys, *, into: str, axis: int = -1) -> Adapter:
        """Arrays joined along an axis, under a new name."""
        return self.append(T.Concatenate(names(keys), into=into, axis=axis))

    def constrain(
        self,
        keys: Keys,
        *,
        lower: Any = None,
        upper: Any = None,
        method: str = "default",
        inclusive: str | None = "both",
        epsilon: float = 1e-15,
    ) -> Adapter:
        """Bounded variables as unbounded ones; samples come back inside the bounds."""
        return self._map(keys, lambda: T.Constrain(lower=lower, upper=upper, method=method, inclusive=inclusive, epsilon=epsilon))

    def convert_dtype(
        self, from_dtype: str, to_dtype: str, *, predicate: Any = None, include: Keys | None = None, exclude: Keys | None = None
    ) -> Adapter:
        """Arrays of `from_dtype` as `to_dtype`."""
        return self._filter(include, T.ConvertDType, predicate, exclude, from_dtype=from_dtype, to_dtype=to_dtype)

    def drop(self, keys: Keys) -> Adapter:
        """Without these arrays."""
        return self.append(T.Drop(names(keys)))

    def expand_dims(self, keys: Keys, *, axis: int | tuple) -> Adapter:
        """New axes of length 1."""
        return self._map(keys, lambda: T.ExpandDims(axis=axis))

    def group(self, keys: Sequence[str], into: str, *, prefix: str = "") -> Adapter:
        """Arrays as a dict under one name."""
        return self.append(T.Group(names(keys), into, prefix))

    def ungroup(self, key: str, *, prefix: str = "") -> Adapter:
        """A dict's arrays under names of their own."""
        return self.append(T.Ungroup(key, prefix))

    def keep(self, keys: Keys) -> Adapter:
        """Only these arrays."""
        return self.append(T.Keep(names(keys)))

    def log(self, keys: Keys, *, p1: bool = False) -> Adapter:
        """Logarithms, of `1 + x` with `p1`."""
        return self._map(keys, lambda: T.Log(p1=p1))

    def map_dtype(self, keys: Keys, to_dtype: str) -> Adapter:
        """These arrays as `to_dtype`, whatever they were."""
        return self._map(keys, lambda: T.ConvertDType(None, to_dtype))

    def nan_to_num(self, keys: Keys, default_value: float = 0.0, return_mask: bool = False, mask_prefix: str = "mask") -> Adapter:
        """NaN and infinities replaced; with `return_mask`, a mask under `<mask_prefix>_<key>`."""
        return self.extend(T.NanToNum(key, default_value, return_mask, mask_prefix) for key in names(keys))

    def one_hot(self, keys: Keys, num_classes: int) -> Adapter:
        """Class numbers as one-hot vectors."""
        return self._map(keys, lambda: T.OneHot(num_classes))

    def random_subsample(self, key: str, *, sample_size: int | float, axis: int = -1) -> Adapter:
        """A random part of an axis."""
        return self._map(key, lambda: T.RandomSubsample(sample_size, axis))

    def rename(self, from_key: str, to_key: str) -> Adapter:
        """An array under another name."""
        return self.append(T.Rename(from_key, to_key))

    def scale(self, keys: Keys, by: Any) -> Adapter:
        """`x * by`."""
        return self._map(keys, lambda: T.Scale(by))

    def shift(self, keys: Keys, by: Any) -> Adapter:
        """`x + by`."""
        return self._map(keys, lambda: T.Shift(by))

    def split(self, key: str, *, into: Sequence[str], indices_or_sections: Any = None, axis: int = -1) -> Adapter:
        """One array in parts along an axis."""
        return self.append(T.Split(key, into, indices_or_sections, axis))

    def sqrt(self, keys: Keys) -> Adapter:
        """Square roots."""
        return self._map(keys, T.Sqrt)

    def squeeze(self, keys: Keys, *, axis: int | Sequence[int]) -> Adapter:
        """Without axes of length 1."""
        return self._map(keys, lambda: T.Squeeze(axis=axis))

    def standardize(
        self, include: Keys | None = None, *, mean: Any, std: Any, predicate: Any = None, exclude: Keys | None = None, **kwargs: Any
    ) -> Adapter:
        """`(x - mean) / std`, with known numbers; approximators standardize by the data on their own."""
        return self._filter(include, T.Standardize, predicate, exclude, mean=mean, std=std, **kwargs)

    def take(
        self, include: Keys | None = None, *, indices: Sequence[int], axis: int = -1, predicate: Any = None, exclude: Keys | None = None
    ) -> Adapter:
        """Some entries of an axis."""
        return self._filter(include, T.Take, predicate, exclude, indices=indices, axis=axis)

    def to_array(self, include: Keys | None = None, *, predicate: Any = None, exclude: Keys | None = None, **kwargs: Any) -> Adapter:
        """Values as NumPy arrays."""
        return self._filter(include, T.ToArray, predicate, exclude, **kwargs)

    def to_dict(self) -> Adapter:
        """Tables as dicts of arrays."""
        return self.append(T.ToDict())


def _checked(value: Any) -> T.Transform:
    if not isinstance(value, T.Transform):
        raise TypeError(
            f"An adapter is made of bayes.adapters.transforms.Transform objects, got {type(value).__name__}; an elementwise transform goes "
            "into a MapTransform."
        )
    return value


def _elementwise(transform: T.Transform) -> list[Any]:
    made = list(getattr(transform, "transform_map", {}).values())
    constructor = getattr(transform, "transform_constructor", None)
    return made + ([object.__new__(constructor)] if constructor in STOCHASTIC else [])


def row_count(data: Mapping[str, Any]) -> int:
    """The number of rows that the arrays of a dict agree on."""
    lengths = {key: np.shape(value)[0] for key, value in data.items() if np.ndim(value)}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The arrays must have the same number of rows, got {lengths or 'no arrays'}.")
    return next(iter(lengths.values()))
