"""`Metric`: variables that collect what batches tell, and a result from them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from core import initializers
from core.backend import slot
from core.backend.journal import TRACING, journal, swapped
from core.base import config, dtypes, names, registry
from core.losses.loss import as_tensor
from core.state import dtype_policy
from core.state.module import Module, unique
from core.state.variable import Variable


class Metric(Module):
    """Base of the metrics: `update_state` collects, `result` computes, `reset_state` begins anew.

    Args:
        dtype: dtype or policy of the collected state; `floatx()` where it is None.
        name: made from the class name where it is None.

    >>> class Largest(Metric):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.largest = self.add_weight(name="largest")
    ...
    ...     def update_state(self, values):
    ...         self.largest.assign(core.ops.maximum(self.largest, core.ops.max(values)))
    ...
    ...     def result(self):
    ...         return self.largest.value
    """

    _direction: str | None = None  # whether "up" or "down" is better, where that is known

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        for name in ("update_state", "result"):
            if name in cls.__dict__:
                setattr(cls, name, _at_home(cls.__dict__[name]))

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or names.auto_name(type(self).__name__)
        self._dtype = _dtype_of(dtype)
        self._backend_name = slot.backend()

    @property
    def dtype(self) -> str:
        """The dtype of the collected state."""
        return self._dtype

    @property
    def backend(self) -> Any:
        """Where the state is kept."""
        return slot.get(self._backend_name)

    def _tensors(self, *values: Any, dtype: str | None = None) -> list[Any]:
        """Values as tensors of this metric's backend and dtype."""
        backend, dtype = slot.get(self._backend_name), dtype or self._dtype
        return [as_tensor(value, dtype, backend) for value in values]

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Collects from one batch."""
        raise TypeError(f"{type(self).__name__} must define `update_state`.")

    def result(self) -> Any:
        """The value over all that was collected: a scalar, a tensor, or a dict of them."""
        raise TypeError(f"{type(self).__name__} must define `result`.")

    def reset_state(self) -> None:
        """Forgets what was collected."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, dtypes.numpy_dtype(variable.dtype)))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Collects from one batch and returns the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def add_variable(self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str = "sum", name: str | None = None) -> Variable:
        """A new variable that belongs to the metric; `initializer` is a name or an initializer."""
        with names.scope(self.name.replace("/", ".")), slot.use(self._backend_name):
            return Variable(
                initializers.get("zeros" if initializer is None else initializer), shape, dtype or self._dtype, trainable=False,
                aggregation=aggregation, name=name,
            )  # fmt: skip

    def add_weight(self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None) -> Variable:
        """`add_variable`, a scalar of zeros by default."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of the metric, and of metrics that are its attributes."""
        found: list[Variable] = []
        for part in self._parts():
            found.extend([part] if isinstance(part, Variable) else getattr(part, "variables", ()))
        return unique(found)

    def to_backend(self, backend: Any) -> None:
        """Moves the state to another backend."""
        self._backend_name = slot.get(backend).name
        for part in self._parts():
            if hasattr(part, "to_backend"):
                part.to_backend(backend)

    def stateless_update_state(self, metric_variables: list[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """The variables' new values after `update_state`, which leaves the metric as it is."""
        variables = self.variables
        with TRACING, swapped(variables, self._given(variables, metric_variables)), journal() as notes:
            try:
                self.update_state(*args, **kwargs)
                return [variable._value for variable in variables]
            finally:
                notes.take_back()

    def stateless_result(self, metric_variables: list[Any]) -> Any:
        """The result from these values of the variables."""
        variables = self.variables
        with TRACING, swapped(variables, self._given(variables, metric_variables)):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """The values of the variables before any batch."""
        variables = self.variables
        with TRACING, swapped(variables, [v.backend.as_functional(v._value) for v in variables]), journal() as notes:
            try:
                self.reset_state()
                return [variable._value for variable in variables]
            finally:
                notes.take_back()

    def _given(self, variables: list[Variable], values: list[Any]) -> list[Any]:
        if len(values) != len(variables):
            raise ValueError(
                f"metric_variables must hold one value for each of the {len(variables)} {type(self).__name__}.variables, got {len(values)}."
            )
        return [v.backend.as_functional(as_tensor(x, v._dtype, v.backend)) for v, x in zip(variables, values)]

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self._dtype}

    @classmethod
    def from_config(cls, config: dict) -> Metric:
        return cls(**{key: registry.deserialize_keras_object(value) for key, value in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _at_home(method: Callable) -> Callable:
    """A method in which the metric's backend is the active one, so that what it creates fits its state."""

    @functools.wraps(method)
    def run(self: Metric, *args: Any, **kwargs: Any) -> Any:
        home = slot.get(self._backend_name)
        if slot.active() is home:
            return method(self, *args, **kwargs)
        with slot.use(home):
            return method(self, *args, **kwargs)

    return run


def _dtype_of(dtype: Any) -> str:
    if dtype is None:
        return config.floatx()
    if isinstance(dtype, str) and dtype in dtypes.ALLOWED:
        return dtype
    return dtype_policy.get(dtype).variable_dtype
