"""Bad input is refused by a clear error before any step runs, on every backend, and leaves the model as it was."""

import numpy as np
import pytest

import core
from core import layers
from core.backend import use

BACKENDS = ("torch", "jax", "tensorflow")
RNG = np.random.default_rng(2)
X = RNG.normal(size=(20, 4)).astype("float32")
LABELS = RNG.integers(0, 3, 20)
SPARSE = "sparse_categorical_crossentropy"


def classifier():
    i = layers.Input((4,), name="x")
    h = layers.BatchNormalization()(layers.Dense(5)(i))
    return core.Model(i, layers.Dense(3, "softmax", name="out")(h), name="classifier")


def two_outputs():
    i = layers.Input((4,), name="x")
    return core.Model(i, [layers.Dense(3, "softmax", name="a")(i), layers.Dense(1, name="b")(i)], name="pair")


def compiled(model=None, **arguments):
    model = classifier() if model is None else model
    model.compile(**{"optimizer": "adam", "loss": SPARSE, "metrics": ["accuracy"], **arguments})
    return model


def fitted(x, y=None, model=None, fit=None, **arguments):
    def run():
        chosen = compiled(model() if model else None, **arguments)
        return chosen, lambda: chosen.fit(x, y, verbose=0, batch_size=8, **(fit or {}))

    return run


def wrong_labels():
    with_nan = LABELS.astype("float32")
    with_nan[13] = np.nan
    return with_nan


def generator(count):
    yield from [(X[:8], LABELS[:8])] * count


CASES = {
    "more rows in x than in y": (fitted(X, LABELS[:10]), r"(?s)20.*10|10.*20"),
    "weights of another length": (fitted(X, LABELS, fit={"sample_weight": np.ones(7)}), "(?s)20.*7|7.*20"),
    "NaN among labels": (fitted(X, wrong_labels()), "(?s)NaN.*row 13"),
    "a label too many": (fitted(X, LABELS + 1), r"class number 3.*3 outputs"),
    "a negative label": (fitted(X, LABELS - 1), "class number -1.*3 outputs"),
    "no rows": (fitted(X[:0], LABELS[:0]), "(?i)empty|no rows|0 rows"),
    "an empty generator": (lambda: (m := compiled(), lambda: m.fit(generator(0), verbose=0)), "(?i)empty|no batch"),
    "no y": (fitted(X), "no y"),
    "inputs of another width": (fitted(X[:, :3], LABELS), r"(?s)classifier.*\(None, 4\).*3"),
    "targets of another width": (fitted(X, np.zeros((20, 2), "float32"), loss="mse"), r"(?s)2\).*3\)"),
    "one-hot targets of another width": (fitted(X, np.zeros((20, 4), "float32"), loss="categorical_crossentropy"), r"(?s)4\).*3\)"),
    "a target too few": (fitted(X, [LABELS], model=two_outputs, loss=[SPARSE, "mse"], metrics=None), r"2 outputs \(a, b\).*1"),
    "a target by name too few": (
        fitted(X, {"a": LABELS}, model=two_outputs, loss=[SPARSE, "mse"], metrics=None),
        "no target for output 'b'",
    ),
    "a target of another name": (
        fitted(X, {"a": LABELS, "c": X}, model=two_outputs, loss=[SPARSE, "mse"], metrics=None),
        "output in y 'c'",
    ),
    "a loss too few": (
        fitted(X, [LABELS, X[:, 0]], model=two_outputs, loss={"a": SPARSE}, metrics=None),
        r"no entry for the outputs \['b'\]",
    ),
    "a loss of another name": (
        fitted(X, [LABELS, X[:, 0]], model=two_outputs, loss={"a": SPARSE, "bb": "mse"}, metrics=None),
        "did you mean 'b'",
    ),
    "losses too many": (fitted(X, [LABELS, X[:, 0]], model=two_outputs, loss=[SPARSE] * 3, metrics=None), "loss has 3 entries.*2 outputs"),
    "weights of losses too many": (
        fitted(X, [LABELS, X[:, 0]], model=two_outputs, loss=[SPARSE, "mse"], loss_weights=[1, 2, 3], metrics=None),
        "loss_weights has 3",
    ),
    "metrics too many": (fitted(X, [LABELS, X[:, 0]], model=two_outputs, loss=[SPARSE, "mse"], metrics=["mse"] * 3), "metrics has 3"),
    "y next to a dataset": (lambda: (m := compiled(), lambda: m.fit(generator(3), LABELS, verbose=0)), "y was given next to a dataset"),
    "a batch size of zero": (lambda: (m := compiled(), lambda: m.fit(X, LABELS, batch_size=0)), "batch_size must be a positive"),
    "epochs below zero": (fitted(X, LABELS, fit={"epochs": -1}), "epochs"),
    "all rows for validation": (fitted(X, LABELS, fit={"validation_split": 1.0}), "validation_split"),
    "a strange callback": (fitted(X, LABELS, fit={"callbacks": ["stop"]}), "callbacks must be Callback objects"),
    "a strange frequency": (fitted(X, LABELS, fit={"validation_freq": 0, "validation_data": (X, LABELS)}), "validation_freq"),
    "validation data of another width": (fitted(X, LABELS, fit={"validation_data": (X[:, :2], LABELS)}), r"(?s)\(None, 4\).*2"),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_refused_before_any_step(case, backend):
    prepare, message = CASES[case]
    with use(backend):
        model, run = prepare()
        before = [np.array(w.numpy()) for w in model.variables]
        with pytest.raises((ValueError, TypeError), match=message):
            run()
        assert model.optimizer is None or int(model.optimizer.iterations.numpy()) == 0
        for old, variable in zip(before, model.variables, strict=True):
            np.testing.assert_array_equal(variable.numpy(), old, err_msg=variable.path)


@pytest.mark.parametrize("backend", BACKENDS)
def test_later_bad_data_changes_nothing_either(backend):
    with use(backend):
        model = compiled(loss="mse", metrics=None)
        model.fit(X, np.zeros((20, 3), "float32"), verbose=0)
        before = [np.array(w.numpy()) for w in model.variables]
        for bad in (
            lambda: model.fit(X, X[:, :2], verbose=0),
            lambda: model.train_on_batch(X, X[:, :2]),
            lambda: model.fit(X[:, :2], X[:, :3], verbose=0),
        ):
            with pytest.raises(ValueError, match="3|4"):
                bad()
        for old, variable in zip(before, model.variables, strict=True):
            np.testing.assert_array_equal(variable.numpy(), old, err_msg=variable.path)
        model.fit(X, np.zeros((20, 3), "float32"), verbose=0)


def test_not_compiled():
    with use("torch"):
        model = classifier()
        for run in (lambda: model.fit(X, LABELS), lambda: model.evaluate(X, LABELS), lambda: model.train_on_batch(X, LABELS)):
            with pytest.raises(ValueError, match=r"classifier.*compile"):
                run()
        assert model.predict(X, verbose=0).shape == (20, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"loss": "mean_squarederror"}, "did you mean 'mean_squared_error'"),
        ({"metrics": ["acurracy_"]}, "metric"),
        ({"steps_per_execution": 0}, "steps_per_execution"),
    ],
)
def test_unknown_names_are_errors_of_compile(arguments, message):
    with use("torch"), pytest.raises(ValueError, match=message):
        compiled(**arguments)


def test_unbuilt_models_say_what_to_do():
    with use("torch"):
        model = core.Sequential([layers.Dense(2)])
        with pytest.raises(ValueError, match="not built"):
            model.get_weights()
        with pytest.raises(ValueError, match="not built"):
            model.count_params()
        with pytest.raises(ValueError, match="not built"):
            model.set_weights([np.zeros((4, 2))])


def test_numpy_models_do_not_train():
    with use("numpy"):
        model = compiled()
        with pytest.raises(ValueError, match=r"to_backend"):
            model.fit(X, LABELS, verbose=0)
        assert model.predict(X, verbose=0).shape == (20, 3)
        assert len(model.evaluate(X, LABELS, verbose=0)) == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loss_that_is_no_scalar(backend):
    class Careless(core.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def train_step(self, batch):
            x, y = batch
            loss, gradients = core.value_and_grad(lambda: (self(x) - y) ** 2, self.trainable_variables)()
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss}

    with use(backend):
        model = Careless()
        model.compile("sgd")
        model(X)
        before = np.array(model.dense.kernel.numpy())
        with pytest.raises((ValueError, TypeError), match="scalar"):
            model.fit(X, X[:, :3], verbose=0)
        np.testing.assert_array_equal(model.dense.kernel.numpy(), before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_generator_that_ends_early(backend):
    with use(backend):
        model = compiled()
        with pytest.warns(UserWarning, match="ran out after 2 of 4"):
            history = model.fit(generator(5), steps_per_epoch=3, epochs=4, verbose=0)
        assert history.epoch == [0, 1]
        assert int(model.optimizer.iterations.numpy()) == 5


def test_a_step_must_return_a_dict():
    class Wrong(core.Model):
        def call(self, x):
            return x

        def train_step(self, batch):
            return 1.0

    with use("torch"):
        model = Wrong()
        model.compile("sgd")
        with pytest.raises(ValueError, match="must return a dict"):
            model.fit(X, X, verbose=0)
