"""The output shapes of a function from its inputs' shapes, by running it without values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.backend import slot
from core.backend.dimension import Dimension
from core.backend.journal import Holder, journal
from core.backend.symbolic import KerasTensor
from core.base import tree
from core.base.dtypes import numpy_dtype
from core.graph.context import abstract_call

PROBES = (2, 3)  # sizes tried for an unknown dimension: what changes between them is unknown in the result


def output_spec(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """What `function` returns, as `KerasTensor`s.

    Code made of core ops runs on the symbolic tensors themselves, and each op's rule tells the shape, unknown dimensions
    included. Code that calls a framework directly is run twice on small arrays of zeros instead.
    """
    with abstract_call():
        try:
            return tree.map_structure(_as_spec, function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - any framework error may come from a framework call on symbolic tensors
            try:
                return _by_probing(function, args, kwargs)
            except Exception:  # noqa: BLE001 - then the first error tells more
                raise error from None


def _as_spec(x: Any) -> Any:
    if isinstance(x, Dimension):
        return Dimension()  # the node that made it is inside the function
    if isinstance(x, KerasTensor) or x is None or isinstance(x, (str, bool)):
        return x
    x = x.value if isinstance(x, Holder) else x
    if hasattr(x, "shape"):
        owner = slot.owner(x)
        return KerasTensor(tuple(x.shape), owner.dtype(x) if owner else x.dtype)
    return x


def _by_probing(function: Callable, args: tuple, kwargs: dict) -> Any:
    results = []
    for probe in PROBES:

        def zeros(x: Any, probe: int = probe) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            shape = tuple(probe if d is None else d for d in x.shape)
            return slot.active().convert_to_tensor(np.zeros(shape, numpy_dtype(x.dtype)))

        with journal(dry=True) as notes:
            try:
                result = function(*tree.map_structure(zeros, args), **tree.map_structure(zeros, kwargs))
                results.append(tree.map_structure(_as_spec, result))
            finally:
                notes.take_back()

    def joined(a: Any, b: Any) -> Any:
        if not isinstance(a, KerasTensor):
            return a
        return KerasTensor(tuple(m if m == n else None for m, n in zip(a.shape, b.shape)), a.dtype)

    return tree.map_structure(joined, *results)
