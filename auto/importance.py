"""Which columns a model needs: how much worse it gets when they are shuffled."""

from __future__ import annotations

from typing import Any

import numpy as np


def permutation_importance(task: Any, x: Any, y: Any, repeats: int = 5, seed: int = 0) -> Any:
    """A DataFrame by column, the most needed first: `importance` (how much worse the task's metric gets, mean of `repeats` shuffles)
    and `deviation` (their standard deviation). Near zero, or below, the column is not needed (Breiman 2001).

    Raises:
        TypeError: the task is not about tables.

    >>> import numpy as np, auto
    >>> x = np.random.default_rng(0).normal(size=(80, 2))
    >>> model = auto.StructuredDataRegressor(max_trials=1, seed=0).fit(x, x[:, 1], verbose=0)
    >>> model.importance(x, x[:, 1]).index[0]
    'column_1'
    """
    import pandas

    encoder, target, pipeline = task._fitted()
    if not hasattr(encoder, "columns"):
        raise TypeError(f"importance is for tables; {type(task).__name__} has no columns.")
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more, got {repeats}.")
    inputs, y, _ = task._read(x, y)
    if y is None:
        raise ValueError("importance needs the targets y.")
    mean, scale = task._units()
    raw, truth = encoder.encode(inputs), target.encode(y) * scale + mean
    if len(raw) != len(truth):
        raise ValueError(f"x has {len(raw)} rows, y has {len(truth)}; they must be as many.")
    rng = np.random.default_rng(seed)

    def loss(rows: np.ndarray) -> float:
        return task.metric.loss(truth, pipeline(rows) * scale + mean)

    whole, start, found = loss(raw), 0, []
    for column in encoder.columns:
        stop = start + len(column.widths)
        if stop > start:
            drops = []
            for _ in range(repeats):
                shuffled = raw.copy()
                shuffled[:, start:stop] = raw[rng.permutation(len(raw)), start:stop]
                drops.append(loss(shuffled) - whole)
            found.append((column.name, float(np.mean(drops)), float(np.std(drops))))
        start = stop
    table = pandas.DataFrame(found, columns=["column", "importance", "deviation"]).set_index("column")
    return table.sort_values("importance", ascending=False, kind="stable")


