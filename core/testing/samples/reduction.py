"""Samples of the reduction ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

_X = array(2, 3, 4)
_INTS = array(2, 3, dtype="int32", low=-3, high=5)
_MIXED = np.array([[1.5, np.nan, -2.0, 0.5], [np.nan, 3.0, 1.0, -1.0]], "float32")
_EMPTY_ROW = np.array([[np.nan, np.nan], [1.0, 2.0]], "float32")
_IDS = np.array([0, 0, 2, 1, -1, 9], "int32")
_ROWS = array(6, 2)


def _reductions(reference, axes=(None, 1, (0, -1)), x=_X, **options):
    return [
        Sample((x,), {"axis": axis, "keepdims": keep}, reference=reference, **options) for axis, keep in zip(axes, (False, True, False))
    ]


def _small_sum(function):
    return lambda x, **kwargs: function(
        x, **kwargs, dtype="int32" if x.dtype in (bool, np.int8) else "uint32" if x.dtype == np.uint8 else None
    )


def _logsumexp(x, axis=None, keepdims=False):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def _position(function):
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims).astype("int32")


def _nan_position(function):
    def reference(x, axis=None, keepdims=False):
        missing = np.isnan(x).all(axis=axis, keepdims=keepdims)
        return np.where(
            missing, -1, function(np.where(np.isnan(x).all(axis=axis, keepdims=True), 0, x), axis=axis, keepdims=keepdims)
        ).astype("int32")

    return reference


def _segments(ufunc, empty):
    def reference(data, segment_ids, num_segments=None, sorted=False):
        out = np.full((segment_ids.max() + 1 if num_segments is None else num_segments, *data.shape[1:]), empty, data.dtype)
        for row, place in zip(data, segment_ids):
            if 0 <= place < len(out):
                out[place] = ufunc(out[place], row)
        return out

    return reference


def _segment_samples(ufunc, empty, empty_int):
    return [
        Sample((_ROWS, _IDS), {"num_segments": 4}, reference=_segments(ufunc, empty), gradient=bool(np.isfinite(empty))),
        Sample((array(4), np.array([0, 1, 1, 2], "int32")), {"sorted": True}, reference=_segments(ufunc, empty), jit=False),
        Sample((array(4, dtype="int32"), np.array([0, 1, 1, 3], "int32"), 5), reference=_segments(ufunc, empty_int)),
    ]


def _bincount(x, weights=None, minlength=0):
    rows = x.reshape(-1, x.shape[-1])
    length = max(x.max() + 1, minlength)
    w = [None] * len(rows) if weights is None else weights.reshape(rows.shape)
    counts = np.stack([np.bincount(row, one, length) for row, one in zip(rows, w)]).reshape(*x.shape[:-1], length)
    return counts.astype("int32") if weights is None else counts


def _average(x, axis=None, weights=None):
    return np.average(x, axis=axis, weights=weights)


_CUMULATIVE = [{"axis": 1}, {"axis": None}]
_QUANTILES = [
    {"q": 0.3, "axis": 1},
    {"q": np.array([0.0, 0.25, 1.0], "float32"), "axis": (0, 2), "keepdims": True},
    {"q": 0.5},
    *({"q": 0.4, "axis": -1, "method": method} for method in ("lower", "higher", "midpoint", "nearest")),
]


def _quantiles(reference, scale, x):
    return [
        Sample(
            (x, kw["q"] * np.float32(scale) if isinstance(kw["q"], np.ndarray) else kw["q"] * scale),
            {k: v for k, v in kw.items() if k != "q" and not (x.ndim == 2 and k == "axis" and isinstance(v, tuple))},
            reference=reference,
            gradient=False,
        )
        for kw in _QUANTILES
    ]


SAMPLES: dict[str, list[Sample]] = {
    "sum": [
        *_reductions(np.sum),
        Sample((array(2, 3, dtype="bool"),), reference=_small_sum(np.sum)),
        Sample((array(2, 3, dtype="int8"), 0), reference=lambda x, axis: np.sum(x, axis, dtype="int32")),
        Sample((array(2, 3, dtype="uint8"),), reference=_small_sum(np.sum)),
        Sample((_INTS, 1), reference=lambda x, a: np.sum(x, a, "int32")),
        Sample((_X, ()), reference=np.sum),
    ],
    "prod": [
        *_reductions(np.prod),
        Sample((array(2, 3, dtype="int8"),), reference=_small_sum(np.prod)),
        Sample((_INTS,), {"dtype": "float32"}, reference=lambda x, dtype: np.prod(x, dtype="float64")),
    ],
    "max": [
        *_reductions(np.max),
        Sample((_INTS, 1), reference=np.max),
        Sample((_INTS,), {"initial": 100}, reference=np.max),
        Sample((array(2, 3, dtype="bool"), 0), reference=np.max),
    ],
    "min": [
        *_reductions(np.min),
        Sample((_INTS, 1), reference=np.min),
        Sample((_INTS,), {"initial": -100}, reference=np.min),
        Sample((array(2, 3, dtype="bool"), 0), reference=np.min),
    ],
    "mean": [
        *_reductions(np.mean),
        Sample((_INTS, 1), reference=np.mean),
        Sample((_X.astype("float16"), -1), reference=np.mean, rtol=2e-3, atol=2e-3),
    ],
    "var": [*_reductions(np.var), Sample((_INTS, 1), reference=np.var)],
    "std": [*_reductions(np.std), Sample((_INTS, 1), reference=np.std)],
    "any": [*_reductions(np.any, x=array(2, 3, 4, dtype="bool")), Sample((_INTS, 1), reference=np.any)],
    "all": [*_reductions(np.all, x=array(2, 3, 4, dtype="bool")), Sample((_INTS, 1), reference=np.all)],
    "argmax": [
        *_reductions(_position(np.argmax), (None, 1, -1)),
        Sample((_INTS,), {"keepdims": True}, reference=_position(np.argmax)),
        Sample((array(2, 5, dtype="bool"), 1), reference=_position(np.argmax)),
    ],
    "argmin": [*_reductions(_position(np.argmin), (None, 1, -1)), Sample((_INTS,), {"keepdims": True}, reference=_position(np.argmin))],
    "logsumexp": [
        *_reductions(_logsumexp),
        Sample((_INTS, 1), reference=_logsumexp),
        Sample(
            (np.array([[-np.inf, -np.inf], [1000.0, 1000.0]], "float32"), 1),
            gradient=False,
            reference=lambda x, axis: np.array([-np.inf, 1000 + np.log(2)]),
        ),
    ],
    "cumsum": [Sample((_X,), kw, reference=np.cumsum) for kw in _CUMULATIVE]
    + [
        Sample((array(4, dtype="bool"),), reference=lambda x: np.cumsum(x, dtype="int32")),
        Sample((array(4, dtype="int8"), 0), reference=lambda x, a: np.cumsum(x, a, "int8")),
        Sample((_INTS, 0), {"dtype": "float32"}, reference=lambda x, a, dtype: np.cumsum(x, a, "float64")),
    ],
    "cumprod": [Sample((_X,), kw, reference=np.cumprod) for kw in _CUMULATIVE]
    + [Sample((_INTS, 1), reference=lambda x, a: np.cumprod(x, a, "int32"))],
    "count_nonzero": [
        Sample((_INTS, 1), reference=lambda x, a: np.count_nonzero(x, a).astype("int32")),
        Sample((_X,), reference=lambda x: np.int32(np.count_nonzero(x)), gradient=False),
    ],
    "ptp": [*_reductions(np.ptp), Sample((_INTS, 0), reference=np.ptp)],
    "average": [
        Sample((_X, 1), reference=_average),
        Sample((_X,), {"axis": 1, "weights": array(3, low=0.5)}, reference=_average),
        Sample((_X,), {"weights": array(2, 3, 4, seed=1, low=0.5)}, reference=_average),
        Sample((_INTS,), {"weights": np.ones((2, 3), "int32")}, reference=_average),
    ],
    "quantile": _quantiles(np.quantile, 1, _X)
    + [Sample((_MIXED, 0.5, 1), reference=np.quantile, gradient=False), Sample((_INTS, 0.5, 1), reference=np.quantile)],
    "nanquantile": _quantiles(np.nanquantile, 1, _MIXED),
    "percentile": _quantiles(np.percentile, 100, _X),
    "nanpercentile": _quantiles(np.nanpercentile, 100, _MIXED),
    "median": [*_reductions(np.median), Sample((_INTS, 1), reference=np.median)],
    "nanmedian": [
        Sample((_MIXED, 1), reference=np.nanmedian, gradient=False),
        Sample((_MIXED,), {"keepdims": True}, reference=np.nanmedian, gradient=False),
    ],
    "nansum": [
        Sample((_MIXED, 1), reference=np.nansum, gradient=False),
        Sample((array(2, 3, dtype="int8"),), reference=_small_sum(np.sum)),
    ],
    "nanprod": [
        Sample((_MIXED, 1), reference=np.nanprod, gradient=False),
        Sample((_INTS, 1), reference=lambda x, a: np.prod(x, a, "int32")),
    ],
    "nanmax": [
        Sample((_MIXED, 1), reference=np.nanmax, gradient=False),
        Sample((_INTS, 1), reference=np.max),
        Sample((_EMPTY_ROW, 1, True), gradient=False, reference=lambda x, a, k: np.array([[np.nan], [2.0]])),
    ],
    "nanmin": [
        Sample((_MIXED, 1), reference=np.nanmin, gradient=False),
        Sample((_INTS, 1), reference=np.min),
        Sample((_EMPTY_ROW, 1), gradient=False, reference=lambda x, a: np.array([np.nan, 1.0])),
    ],
    "nanmean": [Sample((_MIXED, 1), reference=np.nanmean, gradient=False), Sample((_INTS,), reference=np.mean)],
    "nanvar": [Sample((_MIXED, 1), reference=np.nanvar, gradient=False), Sample((_INTS,), reference=np.var)],
    "nanstd": [Sample((_MIXED, 1), reference=np.nanstd, gradient=False), Sample((_X, 1), reference=np.std)],
    "nanargmax": [
        Sample((_MIXED, 1), reference=_nan_position(np.nanargmax)),
        Sample((_EMPTY_ROW, 1), reference=_nan_position(np.nanargmax)),
        Sample((_INTS,), reference=_position(np.argmax)),
    ],
    "nanargmin": [
        Sample((_MIXED, 1), reference=_nan_position(np.nanargmin)),
        Sample((_EMPTY_ROW, 1), reference=_nan_position(np.nanargmin)),
    ],
    "nancumsum": [Sample((_MIXED, 1), reference=np.nancumsum, gradient=False), Sample((_MIXED,), reference=np.nancumsum, gradient=False)],
    "nancumprod": [Sample((_MIXED, 1), reference=np.nancumprod, gradient=False)],
    "trace": [
        Sample((_X,), {"offset": 1, "axis1": 1, "axis2": 2}, reference=np.trace),
        Sample((array(3, 3, dtype="bool"),), reference=lambda x: np.trace(x, dtype="int32")),
    ],
    "trapezoid": [
        Sample((_X,), {"dx": 0.5}, reference=np.trapezoid),
        Sample((_X, array(3)), {"axis": 1}, reference=np.trapezoid),
        Sample((_INTS,), reference=np.trapezoid),
    ],
    "corrcoef": [Sample((array(3, 5),), reference=np.corrcoef, atol=1e-4), Sample((array(5),), reference=np.corrcoef, gradient=False)],
    "bincount": [
        Sample((np.array([0, 3, 3, 1], "int32"),), reference=_bincount, jit=False),
        Sample((np.array([[0, 3], [2, 2]], "int32"),), {"minlength": 6}, reference=_bincount),
        Sample((np.array([0, 3, 3, 1], "int32"),), {"weights": array(4), "minlength": 4}, reference=_bincount),
    ],
    "segment_sum": _segment_samples(np.add, 0, 0),
    "segment_prod": _segment_samples(np.multiply, 1, 1),
    "segment_max": _segment_samples(np.maximum, -np.inf, np.iinfo("int32").min),
    "segment_min": _segment_samples(np.minimum, np.inf, np.iinfo("int32").max),
}
