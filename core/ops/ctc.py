"""Connectionist temporal classification: the loss and the decoding of label sequences. Graves et al., 2006."""

from __future__ import annotations

from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops.activations import log_softmax
from core.ops.comparison import logical_and, not_equal
from core.ops.control import scan
from core.ops.convert import cast, dtype
from core.ops.creation import arange, full_like, zeros_like
from core.ops.elementwise import logaddexp
from core.ops.indexing import argsort, take_along_axis, where
from core.ops.joining import stack
from core.ops.reduction import argmax, max, sum
from core.ops.registry import op, primitive
from core.ops.shape import expand_dims, pad, repeat, reshape, transpose

__all__ = ["ctc_beam_search", "ctc_decode", "ctc_loss"]

_NEVER = -1e30  # the logarithm of an impossible probability; -inf would give NaN gradients


def _check_loss(target, output, target_length, output_length) -> None:
    if len(target.shape) != 2 or len(output.shape) != 3:
        raise ValueError(
            f"ctc_loss expected target (batch, labels) and output (batch, steps, classes), got shapes {target.shape} and {output.shape}."
        )
    batch = tuple(output.shape[:1])
    if not all(shapes.compatible(tuple(x), batch) for x in (target.shape[:1], target_length.shape, output_length.shape)):
        raise ValueError(
            f"ctc_loss expected targets, outputs and lengths (batch,) of one batch size, got shapes {target.shape}, {output.shape}, "
            f"{target_length.shape} and {output_length.shape}."
        )


def _loss_rule(target, output, target_length, output_length, mask_index=0):
    _check_loss(target, output, target_length, output_length)
    return KerasTensor(output.shape[:1], output.dtype)


@op("output", also="target target_length output_length", rule=_loss_rule, promote="float")
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """Minus the log-probability, per sample, that some alignment of `output` spells `target`.

    `target` holds labels (batch, max labels), `output` logits (batch, steps, classes); the lengths are (batch,) integers.
    `mask_index` is the blank. A target that cannot fit into its steps costs infinitely much, or a very large number.

    >>> ctc_loss([[1]], [[[0.0, 0.0]]], [1], [1])
    array([0.6931472], dtype=float32)
    """
    _check_loss(target, output, target_length, output_length)
    target, target_length, output_length = (cast(x, "int32") for x in (target, target_length, output_length))
    own = dtype(output)
    output = cast(output, "float32") if own in ("float16", "bfloat16") else output  # _NEVER needs the range
    batch, labels = target.shape
    # Blanks between all labels and around them: 2 * labels + 1 states.
    blanks = full_like(target, mask_index)
    states = pad(reshape(stack([blanks, target], axis=2), (batch, 2 * labels)), ((0, 0), (0, 1)), constant_values=mask_index)
    skips = logical_and(not_equal(states, mask_index), not_equal(states, pad(states, ((0, 0), (2, 0)), constant_values=-1)[:, :-2]))
    index = repeat(expand_dims(states, 1), output.shape[1], axis=1)
    frames = transpose(take_along_axis(log_softmax(output), index, axis=2), (1, 0, 2))

    def later(x, by):
        return pad(x, ((0, 0), (by, 0)), constant_values=_NEVER)[:, :-by]

    def step(carry, frame):
        t, alpha = carry
        moved = logaddexp(alpha, later(alpha, 1))
        moved = logaddexp(moved, where(skips, later(alpha, 2), _NEVER)) + frame
        return (t + 1, where(expand_dims(t < output_length, 1), moved, alpha)), None

    # Before the first step, in the first blank: from there only the first two states are reached.
    before = where(expand_dims(arange(2 * labels + 1) < 1, 0), zeros_like(frames[0]), _NEVER)
    (_, alpha), _ = scan(step, (cast(0, "int32"), before), frames)
    ends = stack([2 * target_length, 2 * target_length - 1], axis=1)
    found = where(ends < 0, _NEVER, take_along_axis(alpha, where(ends < 0, 0, ends), axis=1))
    return cast(-logaddexp(found[:, 0], found[:, 1]), own)


def _sequences(name, inputs, sequence_lengths):
    """The batch size and the number of steps of checked logits."""
    if len(inputs.shape) != 3 or not shapes.compatible(tuple(sequence_lengths.shape), tuple(inputs.shape[:1])):
        raise ValueError(
            f"{name} expected logits (batch, steps, classes) and lengths (batch,), got shapes {inputs.shape} and {sequence_lengths.shape}."
        )
    return tuple(inputs.shape[:2])


def _search_rule(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    batch, steps = _sequences("ctc_beam_search", inputs, sequence_lengths)
    return KerasTensor((top_paths, batch, steps), "int32"), KerasTensor((batch, top_paths), "float32")


@op("inputs", also="sequence_lengths", rule=_search_rule, promote="float")
def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    """The `top_paths` likeliest label sequences, (top_paths, batch, steps) int32 padded with -1, and their log-probabilities.

    `inputs` are logits (batch, steps, classes). A prefix beam search of width `beam_width`, run on the host.

    >>> ctc_beam_search([[[5.0, 0.0]]], [1], 2, 1, 1)[0]
    array([[[0]]], dtype=int32)
    """
    primitive()


def _check_strategy(strategy) -> None:
    if strategy not in ("greedy", "beam_search"):
        raise ValueError(f"ctc_decode knows the strategies 'greedy' and 'beam_search', got {strategy!r}.")


def _decode_rule(inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0):
    batch, steps = _sequences("ctc_decode", inputs, sequence_lengths)
    _check_strategy(strategy)
    paths = 1 if strategy == "greedy" else top_paths
    return KerasTensor((paths, batch, steps), "int32"), KerasTensor((batch, paths), inputs.dtype)


@op("inputs", also="sequence_lengths", rule=_decode_rule, promote="float")
def ctc_decode(inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0):
    """Label sequences out of logits (batch, steps, classes): `(paths, scores)`.

    `paths` is (1 or top_paths, batch, steps) int32, padded with -1. `strategy="greedy"` takes the best class of each step, and
    scores minus the sum of its logits, (batch, 1); `"beam_search"` keeps `beam_width` prefixes and scores log-probabilities,
    (batch, top_paths). `mask_index` is the blank, the last class where None. `merge_repeated` (greedy) makes runs of a label one.

    >>> ctc_decode([[[0.0, 5.0], [0.0, 5.0]]], [2])[0]
    array([[[ 1, -1]]], dtype=int32)
    """
    _sequences("ctc_decode", inputs, sequence_lengths)
    mask_index = inputs.shape[-1] - 1 if mask_index is None else mask_index
    if strategy == "beam_search":
        paths, scores = ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index)
        return paths, cast(scores, inputs.dtype)
    _check_strategy(strategy)
    steps = arange(inputs.shape[1], dtype="int32")[None, :]
    inside = steps < expand_dims(cast(sequence_lengths, "int32"), 1)
    labels = cast(argmax(inputs, axis=-1), "int32")
    kept = logical_and(inside, not_equal(labels, mask_index))
    if merge_repeated:
        kept = logical_and(kept, not_equal(labels, pad(labels, ((0, 0), (1, 0)), constant_values=-1)[:, :-1]))
    # Kept steps first, in order; then the dropped ones.
    order = argsort(where(kept, steps, steps + inputs.shape[1]), axis=1)
    paths = take_along_axis(where(kept, labels, -1), order, axis=1)
    best = max(inputs, axis=-1)
    return expand_dims(paths, 0), -sum(where(inside, best, 0.0), axis=1, keepdims=True)
