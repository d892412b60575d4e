"""Hornbeam's bayes: amortized Bayesian inference, on `core`."""
