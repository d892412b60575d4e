"""Convolutions over one, two and three spatial axes."""

from __future__ import annotations

from typing import Any

from core import activations, constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.lora import LowRankLayer


class ConvLayer(LowRankLayer):
    """What convolutions share: the geometry of windows, the bias, the activation. `rank` counts the spatial axes."""

    rank: int

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.kernel_size = windows.spatial(kernel_size, self.rank, "kernel_size")
        self.strides = windows.spatial(strides, self.rank, "strides")
        self.dilation_rate = windows.spatial(dilation_rate, self.rank, "dilation_rate")
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in self._paddings():
            raise ValueError(f"{type(self).__name__} takes padding {' or '.join(map(repr, self._paddings()))}, got {padding!r}.")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{type(self).__name__}: strides and dilation_rate cannot both be above 1, got {self.strides} and {self.dilation_rate}."
            )
        self.data_format = config.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _paddings(self) -> tuple[str, ...]:
        return ("valid", "same")

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels(self, input_shape: Any) -> int:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(f"{type(self).__name__} {self.name!r} needs to know the channels, got inputs of shape {tuple(input_shape)} "
                             f"(axis {self._channel_axis}).")  # fmt: skip
        return channels

    def _add_bias(self, size: int, input_shape: Any) -> None:
        """Creates the bias, and notes what the layer accepts from now on."""
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (size,), self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias"
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channel_axis: input_shape[self._channel_axis]})

    def _finished(self, x: Any) -> Any:
        """With the bias and the activation."""
        if self.bias is not None:
            x = ops.add(x, self.bias if self.data_format == "channels_last" else ops.reshape(self.bias, (1, -1, *(1,) * self.rank)))
        return self._activated(x)

    def _activated(self, x: Any) -> Any:
        return x if self.activation is activations.linear else self.activation(x)

    def _base_config(self, *names: str) -> dict:
        """The config of attributes; what is an initializer, regularizer or constraint is told by the name."""
        families = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints, "activation": activations}
        written = {}
        for name in names:
            family = families.get(name.rpartition("_")[2])
            written[name] = getattr(self, name) if family is None else family.serialize(getattr(self, name))
        return written


class BaseConv(ConvLayer):
    """`activation(conv(inputs, kernel) + bias)`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer, bias_regularizer,
            bias_constraint, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        if filters < 1 or groups < 1 or filters % groups:
            raise ValueError(
                f"{type(self).__name__} needs positive filters that divide into the groups, got filters={filters} and groups={groups}."
            )
        self.filters, self.groups = filters, groups
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def _kernel_shape(self, input_shape: Any) -> tuple[int, ...]:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(f"{type(self).__name__} {self.name!r} expected channels that divide into {self.groups} groups, got inputs of "
                             f"shape {tuple(input_shape)} with {channels} channels.")  # fmt: skip
        return (*self.kernel_size, channels // self.groups, self.filters)

    def build(self, input_shape):
        self._kernel = self.add_weight(
            self._kernel_shape(input_shape),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters, input_shape)
        if self.lora_rank:
            self._add_factors(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self):
        """The kernel (*kernel_size, channels / groups, filters), its low-rank update included."""
        return self._adaptable() if self.lora_enabled or not self.built else self._kernel

    def convolution_op(self, inputs, kernel):
        """The convolution alone; a subclass may define another one."""
        return ops.conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs):
        if self.bias is None or type(self).convolution_op is not BaseConv.convolution_op:
            return self._finished(self.convolution_op(inputs, self.kernel))
        y = ops.biased_conv(inputs, self.kernel, self.bias, self.strides, self.padding, self.data_format, self.dilation_rate)
        return self._activated(y)

    def compute_output_shape(self, input_shape):
        return self.convolution_op(KerasTensor(input_shape), KerasTensor(self._kernel_shape(input_shape))).shape

    def get_config(self):
        return {
            **super().get_config(),
            **self._base_config(
                "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "groups", "activation", "use_bias",
                "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
                "kernel_constraint", "bias_constraint",
            ),
            **self._lora_config(),
        }  # fmt: skip


class Conv1D(BaseConv):
    """Cross-correlation of sequences (batch, steps, channels) with `filters` windows: (batch, new steps, filters) comes out.

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, dilation_rate: length, step and spread of the window.
        padding: `"valid"` (none), `"same"` (steps become ceil(steps / strides)) or `"causal"` (output t sees inputs up to t).
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.
        groups: channels and filters are split into that many groups, each convolved by itself.
        activation: name or function; None for none.
        use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint,
            bias_constraint: as in `Dense`.

    >>> Conv1D(4, 3)(np.ones((2, 10, 5), "float32")).shape
    (2, 8, 4)
    """

    rank = 1

    def _paddings(self):
        return ("valid", "same", "causal")

    def convolution_op(self, inputs, kernel):
        if self.padding != "causal":
            return super().convolution_op(inputs, kernel)
        before = (0, 0), (self.dilation_rate[0] * (self.kernel_size[0] - 1), 0), (0, 0)
        order = (0, 1, 2) if self.data_format == "channels_last" else (0, 2, 1)
        inputs = ops.pad(inputs, [before[i] for i in order])
        return ops.conv(inputs, kernel, self.strides, "valid", self.data_format, self.dilation_rate)


class Conv2D(BaseConv):
    """Cross-correlation of images (batch, height, width, channels) with `filters` windows: (batch, new height, new width, filters).

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, dilation_rate: sizes, steps and spread of the window, one number or two.
        padding: `"valid"` (none) or `"same"` (sizes become ceil(size / strides)).
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.
        groups, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: as in `Conv1D`.

    >>> Conv2D(4, 3, padding="same", strides=2)(np.ones((2, 8, 8, 3), "float32")).shape
    (2, 4, 4, 4)
    """

    rank = 2


class Conv3D(BaseConv):
    """Cross-correlation of volumes (batch, depth, height, width, channels) with `filters` windows.

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, dilation_rate: sizes, steps and spread of the window, one number or three.
        padding, data_format, groups, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint: as in `Conv2D`.

    >>> Conv3D(4, 2)(np.ones((2, 4, 4, 4, 3), "float32")).shape
    (2, 3, 3, 3, 4)
    """

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
