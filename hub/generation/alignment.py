"""How prompts of different lengths stand in one batch: their ends in one column, so that every step writes one column."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

_ROUND = 32  # slots of a cache come in such portions


def bucket(length: int) -> int:
    """The least of 1, 8, 16, 32, 48, 64, 96, 128, 192, 256 ... that is at least `length`: few sizes, at most a third in vain when long.

    >>> [bucket(n) for n in (1, 2, 9, 33, 65, 100)]
    [1, 8, 16, 48, 96, 128]
    """
    if length <= 1:
        return 1
    size = 8
    while size < length:
        if size >= 32 and size * 3 // 2 >= length:
            return size * 3 // 2
        size *= 2
    return size


def _least_in_bucket(length: int) -> int:
    """The shortest length that falls into the bucket of `length`."""
    top = bucket(length)
    while length > 1 and bucket(length - 1) == top:
        length -= 1
    return length


@dataclasses.dataclass(frozen=True)
class Aligned:
    """Prompts whose last tokens stand in one column, `start - 1`, with free columns after it.

    Attributes:
        tokens: (batch, slots) ids; row i is `pads[i]` times padding, its prompt, then padding.
        pads: (batch,) the number of columns before each prompt.
        limits: (batch,) the column at which each row is full.
        start: the first column to be generated.
    """

    tokens: np.ndarray
    pads: np.ndarray
    limits: np.ndarray
    start: int

    @classmethod
    def of(cls, token_ids: Any, padding_mask: Any, max_length: int | None = None, bucketed: bool = True) -> Aligned:
        """Aligns prompts (batch, length); `padding_mask` tells which tokens count. `max_length` of a row is `length` by default.

        The shapes depend on the batch size, on `max_length`, and on the buckets of the longest and the shortest prompt alone, so that
        few of them are compiled. Without `bucketed` no column is wasted: the longest prompt, and so a single one, has no padding.
        """
        token_ids, padding_mask = np.asarray(token_ids), np.asarray(padding_mask).astype(bool)
        lengths = padding_mask.sum(1)
        max_length = token_ids.shape[1] if max_length is None else max_length
        if not lengths.all():
            raise ValueError(f"Prompt {int(np.argmin(lengths))} is empty; generation needs at least one token to go on from.")
        longest, shortest = int(lengths.max()), int(lengths.min())
        start = bucket(longest) if bucketed else longest
        most = start + max_length - (_least_in_bucket(shortest) if bucketed else shortest)
        slots = -(-max(most, start + 1) // _ROUND) * _ROUND
        pads = start - lengths
        tokens = np.zeros((len(token_ids), slots), "int32")
        for row, ids, kept, pad in zip(tokens, token_ids, padding_mask, pads):
            row[pad:start] = ids[kept]
        return cls(tokens, pads.astype("int32"), (pads + max_length).astype("int32"), start)

    def restore(self, tokens: Any, stop_token_ids: Any, length: int, pad_id: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Generated tokens (batch, slots) as `(token_ids, padding_mask)`, both (batch, length), prompts first, padding last.

        The mask is True for the prompt and the new tokens up to the first stop token, that included.
        """
        tokens = np.asarray(tokens)
        repeats = len(tokens) // len(self.pads)
        ids, mask = np.full((len(tokens), length), pad_id, "int32"), np.zeros((len(tokens), length), bool)
        for row, (pad, limit) in enumerate(zip(np.repeat(self.pads, repeats), np.repeat(self.limits, repeats))):
            stops = np.flatnonzero(np.isin(tokens[row, self.start : limit], stop_token_ids))
            end = self.start + int(stops[0]) + 1 if len(stops) else int(limit)
            ids[row, : end - pad] = tokens[row, pad:end]
            mask[row, : end - pad] = True
        return ids, mask
