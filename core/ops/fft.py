"""Fourier transforms and frames of signals. Complex tensors are pairs `(real, imag)` of real ones, as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.base.shapes import broadcast, check_integer, compatible
from core.ops.convert import shape
from core.ops.creation import ones_like
from core.ops.indexing import where
from core.ops.registry import op, primitive
from core.ops.rules import real, shaped
from core.ops.shape import pad, reshape

__all__ = ["extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _pair(x, rank: int, name: str) -> KerasTensor:
    """The real part of a pair, checked."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name} takes a pair (real, imag) of tensors, got {x!r}.")
    if not compatible(x[0].shape, x[1].shape) or x[0].ndim < rank:
        raise ValueError(
            f"{name} needs a real and an imaginary part of one shape with {rank} or more axes, got {x[0].shape} and {x[1].shape}."
        )
    if 0 in x[0].shape[x[0].ndim - rank :]:
        raise ValueError(f"{name} needs signals of at least one element, got the shape {x[0].shape}.")
    return shaped(x[0], broadcast(x[0].shape, x[1].shape))


def _whole(rank: int, name: str):
    def rule(x):
        real = _pair(x, rank, name)
        return shaped(real, real.shape), shaped(real, real.shape)

    return rule


@op("*x", rule=_whole(1, "fft"), promote="float")
def fft(x):
    """The discrete Fourier transform along the last axis of the pair `x = (real, imag)`, as such a pair.

    >>> fft((np.array([1.0, 1.0]), np.array([0.0, 0.0])))  # ([2., 0.], [0., 0.])
    """
    primitive()


@op("*x", rule=_whole(2, "fft2"), promote="float")
def fft2(x):
    """The discrete Fourier transform along the last two axes of the pair `x = (real, imag)`, as such a pair.

    >>> fft2((np.ones((2, 2)), np.zeros((2, 2))))[0]  # [[4., 0.], [0., 0.]]
    """
    primitive()


@op("*x", rule=_whole(2, "ifft2"), promote="float")
def ifft2(x):
    """The inverse of `fft2`, as a pair.

    >>> ifft2((np.array([[4.0, 0.0], [0.0, 0.0]]), np.zeros((2, 2))))[0]  # [[1., 1.], [1., 1.]]
    """
    primitive()


def _rfft_rule(x: KerasTensor, fft_length: int | None = None):
    if not x.shape:
        raise ValueError("rfft needs signals of at least one dimension, got the shape ().")
    size = x.shape[-1] if fft_length is None else fft_length
    if fft_length is not None:
        check_integer(fft_length, "fft_length", 1)
    if size == 0:
        raise ValueError(f"rfft needs signals of at least one element, or a fft_length, got the shape {x.shape}.")
    shape = (*x.shape[:-1], None if size is None else size // 2 + 1)
    return shaped(x, shape), shaped(x, shape)


@op("x", rule=real(_rfft_rule), promote="float")
def rfft(x, fft_length=None):
    """The `fft_length // 2 + 1` frequencies from 0 up of the real signals along the last axis, as a pair `(real, imag)`.

    `fft_length` crops the signals or pads them with zeros; None keeps their length.

    >>> rfft(np.array([1.0, 1.0, 1.0, 1.0]))[0]  # [4., 0., 0.]
    """
    primitive()


def _irfft_rule(x, fft_length: int | None = None) -> KerasTensor:
    real = _pair(x, 1, "irfft")
    if fft_length is not None:
        check_integer(fft_length, "fft_length", 0)
    size = real.shape[-1]
    return shaped(real, (*real.shape[:-1], fft_length if fft_length is not None else None if size is None else 2 * (size - 1)))


@op("*x", rule=_irfft_rule, promote="float")
def irfft(x, fft_length=None):
    """The real signals of `fft_length` elements (default: twice the frequencies less two) that `rfft` gives the pair `x` for.

    >>> irfft((np.array([4.0, 0.0, 0.0]), np.zeros(3)))  # [1., 1., 1., 1.]
    """
    primitive()


def _check_steps(sequence_length: Any, sequence_stride: Any) -> None:
    check_integer(sequence_length, "sequence_length", 1)
    check_integer(sequence_stride, "sequence_stride", 1)


def _check_signals(x: Any, sequence_length: int, sequence_stride: int) -> int | None:
    """The length of signals that hold a sequence."""
    _check_steps(sequence_length, sequence_stride)
    size = x.shape[-1] if len(x.shape) else 0
    if size is not None and size < sequence_length:
        raise ValueError(f"extract_sequences needs signals of at least {sequence_length} elements, got shape {tuple(x.shape)}.")
    return size


def _sequences_rule(x: KerasTensor, sequence_length: int, sequence_stride: int) -> KerasTensor:
    size = _check_signals(x, sequence_length, sequence_stride)
    return shaped(x, (*x.shape[:-1], None if size is None else (size - sequence_length) // sequence_stride + 1, sequence_length))


@op("x", rule=_sequences_rule)
def extract_sequences(x, sequence_length, sequence_stride):
    """All windows (..., n, sequence_length) of the signals (..., t), one every `sequence_stride` elements; a short rest is dropped.

    >>> extract_sequences(np.array([1, 2, 3, 4, 5]), 3, 2)  # [[1, 2, 3], [3, 4, 5]]
    """
    starts = np.arange(0, _check_signals(x, sequence_length, sequence_stride) - sequence_length + 1, sequence_stride)
    return x[..., starts[:, None] + np.arange(sequence_length)]


def _window(window, sequence_length: int, fft_length: int, like):
    """The window as a tensor of fft_length elements, zeros on both sides of its sequence_length own ones."""
    _check_window(window, sequence_length, fft_length)
    if window is None:
        sequence_length = fft_length
    left = (fft_length - sequence_length) // 2
    if window is None or isinstance(window, str):
        window = WINDOWS[window](np.arange(sequence_length) / sequence_length)
    backend = slot.owner(like) or slot.active()
    return pad(backend.convert_to_tensor(window, backend.dtype(like)), [(left, fft_length - sequence_length - left)])


def _check_window(window: Any, sequence_length: int, fft_length: int) -> None:
    if sequence_length > fft_length:
        raise ValueError(f"sequence_length must not exceed fft_length, got {sequence_length} and {fft_length}.")
    if window is None or isinstance(window, str):
        if window not in WINDOWS:
            raise ValueError(f"window must be one of {sorted(filter(None, WINDOWS))}, a tensor, or None; got {window!r}.")
    elif not compatible(tuple(window.shape), (sequence_length,)):
        raise ValueError(f"The window must have sequence_length={sequence_length} elements, got shape {tuple(window.shape)}.")


# One period each, on [0, 1).
WINDOWS: dict[Any, Callable] = {
    None: np.ones_like,
    "hann": lambda t: 0.5 - 0.5 * np.cos(2 * np.pi * t),
    "hamming": lambda t: 0.54 - 0.46 * np.cos(2 * np.pi * t),
    "blackman": lambda t: 0.42 - 0.5 * np.cos(2 * np.pi * t) + 0.08 * np.cos(4 * np.pi * t),
}


def _stft_rule(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    _check_window(window, sequence_length, fft_length)
    size = None if x.shape[-1] is None else x.shape[-1] + (2 * (fft_length // 2) if center else 0)
    frames = _sequences_rule(shaped(x, (*x.shape[:-1], size)), fft_length, sequence_stride)
    return _rfft_rule(frames)


@op("x", rule=_stft_rule, promote="float")
def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """The spectra (real, imag), each (..., frames, fft_length // 2 + 1), of windows of the signals (..., t).

    Args:
        sequence_length: elements of a window; it stands in the middle of `fft_length` elements.
        sequence_stride: elements between the starts of two windows.
        window: `"hann"`, `"hamming"`, `"blackman"`, a tensor (sequence_length,), or None for ones over all of `fft_length`.
        center: whether the signal is mirrored at both ends, so that frame i is centered on element `i * sequence_stride`.

    >>> stft(np.ones(16, "float32"), 8, 4, 8)[0].shape
    (5, 5)
    """
    if center:
        x = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(fft_length // 2, fft_length // 2)], mode="reflect")
    return rfft(extract_sequences(x, fft_length, sequence_stride) * _window(window, sequence_length, fft_length, x))


def _istft_rule(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    _check_steps(sequence_length, sequence_stride)
    _check_window(window, sequence_length, fft_length)
    real = _pair(x, 2, "istft")
    frames = real.shape[-2]
    size = None if frames is None else (frames - 1) * sequence_stride + fft_length - (2 * (fft_length // 2) if center else 0)
    return shaped(real, (*real.shape[:-2], size if length is None else length))


@op("*x", rule=_istft_rule, promote="float")
def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    """The signals (..., t) whose `stft` the pair `x` is; with `length`, cropped or padded with zeros to that many elements.

    Overlapping frames are weighted by the window and divided by the sum of its squares (Griffin and Lim, 1984).

    >>> istft(stft(np.ones(16, "float32"), 8, 4, 8), 8, 4, 8).shape
    (16,)
    """
    frames = irfft(x, fft_length)
    weights = _window(window, sequence_length, fft_length, frames)
    total = _overlapped(reshape(weights * weights, (1, -1)) + frames[..., :1] * 0, sequence_stride)
    signal = _overlapped(frames * weights, sequence_stride)
    signal = signal / where(total < 1e-10, ones_like(total), total)  # there no window reaches
    edge = fft_length // 2 if center else 0
    end = frames.shape[-2] * sequence_stride + fft_length - sequence_stride - edge if length is None else edge + length
    signal = signal[..., edge:end]
    if length is None:
        return signal
    return pad(signal, [(0, 0)] * (len(signal.shape) - 1) + [(0, length - signal.shape[-1])])


def _overlapped(frames, stride: int):
    """The sum (..., (n - 1) * stride + size) of frames (..., n, size) laid `stride` apart."""
    *batch, count, size = frames.shape
    parts = -(-size // stride)
    none = [(0, 0)] * len(batch)
    blocks = pad(frames, [*none, (0, 0), (0, parts * stride - size)])
    total = None
    for i in range(parts):  # part i of frame n adds to row n + i
        rows = pad(blocks[..., i * stride : (i + 1) * stride], [*none, (i, parts - 1 - i), (0, 0)])
        total = rows if total is None else total + rows
    return reshape(total, (*shape(total)[:-2], (count + parts - 1) * stride))[..., : (count - 1) * stride + size]
