"""Ops that take functions: branches, loops, scans, maps over elements, and custom derivatives.

The functions get and return tensors or nested structures of them, and may read and write variables on every backend
(inside `vectorized_map`, `associative_scan` and `jvp` they may only read).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from core.backend import loops, slot
from core.backend.symbolic import KerasTensor, Node
from core.base import dtypes, shapes, tree
from core.ops.joining import concatenate
from core.ops.registry import primitive
from core.ops.shape import broadcast_to, flip, reshape
from core.ops.structured import _spec, _to_native, _unwrapped, structured_op

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "jvp", "map", "scan", "switch", "vectorize", "vectorized_map", "while_loop",
]  # fmt: skip


def _copy(structure: Any) -> Any:
    """Fresh specs, so that what a node gives out is not what some inner call made."""
    return tree.map_structure(lambda x: None if x is None else KerasTensor(x.shape, x.dtype), _specs(structure))


def _specs(structure: Any) -> Any:
    """Numbers and arrays among results as specs."""
    return tree.map_structure(_spec, structure)


def _merged(name: str, first: Any, *others: Any) -> Any:
    """One spec for branches that must agree in structure, rank and dtype; dimensions in which they differ are unknown."""
    loops.check_alike(name, (first, *others))

    def merge(*parts: KerasTensor | None) -> KerasTensor | None:
        one = parts[0]
        if one is None:
            return None
        if any(part is None or part.ndim != one.ndim or part.dtype != one.dtype for part in parts):
            raise ValueError(f"The branches of {name} must return tensors of one rank and dtype, got {list(parts)}.")
        shapes = [part.shape for part in parts if part is not None]
        return KerasTensor([dims[0] if len(set(dims)) == 1 else None for dims in zip(*shapes)], one.dtype)

    return tree.map_structure(merge, first, *others)


def _check_condition(name: str, bound: dict) -> None:
    shape = getattr(bound["pred"], "shape", ())
    if len(shape):
        raise ValueError(f"{name} needs a scalar to choose a branch by, got the shape {tuple(shape)}; see where.")


def _cond_rule(pred, true_fn, false_fn):
    return _merged("cond", _specs(true_fn()), _specs(false_fn()))


@structured_op(also="pred", rule=_cond_rule, prepare=_check_condition)
def cond(pred, true_fn, false_fn):
    """`true_fn()` where the scalar `pred` holds, else `false_fn()`; both must return the same structure, shapes and dtypes.

    Only the chosen branch runs; on symbolic tensors of a Functional model the branches may not use other symbolic tensors.

    >>> cond(True, lambda: 1.0, lambda: 2.0)  # 1.
    """
    primitive()


def _check_choice(name: str, bound: dict) -> None:
    index, branches = bound["index"], bound["branches"]
    if not len(branches):
        raise ValueError(f"{name} needs at least one branch, got {branches!r}.")
    shape, dtype = getattr(index, "shape", ()), dtypes.standardize_dtype(getattr(index, "dtype", type(index)))
    if len(shape) or not (dtype == "bool" or dtypes.is_int_dtype(dtype)):
        raise ValueError(f"{name} needs an integer scalar as index, got shape {tuple(shape)} and dtype {dtype}.")


def _switch_rule(index, branches, *xs):
    return _merged("switch", *(_specs(branch(*xs)) for branch in branches))


@structured_op("index *operands", rule=_switch_rule, prepare=_check_choice)
def switch(index, branches, *operands):
    """`branches[index](*operands)`; an index out of range counts as the nearest one. All branches return alike.

    >>> switch(1, [lambda x: x, lambda x: -x], 3.0)  # -3.
    """
    primitive()


@structured_op("loop_vars", rule=lambda cond, body, loop_vars, maximum_iterations=None: _copy(loop_vars))
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """The loop variables after `loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)` holds.

    Args:
        loop_vars: a tuple or list of tensors or structures (or one tensor); keeps its structure, shapes and dtypes.
        maximum_iterations: the loop ends after so many rounds in any case.

    >>> while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))  # (6,)
    """
    primitive()


@structured_op("init_val", also="lower upper", rule=lambda lower, upper, body_fun, init_val: _copy(init_val))
def fori_loop(lower, upper, body_fun, init_val):
    """`init_val` after `init_val = body_fun(i, init_val)` for i from `lower` to `upper - 1`.

    >>> fori_loop(0, 4, lambda i, total: total + i, 0)  # 6
    """
    primitive()


def _length(xs: Any, length: int | None = None) -> int | None:
    lengths = {x.shape[0] for x in tree.flatten(xs) if x is not None} | {length}
    return next((n for n in lengths if n is not None), None)


def _check_sequences(name: str, bound: dict) -> None:
    """An error unless all tensors that are gone through along their first axis have one, of one length."""
    xs, length = bound.get("xs", bound.get("elements")), bound.get("length")
    if xs is None and length is None:
        raise ValueError(f"{name} needs xs, or a length.")
    every = [tuple(getattr(x, "shape", ())) for x in tree.flatten(xs) if x is not None]
    if not all(every):
        raise ValueError(f"{name} goes through its tensors along their first axis, got a scalar among the shapes {every}.")
    lengths = {shape[0] for shape in every} | {length}
    if len({n for n in lengths if isinstance(n, int)}) > 1:
        wanted = "" if length is None else f" and length={length}"
        raise ValueError(f"{name} goes through its tensors along their first axis, of one length, got the shapes {every}{wanted}.")


def _element(xs: Any) -> Any:
    return tree.map_structure(lambda x: None if x is None else KerasTensor(x.shape[1:], x.dtype), xs)


def _stacked(element: Any, length: int | None) -> Any:
    return tree.map_structure(lambda y: None if y is None else KerasTensor((length, *y.shape), y.dtype), _specs(element))


def _scan_rule(f, init, xs=None, length=None, reverse=False, unroll=1):
    length = _length(xs, length)
    carry, y = loops.carry_and_output(f(init, _element(xs)))
    loops.check_kept("scan", init, carry)
    return _copy(init), _stacked(y, length)


@structured_op("init xs", rule=_scan_rule, prepare=_check_sequences)
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """The last carry and the stacked outputs of `carry, y = f(carry, x)` for each x along the first axis of `xs`.

    Args:
        f: takes the carry and one element, returns the new carry (same structure, shapes, dtypes) and an output (or None).
        xs: a tensor or structure of them with equal first dimensions, or None with `length`.
        reverse: walks from the end; outputs stay in the order of `xs`.
        unroll: how many steps are compiled into one round, where the framework compiles.

    >>> scan(lambda c, x: (c + x, c * x), 0.0, np.array([1.0, 2.0, 3.0]))  # (6., [0., 2., 9.])
    """
    primitive()


def _map_rule(f, xs):
    length = _length(xs)
    return _stacked(f(_element(xs)), length)


@structured_op("xs", rule=_map_rule, prepare=_check_sequences)
def map(f, xs):
    """The stacked results of `f(x)` for each x along the first axis of the tensors in `xs`, one after the other.

    >>> map(lambda x: x * x, np.array([1.0, 2.0, 3.0]))  # [1., 4., 9.]
    """
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


@structured_op("elements", rule=lambda function, elements: _map_rule(function, elements), prepare=_check_sequences)
def vectorized_map(function, elements):
    """The results of `function(x)` for each x along the first axis of the tensors in `elements`, computed together.

    >>> vectorized_map(lambda x: x * x, np.array([1.0, 2.0, 3.0]))  # [1., 4., 9.]
    """
    primitive()


def _associative_rule(f, elems, reverse=False, axis=0):
    return _copy(elems)


def _check_elements(name: str, bound: dict) -> None:
    first = tree.flatten(bound["elems"])[0]
    shapes.normalize_axis(bound.get("axis", 0), len(getattr(first, "shape", ())), f"{name}: axis")


@structured_op("elems", rule=_associative_rule, prepare=_check_elements)
def associative_scan(f, elems, reverse=False, axis=0):
    """All running results of the associative function `f(a, b)` along `axis`, in about log2(n) calls on long slices.

    `f` takes and returns structures like `elems`; `reverse` runs from the end.

    >>> associative_scan(lambda a, b: a + b, np.array([1.0, 2.0, 3.0]))  # [1., 3., 6.]
    """
    first = tree.flatten(elems)[0]
    axis = shapes.normalize_axis(axis, len(first.shape))
    length = first.shape[axis]
    if length is None:
        raise ValueError("associative_scan needs a static length along its axis on this backend.")

    def part(start: int | None, stop: int | None) -> Any:
        return tree.map_structure(lambda x: x[(slice(None),) * axis + (slice(start, stop),)], elems)

    elems = tree.map_structure(lambda x: flip(x, axis), elems) if reverse else elems
    step = 1
    while step < length:  # Hillis and Steele, 1986: after each round a position holds the result over twice as many elements
        later = f(part(None, -step), part(step, None))
        elems = tree.map_structure(lambda a, b: concatenate([a, b], axis), part(None, step), later)
        step *= 2
    return tree.map_structure(lambda x: flip(x, axis), elems) if reverse else elems


def _jvp_rule(fun, primals, tangents, has_aux=False):
    result = fun(*primals)
    outputs, aux = result if has_aux else (result, None)
    return (_copy(outputs), _copy(outputs), _copy(aux)) if has_aux else (_copy(outputs), _copy(outputs))


@structured_op("primals tangents", rule=_jvp_rule)
def jvp(fun, primals, tangents, has_aux=False):
    """`fun(*primals)` and its directional derivative along `tangents`, both of the structure that `fun` returns.

    With `has_aux`, `fun` returns `(outputs, aux)` and aux comes third. The NumPy backend raises a ValueError.

    >>> with core.backend.use("jax"):
    ...     value, slope = jvp(lambda x: x * x, (3.0,), (1.0,))  # 9., 6.
    """
    primitive()


def custom_gradient(f: Callable) -> Callable:
    """`f` with its own gradient: `f(*args)` returns `(outputs, grad_fn)`, and the result of the new function is `outputs`.

    `grad_fn(*upstream)` gets the gradient of each output and returns one gradient per argument. Works as a decorator.

    >>> twice = custom_gradient(lambda x: (x * 2, lambda upstream: upstream * 2))
    >>> twice(3.0)  # 6.
    """
    made: dict[str, Callable] = {}

    @functools.wraps(f)
    def run(*args, **kwargs):
        leaves = tree.flatten((args, kwargs))
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            spec = _copy(f(*args, **kwargs)[0])
            Node(run, args, kwargs, spec, [s for s in tree.flatten(spec) if isinstance(s, KerasTensor)])
            return spec
        backend = slot.owner_of(getattr(leaf, "_value", leaf) for leaf in leaves) or slot.active()
        if backend.name not in made:
            made[backend.name] = backend.custom_gradient(f)
        args, kwargs = tree.map_structure(functools.partial(_to_native, backend=backend), (args, kwargs))
        return made[backend.name](*args, **kwargs)

    return run


_SIGNATURE = re.compile(r"\s*(\(\w*(\s*,\s*\w+)*\)\s*,?\s*)*->\s*(\(\w*(\s*,\s*\w+)*\)\s*,?\s*)+")


def _core_names(signature: str | None, count: int) -> list[tuple[str, ...]]:
    """The names of the core dimensions of each argument."""
    if signature is None:
        return [()] * count
    if not _SIGNATURE.fullmatch(signature):
        raise ValueError(f"A signature looks like '(n),(m,k)->(n,k)', got {signature!r}.")
    left = re.findall(r"\(([^)]*)\)", signature.partition("->")[0])
    if len(left) != count:
        raise ValueError(f"The signature {signature!r} has {len(left)} arguments, the call {count}.")
    return [tuple(name.strip() for name in part.split(",") if name.strip()) for part in left]


def vectorize(pyfunc: Callable, *, excluded: Sequence[int | str] | None = None, signature: str | None = None) -> Callable:
    """`pyfunc`, written for single elements, as a function of whole tensors whose leading axes broadcast.

    Args:
        excluded: positions and names of arguments that are passed as they are.
        signature: the core dimensions, for example `"(n),(m,n)->(m)"`; without it arguments are scalars.

    >>> vectorize(lambda a, b: a * b)([1.0, 2.0], [[3.0], [4.0]])  # [[3., 6.], [4., 8.]]
    """
    skipped = set(excluded or ())

    @functools.wraps(pyfunc)
    def run(*args, **kwargs):
        places = [i for i in range(len(args)) if i not in skipped] + [name for name in kwargs if name not in skipped]
        given = [args[place] if isinstance(place, int) else kwargs[place] for place in places]

        def one(*parts):
            full, named = list(args), dict(kwargs)
            for place, part in zip(places, parts):
                (full if isinstance(place, int) else named)[place] = part  # type: ignore[call-overload]
            return pyfunc(*full, **named)

        cores = _core_names(signature, len(given))
        if any(isinstance(leaf, KerasTensor) for leaf in given):
            whole, elements = _split([_spec(x) for x in given], cores)
            spec = tree.map_structure(
                lambda y: KerasTensor((*whole, *y.shape), y.dtype), one(*(KerasTensor(e, x.dtype) for e, x in zip(elements, given)))
            )
            Node(run, args, kwargs, spec, tree.flatten(spec))
            return spec
        backend = slot.owner_of(_unwrapped(x) for x in given) or slot.active()
        tensors = [backend.convert_to_tensor(_unwrapped(x)) for x in given]
        whole, elements = _split(tensors, cores)
        if not whole:
            return one(*tensors)
        with slot.use(backend):
            flat = [reshape(broadcast_to(x, (*whole, *element)), (-1, *element)) for x, element in zip(tensors, elements)]
            return tree.map_structure(lambda y: reshape(y, (*whole, *y.shape[1:])), backend.vmap(one)(*flat))

    return run


def _split(tensors: list, cores: list[tuple[str, ...]]) -> tuple[tuple, list[tuple]]:
    """The common batch shape, and the shape of one element of each tensor."""
    for x, core in zip(tensors, cores):
        if len(x.shape) < len(core):
            raise ValueError(f"vectorize: a tensor of shape {tuple(x.shape)} has fewer dimensions than its signature ({', '.join(core)}).")
    at = [len(x.shape) - len(core) for x, core in zip(tensors, cores)]
    return shapes.broadcast(*(tuple(x.shape)[:n] for x, n in zip(tensors, at))), [tuple(x.shape)[n:] for x, n in zip(tensors, at)]
