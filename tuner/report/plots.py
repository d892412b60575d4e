"""Pictures of a study, by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tuner.study.study import Study


def plot_history(study: Study, ax: Any = None) -> Any:
    """The objective of each completed trial, and the best so far, over the trials' numbers; returns the axes."""
    ax = _axes(ax)
    done = [t for t in study.trials if t.usable]
    numbers, values = [t.number for t in done], np.array([study.value_of(t) for t in done])
    ax.plot(numbers, values, "o", markersize=4, alpha=0.6, label="trial")
    if len(values):
        best = np.minimum.accumulate(values) if study.objective.direction == "min" else np.maximum.accumulate(values)
        ax.step(numbers, best, where="post", label="best so far")
    ax.set_xlabel("trial")
    ax.set_ylabel(study.objective.name)
    ax.legend()
    return ax


def plot_curves(study: Study, ax: Any = None, most: int = 50) -> Any:
    """The objective over the steps (epochs) of the trials that reported it, the best `most` of them; returns the axes."""
    ax = _axes(ax)
    reporting = [t for t in study.trials if t.reports]
    reporting.sort(key=lambda t: min((v for v in t.reports.values() if v == v), default=np.inf))
    for trial in reporting[:most]:
        steps = sorted(trial.reports)
        ax.plot(steps, [study.objective.sign * trial.reports[s] for s in steps], marker=".", alpha=0.6)
    ax.set_xlabel("step")
    ax.set_ylabel(study.objective.name)
    return ax


def plot_importance(study: Study, ax: Any = None) -> Any:
    """The share of each parameter as a bar, the largest on top; returns the axes."""
    ax = _axes(ax)
    shares = study.importance()
    ax.barh(list(shares)[::-1], list(shares.values())[::-1])
    ax.set_xlim(0, 1)
    ax.set_xlabel("importance (PED-ANOVA)")
    return ax


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6, 3.5), layout="constrained")[1]
