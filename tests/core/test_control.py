"""Control flow: variables written inside, gradients through, symbolic use, and errors."""

import numpy as np
import pytest

import core.ops.control as control
from core import ops
from core.backend import KerasTensor, use
from core.random import SeedGenerator, normal
from core.state.variable import Variable

COMPILING = ("jax", "tensorflow")


@pytest.fixture(params=["numpy", "torch", "jax", "tensorflow"])
def backend(request):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


def host(backend, x):
    return np.asarray(backend.convert_to_numpy(x)) if backend.is_tensor(x) else np.asarray(x)


def both_ways(backend):
    """Eager, and compiled where the backend compiles."""
    return [lambda f: f] + ([backend.jit] if backend.name in COMPILING else [])


def test_scan_writes_variables(backend):
    for way in both_ways(backend):
        total = Variable(np.float32(0), trainable=False)

        def run(xs):
            def step(carry, x):
                total.assign_add(x)
                return carry + total.value, total.value * 2

            return control.scan(step, backend.convert_to_tensor(np.float32(0)), xs)

        carry, ys = way(run)(backend.convert_to_tensor(np.arange(1, 5, dtype="float32")))
        assert host(backend, carry) == 20 and total.numpy() == 10
        np.testing.assert_array_equal(host(backend, ys), [2, 6, 12, 20])


def test_seed_generator_advances_inside_scan(backend):
    results = []
    for way in both_ways(backend):
        generator = SeedGenerator(7)

        def run(xs):
            return control.scan(lambda carry, x: (carry, x + normal((3,), seed=generator)), (), xs)[1]

        results.append(host(backend, way(run)(backend.convert_to_tensor(np.zeros((4, 3), "float32")))))
        assert generator.state.numpy().tolist() == [7, 4]
        assert len({tuple(row) for row in results[-1]}) == 4
    np.testing.assert_allclose(results[0], results[-1], rtol=1e-6)


def test_cond_switch_and_loops_write_variables(backend):
    for way in both_ways(backend):
        v = Variable(np.float32(0), trainable=False)

        def run(x):
            def add(amount, y):
                v.assign_add(np.float32(amount))
                return y

            x = control.cond(x[0] > 0, lambda: add(100, x), lambda: add(500, x))
            x = control.switch(backend.cast(x[0], "int32"), [lambda y: y, lambda y: add(1000, y)], x)
            x = control.fori_loop(0, 3, lambda i, y: add(1, y * 2), x)
            return control.while_loop(lambda y: y[0] < 30, lambda y: (add(10, y * 2),), (x,))[0]

        found = way(run)(backend.convert_to_tensor(np.array([1.0, 2.0], "float32")))
        np.testing.assert_array_equal(host(backend, found), [32, 64])
        assert v.numpy() == 1123


def test_nested_scans_write_variables(backend):
    for way in both_ways(backend):
        v = Variable(np.float32(0), trainable=False)

        def inner(carry, x):
            v.assign_add(x)
            return carry, None

        def run(xs):
            return control.scan(lambda c, row: (control.scan(inner, c, row)[0], None), backend.convert_to_tensor(np.float32(0)), xs)[0]

        way(run)(backend.convert_to_tensor(np.ones((2, 3), "float32")))
        assert v.numpy() == 6


def test_gradient_through_scan_with_written_variable(backend):
    if not backend.trains:
        pytest.skip("the numpy backend has no gradients")
    w, count = Variable(np.float32(3)), Variable(np.float32(0), trainable=False)
    xs = backend.convert_to_tensor(np.ones(3, "float32"))

    def loss():
        def step(carry, x):
            count.assign_add(np.float32(1))
            return carry * w.value * x, carry

        return control.scan(step, backend.convert_to_tensor(np.float32(2)), xs)[0]

    value, (gradient,) = backend.value_and_grad(loss, [w])()
    assert host(backend, value) == 54 and host(backend, gradient) == 54 and count.numpy() == 3


def test_an_error_inside_leaves_variables_as_they_were(backend):
    if backend.name != "jax":
        pytest.skip("eager backends keep what was written before an error")
    v = Variable(np.float32(1), trainable=False)

    def step(carry, x):
        v.assign(np.float32(5))
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        control.scan(step, np.float32(0), np.ones(3, "float32"))
    assert v.numpy() == 1


def test_custom_gradient(backend):
    twice = control.custom_gradient(lambda x: (x * 2, lambda upstream: upstream * 7))
    x = Variable(np.float32(3))
    assert host(backend, twice(x)) == 6
    if backend.trains:
        _, (gradient,) = backend.value_and_grad(lambda: twice(x), [x])()
        assert host(backend, gradient) == 7
    assert twice(KerasTensor((None, 2))).shape == (None, 2)


def test_vectorize(backend):
    a, b = np.arange(3, dtype="float32"), np.arange(4, dtype="float32").reshape(4, 1)
    np.testing.assert_array_equal(host(backend, control.vectorize(lambda x, y: x * y + 1)(a, b)), a * b + 1)
    m, v = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32"), np.ones((5, 3), "float32")
    product = control.vectorize(lambda m, v: ops.sum(m * v, axis=-1), signature="(i,j),(j)->(i)")
    np.testing.assert_allclose(host(backend, product(m, v)), (m * v[:, None]).sum(-1), rtol=1e-6)
    power = control.vectorize(lambda x, n: x**n, excluded={1})
    np.testing.assert_array_equal(host(backend, power(a, 2)), a**2)


def test_numpy_has_no_jvp():
    with use("numpy"), pytest.raises(ValueError, match="no derivatives"):
        control.jvp(lambda x: x, (np.ones(2, "float32"),), (np.ones(2, "float32"),))


def test_symbolic_shapes():
    x = KerasTensor((None, 3))
    carry, ys = control.scan(lambda c, row: (c, (row, None)), KerasTensor((2,), "int32"), x)
    assert (carry.shape, carry.dtype, ys[0].shape, ys[1]) == ((2,), "int32", (None, 3), None)
    assert control.map(lambda row: row, x).shape == (None, 3)
    merged = control.cond(KerasTensor((), "bool"), lambda: KerasTensor((2, 3)), lambda: KerasTensor((4, 3)))
    assert merged.shape == (None, 3)
    with pytest.raises(ValueError, match="one rank and dtype"):
        control.cond(KerasTensor((), "bool"), lambda: KerasTensor((2,)), lambda: KerasTensor((2,), "int32"))


def test_scan_needs_one_length(backend):
    with pytest.raises(ValueError):
        control.scan(lambda c, x: (c, x[0]), np.float32(0), (np.ones(3, "float32"), np.ones(4, "float32")))
