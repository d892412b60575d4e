"""Transforms of shapes: sets, time series, axes, parts of axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes.adapters.transforms.transform import Data, ElementwiseTransform, Transform, names, require, serializable
from bayes.simulators.seeds import generator_of


class _WithFeatureAxis(ElementwiseTransform):
    """Arrays of shape `(batch, n)` become `(batch, n, 1)`; those with features keep them."""

    def __init__(self) -> None:
        self._added = False

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        data = np.asarray(data)
        self._added = data.ndim == 2
        return data[..., None] if data.ndim == 2 else np.atleast_3d(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return np.squeeze(data, axis=-1) if self._added and np.shape(data)[-1] == 1 else data


@serializable
class AsSet(_WithFeatureAxis):
    """The array as sets, `(batch, elements, features)`."""


@serializable
class AsTimeSeries(_WithFeatureAxis):
    """The array as time series, `(batch, time, features)`."""


@serializable
class ExpandDims(ElementwiseTransform):
    """New axes of length 1."""

    def __init__(self, *, axis: int | Sequence[int]):
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.expand_dims(data, self.axis)

    def inverse(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.squeeze(data, self.axis)

    def get_config(self) -> dict:
        return {"axis": self.axis}


@serializable
class Squeeze(ElementwiseTransform):
    """Without axes of length 1."""

    def __init__(self, *, axis: int | Sequence[int]):
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.squeeze(data, self.axis)

    def inverse(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.expand_dims(data, self.axis)

    def get_config(self) -> dict:
        return {"axis": self.axis}


@serializable
class Take(ElementwiseTransform):
    """Some entries of an axis; not undone."""

    def __init__(self, indices: Sequence[int], axis: int = -1):
        self.indices, self.axis = [int(i) for i in np.atleast_1d(indices)], axis

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.take(data, self.indices, axis=self.axis)

    def get_config(self) -> dict:
        return {"indices": self.indices, "axis": self.axis}


@serializable
class RandomSubsample(ElementwiseTransform):
    """A random part of an axis, without replacement, in training; at inference, the whole. Not undone.

    Args:
        sample_size: how many entries (an integer), or which share of them (between 0 and 1).
    """

    def __init__(self, sample_size: int | float, axis: int = -1):
        share = isinstance(sample_size, float)
        if (share and not 0 < sample_size <= 1) or (not share and sample_size < 1):
            raise ValueError(f"sample_size is a positive integer, or a share between 0 and 1, got {sample_size!r}.")
        self.sample_size, self.axis = sample_size, axis

    def forward(self, data: Any, *, stage: str = "inference", **kwargs: Any) -> np.ndarray:
        length = np.shape(data)[self.axis]
        size = max(1, round(self.sample_size * length)) if isinstance(self.sample_size, float) else self.sample_size
        if size > length:
            raise ValueError(f"random_subsample was to take {size} entries of an axis of length {length}.")
        return np.take(data, generator_of().permutation(length)[:size], axis=self.axis)

    def get_config(self) -> dict:
        return {"sample_size": self.sample_size, "axis": self.axis}


@serializable
class Broadcast(Transform):
    """Arrays repeated to the batch (and, if asked, further axes) of another one: a number shared by a batch becomes `(batch, 1)`.

    Args:
        keys: what is repeated.
        to: the name of the array whose shape is taken.
        expand: where axes are added first: "left", "right", or their positions.
        exclude: axes of the shape that are left alone.
        squeeze: axes removed at the end.
    """

    def __init__(self, keys: Any, *, to: str, expand: Any = "left", exclude: Any = -1, squeeze: Any = None):
        self.keys, self.to = names(keys), to
        if isinstance(expand, str) and expand not in ("left", "right"):
            raise ValueError(f"expand must be 'left', 'right' or positions of axes, got {expand!r}.")
        self.expand, self.exclude, self.squeeze = expand, exclude, squeeze

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, [*self.keys, self.to], "Broadcast")
        if self.to not in data:
            return dict(data)
        target, result = np.shape(data[self.to]), dict(data)
        for key in self.keys:
            if key in data:
                result[key] = self._repeated(np.asarray(data[key]), target)
        return result

    def _repeated(self, value: np.ndarray, target: tuple[int, ...]) -> np.ndarray:
        missing = len(target) - value.ndim
        if self.expand == "left":
            value = value.reshape((1,) * max(missing, 0) + value.shape)
        elif self.expand == "right":
            value = value.reshape(value.shape + (1,) * max(missing, 0))
        elif self.expand is not None:
            value = np.expand_dims(value, self.expand)
        shape = list(target)
        excluded = () if self.exclude is None else np.atleast_1d(self.exclude)
        for axis in excluded:
            shape[axis] = value.shape[axis]
        value = np.broadcast_to(value, shape).copy()
        return value if self.squeeze is None else np.squeeze(value, self.squeeze)

    def get_config(self) -> dict:
        return {"keys": self.keys, "to": self.to, "expand": self.expand, "exclude": self.exclude, "squeeze": self.squeeze}

    def extra_repr(self) -> str:
        return f"{self.keys} -> {self.to!r}"
