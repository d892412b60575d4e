"""Samples of the creation ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array


def _float(function):
    """A NumPy function that gives float64, as `floatx()` of a float64 world."""
    return lambda *args, **kwargs: np.asarray(function(*args, **kwargs))


def _filled(shape, value, dtype=None):
    return np.full(shape, value, dtype or "float64")


SAMPLES: dict[str, list[Sample]] = {
    "zeros": [Sample(((2, 3),), reference=_float(np.zeros)), Sample((3, "int32"), reference=np.zeros), Sample(((),), reference=np.zeros)],
    "ones": [Sample(((2, 3),), reference=_float(np.ones)), Sample(((2,), "bool"), reference=np.ones)],
    # The values of empty tensors mean nothing, so that there is no answer to compare with.
    "empty": [Sample(((2, 3),), reference=None, jit=False), Sample(((2, 3), "int32"), reference=None, jit=False)],
    "empty_like": [Sample((array(2, 3),), reference=None, jit=False, gradient=False)],
    "full": [
        Sample(((2, 3), 7), reference=_filled),
        Sample(((2, 3), 7, "int32"), reference=_filled),
        Sample(((2, 3), array(3)), reference=_filled),
    ],
    "zeros_like": [Sample((array(2, 3),), reference=np.zeros_like), Sample((array(2, 3), "int32"), reference=np.zeros_like)],
    "ones_like": [Sample((array(2, 3),), reference=np.ones_like), Sample((array(2, 3), "int32"), reference=np.ones_like)],
    "full_like": [
        Sample((array(2, 3), 7), reference=np.full_like),
        Sample((array(2, 3), 7.5, "int32"), reference=np.full_like),
        Sample((array(2, 3), array(3)), reference=np.full_like),
    ],
    "arange": [
        Sample((5,), reference=np.arange),
        Sample((1, 7, 2), reference=np.arange),
        Sample((7, 1, -2), reference=np.arange),
        Sample((3, 1), reference=np.arange),
        Sample((0, 1, 0.25), reference=np.arange),
        Sample((5,), {"dtype": "uint8"}, reference=lambda n, dtype: np.arange(n, dtype=dtype)),
        Sample((5,), {"dtype": "float16"}, reference=lambda n, dtype: np.arange(n, dtype=dtype)),
        Sample((0, 2.5, 0.5), {"dtype": "float64"}, reference=lambda *args, dtype: np.arange(*args, dtype=dtype)),
    ],
    "linspace": [
        Sample((0, 1, 5), reference=np.linspace),
        Sample((array(3), array(3, seed=1), 4), reference=np.linspace),
        Sample((array(2, 3), array(3, seed=1), 4), {"axis": -1, "endpoint": False}, reference=np.linspace),
        Sample((0.0, 2.0), {"num": 5, "retstep": True}, reference=np.linspace),
        Sample((0, 10, 4), {"dtype": "int32"}, reference=np.linspace),
        Sample((2.0, 3.0, 1), reference=np.linspace),
    ],
    "logspace": [
        Sample((0, 2, 5), reference=np.logspace),
        Sample((array(3), array(3, seed=1), 4), {"base": 2.0, "axis": 1}, reference=np.logspace),
        Sample((0, 2, 4), {"endpoint": False}, reference=np.logspace),
    ],
    "geomspace": [
        Sample((1, 1000, 4), reference=np.geomspace),
        Sample((-1.0, -16.0, 5), reference=np.geomspace),
        Sample((array(3, low=0.5, high=1), array(3, low=1, high=3), 4), {"axis": -1}, reference=np.geomspace),
    ],
    "eye": [
        Sample((3,), reference=np.eye),
        Sample((2, 4), {"k": 1}, reference=np.eye),
        Sample((4, 2), {"k": -1, "dtype": "int32"}, reference=np.eye),
        Sample((4, 2), reference=np.eye),
    ],
    "identity": [Sample((3,), reference=np.identity), Sample((3, "int32"), reference=np.identity)],
    "bartlett": [Sample((n,), reference=np.bartlett) for n in (1, 6)],
    "blackman": [Sample((n,), reference=np.blackman) for n in (1, 6)],
    "hamming": [Sample((n,), reference=np.hamming) for n in (1, 6)],
    "hanning": [Sample((n,), reference=np.hanning) for n in (1, 6)],
    "kaiser": [Sample((n, 5.0), reference=np.kaiser) for n in (1, 6)],
}
