"""Which parameters matter: PED-ANOVA (Watanabe et al. 2023), which asks how far the good trials' values differ from all trials' values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tuner.space.parameters import Parameter
from tuner.study.record import StudyTrial

if TYPE_CHECKING:
    from tuner.study.study import Study

POINTS = 64  # of the grid on which densities of continuous parameters are compared
LEAST = 4  # completed trials below which nothing can be said


def importance(study: Study, quantile: float = 0.1) -> dict[str, float]:
    """Share of each parameter, largest first, summing to 1.

    A parameter's share is the Pearson divergence between the density of its values among the best `quantile` of the trials and its density
    among all, both over the trials in which it is active, times the part of the best trials in which it is active. So a parameter of
    a branch that good trials do not take counts for nothing, and what no trial varied counts for nothing. Where no parameter matters the
    shares are chance, since they are made to sum to 1.

    Raises:
        ValueError: fewer than four trials have completed.
    """
    ranked = study.ranked()
    if len(ranked) < LEAST:
        raise ValueError(f"Importance needs at least {LEAST} completed trials, there are {len(ranked)}.")
    top = ranked[: max(math.ceil(quantile * len(ranked)), min(len(ranked) // 2, LEAST))]
    names: dict[str, list[Parameter]] = {}
    for parameter in study.space:
        names.setdefault(parameter.name, []).append(parameter)
    found = {name: _divergence(parameters, top, ranked) for name, parameters in names.items()}
    total = sum(found.values())
    shares = {name: value / total if total > 0 else 1 / len(found) for name, value in found.items()}
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def _divergence(parameters: list[Parameter], top: list[StudyTrial], every: list[StudyTrial]) -> float:
    """Pearson divergence of a parameter (under each of its conditions), weighted by how often the best trials have it."""
    total = 0.0
    for parameter in parameters:
        good, base = _places(parameter, top), _places(parameter, every)
        if len(good) and np.ptp(base) > 0:
            p, q = _density(parameter, good), _density(parameter, base)
            total += float(np.sum((p - q) ** 2 / q)) * len(good) / len(top)
    return total


def _places(parameter: Parameter, trials: list[StudyTrial]) -> np.ndarray:
    values = [t.values for t in trials if parameter.name in t.values and parameter.active(t.values)]
    return np.array([parameter.place(v[parameter.name]) for v in values])


def _density(parameter: Parameter, places: np.ndarray) -> np.ndarray:
    """Probabilities on a grid of [0, 1]: kernel density where the parameter has an order, smoothed counts where it has none."""
    cells = int(min(parameter.count, POINTS))
    if not parameter.ordered:
        counts = np.bincount(np.minimum((places * cells).astype(int), cells - 1), minlength=cells) + 1.0 / cells
        return counts / counts.sum()
    grid = (np.arange(cells) + 0.5) / cells
    width = max(1.06 * float(np.std(places)) * len(places) ** -0.2, 0.5 / cells, 0.02)
    kernels = np.exp(-0.5 * ((grid[None, :] - places[:, None]) / width) ** 2)
    # Each kernel is cut at the ends of the interval and weighs one; a little of the even density keeps quotients finite.
    density = (kernels / kernels.sum(axis=1, keepdims=True)).sum(axis=0) + 1.0 / cells
    return density / density.sum()
