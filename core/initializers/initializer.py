"""`Initializer`, and the constant ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.backend import slot
from core.base import registry
from core.base.dtypes import standardize_dtype
from core.base.shapes import standardize_shape


class Initializer:
    """Makes the first value of a variable: `initializer(shape, dtype)` is a tensor of the active backend.

    A subclass defines `host(shape)`, a NumPy array, so that all backends start from the same numbers; or `__call__` itself.

    >>> class Halves(Initializer):
    ...     def host(self, shape):
    ...         return np.full(shape, 0.5)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """A tensor of that shape; dtype `floatx()` where it is None."""
        dtype = standardize_dtype(dtype)
        sizes: Any = standardize_shape(shape)  # all known, in a variable
        return slot.active().convert_to_tensor(self.host(sizes), dtype)

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        """The values as a NumPy array."""
        raise TypeError(f"{type(self).__name__} must define `host(shape)` or `__call__(shape, dtype=None)`.")

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Initializer:
        return cls(**{key: registry.deserialize_keras_object(value) for key, value in config.items()})

    def clone(self) -> Initializer:
        """A new one with the same config."""
        return type(self).from_config(self.get_config())


class Zeros(Initializer):
    """All zeros."""

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """All ones."""

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """`value` everywhere, a number or an array that broadcasts to the shape.

    >>> core.ops.convert_to_numpy(Constant(3)((2,)))
    array([3., 3.], dtype=float32)
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.array(np.broadcast_to(np.asarray(self.value), shape))

    def get_config(self) -> dict:
        return {"value": registry.serialize_keras_object(self.value)}


class Identity(Initializer):
    """The identity matrix times `gain`. Shapes have two dimensions and need not be square."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices, so the shape must have two dimensions, got {shape}.")
        return self.gain * np.eye(*shape)

    def get_config(self) -> dict:
        return {"gain": self.gain} if self.gain != 1.0 else {}  # Keras writes no gain, and reads one


class STFT(Initializer):
    """The real or imaginary part of a windowed discrete Fourier transform, as a convolution kernel.

    Shapes are `(frame_length, 1, fft_length // 2 + 1)`: entry `(n, 0, k)` is the window at n times
    cos(2 pi n k / fft_length), or minus the sine.

    Args:
        side: `"real"` or `"imag"`.
        window: a name (`"hann"`, `"hamming"`, `"blackman"`, `"bartlett"`, `"boxcar"`; others where SciPy is
            installed), an array, or None for none.
        scaling: `"density"` divides by the root of the window's energy, `"spectrum"` by its sum, None not at all.
        periodic: whether the window is periodic rather than symmetric.
    """

    def __init__(self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False):
        if side not in ("real", "imag"):
            raise ValueError(f"side must be 'real' or 'imag', got {side!r}.")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"scaling must be 'density', 'spectrum' or None, got {scaling!r}.")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def host(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 3 or shape[2] < 2:
            raise ValueError(f"STFT makes kernels of shape (frame_length, 1, fft_length // 2 + 1), got {shape}.")
        length, _, bins = shape
        angles = np.pi * np.arange(length)[:, None, None] * np.arange(bins) / (bins - 1)
        waves = np.cos(angles) if self.side == "real" else -np.sin(angles)
        if self.window is not None:
            window = _window(self.window, length, self.periodic)
            if self.scaling is not None:
                window = window / (np.sqrt(np.sum(window**2)) if self.scaling == "density" else np.sum(window))
            waves = waves * window[:, None, None]
        return np.array(np.broadcast_to(waves, shape))

    def get_config(self) -> dict:
        return {
            "side": self.side,
            "window": registry.serialize_keras_object(self.window),
            "periodic": self.periodic,
            "scaling": self.scaling,
        }


_WINDOWS: dict[str, Callable] = {
    "hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman, "bartlett": np.bartlett, "boxcar": np.ones,
}  # fmt: skip


def _window(window: Any, length: int, periodic: bool) -> np.ndarray:
    """The window's values; a periodic one is the longer symmetric one without its last value."""
    if not isinstance(window, str):
        values = np.asarray(window, np.float64)
        if values.shape != (length,):
            raise ValueError(f"A window given as an array must have one value per step, {length} here; got shape {values.shape}.")
        return values
    if window in _WINDOWS:
        return _WINDOWS[window](length + 1)[:-1] if periodic else _WINDOWS[window](length)
    try:
        from scipy.signal import get_window
    except ModuleNotFoundError:
        raise ValueError(f"The window {window!r} needs SciPy (pip install scipy); without it there are {sorted(_WINDOWS)}.") from None
    return get_window(window, length, fftbins=periodic)
