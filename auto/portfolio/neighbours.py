"""Nearest neighbours of standardised features."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.portfolio.recipe import Recipe, Settings, crossfit
from auto.search.clock import Clock
from auto.search.problem import Problem
from auto.stages import Stage
from auto.stages.neighbours import neighbours_stage


def fit_neighbours(x: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: str, settings: Settings, seed: int, clock: Clock) -> Stage:
    """Remembers the rows; settings: `k`."""
    return neighbours_stage(x, target, weights, int(settings["k"]))


def _cost(problem: Problem, settings: Settings) -> float:
    x = problem.view("dense")
    return 0.02 + 1.2e-9 * len(x) ** 2 * (x.shape[1] + 60)


SPACE: dict[str, tuple[Any, ...]] = {"k": ("int", 2, 40, "log")}
NEIGHBOURS = Recipe("neighbours", "dense", ({"k": 5}, {"k": 15}), SPACE, _cost, crossfit("dense", fit_neighbours), rows=20_000)
