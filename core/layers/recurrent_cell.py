"""What the cells of recurrent layers share: their weights, their dropout, their config."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core import activations, constraints, initializers, ops, random, regularizers
from core.layers.dropout import check_rate
from core.layers.layer import Layer
from core.state.seed import SeedGenerator


class DropoutCell(Layer):
    """A cell that draws one dropout mask per sequence for its inputs and one for its first state."""

    def __init__(self, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.dropout, self.recurrent_dropout = check_rate(name, dropout or 0.0), check_rate(name, recurrent_dropout or 0.0)
        self.seed, self.seed_generator = seed, SeedGenerator(seed)
        self._masks: Any = None

    _untracked = Layer._untracked | {"_masks"}

    def _mask(self, kind: str, rate: float, like: Any) -> Any:
        if rate == 0:
            return None
        if self._masks is None:
            self._masks = {}
        if kind not in self._masks:
            self._masks[kind] = random.dropout(ops.ones_like(like), rate, seed=self.seed_generator)
        return self._masks[kind]

    def get_dropout_mask(self, step_input):
        """What the inputs of a step are multiplied by in training, the same until `reset_dropout_mask`; None without dropout."""
        return self._mask("inputs", self.dropout, step_input)

    def get_recurrent_dropout_mask(self, step_input):
        """What the state is multiplied by in training, the same until `reset_recurrent_dropout_mask`; None without dropout."""
        return self._mask("state", self.recurrent_dropout, step_input)

    def reset_dropout_mask(self):
        """Forgets the mask of the inputs: the next sequence gets another."""
        if self._masks:
            self._masks.pop("inputs", None)

    def reset_recurrent_dropout_mask(self):
        """Forgets the mask of the state."""
        if self._masks:
            self._masks.pop("state", None)

    def begin(self, step_input: Any, states: Any) -> None:
        """Draws the masks of a sequence, before its loop."""
        self.get_dropout_mask(step_input)
        self.get_recurrent_dropout_mask(states[0])

    def end(self) -> None:
        """Forgets the masks, after the loop."""
        self._masks = None


class RecurrentCell(DropoutCell):
    """A cell with a kernel for inputs, one for its state, and a bias, each with several `gates` side by side.

    `call` is `advance(project(inputs), states)`, so that a layer can project a whole sequence at once. Subclasses define both, and may
    name the op that runs a whole sequence.
    """

    gates = 1
    state_count = 1
    whole_sequence: Callable | None = None  # the op that is a loop over this cell with its default activations

    def __init__(self, *, options: dict, recurrent_activation=None, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = options["use_bias"]
        self.activation = activations.get(options["activation"])
        if recurrent_activation is not None:
            self.recurrent_activation = activations.get(recurrent_activation)
        for part in _PARTS:
            setattr(self, f"{part}_initializer", initializers.get(options[f"{part}_initializer"]))
            setattr(self, f"{part}_regularizer", regularizers.get(options[f"{part}_regularizer"]))
            setattr(self, f"{part}_constraint", constraints.get(options[f"{part}_constraint"]))

    def _add_weights(self, kernel_shape, recurrent_shape, bias_shape):
        self.kernel = self._weight("kernel", kernel_shape, self.kernel_initializer)
        self.recurrent_kernel = self._weight("recurrent", recurrent_shape, self.recurrent_initializer, "recurrent_kernel")
        self.bias = self._weight("bias", bias_shape, self._initial_bias) if self.use_bias else None

    def _weight(self, part, shape, initializer, name=None):
        regularizer, constraint = getattr(self, f"{part}_regularizer"), getattr(self, f"{part}_constraint")
        return self.add_weight(shape, initializer, regularizer=regularizer, constraint=constraint, name=name or part)

    def _initial_bias(self, shape, dtype=None):
        return self.bias_initializer(shape, dtype=dtype)

    @property
    def is_standard(self) -> bool:
        """Whether `whole_sequence` computes what a loop over this cell does."""
        if self.whole_sequence is None:
            return False
        return self.activation is activations.get("tanh") and getattr(self, "recurrent_activation", _SIGMOID) is _SIGMOID

    @property
    def projects(self) -> bool:
        """Whether `call` is still `advance` after `project`, no subclass having changed it."""
        return type(self).call is RecurrentCell.call

    def project(self, inputs, training=False):
        """The inputs' part of the gates, of one step (batch, ...) or of a sequence (batch, time, ...)."""
        raise TypeError(f"{type(self).__name__} defines no `project(inputs, training)`.")

    def advance(self, projected, states, training=False):
        """The output and the new states, from the projected inputs of a step."""
        raise TypeError(f"{type(self).__name__} defines no `advance(projected, states, training)`.")

    def remembered(self, h, training=False):
        """The state `h` times the recurrent dropout mask."""
        return h * self.get_recurrent_dropout_mask(h) if training and self.recurrent_dropout > 0 else h

    def call(self, inputs, states, training=False):
        states = states if isinstance(states, (list, tuple)) else [states]
        return self.advance(self.project(inputs, training), states, training)

    def get_config(self) -> dict:
        config = {**super().get_config(), "activation": activations.serialize(self.activation), "use_bias": self.use_bias}
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = activations.serialize(self.recurrent_activation)
        for part in _PARTS:
            config[f"{part}_initializer"] = initializers.serialize(getattr(self, f"{part}_initializer"))
            config[f"{part}_regularizer"] = regularizers.serialize(getattr(self, f"{part}_regularizer"))
            config[f"{part}_constraint"] = constraints.serialize(getattr(self, f"{part}_constraint"))
        return {**config, "dropout": self.dropout, "recurrent_dropout": self.recurrent_dropout, "seed": self.seed}


class DenseCell(RecurrentCell):
    """A recurrent cell whose products are dense, with `units` outputs."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"{type(self).__name__} expected `units` as a positive integer, got {units!r}.")
        self.units = self.output_size = units
        self.state_size = units if self.state_count == 1 else [units] * self.state_count

    def build(self, input_shape):
        width = self.gates * self.units
        self._add_weights((input_shape[-1], width), (self.units, width), self._bias_shape())

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _input_bias(self):
        return self.bias

    def project(self, inputs, training=False):
        return ops.dense(self.dropped(inputs, training), self.kernel, self._input_bias())

    def dropped(self, inputs, training=False):
        """`inputs` times the dropout mask."""
        if not training or self.dropout == 0:
            return inputs
        if len(inputs.shape) == 2:
            return inputs * self.get_dropout_mask(inputs)
        return inputs * ops.expand_dims(self.get_dropout_mask(inputs[:, 0]), 1)

    def get_initial_state(self, batch_size=None):
        """Zeros, one tensor (batch, units) per state."""
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in range(self.state_count)]

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


_PARTS = ("kernel", "recurrent", "bias")
_SIGMOID = activations.get("sigmoid")
