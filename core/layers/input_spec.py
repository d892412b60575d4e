"""What a layer accepts: rank, dtype, sizes of axes; checked before anything is computed."""

from __future__ import annotations

from typing import Any

from core.base import tree


class InputSpec:
    """A description of one input.

    Args:
        dtype: name of the only dtype accepted, None for any.
        shape: exact shape, None where a dimension may be anything.
        ndim, max_ndim, min_ndim: number of dimensions, exact or bounds.
        axes: dict of axis to size.
        allow_last_axis_squeeze: whether a last axis of 1 may be missing or in excess.
        name: key of the input where inputs come in a dict.
        optional: whether the input may be None.
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
    ):
        self.dtype = dtype
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.name, self.optional, self.allow_last_axis_squeeze = name, optional, allow_last_axis_squeeze
        try:
            self.axes = {int(k): None if v is None else int(v) for k, v in (axes or {}).items()}
        except (TypeError, ValueError):
            raise TypeError(f"InputSpec axes map axis to size, both integers; got {axes!r}.") from None

    def check(self, shape: tuple, layer: str) -> None:
        """Raises a `ValueError` that names the layer, what it expected and what came."""
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            raise ValueError(f"{layer} expected an input of {self.ndim} dimensions, got shape {shape} ({rank} dimensions).")
        if self.max_ndim is not None and rank > self.max_ndim:
            raise ValueError(f"{layer} expected an input of at most {self.max_ndim} dimensions, got shape {shape}.")
        if self.min_ndim is not None and rank < self.min_ndim:
            raise ValueError(f"{layer} expected an input of at least {self.min_ndim} dimensions, got shape {shape}.")
        for axis, size in self.axes.items():
            if -rank <= axis < rank and size is not None and shape[axis] not in (size, None):
                where = "last axis" if axis == -1 else f"axis {axis}"
                raise ValueError(f"{layer} expected {where} {size}, got {shape}; reshape the input or rebuild the layer.")
        if self.shape is not None:
            expected, got = self.shape, shape
            if self.allow_last_axis_squeeze:
                expected = expected[:-1] if expected and expected[-1] == 1 else expected
                got = got[:-1] if got and got[-1] == 1 else got
            if len(expected) != len(got) or any(e is not None and g is not None and e != g for e, g in zip(expected, got)):
                raise ValueError(f"{layer} expected an input of shape {self.shape}, got {shape}.")

    def get_config(self) -> dict:
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }

    @classmethod
    def from_config(cls, config: dict) -> InputSpec:
        return cls(**config)

    def __repr__(self) -> str:
        shown = {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": self.axes,
        }
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in shown.items() if v)})"


def check_inputs(spec: Any, inputs: Any, layer: str) -> None:
    """Checks inputs against a spec or a structure of them."""
    if isinstance(spec, InputSpec):
        specs, values = [spec], [inputs] if not tree.is_nested(inputs) else tree.flatten(inputs)
    else:
        specs = tree.flatten(spec)
        if isinstance(inputs, dict) and all(s.name for s in specs):
            missing = [s.name for s in specs if s.name not in inputs and not s.optional]
            if missing:
                raise ValueError(f"{layer} expected inputs {[s.name for s in specs]}, got {sorted(inputs)}: {missing} are missing.")
            values = [inputs.get(s.name) for s in specs]
        else:
            values = tree.flatten(inputs)
    if len(specs) != len(values):
        raise ValueError(f"{layer} expected {len(specs)} inputs, got {len(values)}.")
    for one, value in zip(specs, values):
        if value is None and one.optional:
            continue
        if not hasattr(value, "shape"):
            raise ValueError(f"{layer} expected tensors as inputs, got a {type(value).__name__}.")
        one.check(tuple(value.shape), layer)
