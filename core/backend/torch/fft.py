"""The torch backend's Fourier transforms, on pairs of real tensors. See `core.backend.protocol`."""

import torch

from core.backend.arguments import check_pair


def _wide(x):
    return x if x.dtype == torch.float64 else x.float()


def _complex(x):
    check_pair(x)
    return torch.complex(_wide(x[0]), _wide(x[1]))


def _transformed(function, x, *args):
    """`function(x)`; a batch without signals, which the libraries below refuse, is taken out of a transform of zeros."""
    if x.numel() or not x.shape[-1]:
        return function(x, *args)
    one = function(x.new_zeros([n or 1 for n in x.shape]), *args)
    return one[tuple(slice(None) if n else slice(0) for n in x.shape[:-1])]


def _pair(z, dtype):
    return z.real.to(dtype), z.imag.to(dtype)


def fft(x):
    return _pair(_transformed(torch.fft.fft, _complex(x)), x[0].dtype)


def fft2(x):
    return _pair(_transformed(torch.fft.fft2, _complex(x)), x[0].dtype)


def ifft2(x):
    return _pair(_transformed(torch.fft.ifft2, _complex(x)), x[0].dtype)


def rfft(x, fft_length=None):
    if x.is_complex():
        raise ValueError("dtypes")  # the op's rule says which
    return _pair(_transformed(torch.fft.rfft, _wide(x), fft_length), x.dtype)


def irfft(x, fft_length=None):
    return _transformed(torch.fft.irfft, _complex(x), fft_length).to(x[0].dtype)


def extract_sequences(x, sequence_length, sequence_stride):
    if not x.ndim or not 0 < sequence_length <= x.shape[-1] or sequence_stride < 1:
        raise ValueError("shapes")  # the op's rule says which
    return x.unfold(-1, sequence_length, sequence_stride)  # a view: windows that overlap share their elements
