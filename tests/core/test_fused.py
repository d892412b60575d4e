"""Which native kernels run: their names and counts on torch (profiled), jax (in the jaxpr) and tensorflow (in the traced graph)."""

import collections

import numpy as np
import pytest

import core
from core import Variable, layers, ops, optimizers
from core.backend import slot

TRAINING = ("torch", "jax", "tensorflow")


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ran_on_torch(function, arrays):
    """The names of the ATen ops of a call, those that other ones call included."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    tensors = [torch.as_tensor(array) for array in arrays]
    function(*tensors)  # what is built or cached by a first call
    with profile(activities=[ProfilerActivity.CPU]) as found:
        function(*tensors)
    return collections.Counter(event.name.removeprefix("aten::") for event in found.events() if event.name.startswith("aten::"))


def ran_on_jax(function, arrays):
    """The primitives of a call, each counted once however often a loop turns."""
    import jax

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            counts[equation.primitive.name] += 1
            for value in equation.params.values():
                for part in value if isinstance(value, (tuple, list)) else (value,):
                    inner = getattr(part, "jaxpr", part)
                    if hasattr(inner, "eqns"):
                        walk(inner)

    counts = collections.Counter()
    walk(jax.make_jaxpr(function)(*arrays).jaxpr)
    return counts


def ran_on_tensorflow(function, arrays):
    """The types of the graph's ops, those in loops and branches included."""
    import tensorflow as tf

    specs = [tf.TensorSpec(array.shape, array.dtype) for array in arrays]
    graph = tf.function(function, autograph=False).get_concrete_function(*specs).graph
    counts = collections.Counter(op.type for op in graph.get_operations())
    for inner in graph.as_graph_def().library.function:
        counts.update(node.op for node in inner.node_def)
    # One name for loops and branches, whether or not they touch variables.
    for name in ("While", "Case", "If"):
        counts[name] += counts.pop("Stateless" + name, 0)
    return counts


RAN = {"torch": ran_on_torch, "jax": ran_on_jax, "tensorflow": ran_on_tensorflow}


def ran(backend, function, *arrays):
    pytest.importorskip(backend)
    with slot.use(backend):
        return RAN[backend](function, arrays)


IMAGES, LINES, ROWS = draw(2, 8, 8, 6), draw(2, 9, 6), draw(16, 10)
ONE, ZERO = np.ones(6, "float32"), np.zeros(6, "float32")
LABELS = np.random.default_rng(1).integers(0, 10, 16).astype("int32")
HOT = np.eye(10, dtype="float32")[LABELS]
TOKENS = np.random.default_rng(1).integers(0, 6, (2, 9)).astype("int32")
QUERY, KEY, SHARED = draw(2, 7, 4, 8), draw(2, 9, 4, 8, seed=1), draw(2, 9, 2, 8, seed=1)
SOME = np.random.default_rng(2).random((2, 1, 7, 9)) > 0.3
SEEN = np.random.default_rng(2).random((2, 70)) > 0.3
LONG = draw(2, 70, 6)
attend = ops.dot_product_attention
# No logits (targets, sources) on torch: its kernel holds a block of them. XLA and TensorFlow have no such kernel for a CPU; there: two
# products and one softmax, and no key or value is repeated for the heads that share it.
ATTENTION = {
    "torch": {"_scaled_dot_product_flash_attention_for_cpu": 1, "bmm": 0, "_softmax": 0, "repeat_interleave": 0, "clone": 0},
    "jax": {"dot_general": 2, "exp": 1, "gather": 0, "concatenate": 0},
    "tensorflow": {"BatchMatMulV2": 2, "Softmax": 1, "Tile": 0, "Einsum": 0},
}

# name: (function, arrays, {backend: {native op: how often it runs}})
KERNELS = {
    "softmax": (ops.softmax, [ROWS], {
        "torch": {"_softmax": 1, "copy_": 0, "exp": 0}, "jax": {"exp": 1, "reduce_max": 1, "reduce_sum": 1},
        "tensorflow": {"Softmax": 1, "Exp": 0},
    }),
    "softmax of two axes": (lambda x: ops.softmax(x, (1, 2)), [IMAGES], {
        "torch": {"_softmax": 1}, "jax": {"exp": 1, "transpose": 0}, "tensorflow": {"Softmax": 1, "Exp": 0},
    }),
    "log_softmax": (ops.log_softmax, [ROWS], {
        "torch": {"_log_softmax": 1, "copy_": 0}, "jax": {"exp": 1, "log": 1}, "tensorflow": {"LogSoftmax": 1, "Exp": 0},
    }),
    "log_softmax of two axes": (lambda x: ops.log_softmax(x, (1, 3)), [IMAGES], {
        "torch": {"_log_softmax": 1}, "jax": {"exp": 1, "log": 1, "transpose": 0}, "tensorflow": {"LogSoftmax": 1, "Exp": 0},
    }),
    "logsumexp": (lambda x: ops.logsumexp(x, -1), [ROWS], {
        "torch": {"exp_": 1, "log_": 1, "exp": 0}, "jax": {"exp": 1, "log": 1}, "tensorflow": {"Exp": 1, "Log": 1},
    }),
    "layer_normalization": (ops.layer_normalization, [IMAGES, ONE, ZERO], {
        "torch": {"native_layer_norm": 1, "copy_": 0, "mean": 0}, "jax": {"rsqrt": 1, "reduce_sum": 2},
        "tensorflow": {"Rsqrt": 1, "Mean": 2},
    }),
    "layer_normalization of two axes": (
        lambda x, g, b: ops.layer_normalization(x, g, b, axis=(2, 3)), [IMAGES, draw(8, 6), draw(8, 6)],
        {"torch": {"native_layer_norm": 1, "copy_": 0, "mean": 0}},
    ),
    "rms_normalization": (ops.rms_normalization, [IMAGES, ONE], {
        "torch": {"rms_norm": 1}, "jax": {"rsqrt": 1, "reduce_sum": 1}, "tensorflow": {"Rsqrt": 1, "Mean": 1},
    }),
    "batch_normalization": (lambda x, a, b: ops.batch_normalization(x, a, b, -1, a, b), [IMAGES, ZERO, ONE], {
        "torch": {"native_batch_norm": 1, "copy_": 0, "clone": 0}, "jax": {"rsqrt": 1, "reduce_sum": 0},
        "tensorflow": {"Rsqrt": 1, "Mean": 0},
    }),
    # PyTorch's kernel of channels-last images takes 2.8 times as long as these with its gradient.
    "normalize_batch": (lambda x: ops.normalize_batch(x, -1, ZERO, ONE), [IMAGES], {
        "torch": {"mean": 2, "native_batch_norm": 1}, "jax": {"reduce_sum": 2, "rsqrt": 1},
        "tensorflow": {"FusedBatchNormV3": 1, "Mean": 0, "Rsqrt": 0},
    }),
    "group_normalization": (lambda x: ops.group_normalization(x, 3, ONE, ZERO), [IMAGES], {
        "torch": {"native_group_norm": 1, "copy_": 0, "mean": 0}, "jax": {"rsqrt": 1, "reduce_sum": 2},
        "tensorflow": {"Rsqrt": 1, "Mean": 2},
    }),
    "group_normalization of lines": (lambda x: ops.group_normalization(x, 3), [LINES], {"torch": {"native_group_norm": 1, "clone": 0}}),
    "attention": (lambda q, k: attend(q, k, k), [QUERY, KEY], ATTENTION),
    "causal attention": (lambda q: attend(q, q, q, is_causal=True), [QUERY], ATTENTION),
    "masked attention": (lambda q, k, m: attend(q, k, k, mask=m), [QUERY, KEY, SOME], ATTENTION),
    "biased attention": (lambda q, k, b: attend(q, k, k, b), [QUERY, KEY, draw(2, 4, 7, 9)], ATTENTION),
    "grouped attention": (lambda q, k: attend(q, k, k), [QUERY, SHARED], ATTENTION),
    "grouped masked attention": (lambda q, k, m: attend(q, k, k, mask=m), [QUERY, SHARED, SOME], ATTENTION),
    "capped grouped attention": (lambda q, k: attend(q, k, k, attn_logits_soft_cap=3.0), [QUERY, SHARED], {
        **ATTENTION, "torch": {"bmm": 2, "_softmax": 1, "repeat_interleave": 0},
    }),
    "binary_crossentropy": (lambda t, x: ops.binary_crossentropy(t, x, True), [HOT, ROWS], {
        "torch": {"binary_cross_entropy_with_logits": 1}, "jax": {"exp": 1, "log1p": 1}, "tensorflow": {"Exp": 1, "Log1p": 1},
    }),
    # TensorFlow's fused kernels of cross-entropies took twice to three times as long on a CPU (and that of probabilities has a gradient
    # for those that sum to one alone).
    "categorical_crossentropy": (lambda t, x: ops.categorical_crossentropy(t, x, True), [HOT, ROWS], {
        "torch": {"cross_entropy_loss": 1, "_log_softmax": 1, "copy_": 0}, "jax": {"exp": 1, "log": 1},
        "tensorflow": {"LogSoftmax": 1, "Exp": 0},
    }),
    "sparse_categorical_crossentropy": (lambda t, x: ops.sparse_categorical_crossentropy(t, x, True), [LABELS, ROWS], {
        "torch": {"_log_softmax": 1, "nll_loss_forward": 1}, "jax": {"exp": 1, "gather": 1},
        "tensorflow": {"LogSoftmax": 1, "GatherV2": 1, "OneHot": 0},
    }),
    "sparse_categorical_crossentropy of tokens": (lambda t, x: ops.sparse_categorical_crossentropy(t, x, True), [TOKENS, LINES], {
        "torch": {"_log_softmax": 1, "nll_loss_forward": 1, "clone": 0}, "jax": {"exp": 1, "gather": 1},
        "tensorflow": {"LogSoftmax": 1, "GatherV2": 1, "OneHot": 0},
    }),
    "ctc_loss": (
        lambda t, x: ops.ctc_loss(t, x, np.array([3, 2]), np.array([9, 8])), [np.array([[1, 2, 3], [3, 4, 5]], "int32"), LINES],
        {"torch": {"_ctc_loss": 1}, "jax": {"scan": 1}},
    ),
    "segment_sum": (lambda x, i: ops.segment_sum(x, i, 10), [ROWS, LABELS], {
        "torch": {"index_add": 1}, "jax": {"scatter-add": 1}, "tensorflow": {"UnsortedSegmentSum": 1},
    }),
    "segment_max": (lambda x, i: ops.segment_max(x, i, 10), [ROWS, LABELS], {
        "torch": {"scatter_reduce": 1}, "jax": {"scatter-max": 1}, "tensorflow": {"UnsortedSegmentMax": 1},
    }),
    "fft": (lambda x, y: ops.fft((x, y)), [ROWS, ROWS], {"torch": {"_fft_c2c": 1}, "jax": {"fft": 1}, "tensorflow": {"FFT": 1}}),
    "rfft": (ops.rfft, [ROWS], {"torch": {"_fft_r2c": 1}, "jax": {"fft": 1}, "tensorflow": {"RFFT": 1}}),
    "stft": (lambda x: ops.stft(x, 16, 4, 16), [draw(2, 64)], {
        "torch": {"_fft_r2c": 1, "unfold": 1, "index": 0}, "jax": {"fft": 1}, "tensorflow": {"RFFT": 1},
    }),
    "istft": (lambda x, y: ops.istft((x, y), 16, 4, 16), [draw(2, 5, 9), draw(2, 5, 9)], {
        "torch": {"_fft_c2r": 1}, "jax": {"fft": 1}, "tensorflow": {"IRFFT": 1},
    }),
    # On torch the one copy is that of the kernel into the framework's layout.
    "conv": (ops.conv, [IMAGES, draw(3, 3, 6, 5)], {
        "torch": {"convolution": 1, "clone": 1, "constant_pad_nd": 0}, "jax": {"conv_general_dilated": 1, "transpose": 0},
        "tensorflow": {"Conv2D": 1, "Transpose": 0},
    }),
    "biased_conv": (lambda x, k, b: ops.biased_conv(x, k, b, padding="same"), [IMAGES, draw(3, 3, 6, 5), np.ones(5, "float32")], {
        "torch": {"convolution": 1, "clone": 1, "constant_pad_nd": 0}, "jax": {"conv_general_dilated": 1, "transpose": 0},
        "tensorflow": {"Conv2D": 1, "Transpose": 0},
    }),
    "conv of lines": (ops.conv, [LINES, draw(3, 6, 5)], {
        "torch": {"convolution": 1, "clone": 1}, "jax": {"conv_general_dilated": 1, "transpose": 0},
        "tensorflow": {"Conv2D": 1, "Transpose": 0},
    }),
    "conv of volumes": (ops.conv, [draw(2, 5, 5, 5, 4), draw(2, 2, 2, 4, 3)], {
        "torch": {"convolution": 1, "clone": 1}, "jax": {"conv_general_dilated": 1, "transpose": 0},
        "tensorflow": {"Conv3D": 1, "Transpose": 0},
    }),
    "depthwise_conv": (ops.depthwise_conv, [IMAGES, draw(3, 3, 6, 2)], {
        "torch": {"convolution": 1, "clone": 1}, "jax": {"conv_general_dilated": 1, "transpose": 0},
        "tensorflow": {"DepthwiseConv2dNative": 1, "Transpose": 0},
    }),
    "conv_transpose": (lambda x, k: ops.conv_transpose(x, k, 2), [IMAGES, draw(3, 3, 5, 6)], {
        "torch": {"convolution": 1, "clone": 1}, "jax": {"conv_general_dilated": 1},
        "tensorflow": {"Conv2DBackpropInput": 1, "Transpose": 0},
    }),
    "max_pool": (lambda x: ops.max_pool(x, 2), [IMAGES], {
        "torch": {"max_pool2d_with_indices": 1, "copy_": 0}, "jax": {"reduce_window_max": 1}, "tensorflow": {"MaxPool": 1},
    }),
    "average_pool": (lambda x: ops.average_pool(x, 2), [IMAGES], {
        "torch": {"avg_pool2d": 1, "copy_": 0}, "jax": {"reduce_window_sum": 1}, "tensorflow": {"AvgPool": 1},
    }),
    "dense": (ops.dense, [LINES, draw(6, 3), np.ones(3, "float32")], {
        "torch": {"addmm": 1, "add": 0}, "jax": {"dot_general": 1}, "tensorflow": {"MatMul": 1, "BiasAdd": 1},
    }),
}  # fmt: skip


@pytest.mark.parametrize("name, backend", [(name, backend) for name, row in KERNELS.items() for backend in row[2]])
def test_native_ops(name, backend):
    function, arrays, expected = KERNELS[name]
    counts = ran(backend, function, *arrays)
    assert {op: counts[op] for op in expected[backend]} == expected[backend], counts


# ------------------------------------------------------------------------------------------------ convolutions on torch


@pytest.mark.parametrize("make, shape", [
    (lambda: layers.Conv2D(5, 3), (2, 8, 8, 6)), (lambda: layers.Conv3D(5, 2), (2, 4, 4, 4, 3)),
    (lambda: layers.DepthwiseConv2D(3), (2, 8, 8, 6)), (lambda: layers.Conv2DTranspose(5, 3, strides=2), (2, 8, 8, 6)),
])  # fmt: skip
def test_convolutions_of_channels_last_images_stay_in_that_format(make, shape):
    torch = pytest.importorskip("torch")
    with slot.use("torch"):
        layer, x = make(), torch.as_tensor(draw(*shape))
        y = layer(layer(x) if shape[-1] == 6 and type(layer) is layers.DepthwiseConv2D else x)
    form = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
    assert y.is_contiguous() and y.movedim(-1, 1).is_contiguous(memory_format=form)


# ------------------------------------------------------------------------------------------------ recurrence


@pytest.mark.parametrize("backend", TRAINING)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("name, kernel", [("LSTM", "lstm"), ("GRU", "gru"), ("SimpleRNN", "rnn_tanh")])
def test_one_kernel_or_loop_runs_a_sequence(name, kernel, masked, backend):
    pytest.importorskip(backend)
    with slot.use(backend):
        layer = getattr(layers, name)(5, return_sequences=True)
        layer(LONG)
    counts = ran(backend, lambda x, mask: layer(x, mask=mask) if masked else layer(x), LONG, SEEN)
    assert counts[{"torch": kernel, "jax": "scan", "tensorflow": "While"}[backend]] == 1
    if backend == "torch":  # nothing around the kernel turns with the steps
        around = ran(backend, lambda x, mask: layer(x, mask=mask) if masked else layer(x), LONG[:, :7], SEEN[:, :7])
        assert {op: n for op, n in counts.items() if op in ("where", "cat", "gather", "scatter", "cumsum")} == {
            op: n for op, n in around.items() if op in ("where", "cat", "gather", "scatter", "cumsum")
        }


def test_a_masked_kernel_compiles_whole_on_torch():
    torch = pytest.importorskip("torch")
    x, h, kernel, recurrent = (torch.as_tensor(draw(*shape)) for shape in ((2, 70, 6), (2, 5), (6, 20), (5, 20)))
    given = x, h, h, kernel, recurrent, None, torch.as_tensor(SEEN)
    expected = ops.lstm(*given)
    found = torch.compile(ops.lstm, backend="eager", fullgraph=True)(*given)
    for a, b in zip(found, expected):
        torch.testing.assert_close(a, b)


# ------------------------------------------------------------------------------------------------ control flow

# name: (function of the number of turns, its inputs, {backend: {native op: count}}); the graph is the same for every number.
LOOPS = {
    "scan": (lambda n: lambda x: ops.scan(lambda c, x: (c + x, c * x), ops.zeros(3), x), lambda n: [draw(n, 3)],
             {"jax": {"scan": 1, "while": 0}, "tensorflow": {"While": 1}}),
    "map": (lambda n: lambda x: ops.map(lambda x: x * 2, x), lambda n: [draw(n, 3)],
            {"jax": {"scan": 1, "while": 0}, "tensorflow": {"While": 1}}),
    "fori_loop": (lambda n: lambda x: ops.fori_loop(0, n, lambda i, x: x * 2, x), lambda n: [draw(3)],
                  {"jax": {"scan": 1, "while": 0}, "tensorflow": {"While": 1}}),
    "fori_loop to a tensor": (lambda n: lambda x, n: ops.fori_loop(0, n, lambda i, x: x * 2, x), lambda n: [draw(3), np.int32(n)],
                              {"jax": {"scan": 0, "while": 1}, "tensorflow": {"While": 1}}),
    "while_loop": (lambda n: lambda x: ops.while_loop(lambda i, x: i < n, lambda i, x: (i + 1, x * 2), (0, x)), lambda n: [draw(3)],
                   {"jax": {"while": 1, "scan": 0}, "tensorflow": {"While": 1}}),
    "vectorized_map": (lambda n: lambda x: ops.vectorized_map(lambda x: ops.sum(x * x), x), lambda n: [draw(n, 3)],
                       {"jax": {"mul": 1, "scan": 0, "while": 0}, "tensorflow": {"While": 0}}),
}  # fmt: skip


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_one_native_loop_whatever_the_number_of_turns(name, backend):
    function, inputs, expected = LOOPS[name]
    few, many = (ran(backend, function(n), *inputs(n)) for n in (3, 300))
    assert {op: many[op] for op in expected[backend]} == expected[backend], many
    assert few == many


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_branch_is_one_native_branch(backend):
    x = draw(3)
    counts = ran(backend, lambda i, x: ops.switch(i, [lambda x: x, lambda x: ops.sin(x), lambda x: ops.cos(x)], x), np.int32(1), x)
    assert counts["cond" if backend == "jax" else "Case"] == 1 and counts["Sin"] + counts["sin"] == 1
    counts = ran(backend, lambda i, x: ops.cond(i > 0, lambda: ops.sin(x), lambda: ops.cos(x)), np.int32(1), x)
    assert counts["cond" if backend == "jax" else "If"] == 1


@pytest.mark.parametrize("backend", TRAINING)
def test_an_associative_scan_takes_as_many_rounds_as_the_length_has_bits(backend):
    counts = {n: ran(backend, lambda x: ops.associative_scan(lambda a, b: ops.maximum(a, b), x), draw(n, 3)) for n in (64, 512)}
    name = {"torch": "maximum", "jax": "max", "tensorflow": "Maximum"}[backend]
    rounds = {n: found[name] for n, found in counts.items()}
    per_bit = 2 if backend == "jax" else 1  # jax goes up and down again
    assert rounds[64] <= per_bit * 6 and rounds[512] - rounds[64] <= per_bit * 3


@pytest.mark.parametrize("backend", TRAINING)
def test_a_custom_gradient_replaces_the_kernels_of_the_gradient(backend):
    from core import custom_gradient, grad

    doubled = custom_gradient(lambda x: (ops.sin(x), lambda upstream: upstream * 2.0))
    counts = ran(backend, grad(lambda x: ops.sum(doubled(x))), draw(3))
    assert counts["cos"] + counts["Cos"] == 0
    assert counts["mul"] + counts["Mul"] >= 1


def test_the_gradient_of_a_scan_takes_slices_not_whole_sequences_on_tensorflow():
    tf = pytest.importorskip("tensorflow")

    def slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ops.sum(ops.scan(lambda c, x: (c * 0.5 + x, c), ops.zeros(3), x)[1])
        return tape.gradient(y, x)

    counts = ran("tensorflow", slope, draw(50, 3))
    assert counts["While"] == 2 and counts["StridedSliceGrad"] == 0


@pytest.mark.parametrize("backend", TRAINING)
def test_the_gradient_of_a_crossentropy_holds_for_targets_that_do_not_sum_to_one(backend):
    """Fused kernels that return the gradient with the loss take `softmax - target`, which is right for sums of one alone."""
    from core import grad

    pytest.importorskip(backend)
    target = 3 * HOT + 0.1
    with slot.use(backend):
        given = ops.convert_to_tensor(target)
        found = grad(lambda x: ops.sum(ops.categorical_crossentropy(given, x, from_logits=True)))(ops.convert_to_tensor(ROWS))
        found = ops.convert_to_numpy(found)
    e = np.exp(ROWS - ROWS.max(1, keepdims=True))
    np.testing.assert_allclose(found, target.sum(1, keepdims=True) * e / e.sum(1, keepdims=True) - target, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape, axis", [((2, 4, 6), -1), ((2, 3, 4, 6), -1), ((2, 6, 3, 4), 1)])
def test_group_normalization_gives_the_gradient_of_its_weights_alone(shape, axis):
    """Where the inputs need none, PyTorch's kernel of channels-last images crashes."""
    from core import value_and_grad

    pytest.importorskip("torch")
    with slot.use("torch"):
        layer, x, weights = layers.GroupNormalization(3, axis=axis), ops.convert_to_tensor(draw(*shape)), draw(*shape, seed=1)
        layer(x)
        given = ops.convert_to_tensor(weights)
        _, gradients = value_and_grad(lambda: ops.sum(layer(x) * given), layer.trainable_variables)()
        plain = ops.convert_to_numpy(layer(x))  # gamma is one and beta zero so far
    rest = tuple(i for i in range(len(shape)) if i != axis % len(shape))
    for found, expected in zip(gradients, ((plain * weights).sum(rest), weights.sum(rest))):
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", TRAINING)
@pytest.mark.parametrize("shape, axis", [((2, 3, 4, 6), -1), ((2, 6, 3), 1), ((5, 6), 1)])
def test_the_gradient_through_a_batch_normalized_by_itself(shape, axis, backend):
    """The kernel's gradient is that of the formula, in which the moments depend on the inputs."""
    from core import value_and_grad

    pytest.importorskip(backend)
    others = [i for i in range(len(shape)) if i != axis % len(shape)]

    def slopes(normalized):
        values = [Variable(array) for array in (draw(*shape), draw(6, seed=3), draw(6, seed=4))]
        share = ops.convert_to_tensor(draw(*shape, seed=1))
        _, gradients = value_and_grad(lambda: ops.sum(normalized(*(v.value for v in values)) * share), values)()
        return [ops.convert_to_numpy(gradient) for gradient in gradients]

    def formula(x, offset, scale):
        return ops.batch_normalization(x, *ops.moments(x, others), axis, offset, scale, 0.01)

    with slot.use(backend):
        for found, expected in zip(slopes(lambda x, b, g: ops.normalize_batch(x, axis, b, g, 0.01)[0]), slopes(formula)):
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
        moments = Variable(draw(*shape))
        _, (none,) = value_and_grad(lambda: ops.sum(ops.normalize_batch(moments.value, axis)[1]), [moments])()
        assert none is None or not ops.convert_to_numpy(none).any()


@pytest.mark.parametrize(
    ("layer", "images"),
    [
        (lambda: layers.Conv2D(5, 3), IMAGES), (lambda: layers.Conv2D(5, 1, use_bias=False), IMAGES),
        (lambda: layers.Conv2DTranspose(5, 3, strides=2), IMAGES), (lambda: layers.Conv3D(3, 2), draw(2, 5, 5, 5, 4)),
    ],
)  # fmt: skip
def test_the_kernel_of_a_layer_lies_as_convolutions_want_it(layer, images):
    """Also after training, loading and a copy to another layer."""
    torch = pytest.importorskip("torch")
    with slot.use("torch"):
        layer = layer()
        layer(torch.as_tensor(images))

        def copies():
            with torch.no_grad():
                counts = ran_on_torch(layer, [images])
            assert counts["convolution"] == 1
            return counts["clone"] + counts["contiguous"]

        before = layer.get_weights()
        assert copies() == 0
        layer.set_weights([2 * w for w in before])
        np.testing.assert_array_equal(layer.get_weights()[0], 2 * before[0])
        optimizer = optimizers.Adam(0.1)
        for _ in range(2):
            _, gradients = core.value_and_grad(lambda: ops.sum(layer(torch.as_tensor(images)) ** 2), layer.trainable_variables)()
            optimizer.apply(gradients, layer.trainable_variables)
        assert copies() == 0 and optimizer._plan.natives  # and the optimizer's fused update took it
