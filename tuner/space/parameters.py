"""The kinds of parameter: each knows its values, its default, and its place in the unit interval.

A finite parameter cuts [0, 1] into buckets, one a value, and a value's place is the middle of its bucket; so a uniform draw from the unit
cube is a uniform draw of values, and every sampler works in the cube.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from tuner.space import scales

GRID_POINTS = 10  # how many values of a continuous parameter a grid takes
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Condition:
    """Holds where the parameter `name` has one of `values`."""

    name: str
    values: tuple[Scalar, ...]

    def __post_init__(self):
        values = self.values if isinstance(self.values, (list, tuple)) else (self.values,)
        object.__setattr__(self, "values", tuple(values))

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether it holds under `values`; a parameter that is absent has none of them."""
        return self.name in values and any(same(values[self.name], value) for value in self.values)


def same(a: object, b: object) -> bool:
    """Whether two scalars are the same value: `1` and `1.0` are, `1` and `True` are not."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def key(value: Any) -> Any:
    """A hashable that is equal for the same values only."""
    return (bool, value) if isinstance(value, bool) else value


@dataclass(frozen=True)
class Parameter:
    """What is common: a name, the conditions that must all hold for the parameter to be active, and a default."""

    name: str
    conditions: tuple[Condition, ...] = field(default=(), kw_only=True)

    ordered: ClassVar[bool] = True  # whether neighbours are alike: False only for choices among unordered things

    @property
    def count(self) -> float:
        """How many values it has; `math.inf` for a continuous one."""
        raise TypeError("Parameter is abstract: use Int, Float, Choice, Boolean or Fixed.")

    def at(self, unit: float) -> Any:
        """The value at a place in [0, 1]."""
        raise TypeError("Parameter is abstract: use Int, Float, Choice, Boolean or Fixed.")

    def place(self, value: Any) -> float:
        """The place of a value in [0, 1]: of a finite parameter the middle of the value's bucket."""
        raise TypeError("Parameter is abstract: use Int, Float, Choice, Boolean or Fixed.")

    def grid(self) -> Sequence[Any]:
        """Its values, in order; ten evenly spaced ones, both ends included, where it is continuous."""
        raise TypeError("Parameter is abstract: use Int, Float, Choice, Boolean or Fixed.")

    def config(self) -> dict[str, Any]:
        """What rebuilds it (JSON)."""
        settings = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "conditions"}
        settings = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
        parents = [{"class_name": "Parent", "config": {"name": c.name, "values": list(c.values)}} for c in self.conditions]
        return {"class_name": type(self).__name__, "config": {**settings, "conditions": parents}}

    def active(self, values: dict[str, Any]) -> bool:
        """Whether all of its conditions hold under `values`."""
        return not self.conditions or all(condition.holds(values) for condition in self.conditions)

    @property
    def finite(self) -> bool:
        """Whether it has finitely many values."""
        return self.count < math.inf


@dataclass(frozen=True)
class Ranged(Parameter):
    """What `Int` and `Float` share: a range, a step, a sampling."""

    min_value: Any = 0
    max_value: Any = 1
    step: Any = None
    sampling: str = "linear"
    default: Any = None

    def __post_init__(self):
        kind, low, high, step = type(self).__name__, self.min_value, self.max_value, self.step
        if self.sampling is None:
            object.__setattr__(self, "sampling", "linear")
        if self.sampling not in scales.SAMPLINGS:
            raise ValueError(f"{kind} {self.name!r} expected sampling 'linear', 'log' or 'reverse_log', got {self.sampling!r}.")
        if low > high:
            raise ValueError(f"{kind} {self.name!r} expected min_value <= max_value, got {low} and {high}.")
        if self.sampling != "linear" and low <= 0:
            raise ValueError(f"{kind} {self.name!r} with {self.sampling} sampling expected min_value > 0, got {low}.")
        if step is not None and (step <= 0 or (self.sampling != "linear" and step <= 1)):
            least = "> 0" if self.sampling == "linear" else "> 1 (it multiplies under logarithmic sampling)"
            raise ValueError(f"{kind} {self.name!r} expected a step {least}, got {step}.")
        if self.default is None:
            object.__setattr__(self, "default", low)
        elif not low <= self.default <= high:
            raise ValueError(f"{kind} {self.name!r} expected a default from {low} to {high}, got {self.default}.")

    def _stepped(self, unit: float) -> float:
        count = int(self.count)
        return scales.stepped(min(int(unit * count), count - 1), self.min_value, self.max_value, self.step, self.sampling)

    def _place_of_step(self, value: float) -> float:
        low, high, step = self.min_value, self.max_value, self.step
        if self.sampling == "linear":
            index = (value - low) / step
        else:
            walked = math.log((value if self.sampling == "log" else low + high - value) / low) / math.log(step)
            index = walked if self.sampling == "log" else self.count - 1 - walked
        return (min(max(round(index), 0), self.count - 1) + 0.5) / self.count


@dataclass(frozen=True)
class Int(Ranged):
    """Whole numbers from `min_value` to `max_value`, both included.

    `step` adds under linear sampling and multiplies under `"log"` and `"reverse_log"`.

    >>> Int("units", min_value=8, max_value=64, step=2, sampling="log").grid()
    [8, 16, 32, 64]
    """

    def __post_init__(self):
        for name in ("min_value", "max_value", "step", "default"):
            value = getattr(self, name)
            if value is not None:
                if isinstance(value, (bool, str)) or int(value) != value:
                    raise ValueError(f"Int {self.name!r} expected a whole number as {name}, got {value!r}.")
                object.__setattr__(self, name, int(value))
        if self.sampling in (None, "linear") and self.step is None:
            object.__setattr__(self, "step", 1)
        super().__post_init__()

    @functools.cached_property
    def count(self) -> float:
        if self.step is None:
            return self.max_value - self.min_value + 1
        return scales.steps(self.min_value, self.max_value, self.step, self.sampling)

    def at(self, unit: float) -> int:
        if self.step is not None:
            return int(self._stepped(unit))
        # Each whole number v owns [v, v + 1) of a logarithmic axis that ends one above the last.
        if self.sampling == "log":
            value = math.floor(scales.to_range(unit, self.min_value, self.max_value + 1, "log") + 1e-9)
        else:
            mirrored = math.floor(scales.to_range(1.0 - unit, self.min_value, self.max_value + 1, "log") + 1e-9)
            value = self.min_value + self.max_value - mirrored
        return min(max(value, self.min_value), self.max_value)

    def place(self, value: Any) -> float:
        if self.step is not None:
            return self._place_of_step(value)
        low, high = self.min_value, self.max_value
        value = min(max(int(value), low), high)
        value = value if self.sampling == "log" else low + high - value
        middle = (scales.to_unit(value, low, high + 1, "log") + scales.to_unit(value + 1, low, high + 1, "log")) / 2
        return middle if self.sampling == "log" else 1.0 - middle

    def grid(self) -> Sequence[int]:
        if self.step is None or self.sampling in (None, "linear"):  # a range, since there may be a thousand million of them
            return range(self.min_value, self.max_value + 1, self.step or 1)
        return [int(scales.stepped(i, self.min_value, self.max_value, self.step, self.sampling)) for i in range(int(self.count))]


@dataclass(frozen=True)
class Float(Ranged):
    """Numbers from `min_value` to `max_value`; with a `step` only those of the walk from `min_value`.

    >>> Float("rate", min_value=1e-4, max_value=1e-1, sampling="log").place(1e-1)
    1.0
    """

    def __post_init__(self):
        for name in ("min_value", "max_value", "step", "default"):
            if (value := getattr(self, name)) is not None:
                if isinstance(value, (bool, str)) or not math.isfinite(value):
                    raise ValueError(f"Float {self.name!r} expected a finite number as {name}, got {value!r}.")
                object.__setattr__(self, name, float(value))
        super().__post_init__()

    @functools.cached_property
    def count(self) -> float:
        if self.min_value == self.max_value:
            return 1
        return math.inf if self.step is None else scales.steps(self.min_value, self.max_value, self.step, self.sampling)

    def at(self, unit: float) -> float:
        if self.step is not None:
            return float(self._stepped(unit))
        value = scales.to_range(unit, self.min_value, self.max_value, self.sampling)
        return float(min(max(value, self.min_value), self.max_value))

    def place(self, value: Any) -> float:
        if self.step is not None:
            return self._place_of_step(value)
        value = min(max(value, self.min_value), self.max_value)
        return min(max(scales.to_unit(value, self.min_value, self.max_value, self.sampling), 0.0), 1.0)

    def grid(self) -> Sequence[float]:
        if self.step is not None:
            return [float(scales.stepped(i, self.min_value, self.max_value, self.step, self.sampling)) for i in range(int(self.count))]
        if self.finite:
            return [self.min_value]
        return [self.at(i / (GRID_POINTS - 1)) for i in range(GRID_POINTS)]


@dataclass(frozen=True)
class Choice(Parameter):
    """One of `values`. Numbers are `ordered` unless that is said to be False: neighbours are then thought to be alike.

    >>> Choice("activation", values=("relu", "tanh")).ordered
    False
    """

    values: tuple[Scalar, ...] = ()
    ordered: bool | None = None  # type: ignore[assignment,misc]
    default: Scalar = None

    def __post_init__(self):
        values = tuple(plain(value, f"Choice {self.name!r}") for value in self.values)
        if not values:
            raise ValueError(f"Choice {self.name!r} expected at least one value, got none.")
        if len({key(value) for value in values}) < len(values):
            raise ValueError(f"Choice {self.name!r} expected different values, got {list(values)}.")
        object.__setattr__(self, "values", values)
        numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        if self.ordered and not numbers:
            raise ValueError(f"Choice {self.name!r} expected numbers where ordered=True, got {list(values)}.")
        if self.ordered is None:
            object.__setattr__(self, "ordered", numbers)
        if self.default is None and not any(value is None for value in values):
            object.__setattr__(self, "default", values[0])
        elif not any(same(self.default, value) for value in values):
            raise ValueError(f"Choice {self.name!r} expected a default among {list(values)}, got {self.default!r}.")

    @property
    def count(self) -> float:
        return len(self.values)

    def at(self, unit: float) -> Scalar:
        return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]

    def place(self, value: Any) -> float:
        for index, one in enumerate(self.values):
            if same(one, value):
                return (index + 0.5) / len(self.values)
        raise ValueError(f"Choice {self.name!r} expected one of {list(self.values)}, got {value!r}.")

    def grid(self) -> list[Scalar]:
        return list(self.values)


@dataclass(frozen=True)
class Boolean(Parameter):
    """True or False."""

    default: bool = False

    ordered: ClassVar[bool] = False

    def __post_init__(self):
        if not isinstance(self.default, bool):
            raise ValueError(f"Boolean {self.name!r} expected True or False as default, got {self.default!r}.")

    @property
    def count(self) -> float:
        return 2

    def at(self, unit: float) -> bool:
        return unit >= 0.5

    def place(self, value: Any) -> float:
        return 0.75 if value else 0.25

    def grid(self) -> list[bool]:
        return [False, True]


@dataclass(frozen=True)
class Fixed(Parameter):
    """Always `value`: what is not searched, but written down with what is."""

    value: Scalar = None

    def __post_init__(self):
        object.__setattr__(self, "value", plain(self.value, f"Fixed {self.name!r}"))

    @property
    def default(self) -> Scalar:
        return self.value

    @property
    def count(self) -> float:
        return 1

    def at(self, unit: float) -> Scalar:
        return self.value

    def place(self, value: Any) -> float:
        return 0.5

    def grid(self) -> list[Scalar]:
        return [self.value]


KINDS: dict[str, type[Parameter]] = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}


def from_config(config: dict[str, Any]) -> Parameter:
    """The parameter of a `Parameter.config()`."""
    from core.saving import ConfigError

    try:
        kind, settings = KINDS[config["class_name"]], dict(config["config"])
        parents = [Condition(c["config"]["name"], tuple(c["config"]["values"])) for c in settings.pop("conditions", None) or ()]
        if "values" in settings:
            settings["values"] = tuple(settings["values"])
        return kind(conditions=tuple(parents), **settings)
    except (KeyError, TypeError) as error:
        raise ConfigError(f"Expected the config of one of {', '.join(KINDS)}, got {str(config)[:200]} ({error}).") from error


def plain(value: Any, where: str) -> Scalar:
    """`value` as a plain Python scalar; NumPy's become plain."""
    value = value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
    if value is not None and not isinstance(value, (str, int, float, bool)):
        raise ValueError(f"{where} expected strings, numbers, booleans or None, got {type(value).__name__} {value!r}; "
                         "give names or indices, and look the objects up by them.")  # fmt: skip
    return value


def conditions_of(conditions: Sequence[Condition], parent_name: str | None, parent_values: Any) -> tuple[Condition, ...]:
    """The conditions of the open scopes, and the one of `parent_name` and `parent_values` where they are given."""
    if (parent_name is None) != (parent_values is None):
        raise ValueError(f"Expected parent_name and parent_values together, got {parent_name!r} and {parent_values!r}.")
    return (*conditions, Condition(parent_name, parent_values)) if parent_name is not None else tuple(conditions)
