"""One learning problem as the recipes see it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from auto.data.terms import Vocabulary
from auto.search.folds import Fold
from auto.stages import Stage


@dataclasses.dataclass
class Problem:
    """The encoded matrix, the encoded target, who validates whom, and the views that models look through.

    `raw` is `(n, features)`, `target` `(n, outputs)`, `weights` `(n,)` with mean one. `views` maps names to stages over `raw`; the
    view "raw" is the matrix itself. `shape` is that of an image, `vocabulary` that of texts. `epochs` bounds the training of networks,
    `max_weights` their size; `callbacks` are copied for each of them.
    """

    raw: np.ndarray
    target: np.ndarray
    kind: str
    weights: np.ndarray
    folds: list[Fold]
    views: dict[str, Stage]
    seed: int = 0
    shape: tuple[int, int, int] | None = None
    vocabulary: Vocabulary | None = None
    epochs: int | None = None
    max_weights: int | None = None
    callbacks: tuple[Any, ...] = ()
    _seen: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def view(self, name: str) -> np.ndarray:
        """All rows through a view, worked out once."""
        if name not in self._seen:
            self._seen[name] = self.views[name](self.raw) if name in self.views else self.raw
        return self._seen[name]

    @property
    def outputs(self) -> int:
        """How many numbers a prediction has."""
        return self.target.shape[1]

    @property
    def fits(self) -> int:
        """How often a recipe fits a model: once a fold, and once on all rows."""
        return len(self.folds) + 1

    @property
    def valid(self) -> np.ndarray:
        """The rows that have an out-of-fold prediction, in order."""
        return np.sort(np.concatenate([valid for _, valid in self.folds]))
