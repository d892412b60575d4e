"""Hornbeam's hub: pretrained models, tokenizers and generation, on `core`. Importing it loads no framework."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that defines it (None: the module of that name itself).
_HOMES: dict[str, str | None] = {
    "load": "hub.generation.loading",
    **{
        name: None
        for name in ("checkpoint", "families", "generation", "layers", "lora", "models", "preset", "samplers", "templates", "tokenizers")
    },
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"hub has no {name!r}.")
    home = _HOMES[name]
    return importlib.import_module(f"hub.{name}") if home is None else getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return __all__
