"""The NumPy backend's Fourier transforms, on pairs of real arrays. See `core.backend.protocol`."""

import numpy as np

from core.backend.arguments import check_pair


def _complex(x):
    check_pair(x)
    return x[0] + 1j * x[1]


def _pair(z, dtype):
    return z.real.astype(dtype), z.imag.astype(dtype)


def fft(x):
    return _pair(np.fft.fft(_complex(x)), x[0].dtype)


def fft2(x):
    return _pair(np.fft.fft2(_complex(x)), x[0].dtype)


def ifft2(x):
    return _pair(np.fft.ifft2(_complex(x)), x[0].dtype)


def rfft(x, fft_length=None):
    return _pair(np.fft.rfft(x, fft_length), x.dtype)


def irfft(x, fft_length=None):
    return np.fft.irfft(_complex(x), fft_length).astype(x[0].dtype)
