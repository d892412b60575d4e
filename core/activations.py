"""Activation functions, by name where a layer takes one. Public as `core.activations`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import registry
from core.base.families import Family
from core.ops import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)

hard_swish, swish = hard_silu, silu

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x):
    """`x` itself."""
    return x


def exponential(x):
    """`exp(x)`."""
    return ops.exp(x)


def gelu(x, approximate=False):
    """`x` times the standard normal distribution function of `x`, or its tanh approximation. Hendrycks and Gimpel, 2016."""
    return ops.gelu(x, approximate=approximate)


def mish(x):
    """`x * tanh(softplus(x))`. Misra, 2019."""
    return x * ops.tanh(ops.softplus(x))


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """`max(x, 0)`; more generally `x` from `threshold` on, at most `max_value`, and `negative_slope * (x - threshold)` below.

    >>> relu([-1.0, 0.5, 3.0], negative_slope=0.1, max_value=2.0)
    array([-0.1,  0.5,  2. ], dtype=float32)
    """
    if threshold == 0 and max_value is None:
        return ops.relu(x) if negative_slope == 0 else ops.leaky_relu(x, negative_slope)
    if negative_slope < 0 or (max_value is not None and max_value < 0):
        raise ValueError(f"relu needs negative_slope and max_value of at least 0, got {negative_slope} and {max_value}.")
    if threshold == 0:
        kept = ops.relu(x)
    else:
        x = ops.convert_to_tensor(x)
        kept = x * ops.cast(ops.greater(x, threshold), x.dtype)
    if max_value is not None:
        kept = ops.clip(kept, 0, max_value)
    return kept - ops.multiply(negative_slope, ops.relu(ops.subtract(threshold, x))) if negative_slope else kept


_FAMILY = Family(
    "activation",
    "keras.activations",
    [celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid, log_softmax, mish,
     relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh,
     tanh_shrink, threshold],
    {"hard_swish": hard_silu, "swish": silu},
)  # fmt: skip
_NAMES = {function: function.__name__ for function in _FAMILY.members.values()}


def get(identifier: Any) -> Any:
    """The activation that a name, config or function means; `linear` for None.

    >>> get("swish") is silu
    True
    """
    return linear if identifier is None else _FAMILY.get(identifier)


def serialize(activation: Any) -> Any:
    """The name of an activation of ours, or a config of a registered function or a layer."""
    name = _NAMES.get(activation) if getattr(activation, "__hash__", None) else None
    if name is None and getattr(activation, "op", None) is getattr(ops.relu, "op", ()):
        return "relu"
    return registry.serialize_keras_object(activation) if name is None else name


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The activation that a name or config describes."""
    return _FAMILY.deserialize(config, custom_objects)
