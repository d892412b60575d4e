"""Random forests and extremely randomised trees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from auto.portfolio.recipe import Recipe, Settings, crossfit
from auto.search.clock import Clock
from auto.search.problem import Problem
from auto.stages import Stage
from auto.stages.trees import forest_stage

BATCH = 25  # trees between two looks at the clock
ROWS_A_TREE = 50_000


def fit_forest(x: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: str, settings: Settings, seed: int, clock: Clock) -> Stage:
    """A forest (Breiman 2001), or extremely randomised trees (Geurts et al. 2006) where `extra`; grown in batches while the clock runs."""
    from sklearn import ensemble

    name = ("ExtraTrees" if settings["extra"] else "RandomForest") + ("Regressor" if kind == "values" else "Classifier")
    options: dict[str, Any] = {"bootstrap": not settings["extra"]}
    if len(x) > ROWS_A_TREE:
        options = {"bootstrap": True, "max_samples": ROWS_A_TREE}
    goal = int(settings["trees"])
    model = getattr(ensemble, name)(
        n_estimators=min(BATCH, goal),
        max_features=float(settings["features"]) if settings["features"] != "sqrt" else "sqrt",
        min_samples_leaf=int(settings["leaf"]),
        random_state=seed,
        n_jobs=-1 if len(x) * x.shape[1] > 200_000 else 1,
        warm_start=True,
        **options,
    )
    y = target.argmax(axis=1) if kind == "classes" else target[:, 0] if target.shape[1] == 1 else target
    if kind == "labels" and y.ndim == 1:
        y = y[:, None]
    while True:
        model.fit(x, y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y, sample_weight=weights)
        if model.n_estimators >= goal or clock.used > (1 - BATCH / (model.n_estimators + BATCH)) * (clock.limit or float("inf")):
            break
        model.n_estimators = min(goal, model.n_estimators + BATCH)
    seen = [] if kind == "values" else [np.asarray(model.classes_)] if not isinstance(model.classes_, list) else model.classes_
    return forest_stage(model, [np.asarray(classes, int) for classes in seen], target.shape[1], kind)


def _cost(problem: Problem, settings: Settings) -> float:
    x = problem.view("trees")
    rows, columns = min(len(x), ROWS_A_TREE), max(1, x.shape[1])
    tried = math.sqrt(columns) if settings["features"] == "sqrt" else float(settings["features"]) * columns
    tree = 1e-3 + (1.5e-8 if settings["extra"] else 3e-8) * rows * math.log2(rows + 2) * tried * (1 if problem.kind == "classes" else 1.5)
    return problem.fits * int(settings["trees"]) * tree


SPACE: dict[str, tuple[Any, ...]] = {
    "leaf": ("int", 1, 20, "log"),
    "features": ("float", 0.1, 1.0, "linear"),
}


def _portfolio(extra: bool) -> tuple[dict[str, Any], ...]:
    base = {"extra": extra, "trees": 150, "features": "sqrt", "leaf": 1}
    return base, {**base, "features": 0.5, "leaf": 3}


EXTRA_TREES = Recipe("extra trees", "trees", _portfolio(True), SPACE, _cost, crossfit("trees", fit_forest), elastic=0.3)
RANDOM_FOREST = Recipe("random forest", "trees", _portfolio(False), SPACE, _cost, crossfit("trees", fit_forest), elastic=0.3)
