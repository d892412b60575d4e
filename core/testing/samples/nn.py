"""Samples of the activations, normalizations, cross-entropies, attention, sequence losses and recurrent ops."""

import itertools
import math

import numpy as np

from core.testing.sample import Sample, array

X = array(2, 5)
WIDE = array(3, 4, low=-8.0, high=8.0)
_erf = np.vectorize(math.erf)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _each(reference, **options):
    """Samples of an elementwise function without options: a matrix, and far values."""
    return [Sample((X,), reference=reference, **options), Sample((WIDE,), reference=reference, **options)]


def _softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def _gelu(x, approximate=True):
    if approximate:
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + _erf(x / np.sqrt(2)))


def _glu(x, axis=-1):
    a, b = np.split(x, 2, axis)
    return a * _sigmoid(b)


def _sparsemax(x, axis=-1):
    def one(z):
        # The threshold that makes the positive parts sum to one, by bisection.
        low, high = z.max() - 1, z.max()
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
        return np.maximum(z - low, 0)

    return np.apply_along_axis(one, axis, x)


def _one_hot(x, num_classes, axis=-1, dtype="float32", sparse=False):
    hot = np.zeros((*x.shape, num_classes))
    for index in np.ndindex(*x.shape):
        if 0 <= x[index] < num_classes:
            hot[(*index, int(x[index]))] = 1
    return np.moveaxis(hot, -1, axis).astype(dtype)


def _multi_hot(x, num_classes=None):
    rows = np.atleast_2d(x).tolist()
    return np.stack([[float(c in row) for c in range(num_classes)] for row in rows]).reshape(*x.shape[:-1], num_classes)


def _dense(x, kernel, bias=None):
    return x @ kernel + (0 if bias is None else bias)


def _along(p, axis, rank):
    axes = sorted(a % rank for a in (axis if isinstance(axis, (tuple, list)) else [axis]))
    shape = [1] * rank
    for a, n in zip(axes, np.shape(p)):
        shape[a] = n
    return np.reshape(p, shape)


def _batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    mean, variance = _along(mean, axis, x.ndim), _along(variance, axis, x.ndim)
    y = (x - mean) / np.sqrt(variance + epsilon)
    y = y if scale is None else y * _along(scale, axis, x.ndim)
    return y if offset is None else y + _along(offset, axis, x.ndim)


def _layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=1e-7, rms_scaling=False):
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else axis
    y = (x - (0 if rms_scaling else x.mean(axes, keepdims=True))) / np.sqrt(x.var(axes, keepdims=True) + epsilon)
    y = y if gamma is None else y * _along(gamma, axis, x.ndim)
    return y if beta is None else y + _along(beta, axis, x.ndim)


def _normalize_batch(x, axis, offset=None, scale=None, epsilon=0.001):
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean, variance = x.mean(others), x.var(others)
    return _batch_normalization(x, mean, variance, axis, offset, scale, epsilon), mean, variance


def _group_normalization(x, groups, gamma=None, beta=None, axis=-1, epsilon=1e-7):
    last = np.moveaxis(x, axis, -1)
    parted = last.reshape(len(x), -1, groups, last.shape[-1] // groups)
    centered = parted - parted.mean((1, 3), keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean((1, 3), keepdims=True) + epsilon)
    scaled = scaled.reshape(last.shape) * (1 if gamma is None else gamma) + (0 if beta is None else beta)
    return np.moveaxis(scaled, -1, axis)


def _rms_normalization(x, scale=None, axis=-1, epsilon=1e-7):
    y = x / np.sqrt((x**2).mean(axis, keepdims=True) + epsilon)
    return y if scale is None else y * _along(scale, axis, x.ndim)


def _normalize(x, axis=-1, order=2, epsilon=1e-7):
    return x / np.maximum((np.abs(x) ** order).sum(axis, keepdims=True) ** (1 / order), epsilon)


def _moments(x, axes, keepdims=False):
    return x.mean(tuple(axes), keepdims=keepdims), x.var(tuple(axes), keepdims=keepdims)


def _log_probabilities(output, from_logits, axis):
    return np.log(_softmax(output, axis) if from_logits else np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def _binary(target, output, from_logits=False):
    p = _sigmoid(output) if from_logits else np.clip(output, 1e-7, 1 - 1e-7)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def _categorical(target, output, from_logits=False, axis=-1):
    return -(target * _log_probabilities(output, from_logits, axis)).sum(axis)


def _sparse(target, output, from_logits=False, axis=-1):
    target = target[..., 0] if target.ndim == output.ndim else target
    return -np.take_along_axis(_log_probabilities(output, from_logits, axis), np.expand_dims(target.astype(int), axis), axis).squeeze(axis)


def _attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False, attn_logits_soft_cap=None):
    result = np.zeros((*query.shape[:3], value.shape[3]))
    groups = query.shape[2] // key.shape[2]
    for b, n in np.ndindex(query.shape[0], query.shape[2]):
        logits = query[b, :, n] @ key[b, :, n // groups].T * (query.shape[-1] ** -0.5 if scale is None else scale)
        shape = (query.shape[0], query.shape[2], *logits.shape)
        if attn_logits_soft_cap:
            logits = attn_logits_soft_cap * np.tanh(logits / attn_logits_soft_cap)
        if bias is not None:
            logits = logits + np.broadcast_to(bias, shape)[b, n]
        allowed = np.ones(logits.shape, bool) if mask is None else np.broadcast_to(mask, shape)[b, n].copy()
        if is_causal:
            allowed &= np.tri(*logits.shape, dtype=bool)
        result[b, :, n] = _softmax(np.where(allowed, logits, -1e30)) @ value[b, :, n // groups]
    return result


def _alignments(probabilities, blank):
    """Every path's labels and probability: exact and exponential."""
    totals = {}
    for path in itertools.product(range(probabilities.shape[1]), repeat=len(probabilities)):
        labels = tuple(k for k, _ in itertools.groupby(path) if k != blank)
        totals[labels] = totals.get(labels, 0) + math.prod(p[k] for p, k in zip(probabilities, path))
    return totals


def _ctc_loss(target, output, target_length, output_length, mask_index=0):
    rows = zip(target, output, target_length, output_length)
    return np.array([-math.log(_alignments(_softmax(o[:m]), mask_index)[tuple(t[:n].astype(int))]) for t, o, n, m in rows])


def _padded(paths, steps):
    return np.array([list(p) + [-1] * (steps - len(p)) for p in paths])


def _beams(inputs, lengths, strategy="beam_search", beam_width=100, top_paths=1, mask_index=0):
    found = [sorted(_alignments(_softmax(x[:n]), mask_index).items(), key=lambda kv: -kv[1])[:top_paths] for x, n in zip(inputs, lengths)]
    paths = np.stack([_padded([row[k][0] for row in found], inputs.shape[1]) for k in range(top_paths)])
    return paths, np.log([[p for _, p in row] for row in found])


def _search(inputs, lengths, beam_width, top_paths, mask_index):
    return _beams(inputs, lengths, top_paths=top_paths, mask_index=mask_index)


def _greedy(inputs, lengths, merge_repeated=True, mask_index=0):
    mask_index = inputs.shape[-1] - 1 if mask_index is None else mask_index
    best = [x.argmax(-1)[:n].tolist() for x, n in zip(inputs, lengths)]
    runs = [[k for k, _ in itertools.groupby(row)] if merge_repeated else row for row in best]
    scores = [[-x.max(-1)[:n].sum()] for x, n in zip(inputs, lengths)]
    return _padded([[k for k in row if k != mask_index] for row in runs], inputs.shape[1])[None], np.array(scores)


def _over_time(step, x, states, mask):
    """All outputs of `step(x, *states)`, which returns the states, and the last states; hidden steps change nothing and repeat."""
    outputs, shown = [], np.zeros_like(states[0])
    for t in range(x.shape[1]):
        seen = np.ones((len(x), 1), bool) if mask is None else mask[:, t : t + 1].astype(bool)
        new = step(x[:, t], *states)
        states, shown = [np.where(seen, a, b) for a, b in zip(new, states)], np.where(seen, new[0], shown)
        outputs.append(shown)
    return np.stack(outputs, 1), *states


def _simple_rnn(x, h, kernel, recurrent_kernel, bias=0.0, mask=None):
    return _over_time(lambda x, h: [np.tanh(x @ kernel + h @ recurrent_kernel + bias)], x, [h], mask)


def _lstm(x, h, c, kernel, recurrent_kernel, bias=0.0, mask=None):
    def step(x, h, c):
        i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, -1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(c), c

    return _over_time(step, x, [h, c], mask)


def _gru(x, h, kernel, recurrent_kernel, bias=(0.0, 0.0), mask=None):
    def step(x, h):
        (z, r, n), (hz, hr, hn) = np.split(x @ kernel + bias[0], 3, -1), np.split(h @ recurrent_kernel + bias[1], 3, -1)
        z = _sigmoid(z + hz)
        return [z * h + (1 - z) * np.tanh(n + _sigmoid(r + hr) * hn)]

    return _over_time(step, x, [h], mask)


_PROBABILITIES = _softmax(array(4, 3)).astype("float32")
_LABELS = np.array([0, 2, 1, 1])
_HOT = np.eye(3, dtype="float32")[_LABELS]
_Q, _K = array(2, 3, 4, 5, seed=1), array(2, 6, 4, 5, seed=2)
_MASK = np.array([[True, False, True], [True, True, True], [False, False, True]])
# Time masks: padded on the right, holes, padded on the left, nothing seen, all seen.
_STEPS = np.array([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
_FRAMES = 3 * array(2, 4, 3, seed=5)
_TALL = {"rtol": 1e-4, "atol": 1e-4}
_SPREAD = np.array([[-1.7, -0.9, 0.1, 0.8, 1.6]], "float32")  # away from the kinks at -1, 0, 0.5 and 1

SAMPLES = {
    "projection": [
        Sample((array(2, 5, 4), array(4, 3, 2), array(3, 2)), reference=lambda x, k, b: np.einsum("abc,cde->abde", x, k) + b),
        Sample((array(2, 5, 3, 2), array(3, 2, 4), array(4)), {"axes": 2}, reference=lambda x, k, b, axes: np.einsum("abcd,cde->abe", x, k) + b),
        Sample((array(2, 4), array(4, 3)), reference=lambda x, k: x @ k),
    ],
    "relu": [*_each(lambda x: np.maximum(x, 0)), Sample((array(3, dtype="int32"),), reference=lambda x: np.maximum(x, 0))],
    "relu6": [Sample((WIDE,), reference=lambda x: np.clip(x, 0, 6))],
    "sigmoid": [
        *_each(_sigmoid), Sample((array(4, dtype="int32"),), reference=_sigmoid),
        Sample((np.array([-90.0, 90.0], "float32"),), reference=_sigmoid),
    ],
    "softplus": _each(lambda x: np.logaddexp(x, 0)),
    "softsign": _each(lambda x: x / (1 + np.abs(x))),
    "silu": _each(lambda x: x * _sigmoid(x)),
    "gelu": [*_each(_gelu), Sample((X,), {"approximate": False}, reference=_gelu)],
    "elu": [*_each(_elu), Sample((X, 0.5), reference=_elu)],
    "selu": _each(lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772)),
    "celu": [Sample((X, 0.7), reference=lambda x, alpha: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)))],
    "glu": [Sample((array(2, 6),), reference=_glu), Sample((array(4, 3),), {"axis": 0}, reference=_glu)],
    "leaky_relu": [
        Sample(args, reference=lambda x, negative_slope=0.2: np.where(x > 0, x, negative_slope * x)) for args in ((X,), (X, 0.3))
    ],
    "log_sigmoid": _each(lambda x: -np.logaddexp(-x, 0)),
    "hard_sigmoid": [Sample((WIDE,), reference=lambda x: np.clip(x / 6 + 0.5, 0, 1))],
    "hard_silu": [Sample((WIDE,), reference=lambda x: x * np.clip(x / 6 + 0.5, 0, 1))],
    "hard_tanh": [Sample((_SPREAD,), reference=lambda x: np.clip(x, -1, 1))],
    "hard_shrink": [Sample((_SPREAD,), {"threshold": 0.4}, reference=lambda x, threshold: np.where(np.abs(x) > threshold, x, 0))],
    "soft_shrink": [
        Sample((_SPREAD,), {"threshold": 0.4}, reference=lambda x, threshold: np.sign(x) * np.maximum(np.abs(x) - threshold, 0)),
    ],
    "tanh_shrink": _each(lambda x: x - np.tanh(x)),
    "threshold": [
        Sample((_SPREAD, 0.5, 0.25), reference=lambda x, threshold, default_value: np.where(x > threshold, x, default_value)),
        Sample((array(5, dtype="int32"), 0, 7), reference=lambda x, threshold, default_value: np.where(x > threshold, x, default_value)),
    ],
    "squareplus": [Sample((X, 3), reference=lambda x, b: (x + np.sqrt(x**2 + b)) / 2)],
    "sparse_plus": [Sample((_SPREAD,), reference=lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)))],
    "sparse_sigmoid": [Sample((_SPREAD,), reference=lambda x: np.clip((x + 1) / 2, 0, 1))],
    "softmax": [
        Sample((WIDE,), reference=_softmax), Sample((array(2, 3, 4),), {"axis": 1}, reference=_softmax),
        Sample((array(2, 3, 4),), {"axis": (0, 2)}, reference=_softmax), Sample((array(3, dtype="int32"),), reference=_softmax),
    ],
    "log_softmax": [
        Sample((WIDE,), reference=lambda x: np.log(_softmax(x))),
        Sample((array(2, 3, 4),), {"axis": (0, 2)}, reference=lambda x, axis: np.log(_softmax(x, axis))),
    ],
    "sparsemax": [Sample((array(3, 4),), reference=_sparsemax), Sample((array(3, 4),), {"axis": 0}, reference=_sparsemax)],
    "polar": [Sample((array(2, 3, low=0.1), array(3)), reference=lambda r, angle: r * np.exp(1j * angle), gradient=False)],
    "psnr": [Sample((array(2, 3), array(2, 3, seed=1), 2.0), reference=lambda a, b, m: 10 * np.log10(m**2 / ((a - b) ** 2).mean()))],
    "one_hot": [
        Sample((np.array([[0, 2], [1, -1]]), 3), reference=_one_hot), Sample((np.array([0, 5, 1]), 3, 0, "int32"), reference=_one_hot),
        Sample((np.array([0, 2], "uint8"), 3), {"dtype": "bool"}, reference=_one_hot),
    ],
    "multi_hot": [
        Sample((np.array([[0, 2, 2], [1, 1, -1]]), 4), reference=_multi_hot), Sample((np.array([0, 2, 2]), 4), reference=_multi_hot),
    ],
    "dense": [
        Sample((array(2, 3), array(3, 4), array(4)), reference=_dense), Sample((array(2, 3, 4), array(4, 2)), reference=_dense),
        Sample((array(2, 3, 4), array(4, 2), array(2)), reference=_dense),
    ],
    "batch_normalization": [
        Sample((array(3, 4), array(4), array(4, low=0.5), -1), reference=_batch_normalization),
        Sample((array(2, 3, 2), array(3), array(3, low=0.5), 1, array(3, seed=1), array(3, seed=2)), reference=_batch_normalization),
        Sample((array(3, 4), array(4), array(4, low=0.5), 1, array(4, seed=1), None, 0.1), reference=_batch_normalization),
    ],
    "layer_normalization": [
        Sample((array(3, 4),), reference=_layer_normalization, **_TALL),
        Sample((array(2, 3, 2), array(3, 2), array(3, 2, seed=1)), {"axis": [1, 2]}, reference=_layer_normalization, **_TALL),
        Sample((array(2, 3, 4), array(3), array(3, seed=1)), {"axis": 1, "epsilon": 0.1}, reference=_layer_normalization, **_TALL),
        Sample((array(3, 4), array(4)), {"rms_scaling": True, "epsilon": 0.1}, reference=_layer_normalization, **_TALL),
    ],
    # The gradients, those of the moments being none by intent: tests/core/test_fused.py
    "normalize_batch": [
        Sample((array(2, 3, 3, 4), -1, array(4), array(4, low=0.5)), reference=_normalize_batch, gradient=False, **_TALL),
        Sample((array(2, 3, 4), 1, None, array(3, low=0.5), 0.1), reference=_normalize_batch, gradient=False, **_TALL),
        Sample((array(5, 4), 1), reference=_normalize_batch, gradient=False, **_TALL),
        Sample((array(2, 3, 3, 4), 3, None, None, 0.0), reference=_normalize_batch, gradient=False, **_TALL),
    ],
    "group_normalization": [
        Sample((array(2, 3, 3, 4), 2, array(4), array(4, seed=1)), reference=_group_normalization, **_TALL),
        Sample((array(2, 4, 3), 4, array(4)), {"axis": 1, "epsilon": 0.1}, reference=_group_normalization, **_TALL),
        Sample((array(2, 3, 6), 3), {"epsilon": 0.1}, reference=_group_normalization, **_TALL),
        Sample((array(2, 3, 4, 2), 2, None, array(4)), {"axis": 2, "epsilon": 0.1}, reference=_group_normalization, **_TALL),
    ],
    "rms_normalization": [
        Sample((array(3, 4), array(4)), reference=_rms_normalization, **_TALL),
        Sample((array(2, 3, 4), array(3)), {"axis": 1, "epsilon": 0.1}, reference=_rms_normalization, **_TALL),
    ],
    "normalize": [
        Sample((X,), reference=_normalize), Sample((X, 0, 1), reference=_normalize), Sample((X, -1, 3), reference=_normalize, **_TALL),
        Sample((X, -1, 2, 10.0), reference=_normalize),
    ],
    "moments": [
        Sample((array(2, 3, 4), [0, 2]), reference=_moments), Sample((array(3, 4), [1], True), reference=_moments),
        Sample((array(3, 4, dtype="float16"), [0]), reference=_moments, gradient=False),
    ],
    "replica_mean": [Sample((X,), reference=lambda x: x)],
    "binary_crossentropy": [
        Sample((_HOT, _PROBABILITIES), reference=_binary, **_TALL), Sample((_HOT, array(4, 3), True), reference=_binary),
        Sample((np.array([0.0, 1.0, 1.0], "float32"), np.array([0.0, 0.3, 1.0], "float32")), reference=_binary, gradient=False, **_TALL),
        Sample((_HOT, array(4, 3), True, "mean"), reference=lambda *args: _binary(*args[:3]).mean()),
        Sample((_HOT, _PROBABILITIES, False, "mean"), reference=lambda *args: _binary(*args[:3]).mean(), **_TALL),
    ],
    "mean_squared_difference": [
        Sample((array(2, 3), array(2, 3, seed=1)), reference=lambda a, b: np.square(a - b).mean()),
        Sample((array(2, 3), array(3)), reference=lambda a, b: np.square(a - b).mean()),
    ],
    "categorical_crossentropy": [
        Sample((_HOT, _PROBABILITIES), reference=_categorical, **_TALL), Sample((_HOT, array(4, 3), True), reference=_categorical),
        Sample((_HOT, array(4, 3), True, 0), reference=_categorical),
        Sample((_HOT[:1], np.array([[0.0, 0.0, 2.0]], "float32")), reference=_categorical, gradient=False, **_TALL),
        Sample((_HOT, array(4, 3), True, -1, "mean"), reference=lambda *args: _categorical(*args[:4]).mean()),
        Sample((_HOT, _PROBABILITIES, False, -1, "mean"), reference=lambda *args: _categorical(*args[:4]).mean(), **_TALL),
    ],
    "sparse_categorical_crossentropy": [
        Sample((_LABELS, _PROBABILITIES), reference=_sparse, **_TALL), Sample((_LABELS, array(4, 3), True), reference=_sparse),
        Sample((_LABELS[:, None], array(4, 3), True), reference=_sparse),
        Sample((_LABELS[:2, None] % 3, array(2, 3, 1), True, 1), reference=_sparse),
        Sample((_LABELS, array(4, 3), True, -1, "mean"), reference=lambda *args: _sparse(*args[:4]).mean()),
        Sample((_LABELS, _PROBABILITIES, False, -1, "mean"), reference=lambda *args: _sparse(*args[:4]).mean(), **_TALL),
    ],
    "dot_product_attention": [
        Sample((_Q, _K, _K), reference=_attention), Sample((_Q, _Q, _Q), {"is_causal": True, "scale": 0.3}, reference=_attention),
        Sample((_Q, _K[:, :, :2], _K[:, :, 2:]), reference=_attention),
        Sample((_Q, _Q, _Q), {"mask": _MASK}, reference=_attention),
        Sample((_Q[:, :1], _K[:, :, :2], _K[:, :, 2:], array(2, 4, 1, 6)), {"scale": 0.3}, reference=_attention),  # one target
        Sample((_Q[:, :1], _K, _K), {"mask": np.array([[True, False, True, True, False, True]])}, reference=_attention),
        # Rows that attend nowhere: the even average is agreed, its gradient in the query is not (fused kernels add the mask to logits).
        Sample((_Q, _Q, _Q), {"mask": np.zeros((2, 1, 3, 3), bool)}, reference=_attention, gradient=False),
        Sample((_Q, _Q, _Q, array(1, 4, 3, 3)), {"is_causal": True}, reference=_attention),
        Sample((_Q, _Q, _Q, array(2, 1, 3, 3)), {"mask": _MASK}, reference=_attention),
        Sample((_Q, _K[:, :, :2], _K[:, :, 2:]), {"attn_logits_soft_cap": 2.0}, reference=_attention),
        Sample((_Q, _Q, _Q), {"attn_logits_soft_cap": 2.0, "mask": _MASK, "is_causal": True}, reference=_attention),
    ],
    "ctc_loss": [
        Sample((np.array([[1]]), _FRAMES[:1, :1], np.array([1]), np.array([1])), reference=_ctc_loss, **_TALL),
        Sample((np.array([[1, 2], [1, 1]]), _FRAMES, np.array([1, 2]), np.array([3, 4])), reference=_ctc_loss, **_TALL),
        Sample((np.array([[0, 1], [0, 2]]), _FRAMES, np.array([2, 1]), np.array([4, 2]), 2), reference=lambda t, o, n, m, k: _ctc_loss(
            np.where(t == 2, 0, t), o, np.array([2, 1]), m, k), **_TALL),
    ],
    "ctc_beam_search": [Sample((_FRAMES, np.array([4, 3]), 100, 2, 0), reference=_search, gradient=False, **_TALL)],
    "ctc_decode": [
        Sample((_FRAMES, np.array([4, 3])), reference=_greedy, gradient=False),
        Sample((_FRAMES, np.array([4, 3])), {"merge_repeated": False, "mask_index": None}, reference=_greedy, gradient=False),
        Sample((_FRAMES, np.array([4, 3]), "beam_search", 100, 2), reference=_beams, gradient=False, **_TALL),
    ],
    "simple_rnn": [
        Sample((array(2, 4, 3), array(2, 5), array(3, 5), array(5, 5) / 2, array(5)), reference=_simple_rnn, **_TALL),
        Sample((array(5, 4, 3), array(5, 2), array(3, 2), array(2, 2)), {"mask": _STEPS}, reference=_simple_rnn, **_TALL),
    ],
    "lstm": [
        Sample((array(2, 4, 3), array(2, 2), array(2, 2, seed=1), array(3, 8), array(2, 8), array(8)), reference=_lstm, **_TALL),
        Sample((array(2, 1, 3), array(2, 2), array(2, 2, seed=1), array(3, 8), array(2, 8)), reference=_lstm, **_TALL),
        Sample((array(5, 4, 3), array(5, 2), array(5, 2, seed=1), array(3, 8), array(2, 8), array(8), _STEPS), reference=_lstm, **_TALL),
        Sample((array(2, 4, 1), array(2, 2), array(2, 2, seed=1), array(1, 8), array(2, 8)), {"mask": _STEPS[:2].astype("int32")},
               reference=_lstm, **_TALL),
    ],
    "gru": [
        Sample((array(2, 4, 3), array(2, 2), array(3, 6), array(2, 6), array(2, 6, seed=3)), reference=_gru, **_TALL),
        Sample((array(2, 1, 3), array(2, 2), array(3, 6), array(2, 6)), reference=_gru, **_TALL),
        Sample((array(5, 4, 3), array(5, 2), array(3, 6), array(2, 6), array(2, 6, seed=3), _STEPS), reference=_gru, **_TALL),
    ],
}  # fmt: skip
