"""Images."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.data.images import ImageEncoder, as_images
from auto.portfolio.forests import EXTRA_TREES
from auto.portfolio.linear import LINEAR
from auto.portfolio.neighbours import NEIGHBOURS
from auto.portfolio.networks import CONVNET, PERCEPTRON
from auto.portfolio.radial import RADIAL
from auto.search.problem import Problem
from auto.stages.features import feature_views, image_stage
from auto.tasks.task import Task

SMALL = 1024  # numbers in an image up to which models of tables are worth trying on its pixels


class ImageTask(Task):
    """Learns from images of one shape, `(n, height, width)` or `(n, height, width, channels)`; any range of pixels."""

    encoder: ImageEncoder

    def _find_encoder(self, x: Any, inputs: Any, seed: int) -> ImageEncoder:
        if inputs is None:
            raise ValueError("x is missing; pass images of shape (n, height, width, channels).")
        images = as_images(inputs)
        if len(images) == 0:
            raise ValueError("x holds no images.")
        return ImageEncoder((images.shape[1], images.shape[2], images.shape[3]))

    def _views(self, raw: np.ndarray, target: np.ndarray, seed: int) -> dict[str, Any]:
        views = feature_views(raw, [0] * raw.shape[1]) if raw.shape[1] <= SMALL else {}
        return {**views, "image": image_stage(raw, self.encoder.shape)}

    def _recipes(self, problem: Problem, limited: bool) -> list[Any]:
        """The convolutional network first; on small images also models of pixels, and they before it where time is short."""
        if problem.raw.shape[1] > SMALL:
            return [CONVNET]
        cheap = [LINEAR, NEIGHBOURS, EXTRA_TREES, RADIAL, PERCEPTRON]
        return [LINEAR, CONVNET, *cheap[1:]] if limited else [CONVNET, *cheap]

    def _marks(self) -> dict[str, Any]:
        return {"shape": self.encoder.shape}

    def _folds(self, rows: int, count: int) -> int:
        return 1 if rows > 10_000 else min(3, count)

    def _export_shape(self) -> tuple[tuple[int, ...], str]:
        return self.encoder.shape, "float32"


class ImageClassifier(ImageTask):
    """Tells classes of images apart.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(60, 4, 4))
    >>> y = (x[:, 0].mean(axis=1) > 0).astype(int)
    >>> model = ImageClassifier(max_trials=1, seed=0, time_limit=2).fit(x, y, verbose=0)
    >>> model.predict_proba(x[:3]).shape
    (3, 2)
    """

    def __init__(
        self,
        num_classes: int | None = None,
        multi_label: bool = False,
        loss: Any = None,
        metrics: Any = None,
        project_name: str = "image_classifier",
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


class ImageRegressor(ImageTask):
    """Tells numbers from images.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(60, 4, 4))
    >>> model = ImageRegressor(max_trials=1, seed=0, time_limit=2).fit(x, x.mean(axis=(1, 2)), verbose=0)
    >>> model.predict(x[:3]).shape
    (3,)
    """

    regression = True

    def __init__(
        self,
        output_dim: int | None = None,
        loss: Any = "mean_squared_error",
        metrics: Any = None,
        project_name: str = "image_regressor",
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
