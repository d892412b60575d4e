"""Tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auto.data.table import read_table, split_target
from auto.data.table_encoder import find_table_encoder
from auto.portfolio.boosting import BOOSTING
from auto.portfolio.forests import EXTRA_TREES, RANDOM_FOREST
from auto.portfolio.linear import LINEAR
from auto.portfolio.neighbours import NEIGHBOURS
from auto.portfolio.networks import PERCEPTRON
from auto.portfolio.radial import RADIAL
from auto.search.problem import Problem
from auto.stages.features import feature_views
from auto.tasks.task import Task

RECIPES = (LINEAR, EXTRA_TREES, NEIGHBOURS, RADIAL, PERCEPTRON, BOOSTING, RANDOM_FOREST)


class StructuredTask(Task):
    """Learns from tables: DataFrames, CSV paths, dicts of columns, arrays `(rows, columns)`.

    Columns are typed by their values (numeric, boolean, categorical, datetime, text; identifiers and constants are left out) unless
    `column_types` says otherwise. Missing values and categories never seen are fine in any column.
    """

    def __init__(
        self, column_names: Sequence[str] | None = None, column_types: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.column_names = None if column_names is None else list(column_names)
        self.column_types = dict(column_types or {})

    def _read(self, x: Any, y: Any) -> tuple[Any, Any, str]:
        if x is None:
            raise ValueError("x is missing; pass a DataFrame, a CSV path or an array.")
        table, y, name = split_target(read_table(x, None if self.pipeline is not None else self._names(x, y)), y)
        if len(table) == 0:
            raise ValueError("x has no rows.")
        return table, y, name

    def _names(self, x: Any, y: Any) -> list[str] | None:
        """The column names, which for a file or a frame may or may not count the target."""
        if self.column_names is None or not isinstance(y, str) or y in self.column_names:
            return self.column_names
        return None

    def _find_encoder(self, x: Any, inputs: Any, seed: int) -> Any:
        return find_table_encoder(x, inputs, self.column_types, seed)

    def _views(self, raw: np.ndarray, target: np.ndarray, seed: int) -> dict[str, Any]:
        return feature_views(raw, self.encoder.levels)

    def _recipes(self, problem: Problem, limited: bool) -> list[Any]:
        return list(RECIPES)


class StructuredDataClassifier(StructuredTask):
    """Tells classes from the columns of a table.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> y = np.where(x[:, 0] > 0, "high", "low")
    >>> model = StructuredDataClassifier(max_trials=1, seed=0).fit(x, y, verbose=0)
    >>> model.predict(x[:2]).shape, model.classes.tolist()
    ((2,), ['high', 'low'])
    """

    def __init__(
        self,
        column_names: Sequence[str] | None = None,
        column_types: Mapping[str, str] | None = None,
        num_classes: int | None = None,
        multi_label: bool = False,
        loss: Any = None,
        metrics: Any = None,
        project_name: str = "structured_data_classifier",
        max_trials: int = 100,
        directory: Any = None,
        objective: str = "val_loss",
        tuner: Any = None,
        overwrite: bool = False,
        seed: int | None = None,
        max_model_size: int | None = None,
        *,
        time_limit: float | None = None,
        metric: Any = None,
        preset: str = "balanced",
    ) -> None:
        super().__init__(
            column_names, column_types, loss=loss, metrics=metrics, project_name=project_name, max_trials=max_trials, directory=directory,
            objective=objective, tuner=tuner, overwrite=overwrite, seed=seed, max_model_size=max_model_size, time_limit=time_limit,
            metric=metric, preset=preset,
        )  # fmt: skip
        self.outputs, self.multi_label = num_classes, multi_label


class StructuredDataRegressor(StructuredTask):
    """Tells numbers from the columns of a table.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = StructuredDataRegressor(max_trials=1, seed=0).fit(x, 2 * x[:, 1] + 5, verbose=0)
    >>> bool(abs(model.predict([[0.0, 1.0, 0.0]])[0] - 7) < 0.5)
    True
    """

    regression = True

    def __init__(
        self,
        column_names: Sequence[str] | None = None,
        column_types: Mapping[str, str] | None = None,
        output_dim: int | None = None,
        loss: Any = "mean_squared_error",
        metrics: Any = None,
        project_name: str = "structured_data_regressor",
        max_trials: int = 100,
        directory: Any = None,
        objective: str = "val_loss",
        tuner: Any = None,
        overwrite: bool = False,
        seed: int | None = None,
        max_model_size: int | None = None,
        *,
        time_limit: float | None = None,
        metric: Any = None,
        preset: str = "balanced",
    ) -> None:
        super().__init__(
            column_names, column_types, loss=loss, metrics=metrics, project_name=project_name, max_trials=max_trials, directory=directory,
            objective=objective, tuner=tuner, overwrite=overwrite, seed=seed, max_model_size=max_model_size, time_limit=time_limit,
            metric=metric, preset=preset,
        )  # fmt: skip
        self.outputs = output_dim
