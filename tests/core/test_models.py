"""Sequential, functional and subclassed models: how they are made, called, changed, copied, and what they say when something is wrong."""

import copy
import pickle
import threading

import numpy as np
import pytest

import core
from core import layers, ops
from core.backend import use

BACKENDS = ("torch", "jax", "tensorflow")
X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


@pytest.fixture(autouse=True)
def _torch():
    with use("torch"):
        yield


def n(x):
    return np.array(core.ops.convert_to_numpy(x))  # a copy: it may be a view of what is trained


# -------------------------------------------------------------------------------------------- Sequential


def test_sequential_with_input_is_built_at_once():
    model = core.Sequential([layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert model.built
    assert [w.path.split("/")[1:] for w in model.weights] == [["a", "kernel"], ["a", "bias"], ["b", "kernel"], ["b", "bias"]]
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 2)
    assert [layer.name for layer in model.layers] == ["a", "b"]
    assert model.get_layer("b") is model.layers[1] is model.get_layer(index=-1)


def test_sequential_builds_on_its_first_call():
    model = core.Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    assert model.weights == []
    for ask in (model.count_params, lambda: model.set_weights([X]), lambda: model.inputs, lambda: model.output_shape):
        with pytest.raises((ValueError, AttributeError), match="not built"):
            ask()
    assert model(X).shape == (6, 2)
    assert model.built
    assert len(model.weights) == 4
    assert model.input_shape == (None, 4)


def test_sequential_build_by_shape():
    model = core.Sequential([layers.Dense(3), layers.Dense(2)])
    model.build((None, 4))
    assert model.count_params() == 23
    with pytest.raises(ValueError, match="no layers"):
        core.Sequential().build((None, 4))


def test_sequential_add_and_pop():
    model = core.Sequential()
    model.add(layers.Input((4,)))
    model.add(layers.Dense(3, name="a"))
    first = n(model(X))
    model.add(layers.Dense(2, name="b"))
    assert model(X).shape == (6, 2)
    assert model.pop().name == "b"
    np.testing.assert_array_equal(n(model(X)), first)
    with pytest.raises(ValueError, match="already has a layer named 'a'"):
        model.add(layers.Dense(1, name="a"))
    with pytest.raises(ValueError, match="can only come first"):
        model.add(layers.Input((2,)))
    with pytest.raises(ValueError, match="takes layers"):
        model.add("dense")
    model.pop()
    with pytest.raises(ValueError, match="no layer to pop"):
        core.Sequential().pop()


def test_sequential_within_sequential_and_functional():
    inner = core.Sequential([layers.Input((4,)), layers.Dense(3)], name="inner")
    outer = core.Sequential([inner, layers.Dense(2)])
    np.testing.assert_allclose(n(outer(X)), n(outer.layers[1](inner(X))), rtol=1e-6)
    i = layers.Input((4,))
    model = core.Model(i, layers.Add()([inner(i), layers.Dense(3)(i)]))
    assert model(X).shape == (6, 3)
    assert inner in model.layers
    assert len(model.weights) == 4


# -------------------------------------------------------------------------------------------- functional


def test_shared_layer_counts_once():
    shared = layers.Dense(3)
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    model = core.Model([a, b], shared(a) - shared(b))
    assert len(model.weights) == 2
    np.testing.assert_allclose(n(model([X, X])), 0, atol=1e-6)
    assert model([X, 2 * X]).shape == (6, 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_inputs_and_outputs_in_structures(backend):
    with use(backend):
        a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
        h = layers.Concatenate()([a, b])
        model = core.Model({"a": a, "b": b}, {"sum": layers.Dense(1, name="p")(h), "all": h})
        outputs = model({"b": X[:, :2], "a": X})
        assert set(outputs) == {"sum", "all"}
        np.testing.assert_allclose(n(outputs["all"]), np.concatenate([X, X[:, :2]], 1), rtol=1e-6)
        predicted = model.predict({"a": X, "b": X[:, :2]}, verbose=0)
        np.testing.assert_allclose(predicted["sum"], n(outputs["sum"]), rtol=1e-4, atol=1e-6)
    assert sorted(model.input_names) == ["a", "b"]
    with pytest.raises(ValueError, match="b"):
        model({"a": X})


def test_a_graph_of_a_part():
    i = layers.Input((4,))
    middle = layers.Dense(3, name="middle")(i)
    model = core.Model(i, layers.Dense(2)(middle))
    part = core.Model(model.input, model.get_layer("middle").output)
    assert part(X).shape == (6, 3)
    rest = core.Model(middle, model.output)
    np.testing.assert_allclose(n(rest(part(X))), n(model(X)), rtol=1e-6)
    with pytest.raises(ValueError, match="not connected"):
        core.Model(layers.Input((4,)), model.output)


def test_layer_names_are_unique_and_known():
    i = layers.Input((4,))
    with pytest.raises(ValueError, match="'d' is used by two layers"):
        core.Model(i, layers.Dense(2, name="d")(layers.Dense(2, name="d")(i)))
    model = core.Model(i, layers.Dense(2, name="first")(i))
    with pytest.raises(ValueError, match="did you mean 'first'"):
        model.get_layer("frist")
    with pytest.raises(ValueError, match="no layer at index 7"):
        model.get_layer(index=7)


def test_wrong_shapes_name_the_model_and_both_shapes():
    model = core.Sequential([layers.Input((4,)), layers.Dense(2)], name="small")
    with pytest.raises(ValueError, match=r"(?s)small.*\(None, 4\).*\(6, 3\)"):
        model(X[:, :3])
    dense = layers.Dense(2, name="dense_x")
    dense(X)
    with pytest.raises(ValueError, match=r"(?s)dense_x.*4.*\(6, 3\)"):
        dense(X[:, :3])


def test_functional_subclass_gets_inputs_and_outputs():
    class Doubled(core.Model):
        def train_step(self, batch):
            return super().train_step(batch)

    i = layers.Input((4,))
    model = Doubled(i, layers.Dense(2)(i))
    assert isinstance(model, core.Functional)
    assert isinstance(model, Doubled)
    model.compile("sgd", "mse")
    assert list(model.fit(X, X[:, :2], verbose=0).history) == ["loss"]


def test_masks_go_through_a_graph():
    words = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    i = layers.Input((4,), dtype="int32")

    class MaskedMean(layers.Layer):
        def call(self, x, mask=None):
            if mask is None:  # as shapes are found
                return ops.mean(x, axis=1)
            weights = ops.cast(mask, x.dtype)[..., None]
            return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)

    embedding = layers.Embedding(5, 3, mask_zero=True)
    model = core.Model(i, MaskedMean()(layers.Dropout(0.3)(embedding(i))))
    table = n(embedding.embeddings)
    expected = np.stack([table[row[row > 0]].mean(0) for row in words])
    np.testing.assert_allclose(n(model(words)), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(words, verbose=0), expected, rtol=1e-5)


# -------------------------------------------------------------------------------------------- subclasses


class Noisy(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dropout = layers.Dropout(0.5, seed=1)

    def call(self, x):  # takes no training argument: the layer inside learns the phase from the model
        return self.dropout(x)


class Nested(core.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [Noisy(), Noisy()]
        self.by_name = {"head": layers.Dense(2)}

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.by_name["head"](x)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_phase_reaches_layers_inside_layers(backend):
    with use(backend):
        model = Nested()
        assert np.all(n(model(X)) == n(model(X, training=False)))
        assert not np.allclose(n(model(X, training=True)), n(model(X, training=False)))
        i = layers.Input((4,))
        graph = core.Model(i, Noisy()(i))
        np.testing.assert_array_equal(n(graph(X)), X)
        assert (n(graph(X, training=True)) == 0).any()
        chain = core.Sequential([layers.Input((4,)), Noisy()])
        assert (n(chain(X, training=True)) == 0).any()
        np.testing.assert_array_equal(n(chain(X)), X)
    assert len(model.layers) == 3
    assert len(model.weights) == 2
    assert len(model.variables) == 4  # with two seeds


def test_a_model_without_call_says_so():
    class Empty(core.Model):
        pass

    with pytest.raises(TypeError, match="no `call`"):
        Empty()(X)


def test_errors_name_the_layers_around():
    class Broken(layers.Layer):
        def call(self, x):
            return ops.reshape(x, (7, 7))

    class Outer(core.Model):
        def __init__(self):
            super().__init__()
            self.broken = Broken(name="broken_one")

        def call(self, x):
            return self.broken(x)

    with pytest.raises(Exception) as caught:
        Outer()(X)
    notes = " ".join(caught.value.__notes__)
    assert "in layer broken_one (Broken)" in notes
    assert "(Outer)" in notes


# -------------------------------------------------------------------------------------------- changes after the first call


def test_changes_reach_plans_and_variables():
    first, second = layers.Dense(3, name="first"), layers.Dense(2, name="second")
    model = core.Sequential([layers.Input((4,)), first, second])
    before = n(model(X))
    assert len(model.trainable_variables) == 4
    first.trainable = False
    assert len(model.trainable_variables) == 2
    assert len(model.non_trainable_variables) == 2
    model.compile("sgd", "mse")
    frozen, free = n(first.kernel), n(second.kernel)
    model.fit(X, X[:, :2], verbose=0)
    np.testing.assert_array_equal(n(first.kernel), frozen)
    assert not np.allclose(n(second.kernel), free)
    first.trainable = True
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    assert not np.allclose(n(first.kernel), frozen)
    assert not np.allclose(n(model(X)), before)
    model.trainable = False
    assert model.trainable_variables == []


def test_a_changed_activation_is_used():
    dense = layers.Dense(3)
    model = core.Sequential([layers.Input((4,)), dense])
    before = n(model(X))
    dense.activation = core.activations.relu
    np.testing.assert_allclose(n(model(X)), np.maximum(before, 0), rtol=1e-6)


def test_frozen_batch_normalization_runs_as_in_evaluation():
    norm = layers.BatchNormalization()
    model = core.Sequential([layers.Input((4,)), norm])
    norm.trainable = False
    np.testing.assert_allclose(n(model(X, training=True)), n(model(X, training=False)), rtol=1e-6)
    np.testing.assert_array_equal(n(norm.moving_mean), 0)


# -------------------------------------------------------------------------------------------- copies


def made(kind):
    if kind == "sequential":
        return core.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.3), layers.Dense(2)])
    if kind == "functional":
        i = layers.Input((4,))
        return core.Model(i, layers.Dense(2)(layers.BatchNormalization()(layers.Dense(3)(i))))
    model = Nested()
    model(X)
    return model


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["sequential", "functional", "subclass"])
def test_deepcopy(kind, backend):
    with use(backend):
        model = made(kind)
        model.compile("adam", "mse", metrics=["mae"])
        if backend == "torch" or kind == "functional":
            model.fit(X, X[:, :2], verbose=0)
        twin = copy.deepcopy(model)
        expected = n(model(X))
        np.testing.assert_array_equal(n(twin(X)), expected)
        assert twin.backend is model.backend
        assert not {id(v) for v in twin.variables} & {id(v) for v in model.variables}
        assert [v.path for v in twin.variables] == [v.path for v in model.variables]
        twin.train_on_batch(X, X[:, :2])
        np.testing.assert_array_equal(n(model(X)), expected)
        assert not np.array_equal(n(twin(X)), expected)
        assert twin.optimizer is not model.optimizer


def test_deepcopy_of_a_layer_and_of_a_variable():
    dense = layers.Dense(2, "relu")
    dense(X)
    twin = copy.deepcopy(dense)
    np.testing.assert_array_equal(n(twin(X)), n(dense(X)))
    twin.kernel.assign(twin.kernel * 0)
    assert n(dense.kernel).any()


def test_clone_model_has_fresh_weights():
    model = made("functional")
    clone = core.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert not np.array_equal(n(clone.weights[0]), n(model.weights[0]))
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(n(clone(X)), n(model(X)), rtol=1e-6)


def test_pickling():
    model = made("functional")
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(n(twin(X)), n(model(X)), rtol=1e-6)


# -------------------------------------------------------------------------------------------- threads, summaries


def test_threads_share_a_model():
    model = made("sequential")
    expected = n(model(X))
    wrong = []

    def work(training):
        for _ in range(30):
            outputs = n(model(X, training=training))
            if not training and not np.array_equal(outputs, expected):
                wrong.append(outputs)

    threads = [threading.Thread(target=work, args=(t,)) for t in (False, True, False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_summary_of_built_and_unbuilt_models():
    lines = []
    made("functional").summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "BatchNormalization" in text
    assert "(None, 3)" in text
    assert "Trainable params: 29" in text
    lines.clear()
    core.Sequential([layers.Dense(3)]).summary(print_fn=lines.append)
    assert "unbuilt" in "\n".join(lines)


def test_model_arguments_are_checked():
    with pytest.raises((TypeError, ValueError)):
        core.Model(layers.Input((4,)))
    with pytest.raises(ValueError, match="unexpected"):
        core.Sequential([layers.Dense(2)], colour="red")


@pytest.mark.parametrize("backend", BACKENDS)
def test_finding_shapes_and_stateless_calls_leave_seeds_alone(backend):
    class Foreign(core.Model):
        """Runs on real tensors only, so that its shapes are found by trial."""

        def __init__(self):
            super().__init__()
            self.dropout = layers.Dropout(0.5, seed=1)

        def call(self, x, training=None):
            if isinstance(x, core.KerasTensor):
                raise TypeError("no symbolic tensors here")
            return self.dropout(x, training=True)

    with use(backend):
        model = Foreign()
        (seed,) = model.variables
        before = seed.numpy().tolist()
        i = layers.Input((4,))
        assert core.Model(i, model(i)).output_shape == (None, 4)
        assert seed.numpy().tolist() == before
        _, (new,) = model.stateless_call([], [seed.value], X)
        assert n(new).tolist() == [before[0], before[1] + 1]
        assert seed.numpy().tolist() == before
        model(X)
        assert seed.numpy().tolist() == [before[0], before[1] + 1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_masks_in_a_trained_subclass(backend):
    words = np.array([[1, 2, 3, 0, 0], [3, 1, 0, 0, 0]] * 4)

    class Reader(core.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.state = layers.Embedding(5, 4, mask_zero=True), layers.LSTM(3)

        def call(self, x):
            return self.state(self.embedding(x))

    with use(backend):
        model = Reader()
        model.compile("adam", "mse")
        model.fit(words, np.ones((8, 3), "float32"), verbose=0)
        np.testing.assert_allclose(model.predict(words, verbose=0), model.predict(words[:, :3], verbose=0), rtol=1e-4, atol=1e-5)
