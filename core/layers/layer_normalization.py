"""`LayerNormalization`."""

from __future__ import annotations

from core import constraints, initializers, ops, regularizers
from core.base import shapes
from core.layers.layer import Layer


class LayerNormalization(Layer):
    """The inputs with mean 0 and variance 1 over `axis` in each example, times `gamma`, plus `beta`. Ba et al., 2016.

    Args:
        axis: axis or axes that are averaged over, and along which `gamma` and `beta` have a value each.
        epsilon: added to the variance.
        center, scale: whether there is a `beta`, a `gamma`.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.

    >>> LayerNormalization()(np.array([[1.0, 3.0]]))  # [[-1., 1.]], nearly
    """

    def __init__(
        self,
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
        self.rms_scaling = kwargs.pop("rms_scaling", False)  # kept for old files: scaling without centering; see RMSNormalization
        super().__init__(**kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise ValueError(f"LayerNormalization expected `axis` as an integer or a list of integers, got {axis!r}.")
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = initializers.get(beta_initializer), initializers.get(gamma_initializer)
        self.beta_regularizer, self.gamma_regularizer = regularizers.get(beta_regularizer), regularizers.get(gamma_regularizer)
        self.beta_constraint, self.gamma_constraint = constraints.get(beta_constraint), constraints.get(gamma_constraint)
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        axes = shapes.normalize_axes(self.axis, len(input_shape))
        self.axis = [self.axis] if isinstance(self.axis, int) else self.axis  # as files have it
        shape = tuple(input_shape[a] for a in axes)
        if self.scale or self.rms_scaling:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint, name="gamma"
            )
        if self.center and not self.rms_scaling:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint, name="beta"
            )

    def call(self, inputs):
        return ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling)

    def compute_output_shape(self, input_shape):
        shapes.normalize_axes(self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": self.rms_scaling,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


__all__ = ["LayerNormalization"]
