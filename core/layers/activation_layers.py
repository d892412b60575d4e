"""Activations as layers: `Activation`, `ReLU`, `LeakyReLU`, `PReLU`, `ELU`, `Softmax`, and the penalty alone, `ActivityRegularization`."""

from __future__ import annotations

from typing import Any

from core import activations, constraints, initializers, ops, regularizers
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class _Elementwise(Layer):
    """A layer that keeps shapes and masks."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True


class Activation(_Elementwise):
    """`activation(inputs)`.

    Args:
        activation: name or function.

    >>> Activation("relu")(np.array([-1.0, 2.0], "float32"))
    array([0., 2.], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(_Elementwise):
    """`x` from `threshold` on, at most `max_value`, and `negative_slope * (x - threshold)` below.

    >>> ReLU(max_value=6.0)(np.array([-1.0, 9.0], "float32"))
    array([0., 6.], dtype=float32)
    """

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0 or threshold is None or threshold < 0 or (max_value is not None and max_value < 0):
            raise ValueError(
                f"ReLU needs values of at least 0, got max_value={max_value}, negative_slope={negative_slope}, threshold={threshold}."
            )
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self):
        return {**super().get_config(), "max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}


class LeakyReLU(_Elementwise):
    """`x` where it is positive, `negative_slope * x` elsewhere. Maas et al., 2013.

    >>> LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32"))
    array([-0.5,  2. ], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)  # Keras 2's name
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"LeakyReLU needs a negative_slope of at least 0, got {negative_slope}.")
        self.negative_slope = negative_slope

    def call(self, inputs):
        return ops.leaky_relu(inputs, self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


class PReLU(_Elementwise):
    """`x` where it is positive, `alpha * x` elsewhere, with `alpha` learned for each place. He et al., 2015.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of `alpha`, of the inputs' shape without the batch axis.
        shared_axes: axes along which `alpha` is the same, for example (1, 2) for one per channel of images.

    >>> PReLU(alpha_initializer="ones")(np.array([[-1.0, 2.0]], "float32"))
    array([[-1.,  2.]], dtype=float32)
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = shared_axes if shared_axes is None else [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape, self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint, name="alpha"
        )
        own = {i: d for i, d in enumerate(input_shape) if i and i not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs):
        return ops.relu(inputs) - ops.multiply(self.alpha, ops.relu(-inputs))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ELU(_Elementwise):
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere. Clevert et al., 2015.

    >>> ELU()(np.array([0.0, 2.0], "float32"))
    array([0., 2.], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return ops.elu(inputs, alpha=self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(_Elementwise):
    """Exponentials scaled to sum to one along `axis`, which may be several axes.

    A bool `mask` of the inputs' shape, or with fewer axes at the end, leaves out where it is False.

    >>> Softmax()(np.array([[0.0, 0.0]], "float32"))
    array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def call(self, inputs, mask=None):
        if mask is not None:
            for _ in range(len(inputs.shape) - len(mask.shape)):
                mask = ops.expand_dims(mask, -1)
            # Half of the lowest number: rows without any True become uniform rather than NaN.
            lowest = -3e4 if ops.dtype(inputs) == "float16" else -1e38
            inputs = ops.where(ops.cast(mask, "bool"), inputs, ops.cast(lowest, ops.dtype(inputs)))
        if isinstance(self.axis, int):
            return ops.softmax(inputs, axis=self.axis)
        return ops.exp(inputs - ops.logsumexp(inputs, axis=self.axis, keepdims=True))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class ActivityRegularization(_Elementwise):
    """The inputs; `l1` times the sum of their absolute values plus `l2` times that of their squares, per example, is added to the loss.

    >>> ActivityRegularization(l2=0.1)(np.ones((2, 3), "float32")).shape
    (2, 3)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = super().get_config()
        config.pop("activity_regularizer", None)  # made of the two numbers
        return {**config, "l1": self.l1, "l2": self.l2}
