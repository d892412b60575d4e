"""Kernel machines: linear models of how near a row is to some of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.portfolio.linear import coefficients
from auto.portfolio.recipe import Recipe, Settings, crossfit
from auto.search.clock import Clock
from auto.search.problem import Problem
from auto.stages import Stage
from auto.stages.radial import radial_stage

LANDMARKS = 400
SMALLEST = 1e-6  # directions of a smaller part of the largest eigenvalue are rounding errors


def fit_radial(x: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: str, settings: Settings, seed: int, clock: Clock) -> Stage:
    """Ridge or logistic regression of Gaussian kernels, by the method of Nystroem (Williams & Seeger 2001).

    Settings: `reach`, over the number of features the gamma of `exp(-gamma |x - y|^2)`; `strength` as of linear models.
    """
    rows = np.random.default_rng([seed, 23]).permutation(len(x))[:LANDMARKS]
    landmarks, gamma = x[rows], float(settings["reach"]) / max(1, x.shape[1])
    values, vectors = np.linalg.eigh(gaussians(landmarks, landmarks, gamma))
    kept = values > SMALLEST * values[-1]
    whiten = vectors[:, kept] / np.sqrt(values[kept])  # kernels times this are features whose products are the kernel itself
    clock.check()
    kernel, bias = coefficients(gaussians(x, landmarks, gamma) @ whiten, target, weights, kind, settings)
    return radial_stage(landmarks, whiten @ kernel, bias, gamma, kind)


def gaussians(x: np.ndarray, y: np.ndarray, gamma: float) -> np.ndarray:
    """`exp(-gamma |x - y|^2)` of all rows of `x` with all rows of `y`."""
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    squares = np.square(x).sum(1)[:, None] - 2 * x @ y.T + np.square(y).sum(1)
    return np.exp(-gamma * np.maximum(squares, 0))


def _cost(problem: Problem, settings: Settings) -> float:
    rows, features = problem.view("dense").shape
    landmarks = min(rows, LANDMARKS)
    steps = 1 if problem.kind == "values" else 40
    work = rows * landmarks * (features + landmarks + steps * problem.outputs) + 10 * landmarks**3
    return problem.fits * (0.01 + 4e-10 * work)


SPACE: dict[str, tuple[Any, ...]] = {"reach": ("float", 0.01, 3.0, "log"), "strength": ("float", 0.1, 1e4, "log")}
PORTFOLIO = ({"reach": 0.1, "strength": 100.0}, {"reach": 0.3, "strength": 100.0}, {"reach": 1.0, "strength": 30.0})
RADIAL = Recipe("radial", "dense", PORTFOLIO, SPACE, _cost, crossfit("dense", fit_radial), rows=50_000)
