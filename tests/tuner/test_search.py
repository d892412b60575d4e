"""KerasTuner's classes over the study: searches of models, hooks, results, checkpoints, promotions."""

import gc
import inspect
import json
import pathlib
import random
import sys
import weakref

import numpy as np
import pytest

import core as keras
import tuner as keras_tuner
from core.saving import ConfigError
from tuner.errors import FailedTrialError, FatalRuntimeError, FatalTypeError, FatalValueError

API = pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "api" / "tuner.json"
EAGER = True  # compiling takes longer than all the rest, and is not what is tested
RNG = np.random.default_rng(0)
X = RNG.random((64, 4)).astype("float32")
Y = (X.sum(1) > 2).astype("int32")


WITHOUT_MODELS = {
    "test_run_trial_may_return_numbers_dicts_and_lists", "test_other_results_stop_the_search", "test_an_oracle_of_ones_own",
    "test_an_oracle_by_hand", "test_two_processes_search_numbers",
    "test_scikit_learn_estimators", "test_names_and_signatures_are_those_that_users_know",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _backend(request):
    """The backend that is quickest to build and train models this small; tests of others say so themselves."""
    keras.config.set_backend("numpy" if request.node.originalname in WITHOUT_MODELS else "torch")


def build(hp):
    model = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(hp.Int("units", 4, 16, step=4), activation="relu"),
        keras.layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=EAGER)
    return model


class Batched(keras_tuner.HyperModel):
    def build(self, hp):
        return build(hp)

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)


def search_of(kind, hypermodel, folder, epochs=2, **kwargs):
    if not {"directory"} & set(kwargs):
        kwargs["directory"] = folder
    search = kind(hypermodel, seed=0, **kwargs)
    search.search(X, Y, validation_data=(X, Y), epochs=epochs)
    return search


# ---------------------------------------------------------------------------------------------------- whole searches


@pytest.mark.parametrize("eager", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["eager", "compiled"])
@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_random_search_ends_with_the_best_model_as_scored(tmp_path, backend, eager, monkeypatch):
    keras.config.set_backend(backend)
    monkeypatch.setattr(sys.modules[__name__], "EAGER", eager)
    count = 3 if backend == "torch" else 2
    search = search_of(keras_tuner.RandomSearch, Batched(), tmp_path, objective="val_accuracy", max_trials=count)
    trials = search.oracle.get_best_trials(3)
    assert len(trials) == count and trials[0].score == max(t.score for t in trials)
    assert all(set(t.hyperparameters.values) == {"units", "rate", "batch_size"} for t in trials)
    model = search.get_best_models()[0]
    assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(trials[0].score, abs=1e-6)
    best = search.get_best_hyperparameters()[0]
    assert search.hypermodel.build(best).layers[0].units == best.get("units") == best["units"]


@pytest.mark.parametrize("eager", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["eager", "compiled"])
@pytest.mark.parametrize("backend", ["torch", *(pytest.param(name, marks=pytest.mark.slow) for name in ("jax", "tensorflow"))])
def test_hyperband_runs_the_brackets_and_goes_on_from_the_parents(tmp_path, backend, eager, monkeypatch):
    keras.config.set_backend(backend)
    monkeypatch.setattr(sys.modules[__name__], "EAGER", eager)
    first, last = {}, {}

    class Watched(keras_tuner.Hyperband):
        def on_epoch_begin(self, trial, model, epoch, logs=None):
            state = [float(np.sum(np.asarray(keras.ops.convert_to_numpy(v.value)))) for v in [*model.variables, *model.optimizer.variables]]
            first.setdefault(trial.trial_id, (epoch, state))
            super().on_epoch_begin(trial, model, epoch, logs)

        def on_epoch_end(self, trial, model, epoch, logs=None):
            state = [float(np.sum(np.asarray(keras.ops.convert_to_numpy(v.value)))) for v in [*model.variables, *model.optimizer.variables]]
            last[trial.trial_id] = (epoch, state)
            super().on_epoch_end(trial, model, epoch, logs)

    search = Watched(build, objective="val_loss", max_epochs=4, factor=2, seed=0, directory=tmp_path)
    search.search(X, Y, validation_data=(X, Y))
    trials = search.oracle.study.trials
    rounds = {}
    for trial in trials:
        place = (trial.notes["bracket"], trial.notes["round"])
        rounds[place] = rounds.get(place, 0) + 1
        assert sorted(trial.reports) == list(range(trial.initial_resource + 1, trial.resource + 1))
        if trial.parent is not None:
            name, parent = search.oracle.trial_id(trial.number), search.oracle.trial_id(trial.parent)
            assert trial.values == trials[trial.parent].values and first[name][0] == last[parent][0] + 1
            np.testing.assert_allclose(first[name][1], last[parent][1], rtol=1e-6)
    # Li et al. 2018, algorithm 1, for R=4 and eta=2: n=4, 3, 3 configurations, halved each round
    assert rounds == {(0, 0): 4, (0, 1): 2, (0, 2): 1, (1, 0): 3, (1, 1): 1, (2, 0): 3}
    best = search.oracle.get_best_trials()[0]
    assert search.get_best_models()[0].evaluate(X, Y, verbose=0)[0] == pytest.approx(best.score, rel=1e-5)
    assert best.hyperparameters.values["tuner/epochs"] == best.record.resource
    assert not list(tmp_path.rglob("last_*")), "what no promotion needs any more is deleted"


@pytest.mark.parametrize("kind", ["GridSearch", "BayesianOptimization"])
def test_the_other_searches(tmp_path, kind):
    def small(hp):
        hp.Choice("rate", [0.1, 0.01, 0.001])
        hp.Boolean("wide")
        return build(keras_tuner.HyperParameters())

    search = search_of(getattr(keras_tuner, kind), small, tmp_path, objective="val_loss", max_trials=10, epochs=1)
    assert sorted(tuple(t.values.values()) for t in search.study.trials) == [(r, w) for r in (0.001, 0.01, 0.1) for w in (False, True)]


class Parabola(keras_tuner.RandomSearch):
    """Trains nothing, so that its workers load no framework."""

    def run_trial(self, trial, middle):
        return (trial.hyperparameters.Float("x", 0, 1) - middle) ** 2


def test_two_processes_search_numbers(tmp_path):
    search, alone = (Parabola(max_trials=6, seed=0, directory=tmp_path / name) for name in ("two", "one"))
    search.search(0.3, n_jobs=2)
    alone.search(0.3)
    # Whoever begins first finds the parameter; from then on both draw from the trial's number, whoever runs it.
    found, expected = ({(t.number, t.values["x"], t.score) for t in s.study.trials} for s in (search, alone))
    assert found == expected and len(found) == 6


@pytest.mark.slow  # each worker loads a framework
def test_two_processes_search_a_model(tmp_path):
    search = keras_tuner.RandomSearch(build, objective="val_loss", max_trials=4, seed=0, directory=tmp_path)
    search.search(X, Y, validation_data=(X, Y), epochs=1, n_jobs=2)
    alone = search_of(keras_tuner.RandomSearch, build, tmp_path / "alone", objective="val_loss", max_trials=4, epochs=1)
    found, expected = ([(t.values, t.score) for t in s.study.trials] for s in (search, alone))
    assert [v for v, _ in found] == [v for v, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-5)
    assert len(search.get_best_models(2)) == 2


def test_a_seed_gives_equal_scores_and_a_resumed_search_goes_on(tmp_path):
    straight = search_of(keras_tuner.RandomSearch, build, tmp_path / "a", objective="val_loss", max_trials=4)
    search_of(keras_tuner.RandomSearch, build, tmp_path / "b", objective="val_loss", max_trials=2)
    resumed = search_of(keras_tuner.RandomSearch, build, tmp_path / "b", objective="val_loss", max_trials=4)
    assert [(t.values, t.score) for t in resumed.study.trials] == [(t.values, t.score) for t in straight.study.trials]
    again = search_of(keras_tuner.RandomSearch, build, tmp_path / "b", objective="val_loss", max_trials=1, overwrite=True)
    assert len(again.study.trials) == 1


def test_a_search_leaves_the_generators_of_its_caller_alone(tmp_path):
    keras.utils.set_random_seed(3)
    expected = [random.random(), np.random.rand(), *keras.ops.convert_to_numpy(keras.random.normal((2,)))]
    keras.utils.set_random_seed(3)
    search_of(keras_tuner.RandomSearch, build, tmp_path, objective="val_loss", max_trials=1, epochs=1)
    assert [random.random(), np.random.rand(), *keras.ops.convert_to_numpy(keras.random.normal((2,)))] == expected


def test_a_killed_trial_has_in_its_next_attempt_what_its_training_had_asked_for(tmp_path):
    """What `fit` asks for is among the values from the beginning, so that it is not drawn anew."""

    class Stopped(Batched):
        def fit(self, hp, model, *args, **kwargs):
            if stop and hp.get("number_of_fits") is not None:
                raise KeyboardInterrupt
            asked.append(hp.Choice("batch_size", [2, 4, 8, 16, 32, 64]))
            return {"val_loss": 1.0}

    hp = keras_tuner.HyperParameters()
    hp.Fixed("number_of_fits", 1)
    hp.Choice("batch_size", [2, 4, 8, 16, 32, 64])
    asked, stop = [], True
    search = keras_tuner.RandomSearch(Stopped(), objective="val_loss", max_trials=1, seed=0, hyperparameters=hp, directory=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        search.search(X, Y)
    proposed = search.study.trials[0].values["batch_size"]
    stop = False
    search.search(X, Y)
    assert asked == [proposed] == [search.study.trials[0].values["batch_size"]]


def test_overwrite_deletes_only_what_a_search_wrote(tmp_path):
    folder = tmp_path / "untitled_project"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    search_of(keras_tuner.RandomSearch, build, tmp_path, objective="val_loss", max_trials=1, overwrite=True, epochs=1)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_changed_space_is_not_mixed_in(tmp_path):
    search_of(keras_tuner.RandomSearch, build, tmp_path, objective="val_loss", max_trials=1, epochs=1)

    def other(hp):
        hp.Int("units", 4, 99)
        return build(keras_tuner.HyperParameters())

    with pytest.raises(ConfigError, match="units"):
        keras_tuner.RandomSearch(other, objective="val_loss", directory=tmp_path)


# ---------------------------------------------------------------------------------------------------- executions, callbacks, checkpoints


class Counting(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.begun = 0

    def on_train_begin(self, logs=None):
        assert self.begun == 0, "a callback saw two trainings"
        self.begun += 1


def test_executions_are_averaged_and_each_has_its_own_callbacks(tmp_path):
    callback = Counting()
    search = keras_tuner.RandomSearch(build, objective="val_loss", max_trials=2, executions_per_trial=3, seed=0, directory=tmp_path)
    search.search(X, Y, validation_data=(X, Y), epochs=2, callbacks=[callback])
    assert callback.begun == 0
    for trial in search.study.trials:
        assert sorted(trial.executions) == [0, 1, 2]
        best = [min(metrics["val_loss"].values()) for metrics in trial.executions.values()]
        assert trial.score == pytest.approx(np.mean(best)) and len(set(best)) == 3
    frame = search.study.history_dataframe()
    assert len(frame) == 2 * 3 * 2 * 4


def test_callbacks_that_cannot_be_copied_are_named(tmp_path):
    callback = keras.callbacks.LambdaCallback(on_epoch_end=(i for i in ()).__next__)
    search = keras_tuner.RandomSearch(build, objective="val_loss", max_trials=2, directory=tmp_path)
    with pytest.raises(FatalValueError, match="copied"):
        search.search(X, Y, validation_data=(X, Y), callbacks=[callback])


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_only_the_best_keep_their_weights_while_the_search_runs(tmp_path, keep):
    most = []

    class Watching(keras_tuner.RandomSearch):
        def pre_create_trial(self):
            most.append(len(list(tmp_path.rglob("*.h5"))))

    search = search_of(Watching, build, tmp_path, objective="val_loss", max_trials=6, keep=keep, epochs=1)
    kept = {p.parent.name for p in tmp_path.rglob("*.h5")}
    assert max(most) <= keep and kept == {f"trial_{t.trial_id}" for t in search.oracle.get_best_trials(keep)}
    if keep == 1:
        with pytest.warns(UserWarning, match="keep=3"):
            assert len(search.get_best_models(3)) == 1


def test_models_of_past_trials_are_released(tmp_path):
    models = []

    def watched(hp):
        model = build(hp)
        models.append(weakref.ref(model))
        return model

    search_of(keras_tuner.RandomSearch, watched, tmp_path, objective="val_loss", max_trials=4, epochs=1)
    gc.collect()
    assert len(models) == 5 and sum(ref() is not None for ref in models) == 0


def test_pruned_trials_stop_early_and_do_not_rank(tmp_path):
    def fn(hp):
        model = build(keras_tuner.HyperParameters())
        model.optimizer.learning_rate = hp.Choice("rate", [0.05, 0.04, 0.03, 0.02, 1e-6, 1e-7, 1e-8, 1e-9])
        return model

    search = keras_tuner.GridSearch(fn, objective="val_loss", seed=0, directory=tmp_path, pruner=keras_tuner.MedianPruner(min_trials=3))
    search.search(X, Y, validation_data=(X, Y), epochs=6)
    states = [t.state for t in search.study.trials]
    assert states[:4].count("completed") >= 3 and states[4:] == ["pruned"] * 4
    assert all(max(t.reports) < 6 for t in search.study.trials if t.state == "pruned")
    assert len(search.oracle.get_best_trials(9)) == states.count("completed")


def test_the_time_of_a_search_ends_a_running_training(tmp_path):
    search = keras_tuner.RandomSearch(build, objective="val_loss", max_trials=100, seed=0, directory=tmp_path, max_time=2)
    search.search(X, Y, validation_data=(X, Y), epochs=1_000_000)
    assert 2 <= search.study.elapsed < 12 and len(search.study.trials) == 1
    assert search.oracle.get_best_trials()[0].score < 1 and max(search.study.trials[0].reports) < 1_000_000


# ---------------------------------------------------------------------------------------------------- spaces


def test_conditional_scopes_and_plain_ifs_leave_no_inactive_parameter(tmp_path):
    def fn(hp):
        kind = hp.Choice("kind", ["plain", "deep"])
        with hp.conditional_scope("kind", ["deep"]):
            if kind == "deep":
                for i in range(hp.Int("layers", 1, 2)):
                    hp.Int(f"width_{i}", 2, 4)
        return build(keras_tuner.HyperParameters())

    search = keras_tuner.RandomSearch(fn, objective="val_loss", max_trials=8, seed=0, directory=tmp_path)
    assert {p.name for p in search.study.space} >= {"kind", "layers", "width_0"}, "known before the first trial"
    search.search(X, Y, validation_data=(X, Y), epochs=1)
    for values in (t.values for t in search.study.trials):
        deep = values["kind"] == "deep"
        assert set(values) == {"kind", *(["layers", *(f"width_{i}" for i in range(values["layers"]))] if deep else [])}


def test_given_hyperparameters_override_and_limit_the_build(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Fixed("rate", 0.01)
    search = search_of(keras_tuner.RandomSearch, build, tmp_path / "a", objective="val_loss", max_trials=3, hyperparameters=hp, epochs=1)
    assert {t.values["rate"] for t in search.study.trials} == {0.01} and len({t.values["units"] for t in search.study.trials}) == 3

    hp = keras_tuner.HyperParameters()
    hp.Int("units", 4, 16, step=4)
    search = search_of(keras_tuner.RandomSearch, build, tmp_path / "b", objective="val_loss", max_trials=9, hyperparameters=hp,
                       tune_new_entries=False, epochs=1)  # fmt: skip
    assert sorted(t.values["units"] for t in search.study.trials) == [4, 8, 12, 16] and [p.name for p in search.study.space] == ["units"]
    with pytest.raises(FatalRuntimeError, match="rate"):
        keras_tuner.RandomSearch(build, objective="val_loss", hyperparameters=hp, allow_new_entries=False, directory=tmp_path / "c")


def test_hyperparameters_that_are_only_read_count(tmp_path):
    hp = keras_tuner.HyperParameters()
    hp.Choice("units", [4, 8])

    def fn(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.get("units")), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    search = search_of(keras_tuner.RandomSearch, fn, tmp_path, objective="val_loss", max_trials=5, hyperparameters=hp, epochs=1)
    assert sorted(t.values["units"] for t in search.study.trials) == [4, 8]


# ---------------------------------------------------------------------------------------------------- run_trial and hooks


@pytest.mark.parametrize(
    "result, score",
    [(1.5, 1.5), ([1.0, 3.0], 2.0), ({"default_objective": 4.0, "other": 1.0}, 4.0), (np.float32(2.5), 2.5), (np.array(0.5), 0.5),
     ([{"default_objective": 1.0}, {"default_objective": 2.0}], 1.5)],
)  # fmt: skip
def test_run_trial_may_return_numbers_dicts_and_lists(tmp_path, result, score):
    class Own(keras_tuner.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            trial.hyperparameters.Int("n", 0, 9)
            return result

    search = Own(max_trials=2, seed=0, directory=tmp_path)
    search.search(1, 2, three=3)
    assert [t.score for t in search.oracle.get_best_trials(5)] == [score] * 2
    assert all(set(t.values) == {"n"} for t in search.study.trials)


def test_run_trial_may_return_a_history_and_name_the_objective(tmp_path):
    class Own(keras_tuner.RandomSearch):
        def run_trial(self, trial, x, y, **kwargs):
            kwargs["batch_size"] = trial.hyperparameters.Int("batch_size", 16, 64, step=16)
            return super().run_trial(trial, x, y, **kwargs)

    search = search_of(Own, build, tmp_path, objective=keras_tuner.Objective("val_accuracy", "max"), max_trials=2)
    for trial in search.study.trials:
        assert "batch_size" in trial.values and -trial.score == max(trial.metrics["val_accuracy"].values())


@pytest.mark.parametrize(
    "result, error", [("good", FatalTypeError), ({"loss": 1.0}, FatalValueError), ([], FatalTypeError), (None, FatalTypeError)]
)
def test_other_results_stop_the_search(tmp_path, result, error):
    class Own(keras_tuner.RandomSearch):
        def run_trial(self, trial):
            return result

    with pytest.raises(error):
        Own(objective="val_loss", max_trials=2, directory=tmp_path).search()


def test_hooks_come_in_order(tmp_path):
    calls = []

    def noted(name):
        def hook(self, *args, **kwargs):
            calls.append(name)
            return getattr(super(Hooked, self), name)(*args, **kwargs)

        return hook

    names = ["on_search_begin", "on_search_end", "pre_create_trial", "on_trial_begin", "on_trial_end", "on_epoch_begin", "on_epoch_end",
             "on_batch_begin", "on_batch_end"]  # fmt: skip
    Hooked = type("Hooked", (keras_tuner.RandomSearch,), {name: noted(name) for name in names})
    search = Hooked(build, objective="loss", max_trials=1, directory=tmp_path)
    search.search(X, Y, epochs=1, batch_size=32)
    one = ["on_batch_begin", "on_batch_end"]
    assert calls == ["on_search_begin", "pre_create_trial", "on_trial_begin", "on_epoch_begin", *one, *one, "on_epoch_end", "on_trial_end",
                     "pre_create_trial", "on_search_end"]  # fmt: skip


def test_failing_builds_are_recorded_and_the_search_goes_on(tmp_path):
    def fn(hp):
        n = hp.Int("n", 0, 3)
        if n == 1:
            raise FailedTrialError("one makes no sense")
        if n == 2:
            raise ValueError("two breaks")
        return build(keras_tuner.HyperParameters())

    search = keras_tuner.GridSearch(fn, objective="val_loss", seed=0, directory=tmp_path, max_retries_per_trial=1)
    with pytest.warns(UserWarning, match="two breaks"):
        search.search(X, Y, validation_data=(X, Y), epochs=1)
    found = {t.values["n"]: (t.state, t.attempt, t.message.strip().splitlines()[-1] if t.message else "") for t in search.study.trials}
    assert found == {0: ("completed", 1, ""), 1: ("failed", 1, "FailedTrialError: one makes no sense"), 2: ("failed", 2, "ValueError: "
                                                                                                                         "two breaks"),
                     3: ("completed", 1, "")}  # fmt: skip
    assert search.oracle.get_trial("0001").status == "FAILED" and len(search.get_best_hyperparameters(9)) == 2


def test_models_that_are_too_large_fail(tmp_path):
    search = keras_tuner.GridSearch(
        build, objective="val_loss", seed=0, directory=tmp_path, max_model_size=60, max_consecutive_failed_trials=99
    )
    search.search(X, Y, validation_data=(X, Y), epochs=1)
    # Dense(4 -> u), Dense(u -> 2): 5 u + 2 u + 2 parameters
    assert {(t.values["units"], t.state) for t in search.study.trials} == {
        (4, "completed"),
        (8, "completed"),
        (12, "failed"),
        (16, "failed"),
    }
    assert "86 parameters" in next(t.message for t in search.study.trials if t.values["units"] == 12)


def test_a_diverging_training_fails_aloud(tmp_path):
    search = keras_tuner.RandomSearch(build, objective="val_loss", max_trials=2, seed=0, directory=tmp_path)
    search.search(X * np.nan, Y, validation_data=(X * np.nan, Y), epochs=1)
    assert [t.state for t in search.study.trials] == ["failed"] * 2 and "nan" in search.study.trials[0].message


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda d: keras_tuner.RandomSearch(None, objective="val_loss", directory=d), ValueError),
        (lambda d: keras_tuner.RandomSearch(build, objective="my_metric", directory=d), ValueError),
        (lambda d: keras_tuner.RandomSearch(build, objective="val_loss", wrong=1, directory=d), ValueError),
        (lambda d: keras_tuner.RandomSearch(Batched, objective="val_loss", directory=d), FatalValueError),
        (lambda d: keras_tuner.RandomSearch(3, objective="val_loss", directory=d), FatalValueError),
        (lambda d: keras_tuner.Tuner(build, directory=d), FatalTypeError),
        (lambda d: keras_tuner.RandomSearch(build, objective="val_loss", executions_per_trial=0, directory=d), ValueError),
        (lambda d: keras_tuner.Hyperband(build, objective="val_loss", factor=1, directory=d), ValueError),
        (lambda d: keras_tuner.RandomSearch(lambda hp: 1, objective="val_loss", directory=d).search(X, Y), FatalTypeError),
        (lambda d: keras_tuner.oracles.RandomSearchOracle(tune_new_entries=False), ValueError),
    ],
)
def test_mistakes_are_named(tmp_path, make, error):
    with pytest.raises(error):
        make(tmp_path)


def test_the_last_metric_name_that_is_missing_is_named(tmp_path):
    search = keras_tuner.RandomSearch(build, objective="val_accuracy", max_trials=2, directory=tmp_path)
    with pytest.raises(Exception, match="val_accuracy"):
        search.search(X, Y, epochs=1)


# ---------------------------------------------------------------------------------------------------- oracles, scikit-learn, printing


def test_an_oracle_of_ones_own(tmp_path):
    class Countdown(keras_tuner.Oracle):
        def populate_space(self, trial_id):
            left = 3 - len(self.trials)
            if left == 0:
                return {"status": "STOPPED", "values": None}
            assert "n" in self.get_space().values
            return {"status": "RUNNING", "values": {"n": left}}

    class Own(keras_tuner.Tuner):
        def run_trial(self, trial):
            return (trial.hyperparameters.Int("n", 1, 9) - 2) ** 2

    hp = keras_tuner.HyperParameters()
    hp.Int("n", 1, 9)
    search = Own(Countdown(objective="loss", hyperparameters=hp), directory=tmp_path)
    search.search()
    assert [t.values["n"] for t in search.study.trials] == [3, 2, 1] and search.get_best_hyperparameters()[0].values == {"n": 2}


def test_an_oracle_by_hand():
    hp = keras_tuner.HyperParameters()
    hp.Choice("a", [1, 2, 3])
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective="score_loss" and keras_tuner.Objective("score", "max"), max_trials=9, hyperparameters=hp, seed=0
    )
    seen = []
    while (trial := oracle.create_trial("worker")).status == "RUNNING":
        seen.append(trial.hyperparameters.get("a"))
        oracle.update_trial(trial.trial_id, {"score": 1.0}, step=0)
        oracle.update_trial(trial.trial_id, {"score": 10.0 * seen[-1]}, step=1)
        trial = oracle.get_trial(trial.trial_id)
        assert trial.metrics.get_best_value("score") == 10.0 * seen[-1] and trial.metrics.get_last_value("score") == 10.0 * seen[-1]
        assert [o.step for o in trial.metrics.get_history("score")] == [0, 1] and trial.metrics.get_statistics("score")["min"] == 1.0
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert trial.status == "STOPPED" and sorted(seen) == [1, 2, 3] and oracle.remaining_trials() == 6
    best = oracle.get_best_trials()[0]
    assert (best.score, best.best_step, best.status) == (30.0, 1, "COMPLETED")
    assert json.loads(json.dumps(oracle.get_state()))["trials"][best.trial_id]["score"] == 30.0


def test_scikit_learn_estimators(tmp_path):
    from sklearn import datasets, linear_model, metrics, model_selection

    x, y = datasets.load_iris(return_X_y=True)
    search = keras_tuner.SklearnTuner(
        keras_tuner.oracles.GridSearchOracle(objective=keras_tuner.Objective("score", "max")),
        lambda hp: linear_model.RidgeClassifier(alpha=hp.Choice("alpha", [0.1, 10.0, 1000.0])),
        metrics=metrics.accuracy_score, cv=model_selection.StratifiedKFold(5), directory=tmp_path,
    )  # fmt: skip
    with pytest.raises(FatalValueError, match="search"):
        search.load_model(None)
    search.search(x, y)
    for trial in search.study.trials:
        expected = model_selection.cross_val_score(
            linear_model.RidgeClassifier(**trial.values), x, y, cv=model_selection.StratifiedKFold(5)
        ).mean()
        assert -trial.score == pytest.approx(expected) == pytest.approx(trial.metrics["accuracy_score"][1])
    best = search.get_best_models()[0]
    assert best.score(x, y) > 0.8 and not list(tmp_path.rglob("*.pickle")) + list(tmp_path.rglob("*.pkl"))


def test_summaries_print_what_was_found(tmp_path, capsys):
    search = search_of(keras_tuner.RandomSearch, build, tmp_path, objective="val_accuracy", max_trials=2, epochs=1)
    assert capsys.readouterr().out == "", "quiet where nobody watches"
    search.search_space_summary()
    search.results_summary(1)
    out = capsys.readouterr().out
    best = search.oracle.get_best_trials()[0]
    for line in ("Default search space size: 2", "units (Int)", "rate (Float)", "Results summary",
                 'Objective(name="val_accuracy", direction="max")',
                 f"Score: {best.score}", f"units: {best.hyperparameters.get('units')}"):  # fmt: skip
        assert line in out


@pytest.mark.skipif(not API.is_file(), reason="the list of names is not part of the repository")
def test_names_and_signatures_are_those_that_users_know():
    import importlib

    # Left out in the open: both need layers of core that augment images, which core does not have yet.
    missing_yet = {"HyperEfficientNet", "HyperImageAugment"}
    for module, names in json.loads(API.read_text()).items():
        home = importlib.import_module(module)
        for name, facts in names.items():
            if name in missing_yet:
                assert not hasattr(home, name), f"{name} is there now: it belongs to the tested names"
                continue
            value = getattr(home, name)
            missing = [method for method in facts.get("methods", ()) if not hasattr(value, method) and not method.endswith("_proto")]
            assert not missing, f"{module}.{name} lacks {missing}"
            if "signature" in facts and facts["kind"] == "class" and name != "HyperParameters":
                wanted = [p.split("=")[0].strip() for p in facts["signature"].strip("()").split(",") if "*" not in p]
                found = list(inspect.signature(value).parameters)
                assert found[: len(wanted)] == wanted, f"{module}.{name}{inspect.signature(value)}"
