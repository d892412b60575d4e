"""What users do with a task: fit, predict, evaluate, look, save, load, export; on tables, texts and images."""

import json
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pandas
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import auto
import core
from auto.search.clock import Clock
from auto.search.ensemble import select
from auto.search.folds import make_folds
from auto.search.metrics import METRICS

ROOT = pathlib.Path(__file__).resolve().parents[2]
X, Y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def on_torch():
    """Nothing is compiled there; the other backends have tests that name them."""
    with core.backend.use("torch"):
        yield


def mixed_table(n=120, seed=0):
    """Every kind of column, with holes; the target follows three of them."""
    rng = np.random.default_rng(seed)
    age, colour = rng.normal(40, 10, n), rng.choice(["red", "green", "blue"], n)
    day = pandas.Timestamp("2020-01-01") + pandas.to_timedelta(rng.integers(0, 700, n), unit="D")
    words = np.array(["fine", "poor", "nice", "bad", "so", "very", "rather"])
    texts = [" ".join(rng.choice(words, 5)) + f" {i}" for i in range(n)]
    y = np.where(age / 10 + 3 * (colour == "red") + (day.year == 2021) > 5.5, "yes", "no")
    table = pandas.DataFrame(
        {"age": age, "colour": colour, "member": rng.random(n) > 0.5, "day": day.astype(str), "remark": texts,
         "key": [f"id{i:04d}" for i in range(n)], "same": ["x"] * n}
    )  # fmt: skip
    table.loc[::7, "age"] = np.nan
    table.loc[::11, "colour"] = None
    return table, y


def fitted(trials=2, epochs=8):
    return auto.StructuredDataClassifier(max_trials=trials, seed=0, preset="fast").fit(X, Y, epochs=epochs, verbose=0)


def test_columns_are_typed_and_unseen_values_are_fine():
    table, y = mixed_table()
    model = auto.StructuredDataClassifier(max_trials=2, seed=0).fit(table, y, verbose=0)
    kinds = ["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
    assert model.encoder.kinds() == dict(zip(table.columns, kinds))
    assert model.evaluate(*mixed_table(200, seed=1))[1] > 0.85
    strange = table.head(3).assign(colour=["mauve", None, "red"], age=[np.nan, np.inf, 1], day=["2031-05-01", None, "soon"])
    strange = strange[table.columns[::-1]]
    assert np.isfinite(model.predict_proba(strange)).all() and model.predict_proba(strange).shape == (3, 2)


def test_csv_file_and_name_of_the_target(tmp_path):
    table, y = mixed_table()
    table.assign(bought=y).to_csv(tmp_path / "train.csv", index=False)
    model = auto.StructuredDataClassifier(max_trials=1, seed=0).fit(tmp_path / "train.csv", "bought", verbose=0)
    loss, accuracy = model.evaluate(str(tmp_path / "train.csv"), "bought")
    assert accuracy > 0.85 and model.evaluate(table.assign(bought=y), "bought", return_dict=True)["accuracy"] == accuracy


LABELS = {
    "strings": (np.array(["a", "b", "c"])[Y], (150,)),
    "booleans": (Y == 0, (150,)),
    "floats": (Y + 0.5, (150,)),
    "column": (Y[:, None], (150, 1)),
    "one-hot": (np.eye(3)[Y], (150, 3)),
    "series": (pandas.Series(Y, name="kind"), (150,)),
}


@pytest.mark.parametrize("name", LABELS)
def test_predictions_come_in_the_form_of_the_labels(name):
    y, shape = LABELS[name]
    prediction = auto.StructuredDataClassifier(max_trials=1, seed=0).fit(X, y, verbose=0).predict(X)
    assert prediction.shape == shape and (prediction == np.asarray(y)).mean() > 0.9


def test_multi_label_and_several_values():
    labels = np.stack([Y > 0, Y > 1], axis=1).astype(int)
    model = auto.StructuredDataClassifier(max_trials=2, multi_label=True, seed=0).fit(X, labels, verbose=0)
    assert (model.predict(X) == labels).mean() > 0.9
    values = np.stack([X[:, 0] * 2, X[:, 1] - 5], axis=1)
    model = auto.StructuredDataRegressor(max_trials=2, seed=0).fit(X, values, verbose=0)
    assert np.abs(model.predict(X) - values).mean() < 0.2


ERRORS = {
    "empty": (lambda m: m.fit(np.zeros((0, 3)), []), "no rows"),
    "one class": (lambda m: m.fit(X, np.zeros(150)), "one class only"),
    "NaN in y": (lambda m: m.fit(X, np.where(Y == 1, np.nan, Y)), "missing"),
    "lengths": (lambda m: m.fit(X, Y[:100]), "150 rows, y has 100"),
    "no target": (lambda m: m.fit(X), "needs the targets"),
    "no such column": (lambda m: m.fit(pandas.DataFrame(X), "species"), "no column 'species'"),
    "no file": (lambda m: m.fit("nowhere.csv", "y"), "nowhere.csv"),
    "flat x": (lambda m: m.fit(X[:, 0], Y), "shape"),
    "unfitted": (lambda m: m.predict(X), "not been fitted"),
    "weights": (lambda m: m.fit(X, Y, sample_weight=-np.ones(150)), "not negative"),
    "class weight": (lambda m: m.fit(X, Y, class_weight={7: 2.0}), "class_weight names"),
    "validation": (lambda m: m.fit(X, Y, validation_split=2.0), "validation_split"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_to_do(name):
    run, words = ERRORS[name]
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=words):
        run(auto.StructuredDataClassifier(max_trials=1, seed=0))


def test_errors_of_options_and_of_predict():
    for options, words in (({"preset": "wild"}, "preset"), ({"time_limit": -1}, "time_limit"), ({"max_trials": 0}, "max_trials")):
        with pytest.raises(ValueError, match=words):
            auto.StructuredDataClassifier(**options)
    with pytest.raises(ValueError, match="rmse"):
        auto.StructuredDataRegressor(metric="accuracy", max_trials=1).fit(X, X[:, 0], verbose=0)
    with pytest.raises(TypeError, match="classifier"):
        auto.StructuredDataRegressor(max_trials=1).fit(X, ["a", "b", "c"] * 50, verbose=0)
    model = auto.StructuredDataClassifier(max_trials=1, seed=0).fit(pandas.DataFrame(X, columns=list("abcd")), Y, verbose=0)
    with pytest.raises(ValueError, match=r"lacks the column\(s\) \['b'\]"):
        model.predict(pandas.DataFrame(X, columns=list("axcd")))
    with pytest.raises(ValueError, match="4"):
        model.predict(X[:, :3])


def test_a_budget_of_one_second_gives_a_model():
    x, y = load_breast_cancer(return_X_y=True)
    auto.StructuredDataClassifier(max_trials=1, seed=0).fit(x, y, verbose=0)  # imports are not counted
    model = auto.StructuredDataClassifier(time_limit=1, seed=0).fit(x, y, verbose=0)
    assert model.evaluate(x, y)[1] > 0.9
    assert all(candidate.status != "failed" for candidate in model.candidates)


def test_the_constant_model_is_there_when_nothing_else_is():
    with pytest.warns(UserWarning, match="constant"):
        model = auto.ImageClassifier(time_limit=0.01, max_trials=1, seed=0, preset="fast")
        model.fit(np.random.default_rng(0).random((40, 40, 40)), [0, 0, 1, 0] * 10, verbose=0)
    np.testing.assert_allclose(model.predict_proba(np.zeros((2, 40, 40))), [[0.75, 0.25]] * 2, rtol=1e-5)


def test_leaderboard_importance_and_report(tmp_path):
    model = fitted(3)
    board = model.leaderboard()
    assert list(board.columns) == ["model", "score", "fit_time", "predict_time", "size", "weight", "status", "message"]
    assert set(board.model) == {"constant", "linear", "extra trees", "neighbours"} and abs(board.weight.sum() - 1) < 1e-9
    assert board.score.is_monotonic_increasing  # log loss
    importance = model.importance(X, Y, repeats=2)
    assert set(importance.index[:2]) == {"column_2", "column_3"}
    model.target = model.target.__class__(**{**model.target.__dict__, "name": "<script>alert(1)</script>"})
    model.report(tmp_path / "report.html", X, Y)
    page = (tmp_path / "report.html").read_text()
    assert "extra trees" in page and "column_3" in page and "<script>alert" not in page and "http" not in page


@pytest.mark.parametrize("kind", ["table", "mixed", "text", "image"])
def test_a_saved_task_predicts_the_same_in_a_fresh_process(kind, tmp_path):
    texts = ["a good film", "good, so good", "a bad film", "bad, so bad"] * 8
    table, y = mixed_table()
    options = {"max_trials": 2, "seed": 0, "preset": "fast"}
    model, x = {
        "table": lambda: (fitted(4), X),
        "mixed": lambda: (auto.StructuredDataClassifier(max_trials=2, seed=0).fit(table, y, verbose=0), table),
        "text": lambda: (auto.TextClassifier(**options).fit(texts, ["+", "+", "-", "-"] * 8, epochs=2, verbose=0), np.array(texts)),
        "image": lambda: (auto.ImageClassifier(**options).fit(X.reshape(-1, 2, 2), Y, epochs=1, verbose=0), X.reshape(-1, 2, 2)),
    }[kind]()
    model.save(tmp_path / "model.auto")
    (x.to_pickle if kind == "mixed" else lambda p: np.save(p, x))(tmp_path / "x.npy")
    read = "pandas.read_pickle" if kind == "mixed" else "numpy.load"
    code = (
        f"import auto, numpy, pandas; model = auto.load({str(tmp_path / 'model.auto')!r}); x = {read}({str(tmp_path / 'x.npy')!r});"
        f"numpy.save({str(tmp_path / 'y.npy')!r}, model.predict_proba(x)); print(model.leaderboard().shape)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CORE_BACKEND": core.backend.backend()}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=300)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model.predict_proba(x), rtol=1e-6, atol=1e-7)
    with zipfile.ZipFile(tmp_path / "model.auto") as file:
        assert {pathlib.Path(name).suffix for name in file.namelist()} <= {".json", ".safetensors", ".keras"}


def _rewritten(path, target, change):
    """A copy of a saved file with one member changed, its manifest made to fit."""
    import hashlib

    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist() if name != "manifest.json"}
    change(members)
    manifest = {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()}
    with zipfile.ZipFile(target, "w") as file:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            file.writestr(name, data)


def _edit(key, value):
    def change(members):
        content = json.loads(members["task.json"])
        content[key] = value
        members["task.json"] = json.dumps(content).encode()

    return change


FORGERIES = {
    "other task": (_edit("task", "os.system"), "asks for the task"),
    "other stage": (_edit("views", {"dense": {"kind": "eval", "config": {}, "arrays": [], "width": 1}}), "no stage"),
    "no members": (_edit("members", None), "does not fit together"),
    "arrays": (lambda members: members.update({"arrays.safetensors": b"\x80\x04rubbish"}), "damaged"),
    "no json": (lambda members: members.update({"task.json": b"{"}), "does not fit together"),
}


def test_damaged_and_forged_files_are_refused(tmp_path):
    path, forged = tmp_path / "model.auto", tmp_path / "forged.auto"
    fitted(1).save(path)
    for name, (change, words) in FORGERIES.items():
        _rewritten(path, forged, change)
        with pytest.raises(ValueError, match=words):
            auto.load(forged)
        assert name
    data = path.read_bytes()
    for broken in (data[: len(data) // 2], b"", data.replace(b"task.json", b"tusk.json"), data[:60] + b"\x00" * 40 + data[100:]):
        forged.write_bytes(broken)
        with pytest.raises(core.saving.CorruptArtifactError):
            auto.load(forged)
    with pytest.raises(core.saving.ResourceLimitError, match="max_bytes"):
        auto.load(path, max_bytes=1000)


def test_the_same_seed_gives_the_same_model():
    before = np.random.get_state()[1].copy()
    first, second = fitted(4).predict_proba(X), fitted(4).predict_proba(X)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_weights_of_rows_and_classes_count():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] + rng.normal(size=400) > 2.2).astype(int)
    plain = auto.StructuredDataClassifier(max_trials=1, seed=0).fit(x, y, verbose=0)
    balanced = auto.StructuredDataClassifier(max_trials=1, seed=0).fit(x, y, class_weight="balanced", verbose=0)
    score = METRICS["balanced_accuracy"]
    truth = np.eye(2)[y]
    assert score(truth, balanced.predict_proba(x)) > score(truth, plain.predict_proba(x)) + 0.1
    doubled = auto.StructuredDataRegressor(max_trials=1, seed=0).fit(X, X[:, 0], sample_weight=(Y == 0) + 1e-6, verbose=0)
    assert doubled.score < 1.0


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_network_learns_where_steps_are_compiled(backend):
    with core.backend.use(backend):
        board = auto.StructuredDataClassifier(max_trials=5, seed=0, preset="fast").fit(X, Y, epochs=4, verbose=0).leaderboard()
    board = board.set_index("model")
    assert board.status["perceptron"] == "ok" and board.score["perceptron"] < 0.95 < board.score["constant"]


SLOW = pytest.mark.slow  # a convolutional network is compiled several times


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=SLOW), pytest.param("tensorflow", marks=SLOW)])
def test_the_form_of_autokeras(backend, tmp_path):
    """ImageClassifier(max_trials=1, overwrite=True); fit, predict, evaluate, export_model, load_model."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (90, 8, 8)).astype("uint8")
    x[:45, :4] //= 4
    y = np.array([0] * 45 + [1] * 45)
    with core.backend.use(backend):
        clf = auto.ImageClassifier(max_trials=1, overwrite=True, directory=tmp_path, seed=0)
        clf.fit(x, y, epochs=4, verbose=0)
        assert clf.candidates[1].name == "convnet" and clf.candidates[1].status == "ok"
        assert clf.predict(x).shape == (90,)
        loss, accuracy = clf.evaluate(x, y)
        model = clf.export_model()
        assert isinstance(model, core.Model)
        model.save(tmp_path / "exported.keras")
        loaded = core.saving.load_model(tmp_path / "exported.keras", custom_objects=auto.CUSTOM_OBJECTS)
        np.testing.assert_allclose(loaded.predict(x.astype("float32"), verbose=0), clf.predict_proba(x), atol=2e-5)
        again = auto.load(tmp_path / "image_classifier.auto")
        np.testing.assert_allclose(again.predict_proba(x), clf.predict_proba(x), atol=1e-6)


class Epochs(core.callbacks.Callback):
    seen = []  # of the class: what its copies see, too

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(sorted(logs))


def test_networks_train_with_copies_of_the_callbacks():
    Epochs.seen.clear()
    early = core.callbacks.EarlyStopping(monitor="val_loss", min_delta=1e9, patience=1)
    model = auto.ImageClassifier(max_trials=1, seed=0, preset="fast")
    model.fit(X.reshape(-1, 2, 2), Y, epochs=5, callbacks=[Epochs(), early], verbose=0)
    assert Epochs.seen == [["loss", "val_accuracy", "val_loss"]] * 2 and early.stopped_epoch == 0
    with pytest.raises(TypeError, match="callbacks takes"):
        model.fit(X.reshape(-1, 2, 2), Y, callbacks=["early"])


def test_auto_model_is_the_task_of_its_nodes():
    model = auto.AutoModel(inputs=auto.TextInput(), outputs=auto.ClassificationHead(), max_trials=1, seed=0)
    model.fit(np.array(["good", "bad"] * 10), np.array([1, 0] * 10), verbose=0)
    assert model.predict(np.array(["good", "bad"])).tolist() == [1, 0] and len(model.leaderboard()) == 2
    with pytest.raises(ValueError, match="one input"):
        auto.AutoModel(inputs=[auto.TextInput(), auto.ImageInput()], outputs=auto.RegressionHead())


def test_the_search_goes_on_after_the_portfolio():
    x, y = load_diabetes(return_X_y=True)
    from auto.portfolio.linear import LINEAR
    from auto.search.propose import proposals
    from auto.search.run import Candidate

    candidates = [Candidate("linear", "linear", {"strength": 1.0}, loss=1.0, score=1.0, fit_time=0.1)]
    tried = []
    for recipe, settings in proposals([LINEAR], candidates, Clock(None), seed=0):
        assert recipe is LINEAR and 1e-3 <= settings["strength"] <= 1e3
        tried.append(settings["strength"])
        candidates.append(Candidate("linear", "linear", settings, loss=abs(np.log(settings["strength"] / 30)), fit_time=0.1))
        if len(tried) == 25:
            break
    assert len(set(tried)) == 25 and min(candidate.loss for candidate in candidates) < 0.5


def test_greedy_selection_weighs_what_helps():
    y = np.linspace(0, 1, 50)[:, None]
    weights = select([y + 0.3, y - 0.1, y + 5], y, METRICS["rmse"])
    assert weights.sum() == 1 and weights[2] == 0 and abs(0.3 * weights[0] - 0.1 * weights[1]) < 0.01


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_folds_cover_every_row_once_and_are_stratified(kind):
    target = np.eye(3)[np.repeat([0, 1, 2], [50, 20, 5])] if kind == "classes" else np.arange(75.0)[:, None]
    folds = make_folds(target, kind, 5, 0.2, seed=0)
    assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(75))
    for train, valid in folds:
        assert not set(train) & set(valid) and len(valid) == 15
        assert target[valid].sum(axis=0).tolist() == [10, 4, 1] if kind == "classes" else abs(target[valid].mean() - 37) < 8


def test_import_is_quick_and_loads_no_framework():
    code = "import sys, auto; dir(auto); print([m for m in ('jax', 'torch', 'tensorflow', 'sklearn', 'pandas') if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
