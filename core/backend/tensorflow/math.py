"""TensorFlow: creation, elementwise arithmetic and comparison. Arguments have been promoted by the op."""

import builtins
import math

import numpy as np
import tensorflow as tf

from core.backend.numpy.math import range_dtype
from core.base.dtypes import is_float_dtype, standardize_dtype

FUNCTIONS = {
    "add": tf.add, "subtract": tf.subtract, "multiply": tf.multiply, "divide": tf.divide, "divide_no_nan": tf.math.divide_no_nan,
    "sqrt": tf.sqrt, "rsqrt": tf.math.rsqrt, "reciprocal": tf.math.reciprocal,
    "exp": tf.exp, "expm1": tf.math.expm1, "log": tf.math.log, "log1p": tf.math.log1p,
    "sin": tf.sin, "cos": tf.cos, "tan": tf.tan, "arcsin": tf.asin, "arccos": tf.acos, "arctan": tf.atan, "arctan2": tf.atan2,
    "sinh": tf.sinh, "cosh": tf.cosh, "tanh": tf.tanh, "arcsinh": tf.asinh, "arccosh": tf.acosh, "arctanh": tf.atanh,
    "erf": tf.math.erf, "erfc": tf.math.erfc, "floor": tf.floor, "ceil": tf.math.ceil, "maximum": tf.maximum, "minimum": tf.minimum,
    "equal": tf.equal, "not_equal": tf.not_equal,
}  # fmt: skip
# What the name of the op says, for bools by another function, which TensorFlow has apart.
_BOOL = {"add": tf.logical_or, "multiply": tf.logical_and, "maximum": tf.logical_or, "minimum": tf.logical_and}


def _shape(shape):
    return (shape,) if isinstance(shape, (int, np.integer)) else shape


def zeros(shape, dtype=None):
    return tf.zeros(_shape(shape), standardize_dtype(dtype))


def ones(shape, dtype=None):
    return tf.ones(_shape(shape), standardize_dtype(dtype))


def empty(shape, dtype=None):
    return tf.zeros(_shape(shape), standardize_dtype(dtype))


def full(shape, fill_value, dtype=None):
    return tf.broadcast_to(tf.cast(fill_value, standardize_dtype(dtype)), _shape(shape))


def zeros_like(x, dtype=None):
    return tf.zeros_like(x, None if dtype is None else standardize_dtype(dtype))


def ones_like(x, dtype=None):
    return tf.ones_like(x, None if dtype is None else standardize_dtype(dtype))


def full_like(x, fill_value, dtype=None):
    return tf.broadcast_to(tf.cast(fill_value, x.dtype if dtype is None else standardize_dtype(dtype)), tf.shape(x))


def arange(start, stop=None, step=None, dtype=None):
    start, stop, step = (0, start, 1 if step is None else step) if stop is None else (start, stop, 1 if step is None else step)
    own = range_dtype(start, stop, step)
    target = own if dtype is None else standardize_dtype(dtype)
    within = "float64" if "float64" in (own, target) else "float32" if is_float_dtype(own) or is_float_dtype(target) else "int64"
    start, stop, step = (tf.cast(v, within) for v in (start, stop, step))
    stop = tf.where(step > 0, tf.maximum(start, stop), tf.minimum(start, stop))  # tf.range takes an empty range for an error
    return tf.cast(tf.range(start, stop, step), target)


def eye(N, M=None, k=0, dtype=None):
    return tf.cast(tf.range(N)[:, None] + k == tf.range(N if M is None else M), standardize_dtype(dtype))


def _counted(x):
    """Bools count as int32."""
    return tf.cast(x, tf.int32) if getattr(x, "dtype", None) == tf.bool else x


def _with_bools(function, for_bools):
    return lambda x1, x2: (for_bools if x1.dtype == tf.bool else function)(x1, x2)


FUNCTIONS |= {name: _with_bools(FUNCTIONS[name], function) for name, function in _BOOL.items()}
FUNCTIONS |= {
    name: (lambda f: lambda x1, x2: f(_counted(x1), _counted(x2)))(getattr(tf, name))
    for name in ("less", "less_equal", "greater", "greater_equal")
}
FUNCTIONS |= {
    f"bitwise_{name}": _with_bools(getattr(tf.bitwise, f"bitwise_{name}"), function)
    for name, function in (("and", tf.logical_and), ("or", tf.logical_or), ("xor", tf.math.logical_xor))
}
FUNCTIONS |= {
    name: (lambda f: lambda x1, x2: f(tf.cast(x1, tf.bool), tf.cast(x2, tf.bool)))(getattr(tf.math, name))
    for name in ("logical_and", "logical_or", "logical_xor")
}


def logical_not(x):
    return tf.logical_not(tf.cast(x, tf.bool))


def negative(x):
    return tf.cast(-tf.cast(x, tf.int64), x.dtype) if x.dtype.is_unsigned else tf.negative(x)


def abs(x):
    return x if x.dtype == tf.bool or x.dtype.is_unsigned else tf.abs(x)


def sign(x):
    if x.dtype == tf.bool or x.dtype.is_unsigned:
        return tf.cast(x != tf.zeros_like(x), x.dtype)
    return tf.sign(x)


def square(x):
    x = _counted(x)
    return x * x


def power(x1, x2):
    if x1.dtype in _SMALL:
        return tf.cast(tf.pow(tf.cast(x1, tf.int32), tf.cast(x2, tf.int32)), x1.dtype)
    return tf.pow(_counted(x1), _counted(x2))


_SMALL = (tf.int8, tf.uint8, tf.int16, tf.uint16)


def floor_divide(x1, x2):
    return tf.math.floordiv(_counted(x1), _counted(x2))


def mod(x1, x2):
    if x1.dtype in _SMALL:
        return tf.cast(tf.math.floormod(tf.cast(x1, tf.int32), tf.cast(x2, tf.int32)), x1.dtype)
    return tf.math.floormod(_counted(x1), _counted(x2))


def _check_real(x):
    if x.dtype.is_complex:
        raise ValueError("dtypes")  # the op's rule says which


def fmod(x1, x2):
    _check_real(x1)
    x1, x2 = _counted(x1), _counted(x2)
    if x1.dtype.is_floating:  # TensorFlow's own has no gradient
        return tf.sign(x1) * tf.math.floormod(tf.abs(x1), tf.abs(x2))
    wide = tf.int64 if x1.dtype.size == 8 else tf.int32
    return tf.cast(tf.truncatemod(tf.cast(x1, wide), tf.cast(x2, wide)), x1.dtype)


def cbrt(x):
    return tf.sign(x) * tf.abs(x) ** tf.cast(1 / 3, x.dtype)


def hypot(x1, x2):
    _check_real(x1)
    x1, x2 = tf.abs(x1), tf.abs(x2)
    long, short = tf.maximum(x1, x2), tf.minimum(x1, x2)
    ratio = tf.where(long > 0, short / tf.where(long > 0, long, tf.ones_like(long)), tf.zeros_like(long))
    return tf.where(tf.math.is_inf(long), long, long * tf.sqrt(1 + ratio * ratio))


def exp2(x):
    return tf.pow(tf.cast(2, x.dtype), x)


def log2(x):
    return tf.math.log(x) / tf.cast(math.log(2), x.dtype)


def log10(x):
    return tf.math.log(x) / tf.cast(math.log(10), x.dtype)


def logaddexp(x1, x2):
    top = tf.stop_gradient(tf.maximum(x1, x2))
    top = tf.where(tf.math.is_finite(top), top, tf.zeros_like(top))
    return top + tf.math.log(tf.exp(x1 - top) + tf.exp(x2 - top))


def logaddexp2(x1, x2):
    log2 = tf.cast(math.log(2), x1.dtype)
    return logaddexp(x1 * log2, x2 * log2) / log2


def sinc(x):
    t = tf.cast(math.pi, x.dtype) * tf.where(x == 0, tf.ones_like(x), x)
    return tf.where(x == 0, tf.ones_like(x), tf.sin(t) / t)


def i0(x):
    return tf.cast(tf.math.bessel_i0(tf.cast(x, tf.float32)), x.dtype) if x.dtype.size == 2 else tf.math.bessel_i0(x)


def erfinv(x):
    return tf.cast(tf.math.erfinv(tf.cast(x, tf.float32)), x.dtype) if x.dtype.size == 2 else tf.math.erfinv(x)


def heaviside(x1, x2):
    return tf.where(x1 == 0, x2, tf.where(tf.math.is_nan(x1), x1, tf.cast(x1 > 0, x1.dtype)))


def nextafter(x1, x2):
    if x1.dtype.size > 2:
        return tf.math.nextafter(x1, x2)
    # 16-bit floats: the next number is the next bit pattern, away from zero or towards it.
    bits = tf.bitcast(x1, tf.int16)
    smallest = tf.where(x2 > 0, tf.ones_like(bits), tf.ones_like(bits) + tf.int16.min)
    bits = tf.where(x1 == 0, smallest, tf.where((x2 > x1) == (x1 > 0), bits + 1, bits - 1))
    return tf.where(x1 == x2, x2, tf.where(tf.math.is_nan(x1) | tf.math.is_nan(x2), x1 + x2, tf.bitcast(bits, x1.dtype)))


def trunc(x):
    _check_real(x)
    return tf.where(x < 0, tf.math.ceil(x), tf.floor(x)) if x.dtype.is_floating else x


def round(x, decimals=0):
    if not (x.dtype.is_floating or x.dtype.is_complex):
        return x if decimals >= 0 else tf.cast(round(tf.cast(x, tf.float64), decimals), x.dtype)
    if decimals == 0:
        return tf.round(x)
    scale = tf.cast(10.0 ** builtins.abs(decimals), x.dtype)
    return tf.round(x * scale) / scale if decimals > 0 else tf.round(x / scale) * scale


def clip(x, x_min, x_max):
    x = _counted(x)
    x = x if x_min is None else tf.maximum(x, _counted(x_min))
    return x if x_max is None else tf.minimum(x, _counted(x_max))


def fmax(x1, x2):
    return FUNCTIONS["maximum"](*_without_nan(x1, x2))


def fmin(x1, x2):
    return FUNCTIONS["minimum"](*_without_nan(x1, x2))


def _without_nan(x1, x2):
    if not x1.dtype.is_floating:
        return x1, x2
    return tf.where(tf.math.is_nan(x1), x2, x1), tf.where(tf.math.is_nan(x2), x1, x2)


def gcd(x1, x2):
    """Euclid, all elements at once until none has a rest."""
    _check_integers(x1)
    dtype, wide = x1.dtype, tf.int64
    x1, x2 = tf.abs(tf.cast(x1, wide)), tf.abs(tf.cast(x2, wide))
    x1, x2 = x1 + tf.zeros_like(x2), x2 + tf.zeros_like(x1)

    def step(a, b):
        return tf.where(b == 0, a, b), tf.where(b == 0, b, a % tf.where(b == 0, tf.ones_like(b), b))

    return tf.cast(tf.while_loop(lambda a, b: tf.reduce_any(b != 0), step, (x1, x2))[0], dtype)


def _check_integers(x):
    if not x.dtype.is_integer and x.dtype != tf.bool:
        raise ValueError("dtypes")


def lcm(x1, x2):
    _check_integers(x1)
    a, b = tf.abs(tf.cast(x1, tf.int64)), tf.abs(tf.cast(x2, tf.int64))
    common = gcd(a, b)
    return tf.cast(a // tf.maximum(common, 1) * b, x1.dtype)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    if x.dtype.is_complex:
        return tf.complex(nan_to_num(tf.math.real(x), nan, posinf, neginf), nan_to_num(tf.math.imag(x), nan, posinf, neginf))
    if not x.dtype.is_floating:
        return x
    posinf, neginf = x.dtype.max if posinf is None else posinf, x.dtype.min if neginf is None else neginf
    x = tf.where(tf.math.is_nan(x), tf.cast(nan, x.dtype), x)
    return tf.where(x == np.inf, tf.cast(posinf, x.dtype), tf.where(x == -np.inf, tf.cast(neginf, x.dtype), x))


def real(x):
    return tf.math.real(x) if x.dtype.is_complex else x


def conj(x):
    return tf.math.conj(x) if x.dtype.is_complex else x


def imag(x):
    return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)


def angle(x):
    return tf.math.angle(x) if x.dtype.is_complex else tf.where(x < 0, tf.cast(math.pi, x.dtype), x * 0)


def bitwise_not(x):
    return tf.logical_not(x) if x.dtype == tf.bool else tf.bitwise.invert(x)


def bitwise_left_shift(x, y):
    return tf.bitwise.left_shift(_counted(x), _counted(y))


def bitwise_right_shift(x, y):
    return tf.bitwise.right_shift(_counted(x), _counted(y))


def _on_parts(function, join):
    def run(x):
        return join(function(tf.math.real(x)), function(tf.math.imag(x))) if x.dtype.is_complex else function(x)

    return run


FUNCTIONS |= {
    "isfinite": _on_parts(tf.math.is_finite, tf.logical_and),
    "isinf": _on_parts(tf.math.is_inf, tf.logical_or),
    "isnan": _on_parts(tf.math.is_nan, tf.logical_or),
}


def isposinf(x):
    _check_real(x)
    return x == tf.cast(np.inf, x.dtype)


def isneginf(x):
    _check_real(x)
    return x == tf.cast(-np.inf, x.dtype)


def isreal(x):
    return tf.math.imag(x) == 0 if x.dtype.is_complex else tf.ones_like(x, tf.bool)


_BITS = {tf.float16: tf.int16, tf.bfloat16: tf.int16, tf.float32: tf.int32, tf.float64: tf.int64}


def signbit(x):
    if x.dtype == tf.bool or x.dtype.is_unsigned:
        return tf.zeros_like(x, tf.bool)
    return (tf.bitcast(x, _BITS[x.dtype]) if x.dtype.is_floating else x) < 0


def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    if not (x1.dtype.is_floating or x1.dtype.is_complex):
        x1, x2 = tf.cast(x1, tf.float64), tf.cast(x2, tf.float64)
    size = tf.abs(x2)
    near = tf.abs(x1 - x2) <= tf.cast(atol, size.dtype) + tf.cast(rtol, size.dtype) * size
    close = tf.where(FUNCTIONS["isfinite"](x1) & FUNCTIONS["isfinite"](x2), near, x1 == x2)
    return close | (FUNCTIONS["isnan"](x1) & FUNCTIONS["isnan"](x2)) if equal_nan else close


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    return tf.reduce_all(isclose(x1, x2, rtol, atol, equal_nan))
