"""Schedule-free AdamW: an average of the iterates in place of a learning rate schedule."""

from __future__ import annotations

from core import ops
from core.optimizers.optimizer import Optimizer


class ScheduleFreeAdamW(Optimizer):
    """AdamW whose variables lie between its iterates and their mean, so that no schedule is needed (Defazio et al. 2024).

    The variables hold the point at which gradients are taken, `beta_1 * mean + (1 - beta_1) * iterate`; the slot "momentum" holds the
    iterate. `warmup_steps` is the length of a linear warmup.
    """

    _config = ("beta_1", "beta_2", "epsilon", "warmup_steps")

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        if not 0 < beta_1 <= 1:
            raise ValueError(f"beta_1 must be in (0, 1], got {beta_1}: the variables lie beta_1 of the way to the mean.")
        self.beta_1, self.beta_2, self.epsilon, self.warmup_steps = beta_1, beta_2, epsilon, warmup_steps

    def slot_names(self):
        return (("momentum", "velocity"),)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            for iterate, variable in zip(self._slots["momentum"], self._trainable_variables):
                iterate.assign(variable.value)

    def update_rule(self, gradient, value, learning_rate, step, iterate, velocity):
        if self.warmup_steps:
            learning_rate = learning_rate * ops.minimum(step / self.warmup_steps, 1.0)
        mean = (value - (1 - self.beta_1) * iterate) / self.beta_1
        velocity = self.beta_2 * velocity + (1 - self.beta_2) * ops.square(gradient)
        iterate = iterate - learning_rate * gradient / (ops.sqrt(velocity / (1 - self.beta_2**step)) + self.epsilon)
        mean = mean + (iterate - mean) / step
        return self.beta_1 * mean + (1 - self.beta_1) * iterate, iterate, velocity
