"""`BeamSampler`: the sequences of the highest probability that a search of limited width finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import core
from core import ops
from hub.samplers.sampler import Sampler, count_of, going_on, is_among, put_column, repeat_rows, take_rows

_LOW = -1e9  # the score of what does not count


@core.saving.register_keras_serializable(package="hub")
class BeamSampler(Sampler):
    """Follows the `num_beams` best sequences at once and returns the best that ended.

    The score of a sequence is the sum of its log-probabilities, the stop token's included, over `length ** length_penalty`, the length
    counting the new tokens. A sequence ends at a stop token or at the last slot. A row's search is over once the best score that the
    sequences still running could end with now is no better than the worst of `num_beams` ended ones. With a `length_penalty` of 1 these are
    the scores and the sequences of transformers' `generate(num_beams=..., do_sample=False)`; 0 gives plain sums.

    Args:
        num_beams: the width of the search.
        return_all_beams: whether a call returns `(sequences (batch, num_beams, length), scores (batch, num_beams))`, best first,
            rather than the best sequences (batch, length).
        length_penalty: above 0 favours long sequences, below 0 short ones.
        early_stopping: whether a row's search is over as soon as `num_beams` sequences ended.

    >>> BeamSampler(num_beams=3).num_beams
    3
    """

    streams = False

    def __init__(
        self,
        num_beams: int = 5,
        return_all_beams: bool = False,
        length_penalty: float = 1.0,
        early_stopping: bool = False,
        temperature: float = 1.0,
    ):
        super().__init__(temperature)
        if isinstance(num_beams, bool) or not isinstance(num_beams, int) or num_beams < 1:
            raise ValueError(f"num_beams must be a positive integer, got {num_beams!r}.")
        self.num_beams, self.return_all_beams = num_beams, return_all_beams
        self.length_penalty, self.early_stopping = length_penalty, early_stopping

    @property
    def ranked(self) -> int:  # type: ignore[override]
        """How many sequences it returns for one prompt."""
        return self.num_beams

    def start(
        self, next: Callable, tokens: Any, cache: Any, index: Any, *, mask: Any = None, hidden_states: Any = None, limits: Any = None
    ) -> dict[str, Any]:
        beams, (batch, _) = self.num_beams, tokens.shape
        state = super().start(next, tokens, cache, index, limits=limits)
        running = ops.where(ops.arange(beams) == 0, 0.0, _LOW)  # the beams are equal at first: one counts
        return {
            **state,
            "first": state["index"],
            "cache": repeat_rows(cache, beams),
            "running": ops.repeat(tokens[:, None], beams, axis=1),
            "running_scores": ops.repeat(running[None], batch, axis=0),
            "ended": ops.repeat(tokens[:, None], beams, axis=1),
            "ended_scores": ops.full((batch, beams), _LOW, "float32"),
        }

    def advance(self, next: Callable, state: dict[str, Any], until: Any, *, stop_token_ids: Any = None, mask: Any = None) -> dict[str, Any]:
        beams, (batch, length) = self.num_beams, state["tokens"].shape
        first, limits = state["first"], state["limits"]
        # Enough candidates that `beams` of them go on, even where each beam's best tokens are all the stop tokens.
        width = beams * max(2, 1 + count_of(stop_token_ids))
        forced = ops.zeros(state["tokens"].shape, "bool") if mask is None else ops.cast(mask, "bool")

        def body(running: Any, cache: Any, index: Any, scores: Any, ended: Any, ended_scores: Any, done: Any) -> tuple:
            logits, _, cache = next(ops.reshape(running, (batch * beams, length)), cache, index)
            gains = ops.log_softmax(ops.cast(logits, "float32") / self.temperature)
            vocabulary = gains.shape[-1]
            gains = ops.reshape(gains, (batch, beams, vocabulary))
            given = ops.take(running[:, 0], index, axis=1)
            kept = ops.take(forced, index, axis=1)  # a token of the prompt is certain
            certain = ops.where(ops.arange(vocabulary) == given[:, None], 0.0, _LOW)
            gains = ops.where(kept[:, None, None], certain[:, None], gains)
            totals = ops.reshape(scores[:, :, None] + gains, (batch, beams * vocabulary))
            best, where = ops.top_k(totals, min(width, beams * vocabulary))
            where = ops.cast(where, "int32")
            beam, token = where // vocabulary, ops.cast(where % vocabulary, running.dtype)
            tried = put_column(ops.take_along_axis(running, beam[:, :, None], axis=1), index, token)
            stop = ops.logical_and(is_among(token, stop_token_ids), ops.logical_not(kept)[:, None])
            ends = ops.logical_or(stop, (limits <= index + 1)[:, None])

            # Those among the first `beams` that end join the ended ones, unless the row's search is over.
            count = ops.cast(index + 1 - first, "float32")
            joins = ops.logical_and(ops.logical_and(ends, ops.arange(ends.shape[1]) < beams), ops.logical_not(done)[:, None])
            joining = ops.where(joins, best / count**self.length_penalty, _LOW)
            ended_scores, chosen = ops.top_k(ops.concatenate([ended_scores, joining], axis=1), beams)
            ended = ops.take_along_axis(ops.concatenate([ended, tried], axis=1), chosen[:, :, None], axis=1)

            # The best of the others go on.
            scores, chosen = ops.top_k(ops.where(ends, best + _LOW, best), beams)
            chosen = ops.cast(chosen, "int32")
            running = ops.take_along_axis(tried, chosen[:, :, None], axis=1)
            rows = ops.arange(batch)[:, None] * beams + ops.take_along_axis(beam, chosen, axis=1)
            cache = take_rows(cache, ops.reshape(rows, (-1,)))

            full = ops.all(ended_scores > _LOW / 2, axis=1)
            hopeless = scores[:, 0] / count**self.length_penalty <= ops.min(ended_scores, axis=1)
            over = full if self.early_stopping else ops.logical_and(full, hopeless)
            done = ops.logical_or(ops.logical_or(done, over), limits <= index + 1)
            return running, cache, index + 1, scores, ended, ended_scores, done

        names = ("running", "cache", "index", "running_scores", "ended", "ended_scores", "done")
        last = self.run_loop(going_on(until), body, loop_vars=tuple(state[name] for name in names))
        return {**state, **dict(zip(names, last))}

    def finish(self, state: dict[str, Any]) -> Any:
        if self.return_all_beams:
            return state["ended"], state["ended_scores"]
        return state["ended"][:, 0]

    def sequences(self, state: dict[str, Any]) -> Any:
        return state["ended"]

    def get_config(self) -> dict[str, Any]:
        return {
            "num_beams": self.num_beams,
            "return_all_beams": self.return_all_beams,
            "length_penalty": self.length_penalty,
            "early_stopping": self.early_stopping,
            **super().get_config(),
        }
