"""Steps scaled by what each element's gradients have summed up to: Adagrad, RMSprop, Adadelta, Ftrl, Adafactor."""

from __future__ import annotations

from core import ops
from core.optimizers.optimizer import Optimizer
from core.state.variable import Variable


class Adagrad(Optimizer):
    """Steps over the root of the sum of all squared gradients, so that rare features learn fast (Duchi et al. 2011)."""

    _config = ("initial_accumulator_value", "epsilon")
    fused, fused_arguments = "update_adagrad", ("epsilon",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def slot_names(self):
        return (("accumulator",),)

    def initial_slot(self, name):
        return self.initial_accumulator_value

    def update_rule(self, gradient, value, learning_rate, step, accumulator):
        accumulator = accumulator + ops.square(gradient)
        return value - learning_rate * gradient / ops.sqrt(accumulator + self.epsilon), accumulator


class RMSprop(Optimizer):
    """Steps over the root of a running mean of the squared gradient (Hinton 2012); of its variance where `centered`."""

    _config = ("rho", "momentum", "epsilon", "centered")
    fused, fused_arguments = "update_rmsprop", ("rho", "momentum", "epsilon", "centered")

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def slot_names(self):
        return (("velocity",), *((("momentum",),) if self.momentum > 0 else ()), *((("average_gradient",),) if self.centered else ()))

    def update_rule(self, gradient, value, learning_rate, step, velocity, *more):
        more = list(more)
        velocity = self.rho * velocity + (1 - self.rho) * ops.square(gradient)
        spread = velocity + self.epsilon
        if self.centered:
            more[-1] = self.rho * more[-1] + (1 - self.rho) * gradient
            spread = spread - ops.square(more[-1])
        change = learning_rate * gradient / ops.sqrt(spread)
        if self.momentum > 0:
            change = more[0] = self.momentum * more[0] + change
        return value - change, velocity, *more


class Adadelta(Optimizer):
    """Steps in the units of the variable: gradient over its running root mean square, times that of past changes (Zeiler 2012)."""

    _config = ("rho", "epsilon")
    fused, fused_arguments = "update_adadelta", ("rho", "epsilon")

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.epsilon = rho, epsilon

    def slot_names(self):
        return (("accumulated_grad", "accumulated_delta_var"),)

    def update_rule(self, gradient, value, learning_rate, step, squares, deltas):
        squares = self.rho * squares + (1 - self.rho) * ops.square(gradient)
        change = ops.sqrt(deltas + self.epsilon) / ops.sqrt(squares + self.epsilon) * gradient
        return value - learning_rate * change, squares, self.rho * deltas + (1 - self.rho) * ops.square(change)


class Ftrl(Optimizer):
    """Follow the regularized leader: sparse linear models on many features (McMahan et al. 2013).

    `l2_shrinkage_regularization_strength` adds to the gradient alone, `l2_regularization_strength` to the leader's penalty.
    """

    _config = ("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
               "l2_shrinkage_regularization_strength", "beta")  # fmt: skip

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1, l1_regularization_strength=0.0,
                 l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0, beta=0.0, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        if initial_accumulator_value < 0 or learning_rate_power > 0:
            raise ValueError(
                f"Ftrl needs initial_accumulator_value >= 0 and learning_rate_power <= 0, "
                f"got {initial_accumulator_value} and {learning_rate_power}."
            )
        for key, strength in (
            ("l1", l1_regularization_strength),
            ("l2", l2_regularization_strength),
            ("l2_shrinkage", l2_shrinkage_regularization_strength),
        ):
            if strength < 0:
                raise ValueError(f"{key}_regularization_strength must be at least 0, got {strength}.")
        self.learning_rate_power, self.initial_accumulator_value, self.beta = learning_rate_power, initial_accumulator_value, beta
        self.l1_regularization_strength, self.l2_regularization_strength = l1_regularization_strength, l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength

    def slot_names(self):
        return (("accumulator", "linear"),)

    def initial_slot(self, name):
        return self.initial_accumulator_value if name == "accumulator" else "zeros"

    def update_rule(self, gradient, value, learning_rate, step, accumulator, linear):
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * value
        total = accumulator + ops.square(gradient)
        before, after = ops.power(accumulator, -self.learning_rate_power), ops.power(total, -self.learning_rate_power)
        linear = linear + shrunk - (after - before) / learning_rate * value
        l2 = self.l2_regularization_strength + self.beta / (2 * learning_rate)
        quadratic = after / learning_rate + 2 * l2
        l1 = self.l1_regularization_strength
        return (ops.clip(linear, -l1, l1) - linear) / quadratic, total, linear


class Adafactor(Optimizer):
    """Adam's scaling with the squares' means kept per row and per column: memory of rows + columns (Shazeer & Stern 2018)."""

    _config = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=0.001, clip_threshold=1.0, relative_step=True,
                 weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
                         loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        rows, columns, velocities = [], [], []
        for variable in self._trainable_variables:
            shape, name = variable.shape, variable.path.replace("/", "_")
            if len(shape) < 2:  # not factored; files hold a placeholder in place of rows and columns
                for slots in (rows, columns):
                    slots.append(self._track(Variable(0, dtype="int32", trainable=False, name=variable.name, backend=self._backend)))
            else:
                rows.append(self.add_variable(shape[:-1], "zeros", variable.dtype, name=name))
                columns.append(self.add_variable((*shape[:-2], shape[-1]), "zeros", variable.dtype, name=name))
            velocities.append(self.add_variable_from_reference(variable, "velocity"))
        self._slots = {"row": rows, "column": columns, "velocity": velocities}

    def update_rule(self, gradient, value, learning_rate, step, row, column, velocity):
        if self.relative_step:
            learning_rate = ops.minimum(learning_rate, 1 / ops.sqrt(step))
        scale = ops.maximum(self.epsilon_2, ops.sqrt(ops.mean(ops.square(value))))
        kept = 1 - ops.power(step, self.beta_2_decay)
        squares = ops.square(gradient) + self.epsilon_1
        if len(value.shape) < 2:
            velocity = kept * velocity + (1 - kept) * squares
        else:
            row = kept * row + (1 - kept) * ops.mean(squares, axis=-1)
            column = kept * column + (1 - kept) * ops.mean(squares, axis=-2)
            share = row / ops.mean(row, axis=-1, keepdims=True)
            velocity = ops.expand_dims(share, -1) * ops.expand_dims(column, -2)
        change = gradient / ops.sqrt(velocity)
        change = change / ops.maximum(1.0, ops.sqrt(ops.mean(ops.square(change))) / self.clip_threshold)
        return value - learning_rate * scale * change, row, column, velocity
