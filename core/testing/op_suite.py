"""The conformance suite: does a backend run an op as its reference, its rule and calculus say?

For every sample of an op: the value against NumPy in float64; shape and dtype against the op's rule, also with each axis of each
tensor unknown in turn; the result under `jit` against the eager one; gradients against central differences. A backend of your own
is tested by `for name in op_names(): check(name, "mine")`.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import core.ops
from core.backend import slot
from core.backend.protocol import Backend
from core.backend.symbolic import KerasTensor
from core.base import dtypes, shapes, tree
from core.ops.registry import REGISTRY, Op
from core.testing.sample import Sample

_NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
# Ops whose values depend on the dtype, so that the references, which are those for float32, do not hold in another.
_BY_DTYPE = {"empty", "empty_like", "nan_to_num", "nextafter", "view"}
# Of the samples as whole numbers: division by zero and negative powers are errors in some frameworks; singular matrices; the order of
# equal elements and the signs of vectors are not specified.
_NOT_WHOLE = {"eig", "eigh", "empty", "empty_like", "floor_divide", "fmod", "lu_factor", "mod", "power", "top_k", "while_loop"}
_COARSE = {"float16": 2e-3, "bfloat16": 2e-2}  # rounding errors of results in these dtypes


def op_names() -> list[str]:
    """Every op in the registry, random ones included."""
    if importlib.util.find_spec("core.random") is not None:
        importlib.import_module("core.random")
    return sorted(REGISTRY)


def samples(op_name: str) -> list[Sample]:
    """The sample calls of an op."""
    from core.testing.samples import SAMPLES

    return SAMPLES.get(op_name, [])


def check(op_name: str, backend_name: str) -> None:
    """Raises an `AssertionError` that lists all that is wrong with an op on a backend; returns None where nothing is.

    >>> check("add", "numpy")
    """
    faults = list(_faults(REGISTRY[op_name], slot.get(backend_name)))
    if faults:
        raise AssertionError(f"{op_name} on {backend_name}:\n" + "\n".join(f"  {fault}" for fault in faults))


def _faults(op: Op, backend: Backend) -> Iterator[str]:
    if not (op.reference.__doc__ or "").strip():
        yield "it has no docstring"
    if not samples(op.name):
        yield f"it has no sample in core.testing.samples.{op.family}"
    for number, sample in enumerate(samples(op.name)):
        call = Call(op, sample, backend)
        if sample.derives and not backend.trains:
            yield from _refusal(call, number)
            continue
        try:
            result = call.eager()
        except Exception as error:  # noqa: BLE001 (whatever a backend raises is a finding)
            yield f"sample {number}: the call failed: {_told(error)}"
            continue
        for stage in (check_value, check_rule, check_jit, check_gradient):
            try:
                stage(call, result)
            except AssertionError as error:
                yield f"sample {number}, {stage.__name__.removeprefix('check_')}: {error}"
            except Exception as error:  # noqa: BLE001
                yield f"sample {number}, {stage.__name__.removeprefix('check_')}: {_told(error)}"


def check_in(op_name: str, backend_name: str, dtype: str) -> None:
    """Like `check`, for the op's first sample with its float tensors in another dtype: the rule and the value.

    Floats are compared with the sample's reference, whole numbers with the NumPy backend. Where that refuses the dtype, so must this one.

    >>> check_in("add", "numpy", "bfloat16")
    """
    first = next((sample for sample in samples(op_name) if not sample.derives), None)
    if first is None or (op_name in _NOT_WHOLE and dtype not in dtypes.FLOATS):
        return
    call = Call(REGISTRY[op_name], _in_dtype(first, dtype), slot.get(backend_name))
    if not any(_dtype(array) == dtype for array in call.arrays):
        return
    try:
        with slot.use("numpy"), np.errstate(all="ignore"):
            expected = _results(call.run(call.arrays))
    except (ValueError, TypeError):
        _check_refused(call)
        return
    result = call.eager()
    check_rule(call, result)
    if dtype in dtypes.FLOATS and op_name not in _BY_DTYPE:
        check_value(call, result)
    elif not _random(call.op) and _is_finite(first):
        _same([_host(call.backend, leaf) for leaf in _results(result)], expected, first, "numpy")


def _in_dtype(sample: Sample, dtype: str) -> Sample:
    """The sample with its float32 tensors cast."""

    def change(leaf: Any) -> Any:
        return leaf.astype(dtypes.numpy_dtype(dtype)) if isinstance(leaf, np.ndarray) and leaf.dtype == np.float32 else leaf

    with np.errstate(invalid="ignore"):
        args, kwargs = tree.map_structure(change, (tuple(sample.args), dict(sample.kwargs)))
    return dataclasses.replace(sample, args=args, kwargs=kwargs)


def _check_refused(call: Call) -> None:
    try:
        call.eager()
    except (ValueError, TypeError) as error:
        if type(error).__module__.partition(".")[0] not in ("builtins", "core"):
            raise AssertionError(f"a {type(error).__name__} of the framework, where numpy raises ours: {error}") from error
    else:
        raise AssertionError("a result where numpy refuses")


def _is_finite(sample: Sample) -> bool:
    """Whether no tensor of a sample holds NaN or infinities, of which no whole numbers can be made."""
    arrays = [a for a in tree.flatten((sample.args, sample.kwargs)) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return all(np.isfinite(a).all() for a in arrays)


def _refusal(call: Call, number: int) -> Iterator[str]:
    try:
        call.eager()
    except ValueError as error:
        if not all(name in str(error) for name in ("jax", "torch", "tensorflow")):
            yield f"sample {number}: it should name the backends that differentiate, not say {error}"
    else:
        yield f"sample {number}: it should raise a ValueError, since the backend has no gradients"


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"


class Call:
    """A sample on a backend: the arguments split into the arrays, which stand for tensors, and all else."""

    def __init__(self, op: Op, sample: Sample, backend: Backend):
        self.op, self.sample, self.backend = op, sample, backend
        self.leaves, self.spec = tree.flatten_with_spec((tuple(sample.args), dict(sample.kwargs)))
        self.places = [i for i, leaf in enumerate(self.leaves) if isinstance(leaf, np.ndarray)]
        self.arrays = [self.leaves[i] for i in self.places]

    def arguments(self, values: list) -> tuple[tuple, dict]:
        """`(args, kwargs)` with these values in the arrays' places."""
        leaves = list(self.leaves)
        for place, value in zip(self.places, values):
            leaves[place] = value
        return tree.unflatten(self.spec, leaves)

    def run(self, values: list) -> Any:
        args, kwargs = self.arguments(values)
        return self.op.public(*args, **kwargs)

    def tensors(self) -> list:
        return [self.backend.convert_to_tensor(array) for array in self.arrays]

    def eager(self) -> Any:
        with slot.use(self.backend):
            return self.run(self.tensors())

    def reference(self, values: list) -> Any:
        """The expected result, from arrays with float64 in place of float32."""
        args, kwargs = self.arguments([_double(value) for value in values])
        return self.sample.reference(*args, **kwargs)  # type: ignore[misc]  # asked only of samples that have one


def _double(array: np.ndarray) -> np.ndarray:
    name = dtypes.standardize_dtype(array.dtype)
    return array.astype("float64") if name in dtypes.FLOATS else array.astype("complex128") if name in dtypes.COMPLEX else array


def _host(backend: Backend, leaf: Any) -> np.ndarray:
    return np.asarray(leaf) if slot.owner(leaf) is None else backend.convert_to_numpy(leaf)


def _results(result: Any) -> list:
    return [leaf for leaf in tree.flatten(result) if leaf is not None]


def _wide(array: np.ndarray) -> np.ndarray:
    """For comparison: in a dtype that NumPy itself knows."""
    return array.astype("float32") if dtypes.standardize_dtype(array.dtype) in dtypes.FLOATS and array.dtype.kind != "f" else array


def check_value(call: Call, result: Any) -> None:
    """The eager result against the sample's reference."""
    if call.sample.reference is None:
        return
    with np.errstate(all="ignore"):
        expected = _results(call.reference(call.arrays))
    found = [_host(call.backend, leaf) for leaf in _results(result)]
    _same(found, expected, call.sample, "the reference")


def _same(found: list[np.ndarray], expected: list, sample: Sample, other: str) -> None:
    if len(found) != len(expected):
        raise AssertionError(f"{len(found)} results, {other} has {len(expected)}")
    for number, (a, b) in enumerate(zip(found, expected)):
        b = np.asarray(b)
        if a.shape != b.shape:
            raise AssertionError(f"result {number} has shape {a.shape}, {other} {b.shape}")
        if a.dtype.kind in "OSU":
            same = (a == b).all()
        else:
            coarse = _COARSE.get(dtypes.standardize_dtype(a.dtype), 0)
            same = np.allclose(_wide(a), _wide(b), sample.rtol + coarse, sample.atol + coarse, equal_nan=True)
        if not same:
            raise AssertionError(f"result {number} differs from {other}:\n{a}\n    is not\n{b}")


def _dtype(leaf: Any) -> str | None:
    return dtypes.standardize_dtype(leaf.dtype) if hasattr(leaf, "dtype") else None


def check_rule(call: Call, result: Any) -> None:
    """Shape and dtype of the eager result against the op's rule; without a rule, against the NumPy backend's result."""
    found = _results(result)
    if call.op.rule is None or not call.sample.symbolic:
        if call.backend.name != "numpy" and not _random(call.op):
            with slot.use("numpy"):
                _described_by(_results(call.run(call.arrays)), found, call.backend, "on numpy")
        return
    with slot.use(call.backend):
        args, kwargs = call.arguments(call.arrays)
        _described_by(_results(call.op.output_spec(args, kwargs)), found, call.backend, "the rule")
        for number, array in enumerate(call.arrays):
            if call.places[number] not in _tensor_places(call):
                continue
            for axis in range(array.ndim):
                values: list = list(call.arrays)
                shape = tuple(None if i == axis else n for i, n in enumerate(array.shape))
                values[number] = KerasTensor(shape, array.dtype)
                args, kwargs = call.arguments(values)
                who = f"the rule (tensor {number} of shape {shape})"
                _described_by(_results(call.op.output_spec(args, kwargs)), found, call.backend, who)


def _random(op: Op) -> bool:
    return op.reference.__module__.startswith("core.random")


def _tensor_places(call: Call) -> set[int]:
    """Which leaves belong to parameters that the op declares as tensors."""
    numbered = tree.unflatten(call.spec, range(len(call.leaves)))
    bound = call.op.signature.bind(*numbered[0], **numbered[1]).arguments
    return {place for name in call.op.tensors + call.op.also for place in tree.flatten(bound.get(name, ()))}


def _described_by(expected: list, found: list, backend: Backend, who: str) -> None:
    if len(expected) != len(found):
        raise AssertionError(f"{who} says {len(expected)} results, there are {len(found)}")
    for number, (e, f) in enumerate(zip(expected, found)):
        real = tuple(np.shape(f)) if not hasattr(f, "shape") else tuple(f.shape)
        if not shapes.compatible(tuple(np.shape(e)) if not hasattr(e, "shape") else tuple(e.shape), real):
            raise AssertionError(f"{who} says shape {e.shape} for result {number}, it has {real}")
        names: tuple = (_dtype(e), _dtype(f))
        if backend.name == "jax":
            names = tuple(_NARROW.get(name, name) for name in names)
        if names[0] != names[1]:
            raise AssertionError(f"{who} says dtype {names[0]} for result {number}, it has {names[1]}")


def check_jit(call: Call, result: Any) -> None:
    """The compiled result against the eager one, on the backends that compile."""
    if not call.sample.jit or call.backend.name in ("numpy", "torch"):
        return
    with slot.use(call.backend):
        compiled = call.backend.jit(lambda *values: call.run(list(values)))(*call.tensors())
    found, expected = ([_host(call.backend, leaf) for leaf in _results(r)] for r in (compiled, result))
    _same(found, expected, call.sample, "the eager one")
    if [a.dtype for a in found] != [b.dtype for b in expected]:
        raise AssertionError(f"dtypes {[a.dtype for a in found]} under jit, {[b.dtype for b in expected]} without")


def check_gradient(call: Call, result: Any) -> None:
    """Gradients of a weighted sum of the results, with respect to each float tensor, against central differences in float64."""
    places = _tensor_places(call)
    float32s = [n for n, a in enumerate(call.arrays) if a.dtype in (np.float32, np.float64) and call.places[n] in places]
    floating = [i for i, leaf in enumerate(_results(result)) if (_dtype(leaf) or "") in (*dtypes.FLOATS, *dtypes.COMPLEX)]
    if not (call.sample.gradient and call.backend.trains and float32s and floating):
        return
    rng = np.random.default_rng(7)
    weights = {i: [rng.uniform(0.5, 1.5, tuple(_results(result)[i].shape)) for _ in range(2)] for i in floating}

    def loss(*values):
        tensors = call.tensors()
        for number, value in zip(float32s, values):
            tensors[number] = value
        outputs = _results(call.run(tensors))
        total = 0.0
        for i, (w1, w2) in weights.items():
            parts = [(outputs[i], w1)]
            if _dtype(outputs[i]) in dtypes.COMPLEX:
                parts = [(core.ops.real(outputs[i]), w1), (core.ops.imag(outputs[i]), w2)]
            for part, w in parts:
                total = total + call.backend.sum(part * call.backend.convert_to_tensor(w, _dtype(part)))
        return total

    with slot.use(call.backend):
        values = [call.backend.convert_to_tensor(call.arrays[n]) for n in float32s]
        run = call.backend.argument_value_and_grad(loss, tuple(range(len(values))))
        gradients = (call.backend.jit(run) if call.sample.jit else run)(*values)[1]  # one compilation rather than one for each primitive
    for number, gradient in zip(float32s, gradients):
        _near(_host(call.backend, gradient), _differences(call, number, weights), number)


def _near(found: np.ndarray, expected: np.ndarray, number: int) -> None:
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    if found.shape != expected.shape or not np.allclose(found, expected, 2e-3, 5e-4 * scale):
        raise AssertionError(f"the gradient of tensor {number} differs from central differences:\n{found}\n    is not\n{expected}")


def _differences(call: Call, number: int, weights: dict[int, list[np.ndarray]], step: float = 1e-6) -> np.ndarray:
    """Central differences of the weighted sum with respect to one tensor, by the reference, or by the NumPy backend where there is none."""
    reference: Callable = call.reference
    if call.sample.reference is None:
        reference = call.run

    def total(array: np.ndarray) -> float:
        values = [_double(a) for a in call.arrays]
        values[number] = array
        results = [np.asarray(r) for r in _results(reference(values))]
        return sum(float((np.real(results[i]) * w[0]).sum() + (np.imag(results[i]) * w[1]).sum()) for i, w in weights.items())

    base = call.arrays[number].astype("float64")
    gradient = np.zeros_like(base)
    with slot.use("numpy"), np.errstate(all="ignore"):
        for index in np.ndindex(base.shape):
            up, down = base.copy(), base.copy()
            up[index] += step
            down[index] -= step
            gradient[index] = (total(up) - total(down)) / (2 * step)
    return gradient


def main(arguments: list[str]) -> int:
    """`python -m core.testing.op_suite BACKEND [OP or FAMILY ...]`: prints what is wrong and returns how many ops are."""
    backend, wanted, wrong = arguments[0], set(arguments[1:]), 0
    for name in op_names():
        if wanted and not wanted & {name, REGISTRY[name].family}:
            continue
        try:
            check(name, backend)
        except AssertionError as error:
            wrong += 1
            print(error)
    print(f"{wrong} ops are wrong on {backend}.")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
