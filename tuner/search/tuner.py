"""`Tuner`: searches for the hyperparameters of a model; KerasTuner's loop and hooks over a study."""

from __future__ import annotations

import contextlib
import copy
import math
import numbers
import pathlib
import shutil
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import core
from core.callbacks import History
from tuner.errors import FailedTrialError, FatalError, FatalTypeError, FatalValueError, TrialPruned
from tuner.report.table import live_table
from tuner.search.callbacks import Deadline, SaveBestEpoch, TunerCallback, best_epoch
from tuner.search.checkpoints import BEST, Checkpoints
from tuner.search.hypermodel import HyperModel, hypermodel_of
from tuner.search.oracle import FILE, Oracle
from tuner.search.trial import SearchTrial, TrialStatus
from tuner.space import HyperParameters
from tuner.study import work
from tuner.study.record import StudyTrial
from tuner.study.study import Study

MAX_BUILDS = 50  # how many builds may be spent on finding the parameters of conditional scopes before the search
OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "ResourceExhaustedError", "OutOfMemoryError", "out of memory")


class Tuner:
    """Runs trials of a hypermodel until the oracle has no more, and keeps the best ones' weights.

    Everything is in the folder `directory/project_name`: a tuner made again on the same folder goes on where the last one stopped, whatever
    stopped it. Several processes may work on it at once.

    Args:
        oracle: proposes the trials.
        hypermodel: a `HyperModel`, or a function of `hp` that returns a compiled model; None where `run_trial` builds by itself.
        max_model_size: trials whose model has more parameters fail.
        optimizer, loss, metrics: replace those of the model.
        distribution_strategy: must be None: distribution is set up in `core`.
        directory: where to keep the search; the current one by default.
        project_name: its folder there, `"untitled_project"` by default.
        logger: kept, not used.
        tuner_id: names this worker.
        overwrite: whether to begin anew, and to delete what an earlier search left in the folder.
        executions_per_trial: how often each trial is trained; scores are means.
        pruner: stops trials early by the objective after each epoch, e.g. `tuner.SuccessiveHalvingPruner()`.
        max_time: seconds for the search, those of earlier sessions included.
        keep: how many of the best trials keep their weights on the disk; all others are deleted while the search runs.

    >>> import core, tempfile
    >>> def build(hp):
    ...     model = core.Sequential([core.Input((2,)), core.layers.Dense(hp.Int("units", 2, 4), activation="relu"), core.layers.Dense(1)])
    ...     model.compile(core.optimizers.SGD(hp.Choice("rate", [0.1, 0.01])), "mse")
    ...     return model
    >>> import numpy as np
    >>> x = np.ones((8, 2), "float32"); y = x.sum(1, keepdims=True)
    >>> from tuner import RandomSearch
    >>> search = RandomSearch(build, objective="loss", max_trials=3, seed=0, directory=tempfile.mkdtemp())
    >>> search.search(x, y, epochs=2)
    >>> len(search.oracle.trials), sorted(search.get_best_hyperparameters()[0].values)
    (3, ['rate', 'units'])
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: HyperModel | Callable[[HyperParameters], Any] | None = None,
        max_model_size: int | None = None,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        distribution_strategy: Any = None,
        directory: str | pathlib.Path | None = None,
        project_name: str | None = None,
        logger: Any = None,
        tuner_id: str | None = None,
        overwrite: bool = False,
        executions_per_trial: int = 1,
        **kwargs: Any,
    ):
        settings = {name: kwargs.pop(name) for name in ("pruner", "max_time") if name in kwargs}
        keep = kwargs.pop("keep", 5)
        if kwargs:
            raise ValueError(f"{type(self).__name__} has no arguments {sorted(kwargs)}.")
        if not isinstance(oracle, Oracle):
            raise FatalTypeError(f"{type(self).__name__} expected an Oracle, got {oracle!r} of type {type(oracle).__name__}.")
        if distribution_strategy is not None:
            raise ValueError(
                "distribution_strategy is TensorFlow's own; leave it out, and run trials in parallel with search(..., n_jobs=2)."
            )
        if not isinstance(executions_per_trial, int) or executions_per_trial < 1:
            raise ValueError(f"executions_per_trial must be a whole number from 1 on, got {executions_per_trial!r}.")
        self.oracle, self.hypermodel = oracle, hypermodel_of(hypermodel)
        if self.hypermodel is None and type(self).run_trial is Tuner.run_trial:
            raise ValueError(
                f"{type(self).__name__} needs a hypermodel (a function of hp that returns a model), or a run_trial of its own."
            )
        self.max_model_size, self.executions_per_trial = max_model_size, executions_per_trial
        self.optimizer, self.loss, self.metrics = optimizer, loss, metrics
        self.distribution_strategy, self.logger, self.tuner_id = None, logger, tuner_id or "tuner0"
        self.directory, self.project_name = str(directory or "."), project_name or "untitled_project"
        folder = pathlib.Path(self.project_dir)
        if overwrite:
            _clear(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoints = Checkpoints(folder, keep)
        self.oracle.open(folder, **settings)
        self._execution = 0
        self._collected, self._collecting = time.monotonic(), 0.05  # when memory was last freed, and how long that took
        self._populate_initial_space()

    # ------------------------------------------------------------------------------------------------ the space

    def _populate_initial_space(self) -> None:
        """Builds with the defaults, and once more for each condition that the defaults do not meet, so that the space is known."""
        if self.hypermodel is None:
            return
        hp = HyperParameters(self.oracle.given)  # not the study's: what the build says now must not hide behind what it said earlier
        hp.ensure_active_values()
        self.hypermodel.declare_hyperparameters(hp)
        self._activate_all_conditions(hp)

    def _activate_all_conditions(self, hp: HyperParameters) -> None:
        assert self.hypermodel is not None
        space, tried, wanted = hp.space, set(), dict.fromkeys(hp.scopes)
        forced: dict[str, Any] = {}
        for _ in range(MAX_BUILDS):
            hp = HyperParameters(space, forced)
            hp.ensure_active_values()  # the build may read what the user gave without asking for it
            # These weights are thrown away: what the caller draws must not depend on how many they were.
            with core.utils.seed_scope(0), contextlib.suppress(FailedTrialError):  # these values make no sense; others may
                self.hypermodel.build(hp)
            space = hp.space
            wanted |= dict.fromkeys([*hp.scopes, *(p.conditions for p in space if p.conditions)])
            new = next((c for c in wanted if c not in tried and not all(one.holds(hp.values) for one in c)), None)
            if new is None:
                break
            tried.add(new)
            forced = {condition.name: condition.values[0] for condition in new}
        core.utils.clear_session(free_memory=False)
        self.oracle.update_space(HyperParameters(space))

    # ------------------------------------------------------------------------------------------------ the search

    def search(self, *fit_args: Any, n_jobs: int = 1, **fit_kwargs: Any) -> None:
        """Runs trials until the budget is spent or nothing is left to try.

        Args:
            fit_args, fit_kwargs: what `run_trial` gets, and by default hands to `model.fit`: data, epochs, callbacks (copied for
                each execution). With `verbose` left out, a live table is shown in a terminal, and nothing elsewhere.
            n_jobs: how many processes work at once, each with its own part of the processors. The hypermodel must then be defined at
                the top level of a module.
        """
        verbose = fit_kwargs.get("verbose")
        self.on_search_begin()
        with _quiet(verbose is None), live_table(self.oracle.study, None if verbose is None else 0) as show:
            if n_jobs == 1:
                self._search(fit_args, fit_kwargs, show)
            else:
                work.in_processes(self.oracle.study, _Task(self, fit_args, fit_kwargs), n_jobs, show)
        self.on_search_end()

    def _search(self, fit_args: tuple, fit_kwargs: dict, show: Callable[[], None]) -> None:
        while True:
            self.pre_create_trial()
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status != TrialStatus.RUNNING:
                return
            show()
            self._step(trial, fit_args, fit_kwargs)
            show()

    def _step(self, trial: SearchTrial, fit_args: tuple, fit_kwargs: dict) -> None:
        """One trial, from its beginning to its end."""
        study = self.oracle.study
        try:
            self.on_trial_begin(trial)
            self._try_run_and_update_trial(trial, *fit_args, **fit_kwargs)
            self.on_trial_end(trial)
            if study.trials[self._record(trial).number].state == "running":  # a hook that does not call its parent's
                self.oracle.end_trial(trial)
        except BaseException as error:
            if study.trials[self._record(trial).number].state == "running":
                if isinstance(error, Exception):
                    study.tell(self._record(trial), state="failed", message=traceback.format_exc(), retry=False)
                else:
                    study.interrupt(self._record(trial))
            raise
        self.checkpoints.sweep(study.trials, study.ranked(), study.sampler, self.oracle.trial_id)
        self._release()
        if fit_kwargs.get("verbose") in (1, 2, "auto"):
            self._print_progress(trial)

    def _release(self) -> None:
        """Frees the models of past trials. A collection costs by what is loaded, so that it may take a twentieth of the time at most."""
        began = time.monotonic()
        due = began - self._collected >= 20 * self._collecting
        core.utils.clear_session(free_memory=due)
        if due:
            self._collected = time.monotonic()
            self._collecting = self._collected - began

    def _try_run_and_update_trial(self, trial: SearchTrial, *fit_args: Any, **fit_kwargs: Any) -> None:
        try:
            with self._seeded(trial):
                results = self.run_trial(trial, *fit_args, **fit_kwargs)
        except TrialPruned as error:
            trial.status, trial.message = TrialStatus.PRUNED, str(error)
        except FailedTrialError as error:
            trial.status, trial.message = TrialStatus.FAILED, f"FailedTrialError: {error}"
        except FatalError:
            raise
        except Exception as error:  # noqa: BLE001 - building and training may raise anything; the trial keeps the traceback
            short = _is_short_of_memory(error)
            trial.status = TrialStatus.FAILED if short else TrialStatus.INVALID
            trial.message = traceback.format_exc()
            warnings.warn(f"Trial {trial.trial_id} failed: {type(error).__name__}: {str(error)[:500]}", stacklevel=2)
        else:
            self._take_results(trial, results)
            trial.status = TrialStatus.COMPLETED

    def run_trial(self, trial: SearchTrial, *args: Any, **kwargs: Any) -> Any:
        """Builds and trains `executions_per_trial` times. Override it for another way to get from hyperparameters to an objective.

        Returns:
            A number (the objective), a dict of metrics, a `History`, or a list of those, which are averaged.
        """
        given = kwargs.pop("callbacks", None) or []
        given = list(given) if isinstance(given, (list, tuple)) else [given]
        saver = SaveBestEpoch(self, trial)
        results = []
        for execution in range(self.executions_per_trial):
            own: list[Any] = [TunerCallback(self, trial), saver]
            if self.oracle.study.max_time is not None:
                own.append(Deadline(self.oracle.study.max_time - self.oracle.study.elapsed))
            self._execution = execution
            with self._seeded(trial, execution):
                results.append(self._build_and_fit_model(trial, *args, callbacks=[*_copied(given), *own], **kwargs))
            if getattr(trial, "pruned", None):
                raise TrialPruned(trial.pruned)  # type: ignore[attr-defined]
        return results

    def _build_and_fit_model(self, trial: SearchTrial, *args: Any, **kwargs: Any) -> Any:
        """One execution: the model of the trial's values, trained. Returns what the hypermodel's `fit` does."""
        assert self.hypermodel is not None
        hp = trial.hyperparameters
        model = self._try_build(hp)
        self._note_asked(trial)
        self._prepare(trial, model)
        results = self.hypermodel.fit(hp, model, *args, **kwargs)
        self._note_asked(trial)
        self._finish(trial, model)
        return results

    def _prepare(self, trial: SearchTrial, model: Any) -> None:
        """Between building and training."""

    def _finish(self, trial: SearchTrial, model: Any) -> None:
        """After training."""

    def _try_build(self, hp: HyperParameters) -> Any:
        assert self.hypermodel is not None
        model = self.hypermodel.build(hp)
        if not isinstance(model, core.Model):
            raise FatalTypeError(
                f"The function that builds (or HyperModel.build) must return a model of core, got {model!r} of type {type(model).__name__}."
            )
        if self.max_model_size is not None and model.built and model.count_params() > self.max_model_size:
            raise FailedTrialError(f"The model has {model.count_params():,} parameters, and max_model_size is {self.max_model_size:,}.")
        changed = {"optimizer": self.optimizer, "loss": self.loss, "metrics": self.metrics}
        if any(value is not None for value in changed.values()):
            old = {"optimizer": getattr(model, "optimizer", None), "loss": getattr(model, "loss", None)}
            model.compile(**{**old, **{name: copy.deepcopy(value) for name, value in changed.items() if value is not None}})
        return model

    def _note_asked(self, trial: SearchTrial) -> None:
        self.oracle.update_space(trial.hyperparameters)
        self.oracle.study.note_asked(self._record(trial))

    def _seeded(self, trial: SearchTrial, execution: int = 0) -> contextlib.AbstractContextManager[None]:
        """With a seed, each execution draws its weights and shuffles from its own stream, whatever ran before it in this process.

        The generators of whoever called `search` are afterwards where they were.
        """
        if self.oracle.seed is None:
            return contextlib.nullcontext()
        return core.utils.seed_scope((self._record(trial).seed + execution) % 2**31)

    @staticmethod
    def _record(trial: SearchTrial) -> StudyTrial:
        assert trial.record is not None
        return trial.record

    # ------------------------------------------------------------------------------------------------ results of a trial

    def _take_results(self, trial: SearchTrial, results: Any) -> None:
        """Stores what `run_trial` returned."""
        stored = self.oracle.get_trial(trial.trial_id)
        trial.metrics = stored.metrics
        if results is None and trial.metrics.exists(self.oracle.objective.name):
            return  # it reported by `oracle.update_trial`
        parts = results if isinstance(results, (list, tuple)) else [results]
        if not parts:
            raise FatalTypeError("run_trial returned an empty list; return one result per execution.")
        finals, steps = [], []
        study, record = self.oracle.study, self._record(trial)
        with study.transaction():
            for execution, part in enumerate(parts):
                metrics, step = self._metrics_of(part)
                finals.append(metrics)
                steps.append(step)
                known = stored.record.executions.get(execution) if stored.record is not None else None
                if not known:
                    for epoch, logs in _epochs_of(part, metrics):
                        study.report(record, epoch + 1, logs, execution=execution)
        trial.metrics = self.oracle.get_trial(trial.trial_id).metrics
        trial.final = {name: sum(f[name] for f in finals) / len(finals) for name in finals[0] if all(name in f for f in finals)}
        trial.best_step = round(sum(steps) / len(steps))

    def _metrics_of(self, result: Any) -> tuple[dict[str, float], int]:
        objective = self.oracle.objective
        if isinstance(result, History) or (hasattr(result, "history") and hasattr(result, "epoch")):
            return best_epoch(result, objective)
        if isinstance(result, Mapping):
            if not objective.has_value(result):
                raise FatalValueError(
                    f"The dict of metrics that was returned lacks the objective {objective.name!r}; it has "
                    f"{', '.join(map(repr, result)) or 'nothing'}."
                )
            return {str(name): float(value) for name, value in result.items()}, 0
        if isinstance(result, numbers.Number) or (hasattr(result, "__float__") and getattr(result, "ndim", 0) == 0):
            return {objective.name: float(result)}, 0  # type: ignore[arg-type]
        raise FatalTypeError(
            f"run_trial (or HyperModel.fit) must return a number, a dict of metrics, a History, or a list of those, got {result!r} "
            f"of type {type(result).__name__}."
        )

    # ------------------------------------------------------------------------------------------------ hooks

    def on_search_begin(self) -> None:
        """Before the search."""

    def on_search_end(self) -> None:
        """After the search."""

    def pre_create_trial(self) -> None:
        """Before the oracle is asked for a trial."""

    def on_trial_begin(self, trial: SearchTrial) -> None:
        """Before a trial runs."""

    def on_trial_end(self, trial: SearchTrial) -> None:
        """After a trial has run; tells the oracle how it ended."""
        self.oracle.end_trial(trial)

    def on_epoch_begin(self, trial: SearchTrial, model: Any, epoch: int, logs: dict | None = None) -> None:
        """Before each epoch (from 0) of an execution."""

    def on_batch_begin(self, trial: SearchTrial, model: Any, batch: int, logs: dict | None = None) -> None:
        """Before each batch; overriding it makes the loop pause after every batch."""

    def on_batch_end(self, trial: SearchTrial, model: Any, batch: int, logs: dict | None = None) -> None:
        """After each batch; overriding it makes the loop pause after every batch."""

    def on_epoch_end(self, trial: SearchTrial, model: Any, epoch: int, logs: dict | None = None) -> None:
        """After each epoch: stores its metrics, and stops the trial where the pruner says so."""
        study, record = self.oracle.study, self._record(trial)
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        mine = study.report(record, epoch + 1, metrics, execution=self._execution)
        if not mine:
            trial.pruned = "Another process has taken the trial over."  # type: ignore[attr-defined]
            model.stop_training = True
        elif study.pruner is not None and self._execution == 0 and study.should_prune(record) and not study.is_over_time():
            trial.pruned = f"Pruned after epoch {epoch + 1}: {self.oracle.objective.name} is worse than that of the others."  # type: ignore[attr-defined]
            model.stop_training = True

    # ------------------------------------------------------------------------------------------------ models and results

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Saves the model of a trial, by default its weights and its optimizer; called at each best epoch."""
        self.checkpoints.save(model, trial_id, BEST)

    def load_model(self, trial: SearchTrial) -> Any:
        """The model of a trial, at its best epoch."""
        model = self._try_build(trial.hyperparameters)
        self.checkpoints.load(model, trial.trial_id, BEST)
        return model

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        """The models of the best trials with the weights of their best epochs, best first.

        At most `keep` trials have weights; where more are asked for, those come, with a warning.
        """
        best = self.oracle.get_best_trials(num_models)
        if len(best) > self.checkpoints.keep and type(self).load_model is Tuner.load_model:
            warnings.warn(
                f"The weights of the best {self.checkpoints.keep} trials were kept; for more, give the tuner keep={num_models}.",
                stacklevel=2,
            )
            best = best[: self.checkpoints.keep]
        return [self.load_model(trial) for trial in best]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """The hyperparameters of the best trials, best first."""
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints the best trials."""
        print(f"Results summary\nResults in {self.project_dir}\nShowing {num_trials} best trials\n{self.oracle.objective}")
        for trial in self.oracle.get_best_trials(num_trials):
            print()
            trial.summary()

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints the hyperparameters that are known so far."""
        space = self.oracle.study.space
        print(f"Search space summary\nDefault search space size: {len(space)}")
        for parameter in space:
            config = parameter.config()
            inner = {name: value for name, value in config["config"].items() if name != "name"}
            print(f"{parameter.name} ({config['class_name']})\n{inner}")

    def _print_progress(self, trial: SearchTrial) -> None:
        study, objective = self.oracle.study, self.oracle.objective
        record = study.trials[self._record(trial).number]
        seconds = record.seconds or 0.0
        print(f"\nTrial {record.number + 1} {record.state} [{_clock(seconds)}]")
        if record.score is not None:
            print(f"{objective.name}: {study.value_of(record)}")
        if study.ranked():
            print(f"\nBest {objective.name} so far: {study.best_value}")
        print(f"Total elapsed time: {_clock(study.elapsed)}")

    @property
    def project_dir(self) -> str:
        """The folder of this search."""
        return str(pathlib.Path(self.directory) / self.project_name)

    def get_trial_dir(self, trial_id: str) -> str:
        """The folder of a trial."""
        return str(self.checkpoints.path(trial_id, BEST).parent)

    def remaining_trials(self) -> int | None:
        """How many trials the budget still allows; None without a limit."""
        return self.oracle.remaining_trials()

    @property
    def study(self) -> Study:
        """The study behind the search: data frame, plots, importance, HTML report."""
        return self.oracle.study

    def reload(self) -> None:
        """Opens the search's folder again."""
        self.oracle.reload()

    def save(self) -> None:
        """Does nothing: every change is in the store as soon as it is made."""


class _Task:
    """What a worker process does with a trial of a tuner."""

    def __init__(self, tuner: Tuner, fit_args: tuple, fit_kwargs: dict):
        self.tuner, self.fit_args, self.fit_kwargs = tuner, fit_args, fit_kwargs

    def __call__(self, study: Study, record: StudyTrial) -> None:
        self.tuner.oracle._study = study
        with _quiet(self.fit_kwargs.get("verbose") is None):
            self.tuner._step(self.tuner.oracle._view(record), self.fit_args, self.fit_kwargs)


@contextlib.contextmanager
def _quiet(wanted: bool) -> Iterator[None]:
    """Keeps the progress bars of `fit` away, whose `verbose` nobody has said."""
    before = core.config.is_interactive_logging_enabled()
    if wanted:
        core.config.disable_interactive_logging()
    try:
        yield
    finally:
        if wanted and before:
            core.config.enable_interactive_logging()


def _copied(callbacks: list) -> list:
    try:
        return copy.deepcopy(callbacks)
    except Exception as error:
        raise FatalValueError(
            f"Callbacks are copied for each execution, so that none sees two; one of these cannot be: {callbacks} "
            f"({type(error).__name__}: {error})."
        ) from error


def _epochs_of(result: Any, metrics: dict[str, float]) -> Iterator[tuple[int, dict[str, float]]]:
    """`(epoch, logs)` of a `History`; other results are one epoch."""
    if not hasattr(result, "history"):
        yield 0, metrics
        return
    for i, epoch in enumerate(result.epoch):
        yield int(epoch), {name: float(values[i]) for name, values in result.history.items() if i < len(values)}


def _is_short_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or any(word in f"{type(error).__name__} {error}" for word in OUT_OF_MEMORY)


def _clear(folder: pathlib.Path) -> None:
    """Deletes what a search wrote, and nothing else that may be in the folder."""
    for ending in ("", "-wal", "-shm"):
        (folder / f"{FILE}{ending}").unlink(missing_ok=True)
    for child in folder.glob("trial_*"):
        if child.is_dir():
            shutil.rmtree(child)


def _clock(seconds: float) -> str:
    whole = math.floor(seconds)
    return f"{whole // 3600:02d}h {whole // 60 % 60:02d}m {whole % 60:02d}s"
