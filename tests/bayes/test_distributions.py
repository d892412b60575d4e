"""Base distributions: densities against SciPy, draws against their moments."""

import numpy as np
import pytest
from conftest import host, tensor
from scipy import stats

import core
from bayes.distributions import DiagonalNormal, DiagonalStudentT, find_distribution
from bayes.distributions.distribution import split_seed

MEAN, SCALE = np.array([0.5, -1.0, 2.0]), np.array([0.3, 1.0, 4.0])
CASES = {
    "normal": (lambda **k: DiagonalNormal(MEAN, SCALE, **k), stats.norm(MEAN, SCALE)),
    "student": (lambda **k: DiagonalStudentT(5, MEAN, SCALE, **k), stats.t(5, MEAN, SCALE)),
}
each = pytest.mark.parametrize("name", sorted(CASES))


def built(name, **arguments):
    distribution = CASES[name][0](**arguments)
    distribution.build((None, 3))
    return distribution


@each
def test_log_prob(quick_everywhere, name):
    x = np.random.default_rng(0).normal(size=(4, 7, 3)) * 3
    np.testing.assert_allclose(host(built(name).log_prob(tensor(x))), CASES[name][1].logpdf(x).sum(-1), rtol=1e-4, atol=1e-4)


@each
def test_draws(backend, name):
    draws = host(built(name).sample(20_000, seed=3))
    assert draws.shape == (20_000, 3)
    for column, (mean, scale) in enumerate(zip(MEAN, SCALE)):
        reference = stats.norm(mean, scale) if name == "normal" else stats.t(5, mean, scale)
        assert stats.kstest(draws[:, column], reference.cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.03


@each
def test_seeds(backend, name):
    distribution = built(name)
    first, again, other = (host(distribution.sample((2, 5), seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, 5, 3) and np.abs(first - other).min() > 0
    generator = core.random.SeedGenerator(1)
    assert np.abs(host(distribution.sample(5, seed=generator)) - host(distribution.sample(5, seed=generator))).min() > 0


@each
def test_parameters_are_trained_where_asked(trains, name):
    assert not built(name).trainable_variables
    distribution = built(name, trainable_parameters=True)
    x = tensor(np.ones((4, 3)))
    _, gradients = core.value_and_grad(lambda: core.ops.mean(distribution.log_prob(x)), distribution.trainable_variables)()
    assert len(gradients) == 2 and all(np.abs(host(g)).max() > 0 for g in gradients)


@each
def test_config(on_torch, name):
    distribution = CASES[name][0](seed_generator=core.random.SeedGenerator(4))
    again = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(distribution))
    for one in (distribution, again):
        one.build((None, 3))
    np.testing.assert_array_equal(host(again.sample(5)), host(distribution.sample(5)))


def test_names_and_refusals():
    assert isinstance(find_distribution("student"), DiagonalStudentT)
    for wrong in ("cauchy", 3):
        with pytest.raises(ValueError, match="base distribution"):
            find_distribution(wrong)
    for make in (lambda: DiagonalNormal(std=0.0), lambda: DiagonalStudentT(df=0), lambda: DiagonalStudentT(scale=-1.0)):
        with pytest.raises(ValueError, match="> 0"):
            make()


def test_split_seeds_are_distinct_and_reproducible():
    words = {seed: tuple(split_seed(seed, 3)) for seed in range(50)}
    assert words[7] == tuple(split_seed(7, 3)) and len({w for row in words.values() for w in row}) == 150
    assert split_seed(None, 2) == [None, None]
