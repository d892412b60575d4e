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
    "sample weights": lambda k: (one(k), {"loss": SPARSE, "metrics": ["accuracy"], "weighted_metrics": ["accuracy", SPARSE]}, {"x": X, "y": LABELS, "sample_weight": WEIGHTS}),
    "class weights": lambda k: (one(k), {"loss": SPARSE, "weighted_metrics": ["accuracy"]}, {"x": X, "y": LABELS, "class_weight": {0: 1.0, 1: 0.3, 2: 2.0}}),
    "class weights, one hot": lambda k: (one(k), {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}, {"x": X, "y": ONE_HOT, "class_weight": {0: 1.0, 1: 0.3, 2: 2.0}}),
    "validation split": lambda k: (one(k), {"loss": SPARSE, "metrics": ["acc"]}, {"x": X, "y": LABELS, "sample_weight": WEIGHTS, "validation_split": 0.3}),
    "validation data": lambda k: (one(k), {"loss": SPARSE, "weighted_metrics": ["acc"]}, {"x": X, "y": LABELS, "validation_data": (X[:9], LABELS[:9], WEIGHTS[:9]), "validation_freq": 2}),
    "regularizers": lambda k: (one(k, k.regularizers.L1L2(0.01, 0.02), activity_regularizer="l2"), {"loss": SPARSE}, {"x": X, "y": LABELS}),
    "constraint, adam, clipping": lambda k: (one(k, kernel_constraint=k.constraints.MaxNorm(0.7)), {"loss": SPARSE, "optimizer": k.optimizers.Adam(0.05, clipnorm=0.1)}, {"x": X, "y": LABELS}),
    "averages": lambda k: (one(k), {"loss": SPARSE, "optimizer": k.optimizers.SGD(0.3, use_ema=True, ema_overwrite_frequency=2)}, {"x": X, "y": LABELS}),
    "accumulated gradients": lambda k: (one(k), {"loss": SPARSE, "optimizer": k.optimizers.SGD(0.3, gradient_accumulation_steps=2)}, {"x": X, "y": LABELS}),
    "schedule": lambda k: (one(k), {"loss": SPARSE, "optimizer": k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.3, 5, 0.5), momentum=0.9)}, {"x": X, "y": LABELS}),
    "metric objects": lambda k: (one(k), {"loss": k.losses.SparseCategoricalCrossentropy(name="own"), "metrics": [k.metrics.SparseCategoricalAccuracy(name="s"), k.losses.SparseCategoricalCrossentropy(), "accuracy", "accuracy"], "weighted_metrics": [k.metrics.SparseCategoricalAccuracy(name="s")]}, {"x": X, "y": LABELS}),
    "outputs as lists": lambda k: (two(k), {"loss": [SPARSE, "mse"], "loss_weights": [1.0, 0.5], "metrics": [["accuracy"], ["mae", "mse"]], "weighted_metrics": [["accuracy"], None]}, {"x": X, "y": [LABELS, TARGET], "validation_split": 0.25}),
    "outputs by name": lambda k: (two(k), {"loss": {"a": SPARSE, "b": "mae"}, "loss_weights": {"b": 2.0, "a": 1.0}, "metrics": {"b": "mse"}}, {"x": X, "y": BOTH}),
    "outputs in a dict": lambda k: (two(k, True), {"loss": {"a": SPARSE, "b": "mae"}, "metrics": {"a": ["accuracy"], "b": ["mae"]}}, {"x": X, "y": BOTH}),
    "one loss for two": lambda k: (two(k), {"loss": "mse", "metrics": ["mae", "mse"]}, {"x": X, "y": [ONE_HOT, TARGET]}),
    "a loss for one of two": lambda k: (two(k), {"loss": [SPARSE, None], "metrics": {"b": "mse"}}, {"x": X, "y": [LABELS, TARGET]}),
    "subclass, tuple": lambda k: (subclass(k), {"loss": [SPARSE, "mse"], "metrics": [["accuracy"], ["mae"]]}, {"x": X, "y": (LABELS, TARGET)}),
    "subclass, dict": lambda k: (subclass(k, True), {"loss": {"a": SPARSE, "b": "mse"}, "metrics": {"a": ["accuracy"], "b": ["mae"]}}, {"x": X, "y": BOTH}),
    "inputs by name": lambda k: (with_inputs(k), {"loss": "mse", "loss_weights": [2.0]}, {"x": {"p": X[:, :2], "q": X[:, 2:]}, "y": TARGET}),
    "own function": lambda k: (with_inputs(k), {"loss": mean_distance, "metrics": [mean_distance]}, {"x": {"q": X[:, :2], "p": X[:, 2:]}, "y": TARGET, "sample_weight": WEIGHTS}),
    "batch normalization": lambda k: (with_batch_norm(k), {"loss": "huber", "metrics": ["mae"]}, {"x": X, "y": TARGET, "validation_split": 0.2}),
}  # fmt: skip


def run(keras, name):
    """History of three epochs, results and outputs of one of `RUNS`."""
    model, compiled, data = RUNS[name](keras)
    draw = np.random.default_rng(7)
    model.set_weights([draw.normal(size=w.shape, scale=0.5).astype("float32") if "variance" not in w.name else np.ones(w.shape) for w in model.weights])
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

import core
from core.backend import use

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
