"""The TensorFlow backend's Fourier transforms, on pairs of real tensors. See `core.backend.protocol`."""

import tensorflow as tf

from core.backend.arguments import check_pair


def _wide(x):
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def _complex(x):
    check_pair(x)
    return tf.complex(_wide(x[0]), _wide(x[1]))


def _transformed(function, x, *args):
    """`function(x)`; a batch without signals, which TensorFlow may refuse, is taken out of a transform of zeros."""
    if 0 not in x.shape[:-1]:
        return function(x, *args)
    one = function(tf.zeros([1 if n == 0 else n for n in x.shape], x.dtype), *args)
    return one[tuple(slice(0) if n == 0 else slice(None) for n in x.shape[:-1])]


def _pair(z, dtype):
    return tf.cast(tf.math.real(z), dtype), tf.cast(tf.math.imag(z), dtype)


def fft(x):
    return _pair(tf.signal.fft(_complex(x)), x[0].dtype)


def fft2(x):
    return _pair(tf.signal.fft2d(_complex(x)), x[0].dtype)


def ifft2(x):
    return _pair(tf.signal.ifft2d(_complex(x)), x[0].dtype)


def rfft(x, fft_length=None):
    if (x.shape[-1] if fft_length is None else fft_length) == 0 or x.dtype.is_complex:
        raise ValueError("shapes")  # the op's rule says which
    x = x if fft_length is None else x[..., :fft_length]  # TensorFlow's own crop has no right gradient
    return _pair(_transformed(tf.signal.rfft, _wide(x), None if fft_length is None else [fft_length]), x.dtype)


def irfft(x, fft_length=None):
    x = x if fft_length is None else [part[..., : fft_length // 2 + 1] for part in x]
    return tf.cast(_transformed(tf.signal.irfft, _complex(x), None if fft_length is None else [fft_length]), x[0].dtype)


def extract_sequences(x, sequence_length, sequence_stride):
    if (x.shape[-1] is not None and x.shape[-1] < sequence_length) or (isinstance(sequence_stride, int) and sequence_stride < 1):
        raise ValueError("shapes")  # the op's rule says which
    return tf.signal.frame(x, sequence_length, sequence_stride)
