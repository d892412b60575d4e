"""Convolutions factored into a depthwise and a pointwise one. Chollet, 2016."""

from __future__ import annotations

from typing import Any

from core import constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.layers.conv import ConvLayer


class BaseSeparableConv(ConvLayer):
    """`activation(separable_conv(inputs, depthwise_kernel, pointwise_kernel) + bias)`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer, bias_regularizer,
            bias_constraint, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        if depth_multiplier < 1 or filters < 1:
            raise ValueError(f"{type(self).__name__} needs positive filters and depth_multiplier, got {filters} and {depth_multiplier}.")
        self.filters, self.depth_multiplier = filters, depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def _kernel_shapes(self, input_shape: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        channels = self._channels(input_shape)
        return (*self.kernel_size, channels, self.depth_multiplier), (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)

    def build(self, input_shape):
        depthwise, pointwise = self._kernel_shapes(input_shape)
        self.depthwise_kernel = self.add_weight(
            depthwise,
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )
        self.pointwise_kernel = self.add_weight(
            pointwise,
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
            name="pointwise_kernel",
        )
        self._add_bias(self.filters, input_shape)

    def _convolved(self, inputs: Any, depthwise: Any, pointwise: Any) -> Any:
        return ops.separable_conv(inputs, depthwise, pointwise, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs):
        return self._finished(self._convolved(inputs, self.depthwise_kernel, self.pointwise_kernel))

    def compute_output_shape(self, input_shape):
        return self._convolved(KerasTensor(input_shape), *map(KerasTensor, self._kernel_shapes(input_shape))).shape

    def get_config(self):
        return {
            **super().get_config(),
            **self._base_config(
                "depth_multiplier", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
                "use_bias", "depthwise_initializer", "pointwise_initializer", "bias_initializer", "depthwise_regularizer",
                "pointwise_regularizer",
                "bias_regularizer", "activity_regularizer", "depthwise_constraint", "pointwise_constraint", "bias_constraint",
            ),
        }  # fmt: skip


class SeparableConv1D(BaseSeparableConv):
    """A convolution of each channel by itself, then one over channels alone: (batch, steps, channels) becomes (batch, new steps, filters).

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as in `Conv1D`; no causal padding.
        depth_multiplier: number of channels in between, per channel of the inputs.
        depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer, pointwise_regularizer, bias_regularizer,
            activity_regularizer, depthwise_constraint, pointwise_constraint, bias_constraint: of the two kernels and the bias.

    >>> SeparableConv1D(4, 3)(np.ones((2, 10, 5), "float32")).shape
    (2, 8, 4)
    """

    rank = 1


class SeparableConv2D(BaseSeparableConv):
    """A convolution of each channel by itself, then one over channels alone: (batch, height, width, channels) becomes
    (batch, ..., filters).

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as in `Conv2D`.
        depth_multiplier: number of channels in between, per channel of the inputs.
        depthwise_initializer, pointwise_initializer, bias_initializer, depthwise_regularizer, pointwise_regularizer, bias_regularizer,
            activity_regularizer, depthwise_constraint, pointwise_constraint, bias_constraint: of the two kernels and the bias.

    >>> SeparableConv2D(4, 3)(np.ones((2, 8, 8, 3), "float32")).shape
    (2, 6, 6, 4)
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
