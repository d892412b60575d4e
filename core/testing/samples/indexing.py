"""Samples of the indexing ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

_X = array(2, 3, 4)
_M = array(3, 4)
_INTS = array(3, 4, dtype="int32", low=-3, high=5)
_BOOLS = array(3, 4, dtype="bool")
_PLACES = np.array([[0, -1], [2, 1]], "int32")
_TIES = np.array([[3, 1, 3, 2], [0, 0, 5, 5]], "int32")
_ALL = slice(None)


def _int32(function):
    def reference(*args, **kwargs):
        result = function(*args, **kwargs)
        return tuple(np.asarray(part, "int32") for part in result) if isinstance(result, tuple) else np.asarray(result, "int32")

    return reference


def _slice(x, starts, shape):
    return x[tuple(slice(s, s + n) for s, n in zip(starts, shape))]


def _slice_update(x, starts, updates):
    x = x.copy()
    x[tuple(slice(s, s + n) for s, n in zip(starts, updates.shape))] = updates
    return x


def _scatter(indices, values, shape):
    out = np.zeros(shape, values.dtype)
    np.add.at(out, tuple(np.moveaxis(indices, -1, 0)), values)
    return out


def _scatter_update(inputs, indices, updates, reduction=None):
    out = inputs.copy()
    combine = {None: lambda old, new: new, "add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[reduction]
    for place in np.ndindex(indices.shape[:-1]):
        where = tuple(indices[place])
        out[where] = combine(out[where], updates[place])
    return out


def _where(condition, x1, x2):
    return np.where(condition, x1, x2)


def _top_k(x, k, sorted=True):
    places = np.argsort(-x.astype("float64"), -1, kind="stable")[..., :k]
    return np.take_along_axis(x, places, -1), places.astype("int32")


def _in_top_k(targets, predictions, k):
    result = []
    for target, row in zip(targets, predictions):
        inside = 0 <= target < len(row) and np.isfinite(row[target])
        result.append(inside and (row > row[target]).sum() < k)
    return np.array(result)


def _unique(x, **kwargs):
    kwargs.pop("sorted", None)
    size, fill = kwargs.pop("size", None), kwargs.pop("fill_value", None) or 0
    result = np.unique(x, **kwargs)
    if size is not None:
        result = np.concatenate([result, np.full(size, fill, result.dtype)])[:size]
    return (result[0], *(part.astype("int32") for part in result[1:])) if isinstance(result, tuple) else result


def _histogram(x, bins=10, range=None):
    counts, edges = np.histogram(x, bins, range)
    return counts.astype("int32"), edges


SAMPLES: dict[str, list[Sample]] = {
    "get_item": [
        Sample((_X, key), reference=lambda x, key: x[key])
        for key in (
            0,
            -1,
            slice(1, None),
            (0, 1),
            (_ALL, slice(None, None, 2), -1),
            (..., 0),
            (None, ..., slice(0, 2)),
            (_ALL, None, 1),
            slice(None, None, -1),
            (_ALL, slice(2, 0, -1), slice(None, None, -2)),
            (),
        )
    ]
    + [
        Sample((_X, np.array([1, 0, -1])), reference=lambda x, key: x[key]),
        Sample((_X, (_ALL, np.array([[2, 0], [1, -1]]))), reference=lambda x, key: x[key]),
        Sample((_X, (np.array([1, 0]), _ALL, np.array([3, 1]))), reference=lambda x, key: x[key]),
        Sample((_X, (0, _ALL, np.array([3, 1]))), reference=lambda x, key: x[key]),
        Sample((_X, (..., np.array([0, 1]), np.array([3, -1]))), reference=lambda x, key: x[key]),
        Sample((_M, _BOOLS), reference=lambda x, key: x[key], jit=False),
        Sample((_M, (_ALL, np.array([True, False, True, True]))), reference=lambda x, key: x[key], jit=False),
    ],
    "take": [
        Sample((_X, _PLACES), {"axis": 1}, reference=np.take),
        Sample((_X, _PLACES), reference=np.take),
        Sample((_M, _PLACES, 0), reference=np.take),
        Sample((_M, np.array([0, 2], "uint8"), -1), reference=np.take),
        Sample((_INTS, np.int32(1), 0), reference=np.take),
    ],
    "take_along_axis": [
        Sample((_M, np.array([[0, -1], [1, 1], [3, 0]], "int32"), 1), reference=np.take_along_axis),
        Sample((_M, np.array([[2, 1, 0, 0]], "int32"), 0), reference=np.take_along_axis),
        Sample((_X, np.array([[[1], [0], [2]]], "int32"), -1), reference=np.take_along_axis),
        Sample((_M, np.array([5, 0], "int32")), {"axis": None}, reference=np.take_along_axis),
    ],
    "slice": [Sample((_X, (0, 1, 1), (2, 2, 3)), reference=_slice), Sample((_M, np.array([1, 0], "int32"), (2, 1)), reference=_slice)],
    "slice_update": [
        Sample((_X, (0, 1, 1), array(2, 2, 3, seed=1)), reference=_slice_update),
        Sample((_M, np.array([1, 0], "int32"), array(2, 1)), reference=_slice_update),
    ],
    "scatter": [
        Sample((np.array([[0], [2], [2]], "int32"), array(3), (4,)), reference=_scatter),
        Sample((np.array([[0, 1], [1, 0]], "int32"), array(2, 3), (2, 2, 3)), reference=_scatter),
        Sample((np.array([[1]], "int32"), np.array([3], "int32"), (2,)), reference=_scatter),
    ],
    "scatter_update": [
        *(
            Sample((_M, np.array([[0, 1], [2, 3], [0, 2]], "int32"), array(3, seed=1), reduction), reference=_scatter_update)
            for reduction in (None, "add", "max", "min", "mul")
        ),
        *(
            Sample((_M, np.array([[0], [2], [2]], "int32"), array(3, 4, seed=1)), {"reduction": reduction}, reference=_scatter_update)
            for reduction in ("add", "max", "min", "mul")
        ),
        Sample((_M, np.array([[-1]], "int32"), array(1, 4)), reference=_scatter_update),
        Sample((_INTS, np.array([[0, 1]], "int32"), np.array([9], "int32")), reference=_scatter_update),
    ],
    "where": [
        Sample((_BOOLS, _M, array(4)), reference=_where),
        Sample((_BOOLS, _M, 0.0), reference=_where),
        Sample((_BOOLS, _INTS, _M), reference=_where),
        Sample((_INTS, _M, array(3, 1)), reference=_where),
        Sample((_BOOLS,), reference=_int32(np.where), jit=False),
    ],
    "select": [
        Sample(([_M > 1, _M > 0], [_M, array(4)]), {"default": -1.0}, reference=np.select, gradient=False),
        Sample(([_BOOLS], [_INTS]), reference=np.select),
    ],
    "nonzero": [Sample((_INTS,), reference=_int32(np.nonzero), jit=False), Sample((_BOOLS,), reference=_int32(np.nonzero), jit=False)],
    "sort": [
        Sample((_X,), reference=np.sort),
        Sample((_X, 1), reference=np.sort),
        Sample((_INTS, None), reference=np.sort),
        Sample((_BOOLS, 0), reference=np.sort),
    ],
    "argsort": [
        Sample((_X,), reference=_int32(np.argsort)),
        Sample((_TIES, 1), reference=_int32(lambda x, a: np.argsort(x, a, kind="stable"))),
        Sample((_X, None), reference=_int32(np.argsort)),
        Sample((_BOOLS, 0), reference=_int32(lambda x, a: np.argsort(x, a, kind="stable"))),
    ],
    "argpartition": [
        Sample((_X, 1), reference=_int32(lambda x, kth: np.argsort(x))),
        Sample((_M, 2, 0), reference=_int32(lambda x, kth, axis: np.argsort(x, axis))),
    ],
    "top_k": [
        Sample((_X, 2), reference=_top_k),
        Sample((_X, 4), reference=_top_k),
        Sample((_X.astype("int32") * 7 + np.arange(4, dtype="int32"), 3), reference=_top_k),
    ],
    "in_top_k": [
        Sample((np.array([1, 0, 7, -1], "int32"), array(4, 3), 2), reference=_in_top_k, gradient=False),
        Sample((np.array([1, 0, 2], "int32"), np.ones((3, 3), "float32"), 1), reference=_in_top_k, gradient=False),
    ],
    "searchsorted": [
        Sample((np.array([1, 2, 2, 5], "float32"), _M), {"side": side}, reference=_int32(np.searchsorted), gradient=False)
        for side in ("left", "right")
    ]
    + [Sample((np.array([1, 2, 2, 5], "int32"), _INTS), reference=_int32(np.searchsorted))],
    "digitize": [
        Sample((_M, np.array([-1, 0, 1.5], "float32")), reference=_int32(np.digitize), gradient=False),
        Sample((_INTS, np.array([0, 2], "int32")), reference=_int32(np.digitize)),
    ],
    "histogram": [
        Sample((array(20),), {"bins": 4}, reference=_histogram, gradient=False),
        Sample((_M,), {"range": (-1, 1)}, reference=_histogram, gradient=False),
        Sample((_INTS, 3), reference=_histogram),
    ],
    "isin": [Sample((_INTS, np.array([1, 2, 9], "int32")), reference=np.isin), Sample((_INTS, _TIES), {"invert": True}, reference=np.isin)],
    "unique": [
        Sample((_INTS,), {"return_index": True, "return_inverse": True, "return_counts": True}, reference=_unique, jit=False),
        Sample((np.array([2.0, np.nan, 1.0, np.nan, 2.0], "float32"),), reference=_unique, jit=False, gradient=False),
        Sample((np.array([[3, 1], [1, 2], [3, 1]], "int32"),), {"axis": 0, "return_inverse": True}, reference=_unique, jit=False),
        Sample((_INTS,), {"size": 10}, reference=_unique, jit=False),
        Sample((_INTS,), {"size": 2}, reference=_unique, jit=False),
    ],
    "unravel_index": [Sample((np.array([[1, 5], [0, 3]], "int32"), (2, 3)), reference=_int32(np.unravel_index))],
    "diff": [Sample((_X,), reference=np.diff), Sample((_X, 2, 1), reference=np.diff), Sample((_BOOLS,), {"axis": 0}, reference=np.diff)],
    "correlate": [Sample((array(5), array(3), mode), reference=np.correlate) for mode in ("valid", "same", "full")]
    + [Sample((array(2), array(5), mode), reference=np.correlate) for mode in ("valid", "same", "full")]
    + [Sample((array(4, dtype="int32"), array(2, dtype="int32")), reference=lambda a, b: np.correlate(a, b).astype("float64"))],
}
