"""Every op on its samples, run on ours here and on Keras in a subprocess: values, dtypes, and the shapes that symbolic calls tell.

`python peer_ops.py BACKEND FILE` is the subprocess. Nothing of Keras but its public functions is looked at.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from core.base.shapes import compatible
from core.testing import op_suite

# What an op's float tensors are cast to, all of a call at once: pairs of dtypes are the lattice's, which is compared by itself.
CASTS = ("bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float64")
JAX_CASTS = ("int32", "bfloat16")  # each dtype is compiled anew there, and has no 64 bits by default


def public(lib: Any, name: str) -> Any:
    """The function of an op in a library's public modules, or None."""
    for module in (lib.ops, lib.random):
        if hasattr(module, name):
            return getattr(module, name)
    return None


def _compared(name: str) -> bool:
    op = op_suite.REGISTRY[name]
    return not name.startswith("_") and not op.reference.__module__.startswith("core.random")


def calls() -> list[tuple[str, int, Any]]:
    """`(op, number, sample)` of every sample of every op that draws nothing."""
    return [(name, i, sample) for name in op_suite.op_names() if _compared(name) for i, sample in enumerate(op_suite.samples(name))]


def _flat(result: Any) -> list:
    if isinstance(result, (list, tuple)):
        return [leaf for part in result for leaf in _flat(part)]
    if isinstance(result, dict):
        return [leaf for key in sorted(result) for leaf in _flat(result[key])]
    return [] if result is None else [result]


def _mapped(value: Any, change: Any) -> Any:
    """A sample's arguments with `change` applied to the arrays."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, (list, tuple)) and any(isinstance(v, np.ndarray) for v in _flat(value)):
        return type(value)(_mapped(v, change) for v in value)
    if isinstance(value, dict):
        return {key: _mapped(v, change) for key, v in value.items()}
    return value


def _value(lib: Any, leaf: Any) -> dict[str, Any]:
    if isinstance(leaf, (str, bytes)) or not (hasattr(leaf, "shape") and hasattr(leaf, "dtype")):
        return {"plain": repr(leaf)}
    dtype = lib.backend.standardize_dtype(leaf.dtype)
    array = np.asarray(lib.ops.convert_to_numpy(leaf))
    if array.dtype.kind == "V" or dtype in ("bfloat16", "float16") or dtype.startswith("float8"):
        array = array.astype("float32")
    return {"dtype": dtype, "value": array}


def _run(lib: Any, function: Any, sample: Any, change: Any) -> Any:
    try:
        result = function(*_mapped(sample.args, change), **_mapped(sample.kwargs, change))
        return [_value(lib, leaf) for leaf in _flat(result)]
    except Exception as error:  # noqa: BLE001 (whether and how a call fails is an answer, too)
        return {"error": type(error).__name__, "message": str(error)[:200]}


def _spec(lib: Any, function: Any, sample: Any, change: Any) -> Any:
    try:
        result = function(*_mapped(sample.args, change), **_mapped(sample.kwargs, change))
        return [
            {"shape": list(leaf.shape), "dtype": lib.backend.standardize_dtype(leaf.dtype)} if isinstance(leaf, lib.KerasTensor)
            else {"plain": repr(leaf)} for leaf in _flat(result)
        ]  # fmt: skip
    except Exception as error:  # noqa: BLE001
        return {"error": type(error).__name__, "message": str(error)[:200]}


def _symbolic(lib: Any, array: np.ndarray) -> Any:
    return lib.KerasTensor((None, *array.shape[1:]) if array.ndim else (), lib.backend.standardize_dtype(array.dtype))


def _castable(name: str, sample: Any) -> bool:
    if op_suite.REGISTRY[name].reference.__module__ == "core.ops.control":
        return False  # a loop until 100 has no end in bool
    return any(isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" for leaf in _flat([*sample.args, *sample.kwargs.values()]))


def _cast(lib: Any, dtype: str, array: np.ndarray) -> Any:
    tensor = lib.ops.convert_to_tensor(array)
    return lib.ops.cast(tensor, dtype) if array.dtype.kind == "f" else tensor


def run(lib: Any) -> dict[str, Any]:
    """The answers of a library: `op/number` values, `op/number/symbolic` shapes, `op/number/DTYPE` dtypes alone."""
    found: dict[str, Any] = {}
    casts = JAX_CASTS if lib.backend.backend() == "jax" else CASTS
    for name, number, sample in calls():
        function = public(lib, name)
        if function is None:
            continue
        key = f"{name}/{number}"
        found[key] = _run(lib, function, sample, lib.ops.convert_to_tensor)
        if sample.symbolic:
            found[f"{key}/symbolic"] = _spec(lib, function, sample, functools.partial(_symbolic, lib))
        for dtype in casts if number == 0 and _castable(name, sample) else ():
            result = _run(lib, function, sample, functools.partial(_cast, lib, dtype))
            found[f"{key}/{dtype}"] = result if isinstance(result, dict) else [part.get("dtype", "plain") for part in result]
    return found


def write(file: pathlib.Path, found: dict[str, Any]) -> None:
    """Arrays as arrays, all else as one JSON string."""
    arrays: dict[str, np.ndarray] = {}

    def outside(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays[f"a{len(arrays)}"] = value if value.dtype.kind not in "OSU" else value.astype("U")
            return {"array": f"a{len(arrays) - 1}"}
        if isinstance(value, dict):
            return {key: outside(v) for key, v in value.items()}
        return [outside(v) for v in value] if isinstance(value, list) else value

    told = json.dumps(outside(found))
    np.savez(file, told=np.array(told), **arrays)


def read(file: pathlib.Path) -> dict[str, Any]:
    """What `write` wrote."""
    with np.load(file, allow_pickle=False) as content:
        arrays = {key: content[key] for key in content.files}

    def inside(value: Any) -> Any:
        if isinstance(value, dict):
            return arrays[value["array"]] if set(value) == {"array"} else {key: inside(v) for key, v in value.items()}
        return [inside(v) for v in value] if isinstance(value, list) else value

    return inside(json.loads(str(arrays["told"])))


@functools.cache
def answers(backend: str) -> tuple[dict, dict]:
    """Ours and Keras', both on `backend`."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "answers.npz"
        environment = {
            **os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, __file__, backend, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        import core
        from core.backend import slot

        with slot.use(backend):
            ours = run(core)
        _, errors = process.communicate(timeout=900)
        assert process.returncode == 0, errors[-3000:]
        return ours, read(file)


def _values_differ(mine: Any, other: Any, sample: Any) -> str | None:
    if len(mine) != len(other):
        return f"{len(mine)} results for {len(other)}"
    for a, b in zip(mine, other):
        if "plain" in a or "plain" in b:
            if a.get("plain") != b.get("plain"):
                return f"{a.get('plain', a.get('dtype'))} for {b.get('plain', b.get('dtype'))}"
            continue
        if a["dtype"] != b["dtype"]:
            return f"dtype {a['dtype']} for {b['dtype']}"
        if a["value"].shape != b["value"].shape:
            return f"shape {a['value'].shape} for {b['value'].shape}"
        coarse = 2e-2 if a["dtype"] in ("bfloat16", "float16") else 0
        if a["value"].dtype.kind == "U":
            same = (a["value"] == b["value"]).all()
        else:
            same = np.allclose(a["value"], b["value"], max(sample.rtol, 1e-4) + coarse, max(sample.atol, 1e-5) + coarse, equal_nan=True)
        if not same:
            return f"{a['value'].ravel()[:6]} for {b['value'].ravel()[:6]}"
    return None


def _contradicts_itself(mine: Any, eager: Any) -> bool:
    """Whether our symbolic answer describes what Keras itself computes for the call."""
    if isinstance(mine, dict) or isinstance(eager, dict) or len(mine) != len(eager):
        return False
    return all(
        "plain" in told or "plain" in real or (told["dtype"] == real["dtype"] and compatible(tuple(told["shape"]), real["value"].shape))
        for told, real in zip(mine, eager)
    )


def differences(backend: str) -> dict[str, str]:
    """key -> what is different, over all keys that both answer.

    A call that Keras refuses or fails at is no difference, nor is a symbolic answer of Keras that contradicts its own eager one.
    """
    ours, theirs = answers(backend)
    samples = {f"{name}/{number}": sample for name, number, sample in calls()}
    found = {}
    for key, other in theirs.items():
        mine = ours.get(key)
        if isinstance(other, dict):
            continue
        if isinstance(mine, dict) or mine is None:
            found[key] = f"fails with {mine} for a result" if mine else "is missing"
        elif key in samples:
            if told := _values_differ(mine, other, samples[key]):
                found[key] = told
        elif mine != other and not (key.endswith("/symbolic") and _contradicts_itself(mine, theirs[key.removesuffix("/symbolic")])):
            found[key] = f"{mine} for {other}"
    return found


if __name__ == "__main__":
    import keras

    write(pathlib.Path(sys.argv[2]), run(keras))
