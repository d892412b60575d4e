"""`Bidirectional`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import registry, tree
from core.layers.layer import Layer

_MODES = ("sum", "mul", "concat", "ave", None)


class Bidirectional(Layer):
    """A recurrent layer run forwards and a twin of it run backwards over (batch, time, ...), their outputs merged.

    Args:
        layer: an `RNN`, `LSTM` or `GRU`, or any layer with their arguments `go_backwards`, `return_sequences`, `return_state`.
        merge_mode: `"concat"` (along features), `"sum"`, `"mul"`, `"ave"`, or None for a list of both.
        weights: start values, as for `set_weights`.
        backward_layer: the layer for the way back, with the opposite `go_backwards`; a copy of `layer` where None.

    With `return_state` the outputs are followed by the states of both ways; `initial_state` takes them in the same order. Outputs of the
    way back are put into the order of time. A mask hides steps on both ways.

    >>> Bidirectional(LSTM(4))(np.ones((2, 5, 3), "float32")).shape
    (2, 8)
    """

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(f"Bidirectional expected a layer such as LSTM(8), got {layer!r}.")
        if merge_mode not in _MODES:
            raise ValueError(f"Bidirectional expected merge_mode as one of {_MODES}, got {merge_mode!r}.")
        super().__init__(**kwargs)
        config = registry.serialize_keras_object(layer)
        self.forward_layer = registry.deserialize_keras_object(config)
        if backward_layer is None:
            config["config"]["go_backwards"] = not layer.go_backwards
            config["config"]["name"] = f"backward_{layer.name.removeprefix('forward_')}"
            backward_layer = registry.deserialize_keras_object(config)
        if not self.forward_layer.name.startswith("forward_"):
            self.forward_layer.name = f"forward_{self.forward_layer.name}"
        self.backward_layer = backward_layer
        self._check_twins()
        self.merge_mode, self._start_weights = merge_mode, weights
        if layer.return_sequences:  # what hidden steps repeat would be another step on each way
            self.forward_layer.zero_output_for_mask = self.backward_layer.zero_output_for_mask = True
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = self.forward_layer.stateful
        self.supports_masking = True

    def _check_twins(self):
        one, other = self.forward_layer, self.backward_layer
        if one.go_backwards == other.go_backwards:
            raise ValueError(f"Bidirectional needs layers with opposite go_backwards, both have {one.go_backwards}.")
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(one, name) != getattr(other, name):
                raise ValueError(f"Bidirectional needs equal {name} in both layers, got {getattr(one, name)} and {getattr(other, name)}.")

    _untracked = Layer._untracked | {"_start_weights"}

    def build(self, sequences_shape, initial_state_shape=None):
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._start_weights is not None:
            half = len(self._start_weights) // 2
            self.forward_layer.set_weights(self._start_weights[:half])
            self.backward_layer.set_weights(self._start_weights[half:])

    def call(self, sequences, initial_state=None, mask=None, training=None):
        options = {"training": training} if self.forward_layer._call_spec.training else {}
        if mask is not None and self.forward_layer._call_spec.mask:
            options["mask"] = mask
        ours = theirs = {}
        if initial_state is not None:
            half = len(initial_state) // 2
            ours, theirs = {"initial_state": list(initial_state[:half])}, {"initial_state": list(initial_state[half:])}
        y, y_back = self.forward_layer(sequences, **ours, **options), self.backward_layer(sequences, **theirs, **options)
        states: tuple = ()
        if self.return_state:
            states = (*y[1:], *y_back[1:])
            y, y_back = y[0], y_back[0]
        if self.return_sequences:
            y_back = ops.flip(y_back, 1)
        outputs = self._merged(y, y_back)
        if not self.return_state:
            return outputs
        return (*outputs, *states) if self.merge_mode is None else (outputs, *states)

    def _merged(self, y: Any, y_back: Any) -> Any:
        match self.merge_mode:
            case "concat":
                return ops.concatenate([y, y_back], axis=-1)
            case "sum":
                return y + y_back
            case "ave":
                return ops.divide(y + y_back, 2.0)
            case "mul":
                return y * y_back
        return (y, y_back)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None, mask_shape=None):
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple = ()
        if self.return_state:
            shape, *one = shape
            states = (*one, *one)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], None if shape[-1] is None else 2 * shape[-1])
        outputs = (shape, shape) if self.merge_mode is None else shape
        if not self.return_state:
            return outputs
        return (*outputs, *states) if self.merge_mode is None else (outputs, *states)

    def compute_mask(self, _, mask):
        mask = next((m for m in tree.flatten(mask) if m is not None), None) if self.return_sequences else None
        output = [mask, mask] if self.merge_mode is None else mask
        if not self.return_state:
            return output
        count = 2 * len(tree.flatten(self.forward_layer.cell.state_size)) if hasattr(self.forward_layer, "cell") else 0
        return [*(output if isinstance(output, list) else [output]), *[None] * count]

    @property
    def states(self) -> tuple | None:
        """The kept states of both layers, None where they are not stateful or not built."""
        if not self.forward_layer.states:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def reset_state(self) -> None:
        """Sets the states of both layers to what they are before a first batch."""
        if self.stateful:
            self.forward_layer.reset_state()
            self.backward_layer.reset_state()

    reset_states = reset_state

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": registry.serialize_keras_object(self.forward_layer),
            "backward_layer": registry.serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = registry.deserialize_keras_object(config[name], custom_objects=custom_objects)
        return cls(**config)


__all__ = ["Bidirectional"]
