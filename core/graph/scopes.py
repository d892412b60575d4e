"""Scopes of the public API: names of variables, devices, and code without state."""

from __future__ import annotations

import contextlib
from typing import Any

from core.backend import slot
from core.backend.journal import Holder, journal, swapped
from core.base import names
from core.graph.context import CONTEXT


class name_scope:
    """Puts a prefix before the paths of variables made inside a `with` block.

    >>> with name_scope("encoder"):
    ...     Variable(0.0, name="scale").path
    'encoder/scale'
    """

    def __init__(self, name: str, **kwargs: Any):
        self.name = name
        self._scope = names.scope(name)

    def __enter__(self) -> name_scope:
        self._scope.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._scope.__exit__(*error)


def device(device_name: str) -> contextlib.AbstractContextManager:
    """Runs a `with` block on a device of the active backend: `"cpu:0"`, `"gpu:0"`."""
    return slot.active().device(device_name)


class StatelessScope:
    """Runs a `with` block on given values of variables and keeps what is written apart from them.

    Args:
        state_mapping: pairs of variable and value.
        collect_losses: whether losses that layers add are kept in `losses`.

    >>> with StatelessScope([(v, value)]) as scope:
    ...     v.assign_add(1.0)
    >>> scope.get_current_value(v)
    """

    def __init__(self, state_mapping: Any = None, collect_losses: bool = False, initialize_variables: bool = True):
        pairs = list(state_mapping or ())
        for variable, _ in pairs:
            if not isinstance(variable, Holder):
                raise ValueError(f"StatelessScope maps core Variables to values, got a {type(variable).__name__}.")
        self.collect_losses, self.initialize_variables = collect_losses, initialize_variables
        self.losses: list = []
        self._given = {variable: value for variable, value in pairs}
        self._written: dict[Holder, Any] = {}
        self._stack: contextlib.ExitStack | None = None

    def __enter__(self) -> StatelessScope:
        self._stack = contextlib.ExitStack()
        values = []
        for variable, value in self._given.items():
            value = variable.backend.convert_to_tensor(value.value if isinstance(value, Holder) else value, variable._dtype)
            values.append(variable.backend.as_functional(value))
        self._stack.enter_context(swapped(list(self._given), values))
        self._notes = self._stack.enter_context(journal())
        return self

    def __exit__(self, *error: Any) -> None:
        self._written = {v: v._value for v in self._given} | self._notes.take_back()
        assert self._stack is not None
        self._stack.close()

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple) -> None:
        """Writes a value: `(variable, value)`."""
        variable, value = update
        variable.put(value)

    def get_current_value(self, variable: Any) -> Any:
        """The value of a variable at the end of the block (or now, inside it); None for one that was neither given nor written."""
        if variable in self._written:
            return self._written[variable]
        return variable._value if variable in self._given or (self._stack and variable in self._notes.writes) else None


class SymbolicScope:
    """Runs a `with` block in which layer calls only find shapes."""

    def __enter__(self) -> SymbolicScope:
        self._before = CONTEXT.abstract
        CONTEXT.abstract = True
        return self

    def __exit__(self, *error: Any) -> None:
        CONTEXT.abstract = self._before
