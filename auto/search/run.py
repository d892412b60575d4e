"""The run: cheap recipes first, then what the search proposes, until budget or trials are used up; then the ensemble."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from auto.portfolio.recipe import Fitted, Model, Recipe
from auto.search.clock import Clock, OutOfTime, now
from auto.search.ensemble import select_bagged
from auto.search.metrics import Metric
from auto.search.problem import Problem
from auto.stages import Stage

GRACE = 2.0  # seconds that the first real model may take beyond the budget, so that there is one
SHARE = 0.6  # of the time left that one candidate may use
SAMPLE = 1024  # rows to time a prediction on
PER_RECIPE, LARGEST = 4, 20  # models that the ensemble chooses from: the best of many trials of one family are alike, and lucky


@dataclasses.dataclass
class Candidate:
    """What became of one trial: "ok", "skipped" for want of time, or "failed", with the reason."""

    name: str
    recipe: str
    settings: dict[str, Any]
    view: str = "raw"
    status: str = "ok"
    message: str = ""
    score: float = float("nan")
    loss: float = float("inf")
    fit_time: float = float("nan")
    predict_time: float = float("nan")
    size: int = 0
    weight: float = 0.0
    model: Model | None = None
    oof: np.ndarray | None = None


@dataclasses.dataclass
class Scorer:
    """The metric on the validated rows, in the units of the target."""

    metric: Metric
    problem: Problem
    mean: np.ndarray
    scale: np.ndarray

    def __post_init__(self) -> None:
        self.rows = self.problem.valid
        self.truth = self.problem.target[self.rows] * self.scale + self.mean
        self.weights = self.problem.weights[self.rows]

    def predictions(self, oof: np.ndarray) -> np.ndarray:
        """Out-of-fold predictions of the validated rows in units of the target."""
        return oof[self.rows] * self.scale + self.mean

    def __call__(self, oof: np.ndarray) -> tuple[float, float]:
        """Score and loss."""
        predictions = self.predictions(oof)
        return self.metric(self.truth, predictions, self.weights), self.metric.loss(self.truth, predictions, self.weights)


Proposal = tuple[Recipe, dict[str, Any]]


def run(
    problem: Problem,
    scorer: Scorer,
    portfolio: Sequence[Proposal],
    clock: Clock,
    max_trials: int,
    search: Callable[[list[Candidate], Clock], Iterator[Proposal]] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Candidate]:
    """All candidates, the constant one first, with the weights of the ensemble set; `search` proposes after the portfolio."""
    candidates = [_constant(problem, scorer)]
    for recipe, settings in _proposals(portfolio, search, candidates, clock):
        if len(candidates) > max_trials or clock.left <= 0 and len(candidates) > 1:
            break
        candidate = _try(problem, scorer, recipe, settings, clock, candidates)
        candidates.append(candidate)
        say(_line(candidate, scorer.metric))
    _weigh(candidates, scorer, clock)
    return candidates


def _proposals(portfolio: Sequence[Proposal], search: Any, candidates: list[Candidate], clock: Clock) -> Iterator[Proposal]:
    yield from portfolio
    if search is not None:
        yield from search(candidates, clock)


def _constant(problem: Problem, scorer: Scorer) -> Candidate:
    """The shares of the classes, or the mean: the model that there always is."""
    oof = np.zeros_like(problem.target)
    for train, valid in problem.folds:
        oof[valid] = np.average(problem.target[train], axis=0, weights=problem.weights[train])
    value = np.average(problem.target, axis=0, weights=problem.weights).astype("float32")
    model = Stage("constant", {}, {"value": value})
    score, loss = scorer(oof)
    candidate = Candidate("constant", "constant", {}, score=score, loss=loss, model=model, oof=oof)
    candidate.fit_time, candidate.predict_time, candidate.size = 0.0, 0.0, model.size
    return candidate


def _try(problem: Problem, scorer: Scorer, recipe: Recipe, settings: dict[str, Any], clock: Clock, before: list[Candidate]) -> Candidate:
    settings = recipe.complete(settings)
    number = sum(other.recipe == recipe.name for other in before)
    candidate = Candidate(f"{recipe.name} {number + 1}" if number else recipe.name, recipe.name, settings, recipe.view)
    if len(problem.raw) > recipe.rows:
        candidate.status, candidate.message = "skipped", f"meant for {recipe.rows} rows at most"
        return candidate
    guess = recipe.cost(problem, settings)
    expected = clock.expected(recipe.name, guess)
    first = not any(other.status == "ok" for other in before[1:])
    own = clock.part(1.0, GRACE) if first else clock.part(SHARE)
    if recipe.elastic * expected > own.left:
        candidate.status, candidate.message = "skipped", f"needs about {expected:.1f} s, {max(0.0, own.left):.1f} s are its share"
        return candidate
    start = now()
    try:
        fitted = recipe.fit(problem, settings, problem.seed + len(before), own)
        candidate.predict_time = _time_prediction(problem, recipe, fitted)
    except OutOfTime:
        candidate.status, candidate.message = "skipped", f"stopped after {now() - start:.1f} s, the time was over"
        clock.learn(recipe.name, guess, 3 * (now() - start))
        return candidate
    except (ValueError, RuntimeError, ArithmeticError, MemoryError) as error:  # of data that this family cannot do; the others go on
        candidate.status, candidate.message = "failed", f"{type(error).__name__}: {error}"[:500]
        return candidate
    candidate.fit_time = now() - start
    clock.learn(recipe.name, guess, candidate.fit_time)
    candidate.score, candidate.loss = scorer(fitted.oof)
    if not np.isfinite(candidate.loss):
        candidate.status, candidate.message = "failed", "its predictions are not finite"
        return candidate
    candidate.model, candidate.oof, candidate.size = fitted.model, fitted.oof, fitted.model.size
    return candidate


def _time_prediction(problem: Problem, recipe: Recipe, fitted: Fitted) -> float:
    rows = problem.view(recipe.view)[:SAMPLE]
    start = now()
    fitted.model(rows)
    return (now() - start) / len(rows)


def _weigh(candidates: list[Candidate], scorer: Scorer, clock: Clock) -> None:
    """Sets the weights; models that the ensemble leaves out are let go."""
    usable = [candidate for candidate in candidates if candidate.oof is not None]
    if len(usable) == 1 and len(candidates) > 1:
        reasons = "; ".join(f"{candidate.name}: {candidate.message}" for candidate in candidates[1:4])
        warnings.warn(f"No model but the constant one could be fitted ({reasons}). Raise time_limit or look at the data.", stacklevel=5)
    ranked: list[Candidate] = []
    seen = Counter[str]()
    for candidate in sorted(usable, key=lambda candidate: candidate.loss):
        if seen[candidate.recipe] < PER_RECIPE and len(ranked) < LARGEST:
            ranked.append(candidate)
            seen[candidate.recipe] += 1
    predictions = [scorer.predictions(candidate.oof) for candidate in ranked if candidate.oof is not None]
    shares = select_bagged(predictions, scorer.truth, scorer.metric, scorer.weights, scorer.problem.seed, clock)
    for candidate, weight in zip(ranked, shares):
        candidate.weight = float(weight)
    for candidate in candidates:
        if not candidate.weight:
            candidate.model = None
        candidate.oof = None


def _line(candidate: Candidate, metric: Metric) -> str:
    if candidate.status != "ok":
        return f"{candidate.name:18s} {candidate.status}: {candidate.message}"
    return f"{candidate.name:18s} {metric.name} {candidate.score:9.4f}   fitted in {candidate.fit_time:6.2f} s"
