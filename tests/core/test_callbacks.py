"""Callbacks act as Keras' do: the same runs, side by side where Keras is installed, and each rule on its own."""

import csv
import http.server
import json
import math
import os
import threading
import warnings

import numpy as np
import pytest

from core import callbacks as C
from core.callbacks import event_file
from core.callbacks.callback import BATCH_HOOKS, HOOKS
from core.callbacks.monitor import direction_of


class Number:
    """A variable's look, without a backend."""

    def __init__(self, value, path="v"):
        self.value, self.path, self.shape = np.asarray(value, "float32"), path, np.shape(value)

    def numpy(self):
        return self.value

    def assign(self, value):
        self.value = np.asarray(value, "float32").copy()


class Optimizer:
    def __init__(self):
        self.learning_rate = 0.5
        self.variables = [Number(0.0, "iteration")]


class Model:
    """What callbacks need of a model."""

    def __init__(self):
        self.optimizer, self.stop_training, self.metrics, self.saved = Optimizer(), False, [], []
        self.weight = Number(np.zeros(2))

    @property
    def weights(self):
        return [self.weight]

    def get_weights(self):
        return [self.weight.numpy().copy()]

    def set_weights(self, weights):
        self.weight.assign(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(os.path.basename(path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(os.path.basename(path))
        with open(path, "wb") as file:
            np.save(file, self.weight.value)

    def load_weights(self, path):
        self.weight.assign(np.load(path))


def fit(callbacks, losses, model=None, batches=2, start=0, name="loss"):
    """Runs the hooks as the loop does; weight = epoch number."""
    model = model or Model()
    many = C.CallbackList(callbacks, add_history=True, model=model, verbose=0, epochs=len(losses), steps=batches)
    many.on_train_begin()
    start = model.__dict__.pop("_initial_epoch", start)
    for epoch in range(start, len(losses)):
        many.on_epoch_begin(epoch)
        for batch in range(batches):
            many.on_train_batch_begin(batch)
            model.weight.assign(np.full(2, epoch + 1.0))
            model.optimizer.variables[0].assign(epoch * batches + batch + 1)
            many.on_train_batch_end(batch, {name: losses[epoch]})
            if model.stop_training:
                break
        many.on_epoch_end(epoch, {name: losses[epoch]})
        if model.stop_training:
            break
    many.on_train_end()
    return model, many.history


EARLY = [
    (dict(patience=1), [3, 2, 2, 2, 1], 3, 3),
    (dict(patience=0), [3, 4, 1], 2, 2),
    (dict(patience=2, restore_best_weights=True), [3, 1, 2, 2, 0], 4, 2),
    (dict(patience=2, min_delta=1), [3, 2.5, 2.4, 2.3], 3, 3),
    (dict(patience=1, baseline=1.0), [3, 2, 1.5], 2, 2),
    (dict(patience=1, start_from_epoch=3), [1, 2, 3, 4, 5, 6, 7], 5, 5),
    (dict(patience=1, mode="max"), [1, 2, 3, 2, 9], 4, 4),
    (dict(patience=5, restore_best_weights=True), [3, 1, 2], 3, 2),
    (dict(patience=1, restore_best_weights=True), [math.nan, math.nan, math.nan], 2, 1),
]


@pytest.mark.parametrize("options, losses, epochs, weight", EARLY)
def test_early_stopping(options, losses, epochs, weight):
    model, history = fit(C.EarlyStopping("loss", **options), losses)
    assert len(history.epoch) == epochs and model.weight.value.tolist() == [weight] * 2


def test_early_stopping_tells(capsys):
    fit(C.EarlyStopping("loss", patience=1, verbose=1, restore_best_weights=True), [1, 2, 3])
    assert capsys.readouterr().out == "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"


@pytest.mark.parametrize("make", [lambda: C.EarlyStopping("nope"), lambda: C.ReduceLROnPlateau("nope")])
def test_a_missing_metric_is_told(make):
    with pytest.warns(UserWarning, match="'nope', which is not among the metrics: .*loss"):
        fit(make(), [1, 2])


@pytest.mark.parametrize(
    "name, mode",
    [("val_loss", "min"), ("accuracy", "max"), ("val_auc", "max"), ("mae", "min"), ("mean_squared_error", "min"), ("foo", None)],
)
def test_direction(name, mode):
    assert direction_of(name, None) == mode


def test_the_metric_knows_its_direction_best():
    model = Model()
    model.metrics = [type("M", (), {"name": "foo", "_direction": "up"})]
    assert direction_of("val_foo", model) == "max"
    with pytest.raises(ValueError, match="mode='max' or mode='min'"):
        fit(C.EarlyStopping("foo"), [1, 2], name="foo")


def test_reduce_lr_on_plateau(capsys):
    callback = C.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10, cooldown=2, min_lr=1e-3, verbose=1)
    model, history = fit(callback, [1.0] * 8)
    np.testing.assert_allclose(history.history["learning_rate"], [0.5, 0.5, 0.05, 0.05, 0.005, 0.005, 0.001, 0.001], rtol=1e-6)
    assert capsys.readouterr().out.startswith("\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.05.\n")


@pytest.mark.parametrize("schedule", [lambda epoch: 0.1 / (epoch + 1), lambda epoch, rate: 0.1 / (epoch + 1)])
def test_learning_rate_scheduler(schedule):
    _, history = fit(C.LearningRateScheduler(schedule), [1, 1])
    assert history.history["learning_rate"] == [0.1, 0.05]


def test_learning_rate_scheduler_wants_a_float():
    with pytest.raises(ValueError, match="must return a float, got 'a'"):
        fit(C.LearningRateScheduler(lambda epoch: "a"), [1])


CHECKPOINTS = [
    (dict(), ["1.keras", "2.keras", "3.keras"]),
    (dict(save_best_only=True, monitor="loss"), ["1.keras", "3.keras"]),
    (dict(save_best_only=True, monitor="loss", mode="max"), ["1.keras", "2.keras"]),
    (dict(save_best_only=True, monitor="loss", initial_value_threshold=1.5), ["3.keras"]),
    (dict(save_freq=4), ["2.keras"]),
]


@pytest.mark.parametrize("options, files", CHECKPOINTS)
def test_model_checkpoint(tmp_path, options, files):
    model, _ = fit(C.ModelCheckpoint(tmp_path / "sub" / "{epoch}.keras", **options), [2, 3, 1])
    assert model.saved == files


def test_model_checkpoint_names_and_words(tmp_path, capsys):
    model, _ = fit(C.ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.2f}.weights.h5", "loss", 1, True, True), [2, 3, 1])
    assert model.saved == ["01-2.00.weights.h5", "03-1.00.weights.h5"]
    out = capsys.readouterr().out
    assert "Epoch 1: loss improved from None to 2.00000, saving model to" in out and "Epoch 2: loss did not improve from 2.00000" in out
    with pytest.raises(KeyError, match="val_loss"):
        fit(C.ModelCheckpoint(tmp_path / "{val_loss}.keras"), [1])
    (tmp_path / "d.keras").mkdir()
    with pytest.raises(IsADirectoryError):
        fit(C.ModelCheckpoint(tmp_path / "d.keras"), [1])


CONSTRUCTION_ERRORS = {
    "checkpoint ending": (lambda: C.ModelCheckpoint("a.h5x"), ".keras"),
    "weights ending": (lambda: C.ModelCheckpoint("a.h5", save_weights_only=True), ".weights.h5"),
    "checkpoint freq": (lambda: C.ModelCheckpoint("a.keras", save_freq="x"), "save_freq"),
    "factor": (lambda: C.ReduceLROnPlateau(factor=1.0), "below 1"),
    "backup dir": (lambda: C.BackupAndRestore(""), "backup_dir"),
    "backup freq": (lambda: C.BackupAndRestore("d", save_freq="e"), "save_freq"),
    "lambda hook": (lambda: C.LambdaCallback(on_epoch_ends=print), "on_epoch_ends"),
    "remote root": (lambda: C.RemoteMonitor("file:///etc"), "http"),
    "profile": (lambda: C.TensorBoard(profile_batch=2), "profiler"),
}


@pytest.mark.parametrize("name", CONSTRUCTION_ERRORS)
def test_construction_errors_teach(name):
    make, message = CONSTRUCTION_ERRORS[name]
    with pytest.raises(ValueError, match=message):
        make()


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    callback = C.CSVLogger(path)
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0, "acc": np.float32(0.5)})
    callback.on_epoch_end(1, {"loss": 2.0, "acc": 0.5, "val_loss": 3.0, "val_acc": 0.25})
    callback.on_train_end()
    rows = list(csv.reader(path.open()))
    assert rows == [["epoch", "acc", "loss", "val_acc", "val_loss"], ["0", "0.5", "1.0", "NA", "NA"], ["1", "0.5", "2.0", "0.25", "3.0"]]
    fit(C.CSVLogger(path, separator=";", append=True), [7])
    assert path.read_text().splitlines()[-1] == "0;7;NA" and len(path.read_text().splitlines()) == 4


def test_terminate_on_nan(capsys):
    model, history = fit(C.TerminateOnNaN(), [1, math.inf, 1])
    assert len(history.epoch) == 2 and model.stop_training and capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    with pytest.raises(RuntimeError, match="nan at batch 0"):
        fit(C.TerminateOnNaN(raise_error=True), [math.nan])


def test_which_callbacks_need_batches(tmp_path):
    def needs(*callbacks):
        return C.CallbackList(list(callbacks), add_history=True, add_progbar=True, model=Model()).needs_batches

    quiet = (C.EarlyStopping(), C.ReduceLROnPlateau(), C.ModelCheckpoint("a.keras"), C.CSVLogger("a"), C.BackupAndRestore("d"),
             C.TensorBoard(), C.LambdaCallback(on_epoch_end=print))  # fmt: skip
    assert not needs(*quiet)
    loud = (C.TerminateOnNaN(), C.ModelCheckpoint("a.keras", save_freq=2), C.BackupAndRestore("d", save_freq=3),
            C.TensorBoard(update_freq="batch"), C.LambdaCallback(on_train_batch_end=print))  # fmt: skip
    for callback in loud:
        assert needs(callback), callback
    for hook in BATCH_HOOKS:
        assert needs(type("Mine", (C.Callback,), {hook: lambda self, batch, logs=None: None})()), hook


def test_every_hook_reaches_every_callback():
    seen = []
    mine = C.LambdaCallback(**{hook: (lambda *args, hook=hook: seen.append((hook, args))) for hook in HOOKS})
    many = C.CallbackList([mine, mine], model=Model(), epochs=3)
    for hook in HOOKS:
        seen.clear()
        args = (1, {"a": 1}) if "batch" in hook or "epoch" in hook else ({"a": 1},)
        getattr(many, hook)(*args)
        assert seen == [(hook, args)] * 2
    assert mine.params == {"epochs": 3} and isinstance(mine.model, Model)


def test_old_batch_hooks_are_called():
    seen = []
    mine = type("Mine", (C.Callback,), {"on_batch_end": lambda self, batch, logs=None: seen.append(batch)})()
    fit(mine, [1])
    assert seen == [0, 1]


def test_callback_list_refuses_what_is_none():
    for wrong in (3, [print], [C.EarlyStopping]):
        with pytest.raises(TypeError, match="Callback objects"):
            C.CallbackList(wrong)


class Boom(C.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise InterruptedError


@pytest.mark.parametrize("double", [False, True])
def test_backup_goes_on_where_it_stopped(tmp_path, double):
    folder = tmp_path / "backup"
    with pytest.raises(InterruptedError):
        fit([C.BackupAndRestore(folder, double_checkpoint=double), Boom(2)], [1.0] * 5)
    assert len(list(folder.iterdir())) == (5 if double else 3)
    if double:  # the newest is damaged: the one before is used
        (folder / "backup-000002.state.npz").write_bytes(b"no")
    model = Model()
    seen = []

    def look(logs):
        seen.append((model.weight.value[0], float(model.optimizer.variables[0].value)))

    _, history = fit([C.BackupAndRestore(folder), C.LambdaCallback(on_train_begin=look)], [1.0] * 5, model)
    done = 2 if double else 3
    assert seen == [(done, done * 2)] and history.epoch == list(range(done, 5))
    assert not folder.exists()


def test_a_damaged_backup_is_told(tmp_path):
    from core.base.errors import CorruptArtifactError

    for content in (
        "{",
        "[]",
        json.dumps({"backups": [{"number": "../x", "epoch": 0, "batch": 0}]}),
        json.dumps({"backups": [{"number": 7, "epoch": 0, "batch": 0}]}),
    ):
        (tmp_path / "training_metadata.json").write_text(content)
        with pytest.raises(CorruptArtifactError, match="Remove the directory"):
            fit(C.BackupAndRestore(tmp_path), [1.0])


def test_remote_monitor():
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    fit([C.RemoteMonitor(root, send_as_json=True), C.RemoteMonitor(root, field="f")], [0.5])
    server.shutdown()
    server.server_close()
    assert got[0][0] == "/publish/epoch/end/" and json.loads(got[0][2]) == {"epoch": 0, "loss": 0.5}
    assert got[1][2].startswith(b"f=%7B")
    with pytest.warns(UserWarning, match="could not reach"):
        fit(C.RemoteMonitor(root), [0.5])


def test_swap_ema_weights():
    class Averaging(Optimizer):
        use_ema, built = True, True

        def __init__(self, model):
            super().__init__()
            self.iterations, self._trainable_variables = Number(1), [model.weight]

        def finalize_variable_values(self, variables):
            variables[0].assign(np.full(2, -1.0))

    for on_epoch, seen_by_others in ((False, 1.0), (True, -1.0)):
        model = Model()
        model.optimizer = Averaging(model)
        model.weight.assign(np.ones(2))
        many = C.CallbackList([C.SwapEMAWeights(on_epoch)], model=model)
        many.on_train_begin()
        many.on_epoch_begin(0)
        many.on_test_begin()
        assert model.weight.value[0] == -1
        many.on_test_end()
        many.on_epoch_end(0)
        assert model.weight.value[0] == seen_by_others
        many.on_epoch_begin(1)
        assert model.weight.value[0] == 1
    with pytest.raises(ValueError, match="use_ema=True"):
        C.CallbackList([C.SwapEMAWeights()], model=Model()).on_test_begin()


def test_event_files_are_read_by_tensorflow(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = Model()
    model.weight.assign([1.0, 5.0])
    fit(C.TensorBoard(tmp_path, histogram_freq=1, write_images=True, write_steps_per_second=True, update_freq=1), [0.5, 0.25], model)
    [path] = (tmp_path / "train").iterdir()
    found = {}
    for event in tf.compat.v1.train.summary_iterator(str(path)):  # checks both checksums of each record
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value))
    assert [(step, v.simple_value) for step, v in found["epoch_loss"]] == [(0, 0.5), (1, 0.25)]
    assert [step for step, _ in found["batch_loss"]] == [1, 2, 3, 4] and "epoch_steps_per_second" in found
    histogram = found["v/histogram"][0][1].histo
    assert histogram.num == 2 and sum(histogram.bucket) == 2 and histogram.min == histogram.max == 1.0
    pixels = tf.io.decode_png(found["v/image"][0][1].image.encoded_image_string)
    assert tuple(pixels.shape) == (1, 2, 1)
    assert event_file.masked_crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_unknown_mode_warns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert C.EarlyStopping(mode="x").mode == "auto"
    assert "'auto' is taken" in str(caught[0].message)


@pytest.mark.parametrize("name", sorted(C.__all__))
def test_facade(name):
    assert getattr(C, name).__name__ == name and getattr(C, name).__doc__
