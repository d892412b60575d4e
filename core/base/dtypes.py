"""Dtype names and the promotion lattice.

A dtype is a string everywhere above the backends: `"float32"`, `"int8"`, `"bool"`. Promotion is the least
upper bound on JAX's published lattice (docs.jax.dev, "Type promotion semantics"), which Keras 3 uses too.
Python scalars are weak: `"int"` and `"float"` below give way to any dtype of their kind.
"""

from __future__ import annotations

import functools
from typing import Any

import ml_dtypes
import numpy as np

from core.base import config
from core.base.errors import unknown_name

INTS = ("int8", "int16", "int32", "int64")
UINTS = ("uint8", "uint16", "uint32", "uint64")
FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
FLOATS = (*FLOAT8, "float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
ALLOWED = frozenset(("bool", "string", "int4", "uint4", *INTS, *UINTS, *FLOATS, *COMPLEX))

_FROM_PYTHON: dict[Any, Any] = {bool: "bool", int: "int32", float: None, complex: "complex64", str: "string", bytes: "string"}
_EXTENDED = {
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "int4": ml_dtypes.int4,
    "uint4": ml_dtypes.uint4,
}

# Each dtype's next wider ones. "int", "float", "complex" are the weak kinds of Python scalars.
_WIDER = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("uint16", "int16"),
    "int8": ("int16",),
    "uint16": ("uint32", "int32"),
    "int16": ("int32",),
    "uint32": ("uint64", "int64"),
    "int32": ("int64",),
    "uint64": ("float",),
    "int64": ("float",),
    "float": ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "complex"),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex": ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
}


def _upper_bounds() -> dict[str, frozenset[str]]:
    bounds: dict[str, frozenset[str]] = {}

    def visit(name: str) -> frozenset[str]:
        if name not in bounds:
            bounds[name] = frozenset({name}).union(*(visit(wider) for wider in _WIDER[name]))
        return bounds[name]

    for name in _WIDER:
        visit(name)
    return bounds


_BOUNDS = _upper_bounds()


def standardize_dtype(dtype) -> str:
    """The name of a dtype given as a string, a NumPy, JAX, TensorFlow or PyTorch dtype, or a Python type; `floatx()` for None.

    >>> standardize_dtype(np.float32), standardize_dtype(int), standardize_dtype("half")
    ('float32', 'int32', 'float16')
    """
    if isinstance(dtype, str) and dtype in ALLOWED:
        return dtype
    if dtype is None or dtype is float:
        return config.floatx()
    try:
        return _standardize(dtype)
    except TypeError:  # unhashable: no dtype at all
        raise unknown_name("dtype", dtype, ALLOWED) from None


@functools.cache
def _standardize(dtype) -> str:
    if dtype in _FROM_PYTHON:
        return _FROM_PYTHON[dtype]
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    name = {"half": "float16", "float": "float32", "double": "float64", "int": "int32", "str": "string", "object": "string"}.get(name, name)
    if name.startswith("torch."):
        name = name.removeprefix("torch.")
    if name.startswith(("str", "bytes")):
        name = "string"
    if name not in ALLOWED:
        raise unknown_name("dtype", dtype, ALLOWED)
    return name


def continuous(dtype) -> str:
    """The name of the dtype of a continuous distribution; a `ValueError` for one that is no float."""
    name = standardize_dtype(dtype)
    if name not in FLOATS:
        raise ValueError(f"This distribution is continuous and needs a float dtype, got {name!r}; randint draws integers.")
    return name


def numpy_dtype(dtype) -> np.dtype:
    """The NumPy dtype of whatever `standardize_dtype` takes; bfloat16, float8 and int4 come from ml_dtypes."""
    dtype = standardize_dtype(dtype)
    if dtype == "string":
        return np.dtype(object)
    return np.dtype(_EXTENDED.get(dtype, dtype))


def is_float_dtype(dtype) -> bool:
    """Whether `dtype` is a real floating point dtype, float8 and bfloat16 included."""
    return standardize_dtype(dtype) in FLOATS


def is_int_dtype(dtype) -> bool:
    """Whether `dtype` is a signed or unsigned integer dtype."""
    return standardize_dtype(dtype) in (*INTS, *UINTS, "int4", "uint4")


def kind_of(value) -> str:
    """The lattice name of a Python scalar's type, for example `"float"` for 1.5 (weak), or of `value.dtype`."""
    kind = {bool: "bool", int: "int", float: "float", complex: "complex"}.get(type(value))
    return kind if kind is not None else standardize_dtype(value.dtype)


@functools.cache
def _least_upper_bound(names: frozenset[str]) -> str:
    for name in names:
        if name not in _BOUNDS:
            raise ValueError(f"The dtype {name!r} takes no part in type promotion; cast it first. Got {sorted(names)}.")
    common = frozenset.intersection(*(_BOUNDS[name] for name in names))
    least = [name for name in common if common == _BOUNDS[name]]
    if not least:
        raise ValueError(f"No implicit promotion between the dtypes {sorted(names)}; cast one of them first.")
    return least[0]


def promote(*names: str) -> str:
    """The dtype of a result whose arguments have these lattice names; weak results take their default dtype."""
    bound = names[0] if len(names) == 1 else _least_upper_bound(frozenset(names))
    if bound in ALLOWED:
        return bound
    return {"int": "int32", "float": config.floatx(), "complex": "complex64"}[bound]


def result_type(*dtypes) -> str:
    """The dtype that the arguments promote to. Python's `int` and `float` types are weak.

    >>> result_type("int32", "float16"), result_type("float16", float), result_type("int64", "uint64")
    ('float16', 'float16', 'float32')
    """
    weak = {bool: "bool", int: "int", float: "float", complex: "complex", "int": "int", "float": "float"}

    def name(dtype) -> str:
        if dtype is None:
            return config.floatx()
        if isinstance(dtype, (type, str)) and dtype in weak:
            return weak[dtype]
        return standardize_dtype(getattr(dtype, "dtype", dtype))

    return promote(*map(name, dtypes)) if dtypes else config.floatx()


def to_float(dtype: str) -> str:
    """`dtype` if it is floating or complex, else the float dtype that an integer or bool promotes to."""
    return dtype if dtype in FLOATS or dtype in COMPLEX else config.floatx()
