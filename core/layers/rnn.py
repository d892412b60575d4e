"""`RNN`: a loop of a cell over time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from core import ops, regularizers
from core.backend.journal import swapped
from core.backend.symbolic import KerasTensor
from core.base import registry, tree
from core.graph import abstract
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer
from core.layers.recurrent_cell import RecurrentCell
from core.layers.stacked_rnn_cells import StackedRNNCells
from core.state.module import Module
from core.state.variable import Variable, cast_for_compute


class _Memory(Module):
    """One state of a stateful layer: it moves and is traced with the layer, but is no weight and in no file."""

    def __init__(self, shape: tuple, dtype: str, backend: Any):
        self.state = Variable(lambda shape, dtype: ops.zeros(shape, dtype), shape, dtype, trainable=False, name="state", backend=backend)


class RNN(Layer):
    """The outputs of a cell over the steps of `sequences` (batch, time, ...): the last one, or with `return_sequences` all of them.

    A cell is a layer whose `call(inputs, states)` returns `(output, new_states)`, with `state_size` and optionally `output_size` (an
    integer, a shape, or a list of them) and `get_initial_state(batch_size)`. Where a mask (batch, time) is False, the state stays as it
    is and the previous output is repeated.

    Args:
        cell: a cell, or a list of cells that feed each other.
        return_sequences: outputs of all steps, (batch, time, ...).
        return_state: also returns the last states: `(outputs, *states)`.
        go_backwards: walks from the last step to the first; outputs come in the order of the walk.
        stateful: starts each batch with the states in which the last one ended; needs a fixed batch size.
        unroll: compiles the steps one after the other in place of a loop; faster for short sequences.
        zero_output_for_mask: hidden steps give zeros in place of the previous output.

    >>> RNN(LSTMCell(4), return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for needed in ("call", "state_size"):
            if not hasattr(cell, needed):
                raise ValueError(f"{type(self).__name__} expected a cell with `call` and `state_size`, got {cell!r} without {needed}.")
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask
        self.input_spec = InputSpec(min_ndim=3)
        self.supports_masking = True
        self._memories: list[_Memory] = []

    # -------------------------------------------------------------------------------------------- shapes and states

    def build(self, sequences_shape, initial_state_shape=None):
        cell, step_shape = self.cell, (sequences_shape[0], *sequences_shape[2:])
        if isinstance(cell, Layer):
            if not cell.built:
                cell.build(step_shape)
            if any(not part.built for part in cell._flatten_layers(include_self=False)):
                abstract.output_spec(cell.call, KerasTensor(step_shape, self.compute_dtype), self._state_specs(sequences_shape[0]))
        elif hasattr(cell, "build") and not getattr(cell, "built", False):
            cell.build(step_shape)
        self._projects = isinstance(cell, RecurrentCell) and cell.projects
        self._fused = self._projects and cell.is_standard
        if self.stateful:
            self._remember(sequences_shape[0])

    def _remember(self, batch_size):
        if batch_size is None:
            raise ValueError(f"{type(self).__name__} {self.name!r} is stateful, so it needs a fixed batch size: Input(batch_size=...).")
        self._memories = [_Memory(spec.shape, self.variable_dtype, self.backend) for spec in tree.flatten(self._state_specs(batch_size))]

    def _state_specs(self, batch_size) -> list:
        """The states as symbolic tensors, in the structure that the cell takes."""
        return [_map_sizes(lambda size: KerasTensor((batch_size, *size), self.compute_dtype), size) for size in self._state_sizes()]

    def _state_sizes(self) -> list:
        """The sizes of the states, as a list; with several cells, a list of one list per cell."""
        sizes = self.cell.state_size
        if isinstance(self.cell, StackedRNNCells):
            return [size if _holds_sizes(size) else [size] for size in sizes]
        return list(sizes) if _holds_sizes(sizes) else [sizes]

    def _output_size(self) -> tuple:
        size = getattr(self.cell, "output_size", None)
        if size is None:
            size = self._state_sizes()[0]
        return _as_size(size)

    def get_initial_state(self, batch_size):
        """The states before the first step: the cell's own, else zeros."""
        make = getattr(self.cell, "get_initial_state", None)
        if make is not None:
            states = make(batch_size=batch_size)
            return list(states) if tree.is_nested(states) else [states]
        return [_map_sizes(lambda size: ops.zeros((batch_size, *size), dtype=self.compute_dtype), size) for size in self._state_sizes()]

    def _first_states(self, sequences: Any) -> list:
        return self.get_initial_state(ops.shape(sequences)[0])

    @property
    def states(self) -> list | None:
        """The variables that hold the states between batches, None where the layer is not stateful or not built."""
        return [memory.state for memory in self._memories] or None

    def _keep(self, values: Any) -> None:
        for memory, value in zip(self._memories, tree.flatten(values), strict=True):
            memory.state.assign(value)

    def reset_state(self) -> None:
        """Sets the states of a stateful layer to what they are before a first batch."""
        if self._memories:
            self._keep(self.get_initial_state(self._memories[0].state.shape[0]))

    reset_states = reset_state

    # -------------------------------------------------------------------------------------------- the loop

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is not None:
            states = list(initial_state) if isinstance(initial_state, (list, tuple)) else [initial_state]
        elif self._memories:
            like = self._state_specs(sequences.shape[0])
            states = tree.pack_sequence_as(like, [ops.cast(memory.state, self.compute_dtype) for memory in self._memories])
        else:
            states = self._first_states(sequences)
        if isinstance(mask, (list, tuple)):
            mask = next((m for m in tree.flatten(mask) if m is not None), None)
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        if self._memories:
            self._keep(states)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """`(last output, all outputs, last states)` of the walk over (batch, time, ...)."""
        if self.go_backwards:
            sequences = ops.flip(sequences, 1)
            mask = mask if mask is None else ops.flip(mask, 1)
        cell, plain = self.cell, mask is None
        with self._running(sequences, initial_state, training):
            if self._fused and not (training and cell.recurrent_dropout) and (plain or len(mask.shape) == 2):
                inputs = cell.dropped(sequences, training)
                outputs, *states = cell.whole_sequence(inputs, *initial_state, cell.kernel, cell.recurrent_kernel, cell.bias, mask)
                if plain:
                    return states[0], outputs, states
                if self.zero_output_for_mask:
                    outputs = ops.where(ops.expand_dims(ops.cast(mask, "bool"), 2), outputs, 0.0)
                return outputs[:, -1], outputs, states
            steps = ops.swapaxes(cell.project(sequences, training) if self._projects else sequences, 0, 1)
            unroll = steps.shape[0] or 1 if self.unroll else 1
            step = self._step(initial_state, training)
            if plain:
                states, outputs = ops.scan(step, initial_state, steps, unroll=unroll)
                return outputs[-1], ops.swapaxes(outputs, 0, 1), states
            return self._masked_walk(step, steps, ops.swapaxes(ops.cast(mask, "bool"), 0, 1), initial_state, unroll)

    def _masked_walk(self, step, steps, mask, states, unroll):
        nothing = ops.zeros((ops.shape(steps)[1], *self._output_size()), dtype=ops.dtype(steps))

        def masked_step(carried, given):
            (states, previous), (x, seen) = carried, given

            def choose(new, old):
                return ops.where(ops.reshape(seen, (-1, *(1,) * (len(new.shape) - 1))), new, old)

            new_states, output = step(states, x)
            shown = choose(output, nothing if self.zero_output_for_mask else previous)
            return (tree.map_structure(choose, new_states, states), shown), shown

        (states, last), outputs = ops.scan(masked_step, (states, nothing), (steps, mask), unroll=unroll)
        return last, ops.swapaxes(outputs, 0, 1), states

    def _step(self, like: list, training: bool) -> Callable:
        """`(states, inputs of a step) -> (new states, output)`."""
        cell = self.cell
        if self._projects:
            run = cell.advance
        else:
            run = cell.call if isinstance(cell, Layer) else cell
        takes_training = self._projects or isinstance(cell, Layer) and cell._call_spec.training
        options = {"training": training} if takes_training else {}

        def step(states, inputs):
            output, new = run(inputs, states, **options)
            return tree.pack_sequence_as(like, tree.flatten(new)), output

        return step

    @contextlib.contextmanager
    def _running(self, sequences: Any, states: list, training: bool) -> Iterator[None]:
        """While this is open, the cell has its weights in the compute dtype, and one dropout mask per sequence."""
        cell = self.cell
        drops = training and hasattr(cell, "begin")
        if drops:
            cell.end()
            cell.begin(sequences[:, 0], states)
        try:
            if self.compute_dtype == self.variable_dtype or not isinstance(cell, Layer):
                yield
            else:
                own = [variable for part in cell._flatten_layers() for variable in part._own_variables()]
                with swapped(*cast_for_compute(own, self.compute_dtype)):
                    yield
        finally:
            if drops:
                cell.end()

    def compute_mask(self, _, mask):
        mask = next((m for m in tree.flatten(mask) if m is not None), None)
        mask = mask if self.return_sequences else None
        return [mask, *(None for _ in tree.flatten(self._state_specs(None)))] if self.return_state else mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None, mask_shape=None):
        batch, size = sequences_shape[0], self._output_size()
        output = (batch, sequences_shape[1], *size) if self.return_sequences else (batch, *size)
        if not self.return_state:
            return output
        return (output, *tree.map_structure(lambda spec: spec.shape, self._state_specs(batch)))

    # -------------------------------------------------------------------------------------------- config

    def _loop_config(self) -> dict:
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    def get_config(self) -> dict:
        return {**self._loop_config(), "cell": registry.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        return cls(registry.deserialize_keras_object(config.pop("cell"), custom_objects=custom_objects), **config)


class CellLayer(RNN):
    """An `RNN` of one kind of cell, made from the cell's arguments. A base class."""

    def get_config(self) -> dict:
        cell = {key: value for key, value in self.cell.get_config().items() if key not in ("name", "trainable", "dtype")}
        return {**self._loop_config(), **cell, "activity_regularizer": regularizers.serialize(self.activity_regularizer)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def shows_cell(*names: str) -> Callable[[type], type]:
    """Gives a class properties that are those of its cell."""

    def with_properties(cls: type) -> type:
        for name in names:
            of_cell = property(lambda self, name=name: getattr(self.cell, name), doc=f"`{name}` of the cell.")  # type: ignore[misc]
            setattr(cls, name, of_cell)
        return cls

    return with_properties


CELL_OPTIONS = (
    "units", "activation", "use_bias", "kernel_initializer", "recurrent_initializer", "bias_initializer", "kernel_regularizer",
    "recurrent_regularizer", "bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
    "recurrent_dropout",
)  # fmt: skip


def _holds_sizes(size: Any) -> bool:
    """Whether `size` is a list of state sizes, not one size: an integer or a tuple of integers is a shape where it stands in a list."""
    return isinstance(size, (list, tuple))


def _as_size(size: Any) -> tuple:
    return (size,) if isinstance(size, int) or size is None else tuple(size)


def _map_sizes(function: Callable, size: Any) -> Any:
    """`function` of each size in a nested structure; integers and tuples of integers are sizes."""
    if isinstance(size, (list, tuple)) and any(isinstance(part, (list, tuple)) for part in size) or isinstance(size, list):
        return [_map_sizes(function, part) for part in size]
    return function(_as_size(size))


__all__ = ["RNN"]
