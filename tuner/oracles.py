"""The oracles' public names."""

from tuner.search.oracle import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    Oracle,
    RandomSearchOracle,
)

# The names under which older scripts know the same classes.
BayesianOptimization, GridSearch = BayesianOptimizationOracle, GridSearchOracle
Hyperband, RandomSearch = HyperbandOracle, RandomSearchOracle

__all__ = [
    "BayesianOptimization", "BayesianOptimizationOracle", "GridSearch", "GridSearchOracle", "Hyperband", "HyperbandOracle", "Oracle",
    "RandomSearch", "RandomSearchOracle",
]  # fmt: skip
