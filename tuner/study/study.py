"""`Study`: ask for what to try, tell what came of it. All else (search loops, tuners, reports) stands on these two."""

from __future__ import annotations

import math
import os
import pathlib
import secrets
import tempfile
import time
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.saving import ConfigError
from tuner.errors import FatalRuntimeError
from tuner.samplers import Sampler
from tuner.space import HyperParameters, Parameter, Space
from tuner.study.objective import Objective, create_objective
from tuner.study.record import StudyTrial
from tuner.study.session import Heartbeat, Session
from tuner.study.store import Store
from tuner.trial import EXHAUSTED, STATES, WAIT, Proposal

POLL = 0.1  # seconds between two looks while other processes' trials must end first


class Study:
    """A search: a space, a sampler that proposes points of it, and a store of trials.

    Everything is in one SQLite file, which several processes may share and any process may open again: trials whose process died are handed
    out again, and a study that goes on proposes what it would have proposed without the interruption.

    Args:
        space: a `Space`, a list of parameters, or a function of `HyperParameters` that asks for its parameters; None to find the
            space while objective functions ask `trial.hyperparameters`.
        sampler: a `Sampler`, or the name of one: `"random"`, `"grid"`, `"tpe"`, `"gp"`.
        objective: name of a metric whose direction is known, an `Objective`, or a list (their sum). None for one number.
        direction: `"min"` or `"max"`, where the objective does not say it.
        storage: path of the file; None keeps it in a temporary one that goes with the study.
        seed: what all draws derive from; 0 is a seed like any other. None draws one, and keeps it in the file.
        max_trials: how many trials there may be in all, those of earlier sessions included.
        max_time: how many seconds may be spent in all, those of earlier sessions included.
        pruner: says which running trials are not worth going on with.
        max_retries: how often a failing trial is tried again.
        max_losses: how often a trial whose process died is tried again.
        max_consecutive_failures: after how many failures in a row the study gives up; None for never.

    Raises:
        ValueError: the direction of the objective is not known.
        ConfigError: the file is a study of another objective or space.
        CorruptArtifactError: the file is damaged, or no study.

    >>> from tuner import Float
    >>> study = Study([Float("x", min_value=-1.0, max_value=1.0)], sampler="random", seed=0, max_trials=20)
    >>> while (trial := study.ask()) is not None:
    ...     study.tell(trial, trial.values["x"] ** 2)
    >>> len(study.trials), study.best_value < 0.1
    (20, True)
    """

    def __init__(
        self,
        space: Space | Sequence[Parameter] | Callable[[HyperParameters], Any] | HyperParameters | None = None,
        sampler: Sampler | str = "tpe",
        objective: Any = None,
        *,
        direction: str | None = None,
        storage: str | os.PathLike | None = None,
        seed: int | None = None,
        max_trials: int | None = None,
        max_time: float | None = None,
        pruner: Any = None,
        max_retries: int = 0,
        max_losses: int = 5,
        max_consecutive_failures: int | None = 3,
    ):
        self.sampler = sampler if isinstance(sampler, Sampler) else sampler_of(sampler)
        self.objective: Objective = create_objective(objective, direction)
        self.pruner = pruner
        self.max_trials, self.max_time = _positive("max_trials", max_trials), _positive("max_time", max_time)
        self.max_retries, self.max_losses, self.max_consecutive_failures = max_retries, max_losses, max_consecutive_failures
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**62):
            raise ValueError(f"seed must be an integer from 0 on, or None, got {seed!r}.")
        declared = space_of(space)
        self.storage = _temporary(self) if storage is None else pathlib.Path(storage)
        self._durable = storage is not None
        self.grows = True  # whether what objective functions ask for beyond the space joins it
        self._began = time.time()
        self._session: Session | None = None
        self._heartbeat: Heartbeat | None = None
        self._store = Store(self.storage, durable=self._durable)
        known = self._store.define(
            self.objective, secrets.randbits(31) if seed is None else int(seed), None if declared is None else declared.get_config(), {}
        )
        self.seed: int = known["seed"] if seed is None else int(seed)
        self._space, self._space_revision = Space(), -1
        if declared is not None:
            self.check_space(declared)

    # ------------------------------------------------------------------------------------------------ the space

    @property
    def space(self) -> Space:
        """The parameters known so far."""
        with self._store.transaction() as connection:
            return self._current_space(connection)

    def _current_space(self, connection: Any) -> Space:
        config, revision = self._store.space(connection)
        if revision != self._space_revision:
            self._space, self._space_revision = Space.from_config(config or []), revision
        return self._space

    def check_space(self, space: Space) -> None:
        """Adds parameters that the study lacks. Those that it has must be as they were.

        Raises:
            ConfigError: it has trials with a parameter of that name and another range; lists every one.
        """
        with self._store.transaction() as connection:
            known = self._current_space(connection)
            changed = [
                f"{p.name!r} was {_brief(old)} and is {_brief(p)}"
                for p in space if (old := known.find(p.name, p.conditions)) is not None and old != p
            ]  # fmt: skip
            if changed and self._store.trials(connection):
                raise ConfigError(
                    f"The study {str(self.storage)!r} has trials of another space: {'; '.join(changed)}. "
                    "Give the space it was begun with, or another path."
                )
            self._extend_space(connection, space if changed else known.extended(space))

    def _extend_space(self, connection: Any, space: Space) -> None:
        if space != self._current_space(connection):
            self._store.write_space(connection, space.get_config())

    def hyperparameters_of(self, trial: StudyTrial) -> HyperParameters:
        """The values of a trial as `HyperParameters`; what a build declares anew is drawn from the trial's seed."""
        return HyperParameters(self.space, trial.values, seed=trial.seed)

    def transaction(self) -> Any:
        """A context in which many changes are one."""
        return self._store.transaction()

    def note_asked(self, trial: StudyTrial) -> None:
        """Takes over what the objective function has asked of `trial.hyperparameters` so far: new parameters, and their values.

        What was proposed and not asked for stays until the trial is told, since it may be asked for yet: after an interruption, too.
        """
        with self._store.transaction() as connection:
            self._note_asked(connection, trial, ended=False)

    def _note_asked(self, connection: Any, trial: StudyTrial, ended: bool = True) -> None:
        hp = trial._hyperparameters
        if hp is None or not hp.asked:
            return
        known = self._current_space(connection)
        if self.grows:
            self._extend_space(connection, known.extended(hp.space))
        asked = hp.asked if self.grows else known.restricted(hp.asked)
        if not ended:
            asked = {**trial.values, **asked}
        if asked != trial.values:
            trial.values = asked
            self._store.update(connection, trial.number, if_attempt=trial.attempt, values=trial.values)

    # ------------------------------------------------------------------------------------------------ ask

    def ask(self, wait: bool = True) -> StudyTrial | None:
        """The next trial to run; None where there is none.

        Trials that were interrupted, failed within `max_retries`, or were enqueued come first. None means that the budget is spent,
        that the space (or the sampler's schedule) is exhausted, or that the sampler waits for trials which this process itself has not
        told yet.

        Args:
            wait: whether to wait for trials of other processes where the sampler needs their results first.

        Raises:
            FatalRuntimeError: the last `max_consecutive_failures` trials all failed.
        """
        session = self._join()
        while True:
            with self._store.transaction() as connection:
                answer = self._ask(connection, session.token)
                others = any(t.state == "running" and t.owner != session.token for t in self._store.trials(connection))
            if isinstance(answer, StudyTrial):
                return replace(answer, study=self)
            if answer is not WAIT or not others or not wait:
                return None
            time.sleep(POLL)

    def _ask(self, connection: Any, owner: str) -> Any:
        self._requeue_lost(connection)
        trials: list[Any] = list(self._store.trials(connection))
        self._check_failures(trials)
        if self.max_time is not None and self._store.worked(connection) >= self.max_time:
            return EXHAUSTED
        waiting = next((t for t in trials if t.state == "waiting"), None)
        if waiting is not None:
            self._store.forget_reports(connection, waiting.number)
            self._store.update(
                connection, waiting.number, state="running", owner=owner, attempt=waiting.attempt + 1, started=time.time(), ended=None,
                message="",
            )  # fmt: skip
            return self._fresh(connection, waiting.number)
        if self.max_trials is not None and len(trials) >= self.max_trials:
            return WAIT if any(t.state == "running" for t in trials) else EXHAUSTED  # a running one may come back
        number = len(trials)
        space = self._current_space(connection)
        proposal = self.sampler.suggest(space, trials, number, self.seed)
        if not isinstance(proposal, Proposal):
            running = any(t.state == "running" for t in trials)
            return WAIT if running else EXHAUSTED  # define-by-run may find more to try, a lost trial may come back
        trial = StudyTrial.of(
            proposal, number, state="running", seed=seed_of(self.seed, number), started=time.time(), owner=owner, attempt=1
        )
        self._store.insert(connection, trial)
        return self._fresh(connection, number)

    def _fresh(self, connection: Any, number: int) -> StudyTrial:
        return next(t for t in self._store.trials(connection) if t.number == number)

    def _requeue_lost(self, connection: Any) -> None:
        trials = self._store.trials(connection)
        dead = self._store.dead_owners(connection, trials)
        for trial in trials:
            if trial.state == "running" and trial.owner in dead:
                lost = trial.losses + 1
                if lost <= self.max_losses:
                    self._store.update(connection, trial.number, state="waiting", losses=lost, owner=None)
                else:
                    message = f"Its process died {lost} times while it ran (max_losses={self.max_losses})."
                    self._store.update(
                        connection, trial.number, state="failed", losses=lost, owner=None, ended=time.time(), message=message
                    )

    def _check_failures(self, trials: Sequence[StudyTrial]) -> None:
        limit = self.max_consecutive_failures
        if limit is None:
            return
        ended = sorted((t for t in trials if t.finished and (t.ended or 0.0) >= self._began), key=lambda t: (t.ended, t.number))
        last = ended[-limit:]
        if len(last) == limit and all(t.state == "failed" for t in last):
            reasons = "\n".join(f"trial {t.number}: {_last_line(t.message)}" for t in last)
            raise FatalRuntimeError(
                f"The last {limit} trials all failed, so the search stops (max_consecutive_failures={limit}):\n{reasons}"
            )

    def _join(self) -> Session:
        if self._session is None or self._session.pid != os.getpid():
            self._session = Session()
            self._store.join(self._session)
            store, token = self._store, self._session.token
            self._heartbeat = Heartbeat(lambda: store.beat(token))
            weakref.finalize(self, _leave, self._heartbeat, store, token)
        return self._session

    def enqueue(self, values: Mapping[str, Any]) -> StudyTrial:
        """Adds a trial with these values, to be handed out before what the sampler proposes; missing parameters take their defaults.

        Raises:
            ValueError: a value is not one of its parameter's, or the space has no parameter of that name.
        """
        with self._store.transaction() as connection:
            space = self._current_space(connection)
            point = space.completed(dict(values))
            unknown = sorted(set(values) - set(point))
            if unknown:
                raise ValueError(f"enqueue: {unknown} are unknown or inactive; the active parameters are {sorted(point)}.")
            for parameter in space.active(point):
                value = point[parameter.name]
                _check_value(parameter, value)
            trials = self._store.trials(connection)
            trial = StudyTrial(len(trials), point, seed=seed_of(self.seed, len(trials)))
            self._store.insert(connection, trial)
            return self._fresh(connection, trial.number)

    # ------------------------------------------------------------------------------------------------ report, tell

    def report(self, trial: StudyTrial, step: int, value: float | Mapping[str, float], *, execution: int = 0) -> bool:
        """Stores metrics at `step` (resource spent: epochs, from 1) while the trial runs; a number stands for the objective.

        Returns:
            Whether the trial is still this process's; False once another has taken it over.
        """
        if not isinstance(step, (int, np.integer)):
            raise TypeError(f"report expected a whole number as step, got {step!r}.")
        metrics = self._metrics(value)
        with self._store.transaction() as connection:
            return self._store.report(connection, trial.number, trial.attempt, int(step), metrics, execution)

    def _metrics(self, value: Any) -> dict[str, float]:
        if isinstance(value, Mapping):
            return {str(name): _number(name, v) for name, v in value.items()}
        return {self.objective.name: _number(self.objective.name, value)}

    def should_prune(self, trial: StudyTrial) -> bool:
        """Whether the pruner would stop this trial, by what was reported; true, too, once `max_time` is over."""
        if self.is_over_time():
            return True
        if self.pruner is None:
            return False
        trials = self.trials
        return bool(self.pruner.should_prune(trials[trial.number], trials))

    def tell(
        self,
        trial: StudyTrial | int,
        value: float | Mapping[str, float] | None = None,
        *,
        state: str | None = None,
        message: str = "",
        retry: bool = True,
    ) -> None:
        """Ends a trial.

        Args:
            trial: what `ask` returned, or its number.
            value: the objective as it was measured, or a dict of metrics with it; None to take the best that was reported.
            state: `"completed"`, `"pruned"`, `"failed"` or `"infeasible"`. None: completed if the objective is finite, else failed.
            message: why.
            retry: whether a failed trial may be tried again (within `max_retries`).

        Raises:
            ValueError: the trial is not running, or the metrics lack the objective.
        """
        if state is not None and state not in STATES[2:]:
            raise ValueError(f"tell: state must be one of {', '.join(map(repr, STATES[2:]))}, got {state!r}.")
        with self._store.transaction() as connection:
            number = trial if isinstance(trial, int) else trial.number
            current = next((t for t in self._store.trials(connection) if t.number == number), None)
            if current is None:
                raise ValueError(f"tell: there is no trial {number}; the study has {len(self._store.trials(connection))}.")
            attempt = current.attempt if isinstance(trial, int) else trial.attempt
            if current.attempt != attempt:
                warnings.warn(f"Trial {number} was taken over while its process was silent; the late result is not counted.", stacklevel=2)
                return
            if current.state != "running":
                raise ValueError(f"tell: trial {number} is {current.state}; a trial is told once, while it runs.")
            if isinstance(trial, StudyTrial):
                self._note_asked(connection, trial)
            metrics = None if value is None else self._metrics(value)
            score = self._score(current, value, metrics) if state in (None, "completed") else None
            if state in (None, "completed") and (score is None or not math.isfinite(score)):
                message = message or f"The objective {self.objective.name!r} is {_shown(score, self.objective)}; only finite numbers rank."
                state, score = "failed", None
            if metrics:
                step = max(current.reports, default=0 if current.resource is None else current.resource)
                missing = {name: v for name, v in metrics.items() if name not in current.metrics}
                self._store.report(connection, number, attempt, step, missing)
            columns = {"state": state or "completed", "score": score, "ended": time.time(), "message": message, "owner": None}
            if state == "failed" and retry and current.failures < self.max_retries:
                columns |= {"state": "waiting", "ended": None, "failures": current.failures + 1}
            self._store.update(connection, number, if_attempt=attempt, **columns)

    def _score(self, current: StudyTrial, value: Any, metrics: dict[str, float] | None) -> float | None:
        if value is not None and not isinstance(value, Mapping):
            return self.objective.sign * float(value)
        if metrics is None:
            best = current.best_step
            if best is None:
                raise ValueError(f"tell: trial {current.number} has no reports, so its value must be given.")
            return current.reports[best]
        if not self.objective.has_value(metrics):
            raise ValueError(
                f"tell: the objective is {self.objective!r}, and the metrics are {', '.join(sorted(metrics)) or 'empty'}; report it "
                f"under its name."
            )
        return self.objective.sign * self.objective.get_value(metrics)

    def interrupt(self, trial: StudyTrial) -> None:
        """Gives a running trial back, to be handed out again; it counts as neither failed nor lost."""
        with self._store.transaction() as connection:
            self._store.update(connection, trial.number, if_attempt=trial.attempt, state="waiting", owner=None)

    # ------------------------------------------------------------------------------------------------ loops

    def optimize(self, fn: Callable[[StudyTrial], Any], n_jobs: int = 1, *, verbose: int | None = None) -> Study:
        """Runs `fn(trial)` on trial after trial until the budget is spent or nothing is left to try; see `tuner.study.work`.

        Args:
            fn: returns the objective, or a dict of metrics. It may report while it runs, and raise `TrialPruned` or `FailedTrialError`.
            n_jobs: how many processes work at once. With more than one, `fn` must be a function of a module (not a lambda or a closure).
            verbose: 1 for a live table, 0 for silence; None shows it in a terminal only.

        Returns:
            This study.
        """
        from tuner.study import work

        work.optimize(self, fn, n_jobs, verbose)
        return self

    # ------------------------------------------------------------------------------------------------ results

    @property
    def trials(self) -> list[StudyTrial]:
        """All trials by number, as the store has them now."""
        return self._store.trials()

    def ranked(self) -> list[StudyTrial]:
        """The completed trials, best first; those that failed, were pruned, or have no finite score are not among them."""
        return sorted((t for t in self.trials if t.usable), key=lambda t: (t.score, t.number))

    @property
    def best_trial(self) -> StudyTrial:
        """The completed trial with the best score."""
        ranked = self.ranked()
        if not ranked:
            raise ValueError(f"No trial of the study has completed yet ({len(self.trials)} in all), so there is no best one.")
        return ranked[0]

    @property
    def best_value(self) -> float:
        """The best trial's objective, as it was measured."""
        return self.value_of(self.best_trial)

    @property
    def best_values(self) -> dict[str, Any]:
        """The best trial's parameters."""
        return dict(self.best_trial.values)

    def value_of(self, trial: StudyTrial) -> float:
        """A completed trial's objective, as it was measured (not turned to be minimised)."""
        if trial.score is None:
            raise ValueError(f"Trial {trial.number} is {trial.state} and has no score.")
        return self.objective.sign * trial.score

    def is_over_time(self) -> bool:
        """Whether `max_time` is spent."""
        return self.max_time is not None and self.elapsed >= self.max_time

    @property
    def elapsed(self) -> float:
        """Seconds of work so far, earlier sessions included; times in which several processes worked count once."""
        with self._store.transaction() as connection:
            return self._store.worked(connection)

    def to_dataframe(self) -> Any:
        """One row a trial: number, state, value, times, best step, message, and its parameters as `param_...`; see `tuner.report`."""
        from tuner.report.frame import to_dataframe

        return to_dataframe(self)

    def history_dataframe(self) -> Any:
        """One row for each metric that was reported: trial, execution, step, metric, value."""
        from tuner.report.frame import history_dataframe

        return history_dataframe(self)

    def importance(self) -> dict[str, float]:
        """Share of each parameter in the good trials, summing to 1; see `tuner.report.importance`."""
        from tuner.report.importance import importance

        return importance(self)

    def plot_history(self, ax: Any = None) -> Any:
        """Draws scores and the best so far over the trials; returns the matplotlib axes."""
        from tuner.report.plots import plot_history

        return plot_history(self, ax)

    def plot_importance(self, ax: Any = None) -> Any:
        """Draws the importance of the parameters; returns the matplotlib axes."""
        from tuner.report.plots import plot_importance

        return plot_importance(self, ax)

    def write_report(self, path: str | os.PathLike) -> pathlib.Path:
        """Writes one self-contained HTML file with the trials, the curves and the importance; returns its path."""
        from tuner.report.html import write_report

        return write_report(self, path)

    # ------------------------------------------------------------------------------------------------ ends

    def close(self) -> None:
        """Ends this process's session: its running trials may be handed out again."""
        if self._heartbeat is not None and self._session is not None:
            _leave(self._heartbeat, self._store, self._session.token)
        self._session = self._heartbeat = None

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        # What a worker process gets: the settings and the path. It opens the file for itself.
        dropped = {"_store", "_session", "_heartbeat", "_space", "_space_revision", "_folder"}
        return {name: value for name, value in vars(self).items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._session, self._heartbeat = None, None
        self._space, self._space_revision = Space(), -1
        self._store = Store(self.storage, durable=self._durable)
        self._store.define(self.objective, self.seed, None, {})


def seed_of(seed: int, number: int) -> int:
    """The seed of a trial's own draws."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


def space_of(space: Any) -> Space | None:
    """The `Space` that a user means; None for none."""
    if space is None or isinstance(space, Space):
        return space
    if isinstance(space, HyperParameters):
        return space.space
    if callable(space):
        hp = HyperParameters()
        space(hp)
        return hp.space
    return Space(space)


def sampler_of(name: str) -> Sampler:
    """The sampler of that name, with its defaults."""
    import tuner.samplers as samplers

    names = {"random": "RandomSampler", "grid": "GridSampler", "tpe": "TPESampler", "gp": "GaussianProcessSampler"}
    if name not in names:
        raise ConfigError(f"sampler must be a tuner Sampler or one of {', '.join(map(repr, names))}, got {name!r}.")
    return getattr(samplers, names[name])()


def _positive(name: str, value: Any) -> Any:
    if value is not None and (isinstance(value, bool) or not value > 0):
        raise ValueError(f"{name} must be a positive number, or None for no limit, got {value!r}.")
    return value


def _number(name: Any, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"The value of {name!r} must be a number, got {value!r} of type {type(value).__name__}.") from None


def _check_value(parameter: Parameter, value: Any) -> None:
    if parameter.finite and value in parameter.grid():
        return
    try:
        fits = not parameter.finite and parameter.min_value <= value <= parameter.max_value  # type: ignore[attr-defined]
    except TypeError:
        fits = False
    if not fits:
        raise ValueError(f"enqueue: {value!r} is not a value of {_brief(parameter)}.")


def _brief(parameter: Parameter) -> str:
    config = parameter.config()
    shown = ", ".join(f"{k}={v!r}" for k, v in config["config"].items() if v not in (None, []))
    return f"{config['class_name']}({shown})"


def _shown(score: float | None, objective: Objective) -> str:
    return "missing" if score is None else repr(objective.sign * score)


def _last_line(message: str) -> str:
    return message.strip().splitlines()[-1] if message.strip() else "no reason given"


def _temporary(study: Study) -> pathlib.Path:
    study._folder = tempfile.TemporaryDirectory(prefix="tuner-")  # type: ignore[attr-defined]
    return pathlib.Path(study._folder.name) / "study.db"  # type: ignore[attr-defined]


def _leave(heartbeat: Heartbeat, store: Store, token: str) -> None:
    heartbeat.stop()
    if store.path.exists():
        store.beat(token, closed=True)
