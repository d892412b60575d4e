"""The JAX backend's Fourier transforms, on pairs of real arrays. See `core.backend.protocol`."""

import jax.numpy as jnp

from core.backend.arguments import check_pair


def _complex(x):
    check_pair(x)
    wide = jnp.promote_types(x[0].dtype, jnp.float32)
    return x[0].astype(wide) + 1j * x[1].astype(wide)


def _pair(z, dtype):
    return z.real.astype(dtype), z.imag.astype(dtype)


def fft(x):
    return _pair(jnp.fft.fft(_complex(x)), x[0].dtype)


def fft2(x):
    return _pair(jnp.fft.fft2(_complex(x)), x[0].dtype)


def ifft2(x):
    return _pair(jnp.fft.ifft2(_complex(x)), x[0].dtype)


def rfft(x, fft_length=None):
    return _pair(jnp.fft.rfft(x.astype(jnp.promote_types(x.dtype, jnp.float32)), fft_length), x.dtype)


def irfft(x, fft_length=None):
    return jnp.fft.irfft(_complex(x), fft_length).astype(x[0].dtype)
