"""`AutoModel`: a task by what goes in and what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.graph.nodes import ClassificationHead, Head, ImageInput, Input, RegressionHead, StructuredDataInput, TextInput
from auto.tasks.image import ImageClassifier, ImageRegressor
from auto.tasks.structured import StructuredDataClassifier, StructuredDataRegressor
from auto.tasks.task import Task
from auto.tasks.text import TextClassifier, TextRegressor
from core.saving import ConfigError

TASKS: dict[tuple[type[Input], type[Head]], Any] = {
    (ImageInput, ClassificationHead): ImageClassifier,
    (ImageInput, RegressionHead): ImageRegressor,
    (TextInput, ClassificationHead): TextClassifier,
    (TextInput, RegressionHead): TextRegressor,
    (StructuredDataInput, ClassificationHead): StructuredDataClassifier,
    (StructuredDataInput, RegressionHead): StructuredDataRegressor,
}


class AutoModel:
    """The task of one input and one output; `fit`, `predict`, `evaluate`, `export_model` and the rest are those of the task.

    Options are those of `auto.ImageClassifier` and its siblings. Several inputs or outputs, and blocks of one's own between
    them, are not built yet: they are refused.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 2))
    >>> model = AutoModel(StructuredDataInput(), RegressionHead(), max_trials=1, seed=0)
    >>> model.fit(x, x[:, 0], verbose=0).predict(x[:3]).shape
    (3,)
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        project_name: str = "auto_model",
        max_trials: int = 100,
        directory: Any = None,
        objective: str = "val_loss",
        tuner: Any = "greedy",
        overwrite: bool = False,
        seed: int | None = None,
        max_model_size: int | None = None,
        **options: Any,
    ) -> None:
        source, head = _only(inputs, "input", Input), _only(outputs, "output", Head)
        chosen = TASKS.get((type(source), type(head)))
        if chosen is None:
            raise ConfigError(
                f"AutoModel takes one of ImageInput, TextInput, StructuredDataInput and one of ClassificationHead, RegressionHead; "
                f"got {type(source).__name__} and {type(head).__name__}."
            )
        about: dict[str, Any] = {"loss": head.loss, "metrics": head.metrics}
        if isinstance(head, ClassificationHead):
            about.update(num_classes=head.num_classes, multi_label=head.multi_label)
        elif isinstance(head, RegressionHead):
            about.update(output_dim=head.output_dim)
        if isinstance(source, StructuredDataInput):
            about.update(column_names=source.column_names, column_types=source.column_types)
        self.task: Task = chosen(
            project_name=project_name, max_trials=max_trials, directory=directory, objective=objective, tuner=tuner, overwrite=overwrite,
            seed=seed, max_model_size=max_model_size, **about, **options,
        )  # fmt: skip

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> AutoModel:
        """Tries models and keeps the ensemble of them; see the task's `fit`."""
        self.task.fit(_first(x), _first(y), **options)
        return self

    def predict(self, x: Any, **options: Any) -> np.ndarray:
        """Classes or values, in the form that y had in training."""
        return self.task.predict(_first(x), **options)

    def evaluate(self, x: Any, y: Any = None, **options: Any) -> Any:
        """`[loss, metric, ...]` on other data."""
        return self.task.evaluate(_first(x), _first(y), **options)

    def export_model(self) -> Any:
        """The ensemble with its preprocessing as one `core.Model`."""
        return self.task.export_model()

    def __getattr__(self, name: str) -> Any:
        if name == "task" or name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.task, name)


def _only(nodes: Any, what: str, kind: type) -> Any:
    found = list(nodes) if isinstance(nodes, (list, tuple)) else [nodes]
    if len(found) != 1:
        raise ConfigError(f"AutoModel takes one {what}, got {len(found)}; fit one AutoModel for each, or build a core.Model by hand.")
    if not isinstance(found[0], kind):
        raise ConfigError(f"AutoModel expected an auto.{kind.__name__} as its {what}, got {type(found[0]).__name__}.")
    return found[0]


def _first(data: Any) -> Any:
    """The data of the only node, which may come in a list of one array."""
    return data[0] if isinstance(data, (list, tuple)) and len(data) == 1 and isinstance(data[0], np.ndarray) and data[0].ndim > 0 else data
