"""Diagnostics: calibrated posteriors pass, wrong ones fail, numbers follow their definitions."""

import numpy as np
import pytest

from bayes.diagnostics import metrics, plots
from bayes.diagnostics.ranks import simultaneous_bands


def conjugate(rows=400, samples=200, scale=1.0, shift=0.0, seed=0):
    """Draws and truths of theta ~ N(0, 1), x ~ N(theta, 1): the posterior is N(x / 2, 1 / 2), here with a wrong scale or place."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(rows, 2))
    x = theta + rng.normal(size=theta.shape)
    draws = x[:, None] / 2 + shift + scale * np.sqrt(0.5) * rng.normal(size=(rows, samples, 2))
    return {"theta": draws}, {"theta": theta, "x": x}


def test_exact_posteriors_are_calibrated():
    estimates, targets = conjugate()
    assert metrics.simulation_based_calibration(estimates, targets, level=0.99)["values"].all()
    assert np.all(metrics.calibration_log_gamma(estimates, targets, quantile=0.01)["values"] > 0)
    assert np.all(metrics.calibration_error(estimates, targets)["values"] < 0.04)
    cover = metrics.coverage_of(estimates, targets, widths=[0.5, 0.9])
    assert np.allclose(cover["values"], [[0.5, 0.5], [0.9, 0.9]], atol=0.07) and cover["variable_names"] == ["theta_0", "theta_1"]
    assert np.allclose(metrics.posterior_contraction(estimates, targets)["values"], 0.5, atol=0.08)
    assert np.all(np.abs(metrics.posterior_z_score(estimates, targets)["values"]) < 0.15)
    assert np.allclose(metrics.correlation(estimates, targets)["values"], np.sqrt(0.5), atol=0.07)
    assert np.allclose(metrics.root_mean_squared_error(estimates, targets)["values"], 1.0, atol=0.1)


@pytest.mark.parametrize("wrong", [{"scale": 0.6}, {"scale": 1.6}, {"shift": 0.4}], ids=str)
def test_wrong_posteriors_are_found_out(wrong):
    estimates, targets = conjugate(**wrong)
    assert not metrics.simulation_based_calibration(estimates, targets)["values"].any()
    assert np.all(metrics.calibration_log_gamma(estimates, targets)["values"] < 0)


def test_bands_are_simultaneous():
    """About one set of uniform ranks in twenty leaves its band."""
    points, lower, upper = simultaneous_bands(100)
    rng = np.random.default_rng(7)
    curves = np.mean(rng.uniform(size=(2000, 100, 1)) <= points, axis=1)
    left = np.mean(np.any((curves < lower - 1e-9) | (curves > upper + 1e-9), axis=1))
    assert 0.03 < left < 0.07


def test_classifier_tells_draws_apart_as_far_as_they_are():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(600, 2)), rng.normal(size=(600, 2))
    assert abs(metrics.classifier_two_sample_test(a, b) - 0.5) < 0.06
    assert metrics.classifier_two_sample_test(a + [6.0, 0.0], b) > 0.98


def test_mean_discrepancy_is_unbiased():
    rng = np.random.default_rng(0)
    same = [metrics.maximum_mean_discrepancy(rng.normal(size=(50, 2)), rng.normal(size=(50, 2)), scale=1.0) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(200)
    x, y = np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])
    k = lambda d: np.exp(-(d**2) / 2)  # noqa: E731
    exact = k(2) + k(2) - 2 * (3 * k(1) + k(3)) / 4
    assert np.isclose(metrics.maximum_mean_discrepancy(x, y, scale=1.0), exact)
    observed, null = metrics.bootstrap_comparison(rng.normal(3.0, 1.0, (20, 2)), rng.normal(size=(120, 2)), num_null_samples=30, seed=0)
    assert observed > null.max()


def test_model_probabilities_are_checked():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=20_000)
    true = (rng.uniform(size=p.shape) < p).astype(int)
    right = metrics.expected_calibration_error(np.stack([1 - p, p], 1), true)
    wrong = metrics.expected_calibration_error(np.stack([1 - p**3, p**3], 1), np.eye(2)[true])
    assert np.all(right["values"] < 0.02) and np.all(wrong["values"] > 0.15) and right["model_names"] == ["M_0", "M_1"]


def test_quantities_of_interest_and_names():
    estimates, targets = conjugate(rows=20, samples=10)
    found = metrics.posterior_z_score(
        estimates, targets, variable_names=["a", "b"], test_quantities={"sum": lambda data: np.sum(data["theta"], axis=-1)}
    )
    assert found["variable_names"] == ["sum", "a", "b"] and found["values"].shape == (3,)
    assert metrics.posterior_z_score(estimates["theta"], targets["theta"])["variable_names"] == ["v_0", "v_1"]
    with pytest.raises(ValueError, match="datasets, samples, dim"):
        metrics.correlation({"theta": estimates["theta"][:5]}, targets)
    with pytest.raises(ValueError, match="NaN"):
        metrics.correlation({"theta": estimates["theta"] * np.nan}, targets)


@pytest.mark.parametrize("name", ["recovery", "calibration_ecdf", "calibration_histogram", "coverage", "z_score_contraction"])
def test_pictures_have_a_panel_a_quantity(name):
    estimates, targets = conjugate(rows=30, samples=20)
    figure = getattr(plots, name)(estimates, targets)
    assert [ax.get_title() for ax in figure.axes] == ["theta_0", "theta_1"] and all(ax.get_xlabel() for ax in figure.axes)
    figure.canvas.draw()


def test_other_pictures():
    estimates, targets = conjugate(rows=30, samples=20)
    probabilities = np.random.default_rng(0).dirichlet([1, 1], 50)
    assert len(plots.pairs_posterior(estimates, targets).axes) == 4
    assert len(plots.loss({"loss": [2.0, 1.0], "val_loss": [2.1, 1.1]}).axes[0].lines) == 2
    assert len(plots.mc_calibration(probabilities, np.zeros(50, int)).axes) == 2
    assert len(plots.mc_confusion_matrix(probabilities, np.zeros(50, int)).axes) == 1
    curve = plots.calibration_ecdf(estimates, targets, stacked=True, difference=False).axes[0].lines[0].get_ydata()
    assert np.all(np.diff(curve) >= 0)
