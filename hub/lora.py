"""Low-rank adaptation of a pretrained network: its weights stay, thin matrices beside some of them train. Hu et al., 2021."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import core
from core import ops
from core.saving import ConfigError, CorruptArtifactError, UnsafeArtifactError, WeightMismatchError

_FACTOR = re.compile(r"(?P<layer>.+)/(?P<factor>lora_\w+_[ab])")
_ENDINGS = (".lora.h5", ".safetensors")
_MOST_RANK = 65536


class LowRankAdaptable:
    """A mixin for networks: `enable_lora`, and files with what it trained alone."""

    trainable: bool
    weights: list

    @classmethod
    def default_lora_layer_names(cls) -> list[str]:
        """The names of the layers that `enable_lora` adapts unless told otherwise: those that make queries and values."""
        return ["query", "value"]

    def enable_lora(self, rank: int, target_layer_names: str | Sequence[str] | None = None, *, alpha: float | None = None) -> None:
        """Freezes all weights and adds trainable factors of rank `rank` to some layers; see `enable_lora`.

        >>> backbone = hub.models.LlamaBackbone(99, 1, 4, 16, 32, 2)
        >>> backbone.enable_lora(2)
        >>> len(backbone.trainable_weights)  # two factors for query and value each
        4
        """
        names = self.default_lora_layer_names() if target_layer_names is None else target_layer_names
        enable_lora(self, rank, names, alpha=alpha)

    def save_lora_weights(self, filepath: str | os.PathLike) -> None:
        """Writes the factors alone to a `.lora.h5` or a `.safetensors` file; see `save_lora_weights`."""
        save_lora_weights(self, filepath)

    def load_lora_weights(self, filepath: str | os.PathLike) -> None:
        """Reads what `save_lora_weights` wrote; see `load_lora_weights`."""
        load_lora_weights(self, filepath)

    def merge_lora(self) -> None:
        """Adds the factors' product to the weights beside them, and starts the factors anew from zero; see `merge_lora`."""
        merge_lora(self)


def enable_lora(network: Any, rank: int, target_names: str | Sequence[str], *, alpha: float | None = None) -> None:
    """Freezes a network, and adds the factors of a low-rank update, zero at first, to some of its layers.

    Args:
        network: a built model or layer.
        rank: of the updates.
        target_names: names, ends of paths (`"attention/query"`), or regular expressions that a name or a path matches in whole.
        alpha: an update counts `alpha / rank`; `rank` where it is None.

    Raises:
        ConfigError: a name that no layer has; a layer that cannot be adapted; LoRA is enabled already. Nothing has changed then.
    """
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ConfigError(f"rank must be a positive integer, got {rank!r}.")
    wanted = [target_names] if isinstance(target_names, str) else list(target_names)
    layers = {path: layer for path, layer in network.named_layers().items() if hasattr(layer, "enable_lora")}
    if any(layer.lora_enabled for layer in layers.values()):
        raise ConfigError("LoRA is enabled already; merge_lora adds what was learned to the weights.")
    chosen: dict[str, Any] = {}
    for name in wanted:
        chosen.update({path: layer for path, layer in layers.items() if _matches(name, path, layer.name)})
    if not chosen:
        known = sorted({layer.name for layer in layers.values()})
        raise ConfigError(f"No layer that can be adapted is named {' or '.join(map(repr, wanted))}; there are {', '.join(known)}.")
    for weight in network.weights:
        weight.trainable = False
    for layer in chosen.values():
        layer.enable_lora(rank, **({} if alpha is None else {"lora_alpha": alpha}))


def save_lora_weights(network: Any, filepath: str | os.PathLike) -> None:
    """Writes the factors of a network's low-rank updates to a file, atomically.

    Args:
        filepath: ends in `.lora.h5` or `.safetensors`.

    Raises:
        ConfigError: another ending, or a network without LoRA.
    """
    path, factors = _path(filepath), _factors(network)
    if not factors:
        raise ConfigError("The network has no LoRA weights to save; call enable_lora first.")
    layer = next(iter(_adapted(network).values()))
    facts = {"rank": layer.lora_rank, "alpha": float(layer.lora_alpha)}
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in factors.items()}
    with core.saving.replacing(path) as temporary:
        if path.name.endswith(".h5"):
            import h5py

            with h5py.File(temporary, "w") as file:
                group = file.create_group("lora")
                group.attrs.update(facts)
                for name, array in arrays.items():
                    group.create_dataset(name, data=array)
        else:
            from hub.checkpoint import write_safetensors

            entries = [(name, array.shape, array.dtype, _constant(array)) for name, array in arrays.items()]
            write_safetensors(temporary, entries, {key: str(value) for key, value in facts.items()})


def load_lora_weights(network: Any, filepath: str | os.PathLike) -> None:
    """Puts the factors of a file into a network of the same architecture; where it has no LoRA yet, the file says which layers get it.

    Raises:
        CorruptArtifactError: the file is no such file.
        WeightMismatchError: factors that are missing, not expected, or of another shape; all are listed, and nothing has changed.
    """
    path = _path(filepath)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}.")
    facts, arrays = _read(path)
    rank, alpha = facts
    layers, wrong = network.named_layers(), []
    found = {name: _FACTOR.fullmatch(name) for name in arrays}
    known = _factors(network)
    wrong += [f"{name} is missing" for name in known if name not in arrays]
    for name, match in found.items():
        layer = layers.get(match["layer"]) if match else None
        if layer is None or not hasattr(layer, "enable_lora") or (known and name not in known):
            wrong.append(f"{name} is not expected")
            continue
        weight = getattr(layer, layer.adapted)
        needed = {"a": (*weight.shape[:-1], rank), "b": (rank, weight.shape[-1])}[name[-1]]
        if known:
            needed = tuple(known[name].shape)
        if tuple(needed) != arrays[name].shape:
            wrong.append(f"{name} has the shape {arrays[name].shape}, the network needs {tuple(needed)}")
    if wrong or not arrays:
        raise WeightMismatchError(f"{path.name} does not fit the network: {'; '.join(wrong) or 'it holds no factors'}.")
    if not known:
        enable_lora(network, rank, [re.escape(match["layer"]) for match in found.values() if match], alpha=alpha)
        known = _factors(network)
        absent = known.keys() - arrays.keys()
        if absent:
            raise WeightMismatchError(f"{path.name} lacks {', '.join(sorted(absent))}.")
    for name, variable in known.items():
        variable.assign(arrays[name])
    for layer in _adapted(network).values():
        layer.lora_alpha = alpha


def merge_lora(network: Any) -> None:
    """Adds each low-rank update to its weight: outputs stay, and files of the network hold what was learned. The updates start anew."""
    for layer in _adapted(network).values():
        layer.merge_lora()


def _adapted(network: Any) -> dict[str, Any]:
    """The layers with a low-rank update, by path."""
    return {path: layer for path, layer in network.named_layers().items() if getattr(layer, "lora_enabled", False)}


def _factors(network: Any) -> dict[str, Any]:
    """The factors by path and name."""
    return {f"{path}/{name}": factor for path, layer in _adapted(network).items() for name, factor in layer.lora_factors.items()}


def _matches(wanted: str, path: str, name: str) -> bool:
    if wanted == name or path == wanted or path.endswith("/" + wanted):
        return True
    try:
        return bool(re.fullmatch(wanted, name) or re.fullmatch(wanted, path))
    except re.error as error:
        raise ConfigError(f"{wanted!r} is no layer's name and no regular expression: {error}.") from None


def _path(filepath: str | os.PathLike) -> pathlib.Path:
    path = pathlib.Path(filepath)
    if not path.name.endswith(_ENDINGS):
        raise ConfigError(f"LoRA weights are kept in a file that ends in {' or '.join(_ENDINGS)}, got {path.name!r}.")
    return path


def _read(path: pathlib.Path) -> tuple[tuple[int, float], dict[str, np.ndarray]]:
    """`(rank, alpha)` and the factors of a file; sizes are checked before they are read."""
    if path.name.endswith(".h5"):
        facts, arrays = _read_h5(path)
    else:
        from hub.checkpoint import SafetensorsFile

        with SafetensorsFile(path) as file:
            facts, arrays = file.metadata, {name: file.read(name) for name in file.tensors}
    try:
        rank, alpha = int(facts["rank"]), float(facts["alpha"])
    except (KeyError, ValueError, TypeError):
        raise CorruptArtifactError(f"{path.name} does not say the rank and alpha of its LoRA weights.") from None
    if not 1 <= rank <= _MOST_RANK or not np.isfinite(alpha):
        raise CorruptArtifactError(f"{path.name} gives rank {rank} and alpha {alpha} for its LoRA weights.")
    return (rank, alpha), arrays


def _read_h5(path: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    import h5py

    arrays: dict[str, np.ndarray] = {}
    try:
        with h5py.File(path, "r") as file:
            group = file.get("lora", getlink=False)
            if not isinstance(group, h5py.Group):
                raise CorruptArtifactError(f"{path.name} has no group 'lora'.")
            facts, pending = dict(group.attrs), [("", group)]
            while pending:
                prefix, inner = pending.pop()
                for name in inner:
                    link = inner.get(name, getlink=True)
                    if not isinstance(link, h5py.HardLink):
                        raise UnsafeArtifactError(f"{path.name} holds a link at {prefix + name!r}, which could lead anywhere.")
                    value = inner[name]
                    if isinstance(value, h5py.Group):
                        pending.append((f"{prefix}{name}/", value))
                    elif value.external or value.is_virtual:
                        raise UnsafeArtifactError(f"{path.name} keeps {prefix + name!r} in another file.")
                    elif value.dtype.kind != "f" or value.size * value.dtype.itemsize > path.stat().st_size * 64:
                        raise CorruptArtifactError(f"{path.name} declares {value.dtype} {value.shape} at {prefix + name!r}.")
                    else:
                        arrays[prefix + name] = value[()]
    except OSError as error:
        raise CorruptArtifactError(f"{path.name} is no HDF5 file: {str(error)[:100]}.") from None
    return facts, arrays


def _constant(array: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: array
