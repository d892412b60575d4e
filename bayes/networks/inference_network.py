"""`InferenceNetwork`: a learned density of vectors, given conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import core
from bayes.distributions import Distribution, find_distribution
from bayes.distributions.distribution import as_batch_shape
from core import layers, ops
from core.saving import deserialize_keras_object

ROWS_AT_A_TIME = 65_536  # larger batches go through in parts of this size, so that memory stays bounded


class InferenceNetwork(layers.Layer):
    """Base of the networks that learn a density of vectors (batch, dim) given conditions (batch, condition_dim).

    Subclasses define `build(xz_shape, conditions_shape)`, `loss(x, conditions, training)` per row, `log_density(x, conditions)` per
    row and `transport(z, conditions)`, which makes samples out of draws of the base distribution; all three on matrices.

    Args:
        base_distribution: `"normal"`, `"student"`, or a `bayes.distributions.Distribution`.
    """

    offline_epochs = 50  # for which a workflow trains it on stored simulations, where the user does not say

    def __init__(self, base_distribution: str | Distribution = "normal", **kwargs):
        super().__init__(**kwargs)
        self.base_distribution = find_distribution(base_distribution)
        self._programs: dict[str, Callable] = {}

    # ------------------------------------------------------------------------------------------------ what subclasses define

    def loss(self, x: Any, conditions: Any = None, training: bool = False) -> Any:
        """The training loss of each row, of shape (batch,)."""
        raise TypeError(f"{type(self).__name__} does not define `loss`.")

    def log_density(self, x: Any, conditions: Any = None) -> Any:
        """The log-density of each row, of shape (batch,)."""
        raise TypeError(f"{type(self).__name__} has no log-density.")

    def transport(self, z: Any, conditions: Any = None) -> Any:
        """Samples (batch, dim) out of base draws (batch, dim)."""
        raise TypeError(f"{type(self).__name__} does not define `transport`.")

    # ------------------------------------------------------------------------------------------------ what users call

    def call(self, xz: Any, conditions: Any = None, inverse: bool = False, training: bool = False) -> Any:
        """The samples of base draws `xz` where `inverse`, else the log-density of samples `xz`."""
        return self.transport(xz, conditions) if inverse else self.log_density(xz, conditions)

    def compute_metrics(self, x: Any, conditions: Any = None, sample_weight: Any = None, stage: str = "training") -> dict[str, Any]:
        """`{"loss": scalar}`: the mean of `loss` over the rows, weighted by `sample_weight` (batch,) where given."""
        x, conditions = self._tensors(x, conditions)
        with core.backend.use(self.backend):
            losses = self.loss(x, conditions, training=stage == "training")
            if sample_weight is None:
                return {"loss": ops.mean(losses)}
            weight = ops.reshape(ops.cast(ops.convert_to_tensor(sample_weight), losses.dtype), (-1,))
            return {"loss": ops.sum(losses * weight) / ops.sum(weight)}

    def log_prob(self, samples: Any, conditions: Any = None, **options: Any) -> Any:
        """The log-density of `samples` (..., dim) given `conditions` (..., condition_dim), of shape (...,).

        The leading axes broadcast: one row of conditions serves all samples. Compiled; where a framework records gradients as it
        computes, none are recorded: differentiate `log_density`.
        """
        samples, conditions = self._tensors(samples, conditions)
        with core.backend.use(self.backend), self.backend.no_grad():
            leading = tuple(samples.shape[:-1])
            if conditions is not None:
                leading = _broadcast(leading, tuple(conditions.shape[:-1]))
            return self._run("log_density", samples, conditions, leading, **options)

    def sample(self, batch_shape: int | Sequence[int], conditions: Any = None, seed: Any = None, **options: Any) -> Any:
        """Draws of shape (*batch_shape, dim).

        Args:
            batch_shape: how many, an integer or a tuple.
            conditions: (..., condition_dim), whose leading axes broadcast to `batch_shape`: one row serves all draws.
            seed: an integer (the same draws at each call), a `core.random.SeedGenerator`, or None for the process' state.
        """
        shape = as_batch_shape(batch_shape)
        if not self.built:
            raise ValueError(f"{type(self).__name__} has not been built: train it, or call build((None, dim), (None, condition_dim)).")
        _, conditions = self._tensors(None, conditions)
        with core.backend.use(self.backend), self.backend.no_grad():
            return self._run("transport", self.base_distribution.sample(shape, seed=seed), conditions, shape, **options)

    # ------------------------------------------------------------------------------------------------ how they run

    def _tensors(self, x: Any, conditions: Any) -> tuple[Any, Any]:
        """Both as tensors of the compute dtype; builds the network where it is not, and checks the sizes against it."""
        with core.backend.use(self.backend):
            x = None if x is None else ops.cast(ops.convert_to_tensor(x), self.compute_dtype)
            conditions = None if conditions is None else ops.cast(ops.convert_to_tensor(conditions), self.compute_dtype)
        if not self.built:
            self.build(tuple(x.shape), None if conditions is None else tuple(conditions.shape))
        for name, given, expected in (("vectors", x, self.dim), ("conditions", conditions, self.condition_dim)):
            if given is not None and (len(given.shape) < 1 or given.shape[-1] != expected):
                raise ValueError(f"{type(self).__name__} was built for {name} of size {expected}, got shape {tuple(given.shape)}.")
        if conditions is None and self.condition_dim:
            raise ValueError(f"{type(self).__name__} was built with conditions of size {self.condition_dim}; give `conditions`.")
        return x, conditions

    def _note_sizes(self, xz_shape: Any, conditions_shape: Any) -> None:
        """What `build` of a subclass begins with."""
        self.dim = int(xz_shape[-1])
        self.condition_dim = 0 if conditions_shape is None else int(conditions_shape[-1])
        if not self.base_distribution.built:  # one that comes out of a file is
            self.base_distribution.build((None, self.dim))

    def _run(self, what: str, x: Any, conditions: Any, leading: tuple[int, ...], **options: Any) -> Any:
        """The compiled method on rows, and its result with the leading axes again."""
        rows = _product(leading)
        x = ops.reshape(ops.broadcast_to(x, (*leading, self.dim)), (rows, self.dim))
        if conditions is not None:
            conditions = ops.reshape(ops.broadcast_to(conditions, (*leading, self.condition_dim)), (rows, self.condition_dim))
        program = self._program(what)
        if rows <= ROWS_AT_A_TIME:
            result = program(x, conditions, **options)
        else:
            parts = []
            for start in range(0, rows, ROWS_AT_A_TIME):
                stop = start + ROWS_AT_A_TIME
                parts.append(program(x[start:stop], None if conditions is None else conditions[start:stop], **options))
            result = ops.concatenate(parts, 0)
        return ops.reshape(result, (*leading, *result.shape[1:]))

    def _program(self, what: str) -> Callable:
        """A method compiled once, and anew only for other shapes or another backend."""
        if what not in self._programs:
            method = getattr(self, what)
            self._programs[what] = core.jit(lambda x, conditions, **options: method(x, conditions, **options))
        return self._programs[what]

    def get_config(self) -> dict:
        return {**super().get_config(), "base_distribution": self.base_distribution}

    @classmethod
    def from_config(cls, config: dict) -> InferenceNetwork:
        return cls(**{key: deserialize_keras_object(value) for key, value in config.items()})


def _product(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of two sets of leading axes."""
    length = max(len(first), len(second))
    pairs = zip((1,) * (length - len(first)) + first, (1,) * (length - len(second)) + second)
    shape = []
    for a, b in pairs:
        if a != b and 1 not in (a, b):
            raise ValueError(f"The leading axes of samples {first} and conditions {second} do not broadcast.")
        shape.append(b if a == 1 else a)
    return tuple(shape)
