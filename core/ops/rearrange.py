"""`rearrange`: splitting, reordering and merging axes, written as a pattern."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from core.base import shapes
from core.ops import rules
from core.ops.convert import shape
from core.ops.registry import op
from core.ops.shape import reshape, transpose

__all__ = ["rearrange"]


class _Pattern:
    """One side of a `rearrange` pattern: groups of names, such as `b (h w) c`; `1` is an empty group."""

    TOKEN = re.compile(r"\s*(?:(\()|(\))|(\.\.\.)|([A-Za-z_]\w*)|(1)(?!\w))")

    def __init__(self, text: str, pattern: str):
        self.groups: list[list[str] | tuple[str]] = []  # a tuple is an Ellipsis that stands alone, for axes of their own
        inside: list[str] | None = None
        place, text = 0, text.strip()
        while place < len(text):
            match = self.TOKEN.match(text, place)
            if match is None:
                raise ValueError(f"rearrange cannot read {text[place:]!r} in {pattern!r}; names, parentheses, 1 and ... are known.")
            opening, closing, dots, _, one = match.groups()
            if (opening and inside is not None) or (closing and inside is None):
                raise ValueError(f"rearrange's parentheses do not match in the pattern {pattern!r}.")
            if opening:
                inside = []
            elif closing and inside is not None:
                self.groups.append(inside)
                inside = None
            elif inside is not None:
                inside += [] if one else [match.group().strip()]
            else:
                self.groups.append([] if one else ("...",) if dots else [match.group().strip()])
            place = match.end()
        if inside is not None:
            raise ValueError(f"rearrange's parentheses do not match in the pattern {pattern!r}.")
        self.names: list[str] = [name for group in self.groups for name in group]
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"rearrange found a name twice on one side of the pattern {pattern!r}.")


@functools.lru_cache(256)
def _parse(pattern: str) -> tuple[_Pattern, _Pattern]:
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange needs a pattern 'before -> after', got {pattern!r}.")
    before, after = (_Pattern(side, pattern) for side in sides)
    if set(before.names) != set(after.names):
        odd = sorted(set(before.names) ^ set(after.names))
        raise ValueError(f"rearrange needs the same names on both sides of {pattern!r}; {odd} are on one only.")
    return before, after


def _rearrangement(shape, pattern: str, lengths: dict) -> tuple[list, list[int], list]:
    """The shape of single axes, their new order, and the final shape; dimensions may be None or tensors."""
    before, after = _parse(pattern)
    rest = len(shape) - (len(before.groups) - (("...",) in before.groups))
    if rest != 0 and (("...",) not in before.groups or rest < 0):
        raise ValueError(f"rearrange's pattern {pattern!r} names {len(before.groups)} axes, the tensor has the shape {tuple(shape)}.")
    spread = [f"...{i}" for i in range(rest)]

    def spelled(side: _Pattern) -> list[list[str]]:
        return [names for group in side.groups for names in ([[s] for s in spread] if group == ("...",) else [_unfold(group, spread)])]

    sizes: dict[str, Any] = dict(lengths)
    unknown = set(lengths) - set(before.names)
    if unknown:
        raise ValueError(f"rearrange got lengths of {sorted(unknown)}, which are not in the pattern {pattern!r}.")
    for group, dim in zip(spelled(before), shape):
        missing = [name for name in group if name not in sizes]
        known = shapes.size(tuple(sizes[name] for name in group if name in sizes))
        if len(missing) > 1:
            raise ValueError(f"rearrange cannot tell the lengths of {missing} in {pattern!r}; give all but one, as in {missing[0]}=2.")
        if missing:
            if len(group) > 1 and isinstance(dim, int) and known is not None and (known == 0 or dim % known):
                raise ValueError(f"rearrange cannot divide an axis of {dim} by {known} for {group} in {pattern!r}.")
            sizes[missing[0]] = dim if len(group) == 1 else None if dim is None else dim // known
        elif isinstance(dim, int) and dim != known:
            raise ValueError(f"rearrange expected {known} elements for {group or 1} in {pattern!r}, the axis has {dim}.")
    names = [name for group in spelled(before) for name in group]
    final = [functools.reduce(_times, (sizes[name] for name in group), 1) for group in spelled(after)]
    order = [names.index(name) for group in spelled(after) for name in group]
    return [sizes[name] for name in names], order, final


def _unfold(group: Sequence[str], spread: list[str]) -> list[str]:
    return [name for part in group for name in (spread if part == "..." else [part])]


def _times(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a * b


def _rearrange(tensor, pattern, **axes_lengths):
    return rules.shaped(tensor, tuple(_rearrangement(tensor.shape, pattern, axes_lengths)[2]))


@op("tensor", rule=_rearrange)
def rearrange(tensor, pattern, **axes_lengths):
    """`tensor` with its axes split, reordered and merged as `pattern` says, in the notation of einops (Rogozhnikov, 2022).

    Names in parentheses share one axis; lengths that do not follow from the shape are keywords; `...` is any axes, `1` an axis of
    size 1. Raises ValueError where pattern and shape do not fit.

    >>> import numpy as np
    >>> tuple(rearrange(np.ones((2, 6, 4)), "b (h w) c -> b c h w", h=2).shape)
    (2, 4, 2, 3)
    """
    single, order, final = _rearrangement(shape(tensor), pattern, axes_lengths)
    return reshape(transpose(reshape(tensor, single), order), final)
