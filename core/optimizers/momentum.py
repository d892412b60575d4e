"""Gradient descent along the gradient or a running mean of it: SGD and Lion."""

from __future__ import annotations

from typing import Any

from core import ops
from core.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """`value -= learning_rate * gradient`, or with momentum (Sutskever et al. 2013, with `nesterov`) along a decaying sum of past steps.

    >>> import core.optimizers as optimizers
    >>> optimizers.SGD(0.1, momentum=0.9).momentum
    0.9
    """

    _config = ("momentum", "nesterov")
    fused, fused_arguments = "update_sgd", ("momentum", "nesterov")

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, clipnorm=None, clipvalue=None,
                 global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be a number between 0 and 1, got {momentum!r}.")
        self.momentum, self.nesterov = momentum, nesterov

    def slot_names(self):
        return (("momentum",),) if self.momentum else ()

    def update_rule(self, gradient, value, learning_rate, step, momentum: Any = None):
        if momentum is None:
            return (value - learning_rate * gradient,)
        momentum = self.momentum * momentum - learning_rate * gradient
        if self.nesterov:
            return value + self.momentum * momentum - learning_rate * gradient, momentum
        return value + momentum, momentum


class Lion(Optimizer):
    """Steps of one size along the sign of an interpolated momentum (Chen et al. 2023). Takes a third to a tenth of Adam's learning rate."""

    _config = ("beta_1", "beta_2")
    fused, fused_arguments = "update_lion", ("beta_1", "beta_2")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None,
                 use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        if not 0 < beta_1 <= 1:
            raise ValueError(f"beta_1 must be in (0, 1], got {beta_1}: at 0, Lion is sign descent.")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def slot_names(self):
        return (("momentum",),)

    def update_rule(self, gradient, value, learning_rate, step, momentum):
        direction = ops.sign(self.beta_1 * momentum + (1 - self.beta_1) * gradient)
        return value - learning_rate * direction, self.beta_2 * momentum + (1 - self.beta_2) * gradient
