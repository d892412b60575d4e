"""Ask and tell: budgets, directions, failures, enqueued trials, define-by-run, several processes."""

import inspect
import math
import os
import signal
import time

import pytest

import core
import tuner
from core.saving import ConfigError
from tuner import Choice, Condition, Float, Int, Objective, Study
from tuner.errors import FailedTrialError, FatalRuntimeError, TrialPruned
from tuner.study.objective import KNOWN_DIRECTIONS, create_objective, direction_of

NINE = [Choice("a", values=(1, 2, 3)), Int("b", min_value=1, max_value=3)]
LINE = [Float("x", min_value=-1.0, max_value=1.0)]


def square(trial):
    return trial.values["x"] ** 2


# ---------------------------------------------------------------------------------------------------- objectives


def metric_classes():
    for name in sorted(core.metrics.__all__):
        value = getattr(core.metrics, name)
        if isinstance(value, type) and issubclass(value, core.metrics.Metric):
            yield name, value


def instance(kind):
    given = {"num_classes": 2, "target_class_ids": [0], "fn": core.losses.mean_squared_error, "precision": 0.5, "recall": 0.5,
             "sensitivity": 0.5, "specificity": 0.5}  # fmt: skip
    signature = inspect.signature(kind)
    return kind(**{name: given[name] for name, p in signature.parameters.items() if name in given and p.default is p.empty})


@pytest.mark.parametrize("name, kind", [pytest.param(n, k, id=n) for n, k in metric_classes()])
def test_the_table_says_of_each_metric_of_core_what_the_metric_says(name, kind):
    with core.backend.use("numpy"):
        metric = instance(kind)
    expected = {"up": "max", "down": "min", None: None}[metric._direction]
    known = direction_of(metric.name)
    if expected is None:  # counts of right and wrong answers have a direction by their meaning, sums and means have none
        assert known == {"false_negatives": "min", "false_positives": "min", "true_negatives": "max", "true_positives": "max"}.get(
            metric.name
        )
    else:
        assert known == expected
        assert direction_of(f"val_{metric.name}") == expected and direction_of(f"val_{metric.name}_3") == expected


@pytest.mark.parametrize("name", ["my_score", "neg_mean_squared_error", "accuracy_drop", "custom", "lossless", "mean", "val_", "out_loss"])
def test_a_direction_is_never_guessed(name):
    assert name not in KNOWN_DIRECTIONS
    with pytest.raises(ValueError, match="direction='min'"):
        create_objective(name)
    assert create_objective(name, "max").direction == "max"


def test_objectives_compare_and_add_up():
    both = create_objective(["val_loss", Objective("val_f2", "max")])
    assert both.direction == "min" and both.get_value({"val_loss": 1.0, "val_f2": 3.0}) == -2.0 and not both.has_value({"val_loss": 1.0})
    assert Objective("a", "max").better_than(2, 1) and not Objective("a", "min").better_than(2, 1)
    for wrong in ("up", None, "maximize"):
        with pytest.raises(ValueError, match="'min' or 'max'"):
            Objective("a", wrong)
    with pytest.raises(ValueError, match="one direction"):
        create_objective(Objective("a", "max"), "min")
    with pytest.raises(TypeError):
        create_objective(3)


# ---------------------------------------------------------------------------------------------------- ask and tell


def test_ask_and_tell_end_with_the_budget():
    study = Study(LINE, "random", seed=0, max_trials=5)
    seen = []
    while (trial := study.ask()) is not None:
        seen.append(trial.values["x"])
        study.tell(trial, square(trial))
    assert len(seen) == len(set(seen)) == 5 and [t.number for t in study.trials] == list(range(5))
    assert study.best_value == min(x**2 for x in seen) and study.best_values == {"x": min(seen, key=abs)}
    assert study.ask() is None


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe", "gp"])
def test_nine_points_are_exhausted_exactly(sampler):
    study = Study(NINE, sampler, seed=0, max_trials=50).optimize(lambda t: t.values["a"] * t.values["b"])
    assert sorted((t.values["a"], t.values["b"]) for t in study.trials) == [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]


@pytest.mark.parametrize("sampler", ["random", "tpe", "gp"])
def test_a_seed_says_everything(sampler):
    runs = [[t.values["x"] for t in Study(LINE, sampler, seed=seed, max_trials=8).optimize(square).trials] for seed in (0, 0, 1)]
    assert runs[0] == runs[1] and runs[0] != runs[2]


def test_the_best_is_the_largest_where_larger_is_better():
    study = Study(LINE, "random", direction="max", seed=0, max_trials=10).optimize(lambda t: t.values["x"])
    values = [t.values["x"] for t in study.trials]
    assert study.best_value == max(values) and [study.value_of(t) for t in study.ranked()] == sorted(values, reverse=True)


def test_failed_and_infinite_trials_never_rank():
    def fn(trial):
        return {0: math.nan, 1: -math.inf, 2: math.inf}.get(trial.number, trial.values["x"] ** 2)

    study = Study(LINE, "tpe", seed=0, max_trials=8, max_consecutive_failures=None).optimize(fn)
    assert [t.state for t in study.trials] == ["failed"] * 3 + ["completed"] * 5
    assert study.best_trial.number >= 3 and math.isfinite(study.best_value)
    assert "inf" in study.trials[1].message and all(t.score is None for t in study.trials[:3])


def test_failures_in_a_row_stop_the_study_and_say_why():
    def fn(trial):
        raise RuntimeError(f"no luck {trial.number}")

    study = Study(LINE, "random", seed=0, max_trials=50)
    with pytest.raises(FatalRuntimeError, match="RuntimeError: no luck 2"):
        study.optimize(fn)
    assert len(study.trials) == 3 and "no luck 0" in study.trials[0].message


def test_failing_trials_are_retried_as_often_as_asked():
    calls = []

    def fn(trial):
        calls.append((trial.number, trial.values["x"]))
        if trial.number == 1 and trial.attempt < 3:
            raise OSError("flaky")
        if trial.number == 2:
            raise FailedTrialError("never")
        return square(trial)

    study = Study(LINE, "random", seed=0, max_trials=4, max_retries=2).optimize(fn)
    assert [t.state for t in study.trials] == ["completed", "completed", "failed", "completed"]
    assert [number for number, _ in calls] == [0, 1, 1, 1, 2, 3] and len({x for number, x in calls if number == 1}) == 1
    assert study.trials[1].failures == 2


def test_an_objective_function_that_returns_nonsense_stops_the_search():
    study = Study(LINE, "random", seed=0, max_trials=4)
    with pytest.raises(TypeError, match="number or a dict"):
        study.optimize(lambda trial: "good")
    assert [t.state for t in study.trials] == ["failed"]


def test_misuse_of_tell_is_named():
    study = Study(LINE, "random", objective="val_accuracy", seed=0)
    trial = study.ask()
    with pytest.raises(ValueError, match="val_accuracy"):
        study.tell(trial, {"loss": 1.0})
    with pytest.raises(ValueError, match="state must be"):
        study.tell(trial, 1.0, state="done")
    with pytest.raises(TypeError, match="must be a number"):
        study.tell(trial, {"val_accuracy": "high"})
    study.tell(trial, {"val_accuracy": 0.5, "loss": 1.0})
    with pytest.raises(ValueError, match="is completed"):
        study.tell(trial, 0.7)
    with pytest.raises(ValueError, match="no trial 7"):
        study.tell(7, 0.7)
    assert study.trials[0].metrics == {"val_accuracy": {0: 0.5}, "loss": {0: 1.0}} and study.best_value == 0.5


@pytest.mark.parametrize("wrong", [{"max_trials": 0}, {"max_time": -1}, {"seed": -1}, {"seed": 0.5}, {"seed": True}, {"sampler": "magic"}])
def test_bad_settings_are_refused(wrong):
    with pytest.raises(ValueError):
        Study(LINE, **wrong)


def test_no_best_trial_without_trials():
    with pytest.raises(ValueError, match="No trial"):
        _ = Study(LINE).best_trial


def test_interrupted_trials_come_again():
    study = Study(LINE, "random", seed=0, max_trials=3)
    first = []

    def fn(trial):
        first.append(trial.values["x"])
        if len(first) == 2:
            raise KeyboardInterrupt
        return square(trial)

    with pytest.raises(KeyboardInterrupt):
        study.optimize(fn)
    assert [t.state for t in study.trials] == ["completed", "waiting"]
    study.optimize(fn)
    assert [t.state for t in study.trials] == ["completed"] * 3 and first[1] == first[2] and len(first) == 4


def test_the_time_is_kept():
    study = Study(LINE, "random", seed=0, max_time=0.5)
    began = time.monotonic()
    study.optimize(lambda t: time.sleep(0.05) or square(t))
    assert 0.4 < time.monotonic() - began < 5 and study.elapsed >= 0.5 and study.ask() is None


def test_enqueued_values_come_first():
    space = [Choice("kind", values=("a", "b")), Int("n", min_value=1, max_value=9, conditions=(Condition("kind", ("b",)),))]
    study = Study(space, "random", seed=0, max_trials=4)
    study.enqueue({"kind": "b", "n": 7})
    study.enqueue({"kind": "b"})
    assert [study.ask().values for _ in range(2)] == [{"kind": "b", "n": 7}, {"kind": "b", "n": 1}]
    for wrong in ({"kind": "c"}, {"kind": "a", "n": 3}, {"kind": "b", "n": 70}, {"other": 1}):
        with pytest.raises(ValueError, match="enqueue"):
            study.enqueue(wrong)


# ---------------------------------------------------------------------------------------------------- reports and pruning


def test_reports_are_kept_and_pruned_trials_do_not_rank():
    def fn(trial):
        for step in range(1, 6):
            trial.report(step=step, value=trial.values["x"] + 1 / step)
            if trial.should_prune():
                raise TrialPruned(f"at {step}")
        return trial.values["x"]

    study = Study(LINE, "random", seed=0, max_trials=15, pruner=tuner.MedianPruner(min_trials=4)).optimize(fn)
    pruned = [t for t in study.trials if t.state == "pruned"]
    assert pruned and all(t.score is None and t.message.startswith("at") for t in pruned)
    assert all(sorted(t.reports) == list(range(1, max(t.reports) + 1)) for t in study.trials)
    assert all(max(t.reports) < 5 or t.state == "completed" for t in study.trials) and study.best_trial.best_step == 5


def test_tell_without_a_value_takes_the_best_report():
    study = Study(LINE, "random", objective="val_accuracy", seed=0)
    trial = study.ask()
    for step, value in ((1, 0.4), (2, 0.9), (3, 0.6)):
        study.report(trial, step, {"val_accuracy": value, "loss": 1.0})
    study.tell(trial)
    assert study.best_value == 0.9 and study.best_trial.best_step == 2


# ---------------------------------------------------------------------------------------------------- define-by-run


def test_a_trial_has_only_what_it_asked_for():
    def fn(trial):
        hp = trial.hyperparameters
        return sum(hp.Float(f"x{i}", 0, 1) for i in range(hp.Int("n", 1, 3)))

    study = Study(sampler="random", seed=0, max_trials=12).optimize(fn)
    assert {tuple(t.values) for t in study.trials} == {("n", *(f"x{i}" for i in range(n))) for n in (1, 2, 3)}
    assert all(len(t.values) == 1 + t.values["n"] for t in study.trials)
    assert [p.name for p in study.space] == ["n", "x0", "x1", "x2"]


# ---------------------------------------------------------------------------------------------------- several processes


def product(trial):
    return trial.values["a"] * trial.values["b"]


def deadly(trial):
    """Takes its process with it, the first time."""
    if trial.number == 3 and trial.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return product(trial)


def test_two_processes_exhaust_nine_points_and_survive_a_killed_worker(tmp_path):
    study = Study(NINE, "random", seed=0, storage=tmp_path / "s.db").optimize(deadly, n_jobs=2)
    assert sorted((t.values["a"], t.values["b"]) for t in study.trials) == [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]
    assert all(t.state == "completed" and t.score == product(t) for t in study.trials)
    assert [t.losses for t in study.trials] == [0, 0, 0, 1, 0, 0, 0, 0, 0] and study.trials[3].attempt == 2


def failing(trial):
    raise ValueError("always")


def test_failures_in_workers_stop_the_search():
    study = Study(NINE, "random", seed=0)
    with pytest.raises(FatalRuntimeError, match="ValueError: always"):
        study.optimize(failing, n_jobs=2)


def test_what_other_processes_cannot_find_is_refused():
    with pytest.raises(TypeError, match="top level"):
        Study(NINE, "random", seed=0).optimize(lambda trial: 1.0, n_jobs=2)
    with pytest.raises(ValueError, match="n_jobs"):
        Study(NINE, "random", seed=0).optimize(product, n_jobs=0)


def test_a_study_of_another_objective_or_space_is_not_mixed(tmp_path):
    path = tmp_path / "s.db"
    Study(LINE, "random", objective="val_loss", storage=path, seed=0, max_trials=2).optimize(square)
    with pytest.raises(ConfigError, match="val_accuracy"):
        Study(LINE, "random", objective="val_accuracy", storage=path)
    with pytest.raises(ConfigError, match="max_value=2.0"):
        Study([Float("x", min_value=-1.0, max_value=2.0)], "random", objective="val_loss", storage=path)
    again = Study(LINE, "random", objective="val_loss", storage=path, max_trials=4).optimize(square)
    assert len(again.trials) == 4 and again.seed == 0
