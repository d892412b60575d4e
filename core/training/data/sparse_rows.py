"""Rows of sparse matrices and tensors, made dense a chunk at a time: a whole data set made dense may not fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import slot
from core.training.data.source import floats_to_floatx


class SparseRows:
    """A sparse array on the host, of which rows are read.

    Args:
        places: (stored, rank) integers, each place once.
        values: (stored,).
        shape: of the whole.

    `rows[part]`, for a slice or an array of row numbers, is a dense NumPy array; `rows.cut(part)` stays sparse.
    """

    def __init__(self, places: np.ndarray, values: np.ndarray, shape: tuple[int, ...]):
        order = np.argsort(places[:, 0], kind="stable")
        self.places, self.values, self.shape = places[order], floats_to_floatx(values[order]), tuple(shape)
        self.dtype = self.values.dtype
        self._starts = np.searchsorted(self.places[:, 0], np.arange(shape[0] + 1))

    @classmethod
    def of(cls, x: Any) -> SparseRows | None:
        """The rows of a SciPy sparse matrix or of a framework's sparse tensor; None for anything else."""
        if hasattr(x, "tocsr") and hasattr(x, "toarray"):
            x = x.tocsr(copy=True)
            x.sum_duplicates()
            x = x.tocoo()
            return cls(np.stack([x.row, x.col], axis=1), x.data, x.shape)
        owner = slot.owner(x)
        if owner is None or owner.sparse is None or type(x) in slot.OWNERS:
            return None
        return cls(*owner.sparse.parts(owner.convert_to_tensor(x)))

    def _stored(self, part: Any) -> tuple[np.ndarray, np.ndarray, int]:
        """Of the chosen rows: which stored values they have, in which of the new rows each lies, and how many rows there are."""
        rows = np.arange(self.shape[0])[part]
        counts = self._starts[rows + 1] - self._starts[rows]
        ends = np.cumsum(counts)
        stored = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self._starts[rows] - (ends - counts), counts)
        return stored, np.repeat(np.arange(len(rows)), counts), len(rows)

    def __getitem__(self, part: Any) -> np.ndarray:
        stored, row, count = self._stored(part)
        dense = np.zeros((count, *self.shape[1:]), self.dtype)
        dense[(row, *self.places[stored, 1:].T)] = self.values[stored]
        return dense

    def cut(self, part: Any) -> SparseRows:
        stored, row, count = self._stored(part)
        return SparseRows(np.concatenate([row[:, None], self.places[stored, 1:]], axis=1), self.values[stored], (count, *self.shape[1:]))
