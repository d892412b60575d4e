"""`Dense`: the fully connected layer."""

from __future__ import annotations

from typing import Any

from core import activations, constraints, initializers, ops, regularizers
from core.layers.input_spec import InputSpec
from core.layers.lora import LowRankLayer


class Dense(LowRankLayer):
    """`activation(inputs @ kernel + bias)` over the last axis: (batch, ..., in) becomes (batch, ..., units).

    Args:
        units: size of the last axis of the outputs.
        activation: name or function; None for none.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: initial values of the kernel (in, units) and the bias (units,).
        kernel_regularizer, bias_regularizer: penalties on them.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, bias_constraint: projections after each update.
        lora_rank, lora_alpha: where given, the kernel gets a low-rank update; see `enable_lora`.

    Raises:
        ValueError: inputs with less than two dimensions, or with another last axis than the layer was built for.

    >>> Dense(8)(np.ones((2, 3), "float32")).shape
    (2, 8)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"Dense needs a positive integer of units, got {units!r}.")
        super().__init__(activity_regularizer=activity_regularizer, lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.quantization_config = quantization_config
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        self._kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint, name="bias"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})
        if self.lora_rank:
            self._add_factors(self.lora_rank, lora_alpha=self.lora_alpha)

    @property
    def kernel(self):
        """The (in, units) kernel, its low-rank update included."""
        return self._adaptable() if self.lora_enabled or not self.built else self._kernel

    def call(self, inputs):
        x = ops.dense(inputs, self.kernel if self.lora_enabled else self._kernel, self.bias)
        return x if self.activation is activations.linear else self.activation(x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": self.quantization_config,
            **self._lora_config(),
        }
