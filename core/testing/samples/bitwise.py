"""Samples of the operations on whole numbers. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

INTS, MORE_INTS = array(2, 3, dtype="int32", low=-9, high=9), np.array([3, -4, 5], "int32")
BOOLS, MORE_BOOLS = array(2, 3, dtype="bool"), array(3, dtype="bool", seed=1)

SAMPLES: dict[str, list[Sample]] = {}

for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    SAMPLES[_name] = [Sample((INTS, MORE_INTS), reference=getattr(np, _name)), Sample((BOOLS, MORE_BOOLS), reference=getattr(np, _name))]
SAMPLES["bitwise_not"] = [Sample((x,), reference=np.bitwise_not) for x in (INTS, BOOLS, np.abs(INTS).astype("uint8"))]
SAMPLES["bitwise_left_shift"] = [Sample((INTS, np.array([0, 1, 5], "int32")), reference=np.left_shift)]
SAMPLES["bitwise_right_shift"] = [Sample((INTS, np.array([0, 1, 5], "int32")), reference=np.right_shift)]
for _name in ("bitwise_left_shift", "bitwise_right_shift"):
    SAMPLES[_name].append(Sample((INTS.astype("int8"), 2), reference=getattr(np, _name)))
SAMPLES["gcd"] = [Sample((INTS, MORE_INTS), reference=np.gcd), Sample((np.array([0, 12, -18], "int32"), 0), reference=np.gcd)]
SAMPLES["lcm"] = [Sample((INTS, MORE_INTS), reference=np.lcm), Sample((np.array([0, 12, -18], "int32"), 4), reference=np.lcm)]
