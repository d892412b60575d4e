"""A folder of a pretrained model: its JSON files, and its weights in one safetensors file or in several."""

from __future__ import annotations

import os
import pathlib
import re
from typing import Any

import numpy as np

from core.saving import CorruptArtifactError, UnsafeArtifactError
from hub.checkpoint.safetensors_file import SafetensorsFile, TensorInfo, parse_json, read_file

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_JSON = 64_000_000
MAX_SHARDS = 1000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def member(folder: str | os.PathLike, name: str) -> pathlib.Path:
    """The real path of a file in the folder.

    Links are followed only to places in the folder, and in a cache of huggingface_hub to the `blobs` beside it.

    Raises:
        UnsafeArtifactError: a name with a path in it, or a link that leaves the folder.
        FileNotFoundError: there is no such file.
    """
    folder = pathlib.Path(folder)
    if not all(_PLAIN_NAME.fullmatch(part) for part in name.split("/")):
        raise UnsafeArtifactError(f"{name!r} is no plain file name.")
    path, root = (folder / name).resolve(), folder.resolve()
    blobs = root.parent.parent / "blobs" if root.parent.name == "snapshots" else root
    if not (path.is_relative_to(root) or path.is_relative_to(blobs)):
        raise UnsafeArtifactError(f"{name!r} is a link out of the folder {str(folder)!r}.")
    if not path.exists():
        raise FileNotFoundError(f"The folder {str(folder)!r} has no {name}.")
    return path


def has(folder: str | os.PathLike, name: str) -> bool:
    """Whether the folder has a file of that name.

    >>> has(".", "no_such_file.json")
    False
    """
    return (pathlib.Path(folder) / name).exists()


def read_json(folder: str | os.PathLike, name: str, limit: int = MAX_JSON) -> Any:
    """The content of a JSON file in the folder; duplicate keys and non-finite numbers are refused."""
    return parse_json(read_file(member(folder, name), limit), name)


class Weights:
    """The tensors of a folder, whichever files they are in. `tensors` maps names to `TensorInfo`, `read(name)` is the array.

    Raises:
        FileNotFoundError: no weights in the folder.
        UnsafeArtifactError: weights in pickle files only, or shards that are no files of the folder.
        CorruptArtifactError: files that are damaged, or an index that does not fit its shards.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder)
        self._files: dict[str, SafetensorsFile] = {}
        self._places: dict[str, SafetensorsFile] = {}
        try:
            if has(folder, WEIGHTS):
                file = self._open(WEIGHTS)
                self._places = dict.fromkeys(file.tensors, file)
            elif has(folder, INDEX):
                self._open_shards(read_json(folder, INDEX))
            else:
                self._refuse()
        except BaseException:
            self.close()
            raise

    @property
    def tensors(self) -> dict[str, TensorInfo]:
        """Every tensor's name, dtype, shape and place."""
        return {name: file.tensors[name] for name, file in self._places.items()}

    def read(self, name: str) -> np.ndarray:
        """The tensor, in its own dtype."""
        return self._places[name].read(name)

    def close(self) -> None:
        """Closes all files."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Weights:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _open(self, name: str) -> SafetensorsFile:
        if name not in self._files:
            self._files[name] = SafetensorsFile(member(self.folder, name))
        return self._files[name]

    def _open_shards(self, index: Any) -> None:
        places = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
            raise CorruptArtifactError(f"{INDEX} must hold a 'weight_map' of tensor names and file names.")
        shards = sorted(set(places.values()))
        if len(shards) > MAX_SHARDS:
            raise CorruptArtifactError(f"{INDEX} names {len(shards)} files; at most {MAX_SHARDS} are read.")
        for shard in shards:
            if "/" in shard or not shard.endswith(".safetensors"):
                raise UnsafeArtifactError(f"{INDEX} names the file {shard!r}; shards are safetensors files in the folder.")
            try:
                self._open(shard)
            except FileNotFoundError:
                raise CorruptArtifactError(f"{INDEX} names the file {shard!r}, which is not in the folder.") from None
        for shard, file in self._files.items():
            listed = {name for name, place in places.items() if place == shard}
            if wrong := sorted(listed ^ set(file.tensors)):
                raise CorruptArtifactError(f"{INDEX} and {shard} disagree about {len(wrong)} tensors: {', '.join(wrong[:10])}.")
            self._places.update(dict.fromkeys(listed, file))

    def _refuse(self) -> None:
        pickles = sorted(p.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5") for p in self.folder.glob(pattern))
        if pickles:
            raise UnsafeArtifactError(
                f"The weights of {str(self.folder)!r} are in {', '.join(pickles[:3])}. Such files can run code when they are read, so only "
                f"safetensors are: save the model again with `save_pretrained`, or use a revision that has {WEIGHTS}."
            )
        raise FileNotFoundError(f"The folder {str(self.folder)!r} has neither {WEIGHTS} nor {INDEX}.")
