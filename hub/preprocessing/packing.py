"""Sequences of different lengths to arrays of one length: `StartEndPacker` for one sequence, `MultiSegmentPacker` for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import core
from core.saving import ConfigError


class Packer:
    """What both packers share: lengths, values and sides, checked in one place."""

    def __init__(self, sequence_length: int, pad_value: Any, padding_side: str, name: str | None, **kwargs: Any):
        kwargs.pop("dtype", None)
        kwargs.pop("trainable", None)
        if kwargs:
            raise ConfigError(f"{type(self).__name__} got unexpected arguments {sorted(kwargs)}.")
        if isinstance(sequence_length, bool) or not isinstance(sequence_length, (int, np.integer)) or sequence_length < 1:
            raise ConfigError(f"sequence_length must be a positive integer, got {sequence_length!r}.")
        if padding_side not in ("left", "right"):
            raise ConfigError(f"padding_side must be 'left' or 'right', got {padding_side!r}.")
        self.sequence_length = int(sequence_length)
        self.pad_value, self.padding_side, self.name = pad_value, padding_side, name

    def _filled(self, rows: list[list], length: int, pad: Any) -> Any:
        """The rows as one array (rows, length), padded; a list of lists where they hold strings."""
        pad = pad if pad is not None else "" if any(isinstance(value, str) for row in rows for value in row) else 0
        left = self.padding_side == "left"
        full = [[pad] * (length - len(row)) + row if left else row + [pad] * (length - len(row)) for row in rows]
        return full if isinstance(pad, str) else np.array(full, dtype="int32").reshape(len(rows), length)


class StartEndPacker(Packer):
    """Start and end values around each sequence, cut and padded to `sequence_length`.

    A sequence that is too long loses its end; the end value stays.

    Args:
        sequence_length: length of the output.
        start_value, end_value: a value or several, or None for none.
        pad_value: 0 where it is None.
        return_padding_mask: whether a call returns `(sequences, mask)`; the mask is true at values that are no padding.
        padding_side: `"right"` or `"left"`.

    >>> StartEndPacker(5, start_value=1, end_value=2)([[7, 8], [7, 8, 9, 10]])
    array([[1, 7, 8, 2, 0],
           [1, 7, 8, 9, 2]], dtype=int32)
    """

    def __init__(
        self,
        sequence_length: int,
        start_value: Any = None,
        end_value: Any = None,
        pad_value: Any = None,
        return_padding_mask: bool = False,
        name: str | None = None,
        padding_side: str = "right",
        **kwargs: Any,
    ):
        super().__init__(sequence_length, pad_value, padding_side, name, **kwargs)
        self.start_value, self.end_value = start_value, end_value
        self.return_padding_mask = bool(return_padding_mask)

    def __call__(
        self, inputs: Any, sequence_length: int | None = None, add_start_value: bool = True, add_end_value: bool = True
    ) -> Any:
        """The packed sequences, (batch, sequence_length), or (sequence_length,) for a single one."""
        length = int(sequence_length or self.sequence_length)
        rows, single = as_rows(inputs)
        start = several(self.start_value) if add_start_value else []
        end = several(self.end_value) if add_end_value else []
        packed = [(start + row)[: max(length - len(end), 0)] + end[:length] for row in rows]
        values = self._filled(packed, length, self.pad_value)
        mask = self._filled([[1] * len(row) for row in packed], length, 0).astype(bool)
        if single:
            values, mask = values[0], mask[0]
        return (values, mask) if self.return_padding_mask else values

    def get_config(self) -> dict[str, Any]:
        return {
            "sequence_length": self.sequence_length, "start_value": self.start_value, "end_value": self.end_value,
            "pad_value": self.pad_value, "return_padding_mask": self.return_padding_mask, "padding_side": self.padding_side,
            "name": self.name,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StartEndPacker:
        return cls(**config)


class MultiSegmentPacker(Packer):
    """Several sequences in one, as BERT takes them: `start a sep b end`, with the number of each value's sequence.

    Args:
        sequence_length: length of the output.
        start_value, end_value: a value or several; at the start and the end of the whole.
        sep_value: between two sequences; `end_value` where it is None.
        pad_value: 0 where it is None.
        truncate: how what is too long is cut: `"round_robin"` takes a value of each sequence in turn until the length is full,
            `"waterfall"` takes all of the first sequence, then of the second.
        padding_side: `"right"` or `"left"`.

    A call returns `(values, segment_ids)`. Separators count to the sequence before them, padding has the segment 0.

    >>> MultiSegmentPacker(8, start_value=101, end_value=102)(([1, 2, 3, 4, 5, 6], [11, 12, 13]))
    (array([101,   1,   2,   3, 102,  11,  12, 102], dtype=int32), array([0, 0, 0, 0, 0, 1, 1, 1], dtype=int32))
    """

    def __init__(
        self,
        sequence_length: int,
        start_value: Any,
        end_value: Any,
        sep_value: Any = None,
        pad_value: Any = None,
        truncate: str = "round_robin",
        padding_side: str = "right",
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(sequence_length, pad_value, padding_side, name, **kwargs)
        if truncate not in ("round_robin", "waterfall"):
            raise ConfigError(f"Only 'round_robin' and 'waterfall' are ways to truncate. Received {truncate!r}.")
        self.start_value, self.end_value, self.sep_value, self.truncate = start_value, end_value, sep_value, truncate

    def __call__(
        self, inputs: Any, sequence_length: int | None = None, add_start_value: bool = True, add_end_value: bool = True
    ) -> tuple[Any, Any]:
        """The packed sequences and their segments, (batch, sequence_length) both, or (sequence_length,) for single ones."""
        return self.pack(inputs, sequence_length, add_start_value, add_end_value)[:2]

    def pack(
        self, inputs: Any, sequence_length: int | None = None, add_start_value: bool = True, add_end_value: bool = True
    ) -> tuple[Any, Any, np.ndarray]:
        """As a call, and a mask that is true at values that are no padding."""
        length = int(sequence_length or self.sequence_length)
        segments = list(inputs) if isinstance(inputs, tuple) else [inputs]
        rows_of, singles = zip(*(as_rows(segment) for segment in segments))
        counts = {len(rows) for rows in rows_of}
        if len(counts) > 1 or len(set(singles)) > 1:
            raise ConfigError(f"The sequences of a tuple must have equally many rows, and have {', '.join(map(str, sorted(counts)))}.")
        start = several(self.start_value) if add_start_value else []
        end = several(self.end_value) if add_end_value else []
        sep = several(self.sep_value if self.sep_value is not None else self.end_value)
        room = length - len(start) - len(end) - len(sep) * (len(segments) - 1)
        values, numbers = [], []
        for parts in zip(*rows_of):
            row, number = list(start), [0] * len(start)
            for i, part in enumerate(self._truncated(parts, max(room, 0))):
                tail = end if i == len(parts) - 1 else sep
                row += part + tail
                number += [i] * (len(part) + len(tail))
            values.append(row[:length])
            numbers.append(number[:length])
        packed, segment_ids = self._filled(values, length, self.pad_value), self._filled(numbers, length, 0)
        mask = self._filled([[1] * len(row) for row in values], length, 0).astype(bool)
        return (packed[0], segment_ids[0], mask[0]) if singles[0] else (packed, segment_ids, mask)

    def _truncated(self, parts: Sequence[list], room: int) -> list[list]:
        lengths = [len(part) for part in parts]
        kept = [0] * len(parts)
        if self.truncate == "waterfall":
            for i, length in enumerate(lengths):
                kept[i] = min(length, room - sum(kept))
        else:
            while room > 0 and (waiting := [i for i, length in enumerate(lengths) if kept[i] < length]):
                share = max(1, min(room // len(waiting), min(lengths[i] - kept[i] for i in waiting)))
                for i in waiting[:room]:
                    kept[i] += share
                    room -= share
        return [part[:count] for part, count in zip(parts, kept)]

    def get_config(self) -> dict[str, Any]:
        return {
            "sequence_length": self.sequence_length, "start_value": self.start_value, "end_value": self.end_value,
            "sep_value": self.sep_value, "pad_value": self.pad_value, "truncate": self.truncate, "padding_side": self.padding_side,
            "name": self.name,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MultiSegmentPacker:
        return cls(**config)


def as_rows(inputs: Any) -> tuple[list[list], bool]:
    """Rows of values, and whether a single one was given."""
    if not isinstance(inputs, (list, tuple, np.ndarray)):
        inputs = core.ops.convert_to_numpy(inputs)
    if isinstance(inputs, np.ndarray):
        inputs = inputs.tolist()
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in inputs]
    single = not rows or not isinstance(rows[0], (list, tuple))
    if single:
        return [list(rows)], True
    return [list(row) for row in rows], False


def several(value: Any) -> list:
    """A value or values as a list; None is none."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]
