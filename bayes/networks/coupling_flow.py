"""`CouplingFlow`: a normalizing flow of coupling blocks, the default density."""

from __future__ import annotations

from typing import Any

from bayes.bijectors import AffineTransform, SplineTransform
from bayes.distributions import Distribution
from bayes.networks.coupling import CouplingBlock
from bayes.networks.inference_network import InferenceNetwork
from bayes.networks.mlp import MLP
from bayes.networks.subnet import check_subnet, make_subnet
from core import layers
from core.saving import register_keras_serializable

TRANSFORMS: dict[str, type] = {"affine": AffineTransform, "spline": SplineTransform}
PERMUTATIONS = ("random", "swap", "orthogonal", None)
SUBNETS: dict[str, type[layers.Layer]] = {"mlp": MLP}
SUBNET_DEFAULTS: dict[str, Any] = {"widths": (48, 48), "activation": "silu", "residual": False, "dropout": 0.0}


@register_keras_serializable("bayes")
class CouplingFlow(InferenceNetwork):
    """A density by change of variables: `log q(x | c) = log p(f(x; c)) + log |det df / dx|`, trained by maximum likelihood.

    `f` is `depth` blocks of `ActNorm`, a permutation and a dual coupling. Densities are exact, samples take one pass. At first
    every coupling is the identity. Dinh et al., 2017 (RealNVP, arXiv 1605.08803); Durkan et al., 2019 (splines, arXiv 1906.04032).

    Args:
        subnet: the network of the couplings: `"mlp"`, a layer class, or a layer that is copied.
        depth: number of blocks.
        transform: `"spline"` or `"affine"`.
        permutation: `"random"`, `"swap"`, `"orthogonal"` (a learned linear map), or None.
        use_actnorm: whether blocks begin with a learned scale and shift.
        base_distribution: `"normal"`, `"student"`, or a `bayes.distributions.Distribution`.
        subnet_kwargs: arguments of the subnet, for example `{"widths": (128, 128)}`.
        transform_kwargs: arguments of the transform, for example `{"bins": 16}`.
        seed: what random permutations are drawn from.

    >>> flow = CouplingFlow(depth=2)
    >>> flow.build((None, 2), (None, 3))
    >>> flow.sample(5, conditions=np.ones((1, 3), "float32"), seed=1).shape
    (5, 2)
    """

    def __init__(
        self,
        subnet: str | type | layers.Layer = "mlp",
        depth: int = 2,
        transform: str = "spline",
        permutation: str | None = "random",
        use_actnorm: bool = True,
        base_distribution: str | Distribution = "normal",
        subnet_kwargs: dict[str, Any] | None = None,
        transform_kwargs: dict[str, Any] | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(base_distribution, **kwargs)
        if not isinstance(depth, int) or depth < 1:
            raise ValueError(f"CouplingFlow needs a positive integer of blocks as `depth`, got {depth!r}.")
        if transform not in TRANSFORMS:
            raise ValueError(f"CouplingFlow knows the transforms {sorted(TRANSFORMS)}, got {transform!r}.")
        if permutation not in PERMUTATIONS:
            raise ValueError(f"CouplingFlow knows the permutations {PERMUTATIONS}, got {permutation!r}.")
        check_subnet(subnet, SUBNETS, subnet_kwargs)
        self.subnet, self.depth, self.transform, self.permutation = subnet, depth, transform, permutation
        self.use_actnorm, self.seed = bool(use_actnorm), int(seed)
        self.subnet_kwargs, self.transform_kwargs = dict(subnet_kwargs or {}), dict(transform_kwargs or {})
        bijector = TRANSFORMS[transform](**self.transform_kwargs)
        self.blocks = [
            CouplingBlock(bijector, self._new_subnet, permutation, self.use_actnorm, self.seed + position) for position in range(depth)
        ]

    def _new_subnet(self) -> layers.Layer:
        return make_subnet(self.subnet, SUBNETS, SUBNET_DEFAULTS, self.subnet_kwargs)

    def build(self, xz_shape, conditions_shape=None):
        self._note_sizes(xz_shape, conditions_shape)
        for block in self.blocks:
            block.build((None, self.dim), (None, self.condition_dim) if self.condition_dim else None)

    def forward(self, x: Any, conditions: Any = None, training: bool = False) -> tuple[Any, Any]:
        """`(z, log_det)` of shapes (batch, dim) and (batch,)."""
        total = 0.0
        for block in self.blocks:
            x, log_det = block(x, conditions, training=training)
            total = total + log_det
        return x, total

    def inverse(self, z: Any, conditions: Any = None) -> tuple[Any, Any]:
        """`(x, log_det)`, the log-determinant being that of this inverse."""
        total = 0.0
        for block in reversed(self.blocks):
            z, log_det = block.inverse(z, conditions)
            total = total + log_det
        return z, total

    def log_density(self, x: Any, conditions: Any = None, training: bool = False) -> Any:
        z, log_det = self.forward(x, conditions, training)
        return self.base_distribution.log_prob(z) + log_det

    def loss(self, x: Any, conditions: Any = None, training: bool = False) -> Any:
        return -self.log_density(x, conditions, training)

    def transport(self, z: Any, conditions: Any = None) -> Any:
        return self.inverse(z, conditions)[0]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "subnet": self.subnet,
            "depth": self.depth,
            "transform": self.transform,
            "permutation": self.permutation,
            "use_actnorm": self.use_actnorm,
            "subnet_kwargs": self.subnet_kwargs,
            "transform_kwargs": self.transform_kwargs,
            "seed": self.seed,
        }
