"""`CausalLM`: the next token, and text from it."""

from __future__ import annotations

from typing import Any

import core
from hub.generation import Generates
from hub.models.task import Task


class CausalLM(Generates, Task):
    """Logits of the next token at each place, (batch, time, vocabulary), and `generate`.

    Args:
        backbone: a decoder.
        preprocessor: a `CausalLMPreprocessor`, or None to take arrays.

    >>> hub.models.CausalLM.from_preset("folder").generate("Once upon", max_length=32)  # doctest: +SKIP
    """

    kind = "causal_lm"
    preprocessor_kind = "CausalLMPreprocessor"

    def __init__(self, backbone: Any, preprocessor: Any = None, compile: bool = True, **kwargs: Any):
        super().__init__(compile=False, **kwargs)
        self._setup(backbone, preprocessor)
        self.built = True
        if compile:
            self.compile()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.backbone.logits(self.states(inputs, training))

    def defaults(self) -> dict[str, Any]:
        return {
            "learning_rate": 2e-5,
            "loss": core.losses.SparseCategoricalCrossentropy(from_logits=True),
            "weighted_metrics": [core.metrics.SparseCategoricalAccuracy()],
        }
