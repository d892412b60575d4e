"""Transforms of types: arrays, dtypes, classes, missing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes.adapters.transforms.transform import Data, ElementwiseTransform, Transform, require, serializable


@serializable
class ToArray(ElementwiseTransform):
    """The value as a NumPy array; numbers come back as numbers."""

    def __init__(self, original_type: str | None = None):
        self.original_type = original_type

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        if self.original_type is None:
            self.original_type = type(data).__name__
        return np.asarray(data)

    def inverse(self, data: Any, **kwargs: Any) -> Any:
        kind = {"int": int, "float": float, "bool": bool}.get(str(self.original_type))
        return kind(data) if kind is not None and np.ndim(data) == 0 else data

    def get_config(self) -> dict:
        return {"original_type": self.original_type}


@serializable
class ConvertDType(ElementwiseTransform):
    """Arrays of one dtype as another, and back."""

    def __init__(self, from_dtype: str | None, to_dtype: str):
        self.from_dtype, self.to_dtype = from_dtype, to_dtype

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        data = np.asarray(data)
        return data.astype(self.to_dtype, copy=False) if self.from_dtype in (None, data.dtype.name) else data

    def inverse(self, data: Any, **kwargs: Any) -> np.ndarray:
        data = np.asarray(data)
        return data.astype(self.from_dtype, copy=False) if self.from_dtype is not None and data.dtype.name == self.to_dtype else data

    def get_config(self) -> dict:
        return {"from_dtype": self.from_dtype, "to_dtype": self.to_dtype}


@serializable
class OneHot(ElementwiseTransform):
    """Class numbers `(...)` or `(..., 1)` as `(..., num_classes)`, float32; the inverse is the largest entry's number."""

    def __init__(self, num_classes: int):
        self.num_classes = int(num_classes)

    def forward(self, data: Any, **kwargs: Any) -> np.ndarray:
        classes = np.asarray(data)
        if classes.ndim > 1 and classes.shape[-1] == 1:
            classes = classes[..., 0]
        whole = classes.astype("int64")
        if np.any(whole != classes) or np.any((whole < 0) | (whole >= self.num_classes)):
            raise ValueError(
                f"one_hot expected class numbers 0 to {self.num_classes - 1}, got values from {classes.min()} to {classes.max()}."
            )
        return np.eye(self.num_classes, dtype="float32")[whole]

    def inverse(self, data: Any, **kwargs: Any) -> np.ndarray:
        return np.argmax(data, axis=-1)

    def get_config(self) -> dict:
        return {"num_classes": self.num_classes}


@serializable
class NanToNum(Transform):
    """NaN and infinities replaced by a value; with `return_mask`, an array that is 0 where they were and 1 elsewhere.

    Args:
        mask_prefix: the mask's name is `<mask_prefix>_<key>`.
    """

    def __init__(self, key: str, default_value: float = 0.0, return_mask: bool = False, mask_prefix: str = "mask"):
        self.key, self.default_value, self.return_mask, self.mask_prefix = key, float(default_value), return_mask, mask_prefix

    @property
    def mask_key(self) -> str:
        """The mask's name."""
        return f"{self.mask_prefix}_{self.key}"

    def forward(self, data: Data, *, strict: bool = True, **kwargs: Any) -> Data:
        if strict:
            require(data, [self.key], "NanToNum")
        if self.key not in data:
            return dict(data)
        values = np.asarray(data[self.key])
        known = np.isfinite(values)
        result = {**data, self.key: np.where(known, values, np.asarray(self.default_value, values.dtype))}
        return {**result, self.mask_key: known.astype("int8")} if self.return_mask else result

    def inverse(self, data: Data, **kwargs: Any) -> Data:
        if not self.return_mask or self.key not in data or self.mask_key not in data:
            return dict(data)
        values = np.array(data[self.key], copy=True)
        values[np.asarray(data[self.mask_key]) == 0] = np.nan
        return {**data, self.key: values}

    def get_config(self) -> dict:
        return {
            "key": self.key,
            "default_value": self.default_value,
            "return_mask": self.return_mask,
            "mask_prefix": self.mask_prefix,
        }

    def extra_repr(self) -> str:
        return repr(self.key)
