"""Dynamic loss scaling, for training in float16."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import registry
from core.optimizers.optimizer import Optimizer


class LossScaleOptimizer(Optimizer):
    """An optimizer around another one that keeps small float16 gradients from vanishing.

    `scale_loss` multiplies the loss by a scale, and gradients are divided by it. An update whose gradients are not all finite is left
    out, and the scale halved; after `dynamic_growth_steps` good updates in a row it is doubled.

    >>> from core.optimizers import SGD
    >>> optimizer = LossScaleOptimizer(SGD(0.1), initial_scale=8.0)
    >>> float(optimizer.scale_loss(0.5))
    4.0
    """

    _untracked = Optimizer._untracked | {"inner_optimizer"}

    def __init__(
        self, inner_optimizer: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000, name=None, **kwargs: Any
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError("LossScaleOptimizer scales dynamically; for a fixed scale give any optimizer a loss_scale_factor.")
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"inner_optimizer must be an Optimizer, got {inner_optimizer!r}.")
        super().__init__(0.0, name=name, **kwargs)
        self.inner_optimizer, self.initial_scale, self.dynamic_growth_steps = inner_optimizer, initial_scale, dynamic_growth_steps
        self.step_counter: Any = None
        self.dynamic_scale: Any = None

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), float(self.initial_scale), "float32", name="dynamic_scale")
        self.inner_optimizer.build(variables)
        self.inner_optimizer.to_backend(self._backend)

    @property
    def variables(self):
        return [*self._variables, *self.inner_optimizer.variables]

    def _move(self, backend):
        super()._move(backend)
        if hasattr(self, "inner_optimizer"):
            self.inner_optimizer._move(backend)

    def check_finite(self, grads: list) -> Any:
        """Whether all elements of all gradients are finite, as a scalar tensor; None counts as finite."""
        found = [ops.all(ops.isfinite(g)) for g in grads if g is not None]
        return ops.all(ops.stack(found))

    def _apply(self, grads, plan):
        grads = plan.accept(grads)
        scale, counter = self.dynamic_scale, self.step_counter
        finite = self.check_finite(grads)
        inner = self.inner_optimizer

        def update() -> None:
            inner.apply([g / ops.cast(scale.value, v.dtype) for g, v in zip(grads, plan.variables)], plan.variables)
            grown = counter.value + 1 >= self.dynamic_growth_steps
            scale.assign(ops.where(grown, scale.value * 2, scale.value))
            counter.assign(ops.where(grown, 0, counter.value + 1))

        def skip() -> None:
            scale.assign(scale.value / 2)
            counter.assign(ops.zeros_like(counter.value))

        plan.backend.update_if(finite, update, [*plan.variables, *self.variables])
        plan.backend.update_if(ops.logical_not(finite), skip, [scale, counter])

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the present scale: what to differentiate."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def finalize_variable_values(self, var_list):
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Leaves variables out of the inner optimizer's weight decay."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def update_step(self, gradient, variable, learning_rate):
        self.inner_optimizer.update_step(gradient, variable, learning_rate)

    @property
    def iterations(self):
        return self.inner_optimizer.iterations if hasattr(self, "inner_optimizer") else self._iterations

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    def get_config(self):
        return {"name": self.name, "inner_optimizer": registry.serialize_keras_object(self.inner_optimizer),
                "initial_scale": self.initial_scale, "dynamic_growth_steps": self.dynamic_growth_steps}  # fmt: skip

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(registry.deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects),
                   **{key: value for key, value in config.items() if key != "inner_optimizer"})  # fmt: skip
