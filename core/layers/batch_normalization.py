"""`BatchNormalization`, with batch renormalization as an option."""

from __future__ import annotations

from core import constraints, initializers, ops, regularizers
from core.base import config, dtypes, shapes
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


class BatchNormalization(Layer):
    """The inputs with mean 0 and variance 1 per channel, times `gamma`, plus `beta`.

    In training, mean and variance are those of the batch, and `moving_mean` and `moving_variance` move towards them; otherwise, and
    where `trainable` is False, the moving ones are used. Steps that a mask hides do not count. Ioffe and Szegedy, 2015.

    Args:
        axis: the channels.
        momentum: share of the old moving value that each update keeps.
        epsilon: added to the variance.
        center, scale: whether there is a `beta`, a `gamma`.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.
        moving_mean_initializer, moving_variance_initializer: where the moving values start.
        renorm: corrects the batch's moments towards the moving ones (Ioffe, 2017).
        renorm_clipping: dict with `rmin`, `rmax` (limits of the factor), `dmax` (limit of the shift); unlimited where absent.
        renorm_momentum: `momentum` of the moving values that `renorm` uses.
        synchronized: averages over all replicas of a distributed step.

    >>> BatchNormalization()(np.array([[1.0], [3.0]]), training=True)  # [[-1.], [1.]], nearly
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if renorm_clipping is not None and (unknown := set(renorm_clipping) - {"rmin", "rmax", "dmax"}):
            raise ValueError(f"BatchNormalization: renorm_clipping takes the keys rmin, rmax, dmax, got {sorted(unknown)}.")
        self.axis, self.momentum, self.epsilon = int(axis), momentum, epsilon
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self.beta_initializer, self.gamma_initializer = initializers.get(beta_initializer), initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer, self.gamma_regularizer = regularizers.get(beta_regularizer), regularizers.get(gamma_regularizer)
        self.beta_constraint, self.gamma_constraint = constraints.get(beta_constraint), constraints.get(gamma_constraint)
        self.renorm, self.renorm_clipping, self.renorm_momentum = renorm, renorm_clipping, renorm_momentum
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        axis = shapes.normalize_axis(self.axis, rank)
        shape = (input_shape[axis],)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint, name="gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint, name="beta"
            )
        self.moving_mean = self._moving(shape, self.moving_mean_initializer, "moving_mean")
        self.moving_variance = self._moving(shape, self.moving_variance_initializer, "moving_variance")
        if self.renorm:
            self.moving_stddev = self._moving(shape, self._initial_stddev, "moving_stddev")
            self.renorm_mean = self._moving(shape, self.moving_mean_initializer, "renorm_mean")
            self.renorm_stddev = self._moving(shape, self._initial_stddev, "renorm_stddev")
        self.input_spec = InputSpec(ndim=rank, axes={axis: shape[0]})
        self._reduced = [i for i in range(rank) if i != axis]

    def _moving(self, shape, initializer, name):
        return self.add_weight(shape, initializer, trainable=False, autocast=False, name=name)

    def _initial_stddev(self, shape, dtype=None):
        return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(self, inputs, training=None, mask=None):
        own = dtypes.standardize_dtype(inputs.dtype)
        wide = dtypes.promote(own, "float32")  # moments of half-precision numbers lose too much
        x = inputs if wide == own else ops.cast(inputs, wide)
        gamma, beta = self.gamma, self.beta
        if training and self._trainable and mask is None and not self.renorm and not self.synchronized:
            outputs, mean, variance = ops.normalize_batch(x, self.axis, beta, gamma, self.epsilon)
            self._move(self.moving_mean, mean, self.momentum)
            self._move(self.moving_variance, variance, self.momentum)
            return outputs if wide == own else ops.cast(outputs, own)
        if training and self._trainable:
            mean, variance = self._moments(x, mask)
            if self.renorm:
                gamma, beta = self._renormalized(mean, variance)
            self._move(self.moving_mean, mean, self.momentum)
            if not self.renorm:
                self._move(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        outputs = ops.batch_normalization(x, mean, variance, self.axis, beta, gamma, self.epsilon)
        return outputs if wide == own else ops.cast(outputs, own)

    def _moments(self, x, mask):
        if mask is None:
            return ops.moments(x, self._reduced, synchronized=self.synchronized)
        rank = len(x.shape)
        mask = ops.cast(mask, x.dtype)
        weight = ops.broadcast_to(ops.reshape(mask, (*ops.shape(mask), *(1,) * (rank - len(mask.shape)))), ops.shape(x))
        synchronized = ops.replica_mean if self.synchronized else lambda value: value
        total = synchronized(ops.sum(weight, self._reduced, keepdims=True)) + config.epsilon()
        mean = synchronized(ops.sum(weight * x, self._reduced, keepdims=True)) / total
        variance = synchronized(ops.sum(weight * ops.square(x - mean), self._reduced, keepdims=True)) / total
        return ops.squeeze(mean, self._reduced), ops.squeeze(variance, self._reduced)

    def _renormalized(self, mean, variance):
        """`gamma` and `beta` with the correction of the batch's moments towards the moving ones in them."""
        clipping = self.renorm_clipping or {}
        stddev = ops.sqrt(variance + self.epsilon)
        r, d = ops.divide(stddev, self.renorm_stddev), ops.divide(ops.subtract(mean, self.renorm_mean), self.renorm_stddev)
        if "rmin" in clipping:
            r = ops.maximum(r, clipping["rmin"])
        if "rmax" in clipping:
            r = ops.minimum(r, clipping["rmax"])
        if "dmax" in clipping:
            d = ops.clip(d, -clipping["dmax"], clipping["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        self._move(self.renorm_mean, mean, self.renorm_momentum)
        self._move(self.renorm_stddev, stddev, self.renorm_momentum)
        # Renormalization averages deviations, not variances.
        self._move(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(ops.square(self.moving_stddev) - self.epsilon)
        gamma = r if self.gamma is None else ops.multiply(r, self.gamma)
        shift = d if self.gamma is None else ops.multiply(d, self.gamma)
        return gamma, shift if self.beta is None else ops.add(shift, self.beta)

    @staticmethod
    def _move(variable, value, momentum):
        variable.assign(variable.value * momentum + ops.stop_gradient(value) * (1 - momentum))

    def compute_output_shape(self, input_shape):
        shapes.normalize_axis(self.axis, len(input_shape))
        return input_shape

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


__all__ = ["BatchNormalization"]
