"""Diagnostics as pictures; matplotlib is loaded by the first one."""

from bayes.diagnostics.plots.pictures import (
    calibration_ecdf,
    calibration_histogram,
    coverage,
    loss,
    mc_calibration,
    mc_confusion_matrix,
    pairs_posterior,
    recovery,
    z_score_contraction,
)

__all__ = [
    "calibration_ecdf", "calibration_histogram", "coverage", "loss", "mc_calibration", "mc_confusion_matrix", "pairs_posterior", "recovery",
    "z_score_contraction",
]  # fmt: skip
