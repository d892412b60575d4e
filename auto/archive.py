"""One file that holds a fitted task: JSON, arrays as safetensors, networks as `.keras` archives; no code, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import tempfile
import zipfile
import zlib
from typing import Any

import numpy as np

import core
from auto.data.images import ImageEncoder
from auto.data.table_encoder import TableEncoder
from auto.data.targets import Target
from auto.data.terms import Vocabulary
from auto.pipeline import Member, Pipeline
from auto.portfolio.networks import Network
from auto.search.metrics import METRICS, Metric
from auto.search.run import Candidate
from auto.stages import Stage
from core.saving import ConfigError, CorruptArtifactError, ResourceLimitError, UnsafeArtifactError

FORMAT = "hornbeam-auto"
VERSION = 1
ENCODERS: dict[str, Any] = {"table": TableEncoder, "images": ImageEncoder, "texts": Vocabulary}
TASKS = ("StructuredDataClassifier", "StructuredDataRegressor", "TextClassifier", "TextRegressor", "ImageClassifier", "ImageRegressor")
MAX_BYTES = 8 << 30  # of all members together
MAX_JSON = 256 << 20
RECORDS = ("name", "recipe", "view", "status", "message", "score", "loss", "fit_time", "predict_time", "size", "weight")


# What zipfile and json raise on damaged bytes; JSONDecodeError and UnicodeDecodeError are ValueErrors, as our own errors are.
DAMAGE = (zipfile.BadZipFile, zlib.error, KeyError, TypeError, EOFError, OSError, NotImplementedError, json.JSONDecodeError, UnicodeError)


def save(task: Any, path: Any) -> None:
    """Writes a fitted task to one file; the file appears whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    networks: dict[str, bytes] = {}

    def stage(key: str, stage: Stage) -> dict[str, Any]:
        arrays.update({f"{key}/{name}": np.ascontiguousarray(array) for name, array in stage.arrays.items()})
        return {"kind": stage.kind, "config": stage.config, "arrays": sorted(stage.arrays), "width": stage.width}

    def model(key: str, model: Any) -> dict[str, Any]:
        if isinstance(model, Stage):
            return {"stage": stage(key, model)}
        networks[f"{key}.keras"] = _network_bytes(model.model)
        return {"network": f"{key}.keras", "kind": model.kind}

    metric: Metric = task.metric
    stages = task.encoder.stages() if isinstance(task.encoder, TableEncoder) else {}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "task": type(task).__name__,
        "target": task.target.config(),
        "metric": metric.name if METRICS.get(metric.name) is metric else None,
        "metrics": [name for name in task.metrics if isinstance(name, str)],
        "score": _number(task.score),
        "seconds": _number(task.seconds),
        "encoder": next(name for name, kind in ENCODERS.items() if type(task.encoder) is kind),
        "encoder_config": task.encoder.config(),
        "encoder_stages": {name: stage(f"encoder/{name}", entry) for name, entry in stages.items()},
        "views": {name: stage(f"view/{name}", entry) for name, entry in task.pipeline.views.items()},
        "members": [
            {"name": member.name, "view": member.view, "weight": member.weight, "model": model(f"member/{i}", member.model)}
            for i, member in enumerate(task.pipeline.members)
        ],
        "candidates": [
            {**{name: _number(getattr(c, name)) for name in RECORDS}, "settings": dict(c.settings)} for c in task.candidates
        ],
    }  # fmt: skip
    from safetensors.numpy import save as to_bytes

    members = {"task.json": json.dumps(content, allow_nan=False).encode(), "arrays.safetensors": to_bytes(arrays), **networks}
    manifest = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()}
    path = pathlib.Path(path)
    with core.saving.replacing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("manifest.json", json.dumps(manifest))
        for name, data in members.items():
            file.writestr(name, data)


def load(path: Any, *, max_bytes: int = MAX_BYTES) -> Any:
    """The task that `save` wrote: it predicts what the saved one predicted, on any backend.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptArtifactError: it is no such file, is damaged, or does not fit together.
        ResourceLimitError: it declares more than `max_bytes` bytes.
        UnsafeArtifactError: a network in it asks for what is not registered.
    """
    members = _read(pathlib.Path(path), max_bytes)
    try:
        content = json.loads(members["task.json"])
        if content["format"] != FORMAT or content["version"] != VERSION:
            found = f"{content['format']!r} version {content['version']!r}"
            raise CorruptArtifactError(f"{str(path)!r} is {found}, not {FORMAT!r} version {VERSION}.")
        return _build(content, members)
    except (KeyError, TypeError, IndexError, AttributeError, UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise CorruptArtifactError(f"{str(path)!r} does not fit together: {type(error).__name__}: {error}") from None


def _read(path: pathlib.Path, max_bytes: int) -> dict[str, bytes]:
    """The members of the file, each of the size and digest that the manifest says."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    try:
        with zipfile.ZipFile(path) as file:
            infos = {info.filename: info for info in file.infolist()}
            if len(infos) != len(file.infolist()):
                raise CorruptArtifactError(f"{str(path)!r} holds a member twice.")
            total = sum(info.file_size for info in infos.values())
            if total > max_bytes or infos["manifest.json"].file_size > 1 << 20 or infos["task.json"].file_size > MAX_JSON:
                raise ResourceLimitError(f"{str(path)!r} declares {total} bytes, max_bytes is {max_bytes}; raise it if you trust the file.")
            manifest = json.loads(_member(file, infos["manifest.json"]))
            if set(manifest) != set(infos) - {"manifest.json"}:
                raise CorruptArtifactError(f"The members of {str(path)!r} are not those of its manifest.")
            members = {name: _member(file, infos[name]) for name in manifest}
            for name, data in members.items():
                if len(data) != manifest[name]["bytes"] or hashlib.sha256(data).hexdigest() != manifest[name]["sha256"]:
                    raise CorruptArtifactError(f"The member {name!r} of {str(path)!r} is not what the manifest says; the file was damaged.")
    except DAMAGE as error:
        raise CorruptArtifactError(f"{str(path)!r} is not a file that auto saved, or is damaged: {error}") from None
    return members


def _member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes, never more than its header declares."""
    with file.open(info) as stream:
        data = stream.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise CorruptArtifactError(f"The member {info.filename!r} holds other than the {info.file_size} bytes that it declares.")
    return data


def _build(content: dict[str, Any], members: dict[str, bytes]) -> Any:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    import auto

    try:
        arrays = from_bytes(members["arrays.safetensors"])
    except SafetensorError as error:
        raise CorruptArtifactError(f"The arrays are damaged: {error}") from None
    if content["task"] not in TASKS:
        raise UnsafeArtifactError(f"The file asks for the task {content['task']!r}; there are {', '.join(TASKS)}.")

    def stage(key: str, entry: dict[str, Any]) -> Stage:
        found = {name: arrays[f"{key}/{name}"] for name in entry["arrays"]}
        return checked(Stage(entry["kind"], entry["config"], found, int(entry["width"])))

    def model(key: str, entry: dict[str, Any]) -> Any:
        if "stage" in entry:
            return stage(key, entry["stage"])
        return Network(_network_of(members[entry["network"]]), entry["kind"])

    task = getattr(auto, content["task"])(metrics=content["metrics"])
    task.target = Target.from_config(content["target"])
    task.metric = METRICS[content["metric"]] if content["metric"] else None
    config, kind = content["encoder_config"], ENCODERS[content["encoder"]]
    stages = {name: stage(f"encoder/{name}", entry) for name, entry in content["encoder_stages"].items()}
    task.encoder = kind.from_config(config, stages) if kind is TableEncoder else kind.from_config(config)
    views = {name: stage(f"view/{name}", entry) for name, entry in content["views"].items()}
    task.pipeline = Pipeline(
        views,
        tuple(
            Member(entry["name"], entry["view"], model(f"member/{i}", entry["model"]), float(entry["weight"]))
            for i, entry in enumerate(content["members"])
        ),
    )
    task.candidates = [
        Candidate(**{**entry, **{name: float("nan") for name in ("score", "fit_time", "predict_time") if entry[name] is None},
                     "loss": float("inf") if entry["loss"] is None else entry["loss"]})
        for entry in content["candidates"]
    ]  # fmt: skip
    task.score = float("nan") if content["score"] is None else content["score"]
    task.seconds = float("nan") if content["seconds"] is None else content["seconds"]
    return task


def checked(stage: Stage) -> Stage:
    """The stage, if its indices stay inside its arrays and its walk ends; a forged file must not make a model that never answers."""
    arrays, config = stage.arrays, stage.config
    if stage.kind == "trees":
        nodes = len(arrays["feature"])
        inside = all(((arrays[name] >= 0) & (arrays[name] < nodes)).all() for name in ("left", "right", "roots"))
        same = all(len(arrays[name]) == nodes for name in ("threshold", "left", "right", "value"))
        if not inside or not same or (arrays["feature"] < 0).any() or not 0 <= int(config["depth"]) <= 10_000:
            raise CorruptArtifactError("A tree of the file points outside its nodes.")
    if stage.kind == "neighbours" and not 0 < int(config["k"]) <= len(arrays["examples"]):
        raise CorruptArtifactError(f"The file asks for {config['k']} neighbours of {len(arrays['examples'])} examples.")
    if "activation" in config and config["activation"] not in ("none", "softmax", "sigmoid"):
        raise ConfigError(f"The file asks for the activation {config['activation']!r}; there are none, softmax, sigmoid.")
    return stage


def _network_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.keras")
        bare = core.models.clone_model(model)  # without the optimizer's state, which nothing here needs
        bare.set_weights(model.get_weights())
        core.saving.save_model(bare, path)
        return pathlib.Path(path).read_bytes()


def _network_of(data: bytes) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.keras")
        pathlib.Path(path).write_bytes(data)
        return core.saving.load_model(path, compile=False)


def _number(value: Any) -> Any:
    """A value of JSON: None for numbers that are not finite."""
    if isinstance(value, (np.floating, np.integer)):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


__all__ = ["load", "save"]
