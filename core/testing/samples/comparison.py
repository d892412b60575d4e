"""Samples of the comparisons. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

ODD = np.array([-np.inf, -1.5, -0.0, 0.0, 2.0, np.inf, np.nan], "float32")
COMPLEX = np.array([1 + 2j, 3, complex(np.inf, 0), complex(0, np.nan)], "complex64")


def _pairs(reference):
    integers = array(2, 3, dtype="int32"), array(3, dtype="int32", seed=1)
    return [
        Sample((array(2, 3), array(2, 3)), reference=reference),
        Sample(integers, reference=reference),
        Sample((array(2, 1, dtype="bool"), array(3, dtype="bool", seed=1)), reference=reference),
        Sample((array(4, dtype="int32"), 0.5), reference=reference),
        Sample((ODD, ODD[::-1].copy()), reference=reference),
    ]


SAMPLES: dict[str, list[Sample]] = {
    name: _pairs(getattr(np, name))
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor")
}
SAMPLES |= {
    name: [Sample((ODD,), reference=getattr(np, name)), Sample((array(3, dtype="int32"),), reference=getattr(np, name))]
    for name in ("logical_not", "isfinite", "isinf", "isnan", "isposinf", "isneginf", "isreal", "signbit")
}
for _name in ("isfinite", "isinf", "isnan", "isreal"):
    SAMPLES[_name].append(Sample((COMPLEX,), reference=getattr(np, _name)))
SAMPLES |= {
    name: [
        Sample((np.array([1.0, 2, 3], "float32"), np.array([1.0 + 5e-6, 2.1, 3], "float32")), reference=getattr(np, name)),
        Sample((ODD, ODD), reference=getattr(np, name)),
        Sample((ODD, ODD), {"equal_nan": True}, reference=getattr(np, name)),
        Sample((array(2, 3), array(3)), {"rtol": 0.5, "atol": 1.0}, reference=getattr(np, name)),
        Sample((array(3, dtype="int32"), array(3, dtype="int32")), reference=getattr(np, name)),
    ]
    for name in ("isclose", "allclose")
}
