"""Define-by-run: a build function asks for values, and the space is what it asked for."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from tuner.space.parameters import Boolean, Choice, Condition, Fixed, Float, Int, Parameter, Scalar, conditions_of
from tuner.space.space import Space

P = TypeVar("P", bound=Parameter)


class HyperParameters:
    """A space that grows as it is asked, and the values of one trial.

    Each call (`hp.Int(...)` and so on) returns the parameter's value. A parameter that was not known yet joins the space; its value is the
    default, or a draw from `seed` where one is given. A call in a `conditional_scope` that does not hold returns the default, and notes the
    parameter in the space but no value: `values` has active parameters only. `asked` has only those among them that were asked for since
    this object was made, so that parameters behind a plain `if` leave no trace in a trial that did not reach them.

    Arguments:
        space: Parameters known already. They win over what the build function says about the same names.
        values: Values of this trial.
        seed: Where values of parameters not known before are drawn from; None takes their defaults.

    >>> hp = HyperParameters(values={"layers": 2})
    >>> [hp.Int(f"units_{i}", 8, 64, step=8) for i in range(hp.Int("layers", 1, 3))]
    [8, 8]
    >>> hp.asked
    {'layers': 2, 'units_0': 8, 'units_1': 8}
    """

    def __init__(self, space: Space | None = None, values: dict[str, Any] | None = None, *, seed: int | None = None):
        self._space = Space() if space is None else space
        self._values = dict(values or {})
        self._asked: dict[str, Any] = {}
        self._seed = seed
        self._conditions: list[Condition] = []
        self._scopes: dict[tuple[Condition, ...], None] = {}
        self._names: list[str] = []

    # ---- asking

    def Int(self, name: str, min_value: int, max_value: int, step: int | None = None, sampling: str | None = "linear",
            default: int | None = None, parent_name: str | None = None, parent_values: Any = None) -> int:  # fmt: skip
        """A whole number from `min_value` to `max_value`, both included."""
        return self._ask(Int(self._full(name), min_value=min_value, max_value=max_value, step=step, sampling=sampling or "linear",
                             default=default, conditions=self._under(parent_name, parent_values)))  # fmt: skip

    def Float(self, name: str, min_value: float, max_value: float, step: float | None = None, sampling: str | None = "linear",
              default: float | None = None, parent_name: str | None = None, parent_values: Any = None) -> float:  # fmt: skip
        """A number from `min_value` to `max_value`."""
        return self._ask(Float(self._full(name), min_value=min_value, max_value=max_value, step=step, sampling=sampling or "linear",
                               default=default, conditions=self._under(parent_name, parent_values)))  # fmt: skip

    def Choice(self, name: str, values: Sequence[Scalar], ordered: bool | None = None, default: Scalar = None,
               parent_name: str | None = None, parent_values: Any = None) -> Any:  # fmt: skip
        """One of `values`."""
        return self._ask(Choice(self._full(name), values=tuple(values), ordered=ordered, default=default,
                                conditions=self._under(parent_name, parent_values)))  # fmt: skip

    def Boolean(self, name: str, default: bool = False, parent_name: str | None = None, parent_values: Any = None) -> bool:
        """True or False."""
        return self._ask(Boolean(self._full(name), default=default, conditions=self._under(parent_name, parent_values)))

    def Fixed(self, name: str, value: Scalar, parent_name: str | None = None, parent_values: Any = None) -> Any:
        """Always `value`; written down with the others."""
        return self._ask(Fixed(self._full(name), value=value, conditions=self._under(parent_name, parent_values)))

    def _full(self, name: str) -> str:
        return "/".join((*self._names, name))

    def _under(self, parent_name: str | None, parent_values: Any) -> tuple[Condition, ...]:
        return conditions_of(self._conditions, parent_name if parent_name is None else self._full(parent_name), parent_values)

    def _ask(self, parameter: Parameter) -> Any:
        known = self._space.find(parameter.name, parameter.conditions)
        if known is None:
            # A parameter that the space has without conditions (a user's override) stands for those under conditions, too.
            known = self._space.find(parameter.name)
        if known is None:
            self._space = self._space.extended((parameter,))
            known = parameter
        if not parameter.active(self._values):
            return known.default  # type: ignore[attr-defined]
        if isinstance(known, Fixed):
            self._values[known.name] = known.value
        elif known.name not in self._values:
            self._values[known.name] = self._first(known)
        self._asked[known.name] = self._values[known.name]
        return self._values[known.name]

    def _first(self, parameter: Parameter) -> Any:
        if self._seed is None:
            return parameter.default  # type: ignore[attr-defined]
        return parameter.at(np.random.default_rng([self._seed, zlib.crc32(parameter.name.encode())]).random())

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Parameters asked for inside are active only where `parent_name` has one of `parent_values`."""
        name = parent_name if parent_name in self._space else self._full(parent_name)
        if name not in self._space:
            raise ValueError(f"conditional_scope: there is no parameter {parent_name!r} yet; ask for it before the scope.")
        self._conditions.append(Condition(name, parent_values))
        self._scopes[self._under(None, None)] = None
        try:
            yield
        finally:
            self._conditions.pop()

    @contextlib.contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Names asked for inside begin with `name/`."""
        self._names.append(name)
        try:
            yield
        finally:
            self._names.pop()

    # ---- reading

    @property
    def space(self) -> Space:
        """Every parameter known, active or not."""
        return self._space

    @property
    def scopes(self) -> list[tuple[Condition, ...]]:
        """The conditions of every scope that was entered, whether or not anything was asked for in it."""
        return list(self._scopes)

    @property
    def values(self) -> dict[str, Any]:
        """Value by name of the parameters that have one and are active."""
        known = self._space.restricted(self._values)
        return {**known, **{name: value for name, value in self._values.items() if name not in self._space}}

    @values.setter
    def values(self, values: dict[str, Any]) -> None:
        self._values = dict(values)

    @property
    def asked(self) -> dict[str, Any]:
        """Value by name of the active parameters that were asked for since this object was made: what a trial's `values` are."""
        return dict(self._asked)

    def get(self, name: str) -> Any:
        """The value of an active parameter."""
        full = self._full(name)
        if full in (values := self.values):
            if full in self._space:
                self._asked[full] = values[full]  # whoever declared it elsewhere and reads it here depends on it all the same
            return values[full]
        if full in self._space:
            raise ValueError(f"{full!r} is inactive under the present values {values}.")
        raise KeyError(f"There is no parameter {full!r}; known: {', '.join(dict.fromkeys(p.name for p in self._space)) or 'none yet'}.")

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def is_active(self, parameter: str | Parameter) -> bool:
        """Whether a parameter, given by name or itself, is active under the present values."""
        if isinstance(parameter, Parameter):
            return parameter.active(self.values)
        return self._full(parameter) in self.values

    def ensure_active_values(self) -> None:
        """Gives every active parameter without a value its first one (the default, or a draw where there is a seed)."""
        point: dict[str, Any] = {}
        for parameter in self._space:
            if parameter.name not in point and parameter.active(point):
                point[parameter.name] = self._values[parameter.name] if parameter.name in self._values else self._first(parameter)
        self._values.update(point)

    # ---- whole objects

    def copy(self) -> HyperParameters:
        """The same space and values, apart from this object."""
        return HyperParameters(self._space, self._values, seed=self._seed)

    def merge(self, hps: HyperParameters | Iterable[Parameter], overwrite: bool = True) -> None:
        """Takes the parameters of another over, and its values; `overwrite` says whose values stay where both have one."""
        self._space = self._space.extended(hps.space if isinstance(hps, HyperParameters) else hps)
        if isinstance(hps, HyperParameters):
            theirs = hps.values
            self._values = {**self._values, **theirs} if overwrite else {**theirs, **self._values}
        self.ensure_active_values()

    def get_config(self) -> dict[str, Any]:
        """What rebuilds it (JSON): `{"space": [...], "values": {...}}`."""
        return {"space": self._space.get_config(), "values": self.values}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HyperParameters:
        """The object of a `get_config()`."""
        return cls(Space.from_config(config["space"]), dict(config["values"]))
