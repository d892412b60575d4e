"""Utilities for data, files and models. Public as `core.utils`; each name is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.backend import clear_session, is_keras_tensor, standardize_dtype
    from core.base.registry import (
        CustomObjectScope,
        custom_object_scope,
        deserialize_keras_object,
        get_custom_objects,
        get_registered_name,
        get_registered_object,
        register_keras_serializable,
        serialize_keras_object,
    )
    from core.config import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
    from core.training.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
    from core.training.progress import Progbar
    from core.utils.arrays import normalize, pad_sequences, to_categorical
    from core.utils.config import Config
    from core.utils.directories import image_dataset_from_directory, text_dataset_from_directory
    from core.utils.download import get_file
    from core.utils.images import array_to_img, img_to_array, load_img, save_img
    from core.utils.seeding import seed_scope, set_random_seed
    from core.utils.splitting import split_dataset
    from core.utils.timeseries import timeseries_dataset_from_array
    from core.utils.visualization import get_source_inputs, model_to_dot, plot_model

# Public name -> the module that defines it (and its name there, where that differs).
_HOMES = {
    "Config": "core.utils.config",
    "CustomObjectScope": "core.base.registry",
    "Progbar": "core.training.progress",
    "PyDataset": "core.training.data.py_dataset",
    "Sequence": "core.training.data.py_dataset:PyDataset",
    "array_to_img": "core.utils.images",
    "clear_session": "core.backend",
    "custom_object_scope": "core.base.registry",
    "deserialize_keras_object": "core.base.registry",
    "disable_interactive_logging": "core.config",
    "enable_interactive_logging": "core.config",
    "get_custom_objects": "core.base.registry",
    "get_file": "core.utils.download",
    "get_registered_name": "core.base.registry",
    "get_registered_object": "core.base.registry",
    "get_source_inputs": "core.utils.visualization",
    "image_dataset_from_directory": "core.utils.directories",
    "img_to_array": "core.utils.images",
    "is_interactive_logging_enabled": "core.config",
    "is_keras_tensor": "core.backend",
    "load_img": "core.utils.images",
    "model_to_dot": "core.utils.visualization",
    "normalize": "core.utils.arrays",
    "pack_x_y_sample_weight": "core.training.data.source",
    "pad_sequences": "core.utils.arrays",
    "plot_model": "core.utils.visualization",
    "register_keras_serializable": "core.base.registry",
    "save_img": "core.utils.images",
    "serialize_keras_object": "core.base.registry",
    "seed_scope": "core.utils.seeding",
    "set_random_seed": "core.utils.seeding",
    "split_dataset": "core.utils.splitting",
    "standardize_dtype": "core.backend",
    "text_dataset_from_directory": "core.utils.directories",
    "timeseries_dataset_from_array": "core.utils.timeseries",
    "to_categorical": "core.utils.arrays",
    "unpack_x_y_sample_weight": "core.training.data.source",
}

__all__ = [
    "Config", "CustomObjectScope", "Progbar", "PyDataset", "Sequence", "array_to_img", "clear_session", "custom_object_scope",
    "deserialize_keras_object", "disable_interactive_logging", "enable_interactive_logging", "get_custom_objects", "get_file",
    "get_registered_name", "get_registered_object", "get_source_inputs", "image_dataset_from_directory", "img_to_array",
    "is_interactive_logging_enabled", "is_keras_tensor", "load_img", "model_to_dot", "normalize", "pack_x_y_sample_weight",
    "pad_sequences", "plot_model", "register_keras_serializable", "save_img", "seed_scope", "serialize_keras_object", "set_random_seed",
    "split_dataset", "standardize_dtype", "text_dataset_from_directory", "timeseries_dataset_from_array", "to_categorical",
    "unpack_x_y_sample_weight",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core.utils' has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    value = getattr(importlib.import_module(module), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
