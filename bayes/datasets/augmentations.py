"""Augmentations: functions that change batches of simulations in training, before the adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Augmentations = Callable | Mapping[str, Callable] | Sequence[Callable] | None


def augmented(data: dict[str, Any], augmentations: Augmentations) -> dict[str, Any]:
    """The data after a function of the dict, functions of arrays by name, or functions of the dict in order."""
    if augmentations is None:
        return data
    if isinstance(augmentations, Mapping):
        unknown = sorted(set(augmentations) - set(data))
        if unknown:
            raise KeyError(f"Augmentations are given for {unknown}, which the data lacks; it has {sorted(data)}.")
        return {**data, **{name: fn(data[name]) for name, fn in augmentations.items()}}
    for fn in [augmentations] if callable(augmentations) else augmentations:
        data = fn(data)
    return data
