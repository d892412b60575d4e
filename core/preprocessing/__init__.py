"""Preparing data. Public as `core.preprocessing`; each name is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.preprocessing import image, sequence
    from core.utils.directories import image_dataset_from_directory, text_dataset_from_directory
    from core.utils.timeseries import timeseries_dataset_from_array

# Public name -> the module that defines it (None: the module of that name itself).
_HOMES: dict[str, str | None] = {
    "image": None,
    "image_dataset_from_directory": "core.utils.directories",
    "sequence": None,
    "text_dataset_from_directory": "core.utils.directories",
    "timeseries_dataset_from_array": "core.utils.timeseries",
}

__all__ = ["image", "image_dataset_from_directory", "sequence", "text_dataset_from_directory", "timeseries_dataset_from_array"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core.preprocessing' has no attribute {name!r}")
    home = _HOMES[name]
    value = importlib.import_module(f"core.preprocessing.{name}") if home is None else getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
