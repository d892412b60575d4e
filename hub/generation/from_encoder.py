"""`GeneratesFromEncoder`: generation where a decoder looks at what an encoder read."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import ops
from hub.generation.alignment import bucket
from hub.generation.generates import Generates


class GeneratesFromEncoder(Generates):
    """`Generates` for an encoder-decoder. The prompt is what the decoder begins with; the encoder runs once, before the first step.

    The backbone has `encode`, `cross_cache`, `make_cache`, `decode_with_cache` and `logits`.
    """

    token_key = "decoder_token_ids"
    mask_key = "decoder_padding_mask"

    def arranged(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The encoder's arrays, without columns that are all padding, up to the next size that is compiled for."""
        ids = inputs["encoder_token_ids"]
        mask = np.asarray(inputs.get("encoder_padding_mask", np.ones_like(ids))).astype(bool)
        used = int(np.flatnonzero(mask.any(0)).max(initial=0)) + 1
        padding = ((0, 0), (0, bucket(used) - used))
        return {"encoder_token_ids": np.pad(ids[:, :used], padding), "encoder_padding_mask": np.pad(mask[:, :used], padding)}

    def start_cache(self, inputs: dict[str, Any], batch_size: int, slots: int) -> Any:
        seen = ops.convert_to_tensor(inputs["encoder_padding_mask"])
        encoded = self.backbone.encode({**inputs, "encoder_token_ids": ops.convert_to_tensor(inputs["encoder_token_ids"])})
        return {"own": self.backbone.make_cache(batch_size, slots), "cross": self.backbone.cross_cache(encoded), "seen": seen}

    def fill(self, token_ids: Any, cache: Any, positions: Any, mask: Any) -> tuple[Any, Any]:
        return self._decode(token_ids, cache, 0, mask)

    def call_with_cache(
        self, token_ids: Any, cache: Any, cache_update_index: Any, positions: Any = None, mask: Any = None
    ) -> tuple[Any, Any, Any]:
        """Logits and hidden states of the decoder's next tokens, and the cache with them; see `Generates.call_with_cache`.

        `cache` is of `start_cache`. Positions follow from the slots.
        """
        hidden, cache = self._decode(token_ids, cache, cache_update_index, mask)
        return self.backbone.logits(hidden), hidden, cache

    def _decode(self, token_ids: Any, cache: Any, index: Any, mask: Any) -> tuple[Any, Any]:
        hidden, own = self.backbone.decode_with_cache(token_ids, cache["own"], index, mask, cache["cross"], cache["seen"])
        return hidden, {**cache, "own": own}
