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
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from core.base import registry
from core.base.errors import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError
from core.saving.atomic import replacing
from core.saving.weights import read_weights, write_weights
from core.state.variable import allocation_limit

KERAS_VERSION = "3.15.1"  # the version whose format this is
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
MAX_JSON = 256 << 20
MAX_RATIO = 200  # a deflated member may not grow by more
MAX_MEMBERS = 10_000
MAX_DEPTH = 200
SPARE_BYTES = 64 << 20  # what variables may take beyond a multiple of the weights' size: slots and layers that are built but not saved


def save_model(model: Any, filepath: str | os.PathLike, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Writes a model to a `.keras` file: layers, weights, compile arguments, optimizer.

    The file appears whole or not at all. Keras 3 reads it.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    if kwargs:
        raise TypeError(f"save_model got unexpected arguments {sorted(kwargs)}.")
    path = pathlib.Path(filepath)
    if path.suffix in (".h5", ".hdf5") and not path.name.endswith(".weights.h5"):
        raise ValueError(f"Whole models are not written to the legacy HDF5 format: save to '{path.stem}.keras' instead of {path.name!r}.")
    if path.suffix != ".keras":
        raise ValueError(
            f"A model file's name must end in '.keras', got {path.name!r}. For weights alone use save_weights('{path.stem}.weights.h5')."
        )
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
            "hornbeam": {"manifest": manifest, "execution": model.get_execution() if hasattr(model, "get_execution") else None},
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
    if path.suffix in (".h5", ".hdf5") and not path.name.endswith(".weights.h5"):
        raise ValueError(
            f"{path.name!r} is a model in the legacy HDF5 format, which is not read: load it in Keras and save it as '{path.stem}.keras'."
        )
    if not path.name.endswith(".keras"):
        raise ValueError(f"load_model reads '.keras' files, got {path.name!r}. For weights alone build the model and use load_weights.")
    with _opened(path) as archive:
        config, metadata = _read_json(archive, CONFIG), _read_json(archive, METADATA)
        compile_config = config.pop("compile_config", None)
        limit = SPARE_BYTES + 8 * archive.getinfo(WEIGHTS).file_size
        with registry.custom_object_scope(custom_objects or {}), allocation_limit(limit):
            try:
                model = registry.deserialize_keras_object(config)
                if not hasattr(model, "fit"):
                    raise UnsafeArtifactError(f"{path.name!r} holds a {type(model).__name__}, where a model was expected.")
                if compile and compile_config:
                    model.compile_from_config(compile_config)
                    _restore_execution(model, metadata)
            except RecursionError:
                raise ResourceLimitError(f"The config in {path.name!r} is nested too deeply.") from None
        with _extracted(archive, WEIGHTS) as weights:
            read_weights(model, weights, with_optimizer=bool(compile and compile_config), manifest=_manifest(metadata))
    return model


def _restore_execution(model: Any, metadata: dict) -> None:
    """What Keras' compile config cannot say: that `steps_per_execution` and `jit_compile` were left open, or were chosen."""
    ours = metadata.get("hornbeam")
    execution = ours.get("execution") if isinstance(ours, dict) else None
    if execution is None or not getattr(model, "compiled", False):
        return
    if not isinstance(execution, dict) or set(execution) != {"steps_per_execution", "jit_compile"}:
        raise CorruptArtifactError(
            f"The execution entry in metadata.json names steps_per_execution and jit_compile, got {str(execution)[:200]}."
        )
    try:
        model.set_execution(**execution)
    except ValueError as error:
        raise CorruptArtifactError(f"The execution entry in metadata.json cannot be used: {str(error)[:200]}") from None


@contextlib.contextmanager
def open_weights(path: pathlib.Path) -> Iterator[tuple[pathlib.Path, dict | None]]:
    """The weights member of a `.keras` file as a temporary file, and its manifest."""
    with _opened(path) as archive, _extracted(archive, WEIGHTS) as weights:
        yield weights, _manifest(_read_json(archive, METADATA))


def _manifest(metadata: dict) -> dict[str, dict] | None:
    """The manifest's entries by path, or None where the file has none, as Keras' have."""
    ours = metadata.get("hornbeam")
    if ours is None:
        return None
    entries = ours.get("manifest") if isinstance(ours, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and isinstance(e.get("path"), str) for e in entries):
        raise CorruptArtifactError("The manifest in metadata.json is not a list of tensors.")
    return {e["path"]: e for e in entries}


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise CorruptArtifactError(f"{str(path)!r} is not a regular file.")  # a pipe would hang
    with path.open("rb") as file:
        start = file.read(8)
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
            kinds = {
                b"\x89HDF": "an HDF5 file",
                b"\x80": "a pickle",
                b"\x7fELF": "a program",
                b"GGUF": "a GGUF file",
                b"PK": "a damaged zip file",
            }
            kind = next((name for magic, name in kinds.items() if start.startswith(magic)), "no zip file")
            raise CorruptArtifactError(f"{path.name!r} is {kind}, where a .keras file (a zip) was expected: {error}.") from None
        with archive:
            _check_members(archive, path)
            yield archive


def _check_members(archive: zipfile.ZipFile, path: pathlib.Path) -> None:
    """Refuses what a zip of ours never holds, before a byte is inflated."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise ResourceLimitError(f"{path.name!r} declares {len(members)} members; at most {MAX_MEMBERS} are read.")
    names = [m.filename for m in members]
    if len(set(names)) != len(names):
        raise CorruptArtifactError(f"{path.name!r} holds a member twice: {sorted({n for n in names if names.count(n) > 1})}.")
    for name in (CONFIG, METADATA, WEIGHTS):
        if name not in names:
            raise CorruptArtifactError(f"{path.name!r} has no {name}; it is no complete .keras file.")
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if (
            member.flag_bits & 1
            or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            or stat.S_ISLNK(member.external_attr >> 16)
        ):
            raise UnsafeArtifactError(f"{member.filename!r} in {path.name!r} is encrypted, a link, or packed in an unknown way.")
        if member.header_offset < end or (end == 0 and member.header_offset):
            raise CorruptArtifactError(f"{path.name!r} has members that overlap, or bytes before the first one ({member.filename!r}).")
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
    if end > archive.start_dir or _bytes_behind(path):
        raise CorruptArtifactError(f"{path.name!r} has members that overlap its directory, or bytes behind its end.")


def _bytes_behind(path: pathlib.Path) -> bool:
    """Whether the zip's end record is not the last thing in the file."""
    with path.open("rb") as file:
        file.seek(-22, os.SEEK_END)
        return not file.read(4) == b"PK\x05\x06"


def _check_size(info: zipfile.ZipInfo, limit: int | None) -> None:
    if limit is not None and info.file_size > limit:
        raise ResourceLimitError(f"{info.filename} declares {info.file_size} bytes; at most {limit} are read.")
    if info.file_size > 1 << 20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise ResourceLimitError(
            f"{info.filename} declares {info.file_size} bytes out of {info.compress_size}; at most {MAX_RATIO} times that are read."
        )


def _read_json(archive: zipfile.ZipFile, name: str) -> dict:
    info = archive.getinfo(name)
    _check_size(info, MAX_JSON)
    try:
        text = archive.read(info).decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique_keys)
    except _UNREADABLE as error:
        raise CorruptArtifactError(f"{name} cannot be read: {error}") from None
    except RecursionError:
        raise ResourceLimitError(f"{name} is nested too deeply to be read.") from None
    if _deeper_than(value, MAX_DEPTH):
        raise ResourceLimitError(f"{name} is nested more than {MAX_DEPTH} levels deep.")
    if not isinstance(value, dict):
        raise CorruptArtifactError(f"{name} must hold a JSON object, got {type(value).__name__}.")
    return value


_UNREADABLE = (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, ValueError, EOFError, NotImplementedError)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object holds a key twice")
    return found


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for v in level for child in (v.values() if isinstance(v, dict) else v if isinstance(v, list) else ())]
        if not level:
            return False
    return True


@contextlib.contextmanager
def _extracted(archive: zipfile.ZipFile, name: str) -> Iterator[pathlib.Path]:
    """A member as a temporary file; HDF5 needs to seek."""
    info = archive.getinfo(name)
    _check_size(info, None)
    with tempfile.TemporaryDirectory() as temporary:
        target = pathlib.Path(temporary) / "weights.h5"
        try:
            with archive.open(info) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except _UNREADABLE as error:
            raise CorruptArtifactError(f"{name} cannot be read: {error}") from None
        yield target


__all__ = ["load_model", "open_weights", "save_model"]
