"""Layers that change the shape and keep the values: `Flatten`, `Reshape`, `Permute`, `RepeatVector`."""

from __future__ import annotations

import math
from typing import Any

from core import ops
from core.backend.symbolic import KerasTensor
from core.base import config
from core.base.shapes import Shape
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


def _reshaped(x: Any, shape: Shape) -> Any:
    """`x` in `shape` behind its batch axis; one unknown size, of the batch or later, is found from the others."""
    batch = x.shape[0]
    if batch is None:
        batch = ops.shape(x)[0] if -1 in shape else -1
    return ops.reshape(x, (batch, *shape))


class Flatten(Layer):
    """All but the batch axis as one: (batch, a, b, ...) becomes (batch, a * b * ...), (batch,) becomes (batch, 1).

    Args:
        data_format: with `"channels_first"`, channels are moved to the end before, so that the result does not depend on the format.

    >>> Flatten()(np.ones((2, 3, 4), "float32")).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        size = self.compute_output_shape(inputs.shape)[1]
        return _reshaped(inputs, (-1 if size is None else size,))

    def compute_output_shape(self, input_shape):
        inner = input_shape[1:]
        return input_shape[0], None if None in inner else math.prod(inner)

    def compute_output_spec(self, inputs):
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype, inputs.sparse)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """(batch, ...) becomes (batch, *target_shape).

    Args:
        target_shape: sizes without the batch axis; one may be -1, which is found from the others.

    >>> Reshape((2, -1))(np.ones((5, 6), "float32")).shape
    (5, 2, 3)
    """

    def __init__(self, target_shape: Any, **kwargs):
        super().__init__(**kwargs)
        target_shape = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if target_shape.count(-1) > 1 or any(d is not None and d < -1 for d in target_shape):
            raise ValueError(f"Reshape takes sizes of at least 0, and -1 once, got target_shape={target_shape}.")
        self.target_shape = target_shape

    def _sizes(self, input_shape: Shape) -> Shape:
        """The target shape, with -1 only where the inputs' shape does not tell."""
        target, inner = self.target_shape, input_shape[1:]
        known = math.prod(d for d in target if d is not None and d != -1)
        if None in inner or None in target:
            return tuple(-1 if d is None else d for d in target)
        size = math.prod(d for d in inner if d is not None)
        if (size % known if known else size) if -1 in target else size != known:
            raise ValueError(
                f"Reshape {self.name!r} expected inputs whose {size} values fit into target_shape {target}, got shape {tuple(input_shape)}."
            )
        return tuple(size // max(known, 1) if d == -1 else d for d in target)

    def call(self, inputs):
        return _reshaped(inputs, self._sizes(inputs.shape))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(None if d == -1 else d for d in self._sizes(input_shape)))

    def compute_output_spec(self, inputs):
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype, inputs.sparse)

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The axes behind the batch in another order.

    Args:
        dims: for each axis of the outputs the axis of the inputs that it is, counted from 1: (2, 1) swaps two.

    >>> Permute((2, 1))(np.ones((5, 3, 4), "float32")).shape
    (5, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute needs each of the axes 1 to {len(self.dims)} once, got dims={dims}.")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each vector `n` times: (batch, features) becomes (batch, n, features).

    >>> RepeatVector(3)(np.ones((2, 4), "float32")).shape
    (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"RepeatVector needs an integer n, got {n!r}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def get_config(self):
        return {**super().get_config(), "n": self.n}
