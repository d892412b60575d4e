"""NumPy: creation, elementwise arithmetic and comparison. Arguments have been promoted by the op."""

import math

import ml_dtypes
import numpy as np

from core.base import dtypes
from core.base.dtypes import numpy_dtype

FUNCTIONS = {
    name: getattr(np, name)
    for name in (
        "add subtract multiply divide negative abs sqrt cbrt reciprocal hypot exp exp2 expm1 log log1p log2 log10 logaddexp logaddexp2 "
        "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh arctan2 heaviside nextafter floor ceil trunc "
        "maximum minimum fmax fmin gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_not "
        "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not "
        "isfinite isinf isnan isreal"
    ).split()
}


def zeros(shape, dtype=None):
    return np.zeros(shape, numpy_dtype(dtype))


def ones(shape, dtype=None):
    return np.ones(shape, numpy_dtype(dtype))


def empty(shape, dtype=None):
    return np.empty(shape, numpy_dtype(dtype))


def full(shape, fill_value, dtype=None):
    return np.full(shape, fill_value, numpy_dtype(dtype))


def zeros_like(x, dtype=None):
    return np.zeros_like(x, x.dtype if dtype is None else numpy_dtype(dtype))


def ones_like(x, dtype=None):
    return np.ones_like(x, x.dtype if dtype is None else numpy_dtype(dtype))


def full_like(x, fill_value, dtype=None):
    return np.full_like(x, fill_value, x.dtype if dtype is None else numpy_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    start, stop, step = (0, start, 1 if step is None else step) if stop is None else (start, stop, 1 if step is None else step)
    return np.arange(start, stop, step, numpy_dtype(range_dtype(start, stop, step) if dtype is None else dtype))


def range_dtype(*ends):
    """What `arange` gives: the promoted dtype, int32 or floatx for Python numbers."""
    return dtypes.promote(*map(dtypes.kind_of, ends))


def _spaced(function, start, stop, num, dtype, **options):
    """Numbers between two ends, computed in 64 bits, in `dtype` or that of the ends."""
    wide = (x if x.dtype.kind == "c" else x.astype(np.float64) for x in (start, stop))
    numbers = function(*wide, num, **options)
    return numbers, numpy_dtype(start.dtype if dtype is None else dtype)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    (numbers, step), dtype = _spaced(np.linspace, start, stop, num, dtype, endpoint=endpoint, retstep=True, axis=axis)
    numbers = (np.floor(numbers) if dtype.kind in "iu" else numbers).astype(dtype)
    return (numbers, np.broadcast_to(step, (start - stop).shape).astype(start.dtype)) if retstep else numbers


def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    numbers, dtype = _spaced(np.logspace, start, stop, num, dtype, endpoint=endpoint, base=base, axis=axis)
    return numbers.astype(dtype)


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    numbers, dtype = _spaced(np.geomspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)
    return numbers.astype(dtype)


def eye(N, M=None, k=0, dtype=None):
    return np.eye(N, M, k, numpy_dtype(dtype))


def _counting(function):
    """Bools count as int32."""
    return lambda *xs: function(*(x.astype(np.int32) if getattr(x, "dtype", None) == np.bool_ else x for x in xs))


FUNCTIONS |= {
    name: _counting(function)
    for name, function in dict(
        floor_divide=np.floor_divide, mod=np.mod, fmod=np.fmod, power=np.power, square=np.square,
        bitwise_left_shift=np.left_shift, bitwise_right_shift=np.right_shift,
    ).items()
}  # fmt: skip


def _quiet(function):
    """Divisions by zero and the like give infinities and NaN without a warning, as everywhere else."""

    def run(*args, **kwargs):
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return run


FUNCTIONS = {name: _quiet(function) for name, function in FUNCTIONS.items()}


def divide_no_nan(x1, x2):
    return np.divide(x1, x2, out=np.zeros(np.broadcast_shapes(x1.shape, x2.shape), x1.dtype), where=x2 != 0)


@_quiet
def rsqrt(x):
    return np.reciprocal(np.sqrt(x))


def sinc(x):
    return np.sinc(x).astype(x.dtype, copy=False)


def i0(x):
    _check_real(x)
    return np.i0(x.astype(np.float64)).astype(x.dtype)


def _check_real(x):
    if x.dtype.kind == "c":
        raise ValueError("dtypes")  # the op's rule says which


def _each(function, x):
    """A function of Python floats, element by element."""
    _check_real(x)
    return np.vectorize(function, otypes=[np.float64])(x.astype(np.float64)).astype(x.dtype)


def erf(x):
    return _each(math.erf, x)


def erfc(x):
    return _each(math.erfc, x)


def erfinv(x):
    return _each(_erfinv, x)


def _erfinv(x):
    """Winitzki's approximation, made exact by Newton's method on erfc, which keeps its digits near the ends."""
    if not -1 < x < 1:
        return math.copysign(math.inf, x) if abs(x) == 1 else math.nan
    log = math.log1p(-x * x)
    half = 2 / (math.pi * 0.147) + log / 2
    y = math.sqrt(math.sqrt(half * half - log / 0.147) - half)
    for _ in range(4):
        y += (math.erfc(y) - (1 - abs(x))) * math.sqrt(math.pi) / 2 * math.exp(y * y)
    return math.copysign(y, x)


def round(x, decimals=0):
    if x.dtype.kind in "iu" and decimals >= 0:
        return x
    return _quiet(np.round)(x, decimals).astype(x.dtype, copy=False)


def clip(x, x_min, x_max):
    x = x.astype(np.int32) if x.dtype == bool else x
    return np.clip(x, x_min, x_max).astype(x.dtype, copy=False)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    if x.dtype.kind != "V":
        return np.asarray(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), x.dtype)
    ends = ml_dtypes.finfo(x.dtype)  # NumPy does not know bfloat16
    posinf, neginf = ends.max if posinf is None else posinf, ends.min if neginf is None else neginf
    return np.where(np.isnan(x), nan, np.where(np.isinf(x), np.where(x > 0, posinf, neginf), x)).astype(x.dtype)


def sign(x):
    return x if x.dtype == bool else np.sign(x)


def conj(x):
    return np.conj(x) if x.dtype.kind == "c" else x


def real(x):
    return np.real(x)


def imag(x):
    return np.imag(x)


def angle(x):
    return np.angle(x).astype(np.real(x).dtype, copy=False)


def isposinf(x):
    _check_real(x)
    return x == np.inf


def isneginf(x):
    _check_real(x)
    return x == -np.inf


def signbit(x):
    return np.signbit(x) if x.dtype.kind not in "bu" else np.zeros(x.shape, bool)


def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.isclose(x1, x2, rtol, atol, equal_nan)


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    return np.isclose(x1, x2, rtol, atol, equal_nan).all()
