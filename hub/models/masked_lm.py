"""`MaskedLM`: what stood where tokens are masked."""

from __future__ import annotations

from typing import Any

import core
from hub.layers.activation import activation
from hub.layers.heads import MaskedLMHead
from hub.models.task import Task


class MaskedLM(Task):
    """Logits of the vocabulary at masked places.

    Inputs are the backbone's and `"mask_positions"` (batch, masks); outputs (batch, masks, vocabulary). Without positions they are
    (batch, time, vocabulary).

    Args:
        backbone: an encoder.
        preprocessor: a `MaskedLMPreprocessor`, which hides tokens of raw strings, or None to take arrays.

    >>> hub.models.MaskedLM.from_preset("folder").fit(["a text", "another"])  # doctest: +SKIP
    """

    kind = "masked_lm"
    preprocessor_kind = "MaskedLMPreprocessor"
    unused = ("pooler",)

    def __init__(self, backbone: Any, preprocessor: Any = None, compile: bool = True, **kwargs: Any):
        super().__init__(compile=False, **kwargs)
        self._setup(backbone, preprocessor)
        facts, config = backbone.family.head(self.kind), backbone.config
        self.head = MaskedLMHead(
            token_embedding=backbone.token_embedding,
            intermediate_activation=activation(facts.activation or config.activation),
            layer_norm_epsilon=config.layer_norm_epsilon if facts.epsilon is None else facts.epsilon,
            kernel_initializer=core.initializers.TruncatedNormal(stddev=config.initializer_range),
            name="masked_lm_head",
            dtype=backbone.dtype_policy,
        )
        self.head.build((None, None, config.hidden_dim))
        self.built = True
        if compile:
            self.compile()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        states = self.states({key: value for key, value in inputs.items() if key != "mask_positions"}, training)
        return self.head(states, inputs.get("mask_positions"))

    def defaults(self) -> dict[str, Any]:
        return {
            "learning_rate": 5e-5,
            "loss": core.losses.SparseCategoricalCrossentropy(from_logits=True),
            "weighted_metrics": [core.metrics.SparseCategoricalAccuracy()],
        }
