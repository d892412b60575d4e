"""The display of a running loop: one updating line on a terminal or in a notebook, one plain line per epoch everywhere else."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from core.base import config

FULL, EMPTY = "━", "━"
_log = logging.getLogger("core")


def is_notebook() -> bool:
    """Whether the program runs in a Jupyter kernel."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


def print_msg(message: str, end: str = "\n") -> None:
    """Prints for the user, or logs where `core.config.disable_interactive_logging()` was called."""
    if not config.current().interactive_logging:
        _log.info(message.strip())
        return
    try:
        sys.stdout.write(message + end)
    except UnicodeEncodeError:  # a console that cannot show the bar's characters
        coding = sys.stdout.encoding or "ascii"
        sys.stdout.write((message + end).replace(FULL, "=").encode(coding, "replace").decode(coding))
    sys.stdout.flush()


def format_value(value: Any) -> str:
    """A metric's value as shown: four decimals, or scientific below a thousandth."""
    array = np.asarray(value)
    if array.ndim:
        return "[" + ", ".join(map(format_value, array.ravel()[:4])) + (", ...]" if array.size > 4 else "]")
    if array.dtype.kind not in "biufc":
        return str(value)
    number = float(array)
    return f"{number:.4f}" if abs(number) > 1e-3 else f"{number:.4e}"


def format_step_time(seconds: float, unit: str) -> str:
    """`"3ms/step"`: seconds, milliseconds or microseconds per unit."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    return f"{seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/{unit}"


def format_duration(seconds: float) -> str:
    """`"42s"`, `"3:07"` or `"1:02:03"`."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


class Progbar:
    """A progress bar over `target` steps, with the averages or latest values of some metrics.

    Args:
        target: number of steps, or None where it is not known.
        width: characters of the bar.
        verbose: 0 shows nothing, 1 an updating line, 2 one line at the end.
        interval: least seconds between two drawings.
        stateful_metrics: names of values that are shown as given; all others of a list of pairs are averaged over the steps.
        stateless_metrics: where given, the only names that are averaged.
        unit_name: what a step is called.

    >>> bar = Progbar(3, verbose=0)
    >>> for i in range(3):
    ...     bar.update(i + 1, [("loss", 1 / (i + 1))])
    """

    def __init__(self, target: int | None, width: int = 20, verbose: int | str = 1, interval: float = 0.05, stateful_metrics: Any = None,
                 stateless_metrics: Any = None, unit_name: str = "step"):  # fmt: skip
        self.target, self.width, self.interval, self.unit_name = target, width, interval, unit_name
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.seen = 0
        self._sums: dict[str, list] = {}  # name -> [sum, weight]; weight None: shown as it is
        self._start = time.perf_counter()
        self._after_first: float | None = None  # the first step compiles, so it does not count for the time per step
        self._drawn_at = -np.inf
        self._finished = False
        self._console: Any = None
        stream = sys.stdout
        self._notebook = is_notebook()
        self._terminal = not self._notebook and hasattr(stream, "isatty") and stream.isatty()

    @property
    def dynamic(self) -> bool:
        """Whether the line is drawn over while it grows."""
        return self.verbose == 1 and (self._terminal or self._notebook) and config.current().interactive_logging

    def add(self, n: int, values: Any = None) -> None:
        """Advances by `n` steps; see `update`."""
        self.update(self.seen + n, values)

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Shows that `current` steps are done.

        Args:
            current: steps done so far.
            values: pairs of name and value, which are averaged; or a dict, or a function that returns one, whose values are shown as they
                are. A function is called only when something is drawn.
            finalize: whether this is the last call; by default where `current` reaches the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps, self.seen = current - self.seen, current
        if isinstance(values, (list, tuple)):
            self._average(values, steps, current)
        now = time.perf_counter()
        if self._after_first is None and current >= 1:
            self._after_first = now
        if self.verbose == 0 or self._finished or (not finalize and (not self.dynamic or now - self._drawn_at < self.interval)):
            return
        if callable(values):
            values = values()
        if isinstance(values, Mapping):
            self._sums.update({name: [value, None] for name, value in values.items()})
        self._drawn_at = now
        self._finished = finalize
        self._draw(now, finalize)

    def _average(self, values: Any, steps: int, current: int) -> None:
        for name, value in values:
            averaged = name in self.stateless_metrics if self.stateless_metrics is not None else name not in self.stateful_metrics
            if not averaged:
                self._sums[name] = [value, None]
                continue
            weight = max(steps, 1)
            if name in self._sums:
                self._sums[name][0] += value * weight
                self._sums[name][1] += weight
            else:
                self._sums[name] = [value * weight, weight]

    def _metrics(self) -> str:
        return "".join(
            f" - {name}: {format_value(total if weight is None else total / max(1, weight))}"
            for name, (total, weight) in self._sums.items()
        )

    def seconds_per_step(self, now: float) -> float:
        """Mean time of a step, without the first one where there are more."""
        if self.seen > 1 and self._after_first is not None:
            return (now - self._after_first) / (self.seen - 1)
        return (now - self._start) / max(self.seen, 1)

    def _draw(self, now: float, finalize: bool) -> None:
        per_step = self.seconds_per_step(now)
        target = self.target
        count = f"{self.seen}/{target if target is not None else 'Unknown' if not finalize else self.seen}"
        if target is not None and not finalize:
            clock = format_duration(per_step * max(target - self.seen, 0))
        else:
            clock = format_duration(now - self._start)
        rate = format_step_time(per_step, self.unit_name)
        if self.verbose == 2:
            print_msg(f"{count} - {clock} - {rate}{self._metrics()}")
            return
        bar = self.width if finalize and target is None else 0 if target is None else self.width * min(self.seen, target) // max(target, 1)
        rest = self.width - bar if target is not None else 0
        parts = (
            count.rjust(len(str(target)) * 2 + 1) if target is not None else count.rjust(7),
            FULL * bar,
            EMPTY * rest,
            f"{clock} {rate}{self._metrics()}",
        )
        if self._terminal and self.dynamic:
            self._draw_on_terminal(*parts, finalize)
        else:
            text = f"{parts[0]} {parts[1]}{parts[2] if not self.dynamic else '-' * rest} {parts[3]}"
            print_msg(("\r" if self.dynamic else "") + text, "\n" if finalize or not self.dynamic else "")

    def _draw_on_terminal(self, count: str, done: str, rest: str, tail: str, finalize: bool) -> None:
        from rich.console import Console
        from rich.control import Control
        from rich.segment import ControlType
        from rich.text import Text

        if self._console is None:
            self._console = Console(file=sys.stdout, highlight=False, width=shutil.get_terminal_size().columns)
        line = Text.assemble((count, "bold"), " ", (done, "green"), (rest, "bright_black"), " ", tail, no_wrap=not finalize)
        if not finalize:  # a line that wrapped could not be drawn over
            line.truncate(self._console.width - 1, overflow="ellipsis")
        self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
        self._console.print(line, end="\n" if finalize else "", soft_wrap=True)
        sys.stdout.flush()


Values = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
