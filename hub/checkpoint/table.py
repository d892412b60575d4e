"""The correspondence between a file's tensors and a network's weights, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import Variable, layers, ops
from hub.layers.normalization import OffsetRMSNormalization

Part = Any  # a layer, a variable, or a tuple of dense layers that lie side by side in the file


@dataclass(frozen=True)
class Row:
    """One part of a network and its name in files, without the last piece: `("encoder.layer.0.attention.self.query", query)`.

    Attributes:
        name: the name, or for a `Variable`, and where `attribute` is given, the whole name.
        part: a layer, a `Variable`, or a tuple of `Dense` whose kernels lie side by side in one tensor.
        transposed: whether kernels of `Dense` are stored as (out, in), as PyTorch's `Linear` does; GPT-2 stores (in, out).
        optional: whether a file may lack it; the part then gets its initial value, and the loader says so.
        attribute: the one weight of the layer that is meant; all of them where it is None.
    """

    name: str
    part: Part
    transposed: bool = True
    optional: bool = False
    attribute: str | None = None


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file, and where its values belong."""

    name: str
    owners: tuple[tuple[Any, str], ...]  # (layer, attribute); several share the tensor along its last axis
    transposed: bool = False
    optional: bool = False

    @property
    def values(self) -> list[Any]:
        """The variables; with LoRA, sums with the update, which can be written but not loaded into."""
        return [layer if attribute == "" else getattr(layer, attribute) for layer, attribute in self.owners]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the file."""
        shapes = [tuple(value.shape) for value in self.values]
        shape = (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
        return shape[::-1] if self.transposed else shape

    def scatter(self, array: np.ndarray) -> Iterator[tuple[Variable, np.ndarray]]:
        """Each variable with its piece of the file's array."""
        array, at = array.T if self.transposed else array, 0
        for variable in self.values:
            size = variable.shape[-1]
            yield variable, array[..., at : at + size]
            at += size

    def gather(self) -> np.ndarray:
        """The array for the file."""
        pieces = [np.asarray(ops.convert_to_numpy(value)) for value in self.values]
        array = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)
        return array.T if self.transposed else array


# Kind of layer -> its weights as (attribute, name in files).
_WEIGHTS: dict[type, tuple[tuple[str, str], ...]] = {
    layers.LayerNormalization: (("gamma", "weight"), ("beta", "bias")),
    layers.RMSNormalization: (("scale", "weight"),),
    OffsetRMSNormalization: (("scale", "weight"),),
    layers.Embedding: (("embeddings", "weight"),),
    layers.Dense: (("kernel", "weight"), ("bias", "bias")),
}


def tensors(rows: Iterable[Row]) -> list[Tensor]:
    """All tensors of the rows, in their order.

    >>> dense = core.layers.Dense(3)
    >>> dense.build((None, 2))
    >>> [(t.name, t.shape) for t in tensors([Row("pooler.dense", dense)])]
    [('pooler.dense.weight', (3, 2)), ('pooler.dense.bias', (3,))]
    """
    return [tensor for row in rows for tensor in _tensors(row)]


def _tensors(row: Row) -> Iterator[Tensor]:
    parts = row.part if isinstance(row.part, tuple) else (row.part,)
    if isinstance(parts[0], Variable):
        yield Tensor(row.name, tuple((part, "") for part in parts), optional=row.optional)
        return
    if row.attribute is not None:
        yield Tensor(row.name, tuple((part, row.attribute) for part in parts), row.transposed, row.optional)
        return
    kind = next(kind for kind in _WEIGHTS if isinstance(parts[0], kind))
    for attribute, name in _WEIGHTS[kind]:
        if getattr(parts[0], attribute, None) is not None:
            turned = row.transposed and attribute == "kernel"
            yield Tensor(f"{row.name}.{name}", tuple((part, attribute) for part in parts), turned, row.optional)
