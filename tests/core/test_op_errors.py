"""What an op says where its arguments cannot be meant: a ValueError in our words, the same on every backend, eager and symbolic."""

import functools
import linecache
import re
import traceback

import numpy as np
import pytest
from error_cases import CASES, EAGER

from core import ops
from core.backend import KerasTensor, slot
from core.base import tree
from core.ops.registry import REGISTRY
from core.testing.samples import SAMPLES

NAMES = ("numpy", "torch", "jax", "tensorflow")
BACKENDS = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in NAMES]
EVERYWHERE = [*BACKENDS, pytest.param("symbolic", marks=pytest.mark.xdist_group("numpy"))]
FAMILIES = sorted({case.partition("-")[0] for case in CASES})

pytestmark = pytest.mark.usefixtures("quick_compilation")


def call(name, function, arguments):
    """`function` of the arguments, their arrays as tensors of a backend, or as tensors without values."""
    if name == "symbolic":
        return function(tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype) if isinstance(x, np.ndarray) else x, arguments))
    with slot.use(name) as backend:
        return function(tree.map_structure(lambda x: backend.convert_to_tensor(x) if isinstance(x, np.ndarray) else x, arguments))


def fault(name, function, arguments, message):
    """What is wrong with the refusal of a call, None where nothing is."""
    try:
        result = call(name, function, arguments)
    except Exception as error:  # noqa: BLE001 (whatever is raised is judged)
        if not isinstance(error, ValueError):
            return f"{type(error).__name__} instead of a ValueError: {error}"
        if not ours(error):
            return f"raised by accident or by a framework: {error}"
        return None if re.search(f"(?s){message}", str(error)) else f"{message!r} is not found in: {error}"
    return f"no error, but {result}"


def ours(error):
    """Whether a `raise` of ours made the error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "/core/" in last.filename and linecache.getline(last.filename, last.lineno).lstrip().startswith("raise")


def told(faults):
    return "\n".join(f"{where}: {what}" for where, what in faults.items() if what is not None)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_the_message_teaches(name, family):
    faults = {}
    for case, (function, arrays, message) in CASES.items():
        if case.partition("-")[0] == family and not (name == "symbolic" and (case in EAGER or not arrays)):
            faults[case] = fault(name, lambda arguments, function=function: function(*arguments), list(arrays), message)
    assert not told(faults), told(faults)


def test_every_family_has_cases():
    ours = {spec.family for spec in REGISTRY.values()}
    assert ours - {"draws"} <= set(FAMILIES) and "random" in FAMILIES


# Axes, generated from the registry.

AXES = (
    "axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "source", "destination", "spatial_dims",
)  # fmt: skip
NO_AXES = {"keepdims", "axes_lengths"}
COUNTS = {("tensordot", "axes"), ("projection", "axes")}  # how many axes: see the cases
GROWING = {"expand_dims", "stack", "linspace", "logspace", "geomspace", "one_hot", "multi_hot"}  # the axis is one of the result
PLACES = sorted((name, p) for name, spec in REGISTRY.items() for p in spec.parameters if p in AXES and (name, p) not in COUNTS)


def with_axis(name, parameter, bad):
    """The arguments of a sample by name, with an axis that cannot be meant: a function of the rank, or a value."""
    spec = REGISTRY[name]
    bound = [spec.bind(sample.args, sample.kwargs) for sample in SAMPLES[name]]
    bound = [one for one in bound if parameter == "axis" or "axis" not in one]  # `axis` may stand for all others
    arguments = dict(next((one for one in bound if one.get(parameter) is not None), bound[0]))
    first = next((x for x in tree.flatten([arguments.get(n) for n in spec.tensors + spec.also]) if isinstance(x, np.ndarray)), np.ones(()))
    value = bad(first.ndim + (name in GROWING)) if callable(bad) else bad
    given = arguments.get(parameter, spec.signature.parameters[parameter].default)
    arguments[parameter] = (value, *given[1:]) if isinstance(given, (tuple, list)) else value
    return arguments, value


BAD = {"behind": lambda rank: rank, "before": lambda rank: -rank - 1, "string": "one", "fraction": 1.5}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_axes(name, bad):
    faults = {}
    for op_name, parameter in PLACES:
        if name == "symbolic" and not all(sample.symbolic for sample in SAMPLES[op_name]):
            continue
        arguments, value = with_axis(op_name, parameter, BAD[bad])
        message = rf"{op_name}.*ax[ie]s.*(?<![\d.]){re.escape(str(value))}(?!\d)"
        faults[op_name, parameter] = fault(name, lambda named, op=op_name: REGISTRY[op].public(**named), arguments, message)
    assert len(faults) > 75 and not told(faults), told(faults)


def test_axes_are_looked_for_by_all_their_names():
    """An op with an axis of another name is entered above."""
    named = {p for spec in REGISTRY.values() for p in spec.parameters if re.search("ax[ie]s|dims?$", p)}
    assert named <= {*AXES, *NO_AXES}


def takes_one_tensor(name):
    """Whether a call needs no more than a tensor and an axis of it."""
    spec = REGISTRY[name]
    needed = [n for n, p in spec.signature.parameters.items() if p.default is p.empty]
    tensor = spec.parameters[0]
    return name not in GROWING and tensor in spec.tensors and not spec.lists and needed in ([tensor], [tensor, "axis"])


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_scalar_has_no_axes(name, axis):
    faults = {}
    for op_name, parameter in PLACES:
        if parameter == "axis" and takes_one_tensor(op_name):
            function = functools.partial(REGISTRY[op_name].public, axis=axis)
            faults[op_name] = fault(name, lambda x, function=function: function(*x), [np.ones((), "float32")], rf"{op_name}.*axis.*{axis}")
    assert len(faults) > 45 and not told(faults), told(faults)


# Dtypes, generated too.

DTYPED = sorted(name for name, spec in REGISTRY.items() if "dtype" in spec.parameters)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_unknown_dtypes(name):
    faults = {}
    for op_name in DTYPED:
        spec = REGISTRY[op_name]
        arguments = spec.bind(SAMPLES[op_name][0].args, SAMPLES[op_name][0].kwargs) | {"dtype": "float33"}
        if name != "symbolic" or spec.tensors:
            faults[op_name] = fault(name, lambda named, op=op_name: REGISTRY[op].public(**named), arguments, "dtype.*float33")
    assert len(faults) > 10 and not told(faults), told(faults)


# What a table of calls cannot say.


@pytest.mark.parametrize("place", [3, -4, (0, 5), (slice(None), 2)])
def test_places_in_symbolic_tensors(place):
    with pytest.raises(ValueError, match="out of range"):
        KerasTensor((3, 2))[place]


# Places in tensors of indices: their values are looked at where that costs nothing. JAX does not look.

OUTSIDE = {
    "take": (lambda x, i: ops.take(x, i), "nothing"),
    "take_rows": (lambda x, i: ops.take(ops.reshape(x, (3, 1)), i, axis=0), "nothing"),
    "take_along_axis": (lambda x, i: ops.take_along_axis(x, i, axis=0), "nothing"),
    "get_item": (lambda x, i: ops.get_item(x, i), "nearest"),
    **{
        f"scatter_{way}": (lambda x, i, way=way: ops.scatter_update(x, ops.reshape(i, (1, 1)), x[:1] * 7, way), "left out")
        for way in (None, "add", "max", "min", "mul")
    },
    **{  # behind the end of one row, another begins
        f"scatter_{way}_in_rows": (
            lambda x, i, way=way: ops.scatter_update(ops.broadcast_to(x, (2, 3)), ops.stack([i * 0, i], 1), x[:1] * 7, way), "left out",
        )
        for way in (None, "max", "mul")
    },
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
@pytest.mark.parametrize("place", [3, -4])
@pytest.mark.parametrize("name", BACKENDS)
def test_places_in_tensors(name, place, case):
    function, on_jax = OUTSIDE[case]
    arguments = [np.array([1.0, 2.0, 3.0], "float32"), np.array([place], "int32")]
    if name != "jax":
        message = "scatter" if case.startswith("scatter") else case.removesuffix("_rows")
        assert fault(name, lambda a: function(*a), arguments, f"{message}.*out of range.*from -1 backwards") is None
    else:
        found = ops.convert_to_numpy(call(name, lambda a: function(*a), arguments)).ravel().tolist()
        assert found == {"nearest": [3.0 if place > 0 else 1.0], "left out": [1.0, 2.0, 3.0] * (len(found) // 3)}.get(on_jax, found)
        assert on_jax != "nothing" or np.isnan(found).all()


@pytest.mark.parametrize("name", ["jax", "symbolic"])
def test_branches_of_different_structure(name):
    """Where both branches are traced. An eager framework runs the chosen one alone."""

    def branches(arguments):
        (x,) = arguments
        return ops.cond(ops.sum(x) > 0, lambda: (x, x), lambda: x)

    assert fault(name, branches, [np.ones(3, "float32")], r"branches of cond.*\(3,\)") is None


@pytest.mark.parametrize("name", BACKENDS)
def test_errors_of_users_stay_theirs(name):
    """What a function raises that an op was given is not taken for a fault of the call."""

    class Mine(Exception):
        pass

    def broken(*args):
        raise Mine("broken")

    def scanned(arguments):
        return ops.scan(broken, 0.0, *arguments)

    with pytest.raises(Mine, match="broken"):
        call(name, scanned, [np.ones(3, "float32")])
