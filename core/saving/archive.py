"""The `.keras` file: a zip of metadata.json, config.json and model.weights.h5, as Keras 3 writes it.

The metadata adds a manifest: path, shape, dtype and sha256 of every tensor. Reading has limits before it allocates.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

from core.base import registry
from core.base.errors import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError
from core.saving.atomic import replacing
from core.saving.weights import read_weights, write_weights

KERAS_VERSION = "3.15.1"  # the version whose format this is
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MAX_JSON = 256 << 20
MAX_RATIO = 200  # a deflated member may not grow by more
MAX_MEMBERS = 10_000
MAX_DEPTH = 500


def save_model(model: Any, filepath: str | os.PathLike, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model to a `.keras` file: layers, weights, compile arguments, optimizer.

    The file appears whole or not at all. Keras 3 reads it.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    if kwargs:
        raise TypeError(f"save_model got unexpected arguments {sorted(kwargs)}.")
    path = pathlib.Path(filepath)
    if path.suffix != ".keras":
        raise ValueError(f"A model file's name must end in '.keras', got {path.name!r}. For weights alone use save_weights('{path.stem}.weights.h5').")
    if zipped is False:
        raise ValueError("A .keras file is one zip file here; leave `zipped` out.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; give overwrite=True to replace it.")
    config = registry.serialize_keras_object(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    text = json.dumps(config, allow_nan=True)
    with replacing(path) as temporary, tempfile.TemporaryDirectory(dir=path.parent) as folder:
        weights = pathlib.Path(folder) / WEIGHTS
        manifest = write_weights(model, weights, with_optimizer=include_optimizer)
        metadata = {
            "keras_version": KERAS_VERSION,
            "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
            "hornbeam": {"manifest": manifest},
        }
        with zipfile.ZipFile(temporary, "w") as archive:
            archive.writestr(METADATA, json.dumps(metadata))
            archive.writestr(CONFIG, text)
            archive.write(weights, WEIGHTS)


def load_model(filepath: str | os.PathLike, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """The model that a `.keras` file holds, from us or from Keras 3.

    Args:
        custom_objects: name -> class or function, for what is not registered with `register_keras_serializable`.
        compile: whether the model is compiled as it was saved, optimizer state included.
        safe_mode: kept for Keras' sake: code in files is never run, whatever it says.

    Raises:
        UnsafeArtifactError, CorruptArtifactError, WeightMismatchError, ConfigError, ResourceLimitError: see `core.base.errors`.
    """
    path = pathlib.Path(filepath)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if not path.name.endswith(".keras"):
        raise ValueError(f"load_model reads '.keras' files, got {path.name!r}. For weights alone build the model and use load_weights.")
    with _opened(path) as archive:
        config = _read_json(archive, CONFIG)
        metadata = _read_json(archive, METADATA)
        if not isinstance(config, dict) or not isinstance(metadata, dict):
            raise CorruptArtifactError(f"{CONFIG} and {METADATA} in {path.name!r} must hold JSON objects.")
        compile_config = config.pop("compile_config", None)
        with registry.custom_object_scope(custom_objects or {}):
            model = registry.deserialize_keras_object(config)
            if not hasattr(model, "fit"):
                raise UnsafeArtifactError(f"{path.name!r} holds a {type(model).__name__}, where a model was expected.")
            if compile and compile_config:
                model.compile_from_config(compile_config)
        with _extracted(archive, WEIGHTS, path.parent) as weights:
            read_weights(model, weights, with_optimizer=bool(compile and compile_config))
    return model


@contextlib.contextmanager
def open_weights(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """The weights member of a `.keras` file as a temporary file."""
    with _opened(path) as archive, _extracted(archive, WEIGHTS, None) as weights:
        yield weights


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        with path.open("rb") as file:
            start = file.read(8)
        kinds = {b"\x89HDF": "an HDF5 file", b"\x80": "a pickle", b"\x7fELF": "a program", b"GGUF": "a GGUF file"}
        kind = next((name for magic, name in kinds.items() if start.startswith(magic)), "no zip file")
        raise CorruptArtifactError(f"{path.name!r} is {kind}, where a .keras file (a zip) was expected.") from None
    with archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ResourceLimitError(f"{path.name!r} declares {len(members)} members; at most {MAX_MEMBERS} are read.")
        names = [m.filename for m in members]
        if len(set(names)) != len(names):
            raise CorruptArtifactError(f"{path.name!r} holds a member twice: {sorted({n for n in names if names.count(n) > 1})}.")
        for name in (CONFIG, METADATA, WEIGHTS):
            if name not in names:
                raise CorruptArtifactError(f"{path.name!r} has no {name}; it is no complete .keras file.")
        yield archive


def _check_size(info: zipfile.ZipInfo, limit: int | None) -> None:
    if limit is not None and info.file_size > limit:
        raise ResourceLimitError(f"{info.filename} declares {info.file_size} bytes; at most {limit} are read.")
    if info.file_size > 1 << 20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise ResourceLimitError(f"{info.filename} declares {info.file_size} bytes out of {info.compress_size} compressed; at most {MAX_RATIO} times are read.")


def _read_json(archive: zipfile.ZipFile, name: str) -> Any:
    info = archive.getinfo(name)
    _check_size(info, MAX_JSON)
    try:
        text = archive.read(info).decode("utf-8")
        value = json.loads(text)
    except (zipfile.BadZipFile, UnicodeDecodeError, ValueError, EOFError) as error:
        raise CorruptArtifactError(f"{name} cannot be read: {error}") from None
    except RecursionError:
        raise ResourceLimitError(f"{name} is nested too deeply to be read.") from None
    if _deeper_than(value, MAX_DEPTH):
        raise ResourceLimitError(f"{name} is nested more than {MAX_DEPTH} levels deep.")
    return value


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v if isinstance(v, list) else ())]
        if not level:
            return False
    return True


@contextlib.contextmanager
def _extracted(archive: zipfile.ZipFile, name: str, folder: pathlib.Path | None) -> Iterator[pathlib.Path]:
    """A member as a temporary file; HDF5 needs to seek."""
    info = archive.getinfo(name)
    _check_size(info, None)
    with tempfile.TemporaryDirectory() as temporary:
        target = pathlib.Path(temporary) / "weights.h5"
        try:
            with archive.open(info) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except (zipfile.BadZipFile, EOFError) as error:
            raise CorruptArtifactError(f"{name} cannot be read: {error}") from None
        yield target


__all__ = ["load_model", "open_weights", "save_model"]
