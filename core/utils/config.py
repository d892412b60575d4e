"""`Config`: a bag of named values that can be frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class Config:
    """Named values, read as attributes or items, written to JSON, and frozen against changes.

    >>> config = Config(units=8)
    >>> config.units, config["units"], config.to_json()
    (8, 8, '{"units": 8}')
    """

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_values", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether changes are refused."""
        return self._frozen

    def freeze(self) -> None:
        """Refuses changes from now on."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Allows changes again."""
        object.__setattr__(self, "_frozen", False)

    def _changeable(self) -> dict[str, Any]:
        if self._frozen:
            raise ValueError("This Config is frozen, so it cannot be changed; call unfreeze() first.")
        return self._values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(
                f"This Config has no {name!r}; it has {', '.join(self.__dict__.get('_values', ())) or 'nothing'}."
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._changeable()[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._changeable():
            raise AttributeError(f"This Config has no {name!r}.")
        del self._values[name]

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._changeable()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._changeable()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{k}={v!r}' for k, v in self._values.items())})"

    def keys(self) -> Any:
        """The names."""
        return self._values.keys()

    def values(self) -> Any:
        """The values."""
        return self._values.values()

    def items(self) -> Any:
        """Pairs of name and value."""
        return self._values.items()

    def get(self, key: str, value: Any = None) -> Any:
        """The value of a name, or `value` where there is none."""
        return self._values.get(key, value)

    def pop(self, *args: Any) -> Any:
        """Removes a name and returns its value."""
        return self._changeable().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several values, as `dict.update`."""
        self._changeable().update(*args, **kwargs)

    def as_dict(self) -> dict[str, Any]:
        """The values as a new dict."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._values)
