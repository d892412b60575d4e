"""What the configs of all templates share: validation, and the way from arguments to a config."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from core.saving import ConfigError


def check_positive(config: Any, names: Iterable[str]) -> None:
    """Refuses fields that are no positive integers; None passes, where a field may be None."""
    for name in names:
        value = getattr(config, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ConfigError(f"{type(config).__name__}.{name} must be a positive integer, got {value!r}.")


def check_rates(config: Any, names: Iterable[str]) -> None:
    """Refuses fields that are not in [0, 1)."""
    for name in names:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
            raise ConfigError(f"{type(config).__name__}.{name} must be at least 0 and below 1, got {value!r}.")


def check_choice(config: Any, name: str, known: Iterable[Any]) -> None:
    """Refuses a field that is none of the known values."""
    if getattr(config, name) not in (known := tuple(known)):
        raise ConfigError(f"{type(config).__name__}.{name} must be one of {', '.join(map(repr, known))}, got {getattr(config, name)!r}.")


def make(kind: type, arguments: dict[str, Any]) -> Any:
    """A config of that dataclass; unknown arguments are an error that lists the known ones."""
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ConfigError(f"Unknown arguments {', '.join(unknown)}; known are {', '.join(known)}.")
    return kind(**arguments)
