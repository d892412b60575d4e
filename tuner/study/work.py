"""The search loop over an objective function, in this process or in several."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from tuner.errors import FailedTrialError, FatalError, FatalRuntimeError, TrialPruned
from tuner.study.record import StudyTrial

if TYPE_CHECKING:
    from tuner.study.study import Study

POLL = 0.2  # seconds between two looks at the workers
STILLBORN = 3  # workers in a row that may die without having touched a trial
GRACE = 2.0  # seconds beyond max_time (and a twentieth of it) that running trials get to stop by themselves

# What each framework reads to learn how many threads it may use.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


def optimize(study: Study, fn: Callable[[StudyTrial], Any], n_jobs: int = 1, verbose: int | None = None) -> None:
    """Runs `fn` on trial after trial, in `n_jobs` processes, until `study.ask()` has no more."""
    if not isinstance(n_jobs, int) or isinstance(n_jobs, bool) or n_jobs < 1:
        raise ValueError(f"n_jobs must be a number of processes from 1 on, got {n_jobs!r}.")
    from tuner.report.table import live_table

    with live_table(study, verbose) as show:
        if n_jobs == 1:
            loop(study, lambda trial: run(study, trial, fn), show)
        else:
            in_processes(study, _Objective(fn), n_jobs, show)


def loop(study: Study, step: Callable[[StudyTrial], None], show: Callable[[], None] = lambda: None) -> None:
    """Asks and steps until there is nothing left to ask."""
    while (trial := study.ask()) is not None:
        show()
        step(trial)
        show()


def run(study: Study, trial: StudyTrial, fn: Callable[[StudyTrial], Any]) -> None:
    """Runs `fn` on one trial and tells the study how it ended, whatever it raised."""
    with outcomes(study, trial) as tell:
        tell(fn(trial))


@contextlib.contextmanager
def outcomes(study: Study, trial: StudyTrial) -> Iterator[Callable[[Any], None]]:
    """Turns what the block raises into the state of `trial`; the block calls the function that it gets with the objective or metrics."""
    told: list[Any] = []
    try:
        yield told.append
    except TrialPruned as error:
        study.tell(trial, state="pruned", message=str(error))
    except FailedTrialError as error:
        study.tell(trial, state="failed", message=f"FailedTrialError: {error}", retry=False)
    except FatalError:
        study.tell(trial, state="failed", message=traceback.format_exc(), retry=False)
        raise
    except Exception:  # noqa: BLE001 - an objective function may raise anything; the trial keeps the traceback
        study.tell(trial, state="failed", message=traceback.format_exc())
    except BaseException:  # Ctrl-C, or the end of the process: the trial is handed out again in the next session
        study.interrupt(trial)
        raise
    else:
        value = told[0] if told else None
        if value is not None and not isinstance(value, Mapping) and not hasattr(value, "__float__"):
            message = f"The objective function must return a number or a dict of metrics, got {value!r}."
            study.tell(trial, state="failed", message=message, retry=False)
            raise TypeError(message)
        study.tell(trial, value)


# ---------------------------------------------------------------------------------------------------- several processes


class _Objective:
    """A worker's task made of an objective function; picklable as the function is."""

    def __init__(self, fn: Callable[[StudyTrial], Any]):
        self.fn = fn

    def __call__(self, study: Study, trial: StudyTrial) -> None:
        run(study, trial, self.fn)


def in_processes(study: Study, task: Callable[[Study, StudyTrial], None], n_jobs: int, show: Callable[[], None]) -> None:
    """Runs `task(study, trial)` in `n_jobs` processes that share the study's file.

    A worker that dies is replaced, and its trial handed out again.

    Raises:
        TypeError: the task cannot be sent to another process.
        FatalRuntimeError: a worker stopped the search, or workers cannot start.
    """
    try:
        ForkingPickler.dumps((study, task))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"With n_jobs={n_jobs} other processes must find what they run by its name, and they cannot: {error}. Define it at the "
            "top level of a module (not as a lambda, nor inside a function), or take n_jobs=1."
        ) from None
    context = multiprocessing.get_context("spawn")
    messages = context.SimpleQueue()
    workers = [_start(context, study, task, slot, n_jobs, messages) for slot in range(n_jobs)]
    stillborn, seen = 0, len(study.trials)
    try:
        while workers:
            multiprocessing.connection.wait([worker.sentinel for _slot, worker in workers], timeout=POLL)
            show()
            if not messages.empty():
                raise FatalRuntimeError(messages.get())
            ended = [(slot, worker) for slot, worker in workers if not worker.is_alive()]
            workers = [pair for pair in workers if pair not in ended]
            for slot, worker in ended:
                worker.join()
                if worker.exitcode == 0:
                    continue
                if not messages.empty():
                    raise FatalRuntimeError(messages.get())
                attempts = sum(t.attempt for t in study.trials)
                stillborn, seen = (0, attempts) if attempts > seen else (stillborn + 1, seen)
                if stillborn >= STILLBORN:
                    raise FatalRuntimeError(
                        f"{STILLBORN} workers in a row ended with code {worker.exitcode} before they had begun a trial; their output "
                        "tells why. A script that uses n_jobs must start its search under `if __name__ == '__main__':`."
                    )
                workers.append(_start(context, study, task, slot, n_jobs, messages))
            if study.max_time is not None and study.elapsed > 1.05 * study.max_time + GRACE:
                break  # what still runs ignores the time: it is ended below, and handed out again if the study goes on
    finally:
        for _slot, worker in workers:
            worker.terminate()
        for _slot, worker in workers:
            worker.join(5.0)
            if worker.is_alive():
                worker.kill()
                worker.join()


def _start(context: Any, study: Study, task: Any, slot: int, n_jobs: int, messages: Any) -> tuple[int, Any]:
    import core

    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    mine = cpus[slot::n_jobs] or [cpus[slot % len(cpus)]]
    changed = {"CORE_BACKEND": core.config.backend(), **{name: str(len(mine)) for name in _THREAD_VARIABLES}}
    devices = [d for d in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if d]
    if len(devices) > 1:
        changed["CUDA_VISIBLE_DEVICES"] = devices[slot % len(devices)]
    worker = context.Process(target=_work, args=(study, task, mine, messages), name=f"tuner-worker-{slot}", daemon=True)
    with _environment(changed):  # a spawned process reads it at its start
        worker.start()
    return slot, worker


@contextlib.contextmanager
def _environment(changed: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(study: Study, task: Callable[[Study, StudyTrial], None], cpus: list[int], messages: Any) -> None:
    """What a worker process does."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        loop(study, lambda trial: task(study, trial))
    except KeyboardInterrupt:
        sys.exit(130)
    except FatalError as error:
        messages.put(str(error))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the parent raises it again
        messages.put(f"A worker ended with {type(error).__name__}: {error}")
        sys.exit(1)
    finally:
        study.close()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        time.sleep(0.5)  # an orderly end of the parent terminates this process by itself
        os._exit(1)
