"""Ridge and logistic regression."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.data.columns import tfidf
from auto.portfolio.recipe import Fitted, Recipe, Settings, crossfit
from auto.search.clock import Clock
from auto.search.problem import Problem
from auto.stages import Stage
from auto.stages.bag import bag_stage
from auto.stages.linear import linear_stage

ABSENT = -30.0  # the score of a class that the rows did not hold


def fit_linear(x: Any, target: np.ndarray, weights: np.ndarray, kind: str, settings: Settings, seed: int, clock: Clock) -> Stage:
    """A linear model of standardised features; settings: `strength`, how much the data counts against the penalty."""
    return linear_stage(*coefficients(x, target, weights, kind, settings), kind)


def coefficients(x: Any, target: np.ndarray, weights: np.ndarray, kind: str, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Kernel `(features, outputs)` and bias of ridge regression (values) or of penalised logistic regression."""
    from sklearn.linear_model import Ridge

    strength = float(settings["strength"])
    if x.shape[1] == 0:
        return np.zeros((0, target.shape[1])), _priors(target, weights, kind)
    if kind == "values":
        model = Ridge(alpha=10.0 / strength).fit(x, target, sample_weight=weights)
        return np.atleast_2d(model.coef_).T.astype("float64"), np.atleast_1d(model.intercept_)
    if kind == "classes":
        return _logistic(x, target.argmax(axis=1), target.shape[1], weights, strength)
    columns = [_logistic(x, column.astype(int), 2, weights, strength) for column in target.T]
    return np.stack([k[:, 1] - k[:, 0] for k, _ in columns], axis=1), np.array([b[1] - b[0] for _, b in columns])


def _priors(target: np.ndarray, weights: np.ndarray, kind: str) -> np.ndarray:
    share = np.average(target, axis=0, weights=weights)
    if kind == "values":
        return share
    share = np.clip(share, 1e-6, 1 - 1e-6)
    return np.log(share) if kind == "classes" else np.log(share / (1 - share))


def _logistic(x: Any, labels: np.ndarray, outputs: int, weights: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    kernel, bias = np.zeros((x.shape[1], outputs)), np.full(outputs, ABSENT)
    seen = np.unique(labels)
    if len(seen) == 1:
        bias[seen] = 0.0
        return kernel, bias
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is a penalty, too
        model = LogisticRegression(C=strength, max_iter=300).fit(x, labels, sample_weight=weights)
    if len(seen) == 2:
        kernel[:, seen[1]], bias[seen] = model.coef_[0], (0.0, model.intercept_[0])
    else:
        kernel[:, seen], bias[seen] = model.coef_.T, model.intercept_
    return kernel, bias


def _cost(problem: Problem, settings: Settings) -> float:
    x = problem.view("dense")
    steps = 1 if problem.kind == "values" else 40
    return problem.fits * (0.01 + 4e-9 * steps * x.shape[0] * x.shape[1] * problem.outputs + 1e-9 * x.shape[1] ** 2 * len(x) / steps)


def fit_terms(problem: Problem, settings: Settings, seed: int, clock: Clock) -> Fitted:
    """A linear model of tf-idf vectors, which stay sparse; settings as for `fit_linear`."""
    vocabulary = problem.vocabulary
    assert vocabulary is not None
    vectors, oof = tfidf(vocabulary, problem.raw), np.zeros_like(problem.target)

    def fit(rows: Any) -> Stage:
        clock.check()
        kernel, bias = coefficients(vectors[rows], problem.target[rows], problem.weights[rows], problem.kind, settings)
        kernel[0] = 0
        return bag_stage(vocabulary.idf_row(), kernel, bias, vocabulary.length, vocabulary.capacity, problem.kind)

    for train, valid in problem.folds:
        oof[valid] = fit(train)(problem.raw[valid])
    return Fitted(fit(np.arange(len(problem.raw))), oof)


def _terms_cost(problem: Problem, settings: Settings) -> float:
    assert problem.vocabulary is not None
    filled = np.count_nonzero(problem.raw[:, problem.vocabulary.length :])
    return problem.fits * (0.05 + 2e-7 * filled * problem.outputs + 1e-6 * len(problem.vocabulary.terms) * problem.outputs)


SPACE: dict[str, tuple[Any, ...]] = {"strength": ("float", 1e-3, 1e3, "log")}
LINEAR = Recipe("linear", "dense", ({"strength": 1.0}, {"strength": 0.1}, {"strength": 10.0}), SPACE, _cost, crossfit("dense", fit_linear))
TERMS = Recipe("terms", "raw", ({"strength": 10.0}, {"strength": 1.0}), SPACE, _terms_cost, fit_terms)
