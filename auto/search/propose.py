"""What to try after the portfolio: `tuner` searches the spaces of the recipes that worked, and starts from what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auto.portfolio.recipe import Recipe
from auto.search.clock import Clock
from auto.search.run import Candidate, Proposal
from tuner import Choice, Condition, Float, Int, Study

KEPT = 4  # recipes whose spaces are worth a search: the best ones
SKIPS = 4  # proposals in a row that there was no time for, after which the search ends


def proposals(recipes: Sequence[Recipe], candidates: list[Candidate], clock: Clock, seed: int) -> Iterator[Proposal]:
    """Settings that the tree-structured Parzen estimator proposes (Bergstra et al. 2011), one after another, until
    there is no time for them.

    `candidates` grows by what became of each proposal before the next one is asked for.
    """
    ranked = sorted((candidate for candidate in candidates if candidate.status == "ok" and candidate.settings), key=lambda c: c.loss)
    names = list(dict.fromkeys(candidate.recipe for candidate in ranked if candidate.fit_time < clock.left / 2))[:KEPT]
    kept = {recipe.name: recipe for recipe in recipes if recipe.name in names and recipe.space}
    if not kept:
        return
    study = Study(_space(kept), "tpe", direction="min", seed=seed, max_consecutive_failures=None)
    for candidate in ranked:
        if candidate.recipe in kept:
            _tell_known(study, kept[candidate.recipe], candidate)
    while not _hopeless(candidates) and (trial := study.ask()) is not None:
        recipe = kept[trial.values["recipe"]]
        settings = {name: trial.values[f"{recipe.name} {name}"] for name in recipe.space}
        before = len(candidates)
        yield recipe, settings
        if len(candidates) == before:
            return
        told = candidates[-1]
        if told.status == "ok":
            study.tell(trial, told.loss)
        else:
            study.tell(trial, state="failed", message=told.message, retry=False)


def _hopeless(candidates: list[Candidate]) -> bool:
    return len(candidates) >= SKIPS and all(candidate.status == "skipped" for candidate in candidates[-SKIPS:])


def _space(kept: dict[str, Recipe]) -> list[Any]:
    parameters: list[Any] = [Choice("recipe", values=tuple(kept))]
    for recipe in kept.values():
        for name, (kind, low, high, sampling) in recipe.space.items():
            range_of = Int if kind == "int" else Float
            here = (Condition("recipe", (recipe.name,)),)
            parameters.append(range_of(f"{recipe.name} {name}", min_value=low, max_value=high, sampling=sampling, conditions=here))
    return parameters


def _tell_known(study: Study, recipe: Recipe, candidate: Candidate) -> None:
    values: dict[str, Any] = {"recipe": recipe.name}
    for name, (_, low, high, _) in recipe.space.items():
        value = candidate.settings[name]
        if isinstance(value, str) or not low <= value <= high:
            return  # a setting of the portfolio that the space does not have, such as "sqrt"
        values[f"{recipe.name} {name}"] = value
    study.enqueue(values)
    trial = study.ask()
    if trial is not None:
        study.tell(trial, candidate.loss)
