"""Every op beside Keras: the differences are those of `docs/differences.md`, which is written from the table here."""

import importlib.util
import pathlib
import re

import pytest
from peer_ops import differences

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "differences.md"
_INTEGERS = r"(bool|uint8|int8|int32|int64)"
# (ops and what is different about them, the reason, what the test finds: "BACKEND:OP/SAMPLE[/symbolic|/DTYPE] OURS for KERAS'").
TABLE = [
    (
        "All ops, float64 and int64 on PyTorch",
        "They stay what they are, as on TensorFlow; Keras on PyTorch computes many in 32 bits.",
        r"torch:\w+/0/(float64|int64) \['(float64|int64)'\] for \['(float32|int32)'\]",
    ),
    (
        "`cbrt`, `corrcoef`, `correlate`, `deg2rad`, `heaviside`, `hypot`, `i0`, `rad2deg` of int64",
        "float32, as for all other ops that make floats of integers.",
        r"\w+:(cbrt|corrcoef|correlate|deg2rad|heaviside|hypot|i0|rad2deg)/0/int64 \['float32'\] for \['float64'\]",
    ),
    (
        "Convolutions, pooling, normalizations, moments and attention of integers",
        "Computed in floatx: products of integers overflow, and means are no integers.",
        r"\w+:(conv|conv_transpose|depthwise_conv|separable_conv|average_pool|adaptive_average_pool|adaptive_max_pool"
        rf"|layer_normalization|rms_normalization|moments|dot_product_attention)/0/{_INTEGERS} \['float32'.* for \['{_INTEGERS}'.*",
    ),
    (
        "`sum`, `prod`, `nansum`, `nanprod`, `trace` of uint8 on PyTorch",
        "uint32, as on TensorFlow and JAX.",
        r"torch:(sum|prod|nansum|nanprod|trace)/.*uint32.* for .*int32.*",
    ),
    (
        "`histogram`",
        "Counts are whole numbers (int32), edges are floats; in Keras the counts have a float dtype or the input's.",
        r"\w+:histogram/.*int32.*",
    ),
    (
        "`size`, `top_k`, `unique`, `searchsorted`: indices and counts",
        "int32 tensors on every backend; Keras has int64 on PyTorch, Python numbers on JAX, or tells int64 of symbolic calls.",
        r"\w+:(size|top_k|unique|searchsorted)/.*int32.* for .*(int64|plain|24).*",
    ),
    (
        "`cond`, and the step that `linspace` returns",
        "A tensor, also where a Python number went in.",
        r"\w+:(cond/[01]|linspace/3) float32 for [\d.]+",
    ),
    (
        "`argpartition`",
        "The order within the two parts is not specified.",
        r"\w+:argpartition/\d .*",
    ),
    (
        "`empty`, `empty_like`",
        "The values are whatever was in memory.",
        r"\w+:empty(_like)?/.*",
    ),
    (
        "`unique` of NaNs",
        "All NaNs are one value, as in NumPy.",
        r"\w+:unique/1 shape \(3,\) for \(4,\)",
    ),
    (
        "`nextafter`",
        "Subnormal numbers and the largest finite one are reached, as in NumPy.",
        r"\w+:nextafter/1 .*",
    ),
    (
        "`saturate_cast`",
        "Saturates at the ends of the target's range; Keras wraps around, or keeps another dtype.",
        r"\w+:saturate_cast/[13] .*",
    ),
    (
        "`sparsemax`",
        "The Euclidean projection onto the simplex (Martins and Astudillo 2016): rows sum to one. Those of Keras do not.",
        r"\w+:sparsemax/[01] .*",
    ),
    (
        "`correlate`",
        "NumPy's alignment and length where the first argument is the shorter one.",
        r"\w+:correlate/\d .*",
    ),
    (
        "`ctc_loss`, `ctc_decode` in other dtypes",
        "The result has the dtype of the logits.",
        r"\w+:ctc_(loss|decode)/0/(float16|bfloat16|float64) \[('int32', )?'(float16|bfloat16|float64)'\] for .*'float32'\]",
    ),
    (
        "`cross` of symbolic vectors of unknown length",
        "Refused, since the rank of the result hangs on the length; Keras guesses.",
        r"\w+:cross/1/symbolic fails with .*",
    ),
    (
        "`floor_divide`, `power` of symbolic bools",
        "int32, which is what eager calls give; Keras tells bool.",
        r"\w+:(floor_divide/4|power/5)/symbolic .*int32.*bool.*",
    ),
    (
        "`clip`, `erf`, `rsqrt`, `sigmoid`, `softmax` of integers",
        "float32 on every backend; Keras tells int32 of the symbolic call, and TensorFlow refuses the eager one.",
        r"\w+:(clip/3|erf/1|rsqrt/1|sigmoid/2|softmax/3)/symbolic .*float32.*int32.*",
    ),
    (
        "`corrcoef` of one variable, `vstack` of vectors",
        "NumPy's shapes.",
        r"tensorflow:(corrcoef/1|vstack/1).*",
    ),
    (
        "`where` with one argument",
        "The indices of each axis, as `nonzero` gives them; Keras on PyTorch, and symbolically, gives one tensor.",
        r"\w+:where/4(/symbolic)? .*",
    ),
    (
        "`nonzero` on PyTorch",
        "One tensor per axis, as on the other backends.",
        r"torch:nonzero/[01] 2 results for 1",
    ),
    (
        "`average` with weights over all axes, on PyTorch",
        "NumPy's weighted mean; Keras on PyTorch keeps the axes.",
        r"torch:average/[23] shape \(\) for .*",
    ),
    (
        "`average_pool` with padding `same`, on PyTorch",
        "Values beyond the edge do not count, as on the other backends.",
        r"torch:average_pool/2 .*",
    ),
    (
        "`depth_to_space`, `space_to_depth` with channels first, on PyTorch and JAX",
        "The order of TensorFlow, which Keras has there too.",
        r"(torch|jax):(depth_to_space|space_to_depth)/1 .*",
    ),
    (
        "`dot` of higher ranks, `get_item` with several arrays, `pad` with short widths, `take` without an axis, on PyTorch",
        "NumPy's.",
        r"torch:(dot/1|get_item/14|pad/\d+|take/1) .*",
    ),
    (
        "`in_top_k` of classes that are out of range, on PyTorch and JAX",
        "False, as on TensorFlow.",
        r"(torch|jax):in_top_k/0 .*",
    ),
    (
        "`segment_min` of empty segments, on PyTorch",
        "The largest integer, as on TensorFlow; Keras on PyTorch gives the smallest.",
        r"torch:segment_min/2 .*",
    ),
    (
        "`heaviside` of bools, on PyTorch",
        "float32, as on TensorFlow.",
        r"torch:heaviside/0/bool \['float32'\] for \['bool'\]",
    ),
    (
        "`eye` that is not square, `isclose` with tolerances, `rot90` of other axes, `unravel_index`, on TensorFlow",
        "NumPy's.",
        r"tensorflow:(eye/[12]|isclose/[12]|rot90/1|unravel_index/0) .*",
    ),
    (
        "`lu_factor`, on TensorFlow",
        "Pivots are exchanges of rows, as in LAPACK and on the other backends; Keras gives a permutation there.",
        r"tensorflow:lu_factor/0 .*",
    ),
    (
        "`prod` with a dtype, on TensorFlow",
        "The dtype that was asked for.",
        r"tensorflow:prod/4 dtype float32 for int32",
    ),
    (
        "`select` with a default, on TensorFlow",
        "The dtype of the choices; Keras gives float64 there.",
        r"tensorflow:select/0/\w+ .* for \['float64'\]",
    ),
    (
        "`view_as_complex` of float64",
        "complex128.",
        r"\w+:view_as_complex/0/float64 .*",
    ),
    (
        "`unique` with a size, on JAX",
        "Filled with zeros, as on the other backends; Keras repeats the least element there.",
        r"jax:unique/3 .*",
    ),
    (
        "`sparse_categorical_crossentropy` in bfloat16, `relu6` and `threshold` of integers, on JAX",
        "The dtype of the input, as on the other backends.",
        r"jax:(sparse_categorical_crossentropy/0/bfloat16|(relu6|threshold)/0/int32) .*",
    ),
]  # fmt: skip


def document():
    """The text of docs/differences.md."""
    rows = "\n".join(f"| {what} | {reason} |" for what, reason, _ in TABLE)
    return f"""# Differences from Keras

What `core.ops` does on purpose differently from Keras 3.15. Each op is run on both with the samples of the conformance suite, on PyTorch,
TensorFlow and JAX: values, dtypes (also with all float inputs in other dtypes), and shapes of symbolic calls; the test fails for a
difference that is not in this table. Calls that Keras refuses are no difference, nor are symbolic results of Keras that contradict its own
eager ones.

| What | What we do, and why |
| --- | --- |
{rows}
"""


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="keras, the peer, is not installed")
@pytest.mark.parametrize("backend", [pytest.param(name, marks=pytest.mark.slow) for name in ("torch", "tensorflow", "jax")])
def test_the_differences_are_those_in_the_table(backend):
    found = [f"{backend}:{key} {told}" for key, told in differences(backend).items()]
    left = [line[:400] for line in found if not _is_deliberate(line)]
    assert not left, "\n".join(left)


def _is_deliberate(line):
    """Whether a row is about the difference; a call of ours that fails, or is missing, only where the row says so."""
    fails = re.match(r"\S+ (fails with|is missing)", line) is not None
    return any(re.fullmatch(pattern, line, re.DOTALL) and ("fails" in pattern) == fails for *_, pattern in TABLE)


def test_a_failing_call_is_no_deliberate_difference():
    assert _is_deliberate("torch:sparsemax/0 [0.3] for [0.1]") and _is_deliberate("jax:cross/1/symbolic fails with {} for a result")
    assert not _is_deliberate("torch:sparsemax/0 fails with {} for a result") and not _is_deliberate("torch:where/4 is missing")
    assert not _is_deliberate("torch:add/0 [1.0] for [2.0]")


def test_the_table_is_the_document():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "write it again: python tests/core/test_peer_ops.py"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
