"""Core models for PyTorch's users."""

from __future__ import annotations

from typing import Any

from core.backend import slot


def module(layer: Any) -> Any:
    """A built core layer or model as a `torch.nn.Module` over the same parameters.

    Training one trains the other. Parameters are named by attributes (`"dense.kernel"`); `train()` and `eval()` set the phase of the calls.

    Raises:
        ValueError: the layer is not built, or not on the torch backend.

    >>> dense = core.layers.Dense(2)
    >>> dense.build((None, 3))
    >>> [name for name, _ in module(dense).named_parameters()]
    ['kernel', 'bias']
    """
    return slot.get("torch").layer_module(layer)


__all__ = ["module"]
