"""Priors: densities against SciPy's, draws against densities, supports."""

import numpy as np
import pytest
from scipy import stats

from bayes import priors, simulators

FAMILIES = {
    "uniform": (priors.Uniform([-1.0, 2.0], [1.0, 5.0]), stats.uniform([-1, 2], [2, 3])),
    "normal": (priors.Normal([0.0, 1.0], [1.0, 3.0]), stats.norm([0, 1], [1, 3])),
    "half normal": (priors.HalfNormal([1.0, 2.0]), stats.halfnorm(scale=[1, 2])),
    "log normal": (priors.LogNormal([0.5, -1.0], 0.5), stats.lognorm(0.5, scale=np.exp([0.5, -1.0]))),
    "gamma": (priors.Gamma([0.7, 3.0], 2.0), stats.gamma([0.7, 3.0], scale=0.5)),
    "beta": (priors.Beta([0.5, 2.0], [3.0, 1.0]), stats.beta([0.5, 2.0], [3.0, 1.0])),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_densities_and_draws_are_scipys(name):
    prior, exact = FAMILIES[name]
    draws = prior.sample(4000, seed=1)
    assert draws.shape == (4000, 2) and prior.support.contains(draws).all()
    assert np.allclose(prior.log_prob(draws[:50]), exact.logpdf(draws[:50]).sum(axis=1))
    for axis in range(2):
        uniform = exact.cdf(draws)[:, axis]
        assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    outside = np.where(np.isfinite(prior.support.lower), prior.support.lower - 1, -1e9)
    if prior.support.is_bounded:
        assert prior.log_prob(np.broadcast_to(outside, (1, 2)))[0] == -np.inf


def test_joint_is_a_simulator_with_a_density():
    joint = priors.Joint(mu=priors.Normal(0.0, 2.0), sigma=priors.HalfNormal(1.0))
    data = joint.sample(5, seed=0)
    expected = stats.norm(0, 2).logpdf(data["mu"][:, 0]) + stats.halfnorm().logpdf(data["sigma"][:, 0])
    assert np.allclose(joint.log_prob({**data, "x": 1}), expected)
    assert joint.support["sigma"].lower == 0 and not joint.support["mu"].is_bounded
    with pytest.raises(ValueError, match="missing"):
        joint.log_prob({"mu": data["mu"]})


def test_supports_reach_the_simulator():
    simulator = simulators.make_simulator([{"theta": priors.Uniform(-1.0, 1.0)}, lambda theta: {"x": theta}])
    assert float(simulator.support["theta"].upper[0]) == 1.0
    function = priors.from_function(lambda rng: {"rate": rng.gamma(2.0)}, support={"rate": (0, None)})
    assert simulators.make_simulator([function, lambda rate: {"x": rate}]).support["rate"].lower == 0


BAD = {
    "empty box": lambda: priors.Uniform(1.0, 1.0),
    "negative std": lambda: priors.Normal(0.0, -1.0),
    "nan": lambda: priors.Normal(np.nan, 1.0),
    "shapes": lambda: priors.Normal([0.0, 1.0], [1.0, 1.0, 1.0]),
    "event": lambda: priors.Normal([0.0, 1.0]).log_prob(np.zeros((3, 4))),
    "support": lambda: priors.Support(2.0, 1.0),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_priors_are_refused(name):
    with pytest.raises(ValueError):
        BAD[name]()
