"""The torch backend's Fourier transforms, on pairs of real tensors. See `core.backend.protocol`."""

import torch


def _wide(x):
    return x if x.dtype == torch.float64 else x.float()


def _complex(x):
    return torch.complex(_wide(x[0]), _wide(x[1]))


def _pair(z, dtype):
    return z.real.to(dtype), z.imag.to(dtype)


def fft(x):
    return _pair(torch.fft.fft(_complex(x)), x[0].dtype)


def fft2(x):
    return _pair(torch.fft.fft2(_complex(x)), x[0].dtype)


def ifft2(x):
    return _pair(torch.fft.ifft2(_complex(x)), x[0].dtype)


def rfft(x, fft_length=None):
    return _pair(torch.fft.rfft(_wide(x), fft_length), x.dtype)


def irfft(x, fft_length=None):
    return torch.fft.irfft(_complex(x), fft_length).to(x[0].dtype)
