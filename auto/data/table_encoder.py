"""A whole table as one float32 matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auto.data.columns import Column, find_column
from auto.data.table import read_table, select_columns
from auto.data.terms import Vocabulary
from auto.stages import Stage


@dataclasses.dataclass(frozen=True)
class TableEncoder:
    """The typed columns of a table. `encode` takes whatever `read_table` takes and gives float32 `(rows, features)`."""

    columns: tuple[Column, ...]
    named: bool = True  # False for arrays: columns are told by their place

    def encode(self, x: Any) -> np.ndarray:
        """The matrix of a table that has the columns of training, in any order and with any others (arrays: as many)."""
        names = [column.name for column in self.columns]
        table = read_table(x)
        if not self.named or (not set(names) <= set(table.columns) and _is_plain(x)):
            if len(table.columns) != len(names):
                raise ValueError(f"x has {len(table.columns)} columns, training had {len(names)}: {names[:30]}.")
            table = table.set_axis(names, axis=1)
        table = select_columns(table, names)
        parts = [column.encode(table[column.name]) for column in self.columns]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(table), 0), "float32")

    @property
    def levels(self) -> list[int]:
        """For each feature, 0 for a number, else the number of categories of its code."""
        return [width for column in self.columns for width in column.widths]

    def kinds(self) -> dict[str, str]:
        """The kind of each column by name."""
        return {column.name: column.kind for column in self.columns}

    def config(self) -> dict[str, Any]:
        """The encoder as JSON; the arrays of text columns are in `stages`."""
        return {"named": self.named, "columns": [column.config() for column in self.columns]}

    def stages(self) -> dict[str, Stage]:
        """The stages of the columns that have one, by position."""
        return {str(i): column.topics for i, column in enumerate(self.columns) if column.topics is not None}

    @classmethod
    def from_config(cls, config: dict[str, Any], stages: Mapping[str, Stage] | None = None) -> TableEncoder:
        """The encoder of a config and its stages."""
        columns = []
        for i, entry in enumerate(config["columns"]):
            vocabulary = Vocabulary.from_config(entry["vocabulary"]) if entry["vocabulary"] else None
            topics = (stages or {}).get(str(i))
            columns.append(Column(entry["name"], entry["kind"], tuple(entry["levels"]), vocabulary, topics))
        return cls(tuple(columns), bool(config["named"]))


def find_table_encoder(x: Any, table: Any, column_types: Mapping[str, str] | None = None, seed: int = 0) -> TableEncoder:
    """The encoder of a table (`table` is `read_table(x)` without its target); `column_types` fixes the kinds of some columns."""
    types = dict(column_types or {})
    unknown = sorted(set(types) - set(table.columns))
    if unknown:
        raise ValueError(f"column_types names {unknown[:10]}, but the columns are {table.columns.tolist()[:30]}.")
    columns = tuple(find_column(name, table[name], types.get(name), seed) for name in table.columns)
    return TableEncoder(columns, named=not _is_plain(x))


def _is_plain(x: Any) -> bool:
    """Whether x is an array or a list, whose columns have no names of their own."""
    return isinstance(x, (np.ndarray, Sequence)) and not isinstance(x, str) or not hasattr(x, "columns") and hasattr(x, "__array__")
