"""Texts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from auto.data.columns import topic_stage
from auto.data.terms import Vocabulary, find_vocabulary
from auto.portfolio.forests import EXTRA_TREES
from auto.portfolio.linear import TERMS
from auto.portfolio.networks import PERCEPTRON, WORDNET
from auto.search.problem import Problem
from auto.stages.bag import words_stage
from auto.tasks.task import Task

TOPICS = 64  # numbers that a text is summed up in, for forests and perceptrons


class TextTask(Task):
    """Learns from texts: a list, an array or a Series of strings."""

    encoder: Vocabulary

    def _read(self, x: Any, y: Any) -> tuple[Any, Any, str]:
        return as_texts(x), y, str(getattr(y, "name", None) or "")

    def encode(self, x: Any) -> np.ndarray:
        """The ids that models see of texts, int32 `(n, words + terms)`; what an exported model takes."""
        return self._fitted()[0].encode(as_texts(x))

    def _find_encoder(self, x: Any, inputs: Any, seed: int) -> Vocabulary:
        return find_vocabulary(inputs)

    def _views(self, raw: np.ndarray, target: np.ndarray, seed: int) -> dict[str, Any]:
        count = min(TOPICS, max(1, len(raw) // 4))
        topics = topic_stage(self.encoder, raw, count, seed)
        seen = topics(raw).astype("float64")
        scale = np.where(seen.std(axis=0) > 1e-9, seen.std(axis=0), 1.0)
        arrays = {**topics.arrays, "kernel": topics.arrays["kernel"] / scale, "bias": -seen.mean(axis=0) / scale}
        dense = dataclasses.replace(topics, arrays={name: array.astype("float32") for name, array in arrays.items()})
        return {"words": words_stage(self.encoder.length), "trees": topics, "dense": dense}

    def _recipes(self, problem: Problem, limited: bool) -> list[Any]:
        return [TERMS, WORDNET, PERCEPTRON, EXTRA_TREES]

    def _marks(self) -> dict[str, Any]:
        return {"vocabulary": self.encoder}

    def _export_shape(self) -> tuple[tuple[int, ...], str]:
        return (self.encoder.length + self.encoder.capacity,), "int32"


def as_texts(x: Any) -> list[Any]:
    """A flat list of strings (None and NaN count as empty texts) from a list, an array `(n,)` or `(n, 1)`, or a Series."""
    if x is None or isinstance(x, str):
        raise ValueError("x must be a list or an array of texts" + (", got one text; put it into a list." if x is not None else "."))
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    if isinstance(x, np.ndarray):
        if x.ndim == 2 and x.shape[1] == 1:
            x = x[:, 0]
        if x.ndim != 1:
            raise ValueError(f"Texts must have shape (n,) or (n, 1), got {x.shape}.")
        x = x.tolist()
    texts = [text.decode("utf-8", "replace") if isinstance(text, bytes) else text for text in x]
    if not texts:
        raise ValueError("x holds no texts.")
    wrong = next((text for text in texts if not isinstance(text, str) and text is not None and text == text), None)
    if wrong is not None:
        raise TypeError(f"Texts must be strings, got {type(wrong).__name__} ({str(wrong)[:40]!r}).")
    return texts


class TextClassifier(TextTask):
    """Tells classes of texts apart.

    >>> texts = ["a good film", "so good", "a bad film", "bad, so bad"] * 5
    >>> model = TextClassifier(max_trials=1, seed=0).fit(texts, ["+", "+", "-", "-"] * 5, verbose=0)
    >>> model.predict(["good", "bad"]).tolist()
    ['+', '-']
    """

    def __init__(
        self,
        num_classes: int | None = None,
        multi_label: bool = False,
        loss: Any = None,
        metrics: Any = None,
        project_name: str = "text_classifier",
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
            loss=loss, metrics=metrics, project_name=project_name, max_trials=max_trials, directory=directory, objective=objective,
            tuner=tuner, overwrite=overwrite, seed=seed, max_model_size=max_model_size, time_limit=time_limit, metric=metric, preset=preset,
        )  # fmt: skip
        self.outputs, self.multi_label = num_classes, multi_label


class TextRegressor(TextTask):
    """Tells numbers from texts.

    >>> texts = ["one coin", "two coins", "three coins", "nine coins"] * 5
    >>> model = TextRegressor(max_trials=1, seed=0).fit(texts, [1, 2, 3, 9] * 5, verbose=0)
    >>> bool(model.predict(["nine coins"])[0] > model.predict(["one coin"])[0])
    True
    """

    regression = True

    def __init__(
        self,
        output_dim: int | None = None,
        loss: Any = "mean_squared_error",
        metrics: Any = None,
        project_name: str = "text_regressor",
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
            loss=loss, metrics=metrics, project_name=project_name, max_trials=max_trials, directory=directory, objective=objective,
            tuner=tuner, overwrite=overwrite, seed=seed, max_model_size=max_model_size, time_limit=time_limit, metric=metric, preset=preset,
        )  # fmt: skip
        self.outputs = output_dim
