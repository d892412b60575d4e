"""The space of a search: parameters in order, some of them active only under values of others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tuner.space import parameters as kinds
from tuner.space.parameters import Parameter


class Space:
    """Parameters in the order in which they were declared; a parent stands before what depends on it.

    A point of the space is a dict of the *active* parameters' values. In the unit cube it is a row with one column for each parameter, NaN
    where the parameter is inactive. Two parameters may share a name under conditions that exclude each other; should both hold, the first
    counts.

    >>> deep = Condition("kind", ("deep",))
    >>> space = Space([Choice("kind", values=("linear", "deep")), Int("layers", min_value=1, max_value=3, conditions=(deep,))])
    >>> list(space.grid())
    [{'kind': 'linear'}, {'kind': 'deep', 'layers': 1}, {'kind': 'deep', 'layers': 2}, {'kind': 'deep', 'layers': 3}]
    >>> space.size()
    4
    >>> space.to_cube({"kind": "linear"})
    array([0.25,  nan])
    """

    def __init__(self, parameters: Iterable[Parameter] = ()):
        self.parameters: tuple[Parameter, ...] = ()
        known: set[str] = set()
        seen: set[tuple[str, tuple]] = set()
        for parameter in parameters:
            if (parameter.name, parameter.conditions) in seen:
                raise ValueError(f"The space has a parameter {parameter.name!r} under the same conditions already; give it another name.")
            for condition in parameter.conditions:
                if condition.name not in known:
                    raise ValueError(f"{parameter.name!r} depends on {condition.name!r}, which the space does not have; declare it before.")
            known.add(parameter.name)
            seen.add((parameter.name, parameter.conditions))
            self.parameters += (parameter,)
        self.parents = frozenset(condition.name for parameter in self.parameters for condition in parameter.conditions)
        self._known, self._seen = known, seen

    def __len__(self) -> int:
        return len(self.parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __getitem__(self, index: int) -> Parameter:
        return self.parameters[index]

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash(self.parameters)

    def __repr__(self) -> str:
        return f"Space({list(self.parameters)})"

    def find(self, name: str, conditions: tuple = ()) -> Parameter | None:
        """The parameter of that name under exactly these conditions."""
        if (name, conditions) not in self._seen:
            return None
        return next(p for p in self.parameters if p.name == name and p.conditions == conditions)

    def extended(self, parameters: Iterable[Parameter]) -> Space:
        """This space and those of `parameters` that it lacks; where both have one, this space's stays."""
        new = [p for p in parameters if (p.name, p.conditions) not in self._seen]
        return Space((*self.parameters, *new)) if new else self

    # ---- points

    def active(self, values: dict[str, Any]) -> list[Parameter]:
        """The parameters that are active under `values`, in order; a parent that is inactive itself activates nothing."""
        kept: dict[str, Any] = {}
        found = []
        for parameter in self.parameters:
            if parameter.name not in kept and parameter.name in values and parameter.active(kept):
                kept[parameter.name] = values[parameter.name]
                found.append(parameter)
        return found

    def restricted(self, values: dict[str, Any]) -> dict[str, Any]:
        """`values` without what is inactive or unknown."""
        return {parameter.name: values[parameter.name] for parameter in self.active(values)}

    def completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """`values` without what is inactive, and with the default of each active parameter that is missing."""
        point: dict[str, Any] = {}
        for parameter in self.parameters:
            if parameter.name not in point and parameter.active(point):
                point[parameter.name] = values.get(parameter.name, parameter.default)  # type: ignore[attr-defined]
        return point

    def defaults(self) -> dict[str, Any]:
        """The point at which every parameter has its default."""
        return self.completed({})

    def sample(self, rng: np.random.Generator) -> dict[str, Any]:
        """A point drawn evenly from the cube."""
        return self.from_cube(rng.random(len(self.parameters)))

    # ---- the unit cube

    def from_cube(self, row: np.ndarray) -> dict[str, Any]:
        """The point at a row of the cube; columns of parameters that turn out inactive are not read, NaN stands for the middle."""
        point: dict[str, Any] = {}
        for parameter, unit in zip(self.parameters, row):
            if parameter.name not in point and parameter.active(point):
                point[parameter.name] = parameter.at(0.5 if math.isnan(unit) else float(unit))
        return point

    def to_cube(self, values: dict[str, Any]) -> np.ndarray:
        """The row `(parameters,)` of a point, NaN where a parameter is inactive or absent."""
        row = np.full(len(self.parameters), np.nan)
        kept: dict[str, Any] = {}
        for column, parameter in enumerate(self.parameters):
            if parameter.name not in kept and parameter.name in values and parameter.active(kept):
                kept[parameter.name] = values[parameter.name]
                row[column] = parameter.place(values[parameter.name])
        return row

    # ---- counting and listing

    def size(self) -> float:
        """How many points it has; `math.inf` where a reachable parameter is continuous."""
        return self._count(0, {})

    def _count(self, column: int, point: dict[str, Any]) -> float:
        factor = 1.0
        for position in range(column, len(self.parameters)):
            parameter = self.parameters[position]
            if parameter.name in point or not parameter.active(point):
                continue
            if parameter.name not in self.parents:
                point = {**point, parameter.name: None}  # no condition asks for its value
                factor *= parameter.count
                continue
            # Values that make the same conditions hold lead to the same rest: it is counted once for all of them.
            conditions = [c for later in self.parameters[position:] for c in later.conditions if c.name == parameter.name]
            groups: dict[tuple, list] = {}
            for value in parameter.grid():
                groups.setdefault(tuple(c.holds({parameter.name: value}) for c in conditions), []).append(value)
            rest = sum(len(g) * self._count(position + 1, {**point, parameter.name: g[0]}) for g in groups.values())
            total = factor * (rest if parameter.finite else math.inf)
            return total if math.isinf(total) else int(total)
        return factor if math.isinf(factor) else int(factor)

    def grid(
        self,
        options: Callable[[Parameter], Iterable[Any]] | None = None,
        skip: Callable[[dict[str, Any]], bool] = lambda point: False,
    ) -> Iterator[dict[str, Any]]:
        """Every point, the last parameter varying fastest; of a continuous parameter ten values, both ends included.

        Arguments:
            options: Which values of a parameter are taken; its `grid()` by default.
            skip: Leaves points out. It is asked about every beginning of a point, too, and must be true of all that goes on from a
                beginning of which it is true: then whole branches cost one question.
        """
        points = self._grid(0, {}, options or (lambda parameter: parameter.grid()), skip)
        return (point for point in points if point or not skip(point))

    def _grid(self, column: int, point: dict[str, Any], options: Callable, skip: Callable) -> Iterator[dict[str, Any]]:
        for position in range(column, len(self.parameters)):
            parameter = self.parameters[position]
            if parameter.name not in point and parameter.active(point):
                longer = ({**point, parameter.name: value} for value in options(parameter))
                return itertools.chain.from_iterable(
                    self._grid(position + 1, beginning, options, skip) for beginning in longer if not skip(beginning)
                )
        return iter((point,))

    # ---- JSON

    def get_config(self) -> list[dict[str, Any]]:
        """What rebuilds the space (JSON)."""
        return [parameter.config() for parameter in self.parameters]

    @classmethod
    def from_config(cls, config: list[dict[str, Any]]) -> Space:
        """The space of a `get_config()`."""
        return cls(kinds.from_config(one) for one in config)
