"""PyTorch: creation, elementwise arithmetic and comparison. Arguments have been promoted by the op."""

import numpy as np
import torch

from core.backend.numpy.math import range_dtype
from core.backend.torch.array import native_dtype

FUNCTIONS = {
    name: getattr(torch, name)
    for name in (
        "add subtract multiply divide negative sign sqrt rsqrt reciprocal exp exp2 expm1 log log1p log2 log10 logaddexp logaddexp2 "
        "sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh arctan2 heaviside nextafter floor ceil hypot "
        "fmax fmin gcd lcm bitwise_and bitwise_or bitwise_xor bitwise_not sinc real angle i0 erf erfc erfinv "
        "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor logical_not "
        "isfinite isinf isnan isreal isposinf isneginf signbit isclose"
    ).split()
} | {"equal": torch.eq}


def _size(shape):
    return (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(shape)


def zeros(shape, dtype=None):
    return torch.zeros(_size(shape), dtype=native_dtype(dtype))


def ones(shape, dtype=None):
    return torch.ones(_size(shape), dtype=native_dtype(dtype))


def empty(shape, dtype=None):
    return torch.empty(_size(shape), dtype=native_dtype(dtype))


def full(shape, fill_value, dtype=None):
    return fill_value.to(native_dtype(dtype)).expand(_size(shape)).clone()


def zeros_like(x, dtype=None):
    return torch.zeros_like(x, dtype=None if dtype is None else native_dtype(dtype))


def ones_like(x, dtype=None):
    return torch.ones_like(x, dtype=None if dtype is None else native_dtype(dtype))


def full_like(x, fill_value, dtype=None):
    return fill_value.to(x.device, x.dtype if dtype is None else native_dtype(dtype)).expand(x.shape).clone()


def arange(start, stop=None, step=None, dtype=None):
    start, stop, step = (0, start, 1 if step is None else step) if stop is None else (start, stop, 1 if step is None else step)
    target = native_dtype(range_dtype(start, stop, step) if dtype is None else dtype)
    if step == 0:
        raise ValueError("step")  # the op's rule says what is wrong
    if (stop - start) * step <= 0:  # torch.arange takes this for an error
        return torch.empty((0,), dtype=target)
    if target.is_floating_point or not any(isinstance(end, float) for end in (start, stop, step)):
        return torch.arange(start, stop, step, dtype=target)
    return torch.arange(start, stop, step, dtype=torch.float64).to(target)  # with an integer dtype it would cut the ends first


def eye(N, M=None, k=0, dtype=None):
    M = N if M is None else M
    if k == 0:
        return torch.eye(N, M, dtype=native_dtype(dtype))
    return (torch.arange(N)[:, None] + k == torch.arange(M)).to(native_dtype(dtype))


def _floor_divide(x1, x2):
    return torch.div(x1, x2, rounding_mode="floor")  # torch.floor_divide has no derivative


def _counting(function):
    """Bools count as int32."""
    return lambda *xs: function(*(x.int() if getattr(x, "dtype", None) == torch.bool else x for x in xs))


FUNCTIONS |= {
    name: _counting(function)
    for name, function in dict(
        floor_divide=_floor_divide, mod=torch.remainder, fmod=torch.fmod, power=torch.pow, square=torch.square,
        bitwise_left_shift=torch.bitwise_left_shift, bitwise_right_shift=torch.bitwise_right_shift,
    ).items()
}  # fmt: skip


def maximum(x1, x2):
    return torch.maximum(x1, x2 if isinstance(x2, torch.Tensor) else x1.new_tensor(x2))


def minimum(x1, x2):
    return torch.minimum(x1, x2 if isinstance(x2, torch.Tensor) else x1.new_tensor(x2))


def divide_no_nan(x1, x2):
    safe = torch.where(x2 == 0, torch.ones_like(x2), x2)
    return torch.where(x2 == 0, torch.zeros_like(x1), x1 / safe)


def abs(x):
    return x if x.dtype == torch.bool else torch.abs(x)


def cbrt(x):
    return torch.sign(x) * torch.abs(x) ** (1 / 3)


def trunc(x):
    if x.is_floating_point():
        return torch.trunc(x)
    if x.is_complex():
        raise ValueError("dtypes")  # the op's rule says which
    return x


def round(x, decimals=0):
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    return x if decimals >= 0 else torch.round(x.double(), decimals=decimals).to(x.dtype)


def clip(x, x_min, x_max):
    x = x.int() if x.dtype == torch.bool else x
    if x_min is None or x_max is None or isinstance(x_min, torch.Tensor) == isinstance(x_max, torch.Tensor):
        return torch.clamp(x, x_min, x_max) if x_min is not None or x_max is not None else x
    return torch.clamp(x, *(torch.as_tensor(bound, dtype=x.dtype, device=x.device) for bound in (x_min, x_max)))


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return torch.nan_to_num(x, nan, posinf, neginf)


def imag(x):
    return x.imag if x.is_complex() else torch.zeros_like(x)


def conj(x):
    return torch.conj_physical(x)


def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    return torch.isclose(x1, x2, rtol, atol, equal_nan).all()
