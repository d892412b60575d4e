"""`Plan`: what an optimizer looks up once for a list of variables, and the way to the backend's fused updates."""

from __future__ import annotations

from operator import is_
from typing import Any

from core.state.variable import Variable


class Plan:
    """What one list of variables needs at each update, looked up once."""

    def __init__(self, optimizer: Any, variables: list[Variable]):
        indices = [optimizer._get_variable_index(v) for v in variables]
        self.optimizer, self.variables, self.backend = optimizer, list(variables), variables[0].backend
        self.slots = [[slots[i] for i in indices] for slots in optimizer._slots.values()]
        self.averages = [optimizer._averages[i] for i in indices] if optimizer._averages else []
        self.accumulators = [optimizer._accumulators[i] for i in indices] if optimizer._accumulators else []
        self.overwrites = any(v.overwrite_with_gradient for v in variables)
        self.natives: list = []
        name = optimizer.fused
        self.update_all = getattr(self.backend, name) if name and self.backend.has(name) else None
        self.decayed = [i for i, v in enumerate(variables) if optimizer._use_weight_decay(v)]

    def accept(self, grads: list) -> list:
        """The gradients as native tensors of the variables' dtypes and shapes."""
        backend = self.backend
        if backend.has("match_gradients"):
            return backend.match_gradients(grads, [v._value for v in self.variables], self.variables)
        return [accept_gradient(backend, g, v) for g, v in zip(grads, self.variables)]

    def fused(self, grads: list, rate: Any) -> bool:
        """Updates all variables in one call, where the backend can; says whether it did."""
        if self.update_all is None:
            return False
        parameters, slots = [v._value for v in self.variables], [[s._value for s in slots] for slots in self.slots]
        if not (len(parameters) == len(self.natives) and all(map(is_, parameters, self.natives))):
            self.natives = parameters if self.backend.fusible(parameters, slots) else []
        if not self.natives:
            return False
        optimizer, rate = self.optimizer, float(rate)
        if optimizer.weight_decay is not None:
            self.backend.shrink([parameters[i] for i in self.decayed], 1.0 - rate * optimizer.weight_decay)
        arguments = {name: getattr(optimizer, name) for name in optimizer.fused_arguments}
        self.update_all(parameters, grads, *slots, learning_rate=rate, step=int(optimizer._updates()) + 1, **arguments)
        return True


def accept_gradient(backend: Any, gradient: Any, variable: Variable) -> Any:
    """A gradient as a native dense tensor of the variable's dtype; an error if its shape is another one."""
    gradient = backend.convert_to_tensor(gradient.value if isinstance(gradient, Variable) else gradient)
    shape = tuple(gradient.shape)
    if shape != variable.shape and None not in shape:
        raise ValueError(f"The gradient of {variable.path!r} has shape {shape}, but the variable has shape {variable.shape}.")
    return gradient if backend.dtype(gradient) == variable.dtype else backend.cast(gradient, variable.dtype)
