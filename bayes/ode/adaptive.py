"""`solve_adaptive`: an initial value problem with a step size of its own for every row of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bayes.ode.tableau import TABLEAUS, Tableau
from core import ops

SAFETY, SLOWEST, FASTEST = 0.9, 0.2, 5.0  # of the step size control; Hairer, Norsett and Wanner, 1993, section II.4


def solve_adaptive(
    velocity: Callable[[Any, Any], Any],
    y: Any,
    start: float,
    stop: float,
    *,
    method: str | Tableau = "tsit5",
    rtol: float = 1e-3,
    atol: float = 1e-4,
    first_step: float = 0.05,
    max_steps: int = 1000,
) -> tuple[Any, Any, Any]:
    """`y(stop)` from `y(start)` for `dy/dt = velocity(t, y)`, with t (batch, 1) and y (batch, dim).

    Each row has its own time and step, so that its result does not depend on the rows that share its batch. A step is accepted where
    the root mean square of `error / (atol + rtol |y|)` over the row is at most 1.

    Args:
        method: `"tsit5"`, `"rk45"`, or a `Tableau`.
        rtol, atol: relative and absolute tolerance of a step.
        first_step: as a part of the interval.
        max_steps: rounds after which the loop ends, tried steps included.

    Returns:
        `(y, done, rounds)`: the solution, whether each row arrived, (batch,), and how many rounds there were. Rows that did not arrive
        hold NaN, so that nobody takes them for solutions.

    >>> y, done, _ = solve_adaptive(lambda t, y: -y, ops.ones((1, 1)), 0.0, 1.0)  # y = [[0.3679]]
    """
    tableau = TABLEAUS[method] if isinstance(method, str) else method
    span = float(stop) - float(start)
    rows = ops.zeros_like(y[:, :1])  # (batch, 1)
    exponent = -1.0 / tableau.order

    def step(s, h, y, k_first, rounds):
        """One round; `s` from 0 to 1 counts the way, `h` is the next step on it."""
        h = ops.minimum(h, 1.0 - s)
        stages = [k_first]
        for node, row in zip(tableau.nodes[1:], tableau.matrix[1:]):
            increment = combined(row, stages)
            y_new = y + h * span * increment
            stages.append(velocity(start + span * (s + node * h), y_new))
        error = h * span * combined(tableau.error, stages)
        scale = atol + rtol * ops.maximum(ops.abs(y), ops.abs(y_new))
        norm = ops.sqrt(ops.mean(ops.square(error / scale), -1, keepdims=True))
        # A step into NaN or infinity counts as far too long, and is tried again at a fraction of its length.
        norm = ops.where(ops.isfinite(norm), norm, ops.full_like(norm, 1e6))
        accepted = norm <= 1.0
        # What is left after the last step is a rounding error, not a way to go.
        s_new = ops.where(accepted, ops.where(s + h >= 1.0 - 1e-6, ops.ones_like(s), s + h), s)
        y = ops.where(accepted, y_new, y)
        k_first = ops.where(accepted, stages[-1], k_first)
        h = h * ops.clip(SAFETY * ops.power(ops.maximum(norm, 1e-10), exponent), SLOWEST, FASTEST)
        return s_new, h, y, k_first, rounds + 1

    def unfinished(s, h, y, k_first, rounds):
        return ops.any(s < 1.0)

    state = (rows, rows + first_step, y, velocity(start + rows, y), ops.zeros((), "int32"))
    s, _, y, _, rounds = ops.while_loop(unfinished, step, state, maximum_iterations=max_steps)
    done = s >= 1.0
    return ops.where(done, y, ops.full_like(y, float("nan"))), done[:, 0], rounds


def combined(weights: tuple[float, ...], stages: list) -> Any:
    """The weighted sum of the stages, zeros left out."""
    total = None
    for weight, stage in zip(weights, stages):
        if weight:
            total = weight * stage if total is None else total + weight * stage
    return total
