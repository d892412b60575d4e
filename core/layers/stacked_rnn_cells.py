"""`StackedRNNCells`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import registry
from core.layers.layer import Layer


class StackedRNNCells(Layer):
    """Cells as one: each takes the output of the one before. States are a list with one list per cell.

    >>> cell = StackedRNNCells([LSTMCell(3), GRUCell(2)])
    >>> RNN(cell)(np.ones((2, 5, 4), "float32")).shape
    (2, 2)
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        for cell in cells:
            if not hasattr(cell, "call") or not hasattr(cell, "state_size"):
                raise ValueError(f"StackedRNNCells expected cells with `call(inputs, states)` and `state_size`, got {cell!r}.")
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """The state sizes of the cells, in order."""
        return [list(size) if isinstance(size := cell.state_size, (list, tuple)) else size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The output size of the last cell."""
        return _output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None):
        """The initial states of all cells."""
        states = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                own = cell.get_initial_state(batch_size=batch_size)
            else:
                own = [ops.zeros((batch_size, size), dtype=self.compute_dtype) for size in _listed(cell.state_size)]
            states.append(_listed(own))
        return states

    def build(self, input_shape):
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            size = _output_size(cell)
            input_shape = (input_shape[0], *((size,) if isinstance(size, int) else size))

    def call(self, inputs, states, training=False, **kwargs):
        new_states = []
        for cell, own in zip(self.cells, states):
            run = cell.call if isinstance(cell, Layer) else cell
            options = {"training": training} if isinstance(cell, Layer) and cell._call_spec.training else {}
            inputs, new = run(inputs, _listed(own), **options)
            new_states.append(_listed(new))
        return inputs, new_states

    def begin(self, step_input: Any, states: Any) -> None:
        """Draws the dropout masks of the cells, before a loop."""
        for cell, own in zip(self.cells, states):
            if hasattr(cell, "begin"):
                cell.begin(step_input, _listed(own))
            size = _output_size(cell)
            step_input = ops.zeros((ops.shape(step_input)[0], *((size,) if isinstance(size, int) else size)), dtype=self.compute_dtype)

    def end(self) -> None:
        """Forgets the masks, after the loop."""
        for cell in self.cells:
            if hasattr(cell, "end"):
                cell.end()

    def get_config(self) -> dict:
        return {**super().get_config(), "cells": [registry.serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        cells = [registry.deserialize_keras_object(cell, custom_objects=custom_objects) for cell in config.pop("cells")]
        return cls(cells, **config)


def _listed(states: Any) -> list:
    return list(states) if isinstance(states, (list, tuple)) else [states]


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size


__all__ = ["StackedRNNCells"]
