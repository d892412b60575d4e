"""How a model's step becomes the function that the loop calls: compiled or not, one batch or many, in any of the styles."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def is_stateless(step: Callable) -> bool:
    """Whether a user's step is written as `step(self, state, data)`, as for JAX in Keras."""
    parameters = [p for p in inspect.signature(step).parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    return len(parameters) >= 2


def stateful(model: Any, step: Callable, phase: str) -> Callable:
    """A stateless step as one that takes a batch and changes the model."""

    def run(batch: Any) -> Any:
        if phase == "train":
            holders: tuple = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables, model.metrics_variables)
        elif phase == "test":
            holders = (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)
        else:
            holders = (model.trainable_variables, model.non_trainable_variables)
        state = tuple([v.value for v in group] for group in holders)
        result, new = step(state, batch)
        groups = new if phase == "train" else (new if len(new) == len(holders) else (state[0], *new))
        for group, values in zip(holders, groups):
            for variable, value in zip(group, values):
                if value is not variable._value:
                    variable.put(value)
        return result

    return run
