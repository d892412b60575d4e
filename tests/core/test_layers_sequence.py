"""Normalization, noise, attention and recurrent layers: on each backend, and against Keras."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import core
from core import layers, ops
from core.backend import slot
from core.testing.layer_suite import check_layer

BACKENDS = ["numpy", "torch", "jax", "tensorflow"]
pytestmark = pytest.mark.usefixtures("quick_compilation")
X = (2, 4, 6)  # batch, time, features
OTHER = np.random.default_rng(5).uniform(-1, 1, (2, 5, 6)).astype("float32")
TRAIN = {"call_kwargs": {"training": True}, "deterministic": False}
SEQ = {"return_sequences": True}

# class, arguments, inputs, what check_layer shall know
CASES = [
    ("Dropout", {"rate": 0.5, "seed": 1}, X, {"supports_masking": True}),
    ("Dropout", {"rate": 0.5, "noise_shape": (None, 1, None)}, X, TRAIN),
    ("SpatialDropout1D", {"rate": 0.5}, X, TRAIN),
    ("SpatialDropout2D", {"rate": 0.5, "data_format": "channels_first"}, (2, 3, 4, 4), TRAIN),
    ("SpatialDropout3D", {"rate": 0.5}, (2, 3, 3, 3, 2), TRAIN),
    ("GaussianDropout", {"rate": 0.3}, X, TRAIN),
    ("GaussianNoise", {"stddev": 0.3}, X, TRAIN),
    ("AlphaDropout", {"rate": 0.3, "noise_shape": [2, 1, 6]}, X, TRAIN),
    ("BatchNormalization", {}, X, {"supports_masking": True}),
    ("BatchNormalization", {"axis": 1, "scale": False}, (2, 3, 4, 5), {}),
    ("BatchNormalization", {"renorm": True}, X, TRAIN),
    ("LayerNormalization", {}, X, {"supports_masking": True}),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, X, {}),
    ("GroupNormalization", {"groups": 3}, X, {"supports_masking": True}),
    ("GroupNormalization", {"groups": -1, "axis": 1}, (2, 3, 4, 5), {}),
    ("RMSNormalization", {}, X, {"supports_masking": True}),
    ("Attention", {"use_scale": True, "score_mode": "concat"}, [X, OTHER], {}),
    ("Attention", {"dropout": 0.5, "seed": 3}, [X, OTHER], TRAIN),
    ("AdditiveAttention", {}, [X, OTHER, OTHER], {}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, X, {"call_kwargs": {"value": OTHER}, "symbolic": False, "gradient": False}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 4, "output_shape": 7, "use_gate": True, "sliding_window": 2}, X,
     {"call_kwargs": {"value": OTHER, "use_causal_mask": True}, "symbolic": False, "gradient": False}),
    ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}, X,
     {"call_kwargs": {"value": OTHER}, "symbolic": False, "gradient": False}),
    ("SimpleRNN", {"units": 3, "activation": "relu"}, X, {"supports_masking": False}),
    ("SimpleRNN", {"units": 3, **SEQ}, X, {"supports_masking": True}),
    ("GRU", {"units": 3, **SEQ, "go_backwards": True}, X, {"supports_masking": True}),
    ("GRU", {"units": 3, "reset_after": False, "unroll": True}, X, {}),
    ("LSTM", {"units": 3, "return_state": True}, X, {}),
    ("LSTM", {"units": 3, "recurrent_activation": "tanh", "unit_forget_bias": False, **SEQ}, X, {"supports_masking": True}),
    ("LSTM", {"units": 3, "dropout": 0.3, "recurrent_dropout": 0.3}, X, TRAIN),
    ("Bidirectional", {"layer": ("LSTM", {"units": 3}), "merge_mode": "sum"}, X, {}),
    ("Bidirectional", {"layer": ("GRU", {"units": 3, **SEQ}), "merge_mode": None}, X, {"supports_masking": True}),
    ("TimeDistributed", {"layer": ("Dense", {"units": 3})}, X, {"supports_masking": True}),
    ("RNN", {"cell": ("StackedRNNCells", {"cells": [("LSTMCell", {"units": 3}), ("GRUCell", {"units": 2})]}), **SEQ}, X, {}),
    ("ConvLSTM1D", {"filters": 2, "kernel_size": 3}, (2, 3, 6, 2), {}),
    ("ConvLSTM2D", {"filters": 2, "kernel_size": 2, "padding": "same", "strides": 2, **SEQ}, (2, 3, 4, 4, 2), {"supports_masking": True}),
    ("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "dropout": 0.2, "recurrent_dropout": 0.2}, (2, 2, 3, 3, 3, 2), TRAIN),
]  # fmt: skip


def make(package, value):
    """Layers in place of `(name, arguments)`, also within arguments."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return getattr(package, value[0])(**{k: make(package, v) for k, v in value[1].items()})
    return [make(package, v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name, kwargs, inputs, known", CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_layer(name, kwargs, inputs, known, backend):
    def build(**given):
        return getattr(layers, name)(**{k: make(layers, v) for k, v in given.items()})

    build.__name__ = name
    known = dict(known)
    if name == "TimeDistributed" or name == "Bidirectional" or "cell" in kwargs:
        known["mixed_precision"] = False  # the layer inside has a policy of its own
    check_layer(build, kwargs, inputs, backend, **known)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mask", [None, [[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]]], ids=["plain", "masked"])
def test_lstm_is_the_formula(backend, mask):
    x = np.random.default_rng(0).normal(size=(3, 4, 6)).astype("float32")
    with slot.use(backend):
        layer = layers.LSTM(5, return_sequences=True, return_state=True)
        given = {} if mask is None else {"mask": ops.convert_to_tensor(np.array(mask, bool))}
        outputs = [ops.convert_to_numpy(y) for y in layer(x, **given)]
    kernel, recurrent, bias = (w.astype("float64") for w in layer.get_weights())
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    h, c, shown = np.zeros((3, 5)), np.zeros((3, 5)), []
    for t in range(4):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=-1)
        new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        seen = np.ones((3, 1)) if mask is None else np.array(mask)[:, t : t + 1]
        c, h = np.where(seen, new_c, c), np.where(seen, sigmoid(o) * np.tanh(new_c), h)
        shown.append(h)
    for got, expected in zip(outputs, (np.stack(shown, 1), h, c)):
        np.testing.assert_allclose(got, expected, atol=1e-5)


# Padded on the right, on the left, holes, one step, nothing seen, all seen.
TIMES = [[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1], [0, 1, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0], [0] * 6, [1] * 6, [1, 0, 1, 0, 1, 0]]


def stepped(cell):
    """A subclass of a cell of which a layer cannot know that the fused kernel computes the same: it goes step by step."""
    return type("Stepped", (cell,), {"call": lambda self, inputs, states, training=False: cell.call(self, inputs, states, training)})


def masked_results(layer, compiled):
    """Outputs, states, and the gradients of a weighted sum of them all in the weights and the inputs, of a masked layer."""
    rng, rows = np.random.default_rng(3), len(TIMES)
    x, mask = core.Variable(rng.normal(size=(rows, 6, 4)).astype("float32")), ops.convert_to_tensor(np.array(TIMES, bool))
    states = [ops.convert_to_tensor(rng.normal(size=(rows, 3)).astype("float32")) for _ in range(len(layer._state_specs(None)))]
    layer(x.value, initial_state=states, mask=mask)
    layer.set_weights([rng.uniform(-1, 1, w.shape).astype("float32") for w in layer.weights])
    shares = [ops.convert_to_tensor(rng.normal(size=shape).astype("float32")) for shape in ((rows, 6, 3), (rows, 3), (rows, 3))]

    def loss():
        outputs = layer(x.value, initial_state=states, mask=mask)
        return sum(ops.sum(y * share) for y, share in zip(outputs, shares)), outputs

    run = core.value_and_grad(loss, [x, *layer.trainable_variables], has_aux=True)
    (_, outputs), gradients = (core.jit(run) if compiled else run)()
    return [ops.convert_to_numpy(y) for y in (*outputs, *gradients)]


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}], ids=["plain", "backwards", "zeros"])
@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_masked_kernel_is_the_masked_loop(name, options, backend):
    options = {"return_sequences": True, "return_state": True, **options}
    with slot.use(backend):
        fused = masked_results(getattr(layers, name)(3, **options), compiled=False)
        plain = masked_results(layers.RNN(stepped(getattr(layers, name + "Cell"))(3), **options), compiled=backend != "torch")
    assert len(fused) == len(plain) == 5 + (2 if name == "LSTM" else 1)
    for got, expected in zip(fused, plain):
        np.testing.assert_allclose(got, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["LSTM", "GRU", "SimpleRNN"])
def test_what_is_hidden_does_not_matter(name, backend):
    x = np.random.default_rng(0).normal(size=(len(TIMES), 6, 4)).astype("float32")
    other = np.where(np.array(TIMES)[..., None] == 1, x, np.nan if backend == "numpy" else 1e6).astype("float32")
    with slot.use(backend):
        layer = layers.Bidirectional(getattr(layers, name)(3, return_sequences=True))
        mask = ops.convert_to_tensor(np.array(TIMES, bool))
        one, two = (ops.convert_to_numpy(layer(ops.convert_to_tensor(given), mask=mask)) for given in (x, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_mask_of_other_steps_is_refused(backend):
    with slot.use(backend):
        x, h, w = ops.ones((2, 4, 3)), ops.zeros((2, 5)), ops.ones((3, 5))
        for mask in (np.ones((2, 3), bool), np.ones((1, 4), bool), np.ones(2, bool)):
            with pytest.raises(ValueError, match=r"mask of shape \(2, 4\)"):
                ops.simple_rnn(x, h, w, ops.ones((5, 5)), None, ops.convert_to_tensor(mask))


@pytest.mark.parametrize("backend", BACKENDS)
def test_stateful_goes_on_where_it_ended(backend):
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    with slot.use(backend):
        layer = layers.GRU(4, stateful=True)
        whole = ops.convert_to_numpy(layer(x))
        layer.reset_state()
        layer(x[:, :2])
        in_parts = ops.convert_to_numpy(layer(x[:, 2:]))
        assert len(layer.weights) == 3 and len(layer.variables) == 5
        with pytest.raises(ValueError, match="batch size"):
            layers.GRU(4, stateful=True)(core.KerasTensor((None, 6, 3)))
    np.testing.assert_allclose(in_parts, whole, atol=1e-6)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_batch_normalization_moves_when_compiled(backend):
    x = np.random.default_rng(0).normal(3, 2, size=(64, 5)).astype("float32")
    with slot.use(backend):
        layer = layers.BatchNormalization(momentum=0.5)
        layer.build((64, 5))
        step = core.jit(lambda x: layer(x, training=True))
        outputs = ops.convert_to_numpy(step(ops.convert_to_tensor(x)))
        np.testing.assert_allclose(outputs.mean(0), 0, atol=1e-4)
        np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean.value), x.mean(0) / 2, atol=1e-4)
        np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance.value), (1 + x.var(0)) / 2, atol=1e-4)
        layer.trainable = False
        kept = layer.get_weights()
        layer(x, training=True)
        for before, after in zip(kept, layer.get_weights()):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_dropout_draws_anew_when_compiled(backend):
    x = np.ones((8, 4, 16), "float32")
    with slot.use(backend):
        for layer in (layers.Dropout(0.5, seed=1), layers.LSTM(8, dropout=0.5, recurrent_dropout=0.5, seed=1)):
            layer(x)
            step = core.jit(lambda x, layer=layer: layer(x, training=True))
            first, second = (ops.convert_to_numpy(step(ops.convert_to_tensor(x))) for _ in range(2))
            assert np.abs(first - second).max() > 1e-3


def test_attention_masks_in_fused_and_plain_form_agree():
    x = np.random.default_rng(0).normal(size=(3, 4, 6)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
    for backend in BACKENDS:
        with slot.use(backend):
            layer = layers.MultiHeadAttention(2, 3)
            for given in ({}, {"use_causal_mask": True}, {"value_mask": mask}, {"value_mask": mask, "use_causal_mask": True}):
                fused = layer(x, x, **given)
                plain, weights = layer(x, x, return_attention_scores=True, **given)
                np.testing.assert_allclose(ops.convert_to_numpy(fused), ops.convert_to_numpy(plain), atol=1e-5)
                np.testing.assert_allclose(ops.convert_to_numpy(ops.sum(weights, -1)), 1, atol=1e-5)


# ------------------------------------------------------------------------------------------------ against Keras

MASK = [[True, True, False, False], [False, False, False, False], [False, True, True, True]]
HOLES = [[False, True, False, True], [True, False, True, True], [False, False, True, True]]
SHAPE = [3, 4, 6]
LSTM = ("LSTM", {"units": 3, "return_sequences": True, "return_state": True})
# class, arguments, input shapes, arguments of the call ("mask": MASK is the time mask)
SCORES = {"return_attention_scores": True}
COMPARED = [
    ("BatchNormalization", {}, [SHAPE], {"training": True}),
    ("BatchNormalization", {"axis": 1, "momentum": 0.5}, [SHAPE], {"training": True}),
    ("BatchNormalization", {}, [SHAPE], {"training": True, "mask": MASK}),
    ("BatchNormalization", {"epsilon": 0.1}, [SHAPE], {}),
    ("BatchNormalization", {"renorm": True, "momentum": 0.7, "renorm_clipping": {"rmin": 0.5, "rmax": 1.5, "dmax": 0.2}}, [SHAPE],
     {"training": True}),
    ("LayerNormalization", {}, [SHAPE], {}),
    ("LayerNormalization", {"axis": [1, 2], "scale": False}, [SHAPE], {}),
    ("LayerNormalization", {"rms_scaling": True}, [SHAPE], {}),
    ("GroupNormalization", {"groups": 2}, [SHAPE], {}),
    ("GroupNormalization", {"groups": 2, "axis": 1}, [SHAPE], {}),
    ("RMSNormalization", {}, [SHAPE], {}),
    ("Dropout", {"rate": 0.3}, [SHAPE], {}),
    ("SpatialDropout1D", {"rate": 0.3}, [SHAPE], {}),
    ("SpatialDropout2D", {"rate": 0.3}, [[2, 3, 3, 2]], {}),
    ("SpatialDropout3D", {"rate": 0.3}, [[2, 3, 3, 2, 2]], {}),
    ("GaussianDropout", {"rate": 0.3}, [SHAPE], {}),
    ("GaussianNoise", {"stddev": 0.3}, [SHAPE], {}),
    ("AlphaDropout", {"rate": 0.3}, [SHAPE], {}),
    ("Attention", {}, [SHAPE, [3, 5, 6]], {"list": True, "return_attention_scores": True}),
    ("Attention", {"use_scale": True}, [SHAPE, SHAPE], {"list": True, "mask": [MASK, MASK], "use_causal_mask": True}),
    ("Attention", {"score_mode": "concat", "use_scale": True}, [SHAPE, SHAPE, SHAPE], {"list": True, "mask": [None, MASK]}),
    ("AdditiveAttention", {}, [SHAPE, [3, 5, 6]], {"list": True}),
    ("AdditiveAttention", {"use_scale": False}, [SHAPE, SHAPE], {"list": True, "mask": [MASK, MASK]}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [SHAPE, [3, 5, 6]], {}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "value_dim": 5, "output_shape": [2, 4], "use_gate": True},
     [SHAPE, [3, 5, 6], [3, 5, 7]], SCORES),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [SHAPE, SHAPE], {"query_mask": MASK, "value_mask": MASK,
                                                                                  "use_causal_mask": True}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [SHAPE, SHAPE], {"key_mask": MASK, "attention_mask": "causal"}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "use_bias": False}, [SHAPE, SHAPE], {"use_causal_mask": True}),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "sliding_window": 2}, [SHAPE, [3, 5, 6]], SCORES),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [[2, 3, 4, 6], [2, 3, 4, 6]], SCORES),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "attention_axes": [2]}, [[2, 3, 4, 6], [2, 3, 5, 6]], SCORES),
    ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}, [SHAPE, [3, 5, 6]], SCORES),
    ("GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "use_gate": True, "sliding_window": 3},
     [SHAPE, SHAPE, SHAPE], {"value_mask": MASK, "use_causal_mask": True}),
    *[
        (name, {"units": 3, **kwargs}, [SHAPE], call)
        for name in ("SimpleRNN", "GRU", "LSTM")
        for kwargs, call in (
            ({"return_sequences": True, "return_state": True}, {}),
            ({"return_sequences": True, "return_state": True}, {"mask": MASK}),
            ({"go_backwards": True, "return_sequences": True, "zero_output_for_mask": True}, {"mask": MASK}),
            ({"zero_output_for_mask": True, "return_state": True, "use_bias": False}, {"mask": MASK}),
            ({"unroll": True, "activation": "relu"}, {}),
            ({"go_backwards": True}, {}),
        )
    ],
    *[
        (*layer, [SHAPE], {"mask": HOLES})
        for name in ("SimpleRNN", "GRU", "LSTM")
        for layer in (
            (name, {"units": 3, "return_sequences": True, "return_state": True, "go_backwards": True}),
            (name, {"units": 3, "return_sequences": True, "zero_output_for_mask": True}),
            ("Bidirectional", {"layer": (name, {"units": 3, "return_sequences": True, "return_state": True})}),
            ("Bidirectional", {"layer": (name, {"units": 3}), "merge_mode": "sum"}),
        )
    ],
    ("GRU", {"units": 3, "reset_after": False}, [SHAPE], {"mask": MASK}),
    ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid", "return_sequences": True}, [SHAPE], {}),
    ("RNN", {"cell": [("LSTMCell", {"units": 3}), ("GRUCell", {"units": 2})], "return_state": True}, [SHAPE], {"mask": MASK}),
    ("RNN", {"cell": ("SimpleRNNCell", {"units": 3}), "return_sequences": True}, [SHAPE], {}),
    *[("Bidirectional", {"layer": LSTM, "merge_mode": mode}, [SHAPE], {"mask": MASK}) for mode in ("concat", "sum", "mul", "ave", None)],
    ("Bidirectional", {"layer": ("GRU", {"units": 3})}, [SHAPE], {}),
    ("Bidirectional", {"layer": ("LSTM", {"units": 3}), "backward_layer": ("GRU", {"units": 3, "go_backwards": True})}, [SHAPE], {}),
    ("TimeDistributed", {"layer": ("Dense", {"units": 3})}, [SHAPE], {"mask": MASK}),
    ("ConvLSTM1D", {"filters": 2, "kernel_size": 3, "return_sequences": True}, [[3, 4, 6, 2]], {}),  # masks of these: Keras on NumPy fails
    ("ConvLSTM2D", {"filters": 2, "kernel_size": [3, 2], "padding": "same", "return_state": True}, [[2, 3, 5, 4, 2]], {}),
    ("ConvLSTM2D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2}, [[2, 3, 5, 5, 2]], {}),
    ("ConvLSTM3D", {"filters": 2, "kernel_size": 2, "strides": 2}, [[2, 3, 4, 4, 4, 2]], {}),
]  # fmt: skip

KERAS = """
import json, sys
import numpy as np
import keras
sys.path.insert(0, sys.argv[3])
from test_layers_sequence import COMPARED, calling, make
results = {}
for i, (name, kwargs, shapes, call) in enumerate(COMPARED):
    keras.utils.clear_session()
    layer = make(keras.layers, (name, kwargs))
    args, call = calling(i, shapes, call)
    layer(*args, **call)
    layer.set_weights([np.random.default_rng(j).uniform(0.2, 1, w.shape).astype("float32") for j, w in enumerate(layer.weights)])
    outputs = keras.tree.flatten(layer(*args, **call))
    config = keras.saving.serialize_keras_object(layer)
    for kind, arrays in (("out", outputs), ("weight", layer.weights)):
        for j, array in enumerate(arrays):
            results[f"{i}/{kind}/{j}"] = np.array(array)
    results[f"{i}/config"] = np.array(json.dumps(config))
    results[f"{i}/paths"] = np.array([w.path.split("/", 1)[1] for w in layer.weights] or [""])
    results[f"{i}/build"] = np.array(json.dumps(layer.get_build_config()))
np.savez(sys.argv[1], **results)
"""


def calling(seed, shapes, call):
    """The arrays and keyword arguments of a compared call."""
    rng, call = np.random.default_rng(seed), dict(call)
    arrays = [rng.normal(size=shape).astype("float32") for shape in shapes]
    if call.get("attention_mask") == "causal":
        call["attention_mask"] = np.tri(4, dtype=bool)[None].repeat(3, 0)
    for name, value in call.items():
        if name.endswith("mask") and name != "use_causal_mask" and isinstance(value, list):
            nested = value is not MASK and len(value) == 2
            call[name] = [None if v is None else np.array(v) for v in value] if nested else np.array(value)
    return ([arrays] if call.pop("list", False) else arrays), call


@pytest.fixture(scope="module")
def keras_results(tmp_path_factory):
    pytest.importorskip("keras", reason="Keras is what these layers are compared with.")
    path = tmp_path_factory.mktemp("keras") / "results.npz"
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", KERAS, str(path), "-", os.path.dirname(__file__)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(np.load(path))


@pytest.mark.parametrize("index", range(len(COMPARED)), ids=lambda i: f"{i}-{COMPARED[i][0]}")
def test_against_keras(index, keras_results):
    name, kwargs, shapes, call = COMPARED[index]
    with slot.use("torch"):
        core.utils.clear_session()
        layer = make(layers, (name, kwargs))
        args, call = calling(index, shapes, call)
        layer(*args, **call)
        assert ([w.path.split("/", 1)[1] for w in layer.weights] or [""]) == list(keras_results[f"{index}/paths"])
        layer.set_weights([np.random.default_rng(j).uniform(0.2, 1, w.shape).astype("float32") for j, w in enumerate(layer.weights)])
        outputs = core.tree.flatten(layer(*args, **call))
    for kind, values in (("out", [ops.convert_to_numpy(x) for x in outputs]), ("weight", layer.get_weights())):
        expected = [keras_results[key] for key in keras_results if key.startswith(f"{index}/{kind}/")]
        assert len(values) == len(expected)
        for got, wanted in zip(values, expected):
            np.testing.assert_allclose(got, wanted, atol=1e-5, rtol=1e-5, err_msg=kind)
    ours = json.loads(json.dumps(core.saving.serialize_keras_object(layer)))
    assert _unnamed(ours) == _unnamed(json.loads(str(keras_results[f"{index}/config"])))


def _unnamed(config):
    """A config without names, which count on, and build configs."""
    if isinstance(config, dict):
        return {k: _unnamed(v) for k, v in config.items() if k not in ("name", "build_config")}
    return [_unnamed(v) for v in config] if isinstance(config, list) else config
