"""The options of a task, checked in one place."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Any

from core.saving import ConfigError

# What a preset says: folds on small data, candidates of each recipe's portfolio, trials of the search after it.
PRESETS = {"fast": (3, 1, 0), "balanced": (5, 2, 10), "best": (8, 3, 60)}


@dataclasses.dataclass(frozen=True)
class Options:
    """Budget, metric and effort of a task; `time_limit` in seconds."""

    max_trials: int = 100
    time_limit: float | None = None
    metric: Any = None
    objective: str = "val_loss"
    preset: str = "balanced"
    seed: int | None = None
    directory: str | os.PathLike | None = None
    project_name: str = "auto"
    overwrite: bool = False
    max_model_size: int | None = None

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {self.preset!r}.")
        if not isinstance(self.max_trials, int) or self.max_trials < 1:
            raise ConfigError(f"max_trials must be a whole number from 1 on, got {self.max_trials!r}.")
        if self.time_limit is not None and not (isinstance(self.time_limit, (int, float)) and self.time_limit > 0):
            raise ConfigError(f"time_limit must be a positive number of seconds or None, got {self.time_limit!r}.")
        if self.max_model_size is not None and self.max_model_size < 1:
            raise ConfigError(f"max_model_size must be a positive number of parameters, got {self.max_model_size!r}.")

    @property
    def path(self) -> pathlib.Path | None:
        """The file that a finished fit is kept in, where a directory was given."""
        return None if self.directory is None else pathlib.Path(self.directory) / f"{self.project_name}.auto"
