"""Diagnostics as numbers."""

from bayes.diagnostics.metrics.calibration import (
    calibration_error,
    calibration_log_gamma,
    coverage_of,
    expected_calibration_error,
    gamma_discrepancy,
    gamma_null_distribution,
    simulation_based_calibration,
)
from bayes.diagnostics.metrics.recovery import correlation, posterior_contraction, posterior_z_score, root_mean_squared_error
from bayes.diagnostics.metrics.two_samples import bootstrap_comparison, classifier_two_sample_test, maximum_mean_discrepancy

__all__ = [
    "bootstrap_comparison", "calibration_error", "calibration_log_gamma", "classifier_two_sample_test", "correlation", "coverage_of",
    "expected_calibration_error", "gamma_discrepancy", "gamma_null_distribution", "maximum_mean_discrepancy", "posterior_contraction",
    "posterior_z_score", "root_mean_squared_error", "simulation_based_calibration",
]  # fmt: skip
