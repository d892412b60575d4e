"""`Optimizer`: from gradients to new values, the same in every framework.

An optimizer is a formula, `update_rule(gradient, value, learning_rate, step, *slots)`, and the names of its slots. All else (clipping,
weight decay, accumulation, averages, constraints) is here. Where a backend has a function that updates all variables in one call
(`fused`), that is used instead of the formula, as long as nobody has overridden it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from itertools import repeat
from operator import is_
from typing import Any

from core import ops
from core.backend import slot
from core.base import config as settings
from core.base import names, registry
from core.optimizers.plan import Plan
from core.optimizers.schedules import LearningRateSchedule
from core.state.module import Module
from core.state.variable import Variable

_CONFIG = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
           "loss_scale_factor", "gradient_accumulation_steps")  # fmt: skip


class Optimizer(Module):
    """Base class of optimizers.

    A subclass says which slots it keeps and how one variable changes; either with `slot_names` and `update_rule`, as the ones here do,
    or as in Keras with `build` and `update_step`.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: how much of each variable is taken off per step, times the learning rate.
        clipnorm, clipvalue, global_clipnorm: bounds of each gradient's norm, of its elements, of all gradients' norm; one of the three.
        use_ema: whether to keep an exponential moving average of the variables, with momentum `ema_momentum`; it replaces
            the variables every `ema_overwrite_frequency` steps (None: only in `finalize_variable_values`).
        loss_scale_factor: what `scale_loss` multiplies the loss by; gradients are divided by it.
        gradient_accumulation_steps: the number of calls whose mean gradient makes one update.

    >>> import numpy as np
    >>> v = Variable(np.ones(2, "float32"), name="v")
    >>> class Plain(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * gradient)
    >>> Plain(0.5).apply([ops.ones(2)], [v])
    >>> v.numpy()
    array([0.5, 0.5], dtype=float32)
    """

    _untracked = frozenset(("_trainable_variables", "_index", "_plan", "_slots", "_averages", "_accumulators", "_not_decayed"))
    _config: tuple[str, ...] = ()  # further arguments of the constructor, all attributes
    fused: str | None = None  # name of the backend function that updates all variables at once
    fused_arguments: tuple[str, ...] = ()  # attributes that it takes as keywords

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "fused" not in vars(cls) and ("update_step" in vars(cls) or "update_rule" in vars(cls)):
            cls.fused = None  # another formula than the one that the backends know

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs.pop("decay", None) is not None:
            warnings.warn("decay is ignored; give a schedule such as InverseTimeDecay as learning_rate.", stacklevel=2)
        if kwargs:
            raise ValueError(f"{type(self).__name__} got unknown arguments {sorted(kwargs)}.")
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"Only one of clipnorm, clipvalue and global_clipnorm can be set, got {clipnorm=}, {clipvalue=}, {global_clipnorm=}."
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"ema_momentum must be between 0 and 1, got {ema_momentum}.")
        if use_ema and ema_overwrite_frequency and (not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1):
            raise ValueError(f"ema_overwrite_frequency must be a positive integer or None, got {ema_overwrite_frequency}.")
        if gradient_accumulation_steps and not (isinstance(gradient_accumulation_steps, int) and gradient_accumulation_steps >= 2):
            raise ValueError(f"gradient_accumulation_steps must be an integer of at least 2, or None, got {gradient_accumulation_steps}.")
        name = names.auto_name(type(self).__name__) if name is None else name
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"An optimizer's name must be a string without '/', got {name!r}.")
        self.name, self.built = name, False
        self.weight_decay, self.clipnorm, self.clipvalue, self.global_clipnorm = weight_decay, clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.loss_scale_factor, self.gradient_accumulation_steps = loss_scale_factor, gradient_accumulation_steps
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._index: dict[int, int] = {}
        self._slots: dict[str, list[Variable]] = {}
        self._averages: list[Variable] = []
        self._accumulators: list[Variable] = []
        self._not_decayed: tuple[list[Variable], list[str]] = ([], [])
        self._warned = False
        self._plan: Plan | None = None
        with names.scope(self.name):
            self._iterations = self._track(Variable(0, dtype="int32", trainable=False, name="iteration", aggregation="only_first_replica"))
        self._learning_rate = self._accept_learning_rate(learning_rate)

    # ---------------------------------------------------------------------------------------------- variables

    def _track(self, variable: Variable) -> Variable:
        self._variables.append(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """All state: iterations, learning rate, then the slots, in the order in which files keep them."""
        return list(self._variables)

    def build(self, variables: list[Variable]) -> None:
        """Makes the slots of `variables`; `apply` does it at its first call."""
        if self.built:
            return
        variables = list(variables)
        if variables:
            self._move(variables[0].backend)
        self._trainable_variables = variables
        self._index = {id(v): i for i, v in enumerate(variables)}
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        for group in self.slot_names():
            made = self.add_optimizer_variables(variables, list(group), initializer=[self.initial_slot(name) for name in group])
            self._slots.update(zip(group, made))
        self.built = True

    def slot_names(self) -> tuple[tuple[str, ...], ...]:
        """The slots of each variable, in groups: variables first within a group, then slots."""
        return ()

    def initial_slot(self, name: str) -> Any:
        """The initializer of a slot: a name, a number, or a function of shape and dtype."""
        return "zeros"

    def add_variable(self, shape, initializer: Any = "zeros", dtype: Any = None, aggregation="none", layout=None, name=None) -> Variable:
        """A new variable of this optimizer's state."""
        with names.scope(self.name), slot.use(self._backend):
            return self._track(
                Variable(_initializer(initializer), tuple(shape), dtype, False, aggregation=aggregation, layout=layout, name=name)
            )

    def add_variable_from_reference(self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros") -> Variable:
        """A new variable of the shape and dtype of another one, named after it."""
        path = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, layout=getattr(reference_variable, "layout", None),
            name=path if name is None else f"{path}_{name}",
        )  # fmt: skip

    def add_optimizer_variables(self, trainable_variables: list[Variable], name: Any, initializer: Any = "zeros") -> list:
        """One slot for each variable; a list of slots for each name where `name` is a list (and one initializer for all or each)."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        initializers = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
        if len(initializers) != len(name):
            raise ValueError(f"{len(name)} names {list(name)} need as many initializers, or one for all; got {len(initializers)}.")
        made: list[list[Variable]] = [[] for _ in name]
        for variable in trainable_variables:
            for slots, one, initial in zip(made, name, initializers):
                slots.append(self.add_variable_from_reference(variable, one, initial))
        return made

    def _get_variable_index(self, variable: Variable) -> int:
        index = self._index.get(id(variable))
        if index is None:  # a deep copy has other variables than those that the index was made from
            self._index = {id(v): i for i, v in enumerate(self._trainable_variables)}
            index = self._index.get(id(variable))
        if index is None:
            raise ValueError(
                f"{self.name} was built for {len(self._index)} variables and {getattr(variable, 'path', variable)!r} is not among them; "
                "make a new optimizer for a new set of variables."
            )
        return index

    @property
    def _backend(self) -> Any:
        return self._iterations.backend

    def _move(self, backend: Any) -> None:
        for variable in self._variables:
            variable.to_backend(backend)
        self._plan = None

    def to_backend(self, backend: Any) -> None:
        """Moves all state to another backend; the variables to train are moved by the model."""
        self._move(slot.get(backend))

    # ---------------------------------------------------------------------------------------------- learning rate and iterations

    @property
    def iterations(self) -> Any:
        """How many updates were made: a variable, or with accumulation a tensor."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    def _updates(self) -> Any:
        iterations = self.iterations
        return iterations.value if isinstance(iterations, Variable) else iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable that can be assigned to, or what the schedule or function gives."""
        return self._learning_rate if isinstance(self._learning_rate, Variable) else self._current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        old, numeric = (
            self._learning_rate,
            not (isinstance(value, LearningRateSchedule) or (callable(value) and not hasattr(value, "shape"))),
        )
        if numeric and isinstance(old, LearningRateSchedule):
            raise TypeError(
                f"{self.name} follows the schedule {type(old).__name__}, so its learning rate cannot be set to a number; "
                "make it with a float learning_rate, or set another schedule."
            )
        if numeric and isinstance(old, Variable):
            old.assign(value)
            return
        if isinstance(old, Variable):
            self._variables = [v for v in self._variables if v is not old]
        self._learning_rate = float(value) if numeric else value

    def _accept_learning_rate(self, value: Any) -> Any:
        if isinstance(value, dict):
            value = registry.deserialize_keras_object(value)
        if isinstance(value, LearningRateSchedule) or (callable(value) and not hasattr(value, "shape")):
            return value
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"learning_rate must be a number, a LearningRateSchedule or a function without arguments, got {value!r}."
            ) from None
        with names.scope(self.name):
            return self._track(
                Variable(value, dtype=settings.floatx(), trainable=False, name="learning_rate", aggregation="only_first_replica")
            )

    def _current_learning_rate(self) -> Any:
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate.value
        if isinstance(rate, LearningRateSchedule):
            return rate(self._updates())
        return rate() if callable(rate) else rate

    # ---------------------------------------------------------------------------------------------- updates

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Updates the variables from pairs of gradient and variable; returns `iterations`."""
        grads, variables = zip(*grads_and_vars)
        self.apply(list(grads), list(variables))
        return self._iterations

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Updates variables from gradients in the same order.

        Args:
            grads: tensors; None for variables that the loss does not depend on (a warning names them, once).
            trainable_variables: the variables; those of `build` where None.
        """
        grads = list(grads)
        if trainable_variables is not None:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
        elif self.built:
            variables = self._trainable_variables
        else:
            raise ValueError(f"{self.name} is not built: give apply the variables, or call build(variables) first.")
        if not grads:
            return
        if len(grads) != len(variables):
            raise ValueError(f"apply needs one gradient for each variable, got {len(grads)} gradients and {len(variables)} variables.")
        if any(map(is_, grads, repeat(None))):
            grads, variables = self._present(grads, variables)
        backend = variables[0].backend
        if backend is not self._iterations.backend:
            self._move(backend)
        with backend.no_grad(), slot.use(backend):
            self._apply(grads, self._planned(variables))

    def _present(self, grads: list, variables: list[Variable]) -> tuple[list, list[Variable]]:
        missing = [v.path for g, v in zip(grads, variables) if g is None]
        if len(missing) == len(grads):
            raise ValueError("No variable has a gradient: the loss does not depend on any of them.")
        if not self._warned:
            self._warned = True
            warnings.warn(f"The loss does not depend on the variables {missing}; they are not updated. Was a loss left out?", stacklevel=4)
        return [g for g in grads if g is not None], [v for g, v in zip(grads, variables) if g is not None]

    def _planned(self, variables: list[Variable]) -> Plan:
        plan = self._plan
        if plan is None or len(plan.variables) != len(variables) or not all(map(is_, variables, plan.variables)):
            plan = self._plan = Plan(self, variables)
        return plan

    def _apply(self, grads: list, plan: Plan) -> None:
        grads = plan.accept(grads)
        if self.loss_scale_factor is not None:
            grads = [g if v.overwrite_with_gradient else g / self.loss_scale_factor for g, v in zip(grads, plan.variables)]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, plan)
        else:
            self._update(grads, plan)
        if self.use_ema:
            self._update_averages(plan)
        self._count()

    def _count(self) -> None:
        self._iterations.assign_add(1)

    def _accumulate(self, grads: list, plan: Plan) -> None:
        """Adds up gradients; every so many calls, updates with their mean."""
        steps, accumulators = self.gradient_accumulation_steps, plan.accumulators
        for accumulator, gradient, variable in zip(accumulators, grads, plan.variables):
            accumulator.assign(gradient if variable.overwrite_with_gradient else accumulator.value + gradient)

        def update() -> None:
            mean = [
                plan.backend.copy(a.value) if v.overwrite_with_gradient else a.value / steps for a, v in zip(accumulators, plan.variables)
            ]
            self._update(mean, plan)
            for accumulator in accumulators:
                accumulator.assign(ops.zeros_like(accumulator.value))

        due = (self._iterations.value + 1) % steps == 0
        plan.backend.update_if(due, update, [*plan.variables, *self._variables])

    def _update(self, grads: list, plan: Plan) -> None:
        """One update from final gradients."""
        if plan.overwrites:
            for gradient, variable in zip(grads, plan.variables):
                if variable.overwrite_with_gradient:
                    variable.assign(gradient)
            kept = [(g, v) for g, v in zip(grads, plan.variables) if not v.overwrite_with_gradient]
            if not kept:
                return
            grads, plan = [g for g, _ in kept], Plan(self, [v for _, v in kept])
        if self.clipnorm is not None or self.global_clipnorm is not None or self.clipvalue is not None:
            grads = self._clipped(grads, plan)
        self.before_update(plan.variables)
        rate = self._current_learning_rate()
        if not (self.fused and plan.fused(grads, rate)):
            self._decay_weights(plan.variables, rate)
            rates: dict[str, Any] = {}
            for gradient, variable in zip(grads, plan.variables):
                dtype = variable.dtype
                if dtype not in rates:
                    rates[dtype] = ops.cast(rate, dtype)
                self.update_step(gradient, variable, rates[dtype])
        for variable in plan.variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))

    def before_update(self, variables: list[Variable]) -> None:
        """What happens once per update, before the variables are looked at one by one."""

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Updates one variable and its slots. Subclasses override this or `update_rule`."""
        index = self._get_variable_index(variable)
        slots = [variables[index] for variables in self._slots.values()]
        step = ops.cast(self._updates() + 1, variable.dtype)
        new = self.update_rule(gradient, variable.value, learning_rate, step, *[s.value for s in slots])
        for holder, value in zip((variable, *slots), new, strict=True):
            holder.assign(value)

    def update_rule(self, gradient: Any, value: Any, learning_rate: Any, step: Any, *slots: Any) -> tuple[Any, ...]:
        """The formula: the new value and the new slots, from scalar tensors `learning_rate` and `step` (from 1 on)."""
        raise TypeError(f"{type(self).__name__} must define update_step(self, gradient, variable, learning_rate).")

    def _clipped(self, grads: list, plan: Plan) -> list:
        if self.clipvalue is not None:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in grads]
        if plan.backend.has("clip_gradients"):
            return plan.backend.clip_gradients(grads, self.clipnorm, self.global_clipnorm)
        squares = [ops.sum(ops.square(g)) for g in grads]
        if self.clipnorm is not None:
            return [g * (self.clipnorm / ops.maximum(ops.sqrt(s), self.clipnorm)) for g, s in zip(grads, squares)]
        norm = ops.sqrt(sum(ops.cast(s, "float32") for s in squares))
        scale = self.global_clipnorm / ops.maximum(norm, self.global_clipnorm)
        return [g * ops.cast(scale, v.dtype) for g, v in zip(grads, plan.variables)]

    # ---------------------------------------------------------------------------------------------- weight decay and averages

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None) -> None:
        """Leaves variables out of weight decay: those listed, and those whose path a regular expression is found in."""
        self._not_decayed[0].extend(var_list or ())
        self._not_decayed[1].extend(var_names or ())
        self._plan = None

    def _use_weight_decay(self, variable: Variable) -> bool:
        excluded, patterns = self._not_decayed
        return not any(variable is v for v in excluded) and not any(re.search(p, variable.path) for p in patterns)

    def _decay_weights(self, variables: list[Variable], rate: Any) -> None:
        if self.weight_decay is None:
            return
        for variable in variables:
            if self._use_weight_decay(variable):
                value = variable.value
                variable.assign(value - value * ops.cast(rate * self.weight_decay, variable.dtype))

    def _update_averages(self, plan: Plan) -> None:
        updates, momentum = self._updates(), self.ema_momentum
        for variable, average in zip(plan.variables, plan.averages):
            kept = ops.cast(updates > 0, variable.dtype) * momentum  # the first value is taken whole
            average.assign(kept * average.value + (1 - kept) * variable.value)
        if self.ema_overwrite_frequency:
            due = (updates + 1) % self.ema_overwrite_frequency == 0

            def overwrite() -> None:
                for variable, average in zip(plan.variables, plan.averages):
                    variable.assign(average.value)

            plan.backend.update_if(due, overwrite, [*plan.variables, *plan.averages])

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Puts the averages into the variables, where averages are kept; `fit` calls it at the end."""
        if self.use_ema:
            if len(variables := list(var_list)) != len(self._averages):
                raise ValueError(f"{self.name} keeps averages of {len(self._averages)} variables, got {len(variables)}.")
            for variable in variables:
                variable.assign(self._averages[self._get_variable_index(variable)].value)

    # ---------------------------------------------------------------------------------------------- loss scale, stateless use

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`: what to differentiate."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def stateless_apply(self, optimizer_variables: list, grads: list, trainable_variables: list) -> tuple[list, list]:
        """The new values `(trainable_variables, optimizer_variables)` from given ones; this optimizer keeps its own.

        >>> import core.optimizers as optimizers
        >>> v, optimizer = Variable(1.0), optimizers.SGD(0.5)
        >>> optimizer.build([v])
        >>> new, state = optimizer.stateless_apply([s.value for s in optimizer.variables], [ops.ones(())], [v.value])
        >>> float(new[0]), int(state[0]), float(v)
        (0.5, 1, 1.0)
        """
        if not self.built:
            raise ValueError(f"{self.name} is not built: call build(variables) before stateless_apply.")
        for kind, expected, got in (
            ("optimizer", self.variables, optimizer_variables),
            ("trainable", self._trainable_variables, trainable_variables),
        ):
            if len(expected) != len(got):
                raise ValueError(f"stateless_apply expects {len(expected)} values of {kind} variables, got {len(got)}.")
        values = [v.value if isinstance(v, Variable) else v for v in (*trainable_variables, *optimizer_variables)]
        holders = [*self._trainable_variables, *self.variables]
        new = self._backend.run_with(holders, values, lambda: self.apply(grads, self._trainable_variables))
        count = len(self._trainable_variables)
        return new[:count], new[count:]

    def assign(self, variable: Variable, value: Any) -> None:
        """Sets a variable; for `update_step`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Adds to a variable; for `update_step`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtracts from a variable; for `update_step`."""
        variable.assign_sub(value)

    # ---------------------------------------------------------------------------------------------- saving

    def set_weights(self, weights: list) -> None:
        """Sets all of `variables` from arrays in their order."""
        if not self.built:
            raise ValueError(f"{self.name} has no state yet: call build(trainable_variables) before set_weights.")
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"{self.name} has {len(variables)} variables, got {len(weights)} weights.")
        for variable, weight in zip(variables, weights):
            if variable.shape != tuple(getattr(weight, "shape", ())):
                raise ValueError(
                    f"{variable.path} has shape {variable.shape}, got a weight of shape {tuple(getattr(weight, 'shape', ()))}."
                )
        for variable, weight in zip(variables, weights):
            variable.assign(weight)

    def save_own_variables(self, store: dict) -> None:
        """Writes the state into a store, under "0", "1" and so on."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: dict) -> None:
        """Reads the state from a store; warns and keeps the present one where their numbers differ, as Keras does."""
        variables = self.variables
        if len(store.keys()) != len(variables):
            warnings.warn(
                f"The state of {self.name} was not loaded: it has {len(variables)} variables and the file has {len(store.keys())}.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def get_config(self) -> dict:
        """The constructor's arguments, as JSON values, with Keras' keys."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            rate = float(rate.numpy())
        elif not isinstance(rate, float):
            rate = registry.serialize_keras_object(rate)
        own = {name: getattr(self, name) for name in self._config}
        return {"name": self.name, "learning_rate": rate, **{name: getattr(self, name) for name in _CONFIG}, **own}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Optimizer:
        """The optimizer that `get_config` describes."""
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            if rate.get("module") is None and rate.get("registered_name") is None:
                rate = {**rate, "module": "keras.optimizers.schedules"}
            config = {**config, "learning_rate": registry.deserialize_keras_object(rate, custom_objects=custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _initializer(initializer: Any) -> Any:
    """A function of shape and dtype from what `add_variable` takes."""
    if initializer == "zeros" or initializer is None:
        return ops.zeros
    if initializer == "ones":
        return ops.ones
    if isinstance(initializer, (int, float)):
        return lambda shape, dtype=None: ops.full(shape, initializer, dtype)
    if isinstance(initializer, (str, dict)):
        from core import initializers

        return initializers.get(initializer)
    return initializer
