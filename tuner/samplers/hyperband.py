"""Hyperband: many configurations with little resource, few with much, in brackets that hedge between the two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tuner.samplers.random_search import RandomSampler
from tuner.samplers.sampler import Sampler
from tuner.space import Space
from tuner.trial import EXHAUSTED, WAIT, Answer, Proposal, Trial


@dataclass(frozen=True)
class Round:
    """How many trials of a bracket run to which resource."""

    trials: int
    resource: int


def brackets(max_resource: int, factor: int) -> list[list[Round]]:
    """The rounds of each bracket, the most exploring one first (Li et al. 2018, "Hyperband", algorithm 1).

    Bracket s starts `n = ceil((s_max + 1) / (s + 1) * factor**s)` trials; round i keeps `floor(n / factor**i)` of them up to resource
    `max_resource / factor**(s - i)`, rounded to a whole number, at least 1.

    >>> [[(r.trials, r.resource) for r in rounds] for rounds in brackets(9, 3)]
    [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]]
    """
    s_max = 0
    while factor ** (s_max + 1) <= max_resource:
        s_max += 1
    table = []
    for s in range(s_max, -1, -1):
        start = -(-(s_max + 1) * factor**s // (s + 1))
        resources = [max(1, math.floor(max_resource / factor ** (s - i) + 0.5)) for i in range(s + 1)]
        table.append([Round(start // factor**i, resource) for i, resource in enumerate(resources)])
    return table


@dataclass(frozen=True)
class HyperbandSampler(Sampler):
    """Runs the brackets of `brackets(max_resource, factor)`, `iterations` times over.

    A promoted trial is a new trial with the same values, the parent's number, and the parent's resource as `initial_resource`: it
    continues from the parent's checkpoint. A trial is promoted as soon as it is certain to be among those that its round keeps; where
    none is and the bracket is full, workers start the next bracket, so that they wait only at the very end. What failed, was pruned, or
    has no finite score is not promoted. New configurations come from `sampler`, which learns from the largest resource at which enough
    trials completed (with a `TPESampler` this is BOHB, Falkner et al. 2018).

    Arguments:
        max_resource: What a trial may spend at most (epochs).
        factor: A round keeps one of so many trials, and gives those so many times the resource.
        iterations: How often all brackets run.
        sampler: Proposes new configurations.
    """

    max_resource: int = 100
    factor: int = 3
    iterations: int = 1
    sampler: Sampler = field(default_factory=RandomSampler)

    def __post_init__(self):
        for name, least in (("max_resource", 1), ("factor", 2), ("iterations", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"HyperbandSampler expected {name} to be a whole number of at least {least}, got {value!r}.")

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        table = [(i, b, rounds) for i in range(self.iterations) for b, rounds in enumerate(brackets(self.max_resource, self.factor))]
        members = [_members(trials, iteration, bracket, len(rounds)) for iteration, bracket, rounds in table]
        if (promoted := self._promoted(table, members, closed=False)) is not None:
            return promoted
        for (iteration, bracket, rounds), levels in zip(table, members):
            if len(levels[0]) < rounds[0].trials:
                fresh = self.sampler.suggest(space, self._lessons(space, trials), number, seed)
                if isinstance(fresh, Proposal):
                    notes = {**fresh.notes, "iteration": iteration, "bracket": bracket, "round": 0}
                    return replace(fresh, resource=rounds[0].resource, notes=notes)
                if fresh is EXHAUSTED and (promoted := self._promoted(table, members, closed=True)) is not None:
                    return promoted
                break
        running = any(not trial.finished for levels in members for level in levels for trial in level)
        return WAIT if running else EXHAUSTED

    def _promoted(self, table: list, members: list, closed: bool) -> Proposal | None:
        """The first promotion that is certain, earlier brackets first."""
        for (iteration, bracket, rounds), levels in zip(table, members):
            if (found := _promotion(rounds, levels, self.factor, closed)) is not None:
                level, parent = found
                notes = {**parent.notes, "iteration": iteration, "bracket": bracket, "round": level}
                return Proposal(dict(parent.values), rounds[level].resource, parent.resource or 0, parent.number, notes)
        return None

    def _lessons(self, space: Space, trials: Sequence[Trial]) -> list[Trial]:
        """The trials, with scores only at the largest resource at which enough of them completed."""
        counts: dict[int, int] = {}
        for trial in trials:
            if trial.usable:
                counts[trial.resource or 0] = counts.get(trial.resource or 0, 0) + 1
        enough = [resource for resource, count in counts.items() if count >= len(space) + 2]
        best = max(enough or counts or [0])
        return [trial if (trial.resource or 0) == best else replace(trial, score=None) for trial in trials]


def _members(trials: Sequence[Trial], iteration: int, bracket: int, levels: int) -> list[list[Trial]]:
    """The trials of a bracket, by round."""
    rounds: list[list[Trial]] = [[] for _ in range(levels)]
    for trial in trials:
        if trial.notes.get("iteration") == iteration and trial.notes.get("bracket") == bracket:
            rounds[trial.notes["round"]].append(trial)
    return rounds


def _promotion(rounds: list[Round], members: list[list[Trial]], factor: int, closed: bool) -> tuple[int, Trial] | None:
    """`(round, parent)` of the next trial that is certain to be kept, later rounds first; None where there is none.

    `closed` says that no new configurations will come, so that a first round with fewer trials than planned is complete as it is.
    """
    start = min(rounds[0].trials, len(members[0])) if closed else rounds[0].trials
    planned = [start]
    for level in range(1, len(rounds)):
        kept = rounds[level].trials if start == rounds[0].trials else max(1, start // factor**level)
        lost = sum(trial.finished and not trial.usable for trial in members[level - 1])
        planned.append(min(kept, planned[level - 1] - lost))
    for level in range(len(rounds) - 1, 0, -1):
        below = members[level - 1]
        ranked = sorted((trial for trial in below if trial.usable), key=lambda trial: (trial.score, trial.number))
        outstanding = planned[level - 1] - sum(trial.finished for trial in below)
        taken = {trial.parent for trial in members[level]}
        for rank, trial in enumerate(ranked[: planned[level]]):
            if rank + outstanding < planned[level] and trial.number not in taken and len(taken) < planned[level]:
                return level, trial
    return None
