"""Layers without recurrence, attention or normalization: the conformance suite on every backend, and the same numbers as Keras."""

import doctest
import importlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from core import layers as L
from core import ops
from core.backend import slot
from core.backend.masks import set_mask
from core.base.errors import ConfigError
from core.base.registry import custom_object_scope, serialize_keras_object
from core.state.variable import Variable
from core.testing import check_layer
from core.testing.layer_suite import fill
from core.transforms import value_and_grad

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
pytestmark = pytest.mark.usefixtures("quick_compilation")
INTS = np.array([[1, 0, 2], [4, 3, 0]], "int32")

# (class, arguments, inputs, options of check_layer); the options `expected_output_shape` and `supports_masking` as "shape" and "masks".
TABLE = [
    ("Dense", {"units": 3}, (2, 4), {"shape": (2, 3)}),
    ("Dense", {"units": 3, "activation": "gelu", "use_bias": False}, (2, 5, 4), {"shape": (2, 5, 3), "masks": True}),
    (
        "Dense",
        {
            "units": 3,
            "kernel_regularizer": "l2",
            "bias_constraint": "non_neg",
            "activity_regularizer": {"class_name": "L1", "config": {"l1": 0.5}},
        },
        (2, 4),
        {},
    ),
    ("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}, (2, 4), {"shape": (2, 3)}),
    ("EinsumDense", {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "de"}, (2, 5, 4), {"shape": (2, 5, 2, 3)}),
    ("EinsumDense", {"equation": "abcd,cde->abe", "output_shape": (None, 6), "activation": "relu"}, (2, 3, 2, 4), {"shape": (2, 3, 6)}),
    ("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, (2, 5, 4), {"shape": (2, 5, 3)}),
    ("EinsumDense", {"equation": "abc,bd->adc", "output_shape": (6, None), "bias_axes": "d"}, (2, 5, 4), {"shape": (2, 6, 4)}),
    ("Embedding", {"input_dim": 5, "output_dim": 3}, INTS, {"shape": (2, 3, 3), "masks": False}),
    ("Embedding", {"input_dim": 5, "output_dim": 3, "mask_zero": True}, INTS, {"masks": True}),
    ("ReversibleEmbedding", {"input_dim": 5, "output_dim": 3}, INTS, {"shape": (2, 3, 3)}),
    ("ReversibleEmbedding", {"input_dim": 5, "output_dim": 3, "logit_soft_cap": 2.0}, (2, 3), {"call": {"reverse": True}, "shape": (2, 5)}),
    ("ReversibleEmbedding", {"input_dim": 5, "output_dim": 3, "tie_weights": False}, INTS, {"gradient": False}),
    ("Conv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3), {"shape": (2, 5, 4)}),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, (2, 7, 3), {"shape": (2, 7, 4)}),
    ("Conv1D", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"}, (2, 7, 3), {"shape": (2, 4, 4)}),
    ("Conv2D", {"filters": 4, "kernel_size": (3, 2)}, (2, 6, 7, 3), {"shape": (2, 4, 6, 4)}),
    ("Conv2D", {"filters": 4, "kernel_size": 3, "groups": 2, "padding": "same", "strides": 2}, (2, 6, 7, 4), {"shape": (2, 3, 4, 4)}),
    ("Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, (1, 6, 7, 3), {}),
    ("Conv3D", {"filters": 2, "kernel_size": 2}, (1, 3, 4, 3, 2), {"shape": (1, 2, 3, 2, 2)}),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, (2, 7, 3), {"shape": (2, 5, 6)}),
    ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "strides": 2}, (2, 6, 7, 3), {"shape": (2, 3, 4, 3)}),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3}, (2, 7, 3), {"shape": (2, 5, 4)}),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "dilation_rate": 2}, (2, 7, 3), {"shape": (2, 7, 4)}),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "depth_multiplier": 2}, (2, 6, 7, 3), {"shape": (2, 4, 5, 4)}),
    ("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, (2, 5, 3), {"shape": (2, 11, 4)}),
    ("Conv1DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, (2, 5, 3), {"shape": (2, 10, 4)}),
    ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}, (1, 4, 5, 3), {}),
    ("Conv3DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, (1, 2, 3, 2, 3), {"shape": (1, 4, 6, 4, 2)}),
    ("MaxPooling1D", {}, (2, 7, 3), {"shape": (2, 3, 3)}),
    ("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 7, 3), {"shape": (2, 4, 3)}),
    ("MaxPooling2D", {}, (2, 6, 7, 3), {"shape": (2, 3, 3, 3)}),
    ("MaxPooling3D", {}, (1, 4, 4, 5, 3), {"shape": (1, 2, 2, 2, 3)}),
    ("AveragePooling1D", {"pool_size": 2}, (2, 7, 3), {"shape": (2, 3, 3)}),
    ("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, (2, 6, 7, 3), {"shape": (2, 3, 4, 3)}),
    ("AveragePooling3D", {"pool_size": 2}, (1, 4, 4, 5, 3), {"shape": (1, 2, 2, 2, 3)}),
    ("GlobalMaxPooling1D", {}, (2, 5, 3), {"shape": (2, 3)}),
    ("GlobalMaxPooling2D", {"keepdims": True}, (2, 5, 4, 3), {"shape": (2, 1, 1, 3)}),
    ("GlobalMaxPooling3D", {"data_format": "channels_first"}, (2, 3, 2, 3, 4), {"shape": (2, 3)}),
    ("GlobalAveragePooling1D", {}, (2, 5, 3), {"shape": (2, 3), "masks": False}),
    ("GlobalAveragePooling2D", {}, (2, 5, 4, 3), {"shape": (2, 3)}),
    ("GlobalAveragePooling3D", {"keepdims": True}, (2, 3, 2, 3, 4), {"shape": (2, 1, 1, 1, 4)}),
    ("AdaptiveAveragePooling1D", {"output_size": 3}, (2, 7, 3), {"shape": (2, 3, 3)}),
    ("AdaptiveAveragePooling2D", {"output_size": (2, 3)}, (2, 5, 7, 3), {"shape": (2, 2, 3, 3)}),
    ("AdaptiveAveragePooling3D", {"output_size": 2}, (1, 3, 4, 5, 2), {"shape": (1, 2, 2, 2, 2)}),
    ("AdaptiveMaxPooling1D", {"output_size": 3}, (2, 7, 3), {"shape": (2, 3, 3)}),
    ("AdaptiveMaxPooling2D", {"output_size": (2, 3)}, (2, 5, 7, 3), {"shape": (2, 2, 3, 3)}),
    ("AdaptiveMaxPooling3D", {"output_size": 2}, (1, 3, 4, 5, 2), {"shape": (1, 2, 2, 2, 2)}),
    ("Flatten", {}, (2, 3, 4), {"shape": (2, 12)}),
    ("Flatten", {"data_format": "channels_first"}, (2, 3, 4, 2), {"shape": (2, 24)}),
    ("Flatten", {}, INTS, {"shape": (2, 3)}),
    ("Reshape", {"target_shape": (2, -1)}, (3, 4, 2), {"shape": (3, 2, 4)}),
    ("Permute", {"dims": (2, 3, 1)}, (2, 3, 4, 5), {"shape": (2, 4, 5, 3)}),
    ("RepeatVector", {"n": 3}, (2, 4), {"shape": (2, 3, 4)}),
    ("ZeroPadding1D", {"padding": (1, 2)}, (2, 3, 4), {"shape": (2, 6, 4)}),
    ("ZeroPadding2D", {}, (2, 3, 4, 2), {"shape": (2, 5, 6, 2)}),
    ("ZeroPadding2D", {"padding": ((0, 1), (2, 3)), "data_format": "channels_first"}, (2, 3, 4, 2), {"shape": (2, 3, 5, 7)}),
    ("ZeroPadding3D", {}, (1, 2, 2, 2, 1), {"shape": (1, 4, 4, 4, 1)}),
    ("Cropping1D", {"cropping": (1, 2)}, (2, 6, 3), {"shape": (2, 3, 3)}),
    ("Cropping2D", {"cropping": ((1, 0), (2, 1))}, (2, 5, 6, 3), {"shape": (2, 4, 3, 3)}),
    ("Cropping3D", {}, (1, 4, 5, 3, 2), {"shape": (1, 2, 3, 1, 2)}),
    ("UpSampling1D", {"size": 3}, (2, 3, 4), {"shape": (2, 9, 4)}),
    ("UpSampling2D", {}, (2, 3, 4, 2), {"shape": (2, 6, 8, 2)}),
    ("UpSampling2D", {"interpolation": "bilinear"}, (2, 3, 4, 2), {"shape": (2, 6, 8, 2)}),
    ("UpSampling3D", {"size": (1, 2, 3)}, (1, 2, 2, 2, 1), {"shape": (1, 2, 4, 6, 1)}),
    ("Add", {}, [(2, 5, 3), (2, 5, 3), (2, 3)], {"shape": (2, 5, 3)}),
    ("Subtract", {}, [(2, 3), (2, 3)], {"shape": (2, 3), "masks": True}),
    ("Multiply", {}, [(2, 3), (2, 1)], {"shape": (2, 3)}),
    ("Average", {}, [(2, 3), (2, 3), (2, 3)], {"shape": (2, 3)}),
    ("Maximum", {}, [(2, 3), (2, 3)], {"shape": (2, 3)}),
    ("Minimum", {}, [(2, 3), (2, 3)], {"shape": (2, 3)}),
    ("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 5, 4)], {"shape": (2, 8, 4)}),
    ("Concatenate", {}, [(2, 3, 4), (2, 3, 1)], {"shape": (2, 3, 5), "masks": True}),
    ("Dot", {"axes": 1}, [(2, 3), (2, 3)], {"shape": (2, 1)}),
    ("Dot", {"axes": (2, 1), "normalize": True}, [(2, 3, 4), (2, 4, 5)], {"shape": (2, 3, 5)}),
    ("Activation", {"activation": "gelu"}, (2, 3), {"shape": (2, 3), "masks": True}),
    ("ReLU", {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.2}, (2, 3), {}),
    ("LeakyReLU", {}, (2, 3), {"masks": True}),
    ("PReLU", {"shared_axes": [1]}, (2, 3, 4), {"shape": (2, 3, 4), "masks": True}),
    ("ELU", {"alpha": 0.5}, (2, 3), {}),
    ("Softmax", {}, (2, 3), {}),
    ("Softmax", {"axis": (1, 2)}, (2, 3, 4), {}),
    ("Masking", {"mask_value": 0.5}, (2, 3, 4), {"shape": (2, 3, 4), "masks": True}),
    ("Identity", {}, (2, 3), {}),
    ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 3), {}),
    ("Rescaling", {"scale": 0.5, "offset": [1.0, 2.0, 3.0]}, (2, 3), {"masks": True}),
    ("Rescaling", {"scale": 0.5}, INTS, {}),
    ("Normalization", {}, (2, 3), {}),
    ("Normalization", {"axis": (1,), "mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 0.25]}, (2, 3, 4), {}),
    ("Normalization", {"axis": None, "mean": 2.0, "variance": 4.0, "invert": True}, (2, 3), {}),
    ("UnitNormalization", {}, (2, 3), {"masks": True}),
    ("UnitNormalization", {"axis": [1, 2]}, (2, 3, 4), {}),
    ("CategoryEncoding", {"num_tokens": 5}, INTS, {"shape": (2, 5)}),
    ("CategoryEncoding", {"num_tokens": 5, "output_mode": "one_hot"}, INTS, {"shape": (2, 3, 5)}),
    ("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, INTS, {"shape": (2, 5)}),
]
IDS = [f"{i}-{entry[0]}" for i, entry in enumerate(TABLE)]


def options(entry):
    names = {"shape": "expected_output_shape", "masks": "supports_masking", "call": "call_kwargs"}
    return {names.get(k, k): v for k, v in entry[3].items()}


@pytest.mark.parametrize("entry", TABLE, ids=IDS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_conformance(entry, backend):
    name, kwargs, inputs, _ = entry
    check_layer(getattr(L, name), kwargs, inputs, backend, **options(entry))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kwargs", [{"power_iterations": 1}, {"power_iterations": 3}])
def test_wrapped_conformance(kwargs, backend):
    def make(**more):
        return L.SpectralNormalization(L.Dense(3, name="inner", dtype=more.get("dtype")), name="outer", **kwargs, **more)

    check_layer(make, {}, (2, 4), backend, expected_output_shape=(2, 3))


# ------------------------------------------------------------------------------------------------ against Keras

_ORACLE = """
import json, sys
import numpy as np
import keras

table = json.load(open(sys.argv[1]))
arrays = np.load(sys.argv[2])
plain = ("scale", "offset", "mean", "variance", "shared_axes")  # lists stay lists there


def tuples(value):
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def run(i, name, kwargs, count, call):
    layer = getattr(keras.layers, name)(**{k: v if k in plain else tuples(v) for k, v in kwargs.items()})
    inputs = [arrays[f"{i}_input_{j}"] for j in range(max(count, 1))]
    inputs = inputs if count else inputs[0]
    layer(inputs, **call)
    shapes, names = [list(w.shape) for w in layer.weights], [w.name for w in layer.weights]
    layer.set_weights([arrays[f"{i}_weight_{j}"] for j in range(len(shapes))])
    getattr(layer, "finalize_state", lambda: None)()  # what Normalization makes of its weights
    saved[str(i)] = np.asarray(keras.ops.convert_to_numpy(layer(inputs, **call)))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    return {"shapes": shapes, "names": names, "config": config, "masking": layer.supports_masking}


results, saved = [], {}
for i, entry in enumerate(table):
    try:
        results.append(run(i, *entry))
    except Exception as error:
        results.append({"error": f"{type(error).__name__}: {error}"})
np.savez(sys.argv[4], **saved)
json.dump(results, open(sys.argv[3], "w"))
"""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """What Keras makes of the table: one process for all entries."""
    pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("oracle")
    arrays, table, ours = {}, [], []
    with slot.use("jax"):
        for i, (name, kwargs, inputs, extra) in enumerate(TABLE):
            filled = fill(inputs, seed=i)
            layer = getattr(L, name)(**kwargs)
            layer(filled, **extra.get("call", {}))
            weights = [np.random.default_rng(j).uniform(0.1, 1, w.shape).astype(w.dtype) for j, w in enumerate(layer.weights)]
            layer.set_weights(weights)
            outputs = np.asarray(ops.convert_to_numpy(layer(filled, **extra.get("call", {}))))
            ours.append((layer, outputs))
            count = len(filled) if isinstance(filled, list) else 0
            table.append([name, kwargs, count, extra.get("call", {})])
            for j, array in enumerate(filled if count else [filled]):
                arrays[f"{i}_input_{j}"] = array
            for j, weight in enumerate(weights):
                arrays[f"{i}_weight_{j}"] = weight
    paths = [str(folder / name) for name in ("table.json", "arrays.npz", "results.json", "outputs.npz")]
    with open(paths[0], "w") as file:
        json.dump(table, file)
    np.savez(paths[1], **arrays)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", _ORACLE, *paths], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with open(paths[2]) as file:
        return ours, json.load(file), dict(np.load(paths[3]))


@pytest.mark.parametrize("number", range(len(TABLE)), ids=IDS)
def test_same_as_keras(number, oracle):
    (layer, outputs), theirs, their_outputs = oracle[0][number], oracle[1][number], oracle[2].get(str(number))
    assert "error" not in theirs, theirs["error"]
    assert [list(w.shape) for w in layer.weights] == theirs["shapes"]
    assert [w.name for w in layer.weights] == theirs["names"]
    np.testing.assert_allclose(outputs, their_outputs, rtol=1e-5, atol=1e-5)
    assert layer.supports_masking == theirs["masking"]
    mine = json.loads(json.dumps(serialize_keras_object(layer)))
    for config in (mine, theirs["config"]):
        del config["config"]["name"]  # counted per process
        if not layer.weights:  # Keras notes shapes that such layers were called with; nothing is built from them
            config.pop("build_config", None)
    assert mine["config"] == theirs["config"]["config"]
    assert mine == theirs["config"]


# ------------------------------------------------------------------------------------------------ what a table cannot say


@pytest.fixture(params=BACKENDS)
def backend(request):
    with slot.use(request.param) as chosen:
        yield chosen


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def test_every_name_is_there():
    for name in L.__all__:
        assert getattr(L, name) is not None
    assert L.Convolution2D is L.Conv2D and L.MaxPool2D is L.MaxPooling2D and L.GlobalAvgPool1D is L.GlobalAveragePooling1D


def test_merge_functions(backend):
    a, b = np.array([[1.0, -2.0]], "float32"), np.array([[3.0, 4.0]], "float32")
    expected = {
        "add": a + b,
        "subtract": a - b,
        "multiply": a * b,
        "average": (a + b) / 2,
        "maximum": np.maximum(a, b),
        "minimum": np.minimum(a, b),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(numpy(getattr(L, name)([a, b])), value, rtol=1e-6)
    np.testing.assert_allclose(numpy(L.concatenate([a, b], axis=0)), np.concatenate([a, b], 0))
    np.testing.assert_allclose(numpy(L.dot([a, b], axes=1)), [[-5.0]])


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: L.Dense(3, name="head"), (4,), ("Dense 'head'", "at least 2", "(4,)")),
        (lambda: L.Conv2D(3, 2, name="stem"), (2, 4, 4), ("Conv2D 'stem'", "at least 4", "(2, 4, 4)")),
        (lambda: L.Conv2D(4, 2, groups=2, name="stem"), (2, 4, 4, 3), ("Conv2D 'stem'", "2 groups", "(2, 4, 4, 3)")),
        (lambda: L.Reshape((5, 2), name="fold"), (2, 7), ("Reshape 'fold'", "(5, 2)", "(2, 7)")),
        (lambda: L.Cropping1D(3, name="cut"), (1, 4, 2), ("Cropping1D 'cut'", "3 + 3", "(1, 4, 2)")),
        (lambda: L.EinsumDense("abc,cd->abd", (None, 4)), (2, 3), ("EinsumDense", "abc,cd->abd", "(2, 3)")),
    ],
)
def test_shape_errors_name_layer_expected_and_got(make, shape, words):
    with slot.use("numpy"), pytest.raises(ValueError) as caught:
        make()(np.ones(shape, "float32"))
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_built_layer_says_what_it_was_built_for():
    with slot.use("numpy"):
        layer = L.Dense(3, name="head")
        layer(np.ones((2, 4), "float32"))
        with pytest.raises(ValueError, match=r"Dense 'head' expected last axis 4, got \(2, 5\)"):
            layer(np.ones((2, 5), "float32"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Dense(0),
        lambda: L.Conv2D(3, 2, groups=2),
        lambda: L.Conv2D(3, 2, padding="causal"),
        lambda: L.Permute((2, 2)),
        lambda: L.Dot(0),
        lambda: L.ReLU(threshold=-1.0),
        lambda: L.EinsumDense("ab->b", 3),
        lambda: L.Reshape((-1, -1)),
        lambda: L.CategoryEncoding(3, output_mode="two_hot"),
        lambda: L.Conv1D(2, 3, strides=2, dilation_rate=2),
        lambda: L.Add()([np.ones((2, 3)), np.ones((2, 4))]),
        lambda: L.Add()(np.ones((2, 3))),
        lambda: L.Concatenate()([np.ones((2, 3)), np.ones((3, 3))]),
    ],
)
def test_wrong_arguments_are_refused(make):
    with slot.use("numpy"), pytest.raises(ValueError):
        make()


def test_masks_of_merges():
    with slot.use("numpy"):
        x, a, b = np.ones((1, 3, 2), "float32"), np.array([[True, True, False]]), np.array([[True, False, False]])
        np.testing.assert_array_equal(L.Add().compute_mask([x, x], [a, b]), a | b)
        assert L.Add().compute_mask([x, x], [a, None]) is None
        np.testing.assert_array_equal(L.Concatenate(axis=1).compute_mask([x, x], [a, b]), np.concatenate([a, b], 1))


def test_masked_mean_and_softmax(backend):
    x = np.arange(12, dtype="float32").reshape(2, 3, 2)
    mask = np.array([[True, True, False], [True, False, False]])
    expected = np.stack([x[0, :2].mean(0), x[1, 0]])
    np.testing.assert_allclose(numpy(L.GlobalAveragePooling1D()(x, mask=backend.convert_to_tensor(mask))), expected)
    y = numpy(L.Softmax()(x[:, :, 0], mask=backend.convert_to_tensor(mask)))
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    assert (y[~mask] == 0).all()


def test_mask_goes_from_embedding_through_dense_to_the_mean(backend):
    embedding, dense = L.Embedding(5, 4, mask_zero=True), L.Dense(3)
    ids = np.array([[1, 2, 0], [3, 0, 0]], "int32")
    y = numpy(L.GlobalAveragePooling1D()(dense(embedding(ids))))
    rows = numpy(dense(embedding(ids)))
    np.testing.assert_allclose(y, [rows[0, :2].mean(0), rows[1, 0]], rtol=1e-5)


def test_masking_zeroes_and_masks(backend):
    x = np.array([[[0.0, 0.0], [1.0, 0.0]]], "float32")
    layer = L.Masking()
    np.testing.assert_array_equal(numpy(layer(x)), x)
    np.testing.assert_array_equal(numpy(layer.compute_mask(backend.convert_to_tensor(x))), [[False, True]])


def test_embedding_takes_weights(backend):
    table = np.arange(6, dtype="float32").reshape(3, 2)
    np.testing.assert_array_equal(numpy(L.Embedding(3, 2, weights=[table])(np.array([2, 0]))), table[[2, 0]])


def test_reversible_embedding_goes_back(backend):
    layer = L.ReversibleEmbedding(5, 3)
    x = layer(np.array([[1, 2]]))
    np.testing.assert_allclose(numpy(layer(x, reverse=True)), numpy(x) @ layer.get_weights()[0].T, rtol=1e-5)


@pytest.mark.parametrize("kind", ["array", "list", "batches", "tensor"])
def test_normalization_adapts(kind, backend):
    data = np.random.default_rng(0).normal(3.0, 2.0, (50, 4)).astype("float32")
    given = {
        "array": data,
        "list": data.tolist(),
        "batches": (data[i : i + 7] for i in range(0, 50, 7)),
        "tensor": backend.convert_to_tensor(data),
    }[kind]
    layer = L.Normalization()
    layer.adapt(given)
    np.testing.assert_allclose(layer.get_weights()[0], data.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[1], data.var(0), rtol=1e-5)
    y = numpy(layer(data))
    np.testing.assert_allclose([y.mean(0), y.std(0)], [np.zeros(4), np.ones(4)], atol=1e-5)
    back = L.Normalization(mean=data.mean(0), variance=data.var(0), invert=True)
    np.testing.assert_allclose(numpy(back(y)), data, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"], indirect=True)
def test_both_directions_of_an_embedding_take_the_fast_path(backend, monkeypatch):
    layer, ids, full = L.ReversibleEmbedding(10, 4), ops.convert_to_tensor(np.array([[1, 2, 3]], "int32")), []
    for _ in range(2):
        expected = layer(layer(ids), reverse=True)
    monkeypatch.setattr(L.Layer, "_full_call", lambda self, *call: full.append(call))
    np.testing.assert_array_equal(numpy(layer(layer(ids), reverse=True)), numpy(expected))
    masked = ops.convert_to_tensor(np.ones((1, 2), "float32"))
    set_mask(masked, ops.convert_to_tensor(np.ones((1, 2), bool)))
    layer(ids)  # a mask that some other tensor has closes no fast path
    assert not full
    layer(ids, training=True)  # a phase, another length and another dtype go the whole way
    layer(ids[:, :2])
    layer(ops.cast(ids, "int8"))
    set_mask(ids, ops.convert_to_tensor(np.ones((1, 3), bool)))
    layer(ids)
    assert len(full) == 4


def test_normalization_refuses_what_it_cannot_adapt_to():
    with slot.use("numpy"):
        with pytest.raises(ValueError, match="given mean and variance"):
            L.Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 3)))
        with pytest.raises(ValueError, match="no data"):
            L.Normalization().adapt(iter(()))


def test_data_layers_run_on_the_inputs_backend():
    tf = pytest.importorskip("tensorflow")
    with slot.use("torch"):
        layer = L.Normalization()
        layer.adapt(np.array([[1.0], [3.0]], "float32"))
        y = layer(tf.constant([[3.0]]))
    assert isinstance(y, tf.Tensor) and float(y[0, 0]) == 1.0


def test_spectral_normalization_brings_the_largest_singular_value_to_one(backend):
    layer = L.SpectralNormalization(L.Dense(3), power_iterations=50)
    x = np.ones((2, 4), "float32")
    layer(x)
    before = numpy(layer.layer.kernel.value).copy()
    layer(x, training=False)
    np.testing.assert_array_equal(numpy(layer.layer.kernel.value), before)
    layer(x, training=True)
    after = numpy(layer.layer.kernel.value)
    np.testing.assert_allclose(np.linalg.svd(after)[1][0], 1, rtol=1e-3)
    np.testing.assert_allclose(after / after[0, 0], before / before[0, 0], rtol=1e-3)


def test_activity_regularization_adds_to_the_losses(backend):
    layer = L.ActivityRegularization(l1=0.5, l2=0.25)
    layer(np.array([[1.0, -2.0], [3.0, 0.0]], "float32"))
    (loss,) = layer.losses
    assert float(loss) == pytest.approx((0.5 * 6 + 0.25 * 14) / 2)


def test_category_encoding_refuses_integers_out_of_range(backend):
    with pytest.raises(ValueError, match="from 0 to 2, got 0 to 3"):
        L.CategoryEncoding(3)(np.array([[0, 3]]))


def test_lambda(backend):
    x = np.array([[1.0, 2.0]], "float32")
    np.testing.assert_allclose(numpy(L.Lambda(lambda x, a: x * a, arguments={"a": 3.0})(x)), 3 * x)
    assert L.Lambda(lambda x: ops.sum(x, axis=-1))(L.Input((4,))).shape == (None,)
    assert L.Lambda(lambda x: x, output_shape=(7,))(L.Input((4,))).shape == (None, 7)
    seen = []
    L.Lambda(lambda x, training: seen.append(training) or x)(x, training=True)
    assert seen == [True]


def doubled(x, times=2):
    """`times` x."""
    return x * times


def test_lambda_is_saved_by_name_and_never_as_code():
    with slot.use("numpy"):
        with pytest.raises(ConfigError, match="register_keras_serializable"):
            L.serialize(L.Lambda(lambda x: x))
        config = json.loads(json.dumps(L.serialize(L.Lambda(doubled, arguments={"times": 5}))))
        with pytest.raises(ValueError):
            L.deserialize(config)
        with custom_object_scope({"doubled": doubled}):
            layer = L.deserialize(config)
        np.testing.assert_array_equal(layer(np.ones((1, 2), "float32")), np.full((1, 2), 5.0))


@pytest.mark.parametrize("name", ["torch", "jax", "tensorflow"])
@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (lambda **k: L.Dense(3, **k), (2, 4)),
        (lambda **k: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="e", **k), (2, 5, 4)),
        (lambda **k: L.Embedding(5, 3, **k), INTS),
        (lambda **k: L.Conv2D(3, 2, **k), (2, 4, 4, 5)),
    ],
    ids=["Dense", "EinsumDense", "Embedding", "Conv2D"],
)
def test_lora(make, inputs, name):
    with slot.use(name):
        x, layer, plain = fill(inputs), make(), make()
        before = numpy(layer(x))
        plain(x)
        layer.enable_lora(2, lora_alpha=4)
        np.testing.assert_allclose(numpy(layer(x)), before, rtol=1e-5, atol=1e-6)
        a, b = layer._lora_factors()
        base = layer.weights[0]
        assert not base.trainable and a.trainable and b.trainable
        b.assign(np.random.default_rng(0).normal(size=b.shape).astype("float32"))
        frozen = base.numpy().copy()
        _, grads = value_and_grad(lambda: ops.sum(ops.square(layer(x))), layer.trainable_variables)()
        assert all(np.abs(numpy(g)).sum() > 0 for g in grads)
        np.testing.assert_allclose(numpy(getattr(layer, layer.adapted)), frozen + 2 * a.numpy() @ b.numpy(), rtol=1e-5, atol=1e-6)
        store = {}
        layer.save_own_variables(store)
        plain.load_own_variables(store)
        after = numpy(layer(x))
        np.testing.assert_allclose(numpy(plain(x)), after, rtol=1e-4, atol=1e-5)
        layer.load_own_variables(store)  # the update is in the file's weight, so it must not count twice
        np.testing.assert_allclose(numpy(layer(x)), after, rtol=1e-4, atol=1e-5)
        assert not isinstance(store["0"], Variable)
        again = type(layer).from_config(layer.get_config())
        assert (again.lora_rank, again.lora_alpha) == (2, 4)
        again(x)
        assert [w.name for w in again.weights] == [w.name for w in layer.weights]
        with pytest.raises(ValueError, match="only once"):
            layer.enable_lora(2)


EXTRA = {"lambda_layer", "layer", "layer_state", "lora", "wrapper", "spectral_normalization"}
MODULES = sorted({L._HOMES[entry[0]] for entry in TABLE} | EXTRA)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module):
    found = importlib.import_module(f"core.layers.{module}")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    with slot.use("numpy"):
        for example in doctest.DocTestFinder().find(found, extraglobs={"np": np}):
            runner.run(example)
    assert runner.summarize(verbose=False).failed == 0
