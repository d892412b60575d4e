"""Solvers: order conditions of the tables, solutions against closed forms, and rows that do not arrive."""

import numpy as np
import pytest
from conftest import host, tensor

import core
from bayes.ode import TABLEAUS, solve_adaptive, solve_fixed
from core import ops

tableaus = pytest.mark.parametrize("name", sorted(TABLEAUS))


@tableaus
def test_order_conditions(name):
    table = TABLEAUS[name]
    c, n = np.array(table.nodes), len(table.nodes)
    a = np.array([[*row, *[0.0] * (n - len(row))] for row in table.matrix])
    np.testing.assert_allclose(a.sum(1), c, atol=1e-14)
    fourth = [
        lambda b: b.sum() - 1, lambda b: b @ c - 1 / 2, lambda b: b @ c**2 - 1 / 3, lambda b: b @ a @ c - 1 / 6,
        lambda b: b @ c**3 - 1 / 4, lambda b: (b * c) @ a @ c - 1 / 8, lambda b: b @ a @ c**2 - 1 / 12, lambda b: b @ a @ a @ c - 1 / 24,
    ]  # fmt: skip
    fifth = [lambda b: b @ c**4 - 1 / 5, lambda b: b @ a @ a @ a @ c - 1 / 120, lambda b: b @ a @ c**3 - 1 / 20]
    weights, error = np.array(table.weights), np.array(table.error)
    np.testing.assert_allclose([condition(weights) for condition in (*fourth, *fifth)], 0.0, atol=1e-13)
    np.testing.assert_allclose([condition(weights - error) for condition in fourth], 0.0, atol=1e-13)
    assert abs(fifth[0](weights - error)) > 1e-5  # the embedded method is of order 4, or there would be no estimate


def swing(t, y):
    """dy/dt = 3 y cos t, solved by y(0) exp(3 sin t)."""
    return 3.0 * y * ops.cos(t)


START = np.array([[1.0, 2.0], [0.1, 5.0], [-3.0, 0.0]])


@tableaus
def test_adaptive_solutions(backend, name):
    solve = core.jit(lambda y: solve_adaptive(swing, y, 0.0, 2.0, method=name, rtol=1e-4, atol=1e-6))
    y, done, rounds = solve(tensor(START))
    assert host(done).all() and host(rounds) < 40
    np.testing.assert_allclose(host(y), START * np.exp(3 * np.sin(2.0)), rtol=2e-3)
    back, _, _ = core.jit(lambda y: solve_adaptive(swing, y, 2.0, 0.0, method=name, rtol=1e-4, atol=1e-6))(y)
    np.testing.assert_allclose(host(back), START, rtol=2e-3, atol=1e-5)


def test_tolerance_is_what_the_error_follows(on_torch):
    errors = []
    for rtol in (1e-2, 1e-4, 1e-6):
        y, _, _ = solve_adaptive(swing, tensor(START[:1]), 0.0, 2.0, rtol=rtol, atol=rtol)
        errors.append(np.abs(host(y) / (START[:1] * np.exp(3 * np.sin(2.0))) - 1).max())
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-5


def test_rows_do_not_depend_on_each_other(backend):
    """A row that needs many steps does not change what its neighbours get."""
    speed = np.array([[1.0], [40.0]])

    def field(t, y):
        return y[:, :1] * 0.0 + ops.cos(tensor(speed[: y.shape[0]]) * t) * tensor(speed[: y.shape[0]])

    together, done, _ = solve_adaptive(field, tensor(np.zeros((2, 1))), 0.0, 1.0)
    alone, _, _ = solve_adaptive(field, tensor(np.zeros((1, 1))), 0.0, 1.0)
    assert host(done).all()
    np.testing.assert_allclose(host(together)[0], host(alone)[0], rtol=1e-6)
    np.testing.assert_allclose(host(together)[:, 0], np.sin(speed[:, 0]), atol=5e-3)


def test_rows_that_do_not_arrive_are_nan(backend):
    """dy/dt = y^2 from 2 is infinite at t = 1/2."""
    y, done, rounds = core.jit(lambda y: solve_adaptive(lambda t, y: y * y, y, 0.0, 1.0, max_steps=60))(tensor([[2.0], [0.5]]))
    assert host(done).tolist() == [False, True] and host(rounds) == 60
    assert np.isnan(host(y)[0]).all()
    np.testing.assert_allclose(host(y)[1], 1.0, rtol=1e-2)


@pytest.mark.parametrize("method, order", [("euler", 1), ("rk45", 5), ("tsit5", 5)])
def test_fixed_steps(backend, method, order):
    """Halving the steps divides the error by 2^order; of a decaying solution, whose errors of successive orders have one sign."""
    exact = START * np.exp(-3 * np.sin(1.0))
    errors = []
    for steps in (2, 4) if order == 5 else (50, 100):
        y = solve_fixed(lambda t, y: -swing(t, y), tensor(START), 0.0, 1.0, steps=steps, method=method)
        errors.append(np.abs(host(y) - exact).max())
    assert errors[0] / errors[1] > 0.6 * 2**order
