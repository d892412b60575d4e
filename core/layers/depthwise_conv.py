"""Convolutions of each channel by itself."""

from __future__ import annotations

from typing import Any

from core import constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.layers.conv import ConvLayer


class BaseDepthwiseConv(ConvLayer):
    """`activation(depthwise_conv(inputs, kernel) + bias)`."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer, bias_regularizer,
            bias_constraint, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        if depth_multiplier < 1:
            raise ValueError(f"{type(self).__name__} needs a positive depth_multiplier, got {depth_multiplier}.")
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def _kernel_shape(self, input_shape: Any) -> tuple[int, ...]:
        return (*self.kernel_size, self._channels(input_shape), self.depth_multiplier)

    def build(self, input_shape):
        shape = self._kernel_shape(input_shape)
        self.kernel = self.add_weight(
            shape, self.depthwise_initializer, regularizer=self.depthwise_regularizer, constraint=self.depthwise_constraint, name="kernel"
        )
        self._add_bias(shape[-2] * shape[-1], input_shape)

    def _convolved(self, inputs: Any, kernel: Any) -> Any:
        return ops.depthwise_conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def call(self, inputs):
        return self._finished(self._convolved(inputs, self.kernel))

    def compute_output_shape(self, input_shape):
        return self._convolved(KerasTensor(input_shape), KerasTensor(self._kernel_shape(input_shape))).shape

    def get_config(self):
        return {
            **super().get_config(),
            **self._base_config(
                "depth_multiplier", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation", "use_bias",
                "depthwise_initializer", "bias_initializer", "depthwise_regularizer", "bias_regularizer", "activity_regularizer",
                "depthwise_constraint", "bias_constraint",
            ),
        }  # fmt: skip


class DepthwiseConv1D(BaseDepthwiseConv):
    """A convolution of each channel by itself: (batch, steps, channels) becomes (batch, new steps, channels * depth_multiplier).

    Args:
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as in `Conv1D`; no causal padding.
        depth_multiplier: number of outputs per channel.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel (kernel_size, channels, depth_multiplier).
        bias_initializer, bias_regularizer, bias_constraint, activity_regularizer: as in `Dense`.

    >>> DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 10, 5), "float32")).shape
    (2, 8, 10)
    """

    rank = 1


class DepthwiseConv2D(BaseDepthwiseConv):
    """A convolution of each channel by itself: (batch, height, width, channels) becomes (batch, ..., channels * depth_multiplier).

    Args:
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as in `Conv2D`.
        depth_multiplier: number of outputs per channel.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of the kernel (*kernel_size, channels, depth_multiplier).
        bias_initializer, bias_regularizer, bias_constraint, activity_regularizer: as in `Dense`.

    >>> DepthwiseConv2D(3)(np.ones((2, 8, 8, 3), "float32")).shape
    (2, 6, 6, 3)
    """

    rank = 2
