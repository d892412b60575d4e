"""`solve_fixed`: an initial value problem in steps of one length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bayes.ode.tableau import TABLEAUS
from core import ops


def solve_fixed(
    velocity: Callable[[Any, Any], Any], y: Any, start: float, stop: float, *, steps: int = 100, method: str = "euler"
) -> Any:
    """`y(stop)` from `y(start)` for `dy/dt = velocity(t, y)`, with t (batch, 1) and y (batch, dim), in `steps` equal steps.

    Args:
        method: `"euler"`, or the name of an embedded method (`"rk45"`, `"tsit5"`), whose error estimate is not used.

    >>> y = solve_fixed(lambda t, y: -y, ops.ones((1, 1)), 0.0, 1.0, steps=1000)  # [[0.3677]]
    """
    length = (float(stop) - float(start)) / steps
    rows = ops.zeros_like(y[:, :1])
    tableau = None if method == "euler" else TABLEAUS[method]

    def step(i, y):
        t = start + length * (rows + ops.cast(i, y.dtype))
        if tableau is None:
            return y + length * velocity(t, y)
        stages: list = []
        for node, row in zip(tableau.nodes[:-1], tableau.matrix[:-1]):
            point = y + length * sum(weight * stage for weight, stage in zip(row, stages)) if row else y
            stages.append(velocity(t + node * length, point))
        return y + length * sum(weight * stage for weight, stage in zip(tableau.weights, stages))

    return ops.fori_loop(0, steps, step, y)
