"""Transposed convolutions: sizes grow by the strides. Zeiler et al., 2010."""

from __future__ import annotations

from typing import Any

from core import constraints, initializers, ops, regularizers
from core.backend.symbolic import KerasTensor
from core.base import windows
from core.layers.conv import ConvLayer


class BaseConvTranspose(ConvLayer):
    """`activation(conv_transpose(inputs, kernel) + bias)`."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        if filters < 1:
            raise ValueError(f"{type(self).__name__} needs positive filters, got {filters}.")
        self.filters = filters
        self.output_padding = None if output_padding is None else windows.spatial(output_padding, self.rank, "output_padding", least=0)
        if self.output_padding is not None and any(p >= s for p, s in zip(self.output_padding, self.strides)):
            raise ValueError(f"{type(self).__name__}: output_padding must be below strides, got {self.output_padding} and {self.strides}.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def _kernel_shape(self, input_shape: Any) -> tuple[int, ...]:
        return (*self.kernel_size, self.filters, self._channels(input_shape))

    def build(self, input_shape):
        self.kernel = self.add_weight(
            self._kernel_shape(input_shape),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self._add_bias(self.filters, input_shape)

    def _convolved(self, inputs: Any, kernel: Any) -> Any:
        return ops.conv_transpose(inputs, kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate)

    def call(self, inputs):
        return self._finished(self._convolved(inputs, self.kernel))

    def compute_output_shape(self, input_shape):
        return self._convolved(KerasTensor(input_shape), KerasTensor(self._kernel_shape(input_shape))).shape

    def get_config(self):
        return {
            **super().get_config(),
            **self._base_config(
                "filters", "kernel_size", "strides", "padding", "output_padding", "data_format", "dilation_rate", "activation", "use_bias",
                "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
                "kernel_constraint", "bias_constraint",
            ),
        }  # fmt: skip


class Conv1DTranspose(BaseConvTranspose):
    """The transpose of a `Conv1D`: (batch, steps, channels) becomes (batch, about steps * strides, filters).

    Args:
        filters: number of channels of the outputs.
        kernel_size, strides, data_format, dilation_rate, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint: as in `Conv1D`; the kernel is
            (kernel_size, filters, channels).
        padding: with `"same"` n steps become n * strides, with `"valid"` n * strides + max(kernel_size - strides, 0).
        output_padding: steps to add at one end, below `strides`; None for the sizes above.

    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 3), "float32")).shape
    (2, 10, 4)
    """

    rank = 1


class Conv2DTranspose(BaseConvTranspose):
    """The transpose of a `Conv2D`: (batch, height, width, channels) becomes (batch, new height, new width, filters),
    where sizes are about `strides` times the old ones.

    Args:
        filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint:
            as in `Conv1DTranspose`.

    >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 5, 3), "float32")).shape
    (2, 10, 10, 4)
    """

    rank = 2


class Conv3DTranspose(BaseConvTranspose):
    """The transpose of a `Conv3D`: (batch, depth, height, width, channels), each spatial size grown by `strides`.

    Args:
        filters, kernel_size, strides, padding, data_format, output_padding, dilation_rate, activation, use_bias, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint:
            as in `Conv1DTranspose`.

    >>> Conv3DTranspose(4, 2, strides=2)(np.ones((1, 2, 2, 2, 3), "float32")).shape
    (1, 4, 4, 4, 4)
    """

    rank = 3

    def __init__(self, filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, output_padding=None, **kwargs):
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, **kwargs)


Convolution1DTranspose, Convolution2DTranspose, Convolution3DTranspose = Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
