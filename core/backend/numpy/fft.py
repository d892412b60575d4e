"""The NumPy backend's Fourier transforms, on pairs of real arrays. See `core.backend.protocol`."""

import numpy as np


def _pair(z, dtype):
    return z.real.astype(dtype), z.imag.astype(dtype)


def fft(x):
    return _pair(np.fft.fft(x[0] + 1j * x[1]), x[0].dtype)


def fft2(x):
    return _pair(np.fft.fft2(x[0] + 1j * x[1]), x[0].dtype)


def ifft2(x):
    return _pair(np.fft.ifft2(x[0] + 1j * x[1]), x[0].dtype)


def rfft(x, fft_length=None):
    return _pair(np.fft.rfft(x, fft_length), x.dtype)


def irfft(x, fft_length=None):
    return np.fft.irfft(x[0] + 1j * x[1], fft_length).astype(x[0].dtype)
