"""Activations by the names that config files use."""

from __future__ import annotations

from collections.abc import Callable

from core import activations, ops
from core.saving import ConfigError


def gelu(x):
    """`x` times the normal distribution function of `x`, exactly."""
    return ops.gelu(x, approximate=False)


def gelu_tanh(x):
    """The tanh approximation of `gelu`."""
    return ops.gelu(x, approximate=True)


def quick_gelu(x):
    """`x * sigmoid(1.702 x)`, a coarser approximation of `gelu`."""
    return x * ops.sigmoid(1.702 * x)


def relu_squared(x):
    """`relu(x) ** 2`. So et al., 2021."""
    return ops.square(ops.relu(x))


ACTIVATIONS: dict[str, Callable] = {
    "gelu": gelu, "gelu_python": gelu,
    "gelu_new": gelu_tanh, "gelu_pytorch_tanh": gelu_tanh, "gelu_fast": gelu_tanh, "gelu_approximate": gelu_tanh,
    "quick_gelu": quick_gelu, "relu": ops.relu, "relu2": relu_squared, "relu6": ops.relu6, "silu": ops.silu, "swish": ops.silu,
    "tanh": ops.tanh, "sigmoid": ops.sigmoid, "mish": activations.mish, "linear": activations.linear,
}  # fmt: skip


def activation(name: str) -> Callable:
    """The function of that name.

    Raises:
        ConfigError: an unknown name.

    >>> activation("gelu_new") is gelu_tanh
    True
    """
    if name not in ACTIVATIONS:
        raise ConfigError(f"Unknown activation {name!r}; known are {', '.join(sorted(ACTIVATIONS))}.")
    return ACTIVATIONS[name]
