"""What an `AutoModel` takes and gives: kinds of inputs, kinds of outputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, eq=False)
class Input:
    """Inputs of a kind; use `ImageInput`, `TextInput` or `StructuredDataInput`."""

    name: str | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class ImageInput(Input):
    """Images `(n, height, width)` or `(n, height, width, channels)`."""


@dataclasses.dataclass(frozen=True, eq=False)
class TextInput(Input):
    """Strings."""


@dataclasses.dataclass(frozen=True, init=False, eq=False)
class StructuredDataInput(Input):
    """Tables, with the names of their columns and the kinds of some of them."""

    column_names: Sequence[str] | None = None
    column_types: Mapping[str, str] | None = None

    def __init__(
        self, column_names: Sequence[str] | None = None, column_types: Mapping[str, str] | None = None, name: str | None = None
    ) -> None:
        object.__setattr__(self, "column_names", column_names)
        object.__setattr__(self, "column_types", column_types)
        object.__setattr__(self, "name", name)


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """An output of a kind; use `ClassificationHead` or `RegressionHead`."""

    loss: Any = None
    metrics: Any = None


@dataclasses.dataclass(frozen=True, init=False, eq=False)
class ClassificationHead(Head):
    """One class of several, or with `multi_label` several labels at a time."""

    num_classes: int | None = None
    multi_label: bool = False

    def __init__(self, num_classes: int | None = None, multi_label: bool = False, loss: Any = None, metrics: Any = None) -> None:
        for name, value in (("num_classes", num_classes), ("multi_label", multi_label), ("loss", loss), ("metrics", metrics)):
            object.__setattr__(self, name, value)


@dataclasses.dataclass(frozen=True, init=False, eq=False)
class RegressionHead(Head):
    """One number or several."""

    output_dim: int | None = None

    def __init__(self, output_dim: int | None = None, loss: Any = "mean_squared_error", metrics: Any = None) -> None:
        for name, value in (("output_dim", output_dim), ("loss", loss), ("metrics", metrics)):
            object.__setattr__(self, name, value)
