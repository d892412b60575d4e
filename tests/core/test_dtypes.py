"""Dtype names and promotion, against Keras' own `keras.backend.result_type` in another process."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from core.base import config, dtypes

NAMES = ["bool", *dtypes.INTS, *dtypes.UINTS, *dtypes.FLOATS, *dtypes.COMPLEX, "int", "float", None]
PEER = """
import json, sys
import keras
def ask(names):
    try:
        return keras.backend.result_type(*({"int": int, "float": float}.get(n, n) for n in names))
    except Exception:
        return "error"
print(json.dumps([ask(names) for names in json.load(sys.stdin)]))
"""


def _ours(names):
    try:
        return dtypes.result_type(*({"int": int, "float": float}.get(name, name) for name in names))
    except ValueError:
        return "error"


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="keras, the peer that the lattice is compared with, is not installed")
def test_promotion_is_the_peers():
    combinations = [(a,) for a in NAMES] + list(itertools.product(NAMES, NAMES)) + list(itertools.combinations(NAMES[:15], 3))
    environment = dict(os.environ, KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")
    command = [sys.executable, "-c", PEER]
    answer = subprocess.run(
        command, input=json.dumps(combinations), env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    theirs = json.loads(answer.stdout.strip().splitlines()[-1])
    # Two deliberate differences: the peer's table narrows uint64 and complex128, and refuses float8.
    wide = {"uint64": "uint32", "complex128": "complex64"}
    different = [
        (names, ours, peer)
        for names, peer in zip(combinations, theirs)
        if (ours := _ours(names)) != peer and wide.get(ours) != peer and not any("float8" in str(name) for name in names)
    ]
    assert not different, f"{len(different)} of {len(combinations)} (names, ours, the peer's): {different[:40]}"


def test_promotion_is_commutative_and_associative():
    names = [name for name in NAMES if name is not None and not name.startswith("float8")]
    for a, b in itertools.combinations(names, 2):
        assert _ours((a, b)) == _ours((b, a))
    strong = [name for name in names if name in dtypes.ALLOWED]
    for a, b, c in itertools.combinations(strong[:9], 3):  # integers and bool: with weak floats in play the order may matter
        assert _ours((a, b, c)) in (_ours((_ours((a, b)), c)), "float32")


def test_names_of_every_kind_of_dtype():
    for given, name in (
        (np.float32, "float32"), (np.dtype("int8"), "int8"), (float, config.floatx()), (int, "int32"), (bool, "bool"),
        (complex, "complex64"), (ml_dtypes.bfloat16, "bfloat16"),
        (np.dtype(ml_dtypes.float8_e5m2), "float8_e5m2"), ("half", "float16"), (None, config.floatx()),
        (str, "string"), (np.dtype("U3"), "string"),
    ):  # fmt: skip
        assert dtypes.standardize_dtype(given) == name


def test_names_of_native_dtypes():
    torch = pytest.importorskip("torch")
    assert dtypes.standardize_dtype(torch.bfloat16) == "bfloat16"
    assert dtypes.numpy_dtype(torch.int64) == np.dtype("int64")


@pytest.mark.parametrize("wrong", ["float31", object(), [1], "floatx"])
def test_unknown_dtypes_are_named(wrong):
    with pytest.raises(ValueError, match="Unknown dtype"):
        dtypes.standardize_dtype(wrong)


def test_numpy_dtype_takes_python_types_for_defaults():
    assert dtypes.numpy_dtype(float) == np.dtype(config.floatx())
    assert dtypes.numpy_dtype(int) == np.dtype("int32")


def test_kinds():
    assert dtypes.is_float_dtype("bfloat16") and not dtypes.is_float_dtype("int8")
    assert dtypes.is_int_dtype("uint8") and not dtypes.is_int_dtype("bool")
    assert dtypes.to_float("int64") == config.floatx() and dtypes.to_float("float16") == "float16"
