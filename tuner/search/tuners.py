"""The tuners: one for each way to search."""

from __future__ import annotations

from typing import Any

from tuner.search.checkpoints import LAST
from tuner.search.oracle import BayesianOptimizationOracle, GridSearchOracle, HyperbandOracle, RandomSearchOracle
from tuner.search.trial import SearchTrial
from tuner.search.tuner import Tuner


class RandomSearch(Tuner):
    """Random search that never repeats a point; see `Tuner` for the arguments not named here.

    Args:
        hypermodel: a `HyperModel`, or a function of `hp` that returns a compiled model.
        objective: name of a metric (`"val_accuracy"`), `Objective`, or a list of them.
        max_trials: how many trials there may be.
    """

    def __init__(self, hypermodel=None, objective=None, max_trials=10, seed=None, hyperparameters=None, tune_new_entries=True,
                 allow_new_entries=True, max_retries_per_trial=0, max_consecutive_failed_trials=3, **kwargs):  # fmt: skip
        super().__init__(RandomSearchOracle(objective, max_trials, seed, hyperparameters, allow_new_entries, tune_new_entries,
                                            max_retries_per_trial, max_consecutive_failed_trials), hypermodel, **kwargs)  # fmt: skip


class GridSearch(Tuner):
    """Exhaustive search, conditions followed; see `RandomSearch` for the arguments."""

    def __init__(self, hypermodel=None, objective=None, max_trials=None, seed=None, hyperparameters=None, tune_new_entries=True,
                 allow_new_entries=True, max_retries_per_trial=0, max_consecutive_failed_trials=3, **kwargs):  # fmt: skip
        super().__init__(GridSearchOracle(objective, max_trials, seed, hyperparameters, allow_new_entries, tune_new_entries,
                                          max_retries_per_trial, max_consecutive_failed_trials), hypermodel, **kwargs)  # fmt: skip


class BayesianOptimization(Tuner):
    """Search by a Gaussian process, which never repeats a point; see `RandomSearch` for the other arguments.

    Args:
        num_initial_points: how many trials are spread evenly before the process is asked.
        alpha: the variance of the noise that is expected in the scores, in units of their own variance; the fit begins there.
        beta: how much the search explores, in proportion; 2.6 is the expected improvement as it is.
    """

    def __init__(self, hypermodel=None, objective=None, max_trials=10, num_initial_points=None, alpha=0.0001, beta=2.6, seed=None,
                 hyperparameters=None, tune_new_entries=True, allow_new_entries=True, max_retries_per_trial=0,
                 max_consecutive_failed_trials=3, **kwargs):  # fmt: skip
        super().__init__(BayesianOptimizationOracle(objective, max_trials, num_initial_points, alpha, beta, seed, hyperparameters,
                                                    allow_new_entries, tune_new_entries, max_retries_per_trial,
                                                    max_consecutive_failed_trials), hypermodel, **kwargs)  # fmt: skip


class Hyperband(Tuner):
    """Many trials of few epochs, few of many: promoted trials go on from their parent's weights, optimizer and epoch.

    (Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization".) See `RandomSearch` for the other arguments.

    Args:
        max_epochs: how many epochs a trial may take in all.
        factor: a round keeps one of so many trials, and gives it so many times the epochs.
        hyperband_iterations: how often all brackets run.
    """

    def __init__(self, hypermodel=None, objective=None, max_epochs=100, factor=3, hyperband_iterations=1, seed=None, hyperparameters=None,
                 tune_new_entries=True, allow_new_entries=True, max_retries_per_trial=0, max_consecutive_failed_trials=3,
                 **kwargs):  # fmt: skip
        super().__init__(HyperbandOracle(objective, max_epochs, factor, hyperband_iterations, seed, hyperparameters, allow_new_entries,
                                         tune_new_entries, max_retries_per_trial, max_consecutive_failed_trials), hypermodel,
                         **kwargs)  # fmt: skip

    def run_trial(self, trial: SearchTrial, *args: Any, **kwargs: Any) -> Any:
        record = self._record(trial)
        if record.resource is not None:
            kwargs["epochs"], kwargs["initial_epoch"] = record.resource, record.initial_resource
        return super().run_trial(trial, *args, **kwargs)

    def _prepare(self, trial: SearchTrial, model: Any) -> None:
        parent = self._record(trial).parent
        if parent is not None:
            self.checkpoints.load(model, self.oracle.trial_id(parent), LAST.format(self._execution))

    def _finish(self, trial: SearchTrial, model: Any) -> None:
        record = self._record(trial)
        most: int = self.oracle.max_epochs  # type: ignore[attr-defined]
        if record.resource is not None and record.resource < most:  # it may be promoted
            self.checkpoints.save(model, trial.trial_id, LAST.format(self._execution))
