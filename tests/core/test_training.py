"""`compile`, `fit`, `evaluate`, `predict` and the calls on single batches: against Keras' numbers, and what users may override."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

BACKENDS = ("torch", "jax", "tensorflow")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
LABELS = RNG.integers(0, 3, 40).astype("int32")
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
TARGET = (X @ RNG.normal(size=(4, 1))).astype("float32")
WEIGHTS = RNG.uniform(0.2, 2.0, 40).astype("float32")
SPARSE = "sparse_categorical_crossentropy"


# -------------------------------------------------------------------------------------------- the same runs here and in Keras


def one(keras, regularizer=None, **kwargs):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((4,)),
        layers.Dense(6, "tanh", kernel_regularizer=regularizer, **kwargs),
        layers.Dense(3, "softmax", name="out", bias_regularizer=regularizer),
    ])  # fmt: skip


def two(keras, as_dict=False):
    i = keras.Input((4,), name="x")
    h = keras.layers.Dense(6, "tanh")(i)
    a, b = keras.layers.Dense(3, "softmax", name="a")(h), keras.layers.Dense(1, name="b")(h)
    return keras.Model(i, {"a": a, "b": b} if as_dict else [a, b])


def subclass(keras, as_dict=False):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = keras.layers.Dense(3, "softmax"), keras.layers.Dense(1)

        def call(self, x):
            return {"a": self.a(x), "b": self.b(x)} if as_dict else (self.a(x), self.b(x))

    model = Two()
    model(X[:2])
    return model


def with_inputs(keras):
    p, q = keras.Input((2,), name="p"), keras.Input((2,), name="q")
    return keras.Model({"p": p, "q": q}, keras.layers.Dense(1)(keras.layers.Concatenate()([p, q])))


def with_batch_norm(keras):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.layers.BatchNormalization(), keras.layers.Dense(1)])


def mean_distance(y_true, y_pred):
    difference = y_true - y_pred
    return (difference * difference) ** 0.75


BOTH = {"a": LABELS, "b": TARGET}
RUNS = {
    "plain": lambda k: (one(k), {"loss": SPARSE, "metrics": ["accuracy"]}, {"x": X, "y": LABELS}),
    "sample weights": lambda k: (
        one(k),
        {"loss": SPARSE, "metrics": ["accuracy"], "weighted_metrics": ["accuracy", SPARSE]},
        {"x": X, "y": LABELS, "sample_weight": WEIGHTS},
    ),
    "class weights": lambda k: (
        one(k),
        {"loss": SPARSE, "weighted_metrics": ["accuracy"]},
        {"x": X, "y": LABELS, "class_weight": {0: 1.0, 1: 0.3, 2: 2.0}},
    ),
    "class weights, one hot": lambda k: (
        one(k),
        {"loss": "categorical_crossentropy", "metrics": ["accuracy"]},
        {"x": X, "y": ONE_HOT, "class_weight": {0: 1.0, 1: 0.3, 2: 2.0}},
    ),
    "validation split": lambda k: (
        one(k),
        {"loss": SPARSE, "metrics": ["acc"]},
        {"x": X, "y": LABELS, "sample_weight": WEIGHTS, "validation_split": 0.3},
    ),
    "validation data": lambda k: (
        one(k),
        {"loss": SPARSE, "weighted_metrics": ["acc"]},
        {"x": X, "y": LABELS, "validation_data": (X[:9], LABELS[:9], WEIGHTS[:9]), "validation_freq": 2},
    ),
    "regularizers": lambda k: (one(k, k.regularizers.L1L2(0.01, 0.02), activity_regularizer="l2"), {"loss": SPARSE}, {"x": X, "y": LABELS}),
    "constraint, adam, clipping": lambda k: (
        one(k, kernel_constraint=k.constraints.MaxNorm(0.7)),
        {"loss": SPARSE, "optimizer": k.optimizers.Adam(0.05, clipnorm=0.1)},
        {"x": X, "y": LABELS},
    ),
    "averages": lambda k: (
        one(k),
        {"loss": SPARSE, "optimizer": k.optimizers.SGD(0.3, use_ema=True, ema_overwrite_frequency=2)},
        {"x": X, "y": LABELS},
    ),
    "accumulated gradients": lambda k: (
        one(k),
        {"loss": SPARSE, "optimizer": k.optimizers.SGD(0.3, gradient_accumulation_steps=2)},
        {"x": X, "y": LABELS},
    ),
    "schedule": lambda k: (
        one(k),
        {"loss": SPARSE, "optimizer": k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.3, 5, 0.5), momentum=0.9)},
        {"x": X, "y": LABELS},
    ),
    "metric objects": lambda k: (
        one(k),
        {
            "loss": k.losses.SparseCategoricalCrossentropy(name="own"),
            "metrics": [k.metrics.SparseCategoricalAccuracy(name="s"), k.losses.SparseCategoricalCrossentropy(), "accuracy", "accuracy"],
            "weighted_metrics": [k.metrics.SparseCategoricalAccuracy(name="s")],
        },
        {"x": X, "y": LABELS},
    ),
    "outputs as lists": lambda k: (
        two(k),
        {
            "loss": [SPARSE, "mse"],
            "loss_weights": [1.0, 0.5],
            "metrics": [["accuracy"], ["mae", "mse"]],
            "weighted_metrics": [["accuracy"], None],
        },
        {"x": X, "y": [LABELS, TARGET], "validation_split": 0.25},
    ),
    "outputs by name": lambda k: (
        two(k),
        {"loss": {"a": SPARSE, "b": "mae"}, "loss_weights": {"b": 2.0, "a": 1.0}, "metrics": {"b": "mse"}},
        {"x": X, "y": BOTH},
    ),
    "outputs in a dict": lambda k: (
        two(k, True),
        {"loss": {"a": SPARSE, "b": "mae"}, "metrics": {"a": ["accuracy"], "b": ["mae"]}},
        {"x": X, "y": BOTH},
    ),
    "one loss for two": lambda k: (two(k), {"loss": "mse", "metrics": ["mae", "mse"]}, {"x": X, "y": [ONE_HOT, TARGET]}),
    "a loss for one of two": lambda k: (two(k), {"loss": [SPARSE, None], "metrics": {"b": "mse"}}, {"x": X, "y": [LABELS, TARGET]}),
    "subclass, tuple": lambda k: (
        subclass(k),
        {"loss": [SPARSE, "mse"], "metrics": [["accuracy"], ["mae"]]},
        {"x": X, "y": (LABELS, TARGET)},
    ),
    "subclass, dict": lambda k: (
        subclass(k, True),
        {"loss": {"a": SPARSE, "b": "mse"}, "metrics": {"a": ["accuracy"], "b": ["mae"]}},
        {"x": X, "y": BOTH},
    ),
    "inputs by name": lambda k: (
        with_inputs(k),
        {"loss": "mse", "loss_weights": [2.0]},
        {"x": {"p": X[:, :2], "q": X[:, 2:]}, "y": TARGET},
    ),
    "own function": lambda k: (
        with_inputs(k),
        {"loss": mean_distance, "metrics": [mean_distance]},
        {"x": {"q": X[:, :2], "p": X[:, 2:]}, "y": TARGET, "sample_weight": WEIGHTS},
    ),
    "batch normalization": lambda k: (
        with_batch_norm(k),
        {"loss": "huber", "metrics": ["mae"]},
        {"x": X, "y": TARGET, "validation_split": 0.2},
    ),
}


def run(keras, name):
    """History of three epochs, results and outputs of one of `RUNS`."""
    model, compiled, data = RUNS[name](keras)
    draw = np.random.default_rng(7)
    model.set_weights(
        [draw.normal(size=w.shape, scale=0.5).astype("float32") if "variance" not in w.name else np.ones(w.shape) for w in model.weights]
    )
    model.compile(**{"optimizer": keras.optimizers.SGD(0.1), **compiled})
    history = model.fit(**data, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    results = model.evaluate(data["x"], data["y"], batch_size=16, sample_weight=data.get("sample_weight"), return_dict=True, verbose=0)
    leaves = model.predict(data["x"], batch_size=16, verbose=0)
    leaves = [leaves[k] for k in sorted(leaves)] if isinstance(leaves, dict) else leaves if isinstance(leaves, (list, tuple)) else [leaves]
    return {
        "history": {k: [float(v) for v in values] for k, values in history.items()},
        "results": {k: float(v) for k, v in results.items()},
        "outputs": [np.asarray(leaf).tolist() for leaf in leaves],
    }


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    file = tmp_path_factory.mktemp("peer") / "runs.json"
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, __file__, str(file)], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(file.read_text())


if __name__ == "__main__":
    import keras

    pathlib.Path(sys.argv[1]).write_text(json.dumps({name: run(keras, name) for name in RUNS}))
    sys.exit()

import core  # noqa: E402 - the peer's process does without
from core.backend import use  # noqa: E402

COMPILED_TOO = ("sample weights", "regularizers", "outputs as lists", "subclass, dict", "batch normalization", "accumulated gradients")


@pytest.mark.parametrize(("backend", "name"), [("torch", n) for n in RUNS] + [(b, n) for b in ("jax", "tensorflow") for n in COMPILED_TOO])
def test_a_run_gives_keras_numbers(backend, name, theirs):
    with use(backend):
        ours = run(core, name)
    expected = theirs[name]
    assert list(ours["history"]) == list(expected["history"]), "names or order of the history"
    assert list(ours["results"]) == list(expected["results"])
    for part in ("history", "results"):
        for key, value in expected[part].items():
            np.testing.assert_allclose(ours[part][key], value, rtol=1e-4, atol=1e-5, err_msg=f"{part} {key}")
    for one_of_ours, one_of_theirs in zip(ours["outputs"], expected["outputs"], strict=True):
        np.testing.assert_allclose(one_of_ours, one_of_theirs, rtol=1e-3, atol=1e-4)


# -------------------------------------------------------------------------------------------- the loop


def compiled(model=None, **arguments):
    model = one(core) if model is None else model
    model.compile(**{"optimizer": "sgd", "loss": SPARSE, "metrics": ["accuracy"], **arguments})
    return model


class Record(core.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _recorder(name):
    return lambda self, *args, **kwargs: self.calls.append((name, *args, *kwargs.values()))


for hook in [name for name in dir(core.callbacks.Callback) if name.startswith("on_") and name not in ("on_batch_begin", "on_batch_end")]:
    setattr(Record, hook, _recorder(hook))


@pytest.mark.parametrize("backend", BACKENDS)
def test_callbacks_are_called_in_order_with_logs(backend):
    with use(backend):
        record, model = Record(), compiled()
        model.fit(X[:20], LABELS[:20], batch_size=10, epochs=1, validation_data=(X[20:], LABELS[20:]), verbose=0, callbacks=[record])
    names = [call[0] for call in record.calls]
    steps = ["on_train_batch_begin", "on_train_batch_end"] * 2
    tests = ["on_test_begin", *["on_test_batch_begin", "on_test_batch_end"] * 2, "on_test_end"]
    assert names == ["on_train_begin", "on_epoch_begin", *steps, *tests, "on_epoch_end", "on_train_end"]
    by_name = {call[0]: call[1:] for call in record.calls}
    assert set(by_name["on_train_batch_end"][1]) == {"accuracy", "loss"}
    assert list(by_name["on_epoch_end"][1]) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(isinstance(v, float) for v in by_name["on_epoch_end"][1].values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_stop_epochs_steps_and_generators(backend):
    def forever():
        while True:
            yield X[:8], LABELS[:8]

    with use(backend):
        model = compiled()
        history = model.fit(forever(), steps_per_epoch=3, epochs=4, initial_epoch=2, verbose=0)
        assert history.epoch == [2, 3]
        assert int(model.optimizer.iterations.numpy()) == 6
        stop = core.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: setattr(model, "stop_training", step == 1))
        history = model.fit(X, LABELS, batch_size=8, epochs=5, verbose=0, callbacks=[stop])
        assert history.epoch == [0]
        assert int(model.optimizer.iterations.numpy()) == 8
        assert model.fit(X, LABELS, epochs=0, verbose=0).history == {}
        assert len(model.evaluate(forever(), steps=2, verbose=0)) == 2
        assert model.predict(X, steps=1, batch_size=7, verbose=0).shape == (7, 3)
        history = model.fit(X, LABELS, epochs=5, validation_split=0.2, validation_freq=[2, 5], verbose=0).history
        assert len(history["val_loss"]) == 2
        assert len(history["loss"]) == 5


@pytest.mark.parametrize("backend", BACKENDS)
def test_forms_of_results_and_single_batches(backend):
    with use(backend):
        alone, model = compiled(metrics=None), compiled()
        assert isinstance(alone.evaluate(X, LABELS, verbose=0), float)
        values = model.evaluate(X, LABELS, verbose=0)
        assert model.metrics_names == ["loss", "accuracy"]
        by_name = model.evaluate(X, LABELS, verbose=0, return_dict=True)
        assert values == [by_name["loss"], by_name["accuracy"]]
        first = model.test_on_batch(X[:8], LABELS[:8], return_dict=True)
        assert first == model.test_on_batch(X[:8], LABELS[:8], return_dict=True), "each batch by itself"
        assert model.train_on_batch(X[:8], LABELS[:8], return_dict=True)["loss"] == pytest.approx(first["loss"], rel=1e-5)
        assert len(model.train_on_batch(X[:8], LABELS[:8], class_weight={0: 1.0, 1: 2.0, 2: 3.0})) == 2
        np.testing.assert_allclose(model.predict_on_batch(X), model.predict(X, batch_size=16, verbose=0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ways_to_run_the_step_agree(backend):
    histories = []
    with use(backend):
        ways = [{}, {"run_eagerly": True}, {"jit_compile": False}, {"steps_per_execution": 3}]
        for arguments in [*ways, {"jit_compile": True}] if backend != "torch" else ways:
            core.utils.set_random_seed(2)
            model = compiled(optimizer="adam", **arguments)
            assert model.run_eagerly is arguments.get("run_eagerly", False)
            histories.append(model.fit(X, LABELS, batch_size=7, epochs=3, verbose=0).history)
            if not arguments and backend != "torch":
                report = model.compile_report()["train"]
                assert report["compiled"]
                assert report["traces"] <= 2, "a short last batch at most"
    for history in histories[1:]:
        np.testing.assert_allclose(history["loss"], histories[0]["loss"], rtol=1e-4)
        np.testing.assert_allclose(history["accuracy"], histories[0]["accuracy"], rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_losses_of_layers_are_minimized_and_forgotten(backend):
    class Penalized(core.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * core.ops.mean(core.ops.square(x)))
            return x

    with use(backend):
        core.utils.set_random_seed(0)
        i = core.Input((4,))
        h = core.layers.Dense(3, kernel_regularizer="l2")(i)
        model = core.Model(i, Penalized()(h))
        model.compile("sgd", "mse")
        outputs = model.predict(X, verbose=0)
        expected = (
            np.mean((outputs - ONE_HOT) ** 2) + 0.1 * np.mean(outputs**2) + 0.01 * np.sum(np.array(model.layers[1].kernel.numpy()) ** 2)
        )
        assert model.evaluate(X, ONE_HOT, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-4)
        assert model.train_on_batch(X, ONE_HOT) == pytest.approx(expected, rel=1e-4)
        assert len(model.losses) <= 2
        model.compile("sgd")
        before = model.evaluate(X, ONE_HOT, verbose=0)
        history = model.fit(X, epochs=3, verbose=0).history  # penalties alone, no targets
        assert history["loss"][-1] < before


class Overridden(core.Model):
    """Overrides what users may, each counted as it is traced."""

    def __init__(self):
        super().__init__()
        self.dense = core.layers.Dense(3)
        self.own = core.metrics.Mean(name="own")

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = 2.0 * core.ops.mean(core.ops.square(y - y_pred))
        self.own.update_state(loss)
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "seven": 7.0}

    def test_step(self, batch):
        x, y = batch
        return {"half": core.ops.mean(core.ops.abs(self(x, training=False) - y)) / 2}

    def predict_step(self, batch):
        return super().predict_step(batch) + 100.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_users_override_is_used(backend):
    with use(backend):
        model = Overridden()
        model.compile("sgd", metrics=["mae"])
        history = model.fit(X, ONE_HOT, batch_size=40, verbose=0).history
        assert set(history) == {"loss", "mae", "own", "seven"}
        assert history["own"] == pytest.approx(history["loss"])
        assert history["seven"] == [7.0]
        plain = np.asarray(core.ops.convert_to_numpy(model(X)))
        results = model.evaluate(X, ONE_HOT, batch_size=40, verbose=0, return_dict=True)
        assert results == {"half": pytest.approx(np.abs(plain - ONE_HOT).mean() / 2, rel=1e-4)}
        np.testing.assert_allclose(model.predict(X, verbose=0), plain + 100, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy, backend):
    with use(backend):
        core.utils.set_random_seed(1)
        model = mixed_model(policy)
        model.compile("adam", core.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        assert (type(model.optimizer).__name__ == "LossScaleOptimizer") == (policy == "mixed_float16")
        history = model.fit(X, LABELS, epochs=8, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        assert np.isfinite(history["loss"]).all()
        assert {w.dtype for w in model.trainable_variables} == {"float32"}
        assert core.backend.standardize_dtype(model(X).dtype) == policy.removeprefix("mixed_")
        assert model.predict(X, verbose=0).shape == (40, 3)


def mixed_model(policy):
    class Mixed(core.Model):
        def __init__(self):
            super().__init__(dtype=policy)
            self.first, self.second = core.layers.Dense(8, "relu", dtype=policy), core.layers.Dense(3, dtype=policy)

        def call(self, x):
            return self.second(self.first(x))

    return Mixed()


def test_targets_and_predictions_in_any_structure():
    class Nested(core.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = core.layers.Dense(2), core.layers.Dense(1)

        def call(self, x):
            return {"u": [self.a(x)], "v": self.b(x)}

    with use("torch"):
        model = Nested()
        model.compile("sgd", {"u": ["mse"], "v": "mae"})
        history = model.fit(X, {"u": [X[:, :2]], "v": TARGET}, verbose=0).history
        assert set(history) == {"loss", "u/0_loss", "v_loss"}
        outputs = model.predict(X, verbose=0)
        assert outputs["u"][0].shape == (40, 2)
        assert outputs["v"].shape == (40, 1)
        single = core.Model(i := core.Input((4,)), core.layers.Dense(3, "softmax", name="out")(i))
        single.compile("sgd", {"out": SPARSE}, metrics={"out": ["accuracy"]})
        assert list(single.fit(X, {"out": LABELS}, verbose=0).history) == ["accuracy", "loss"]


# -------------------------------------------------------------------------------------------- steps as written for one framework


class Plain(core.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.dropout, self.out = core.layers.Dense(5, "tanh"), core.layers.Dropout(0.0, seed=1), core.layers.Dense(1)

    def call(self, x, training=None):
        return self.out(self.dropout(self.hidden(x), training=training))


class ForTensorFlow(Plain):
    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return self._results(loss, y, y_pred)

    def _results(self, loss, y, y_pred):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ForTorch(ForTensorFlow):
    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        weights = list(self.trainable_weights)
        gradients = [v.value.grad for v in weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, weights)
        return self._results(loss.detach(), y, y_pred.detach())


class ForJax(Plain):
    def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, y, training=False):
        y_pred, non_trainable_variables = self.stateless_call(trainable_variables, non_trainable_variables, x, training=training)
        return self.compute_loss(x, y, y_pred), (y_pred, non_trainable_variables)

    def train_step(self, state, data):
        import jax

        trainable, non_trainable, optimizer, metrics = state
        x, y = data
        (loss, (y_pred, non_trainable)), gradients = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)(
            trainable, non_trainable, x, y, training=True
        )
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        new, logs, at = [], {}, 0
        for metric in self.metrics:
            own = metrics[at : at + len(metric.variables)]
            at += len(own)
            own = metric.stateless_update_state(own, loss) if metric.name == "loss" else metric.stateless_update_state(own, y, y_pred)
            logs[metric.name] = metric.stateless_result(own)
            new += own
        return logs, (trainable, non_trainable, optimizer, new)


@pytest.mark.parametrize(("backend", "cls"), [("tensorflow", ForTensorFlow), ("torch", ForTorch), ("jax", ForJax)])
def test_steps_written_for_one_framework(backend, cls):
    histories = []
    with use(backend):
        for kind in (Plain, cls):
            core.utils.set_random_seed(6)
            model = kind()
            model.compile(core.optimizers.Adam(0.05), "mse", metrics=["mae"])
            histories.append(model.fit(X, TARGET, batch_size=20, epochs=3, shuffle=False, verbose=0).history)
    assert list(histories[0]) == list(histories[1]) == ["loss", "mae"]
    for key in histories[0]:
        np.testing.assert_allclose(histories[1][key], histories[0][key], rtol=1e-4)
