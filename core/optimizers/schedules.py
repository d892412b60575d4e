"""Learning rate schedules: functions of the step, written with ops, so that they run inside compiled training steps."""

from __future__ import annotations

import math
from typing import Any

from core import ops
from core.base import registry

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule", "PiecewiseConstantDecay",
    "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """Base class: `schedule(step)` is the learning rate at a step, as a scalar tensor.

    A subclass defines `__call__` (with ops, not Python branches, since `step` may be a tracer) and `get_config`.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** ops.cast(step, "float32")
    ...     def get_config(self):
    ...         return {}
    >>> round(float(Halving()(2)), 6)
    0.025
    """

    _config: tuple[str, ...] = ()

    def __call__(self, step: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(self, step), which returns the learning rate at that step.")

    def get_config(self) -> dict:
        """The constructor's arguments."""
        if type(self).__module__ != __name__:
            raise TypeError(f"{type(self).__name__} must define get_config(self), which returns its constructor's arguments, to be saved.")
        return {name: getattr(self, name) for name in self._config}

    @classmethod
    def from_config(cls, config: dict) -> LearningRateSchedule:
        """The schedule that `get_config` describes."""
        return cls(**config)


def _require_positive(name: str, value: Any) -> None:
    if not value > 0:
        raise ValueError(f"{name} must be greater than 0, got {value}.")


def _step(step: Any) -> Any:
    return ops.cast(step, "float32")


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; with `staircase`, the exponent is rounded down.

    >>> round(float(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)), 6)
    0.025
    """

    _config = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        _require_positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def _periods(self, step):
        periods = _step(step) / self.decay_steps
        return ops.floor(periods) if self.staircase else periods

    def __call__(self, step):
        return self.initial_learning_rate * ops.power(self.decay_rate, self._periods(step))


class InverseTimeDecay(ExponentialDecay):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; with `staircase`, the quotient is rounded down.

    >>> round(float(InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)), 6)
    0.05
    """

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step):
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._periods(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` up to and including step `boundaries[i]`, `values[-1]` after the last boundary.

    >>> [float(PiecewiseConstantDecay([2, 4], [3.0, 2.0, 1.0])(step)) for step in (2, 3, 5)]
    [3.0, 2.0, 1.0]
    """

    _config = ("boundaries", "values", "name")

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(f"values must be one longer than boundaries, got {len(boundaries)} boundaries and {len(values)} values.")
        self.boundaries, self.values, self.name = boundaries, values, name

    def __call__(self, step):
        step = _step(step)
        rate = ops.zeros_like(step) + self.values[0]
        for boundary, value in zip(self.boundaries, self.values[1:]):
            rate = ops.where(step > boundary, value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` along `(1 - step / decay_steps) ** power`.

    After `decay_steps` it stays at the end; with `cycle`, `decay_steps` is stretched to the next multiple that holds the step.

    >>> round(float(PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)), 6)
    0.05
    """

    _config = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name="PolynomialDecay"):
        _require_positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.end_learning_rate = initial_learning_rate, decay_steps, end_learning_rate
        self.power, self.cycle, self.name = power, cycle, name

    def __call__(self, step):
        step = _step(step)
        if self.cycle:
            total = self.decay_steps * ops.maximum(ops.ceil(step / self.decay_steps), 1.0)
        else:
            total, step = float(self.decay_steps), ops.minimum(step, float(self.decay_steps))
        left = ops.maximum(1.0 - step / total, 0.0)  # compiled divisions round, and a root of -1e-8 is NaN
        return (self.initial_learning_rate - self.end_learning_rate) * ops.power(left, self.power) + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from `initial_learning_rate` to `alpha` times that (Loshchilov & Hutter 2016), after an optional linear warmup.

    With `warmup_target`, the rate goes linearly from `initial_learning_rate` to `warmup_target` in `warmup_steps`, and the
    cosine then starts at `warmup_target`.

    >>> round(float(CosineDecay(0.1, decay_steps=10)(5)), 6)
    0.05
    """

    _config = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0):
        _require_positive("decay_steps", decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = initial_learning_rate, decay_steps, alpha, name
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def _decayed(self, step, start):
        fraction = ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        return start * ((1.0 - self.alpha) * 0.5 * (1.0 + ops.cos(math.pi * fraction)) + self.alpha)

    def __call__(self, step):
        step = _step(step)
        if self.warmup_target is None:
            return self._decayed(step, self.initial_learning_rate)
        rise = (self.warmup_target - self.initial_learning_rate) * (step / max(self.warmup_steps, 1)) + self.initial_learning_rate
        return ops.where(step < self.warmup_steps, rise, self._decayed(step - self.warmup_steps, self.warmup_target))


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other, each `t_mul` times as long and starting `m_mul` times as high (SGDR, Loshchilov & Hutter 2016).

    >>> [round(float(CosineDecayRestarts(0.1, first_decay_steps=10)(step)), 6) for step in (5, 10)]
    [0.05, 0.1]
    """

    _config = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        _require_positive("first_decay_steps", first_decay_steps)
        self.initial_learning_rate, self.first_decay_steps, self.t_mul, self.m_mul = initial_learning_rate, first_decay_steps, t_mul, m_mul
        self.alpha, self.name = alpha, name

    def __call__(self, step):
        done = _step(step) / self.first_decay_steps  # in units of the first period
        if self.t_mul == 1.0:
            restart = ops.floor(done)
            fraction = done - restart
        else:  # after i periods, (1 - t_mul**i) / (1 - t_mul) units have gone by
            restart = ops.floor(ops.log(1.0 - done * (1.0 - self.t_mul)) / math.log(self.t_mul))
            length = ops.power(self.t_mul, restart)
            fraction = (done - (1.0 - length) / (1.0 - self.t_mul)) / length
        height = ops.power(self.m_mul, restart)
        return self.initial_learning_rate * ((1.0 - self.alpha) * 0.5 * height * (1.0 + ops.cos(math.pi * fraction)) + self.alpha)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict:
    """A schedule as a config."""
    return registry.serialize_keras_object(learning_rate_schedule)


def deserialize(config: dict, custom_objects: dict | None = None) -> LearningRateSchedule:
    """A schedule from its config."""
    if isinstance(config, dict) and config.get("module") is None and config.get("registered_name") is None:
        config = {**config, "module": "keras.optimizers.schedules"}
    return registry.deserialize_keras_object(config, custom_objects=custom_objects)
