"""The argument forms that NumPy takes, on every backend: one table over `core.ops.numpy`, NumPy itself is what is compared with."""

import inspect

import numpy as np
import pytest

import core
import core.ops.numpy as ours
from core import ops
from core.backend import use

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
_RNG = np.random.default_rng(5)
F = _RNG.uniform(0.25, 2.0, (2, 3, 4)).astype("float32")
I = _RNG.integers(1, 6, (2, 3, 4)).astype("int32")
B = I > 3
N = np.where(B, np.float32(np.nan), F)
M = F[0]
V = F[0, 0]
EMPTY = np.zeros((0,), "float32")
NONE_OF_TWO = np.zeros((2, 0), "float32")
ONE = np.int64(1)


class Call:
    """Arguments for one function, ours and NumPy's alike; lists among axes and shapes, which NumPy may not take, are tuples there."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs

    def __repr__(self):
        parts = [_short(arg) for arg in self.args] + [f"{name}={_short(arg)}" for name, arg in self.kwargs.items()]
        return f"({', '.join(parts)})"


def _short(x):
    return f"<{x.dtype} {x.shape}>" if isinstance(x, np.ndarray) else repr(x)


def forms(first, *rests, **options):
    """Calls with one first argument and each of the rests, which are tuples or dicts of keywords."""
    return [Call(*first, **rest) if isinstance(rest, dict) else Call(*first, *rest) for rest in rests]


# Elementwise functions take numbers, nested lists, integers, scalars and tensors without elements.
ARGUMENTS = [0.5, 2, True, [0.5, 1.5], [[1, 2], [3, 4]], np.float32(0.5), np.array(0.5, "float32"), F, EMPTY, NONE_OF_TWO, (0.5, 1.0)]
WHOLE = [3, [1, 2], [[1, 2], [3, 4]], np.int32(5), np.array(5, "int32"), I, EMPTY.astype("int32")]
UNARY = (
    "abs absolute angle arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil conj conjugate copy cos cosh deg2rad exp exp2 expm1 fabs"
    " floor i0 imag isfinite isinf isnan isneginf isposinf isreal log log10 log1p log2 logical_not ndim ones_like zeros_like rad2deg ravel"
    " real reciprocal round sign signbit sin sinc sinh size sqrt square tan tanh trunc nan_to_num array"
).split()
BINARY = (
    "add arctan2 divide equal fmax fmin fmod greater greater_equal heaviside hypot isclose less less_equal logaddexp logaddexp2 logical_and"
    " logical_or logical_xor maximum minimum mod multiply nextafter not_equal power subtract true_divide floor_divide allclose"
).split()
WHOLE_UNARY = ["bitwise_invert", "bitwise_not"]
WHOLE_BINARY = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm".split()
NOT_OF_BOOLS = {"subtract", "negative", "sign", "floor_divide", "signbit"}

# fmt: off
PAIRS = [
    (F, 2.0), (2.0, F), (F, 2), (2, F), (I, 2), (2, I), (F, V), (F[:, :1], F), ([1.0, 2.0], 3.0), ([[1], [2]], [1, 2]), (2.0, 3.0), (7, 2),
    (np.array(2.0, "float32"), F), (F, np.float32(2)), (EMPTY, 2.0), (2.0, EMPTY), (EMPTY, EMPTY),
    (NONE_OF_TWO, np.ones((2, 1), "float32")), (True, F), ((1.0, 2.0), [3.0, 4.0]),
]
WHOLE_PAIRS = [(I, 2), (2, I), (I, I), (6, 3), ([1, 2], [[1], [2]]), (I, np.array(2, "int32")), (EMPTY.astype("int32"), 1)]

AXES = [None, 0, 1, -1, -3, (0, 2), (-1, 0), [0, 1], [-1], (), [], ONE, (ONE, 0), np.int32(-1), (0, 1, 2)]
ONE_AXIS = [None, 0, 1, -1, -3, ONE, np.int32(-1)]
REDUCTIONS = "all amax amin any max mean min prod ptp std sum var median count_nonzero average".split()
NAN_REDUCTIONS = "nanmax nanmean nanmedian nanmin nanprod nanstd nansum nanvar".split()
CHOICES = ["argmax", "argmin", "nanargmax", "nanargmin"]
NO_AXES = {"median", "nanmedian", "average"}  # of no axis NumPy has none or refuses


def _reductions(name, x):
    keeps = "keepdims" in inspect.signature(getattr(ours, name)).parameters
    for axis in ONE_AXIS if name in CHOICES else AXES:
        if name in NO_AXES and isinstance(axis, (tuple, list)) and not axis:
            continue
        yield Call(x, axis)
        yield Call(x, axis=axis)
        if keeps:
            yield Call(x, axis=axis, keepdims=True)
    yield Call([[1.0, 2.0], [3.0, 4.0]], -1)
    yield Call([[1, 2], [3, 4]], 0)
    yield Call(3.5)
    if keeps:
        yield Call(3, keepdims=True)
    if name in ("sum", "prod", "all", "any", "count_nonzero", "nansum", "nanprod"):
        yield from forms((NONE_OF_TWO,), (), (0,), (1,), (-1,), ((0, 1),))


QUANTILES = [
    *(
        Call(F, q, axis, **options)
        for q in (0.3, [0.25, 0.5], (0.5,), np.array([0.0, 1.0]), 1, 0)
        for axis in (None, -1, (0, 2), [0, 1], ONE)
        for options in ({}, {"keepdims": True})
    ),
    *(Call(F, 0.4, method=method) for method in ("linear", "lower", "higher", "midpoint", "nearest")), Call([1, 2, 3, 4], 0.5),
    Call([[1.0, 2.0]], [0.5, 0.1], -1),
]
SPLITS = [3, ONE * 3, [1, 2], (1, 2), [1], [], [1, 5], [-1], np.array([1, 2])]

TABLE = {name: [Call(x) for x in ARGUMENTS if x is not True or name not in NOT_OF_BOOLS] for name in UNARY}
TABLE |= {name: [Call(*pair) for pair in PAIRS if pair[0] is not True or name not in NOT_OF_BOOLS] for name in BINARY}
TABLE |= {name: [Call(x) for x in WHOLE] for name in WHOLE_UNARY}
TABLE |= {name: [Call(*pair) for pair in WHOLE_PAIRS] for name in WHOLE_BINARY}
TABLE |= {name: list(_reductions(name, F)) for name in (*REDUCTIONS, "argmax", "argmin")}
TABLE |= {name: list(_reductions(name, N)) for name in (*NAN_REDUCTIONS,)}
TABLE |= {name: list(_reductions(name, np.where(F == F.max(), np.float32(np.nan), F))) for name in ("nanargmax", "nanargmin")}
TABLE |= {name: QUANTILES for name in ("quantile", "nanquantile")}
TABLE |= {name: [Call(call.args[0], np.multiply(call.args[1], 100).tolist(), *call.args[2:], **call.kwargs) for call in QUANTILES]
          for name in ("percentile", "nanpercentile")}
TABLE |= {name: [
    *(Call(F, axis) for axis in ONE_AXIS), Call(I, axis=1), Call([1, 2, 3]), Call([[1, 2], [3, 4]]), Call(NONE_OF_TWO, 1), Call(B),
    Call(F, 0, dtype="float32"), Call(I, dtype="float32"), Call(3), Call(EMPTY),
] for name in ("cumsum", "cumprod")}
TABLE |= {name: [*(Call(N, axis) for axis in ONE_AXIS), Call([1.0, 2.0]), Call(I, axis=1)] for name in ("nancumsum", "nancumprod")}
for name in ("max", "min", "amax", "amin"):
    if "initial" in inspect.signature(getattr(ours, name)).parameters:
        TABLE[name] += [
            Call(F, initial=1.0), Call(F, -1, initial=1), Call(F, (0, 1), keepdims=True, initial=1.5), Call(EMPTY, initial=2.0),
            Call(NONE_OF_TWO, axis=1, initial=2.0), Call(I, 0, initial=3), Call(I, initial=100), Call(F, initial=np.float32(1)),
        ]
TABLE["max"] += [Call(B), Call(NONE_OF_TWO, axis=0)]
TABLE["round"] += [Call(F, 1), Call(F, decimals=2), Call(12345, -2), Call(F * 100, -1), Call(I, 0), Call(F, np.int64(1))]
TABLE["nan_to_num"] += [
    Call(np.array([np.nan, np.inf, -np.inf], "float32"), nan=1.0, posinf=2.0, neginf=-2.0), Call(N, nan=3.0), Call([np.nan, 1.0]),
]
TABLE["isclose"] += [Call(N, N), Call(N, N, equal_nan=True), Call(1.0, [1.0, 1.1], rtol=0.2), Call([1.0, 2.0], [1.0, 2.1], 0.0, 0.2)]
TABLE["allclose"] += [Call(N, N), Call(N, N, equal_nan=True), Call(1.0, [1.0, 1.1], rtol=0.2), Call([1.0, 2.0], [1.0, 2.1], 0.0, 0.2)]
TABLE["average"] += [
    Call(F, weights=F), Call(F, -1, V), Call(F, axis=0, weights=[1, 3]), Call(F, ONE, [1.0, 2.0, 3.0]), Call([1, 2], weights=[3.0, 1.0]),
    Call(F, (0, 1), F), Call(F, [0, 1], F), Call(F, (-1,), F),
]
TABLE["append"] = [
    Call(F, F), Call(F, 1.0), Call(F, F, 1), Call(F, F, axis=-1), Call([1, 2], [[3]]), Call(1, 2), Call(F, F, ONE), Call([], [1.0]),
]
TABLE["arange"] = [
    Call(5), Call(2, 7), Call(2, 7, 2), Call(5.0), Call(0.5, 3), Call(0, 1, 0.25), Call(5, 0, -1), Call(5, 0, -2), Call(1.0, -1.0, -0.5),
    Call(0), Call(5, 2), Call(3, dtype="float32"), Call(1, 7, step=3), Call(np.int64(4)), Call(np.float32(2.5)), Call(-3), Call(2, stop=5),
]
TABLE["argpartition"] = [
    Call(F, 1), Call(F, 1, 0), Call(F, kth=0, axis=1), Call(F, -1), Call(F, 3, None), Call([3, 1, 2], 1), Call(F, ONE, ONE),
]
TABLE |= {name: [
    *(Call(F, axis) for axis in ONE_AXIS), Call(F, axis=None), Call([3, 1, 2]), Call([[3, 1], [2, 5]], axis=0), Call(EMPTY),
    Call(NONE_OF_TWO), Call(B, 1), Call(N, -1),
] for name in ("sort", "argsort")}
TABLE["array_split"] = [
    *(Call(F, places, 1) for places in (*SPLITS, 2, 5)), Call(F, 3, axis=-1), Call(F, 2), Call([1, 2, 3], 2), Call(F, 2, ONE),
]
TABLE["split"] = [
    *(Call(F, places, 1) for places in SPLITS), Call(F, 2, axis=-1), Call(F, 2), Call([1, 2], 2), Call(F, 3, ONE), Call(F, [1, 3], -1),
]
TABLE["hsplit"] = [Call(F, 3), Call(F, [1]), Call(V, 2), Call([[1, 2], [3, 4]], 2), Call(F, (1, 2))]
TABLE["vsplit"] = [Call(F, 2), Call(F, [1]), Call([[1, 2], [3, 4]], 2), Call(M, (1, 2)), Call(M, np.int64(3))]
TABLE["dsplit"] = [Call(F, 2), Call(F, [1, 3]), Call(F, (1,)), Call([[[1, 2], [3, 4]]], 2)]
for name in ("bartlett", "blackman", "hamming", "hanning"):
    TABLE[name] = [Call(n) for n in (0, 1, 2, 5, 6, np.int64(4))]
TABLE["kaiser"] = [*(Call(n, beta) for n in (0, 1, 2, 5, np.int64(4)) for beta in (0, 2.5))]
TABLE["bincount"] = [
    Call([1, 2, 2]), Call(I.ravel()), Call(I.ravel(), minlength=9), Call(I.ravel(), F.ravel()),
    Call([0, 1], weights=[0.5, 1.5], minlength=4), Call(EMPTY.astype("int32")), Call(EMPTY.astype("int32"), minlength=3),
]
TABLE["broadcast_to"] = [
    Call(V, (3, 4)), Call(V, [2, 3, 4]), Call(3.0, (2, 2)), Call(1, 3), Call([1, 2], (np.int64(2), 2)), Call(F, (1, 2, 3, 4)), Call(V, 4),
    Call([[1.0]], (0, 1)), Call(2.0, ()),
]
TABLE["clip"] = [
    Call(F, 0.5, 1.0), Call(F, None, 1.0), Call(F, 0.5, None), Call(F, V, 2.0), Call(F, 0.5, F), Call(I, 2, 4), Call([1, 5], 2, 4),
    Call(3.0, 0, 1), Call(F, np.array(0.5, "float32"), 1.0), Call(F, [0.5, 0.5, 0.6, 0.7], None), Call(EMPTY, 0, 1), Call(I, None, 3),
]
TABLE["concatenate"] = [
    Call([F, F]), Call((F, F), 1), Call([F, F], axis=-1), Call([F, F], None), Call([[1, 2], [3]]), Call([[1, 2], [3.5]]), Call([F]),
    Call([F, F], ONE), Call([EMPTY, V]), Call(F), Call(F, 1), Call([F, M], None),
]
TABLE["stack"] = [
    Call([F, F]), Call((F, F), 1), Call([F, F], axis=-1), Call([F, F], -2), Call([1, 2, 3]), Call([[1, 2], [3, 4]], 1), Call([F, F], ONE),
    Call(F, 1),
]
for name in ("hstack", "vstack", "dstack"):
    TABLE[name] = [
        Call([F, F]),
        Call((V, V)),
        Call([1, 2, 3]),
        Call([[1, 2], [3, 4]]),
        Call([M, M]),
        Call(F),
        Call((1.0, 2)),
        Call([[[1], [2]], [[3], [4]]]),
    ]
TABLE["hstack"] += [Call([V, [1.0]])]
TABLE["corrcoef"] = [Call(M), Call([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]]), Call([[1, 2, 4], [3, 1, 0]]), Call(V)]
TABLE["correlate"] = [
    Call([1, 2, 3], [0, 1, 0.5]), *(Call(V, V[:2], mode) for mode in ("valid", "same", "full")), Call(V[:2], V, "full"),
    Call([1, 2], [3, 4], mode="full"),
]
TABLE["cross"] = [
    Call([1, 2, 3], [4, 5, 6]), Call(F[..., :3], F[..., :3]), Call([[1, 2, 3]], [4, 5, 6]), Call(M, M, 0, 0), Call(M, M, axis=0),
    Call(M, M.T, 0, 1), Call(M, M, axisa=0, axisb=0, axisc=0), Call(M, M, -2, -2, -1), Call(F[..., :3], V[:3]),
]
TABLE["diag"] = [
    Call(M), Call(V), Call([1, 2]), *(Call(x, k) for x in (M, V) for k in (1, -1, 2)), Call(M, k=3), Call([[1, 2], [3, 4]], -1),
    Call(M, ONE), Call(M, 10),
]
TABLE["diagflat"] = [Call(M), Call(V, 1), Call([[1, 2], [3, 4]], k=-1), Call(3), Call([1, 2])]
TABLE["diagonal"] = [
    Call(F), Call(F, 1), Call(F, -1), Call(F, offset=2), Call(F, 0, 1, 2), Call(F, 0, -1, 0), Call(F, 1, axis1=2, axis2=-2),
    Call([[1, 2], [3, 4]]), Call(F, ONE, ONE, 2),
]
TABLE["trace"] = [*TABLE["diagonal"], Call(F, 5), Call(I, -1, 0, 2)]
TABLE["diff"] = [
    Call(F), Call(F, 2), Call(F, 1, 0), Call(F, n=2, axis=1), Call(F, 0), Call([1, 4, 9]), Call(F, 1, ONE), Call(B), Call(V, 5),
    Call([[1, 2], [3, 5]], axis=-2),
]
TABLE["digitize"] = [
    Call(F, [0.5, 1.0]), Call(0.7, [0.5, 1.0]), Call([1, 5], [2, 3]), Call(F, np.array([1.0])), Call(EMPTY, [1.0]),
    Call([0.5, 1.0], (0.5, 1.0)),
]
TABLE["dot"] = [
    Call(V, V), Call(M, V), Call(F, M.T), Call(2, F), Call(F, 2.0), Call([1, 2], [3, 4]), Call([[1, 2]], [[3], [4]]), Call(3, 4),
    Call(EMPTY, EMPTY), Call(F, V),
]
TABLE["inner"] = [Call(V, V), Call(M, M), Call(F, V), Call(2, F), Call([1, 2], [3, 4]), Call(3, 4), Call(V, F)]
TABLE["outer"] = [Call(V, V), Call(M, M), Call(2, V), Call([1, 2], [3, 4, 5]), Call(3, 4), Call(EMPTY, V), Call(V, F)]
TABLE["vdot"] = [
    Call(V, V), Call(M, M), Call([1, 2], [3, 4]), Call(3, 4), Call(F, F), Call(M, M.ravel()), Call(np.array([1 + 2j]), np.array([2 - 1j])),
]
TABLE["matmul"] = [
    Call(M, V), Call(V[:3], M), Call(F, M.T), Call([[1, 2]], [[3], [4]]), Call(V, V), Call([1, 2], [3, 4]),
    Call(np.zeros((2, 0), "float32"), np.zeros((0, 3), "float32")),
]
TABLE["tensordot"] = [
    Call(F, F.transpose(1, 2, 0)), Call(F, M, 2), Call(V, V, 1), Call(V, V, 0), Call(F, M, 0), Call(F, F, 3), Call(F, M, [[1, 2], [0, 1]]),
    Call(F, M, ([1, 2], [0, 1])), Call(F, M, ((1,), (0,))), Call(F, M, (1, 0)), Call(F, M, axes=[-1, -1]), Call([1, 2], [3, 4], 1),
    Call(F, M, [1, 0]), Call(F, M, (np.int64(1), 0)), Call(F, F.transpose(1, 2, 0), np.int64(2)),
]
TABLE["einsum"] = [
    Call("ij,j->i", M, V), Call("ij,j", M, V), Call("...j,j->...", F, V), Call("ii->i", np.eye(3, dtype="float32")), Call("ij->ji", M),
    Call("ij", M), Call("ji", M), Call("i,j->ij", [1, 2], [3, 4]), Call("ijk->", F), Call("ij , j -> i", M, V),
    Call("ij,ij,ij->i", M, M, M), Call("i,i", V, V), Call(",i->i", 2.0, V),
]
TABLE["empty_like"] = [*TABLE["ones_like"]]
TABLE["ones_like"] = [*TABLE["ones_like"], Call(F, "int32"), Call(I, dtype="float32")]
TABLE["zeros_like"] = [*TABLE["zeros_like"], Call(F, "int32"), Call(I, dtype="float32")]
SHAPES = [(), (2,), (2, 3), [2, 3], 3, (0,), (2, 0), (np.int64(2), 3), np.int64(3), np.array([2, 3])]
for name in ("zeros", "ones", "empty"):
    TABLE[name] = [Call(shape) for shape in SHAPES] + [Call((2,), "int32"), Call((2,), dtype="float32")]
TABLE["full"] = [
    *(Call(shape, 2.5) for shape in SHAPES), Call((2, 3), 7), Call((2, 3), True), Call((2, 3), [1.0, 2.0, 3.0]),
    Call((2, 3), np.array([[1.0], [2.0]])), Call((2,), 3.7, "int32"), Call((2, 3), np.float32(1)), Call((2, 3), fill_value=(1, 2, 3)),
]
TABLE["full_like"] = [
    Call(F, 2), Call(I, 3), Call(F, V), Call(F, [1, 2, 3, 4]), Call([1, 2], 3), Call(F, 2, "int32"), Call(3.0, 1),
    Call(F, fill_value=np.float32(2)),
]
TABLE["eye"] = [
    Call(3), Call(2, 3), Call(3, 2), Call(3, k=1), Call(3, 4, -1), Call(3, M=4, k=2), Call(0), Call(np.int64(2), np.int64(3)),
    Call(3, None, 1, "int32"), Call(2, k=5),
]
TABLE["tri"] = [
    Call(3), Call(2, 3), Call(3, 2, -1), Call(3, k=1), Call(3, M=4, k=2), Call(0), Call(np.int64(2)), Call(3, None, 1, "int32"),
    Call(2, 0),
]
TABLE["identity"] = [Call(3), Call(0), Call(np.int64(2)), Call(2, "int32"), Call(2, dtype="int32")]
for name in ("tril", "triu"):
    TABLE[name] = [
        Call(M),
        Call(F),
        Call(F, 1),
        Call(F, k=-1),
        Call([[1, 2], [3, 4]]),
        Call(M, 10),
        Call(M, -10),
        Call(F, ONE),
        Call(np.zeros((2, 0), "float32")),
        Call(B),
    ]
TABLE["expand_dims"] = [
    *(Call(F, axis) for axis in (0, 1, -1, 3, -4, (0, 1), (0, -1), (-1, -2), [0, 2], ONE, (), (0, 4))), Call(3.0, 0), Call([1, 2], -1),
    Call(3, (0, 1)),
]
TABLE["flip"] = [
    *(Call(F, axis) for axis in (None, 0, -1, (0, 1), (-1, 0), [0, 2], ONE, (), (0, 1, 2))), Call([1, 2, 3]), Call(3.0), Call(EMPTY),
    Call([[1, 2], [3, 4]], 1),
]
TABLE["fliplr"] = [Call(F), Call(M), Call([[1, 2], [3, 4]])]
TABLE["flipud"] = [Call(F), Call(V), Call([[1, 2], [3, 4]]), Call([1, 2])]
TABLE["geomspace"] = [
    Call(1, 100), Call(1, 100, 3), Call(1.0, 8.0, 4, False), Call([1, 2], [10, 20], 3), Call(1, [10, 20], num=3, axis=-1), Call(-1, -8, 4),
    Call(1, 8, np.int64(4)), Call(1, 2, 1), Call(1, 2, 0),
]
TABLE["logspace"] = [
    Call(0, 2), Call(0, 2, 3), Call(0, 2, 4, False), Call(0, 3, 4, base=2), Call([0, 1], [1, 2], 3), Call(0, [1, 2], num=3, axis=-1),
    Call(0, 1, base=0.5), Call(0, 2, 1), Call(0, 2, 0),
]
TABLE["linspace"] = [
    Call(0, 1), Call(0, 1, 3), Call(0, 1, 4, False), Call(0, 1, num=5, endpoint=False), Call([0, 1], [2, 5], 3),
    Call([0, 1], 5, 3, axis=-1), Call(0, 1, 1), Call(0, 1, 0), Call(5, 1, 3), Call(0, 10, 4, dtype="int32"), Call(F, 2 * F, 3, axis=1),
    Call(0, 1, np.int64(3)), Call(0, 1, 3, retstep=True), Call(0, 1, 4, False, True), Call([0, 1], [2, 5], 3, retstep=True),
    Call(F, 1, 3, axis=-2),
]
TABLE["get_item"] = [
    *(Call(F, key) for key in (
        0, -1, ONE, slice(None), slice(1, None), (0, 1), (slice(None), 1), (..., 0), (None, 0), (slice(None), [0, 2]), [0, 1],
        (slice(None, None, -1),), np.array([1, 0]), (0, [1, 2], slice(1, 3)), (np.array([0, 1]), np.array([1, 2])), (Ellipsis, None),
        (slice(None), slice(0, 3, 2)),
    )),
    Call(F, B), Call([1, 2, 3], 1),
]
TABLE["histogram"] = [
    Call(F), Call(F, 5), Call(F, bins=4, range=(0.0, 2.0)), Call(F, [0.0, 0.5, 1.0, 2.0]), Call(F, np.array([0.0, 1.0, 3.0])),
    Call([1, 2, 1], 3), Call([1.0, 2.0, 9.0], 3, (0, 5)), Call(I, 4), Call([1, 2], (0, 1, 2)), Call(V, np.int64(3)), Call([3.0, 3.0], 2),
]
TABLE["isin"] = [
    Call(I, [1, 2]), Call(1, [1, 2]), Call([1, 2, 3], 2), Call(I, I), Call(I, [1, 2], invert=True), Call([1, 2], [2], assume_unique=True),
    Call(I, []), Call(F, F[0]),
]
TABLE["kron"] = [Call(M, M), Call(V, V), Call(2, M), Call([1, 2], [[1, 0], [0, 1]]), Call(F, V), Call(3, 4), Call(V, F)]
TABLE["ldexp"] = [Call(F, 2), Call(F, I), Call(1.5, 3), Call([1.0, 2.0], [1, -1])]
TABLE["meshgrid"] = [
    Call(V, [1, 2]), Call(V, [1, 2], indexing="ij"), Call(V), Call(), Call(V, [1, 2], V, indexing="xy"), Call(V, [1, 2], V, indexing="ij"),
    Call(1.0, 2.0), Call(1, [1, 2]), Call(M, V), Call(EMPTY, V),
]
TABLE["moveaxis"] = [
    Call(F, 0, -1), Call(F, -1, 0), Call(F, (0, 1), (-1, 0)), Call(F, [0, 1], [1, 2]), Call(F, [0], (2,)), Call(F, ONE, 0),
    Call(F, (), ()), Call([[1, 2], [3, 4]], 0, 1), Call(F, (0, 1, 2), (2, 1, 0)), Call(F, source=1, destination=-1),
]
TABLE["negative"] = [*(Call(x) for x in ARGUMENTS if x is not True)]
TABLE["nonzero"] = [Call(F), Call(I - 2), Call([0, 1, 2]), Call(B), Call([[True, False]]), Call(EMPTY)]
TABLE["pad"] = [
    Call(M, 1), Call(M, (1, 2)), Call(M, ((1, 2), (0, 1))), Call(M, [[1, 2], [0, 1]]), Call(M, ((1, 2),)), Call(M, (2,)),
    Call(M, np.array([[1, 2], [0, 1]])), Call(M, ((1,), (2,))), Call([1, 2], 1), Call(M, 1, "constant", constant_values=3),
    Call(M, 1, constant_values=2.5), Call(M, 1, mode="reflect"), Call(M, (1, 2), "symmetric"), Call(M, (3, 1), "edge"), Call(M, 2, "wrap"),
    Call(M, 0), Call(M, np.int64(1)), Call([[1, 2], [3, 4]], ((0, 0), (1, 1))), Call(I, 1, constant_values=7),
]
TABLE["repeat"] = [
    Call(F, 2), Call(F, 2, 0), Call(F, 2, axis=-1), Call(F, [1, 2, 0], 1), Call(F, (1, 2, 0), 1), Call(F, np.array([1, 2, 0]), 1),
    Call(F, [2], 1), Call(F, [2]), Call([1, 2], [1, 3]), Call(3, 4), Call(F, 0, 1), Call(F, ONE * 2, ONE), Call(EMPTY, 2),
    Call(V, np.array(2)),
]
TABLE["tile"] = [
    Call(F, 2), Call(F, (2,)), Call(F, (1, 2)), Call(F, [2, 1, 1, 1]), Call(3, 2), Call([1, 2], (2, 2)), Call(F, ()), Call(F, 0),
    Call(F, np.array([2, 1])), Call(F, np.int64(2)), Call(V, (2, 0)),
]
TABLE["reshape"] = [
    *(Call(F, shape) for shape in (
        -1, (-1,), (6, 4), [6, -1], (2, -1, 2), 24, (np.int64(4), -1), (24, 1), (1, 2, 3, 4), np.array([6, 4]), np.int64(-1),
    )),
    Call([1, 2], (2, 1)), Call(3.0, (1, 1)), Call([5], ()), Call(EMPTY, (0, 3)), Call(EMPTY, (2, 0)),
]
TABLE["roll"] = [
    Call(F, 1), Call(F, -1, 0), Call(F, 1, axis=-1), Call(F, (1, 2), (0, 1)), Call(F, [1, -1], [0, 2]), Call(F, 1, (0, 1)),
    Call(F, (1, 2), 0), Call([1, 2, 3], 5), Call(F, np.int64(2), ONE), Call(F, 0), Call(F, (1, 1), (1, 1)), Call(F, (2,), (1,)),
    Call(3.0, 1), Call(EMPTY, 1), Call(F, 100),
]
TABLE["rot90"] = [
    Call(F), Call(M), *(Call(F, k, (1, 2)) for k in (0, 1, 2, 3, -1, 5)), Call(F, axes=(-1, 0)), Call([[1, 2], [3, 4]]),
    Call(F, 1, [0, 2]), Call(F, ONE, (2, 1)),
]
SORTED = [0.5, 1.0, 1.5]
TABLE["searchsorted"] = [
    Call(SORTED, F), Call(SORTED, F, "right"), Call(SORTED, 1.0), Call(SORTED, 1.0, side="right"),
    Call(np.array(SORTED, "float32"), [0.1, 1.0]), Call([1, 2, 2, 3], 2), Call([1, 2, 2, 3], [2, 4], side="left"), Call(EMPTY, V),
    Call(SORTED, EMPTY),
]
TABLE["select"] = [
    Call([F > 1, F > 0.5], [F, -F]), Call([F > 1, F > 0.5], [F, -F], 7), Call([F > 1], [1], default=0), Call([True, False], [F, -F]),
    Call((F > 1, F > 0.5), (2.0, 3.0), 1.0), Call([F > 1], [F], default=V),
]
TABLE["slogdet"] = [Call(M[:, :3]), Call([[1.0, 2.0], [3.0, 4.0]]), Call(F[..., :3]), Call([[1, 2], [3, 4]])]
TABLE["squeeze"] = [
    Call(F[:1]), Call(F[:1], 0), Call(F[:1, :, :1], (0, 2)), Call(F[:1, :, :1], -1), Call(F[:1, :, :1], [0, -1]), Call(F[:1], ()),
    Call([[1, 2]]), Call(3.0), Call(F), Call(F[:, :1], ONE), Call([[[1]]]),
]
TABLE["swapaxes"] = [
    Call(F, 0, 1), Call(F, -1, 0), Call(F, 1, 1), Call([[1, 2], [3, 4]], 0, 1), Call(F, ONE, 2), Call(F, axis1=0, axis2=-1),
]
TABLE["take"] = [
    Call(F, 1), Call(F, [0, 5]), Call(F, [0, 1], 1), Call(F, [[0, 1], [2, 0]], axis=1), Call(F, -1, -1), Call(F, np.array([1, 0]), 0),
    Call([1, 2, 3], [0, 2]), Call(F, ONE, 0), Call(F, 0, axis=ONE), Call(F, [-1, 0], -2), Call(F, (0, 1), 0), Call(F, [0, 23], None),
]
TABLE["take_along_axis"] = [
    Call(F, I % 2, 0), Call(F, I % 3, axis=1), Call(F, I % 4, -1), Call(F, I.ravel() % 24, None), Call(F, (I % 4)[:, :, :1], -1),
    Call([[1, 2], [3, 4]], [[0], [1]], 1), Call(F, I % 2 - 1, 0), Call(F, (I % 4)[:1, :, :2], ONE * 2),
]
TABLE["transpose"] = [
    Call(F), Call(F, None), Call(F, (2, 0, 1)), Call(F, [1, 0, 2]), Call(F, (-1, 0, 1)), Call([[1, 2], [3, 4]]), Call(3.0), Call(V),
    Call(F, axes=(0, 2, 1)), Call(F, (ONE, 0, 2)), Call(F, np.array([2, 0, 1])), Call(3.0, ()),
]
TABLE["trapezoid"] = [
    Call(V), Call(F), Call(F, dx=0.5), Call(F, V), Call(F, axis=0), Call(F, F), Call([1, 2, 3]), Call([1, 2, 3], [0, 1, 3]),
    Call(F, [0.0, 1.0, 3.0], axis=1), Call(F, None, 2.0, -2), Call(F, axis=ONE),
]
TABLE["unique"] = [
    Call(I), Call([3, 1, 1]), Call(F), Call(I, return_index=True), Call(I, return_inverse=True), Call(I, return_counts=True),
    Call(I[0], axis=0), Call([[1, 1], [1, 1], [2, 1]], axis=0), Call([[1, 1], [1, 1], [2, 1]], axis=-1),
    Call(I.ravel(), return_index=True, return_inverse=True, return_counts=True), Call(EMPTY), Call(3), Call(B),
]
TABLE["unravel_index"] = [
    Call(5, (2, 3)), Call([1, 5], (2, 3)), Call([[1, 5]], [2, 3]), Call(3, (7,)), Call(np.array([1, 2]), (2, 3)), Call(3, 7),
    Call(np.int64(5), (np.int64(2), 3)),
]
TABLE["vander"] = [
    Call(V), Call([1, 2, 3]), Call(V, 2), Call(V, N=3, increasing=True), Call(V, increasing=True), Call(V, 0), Call(V, 1),
    Call([1, 2], np.int64(3)),
]
TABLE["where"] = [
    Call(B), Call(B, F, -F), Call(B, F, 0.0), Call(B, 1.0, F), Call(B, 1, 0), Call(True, F, -F), Call([True, False], [1, 2], [3, 4]),
    Call(B, V, 0), Call(I - 3, F, 0.0), Call([[True, False]]), Call(F > 1, F, I), Call(B, [1.0, 2.0, 3.0, 4.0], 0),
    Call(EMPTY > 0, EMPTY, 1.0), Call([0, 2, 0]),
]
TABLE["divide_no_nan"] = [*(Call(*pair) for pair in PAIRS), Call(F, 0), Call([1.0, 0.0], [0.0, 0.0])]
TABLE["array"] += [Call([1, 2], "float32"), Call([1.5, 2.5], dtype="int32"), Call(F, dtype="float32")]
TABLE["view"] = [Call(F, "int32"), Call(F, dtype="int32"), Call(V, "uint8"), Call(F)]
TABLE["vectorize"] = []
# fmt: on


def _split_by(function):
    return lambda x, places: function(np.asarray(x), int(places) if isinstance(places, np.integer) else places)


NUMPY = {
    "take_along_axis": lambda x, indices, axis: np.take_along_axis(np.asarray(x), np.asarray(indices), axis),
    "bitwise_left_shift": np.left_shift, "bitwise_right_shift": np.right_shift, "bitwise_not": np.invert, "bitwise_invert": np.invert,
    "divide_no_nan": lambda a, b: np.where(np.equal(b, 0), 0, np.divide(a, np.where(np.equal(b, 0), 1, b))),
    "get_item": lambda x, key: np.asarray(x)[key], "slogdet": np.linalg.slogdet,
    "correlate": lambda a, b, mode="valid": np.correlate(a, b, mode),
    "view": lambda x, dtype=None: x if dtype is None else x.view(dtype),
    "reciprocal": lambda x: np.reciprocal(np.asarray(x, "float32")),
    "split": lambda x, places, axis=0: np.split(np.asarray(x), places, axis),
}  # fmt: skip
NUMPY |= {name: _split_by(getattr(np, name)) for name in ("hsplit", "vsplit", "dsplit")}
SHAPES_ONLY = {"empty", "empty_like"}


def as_numpy(args):
    """Lists as tuples, where NumPy takes tuples of axes only."""
    return [tuple(arg) if isinstance(arg, list) and all(isinstance(a, (int, np.integer)) for a in arg) else arg for arg in args]


def numpys(name, call):
    function = NUMPY.get(name) or getattr(np, name)
    if name in UNARY and call.args[0] is True:  # which NumPy would take to float16
        call = Call(np.int32(1), *call.args[1:])
    parameters = [n for n in inspect.signature(getattr(ours, name)).parameters]
    with np.errstate(all="ignore"):
        try:
            return function(*call.args, **call.kwargs)
        except TypeError:
            axes = {n: v for n, v in zip(parameters, call.args)} | call.kwargs
            axes = {n: as_numpy([v])[0] if n in ("axis", "axes", "source", "destination") else v for n, v in axes.items()}
            first = list(axes.values())[: len(call.args)]
            return function(*first, **{n: axes[n] for n in call.kwargs})


def arrays(backend, result):
    if isinstance(result, (tuple, list)):
        return [np.asarray(backend.convert_to_numpy(ops.convert_to_tensor(part))) for part in result]
    return [np.asarray(backend.convert_to_numpy(ops.convert_to_tensor(result)))]


@pytest.fixture(params=BACKENDS)
def backend(request, quick_compilation):
    pytest.importorskip(request.param)
    with use(request.param) as chosen:
        yield chosen


def test_every_function_is_in_the_table():
    public = {name for name in vars(ours) if not name.startswith("_") and callable(getattr(ours, name))}
    assert public - set(TABLE) == set()


# JAX compiles each form by itself, 150 seconds in all: the quick suite has those of which its own functions take another form.
QUICK_ON_JAX = {
    "array_split",
    "concatenate",
    "full",
    "max",
    "nan_to_num",
    "pad",
    "repeat",
    "roll",
    "round",
    "split",
    "squeeze",
    "tensordot",
    "where",
}
CASES = [
    pytest.param(backend, name, marks=[pytest.mark.slow] if backend == "jax" and name not in QUICK_ON_JAX else [])
    for backend in BACKENDS
    for name in sorted(set(TABLE) - {"vectorize"})
]


@pytest.mark.parametrize(("backend", "name"), CASES, indirect=["backend"])
def test_forms(backend, name):
    faults = []
    for call in TABLE[name]:
        expected = numpys(name, call)
        expected = [np.asarray(part) for part in expected] if isinstance(expected, (tuple, list)) else [np.asarray(expected)]
        try:
            with np.errstate(all="ignore"):
                found = arrays(backend, getattr(ours, name)(*call.args, **call.kwargs))
            assert [part.shape for part in found] == [part.shape for part in expected]
            if name == "argpartition":
                continue
            for ours_, theirs in zip(found, expected, strict=True):
                if name not in SHAPES_ONLY:
                    np.testing.assert_allclose(ours_, theirs, rtol=2e-5, atol=2e-6)
        except Exception as error:  # noqa: BLE001 (all that fails is told at once)
            faults.append(f"{name}{call!r}: {type(error).__name__}: {' '.join(str(error).split())[:160]}")
    assert not faults, "\n" + "\n".join(faults)


OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "//": lambda a, b: a // b,
    "%": lambda a, b: a % b, "**": lambda a, b: a**b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip


@pytest.mark.parametrize("sign", OPERATORS)
def test_operators(backend, sign):
    """Variables beside Python's numbers, NumPy's arrays and scalars, on either side; scalars and tensors without elements."""
    function = OPERATORS[sign]
    for x in (F, I, np.float32(1.5), EMPTY):
        for other in (2, 2.0, np.float32(2), np.full((1,), 2, "float32")):
            variable = core.Variable(x, dtype=x.dtype)
            for found, expected in ((function(variable, other), function(x, other)), (function(other, variable), function(other, x))):
                found = np.asarray(backend.convert_to_numpy(ops.convert_to_tensor(found)))
                assert found.shape == np.shape(expected)
                np.testing.assert_allclose(found, expected, rtol=2e-5, err_msg=f"{other!r}")
    symbol = function(core.KerasTensor((None, 4)), 2.0)
    assert symbol.shape == (None, 4) and symbol.dtype == ("bool" if sign[0] in "<>" else "float32")


def test_vectorize(backend):
    for function, options, args in [
        (lambda x: x + 1, {}, (F,)),
        (lambda x, y: x * y, {}, (F, 2.0)),
        (lambda x, y: x - y, {}, (V, M)),
        (lambda x: ops.sum(x), {"signature": "(n)->()"}, (F,)),
        (lambda x, n: x * n, {"excluded": {1}}, (F, 3)),
    ]:
        found = np.asarray(backend.convert_to_numpy(ours.vectorize(function, **options)(*args)))
        expected = np.sum(F, -1) if "signature" in options else function(*args)
        np.testing.assert_allclose(found, expected, rtol=2e-5)
