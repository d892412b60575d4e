"""The time budget: what is left of it, and what a step will probably cost."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator


def now() -> float:
    """The seconds that budgets are counted in."""
    return time.monotonic()


class OutOfTime(Exception):
    """A step stopped itself because the budget was used up."""


@dataclasses.dataclass
class Clock:
    """Counts down `limit` seconds (None: no limit) from its making, and learns how fast this machine is.

    Costs are guessed in seconds of an idle machine; `speed` is what they took over what was guessed, by family of models.
    """

    limit: float | None
    start: float = dataclasses.field(default_factory=now)
    reserve: float = 0.6  # seconds kept for the ensemble and the last bookkeeping
    speeds: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def used(self) -> float:
        """Seconds since the start."""
        return now() - self.start

    @property
    def left(self) -> float:
        """Seconds that steps may still use, infinite without a limit; negative when it is over."""
        return float("inf") if self.limit is None else self.limit - self.used - self.reserve

    @property
    def over(self) -> bool:
        """Whether the budget is used up, what was kept for the end included."""
        return self.limit is not None and self.used > self.limit

    def shares(self, count: int) -> Iterator[Clock]:
        """Clocks for `count` steps that share what is left: each gets an equal part of what those before it have left over."""
        for step in range(count):
            self.check()
            yield self if self.limit is None else self.part(1 / (count - step))

    def part(self, share: float, least: float = 0.0) -> Clock:
        """A clock that starts now, for a share of what is left (and `least` seconds at least)."""
        return Clock(None) if self.limit is None else Clock(max(least, share * self.left), reserve=0.0)

    def check(self) -> None:
        """Raises `OutOfTime` once the budget is used up."""
        if self.left <= 0:
            raise OutOfTime

    def expected(self, family: str, guess: float) -> float:
        """The seconds that a step guessed at `guess` will take here."""
        if family in self.speeds:
            return guess * self.speeds[family]
        others = [math.log(speed) for speed in self.speeds.values()]
        return guess * min(4.0, max(0.5, math.exp(sum(others) / len(others)))) if others else guess

    def learn(self, family: str, guess: float, seconds: float) -> None:
        """Notes what a step took; later ones of the family count more, since the machine's load changes."""
        ratio = min(max(seconds / max(guess, 1e-3), 0.1), 20.0)
        before = self.speeds.get(family)
        self.speeds[family] = ratio if before is None else (before * ratio) ** 0.5
