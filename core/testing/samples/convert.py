"""Samples of the conversions. See `core.testing.samples`."""

import ml_dtypes
import numpy as np

from core.testing.sample import Sample, array


def _saturated(x, dtype):
    info = np.iinfo(dtype)
    return np.clip(x, info.min, info.max).astype(dtype)


def _as_bfloat16(x, dtype):
    return x.astype("float32").view(ml_dtypes.bfloat16).astype("float32")


SAMPLES: dict[str, list[Sample]] = {
    "cast": [
        Sample((array(2, 3, low=-5, high=5), "int32"), reference=lambda x, dtype: np.trunc(x).astype(dtype)),
        Sample((array(2, 3, dtype="int32"), "float16"), reference=lambda x, dtype: x.astype(dtype)),
        Sample((array(3), "float64"), reference=lambda x, dtype: x),
        Sample((array(3), "bool"), reference=lambda x, dtype: x != 0),
    ],
    "saturate_cast": [
        Sample((array(2, 3, low=-500, high=500), "uint8"), reference=lambda x, dtype: _saturated(np.trunc(x), dtype)),
        Sample((np.array([-1e20, 2147483647.0, 1e20], "float32"), "int32"), reference=_saturated),
        Sample((np.array([-300, 5, 300], "int32"), "int8"), reference=_saturated),
        Sample((np.array([-1, 5], "int8"), "uint32"), reference=_saturated),
        Sample((np.array([1e30, -1e30, 1.5], "float32"), "float16"), reference=lambda x, dtype: np.clip(x, -65504, 65504)),
    ],
    # Gradients of stop_gradient are zero, which central differences cannot know; tests/core/test_ops.py looks at them.
    "stop_gradient": [Sample((array(2, 3),), reference=np.array, gradient=False)],
    "copy": [Sample((array(2, 3),), reference=np.array)],
    "view": [
        Sample((array(2, 4), "int32"), reference=lambda x, dtype: x.astype("float32").view(dtype)),
        Sample((array(2, 4, dtype="int32", low=0, high=99), "int16"), reference=lambda x, dtype: x.view(dtype)),
        Sample((array(2, 4, dtype="uint8", low=0, high=99), "int32"), reference=lambda x, dtype: x.view(dtype)),
        Sample((array(3, dtype="bool"),), reference=np.array),
        Sample((array(4), "bfloat16"), reference=_as_bfloat16, gradient=False),
    ],
    "view_as_complex": [Sample((array(3, 2),), reference=lambda x: x[..., 0] + 1j * x[..., 1])],
    "view_as_real": [Sample((array(3).astype("complex64") * (1 + 2j),), reference=lambda x: np.stack([x.real, x.imag], -1))],
}
