"""Loading approximators from one `.keras` file: adapter, moments, networks, optimizer; no code, no pickle."""

from __future__ import annotations

import os
from typing import Any

import bayes.adapters
import bayes.networks
import bayes.workflows.cooling  # noqa: F401 - these imports enter their classes into the registry
import core
from bayes.approximators import Approximator


def load(filepath: str | os.PathLike, custom_objects: dict[str, Any] | None = None) -> Approximator:
    """The approximator that `approximator.save(filepath)` wrote; with the same seed it gives the same draws.

    Raises:
        ValueError: the file holds something else; see `core.saving` for damaged and unsafe files.

    >>> approximator = load("two_moons.keras")  # doctest: +SKIP
    """
    found = core.saving.load_model(filepath, custom_objects=custom_objects)
    if not isinstance(found, Approximator):
        raise ValueError(f"{os.fspath(filepath)!r} holds a {type(found).__name__}, no approximator; use core.saving.load_model.")
    return found
