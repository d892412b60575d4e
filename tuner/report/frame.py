"""A study as pandas tables."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.study.study import Study


def to_dataframe(study: Study) -> Any:
    """One row a trial: what it was, how it ended, and `param_...` and `metric_...` columns (the metrics at its best step).

    Parameters that a trial did not have are missing there (NaN).
    """
    import pandas as pd

    rows = []
    for trial in study.trials:
        best = trial.best_step
        metrics = {name: history[best] for name, history in trial.metrics.items() if best is not None and best in history}
        rows.append({
            "number": trial.number, "state": trial.state, "value": None if trial.score is None else study.value_of(trial),
            "best_step": best, "steps": max(trial.reports, default=None), "executions": len(trial.executions),
            "started": _moment(trial.started), "ended": _moment(trial.ended), "seconds": trial.seconds, "parent": trial.parent,
            "resource": trial.resource, "attempts": trial.attempt, "failures": trial.failures, "losses": trial.losses, "seed": trial.seed,
            "message": trial.message, **{f"param_{name}": value for name, value in trial.values.items()},
            **{f"metric_{name}": value for name, value in metrics.items()},
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    whole = [name for name in ("best_step", "steps", "parent", "resource") if name in frame]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def history_dataframe(study: Study) -> Any:
    """One row for each metric that was reported: trial, execution, step, metric, value."""
    import pandas as pd

    rows = [
        (trial.number, execution, step, name, value)
        for trial in study.trials
        for execution, metrics in sorted(trial.executions.items())
        for name, history in metrics.items()
        for step, value in history.items()
    ]
    return pd.DataFrame(rows, columns=["trial", "execution", "step", "metric", "value"])


def _moment(seconds: float | None) -> datetime.datetime | None:
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC)
