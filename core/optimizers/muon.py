"""Muon: momentum made orthogonal, for matrices; Adam for the rest."""

from __future__ import annotations

import re
from typing import Any

from core import ops
from core.optimizers.optimizer import Optimizer


class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix to the momentum (Jordan et al. 2024; scaled as by Liu et al. 2025), for rank 2.

    Other ranks, embeddings (`exclude_embeddings`: a path with "embedding" in it) and variables whose path matches one of
    `exclude_layers` get Adam, with `learning_rate * adam_lr_ratio`.

    Args:
        momentum, nesterov: of the matrices' momentum.
        ns_steps, muon_a, muon_b, muon_c: number of Newton-Schulz steps, and the coefficients of their polynomial.
        rms_rate: root mean square of a step's elements, before the learning rate.
        adam_beta_1, adam_beta_2, epsilon, adam_weight_decay, adam_lr_ratio: for the variables under Adam.
    """

    _config = ("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio", "momentum",
               "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate")  # fmt: skip

    def __init__(self, learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999, adam_weight_decay=0.004, epsilon=1e-7, weight_decay=0.004,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99, ema_overwrite_frequency=None,
                 loss_scale_factor=None, gradient_accumulation_steps=None, name=None, exclude_layers=None, exclude_embeddings=True,
                 muon_a=3.4445, muon_b=-4.775, muon_c=2.0315, adam_lr_ratio=1, momentum=0.95, ns_steps=5, nesterov=True, rms_rate=0.2,
                 **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.adam_beta_1, self.adam_beta_2, self.epsilon, self.adam_weight_decay = adam_beta_1, adam_beta_2, epsilon, adam_weight_decay
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or []), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c, self.ns_steps = muon_a, muon_b, muon_c, ns_steps
        self.adam_lr_ratio, self.momentum, self.nesterov, self.rms_rate = adam_lr_ratio, momentum, nesterov, rms_rate

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = [], []
        for variable in self._trainable_variables:
            self._momentums.append(self.add_variable_from_reference(variable, "momentum"))
            self._velocities.append(self.add_variable_from_reference(variable, "velocity") if self._under_adam(variable) else None)

    def _under_adam(self, variable) -> bool:
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def _decay_weights(self, variables, rate):
        for variable in variables:
            decay = self.adam_weight_decay if self._under_adam(variable) else self.weight_decay
            if decay is not None and self._use_weight_decay(variable):
                variable.assign(variable.value - variable.value * ops.cast(rate * decay, variable.dtype))

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        step = self._adam if self._velocities[index] is not None else self._muon
        step(gradient, variable, learning_rate, self._momentums[index], self._velocities[index])

    def _muon(self, gradient, variable, learning_rate, momentum, _):
        momentum.assign(self.momentum * momentum.value + gradient)
        direction = gradient + self.momentum * momentum.value if self.nesterov else momentum.value
        orthogonal = self.zeropower_via_newtonschulz5(direction, self.ns_steps)
        variable.assign(variable.value - learning_rate * self.lr_adjust(orthogonal))

    def _adam(self, gradient, variable, learning_rate, momentum, velocity):
        step = ops.cast(self._updates() + 1, variable.dtype)
        rate = self.adam_lr_ratio * learning_rate * ops.sqrt(1 - self.adam_beta_2**step) / (1 - self.adam_beta_1**step)
        momentum.assign(momentum.value + (gradient - momentum.value) * (1 - self.adam_beta_1))
        velocity.assign(velocity.value + (ops.square(gradient) - velocity.value) * (1 - self.adam_beta_2))
        variable.assign(variable.value - rate * momentum.value / (ops.sqrt(velocity.value) + self.epsilon))

    def lr_adjust(self, x: Any) -> Any:
        """`x`, whose rows or columns are orthonormal, scaled so that its elements' root mean square is about `rms_rate`."""
        return x * (self.rms_rate * max(x.shape[0], x.shape[1]) ** 0.5)

    def transpose_last_axis(self, X: Any) -> Any:
        """`X` with its last two axes swapped."""
        return ops.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """About the orthogonal factor of `x`: its singular values pushed towards one by an odd polynomial, `steps` times."""
        wide = x.shape[0] <= x.shape[1]
        x = x if wide else self.transpose_last_axis(x)
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(steps):
            gram = ops.matmul(x, self.transpose_last_axis(x))
            x = self.muon_a * x + ops.matmul(self.muon_b * gram + self.muon_c * ops.matmul(gram, gram), x)
        return x if wide else self.transpose_last_axis(x)
