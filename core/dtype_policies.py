"""Dtype policies. Public facade of `core.state.dtype_policy`."""

from core.state.dtype_policy import DTypePolicy, FloatDTypePolicy, deserialize, get, serialize
from core.state.dtype_policy_map import DTypePolicyMap

__all__ = ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "deserialize", "get", "serialize"]
