"""`Decoding`: a model and a sampler as two compiled functions, one that reads the prompts and one that writes what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import core
from core import ops
from hub.generation.alignment import Aligned


class Decoding:
    """Generates with one model and one sampler. Compiled once per batch size, prompt bucket and number of slots.

    Args:
        model: a task that `Generates`.
        sampler: a `hub.samplers.Sampler`.
        eager: runs without compilation.

    Attributes:
        compiles: whether the backend compiles; where it does not, prompts need no buckets.
    """

    def __init__(self, model: Any, sampler: Any, eager: bool = False):
        self.model, self.sampler = model, sampler
        self.compiles = not eager and model.backend.jit(self._next) != self._next
        self._functions: dict[tuple, tuple[Callable, Callable]] = {}
        with core.backend.use(model.backend):
            getattr(sampler, "seed_generator", None)  # makes it before a trace would

    def _compiled(self, aligned: Aligned, inputs: dict[str, np.ndarray], stops: np.ndarray) -> tuple[Callable, Callable]:
        """The two functions for arrays of these shapes; a pair for each, so that all shapes in it are known."""
        start = aligned.start

        def prefill(inputs: Any, tokens: Any, pads: Any, limits: Any) -> Any:
            return self._prefill(inputs, tokens, pads, limits, start)

        def decode(state: Any, until: Any, stops: Any) -> Any:
            return self.sampler.advance(self._next, state, until, stop_token_ids=stops)

        if not self.compiles:
            return prefill, decode
        key = (*aligned.tokens.shape, start, len(stops), *(inputs[name].shape for name in sorted(inputs)))
        if key not in self._functions:
            self._functions[key] = (core.jit(prefill, backend=self.model.backend), core.jit(decode, backend=self.model.backend))
        return self._functions[key]

    @property
    def traces(self) -> int:
        """How often a function was compiled: two for each class of shapes."""
        made = [fn for pair in self._functions.values() for function in pair for fn in getattr(function, "compiled", {}).values()]
        return sum(getattr(fn, "traces", 0) for fn in made)

    def _prefill(self, inputs: Any, tokens: Any, pads: Any, limits: Any, start: int) -> Any:
        """The state of the loop, with all of the prompt but its last token in the cache: that is what the first round looks at."""
        padded = self.compiles or bool(np.any(pads))
        tokens, pads = ops.convert_to_tensor(tokens), ops.convert_to_tensor(pads)
        batch, slots = tokens.shape
        mask = ops.arange(slots)[None, :] >= pads[:, None] if padded else None
        layers = self.model.start_cache(inputs, batch, slots)
        hidden = None
        if start > 1:
            positions = ops.maximum(ops.arange(start - 1)[None, :] - pads[:, None], 0)
            hidden, layers = self.model.fill(tokens[:, : start - 1], layers, positions, mask)
            if not self.sampler.keeps_hidden_states:
                hidden = None
            elif mask is not None:
                hidden = ops.where(mask[:, : start - 1, None], hidden, ops.zeros_like(hidden))
        elif self.sampler.keeps_hidden_states:
            hidden = ops.zeros((batch, 0, self.model.backbone.config.hidden_dim))
        last = ops.convert_to_tensor(limits) - 1 - pads
        cache = {"layers": layers, "pads": pads, "last": last, "mask": mask}
        return self.sampler.start(self._next, tokens, cache, start, hidden_states=hidden, limits=limits)

    def _next(self, tokens: Any, cache: Any, index: Any) -> tuple[Any, Any, Any]:
        """Logits (batch, vocabulary) and hidden states (batch, features) after the token at `index - 1`; rows that are full stay there."""
        token = ops.slice(tokens, (0, index - 1), (tokens.shape[0], 1))
        positions = ops.minimum(index - 1 - cache["pads"], cache["last"])[:, None]
        logits, hidden, layers = self.model.call_with_cache(token, cache["layers"], index - 1, positions, cache["mask"])
        return logits[:, 0], hidden[:, 0], {**cache, "layers": layers}

    def run(self, aligned: Aligned, inputs: Any, stop_token_ids: np.ndarray) -> np.ndarray:
        """All sequences (batch, n, slots) that the sampler finds, best first, as a NumPy array."""
        prefill, decode = self._compiled(aligned, inputs, stop_token_ids)
        with core.backend.use(self.model.backend), self.model.backend.inference():
            state = prefill(inputs, aligned.tokens, aligned.pads, aligned.limits)
            state = decode(state, np.int32(aligned.tokens.shape[1]), stop_token_ids)
            return ops.convert_to_numpy(self.sampler.sequences(state))

    def stream(self, aligned: Aligned, inputs: Any, stop_token_ids: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """After each step `(column, tokens)`: the first column not yet written, and the tokens (batch, slots) so far."""
        if not self.sampler.streams:
            raise ValueError(f"{type(self.sampler).__name__} does not know its tokens before the end, so that it cannot stream.")
        return self._steps(aligned, inputs, stop_token_ids)

    def _steps(self, aligned: Aligned, inputs: Any, stop_token_ids: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        prefill, decode = self._compiled(aligned, inputs, stop_token_ids)
        backend = self.model.backend
        with core.backend.use(backend), backend.inference():
            state = prefill(inputs, aligned.tokens, aligned.pads, aligned.limits)
        for column in range(aligned.start, aligned.tokens.shape[1]):
            if np.all(ops.convert_to_numpy(state["done"])):
                return
            with core.backend.use(backend), backend.inference():  # not held while the caller has the turn
                state = decode(state, np.int32(column + 1), stop_token_ids)
            yield column + 1, ops.convert_to_numpy(state["tokens"])
