"""What a layer's `call` and `build` take, read once per class."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


class CallSpec:
    """The parameters of a `call` method.

    Attributes:
        names: positional parameters without self.
        training, mask: whether `call` takes arguments of those names.
        training_default: the default of `training`.
        masks: parameter -> the mask parameter that belongs to it (`inputs` -> `mask`, `query` -> `query_mask`).
    """

    def __init__(self, function: Callable):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        kinds = inspect.Parameter
        self.names = [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
        self.keywords = {p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY}
        self.defaults = {p.name: p.default for p in parameters if p.default is not kinds.empty}
        self.takes_any = any(p.kind is kinds.VAR_KEYWORD for p in parameters)
        everything = {*self.names, *self.keywords}
        self.training = "training" in everything
        self.training_default = self.defaults.get("training")
        self.mask = "mask" in everything
        self.masks = {name: f"{name}_mask" for name in self.names if f"{name}_mask" in everything}
        if self.names and self.mask:
            self.masks.setdefault(self.names[0], "mask")

    def arguments(self, args: tuple, kwargs: dict) -> dict[str, Any]:
        """The arguments by name; those beyond the named ones are left out."""
        return {**dict(zip(self.names, args)), **kwargs}


@functools.cache
def call_spec(function: Callable) -> CallSpec:
    """The spec of an unbound `call`."""
    return CallSpec(function)


@functools.cache
def build_parameters(function: Callable) -> tuple[tuple[str, ...], bool]:
    """The names of the parameters of an unbound `build`, and whether it takes any keyword."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)), any(
        p.kind is p.VAR_KEYWORD for p in parameters
    )
