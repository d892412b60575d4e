"""The ops: the conformance suite over registry x backends, every docstring's example, and what samples cannot say."""

import doctest
import importlib
import pkgutil
import re

import numpy as np
import pytest

import core.ops
from core import ops
from core.backend import KerasTensor, slot
from core.ops.registry import REGISTRY
from core.testing import check_op
from core.testing.op_suite import check_in, op_names
from core.testing.samples import SAMPLES

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
TRAINING = BACKENDS[1:]
GROUPED = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in BACKENDS]  # one worker compiles what a backend needs once
FAMILIES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(core.ops.__path__, "core.ops.")]
FAMILIES = [module for module in FAMILIES if hasattr(module, "__all__")]


pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(params=GROUPED)
def backend(request):
    with slot.use(request.param) as chosen:
        yield chosen


@pytest.mark.parametrize("name", op_names())
@pytest.mark.parametrize("backend_name", GROUPED)
def test_conformance(name, backend_name):
    check_op(name, backend_name)


QUICK, SLOW = ("numpy", "torch"), ("jax", "tensorflow")  # to compile and trace all ops in one more dtype takes a minute


@pytest.mark.parametrize("dtype", ["bfloat16", "float64", "int32"])
@pytest.mark.parametrize("backend_name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_conformance_in_other_dtypes(backend_name, dtype):
    if (backend_name, dtype) == ("jax", "float64"):
        pytest.skip("JAX has no 64 bits unless it is told so before it starts")
    faults = []
    for name in op_names():
        try:
            check_in(name, backend_name, dtype)
        except Exception as error:  # noqa: BLE001 (all faults are told at once)
            faults.append(f"{name}: {type(error).__name__}: {error}")
    assert not faults, "\n".join(faults)


class _Checker(doctest.OutputChecker):
    """An example that shows no output need only run; numbers are compared as numbers, since their last digits vary with the machine."""

    def check_output(self, want, got, optionflags):
        if not want or super().check_output(want, got, optionflags):
            return True
        (words, numbers), (other_words, other_numbers) = map(self._split, (want, got))
        return words == other_words and len(numbers) == len(other_numbers) and np.allclose(numbers, other_numbers, 1e-4, 1e-6)

    @staticmethod
    def _split(text):
        number = r"-?\d+\.?\d*(?:e[+-]?\d+)?"
        return re.sub(r"\s", "", re.sub(number, "#", text)), [float(found) for found in re.findall(number, text)]


def test_samples_belong_to_ops():
    assert not set(SAMPLES) - set(op_names())


@pytest.mark.parametrize("module", FAMILIES, ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    runner = doctest.DocTestRunner(_Checker(), optionflags=doctest.NORMALIZE_WHITESPACE)
    with slot.use("numpy"):
        for example in doctest.DocTestFinder().find(module, extraglobs={"core": core, "np": np}):
            runner.run(example)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("module", FAMILIES, ids=lambda module: module.__name__)
def test_families_list_their_ops(module):
    own = {name for name, spec in REGISTRY.items() if spec.reference.__module__ == module.__name__ and not name.startswith("_")}
    assert own <= {getattr(getattr(module, name), "__name__", None) for name in getattr(module, "__all__", ())}


# What samples cannot say.


@pytest.fixture
def replaced(monkeypatch):
    """Puts another function in the place of a backend's for one test."""
    specs = []

    def replace(name, backend, function):
        specs.append(REGISTRY[name])
        monkeypatch.setitem(REGISTRY[name]._implementations, backend, function)
        REGISTRY[name].fast.clear()

    yield replace
    for spec in specs:
        spec.fast.clear()


def test_a_wrong_backend_function_is_found(replaced):
    replaced("add", slot.get("torch"), lambda x1, x2: (x1 - x2).double())
    with pytest.raises(AssertionError, match=r"add on torch:(.|\n)*value: result 0 differs(.|\n)*rule: (.|\n)*dtype float32"):
        check_op("add", "torch")


def test_a_wrong_rule_is_found(monkeypatch):
    monkeypatch.setattr(REGISTRY["negative"], "rule", lambda x: KerasTensor((5,), x.dtype))
    with pytest.raises(AssertionError, match=r"the rule says shape \(5,\)"):
        check_op("negative", "numpy")


@pytest.mark.parametrize("name", TRAINING)
def test_a_wrong_gradient_is_found(name, replaced):
    chosen = slot.get(name)
    replaced("square", chosen, lambda x: x * chosen.stop_gradient(x))
    with pytest.raises(AssertionError, match="gradient of tensor 0 differs"):
        check_op("square", name)


@pytest.mark.parametrize("name", TRAINING)
def test_stop_gradient_stops(name):
    chosen = slot.get(name)
    with slot.use(chosen):
        loss = lambda x: chosen.sum(ops.stop_gradient(x) * x)  # noqa: E731
        gradient = chosen.argument_value_and_grad(loss)(ops.convert_to_tensor([2.0, 3.0]))[1]
        assert ops.convert_to_numpy(gradient).tolist() == [2.0, 3.0]


def test_tensors_of_python_values(backend):
    assert ops.dtype(ops.convert_to_tensor([1, 2])) == "int32"
    assert ops.dtype(ops.convert_to_tensor([1.5])) == "float32"
    assert ops.dtype(ops.convert_to_tensor([True])) == "bool"
    assert ops.dtype(ops.convert_to_tensor(1.5, "float16")) == "float16"
    assert ops.convert_to_numpy(ops.convert_to_tensor([2**31], "float32")).tolist() == [2.0**31]
    stacked = ops.convert_to_tensor([ops.convert_to_tensor([1.0, 2.0]), [3.0, 4.0]])
    assert ops.convert_to_numpy(stacked).tolist() == [[1, 2], [3, 4]]
    assert ops.is_tensor(stacked) and not ops.is_tensor([1])
    assert ops.shape(stacked) == (2, 2) and ops.ndim(stacked) == 2


def test_dtypes_are_taken_in_every_form(backend):
    for dtype in ("float16", np.float16, np.dtype("float16"), "half"):
        assert ops.dtype(ops.cast([1.0], dtype)) == "float16"
        assert ops.dtype(ops.zeros((2,), dtype)) == "float16"
        assert ops.dtype(ops.convert_to_tensor([1], dtype)) == "float16"
    assert ops.dtype(ops.cast([1.0], int)) == "int32"
    with pytest.raises(ValueError, match="Unknown dtype"):
        ops.cast([1.0], "float31")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "int8", "bool", "complex64"])
def test_dtypes_survive_the_way_to_numpy_and_back(backend, dtype):
    tensor = ops.cast(ops.convert_to_tensor([0.0, 1.0]), dtype)
    array = ops.convert_to_numpy(tensor)
    assert ops.dtype(array) == ops.dtype(tensor) == dtype
    again = ops.convert_to_tensor(array)
    assert ops.dtype(again) == dtype and ops.convert_to_numpy(again).astype("complex64").tolist() == [0, 1]


@pytest.mark.parametrize("source", TRAINING)
def test_tensors_of_another_framework(backend, source):
    foreign = slot.get(source).convert_to_tensor([1.5, 2.5], "bfloat16")
    assert ops.convert_to_numpy(backend.convert_to_tensor(foreign)).astype("float32").tolist() == [1.5, 2.5]


def test_sparse_and_ragged_are_refused_without_them():
    for name in ("numpy", "torch"):
        with slot.use(name), pytest.raises(ValueError, match="no sparse tensors"):
            ops.convert_to_tensor([1.0], sparse=True)
    for name in ("numpy", "jax", "torch"):
        with slot.use(name), pytest.raises(ValueError, match="no ragged tensors"):
            ops.convert_to_tensor([1.0], ragged=True)


WEAK = sorted(name for name, spec in REGISTRY.items() if spec.scalars and len(spec.tensors) == 2 and not spec.also)


@pytest.mark.parametrize("name", WEAK)
def test_python_numbers_are_weak(backend, name):
    """The second call takes the fast path, the first the general one: they agree, and a number leaves the dtype alone."""
    function = REGISTRY[name].public
    for dtype, number in (("float32", 2), ("float32", 0.5), ("float16", 2), ("int32", 2)):
        x = ops.convert_to_tensor([1, 2, 3], dtype)
        expected = function(x, ops.convert_to_tensor(number, dtype))
        for found in (function(x, number), function(x, number)):
            assert ops.dtype(found) == ops.dtype(expected)
            np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), 1e-3)


def test_tensors_of_two_backends_do_not_mix():
    a, b = slot.get("torch").convert_to_tensor([1.0]), slot.get("jax").convert_to_tensor([1.0])
    with pytest.raises(ValueError, match="jax"):
        ops.add(a, b)


# Operators.

BINARY = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "//": lambda a, b: a // b,
    "%": lambda a, b: a % b, "**": lambda a, b: a**b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}  # fmt: skip


@pytest.mark.parametrize("sign", BINARY)
def test_operators_record_nodes(sign):
    x = KerasTensor((None, 3))
    for result in (BINARY[sign](x, 2), BINARY[sign](2.0, x), BINARY[sign](x, x), BINARY[sign](np.ones((4, 1, 3), "float32"), x)):
        assert isinstance(result, KerasTensor) and result.node is not None
        assert result.dtype == ("bool" if "<" in sign or ">" in sign else "float32")
    assert BINARY[sign](np.ones((4, 1, 3), "float32"), x).shape == (4, None, 3)


def test_other_operators():
    x, n = KerasTensor((None, 3)), KerasTensor((2, 3), "int32")
    assert (-x).shape == abs(x).shape == (None, 3)
    assert (n & 1).dtype == (n | n).dtype == (1 ^ n).dtype == (~n).dtype == "int32"
    assert (x @ KerasTensor((3, 5))).shape == (None, 5)
    assert x[:, 0].shape == (None,) and x.T.shape == (3, None)
    assert x.reshape(-1, 1).shape == (None, 1) and x.reshape((3, -1)).shape == (3, None)
    assert KerasTensor((1, 3)).squeeze(0).shape == (3,)
    assert x in {x: 1} and (x == n) is False


def test_slice_update_may_reuse_memory(backend):
    """`donate=True` gives the same values; where tensors are mutable, in the same memory; never where gradients flow."""
    x, part = np.zeros((3, 4), "float32"), np.ones((1, 2), "float32")
    wanted = x.copy()
    wanted[1:2, 2:4] = 1
    kept = ops.convert_to_tensor(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.slice_update(kept, (1, 2), ops.convert_to_tensor(part))), wanted)
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), x)
    given = ops.convert_to_tensor(x.copy())
    found = ops.slice_update(given, (1, 2), ops.convert_to_tensor(part), donate=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), wanted)
    assert (found is given) == (core.backend.backend() == "torch" or isinstance(given, np.ndarray))
    if core.backend.backend() != "numpy":
        part = ops.convert_to_tensor(part)
        gradient = core.grad(lambda p: ops.sum(ops.slice_update(kept, (1, 2), p, donate=True)))(part)
        np.testing.assert_array_equal(ops.convert_to_numpy(gradient), np.ones((1, 2)))
        np.testing.assert_array_equal(ops.convert_to_numpy(kept), x)


def test_blank_variables_are_not_drawn(backend, monkeypatch):
    monkeypatch.setattr(core.random.host, "draw", lambda *args, **kwargs: (_ for _ in ()).throw(AssertionError("drawn")))
    with core.saving.blank_variables():
        layer = core.layers.Dense(3)
        layer.build((None, 2))
    assert not ops.convert_to_numpy(layer.kernel).any() and layer.kernel.shape == (2, 3)
    with pytest.raises(AssertionError, match="drawn"):
        core.layers.Dense(3).build((None, 2))
