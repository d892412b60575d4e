"""Many points of a space at once, as rows of the unit cube."""

from __future__ import annotations

import numpy as np

from tuner.space import Space

TABLED = 1000  # up to how many values a parameter's places are looked up in a table; with more it counts as continuous


class Cube:
    """The places that points of a space take, for arrays of points.

    A *full* row has a place in every column; `canonical` snaps finite parameters to the places of their values and puts NaN where a
    parameter is inactive. Full rows are what a search moves in: a column that is switched off keeps its place for when it is switched on
    again.

    >>> cube = Cube(Space([Boolean("deep"), Int("layers", min_value=1, max_value=2, conditions=(Condition("deep", (True,)),))]))
    >>> cube.canonical(np.array([[0.1, 0.9], [0.6, 0.9]]))
    array([[0.25,  nan],
           [0.75, 0.75]])
    """

    def __init__(self, space: Space):
        self.space = space
        self.places = [np.array([p.place(v) for v in p.grid()]) if p.count <= TABLED else None for p in space]
        self._gates: list[list[tuple[list[tuple[int, np.ndarray]]]]] = []  # type: ignore[type-arg]
        self._namesakes: list[list[int]] = []
        for position, parameter in enumerate(space):
            earlier = list(enumerate(space.parameters[:position]))
            self._namesakes.append([j for j, other in earlier if other.name == parameter.name])
            gates = []
            for condition in parameter.conditions:
                parents = [(j, other) for j, other in earlier if other.name == condition.name]
                opened = [(j, np.array([place for place, v in zip(self._places(j), other.grid()) if condition.holds({other.name: v})]))
                          for j, other in parents]  # fmt: skip
                gates.append((opened,))
            self._gates.append(gates)

    def _places(self, column: int) -> np.ndarray:
        table = self.places[column]
        parameter = self.space[column]
        return table if table is not None else np.array([parameter.place(v) for v in parameter.grid()])

    def snapped(self, rows: np.ndarray) -> np.ndarray:
        """Full rows with finite parameters at the places of their values."""
        rows = rows.copy()
        for column, places in enumerate(self.places):
            if places is not None:
                between = (places[1:] + places[:-1]) / 2
                rows[:, column] = places[np.searchsorted(between, rows[:, column])]
        return rows

    def active(self, rows: np.ndarray) -> np.ndarray:
        """Booleans `(n, parameters)`: which columns are active in snapped full rows."""
        on = np.ones(rows.shape, dtype=bool)
        for column, gates in enumerate(self._gates):
            for (opened,) in gates:
                held = np.zeros(len(rows), dtype=bool)
                for parent, places in opened:
                    held |= on[:, parent] & (np.abs(rows[:, parent, None] - places[None, :]) < 1e-9).any(1)
                on[:, column] &= held
            for namesake in self._namesakes[column]:
                on[:, column] &= ~on[:, namesake]
        return on

    def canonical(self, rows: np.ndarray) -> np.ndarray:
        """Snapped rows with NaN where a parameter is inactive."""
        rows = self.snapped(rows)
        return np.where(self.active(rows), rows, np.nan)
