"""The page: what was fitted, what was tried, what the ensemble is, which columns matter. One file, no script, nothing from elsewhere."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import core


def write_report(task: Any, path: str | os.PathLike, x: Any = None, y: Any = None) -> None:
    """Writes the page to `path`; with data also importances of columns and, for classes, the confusion matrix on it."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((pathlib.Path(__file__).parent / "page.html").read_text())
    page = template.render(**facts(task, x, y))
    with core.saving.replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def facts(task: Any, x: Any = None, y: Any = None) -> dict[str, Any]:
    """What the page shows."""
    import numpy as np

    encoder, target, pipeline = task._fitted()
    board = task.leaderboard()
    given = x is not None
    importances = task.importance(x, y) if given and hasattr(encoder, "columns") else None
    confusion: list[list[int]] = []
    if given and target.kind == "classes" and target.outputs <= 30:
        inputs, truth, _ = task._read(x, y)
        counts = np.zeros((target.outputs, target.outputs), int)
        np.add.at(counts, (target.encode(truth).argmax(1), pipeline(encoder.encode(inputs)).argmax(1)), 1)
        confusion = counts.tolist()
    largest = max(float(importances["importance"].max()), 1e-12) if importances is not None and len(importances) else 1.0
    return {
        "task": type(task).__name__,
        "target": target.name or "the target",
        "kind": {"classes": "one of {} classes", "labels": "{} labels", "values": "{} value(s)"}[target.kind].format(target.outputs),
        "metric": task.metric.name if task.metric else "",
        "direction": "more is better" if task.metric and task.metric.greater_is_better else "less is better",
        "score": _short(task.score),
        "seconds": _short(task.seconds),
        "rows": [
            {name: _short(value) for name, value in row.items()} | {"share": round(100 * row["weight"], 1)}
            for row in board.to_dict("records")
        ],
        "columns": sorted(encoder.kinds().items()) if hasattr(encoder, "kinds") else [],
        "importances": [
            (name, _short(row["importance"]), _short(row["deviation"]), round(100 * max(0.0, row["importance"]) / largest))
            for name, row in (importances.iterrows() if importances is not None else ())
        ],
        "classes": [str(name) for name in target.classes],
        "confusion": confusion,
    }


def _short(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
