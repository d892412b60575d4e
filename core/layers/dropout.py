"""`Dropout` and the forms of it that drop whole feature maps."""

from __future__ import annotations

from typing import Any

from core import ops, random
from core.base import config
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer
from core.state.seed import SeedGenerator


def check_rate(layer: str, rate: Any) -> float:
    """`rate` if it is a probability, else an error that names the layer."""
    if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(f"{layer} expected a `rate` from 0 to 1, the share of elements to drop, got {rate!r}.")
    return rate


class Dropout(Layer):
    """The inputs, in training with elements set to 0 with probability `rate` and the others divided by `1 - rate`.

    Args:
        rate: from 0 to 1.
        noise_shape: shape of the draw, with 1 along axes that share it and None for the input's dimension.
        seed: integer; None draws one.

    Srivastava et al., 2014.

    >>> Dropout(0.5)(np.ones((2, 3)))  # ones: nothing is dropped outside training
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = check_rate(type(self).__name__, rate)
        self.seed = seed
        self.noise_shape = self._checked_noise(noise_shape)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True

    def _checked_noise(self, noise_shape):
        if noise_shape is None:
            return None
        if not isinstance(noise_shape, (list, tuple)) or any(d is not None and (not isinstance(d, int) or d < 1) for d in noise_shape):
            raise ValueError(f"{type(self).__name__} expected `noise_shape` as a tuple of positive integers and None, got {noise_shape!r}.")
        return tuple(noise_shape)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, self.noise_shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}


class _SpatialDropout(Dropout):
    """Drops whole maps: one draw for all positions of a channel."""

    _rank: int

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None, **kwargs):
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        batch, ones = ops.shape(inputs)[0], (1,) * self._rank
        if self.data_format == "channels_first":
            noise_shape = (batch, inputs.shape[1], *ones)
        else:
            noise_shape = (batch, *ones, inputs.shape[-1])
        return random.dropout(inputs, self.rate, noise_shape, seed=self.seed_generator)

    def get_config(self) -> dict:
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype, "data_format": self.data_format}


class SpatialDropout1D(_SpatialDropout):
    """(batch, steps, channels) with, in training, whole channels dropped. Tompson et al., 2014.

    >>> SpatialDropout1D(0.5)(np.ones((2, 3, 4)), training=True).shape
    (2, 3, 4)
    """

    _rank = 1

    def __init__(self, rate, seed=None, name=None, dtype=None, **kwargs):
        super().__init__(rate, data_format="channels_last", seed=seed, name=name, dtype=dtype, **kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["data_format"]
        return config


class SpatialDropout2D(_SpatialDropout):
    """Images with, in training, whole channels dropped. Tompson et al., 2014.

    >>> SpatialDropout2D(0.5)(np.ones((2, 3, 3, 4)), training=True).shape
    (2, 3, 3, 4)
    """

    _rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Volumes with, in training, whole channels dropped. Tompson et al., 2014.

    >>> SpatialDropout3D(0.5)(np.ones((2, 3, 3, 3, 4)), training=True).shape
    (2, 3, 3, 3, 4)
    """

    _rank = 3


__all__ = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]
