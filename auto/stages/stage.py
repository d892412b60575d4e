"""A stage: the name of a pure function, its settings and its arrays. Everything that is fitted ends as one."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import core
from core.saving import CorruptArtifactError

FUNCTIONS: dict[str, Callable[..., Any]] = {}
ARRAYS: dict[str, frozenset[str]] = {}
CELLS = 4_000_000  # numbers in the largest intermediate tensor; rows are taken in chunks of that


def stage(name: str, *arrays: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a function `(x, *, <arrays>, **config)` in the table of stages."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS[name], ARRAYS[name] = function, frozenset(arrays)
        return function

    return enter


@dataclasses.dataclass(frozen=True, eq=False)
class Stage:
    """A fitted step of a pipeline, `(batch, features)` to `(batch, outputs)`, that is plain data.

    `kind` names the function, `config` holds its settings (JSON), `arrays` its numbers, and `width` says how many
    numbers one row needs in between, so that long inputs are worked through in chunks.

    >>> import numpy as np
    >>> double = Stage("linear", {"activation": "none"}, {"kernel": 2 * np.eye(2, dtype="float32"), "bias": np.zeros(2, "float32")})
    >>> double(np.ones((1, 2), "float32")).tolist()
    [[2.0, 2.0]]
    """

    kind: str
    config: dict[str, Any]
    arrays: dict[str, np.ndarray]
    width: int = 1

    def __post_init__(self) -> None:
        _load()
        if self.kind not in FUNCTIONS:
            raise CorruptArtifactError(f"There is no stage {self.kind!r}; known: {', '.join(sorted(FUNCTIONS))}.")
        if set(self.arrays) != ARRAYS[self.kind]:
            raise CorruptArtifactError(f"Stage {self.kind!r} needs the arrays {sorted(ARRAYS[self.kind])}, got {sorted(self.arrays)}.")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The stage of NumPy arrays, worked on NumPy whatever backend acts."""
        rows = max(1, CELLS // max(1, self.width))
        with core.backend.use("numpy"), np.errstate(over="ignore", invalid="ignore"):
            parts = [np.asarray(self.forward(x[i : i + rows], self.arrays)) for i in range(0, max(1, len(x)), rows)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def forward(self, x: Any, arrays: dict[str, Any]) -> Any:
        """The stage of tensors of any backend, its arrays given as tensors or variables."""
        return FUNCTIONS[self.kind](x, **arrays, **self.config)

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(array.nbytes for array in self.arrays.values())


@functools.cache
def _load() -> None:
    import auto.stages.bag
    import auto.stages.features
    import auto.stages.linear
    import auto.stages.neighbours
    import auto.stages.radial
    import auto.stages.trees  # noqa: F401 - each enters its functions
