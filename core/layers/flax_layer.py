"""`FlaxLayer`: a Flax module as a layer."""

from __future__ import annotations

import importlib.util
import inspect
from typing import Any

from core.layers.jax_layer import JaxLayer


class FlaxLayer(JaxLayer):
    """The outputs of a Flax Linen module; its variables are this layer's. Needs the package `flax`.

    Its config cannot be saved, since it would need the module's code; its weights can.

    Args:
        module: a `flax.linen.Module`. A parameter named `training` or `train` (or `deterministic`, the opposite) gets the phase.
        method: the method that computes the outputs, or its name; `__call__` where it is None.
        variables: initial values, as `module.init` returns them.

    Raises:
        ImportError: flax is not installed.
    """

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any):
        if importlib.util.find_spec("flax") is None:
            raise ImportError("FlaxLayer needs the package 'flax', which is not installed: pip install flax.")
        self.module, self.method = module, method
        function = getattr(module, method) if isinstance(method, str) else method if method is not None else type(module).__call__
        names = inspect.signature(function).parameters
        phase = next((name for name in ("training", "train", "deterministic") if name in names), None)

        def options(training: bool) -> dict:
            given: dict = {} if method is None else {"method": method}
            return given if phase is None else {**given, phase: not training if phase == "deterministic" else training}

        def apply(params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
            state = state or {}
            outputs, new = module.apply(
                {"params": params, **state}, inputs, rngs={"dropout": rng}, mutable=list(state) if training else [], **options(training)
            )
            return outputs, {**state, **new}

        def init(rng: Any, inputs: Any, training: bool) -> tuple[Any, Any]:
            return _split(module.init({"params": rng, "dropout": rng}, inputs, **options(training)))

        params, state = (None, None) if variables is None else _split(variables)
        super().__init__(apply, init, params, state, **kwargs)

    def get_config(self) -> dict:
        raise ValueError(
            f"{self.name!r} wraps the Flax module {type(self.module).__name__}, whose code no config can hold. Save its weights with "
            "save_weights, or define a layer class that makes the module in __init__."
        )


def _split(variables: Any) -> tuple[Any, Any]:
    rest = dict(variables)
    return rest.pop("params", {}), rest
