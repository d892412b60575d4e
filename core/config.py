"""Process-wide settings. Public facade of `core.base.config`, the active backend and the dtype policy."""

from __future__ import annotations

from core.backend.slot import backend, set_backend
from core.base import config as _settings
from core.base.config import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from core.state.dtype_policy import dtype_policy, set_dtype_policy


def enable_flash_attention() -> None:
    """Asks for flash attention wherever a framework has it."""
    _settings.change(flash_attention=True)


def disable_flash_attention() -> None:
    """Keeps frameworks from using flash attention."""
    _settings.change(flash_attention=False)


def is_flash_attention_enabled() -> bool | None:
    """True or False as asked for; None where the framework decides."""
    return _settings.current().flash_attention


def enable_interactive_logging() -> None:
    """Progress is printed to the terminal."""
    _settings.change(interactive_logging=True)


def disable_interactive_logging() -> None:
    """Progress goes to Python's logging."""
    _settings.change(interactive_logging=False)


def is_interactive_logging_enabled() -> bool:
    """Whether progress is printed to the terminal."""
    return _settings.current().interactive_logging


def enable_traceback_filtering() -> None:
    """Kept for Keras' sake: errors here carry notes, and no frames are taken out of tracebacks."""
    _settings.change(traceback_filtering=True)


def disable_traceback_filtering() -> None:
    """See `enable_traceback_filtering`."""
    _settings.change(traceback_filtering=False)


def is_traceback_filtering_enabled() -> bool:
    """What was last asked for."""
    return _settings.current().traceback_filtering


def enable_unsafe_deserialization() -> None:
    """There is no unsafe loading here: files never carry code. Warns, so that a script that counts on it learns why."""
    import warnings

    warnings.warn(
        "core never runs code out of files; register your functions with core.saving.register_keras_serializable instead.", stacklevel=2
    )


def is_nnx_enabled() -> bool:
    """Whether variables are Flax NNX ones: never here."""
    return False


def max_epochs() -> int | None:
    """The bound on the epochs of every `fit`, None for none."""
    return _settings.current().max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Bounds the epochs of every `fit`, to try scripts out."""
    _settings.change(max_epochs=max_epochs)


def max_steps_per_epoch() -> int | None:
    """The bound on the steps of every epoch, None for none."""
    return _settings.current().max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bounds the steps of every epoch, to try scripts out."""
    _settings.change(max_steps_per_epoch=max_steps_per_epoch)


__all__ = [
    "backend", "disable_flash_attention", "disable_interactive_logging", "disable_traceback_filtering", "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging", "enable_traceback_filtering", "enable_unsafe_deserialization", "epsilon", "floatx", "image_data_format",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_nnx_enabled", "is_traceback_filtering_enabled", "max_epochs",
    "max_steps_per_epoch", "set_backend", "set_dtype_policy", "set_epsilon", "set_floatx", "set_image_data_format", "set_max_epochs",
    "set_max_steps_per_epoch",
]  # fmt: skip
