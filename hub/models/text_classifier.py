"""`TextClassifier`: a class for each text."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import core
from core.saving import ConfigError
from hub.layers.activation import activation as hidden_activation
from hub.layers.heads import ClassificationHead, first_token, last_token
from hub.models.task import Task


class TextClassifier(Task):
    """Scores of `num_classes` for each text, (batch, num_classes).

    The head is that of the family: BERT's on the pooled state, RoBERTa's and DistilBERT's with a hidden projection of the first state,
    decoders' on the state of the last token.

    Args:
        backbone: a `hub.models.Backbone`.
        num_classes: how many classes.
        preprocessor: a `TextClassifierPreprocessor`, or None to take arrays.
        activation: of the outputs, for example `"softmax"`; logits where it is None.
        dropout: rate in the head.
        hidden_dim: features of the family's hidden projection; the backbone's where it is None.

    >>> classifier = hub.models.TextClassifier.from_preset("folder", num_classes=2)  # doctest: +SKIP
    >>> classifier.fit(["good", "bad"], [1, 0])  # doctest: +SKIP
    """

    kind = "text_classifier"
    preprocessor_kind = "TextClassifierPreprocessor"
    unused = ("lm_head", "decoder")
    options = ("num_classes", "activation", "dropout")
    default_dropout = 0.0

    def __init__(
        self,
        backbone: Any,
        num_classes: int,
        preprocessor: Any = None,
        activation: Any = None,
        dropout: float | None = None,
        hidden_dim: int | None = None,
        compile: bool = True,
        **kwargs: Any,
    ):
        super().__init__(compile=False, **kwargs)
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 1:
            raise ConfigError(f"num_classes must be a positive integer, got {num_classes!r}.")
        self._setup(backbone, preprocessor)
        self.num_classes, self.hidden_dim = num_classes, hidden_dim
        self.dropout = self.default_dropout if dropout is None else dropout
        self.activation = core.activations.get(activation)
        self.facts = facts = backbone.family.head(self.kind)
        features = backbone.config.hidden_dim
        self.head = ClassificationHead(
            features,
            num_classes,
            hidden_dim=(hidden_dim or features) if "hidden" in facts.parts else None,
            hidden_activation=hidden_activation(facts.activation) if facts.activation else None,
            use_bias=facts.use_bias,
            dropout=self.dropout,
            drops_first=facts.activation == "tanh",  # RoBERTa's; DistilBERT drops after its projection alone
            name="classifier",
            dtype=backbone.dtype_policy,
        )
        self.built = True
        if compile:
            self.compile()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        outputs = self.backbone(inputs, training=training)
        if self.facts.state == "pooled":
            state = outputs["pooled_output"]
        else:
            states = outputs["sequence_output"] if isinstance(outputs, dict) else outputs
            state = (last_token if self.facts.state == "last" else first_token)(states, inputs.get("padding_mask"))
        return self.activation(self.head(state, training=training))

    def defaults(self) -> dict[str, Any]:
        logits = self.activation is core.activations.linear
        return {
            "learning_rate": 5e-5,
            "loss": core.losses.SparseCategoricalCrossentropy(from_logits=logits),
            "metrics": [core.metrics.SparseCategoricalAccuracy()],
        }

    @classmethod
    def options_of(cls, folder: pathlib.Path, config: Mapping[str, Any]) -> dict[str, Any]:
        labels = config.get("id2label")
        if isinstance(labels, dict) and labels:
            return {"num_classes": len(labels)}
        count = config.get("num_labels", 2)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ConfigError(f"config.json: num_labels must be a positive integer, got {count!r}.")
        return {"num_classes": count}

    def config_extra(self) -> dict[str, Any]:
        names = {i: f"LABEL_{i}" for i in range(self.num_classes)}
        extra: dict[str, Any] = {"id2label": {str(i): name for i, name in names.items()}}
        extra["label2id"] = {name: i for i, name in names.items()}
        tokenizer = getattr(self.preprocessor, "tokenizer", None)
        if self.facts.state == "last":  # which transformers finds by the padding after it
            extra["pad_token_id"] = 0 if tokenizer is None else tokenizer.pad_token_id
        return extra
