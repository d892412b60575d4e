"""A search that is killed and begun again is the search that was not killed."""

import collections
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import killable
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRIALS = 40


def run(folder, sampler, seconds=None):
    """Runs the search in a process; kills it `seconds` after it has begun. Returns whether it came to its end."""
    command = [sys.executable, str(pathlib.Path(killable.__file__)), str(folder / "s.db"), str(folder / "log"), sampler, str(TRIALS)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    if seconds is None:
        return process.wait(timeout=120) == 0
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == 0


def check(folder, sampler, kills, monkeypatch):
    study = killable.study(folder / "s.db", sampler, TRIALS)
    trials = study.trials
    assert [t.number for t in trials] == list(range(len(trials))) and all(t.state == "completed" for t in trials)
    assert all(sorted(t.reports) == [1, 2, 3] and t.score == t.values["x"] ** 2 for t in trials)
    runs = collections.Counter(tuple(map(int, line.split())) for line in (folder / "log").read_text().splitlines())
    assert set(runs.values()) == {1}, "an attempt ran twice"
    assert {number for number, _ in runs} == set(range(len(trials)))
    assert all((t.number, t.attempt) in runs for t in trials), "a result was taken from an attempt that did not end"
    assert sum(t.losses for t in trials) == sum(t.attempt - 1 for t in trials) <= kills
    (folder / "whole").mkdir()
    monkeypatch.setenv("KILLABLE_LOG", str(folder / "whole" / "log"))
    whole = killable.study(folder / "whole" / "s.db", sampler, TRIALS).optimize(killable.objective)
    assert [(t.values, t.score, t.parent) for t in whole.trials] == [(t.values, t.score, t.parent) for t in trials]


def kill_and_resume(folder, sampler, kills, seed, monkeypatch):
    moments = random.Random(seed)
    done = [run(folder, sampler, moments.uniform(0.3, 1.5)) for _ in range(kills)]
    assert run(folder, sampler)
    assert not all(done), "the search was over before it was killed"
    check(folder, sampler, kills, monkeypatch)


def test_two_kills_lose_and_repeat_nothing(tmp_path, monkeypatch):
    kill_and_resume(tmp_path, "random", 2, 0, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe", "hyperband"])
def test_ten_kills_lose_and_repeat_nothing(tmp_path, sampler, monkeypatch):
    kill_and_resume(tmp_path, sampler, 10, 1, monkeypatch)


def test_a_late_result_is_refused(tmp_path):
    first, second = (killable.study(tmp_path / "s.db", "random", 3) for _ in range(2))
    trial = first.ask()
    first._store.beat(first._session.token, closed=True)  # as if its machine had been silent for too long
    again = second.ask()
    assert (again.number, again.attempt, again.losses) == (trial.number, 2, 1) and again.values == trial.values
    with pytest.warns(UserWarning, match="taken over"):
        first.tell(trial, 100.0)
    assert first.report(trial, 1, 5.0) is False
    second.tell(again, 0.5)
    assert second.trials[0].score == 0.5 and second.trials[0].reports == {0: 0.5}


def test_a_trial_whose_process_dies_again_and_again_fails(tmp_path):
    study = killable.study(tmp_path / "s.db", "random", 3)
    study.max_losses = 2
    for _ in range(3):
        other = killable.study(tmp_path / "s.db", "random", 3)
        other.max_losses = 2
        assert other.ask().number == 0
        other.close()
    assert study.ask().number == 1
    assert study.trials[0].state == "failed" and "died 3 times" in study.trials[0].message


def test_the_time_of_earlier_sessions_counts(tmp_path):
    first = killable.study(tmp_path / "s.db", "random", None)
    trial = first.ask()
    time.sleep(0.3)
    first.tell(trial, 0.0)
    first.close()
    time.sleep(0.5)
    second = killable.study(tmp_path / "s.db", "random", None)
    assert 0.3 <= second.elapsed < 0.6
    second.max_time = 0.3
    assert second.ask() is None
    second.max_time = 100.0
    assert second.ask() is not None
