"""Layers of several inputs: sums, products, extremes, concatenation, dot products; and the same as functions."""

from __future__ import annotations

import functools
from typing import Any

from core import ops
from core.base import shapes
from core.layers.layer import Layer


def _listed(layer: Layer, inputs: Any, least: int = 1) -> list:
    if isinstance(inputs, tuple) and all(d is None or isinstance(d, int) for d in inputs):
        raise ValueError(f"{type(layer).__name__} {layer.name!r} expected a list of at least {least} inputs, got one of shape {inputs}.")
    if not isinstance(inputs, (list, tuple)) or len(inputs) < least:
        got = f"{len(inputs)} of them" if isinstance(inputs, (list, tuple)) else f"a {type(inputs).__name__}"
        raise ValueError(f"{type(layer).__name__} {layer.name!r} expected a list of at least {least} inputs, got {got}.")
    return list(inputs)


class Merge(Layer):
    """What elementwise merges share: inputs of lower rank get axes of 1 behind the batch axis, and a step counts if it counts
    in any input.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        inputs = _listed(self, input_shape)
        rank = max(map(len, inputs))
        try:
            shapes.broadcast(*((*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in inputs))
        except ValueError:
            raise ValueError(
                f"{type(self).__name__} {self.name!r} expected inputs of shapes that broadcast, got {', '.join(map(str, inputs))}."
            ) from None

    def merge(self, inputs: list) -> Any:
        """The inputs, of one rank, as one; two at a time with `pair` where a subclass does not say otherwise."""
        return functools.reduce(self.pair, inputs)

    def pair(self, a: Any, b: Any, /) -> Any:
        """Two inputs as one."""
        raise TypeError(f"{type(self).__name__} must define `pair(self, a, b)` or `merge(self, inputs)`.")

    def call(self, inputs):
        inputs = _listed(self, inputs)
        rank = max(len(x.shape) for x in inputs)
        return self.merge([_with_axes(x, rank - len(x.shape)) for x in inputs])

    def compute_mask(self, inputs, mask=None):
        if mask is None or any(m is None for m in mask):
            return None
        return functools.reduce(ops.logical_or, mask)


def _with_axes(x: Any, count: int) -> Any:
    for _ in range(count):
        x = ops.expand_dims(x, 1)
    return x


class Add(Merge):
    """The sum of a list of inputs, which broadcast.

    >>> Add()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.add)


class Subtract(Merge):
    """The first of two inputs minus the second.

    >>> Subtract()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.subtract)

    def merge(self, inputs):
        if len(inputs) != 2:
            raise ValueError(f"Subtract {self.name!r} expected 2 inputs, got {len(inputs)}.")
        return super().merge(inputs)


class Multiply(Merge):
    """The product of a list of inputs, which broadcast.

    >>> Multiply()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.multiply)


class Average(Merge):
    """The mean of a list of inputs, which broadcast.

    >>> Average()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.add)

    def merge(self, inputs):
        return super().merge(inputs) / len(inputs)


class Maximum(Merge):
    """The larger element of a list of inputs, place by place.

    >>> Maximum()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.maximum)


class Minimum(Merge):
    """The smaller element of a list of inputs, place by place.

    >>> Minimum()([np.ones((2, 3), "float32"), np.ones((2, 3), "float32")]).shape
    (2, 3)
    """

    pair = staticmethod(ops.minimum)


class Concatenate(Merge):
    """The inputs of a list, one after the other along `axis`; all other axes are equal.

    >>> Concatenate()([np.ones((2, 3), "float32"), np.ones((2, 4), "float32")]).shape
    (2, 7)
    """

    def __init__(self, axis: int = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        inputs = _listed(self, input_shape)
        rank = len(inputs[0])
        if any(len(shape) != rank for shape in inputs):
            raise ValueError(f"Concatenate {self.name!r} expected inputs of one rank, got shapes {', '.join(map(str, inputs))}.")
        axis = shapes.normalize_axis(self.axis, rank)
        others = [shape[:axis] + shape[axis + 1 :] for shape in inputs]
        if not all(shapes.compatible(tuple(others[0]), tuple(other)) for other in others):
            raise ValueError(
                f"Concatenate {self.name!r} expected shapes that are equal but for axis {self.axis}, got {', '.join(map(str, inputs))}."
            )

    def call(self, inputs):
        return ops.concatenate(_listed(self, inputs), axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        if mask is None or all(m is None for m in mask):
            return None
        full = []
        for x, m in zip(inputs, mask):
            m = ops.ones_like(x, dtype="bool") if m is None else m
            for _ in range(len(x.shape) - len(m.shape)):
                m = ops.expand_dims(m, -1)
            full.append(ops.logical_and(m, ops.ones_like(x, dtype="bool")))
        return ops.any(ops.concatenate(full, axis=self.axis), axis=-1)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class Dot(Merge):
    """The sums of products of two inputs along an axis of each, per example of the batch.

    Args:
        axes: one axis for both inputs, or a pair; the batch axis 0 is not allowed.
        normalize: whether vectors along these axes are scaled to length 1 before, so that the result is their cosine.

    >>> Dot(axes=(2, 1))([np.ones((5, 3, 4), "float32"), np.ones((5, 4, 2), "float32")]).shape
    (5, 3, 2)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs):
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if len(pair) != 2 or not all(isinstance(a, int) for a in pair):
            raise ValueError(f"Dot takes one axis, or one for each of two inputs, got axes={axes!r}.")
        if 0 in pair:
            raise ValueError(f"Dot works on each example by itself, so axes cannot hold the batch axis 0, got {axes!r}.")
        self.axes = axes if isinstance(axes, int) else pair
        self.normalize = normalize

    def _pair(self, *ranks: int) -> list[int]:
        pair = (self.axes,) * 2 if isinstance(self.axes, int) else self.axes
        return [shapes.normalize_axis(axis, rank, "axes") for axis, rank in zip(pair, ranks)]

    def build(self, input_shape):
        inputs = _listed(self, input_shape, 2)
        if len(inputs) != 2 or min(map(len, inputs)) < 2:
            raise ValueError(
                f"Dot {self.name!r} expected two inputs with a batch axis and one more at least, got shapes {', '.join(map(str, inputs))}."
            )
        sizes = [shape[axis] for shape, axis in zip(inputs, self._pair(*map(len, inputs)))]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Dot {self.name!r} expected equal sizes along axes {self.axes}, got {sizes[0]} and {sizes[1]} "
                f"in shapes {inputs[0]} and {inputs[1]}."
            )

    def call(self, inputs):
        a, b = _listed(self, inputs, 2)
        axes = self._pair(len(a.shape), len(b.shape))
        if self.normalize:
            a, b = (ops.normalize(x, axis=axis) for x, axis in zip((a, b), axes))
        first = ["n", *"abcdefg"[: len(a.shape) - 1]]
        second = ["n", *"hijklmo"[: len(b.shape) - 1]]
        first[axes[0]] = second[axes[1]] = "z"
        rest = [letter for letter in (*first[1:], *second[1:]) if letter != "z"]
        result = ops.einsum(f"{''.join(first)},{''.join(second)}->n{''.join(rest)}", a, b)
        return result if rest else ops.expand_dims(result, -1)

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs, **kwargs):
    """The sum of a list of tensors; see `Add`."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """The first of two tensors minus the second; see `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """The product of a list of tensors; see `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """The mean of a list of tensors; see `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """The larger element of a list of tensors, place by place; see `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """The smaller element of a list of tensors, place by place; see `Minimum`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """A list of tensors, one after the other along `axis`; see `Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """The sums of products of two tensors along an axis of each; see `Dot`."""
    return Dot(axes=axes, **kwargs)(inputs)
