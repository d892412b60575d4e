"""Hornbeam's tuner: hyperparameter search, on `core`."""
