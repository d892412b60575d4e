"""Dtype policies. Public facade of `core.state.dtype_policy`."""

from core.state.dtype_policy import DTypePolicy, FloatDTypePolicy, deserialize, get, serialize

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]
