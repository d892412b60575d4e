"""`GRU` and its cell."""

from __future__ import annotations

from core import ops
from core.layers.recurrent_cell import DenseCell
from core.layers.rnn import CELL_OPTIONS, CellLayer, shows_cell
from core.ops import recurrent


class GRUCell(DenseCell):
    """One step of a gated recurrent unit: returns the output h and the states [h]. Cho et al., 2014.

    With gates z (keep), r (reset) and candidate n: `h = z * h + (1 - z) * n`. In the kernels they lie in the order z, r, n.

    Args:
        units: size of the state and the outputs.
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, 3 * units), the
            recurrent kernel (units, 3 * units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        reset_after: whether r acts after the recurrent product, as fused kernels have it; the bias then is (2, 3 * units).

    >>> GRUCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])[0].shape
    (2, 4)
    """

    gates = 3
    whole_sequence = staticmethod(recurrent.gru)

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
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
        reset_after=True,
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
        self.reset_after = reset_after

    @property
    def is_standard(self) -> bool:
        return self.reset_after and super().is_standard

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self):
        return self.bias if self.bias is None or not self.reset_after else self.bias.value[0]

    def advance(self, projected, states, training=False):
        h, gate = states[0], self.recurrent_activation
        kept = self.remembered(h, training)
        z, r, n = ops.split(projected, 3, axis=-1)
        if self.reset_after:
            bias = None if self.bias is None else self.bias.value[1]
            hz, hr, hn = ops.split(ops.dense(kept, self.recurrent_kernel, bias), 3, axis=-1)
            z, r = gate(z + hz), gate(r + hr)
            n = self.activation(n + r * hn)
        else:
            kernel = self.recurrent_kernel.value
            hz, hr = ops.split(ops.matmul(kept, kernel[:, : 2 * self.units]), 2, axis=-1)
            z, r = gate(z + hz), gate(r + hr)
            n = self.activation(n + ops.matmul(r * kept, kernel[:, 2 * self.units :]))
        h = z * h + (1 - z) * n
        return h, [h]

    def get_config(self) -> dict:
        return {**super().get_config(), "reset_after": self.reset_after}


@shows_cell(*CELL_OPTIONS, "recurrent_activation", "reset_after")
class GRU(CellLayer):
    """The last output (batch, units), or with `return_sequences` all of them, of `GRUCell` over (batch, time, features).

    Without recurrent dropout, with `reset_after` and the default activations, the framework's fused kernel runs.

    Args:
        units: size of the state and the outputs.
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernel (in, 3 * units), the
            recurrent kernel (units, 3 * units), and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.
        reset_after: whether the reset gate acts after the recurrent product.
        use_cudnn: kept for Keras' sake; each framework chooses its kernel by itself.

    >>> GRU(4)(np.ones((2, 5, 3), "float32")).shape
    (2, 4)
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
        reset_after=True,
        use_cudnn="auto",
        **kwargs,
    ):
        kwargs.pop("implementation", None)  # in old files
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            reset_after=reset_after,
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
            name="gru_cell",
        )
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful, unroll=unroll,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.use_cudnn = use_cudnn


__all__ = ["GRU", "GRUCell"]
