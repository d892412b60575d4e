"""Contracts of `core.random` on every installed backend: shapes, dtypes, seeds, compiled code, errors. Statistics have their own file."""

import inspect

import numpy as np
import pytest

import core
from core import ops, random
from core.backend import KerasTensor, get, seeds, use
from core.base.dtypes import numpy_dtype
from core.random import draws
from core.random.host import draw, host_generator

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ROWS = np.arange(24, dtype="float32").reshape(8, 3)
LOGITS = np.zeros((2, 5), "float32")

# Draws of a given shape: the call, the dtypes that it takes, and what its numbers are in.
SHAPED = {
    "normal": (lambda shape, **options: random.normal(shape, 1.0, 2.0, **options), FLOATS, np.isfinite),
    "uniform": (lambda shape, **options: random.uniform(shape, -2.0, 3.0, **options), FLOATS, lambda x: (x >= -2) & (x < 3)),
    "truncated_normal": (
        lambda shape, **options: random.truncated_normal(shape, 1.0, 2.0, **options), FLOATS, lambda x: (x >= -3) & (x <= 5),
    ),
    "gamma": (lambda shape, **options: random.gamma(shape, 2.0, **options), FLOATS, lambda x: x > 0),
    "beta": (lambda shape, **options: random.beta(shape, 2.0, 3.0, **options), FLOATS, lambda x: (x >= 0) & (x <= 1)),
    "binomial": (
        lambda shape, **options: random.binomial(shape, 7, 0.4, **options), FLOATS, lambda x: (x >= 0) & (x <= 7) & (x == np.floor(x)),
    ),
    "randint": (lambda shape, **options: random.randint(shape, 3, 120, **options), INTEGERS, lambda x: (x >= 3) & (x < 120)),
}  # fmt: skip
# Every public draw, of numbers enough for two draws to differ.
DRAWS = {name: (lambda seed, call=call: call((40,), seed=seed)) for name, (call, *_) in SHAPED.items()} | {
    "categorical": lambda seed: random.categorical(LOGITS, 40, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(40.0, dtype="float32"), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones((5, 16), "float32"), 0.5, seed=seed),
}
# Each of these takes JAX a second to compile: the slow suite has them there.
COSTLY = {"gamma", "beta", "binomial"}


def on_each_backend(names):
    """Pairs of a backend and a name, as parameters."""
    slow = lambda backend, name: [pytest.mark.slow] if backend == "jax" and name in COSTLY else []  # noqa: E731
    return [pytest.param(backend, name, marks=slow(backend, name)) for backend in BACKENDS for name in names]


SEEDS = {"int": lambda: 7, "generator": lambda: random.SeedGenerator(7), "none": lambda: None}

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(params=BACKENDS)
def backend(request):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


def values(backend, x):
    return np.asarray(backend.convert_to_numpy(x))


def drawn(backend, function, *args, **kwargs):
    return values(backend, function(*args, **kwargs))


def as_made(backend, dtype):
    """What the backend makes of `dtype`: JAX has no 64 bits unless told to."""
    return backend.dtype(backend.convert_to_tensor(np.zeros((), numpy_dtype(dtype))))


def test_every_public_draw_is_tested():
    assert set(DRAWS) == set(draws.__all__)
    assert {name for name in draws.__all__ if "shape" in inspect.signature(getattr(random, name)).parameters} == set(SHAPED)


@pytest.mark.parametrize(("backend", "name"), on_each_backend(SHAPED), indirect=["backend"])
def test_shapes(backend, name):
    call, dtypes, inside = SHAPED[name]
    shapes = [((), ()), ((0,), (0,)), ((40,), (40,)), (40, (40,)), ((4, 2), (4, 2)), ([4, 2], (4, 2)), ((np.int64(4), 2), (4, 2))]
    for shape, expected in [*shapes, (np.array([4, 2]), (4, 2))]:
        found = drawn(backend, call, shape, seed=1)
        assert found.shape == expected, (shape, found.shape)
        assert inside(found).all()


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.parametrize("name", SHAPED)
def test_dtypes(backend, name, kind):
    call, dtypes, inside = SHAPED[name]
    seed = SEEDS[kind]()
    for dtype in dtypes:
        found = call((40,), dtype=dtype, seed=seed)
        assert backend.dtype(found) == as_made(backend, dtype)
        assert inside(values(backend, found).astype("float64")).all(), dtype
    assert backend.dtype(call((40,), seed=seed)) == ("int32" if name == "randint" else "float32")
    assert backend.dtype(call((40,), dtype=None, seed=seed)) == ("int32" if name == "randint" else "float32")
    if name != "randint":
        core.config.set_floatx("float16")
        assert backend.dtype(call((40,), seed=seed)) == "float16"


def test_dtypes_of_the_others(backend):
    for dtype in ("int8", "uint8", "int32", "int64", "float32"):
        classes = random.categorical(LOGITS, 6, dtype=dtype, seed=1)
        assert backend.dtype(classes) == as_made(backend, dtype) and tuple(classes.shape) == (2, 6)
    for dtype in FLOATS:
        x = backend.convert_to_tensor(np.ones((4, 3)), dtype)
        assert backend.dtype(random.dropout(x, 0.5, seed=1)) == as_made(backend, dtype)
        assert backend.dtype(random.categorical(x, 2, seed=1)) == "int32"
    for dtype in (*FLOATS, *INTEGERS[:6], "bool"):
        x = backend.convert_to_tensor(np.arange(5), dtype)
        assert backend.dtype(random.shuffle(x, seed=1)) == as_made(backend, dtype)
    assert backend.dtype(random.dropout(np.ones(3, "int32"), 0.5, seed=1)) == "float32"
    assert tuple(random.categorical(LOGITS, 0, seed=1).shape) == (2, 0)
    assert tuple(random.categorical(LOGITS[:0], 3, seed=1).shape) == (0, 3)
    for shape in ((0,), (0, 2), (2, 0)):
        assert tuple(random.shuffle(np.zeros(shape, "float32"), seed=1).shape) == shape
        assert tuple(random.dropout(np.zeros(shape, "float32"), 0.5, seed=1).shape) == shape


def test_float64_has_all_its_bits(backend):
    if as_made(backend, "float64") != "float64":
        pytest.skip("JAX without its x64 mode")
    for name in ("normal", "uniform", "truncated_normal", "gamma", "beta"):
        found = drawn(backend, SHAPED[name][0], (100,), dtype="float64", seed=1)
        assert (found.astype("float32") != found).mean() > 0.9, name


def test_parameters_of_all_kinds(backend):
    """Numbers, lists, arrays and tensors, of another dtype than the draws too, give the same draws."""
    tensor = backend.convert_to_tensor
    calls = {
        "normal": lambda one: random.normal((4, 2), one([1, 2]), one([1, 3]), seed=1),
        "truncated_normal": lambda one: random.truncated_normal((4, 2), one([1, 2]), one([1, 3]), seed=1),
        "uniform": lambda one: random.uniform((4, 2), one([1, 2]), one([2, 6]), seed=1),
        "gamma": lambda one: random.gamma((4, 2), one([1, 2]), seed=1),
        "beta": lambda one: random.beta((4, 2), one([1, 2]), one([2, 6]), seed=1),
        "binomial": lambda one: random.binomial((4, 2), one([3, 9]), one([1, 0]), seed=1),
        "randint": lambda one: random.randint((4, 2), one([1, 20]), one([8, 90]), seed=1),
    }
    for name, call in calls.items():
        expected = drawn(backend, call, lambda x: x)
        assert expected.shape == (4, 2)
        for make in (np.array, lambda x: np.array(x, "float64"), lambda x: tensor(np.array(x, "float32")), lambda x: core.Variable(x)):
            np.testing.assert_allclose(drawn(backend, call, make), expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", DRAWS)
def test_compiled_draws_are_the_eager_ones(backend, name):
    """The same numbers for an integer, and for three calls of a generator, whose state goes on alike."""
    call = DRAWS[name]
    np.testing.assert_allclose(drawn(backend, core.jit(lambda: call(9))), drawn(backend, call, 9), rtol=1e-6, atol=1e-6)
    ours, other = random.SeedGenerator(9), random.SeedGenerator(9)
    compiled = core.jit(lambda: call(other))
    seen = []
    for _ in range(3):
        seen.append(drawn(backend, call, ours))
        np.testing.assert_allclose(drawn(backend, compiled), seen[-1], rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(values(backend, ours.state.value), values(backend, other.state.value))
    assert len({tuple(one.ravel()) for one in seen}) == 3


@pytest.mark.parametrize(("backend", "name"), on_each_backend(DRAWS), indirect=["backend"])
def test_draws_inside_scans_and_branches(backend, name):
    call = DRAWS[name]
    eager, scanned, branched = (random.SeedGenerator(4) for _ in range(3))
    expected = [drawn(backend, call, eager) for _ in range(3)]
    start = np.zeros((), "float32")
    _, found = core.jit(lambda: core.scan(lambda carry, _: (carry + 1, call(scanned)), start, None, 3))()
    np.testing.assert_allclose(values(backend, found), expected, rtol=1e-6, atol=1e-6)
    compiled = core.jit(lambda first: core.cond(first, lambda: call(branched), lambda: call(branched) + 0))
    for first, one in zip((True, False, True), expected):
        np.testing.assert_allclose(drawn(backend, compiled, backend.convert_to_tensor(first)), one, rtol=1e-6, atol=1e-6)
    for generator in (scanned, branched):
        np.testing.assert_array_equal(values(backend, generator.state.value), values(backend, eager.state.value))


@pytest.mark.parametrize("name", DRAWS)
def test_seeds_that_differ_draw_differently(backend, name):
    """Adjacent ones, those that differ in high bits only, and negative ones; one seed always draws the same."""
    call = DRAWS[name]
    numbers = [0, 1, 2, 3, 1 << 16, 1 << 31, (1 << 31) + 1, 1 << 32, (1 << 32) + 1, 1 << 48, 1 << 63, -1, -2]
    found = [tuple(drawn(backend, call, seed).ravel()) for seed in numbers]
    assert len(set(found)) == len(numbers)
    again = [tuple(drawn(backend, call, random.SeedGenerator(seed)).ravel()) for seed in numbers]
    assert len(set(again)) == len(numbers)
    assert found[1] == tuple(drawn(backend, call, np.int64(1)).ravel())


@pytest.mark.parametrize("name", DRAWS)
def test_unseeded_draws(backend, name):
    """They follow NumPy's global generator, and differ from call to call in compiled code too."""
    call = DRAWS[name]
    np.random.seed(3)
    first, second = drawn(backend, call, None), drawn(backend, call, None)
    assert (first != second).any()
    np.random.seed(3)
    np.testing.assert_array_equal(drawn(backend, call, None), first)
    if name in ("normal", "shuffle", "dropout"):  # it is the seed that matters, which all get alike
        compiled = core.jit(lambda: call(None))
        assert (drawn(backend, compiled) != drawn(backend, compiled)).any()


def test_process_state_is_reseeded(backend):
    def two():
        np.random.seed(3)
        seeds.reseed()
        compiled = backend.jit(lambda: random.normal((4,)))
        return [drawn(backend, compiled) for _ in range(2)]

    two()  # makes the process' state
    np.testing.assert_array_equal(two(), two())


def test_host_draws_are_the_same_on_every_backend(backend):
    generator = random.SeedGenerator(5)
    np.testing.assert_array_equal(draw("normal", (4,), generator), draw("normal", (4,), 5))
    assert host_generator(generator).integers(1 << 30) != host_generator(generator).integers(1 << 30)


def test_generator_config_round_trip(backend):
    generator = random.SeedGenerator()
    again = random.SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(drawn(backend, generator.next), drawn(backend, again.next))


def test_shuffle_permutes_slices(backend):
    for axis in (1, -1, np.int64(1)):
        found = drawn(backend, random.shuffle, ROWS.T, axis=axis, seed=4)
        assert (found != ROWS.T).any() and sorted(found[0]) == sorted(ROWS[:, 0])
        np.testing.assert_array_equal(found - found[:1], np.broadcast_to([[0], [1], [2]], (3, 8)))  # one order for all rows


def test_dropout_scales_what_it_keeps(backend):
    x = np.ones((100, 100), "float32")
    found = drawn(backend, random.dropout, x, 0.25, seed=2)
    np.testing.assert_allclose(np.unique(found), [0, 1 / 0.75], rtol=1e-6)
    for shape in ((None, 1), (100, 1), [None, 1]):
        rows = drawn(backend, random.dropout, x, 0.5, shape, seed=2)
        assert (rows == rows[:, :1]).all() and 20 < (rows[:, 0] == 0).sum() < 80
    for none in (0, 0.0):
        np.testing.assert_array_equal(drawn(backend, random.dropout, x, none, seed=2), x)
    for full in (1, 1.0):
        assert not drawn(backend, random.dropout, np.full((3,), np.inf, "float32"), full, seed=2).any()


# Calls that are refused, with the same words on every backend. `g` is a generator, which must stay where it is.
REFUSED = {
    "negative stddev": (lambda g: random.normal((2,), 0.0, -1.0, seed=g), "stddev at least 0"),
    "a negative stddev among several": (lambda g: random.normal((2,), 0.0, np.array([1.0, -1.0]), seed=g), "stddev at least 0"),
    "negative stddev, truncated": (lambda g: random.truncated_normal((2,), 0.0, -1.0, seed=g), "stddev at least 0"),
    "NaN": (lambda g: random.normal((2,), 0.0, float("nan"), seed=g), "stddev at least 0"),
    "interval upside down": (lambda g: random.uniform((2,), 1.0, 0.0, seed=g), "minval <= maxval"),
    "interval upside down, by default": (lambda g: random.uniform((2,), 2.0, seed=g), "minval <= maxval"),
    "gamma of 0": (lambda g: random.gamma((2,), 0.0, seed=g), "alpha above 0"),
    "beta of -1": (lambda g: random.beta((2,), 1.0, -1.0, seed=g), "beta above 0"),
    "half a trial": (lambda g: random.binomial((2,), 2.5, 0.5, seed=g), "counts whole"),
    "fewer than no trials": (lambda g: random.binomial((2,), -2, 0.5, seed=g), "counts whole"),
    "no probability": (lambda g: random.binomial((2,), 2, [0.5, 1.5], seed=g), "probabilities from 0 to 1"),
    "empty range": (lambda g: random.randint((2,), 5, 5, seed=g), "minval < maxval"),
    "range upside down": (lambda g: random.randint((2,), 5, 2, seed=g), "minval < maxval"),
    "an empty range among several": (lambda g: random.randint((2,), [0, 5], [3, 5], seed=g), "minval < maxval"),
    "parts of integers": (lambda g: random.randint((2,), 0, 5.5, seed=g), "whole maxval"),
    "range out of the dtype": (lambda g: random.randint((2,), 0, 1000, dtype="int8", seed=g), "maxval <= 128"),
    "unsigned and negative": (lambda g: random.randint((2,), -1, 5, dtype="uint8", seed=g), "minval >= 0"),
    "integers as floats": (lambda g: random.randint((2,), 0, 5, dtype="float32", seed=g), "integer dtype"),
    "integers as bools": (lambda g: random.randint((2,), 0, 2, dtype="bool", seed=g), "integer dtype"),
    "normal integers": (lambda g: random.normal((2,), dtype="int32", seed=g), "float dtype"),
    "uniform integers": (lambda g: random.uniform((2,), dtype="int32", seed=g), "float dtype"),
    "gamma integers": (lambda g: random.gamma((2,), 1.0, dtype="int32", seed=g), "float dtype"),
    "complex": (lambda g: random.normal((2,), dtype="complex64", seed=g), "float dtype"),
    "unknown dtype": (lambda g: random.uniform((2,), dtype="float31", seed=g), "Unknown dtype"),
    "unknown dtype of integers": (lambda g: random.randint((2,), 0, 5, dtype="int31", seed=g), "Unknown dtype"),
    "unknown dtype of classes": (lambda g: random.categorical(LOGITS, 2, dtype="int31", seed=g), "Unknown dtype"),
    "rate below 0": (lambda g: random.dropout(ROWS, -0.1, seed=g), "rate from 0 to 1"),
    "rate above 1": (lambda g: random.dropout(ROWS, 1.5, seed=g), "rate from 0 to 1"),
    "noise of another rank": (lambda g: random.dropout(ROWS, 0.5, (1,), seed=g), "noise_shape"),
    "noise of another shape": (lambda g: random.dropout(ROWS, 0.5, (5, 3), seed=g), "noise_shape"),
    "logits of one axis": (lambda g: random.categorical(LOGITS[0], 2, seed=g), "batch, classes"),
    "fewer than no samples": (lambda g: random.categorical(LOGITS, -1, seed=g), "negative"),
    "shuffled scalar": (lambda g: random.shuffle(np.float32(1), seed=g), "out of range"),
    "axis that is not there": (lambda g: random.shuffle(ROWS, axis=2, seed=g), "out of range"),
    "negative shape": (lambda g: random.normal((-1,), seed=g), "not negative"),
    "negative size": (lambda g: random.normal(-1, seed=g), "negative"),
    "shape of floats": (lambda g: random.uniform((2.5,), seed=g), "integers"),
    "shape with None": (lambda g: random.randint((None, 2), 0, 5, seed=g), "integers"),
    "shape as a string": (lambda g: random.gamma("ab", 1.0, seed=g), "string"),
    "no shape": (lambda g: random.beta(None, 1.0, 1.0, seed=g), "shape is needed"),
    "parameter of another shape": (lambda g: random.normal((2,), np.zeros(3, "float32"), seed=g), "broadcast"),
    "parameter that would grow the draws": (lambda g: random.normal((2,), np.zeros((3, 1), "float32"), seed=g), "broadcast"),
    "seed as a string": (lambda g: random.normal((2,), seed="a"), "seed must be an integer"),
    "seed as a float": (lambda g: random.uniform((2,), seed=1.0), "seed must be an integer"),
    "seed as a bool": (lambda g: random.shuffle(ROWS, seed=True), "seed must be an integer"),
    "seed as a list": (lambda g: random.dropout(ROWS, 0.5, seed=[1, 2]), "seed must be an integer"),
    "generator of a string": (lambda g: random.SeedGenerator("a"), "seed must be an integer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(backend, case):
    call, words = REFUSED[case]
    generator = random.SeedGenerator(3)
    before = values(backend, generator.state.value)
    with pytest.raises(ValueError, match=words) as caught:
        call(generator)
    with use("numpy"), pytest.raises(ValueError, match=words) as first:
        call(random.SeedGenerator(3))
    assert str(caught.value) == str(first.value) and type(caught.value) is ValueError
    np.testing.assert_array_equal(values(backend, generator.state.value), before)


def test_symbolic_draws_are_checked_too(backend):
    x = KerasTensor((None, 3))
    assert random.normal((ops.shape(x)[0], 2), seed=1).shape == (None, 2)
    assert random.randint((ops.shape(x)[0],), 0, 9, dtype="uint8", seed=1).dtype == "uint8"
    with pytest.raises(ValueError, match="batch, classes"):
        random.categorical(KerasTensor((3,)), 2)
    with pytest.raises(ValueError, match="rate from 0 to 1"):
        random.dropout(x, 2.0)
    with pytest.raises(ValueError, match="stddev at least 0"):
        random.normal((ops.shape(x)[0], 2), 0.0, -1.0)


def test_seed_generator_lands_on_its_own_backend():
    pytest.importorskip("torch")
    with use("torch"):
        generator = random.SeedGenerator(1)
    with use("numpy"):
        assert get("torch").is_tensor(random.normal((2,), seed=generator))
