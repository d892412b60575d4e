"""What all blocks make their projections with."""

from __future__ import annotations

from core import initializers, layers


def linear(features: int, units: int, use_bias: bool, stddev: float, name: str, dtype=None) -> layers.Dense:
    """A built `Dense` from `features` to `units` whose kernel starts from a normal distribution cut at two deviations.

    >>> linear(4, 8, False, 0.02, "query").kernel.shape
    (4, 8)
    """
    layer = layers.Dense(
        units, use_bias=use_bias, kernel_initializer=initializers.TruncatedNormal(stddev=stddev), name=name, dtype=dtype
    )
    layer.build((None, None, features))
    return layer
