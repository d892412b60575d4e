"""Small well-known datasets. All but `digits` are downloaded at their first use; see each module for its source."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "boston_housing", "california_housing", "cifar10", "cifar100", "digits", "fashion_mnist", "mnist",
]  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'core.datasets' has no attribute {name!r}")
    return importlib.import_module(f"core.datasets.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
