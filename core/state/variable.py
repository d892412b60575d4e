"""`Variable`: a named tensor that layers, optimizers and metrics keep between calls."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor
from core.base import names
from core.base.dtypes import is_float_dtype, numpy_dtype, standardize_dtype
from core.base.errors import ResourceLimitError
from core.base.shapes import standardize_shape
from core.ops import operators
from core.ops.registry import HOLDERS

AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")
SYNCHRONIZATIONS = (None, "none", "auto", "on_read", "on_write")


class Version:
    """Counts changes of structure anywhere; compiled plans remember the count at which they were made."""

    count = 0


class _Allowance(threading.local):
    left: int | None = None
    blank = False


_allowance = _Allowance()


@contextlib.contextmanager
def allocation_limit(size: int) -> Iterator[None]:
    """Inside the `with` block, variables made in this thread may take `size` bytes together; files declare shapes, and may lie."""
    before, _allowance.left = _allowance.left, size
    try:
        yield
    finally:
        _allowance.left = before


@contextlib.contextmanager
def blank_variables() -> Iterator[None]:
    """Inside the `with` block, variables made in this thread start from zeros whatever their initializer.

    For models whose weights are loaded next: drawing random numbers first would take longer than reading the file.
    """
    before, _allowance.blank = _allowance.blank, True
    try:
        yield
    finally:
        _allowance.blank = before


def _allocate(shape: tuple, dtype: str) -> None:
    if _allowance.left is not None:
        _allowance.left -= math.prod(shape) * (1 if dtype == "string" else numpy_dtype(dtype).itemsize)
        if _allowance.left < 0:
            raise ResourceLimitError(
                f"A variable of shape {shape} and dtype {dtype} takes more bytes than the weights in the file account for."
            )


class Variable(Holder):
    """A tensor with a name that can be assigned to.

    Args:
        initializer: the value (array, tensor or nested list), or a function `(shape, dtype) -> tensor`.
        shape: needed where `initializer` is a function.
        dtype: name of the dtype; `floatx()` where it is None and the value does not tell.
        trainable: whether optimizers may change it.
        autocast: whether a layer with a lower compute dtype sees it in that dtype.
        name: the last part of `path`.

    >>> v = Variable(np.ones((2, 3), "float32"), name="kernel")
    >>> v.assign_add(np.ones((2, 3), "float32"))
    >>> v.shape, v.dtype
    ((2, 3), 'float32')
    """

    __slots__ = (
        "_dtype", "_shape", "_trainable", "aggregation", "autocast", "backend", "constraint", "layout", "made_trainable", "name",
        "overwrite_with_gradient", "path", "regularizer", "synchronization", "__dict__",
    )  # fmt: skip

    # TensorFlow's tape takes whatever says this and has a `handle` for a variable of its own.
    _should_act_as_resource_variable = True

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        backend = kwargs.pop("backend", None)
        if kwargs:
            raise TypeError(f"Variable got unexpected arguments {sorted(kwargs)}.")
        if aggregation not in AGGREGATIONS:
            raise ValueError(f"aggregation must be one of {AGGREGATIONS}, got {aggregation!r}.")
        if synchronization not in SYNCHRONIZATIONS:
            raise ValueError(f"synchronization must be one of {SYNCHRONIZATIONS}, got {synchronization!r}.")
        self.name = name if name is not None else names.auto_name("variable")
        if not isinstance(self.name, str) or "/" in self.name:
            raise ValueError(f"A variable's name must be a string without '/', got {self.name!r}.")
        prefix = names.current_path()
        self.path = f"{prefix}/{self.name}" if prefix else self.name
        self.autocast, self.aggregation, self.synchronization, self.layout = bool(autocast), aggregation, synchronization, layout
        self.regularizer = self.constraint = None
        self.overwrite_with_gradient = False
        self._trainable = self.made_trainable = bool(trainable)
        given = slot.get(backend) if backend is not None else slot.owner(initializer) or slot.active()
        self.backend: Backend = given
        with given.init_scope(), slot.use(given):
            value, self._dtype = self._initial(initializer, shape, dtype)
            owner = slot.owner(value)
            if owner is not None and owner is not given:
                value = owner.convert_to_numpy(value)
            self._value = given.variable(given.convert_to_tensor(value, self._dtype), self._trainable)
        self._dtype = self.backend.dtype(self._value)  # JAX without x64 gives 32 bits where 64 were asked for
        self._shape = tuple(int(d) for d in self._value.shape)

    @staticmethod
    def _initial(initializer: Any, shape: Any, dtype: Any) -> tuple[Any, str]:
        if isinstance(initializer, Variable):
            initializer = initializer.value
        if isinstance(initializer, str):
            raise ValueError(f"Variable needs a value or a function as initializer, got {initializer!r}: core.initializers.get makes one.")
        if callable(initializer) and not hasattr(initializer, "shape"):
            if shape is None:
                raise ValueError(f"A variable made by an initializer function needs a shape; got initializer={initializer} and shape=None.")
            name, shape = standardize_dtype(dtype), standardize_shape(shape)
            _allocate(shape, name)
            return (slot.active().zeros(shape, name) if _allowance.blank else initializer(shape, dtype=name)), name
        if dtype is None:
            own = getattr(initializer, "dtype", None)
            dtype = standardize_dtype(own) if own is not None else _python_dtype(initializer)
        if shape is not None and tuple(np.shape(initializer)) != standardize_shape(shape):
            raise ValueError(f"A variable of shape {tuple(shape)} cannot start from a value of shape {tuple(np.shape(initializer))}.")
        return initializer, standardize_dtype(dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def size(self) -> int:
        return int(np.prod(self._shape, dtype="int64"))

    @property
    def dtype(self) -> str:
        """The dtype in which the value is kept (in a call of a mixed precision layer: the one it is seen in)."""
        return self.backend.dtype(self._value) if self._value is not None else self._dtype

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        Version.count += 1
        self._value = self.backend.set_trainable(self._value, self._trainable)

    @property
    def handle(self) -> Any:
        """The handle that TensorFlow's tape records."""
        return self._value.handle

    @property
    def grad(self) -> Any:
        """The gradient that PyTorch's `backward` left, or None."""
        return getattr(self._value, "grad", None)

    def assign(self, value: Any) -> Any:
        """Sets the value, cast to this variable's dtype; shapes must be equal. Returns the new value."""
        value = self._accept(value)
        if value is None:  # symbolic: only the shape is known, and it fits
            return self
        self.put(self.backend.assign(self._value, value))
        return self._value

    def assign_add(self, value: Any) -> Any:
        """Adds to the value. A Python number takes this variable's dtype."""
        value = self._accept(value, broadcast=True) if type(value) is not int else self._number(value)
        if value is None:
            return self
        self.put(self.backend.assign_add(self._value, value))
        return self._value

    def assign_sub(self, value: Any) -> Any:
        """Subtracts from the value. A Python number takes this variable's dtype."""
        value = self._accept(value, broadcast=True) if type(value) is not int else self._number(value)
        if value is None:
            return self
        self.put(self.backend.assign_sub(self._value, value))
        return self._value

    def _number(self, value: int) -> int | float:
        """A Python integer in the kind of this variable's dtype, so that no framework promotes."""
        return float(value) if self._dtype.startswith(("float", "bfloat")) else value

    def _accept(self, value: Any, broadcast: bool = False) -> Any:
        """`value` as a native tensor of the right dtype; None if it is symbolic; an error if the shape does not fit."""
        if isinstance(value, Holder):
            value = value.value
        owner = slot.OWNERS.get(type(value))
        if owner is self.backend and tuple(value.shape) == self._shape:
            return value if owner.dtype(value) == self._dtype else owner.cast(value, self._dtype)
        shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
        if shape != self._shape and not (broadcast and len(shape) <= len(self._shape)) and None not in shape:
            raise ValueError(f"Variable {self.path!r} has shape {self._shape}, got a value of shape {shape}.")
        if isinstance(value, KerasTensor):
            return None
        owner = slot.owner(value)
        if owner is not self.backend:
            return self.backend.convert_to_tensor(value if owner is None else owner.convert_to_numpy(value), self._dtype)
        return value if self.backend.dtype(value) == self._dtype else self.backend.cast(value, self._dtype)

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array."""
        return self.backend.convert_to_numpy(self._value)

    def to_backend(self, backend: str | Backend) -> None:
        """Moves the value to another backend; the dtype stays."""
        backend = slot.get(backend)
        if backend is not self.backend:
            self._value = backend.variable(backend.convert_to_tensor(np.array(self.numpy()), self._dtype), self._trainable)
            self.backend = backend

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __jax_array__(self) -> Any:
        return self.value

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return self.backend.native.convert_to_tensor(self.value, dtype, name=name)

    @classmethod
    def __torch_function__(cls, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        def plain(x: Any) -> Any:
            if isinstance(x, Variable):
                return x.value
            return type(x)(map(plain, x)) if type(x) in (list, tuple) else x

        return function(*map(plain, args), **{k: plain(v) for k, v in (kwargs or {}).items()})

    def __len__(self) -> int:
        return self._shape[0]

    def __iter__(self):
        return (self[i] for i in range(self._shape[0]))

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __index__(self) -> int:
        return int(self.numpy())

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self._dtype}, value={self._value}>"

    def __deepcopy__(self, memo: dict) -> Variable:
        new = Variable(np.array(self.numpy()), dtype=self._dtype, trainable=self._trainable, autocast=self.autocast,
                       aggregation=self.aggregation, synchronization=self.synchronization, name=self.name,
                       backend=self.backend)  # fmt: skip
        new.path, new.regularizer, new.constraint = self.path, self.regularizer, self.constraint
        new.overwrite_with_gradient = self.overwrite_with_gradient
        memo[id(self)] = new
        return new

    def __getstate__(self) -> dict:
        keep = ("_dtype", "_trainable", "made_trainable", "aggregation", "autocast", "name", "path", "regularizer", "constraint",
                "synchronization", "layout", "overwrite_with_gradient")  # fmt: skip
        return {**{k: getattr(self, k) for k in keep}, "backend": self.backend.name, "array": np.array(self.numpy())}

    def __setstate__(self, state: dict) -> None:
        array, backend = state.pop("array"), slot.get(state.pop("backend"))
        for key, value in state.items():
            setattr(self, key, value)
        self.backend, self._shape = backend, array.shape
        self._value = backend.variable(backend.convert_to_tensor(array, self._dtype), self._trainable)


HOLDERS.add(Variable)
operators.install(Variable)


def _python_dtype(value: Any) -> str:
    """floatx for Python floats, int32 for ints, bool for bools."""
    kind = np.asarray(value).dtype.kind
    return {"b": "bool", "i": "int32", "u": "int32"}.get(kind, standardize_dtype(None))


def cast_for_compute(variables: list[Variable], dtype: str) -> tuple[list[Variable], list[Any]]:
    """The float variables that a layer of compute dtype `dtype` sees cast, and their cast values."""
    chosen = [v for v in variables if v.autocast and v._dtype != dtype and is_float_dtype(v._dtype)]
    return chosen, [v.backend.cast(v.value, dtype) for v in chosen]
