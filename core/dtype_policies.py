"""Dtype policies. Public facade of `core.state.dtype_policy`."""

from core.state.dtype_policy import DTypePolicy, FloatDTypePolicy, deserialize, get, serialize
from core.state.dtype_policy_map import DTypePolicyMap
from core.state.quantized_policy import (
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

__all__ = [
    "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy", "Int4DTypePolicy", "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy", "deserialize", "get", "serialize",
]  # fmt: skip
