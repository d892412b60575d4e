"""`Normalization`: features brought to mean 0 and variance 1 with statistics of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core import ops
from core.backend import slot
from core.base import config as settings
from core.base import shapes
from core.layers.data_layer import DataLayer


class Normalization(DataLayer):
    """`(inputs - mean) / sqrt(variance)`, or with `invert` back: `mean + inputs * sqrt(variance)`.

    Mean and variance are given, or found by `adapt(data)`; a layer that was never adapted has 0 and 1.

    Args:
        axis: the axis or axes that keep a mean of their own, counted with the batch axis; None for one mean of all values.
        mean, variance: given statistics, both or none; they broadcast to the sizes of `axis`.
        invert: whether the layer undoes the normalization.

    >>> layer = Normalization(axis=None)
    >>> layer.adapt(np.array([1.0, 2.0, 3.0], "float32"))
    >>> layer(np.array([2.0], "float32"))
    array([0.], dtype=float32)
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs):
        super().__init__(**kwargs)
        axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if 0 in axis:
            raise ValueError(f"Normalization keeps no mean per example, so axis cannot hold the batch axis 0; got {axis}.")
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization takes both mean and variance, or none; got mean={mean} and variance={variance}.")
        self.axis, self.invert = axis, invert
        self.input_mean, self.input_variance = mean, variance
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        kept = sorted(shapes.normalize_axis(axis, rank) for axis in self.axis)
        if any(input_shape[axis] is None for axis in kept):
            raise ValueError(
                f"Normalization {self.name!r} keeps a mean along axis {self.axis}, so its size must be known; "
                f"got shape {tuple(input_shape)}."
            )
        self._shape = tuple(input_shape[axis] for axis in kept)
        self._broadcast_shape = tuple(d if axis in kept else 1 for axis, d in enumerate(input_shape)) if kept else ()
        self._reduced_axes = tuple(axis for axis in range(rank) if axis not in kept)
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(self._shape, "zeros", trainable=False, autocast=False, name="mean")
            self.adapt_variance = self.add_weight(self._shape, "ones", trainable=False, autocast=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Sets mean and variance to those of `data`: an array or a tensor, or an iterable of batches of them, such as a `tf.data.Dataset`.

        Args:
            batch_size: rows at a time where `data` is an array; it changes nothing but the memory used.
            steps: number of batches to read; all where it is None.
        """
        if self.input_mean is not None:
            raise ValueError(f"Normalization {self.name!r} was given mean and variance, so it cannot adapt: leave them out.")
        total: Any = 0
        mean: Any = 0.0
        spread: Any = 0.0  # sum of squared distances from the mean
        for batch in _batches(data, batch_size, steps):
            if not self.built:
                self.build(batch.shape)
            batch = batch.astype("float64")
            count = batch.size // max(int(np.prod(self._shape)), 1)
            if not count:
                continue
            new_mean = batch.mean(self._reduced_axes)
            difference = new_mean - mean
            # Chan et al., 1979: two sets' moments as one's.
            spread = spread + batch.var(self._reduced_axes) * count + difference**2 * (total * count / (total + count))
            mean = mean + difference * (count / (total + count))
            total += count
        if not total:
            raise ValueError(f"Normalization {self.name!r} cannot adapt to no data.")
        self.adapt_mean.assign(np.asarray(mean, "float32"))
        self.adapt_variance.assign(np.asarray(spread / total, "float32"))
        self.finalize_state()

    def finalize_state(self) -> None:
        """Makes the statistics of the weights those of the next call. They always are, so there is nothing to do."""

    def _statistics(self) -> tuple[Any, Any]:
        if self.input_mean is None:
            found: tuple = (self.adapt_mean, self.adapt_variance)
        else:
            found = tuple(np.broadcast_to(np.asarray(x, "float32"), self._shape) for x in (self.input_mean, self.input_variance))
        mean, variance = (ops.reshape(ops.cast(self.convert_weight(x), self.compute_dtype), self._broadcast_shape) for x in found)
        return mean, variance

    def call(self, inputs):
        mean, variance = self._statistics()
        deviation = ops.maximum(ops.sqrt(variance), settings.epsilon())
        inputs = ops.cast(inputs, self.compute_dtype)
        return ops.add(mean, inputs * deviation) if self.invert else ops.divide(ops.subtract(inputs, mean), deviation)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        def plain(x):
            return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x

        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": plain(self.input_mean),
            "variance": plain(self.input_variance),
        }


def _array(x: Any) -> np.ndarray:
    x = x[0] if isinstance(x, tuple) else x  # (inputs, targets)
    owner = slot.owner(x)
    return np.asarray(x) if owner is None else owner.convert_to_numpy(x)


def _batches(data: Any, batch_size: int | None, steps: int | None) -> Iterator[np.ndarray]:
    if isinstance(data, (list, tuple, np.ndarray)) or slot.owner(data) is not None or hasattr(data, "to_numpy"):
        array = np.asarray(data.to_numpy() if hasattr(data, "to_numpy") else data) if slot.owner(data) is None else _array(data)
        array = array[:, None] if array.ndim == 1 else array  # one feature per row
        size = batch_size or len(array) or 1
        batches: Iterator = (array[i : i + size] for i in range(0, len(array), size))
    elif hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        batches = (_array(data[i]) for i in range(len(data)))
    else:
        batches = (_array(batch) for batch in data)
    for step, batch in enumerate(batches):
        if steps is not None and step >= steps:
            return
        yield batch
