"""The search: a clock, folds, metrics, candidates, and the ensemble that they end in."""
