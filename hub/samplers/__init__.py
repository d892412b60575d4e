"""Samplers: how generation chooses the next token. Public as `hub.samplers`."""

from __future__ import annotations

from typing import Any

import core
from hub.samplers.basic import GreedySampler, RandomSampler, TopKSampler, TopPSampler
from hub.samplers.beam import BeamSampler
from hub.samplers.contrastive import ContrastiveSampler
from hub.samplers.sampler import Sampler

_NAMES: dict[str, type[Sampler]] = {
    "beam": BeamSampler,
    "contrastive": ContrastiveSampler,
    "greedy": GreedySampler,
    "random": RandomSampler,
    "top_k": TopKSampler,
    "top_p": TopPSampler,
}


def get(identifier: Any) -> Any:
    """The sampler that `identifier` means: a sampler itself, a name ("greedy", "top_k" ...), a config; a function stays as it is.

    >>> get("greedy")  # a GreedySampler
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier not in _NAMES:
            raise ValueError(f"Unknown sampler {identifier!r}. Known: {', '.join(_NAMES)}.")
        return _NAMES[identifier]()
    if isinstance(identifier, type) or not callable(identifier):
        raise ValueError(f"A sampler is a Sampler, one of the names {', '.join(_NAMES)}, or a config; got {identifier!r}.")
    return identifier


def serialize(sampler: Sampler) -> dict[str, Any]:
    """A config of `sampler` that `deserialize` reads."""
    return core.saving.serialize_keras_object(sampler)


def deserialize(config: dict[str, Any], custom_objects: dict | None = None) -> Any:
    """The sampler of a config; classes of your own are found in `custom_objects`, or among those registered."""
    name = config.get("class_name")
    if name in _NAMES:  # short form: {"class_name": "top_k", "config": {"k": 3}}
        return _NAMES[name](**config.get("config", {}))
    return core.saving.deserialize_keras_object(config, custom_objects=custom_objects)


__all__ = [
    "BeamSampler", "ContrastiveSampler", "GreedySampler", "RandomSampler", "Sampler", "TopKSampler", "TopPSampler", "deserialize", "get",
    "serialize",
]  # fmt: skip
