"""Every kind of data through `fit`, `evaluate` and `predict` on every backend: the same batches give the same numbers."""

import numpy as np
import pandas as pd
import pytest

import core
from core import layers
from core.backend import use

BACKENDS = ("torch", "jax", "tensorflow")
RNG = np.random.default_rng(1)
X = RNG.normal(size=(36, 3)).astype("float32")
Y = (X @ RNG.normal(size=(3, 1))).astype("float32")
W = RNG.uniform(0.5, 1.5, 36).astype("float32")
BATCH = 10  # the last batch is short


class Pieces(core.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        return X[rows], Y[rows], W[rows]


def generator():
    dataset = Pieces()
    while True:
        for i in range(4):
            yield dataset[i]


def tf_dataset():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y, W)).batch(BATCH)


def torch_loader():
    import torch

    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.from_numpy, (X, Y, W))), batch_size=BATCH)


def tensors(framework):
    def make():
        with use(framework):
            x, y, w = (core.ops.convert_to_tensor(a) for a in (X, Y, W))
        return {"x": x, "y": y, "sample_weight": w, "batch_size": BATCH}

    return make


SOURCES = {
    "numpy": lambda: {"x": X, "y": Y, "sample_weight": W, "batch_size": BATCH},
    "float64": lambda: {"x": X.astype("float64"), "y": Y.astype("float64"), "sample_weight": W.astype("float64"), "batch_size": BATCH},
    "lists": lambda: {"x": X.tolist(), "y": Y.tolist(), "sample_weight": W, "batch_size": BATCH},
    "pandas": lambda: {"x": pd.DataFrame(X), "y": pd.Series(Y[:, 0]), "sample_weight": pd.Series(W), "batch_size": BATCH},
    "torch tensors": tensors("torch"),
    "jax arrays": tensors("jax"),
    "tf tensors": tensors("tensorflow"),
    "PyDataset": lambda: {"x": Pieces()},
    "PyDataset with threads": lambda: {"x": Pieces(workers=2)},
    "generator": lambda: {"x": generator(), "steps": 4},
    "tf.data": lambda: {"x": tf_dataset()},
    "DataLoader": lambda: {"x": torch_loader()},
}


def trained(source):
    core.utils.set_random_seed(5)
    model = core.Sequential([layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile(core.optimizers.SGD(0.1), "mse", weighted_metrics=["mae"])
    data = SOURCES[source]()
    steps = data.pop("steps", None)
    history = model.fit(
        **data, steps_per_epoch=steps, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y, W), validation_batch_size=BATCH
    ).history
    results = model.evaluate(**data, steps=steps, verbose=0)
    inputs = {k: v for k, v in data.items() if k in ("x", "batch_size")}
    return history, results, model.predict(**inputs, steps=steps, verbose=0)


@pytest.fixture(scope="module")
def expected():
    with use("torch"):
        return trained("numpy")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_source_gives_the_same_training(source, backend, expected):
    with use(backend):
        history, results, outputs = trained(source)
    assert list(history) == list(expected[0])
    for key, values in expected[0].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-4, err_msg=key)
    np.testing.assert_allclose(results, expected[1], rtol=1e-4)
    np.testing.assert_allclose(outputs, expected[2], rtol=1e-3, atol=1e-5)
    assert outputs.shape == (36, 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_shuffling_is_the_same_on_every_backend(backend):
    with use(backend):
        core.utils.set_random_seed(9)
        model = core.Sequential([layers.Input((3,)), layers.Dense(1)])
        model.compile(core.optimizers.SGD(0.1), "mse")
        history = model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0).history
    with use("torch"):
        core.utils.set_random_seed(9)
        model = core.Sequential([layers.Input((3,)), layers.Dense(1)])
        model.compile(core.optimizers.SGD(0.1), "mse")
        np.testing.assert_allclose(history["loss"], model.fit(X, Y, batch_size=BATCH, epochs=2, verbose=0).history["loss"], rtol=1e-4)


def test_an_interrupted_epoch_goes_on_in_the_next_with_steps():
    seen = []

    class Watch(core.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            seen.append(np.array(core.ops.convert_to_numpy(x)))
            return self.dense(x)

    with use("torch"):
        model = Watch()
        model.compile("sgd", "mse", run_eagerly=True)
        model(X[:1])
        model.predict_on_batch(X[:2])
        model.fit(X[:8], Y[:8], batch_size=2, epochs=0, verbose=0)
        seen.clear()
        model.fit(X[:8], Y[:8], batch_size=2, steps_per_epoch=3, epochs=4, shuffle=False, verbose=0)
    rows = [r for r in seen if r.shape == (2, 3)]
    assert len(rows) == 12
    np.testing.assert_array_equal(np.concatenate(rows), np.concatenate([X[:8]] * 3))
