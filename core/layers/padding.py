"""Zeros around, and margins cut off: `ZeroPadding1D` to `3D`, `Cropping1D` to `3D`."""

from __future__ import annotations

from typing import Any

from core import ops
from core.base import config, windows
from core.layers.input_spec import InputSpec
from core.layers.layer import Layer


def margins(value: Any, rank: int, name: str) -> tuple[tuple[int, ...], ...]:
    """(before, after) per spatial axis from one number, one per axis, or one pair per axis.

    >>> margins((1, 2), 2, "padding")
    ((1, 1), (2, 2))
    """
    given = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(given) != rank:
        raise ValueError(f"{name} must be an integer or have {rank} entries, integers or pairs of them; got {value!r}.")
    return tuple(windows.spatial(pair, 2, name, least=0) for pair in given)


class _Margins(Layer):
    """Something done to both ends of each spatial axis. `rank` counts these axes."""

    rank: int

    def __init__(self, amounts: Any, data_format: str | None, argument: str, **kwargs):
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        if self.rank == 1:  # one axis: its pair, not a tuple of pairs
            self._margins: tuple[tuple[int, ...], ...] = (windows.spatial(amounts, 2, argument, least=0),)
        else:
            self._margins = margins(amounts, self.rank, argument)
        setattr(self, argument, self._margins[0] if self.rank == 1 else self._margins)

    def _on_all_axes(self) -> tuple[tuple[int, ...], ...]:
        inner = self._margins
        none = (0, 0)
        return (none, *inner, none) if self.data_format == "channels_last" else (none, none, *inner)


class _ZeroPadding(_Margins):
    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, "padding", **kwargs)

    def call(self, inputs):
        return ops.pad(inputs, self._on_all_axes())

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps of (batch, steps, channels).

    Args:
        padding: how many at both ends, or (before, after).
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.

    >>> ZeroPadding1D((0, 2))(np.ones((1, 5, 3), "float32")).shape
    (1, 7, 3)
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around the images of (batch, height, width, channels).

    Args:
        padding: one number, (height, width), or ((top, bottom), (left, right)).
        data_format: as in `ZeroPadding1D`.

    >>> ZeroPadding2D()(np.ones((1, 5, 5, 3), "float32")).shape
    (1, 7, 7, 3)
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around the volumes of (batch, depth, height, width, channels).

    Args:
        padding: one number, one per axis, or one pair (before, after) per axis.
        data_format: as in `ZeroPadding1D`.

    >>> ZeroPadding3D()(np.ones((1, 2, 2, 2, 3), "float32")).shape
    (1, 4, 4, 4, 3)
    """

    rank = 3


class _Cropping(_Margins):
    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, "cropping", **kwargs)

    def call(self, inputs):
        amounts = self._on_all_axes()
        for axis, (size, (before, after)) in enumerate(zip(inputs.shape, amounts)):
            if size is not None and before + after and before + after >= size:
                raise ValueError(f"{type(self).__name__} {self.name!r} cuts {before} + {after} off axis {axis}, which has only {size}: "
                                 f"got inputs of shape {tuple(inputs.shape)}.")  # fmt: skip
        return inputs[tuple(slice(before, -after if after else None) for before, after in amounts)]

    def get_config(self):
        config = {**super().get_config(), "cropping": self.cropping}
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class Cropping1D(_Cropping):
    """(batch, steps, channels) without the first and last steps.

    Args:
        cropping: how many at both ends, or (before, after).

    >>> Cropping1D((1, 2))(np.ones((1, 6, 3), "float32")).shape
    (1, 3, 3)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """(batch, height, width, channels) without its margins.

    Args:
        cropping: one number, (height, width), or ((top, bottom), (left, right)).
        data_format: `"channels_last"` or `"channels_first"`; the configured one where it is None.

    >>> Cropping2D(1)(np.ones((1, 6, 6, 3), "float32")).shape
    (1, 4, 4, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """(batch, depth, height, width, channels) without its margins.

    Args:
        cropping: one number, one per axis, or one pair (before, after) per axis.
        data_format: as in `Cropping2D`.

    >>> Cropping3D(1)(np.ones((1, 4, 4, 4, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)
