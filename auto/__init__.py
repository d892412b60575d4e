"""Hornbeam's auto: AutoML for tables, texts and images, on `core` and `tuner`.

A task is made, fitted, and asked:

>>> from sklearn.datasets import load_wine
>>> x, y = load_wine(return_X_y=True)
>>> model = StructuredDataClassifier(max_trials=1, seed=0).fit(x, y, verbose=0)
>>> model.predict(x[:3]).tolist()
[0, 0, 0]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auto.archive import load as load
    from auto.graph.auto_model import AutoModel as AutoModel
    from auto.graph.nodes import ClassificationHead as ClassificationHead
    from auto.graph.nodes import Head as Head
    from auto.graph.nodes import ImageInput as ImageInput
    from auto.graph.nodes import Input as Input
    from auto.graph.nodes import RegressionHead as RegressionHead
    from auto.graph.nodes import StructuredDataInput as StructuredDataInput
    from auto.graph.nodes import TextInput as TextInput
    from auto.pipeline import CUSTOM_OBJECTS as CUSTOM_OBJECTS
    from auto.search.metrics import Metric as Metric
    from auto.tasks.image import ImageClassifier as ImageClassifier
    from auto.tasks.image import ImageRegressor as ImageRegressor
    from auto.tasks.structured import StructuredDataClassifier as StructuredDataClassifier
    from auto.tasks.structured import StructuredDataRegressor as StructuredDataRegressor
    from auto.tasks.text import TextClassifier as TextClassifier
    from auto.tasks.text import TextRegressor as TextRegressor

HOMES = {
    "AutoModel": "auto.graph.auto_model",
    "CUSTOM_OBJECTS": "auto.pipeline",
    "ClassificationHead": "auto.graph.nodes",
    "Head": "auto.graph.nodes",
    "ImageClassifier": "auto.tasks.image",
    "ImageRegressor": "auto.tasks.image",
    "ImageInput": "auto.graph.nodes",
    "Input": "auto.graph.nodes",
    "Metric": "auto.search.metrics",
    "RegressionHead": "auto.graph.nodes",
    "StructuredDataClassifier": "auto.tasks.structured",
    "StructuredDataRegressor": "auto.tasks.structured",
    "StructuredDataInput": "auto.graph.nodes",
    "TextClassifier": "auto.tasks.text",
    "TextInput": "auto.graph.nodes",
    "TextRegressor": "auto.tasks.text",
    "load": "auto.archive",
}
__all__ = sorted(HOMES)


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module 'auto' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(importlib.import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
