"""NumPy helpers for preparing data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.backend import slot
from core.training.data.source import host_array


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows of class indices: shape `x.shape + (num_classes,)`; a last axis of 1 is dropped first.

    Args:
        x: integers; -1 counts from the end, as in NumPy. A tensor gives a tensor of its framework, everything else a float64 array.
        num_classes: the largest index plus one where it is None.

    Raises:
        ValueError: an index does not fit.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    owner = slot.owner(x)
    labels = np.asarray(host_array(x), np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(num_classes) if num_classes else int(labels.max(initial=-1)) + 1
    if labels.size and not -count <= labels.min() <= labels.max() < count:
        raise ValueError(f"to_categorical got labels from {labels.min()} to {labels.max()}, which do not fit num_classes={count}.")
    one_hot = np.zeros((labels.size, count))
    one_hot[np.arange(labels.size), labels.ravel()] = 1
    one_hot = one_hot.reshape(*labels.shape, count)
    return one_hot if owner is None else owner.convert_to_tensor(one_hot, "float32")


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """`x` divided by its norm of that order along an axis; zero vectors stay zero.

    >>> normalize([3.0, 4.0]).tolist()
    [[0.6, 0.8]]
    """
    owner = slot.owner(x)
    array = np.atleast_2d(host_array(x))
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    result = array / np.where(norm == 0, 1, norm)
    return result if owner is None else owner.convert_to_tensor(result.astype(array.dtype if array.dtype.kind == "f" else "float32"))


def pad_sequences(sequences: Sequence, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre", truncating: str = "pre",
                  value: Any = 0.0) -> np.ndarray:  # fmt: skip
    """Sequences of different lengths as one array of shape `(len(sequences), maxlen, ...)`.

    Args:
        maxlen: the longest one's length where it is None.
        dtype: of the result; `object` or `str` for text.
        padding, truncating: `"pre"` or `"post"`: which end is filled, or cut off.
        value: what fills.

    Raises:
        ValueError: a sequence has no length, or its items have another shape than those of the others.

    >>> pad_sequences([[1], [2, 3]]).tolist()
    [[0, 1], [2, 3]]
    """
    for name, mode in (("padding", padding), ("truncating", truncating)):
        if mode not in ("pre", "post"):
            raise ValueError(f"{name} must be 'pre' or 'post', got {mode!r}.")
    strange = next((s for s in sequences if not hasattr(s, "__len__")), None) if hasattr(sequences, "__len__") else sequences
    if strange is not None:
        raise ValueError(f"pad_sequences takes a list of sequences, got {strange!r} as (one of) them.")
    maxlen = max(map(len, sequences), default=0) if maxlen is None else maxlen
    items = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    text = np.issubdtype(np.dtype(dtype), np.str_) or np.issubdtype(np.dtype(dtype), np.bytes_)
    if isinstance(value, str) and dtype is not object and not text:
        raise ValueError(f"The value {value!r} does not fit dtype {dtype!r}; for text, pass dtype=object.")
    result = np.full((len(sequences), maxlen, *items), value, object if text else dtype)
    for row, sequence in zip(result, sequences):
        if not len(sequence) or not maxlen:
            continue
        kept = np.asarray(sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], result.dtype)
        if kept.shape[1:] != items:
            raise ValueError(f"The items of all sequences need one shape, got {kept.shape[1:]} and {items}.")
        row[slice(len(kept)) if padding == "post" else slice(-len(kept), None)] = kept
    return result.astype(dtype) if text else result
