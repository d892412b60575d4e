"""`LayerState`: the half of a layer that holds: its variables, and the layers inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from core import constraints, initializers, regularizers
from core.backend import slot
from core.backend.protocol import Backend
from core.base.dtypes import is_float_dtype, standardize_dtype
from core.base.shapes import standardize_shape
from core.state.module import Module, Version, unique
from core.state.variable import Variable

if TYPE_CHECKING:
    from core.layers.layer import Layer


class LayerState(Module):
    """What `Layer` is without calls: variables of its own and of the layers inside, where they are, whether they may be trained.

    Attributes:
        name: unique in a model.
        built: whether the variables are there.
        variable_dtype: dtype of new variables.
    """

    name: str
    built: bool
    variable_dtype: Any
    _trainable: bool
    _backend_name: str
    _added: list[Variable]

    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
        **kwargs,
    ) -> Variable:
        """A new variable of this layer. Glorot uniform by default for floats, zeros for integers and bools.

        Args:
            shape: tuple of ints; `()` for a scalar.
            initializer: name, `core.initializers` object, function `(shape, dtype)`, or a value.
            regularizer, constraint: penalty on it, and projection after each update.
        """
        if kwargs.keys() - {"synchronization", "layout"}:
            raise TypeError(f"add_weight got unexpected arguments {sorted(kwargs)}.")
        shape = standardize_shape(shape if shape is not None else ())
        dtype = standardize_dtype(dtype) if dtype is not None else self.variable_dtype
        if initializer is None:
            initializer = "glorot_uniform" if is_float_dtype(dtype) else "zeros"
        initializer = initializers.get(initializer)
        if None in shape:
            raise ValueError(f"{type(self).__name__} {self.name!r} cannot make a weight of shape {shape}: every dimension must be known. "
                             "Give the input a full shape in those axes.")  # fmt: skip
        variable = Variable(
            initializer,
            shape=shape,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            aggregation=aggregation,
            name=name,
            backend=self.backend,
        )
        variable.regularizer, variable.constraint = regularizers.get(regularizer), constraints.get(constraint)
        variable.overwrite_with_gradient = bool(overwrite_with_gradient)
        if not self._trainable:
            variable.trainable = False
        self.__dict__.setdefault("_added", [])
        self._state_names.setdefault("_added")
        self._added.append(variable)
        return variable

    add_variable = add_weight

    @property
    def backend(self) -> Backend:
        """The backend that holds the variables."""
        return slot.get(self._backend_name)

    def to_backend(self, backend: str | Backend) -> Self:
        """Moves all variables, seeds included, to another backend; returns the layer."""
        backend = slot.get(backend)
        for part in self._flatten_layers():
            for variable in part._every_variable():
                variable.to_backend(backend)
            part._on_backend(backend)
        return self

    def _on_backend(self, backend: Backend) -> None:
        """Notes where the variables are now."""
        self._backend_name = backend.name

    def _every_variable(self) -> list[Variable]:
        """This layer's own variables, and those of its seeds and metrics."""
        found = []
        for part in self._parts():
            if isinstance(part, Variable):
                found.append(part)
            elif not isinstance(part, LayerState):
                found.extend(getattr(part, "variables", ()) or _state_of(part))
        return found

    @property
    def _layers(self) -> list[Layer]:
        """The layers among the attributes, in the order of assignment."""
        return [part for part in self._parts() if isinstance(part, LayerState)]  # type: ignore[misc]  # nothing else is one

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Layer]:
        """This layer and those inside it, each once, parents first."""
        found: dict[int, Any] = {id(self): self}
        stack = list(reversed(self._layers))
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                if recursive:
                    stack.extend(reversed(layer._layers))
        result = list(found.values())
        return result if include_self else result[1:]

    def named_layers(self) -> dict[str, Layer]:
        """The layers inside this one by their names joined by slashes, parents first; equal names beside each other get a number.

        >>> import core
        >>> list(core.Sequential([core.Input((2,), name="x"), core.layers.Dense(3, name="hidden")]).named_layers())
        ['x', 'hidden']
        """
        found: dict[str, Layer] = {}
        seen = {id(self)}

        def walk(layer: Any, prefix: str) -> None:
            for part in layer._layers:
                if id(part) in seen:
                    continue
                seen.add(id(part))
                path, count = prefix + part.name, 1
                while path in found:
                    path, count = f"{prefix}{part.name}_{count}", count + 1
                found[path] = part
                walk(part, path + "/")

        walk(self, "")
        return found

    def _own(self, trainable: bool) -> list[Variable]:
        return [v for v in self._own_variables() if v._trainable is trainable]

    def _own_ordered(self) -> list[Variable]:
        """Own variables, trainable ones first; the order in files. Fixed by how they were made, not by `trainable` now."""
        own = self._own_variables()
        return [v for v in own if v.made_trainable] + [v for v in own if not v.made_trainable]

    @property
    def weights(self) -> list[Variable]:
        """All variables but the states of seeds and metrics, this layer's first."""
        return unique([*self._own_ordered(), *(v for layer in self._layers for v in layer.weights)])

    @property
    def variables(self) -> list[Variable]:
        """All variables, the states of seeds and metrics included."""
        found = list(self._own_ordered())
        for part in self._parts():
            if not isinstance(part, (LayerState, Variable)):
                found.extend(_state_of(part))
        found.extend(v for layer in self._layers for v in layer.variables)
        return unique(found)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that an optimizer may change."""
        if not self._trainable:
            return []
        return unique([*self._own(True), *(v for layer in self._layers for v in layer.trainable_variables)])

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All variables that an optimizer does not change."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that an optimizer does not change."""
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.weights if id(v) not in trainable]

    @property
    def metrics(self) -> list:
        """The metrics among the attributes, those of the layers inside included."""
        own = [part for part in self._parts() if hasattr(part, "update_state")]
        return unique([*own, *(m for layer in self._layers for m in layer.metrics)])

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of `metrics`."""
        return unique(v for metric in self.metrics for v in metric.variables)

    @property
    def trainable(self) -> bool:
        """Whether the variables of this layer and of those inside may be trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        self._trainable = value
        Version.count += 1
        for variable in self._own_variables():
            if variable.made_trainable:
                variable.trainable = value
        for layer in self._layers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as NumPy arrays."""
        return [np.array(v.numpy()) for v in self.weights]

    def set_weights(self, weights: list) -> None:
        """Sets the values of `weights`; nothing is changed unless all fit."""
        own = self.weights
        if not self.built and weights:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} is not built, so it has no weights to set: call it on data, or build it, first."
            )
        if len(own) != len(weights):
            raise ValueError(f"{type(self).__name__} {self.name!r} has {len(own)} weights, got {len(weights)} values.")
        for variable, value in zip(own, weights):
            if tuple(np.shape(value)) != variable.shape:
                raise ValueError(f"Weight {variable.path!r} has shape {variable.shape}, got a value of shape {tuple(np.shape(value))}.")
        for variable, value in zip(own, weights):
            variable.assign(value)

    def count_params(self) -> int:
        """The number of values in all weights."""
        if not self.built:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} is not built yet, so its parameters cannot be counted: call it on data, or build "
                "it, first."
            )
        return sum(v.size for v in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Writes this layer's own variables into a dict-like store, as `"0"`, `"1"` and so on."""
        for i, variable in enumerate(self._own_ordered()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads what `save_own_variables` wrote."""
        own = self._own_ordered()
        if len(store.keys()) != len(own):
            built = "" if self.built else " It is not built: build the model, or call it on data, first."
            raise ValueError(f"{type(self).__name__} {self.name!r} has {len(own)} variables, the file {len(store.keys())}.{built}")
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])


def _state_of(part: Any) -> list[Variable]:
    """The variables of a module that is no layer: a seed generator or a metric."""
    state = getattr(part, "state", None)
    if isinstance(state, Variable):
        return [state]
    return list(part.variables) if hasattr(part, "update_state") else []
