"""Hornbeam's core: deep learning on JAX, TensorFlow, PyTorch and NumPy. `import core as keras` runs a Keras script.

Importing it loads no framework; the first tensor, layer or op does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> the module that defines it (None: the module of that name itself).
_HOMES: dict[str, str | None] = {
    "DTypePolicy": "core.state.dtype_policy",
    "FloatDTypePolicy": "core.state.dtype_policy",
    "Function": "core.graph.function",
    "Functional": "core.models",
    "Initializer": "core.initializers",
    "Input": "core.layers",
    "InputSpec": "core.layers",
    "KerasTensor": "core.backend.symbolic",
    "Layer": "core.layers",
    "Loss": "core.losses",
    "Metric": "core.metrics",
    "Model": "core.models",
    "Operation": "core.graph.operation",
    "Optimizer": "core.optimizers",
    "Regularizer": "core.regularizers",
    "Sequential": "core.models",
    "Variable": "core.state.variable",
    "cond": "core.ops",
    "custom_gradient": "core.transforms",
    "grad": "core.transforms",
    "jit": "core.transforms",
    "name_scope": "core.graph.scopes",
    "StatelessScope": "core.graph.scopes",
    "SymbolicScope": "core.graph.scopes",
    "device": "core.graph.scopes",
    "remat": "core.transforms",
    "scan": "core.ops",
    "value_and_grad": "core.transforms",
    "vmap": "core.transforms",
    **{
        name: None
        for name in (
            "activations", "backend", "callbacks", "config", "constraints", "datasets", "dtype_policies", "initializers", "interop",
            "layers", "losses", "metrics", "mixed_precision", "models", "ops", "optimizers", "preprocessing", "random", "regularizers",
            "saving", "testing", "tree", "utils",
        )
    },
}  # fmt: skip

__all__ = sorted((*_HOMES, "version"))

if TYPE_CHECKING:  # so that editors see every name
    from core import (
        activations,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        dtype_policies,
        initializers,
        interop,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        preprocessing,
        random,
        regularizers,
        saving,
        testing,
        tree,
        utils,
    )
    from core.backend.symbolic import KerasTensor
    from core.graph.function import Function
    from core.graph.operation import Operation
    from core.graph.scopes import StatelessScope, SymbolicScope, device, name_scope
    from core.initializers import Initializer
    from core.layers import Input, InputSpec, Layer
    from core.losses import Loss
    from core.metrics import Metric
    from core.models import Functional, Model, Sequential
    from core.ops import cond, scan
    from core.optimizers import Optimizer
    from core.regularizers import Regularizer
    from core.state.dtype_policy import DTypePolicy, FloatDTypePolicy
    from core.state.variable import Variable
    from core.transforms import custom_gradient, grad, jit, remat, value_and_grad, vmap


def version() -> str:
    """The version of this package."""
    return __version__


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    home = _HOMES[name]
    value = importlib.import_module(f"core.{name}") if home is None else getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
