"""A recipe: a family of models with its settings, its cost and its way of fitting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from auto.search.clock import Clock
from auto.search.problem import Problem
from auto.stages import Stage

Settings = Mapping[str, Any]


class Model(Protocol):
    """What predicts `(n, outputs)` from a view: a `Stage`, or a `Network`."""

    def __call__(self, x: np.ndarray) -> np.ndarray: ...

    @property
    def size(self) -> int: ...


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A model for all rows, and the out-of-fold predictions `(n, outputs)` that tell how good it is (zero where there is none)."""

    model: Model
    oof: np.ndarray


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A family of models over one view.

    `portfolio` lists settings that do well on most data, best first. `space` maps names to ("int" | "float", low, high, "log" |
    "linear") for the search. `cost(problem, settings)` guesses seconds; `fit(problem, settings, seed, clock)` gives a `Fitted`, a
    smaller one where the clock makes it (`elastic` recipes can), or raises `OutOfTime`. `rows` is the most rows it is meant for.
    """

    name: str
    view: str
    portfolio: tuple[dict[str, Any], ...]
    space: dict[str, tuple[Any, ...]]
    cost: Callable[[Problem, Settings], float]
    fit: Callable[[Problem, Settings, int, Clock], Fitted]
    rows: int = 10_000_000
    elastic: float = 1.0  # the share of the expected time that still gives a model worth having

    def complete(self, settings: Settings) -> dict[str, Any]:
        """The settings with those of the first portfolio entry where they say nothing."""
        return {**self.portfolio[0], **settings}


FitStage = Callable[[np.ndarray, np.ndarray, np.ndarray, str, Settings, int, Clock], Stage]


def crossfit(view: str, fit: FitStage) -> Callable[[Problem, Settings, int, Clock], Fitted]:
    """The `fit` of a recipe whose models are each fitted by `fit(x, target, weights, kind, settings, seed, clock)`."""

    def run(problem: Problem, settings: Settings, seed: int, clock: Clock) -> Fitted:
        x, target, weights = problem.view(view), problem.target, problem.weights
        oof, shares = np.zeros_like(target), clock.shares(problem.fits)
        for train, valid in problem.folds:
            own = next(shares)
            oof[valid] = fit(x[train], target[train], weights[train], problem.kind, settings, seed, own)(x[valid])
        return Fitted(fit(x, target, weights, problem.kind, settings, seed, next(shares)), oof)

    return run
