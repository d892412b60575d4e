"""Training that cools down before it stops: where the validation loss no longer falls, the learning rate does, and then training ends.

A run that stops early has not seen the small learning rates at the end of its schedule, which average out the noise of the steps. It
therefore goes back to its best weights and goes on for a little while, with a learning rate that falls to zero.
"""

from __future__ import annotations

import math
from typing import Any

import core
from core import ops
from core.saving import register_keras_serializable

NEVER = 1e30  # as the step at which cooling begins


@register_keras_serializable("bayes")
class CoolingSchedule(core.optimizers.schedules.LearningRateSchedule):
    """Another schedule until `cool(...)` is called, then half a cosine from a height down to zero.

    >>> schedule = CoolingSchedule(core.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5))
    >>> schedule.cool(start=10, steps=20, height=0.02)
    >>> [round(float(schedule(step)), 3) for step in (0, 10, 20, 30)]
    [0.1, 0.02, 0.01, 0.0]
    """

    def __init__(self, schedule: Any):
        self.schedule = schedule
        self.plan = core.Variable([NEVER, 1.0, 0.0], trainable=False, dtype="float32", name="cooling")  # start, steps, height

    def __call__(self, step: Any) -> Any:
        start, steps, height = ops.unstack(self.plan.value)
        step = ops.cast(step, "float32")
        share = ops.clip((step - start) / steps, 0.0, 1.0)
        return ops.where(step < start, self.schedule(step), 0.5 * height * (1.0 + ops.cos(math.pi * share)))

    def cool(self, start: float, steps: float, height: float) -> None:
        """From the step `start` on, the rate falls from `height` to zero in so many steps."""
        self.plan.assign([float(start), max(1.0, float(steps)), float(height)])

    def warm(self) -> None:
        """Follows the other schedule again."""
        self.plan.assign([NEVER, 1.0, 0.0])

    def get_config(self) -> dict:
        return {"schedule": core.saving.serialize_keras_object(self.schedule)}

    @classmethod
    def from_config(cls, config: dict) -> CoolingSchedule:
        return cls(core.saving.deserialize_keras_object(config["schedule"]))


class CoolDown(core.callbacks.EarlyStopping):
    """Ends training as `EarlyStopping` does, with the best weights, but cools the learning rate down from them first.

    Args:
        schedule: the `CoolingSchedule` of the optimizer.
        patience: epochs without a better validation loss after which cooling begins.
        epochs: how many the cooling takes.
        height: where the rate begins to fall from then, in parts of what it is at that time.
    """

    def __init__(self, schedule: CoolingSchedule, patience: int, epochs: int, height: float = 0.2):
        super().__init__(monitor="val_loss", patience=patience, restore_best_weights=True)
        self.schedule, self.epochs, self.height = schedule, epochs, height
        self.last: int | None = None  # the last epoch of the cooling, once it has begun

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.schedule.warm()
        self.last = None

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if self.last is None and self.model.stop_training:
            self.model.stop_training = False
            self.model.set_weights(self.best_weights)
            self.last = epoch + self.epochs
            step = int(self.model.optimizer.iterations.numpy())
            self.schedule.cool(step, self.epochs * step / (epoch + 1), self.height * float(self.schedule(step)))
        elif self.last is not None:
            self.model.stop_training = epoch >= self.last
