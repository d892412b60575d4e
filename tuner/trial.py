"""What samplers, pruners, the study and the store hand to one another: proposals and trials."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Any, Self

STATES = ("waiting", "running", "completed", "pruned", "failed", "infeasible")


class Answer(enum.Enum):
    """What a sampler says when it has no proposal."""

    WAIT = "wait"  # nothing now, ask again when a running trial has ended
    EXHAUSTED = "exhausted"  # nothing any more: every point of the space, or the whole schedule, has been handed out


WAIT = Answer.WAIT
EXHAUSTED = Answer.EXHAUSTED


@dataclass(frozen=True)
class Proposal:
    """The values that a sampler wants tried next.

    Arguments:
        values: Value by name, of every parameter that is active under the others, and of no other.
        resource: What the trial may spend in all (epochs, counted from the parent's start), or None where the sampler does not say.
        initial_resource: What the parent has spent already: the trial goes on from there.
        parent: Number of the trial whose checkpoint this one continues.
        notes: The sampler's own remarks (JSON), kept in the trial, so that a sampler needs no memory of its own.
    """

    values: dict[str, Any]
    resource: int | None = None
    initial_resource: int = 0
    parent: int | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Trial:
    """One set of values, and what came of it.

    `score` and `reports` are always *lower is better*: the study has turned the sign of what is to be maximised (and added up several
    objectives) before it stores them, so that samplers and pruners know no directions. `metrics` holds values as they were measured.

    Arguments:
        number: Counts from 0; unique in a study.
        values: Value by name of the parameters that were active (under define-by-run: that the build asked for), and of no other.
        state: One of `STATES`.
        score: The final value, lower is better; None while there is none.
        metrics: `{name: {step: value}}`, as measured.
        reports: `{step: value}` of the objective while the trial runs, lower is better; a step counts the resource spent (epochs, from 1).
        resource: What the trial may spend in all, None if no sampler set it.
        initial_resource: What its parent had spent.
        parent: Number of the trial that it continues.
        seed: Seed of the trial's own draws (initial weights, shuffles).
        started: Seconds since 1970.
        ended: Seconds since 1970.
        message: Why it failed, was pruned, or is infeasible.
        notes: The sampler's remarks, from the proposal.

    >>> Trial(0, {"rate": 0.1}, state="completed", score=0.25).usable
    True
    """

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    state: str = "waiting"
    score: float | None = None
    metrics: dict[str, dict[int, float]] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)
    resource: int | None = None
    initial_resource: int = 0
    parent: int | None = None
    seed: int = 0
    started: float | None = None
    ended: float | None = None
    message: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, proposal: Proposal, number: int, **fields: Any) -> Self:
        """The trial `number` that carries a proposal out; `fields` are those that a proposal does not name."""
        return cls(number, dict(proposal.values), resource=proposal.resource, initial_resource=proposal.initial_resource,
                   parent=proposal.parent, notes=dict(proposal.notes), **fields)  # fmt: skip

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in ("waiting", "running")

    @property
    def usable(self) -> bool:
        """Whether it completed with a finite score: only such trials rank."""
        return self.state == "completed" and self.score is not None and math.isfinite(self.score)
