"""Samples of the fft ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array


def _through(function):
    def run(x):
        z = function(x[0] + 1j * x[1])
        return z.real, z.imag

    return run


def _rfft(x, fft_length=None):
    z = np.fft.rfft(x, fft_length)
    return z.real, z.imag


def _frames(x, sequence_length, sequence_stride):
    return np.lib.stride_tricks.sliding_window_view(x, sequence_length, -1)[..., ::sequence_stride, :]


def _stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2], "reflect")
    weights = np.sin(np.pi * np.arange(sequence_length) / sequence_length) ** 2 if isinstance(window, str) else window
    left = (fft_length - sequence_length) // 2
    return _rfft(_frames(x, fft_length, sequence_stride) * np.pad(weights, (left, fft_length - sequence_length - left)))


_SIGNAL = array(2, 20)
_SPECTRUM = tuple(part.astype("float32") for part in _stft(_SIGNAL.astype("float64"), 8, 4, 8))

SAMPLES: dict[str, list[Sample]] = {
    "fft": [Sample(((array(2, 5), array(2, 5, seed=1)),), reference=_through(np.fft.fft))],
    "fft2": [Sample(((array(2, 3, 4), array(2, 3, 4, seed=1)),), reference=_through(np.fft.fft2))],
    "ifft2": [Sample(((array(2, 3, 4), array(2, 3, 4, seed=1)),), reference=_through(np.fft.ifft2))],
    "rfft": [
        Sample((array(2, 6),), reference=_rfft), Sample((array(2, 5),), {"fft_length": 8}, reference=_rfft),
        Sample((array(2, 9),), {"fft_length": 8}, reference=_rfft),
    ],
    "irfft": [
        Sample(((array(2, 5), array(2, 5, seed=1)),), reference=lambda x: np.fft.irfft(x[0] + 1j * x[1])),
        Sample(((array(2, 5), array(2, 5, seed=1)), 7), reference=lambda x, n: np.fft.irfft(x[0] + 1j * x[1], n)),
    ],
    "extract_sequences": [Sample((array(2, 10), 4, 3), reference=_frames), Sample((array(9, dtype="int32"), 3, 2), reference=_frames)],
    "stft": [
        Sample((array(2, 20), 8, 4, 8), reference=_stft),
        Sample((array(20), 6, 3, 8, np.array([1, 2, 3, 3, 2, 1], "float32"), False), reference=_stft, gradient=False),
    ],
    "istft": [
        Sample((_SPECTRUM, 8, 4, 8), reference=lambda x, *rest: _SIGNAL.astype("float64"), gradient=False),
        Sample((_SPECTRUM, 8, 4, 8, 15), reference=lambda x, *rest: _SIGNAL[:, :15].astype("float64"), gradient=False),
    ],
}  # fmt: skip
