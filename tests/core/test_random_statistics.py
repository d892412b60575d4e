"""Whether the draws of `core.random` follow their distributions, and are independent of each other, on every installed backend.

The counts are so large that a fault of 2 % in a scale or a probability is seen. Seeds are fixed, and each statement would be wrong by
chance for about one seed in 10,000 (`CHANCE`; statements about many numbers at once share it). The slow suite draws ten times as many.
"""

import itertools

import numpy as np
import pytest

import core
from core import random
from core.backend import use
from core.random.host import draw

stats = pytest.importorskip("scipy.stats")

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
CHANCE = 1e-4
COUNT = 50_000

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(params=BACKENDS)
def backend(request):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


@pytest.fixture(params=[COUNT, pytest.param(10 * COUNT, marks=pytest.mark.slow)], ids=["quick", "many"])
def count(request):
    return request.param


def drawn(backend, function, *args, **kwargs):
    return np.asarray(backend.convert_to_numpy(function(*args, **kwargs)))


def within(values, expected, deviations, tests=1):
    """Whether `values` are as near to `expected` as normal ones of these standard deviations, but for the chance divided by `tests`."""
    return np.all(np.abs((np.asarray(values, "float64") - expected) / deviations) < stats.norm.isf(CHANCE / (2 * tests)))


def follows(values, distribution):
    """Kolmogorov and Smirnov's test."""
    return stats.kstest(np.asarray(values, "float64").ravel(), distribution.cdf, method="asymp").pvalue > CHANCE


def counted(values, probabilities):
    """Pearson's chi-square test of the numbers 0, 1, ... among `values`."""
    values, probabilities = np.asarray(values, "int64").ravel(), np.asarray(probabilities, "float64")
    found = np.bincount(values, minlength=len(probabilities))
    assert len(found) == len(probabilities) and not found[probabilities == 0].any(), "outside the support"
    possible = probabilities > 0
    return possible.sum() == 1 or stats.chisquare(found[possible], probabilities[possible] * values.size).pvalue > CHANCE


# Vectors of parameters are drawn in one call and tested column by column.
CONTINUOUS = {
    "normal": (lambda n, **k: random.normal((n, 1), **k), [stats.norm()]),
    "normal, moved": (lambda n, **k: random.normal((n, 2), [3.0, -1.0], [0.5, 20.0], **k), [stats.norm(3, 0.5), stats.norm(-1, 20)]),
    "uniform": (lambda n, **k: random.uniform((n, 1), **k), [stats.uniform()]),
    "uniform, moved": (lambda n, **k: random.uniform((n, 2), [-2.0, 5.0], [4.0, 5.5], **k), [stats.uniform(-2, 6), stats.uniform(5, 0.5)]),
    "truncated_normal": (lambda n, **k: random.truncated_normal((n, 1), **k), [stats.truncnorm(-2, 2)]),
    "truncated_normal, moved": (
        lambda n, **k: random.truncated_normal((n, 2), [1.0, -3.0], [2.0, 0.1], **k),
        [stats.truncnorm(-2, 2, 1, 2), stats.truncnorm(-2, 2, -3, 0.1)],
    ),
    "gamma of a number": (lambda n, **k: random.gamma((n, 1), 2, **k), [stats.gamma(2)]),
    "gamma": (lambda n, **k: random.gamma((n, 5), [0.1, 0.5, 1.0, 5.0, 50.0], **k), [stats.gamma(a) for a in (0.1, 0.5, 1, 5, 50)]),
    "beta of numbers": (lambda n, **k: random.beta((n, 1), 2.0, 1, **k), [stats.beta(2, 1)]),
    "beta": (
        lambda n, **k: random.beta((n, 4), [0.5, 2.0, 30.0, 0.1], [0.5, 5.0, 1.0, 0.3], **k),
        [stats.beta(0.5, 0.5), stats.beta(2, 5), stats.beta(30, 1), stats.beta(0.1, 0.3)],
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(backend, count, name):
    call, distributions = CONTINUOUS[name]
    columns = drawn(backend, call, count, seed=11)
    assert columns.dtype == np.float32
    for column, distribution in zip(columns.T, distributions, strict=True):
        assert follows(column, distribution), distribution.args
        assert within(column.mean(dtype="float64"), distribution.mean(), distribution.std() / np.sqrt(count)), distribution.args


def test_small_parameters_do_not_underflow_together(backend):
    """In float32, both gammas behind beta(0.01, 0.01) would be zero for 17 % of the draws: all of them must be near 0 or 1 alike."""
    found = drawn(backend, random.beta, (COUNT,), 0.01, 0.01, seed=1)
    inner = stats.beta(0.01, 0.01).cdf(0.99) - stats.beta(0.01, 0.01).cdf(0.01)
    assert within(((found > 0.01) & (found < 0.99)).mean(), inner, np.sqrt(inner * (1 - inner) / COUNT))


@pytest.mark.parametrize("name", ["normal", "uniform", "truncated_normal", "gamma", "beta"])
def test_float64_distributions(backend, name):
    if backend.dtype(backend.convert_to_tensor(np.zeros((), "float64"))) != "float64":
        pytest.skip("JAX without its x64 mode")
    call, distributions = CONTINUOUS[name]
    for column, distribution in zip(drawn(backend, call, COUNT, seed=12, dtype="float64").T, distributions, strict=True):
        assert follows(column, distribution), distribution.args


@pytest.mark.parametrize("kind", ["normal", "uniform", "truncated_normal"])
def test_host_distributions(kind):
    values = draw(kind, (COUNT,), 3)
    assert values.dtype == np.float32 and follows(values, CONTINUOUS[kind][1][0])
    np.testing.assert_array_equal(values, draw(kind, (COUNT,), 3))
    assert within(np.corrcoef(values, draw(kind, (COUNT,), 4))[0, 1], 0, COUNT**-0.5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_moments_of_the_normal_distribution(backend, count, dtype):
    """Mean, variance, skewness and excess kurtosis, whose standard deviations are 1, 2, 6 and 24 over the count, rooted."""
    values = drawn(backend, random.normal, (count,), seed=21, dtype=dtype).astype("float64")
    moments = [values.mean(), values.var() - 1, stats.skew(values), stats.kurtosis(values)]
    assert within(moments, 0, np.sqrt(np.array([1, 2, 6, 24]) / count), tests=4), moments
    assert np.abs(values).max() > 4  # narrow dtypes have tails too


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_uniform_draws_stay_below_the_end(backend, dtype):
    """Where rounding would reach `maxval` too: in narrow dtypes, and where the interval is narrow for its place."""
    for low, high in [(0.0, 1.0), (0.0, 0.3), (-2.0, -1.0), (-0.3, 0.7), (1e4, 1e4 + 100), (1e4, 1e4 + 1)]:
        for ends in ((low, high), (np.float32(low), np.float32(high)), tuple(map(backend.convert_to_tensor, (low, high)))):
            values = drawn(backend, random.uniform, (COUNT,), *ends, seed=31, dtype=dtype).astype("float64")
            step = float(np.spacing(np.float32(max(abs(low), abs(high))))) * {"float32": 1, "float16": 2**13, "bfloat16": 2**16}[dtype]
            assert (values < high).all() or step > high - low, (low, high)
            assert (values >= low - step).all(), (low, high)
            if step < (high - low) / 50:  # else the numbers of the dtype are too few for a mean
                assert within(values.mean(), (low + high) / 2, (high - low) / np.sqrt(12 * COUNT)), (low, high)


WHOLE = {
    "not a power of two": ((2, 9), "int32"),
    "negative": ((-3, 4), "int8"),
    "all bytes": ((0, 256), "uint8"),
    "all signed bytes": ((-128, 128), "int8"),
    "one": ((5, 6), "int64"),
    "most of a byte": ((0, 100), "int8"),
    "most of a word": ((-30_000, 20_000), "int16"),
    "words": ((0, 1000), "uint16"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_integers_are_equally_likely(backend, count, name):
    (low, high), dtype = WHOLE[name]
    values = drawn(backend, random.randint, (count,), low, high, dtype=dtype, seed=41).astype("int64")
    assert counted(values - low, np.full(high - low, 1 / (high - low)))


def test_large_ranges_of_integers_are_even(backend, count):
    """The remainder of 32 random bits by 3 * 2**30 would hit the first third of that range twice as often."""
    third = 1 << 30
    values = drawn(backend, random.randint, (count,), -3 * (third // 2), 3 * (third // 2), seed=42).astype("int64")
    assert counted((values + 3 * (third // 2)) // third, [1 / 3] * 3)
    low, high = np.array([0, -10, 7]), np.array([10, 20, 8])
    columns = drawn(backend, random.randint, (count, 3), low, high, seed=43).astype("int64")
    for column, least, end in zip(columns.T, low, high):
        assert counted(column - least, np.full(end - least, 1 / (end - least)))


# Counts small and large, probabilities near and at both ends.
BINOMIAL = [
    (1, 0.5),
    (10, 0.3),
    (10, 0.97),
    (50, 0.02),
    (1000, 0.5),
    (1000, 0.001),
    (1000, 0.999),
    (20_000, 0.3),
    (10, 0.0),
    (10, 1.0),
    (0, 0.5),
]


def test_binomial_counts(backend, count):
    trials, probabilities = (np.array(part, "float32") for part in zip(*BINOMIAL))
    columns = drawn(backend, random.binomial, (count // 2, len(BINOMIAL)), trials, probabilities, seed=51)
    for column, (n, p) in zip(columns.T, BINOMIAL):
        distribution = stats.binom(n, np.float64(np.float32(p)))
        # Cells of about equal weight: each ends at a quantile.
        ends = np.unique(distribution.ppf(np.linspace(0, 1, 31)[1:-1])) if 0 < p < 1 and n else np.array([])
        cells = np.diff(np.concatenate([[0], distribution.cdf(ends), [1]]))
        cells[np.abs(cells) < 1e-9] = 0
        assert ((column >= 0) & (column <= n) & (column == np.floor(column))).all()
        assert counted(np.searchsorted(ends, column), cells), (n, p)
        assert distribution.std() == 0 or within(column.mean(), distribution.mean(), distribution.std() / np.sqrt(len(column))), (n, p)
    single = drawn(backend, random.binomial, (COUNT,), 4, 0.25, seed=52)
    assert counted(single, stats.binom(4, 0.25).pmf(np.arange(5)))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_classes(backend, count, dtype):
    probabilities = np.array([[0.1, 0.2, 0.7, 0.0], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 1.0, 0.0]])
    with np.errstate(divide="ignore"):
        logits = backend.cast(backend.convert_to_tensor(np.log(probabilities).astype("float32") + 3), dtype)  # their sum does not matter
    rounded = np.exp(np.asarray(backend.convert_to_numpy(logits), "float64"))
    rows = drawn(backend, random.categorical, logits, count, seed=61)
    assert rows.dtype == np.int32
    for row, weights in zip(rows, rounded, strict=True):
        assert counted(row, weights / weights.sum())


# Independence. Each is what a wrong use of counters or keys would show: equal, shifted or correlated streams.


def uniform_bits(backend, count, **options):
    return drawn(backend, random.randint, (count,), -(1 << 31), 1 << 31, **options).astype("int64")


def correlation(a, b):
    return np.corrcoef(np.asarray(a, "float64").ravel(), np.asarray(b, "float64").ravel())[0, 1]


def pairwise_independent(draws):
    """Whether no two of the rows correlate, at the same places or moved by one."""
    pairs = list(itertools.combinations(range(len(draws)), 2))
    found = [correlation(draws[i], draws[j]) for i, j in pairs] + [correlation(draws[i][1:], draws[j][:-1]) for i, j in pairs]
    return within(found, 0, draws.shape[1] ** -0.5, tests=len(found))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_consecutive_draws_are_independent(backend, name, compiled):
    generator, function = random.SeedGenerator(1), getattr(random, name)
    call = core.jit(lambda: function((20_000,), seed=generator)) if compiled else lambda: function((20_000,), seed=generator)
    draws = np.array([drawn(backend, call) for _ in range(8)])
    assert pairwise_independent(draws)


def test_first_numbers_of_consecutive_draws(backend):
    generator = random.SeedGenerator(2)
    first = np.array([drawn(backend, random.normal, (2,), seed=generator) for _ in range(1000)])
    assert within([correlation(first[1:, 0], first[:-1, 0]), correlation(first[:, 0], first[:, 1])], 0, 1000**-0.5, tests=2)
    assert follows(first[:, 0], stats.norm())


def test_adjacent_seeds_are_independent(backend):
    for numbers in (range(8), [1 << k for k in range(28, 36)], [(k << 32) + 5 for k in range(8)]):
        assert pairwise_independent(np.array([drawn(backend, random.normal, (20_000,), seed=number) for number in numbers])), numbers
    first = np.array([drawn(backend, random.uniform, (1,), seed=number)[0] for number in range(1000)])
    assert follows(first, stats.uniform()) and within(correlation(first[1:], first[:-1]), 0, 1000**-0.5)


@pytest.mark.parametrize("name", ["normal", "uniform", "gamma of a number", "beta of numbers"])
def test_numbers_of_one_draw_do_not_correlate(backend, count, name):
    values = drawn(backend, CONTINUOUS[name][0], count, seed=71).ravel().astype("float64")
    lags = (1, 2, 3, 4, 5, 7, 8, 16, 32, 64, 100, 256, 624, 1000, 1024, 4096)
    for series in (values, (values - values.mean()) ** 2):
        assert within([correlation(series[lag:], series[:-lag]) for lag in lags], 0, count**-0.5, tests=len(lags))


def test_all_bits_are_balanced(backend, count):
    bits = uniform_bits(backend, count, seed=81)[:, None] >> np.arange(32) & 1
    assert within(bits.mean(0), 0.5, 0.5 / np.sqrt(count), tests=32)
    low = drawn(backend, random.uniform, (count,), seed=82).astype("float64") * (1 << 22)  # float32 keeps 23 bits of these
    assert within((low.astype("int64") & 1).mean(), 0.5, 0.5 / np.sqrt(count))


def test_all_orders_are_equally_likely(backend):
    """The 24 orders of 4, over consecutive shuffles of a generator and over adjacent integer seeds."""
    orders = {order: number for number, order in enumerate(itertools.permutations(range(4)))}
    x, generator = backend.convert_to_tensor(np.arange(4)), random.SeedGenerator(91)
    for seeds in ([generator] * 800, range(800)):
        found = [orders[tuple(drawn(backend, random.shuffle, x, seed=seed))] for seed in seeds]
        assert counted(found, np.full(24, 1 / 24))
    places = drawn(backend, random.shuffle, np.arange(COUNT), seed=92)
    assert within(correlation(places, np.arange(COUNT)), 0, COUNT**-0.5) and sorted(places) == list(range(COUNT))
    assert within(correlation(places[1:], places[:-1]), 0, COUNT**-0.5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_masks(backend, rate, dtype):
    """Of the rate asked for, in narrow dtypes too, and independent from call to call and from element to element."""
    generator, x = random.SeedGenerator(95), backend.convert_to_tensor(np.ones((COUNT,)), dtype)
    masks = np.array([drawn(backend, random.dropout, x, rate, seed=generator) == 0 for _ in range(8)])
    assert within(masks.mean(), rate, np.sqrt(rate * (1 - rate) / masks.size))
    assert pairwise_independent(masks)
    assert within([correlation(masks[:, lag:], masks[:, :-lag]) for lag in (1, 2, 8)], 0, masks.size**-0.5, tests=3)


def test_noise_of_layers(backend):
    """Two layers of one integer seed draw alike, call by call; layers of other seeds, and consecutive calls, do not correlate."""
    x = np.zeros((200, 100), "float32")
    layers = [core.layers.GaussianNoise(1.0, seed=seed) for seed in (5, 5, 6)]
    calls = [[drawn(backend, layer, x, training=True).ravel() for _ in range(3)] for layer in layers]
    np.testing.assert_array_equal(calls[0], calls[1])
    assert pairwise_independent(np.array([*calls[0], *calls[2]]))
    kept = [drawn(backend, core.layers.Dropout(0.5, seed=seed), x + 1, training=True).ravel() == 0 for seed in (5, 5, 6)]
    np.testing.assert_array_equal(kept[0], kept[1])
    assert pairwise_independent(np.array([kept[0], kept[2]]))
