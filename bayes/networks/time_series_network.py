"""`TimeSeriesNetwork`: a summary of a series by convolutions and recurrences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bayes.networks.summary_network import SummaryNetwork, check_sequence, masked
from core import initializers, layers, ops
from core.saving import register_keras_serializable

RECURRENT: dict[str, type[layers.Layer]] = {"gru": layers.GRU, "lstm": layers.LSTM}


@register_keras_serializable("bayes")
class TimeSeriesNetwork(SummaryNetwork):
    """(batch, time, features) as (batch, summary_dim): convolutions find short patterns, a recurrence follows them through the series,
    and a second one looks at every `skip_steps`-th step only, for what comes back slowly. After Lai et al., 2018 (arXiv 1703.07015).

    Args:
        summary_dim: size of the summary.
        filters, kernel_sizes, strides: of the convolutions; lists of one length, or numbers.
        activation, kernel_initializer: of the convolutions.
        groups: of the group normalization after each convolution; None for none.
        recurrent_type: `"gru"` or `"lstm"`.
        recurrent_dim: units of each recurrence.
        bidirectional: whether the series is also read from its end.
        dropout: of the recurrences' inputs.
        skip_steps: the stride of the second recurrence; 0 or 1 for none.

    >>> TimeSeriesNetwork(summary_dim=4, recurrent_dim=8)(np.ones((2, 12, 3), "float32")).shape
    (2, 4)
    """

    def __init__(
        self,
        summary_dim: int = 16,
        filters: int | Sequence[int] = 32,
        kernel_sizes: int | Sequence[int] = 3,
        strides: int | Sequence[int] = 1,
        activation: str = "mish",
        kernel_initializer: str = "glorot_uniform",
        groups: int | None = None,
        recurrent_type: str = "gru",
        recurrent_dim: int = 128,
        bidirectional: bool = True,
        dropout: float | None = 0.05,
        skip_steps: int = 4,
        **kwargs,
    ):
        super().__init__(summary_dim, **kwargs)
        if recurrent_type not in RECURRENT:
            raise ValueError(f"TimeSeriesNetwork knows the recurrent types {sorted(RECURRENT)}, got {recurrent_type!r}.")
        lists = [[value] if isinstance(value, int) else list(value) for value in (filters, kernel_sizes, strides)]
        count = max(len(values) for values in lists)
        lists = [values * count if len(values) == 1 else values for values in lists]
        if any(len(values) != count for values in lists):
            raise ValueError(f"filters, kernel_sizes and strides need one length, got {filters!r}, {kernel_sizes!r} and {strides!r}.")
        self.filters, self.kernel_sizes, self.strides = lists
        self.skip_steps = int(skip_steps)
        self.options = {
            "activation": activation, "kernel_initializer": initializers.serialize(initializers.get(kernel_initializer)), "groups": groups,
            "recurrent_type": recurrent_type, "recurrent_dim": recurrent_dim, "bidirectional": bidirectional, "dropout": dropout,
        }  # fmt: skip
        self.convolutions = [
            layers.Conv1D(n, size, stride, padding="same", activation=activation, kernel_initializer=kernel_initializer)
            for n, size, stride in zip(*lists)
        ]
        self.norms = [layers.GroupNormalization(groups) for _ in lists[0]] if groups else []

        def recurrence():
            one = RECURRENT[recurrent_type](recurrent_dim, dropout=dropout or 0.0)
            return layers.Bidirectional(one) if bidirectional else one

        self.recurrence = recurrence()
        self.skip_recurrence: Any = recurrence() if self.skip_steps > 1 else None
        self.head = layers.Dense(summary_dim)

    def build(self, input_shape):
        check_sequence(input_shape, "TimeSeriesNetwork")
        shape = tuple(input_shape)
        for position, convolution in enumerate(self.convolutions):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            if self.norms:
                self.norms[position].build(shape)
        self.recurrence.build(shape)
        width = self.options["recurrent_dim"] * (1 + self.options["bidirectional"])
        if self.skip_recurrence is not None:
            self.skip_recurrence.build((None, None, shape[-1]))
            width *= 1 + self.skip_steps
        self.head.build((shape[0], width))

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        for position, convolution in enumerate(self.convolutions):
            x = convolution(masked(x, mask))
            if mask is not None:
                mask = mask[:, :: self.strides[position]]
            if self.norms:
                x = self.norms[position](x)
        x = masked(x, mask)
        parts = [self.recurrence(x, mask=mask, training=training)]
        if self.skip_recurrence is not None:
            parts.append(self._skipping(x, mask, training))
        return self.head(ops.concatenate(parts, -1))

    def _skipping(self, x: Any, mask: Any, training: bool) -> Any:
        """The last states of the series at steps 0, k, 2k, ..., at 1, k + 1, ... and so on, side by side; filled up at the front."""
        rows, steps, features = ops.shape(x)
        skip, missing = self.skip_steps, -steps % self.skip_steps
        if mask is None:
            mask = ops.ones((rows, steps), "bool")
        x = ops.pad(x, ((0, 0), (missing, 0), (0, 0)))
        mask = ops.cast(ops.pad(ops.cast(mask, "int32"), ((0, 0), (missing, 0))), "bool")
        length = (steps + missing) // skip
        x = ops.reshape(ops.swapaxes(ops.reshape(x, (rows, length, skip, features)), 1, 2), (rows * skip, length, features))
        mask = ops.reshape(ops.swapaxes(ops.reshape(mask, (rows, length, skip)), 1, 2), (rows * skip, length))
        return ops.reshape(self.skip_recurrence(x, mask=mask, training=training), (rows, -1))

    def get_config(self) -> dict:
        own = {"filters": self.filters, "kernel_sizes": self.kernel_sizes, "strides": self.strides, "skip_steps": self.skip_steps}
        return {**super().get_config(), **self.options, **own}
