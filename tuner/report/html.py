"""One HTML page that tells of a study, with everything in it."""

from __future__ import annotations

import datetime
import io
import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.saving import replacing
from tuner.report import plots
from tuner.report.importance import LEAST
from tuner.report.table import shown

if TYPE_CHECKING:
    from tuner.study.study import Study

TEMPLATE = pathlib.Path(__file__).with_name("page.html")
ROWS = 500  # trials in the table


def write_report(study: Study, path: str | os.PathLike) -> pathlib.Path:
    """Writes the page to `path` and returns it. It loads nothing from elsewhere, and whatever names and messages hold is shown as text."""
    import jinja2
    from markupsafe import Markup

    ranked = study.ranked()
    drawings = [("History", plots.plot_history)]
    if any(t.reports for t in study.trials):
        drawings.append(("Curves", plots.plot_curves))
    if len(ranked) >= LEAST and len(study.space):
        drawings.append(("Importance", plots.plot_importance))
    order = {t.number: place for place, t in enumerate(ranked)}
    trials = sorted(study.trials, key=lambda t: (order.get(t.number, len(order)), t.number))
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(TEMPLATE.read_text())
    page = template.render(
        objective=study.objective, elapsed=round(study.elapsed, 1), written=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d "
                                                                                                                         "%H:%M UTC"),
        counts={state: sum(t.state == state for t in trials) for state in sorted({t.state for t in trials})},
        best=ranked[0] if ranked else None, best_value=study.best_value if ranked else None,
        best_values=ranked[0].values if ranked else {},
        pictures=[(title, Markup(_svg(study, draw))) for title, draw in drawings],
        rows=[
            {"trial": t, "value": None if t.score is None else study.value_of(t), "values": shown(t.values), "seconds": t.seconds,
             "reason": t.message.strip().splitlines()[-1] if t.message.strip() else ""}
            for t in trials[:ROWS]
        ],
        left_out=max(0, len(trials) - ROWS),
    )  # fmt: skip
    target = pathlib.Path(path)
    with replacing(target) as temporary:
        temporary.write_text(page)
    return target


def _svg(study: Study, draw: Callable[..., Any]) -> str:
    """A picture as SVG. Text becomes outlines, so that no name of a parameter is markup."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    draw(study, figure.add_subplot())
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "tuner", "text.usetex": False, "text.parse_math": False}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
