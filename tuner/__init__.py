"""Hornbeam's tuner: hyperparameter search, on `core`. `import tuner as keras_tuner` runs a KerasTuner script.

`Study` is the centre: ask for what to try, tell what came of it. `RandomSearch`, `BayesianOptimization`, `GridSearch`, `Hyperband`
and `Tuner` run it for models of `core`. Importing loads no framework.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Public name -> the module that defines it (None: the module of that name itself).
_HOMES: dict[str, str | None] = {
    "BayesianOptimization": "tuner.tuners",
    "Boolean": "tuner.space",
    "Choice": "tuner.space",
    "Condition": "tuner.space",
    "Fixed": "tuner.space",
    "Float": "tuner.space",
    "GaussianProcessSampler": "tuner.samplers",
    "GridSampler": "tuner.samplers",
    "GridSearch": "tuner.tuners",
    "HyperModel": "tuner.search.hypermodel",
    "HyperParameters": "tuner.space",
    "Hyperband": "tuner.tuners",
    "HyperbandSampler": "tuner.samplers",
    "Int": "tuner.space",
    "MedianPruner": "tuner.pruners",
    "Objective": "tuner.study.objective",
    "Oracle": "tuner.search.oracle",
    "RandomSampler": "tuner.samplers",
    "RandomSearch": "tuner.tuners",
    "SklearnTuner": "tuner.tuners",
    "Space": "tuner.space",
    "Study": "tuner.study.study",
    "SuccessiveHalvingPruner": "tuner.pruners",
    "TPESampler": "tuner.samplers",
    "Trial": "tuner.trial",
    "TrialPruned": "tuner.errors",
    "Tuner": "tuner.tuners",
    "synchronized": "tuner.search.oracle",
    **{name: None for name in ("applications", "errors", "oracles", "pruners", "samplers", "space", "tuners")},
}

__all__ = [
    "BayesianOptimization", "Boolean", "Choice", "Condition", "Fixed", "Float", "GaussianProcessSampler", "GridSampler", "GridSearch",
    "HyperModel", "HyperParameters", "Hyperband", "HyperbandSampler", "Int", "MedianPruner", "Objective", "Oracle", "RandomSampler",
    "RandomSearch", "SklearnTuner", "Space", "Study", "SuccessiveHalvingPruner", "TPESampler", "Trial", "TrialPruned", "Tuner",
    "applications", "errors", "oracles", "pruners", "samplers", "space", "synchronized", "tuners",
]  # fmt: skip

if TYPE_CHECKING:  # so that editors see every name
    from tuner import applications, errors, oracles, pruners, samplers, space, tuners
    from tuner.errors import TrialPruned
    from tuner.pruners import MedianPruner, SuccessiveHalvingPruner
    from tuner.samplers import GaussianProcessSampler, GridSampler, HyperbandSampler, RandomSampler, TPESampler
    from tuner.search.hypermodel import HyperModel
    from tuner.search.oracle import Oracle, synchronized
    from tuner.space import Boolean, Choice, Condition, Fixed, Float, HyperParameters, Int, Space
    from tuner.study.objective import Objective
    from tuner.study.study import Study
    from tuner.trial import Trial
    from tuner.tuners import BayesianOptimization, GridSearch, Hyperband, RandomSearch, SklearnTuner, Tuner


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    home = _HOMES[name]
    value = importlib.import_module(f"tuner.{name}") if home is None else getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
