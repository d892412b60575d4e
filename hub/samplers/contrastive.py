"""`ContrastiveSampler`: likely tokens that do not repeat what was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import core
from core import ops
from hub.samplers.sampler import Sampler, column, going_on, is_among, put_column, repeat_rows, take_rows


@core.saving.register_keras_serializable(package="hub")
class ContrastiveSampler(Sampler):
    """Of the `k` likeliest tokens the one with the best `(1 - alpha) * probability - alpha * similarity`. Su et al., 2022.

    The similarity of a candidate is the largest cosine between its hidden state and those of the tokens before it, so that each
    round runs the model on all candidates.

    Args:
        k: how many candidates.
        alpha: the weight of the penalty, from 0 (greedy) to 1.

    >>> ContrastiveSampler(k=4, alpha=0.6).get_config()
    {'k': 4, 'alpha': 0.6, 'temperature': 1.0}
    """

    keeps_hidden_states = True

    def __init__(self, k: int = 5, alpha: float = 0.6, temperature: float = 1.0):
        super().__init__(temperature)
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ValueError(f"k must be a positive integer, got {k!r}.")
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be from 0 to 1, got {alpha!r}.")
        self.k, self.alpha = k, alpha

    def similarity(self, h1: Any, h2: Any) -> Any:
        """Cosines (batch, n, m) of the vectors of `h1` (batch, n, features) and `h2` (batch, m, features)."""
        return ops.matmul(ops.normalize(h1, axis=-1), ops.swapaxes(ops.normalize(h2, axis=-1), 1, 2))

    def start(
        self, next: Callable, tokens: Any, cache: Any, index: Any, *, mask: Any = None, hidden_states: Any = None, limits: Any = None
    ) -> dict[str, Any]:
        if hidden_states is None:
            raise ValueError(
                "The contrastive sampler compares with the hidden states of the prompt: pass hidden_states, (batch, index - 1 or more, "
                "features)."
            )
        state = super().start(next, tokens, cache, index, limits=limits)
        logits, hidden, cache = next(tokens, cache, state["index"])
        batch, length = tokens.shape
        memory = ops.zeros((batch, length, hidden.shape[-1]), hidden.dtype)
        memory = ops.slice_update(memory, (0, 0, 0), ops.cast(hidden_states[:, :length], hidden.dtype))
        memory = ops.slice_update(memory, (0, state["index"] - 1, 0), hidden[:, None])
        return {**state, "cache": cache, "logits": logits, "memory": memory}

    def advance(self, next: Callable, state: dict[str, Any], until: Any, *, stop_token_ids: Any = None, mask: Any = None) -> dict[str, Any]:
        batch, length = state["tokens"].shape
        k = min(self.k, state["logits"].shape[-1])
        slots, limits = ops.arange(length), state["limits"]

        def body(tokens: Any, cache: Any, index: Any, logits: Any, memory: Any, done: Any) -> tuple:
            likeliest, candidates = ops.top_k(self.compute_probabilities(logits), k)
            kept = done if mask is None else ops.logical_or(done, column(mask, index))
            candidates = ops.where(kept[:, None], column(tokens, index)[:, None], ops.cast(candidates, tokens.dtype))
            tried = put_column(repeat_rows(tokens, k), index, ops.reshape(candidates, (-1,)))
            logits, hidden, cache = next(tried, repeat_rows(cache, k), index + 1)
            hidden = ops.reshape(hidden, (batch, k, -1))
            known = ops.logical_and(slots < index, ops.any(memory != 0, axis=-1))  # zeros stand where there is no token
            cosines = ops.where(known[:, None], self.similarity(hidden, memory), -1.0)
            scores = (1 - self.alpha) * likeliest - self.alpha * ops.cast(ops.max(cosines, axis=-1), "float32")
            best = ops.cast(ops.argmax(scores, axis=-1), "int32")
            rows = ops.arange(batch) * k + best
            token = ops.take_along_axis(candidates, best[:, None], axis=1)[:, 0]
            stopped = ops.logical_and(is_among(token, stop_token_ids), ops.logical_not(kept))
            memory = ops.slice_update(memory, (0, index, 0), ops.take(ops.reshape(hidden, (batch * k, -1)), rows, axis=0)[:, None])
            done = ops.logical_or(ops.logical_or(done, stopped), limits <= index + 1)
            return put_column(tokens, index, token), take_rows(cache, rows), index + 1, ops.take(logits, rows, axis=0), memory, done

        names = ("tokens", "cache", "index", "logits", "memory", "done")
        last = self.run_loop(going_on(until), body, loop_vars=tuple(state[name] for name in names))
        return {**state, **dict(zip(names, last))}

    def get_config(self) -> dict[str, Any]:
        return {"k": self.k, "alpha": self.alpha, **super().get_config()}
