"""Oracles: what a tuner asks for its next trial. KerasTuner's interface over a study and a sampler."""

from __future__ import annotations

import functools
import math
import pathlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuner.errors import FatalRuntimeError
from tuner.samplers import GridSampler, HyperbandSampler, RandomSampler, Sampler
from tuner.search.trial import SearchTrial, TrialMetrics, TrialStatus, view
from tuner.space import HyperParameters, Space
from tuner.study.objective import create_objective
from tuner.study.record import StudyTrial
from tuner.study.study import Study
from tuner.trial import EXHAUSTED, WAIT, Answer, Proposal, Trial

FILE = "study.db"
BALANCED_BETA = 2.6  # KerasTuner's default of `beta`, at which the search explores as much as the expected improvement does


def synchronized(func: Callable, *args: Any, **kwargs: Any) -> Callable:
    """A method of an oracle that threads enter one at a time. (Processes are kept apart by the store's transactions.)"""

    @functools.wraps(func)
    def locked(self: Any, *inner: Any, **named: Any) -> Any:
        lock = self.__dict__.setdefault("_lock", threading.RLock())
        with lock:
            return func(self, *inner, **named)

    return locked


class Oracle:
    """Hands out trials and takes their results. For a search of your own, override `populate_space`.

    Args:
        objective: name of a metric, `Objective`, a list of them, or None where `run_trial` returns the number to minimise.
        max_trials: how many trials there may be; None for no limit.
        hyperparameters: `HyperParameters` that override what the build function says about the same names.
        allow_new_entries: whether the build may ask for hyperparameters that are not among them.
        tune_new_entries: whether those are searched; else they keep their defaults.
        seed: what all draws derive from.
        max_retries_per_trial: how often a failing trial is tried again.
        max_consecutive_failed_trials: after how many failures in a row the search stops.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        hyperparameters: HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        seed: int | None = None,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
    ):
        self.objective = create_objective(objective)
        self.max_trials, self.seed = max_trials, seed
        self.allow_new_entries, self.tune_new_entries = allow_new_entries, tune_new_entries
        if hyperparameters is None and not (allow_new_entries and tune_new_entries):
            raise ValueError("With allow_new_entries=False or tune_new_entries=False, `hyperparameters` must say what is searched.")
        self.max_retries_per_trial, self.max_consecutive_failed_trials = max_retries_per_trial, max_consecutive_failed_trials
        self._given = hyperparameters.copy() if hyperparameters is not None else HyperParameters()
        self._study: Study | None = None
        self._folder: pathlib.Path | None = None
        self._settings: dict[str, Any] = {}

    # ---- what kinds of oracle differ in

    def sampler(self) -> Sampler:
        """What proposes; here: `populate_space`, which a subclass overrides."""
        return _Populated(self)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """`{"status": ..., "values": {...}}` for the next trial: status RUNNING with values, IDLE to wait, STOPPED to end the search."""
        if type(self).sampler is Oracle.sampler:
            raise FatalRuntimeError(
                f"{type(self).__name__} must define populate_space(self, trial_id) -> {{'status': ..., 'values': ...}}."
            )
        study = self.study
        trials = study.trials
        answer = self.sampler().suggest(study.space, trials, len(trials), study.seed)
        if isinstance(answer, Proposal):
            return {"status": TrialStatus.RUNNING, "values": {**answer.values, **_schedule(answer, self.trial_id)}}
        return {"status": TrialStatus.IDLE if answer is WAIT else TrialStatus.STOPPED, "values": None}

    def score_trial(self, trial: SearchTrial) -> None:
        """Sets the trial's `score` and `best_step` from its metrics."""
        name = self.objective.name
        if trial.final is not None and self.objective.has_value(trial.final):
            trial.score = self.objective.get_value(trial.final)
        elif trial.metrics.exists(name):
            trial.score = trial.metrics.get_best_value(name)
        if trial.best_step is None and trial.metrics.exists(name):
            trial.best_step = trial.metrics.get_best_step(name)

    # ---- the study behind it

    def open(self, folder: pathlib.Path | None, **settings: Any) -> None:
        """Opens (or makes) the study in `folder`; `settings` are those of `Study` beyond the oracle's own."""
        self._folder, self._settings = folder, settings
        self._study = Study(
            self._given.space, self.sampler(), self.objective, storage=None if folder is None else folder / FILE, seed=self.seed,
            max_trials=self.max_trials, max_retries=self.max_retries_per_trial,
            max_consecutive_failures=self.max_consecutive_failed_trials, **settings,
        )  # fmt: skip
        self._study.grows = self.tune_new_entries

    @property
    def given(self) -> Space:
        """What the user's `hyperparameters` say."""
        return self._given.space

    @property
    def study(self) -> Study:
        """The study that holds the trials."""
        if self._study is None:
            self.open(None)
        assert self._study is not None
        return self._study

    def trial_id(self, number: int) -> str:
        """The name of trial `number`: as many digits as the last one's."""
        return f"{number:0{len(str(self.max_trials)) if self.max_trials else 4}d}"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    # ---- trials

    @synchronized
    def create_trial(self, tuner_id: str = "tuner0") -> SearchTrial:
        """The next trial; its status is RUNNING, or STOPPED where the search is over, or IDLE where others must end first."""
        record = self.study.ask()
        if record is None:
            mine = any(t.state == "running" for t in self.study.trials)
            return SearchTrial(HyperParameters(), "", TrialStatus.IDLE if mine else TrialStatus.STOPPED)
        return self._view(record)

    @synchronized
    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> SearchTrial:
        """Stores metrics of a running trial at a step (epochs from 0)."""
        record = self._record(trial_id)
        self.study.report(record, step + 1, metrics)
        return self.get_trial(trial_id)

    @synchronized
    def end_trial(self, trial: SearchTrial) -> None:
        """Ends a trial as its `status` says: COMPLETED, INVALID (may be tried again), FAILED or PRUNED."""
        record = trial.record or self._record(trial.trial_id)
        message = trial.message or ""
        if trial.status == TrialStatus.COMPLETED:
            self.score_trial(trial)
            if trial.score is None:
                self.study.tell(record, state="failed", message=f"The objective {self.objective.name!r} was never a finite number.")
            else:
                self.study.tell(record, trial.score)
        elif trial.status == TrialStatus.PRUNED:
            self.study.tell(record, state="pruned", message=message)
        else:
            self.study.tell(record, state="failed", message=message, retry=trial.status == TrialStatus.INVALID)

    def get_trial(self, trial_id: str) -> SearchTrial:
        """The trial of that id, as the store has it."""
        return self._view(self._record(trial_id))

    @property
    def trials(self) -> dict[str, SearchTrial]:
        """All trials, by id."""
        return {self.trial_id(record.number): self._view(record) for record in self.study.trials}

    def get_best_trials(self, num_trials: int = 1) -> list[SearchTrial]:
        """The completed trials with the best scores, best first."""
        return [self._view(record) for record in self.study.ranked()[:num_trials]]

    def remaining_trials(self) -> int | None:
        """How many trials the budget still allows; None without a limit."""
        return None if self.max_trials is None else max(0, self.max_trials - len(self.study.trials))

    def _record(self, trial_id: str) -> StudyTrial:
        found = next((record for record in self.study.trials if self.trial_id(record.number) == trial_id), None)
        if found is None:
            raise ValueError(
                f"There is no trial {trial_id!r}; there are {', '.join(self.trial_id(t.number) for t in self.study.trials) or 'none'}."
            )
        return found

    def _view(self, record: StudyTrial) -> SearchTrial:
        hp = self.study.hyperparameters_of(record) if record.study is None else record.hyperparameters
        if not self.tune_new_entries:
            hp._seed = None
        hp._values.update(_schedule(record, self.trial_id))
        return view(record, hp, self.trial_id(record.number), self.objective)

    # ---- the space

    @property
    def hyperparameters(self) -> HyperParameters:
        """The hyperparameters known so far, with their defaults."""
        return self.get_space()

    def get_space(self) -> HyperParameters:
        """The hyperparameters known so far; a copy."""
        hp = HyperParameters(self.study.space)
        hp.ensure_active_values()
        return hp

    def update_space(self, hyperparameters: HyperParameters) -> None:
        """Adds hyperparameters, where `allow_new_entries` and `tune_new_entries` let it.

        Raises:
            FatalRuntimeError: there are new ones, and `allow_new_entries` is False.
        """
        known = self.study.space
        new = [p for p in hyperparameters.space if known.find(p.name, p.conditions) is None and known.find(p.name) is None]
        if new and not self.allow_new_entries:
            raise FatalRuntimeError(
                f"The build asks for {', '.join(repr(p.name) for p in new)}, which `hyperparameters` does not have; add them there, or "
                "leave allow_new_entries at True."
            )
        if self.tune_new_entries:
            self.study.check_space(Space(hyperparameters.space))

    # ---- state

    def get_state(self) -> dict[str, Any]:
        """What the store holds (JSON)."""
        return {
            "hyperparameters": self.get_space().get_config(), "seed": self.study.seed,
            "trials": {trial_id: trial.get_state() for trial_id, trial in self.trials.items()},
        }  # fmt: skip

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes the seed and the hyperparameters of a `get_state` over; trials are those of the store."""
        self.seed = self.study.seed = state["seed"]
        self.update_space(HyperParameters.from_config(dict(state["hyperparameters"])))

    def reload(self) -> None:
        """Opens the study of its folder again; the store is always up to date, so this is seldom needed."""
        self.open(self._folder, **self._settings)

    def save(self) -> None:
        """Does nothing: every change is in the store as soon as it is made."""


class _Populated(Sampler):
    """A sampler made of an oracle's `populate_space`."""

    def __init__(self, oracle: Oracle):
        self._oracle = oracle

    def suggest(self, space: Space, trials: Sequence[Trial], number: int, seed: int) -> Proposal | Answer:
        answer = self._oracle.populate_space(self._oracle.trial_id(number))
        if answer["status"] == TrialStatus.RUNNING:
            return Proposal(dict(answer.get("values") or {}))
        return WAIT if answer["status"] == TrialStatus.IDLE else EXHAUSTED


def _schedule(trial: Any, name: Callable[[int], str]) -> dict[str, Any]:
    """What KerasTuner's users find among the values of a Hyperband trial."""
    if trial.resource is None:
        return {}
    found = {
        "tuner/epochs": trial.resource, "tuner/initial_epoch": trial.initial_resource, "tuner/bracket": trial.notes.get("bracket", 0),
        "tuner/round": trial.notes.get("round", 0),
    }  # fmt: skip
    return found if trial.parent is None else {**found, "tuner/trial_id": name(trial.parent)}


class RandomSearchOracle(Oracle):
    """Draws at random, never a point twice; a finite space is exhausted exactly."""

    def __init__(self, objective=None, max_trials=10, seed=None, hyperparameters=None, allow_new_entries=True, tune_new_entries=True,
                 max_retries_per_trial=0, max_consecutive_failed_trials=3):  # fmt: skip
        super().__init__(objective, max_trials, hyperparameters, allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
                         max_consecutive_failed_trials)  # fmt: skip

    def sampler(self) -> Sampler:
        return RandomSampler()


class GridSearchOracle(Oracle):
    """Tries every point; of a continuous hyperparameter without a step ten values."""

    def __init__(self, objective=None, max_trials=None, seed=None, hyperparameters=None, allow_new_entries=True, tune_new_entries=True,
                 max_retries_per_trial=0, max_consecutive_failed_trials=3):  # fmt: skip
        super().__init__(objective, max_trials, hyperparameters, allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
                         max_consecutive_failed_trials)  # fmt: skip

    def sampler(self) -> Sampler:
        return GridSampler()


class BayesianOptimizationOracle(Oracle):
    """Proposes by a Gaussian process; see `tuner.GaussianProcessSampler`.

    Args:
        num_initial_points: how many trials are spread evenly before the process is asked; None chooses by the number of hyperparameters.
        alpha: the variance of the noise that is expected in the scores, in units of their own variance; the fit begins there.
        beta: how much the search explores, in proportion: at 2.6 the acquisition is the expected improvement as it is, above that trials go
            more to where little is known, below more to where the mean is good.
    """

    def __init__(self, objective=None, max_trials=10, num_initial_points=None, alpha=0.0001, beta=2.6, seed=None, hyperparameters=None,
                 allow_new_entries=True, tune_new_entries=True, max_retries_per_trial=0, max_consecutive_failed_trials=3):  # fmt: skip
        super().__init__(objective, max_trials, hyperparameters, allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
                         max_consecutive_failed_trials)  # fmt: skip
        self.num_initial_points, self.alpha, self.beta = num_initial_points, alpha, beta
        if not (0 <= alpha < math.inf and 0 <= beta < math.inf):
            raise ValueError(f"alpha and beta must be finite numbers from 0 on, got {alpha!r} and {beta!r}.")

    def sampler(self) -> Sampler:
        from tuner.samplers import GaussianProcessSampler

        return GaussianProcessSampler(initial=self.num_initial_points, noise=self.alpha, exploration=self.beta / BALANCED_BETA)


class HyperbandOracle(Oracle):
    """Runs Hyperband's brackets; see `tuner.HyperbandSampler`."""

    def __init__(self, objective=None, max_epochs=100, factor=3, hyperband_iterations=1, seed=None, hyperparameters=None,
                 allow_new_entries=True, tune_new_entries=True, max_retries_per_trial=0, max_consecutive_failed_trials=3):  # fmt: skip
        super().__init__(objective, None, hyperparameters, allow_new_entries, tune_new_entries, seed, max_retries_per_trial,
                         max_consecutive_failed_trials)  # fmt: skip
        self.max_epochs, self.factor, self.hyperband_iterations = max_epochs, factor, hyperband_iterations
        self.sampler()  # checks them

    def sampler(self) -> Sampler:
        return HyperbandSampler(max_resource=self.max_epochs, factor=self.factor, iterations=self.hyperband_iterations)


__all__ = [
    "BayesianOptimizationOracle", "GridSearchOracle", "HyperbandOracle", "Oracle", "RandomSearchOracle", "TrialMetrics", "synchronized",
]  # fmt: skip
