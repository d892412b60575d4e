"""`Module`: an object that owns variables, because they, or modules that own some, are its attributes.

What may hold state is noted when it is assigned; plain numbers and strings never are. Lists, tuples and dicts are looked
into when the state is asked for, so that `self.blocks.append(layer)` needs nothing special.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from core.state.variable import Variable, Version

_PLAIN = frozenset(
    (int, float, bool, str, bytes, complex, type(None), type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
)
_CONTAINERS = (list, tuple, dict, set, frozenset)


class Module:
    """Base of layers, metrics, optimizers and seed generators. Attributes named in `_untracked` are not looked into."""

    _untracked: frozenset[str] = frozenset()
    _state_names: dict[str, None]

    def __new__(cls, *args: Any, **kwargs: Any):
        instance = object.__new__(cls)
        object.__setattr__(instance, "_state_names", {})
        return instance

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if type(value) in _PLAIN:
            if name in self._state_names:
                del self._state_names[name]
                Version.count += 1
        elif name not in self._untracked and isinstance(value, (Variable, Module, *_CONTAINERS)):
            self._state_names[name] = None
            Version.count += 1
        elif name in self._state_names:
            del self._state_names[name]
            Version.count += 1

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if self._state_names.pop(name, 0) is None:
            Version.count += 1

    def _parts(self) -> Iterator[Variable | Module]:
        """The variables and modules among the attributes, each once, in the order of assignment."""
        seen: set[int] = set()
        for name in tuple(self._state_names):
            for part in _within(self.__dict__[name]):
                if id(part) not in seen:
                    seen.add(id(part))
                    yield part

    def _named_parts(self) -> Iterator[tuple[str, Any]]:
        """`(attribute, value)` of every attribute that may hold state."""
        for name in tuple(self._state_names):
            yield name, self.__dict__[name]

    def _own_variables(self) -> list[Variable]:
        return [part for part in self._parts() if isinstance(part, Variable)]


def _within(value: Any) -> Iterator[Variable | Module]:
    if isinstance(value, (Variable, Module)):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _within(part)
    elif isinstance(value, _CONTAINERS):
        for part in value:
            if type(part) not in _PLAIN:
                yield from _within(part)


def unique(variables) -> list[Variable]:
    """Each variable once, in order."""
    return list({id(v): v for v in variables}.values())
