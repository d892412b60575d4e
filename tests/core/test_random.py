"""Distributions, reproducibility and state of `core.random`, on every installed backend."""

import math

import numpy as np
import pytest

from core import random
from core.backend import get, use
from core.random.host import draw, host_generator

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
COUNT = 20_000


@pytest.fixture(params=BACKENDS)
def backend(request):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


def drawn(backend, function, *args, **kwargs):
    return np.asarray(backend.convert_to_numpy(function(*args, **kwargs)))


def normal_cdf(x):
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def truncated_cdf(x):
    low, high = normal_cdf(-2.0), normal_cdf(2.0)
    return (normal_cdf(x) - low) / (high - low)


def distance(values, cdf):
    """Kolmogorov's: the largest gap between the empirical distribution function and `cdf`."""
    values = np.sort(values.ravel().astype("float64"))
    expected, count = cdf(values), len(values)
    return max(np.max(np.arange(1, count + 1) / count - expected), np.max(expected - np.arange(count) / count))


CONTINUOUS = {
    "normal": (random.normal, (), normal_cdf),
    "uniform": (random.uniform, (), lambda x: np.clip(x, 0, 1)),
    "truncated_normal": (random.truncated_normal, (), truncated_cdf),
    "exponential": (random.gamma, (1.0,), lambda x: 1 - np.exp(-x)),
    "erlang": (random.gamma, (2.0,), lambda x: 1 - np.exp(-x) * (1 + x)),
    "beta": (random.beta, (2.0, 1.0), lambda x: x**2),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_distribution(backend, name):
    function, parameters, cdf = CONTINUOUS[name]
    values = drawn(backend, function, (COUNT,), *parameters, seed=11)
    assert values.dtype == np.float32
    assert distance(values, cdf) < 1.95 / math.sqrt(COUNT)  # exceeded by chance once in a thousand


@pytest.mark.parametrize("kind", ["normal", "uniform", "truncated_normal"])
def test_host_distribution(kind):
    cdf = CONTINUOUS[kind][2]
    values = draw(kind, (COUNT,), 3)
    assert values.dtype == np.float32 and distance(values, cdf) < 1.95 / math.sqrt(COUNT)
    np.testing.assert_array_equal(values, draw(kind, (COUNT,), 3))
    assert abs(np.corrcoef(values, draw(kind, (COUNT,), 4))[0, 1]) < 4 / math.sqrt(COUNT)


def test_host_draws_are_the_same_on_every_backend(backend):
    generator = random.SeedGenerator(5)
    np.testing.assert_array_equal(draw("normal", (4,), generator), draw("normal", (4,), 5))
    assert host_generator(generator).integers(1 << 30) != host_generator(generator).integers(1 << 30)


def test_scale_and_shift(backend):
    values = drawn(backend, random.normal, (COUNT,), 3.0, 0.5, seed=1)
    assert abs(values.mean() - 3) < 0.02 and abs(values.std() - 0.5) < 0.02
    values = drawn(backend, random.uniform, (COUNT,), -2.0, 4.0, seed=1)
    assert values.min() >= -2 and values.max() < 4 and abs(values.mean() - 1) < 0.06
    values = drawn(backend, random.truncated_normal, (COUNT,), 1.0, 2.0, seed=1)
    assert values.min() >= -3 and values.max() <= 5


def test_integers_and_classes(backend):
    counts = np.bincount(drawn(backend, random.randint, (COUNT,), 2, 7, seed=1), minlength=8)
    assert counts[[0, 1, 7]].sum() == 0 and np.abs(counts[2:7] / COUNT - 0.2).max() < 0.015
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]], "float32"))
    classes = drawn(backend, random.categorical, logits, COUNT, seed=1)
    assert classes.dtype == np.int32
    for row, expected in zip(classes, ([0.1, 0.2, 0.7], [0.5, 0.5, 0.0])):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / COUNT, expected, atol=0.015)
    successes = drawn(backend, random.binomial, (COUNT,), 10.0, 0.3, seed=1)
    assert abs(successes.mean() - 3) < 0.05 and abs(successes.var() - 2.1) < 0.1


def test_shuffle_permutes_slices(backend):
    x = np.arange(24, dtype="float32").reshape(2, 12)
    found = drawn(backend, random.shuffle, x, axis=1, seed=4)
    assert (found != x).any() and sorted(found[0]) == sorted(x[0])
    np.testing.assert_array_equal(found[1] - found[0], np.full(12, 12.0))


def test_dropout(backend):
    x = np.ones((100, 100), "float32")
    found = drawn(backend, random.dropout, x, 0.25, seed=2)
    assert set(np.unique(found)) == {np.float32(0), np.float32(1 / 0.75)} and abs((found == 0).mean() - 0.25) < 0.02
    rows = drawn(backend, random.dropout, x, 0.5, (None, 1), seed=2)
    assert (rows == rows[:, :1]).all() and 20 < (rows[:, 0] == 0).sum() < 80
    np.testing.assert_array_equal(drawn(backend, random.dropout, x, 0.0, seed=2), x)
    assert not drawn(backend, random.dropout, x, 1.0, seed=2).any()


def test_integer_seed_repeats(backend):
    first, second = (drawn(backend, random.normal, (8,), seed=9) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    compiled = backend.jit(lambda: random.normal((8,), seed=9))
    np.testing.assert_allclose(drawn(backend, compiled), first, rtol=1e-6)
    assert (drawn(backend, random.normal, (8,), seed=10) != first).all()
    assert (drawn(backend, random.normal, (8,), seed=9 + (1 << 32)) != first).all()


def test_generator_advances_and_repeats(backend):
    def three(make):
        generator = random.SeedGenerator(9)
        function = make(lambda: random.uniform((16,), seed=generator))
        return [drawn(backend, function) for _ in range(3)]

    eager, compiled = three(lambda f: f), three(backend.jit)
    np.testing.assert_allclose(eager, compiled, rtol=1e-6)
    assert len({tuple(values) for values in eager}) == 3


def test_consecutive_draws_are_independent(backend):
    generator = random.SeedGenerator(1)
    draws = np.array([drawn(backend, random.normal, (2000,), seed=generator) for _ in range(8)])
    correlations = np.corrcoef(draws)[np.triu_indices(8, 1)]
    assert np.abs(correlations).max() < 4.5 / math.sqrt(2000)


def test_unseeded_draws_follow_numpy_and_differ_in_compiled_code(backend):
    np.random.seed(3)
    first = drawn(backend, random.normal, (4,))
    np.random.seed(3)
    np.testing.assert_array_equal(drawn(backend, random.normal, (4,)), first)
    if backend.name in ("jax", "tensorflow"):
        compiled = backend.jit(lambda: random.normal((4,)))
        assert (drawn(backend, compiled) != drawn(backend, compiled)).all()


def test_process_state_is_reseeded(backend):
    from core.backend import seeds

    def two():
        np.random.seed(3)
        seeds.reseed()
        compiled = backend.jit(lambda: random.normal((4,)))
        return [drawn(backend, compiled) for _ in range(2)]

    two()  # makes the process' state
    np.testing.assert_array_equal(two(), two())


def test_generator_config_round_trip(backend):
    generator = random.SeedGenerator()
    again = random.SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(drawn(backend, generator.next), drawn(backend, again.next))


def test_errors_teach(backend):
    with pytest.raises(ValueError, match="seed must be an integer"):
        random.normal((2,), seed="a")
    from core.backend import KerasTensor

    with pytest.raises(ValueError, match="batch, classes"):
        random.categorical(KerasTensor((3,)), 2)


def test_seed_generator_lands_on_its_own_backend():
    pytest.importorskip("torch")
    with use("torch"):
        generator = random.SeedGenerator(1)
    with use("numpy"):
        assert get("torch").is_tensor(random.normal((2,), seed=generator))
