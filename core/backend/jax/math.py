"""JAX: creation, elementwise arithmetic and comparison. Arguments have been promoted by the op."""

import jax
import jax.numpy as jnp
import jax.scipy.special as special

from core.backend.jax.array import allowed
from core.backend.numpy.math import range_dtype

FUNCTIONS = {
    name: getattr(jnp, name)
    for name in (
        "add subtract multiply divide negative abs sqrt cbrt reciprocal exp exp2 expm1 log log1p log2 log10 logaddexp logaddexp2 "
        "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh heaviside nextafter floor ceil trunc hypot "
        "maximum minimum fmax fmin conj bitwise_and bitwise_or bitwise_xor bitwise_not sinc real imag angle i0 "
        "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not "
        "isfinite isinf isnan isreal isposinf isneginf signbit isclose allclose"
    ).split()
}


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def arctan2(x1, x2):
    if x1.dtype.kind == "c":  # JAX has an angle of complex numbers, nobody else
        raise ValueError("dtypes")  # the op's rule says which
    return jnp.arctan2(x1, x2)


FUNCTIONS |= {"rsqrt": jax.lax.rsqrt, "erf": special.erf, "erfc": special.erfc, "erfinv": special.erfinv}


def zeros(shape, dtype=None):
    return jnp.zeros(shape, allowed(dtype))


def ones(shape, dtype=None):
    return jnp.ones(shape, allowed(dtype))


def empty(shape, dtype=None):
    return jnp.empty(shape, allowed(dtype))


def full(shape, fill_value, dtype=None):
    return jnp.full(shape, fill_value, allowed(dtype))


def zeros_like(x, dtype=None):
    return jnp.zeros_like(x, None if dtype is None else allowed(dtype))


def ones_like(x, dtype=None):
    return jnp.ones_like(x, None if dtype is None else allowed(dtype))


def full_like(x, fill_value, dtype=None):
    return jnp.full_like(x, fill_value, None if dtype is None else allowed(dtype))


def arange(start, stop=None, step=None, dtype=None):
    start, stop, step = (0, start, 1 if step is None else step) if stop is None else (start, stop, 1 if step is None else step)
    return jnp.arange(start, stop, step, allowed(range_dtype(start, stop, step) if dtype is None else dtype))


def eye(N, M=None, k=0, dtype=None):
    return jnp.eye(N, M, k, allowed(dtype))


def _counting(function):
    """Bools count as int32."""
    return lambda *xs: function(*(x.astype(jnp.int32) if getattr(x, "dtype", None) == jnp.bool_ else x for x in xs))


FUNCTIONS |= {
    name: _counting(function)
    for name, function in dict(
        floor_divide=jnp.floor_divide, mod=jnp.mod, fmod=jnp.fmod, power=jnp.power, square=jnp.square,
        bitwise_left_shift=jnp.left_shift, bitwise_right_shift=jnp.right_shift,
    ).items()
}  # fmt: skip


def divide_no_nan(x1, x2):
    safe = jnp.where(x2 == 0, jnp.ones_like(x2), x2)
    return jnp.where(x2 == 0, jnp.zeros_like(x1), x1 / safe)


def sign(x):
    return x if x.dtype == bool else jnp.sign(x)


def round(x, decimals=0):
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.round(x, decimals)
    if decimals >= 0:
        return x
    quotient, rest = jnp.divmod(x, 10**-decimals)
    up = (2 * rest > 10**-decimals) | ((2 * rest == 10**-decimals) & (quotient % 2 == 1))
    return (quotient + up) * 10**-decimals


def clip(x, x_min, x_max):
    return jnp.clip(x.astype(jnp.int32) if x.dtype == bool else x, x_min, x_max)


def _wider(function):
    """jnp.gcd never ends on the least value of a narrow integer dtype, whose absolute value that dtype lacks."""

    def run(x1, x2):
        wide = jnp.promote_types(x1.dtype, jnp.int32)
        return function(x1.astype(wide), x2.astype(wide)).astype(x1.dtype)

    return run


FUNCTIONS |= {"gcd": _wider(jnp.gcd), "lcm": _wider(jnp.lcm)}
