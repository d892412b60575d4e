"""PyTorch tensors: making, casting, looking at."""

import ml_dtypes
import numpy as np
import torch

from core.backend.numpy.array import dense_only, host_array
from core.base import tree
from core.base.dtypes import standardize_dtype

NATIVE = {
    name: getattr(torch, name)
    for name in ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
                 "float64", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128")
}  # fmt: skip
NAMES = {native: name for name, native in NATIVE.items()}


def native_float_dtypes():
    return frozenset((torch.float16, torch.bfloat16, torch.float32, torch.float64))


def native_int_dtypes():
    return frozenset((torch.int32, torch.int64))


def native_dtype(name):
    """PyTorch's dtype of whatever `standardize_dtype` takes."""
    try:
        return NATIVE[standardize_dtype(name)]
    except KeyError:
        raise ValueError(f"PyTorch has no dtype {name!r}; it has {sorted(NATIVE)}.") from None


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    dense_only("torch", sparse, ragged)
    target = None if dtype is None else native_dtype(dtype)
    if isinstance(x, torch.Tensor):
        dense_only("torch", x.layout is not torch.strided, False)
        return x if target is None else x.to(target)
    if isinstance(x, (bool, int, float)) and target is not None:
        return torch.tensor(x, dtype=target)
    if isinstance(x, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in tree.flatten(x)):
        return torch.stack([convert_to_tensor(part, dtype) for part in x])
    array = host_array(x)
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.uint16).copy()).view(torch.bfloat16).to(target or torch.bfloat16)
    if array.dtype in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
        own = native_dtype(array.dtype)
        return torch.from_numpy(array.view(np.uint8).copy()).view(own).to(target or own)
    if array.dtype.kind not in "biufc":
        raise ValueError(f"PyTorch tensors hold numbers, got an array of dtype {array.dtype}.")
    if not array.flags.writeable or any(stride < 0 for stride in array.strides) or not array.dtype.isnative:
        array = np.array(array, dtype=array.dtype.newbyteorder("="))
    tensor = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
    return tensor if target is None else tensor.to(target)


def convert_to_numpy(x):
    dense_only("torch", x.layout is not torch.strided, False)
    x = x.detach().cpu().resolve_conj().resolve_neg()
    if x.dtype == torch.bfloat16:
        return x.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    if x.dtype in (torch.float8_e4m3fn, torch.float8_e5m2):
        return x.view(torch.uint8).numpy().view(getattr(ml_dtypes, NAMES[x.dtype]))
    return x.numpy()


def cast(x, dtype):
    return x.to(native_dtype(dtype))


def dtype(x):
    return NAMES.get(x.dtype) or standardize_dtype(x.dtype)


def shape(x):
    return tuple(x.shape)


def is_tensor(x):
    return isinstance(x, torch.Tensor)


def stop_gradient(x):
    return x.detach()


def copy(x):
    return x.clone()


def _dense(x):
    """`x` with its last axis in one piece. A tensor without elements counts as that whatever its strides are: it is made anew."""
    return x.contiguous() if x.numel() else torch.empty(x.shape, dtype=x.dtype, device=x.device)


def view(x, dtype=None):
    if dtype is None:
        return x
    target = native_dtype(dtype)
    if x.ndim and not x.shape[-1]:
        return torch.empty(x.shape, dtype=target, device=x.device)
    return _dense(x).view(target)


def view_as_complex(x):
    return torch.view_as_complex(_dense(x if x.dtype == torch.float64 else x.float()))


def view_as_real(x):
    return torch.view_as_real((x if x.is_complex() else x.to(torch.complex64)).resolve_conj())
