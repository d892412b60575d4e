"""Tables from whatever holds one: a frame, a CSV file, a dict of columns, an array."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np


def read_table(x: Any, column_names: Sequence[str] | None = None) -> Any:
    """A pandas DataFrame of x with string column names (`column_0`, `column_1` ... for arrays).

    >>> read_table([[1, 2], [3, 4]], ["a", "b"]).columns.tolist()
    ['a', 'b']
    """
    import pandas

    if isinstance(x, (str, os.PathLike)):
        path = pathlib.Path(x)
        if not path.is_file():
            raise FileNotFoundError(f"There is no file {str(path)!r}; pass the path of a CSV file, a DataFrame or an array.")
        try:
            table = pandas.read_csv(path)
        except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise ValueError(f"{str(path)!r} could not be read as CSV: {error}") from None
    elif isinstance(x, pandas.DataFrame):
        table = x
    elif isinstance(x, pandas.Series):
        table = x.to_frame()
    elif isinstance(x, dict):
        table = pandas.DataFrame(x)
    else:
        table = _from_array(x, column_names)
    if len(table.columns) == 0:
        raise ValueError("x has no columns.")
    if column_names is not None and len(column_names) != len(table.columns):
        raise ValueError(f"column_names has {len(column_names)} names, x has {len(table.columns)} columns.")
    names = [str(name) for name in (table.columns if column_names is None else column_names)]
    double = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if double:
        raise ValueError(f"The column name(s) {double[:5]} occur more than once; rename them.")
    table = table.set_axis(names, axis=1)
    return table.reset_index(drop=True)


def _from_array(x: Any, column_names: Sequence[str] | None) -> Any:
    import pandas

    array = np.asarray(x)
    if array.ndim != 2:
        hint = "; for images use the image tasks" if array.ndim > 2 else "; a table has one row for each example"
        raise ValueError(f"x must have shape (rows, columns), got {array.shape}{hint}.")
    names = column_names if column_names is not None and len(column_names) == array.shape[1] else None
    frame = pandas.DataFrame(array, columns=names if names else [f"column_{i}" for i in range(array.shape[1])])
    return frame.infer_objects() if array.dtype.kind == "O" else frame


def split_target(table: Any, y: Any) -> tuple[Any, Any, str]:
    """The table without its target column, the target, and its name, where y names a column; else both as they are."""
    if not isinstance(y, str):
        return table, y, str(getattr(y, "name", None) or "")
    if y not in table.columns:
        raise ValueError(f"There is no column {y!r} to predict; the columns are {table.columns.tolist()[:30]}.")
    return table.drop(columns=[y]), table[y], y


def select_columns(table: Any, names: Sequence[str]) -> Any:
    """The columns of that name in that order; columns that are missing are named, others ignored."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(f"x lacks the column(s) {missing[:10]}, which training had; it has {table.columns.tolist()[:30]}.")
    return table[list(names)]
