"""`SimpleRNN` and its cell."""

from __future__ import annotations

from core import ops
from core.layers.recurrent_cell import DenseCell
from core.layers.rnn import CELL_OPTIONS, CellLayer, shows_cell
from core.ops import recurrent


class SimpleRNNCell(DenseCell):
    """One step of `h = activation(x @ kernel + h @ recurrent_kernel + bias)`: returns the output h and the states [h].

    Args:
        units: size of the state and the outputs.
        activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, units), the
            recurrent kernel (units, units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.

    >>> SimpleRNNCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])[0].shape
    (2, 4)
    """

    whole_sequence = staticmethod(recurrent.simple_rnn)

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
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
        super().__init__(units, options=options, dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed, **kwargs)

    def advance(self, projected, states, training=False):
        h = self.activation(projected + ops.matmul(self.remembered(states[0], training), self.recurrent_kernel))
        return h, [h]


@shows_cell(*CELL_OPTIONS)
class SimpleRNN(CellLayer):
    """The last output (batch, units), or with `return_sequences` all of them, of `SimpleRNNCell` over (batch, time, features).

    Elman, 1990.

    Args:
        units: size of the state and the outputs.
        activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, units), the
            recurrent kernel (units, units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.

    >>> SimpleRNN(4)(np.ones((2, 5, 3), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        cell = SimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
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
            name="simple_rnn_cell",
        )
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip

    def get_config(self) -> dict:
        config = super().get_config()
        del config["seed"]  # files do not have it
        return config


__all__ = ["SimpleRNN", "SimpleRNNCell"]
