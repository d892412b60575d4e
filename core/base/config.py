"""Process-wide settings: floatx, epsilon, image data format, and the few switches of `core.config`.

Read from `~/.core/core.json`, else `~/.keras/keras.json`; changed by the setters here. One of the two
homes of global state in the project (the other is `backend/slot`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from core.base.errors import ConfigError

FLOATS = ("float16", "bfloat16", "float32", "float64")
IMAGE_FORMATS = ("channels_last", "channels_first")


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings as one value; a change makes a new one, so that a `with` form can put the old one back."""

    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    flash_attention: bool | None = None  # None: the framework decides
    interactive_logging: bool = True
    traceback_filtering: bool = True
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None
    dtype_policy: Any = None  # a `DTypePolicy`; None: the one of floatx

    def __post_init__(self) -> None:
        if self.floatx not in FLOATS:
            raise ConfigError(f"floatx must be one of {FLOATS}, got {self.floatx!r}.")
        if self.image_data_format not in IMAGE_FORMATS:
            raise ConfigError(f"image_data_format must be one of {IMAGE_FORMATS}, got {self.image_data_format!r}.")
        if not isinstance(self.epsilon, (int, float)) or isinstance(self.epsilon, bool) or not self.epsilon > 0:
            raise ConfigError(f"epsilon must be a positive number, got {self.epsilon!r}.")
        for name in ("max_epochs", "max_steps_per_epoch"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigError(f"{name} must be a positive integer or None, got {value!r}.")


def read_file() -> dict:
    """The user's settings file as a dict: `~/.core/core.json`, else Keras' own, else empty."""
    home = pathlib.Path(os.environ.get("KERAS_HOME", pathlib.Path.home() / ".keras"))
    for path in (pathlib.Path.home() / ".core" / "core.json", home / "keras.json"):
        try:
            content = json.loads(path.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ConfigError(f"The settings file {path} cannot be read as JSON: {error}. Mend or remove it.") from None
        if not isinstance(content, dict):
            raise ConfigError(f"The settings file {path} must hold a JSON object, got {type(content).__name__}.")
        return content
    return {}


_file = read_file()
_settings = Settings(**{key: _file[key] for key in ("floatx", "epsilon", "image_data_format") if key in _file})


def backend_in_file() -> str | None:
    """The backend that the settings file names, or None."""
    return _file.get("backend")


def current() -> Settings:
    """The settings in force."""
    return _settings


def change(**settings) -> Settings:
    """Replaces some settings and returns the ones before."""
    global _settings
    before, _settings = _settings, dataclasses.replace(_settings, **settings)
    return before


@contextlib.contextmanager
def using(**settings) -> Iterator[None]:
    """Some settings changed inside a `with` block."""
    global _settings
    before = change(**settings)
    try:
        yield
    finally:
        _settings = before


def floatx() -> str:
    """The default float dtype as a string, for example `"float32"`."""
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Sets the default float dtype: `"float16"`, `"bfloat16"`, `"float32"` or `"float64"`."""
    change(floatx=value)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets the small number of `epsilon()`."""
    change(epsilon=value)


def image_data_format() -> str:
    """`"channels_last"` or `"channels_first"`."""
    return _settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Sets the default layout of images: `"channels_last"` or `"channels_first"`."""
    change(image_data_format=str(data_format).lower())


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` checked, the default where it is None."""
    if data_format is None:
        return _settings.image_data_format
    data_format = str(data_format).lower()
    if data_format not in IMAGE_FORMATS:
        raise ValueError(f"data_format must be one of {IMAGE_FORMATS}, got {data_format!r}.")
    return data_format
