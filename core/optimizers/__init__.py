"""Row 5: optimizers, and how to get one by name."""

from __future__ import annotations

from typing import Any

from core.base import registry
from core.base.errors import unknown_name
from core.optimizers import schedules
from core.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam
from core.optimizers.adaptive import Adadelta, Adafactor, Adagrad, Ftrl, RMSprop
from core.optimizers.loss_scale import LossScaleOptimizer
from core.optimizers.momentum import SGD, Lion
from core.optimizers.multi import MultiOptimizer, OptimizerMap
from core.optimizers.muon import Muon
from core.optimizers.optimizer import Optimizer
from core.optimizers.schedule_free import ScheduleFreeAdamW

__all__ = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer", "MultiOptimizer", "Muon",
    "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "SGD", "ScheduleFreeAdamW", "deserialize", "get", "schedules", "serialize",
]  # fmt: skip

_CLASSES: dict[str, Any] = {
    cls.__name__.lower(): cls
    for cls in (Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, LossScaleOptimizer, MultiOptimizer, Muon, Nadam,
                RMSprop, SGD, ScheduleFreeAdamW)
}  # fmt: skip


def serialize(optimizer: Optimizer) -> dict:
    """An optimizer as a config."""
    return registry.serialize_keras_object(optimizer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Optimizer:
    """An optimizer from its config; class names of built-in ones may be in lower case."""
    known = _CLASSES.get(str(config.get("class_name", "")).lower())
    if known is not None and registry.get_registered_object(config["class_name"], custom_objects) is None:
        config = {**config, "class_name": known.__name__, "module": "keras.optimizers", "registered_name": None}
    return registry.deserialize_keras_object(config, custom_objects=custom_objects)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from an optimizer, a name in any case, or a config; None for None.

    >>> get("adam").name.startswith("adam"), get({"class_name": "SGD", "config": {"learning_rate": 0.5}}).get_config()["learning_rate"]
    (True, 0.5)
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        own = registry.get_registered_object(identifier)
        cls = own if own is not None else _CLASSES.get(identifier.lower())
        if cls is not None:
            return cls()
        raise unknown_name("optimizer", identifier, _CLASSES)
    raise ValueError(f"An optimizer is given as an Optimizer, a name or a config, got {identifier!r}.")
