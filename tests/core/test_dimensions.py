"""Unknown dimensions in functional graphs: `core.ops.shape` of a symbolic tensor, arithmetic on it, and every op that takes a shape."""

import copy
import json
import math
import pickle
import zipfile

import numpy as np
import pytest

import core
from core import layers, ops, random
from core.backend import KerasTensor, slot
from core.backend.dimension import Dimension
from core.base.errors import ConfigError, UnsafeArtifactError

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
X = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
WIDE = np.random.default_rng(1).normal(size=(5, 8, 3)).astype("float32")  # other sizes: nothing may depend on those of the first call


@pytest.fixture(autouse=True)
def _numpy():
    with slot.use("numpy"):
        yield


def n(x):
    return np.array(ops.convert_to_numpy(x))


def line(*dims):
    """A constant of the active backend: 0, 1, 2... in a shape."""
    return ops.convert_to_tensor(np.arange(math.prod(dims), dtype="float32").reshape(dims))


def pixels():
    return ops.convert_to_tensor(np.random.default_rng(2).random(size=(1, 4, 4, 1), dtype="float32"))


# Each case is called with a tensor (batch, time, 3) and its first two dimensions: once with symbols, once with an array and two ints.
CASES = {
    # shapes
    "reshape": lambda x, b, t: ops.reshape(x, (b * t, 3)),
    "reshape list": lambda x, b, t: ops.reshape(x, [t, b, 3]),
    "reshape finds": lambda x, b, t: ops.reshape(x, (b, -1, 3)),
    "reshape flat": lambda x, b, t: ops.reshape(ops.sum(x, (1, 2)), b),
    "method reshape": lambda x, b, t: x.reshape((b, t * 3)),
    "broadcast_to": lambda x, b, t: ops.broadcast_to(ops.sum(x, (0, 1)), (b, t, 3)),
    "broadcast_to constant": lambda x, b, t: ops.broadcast_to(line(3), (b, 3)),
    "tile": lambda x, b, t: ops.tile(x, (t, 1, b)),
    "tile constant": lambda x, b, t: ops.tile(line(3), b),
    "repeat": lambda x, b, t: ops.repeat(x, t, axis=0),
    "repeat flat": lambda x, b, t: ops.repeat(line(3), b),
    "pad": lambda x, b, t: ops.pad(x, ((0, t), (b, 0), (1, b - 1))),
    "roll": lambda x, b, t: ops.roll(x, t // 2, axis=1),
    "rearrange": lambda x, b, t: ops.rearrange(ops.reshape(x, (b * t, 3)), "(b t) d -> b t d", b=b),
    "split": lambda x, b, t: ops.split(x, [t // 2], axis=1)[1],
    "expand_dims": lambda x, b, t: ops.expand_dims(b, 0),
    "stack": lambda x, b, t: ops.stack([b, t, 1]),
    "concatenate": lambda x, b, t: ops.concatenate([x, ops.zeros((b, 1, 3))], axis=1),
    # new tensors
    "zeros": lambda x, b, t: ops.zeros((b, 2)),
    "zeros of one": lambda x, b, t: ops.zeros(b, dtype="int32"),
    "ones": lambda x, b, t: ops.ones([t, b]),
    "empty": lambda x, b, t: ops.zeros_like(ops.empty((b, t, 2))),
    "full": lambda x, b, t: ops.full((b, 2), 7.0),
    "full of a size": lambda x, b, t: ops.full((2, t), b),
    "eye": lambda x, b, t: ops.eye(t, b, k=1),
    "identity": lambda x, b, t: ops.identity(b),
    "tri": lambda x, b, t: ops.tri(t, b),
    "tril": lambda x, b, t: ops.tril(ops.ones((t, t)), k=t - 4),
    "arange": lambda x, b, t: ops.arange(b),
    "arange from to": lambda x, b, t: ops.arange(1, 2 * t, b, dtype="float32"),
    "linspace": lambda x, b, t: ops.linspace(0.0, 1.0, t),
    "linspace to a size": lambda x, b, t: ops.linspace(0.0, b, 5),
    "linspace with step": lambda x, b, t: ops.linspace(0.0, 1.0, t, endpoint=False, retstep=True)[1],
    "logspace": lambda x, b, t: ops.logspace(0.0, 1.0, t),
    "geomspace": lambda x, b, t: ops.geomspace(1.0, 4.0, b),
    "one_hot": lambda x, b, t: ops.one_hot(ops.arange(b), b),
    # places
    "slice": lambda x, b, t: ops.slice(x, (0, t - 2, 0), (b, 2, 3)),
    "slice_update": lambda x, b, t: ops.slice_update(x, (0, t - 1, 0), ops.zeros((b, 1, 3))),
    "scatter": lambda x, b, t: ops.scatter(np.array([[0], [2]]), np.array([1.0, 2.0], "float32"), (t,)),
    "take": lambda x, b, t: ops.take(x, t - 1, axis=1),
    "top_k": lambda x, b, t: ops.top_k(ops.transpose(x, (0, 2, 1)), t // 2)[0],
    "x[:, :n]": lambda x, b, t: x[:, : t // 2],
    "x[n:]": lambda x, b, t: x[b // 2 :],
    "x[..., a:z, :]": lambda x, b, t: x[..., 1 : t - 1, :],
    "x[:, n]": lambda x, b, t: x[:, t - 1],
    "x[a:, None, z]": lambda x, b, t: x[b - 2 :, None, t // 2],
    "x[:, -n:]": lambda x, b, t: x[:, -(t // 2) :],
    "get_item of a constant": lambda x, b, t: ops.get_item(line(20, 2), slice(None, t)),
    "segment_sum": lambda x, b, t: ops.segment_sum(ops.sum(x, (1, 2)), ops.arange(b) // 2, num_segments=t),
    # images
    "resize": lambda x, b, t: ops.image.resize(pixels(), (b, 2 * t)),
    "resize nearest": lambda x, b, t: ops.image.resize(pixels(), (t, b), interpolation="nearest"),
    "resize of unknown images": lambda x, b, t: ops.image.resize(x[..., None], (t, 7), interpolation="bicubic", antialias=True),
    "resize of unknown, nearest": lambda x, b, t: ops.image.resize(x[..., None], (t // 2, 7), interpolation="nearest"),
    "crop_images": lambda x, b, t: ops.image.crop_images(line(1, 9, 9, 1), 1, 1, target_height=b, target_width=t),
    "pad_images": lambda x, b, t: ops.image.pad_images(line(1, 4, 4, 1), b, 1, target_height=20, target_width=t + 9),
    # arithmetic
    "+ - * // %": lambda x, b, t: ops.zeros((2 * b - t // 2, b % 3 + (7 - t % 2), 30 // t, 9 % b + 1)),
    "a negative": lambda x, b, t: ops.zeros((-b + 5 * t, 1)),
    "divmod": lambda x, b, t: ops.ones([d + 1 for d in divmod(t, 4)]),
    "a NumPy int": lambda x, b, t: ops.ones((np.int64(2) * b, b + np.int32(1))),
    "cast": lambda x, b, t: ops.cast(b, "float32"),
    "mean by hand": lambda x, b, t: ops.sum(x, axis=1) / ops.cast(t, x.dtype),
    "times a tensor": lambda x, b, t: x * b,
    "tensor from the right": lambda x, b, t: b - x,
    "a float": lambda x, b, t: b * 0.5,
    "true division": lambda x, b, t: b / t,
    "power": lambda x, b, t: ops.power(b, 2),
    "add": lambda x, b, t: ops.add(x, t),
    "convert_to_tensor": lambda x, b, t: ops.convert_to_tensor(b),
    "maximum": lambda x, b, t: ops.maximum(b, t),
    "where": lambda x, b, t: ops.where(ops.greater(t, 6), x, -x),
    # longer ones
    "causal mask": lambda x, b, t: ops.where(ops.arange(t)[:, None] >= ops.arange(t), 0.0, -1e9),
    "heads": lambda x, b, t: ops.transpose(ops.reshape(ops.tile(x, (1, 1, 4)), (b, t, 4, 3)), (0, 2, 1, 3)),
    "flattened and back": lambda x, b, t: ops.reshape(ops.reshape(x, (b * t, 3)) * 2, (b, t, 3)),
}  # fmt: skip


def graph(names=CASES):
    x = core.Input((None, 3), name="x")
    b, t, _ = ops.shape(x)
    return x, {name: CASES[name](x, b, t) for name in names}


def check(got, x):
    with slot.use("numpy"):
        for name, value in got.items():
            want = CASES[name](x, *x.shape[:2])
            np.testing.assert_allclose(n(value), n(want), 1e-5, 1e-6, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_a_graph_of_unknown_sizes_gives_what_known_ones_give(name):
    x, outputs = graph([name])
    model = core.Model(x, outputs)
    for data in (X, WIDE):
        got = model(data)[name]
        check({name: got}, data)
        spec = outputs[name]
        assert spec.dtype == ops.dtype(got)
        assert len(spec.shape) == len(got.shape)
        assert all(d in (None, size) for d, size in zip(spec.shape, got.shape))


def test_all_of_them_on_torch():
    with slot.use("torch"):
        graph()
        model = core.Model(*graph())  # the second time the ops' fast paths are open
        for data in (X, WIDE):
            check(model(data), data)


def test_all_of_them_compiled_on_jax():
    with slot.use("jax"):
        graph()
        model = core.Model(*graph())
        run = core.jit(lambda data: model(data))
        for data in (X, WIDE):
            check(run(ops.convert_to_tensor(data)), data)


def test_all_of_them_in_one_tensorflow_graph_for_all_sizes():
    tf = pytest.importorskip("tensorflow")
    with slot.use("tensorflow"):
        graph()
        model = core.Model(*graph())
        run = tf.function(lambda data: model(data), input_signature=[tf.TensorSpec((None, None, 3))])
        for data in (X, WIDE):
            check(run(data), data)
        assert run.experimental_get_tracing_count() == 1


# -------------------------------------------------------------------------------------------- what a dimension is


def test_known_dimensions_are_ints_and_unknown_ones_equal_none():
    x = core.Input((None, 3), name="words")
    shape = ops.shape(x)
    assert shape == (None, None, 3)
    assert (None, None, 3) == shape
    assert x.shape == (None, None, 3)
    assert type(shape) is tuple
    assert [type(dim) for dim in shape] == [Dimension, Dimension, int]
    assert None in shape
    b, t, _ = shape
    assert b != t
    assert b != 4
    same = b
    assert b == same
    assert {b: 1, t: 2}[b] == 1
    assert ops.shape(x)[0] is b
    assert (b.shape, b.dtype, ops.ndim(b)) == ((), "int32", 0)


def test_a_dimension_says_where_it_comes_from():
    b, t, _ = ops.shape(core.Input((None, 3), name="words"))
    assert repr(b) == "<Dimension: dimension 0 of 'words'>"
    assert repr(2 * t - 1) == "<Dimension: (2 * (dimension 1 of 'words')) - 1>"
    assert repr(-(b // t)) == "<Dimension: -((dimension 0 of 'words') // (dimension 1 of 'words'))>"


def test_whole_numbers_give_dimensions_and_everything_else_tensors():
    b, t, _ = ops.shape(core.Input((None, 3)))
    for made in (b + 1, 1 - b, b * t, b // 2, 7 % t, -b, *divmod(t, b), np.int64(3) * b):
        assert isinstance(made, Dimension)
    for made, dtype in (
        (b * 0.5, "float32"),
        (b / t, "float32"),
        (b + np.ones(2, "int32"), "int32"),
        (ops.add(b, 1), "int32"),
        (b > t, "bool"),
    ):
        assert not isinstance(made, Dimension)
        assert made.dtype == dtype


@pytest.mark.parametrize(
    "use",
    {
        "int": int, "float": float, "range": range, "bool": bool, "index": lambda b: [1, 2][b], "if": lambda b: 1 if b > 3 else 2,
        "if <=": lambda b: 1 if 2 * b <= b else 2, "max": lambda b: max(b, 1), "array": np.asarray, "math": math.sqrt,
    }.values(),
)  # fmt: skip
def test_a_use_that_needs_the_number_says_that_it_is_not_known(use):
    b = ops.shape(core.Input((3,), name="pixels"))[0]
    with pytest.raises(TypeError, match=r"dimension 0 of 'pixels'.* is not known before data comes.*core\.ops"):
        use(b)


def test_a_number_of_tensors_must_be_known():
    x = core.Input((None, 3))
    t = ops.shape(x)[1]
    for call in (lambda: ops.split(x, t, 1), lambda: ops.unstack(x, t, 1), lambda: ops.array_split(x, t, 1)):
        with pytest.raises(ValueError, match="must be known"):
            call()


def test_errors_of_shapes_that_cannot_fit_stay():
    x = core.Input((4, 3))
    b = ops.shape(x)[0]
    with pytest.raises(ValueError, match="12 elements do not divide"):
        ops.reshape(x, (b, 5, -1))
    with pytest.raises(ValueError, match="cannot stretch"):
        ops.broadcast_to(x, (b, 7, 3))
    with pytest.raises(ValueError, match="find one dimension"):
        ops.reshape(x, (b, -1, -1))
    with pytest.raises(ValueError, match="must hold integers or None, got 'a'"):
        ops.zeros((b, "a"))


def test_reshape_finds_the_last_dimension_where_unknown_ones_cancel():
    x = core.Input((None, 8))
    b, t, _ = ops.shape(x)
    assert ops.reshape(x, (b, t, 2, -1)).shape == (None, None, 2, 4)
    assert ops.reshape(x, (b * t, -1)).shape == (None, 8)
    assert ops.reshape(x, (2 * t, b, -1)).shape == (None, None, 4)
    assert ops.reshape(x, (b, -1)).shape == (None, None)
    assert ops.reshape(x, (b // 2, t, -1)).shape == (None, None, None)
    other = ops.shape(core.Input((8,)))[0]
    assert ops.reshape(x, (other, t, -1)).shape == (None, None, None)


def test_a_dimension_in_a_shape_is_unknown():
    x = core.Input((None, 3))
    b, t, _ = ops.shape(x)
    assert KerasTensor((b, 2 * t, 3)).shape == (None, None, 3)
    assert core.Input(batch_shape=ops.shape(x)).shape == (None, None, 3)
    assert core.Input(shape=ops.shape(x)[1:]).shape == (None, None, 3)
    assert ops.zeros((b, ops.sum(x))).shape == (None, None)  # any symbolic scalar is


# -------------------------------------------------------------------------------------------- random draws

DRAWS = {
    "normal": lambda b, t, seed: random.normal((b, t), seed=seed),
    "uniform": lambda b, t, seed: random.uniform([b, 2 * t], -1.0, 1.0, seed=seed),
    "truncated_normal": lambda b, t, seed: random.truncated_normal((t, b + 1), seed=seed),
    "randint": lambda b, t, seed: random.randint((b, t, 2), 0, 9, seed=seed),
    "gamma": lambda b, t, seed: random.gamma((b, t), 2.0, seed=seed),
    "beta": lambda b, t, seed: random.beta((b, t), 2.0, 3.0, seed=seed),
    "binomial": lambda b, t, seed: random.binomial((b, t), 10.0, 0.5, seed=seed),
    "categorical": lambda b, t, seed: random.categorical(ops.zeros((b, 5)), t, seed=seed),
    "dropout": lambda b, t, seed: random.dropout(ops.ones((b, t)), 0.5, noise_shape=(b, 1), seed=seed),
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_of_unknown_shapes_are_those_of_known_ones(backend):
    with slot.use(backend):
        x = core.Input((None, 3))
        b, t, _ = ops.shape(x)
        model = core.Model(x, {name: draw(b, t, 7) for name, draw in DRAWS.items()})
        for name, got in model(X).items():
            np.testing.assert_array_equal(n(got), n(DRAWS[name](4, 6, 7)), err_msg=name)


def test_draws_in_one_tensorflow_graph_for_all_sizes():
    tf = pytest.importorskip("tensorflow")
    with slot.use("tensorflow"):
        x = core.Input((None, 3))
        b, t, _ = ops.shape(x)
        model = core.Model(x, {name: draw(b, t, 7) for name, draw in DRAWS.items()})
        run = tf.function(lambda data: model(data), input_signature=[tf.TensorSpec((None, None, 3))])
        for data in (X, WIDE):
            for name, got in run(data).items():
                np.testing.assert_array_equal(n(got), n(DRAWS[name](*data.shape[:2], 7)), err_msg=name)


# -------------------------------------------------------------------------------------------- graphs and models


def test_calls_on_shapes_alone_run_where_the_inputs_are():
    torch = pytest.importorskip("torch")
    x = core.Input((3,))
    b = ops.shape(x)[0]
    outputs = [ops.zeros((b, 2)), ops.cast(b, "float32"), random.normal((b, 2), seed=1)]
    assert all(isinstance(y, torch.Tensor) for y in core.Function(x, outputs)(torch.ones((4, 3))))  # NumPy is the active backend
    with slot.use("torch"):
        model = core.Model(x, outputs)
    assert all(isinstance(y, torch.Tensor) for y in model(X[:, 0]))


def test_a_model_inside_another_and_a_model_from_the_middle():
    x = core.Input((None, 4))
    h = layers.Dense(6)(x)
    b, t, _ = ops.shape(h)
    y = ops.reshape(h, (b, t * 2, 3))
    inner, tail = core.Model(x, y), core.Model(h, y)
    outer_input = core.Input(batch_shape=(5, 7, 4))  # what the inner model does not know, the outer one does
    inside = inner(outer_input)
    assert inside.shape == (5, 14, 3)
    outer = core.Model(outer_input, ops.concatenate([inside, ops.zeros((ops.shape(inside)[0], 1, 3))], 1))
    data = np.random.default_rng(0).normal(size=(5, 7, 4)).astype("float32")
    want = (data @ n(inner.layers[1].kernel)).reshape(5, 14, 3)
    np.testing.assert_allclose(n(outer(data))[:, :-1], want, 1e-5, 1e-6)
    np.testing.assert_allclose(n(tail(data @ n(inner.layers[1].kernel))), want, 1e-5, 1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sizes_are_outputs_as_tensors(backend):
    with slot.use(backend):
        x = core.Input((None, 3))
        b, t, _ = ops.shape(x)
        model = core.Model(x, {"size": b * t, "double": 2 * b + 1})
        got = model(X)
        assert {name: (n(y).item(), ops.dtype(y)) for name, y in got.items()} == {"size": (24, "int32"), "double": (9, "int32")}
        assert all(slot.owner(y) is slot.get(backend) or backend == "numpy" for y in got.values())


def test_a_shape_given_as_a_tensor_has_its_number_of_dimensions():
    x = core.Input((None, 3))
    b, t, _ = ops.shape(x)
    y = ops.reshape(x, ops.stack([t, b, 3]))
    assert y.shape == (None, None, None)
    np.testing.assert_array_equal(n(core.Model(x, y)(X)), X.reshape(6, 4, 3))


def test_masks_go_through_such_graphs():
    tokens = core.Input((None,), dtype="int32")
    h = layers.Embedding(10, 4, mask_zero=True)(tokens)
    b, t, _ = ops.shape(h)
    y = layers.GlobalAveragePooling1D()(layers.Activation("tanh")(h))
    model = core.Model(tokens, ops.concatenate([y, ops.zeros((b, 1)) + ops.cast(t, "float32")], axis=1))
    short, padded = np.array([[1, 2]], "int32"), np.array([[1, 2, 0, 0]], "int32")
    np.testing.assert_allclose(n(model(short))[:, :4], n(model(padded))[:, :4], 1e-6)
    assert (n(model(short))[0, 4], n(model(padded))[0, 4]) == (2, 4)


def test_a_size_of_another_input_must_be_among_the_inputs():
    x, other = core.Input((3,)), core.Input((2,), name="other")
    y = ops.concatenate([x, ops.zeros((ops.shape(other)[0], 1))], 1)
    with pytest.raises(ValueError, match="not connected.*'other'"):
        core.Model(x, y)
    assert core.Model([x, other], y)([np.ones((4, 3), "float32"), np.ones((4, 2), "float32")]).shape == (4, 4)


def test_layers_after_them_are_built_for_the_known_axes():
    x = core.Input((4, 3))
    b = ops.shape(x)[0]
    h = layers.Dense(5)(ops.reshape(x, (b, -1)))
    h = ops.concatenate([h, ops.ones((b, 1))], axis=1)
    y = layers.Dense(2)(layers.LayerNormalization()(h))
    model = core.Model(x, y)
    assert [w.shape for w in model.weights] == [(12, 5), (5,), (6,), (6,), (6, 2), (2,)]
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert all(word in text for word in ("dense", "layer_normalization", "(None, 5)", "concatenate"))
    assert model(X[:, :4]).shape == (4, 2)


class Chunks(layers.Layer):
    """Folds time into chunks of two; asks for sizes in `call`."""

    def call(self, x):
        b, t, d = ops.shape(x)
        return ops.reshape(x, (b, t // 2, 2 * d)), t // 2


def test_a_layer_may_compute_with_sizes_and_return_them():
    x = core.Input((None, 3))
    chunks, count = Chunks()(x)
    assert chunks.shape == (None, None, 6)
    y = ops.sum(chunks, 1) / ops.cast(count, "float32") + ops.reshape(ops.arange(6 * count, dtype="float32"), (count, 6))[0]
    model = core.Model(x, y)
    np.testing.assert_allclose(n(model(X)), X.reshape(4, 3, 6).mean(1) + np.arange(6), 1e-5, 1e-6)


class Loops(layers.Layer):
    """Needs the length as a Python number."""

    def call(self, x):
        return ops.stack([ops.sum(x[:, : i + 1], 1) for i in range(ops.shape(x)[1])], 1)


def test_a_layer_that_needs_the_number_is_still_inferred():
    y = Loops()(core.Input((None, 3)))
    assert y.shape == (None, None, 3)


def test_models_can_be_cloned():
    x, outputs = graph()
    model = core.Model(x, outputs)
    clone = core.models.clone_model(model)
    assert clone.inputs[0] is not model.inputs[0]
    assert {id(node) for node in clone._nodes}.isdisjoint(id(node) for node in model._nodes)
    check(clone(WIDE), WIDE)


def test_where_a_clone_knows_the_sizes_they_are_ints():
    names = ["reshape", "x[:, :n]", "x[n:]", "concatenate", "tile", "mean by hand", "slice_update"]
    model = core.Model(*graph(names))
    known = core.models.clone_model(model, input_tensors=core.Input(batch_shape=WIDE.shape))
    assert all(None not in y.shape for y in known.outputs)
    assert not any(isinstance(x, Dimension) for node in known._nodes for x in node.outputs)
    check(known(WIDE), WIDE)


# -------------------------------------------------------------------------------------------- files


def test_models_are_saved_and_loaded(tmp_path):
    x, outputs = graph()
    core.Model(x, outputs).save(tmp_path / "graph.keras")
    loaded = core.saving.load_model(tmp_path / "graph.keras")
    for data in (X, WIDE):
        check(loaded(data), data)
    loaded.save(tmp_path / "again.keras")
    assert config_of(tmp_path / "graph.keras") == config_of(tmp_path / "again.keras")


def config_of(path):
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("config.json"))


def test_a_file_without_them_has_nothing_of_them(tmp_path):
    x = core.Input((4, 3))
    core.Model(x, ops.reshape(x[:, 1:], (-1, 9))).save(tmp_path / "plain.keras")
    assert "dimension" not in json.dumps(config_of(tmp_path / "plain.keras")).lower()


def dimension_config():
    x = core.Input((3,), name="x")
    config = core.Model(x, ops.zeros((2 * ops.shape(x)[0], 3))).get_config()
    return config, [entry for entry in config["layers"] if entry["class_name"] == "Dimension"]


def test_an_entry_has_a_form_of_its_own():
    _, (size, product) = dimension_config()
    assert size["module"] == product["module"] == "core.dimensions"
    assert (size["config"]["operation"], product["config"]["operation"]) == ("dimension", "dimension_mul")
    assert size["inbound_nodes"][0]["args"][1] == 0
    assert product["inbound_nodes"][0]["args"][0] == 2


@pytest.mark.parametrize(
    ("which", "change", "kind", "words"),
    [
        (1, {"operation": "dimension_pow"}, UnsafeArtifactError, "names the operation on dimensions 'dimension_pow'"),
        (1, {"operation": ["dimension_mul"]}, UnsafeArtifactError, "names the operation on dimensions"),
        (1, {"operation": "dimension_neg"}, ConfigError, "arguments that it does not take"),
        (0, {"args": [2, 3]}, ConfigError, "arguments that it does not take"),
        (0, {"axis": 2}, ConfigError, "arguments that it does not take"),
        (0, {"axis": -1}, ConfigError, "arguments that it does not take"),
        (0, {"axis": True}, ConfigError, "arguments that it does not take"),
        (1, {"args": [2, 3]}, ConfigError, "arguments that it does not take"),
        (1, {"factor": "a" * 10}, ConfigError, "arguments that it does not take"),
        (1, {"factor": 2.0}, ConfigError, "arguments that it does not take"),
        (1, {"factor": [1, 2]}, ConfigError, "arguments that it does not take"),
        (1, {"kwargs": {"b": 3}}, ConfigError, "arguments that it does not take"),
    ],
)
def test_a_wrong_entry_is_refused(which, change, kind, words):
    config, entries = dimension_config()
    assert core.Model.from_config(json.loads(json.dumps(config))).output_shape == (None, 3)
    call = entries[which]["inbound_nodes"][0]
    for key, value in change.items():
        if key == "operation":
            entries[which]["config"]["operation"] = value
        elif key in ("axis", "factor"):
            call["args"][1 if key == "axis" else 0] = value
        else:
            call[key] = value
    with pytest.raises(kind, match=words):
        core.Model.from_config(json.loads(json.dumps(config)))


def test_a_short_file_of_a_huge_product_is_read_and_shown():
    x = core.Input((3,), name="x")
    size = ops.shape(x)[0]
    for _ in range(200):
        size = size * size
    model = core.Model(x, ops.reshape(x, (size, -1)))
    loaded = core.Model.from_config(json.loads(json.dumps(model.get_config())))
    assert loaded.output_shape == (None, None)
    assert len(repr(size)) < 5000


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))], ids=["deepcopy", "pickle"])
def test_models_are_copied(copied, tmp_path):
    x = core.Input((None, 3))
    b, t, _ = ops.shape(x)
    model = core.Model(x, layers.Dense(2)(ops.reshape(x[:, : t // 2], (b * (t // 2), 3))))
    twin = copied(model)
    np.testing.assert_array_equal(n(twin(X)), n(model(X)))
    twin.save(tmp_path / "twin.keras")
    np.testing.assert_allclose(n(core.saving.load_model(tmp_path / "twin.keras")(X)), n(model(X)), 1e-6)


# -------------------------------------------------------------------------------------------- training


def mean_by_hand():
    x = core.Input((None, 3))
    t = ops.shape(x)[1]
    mean = ops.sum(layers.Dense(8, activation="tanh")(x), axis=1) / ops.cast(t, "float32")
    b = ops.shape(mean)[0]
    return core.Model(x, layers.Dense(1)(ops.concatenate([mean, ops.ones((b, 1))], axis=1)))


def mean_by_layer():
    x = core.Input((None, 3))
    mean = layers.GlobalAveragePooling1D()(layers.Dense(8, activation="tanh")(x))
    return core.Model(x, layers.Dense(1)(layers.Concatenate()([mean, layers.Lambda(lambda v: v[:, :1] * 0 + 1)(mean)])))


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_training_is_that_of_the_same_model_without_sizes(backend):
    rng = np.random.default_rng(3)
    data = rng.normal(size=(22, 6, 3)).astype("float32")  # the last batch of 8 is short
    target = data.mean((1, 2))[:, None]
    with slot.use(backend):
        models = [mean_by_hand(), mean_by_layer()]
        models[1].set_weights(models[0].get_weights())
        losses = []
        for model in models:
            model.compile(core.optimizers.Adam(0.01), "mse")
            losses.append(model.fit(data, target, epochs=3, batch_size=8, shuffle=False, verbose=0).history["loss"])
        np.testing.assert_allclose(losses[0], losses[1], 1e-4)
        assert losses[0][-1] < losses[0][0]
        for a, b in zip(*(model.get_weights() for model in models)):
            np.testing.assert_allclose(a, b, 1e-3, 1e-5)
        np.testing.assert_allclose(models[0].predict(data, verbose=0), models[1].predict(data, verbose=0), 1e-3, 1e-5)
        assert models[0].predict(rng.normal(size=(3, 9, 3)), verbose=0).shape == (3, 1)  # another length


def autoencoder(seeds):
    """Kingma and Welling (2014), with the sampling written as calls of the graph."""
    x = core.Input((8,))
    h = layers.Dense(16, activation="relu")(x)
    mean, log_variance = layers.Dense(2)(h), layers.Dense(2)(h)
    noise = random.normal((ops.shape(mean)[0], 2), seed=seeds)
    z = mean + ops.exp(0.5 * log_variance) * noise
    return core.Model(x, layers.Dense(8)(z))


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_an_autoencoder_samples_in_the_graph(backend, tmp_path):
    data = np.random.default_rng(4).normal(size=(20, 8)).astype("float32")
    with slot.use(backend):
        seeds = random.SeedGenerator(5)
        model = autoencoder(seeds)
        assert any(v is seeds.state for v in model.non_trainable_variables)
        model.compile("adam", "mse")
        before = n(seeds.state)[1]
        history = model.fit(data, data, epochs=2, batch_size=8, verbose=0)
        assert np.isfinite(history.history["loss"]).all()
        assert n(seeds.state)[1] > before + 5  # a new seed for each of the six steps
        assert np.abs(n(model(data)) - n(model(data))).max() > 1e-3  # new draws at each call
        model.save(tmp_path / "vae.keras")
        loaded = core.saving.load_model(tmp_path / "vae.keras")  # its draws start from the seed again
        seeds.state.assign(loaded.non_trainable_variables[0].value)
        np.testing.assert_allclose(n(loaded(data)), n(model(data)), 1e-5, 1e-6)
        clone = core.models.clone_model(model)
        assert not any(v is seeds.state for v in clone.variables)
    elsewhere = "torch" if backend != "torch" else "jax"
    model.to_backend(elsewhere)
    assert slot.owner(model(data)) is slot.get(elsewhere)


def language_model(vocabulary=11, width=8, heads=2):
    """One block of attention whose causal mask and places are made from the sizes of the input."""
    tokens = core.Input((None,), dtype="int32")
    b, t = ops.shape(tokens)
    h = layers.Embedding(vocabulary, width)(tokens) + layers.Embedding(32, width)(ops.arange(t))
    q, k, v = (ops.transpose(ops.reshape(layers.Dense(width)(h), (b, t, heads, width // heads)), (0, 2, 1, 3)) for _ in range(3))
    causal = ops.arange(t)[:, None] >= ops.arange(t)[None, :]
    scores = ops.where(causal, ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / (width // heads) ** 0.5, -1e9)
    mixed = ops.reshape(ops.transpose(ops.matmul(ops.softmax(scores), v), (0, 2, 1, 3)), (b, t, width))
    return core.Model(tokens, layers.Dense(vocabulary)(h + mixed))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_sequence_model_makes_its_causal_mask_from_the_length(backend, tmp_path):
    rng = np.random.default_rng(6)
    tokens = rng.integers(0, 11, (4, 9)).astype("int32")
    with slot.use(backend):
        model = language_model()
        assert model.output_shape == (None, None, 11)
        full = n(model(tokens))
        np.testing.assert_allclose(n(model(tokens[:2, :5])), full[:2, :5], 1e-4, 1e-5)  # what comes later does not matter
        model.save(tmp_path / "lm.keras")
        np.testing.assert_allclose(n(core.saving.load_model(tmp_path / "lm.keras")(tokens)), full, 1e-5, 1e-6)
        if backend != "numpy":
            model.compile("adam", core.losses.SparseCategoricalCrossentropy(from_logits=True))
            losses = model.fit(tokens[:, :-1], tokens[:, 1:], epochs=3, verbose=0).history["loss"]
            assert losses[-1] < losses[0]
            assert model.predict(tokens[:, :3], verbose=0).shape == (4, 3, 11)
