"""Simulators: seeded draws of parameters and data, in NumPy."""

# ruff: noqa: F401 - the imports for type checkers
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Public name -> the module that defines it. Priors are simulators and simulators know priors, so names are found when asked for.
_HOMES = {
    "BenchmarkSimulator": "benchmark_simulator",
    "GaussianLinear": "gaussian",
    "GaussianLinearUniform": "gaussian",
    "GaussianMixture": "gaussian",
    "LambdaSimulator": "lambda_simulator",
    "ModelComparisonSimulator": "model_comparison_simulator",
    "SLCP": "slcp",
    "SequentialSimulator": "sequential_simulator",
    "Simulator": "simulator",
    "TwoMoons": "two_moons",
    "make_simulator": "sequential_simulator",
}

__all__ = sorted(_HOMES)

if TYPE_CHECKING:  # so that editors see every name
    from bayes.simulators.benchmark_simulator import BenchmarkSimulator
    from bayes.simulators.gaussian import GaussianLinear, GaussianLinearUniform, GaussianMixture
    from bayes.simulators.lambda_simulator import LambdaSimulator
    from bayes.simulators.model_comparison_simulator import ModelComparisonSimulator
    from bayes.simulators.sequential_simulator import SequentialSimulator, make_simulator
    from bayes.simulators.simulator import Simulator
    from bayes.simulators.slcp import SLCP
    from bayes.simulators.two_moons import TwoMoons


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bayes.simulators' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"bayes.simulators.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
