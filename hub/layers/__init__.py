"""Layers of language models, and what packs their inputs."""

from __future__ import annotations

import importlib
from typing import Any

# Public name -> the module that defines it.
_HOMES = {
    "MaskedLMHead": "hub.layers.heads",
    "MaskedLMMaskGenerator": "hub.preprocessing.masking",
    "MultiSegmentPacker": "hub.preprocessing.packing",
    "StartEndPacker": "hub.preprocessing.packing",
    **dict.fromkeys(("RMSNormalization", "ReversibleEmbedding"), "core.layers"),
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"hub.layers has no {name!r}.")


def __dir__() -> list[str]:
    return __all__
