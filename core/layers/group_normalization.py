"""`GroupNormalization`."""

from __future__ import annotations

from core import constraints, initializers, ops, regularizers
from core.base import shapes
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class GroupNormalization(Layer):
    """The inputs with mean 0 and variance 1 in each group of channels of each example, times `gamma`, plus `beta`. Wu and He, 2018.

    Args:
        groups: number of groups, a divisor of the channels; -1 gives each channel its own (instance normalization).
        axis: the channels.
        epsilon: added to the variance.
        center, scale: whether there is a `beta`, a `gamma`, one value per channel.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.

    >>> GroupNormalization(groups=2)(np.ones((1, 4, 4, 6))).shape
    (1, 4, 4, 6)
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.groups, self.axis, self.epsilon, self.center, self.scale = groups, axis, epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = initializers.get(beta_initializer), initializers.get(gamma_initializer)
        self.beta_regularizer, self.gamma_regularizer = regularizers.get(beta_regularizer), regularizers.get(gamma_regularizer)
        self.beta_constraint, self.gamma_constraint = constraints.get(beta_constraint), constraints.get(gamma_constraint)
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        axis = shapes.normalize_axis(self.axis, len(input_shape))
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"GroupNormalization needs a known number of channels, got shape {input_shape} with axis {self.axis}.")
        if self.groups == -1:
            self.groups = channels
        if self.groups < 1 or channels % self.groups:
            raise ValueError(f"GroupNormalization: {channels} channels cannot be split into {self.groups} groups; choose a divisor.")
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: channels})
        if self.scale:
            self.gamma = self.add_weight(
                (channels,), self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint, name="gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                (channels,), self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint, name="beta"
            )

    def call(self, inputs):
        y = ops.group_normalization(inputs, self.groups, self.gamma, self.beta, self.axis, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        shapes.normalize_axis(self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


__all__ = ["GroupNormalization"]
