"""The live table of a running search."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.study.study import Study

ROWS = 8  # of the best trials
REFRESH = 0.5  # seconds between two drawings


def table_of(study: Study, rows: int = ROWS) -> Any:
    """A rich table: how many trials are in which state, the running ones, and the best ones with their values."""
    from rich import box
    from rich.table import Table

    trials = study.trials
    states = {state: sum(t.state == state for t in trials) for state in ("completed", "running", "pruned", "failed", "waiting")}
    budget = f" of {study.max_trials}" if study.max_trials is not None else ""
    counts = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    table = Table(
        title=f"{len(trials)}{budget} trials: {counts or 'none yet'}; {study.elapsed:.0f} s", box=box.SIMPLE_HEAD, title_justify="left"
    )
    table.add_column("trial", justify="right")
    table.add_column("state")
    table.add_column(study.objective.name, justify="right")
    table.add_column("steps", justify="right")
    table.add_column("values")
    for trial in [*(t for t in trials if t.state == "running"), *study.ranked()[:rows]]:
        value = "" if trial.score is None else f"{study.value_of(trial):.6g}"
        steps = str(max(trial.reports)) if trial.reports else ""
        table.add_row(str(trial.number), trial.state, value, steps, shown(trial.values))
    return table


def shown(values: dict[str, Any]) -> str:
    """Values in one line.

    >>> shown({"units": 32, "rate": 0.001234567})
    'units=32 rate=0.001235'
    """
    return " ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in values.items())


@contextlib.contextmanager
def live_table(study: Study, verbose: int | None) -> Iterator[Callable[[], None]]:
    """Yields a function that draws the table anew, where anyone watches: with verbose=1, or None in a terminal."""
    if not (sys.stdout.isatty() if verbose is None else verbose):
        yield lambda: None
        return
    from rich.console import Console
    from rich.live import Live

    drawn = 0.0
    console = Console(file=sys.stdout)
    with Live(console=console, auto_refresh=False, transient=console.is_terminal) as live:

        def show() -> None:
            nonlocal drawn
            if time.monotonic() - drawn >= REFRESH and console.is_terminal:
                live.update(table_of(study), refresh=True)
                drawn = time.monotonic()

        yield show
    console.print(table_of(study))
