"""What tasks put on a backbone's states: `MaskedLMHead`, `ClassificationHead`, and how a state is chosen or pooled."""

from __future__ import annotations

from typing import Any

from core import activations, initializers, layers, ops
from core.saving import ConfigError

STDDEV = 0.02


class MaskedLMHead(layers.Layer):
    """Logits of the vocabulary at masked places: `norm(activation(dense(x)))` times the table of token vectors, plus a bias.

    Args:
        vocabulary_size: needed where there is no `token_embedding`.
        token_embedding: the `ReversibleEmbedding` whose table is used; a table of its own where it is None.
        intermediate_activation: after the projection.
        activation: of the output; logits where it is None.
        layer_norm_epsilon: of the normalization.
        kernel_initializer, bias_initializer: of the projection and of the own table.

    Shapes: states (batch, time, features) and `mask_positions` (batch, masks) to (batch, masks, vocabulary); without positions
    (batch, time, vocabulary).

    >>> head = MaskedLMHead(vocabulary_size=11)
    >>> head(np.ones((2, 5, 8), "float32"), mask_positions=np.array([[0, 2], [1, 4]])).shape
    (2, 2, 11)
    """

    def __init__(
        self,
        vocabulary_size: int | None = None,
        token_embedding: Any = None,
        intermediate_activation: Any = "relu",
        activation: Any = None,
        layer_norm_epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.token_embedding = token_embedding
        if vocabulary_size is None and token_embedding is None:
            raise ConfigError("MaskedLMHead needs a token_embedding, or a vocabulary_size for a table of its own.")
        self.vocabulary_size = int(vocabulary_size or token_embedding.input_dim)
        if token_embedding is not None and token_embedding.input_dim != self.vocabulary_size:
            raise ConfigError(
                f"vocabulary_size must be that of the token_embedding, {token_embedding.input_dim}, and is {vocabulary_size}; leave it out."
            )
        self.intermediate_activation = activations.get(intermediate_activation)
        self.activation = activations.get(activation)
        self.layer_norm_epsilon = layer_norm_epsilon
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, inputs_shape: Any, mask_positions_shape: Any = None) -> None:
        features = inputs_shape[-1]
        self.dense = layers.Dense(
            features, kernel_initializer=self.kernel_initializer, bias_initializer=self.bias_initializer, name="dense",
            dtype=self.dtype_policy,
        )  # fmt: skip
        self.norm = layers.LayerNormalization(epsilon=self.layer_norm_epsilon, name="norm", dtype=self.dtype_policy)
        self.dense.build((None, None, features))
        self.norm.build((None, None, features))
        if self.token_embedding is None:
            self.kernel = self.add_weight((features, self.vocabulary_size), self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((self.vocabulary_size,), self.bias_initializer, name="bias")
        self.built = True

    def call(self, inputs: Any, mask_positions: Any = None) -> Any:
        x = inputs if mask_positions is None else at_positions(inputs, mask_positions)
        x = self.norm(self.intermediate_activation(self.dense(x)))
        logits = ops.matmul(x, self.kernel) if self.token_embedding is None else self.token_embedding(x, reverse=True)
        return self.activation(logits + ops.cast(self.bias, logits.dtype))

    def compute_output_shape(self, inputs_shape: Any, mask_positions_shape: Any = None) -> tuple:
        places = inputs_shape[1] if mask_positions_shape is None else mask_positions_shape[1]
        return (inputs_shape[0], places, self.vocabulary_size)

    def get_config(self) -> dict:
        return {
            **super().get_config(), "vocabulary_size": self.vocabulary_size,
            "token_embedding": None, "intermediate_activation": activations.serialize(self.intermediate_activation),
            "activation": activations.serialize(self.activation), "layer_norm_epsilon": self.layer_norm_epsilon,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }  # fmt: skip


class ClassificationHead(layers.Layer):
    """Scores of classes from one state (batch, features): `output_dense(activation(hidden(x)))`, with dropout before each projection.

    Args:
        features: of the states.
        num_classes: scores.
        hidden_dim: features of the projection between; None for none.
        hidden_activation: after it.
        use_bias: whether the last projection adds a bias.
        dropout: rate.
        drops_first: whether the states are dropped before the hidden projection as well.

    >>> ClassificationHead(8, 3)(np.ones((2, 8), "float32")).shape
    (2, 3)
    """

    def __init__(
        self,
        features: int,
        num_classes: int,
        hidden_dim: int | None = None,
        hidden_activation: Any = None,
        use_bias: bool = True,
        dropout: float = 0.0,
        drops_first: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.drops_first = drops_first or hidden_dim is None
        self.dropout = layers.Dropout(dropout, name="dropout", dtype=policy)
        self.hidden_activation = activations.get(hidden_activation)
        self.hidden = None
        if hidden_dim is not None:
            self.hidden = layers.Dense(hidden_dim, kernel_initializer=_normal(), name="hidden", dtype=policy)
            self.hidden.build((None, features))
        self.output_dense = layers.Dense(num_classes, use_bias=use_bias, kernel_initializer=_normal(), name="output_dense", dtype=policy)
        self.output_dense.build((None, hidden_dim or features))
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> Any:
        if self.hidden is not None:
            if self.drops_first:
                x = self.dropout(x, training=training)
            x = self.hidden_activation(self.hidden(x))
        return self.output_dense(self.dropout(x, training=training))


def at_positions(states: Any, positions: Any) -> Any:
    """The states (batch, time, features) at `positions` (batch, places): (batch, places, features)."""
    return ops.take_along_axis(states, ops.expand_dims(ops.cast(positions, "int32"), -1), axis=1)


def last_token(states: Any, padding_mask: Any) -> Any:
    """The state (batch, features) of each row's last token that is no padding, wherever the padding is."""
    if padding_mask is None:
        return states[:, -1]
    places = ops.arange(ops.shape(states)[1])
    last = ops.max(ops.cast(padding_mask, "int32") * places, axis=1, keepdims=True)
    return at_positions(states, last)[:, 0]


def mean_of_tokens(states: Any, padding_mask: Any) -> Any:
    """The mean (batch, features) of the states that are no padding."""
    if padding_mask is None:
        return ops.mean(states, axis=1)
    weights = ops.expand_dims(ops.cast(padding_mask, states.dtype), -1)
    return ops.sum(states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1e-9)


def max_of_tokens(states: Any, padding_mask: Any) -> Any:
    """The largest value (batch, features) of each feature among the states that are no padding."""
    if padding_mask is None:
        return ops.max(states, axis=1)
    return ops.max(ops.where(ops.expand_dims(ops.cast(padding_mask, "bool"), -1), states, -1e9), axis=1)


def first_token(states: Any, padding_mask: Any) -> Any:
    """The state (batch, features) at the first place."""
    return states[:, 0]


def _normal() -> Any:
    return initializers.TruncatedNormal(stddev=STDDEV)
