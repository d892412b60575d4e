"""`ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`: LSTM whose products are convolutions."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.recurrent_cell import RecurrentCell
from core.layers.rnn import CELL_OPTIONS, CellLayer, shows_cell


class ConvLSTMCell(RecurrentCell):
    """One step over images (batch, *space, channels): returns the output h and the states [h, c], each (batch, *new space, filters)."""

    gates = 4
    state_count = 2

    def __init__(self, rank, filters, kernel_size, *, strides, padding, data_format, dilation_rate, unit_forget_bias, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"ConvLSTM{rank}D expected `filters` as a positive integer, got {filters!r}.")
        self.rank, self.filters, self.unit_forget_bias = rank, filters, unit_forget_bias
        self.kernel_size = windows.spatial(kernel_size, rank, "kernel_size")
        self.strides = windows.spatial(strides, rank, "strides")
        self.dilation_rate = windows.spatial(dilation_rate, rank, "dilation_rate")
        if padding not in ("valid", "same"):
            raise ValueError(f"ConvLSTM{rank}D takes padding 'valid' or 'same', got {padding!r}.")
        self.padding, self.data_format = padding, config.standardize_data_format(data_format)
        self.channel_axis = -1 if self.data_format == "channels_last" else 1
        self.state_size = [(None,) * (rank + 1)] * 2

    def build(self, input_shape):
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(f"ConvLSTM{self.rank}D needs to know the channels, got steps of shape {tuple(input_shape)}.")
        width = 4 * self.filters
        kernel_shape = (*self.kernel_size, channels, width)
        self._add_weights(kernel_shape, (*self.kernel_size, self.filters, width), (width,))
        found = windows.conv(tuple(input_shape), kernel_shape, self.strides, self.padding, self.data_format, self.dilation_rate)
        space = tuple(found.outputs)
        shape = (*space, self.filters) if self.channel_axis == -1 else (self.filters, *space)
        self.state_size, self.output_size = [shape, shape], shape

    def _initial_bias(self, shape, dtype=None):
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        one, two = (self.filters,), (2 * self.filters,)
        return ops.concatenate([self.bias_initializer(one, dtype=dtype), ops.ones(one, dtype), self.bias_initializer(two, dtype=dtype)])

    def project(self, inputs, training=False):
        whole = len(inputs.shape) == self.rank + 3
        if training and self.dropout > 0:
            mask = self.get_dropout_mask(inputs[:, 0] if whole else inputs)
            inputs = inputs * (ops.expand_dims(mask, 1) if whole else mask)
        shape = ops.shape(inputs)
        x = ops.reshape(inputs, (-1, *shape[2:])) if whole else inputs
        x = ops.conv(x, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        if self.bias is not None:
            bias_shape = (1, -1) if self.channel_axis == -1 else (1, -1, *(1,) * self.rank)
            x = x + ops.reshape(self.bias, bias_shape)
        return ops.reshape(x, (-1, shape[1], *ops.shape(x)[1:])) if whole else x

    def advance(self, projected, states, training=False):
        h, c = states
        recurrent = ops.conv(self.remembered(h, training), self.recurrent_kernel, 1, "same", self.data_format)
        i, f, g, o = ops.split(projected + recurrent, 4, axis=self.channel_axis)
        gate, activation = self.recurrent_activation, self.activation
        c = gate(f) * c + gate(i) * activation(g)
        h = gate(o) * activation(c)
        return h, [h, c]

    def get_initial_state(self, batch_size=None):
        """Zeros of the state's shape."""
        return [ops.zeros((batch_size, *shape), dtype=self.compute_dtype) for shape in self.state_size]

    def get_config(self) -> dict:
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "unit_forget_bias")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@shows_cell(
    *(name for name in CELL_OPTIONS if name != "units"), "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
    "recurrent_activation", "unit_forget_bias",
)  # fmt: skip
class _ConvLSTM(CellLayer):
    """What the layers of all ranks share."""

    rank: int

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
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
        **kwargs,
    ):
        options = {
            "activation": activation, "use_bias": use_bias, "kernel_initializer": kernel_initializer, "bias_initializer": bias_initializer,
            "recurrent_initializer": recurrent_initializer, "kernel_regularizer": kernel_regularizer, "bias_regularizer": bias_regularizer,
            "recurrent_regularizer": recurrent_regularizer, "kernel_constraint": kernel_constraint, "bias_constraint": bias_constraint,
            "recurrent_constraint": recurrent_constraint,
        }  # fmt: skip
        cell = ConvLSTMCell(
            self.rank, filters, kernel_size, strides=strides, padding=padding, data_format=data_format, dilation_rate=dilation_rate,
            unit_forget_bias=unit_forget_bias, options=options, recurrent_activation=recurrent_activation, dropout=dropout,
            recurrent_dropout=recurrent_dropout, seed=seed, dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True),
            name="conv_lstm_cell",
        )  # fmt: skip
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards, stateful=stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _first_states(self, sequences: Any) -> list:
        if None not in self.cell.state_size[0]:
            return super()._first_states(sequences)
        h = ops.split(ops.zeros_like(self.cell.project(sequences[:, 0])), 4, axis=self.cell.channel_axis)[0]
        return [h, h]

    def compute_output_shape(self, sequences_shape, initial_state_shape=None, mask_shape=None):
        if not self.cell.built:
            self.build(sequences_shape)
        return super().compute_output_shape(sequences_shape)


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over (batch, time, length, channels) whose products are convolutions. Shi et al., 2015.

    Args:
        filters: channels of the state and the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution of the inputs, as in `Conv1D`; that of the state has
            the same window, stride 1 and padding "same".
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        unit_forget_bias: starts the bias of the forget gate at 1.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernels and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.

    >>> ConvLSTM1D(4, 3, padding="same")(np.ones((2, 5, 8, 3), "float32")).shape
    (2, 8, 4)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over (batch, time, height, width, channels) whose products are convolutions. Shi et al., 2015.

    Args:
        filters: channels of the state and the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution of the inputs, as in `Conv2D`; that of the state has
            the same window, stride 1 and padding "same".
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        unit_forget_bias: starts the bias of the forget gate at 1.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernels and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.

    >>> ConvLSTM2D(4, 3, padding="same")(np.ones((2, 5, 8, 8, 3), "float32")).shape
    (2, 8, 8, 4)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over (batch, time, depth, height, width, channels) whose products are convolutions. Shi et al., 2015.

    Args:
        filters: channels of the state and the outputs.
        kernel_size, strides, padding, data_format, dilation_rate: of the convolution of the inputs, as in `Conv3D`; that of the state has
            the same window, stride 1 and padding "same".
        activation, recurrent_activation: name or function.
        use_bias: whether there is a bias.
        unit_forget_bias: starts the bias of the forget gate at 1.
        kernel_initializer, recurrent_initializer, bias_initializer, and _regularizer, _constraint alike: of the kernels and the bias.
        dropout, recurrent_dropout: share of the inputs, of the state, that training drops; one draw per sequence.
        return_sequences, return_state, go_backwards, stateful, zero_output_for_mask: as in `RNN`.
        activity_regularizer: penalty on the outputs.

    >>> ConvLSTM3D(4, 3, padding="same")(np.ones((2, 3, 4, 4, 4, 3), "float32")).shape
    (2, 4, 4, 4, 4)
    """

    rank = 3


__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]
