"""Weights in HDF5, in Keras' layout: one group per layer, `vars/0`, `vars/1` in it.

A layer's group is named after the attribute that holds it, the layers of a model after their classes (`layers/dense_1`).
Reading trusts nothing: no link leaves the file, shapes are compared before a byte is read, and either all weights are
loaded or none.
"""

from __future__ import annotations

import hashlib
import math
import os
import pathlib
import warnings
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from core.base.dtypes import numpy_dtype
from core.base.errors import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError, WeightMismatchError
from core.base.names import to_snake_case
from core.layers.layer import Layer
from core.optimizers import Optimizer
from core.saving.atomic import replacing

MAX_DEPTH = 64
MAX_RATIO = 1000  # a compressed weight may not grow by more
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}  # others would be loaded as plug-ins


def layout(root: Any) -> Iterator[tuple[str, Any]]:
    """`(group, object)` of every layer and optimizer under `root`, each once, parents first."""
    seen: set[int] = set()

    def visit(obj: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
        if id(obj) in seen:
            return
        if depth > MAX_DEPTH:
            raise ValueError(f"The layers of {root.name!r} are nested more than {MAX_DEPTH} levels deep.")
        seen.add(id(obj))
        yield path, obj
        for name, value in _children(obj):
            inner = f"{path}/{name}" if path else name
            if isinstance(value, (Layer, Optimizer)):
                yield from visit(value, inner, depth + 1)
            else:
                yield from visit_container(value, inner, depth + 1)

    def visit_container(container: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
        used: dict[str, int] = {}
        members = container.values() if isinstance(container, dict) else container
        for member in members:
            if isinstance(member, (list, tuple, dict, set)):
                name = _counted("container", used)
                yield from visit_container(member, f"{path}/{name}", depth + 1)
            elif isinstance(member, (Layer, Optimizer)) and id(member) not in seen:
                yield from visit(member, f"{path}/{_counted(to_snake_case(type(member).__name__), used)}", depth + 1)

    yield from visit(root, "", 0)


def _counted(name: str, used: dict[str, int]) -> str:
    count = used.get(name)
    used[name] = 0 if count is None else count + 1
    return name if count is None else f"{name}_{count + 1}"


def _children(obj: Any) -> list[tuple[str, Any]]:
    """The attributes that hold layers, by name. A model's `layers` count as one of them."""
    found = {
        name: value for name, value in obj._named_parts() if not name.startswith("__") and name not in ("_added", "_chain", "_graph_layers")
    }
    if hasattr(obj, "layers") and isinstance(obj, Layer) and hasattr(obj, "fit"):
        found["layers"] = obj.layers
    if getattr(obj, "optimizer", None) is not None and hasattr(obj, "fit"):
        found["optimizer"] = obj.optimizer
    chosen = [
        (n, v)
        for n, v in found.items()
        if isinstance(v, (Layer, Optimizer)) or (isinstance(v, (list, tuple, dict, set)) and _holds_layers(v))
    ]
    return sorted(chosen)


def _holds_layers(container: Any) -> bool:
    members = container.values() if isinstance(container, dict) else container
    return any(isinstance(m, Layer) or (isinstance(m, (list, tuple, dict, set)) and _holds_layers(m)) for m in members)


# ------------------------------------------------------------------------------------------------ writing


class WritingStore(dict):
    """What `save_own_variables` writes into."""


def write_weights(root: Any, path: str | os.PathLike, *, with_optimizer: bool) -> list[dict]:
    """Writes all weights to an HDF5 file; returns the manifest, one entry per tensor."""
    manifest = []
    with h5py.File(path, "w") as file:
        for group_path, obj in layout(root):
            if isinstance(obj, Optimizer) and not with_optimizer:
                continue
            store = WritingStore()
            obj.save_own_variables(store)
            group = file.require_group(f"{group_path}/vars" if group_path else "vars")
            group.attrs["name"] = obj.name
            for key, value in store.items():
                array = np.asarray(value)
                dataset = _write_array(group, str(key), array)
                manifest.append(
                    {
                        "path": dataset.name.lstrip("/"),
                        "shape": list(array.shape),
                        "dtype": array.dtype.name,
                        "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest(),
                    }
                )
    return manifest


def _write_array(group: h5py.Group, key: str, array: np.ndarray) -> h5py.Dataset:
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        # HDF5 knows no such type: kept as opaque bytes with the name beside them, as Keras does.
        dataset = group.create_dataset(key, data=np.ascontiguousarray(array).reshape(array.shape).view(f"V{array.dtype.itemsize}"))
        dataset.attrs["dtype"] = array.dtype.name
        return dataset
    return group.create_dataset(key, data=array)


def save_weights(model: Any, filepath: str | os.PathLike, overwrite: bool = True, max_shard_size: float | None = None) -> None:
    """Writes a model's weights to a `.weights.h5` file, the optimizer's included, as Keras does."""
    path = pathlib.Path(filepath)
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"A weights file's name must end in '.weights.h5', got {path.name!r}.")
    if max_shard_size is not None:
        raise ValueError("Weights are written to one file here; leave max_shard_size out.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; give overwrite=True to replace it.")
    if not model.built:
        raise ValueError(f"Model {model.name!r} is not built, so it has no weights to save: call it on data, or build it, first.")
    with replacing(path) as temporary:
        write_weights(model, temporary, with_optimizer=True)


# ------------------------------------------------------------------------------------------------ reading


class ReadingStore:
    """A checked group as the dict-like object that `load_own_variables` reads. Values are read when they are asked for."""

    def __init__(self, group: h5py.Group | None):
        self.group: Any = group

    def keys(self) -> list[str]:
        return sorted(self.group.keys(), key=lambda k: (len(k), k)) if self.group is not None else []

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, key: object) -> bool:
        return self.group is not None and key in self.group

    def shape(self, key: str) -> tuple:
        return self.group[key].shape

    def kind(self, key: str) -> str:
        """`"f"`, `"i"`, `"b"` or another kind of NumPy's; widths may differ."""
        kind = self.group[key].dtype.kind
        return {"u": "i", "V": "f", "O": "S"}.get(kind, kind)

    def __getitem__(self, key: str) -> np.ndarray:
        dataset = self.group[key]
        named = dataset.attrs.get("dtype")
        if math.prod(dataset.shape) and dataset.id.get_storage_size() == 0:
            raise CorruptArtifactError(f"The weight {dataset.name!r} declares shape {dataset.shape}, but no bytes are stored for it.")
        value = dataset[()]
        return value if named is None or value.dtype.kind != "V" else value.view(numpy_dtype(str(named)))


def check_file(file: h5py.File) -> dict[str, h5py.Group]:
    """All `vars` groups by the path of their owner, after a walk that refuses links, foreign storage and strange types."""
    groups: dict[str, h5py.Group] = {}
    seen: set[Any] = set()

    def walk(group: h5py.Group, path: str, depth: int) -> None:
        if depth > 2 * MAX_DEPTH:
            raise CorruptArtifactError(f"The weights file is nested more than {2 * MAX_DEPTH} levels deep.")
        key = h5py.h5o.get_info(group.id).addr
        if key in seen:
            raise UnsafeArtifactError(f"The weights file holds a group twice, at {path!r}: its links form a cycle.")
        seen.add(key)
        for name in group:
            where = f"{path}/{name}" if path else name
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UnsafeArtifactError(
                    f"The weights file holds a {type(link).__name__} at {where!r}; weights must be stored in the file itself."
                )
            member = group[name]
            if isinstance(member, h5py.Group):
                if name == "vars":
                    groups[path] = member
                walk(member, where, depth + 1)
            elif isinstance(member, h5py.Dataset):
                _check_dataset(member, where)
            else:
                raise UnsafeArtifactError(f"The weights file holds a {type(member).__name__} at {where!r}, which is no weight.")

    walk(file, "", 0)
    return groups


def _check_dataset(dataset: h5py.Dataset, where: str) -> None:
    if dataset.is_virtual or dataset.external:
        kind = "virtual dataset" if dataset.is_virtual else "dataset with external storage"
        raise UnsafeArtifactError(f"The weights file holds a {kind} at {where!r}; weights must be stored in the file itself.")
    properties = dataset.id.get_create_plist()
    strange = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())} - _FILTERS
    if strange:
        raise UnsafeArtifactError(
            f"The weight {where!r} is packed with the HDF5 filters {sorted(strange)}; only gzip, shuffle and fletcher32 are read."
        )
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > (1 << 20) and stored and dataset.nbytes > MAX_RATIO * stored:
        raise ResourceLimitError(
            f"The weight {where!r} declares {dataset.nbytes} bytes out of {stored}; at most {MAX_RATIO} times as many are read."
        )
    opaque = (
        dataset.dtype.kind == "V"
        and dataset.dtype.names is None
        and dataset.attrs.get("dtype") in ("bfloat16", "float8_e4m3fn", "float8_e5m2")
    )
    if dataset.dtype.kind not in "biufSO" and not opaque or dataset.dtype.kind == "O" and h5py.check_string_dtype(dataset.dtype) is None:
        raise UnsafeArtifactError(f"The weight {where!r} has the dtype {dataset.dtype}, which no weight has.")


def read_weights(
    root: Any, path: str | os.PathLike, *, skip_mismatch: bool = False, with_optimizer: bool = True, manifest: dict[str, dict] | None = None
) -> None:
    """Loads an HDF5 file into `root`. Missing, unexpected and mismatched weights are listed in one error, and then nothing is changed.

    Args:
        skip_mismatch: load what fits, and warn of the rest.
        with_optimizer: whether the optimizer's state is loaded where the file has it.
        manifest: path -> entry with `shape`, `dtype` and `sha256`, which the file must agree with.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise CorruptArtifactError(f"{os.fspath(path)!r} cannot be read as an HDF5 file: {error}") from None
    with file:
        try:
            groups = check_file(file)
            wanted = dict(layout(root))
            if not with_optimizer or not any(p == "optimizer" or p.startswith("optimizer/") for p in groups):
                wanted = {p: o for p, o in wanted.items() if not isinstance(o, Optimizer)}
            problems, skipped = _compare(wanted, groups)
            if problems and not skip_mismatch:
                raise WeightMismatchError(f"The weights do not fit {root.name!r}; nothing was loaded.\n" + "\n".join(problems))
            loads = [(obj, ReadingStore(groups.get(p))) for p, obj in wanted.items() if p not in skipped]
            loads = [(obj, store) for obj, store in loads if len(store) or _variables_of(obj)]
            _check_values(loads, manifest)
        except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:  # what h5py raises for damaged files
            raise CorruptArtifactError(f"The weights file is damaged: {error}") from error
        _assign(loads)
    if problems:
        warnings.warn(f"Some weights do not fit {root.name!r} and were skipped:\n" + "\n".join(problems), stacklevel=3)


def _check_values(loads: list[tuple[Any, ReadingStore]], manifest: dict[str, dict] | None) -> None:
    """Reads every value once, before the first is assigned, and compares it with the manifest."""
    seen = set()
    for _, store in loads:
        for key in store:
            name, value = store.group[key].name.lstrip("/"), store[key]
            seen.add(name)
            if manifest is None:
                continue
            if name not in manifest:
                raise CorruptArtifactError(f"The tensor {name!r} is not in the file's manifest.")
            if hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest() != manifest[name].get("sha256"):
                raise CorruptArtifactError(f"The tensor {name!r} is not the one that was saved: its sha256 differs from the manifest's.")


def _assign(loads: list[tuple[Any, ReadingStore]]) -> None:
    """Loads all, or puts everything back."""
    keep = any(_has_own_loader(obj) for obj, _ in loads)  # a loader of the user's may fail after others have been run
    before = [(v, np.array(v.numpy())) for obj, _ in loads for v in _variables_of(obj)] if keep else []
    try:
        for obj, store in loads:
            obj.load_own_variables(store)
    except Exception:
        for variable, value in before:
            variable.assign(value)
        raise


def _variables_of(obj: Any) -> list:
    """The variables that a file holds as `"0"`, `"1"` and so on."""
    if hasattr(obj, "_stored"):
        return obj._stored()
    return obj._own_ordered() if isinstance(obj, Layer) else list(obj.variables)


def _kind(dtype: str) -> str:
    return "S" if dtype == "string" else "b" if dtype == "bool" else "i" if "int" in dtype else "c" if "complex" in dtype else "f"


def _has_own_loader(obj: Any) -> bool:
    return isinstance(obj, Layer) and type(obj).load_own_variables is not Layer.load_own_variables and not hasattr(obj, "_stored")


def _compare(wanted: dict[str, Any], groups: dict[str, h5py.Group]) -> tuple[list[str], set[str]]:
    """What does not fit, in words, and the groups concerned."""
    problems, bad = [], set()
    for path, obj in wanted.items():
        store = ReadingStore(groups.get(path))
        own = _variables_of(obj)
        if _has_own_loader(obj):
            continue
        if isinstance(obj, Layer) and not obj.built and len(store) and not own:
            problems.append(f"  not built: {obj.name!r} has no variables yet, the file holds {len(store)}; call the model on data first.")
            bad.add(path)
            continue
        for i, variable in enumerate(own):
            if str(i) not in store:
                problems.append(f"  missing: {variable.path!r} {variable.shape} (the file has no {path}/vars/{i})")
                bad.add(path)
            elif tuple(store.shape(str(i))) != variable.shape:
                problems.append(f"  mismatched: {variable.path!r} expected {variable.shape}, the file holds {tuple(store.shape(str(i)))}")
                bad.add(path)
            elif store.kind(str(i)) != _kind(variable.dtype):
                problems.append(f"  mismatched: {variable.path!r} expected {variable.dtype}, the file holds {store.group[str(i)].dtype}")
                bad.add(path)
        for key in store:
            if not key.isdigit() or int(key) >= len(own):
                problems.append(f"  unexpected: {path}/vars/{key} in the file belongs to no variable of {obj.name!r}")
                bad.add(path)
    for path, group in groups.items():
        if path not in wanted and len(group) and path.partition("/")[0] != "optimizer":  # whether that is loaded is the caller's choice
            problems.append(f"  unexpected: the file holds {len(group)} weights at {path or 'the top'!r}, where the model has nothing")
            bad.add(path)
    return problems, bad


def load_weights(model: Any, filepath: str | os.PathLike, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Loads a `.weights.h5` file, or the weights of a `.keras` file, into a built model."""
    objects_to_skip = kwargs.pop("objects_to_skip", None)
    if kwargs or objects_to_skip:
        raise TypeError(f"load_weights got unexpected arguments {sorted(kwargs) or 'objects_to_skip'}.")
    path = pathlib.Path(filepath)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    if path.name.endswith(".keras"):
        from core.saving.archive import open_weights

        with open_weights(path) as (weights, manifest):
            read_weights(model, weights, skip_mismatch=skip_mismatch, manifest=manifest)
        return
    if not path.is_file():
        raise CorruptArtifactError(f"{str(path)!r} is not a regular file.")  # a pipe would hang
    if not path.name.endswith(".weights.h5"):
        raise ValueError(f"load_weights reads '.weights.h5' and '.keras' files, got {path.name!r}.")
    read_weights(model, path, skip_mismatch=skip_mismatch)
