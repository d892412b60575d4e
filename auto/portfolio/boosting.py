"""Histogram gradient boosting, stopped where the validation rows say so."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.portfolio.linear import ABSENT
from auto.portfolio.recipe import Fitted, Recipe, Settings
from auto.search.clock import Clock
from auto.search.metrics import LOSSES, METRICS
from auto.search.problem import Problem
from auto.stages import Stage
from auto.stages.trees import boosting_stage

BATCH = 20  # rounds between two looks at the clock and at the validation rows
PATIENCE = 2  # batches without a gain


def fit_boosting(problem: Problem, settings: Settings, seed: int, clock: Clock) -> Fitted:
    """Gradient boosting of trees (Friedman 2001). One number of rounds serves all folds, the best for them together: the best
    for each would flatter the model."""
    x, curves, shares = problem.view("trees"), [], clock.shares(problem.fits)
    for train, valid in problem.folds:
        curves.append([stage(x[valid]) for stage in _grow(problem, x, train, valid, settings, seed, next(shares))])
    losses = []
    for count in range(max(map(len, curves))):
        oof = np.zeros_like(problem.target)
        for (_, valid), curve in zip(problem.folds, curves):
            oof[valid] = curve[min(count, len(curve) - 1)]
        losses.append((METRICS[LOSSES[problem.kind]].loss(problem.target[problem.valid], oof[problem.valid]), count, oof))
    _, count, oof = min(losses, key=lambda entry: entry[:2])
    rounds = min(int(settings["rounds"]), (count + 1) * BATCH)
    return Fitted(_grow(problem, x, np.arange(len(x)), None, {**settings, "rounds": rounds}, seed, next(shares))[-1], oof)


def _grow(
    problem: Problem, x: np.ndarray, train: np.ndarray, valid: np.ndarray | None, settings: Settings, seed: int, clock: Clock
) -> list[Stage]:
    """The model after each batch of rounds, until time is over or the validation rows have not gained for a while; without such rows,
    the model after all rounds."""
    goal = int(settings["rounds"])
    columns, start = _columns(problem, train)
    models = [_model(problem.kind, settings, seed) for _ in columns]
    metric = METRICS[LOSSES[problem.kind]]
    stages: list[Stage] = []
    best_loss, stale, count = float("inf"), 0, 0
    while count < goal and stale < PATIENCE and (not stages or clock.used * (len(stages) + 1) < (clock.limit or np.inf) * len(stages)):
        count = goal if valid is None else min(goal, count + BATCH)
        for model, (column, _) in zip(models, columns):
            model.set_params(max_iter=count)
            model.fit(x[train], column, sample_weight=problem.weights[train])
        stages.append(boosting_stage([(model, outputs) for model, (_, outputs) in zip(models, columns)], start, problem.kind))
        if valid is not None:
            loss = metric.loss(problem.target[valid], stages[-1](x[valid]), problem.weights[valid])
            best_loss, stale = (loss, 0) if loss < best_loss else (best_loss, stale + 1)
    return stages


def _columns(problem: Problem, train: np.ndarray) -> tuple[list[tuple[np.ndarray, list[int]]], np.ndarray]:
    """What to fit a model on, with the outputs it is for, and the scores of outputs that the training rows do not tell apart."""
    target = problem.target[train]
    if problem.kind == "values":
        return [(column, [i]) for i, column in enumerate(target.T)], np.zeros(problem.outputs)
    if problem.kind == "labels":
        mixed = [i for i, column in enumerate(target.T) if column.min() < column.max()]
        return [(target[:, i], [i]) for i in mixed], np.where(target.max(axis=0) > 0, -ABSENT, ABSENT)
    labels = target.argmax(axis=1)
    seen = np.unique(labels).tolist()
    start = np.full(problem.outputs, ABSENT)
    start[seen] = 0.0
    return ([] if len(seen) == 1 else [(labels, seen[1:] if len(seen) == 2 else seen)]), start


def _model(kind: str, settings: Settings, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return (HistGradientBoostingRegressor if kind == "values" else HistGradientBoostingClassifier)(
        learning_rate=float(settings["rate"]),
        max_leaf_nodes=int(settings["leaves"]),
        min_samples_leaf=int(settings["leaf"]),
        l2_regularization=float(settings["penalty"]),
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )


def _cost(problem: Problem, settings: Settings) -> float:
    x = problem.view("trees")
    trees = 0.6 * int(settings["rounds"]) * (problem.outputs if problem.kind != "classes" or problem.outputs > 2 else 1)
    leaves = min(int(settings["leaves"]), max(2, len(x) // int(settings["leaf"])))
    return problem.fits * trees * leaves * (8e-5 + 4e-10 * x.shape[0] * x.shape[1] / leaves * 5 + 2e-7 * x.shape[1])


SPACE: dict[str, tuple[Any, ...]] = {
    "rate": ("float", 0.02, 0.2, "log"),
    "leaves": ("int", 4, 63, "log"),
    "leaf": ("int", 5, 50, "log"),
    "penalty": ("float", 1e-3, 10.0, "log"),
}
_BASE = {"rate": 0.1, "leaves": 15, "leaf": 20, "penalty": 0.1, "rounds": 200}
_PORTFOLIO = (_BASE, {**_BASE, "rate": 0.05, "leaves": 31, "leaf": 10}, {**_BASE, "leaves": 5})
BOOSTING = Recipe("boosting", "trees", _PORTFOLIO, SPACE, _cost, fit_boosting, elastic=0.4)
