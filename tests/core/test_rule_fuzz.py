"""The shape rules against random calls: what a rule says, the op returns, on every backend; and random programs as graphs.

The calls come from `rule_cases`. The quick suite runs a fixed choice of them, the slow one more. A failure prints the smallest call that
shows it; `filled`, `positive`, `nonzero` and `definite` in it are `rule_cases`'.
"""

import dataclasses
import linecache
import traceback
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from rule_cases import FAMILIES, Dice, cases, filled, one_case

import core
import core.random
from core import ops
from core.backend import KerasTensor, slot
from core.base import shapes, tree
from core.base.dtypes import standardize_dtype
from core.ops.registry import REGISTRY
from core.testing.op_suite import Call, op_names
from core.testing.sample import Sample

QUICK, MANY = 40, 300
SIZES = (*range(9), 20)  # what an unknown dimension may turn out to be
BACKENDS = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("torch", "jax", "tensorflow")]
NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}  # JAX has no 64 bits by default

SHARE = {"torch": 75, "jax": 30, "tensorflow": 75}  # of the many cases, those that run on other backends; JAX compiles each

# Ops that no random call reaches, and why.
EXCEPTIONS = {
    "jvp": "the numpy backend has no derivatives; core.testing's samples check its rule on the others",
}


# What a backend cannot do as NumPy does, and why.
LIMITS = {
    ("tensorflow", "lu_factor"): "its decomposition takes square matrices only, which the error says",
    ("jax", "view"): "it has no 64-bit dtypes, and the shape of a view follows from the width of both",
}

pytestmark = pytest.mark.usefixtures("quick_compilation")


def fuzz(check, strategy, count):
    """Runs `check` on so many draws, the same ones at each run, and leaves nothing on disk."""
    profile = settings(
        max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False,
        phases=(Phase.generate, Phase.shrink), report_multiple_bugs=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        profile(given(case=strategy)(check))()


class Trial:
    """A case, ready to run with values on a backend or without on the rule."""

    def __init__(self, case):
        op = REGISTRY[case.op]
        self.call = Call(op, Sample(case.args, case.kwargs), slot.get("numpy"))
        numbered = tree.unflatten(self.call.spec, range(len(self.call.leaves)))
        bound = op.signature.bind(*numbered[0], **numbered[1]).arguments
        declared = {place for name in op.tensors + op.also for place in tree.flatten(bound.get(name, ()))}
        self.numbers = [i for i, place in enumerate(self.call.places) if place in declared]
        self.shapes = {i: self.call.arrays[i].shape for i in self.numbers}

    def eager(self, backend):
        """The result on a backend, or the error."""
        with slot.use(backend) as chosen, np.errstate(all="ignore"):
            return outcome(lambda: self.call.run([chosen.convert_to_tensor(array) for array in self.call.arrays]))

    def symbolic(self, shapes):
        """What the op says of tensors of these shapes that have no values, or the error."""
        values = list(self.call.arrays)
        for i, shape in shapes.items():
            values[i] = KerasTensor(shape, values[i].dtype)
        return outcome(lambda: self.call.run(values) if shapes else self.call.op.output_spec(*self.call.arguments(values)))

    def axes(self):
        return [(i, axis) for i, shape in self.shapes.items() for axis in range(len(shape))]

    def with_sizes(self, axes, size):
        """The shapes with another size (None: unknown) on some axes of some tensors."""
        return {i: tuple(size if (i, a) in axes else n for a, n in enumerate(shape)) for i, shape in self.shapes.items()}


def outcome(function):
    try:
        return function(), None
    except Exception as error:  # noqa: BLE001 (whatever is raised is judged)
        return None, error


def leaves(result):
    return [leaf for leaf in tree.flatten(result) if leaf is not None]


def described(result):
    """Shapes and dtypes of a result, with its structure in lists and tuples."""
    if isinstance(result, (list, tuple)):
        return type(result)(map(described, result))
    return tuple(np.shape(result)), ops.dtype(result)


def raised_on_purpose(error):
    """Whether a `raise` of ours made the error, or the first of those it stands for, and no accident did."""
    while error.__context__ is not None:
        error = error.__context__
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "/core/" in last.filename and linecache.getline(last.filename, last.lineno).lstrip().startswith("raise")


def check_rule(case):
    """The rule with all sizes known, and with each axis unknown in turn and all at once."""
    trial = Trial(case)
    result, refusal = trial.eager("numpy")
    specs, refused = trial.symbolic(trial.shapes)
    if refusal is not None:
        assert type(refusal) in (ValueError, TypeError) or type(refusal).__module__.startswith("core"), f"The op raises {refusal!r}."
        assert refused is not None, f"The op raises {refusal!r}, the rule says {described(specs)}."
        assert type(refused) is type(refusal), f"The op raises {refusal!r}, the rule {refused!r}."
        assert raised_on_purpose(refused), f"The rule fails rather than refuses: {refused!r}."
        return
    assert refused is None, f"The op returns {described(result)}, the rule raises {refused!r}."
    same_description(specs, result, exact=not case.open)
    axes = [place for place in trial.axes() if place not in case.known]
    for unknown in [[place] for place in axes] + [axes]:
        given_shapes = trial.with_sizes(unknown, None)
        vague, refused = trial.symbolic(given_shapes)
        assert refused is None, f"With the shapes {list(given_shapes.values())} the rule raises {refused!r}."
        try:
            same_description(vague, result, exact=False)
        except AssertionError as error:
            raise AssertionError(f"With the shapes {list(given_shapes.values())}: {error}") from None
        if len(unknown) == 1 and not (case.op in FAMILIES["conv"] and unknown[0][0]):  # nobody has kernels of unknown size
            check_sharpness(trial, unknown[0], vague, specs)


def same_description(specs, result, exact):
    """Whether the rule's results have the structure, dtypes and shapes of the real ones."""
    said, found = described(specs), described(result)
    flat = list(zip(leaves(specs), leaves(result), strict=False))
    fits = len(leaves(specs)) == len(leaves(result)) and all(
        s.dtype == ops.dtype(r) and shapes.compatible(s.shape, tuple(np.shape(r))) and (not exact or s.shape == tuple(np.shape(r)))
        for s, r in flat
    )
    assert fits, f"The rule says {said}, the op returns {found}."
    alike = tree.map_structure(lambda _: 0, specs) == tree.map_structure(lambda _: 0, result)
    assert alike, f"The rule says {said}, the op returns {found}."


def check_sharpness(trial, place, vague, specs):
    """A size of the result that stays the same whatever the size of the unknown axis must be known.

    The axis takes other sizes, alone; or, where it cannot, together with the axes of the same size in all tensors. The rule says which
    sizes can be, and with these what comes out.
    """
    size = trial.shapes[place[0]][place[1]]
    alike = [(i, a) for i, a in trial.axes() if trial.shapes[i][a] == size]
    before = [spec.shape for spec in leaves(specs)]
    for together in ([place], alike):
        others = [trial.symbolic(trial.with_sizes(together, n)) for n in SIZES if n != size]
        others = [[spec.shape for spec in leaves(found)] for found, error in others if error is None]
        others = [found for found in others if list(map(len, found)) == list(map(len, before))]
        if others:
            break
    if len(others) < 2:
        return
    for number, (spec, shape) in enumerate(zip(leaves(vague), before)):
        for axis, n in enumerate(shape):
            if n is not None and all(found[number][axis] == n for found in others):
                given_shapes = list(trial.with_sizes([place], None).values())
                message = f"With the shapes {given_shapes} the rule says {spec.shape} for result {number}; axis {axis} is always {n}."
                assert spec.shape[axis] == n, message


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rule_says_what_the_op_returns(family):
    fuzz(check_rule, cases(family), QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_rule_says_what_the_op_returns_in_many_cases(family):
    fuzz(check_rule, cases(family), MANY)


def test_every_rule_is_reached():
    reached = {name: family for family, ops_of_it in FAMILIES.items() for name in ops_of_it}
    ruled = {name for name in op_names() if REGISTRY[name].rule is not None}
    assert ruled - set(EXCEPTIONS) == set(reached)
    for name, family in reached.items():
        assert REGISTRY[name].family == family


@pytest.mark.parametrize("family", FAMILIES)
def test_every_op_has_a_case_that_runs(family):
    profile = settings(max_examples=200, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    for name in FAMILIES[family]:
        try:
            find(one_case(family, name), lambda case: Trial(case).eager("numpy")[1] is None, settings=profile)
        except NoSuchExample:
            raise AssertionError(f"No call of {name} was found that runs.") from None


# The other backends.


# Dtypes for which frameworks lack kernels, each in its own places, and what stands for them.
PORTABLE = {"uint16": "int32", "uint32": "int32"}


def ported(case):
    """The case with tensors of dtypes that all frameworks know well."""

    def cast(x):
        name = PORTABLE.get(standardize_dtype(x.dtype)) if isinstance(x, np.ndarray) else None
        return x if name is None else x.astype(name)

    args, kwargs = tree.map_structure(cast, (case.args, case.kwargs))
    return dataclasses.replace(case, args=args, kwargs=kwargs)


def is_nothing(result, trial, backend):
    """Whether a result without elements, or an axis of a scalar, is all that a backend accepts where NumPy does not."""
    return all(0 in leaf.shape for leaf in leaves(result)) or (backend == "torch" and () in trial.shapes.values())


def check_backend(case, backend):
    """Shapes, dtypes and refusals on a backend against NumPy's."""
    if (backend, case.op) in LIMITS:
        return
    trial = Trial(ported(case))
    expected, refusal = trial.eager("numpy")
    found, refused = trial.eager(backend)
    if refusal is not None and refused is None and is_nothing(found, trial, backend):
        return
    if refusal is not None:
        assert refused is not None, f"NumPy raises {refusal!r}, {backend} returns {described(found)}."
        assert type(refused) is type(refusal), f"NumPy raises {refusal!r}, {backend} {refused!r}."
        return
    assert refused is None, f"NumPy returns {described(expected)}, {backend} raises {refused!r}."
    dtypes = [[ops.dtype(leaf) for leaf in leaves(result)] for result in (expected, found)]
    if backend == "jax":
        dtypes = [[NARROW.get(name, name) for name in names] for names in dtypes]
    sizes = [[tuple(getattr(leaf, "shape", ())) for leaf in leaves(result)] for result in (expected, found)]
    assert sizes[0] == sizes[1], f"NumPy returns the shapes {sizes[0]}, {backend} {sizes[1]}."
    assert dtypes[0] == dtypes[1], f"NumPy returns the dtypes {dtypes[0]}, {backend} {dtypes[1]}."


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_returns_what_numpy_does(backend, family):
    fuzz(lambda case: check_backend(case, backend), cases(family), SHARE[backend] * QUICK // MANY)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_returns_what_numpy_does_in_many_cases(backend, family):
    fuzz(lambda case: check_backend(case, backend), cases(family), SHARE[backend])


# Programs of several ops.


@dataclasses.dataclass(frozen=True)
class Step:
    """One call of a program: `ops.op(*tensors, *args, **kwargs)`, the tensors being results so far, as a list where the op takes one."""

    op: str
    tensors: tuple[int, ...]
    args: tuple = ()
    kwargs: dict = dataclasses.field(default_factory=dict)
    listed: bool = False
    part: int | None = None  # which one of several results

    def run(self, values):
        chosen = [values[i] for i in self.tensors]
        result = getattr(ops, self.op)(*([chosen] if self.listed else chosen), *self.args, **self.kwargs)
        return result if self.part is None else result[self.part]

    def __str__(self):
        names = ", ".join(f"x{i}" for i in self.tensors)
        parts = [f"[{names}]" if self.listed else names, *map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"ops.{self.op}({', '.join(parts)})" + ("" if self.part is None else f"[{self.part}]")


@dataclasses.dataclass(frozen=True)
class Program:
    """Steps over inputs of some shapes; it returns what every step does."""

    inputs: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]

    def run(self, *inputs):
        values = list(inputs)
        for step in self.steps:
            values.append(step.run(values))
        return values[len(inputs) :]

    def arrays(self):
        return [filled(shape) for shape in self.inputs]

    def __repr__(self):
        lines = [f"x{i} = filled({shape})" for i, shape in enumerate(self.inputs)]
        return "\n" + "\n".join(lines + [f"x{len(self.inputs) + i} = {step}" for i, step in enumerate(self.steps)])

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self))


def _unary_step(d, values, i):
    return Step(d.pick("tanh", "sin", "abs", "sigmoid", "square", "relu", "negative", "arctan", "softsign"), (i,))


def _binary_step(d, values, i):
    fitting = [j for j, x in enumerate(values) if outcome(lambda x=x: np.broadcast_shapes(x.shape, values[i].shape))[1] is None]
    return Step(d.pick("add", "subtract", "multiply", "maximum", "minimum"), (i, d.pick(*fitting)))


def _reduction_step(d, values, i):
    name = d.pick("sum", "mean", "max", "min", "logsumexp", "cumsum", "softmax", "var")
    rank = values[i].ndim
    if name in ("cumsum", "softmax"):
        return Step(name, (i,), (), dict(axis=d.number(-rank, rank - 1))) if rank else None
    axes = d.draw(st.lists(st.integers(0, rank - 1), unique=True, min_size=1)) if rank else None
    return Step(name, (i,), (), dict(axis=axes and tuple(axes), keepdims=d.flag()))


def _shape_step(d, values, i):
    x = values[i]
    names = "reshape transpose moveaxis swapaxes expand_dims flip roll tile repeat pad ravel broadcast_to"
    match d.pick(*names.split()):
        case "reshape":
            first = d.pick(*(n for n in range(1, x.size + 1) if x.size % n == 0))
            return Step("reshape", (i,), (d.pick((-1, first), (first, -1), (first, x.size // first), (-1,)),))
        case "transpose":
            return Step("transpose", (i,), (), dict(axes=tuple(d.draw(st.permutations(range(x.ndim))))))
        case "moveaxis" | "swapaxes" as name if x.ndim:
            return Step(name, (i,), (d.number(-x.ndim, x.ndim - 1), d.number(-x.ndim, x.ndim - 1)))
        case "expand_dims" if x.ndim < 4:
            return Step("expand_dims", (i,), (d.number(-x.ndim - 1, x.ndim),))
        case "flip" if x.ndim:
            return Step("flip", (i,), (), dict(axis=d.pick(None, d.number(-x.ndim, x.ndim - 1))))
        case "roll" if x.ndim:
            return Step("roll", (i,), (d.number(-3, 3),), dict(axis=d.pick(None, d.number(-x.ndim, x.ndim - 1))))
        case "tile" if x.size < 100:
            return Step("tile", (i,), (d.pick(2, (2,) * max(x.ndim, 1)),))
        case "repeat" if x.ndim and x.size < 100:
            return Step("repeat", (i,), (2,), dict(axis=d.pick(None, d.number(-x.ndim, x.ndim - 1))))
        case "pad" if x.ndim:
            return Step("pad", (i,), (tuple((d.number(0, 1), d.number(0, 1)) for _ in range(x.ndim)),))
        case "broadcast_to" if x.ndim < 4:
            return Step("broadcast_to", (i,), ((2, *x.shape),))
    return Step("ravel", (i,))


def _joining_step(d, values, i):
    alike = [j for j, x in enumerate(values) if x.shape == values[i].shape]
    rank = values[i].ndim
    name = d.pick("concatenate", "stack", "split", "unstack") if rank else "stack"
    axis = d.number(-rank, rank - 1) if rank else 0
    if name in ("concatenate", "stack"):
        return Step(name, (i, d.pick(*alike)), (), dict(axis=axis), listed=True) if rank < 4 or name == "concatenate" else None
    length = values[i].shape[axis]
    if name == "split":
        sections = d.pick(*(n for n in range(1, length + 1) if length % n == 0))
        return Step("split", (i,), (sections,), dict(axis=axis), part=d.number(0, sections - 1))
    return Step("unstack", (i,), (), dict(num=length, axis=axis), part=d.number(0, length - 1))


def _indexing_step(d, values, i):
    x = values[i]
    if not x.ndim:
        return None
    axis = d.number(-x.ndim, x.ndim - 1)
    length = x.shape[axis]
    match d.pick("get_item", "take", "sort", "diff"):
        case "take":
            places = tuple(d.number(-length, length - 1) for _ in range(d.number(1, 3)))
            return Step("take", (i,), (places,), dict(axis=axis))
        case "sort":
            return Step("sort", (i,), (), dict(axis=axis))
        case "diff" if length > 1:
            return Step("diff", (i,), (), dict(axis=axis))
    first = d.pick(0, -1, None, slice(None, None, -1), slice(0, length), Ellipsis)
    return Step("get_item", (i,), ((first, d.pick(0, slice(0, 1), None)) if x.ndim > 1 and first is not Ellipsis else (first,),))


def _matmul_step(d, values, i):
    def fits(x):
        return x.ndim and outcome(lambda: np.matmul(values[i], x))[1] is None

    fitting = [j for j, x in enumerate(values) if fits(x)]
    return Step("matmul", (i, d.pick(*fitting))) if values[i].ndim and fitting else None


STEPS = (_unary_step, _binary_step, _reduction_step, _shape_step, _joining_step, _indexing_step, _matmul_step)


@st.composite
def programs(draw):
    """Programs of 3 to 8 steps that run: each step is drawn for the shapes that came before."""
    d = Dice(draw, "program")
    inputs = tuple((d.number(1, 3), *d.shape(0, 2, low=1)) for _ in range(d.number(1, 2)))
    values, steps = [filled(shape) for shape in inputs], []
    with slot.use("numpy"):
        for _ in range(d.number(3, 8)):
            last = len(values) - 1
            step = d.pick(*STEPS)(d, values, d.pick(last, d.number(0, last))) or Step("tanh", (last,))
            result = np.asarray(step.run(values))
            if not 0 < result.size <= 400 or np.abs(result).max() > 1e3:
                step = Step("tanh", (last,))
                result = step.run(values)
            steps.append(step)
            values.append(result)
    return Program(inputs, tuple(steps))


def graph(program):
    """The program as a function of inputs with an unknown batch size, and its symbolic results."""
    inputs = [core.Input(batch_shape=(None, *shape[1:])) for shape in program.inputs]
    outputs = program.run(*inputs)
    return core.Function(inputs, outputs), outputs


def close(found, expected):
    """Equal up to a ten-thousandth of the largest element."""
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        a, b = ops.convert_to_numpy(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype, f"Result {number} is {a.shape} {a.dtype}, not {b.shape} {b.dtype}."
        assert np.allclose(a, b, 1e-4, 1e-4 * max(1.0, float(np.abs(b).max(initial=0)))), f"Result {number} is\n{a}\n    not\n{b}"


def check_program(case, backend="numpy", compiled=False):
    with slot.use("numpy"):
        expected = case.run(*case.arrays())
    function, outputs = graph(case)
    for number, (spec, real) in enumerate(zip(outputs, expected)):
        assert spec.dtype == ops.dtype(real) and shapes.compatible(spec.shape, real.shape), f"Result {number}: {spec}, not {real.shape}."
    with slot.use(backend) as chosen:
        inputs = [chosen.convert_to_tensor(array) for array in case.arrays()]
        close(function(inputs), expected)
        if backend != "numpy":
            close(case.run(*inputs), expected)
        if compiled:
            close(core.jit(case.run)(*inputs), expected)


def test_a_graph_returns_what_its_ops_do():
    fuzz(lambda case: check_program(case), programs(), QUICK)


@pytest.mark.slow
def test_a_graph_returns_what_its_ops_do_in_many_cases():
    fuzz(lambda case: check_program(case), programs(), MANY)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_has_one_result_on_every_backend(backend):
    fuzz(lambda case: check_program(case, backend, compiled=backend == "jax"), programs(), SHARE[backend] * QUICK // MANY)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_program_has_one_result_on_every_backend_in_many_cases(backend):
    fuzz(lambda case: check_program(case, backend, compiled=backend == "jax"), programs(), SHARE[backend])


# The fuzzer itself.


WRONG = {
    "another shape": lambda x: KerasTensor((*x.shape, 1), x.dtype),
    "another dtype": lambda x: KerasTensor(x.shape, "float64"),
    "a needless None": lambda x: KerasTensor([None if None in x.shape else n for n in x.shape], x.dtype),
    "a size that may differ": lambda x: KerasTensor([7 if n is None else n for n in x.shape], x.dtype),
    "no unknown sizes": lambda x: KerasTensor([n + 0 for n in x.shape], x.dtype),
    "a refusal": lambda x: KerasTensor(shapes.standardize_shape(None), x.dtype),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_rule_is_found(monkeypatch, fault):
    monkeypatch.setattr(REGISTRY["sin"], "rule", WRONG[fault])
    with pytest.raises(AssertionError) as found:
        fuzz(check_rule, one_case("elementwise", "sin"), QUICK)
    assert "case=ops.sin(filled((" in "\n".join(found.value.__notes__)


def test_a_rule_that_takes_what_the_op_refuses_is_found(monkeypatch):
    monkeypatch.setattr(REGISTRY["flip"], "rule", lambda x, axis=None: KerasTensor(x.shape, x.dtype))
    with pytest.raises(AssertionError, match="The op raises"):
        fuzz(check_rule, one_case("shape", "flip"), MANY)


ACCIDENTS = {
    "IndexError": lambda x, axis=-1: KerasTensor(x.shape, x.dtype) if axis is None or x.shape[axis] != -1 else None,
    "fails rather than refuses": lambda x, axis=-1: KerasTensor(x.shape[: range(-x.ndim, x.ndim).index(axis or 0) + 9], x.dtype),
}


@pytest.mark.parametrize("message", ACCIDENTS)
def test_a_rule_that_fails_by_accident_is_found(monkeypatch, message):
    monkeypatch.setattr(REGISTRY["sort"], "rule", ACCIDENTS[message])
    strategy = one_case("indexing", "sort").filter(lambda case: case.kwargs.get("axis", 0) is not None)
    with pytest.raises(AssertionError, match=message):
        fuzz(check_rule, strategy, MANY)


def test_another_dtype_on_a_backend_is_found(monkeypatch):
    torch = slot.get("torch")
    monkeypatch.setitem(REGISTRY["sin"]._implementations, torch, lambda x: torch.sin(x).double())
    REGISTRY["sin"].fast.clear()
    with pytest.raises(AssertionError, match="torch"):
        fuzz(lambda case: check_backend(case, "torch"), one_case("elementwise", "sin"), QUICK)
    REGISTRY["sin"].fast.clear()


def test_another_result_of_a_program_is_found(monkeypatch):
    torch = slot.get("torch")
    monkeypatch.setitem(REGISTRY["tanh"]._implementations, torch, lambda x: torch.tanh(x) * 1.01)
    REGISTRY["tanh"].fast.clear()
    with pytest.raises(AssertionError, match="Result"):
        fuzz(lambda case: check_program(case, "torch"), programs(), QUICK)
    REGISTRY["tanh"].fast.clear()


def test_a_case_is_printed_as_it_is_called():
    case = Dice(lambda strategy: None, "pad").call(filled((2, 3), "int32"), ((1, 0), (0, 1)), constant_values=1)
    assert repr(case) == "ops.pad(filled((2, 3), 'int32'), ((1, 0), (0, 1)), constant_values=1)"
