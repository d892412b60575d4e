"""Steps scaled by running moments of the gradient: Adam and its family."""

from __future__ import annotations

from typing import Any

from core import ops
from core.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """Steps along the running mean of the gradient, over the root of the running mean of its square (Kingma & Ba 2014).

    With `amsgrad`, over the root of the largest such mean so far (Reddi et al. 2018). `epsilon` is the paper's "epsilon hat".

    >>> import numpy as np
    >>> from core.state.variable import Variable
    >>> v = Variable(np.zeros(2, "float32"))
    >>> Adam(0.1).apply([np.array([2.0, -3.0], "float32")], [v])
    >>> v.numpy().round(4)
    array([-0.1,  0.1], dtype=float32)
    """

    _config = ("beta_1", "beta_2", "epsilon", "amsgrad")
    fused, fused_arguments = "update_adam", ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def slot_names(self):
        return (("momentum", "velocity"), ("velocity_hat",)) if self.amsgrad else (("momentum", "velocity"),)

    def update_rule(self, gradient, value, learning_rate, step, momentum, velocity, velocity_hat: Any = None):
        rate = learning_rate * ops.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        momentum = momentum + (gradient - momentum) * (1 - self.beta_1)
        velocity = velocity + (ops.square(gradient) - velocity) * (1 - self.beta_2)
        if velocity_hat is None:
            return value - rate * momentum / (ops.sqrt(velocity) + self.epsilon), momentum, velocity
        velocity_hat = ops.maximum(velocity_hat, velocity)
        return value - rate * momentum / (ops.sqrt(velocity_hat) + self.epsilon), momentum, velocity, velocity_hat


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov & Hutter 2017)."""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
                 loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        if not isinstance(weight_decay, (int, float)):
            raise ValueError(f"AdamW needs a number as weight_decay, got {weight_decay!r}; Adam does without.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
                         ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip


class Adamax(Optimizer):
    """Adam with the largest decayed gradient so far in place of the root mean square (Kingma & Ba 2014, section 7)."""

    _config = ("beta_1", "beta_2", "epsilon")
    fused, fused_arguments = "update_adamax", ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slot_names(self):
        return (("momentum", "norm"),)

    def update_rule(self, gradient, value, learning_rate, step, momentum, norm):
        momentum = momentum + (gradient - momentum) * (1 - self.beta_1)
        norm = ops.maximum(self.beta_2 * norm, ops.abs(gradient))
        return value - learning_rate * momentum / ((1 - self.beta_1**step) * (norm + self.epsilon)), momentum, norm


class Nadam(Optimizer):
    """Adam with Nesterov momentum, whose weight grows with the steps (Dozat 2016)."""

    _config = ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slot_names(self):
        return (("momentum", "velocity"),)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            dtype = variables[0].dtype if variables else None
            self._product = self.add_variable((), "ones", dtype, name="momentum_product")  # of the momentum weights so far

    def _weight(self, step):
        return self.beta_1 * (1 - 0.5 * 0.96**step)

    def before_update(self, variables):
        self._product.assign(self._product.value * self._weight(ops.cast(self._updates() + 1, self._product.dtype)))

    def update_rule(self, gradient, value, learning_rate, step, momentum, velocity):
        product, now, next_ = ops.cast(self._product.value, value.dtype), self._weight(step), self._weight(step + 1)
        momentum = momentum + (gradient - momentum) * (1 - self.beta_1)
        velocity = velocity + (ops.square(gradient) - velocity) * (1 - self.beta_2)
        direction = next_ * momentum / (1 - product * next_) + (1 - now) * gradient / (1 - product)
        return value - learning_rate * direction / (ops.sqrt(velocity / (1 - self.beta_2**step)) + self.epsilon), momentum, velocity


class Lamb(Optimizer):
    """Adam's direction with steps as long as a share of each variable's norm, for large batches (You et al. 2019)."""

    _config = ("beta_1", "beta_2", "epsilon")

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def slot_names(self):
        return (("momentum", "velocity"),)

    def update_rule(self, gradient, value, learning_rate, step, momentum, velocity):
        momentum = momentum + (gradient - momentum) * (1 - self.beta_1)
        velocity = velocity + (ops.square(gradient) - velocity) * (1 - self.beta_2)
        direction = momentum / (1 - self.beta_1**step) / (ops.sqrt(velocity / (1 - self.beta_2**step)) + self.epsilon)
        length, step_length = ops.sqrt(ops.sum(ops.square(value))), ops.sqrt(ops.sum(ops.square(direction)))
        apart = step_length > 0
        trust = ops.where(length > 0, ops.where(apart, length / ops.where(apart, step_length, 1.0), 1.0), 1.0)
        return value - trust * learning_rate * direction, momentum, velocity
