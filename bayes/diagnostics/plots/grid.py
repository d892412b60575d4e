"""A grid of panels, one a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

COLOR = "#132a70"


def panels(names: Sequence[str], figsize: Any, num_row: int | None, num_col: int | None, title_fontsize: int) -> tuple[Any, list]:
    """`(figure, axes)`, an axes a name, titled by it; made without `pyplot`, so that no window and no global state is touched."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(names)
    columns = num_col or (-(-count // num_row) if num_row else min(count, 5))
    rows = num_row or -(-count // columns)
    figure = Figure(figsize=figsize or (4 * columns, 3.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
    for spare in axes[count:]:
        spare.remove()
    for ax, name in zip(axes, names):
        ax.set_title(name, fontsize=title_fontsize)
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes[:count]


def label(axes: Sequence[Any], columns: int, xlabel: str, ylabel: str, label_fontsize: int, tick_fontsize: int) -> None:
    """The labels of all panels, the vertical one at the left only."""
    for i, ax in enumerate(axes):
        ax.set_xlabel(xlabel, fontsize=label_fontsize)
        ax.set_ylabel(ylabel if i % columns == 0 else "", fontsize=label_fontsize)
        ax.tick_params(labelsize=tick_fontsize)


def columns_of(axes: Sequence[Any]) -> int:
    """How many panels stand in a row."""
    return int(axes[0].get_subplotspec().get_gridspec().ncols)
