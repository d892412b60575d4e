"""Masks of tensors in eager code: a side table, since frameworks' tensors take no attributes of ours.

A mask is a bool tensor `(batch, time)` that says which steps of its tensor count. An entry lives as long as its tensor.
Compiled plans carry masks as values and never look here.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

_masks: dict[int, tuple[weakref.ref, Any]] = {}


def set_mask(x: Any, mask: Any) -> None:
    """Attaches a mask to a tensor; None takes it away."""
    key = id(x)
    if mask is None:
        _masks.pop(key, None)
        return
    _masks[key] = (weakref.ref(x, lambda _: _masks.pop(key, None)), mask)


def get_mask(x: Any) -> Any:
    """The mask of a tensor, or None."""
    if not _masks:
        return None
    entry = _masks.get(id(x))
    return entry[1] if entry is not None and entry[0]() is x else None


def any_masks() -> bool:
    """Whether any tensor has a mask at the moment."""
    return bool(_masks)


@contextlib.contextmanager
def traced_masks() -> Iterator[None]:
    """Forgets, at its end, the masks set inside: symbolic tensors of a trace may live as long as what was compiled."""
    before = set(_masks)
    try:
        yield
    finally:
        for key in [key for key in _masks if key not in before]:
            _masks.pop(key, None)
