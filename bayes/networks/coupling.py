"""The invertible block of coupling flows: normalize, permute, and let each half transform the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bayes.bijectors import ActNorm, OrthogonalLinear, Permutation
from core import layers, ops

# What a subnet says enters the parameters at a tenth: the location and scale of the transform, which are also linear in the inputs,
# and constants are learned first, and bends only as the data ask for them. A flow for a nearly linear problem then overfits far less.
SUBNET_GAIN = 0.1


class Conditioner(layers.Layer):
    """The parameters (batch, dim, parameters_per_dim) of a transform from what it may depend on, zeros at first.

    Args:
        transform: whose last `location_scale` parameters are its location and scale.
        subnet: the network in front of the last, linear layers; None where there is nothing to depend on but learned constants.
    """

    def __init__(self, dim: int, transform: Any, subnet: layers.Layer | None, **kwargs):
        super().__init__(**kwargs)
        self.dim, self.subnet = dim, subnet
        sizes = (transform.parameters_per_dim - transform.location_scale, transform.location_scale)
        self.heads = [layers.Dense(dim * size, kernel_initializer="zeros") for size in sizes if size]

    def build(self, input_shape):
        inputs = width = input_shape[-1]
        if self.subnet is not None:
            self.subnet.build((None, inputs))
            width = self.subnet.compute_output_shape((None, inputs))[-1]
            inputs += width
        for head, size in zip(self.heads, (width, inputs)[-len(self.heads) :]):
            head.build((None, size))

    def call(self, x: Any, training: bool = False) -> Any:
        h, both = x, x
        if self.subnet is not None:
            h = SUBNET_GAIN * self.subnet(x, training=training)
            both = ops.concatenate([x, h], -1)
        sources = (h, both)[-len(self.heads) :]
        parts = [ops.reshape(head(source), (-1, self.dim, head.units // self.dim)) for head, source in zip(self.heads, sources)]
        return parts[0] if len(parts) == 1 else ops.concatenate(parts, -1)


class CouplingBlock(layers.Layer):
    """`ActNorm`, a permutation, and a dual coupling: the second half is transformed given the first, then the first given the second.

    A single coordinate has no other half: it is transformed given the conditions alone.

    Args:
        transform: an `AffineTransform`, `SplineTransform` or the like.
        make_subnet: makes the network of a conditioner.
        permutation: `"random"`, `"swap"`, `"orthogonal"`, or None.
        seed: what the random permutation is drawn from.
    """

    def __init__(self, transform: Any, make_subnet: Callable, permutation: str | None, use_actnorm: bool, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.transform, self.make_subnet = transform, make_subnet
        self.mixers: list = [ActNorm()] if use_actnorm else []
        if permutation is not None:
            self.mixers.append(OrthogonalLinear() if permutation == "orthogonal" else Permutation(permutation, seed))

    def build(self, xz_shape, conditions_shape=None):
        dim, condition_dim = xz_shape[-1], 0 if conditions_shape is None else conditions_shape[-1]
        for mixer in self.mixers:
            mixer.build((None, dim))
        self.first = dim // 2
        self.couplings = []
        for changed, given in ((dim - self.first, self.first), (self.first, dim - self.first)):
            if changed:
                inputs = given + condition_dim
                coupling = Conditioner(changed, self.transform, self.make_subnet() if inputs else None)
                coupling.build((None, max(inputs, 1)))
                self.couplings.append(coupling)

    def call(self, x: Any, conditions: Any = None, training: bool = False) -> tuple[Any, Any]:
        """`(z, log_det)` of shapes (batch, dim) and (batch,)."""
        total = 0.0
        for mixer in self.mixers:
            x, log_det = mixer.forward(x)
            total = total + log_det
        x1, x2 = x[:, : self.first], x[:, self.first :]
        x2, log_det = self.transform.forward(x2, self._parameters(0, x1, x2, conditions, training))
        total = total + log_det
        if self.first:
            x1, log_det = self.transform.forward(x1, self._parameters(1, x2, x1, conditions, training))
            total = total + log_det
        return ops.concatenate([x1, x2], -1), total

    def inverse(self, z: Any, conditions: Any = None) -> tuple[Any, Any]:
        """`(x, log_det)`, the log-determinant being that of this inverse."""
        total = 0.0
        z1, z2 = z[:, : self.first], z[:, self.first :]
        if self.first:
            z1, log_det = self.transform.inverse(z1, self._parameters(1, z2, z1, conditions, False))
            total = total + log_det
        z2, log_det = self.transform.inverse(z2, self._parameters(0, z1, z2, conditions, False))
        total = total + log_det
        z = ops.concatenate([z1, z2], -1)
        for mixer in reversed(self.mixers):
            z, log_det = mixer.inverse(z)
            total = total + log_det
        return z, total

    def _parameters(self, which: int, given: Any, changed: Any, conditions: Any, training: bool) -> Any:
        """The parameters for the half `changed`, from the other half and the conditions."""
        parts = [part for part in (given, conditions) if part is not None and part.shape[-1]]
        # With nothing to depend on, the parameters are learned constants: the head of ones.
        inputs = ops.concatenate(parts, -1) if parts else ops.ones_like(changed[:, :1])
        return self.couplings[which](inputs, training=training)
