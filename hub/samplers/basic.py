"""Samplers that look at one distribution at a time: greedy, random, top-k, top-p."""

from __future__ import annotations

from typing import Any

import core
from core import ops
from hub.samplers.sampler import Sampler, SeededSampler


@core.saving.register_keras_serializable(package="hub")
class GreedySampler(Sampler):
    """Always the likeliest token; of equally likely ones the first.

    >>> GreedySampler().get_next_token(np.array([[0.2, 0.5, 0.3]]))
    array([1])
    """

    def __init__(self, temperature: float = 1.0):
        super().__init__(temperature)

    def get_next_token(self, probabilities: Any) -> Any:
        return ops.argmax(probabilities, axis=-1)

    def next_token(self, logits: Any) -> Any:
        return self.get_next_token(logits)  # the softmax would only round differences away


@core.saving.register_keras_serializable(package="hub")
class RandomSampler(SeededSampler):
    """A token drawn with its probability.

    Args:
        seed: an integer; equal seeds give equal draws.
        temperature: see `Sampler`.

    >>> RandomSampler(seed=1).get_next_token(np.array([[0.0, 1.0, 0.0]]))
    array([1], dtype=int32)
    """

    def get_next_token(self, probabilities: Any) -> Any:
        return self.draw(probabilities)


@core.saving.register_keras_serializable(package="hub")
class TopKSampler(SeededSampler):
    """A token drawn from the `k` likeliest. Fan et al., 2018.

    >>> TopKSampler(k=1).get_next_token(np.array([[0.2, 0.5, 0.3]]))
    array([1], dtype=int32)
    """

    def __init__(self, k: int = 5, seed: int | None = None, temperature: float = 1.0):
        super().__init__(seed, temperature)
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ValueError(f"k must be a positive integer, got {k!r}.")
        self.k = k

    def get_next_token(self, probabilities: Any) -> Any:
        likeliest, tokens = ops.top_k(probabilities, min(self.k, probabilities.shape[-1]))
        return ops.take_along_axis(tokens, self.draw(likeliest)[:, None], axis=-1)[:, 0]

    def get_config(self) -> dict[str, Any]:
        return {"k": self.k, **super().get_config()}


@core.saving.register_keras_serializable(package="hub")
class TopPSampler(SeededSampler):
    """A token drawn from the smallest set of likeliest tokens that holds a share `p` of the probability. Holtzman et al., 2020.

    Args:
        p: the share, above 0 and at most 1.
        k: at most so many tokens are looked at; None for all. A small `k` spares the sorting of a large vocabulary.

    >>> TopPSampler(p=0.5).get_next_token(np.array([[0.2, 0.5, 0.3]]))
    array([1], dtype=int32)
    """

    def __init__(self, p: float = 0.1, k: int | None = None, seed: int | None = None, temperature: float = 1.0):
        super().__init__(seed, temperature)
        if not 0 < p <= 1:
            raise ValueError(f"p must be above 0 and at most 1, got {p!r}.")
        if k is not None and k < 1:
            raise ValueError(f"k must be a positive integer or None, got {k!r}.")
        self.p, self.k = p, k

    def get_next_token(self, probabilities: Any) -> Any:
        size = probabilities.shape[-1]
        likeliest, tokens = ops.top_k(probabilities, size if self.k is None else min(self.k, size))
        before = ops.cumsum(likeliest, axis=-1) - likeliest  # what the likelier ones hold: 0 for the first, which always stays
        kept = ops.where(before < self.p, likeliest, 0.0)
        return ops.take_along_axis(tokens, self.draw(kept)[:, None], axis=-1)[:, 0]

    def get_config(self) -> dict[str, Any]:
        return {"p": self.p, "k": self.k, **super().get_config()}
