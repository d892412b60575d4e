"""Hornbeam's bayes: amortized Bayesian inference, on `core`.

Simulate, train a network once, then get posterior draws for any observation at once. Names are found when they are first used.
"""

# ruff: noqa: F401 - the imports for type checkers
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Public name -> the module that defines it (None: the module of that name itself).
_HOMES: dict[str, str | None] = {
    "Adapter": "bayes.adapters",
    "BasicWorkflow": "bayes.workflows",
    "ContinuousApproximator": "bayes.approximators",
    "DiskDataset": "bayes.datasets",
    "ModelComparisonApproximator": "bayes.approximators",
    "OfflineDataset": "bayes.datasets",
    "OnlineDataset": "bayes.datasets",
    "load": "bayes.saving",
    "make_simulator": "bayes.simulators",
    **{
        name: None
        for name in (
            "adapters", "approximators", "bijectors", "datasets", "diagnostics", "distributions", "networks", "ode", "priors", "simulators",
            "workflows",
        )
    },
}  # fmt: skip

__all__ = sorted(_HOMES)

if TYPE_CHECKING:  # so that editors see every name
    from bayes import (
        adapters,
        approximators,
        bijectors,
        datasets,
        diagnostics,
        distributions,
        networks,
        ode,
        priors,
        simulators,
        workflows,
    )
    from bayes.adapters import Adapter
    from bayes.approximators import ContinuousApproximator, ModelComparisonApproximator
    from bayes.datasets import DiskDataset, OfflineDataset, OnlineDataset
    from bayes.saving import load
    from bayes.simulators import make_simulator
    from bayes.workflows import BasicWorkflow


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes' has no attribute {name!r}")
    home = _HOMES[name]
    value = importlib.import_module(f"bayes.{name}") if home is None else getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
