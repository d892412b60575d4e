"""Transforms that change values one by one, with their log-determinants: shift, scale, standardize, log, sqrt, any function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import core
from bayes.adapters.transforms.transform import ElementwiseTransform, serializable, sum_per_row


@serializable
class Shift(ElementwiseTransform):
    """`x + shift`."""

    def __init__(self, shift: Any):
        self.shift = np.asarray(shift)

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return data + self.shift

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return data - self.shift

    def get_config(self) -> dict:
        return {"shift": core.saving.serialize_keras_object(self.shift)}


@serializable
class Scale(ElementwiseTransform):
    """`x * scale`."""

    def __init__(self, scale: Any):
        self.scale = np.asarray(scale)
        if not np.all(self.scale):
            raise ValueError("A scale of 0 cannot be undone; use drop for what does not matter.")

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return data * self.scale

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return data / self.scale

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        logs = sum_per_row(np.broadcast_to(np.log(np.abs(self.scale)), np.shape(data)))
        return -logs if inverse else logs

    def get_config(self) -> dict:
        return {"scale": core.saving.serialize_keras_object(self.scale)}


@serializable
class Standardize(ElementwiseTransform):
    """`(x - mean) / std`."""

    def __init__(self, mean: Any, std: Any):
        self.mean, self.std = np.asarray(mean), np.asarray(std)
        if not np.all(self.std > 0):
            raise ValueError(f"Standardize needs positive standard deviations, got {self.std.tolist()}.")

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return (data - self.mean) / self.std

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return data * self.std + self.mean

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        logs = sum_per_row(np.broadcast_to(np.log(self.std), np.shape(data)))
        return logs if inverse else -logs

    def get_config(self) -> dict:
        return {"mean": core.saving.serialize_keras_object(self.mean), "std": core.saving.serialize_keras_object(self.std)}


@serializable
class Log(ElementwiseTransform):
    """`log x`, or `log(1 + x)` with `p1`."""

    def __init__(self, *, p1: bool = False):
        self.p1 = p1

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return np.log1p(data) if self.p1 else np.log(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return np.expm1(data) if self.p1 else np.exp(data)

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        return sum_per_row(data if inverse else -self.forward(data))

    def get_config(self) -> dict:
        return {"p1": self.p1}


@serializable
class Sqrt(ElementwiseTransform):
    """The square root."""

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return np.sqrt(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return np.square(data)

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        return sum_per_row(np.log(2 * np.abs(data)) if inverse else -np.log(2) - 0.5 * np.log(data))


INVERSES = {
    "exp": "log", "log": "exp", "expm1": "log1p", "log1p": "expm1", "exp2": "log2", "log2": "exp2", "sqrt": "square", "square": "sqrt",
    "sin": "arcsin", "arcsin": "sin", "cos": "arccos", "arccos": "cos", "tan": "arctan", "arctan": "tan", "sinh": "arcsinh",
    "arcsinh": "sinh", "cosh": "arccosh", "arccosh": "cosh", "tanh": "arctanh", "arctanh": "tanh", "cbrt": "cube", "negative": "negative",
    "reciprocal": "reciprocal", "deg2rad": "rad2deg", "rad2deg": "deg2rad",
}  # fmt: skip


@serializable
class NumpyTransform(ElementwiseTransform):
    """A NumPy function by its name, `"exp"` for `numpy.exp`; its inverse is known for the common ones.

    It has no log-determinant: use it on data, and `log`, `sqrt`, `constrain` on inferred variables.
    """

    def __init__(self, forward: Any, inverse: Any = None):
        self.forward_name, self.inverse_name = _ufunc_name(forward), None if inverse is None else _ufunc_name(inverse)
        if inverse is None:
            if self.forward_name not in INVERSES:
                raise ValueError(f"The inverse of {self.forward_name!r} is not known; name one, of {sorted(INVERSES)} or another ufunc.")
            self.inverse_name = INVERSES[self.forward_name]

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return getattr(np, self.forward_name)(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return data**3 if self.inverse_name == "cube" else getattr(np, str(self.inverse_name))(data)

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        return _no_log_det(f"apply({self.forward_name!r})")

    def get_config(self) -> dict:
        return {"forward": self.forward_name, "inverse": None if self.inverse_name == "cube" else self.inverse_name}


@serializable
class SerializableCustomTransform(ElementwiseTransform):
    """A function of the program's own and its inverse; to be saved, both must be registered. It has no log-determinant."""

    def __init__(self, *, forward: Callable, inverse: Callable):
        for name, fn in (("forward", forward), ("inverse", inverse)):
            if not callable(fn):
                raise TypeError(f"{name} must be a function, got {type(fn).__name__}.")
        self._forward, self._inverse = forward, inverse

    def forward(self, data: Any, **kwargs: Any) -> Any:
        return self._forward(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        return self._inverse(data)

    def log_det_jac(self, data: Any, *, inverse: bool = False, **kwargs: Any) -> np.ndarray:
        return _no_log_det("apply_serializable")

    def get_config(self) -> dict:
        return {"forward": core.saving.serialize_keras_object(self._forward), "inverse": core.saving.serialize_keras_object(self._inverse)}


def _ufunc_name(value: Any) -> str:
    name = value if isinstance(value, str) else getattr(value, "__name__", str(value))
    if not isinstance(getattr(np, name, None), np.ufunc) and name != "cube":
        raise ValueError(f"apply takes a NumPy ufunc or its name, got {value!r}; for other functions use apply_serializable.")
    return name


def _no_log_det(what: str) -> np.ndarray:
    raise ValueError(f"{what} has no log-determinant, so that densities of what it changes are unknown; use log, sqrt, scale or constrain.")
