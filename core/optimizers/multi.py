"""Several optimizers in one: each trains the variables whose paths match its pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from core.base import registry
from core.optimizers.optimizer import Optimizer


class OptimizerMap(MutableMapping):
    """Patterns of variable paths and their optimizers; paths that no pattern matches in full get `default_optimizer`.

    >>> from core.optimizers import SGD, Adam
    >>> optimizers = OptimizerMap(Adam(), {".*bias": SGD()})
    >>> type(optimizers["dense/bias"]).__name__, type(optimizers["dense/kernel"]).__name__
    ('SGD', 'Adam')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        _require_optimizer("default_optimizer", default_optimizer)
        self._default_optimizer = default_optimizer
        self._optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of all variables that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, path: str) -> Optimizer:
        if path in self._optimizer_map:
            return self._optimizer_map[path]
        found = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, path)]
        if len(found) > 1:
            raise ValueError(f"The path {path!r} matches several patterns of this OptimizerMap: {found}; make them exclude one another.")
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, pattern: str, optimizer: Optimizer) -> None:
        if pattern in self._optimizer_map:
            raise ValueError(f"{pattern!r} is in this OptimizerMap already; delete it first.")
        _require_optimizer(f"The optimizer of {pattern!r}", optimizer)
        self._optimizer_map[pattern] = optimizer

    def __delitem__(self, pattern: str) -> None:
        del self._optimizer_map[pattern]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def get_config(self) -> dict:
        """Both arguments, with the optimizers as configs."""
        made = registry.serialize_keras_object
        return {"default_optimizer": made(self._default_optimizer), "optimizer_map": {k: made(v) for k, v in self._optimizer_map.items()}}

    @classmethod
    def from_config(cls, config: dict) -> OptimizerMap:
        """The map that `get_config` describes."""
        return cls(**{key: registry.deserialize_keras_object(value) for key, value in config.items()})


registry.FINDERS.append(
    lambda module, name: OptimizerMap if (module, name) == ("keras.optimizers", "OptimizerMap") else None
)  # no Optimizer


def _require_optimizer(what: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{what} must be an Optimizer, got {optimizer!r}; core.optimizers.get makes one from a name.")


class MultiOptimizer(Optimizer):
    """Trains each variable with the optimizer that `optimizer_map` gives for its path.

    Clipping, decay, averages and accumulation are those of the inner optimizers.

    Args:
        optimizer_map: an `OptimizerMap`, or a dict of patterns if every variable matches one.
        loss_scale_factor: what the loss is multiplied by and all gradients divided by, whatever the inner optimizers say.
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None):
        for pattern, optimizer in optimizer_map.items():
            _require_optimizer(f"The optimizer of {pattern!r}", optimizer)
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._map = optimizer_map
        default = [optimizer_map.default_optimizer] if isinstance(optimizer_map, OptimizerMap) else []
        self._optimizers: list[Optimizer] = list({id(o): o for o in [*optimizer_map.values(), *default]}.values())
        self._places: list[int] = []  # the number of each variable's optimizer
        self.loss_scale_factor = loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """The inner optimizers, the default one last."""
        return list(self._optimizers)

    @property
    def loss_scale_factor(self) -> float | None:
        """What `scale_loss` multiplies the loss by; where set, the inner optimizers divide by it in place of their own."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        if value is not None:
            for optimizer in getattr(self, "_optimizers", ()):  # there are none yet while the base class is set up
                optimizer.loss_scale_factor = value

    def _choose(self, path: str) -> Optimizer:
        if isinstance(self._map, OptimizerMap):
            return self._map[path]
        found = [optimizer for pattern, optimizer in self._map.items() if re.fullmatch(pattern, path)]
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} patterns of {self.name} match the variable {path!r}, among {list(self._map)}; one must. "
                "An OptimizerMap has a default optimizer."
            )
        return found[0]

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        numbers = {id(optimizer): i for i, optimizer in enumerate(self._optimizers)}
        self._places = [numbers[id(self._choose(v.path))] for v in self._trainable_variables]
        for i, optimizer in enumerate(self._optimizers):
            optimizer.build([v for v, place in zip(self._trainable_variables, self._places) if place == i])
            if self._trainable_variables:
                optimizer.to_backend(self._backend)

    @property
    def variables(self):
        return [*self._variables, *(v for optimizer in self._optimizers for v in optimizer.variables)]

    def _move(self, backend):
        super()._move(backend)
        for optimizer in getattr(self, "_optimizers", ()):
            optimizer._move(backend)

    def _apply(self, grads, plan):
        places = [self._places[self._get_variable_index(v)] for v in plan.variables]
        for i, optimizer in enumerate(self._optimizers):
            chosen = [(g, v) for g, v, place in zip(grads, plan.variables, places) if place == i]
            if chosen:
                optimizer.apply([g for g, _ in chosen], [v for _, v in chosen])
        self._count()

    def update_step(self, gradient, variable, learning_rate):
        self._optimizers[self._places[self._get_variable_index(variable)]].update_step(gradient, variable, learning_rate)

    def finalize_variable_values(self, var_list):
        variables = list(var_list)
        places = [self._places[self._get_variable_index(v)] for v in variables]
        for i, optimizer in enumerate(self._optimizers):
            optimizer.finalize_variable_values([v for v, place in zip(variables, places) if place == i])

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Leaves variables out of the inner optimizers' weight decay."""
        for optimizer in self._optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    @property
    def learning_rate(self):
        raise AttributeError("A MultiOptimizer has no learning rate of its own; its `optimizers` have.")

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError("A MultiOptimizer has no learning rate of its own; set those of its `optimizers`.")

    def get_config(self):
        return {"optimizer_map": registry.serialize_keras_object(self._map), "loss_scale_factor": self.loss_scale_factor, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**{**config, "optimizer_map": registry.deserialize_keras_object(config["optimizer_map"], custom_objects=custom_objects)})
