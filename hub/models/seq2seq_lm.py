"""`Seq2SeqLM`: text out of text."""

from __future__ import annotations

from typing import Any

import core
from hub.generation import GeneratesFromEncoder
from hub.models.task import Task


class Seq2SeqLM(GeneratesFromEncoder, Task):
    """Logits of the decoder's next token at each place, (batch, time, vocabulary), and `generate`.

    Inputs are a dict of `"encoder_token_ids"`, `"encoder_padding_mask"`, `"decoder_token_ids"` and `"decoder_padding_mask"`.

    Args:
        backbone: an encoder-decoder.
        preprocessor: a `Seq2SeqLMPreprocessor`, or None to take arrays.

    >>> hub.models.Seq2SeqLM.from_preset("folder").generate("translate: good morning", max_length=32)  # doctest: +SKIP
    """

    kind = "seq2seq_lm"
    preprocessor_kind = "Seq2SeqLMPreprocessor"

    def __init__(self, backbone: Any, preprocessor: Any = None, compile: bool = True, **kwargs: Any):
        super().__init__(compile=False, **kwargs)
        self._setup(backbone, preprocessor)
        self.built = True
        if compile:
            self.compile()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.backbone.logits(self.backbone(inputs, training=training)["decoder_sequence_output"])

    def defaults(self) -> dict[str, Any]:
        return {
            "learning_rate": 2e-5,
            "loss": core.losses.SparseCategoricalCrossentropy(from_logits=True),
            "weighted_metrics": [core.metrics.SparseCategoricalAccuracy()],
        }
