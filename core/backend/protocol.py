"""What a backend is: a named object that holds functions with the names of the ops.

A backend folder has one file per room (array, variable, math, shape, nn, image, linalg, random, control, train). Each
file is plain functions on native tensors, `name(tensors..., options...)` in the argument order of the op of that
name, plus an optional dict `FUNCTIONS` for names that are one framework function each. An op that a backend lacks runs
its reference body.
"""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable, Sequence
from typing import Any


class Backend:
    """One framework as a value: its name, its tensor types, and its functions as attributes."""

    def __init__(
        self,
        name: str,
        tensor_types: tuple[type, ...],
        modules: Sequence[types.ModuleType],
        *,
        trains: bool,
        native: Any,
        sparse: str | None = None,
    ):
        self.name = name
        self.tensor_types = tensor_types
        self.trains = trains  # whether it has gradients
        self.native = native  # the framework's main module, for interop
        self._sparse = sparse  # the name of the module for its sparse tensors
        self.functions: dict[str, Callable] = {}
        for module in modules:
            own = {n: f for n, f in vars(module).items() if getattr(f, "__module__", None) == module.__name__ and not n.startswith("_")}
            self.functions.update(getattr(module, "FUNCTIONS", {}))
            self.functions.update(own)
        self.__dict__.update(self.functions)
        # Native dtypes that ops with promote="float" take as they are.
        self.float_dtypes: frozenset = self.native_float_dtypes()
        self.int_dtypes: frozenset = self.native_int_dtypes()  # those that take a Python integer as it is

    def has(self, name: str) -> bool:
        """Whether this backend has its own function of that name."""
        return name in self.functions

    @functools.cached_property
    def sparse(self) -> types.ModuleType | None:
        """The module for the framework's sparse tensors, loaded when first asked for: `TYPES`, and the functions of `core.ops.sparsity`."""
        return None if self._sparse is None else importlib.import_module(self._sparse)

    def __repr__(self) -> str:
        return f"<Backend {self.name}>"

    def __reduce__(self):
        from core.backend.slot import get

        return get, (self.name,)

    def __getattr__(self, name: str) -> Any:  # only reached for what is missing
        raise AttributeError(f"The {self.__dict__.get('name')} backend has no function {name!r}.")
