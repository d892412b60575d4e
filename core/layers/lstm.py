"""`LSTM` and its cell."""

from __future__ import annotations

from core import ops
from core.layers.recurrent_cell import DenseCell
from core.layers.rnn import CELL_OPTIONS, CellLayer, shows_cell
from core.ops import recurrent


class LSTMCell(DenseCell):
    """One step of a long short-term memory: returns the output h and the states [h, c]. Hochreiter and Schmidhuber, 1997.

    With gates i, f, o and candidate g: `c = f * c + i * g`, `h = o * activation(c)`. In the kernels they lie in the order i, f, g, o.

    Args:
        units: size of the state and the outputs.
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, 4 * units), the
            recurrent kernel (units, 4 * units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        unit_forget_bias: starts the bias of f at 1 (Jozefowicz et al., 2015).

    >>> zeros = np.zeros((2, 4), "float32")
    >>> LSTMCell(4)(np.ones((2, 3), "float32"), [zeros, zeros])[0].shape
    (2, 4)
    """

    gates = 4
    state_count = 2
    whole_sequence = staticmethod(recurrent.lstm)

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        options = {
            "activation": activation, "use_bias": use_bias, "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer,
            "recurrent_initializer": recurrent_initializer, "kernel_regularizer": kernel_regularizer, "bias_regularizer": bias_regularizer,
            "recurrent_regularizer": recurrent_regularizer, "kernel_constraint": kernel_constraint, "bias_constraint": bias_constraint,
            "recurrent_constraint": recurrent_constraint,
        }  # fmt: skip
        super().__init__(
            units, options=options, recurrent_activation=recurrent_activation, dropout=dropout, recurrent_dropout=recurrent_dropout,
            seed=seed, **kwargs,
        )  # fmt: skip
        self.unit_forget_bias = unit_forget_bias

    def _initial_bias(self, shape, dtype=None):
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        units = self.units
        parts = [self.bias_initializer((units,), dtype=dtype), ops.ones((units,), dtype), self.bias_initializer((2 * units,), dtype=dtype)]
        return ops.concatenate(parts)

    def advance(self, projected, states, training=False):
        h, c = states
        i, f, g, o = ops.split(projected + ops.matmul(self.remembered(h, training), self.recurrent_kernel), 4, axis=-1)
        gate, activation = self.recurrent_activation, self.activation
        c = gate(f) * c + gate(i) * activation(g)
        h = gate(o) * activation(c)
        return h, [h, c]

    def get_config(self) -> dict:
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


@shows_cell(*CELL_OPTIONS, "recurrent_activation", "unit_forget_bias")
class LSTM(CellLayer):
    """The last output (batch, units), or with `return_sequences` all of them, of `LSTMCell` over (batch, time, features).

    Without recurrent dropout and with the default activations, the framework's fused kernel runs.

    Args:
        units: size of the state and the outputs.
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, 4 * units), the
            recurrent kernel (units, 4 * units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.
        unit_forget_bias: starts the bias of the forget gate at 1.
        use_cudnn: kept for Keras' sake; each framework chooses its kernel by itself.

    >>> LSTM(4, return_sequences=True)(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        use_cudnn="auto",
        **kwargs,
    ):
        kwargs.pop("implementation", None)  # in old files
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="lstm_cell",
        )
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn


__all__ = ["LSTM", "LSTMCell"]
