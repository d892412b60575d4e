"""Bayesian optimisation: a Gaussian process over the space, and the point where it promises the largest improvement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.samplers.cube import Cube
from tuner.samplers.lessons import first_trials, lessons, sobol
from tuner.samplers.random_search import unseen
from tuner.samplers.sampler import Sampler, Seen, generator
from tuner.space import Space
from tuner.trial import EXHAUSTED, Answer, Proposal, Trial

# In deviations of the scores: where all that is promised is less than the one, proposals would crowd around the best trial of a model
# that is too sure of itself; then the proposal is where an improvement by the other is expected most.
NEGLIGIBLE, SUBSTANTIAL = 1e-4, 0.05
LEAST = 1e-3  # the least factor of the deviation: without any, most of the space would promise exactly nothing
RELAXED = 8  # an ordered parameter with more values moves continuously in the ascent, and is snapped after it


@dataclass(frozen=True)
class GaussianProcessSampler(Sampler):
    """Proposes the point of the largest expected improvement under a Gaussian process; never a point twice.

    The kernel is Matern-5/2 with a length scale for each parameter; conditional parameters are neutral where they are inactive. Trials
    that run count as if they had come out as expected, so that parallel workers spread. Trials that failed count as the worst one seen.
    Own arithmetic in NumPy, because the kernel needs the conditions and the fit its analytic gradients: a proposal takes some 0.1 s with
    100 trials.

    Arguments:
        initial: How many trials come from a scrambled Sobol sequence first; None chooses by the number of parameters.
        candidates: How many random points the acquisition is screened on.
        ascents: From how many of them it climbs.
        most: Up to how many trials the process is fitted on; beyond, the best and an even sample of the rest.
        noise: The variance of the noise that is expected in the scores, in units of their own variance. The fit begins there, and goes
            elsewhere as far as the trials say so.
        exploration: Factor of the posterior's standard deviation in the acquisition: above 1 the search is drawn to where it knows
            little, below 1 to where the mean is good.
    """

    initial: int | None = None
    candidates: int = 1000
    ascents: int = 4
    most: int = 200
    noise: float = 1e-4
    exploration: float = 1.0

    def __post_init__(self):
        for name in ("noise", "exploration"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"GaussianProcessSampler expected {name} to be a finite number from 0 on, got {getattr(self, name)!r}.")

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        import threadpoolctl

        seen, rng = Seen(trials), generator(seed, number)
        initial = first_trials(space) if self.initial is None else self.initial
        if number < initial or sum(trial.usable for trial in trials) < 2:
            point: dict | None = sobol(space, number, seed)
        else:
            with threadpoolctl.threadpool_limits(1, user_api="blas"):  # matrices this small only lose by threads
                point = self._promising(space, trials, seen, rng)
        if point is None or seen.covers(point):
            point = unseen(space, seen, rng)
        return EXHAUSTED if point is None else Proposal(point)

    def _promising(self, space: Space, trials: Sequence[Trial], seen: Seen, rng: np.random.Generator) -> dict | None:
        from tuner.samplers.gaussian_process import Coordinates, Prior, fitted

        cube, coordinates = Cube(space), Coordinates(space)
        rows, scores = lessons(space, trials, self.most)
        process = fitted(coordinates(rows), scores, coordinates.owner, len(space), Prior().expecting(self.noise))
        process.exploration = max(self.exploration, LEAST)
        best = float(process.posterior(process.x)[0].min())
        running = [space.to_cube(trial.values) for trial in trials if not trial.finished]
        if running:
            process.expect(there := coordinates(np.array(running)))
            best = min(best, float(process.posterior(there)[0].min()))  # what they are expected to reach is no improvement
        leaders = rows[np.argsort(scores, kind="stable")[:5]]
        found, value = Ascent(cube, coordinates, process, best, rng).best_rows(leaders, self.candidates, self.ascents)
        if value < np.log(NEGLIGIBLE):
            found, _ = Ascent(cube, coordinates, process, best - SUBSTANTIAL, rng).best_rows(leaders, self.candidates, self.ascents)
        for row in found:
            point = space.from_cube(row)
            if not seen.covers(point):
                return point
        return None


class Ascent:
    """Maximises the expected improvement: a screening, then from the best points gradient steps and exchanges of values by turns."""

    def __init__(self, cube: Cube, coordinates, process, best: float, rng: np.random.Generator):
        self.cube, self.coordinates, self.process, self.best, self.rng = cube, coordinates, process, best, rng
        self.moving = np.array([p.ordered and p.count > RELAXED for p in cube.space], dtype=bool)
        self.finite = [j for j, places in enumerate(cube.places) if places is not None and len(places) > 1]

    def values(self, rows: np.ndarray) -> np.ndarray:
        """The logarithm of the expected improvement at full rows."""
        from tuner.samplers.improvement import log_improvement

        mean, deviation = self.process.posterior(self.coordinates(self.cube.canonical(rows)))
        return log_improvement(mean, deviation, self.best)

    def best_rows(self, leaders: np.ndarray, candidates: int, ascents: int) -> tuple[np.ndarray, float]:
        """Full rows, the most promising first (where the ascents ended, then the candidates), and the value of the first."""
        rows = self.cube.snapped(self._candidates(leaders, candidates))
        value = self.values(rows)
        order = np.argsort(-value)
        rows, value = rows[order], value[order]
        ends = [self.climb(rows[i], value[i]) for i in self._starts(rows, ascents)]
        ends.sort(key=lambda end: -end[1])
        return np.concatenate([np.array([row for row, _ in ends]), rows]), float(ends[0][1])

    def _candidates(self, leaders: np.ndarray, count: int) -> np.ndarray:
        """Random points, and points near the leaders: some columns moved by steps of several sizes."""
        rng, width = self.rng, len(self.cube.space)
        anywhere = rng.random((count, width))
        full = np.where(np.isnan(leaders), rng.random(leaders.shape), leaders)
        near = full[rng.integers(len(full), size=count // 2)]
        size = 10.0 ** rng.uniform(-3, -0.5, (len(near), 1))
        moved = np.clip(near + size * rng.standard_normal(near.shape), 0.0, 1.0)
        fresh = rng.random(near.shape) < 0.1
        moved = np.where(fresh, rng.random(near.shape), moved)
        still = rng.random(near.shape) < 0.3
        return np.concatenate([anywhere, np.where(still, near, moved), full])

    def _starts(self, rows: np.ndarray, ascents: int) -> list[int]:
        """Where to climb from: the best candidates that are not near one another, and the best one of each other branch."""
        on = self.cube.active(rows)
        chosen: list[int] = []
        for i in range(min(len(rows), 300)):
            distances = [np.abs(rows[i] - rows[j])[on[i]].max(initial=0.0) if (on[i] == on[j]).all() else 1.0 for j in chosen]
            if not chosen or min(distances) > 0.1:
                chosen.append(i)
            if len(chosen) == ascents:
                break
        _, first = np.unique(on, axis=0, return_index=True)
        branches = [i for i in sorted(first) if not any((on[i] == on[j]).all() for j in chosen)]
        return chosen + branches[:3]

    def climb(self, row: np.ndarray, value: float) -> tuple[np.ndarray, float]:
        """A full row where neither a gradient step nor an exchange of one value is better, and its value."""
        for _ in range(4):
            row, value = self._ascend(row, value)
            climbed = value
            row, value = self._exchange(row, value)
            if value <= climbed + 1e-3:
                break
        return row, value

    def _ascend(self, row: np.ndarray, value: float) -> tuple[np.ndarray, float]:
        from scipy import optimize

        from tuner.samplers.improvement import log_improvement, log_improvement_slope

        columns = np.flatnonzero(self.moving & self.cube.active(row[None])[0])
        if not len(columns):
            return row, value
        point = self.coordinates(self.cube.canonical(row[None]))[0]
        places = self.coordinates.start[columns]

        def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
            point[places] = moved
            mean, deviation, by_mean, by_deviation = self.process.slope(point)
            slope = log_improvement_slope(mean, deviation, by_mean[places], by_deviation[places], self.best)
            return -float(log_improvement(np.array(mean), np.array(deviation), self.best)), -slope

        bounds = [(0.0, 1.0)] * len(columns)
        end = optimize.minimize(loss, row[columns], jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 20, "ftol": 1e-6})
        moved = row.copy()
        moved[columns] = end.x
        moved = self.cube.snapped(moved[None])[0]
        reached = self.values(moved[None])[0]
        return (moved, reached) if reached > value else (row, value)

    def _exchange(self, row: np.ndarray, value: float) -> tuple[np.ndarray, float]:
        """The best row that differs from this one in one finite parameter, again and again until none is better."""
        on = self.cube.active(row[None])[0]
        for _ in range(10):
            tries = []
            for column in self.finite:
                if on[column]:
                    places = self.cube.places[column]
                    assert places is not None
                    if len(places) > 16 and self.cube.space[column].ordered:
                        here = int(np.argmin(np.abs(places - row[column])))
                        places = places[np.unique(np.clip(here + np.array([-4, -2, -1, 1, 2, 4]), 0, len(places) - 1))]
                    for place in places[np.abs(places - row[column]) > 1e-9]:
                        other = row.copy()
                        other[column] = place
                        tries.append(other)
            if not tries:
                break
            values = self.values(np.array(tries))
            top = int(np.argmax(values))
            if values[top] <= value + 1e-9:
                break
            row, value = tries[top], values[top]
            on = self.cube.active(row[None])[0]
        return row, value
