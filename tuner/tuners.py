"""The tuners' public names."""

from tuner.search.sklearn_tuner import SklearnTuner
from tuner.search.tuner import Tuner
from tuner.search.tuners import BayesianOptimization, GridSearch, Hyperband, RandomSearch

# The names under which older scripts know the same classes.
Sklearn = SklearnTuner

__all__ = ["BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch", "Sklearn", "SklearnTuner", "Tuner"]
