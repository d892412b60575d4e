"""What a model learns from: trials as arrays; and the first trials, from which it learns first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tuner.space import Space
from tuner.trial import Trial


def sobol(space: Space, number: int, seed: int) -> dict[str, Any]:
    """Point `number` of the scrambled Sobol sequence of that seed: the first points of any seed are spread over the space."""
    from scipy.stats import qmc

    if len(space) == 0:
        return {}
    sequence = qmc.Sobol(len(space), scramble=True, rng=np.random.default_rng(seed))
    if number:
        sequence.fast_forward(number)
    return space.from_cube(sequence.random(1)[0])


def first_trials(space: Space) -> int:
    """How many trials are spread evenly before a model is asked: two for each parameter, five to ten in all."""
    return min(10, max(5, 2 * len(space)))


def lessons(space: Space, trials: Sequence[Trial], most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows `(n, parameters)` of the unit cube and scores `(n,)`, lower is better, that a model may learn from.

    What failed counts as bad as the worst that completed, so that a model keeps away from there and never takes it for good; what was
    pruned counts with its last score, but as no better than the middle, since it saw only a part of its resource. More than `most`
    are thinned: the best half of them stay, of the rest an even sample.
    """
    learned = [(trial, trial.score) for trial in trials if trial.usable and trial.score is not None]
    if learned:
        scores = [score for _, score in learned]
        worst, middle = max(scores), float(np.median(scores))
        for trial in trials:
            if trial.state == "pruned" and trial.score is not None and math.isfinite(trial.score):
                learned.append((trial, max(trial.score, middle)))
            elif trial.finished and not trial.usable and trial.state != "pruned":
                learned.append((trial, worst))
    values = np.array([score for _, score in learned], dtype=float)
    order = np.arange(len(values))
    if most is not None and len(values) > most:
        ranked = np.argsort(values, kind="stable")
        rest = ranked[most // 2 :]
        order = np.concatenate([ranked[: most // 2], rest[np.linspace(0, len(rest) - 1, most - most // 2).astype(int)]])
    rows = np.array([space.to_cube(learned[i][0].values) for i in order]).reshape(len(order), len(space))
    return rows, values[order]
