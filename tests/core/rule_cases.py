"""Random calls of every op that has a shape rule: for each family of ops, which is one module of `core.ops`, how a call is drawn.

`FAMILIES[family][op]` is a function of `Dice` that draws one `Case`. Most draws are calls that can be meant; where `Dice.wrong` says so
an axis is out of range or sizes do not fit, which the op and its rule must refuse alike. `cases(family)` is the strategy.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from core.base.dtypes import numpy_dtype, standardize_dtype

# Tensors whose values follow from their shape, so that a failure can be printed as a short call.


def filled(shape: Sequence[int], dtype: str = "float32") -> np.ndarray:
    """Numbers between -3 and 3 that repeat after seven elements; counts of bools and unsigned integers from 0 on."""
    values = (np.arange(math.prod(shape)) * 5 + 3) % 7 - 3
    kind = numpy_dtype(dtype).kind
    if kind == "b":
        values = values % 2 == 0
    elif kind == "u":
        values = np.abs(values)
    elif kind == "c":
        values = values * 0.5 + 0.25 + 0.5j * (values[::-1])
    elif kind not in "i":
        values = values * 0.5 + 0.25
    return values.reshape(shape).astype(numpy_dtype(dtype))


def positive(shape: Sequence[int], dtype: str = "float32") -> np.ndarray:
    """Numbers between 0 and 1, or the integers 0, 1 and 2 in turn."""
    values = np.arange(math.prod(shape)) % 3
    return (values if numpy_dtype(dtype).kind in "iub" else (values + 1) / 4).reshape(shape).astype(numpy_dtype(dtype))


def nonzero(shape: Sequence[int], dtype: str = "float32") -> np.ndarray:
    """The numbers 1, 2 and 3 in turn."""
    return (np.arange(math.prod(shape)) % 3 + 1).reshape(shape).astype(numpy_dtype(dtype))


def definite(shape: Sequence[int], dtype: str = "float32") -> np.ndarray:
    """Symmetric positive definite matrices over the last two axes; where they are not square, full rank ones."""
    rows, columns = shape[-2:]
    matrix = np.eye(rows, columns) * 3 + 1 / (1 + np.arange(rows)[:, None] + np.arange(columns))
    return np.broadcast_to(matrix, shape).astype(numpy_dtype(dtype))


MAKERS = (filled, positive, nonzero, definite)

# Functions for the ops that take functions; they have names, so that a case is printed as it is called.


def doubled(x):
    return x + x


def halved_shape(x):
    return x[..., :1]


def added(a, b):
    return a + b


def carried(carry, x):
    return carry + x, x * 2


def not_yet(i, x):
    return i < 3


def one_more(i, x):
    return i + 1, x + x


def counted(i, x):
    return x + x


def first_branch():
    return np.ones((2, 3), "float32")


def second_branch():
    return np.zeros((2, 3), "float32")


@dataclasses.dataclass(frozen=True)
class Case:
    """One call; NumPy arrays stand for tensors.

    Attributes:
        open: whether sizes of the result depend on values, so that the rule cannot tell them.
        known: (number of the array, axis) whose size decides how many axes or tensors come out; no rule can do without.
    """

    op: str
    args: tuple
    kwargs: dict[str, Any]
    open: bool = False
    known: frozenset[tuple[int, int]] = frozenset()

    def __repr__(self) -> str:
        parts = [_written(value) for value in self.args] + [f"{name}={_written(value)}" for name, value in self.kwargs.items()]
        return f"{'random' if self.op in FAMILIES['draws'] else 'ops'}.{self.op}({', '.join(parts)})"

    def _repr_pretty_(self, printer, cycle) -> None:
        """What Hypothesis prints."""
        printer.text(repr(self))


def _written(value: Any) -> str:
    """An argument as it is typed."""
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(_written, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, slice):
        return f"slice({value.start}, {value.stop}, {value.step})"
    if not isinstance(value, np.ndarray):
        return getattr(value, "__name__", None) or repr(value)
    dtype = standardize_dtype(value.dtype)
    for maker in MAKERS:
        if (value.ndim >= 2 or maker is not definite) and np.array_equal(maker(value.shape, dtype), value):
            return f"{maker.__name__}({value.shape}" + (")" if dtype == "float32" else f", {dtype!r})")
    return f"np.array({value.tolist()}, {dtype!r})"


DTYPES = {
    "f": ("float32", "float16", "bfloat16", "float64"),
    "i": ("int32", "uint8", "int8", "int64", "int16", "uint16", "uint32"),
    "b": ("bool",),
    "c": ("complex64",),
}


class Dice:
    """The draws of one case of the op `name`."""

    def __init__(self, draw: Callable, name: str):
        self.draw, self.name = draw, name

    def call(self, *args, **kwargs) -> Case:
        return Case(self.name, args, kwargs)

    def open_call(self, *args, **kwargs) -> Case:
        return Case(self.name, args, kwargs, open=True)

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def wrong(self) -> bool:
        """Whether to draw something here that does not fit: one time in twenty."""
        return self.number(0, 19) == 19

    def size(self, low: int = 0) -> int:
        return self.draw(st.sampled_from([n for n in (2, 3, 1, 4, 0, 5) if n >= low]))

    def shape(self, least: int = 0, most: int = 4, low: int = 0) -> tuple[int, ...]:
        if least and self.wrong():
            least = most = least - 1
        return tuple(self.size(low) for _ in range(self.number(least, most)))

    def dtype(self, kinds: str = "fib") -> str:
        return self.pick(*DTYPES[self.pick(*kinds)])

    def tensor(self, least: int = 0, most: int = 4, kinds: str = "fib", low: int = 0) -> np.ndarray:
        return filled(self.shape(least, most, low), self.dtype(kinds))

    def axis(self, rank: int) -> int:
        """An axis counted from the front or from the end."""
        if self.wrong() or not rank:
            return self.pick(rank, -rank - 1)
        return self.number(-rank, rank - 1)

    def axes(self, rank: int) -> tuple[int, ...]:
        """Different axes, some counted from the end."""
        chosen = self.draw(st.lists(st.integers(0, rank - 1), unique=True, max_size=rank)) if rank else []
        if self.wrong():
            chosen = [*chosen, rank]
        return tuple(a - rank if self.flag() else a for a in chosen)

    def some_axes(self, rank: int):
        """What a reduction takes: None, one axis, a tuple or a list."""
        match self.pick("one", "several", "list", None):
            case None:
                return None
            case "one" if rank:
                return self.axis(rank)
            case "list":
                return list(self.axes(rank))
        return self.axes(rank)

    def one_or_none(self, rank: int) -> int | None:
        return None if self.flag() or not rank else self.axis(rank)

    def options(self, **choices) -> dict[str, Any]:
        """Keyword arguments, each left out half of the time; a choice is a tuple of values or a function that draws one."""
        given = {}
        for name, choice in choices.items():
            if self.flag():
                given[name] = choice() if callable(choice) else self.pick(*choice)
        return given

    def broadcastable(self, count: int = 2, most: int = 4) -> list[tuple[int, ...]]:
        """Shapes that broadcast against each other."""
        whole = self.shape(0, most)
        shapes = []
        for _ in range(count):
            shape = whole[self.number(0, len(whole)) :] if self.flag() else whole
            shapes.append(tuple(1 if self.number(0, 3) == 3 else n for n in shape))
        if whole and self.wrong():
            shapes[-1] = (*whole[:-1], whole[-1] + 2)
        return shapes

    def lengths(self, count: int, low: int = 1, high: int = 3):
        """One integer for all axes, or one for each."""
        return self.number(low, high) if self.flag() else tuple(self.number(low, high) for _ in range(count))


FAMILIES: dict[str, dict[str, Callable[[Dice], Case]]] = {}


def entered(family: str, names: str):
    """Enters a function of `Dice` for the ops that are named."""

    def enter(function: Callable[[Dice], Case]) -> Callable[[Dice], Case]:
        FAMILIES.setdefault(family, {}).update(dict.fromkeys(names.split(), function))
        return function

    return enter


@st.composite
def one_case(draw, family: str, name: str) -> Case:
    """A call of one op."""
    return FAMILIES[family][name](Dice(draw, name))


def cases(family: str) -> st.SearchStrategy[Case]:
    """A call of some op of the family."""
    return st.sampled_from(sorted(FAMILIES[family])).flatmap(lambda name: one_case(family, name))


# Elementwise.


@entered(
    "elementwise",
    "sqrt rsqrt cbrt exp exp2 expm1 log log1p log2 log10 sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh "
    "arctanh deg2rad rad2deg sinc i0 erf erfc erfinv fabs floor ceil sign trunc",
)
@entered("comparison", "isfinite isinf isnan isposinf isneginf signbit logical_not")
def _unary(d: Dice) -> Case:
    return d.call(d.tensor())


@entered("elementwise", "negative abs square real imag conj angle reciprocal")
@entered("comparison", "isreal")
def _unary_complex(d: Dice) -> Case:
    return d.call(d.tensor(kinds="fibc"))


@entered("elementwise", "round")
def _round(d: Dice) -> Case:
    return d.call(d.tensor(kinds="fi"), **d.options(decimals=(0, 1, 2, -1)))


@entered("elementwise", "nan_to_num")
def _nan_to_num(d: Dice) -> Case:
    return d.call(d.tensor(), **d.options(nan=(0.0, 1.0), posinf=(None, 3.0), neginf=(None, -3.0)))


def _operands(d: Dice, kinds: str = "fib") -> list:
    a, b = d.broadcastable()
    x1 = filled(a, d.dtype(kinds))
    if d.number(0, 3) == 3 and x1.ndim:
        scalars = {"f": 2.5, "i": 2, "b": True}
        return [x1, scalars[d.pick(*kinds)]]
    return [x1, filled(b, d.dtype(kinds))]


@entered(
    "elementwise",
    "add subtract multiply divide divide_no_nan hypot logaddexp logaddexp2 arctan2 heaviside nextafter maximum minimum fmax fmin",
)
@entered("comparison", "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor")
def _binary(d: Dice) -> Case:
    return d.call(*_operands(d))


@entered("elementwise", "floor_divide mod fmod")
def _division(d: Dice) -> Case:
    a, b = d.broadcastable()
    return d.call(filled(a, d.dtype()), nonzero(b, d.dtype()) if d.flag() else d.pick(2, 2.5))


@entered("bitwise", "bitwise_and bitwise_or bitwise_xor")
def _bits(d: Dice) -> Case:
    return d.call(*_operands(d, "ib"))


@entered("bitwise", "bitwise_not")
def _bit(d: Dice) -> Case:
    return d.call(d.tensor(kinds="ib"))


@entered("bitwise", "gcd lcm")
def _divisors(d: Dice) -> Case:
    return d.call(*_operands(d, "i"))


@entered("elementwise", "power")
@entered("bitwise", "bitwise_left_shift bitwise_right_shift")
def _powers(d: Dice) -> Case:
    kinds = "fib" if d.name == "power" else "ib"
    a, b = d.broadcastable()
    return d.call(filled(a, d.dtype(kinds)), positive(b, d.dtype(kinds)))


@entered("elementwise", "ldexp")
def _ldexp(d: Dice) -> Case:
    a, b = d.broadcastable()
    return d.call(filled(a, d.dtype("fi")), filled(b, d.dtype("f" if d.wrong() else "i")))


@entered("elementwise", "clip")
def _clip(d: Dice) -> Case:
    x, low, high = (filled(shape, d.dtype("fi")) for shape in d.broadcastable(3))
    return d.call(x, d.pick(-1, low, None, 0.5), d.pick(1, high, None, 1.5))


@entered("comparison", "isclose allclose")
def _close(d: Dice) -> Case:
    return d.call(*_operands(d), **d.options(rtol=(1e-3,), atol=(0.5,), equal_nan=(True, False)))


# Reductions.


@entered("reduction", "sum any all mean nansum nanprod nanmean")
@entered("reduction", "var std nanvar nanstd ptp logsumexp median nanmedian nanmax nanmin")
def _reduced(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim), keepdims=(True, False)))


@entered("reduction", "prod")
def _prod(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim), keepdims=(True, False), dtype=("float32", "int32", "int64")))


@entered("reduction", "max min")
def _extreme(d: Dice) -> Case:
    x = d.tensor(kinds="fi")
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim), keepdims=(True, False), initial=(1,)))


@entered("reduction", "argmax argmin nanargmax nanargmin")
def _position(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.one_or_none(x.ndim), keepdims=(True, False)))


@entered("reduction", "cumsum cumprod nancumsum nancumprod")
def _running(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.one_or_none(x.ndim), dtype=("float32", "int32", "int64")))


@entered("reduction", "count_nonzero")
def _count(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim)))


@entered("reduction", "quantile nanquantile percentile nanpercentile")
def _quantile(d: Dice) -> Case:
    x, q = d.tensor(), d.pick(0.5, 0.25, positive((d.size(),)), positive(()))
    methods = ("linear", "lower", "higher", "midpoint", "nearest", *(["middle"] if d.wrong() else []))
    return d.call(x, q, **d.options(axis=lambda: d.some_axes(x.ndim), method=methods, keepdims=(True, False)))


@entered("reduction", "average")
def _average(d: Dice) -> Case:
    x = d.tensor()
    if not x.ndim or d.flag():
        return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim), weights=lambda: positive(x.shape)))
    axis = d.number(-x.ndim, x.ndim - 1)
    return d.call(x, axis=axis, weights=positive((x.shape[axis] + 2 * d.wrong(),), d.dtype("fi")))


@entered("reduction", "trace")
@entered("shape", "diagonal")
def _diagonal(d: Dice) -> Case:
    x = d.tensor(2)
    options = d.options(offset=lambda: d.number(-3, 3))
    if x.ndim > 2 and d.flag():
        first, second = d.draw(st.permutations(range(x.ndim)))[:2]
        options |= dict(axis1=first - x.ndim * d.flag(), axis2=first if d.wrong() else second - x.ndim * d.flag())
    return d.call(x, **options)


@entered("reduction", "trapezoid")
def _trapezoid(d: Dice) -> Case:
    y = d.tensor(1)
    axis = d.axis(y.ndim)
    places = lambda: filled((y.shape[axis],) if d.flag() and -y.ndim <= axis < y.ndim else y.shape)  # noqa: E731
    return d.call(y, axis=axis, **(dict(x=places()) if d.flag() else d.options(dx=(0.5, 2.0))))


@entered("reduction", "corrcoef")
def _corrcoef(d: Dice) -> Case:
    return d.call(d.tensor(1, 2))


@entered("reduction", "bincount")
def _bincount(d: Dice) -> Case:
    x = positive(d.shape(1, 3), d.dtype("i"))
    return d.open_call(x, **d.options(weights=lambda: positive(x.shape, d.dtype("fi")), minlength=(0, 2, 7)))


@entered("reduction", "segment_sum segment_prod segment_max segment_min")
def _segments(d: Dice) -> Case:
    data = d.tensor(1, 3, kinds="fi")
    rows = data.shape[0] if data.ndim else 2
    ids = positive((rows + d.wrong(),), d.dtype("i"))
    given = d.options(num_segments=lambda: d.size())
    return Case(d.name, (data, ids), given | d.options(sorted=(False,)), open="num_segments" not in given)


# Shapes.


def _factors(d: Dice, total: int, count: int) -> list[int]:
    """`count` sizes whose product is `total`."""
    sizes = []
    for _ in range(count - 1):
        divisors = [n for n in range(1, max(total, 1) + 1) if total % n == 0]
        sizes.append(d.pick(*divisors))
        total //= sizes[-1]
    return [*sizes, total]


@entered("shape", "reshape")
def _reshape(d: Dice) -> Case:
    x = d.tensor()
    sizes = _factors(d, x.size, d.number(1, 4))
    if x.size == 1 and d.flag():
        sizes = []
    if d.wrong():
        sizes = [*sizes, 2]
    if sizes and d.flag():
        sizes[d.number(0, len(sizes) - 1)] = -1
    if len(sizes) == 1 and d.flag():
        return d.call(x, sizes[0])
    return d.call(x, d.pick(tuple, list)(sizes))


@entered("shape", "ravel size diagflat")
def _flat(d: Dice) -> Case:
    x = d.tensor(most=3)
    return d.call(x, **(d.options(k=lambda: d.number(-2, 2)) if d.name == "diagflat" else {}))


@entered("shape", "transpose")
def _transpose(d: Dice) -> Case:
    x = d.tensor()
    order = [a - x.ndim * d.flag() for a in d.draw(st.permutations(range(x.ndim)))]
    if order and d.wrong():
        order[0] = order[-1] if d.flag() else x.ndim
    return d.call(x, **d.options(axes=lambda: d.pick(tuple, list)(order)))


@entered("shape", "moveaxis")
def _moveaxis(d: Dice) -> Case:
    x = d.tensor(1)
    if d.flag():
        return d.call(x, d.axis(x.ndim), d.axis(x.ndim))
    sources = d.axes(x.ndim)
    targets = d.axes(x.ndim) if d.wrong() else tuple(d.draw(st.permutations(range(x.ndim)))[: len(sources)])
    return d.call(x, sources, targets)


@entered("shape", "swapaxes")
def _swapaxes(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, d.axis(x.ndim), d.axis(x.ndim))


@entered("shape", "expand_dims")
def _expand_dims(d: Dice) -> Case:
    x = d.tensor(most=3)
    if d.flag():
        return d.call(x, d.axis(x.ndim + 1))
    count = d.number(1, 2)
    places = [a - (x.ndim + count) * d.flag() for a in d.draw(st.permutations(range(x.ndim + count)))[:count]]
    return d.call(x, d.pick(tuple, list)(places))


@entered("shape", "squeeze")
def _squeeze(d: Dice) -> Case:
    x = filled(tuple(d.pick(1, d.size()) for _ in range(d.number(0, 4))), d.dtype())
    ones = [i for i, n in enumerate(x.shape) if n == 1]
    if not ones or d.flag():
        if x.ndim and d.wrong():
            return d.call(x, d.axis(x.ndim))
        return dataclasses.replace(d.call(x), known=frozenset((0, i) for i in ones))
    chosen = [a - x.ndim * d.flag() for a in ones[: d.number(1, len(ones))]]
    return d.call(x, axis=chosen[0] if len(chosen) == 1 and d.flag() else d.pick(tuple, list)(chosen))


@entered("shape", "broadcast_to")
def _broadcast_to(d: Dice) -> Case:
    whole = d.shape()
    x = filled(tuple(1 if d.flag() else n for n in whole[d.number(0, len(whole)) :]), d.dtype())
    if whole and d.wrong():
        whole = (*whole[:-1], whole[-1] + 1) if d.flag() else whole[1:]
    return d.call(x, d.pick(tuple, list)(whole))


@entered("shape", "tile")
def _tile(d: Dice) -> Case:
    x = d.tensor(most=3)
    return d.call(x, d.pick(d.number(0, 3), d.pick(tuple, list)(d.number(0, 3) for _ in range(d.number(1, 4)))))


@entered("shape", "repeat")
def _repeat(d: Dice) -> Case:
    x = d.tensor()
    axis = d.one_or_none(x.ndim)
    if d.flag():
        return d.call(x, d.number(0, 3), axis=axis)
    length = x.size if axis is None else x.shape[axis] if -x.ndim <= axis < x.ndim else 2
    counts = [d.number(0, 2) for _ in range(1 if d.number(0, 3) == 3 else length + d.wrong())]
    return d.call(x, d.pick(counts, tuple(counts)), axis=axis)


@entered("shape", "flip")
def _flip(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim)))


@entered("shape", "fliplr flipud")
def _mirror(d: Dice) -> Case:
    return d.call(d.tensor(2 if d.name == "fliplr" else 1))


@entered("shape", "roll")
def _roll(d: Dice) -> Case:
    x = d.tensor()
    axes = d.axes(x.ndim)
    if x.ndim and d.flag():
        return d.call(x, d.number(-4, 4), axis=d.one_or_none(x.ndim))
    return d.call(x, tuple(d.number(-4, 4) for _ in axes) if axes else 1, axis=axes or None)


@entered("shape", "rot90")
def _rot90(d: Dice) -> Case:
    x = d.tensor(2)
    axes = tuple(d.draw(st.permutations(range(max(x.ndim, 2))))[:2])
    if d.wrong():
        axes = d.pick((0, 0), (0, x.ndim), (0,))
    return d.call(x, **d.options(k=lambda: d.number(-4, 4), axes=lambda: tuple(a - x.ndim * d.flag() for a in axes)))


@entered("shape", "pad")
def _pad(d: Dice) -> Case:
    x = d.tensor(1, 3, low=1, kinds="fi")
    most = min(x.shape, default=1)
    pair = lambda top: (d.number(0, top), d.number(0, top))  # noqa: E731
    mode = d.pick("constant", "reflect", "symmetric", "edge", "wrap")
    top = most - 1 if mode == "reflect" else most
    pairs = tuple(pair(top) for _ in range(x.ndim + d.wrong()))
    width = d.pick(d.number(0, top), pair(top), pairs, [list(p) for p in pairs])
    options = d.options(constant_values=(1,)) if mode == "constant" or d.wrong() else {}
    return d.call(x, width, **({} if mode == "constant" and d.flag() else dict(mode=mode)), **options)


@entered("shape", "diag")
def _diag(d: Dice) -> Case:
    return d.call(d.tensor(1, 2), **d.options(k=lambda: d.number(-3, 3)))


@entered("shape", "tril triu")
def _triangle(d: Dice) -> Case:
    return d.call(d.tensor(2), **d.options(k=lambda: d.number(-3, 3)))


@entered("shape", "tri")
@entered("creation", "eye")
def _tri(d: Dice) -> Case:
    return d.call(d.size(), **d.options(M=lambda: d.size(), k=lambda: d.number(-3, 3), dtype=("float32", "int32", "bool")))


@entered("shape", "vander")
def _vander(d: Dice) -> Case:
    return d.call(d.tensor(1, 1, kinds="fi"), **d.options(N=lambda: d.size(), increasing=(True, False)))


@entered("shape", "kron")
def _kron(d: Dice) -> Case:
    return d.call(d.tensor(most=3), d.tensor(most=3))


@entered("shape", "meshgrid")
def _meshgrid(d: Dice) -> Case:
    xs = [d.tensor(0, d.pick(1, 1, 2)) for _ in range(d.number(1, 3))]
    return d.call(*xs, **d.options(indexing=("xy", "ij")))


# Joining.


def _alike(d: Dice, least: int, axis: int | None, count: int | None = None, most: int = 4) -> list[np.ndarray]:
    """Tensors of one shape but for `axis`, of mixed dtypes."""
    shape = list(d.shape(least, most))
    result = []
    for _ in range(d.number(1, 3) if count is None else count):
        own = list(shape)
        if axis is not None and -len(own) <= axis < len(own):
            own[axis] = d.size()
        if own and d.wrong():
            own[0] += 2
        result.append(filled(own, d.dtype()))
    return result


@entered("joining", "concatenate")
def _concatenate(d: Dice) -> Case:
    axis = d.number(-2, 1)
    return d.call(d.pick(list, tuple)(_alike(d, 2, axis)), axis=axis)


@entered("joining", "stack")
def _stack(d: Dice) -> Case:
    xs = _alike(d, 0, None)
    return d.call(xs, **d.options(axis=lambda: d.axis(xs[0].ndim + 1)))


@entered("joining", "append")
def _append(d: Dice) -> Case:
    if d.flag():
        return d.call(d.tensor(), d.tensor())
    axis = d.number(-1, 0)
    return d.call(*_alike(d, 1, axis, 2), axis=axis)


@entered("joining", "hstack vstack dstack")
def _stacks(d: Dice) -> Case:
    if d.flag():
        return d.call(_alike(d, 0, None, most=1))
    return d.call(_alike(d, 2, {"hstack": 1, "vstack": 0, "dstack": 2}[d.name]))


def _points(d: Dice) -> Any:
    """Where to cut: a rising list of places, some past the end or counted from it."""
    places = [d.number(-3, 6) for _ in range(d.number(0, 3))]
    return d.pick(list, tuple)(places if d.flag() else sorted(abs(p) for p in places))


@entered("joining", "split array_split")
def _split(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.axis(x.ndim)
    if d.flag():
        return d.call(x, _points(d), axis=axis)
    length = x.shape[axis] if -x.ndim <= axis < x.ndim else 2
    divisors = [n for n in range(1, 6) if length % n == 0]
    sections = d.pick(*divisors) if d.name == "split" and not d.wrong() else d.number(1, 5)
    return d.call(x, sections, **(dict(axis=axis) if axis or d.flag() else {}))


@entered("joining", "hsplit vsplit dsplit")
def _splits(d: Dice) -> Case:
    x = d.tensor({"hsplit": 1, "vsplit": 2, "dsplit": 3}[d.name])
    return d.call(x, _points(d) if d.flag() else d.number(1, 4))


@entered("joining", "unstack")
def _unstack(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.axis(x.ndim)
    legal = -x.ndim <= axis < x.ndim
    num = dict(num=x.shape[axis] + d.wrong()) if legal and d.flag() else {}
    return Case(d.name, (x,), dict(axis=axis, **num), known=frozenset([(0, axis % x.ndim)]) if legal and not num else frozenset())


# Indexing.


def _indices(d: Dice, length: int, shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
    """Places on an axis of `length`, some counted from the end; none where there is nothing to choose."""
    shape = shape if length else (0, *shape[1:]) if shape else (0,)
    dtype = dtype or d.pick("int32", "int64", "uint8")
    low = 0 if dtype.startswith("u") else -length
    values = (np.arange(math.prod(shape)) * 3 + d.number(0, 3)) % max(length - low, 1) + low
    return values.reshape(shape).astype(dtype)


def _key(d: Dice, shape: tuple[int, ...]) -> Any:
    """An indexing key: places, slices, None, Ellipsis, at most two arrays of places, or one mask."""
    parts: list[Any] = []
    arrays = d.number(0, 2)
    common = tuple(d.size(1) for _ in range(d.number(0, 2)))
    for length in shape[: d.number(0, len(shape))]:
        kinds = ["slice", "slice"] + ["place"] * (length > 0) + ["array"] * (arrays > 0 and length > 0)
        match d.pick(*kinds):
            case "place":
                parts.append(d.number(-length, length - 1) if not d.wrong() else length)
            case "array":
                arrays -= 1
                parts.append(_indices(d, length, common, d.pick("int32", "int64")))
            case _:
                bound = lambda: d.pick(None, d.number(-5, 5))  # noqa: E731
                parts.append(slice(bound(), bound(), d.pick(None, 1, 2, -1)))
    if d.flag():
        parts.insert(d.number(0, len(parts)), None)
    if d.flag():
        parts.append(Ellipsis)  # behind the others, so that their axes are as drawn
    return parts[0] if len(parts) == 1 and d.flag() else tuple(parts)


@entered("indexing", "get_item")
def _get_item(d: Dice) -> Case:
    x = d.tensor()
    if x.ndim and d.number(0, 5) == 5:
        count = d.number(1, x.ndim)
        return d.open_call(x, filled(x.shape[:count], "bool"))
    return d.call(x, _key(d, x.shape))


@entered("indexing", "take")
def _take(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.one_or_none(x.ndim)
    length = x.size if axis is None else x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    return d.call(x, _indices(d, length, d.shape(0, 2)), axis=axis)


@entered("indexing", "take_along_axis")
def _take_along_axis(d: Dice) -> Case:
    x = d.tensor(1, 3)
    if d.flag():
        return d.call(x, _indices(d, x.size, (d.size(),)))
    axis = d.axis(x.ndim)
    length = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    if not length:
        return d.call(x, np.zeros(x.shape, "int32"), axis=axis)
    sizes = [d.size() if i == axis % x.ndim else d.pick(n, 1) for i, n in enumerate(x.shape)]
    if sizes and d.wrong():
        sizes = [*sizes, 1]
    return d.call(x, _indices(d, length, tuple(sizes)), axis=axis)


def _block(d: Dice, shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Starts and lengths of a block inside a tensor."""
    starts = [d.number(0, n) for n in shape]
    return starts, [d.number(0, n - s) for n, s in zip(shape, starts)]


@entered("indexing", "slice")
def _slice(d: Dice) -> Case:
    x = d.tensor(1)
    starts, lengths = _block(d, x.shape)
    if d.wrong():
        lengths = lengths[:-1]
    return d.call(x, d.pick(tuple(starts), np.array(starts, "int32")), d.pick(tuple, list)(lengths))


@entered("indexing", "slice_update")
def _slice_update(d: Dice) -> Case:
    x = d.tensor(1)
    starts, lengths = _block(d, x.shape)
    if d.wrong():
        lengths = [*lengths, 1]
    return d.call(x, d.pick(tuple(starts), np.array(starts, "int32")), filled(lengths, d.dtype()))


def _places(d: Dice, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Indices (..., depth) into the leading axes of a tensor, and the shape of what goes there."""
    depth = d.number(1, len(shape))
    count = (d.size(),) if all(shape[:depth]) else (0,)
    columns = [(np.arange(math.prod(count)) * 3 + i) % max(n, 1) for i, n in enumerate(shape[:depth])]
    return np.stack(columns, -1).reshape(*count, depth).astype("int32"), (*count, *shape[depth:])


@entered("indexing", "scatter")
def _scatter(d: Dice) -> Case:
    shape = tuple(d.size() for _ in range(d.number(1, 3)))
    indices, values = _places(d, shape)
    if d.wrong():
        values = (*values, 2)
    return d.call(indices, filled(values, d.dtype("fi")), d.pick(tuple, list)(shape))


@entered("indexing", "scatter_update")
def _scatter_update(d: Dice) -> Case:
    x = filled(tuple(d.size() for _ in range(d.number(1, 3))), d.dtype("fi"))
    indices, updates = _places(d, x.shape)
    if d.wrong():
        updates = (*updates, 2)
    reductions = (None, "add", "max", "min", "mul", *(["sub"] if d.wrong() else []))
    return d.call(x, indices, filled(updates, d.dtype("fi")), **d.options(reduction=reductions))


@entered("indexing", "where")
def _where(d: Dice) -> Case:
    condition, a, b = d.broadcastable(3)
    if condition and d.number(0, 4) == 4:
        return d.open_call(filled(condition, d.dtype()))
    return d.call(filled(condition, d.pick("bool", "int32")), filled(a, d.dtype()), d.pick(filled(b, d.dtype()), 1, 0.5))


@entered("indexing", "nonzero")
def _nonzero(d: Dice) -> Case:
    return d.open_call(d.tensor(1))


@entered("indexing", "select")
def _select(d: Dice) -> Case:
    count = d.number(1, 2)
    shapes = d.broadcastable(2 * count)
    conditions, choices = [filled(s, "bool") for s in shapes[:count]], [filled(s, d.dtype()) for s in shapes[count:]]
    return d.call(conditions, choices[:-1] if d.wrong() else choices, **d.options(default=(1, 0.5)))


@entered("indexing", "sort argsort")
def _sort(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, **d.options(axis=lambda: d.one_or_none(x.ndim)))


@entered("indexing", "argpartition")
def _argpartition(d: Dice) -> Case:
    x = d.tensor(1, low=1)
    axis = d.one_or_none(x.ndim)
    length = x.size if axis is None else x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    return d.call(x, d.number(-length, length - 1) + 2 * length * d.wrong(), axis=axis)


@entered("indexing", "top_k")
def _top_k(d: Dice) -> Case:
    x = d.tensor(1, kinds="fi")
    k = d.number(0, x.shape[-1]) if x.ndim else 1
    return d.call(x, k + 6 * d.wrong(), **d.options(sorted=(True, False)))


@entered("indexing", "in_top_k")
def _in_top_k(d: Dice) -> Case:
    batch, classes = d.size(), d.size(1)
    return d.call(positive((batch + 2 * d.wrong(),), "int32"), filled((batch, classes), d.dtype("f")), k=d.number(1, 3))


@entered("indexing", "searchsorted")
def _searchsorted(d: Dice) -> Case:
    edges = np.arange(d.size(), dtype="float32") if not d.wrong() else np.zeros((2, 2), "float32")
    return d.call(edges, d.tensor(kinds="fi"), **d.options(side=("left", "right", *(["middle"] if d.wrong() else []))))


@entered("indexing", "digitize")
def _digitize(d: Dice) -> Case:
    return d.call(d.tensor(kinds="fi"), np.arange(d.size(), dtype="float32"))


@entered("indexing", "histogram")
def _histogram(d: Dice) -> Case:
    bins = 0 if d.wrong() else d.number(1, 5)
    return d.call(d.tensor(low=1, kinds="fi"), **d.options(bins=(bins,), range=((0, 2), (-1.0, 1.0), *([(2, 1)] if d.wrong() else []))))


@entered("indexing", "isin")
def _isin(d: Dice) -> Case:
    return d.call(d.tensor(), d.tensor(most=2), **d.options(assume_unique=(False,), invert=(True, False)))


@entered("indexing", "unique")
def _unique(d: Dice) -> Case:
    x = d.tensor(1, 3, low=1)
    flags = d.options(return_index=(True, False), return_inverse=(True, False), return_counts=(True, False))
    given = d.options(axis=lambda: d.one_or_none(x.ndim), size=lambda: d.number(1, 5), fill_value=(1,))
    return Case(d.name, (x,), flags | given, open="size" not in given)


@entered("indexing", "unravel_index")
def _unravel_index(d: Dice) -> Case:
    shape = tuple(d.size(1) for _ in range(d.number(1, 3)))
    return d.call(_indices(d, math.prod(shape), d.shape(0, 2), d.pick("int32", "int64")), shape)


@entered("indexing", "diff")
def _diff(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, **d.options(n=lambda: -1 if d.wrong() else d.number(0, 3), axis=lambda: d.axis(x.ndim)))


@entered("indexing", "correlate")
def _correlate(d: Dice) -> Case:
    a, b = (d.tensor(1, 1, low=1) for _ in range(2))
    return d.call(a, b, **d.options(mode=("valid", "same", "full", *(["half"] if d.wrong() else []))))


# Linear algebra.


@entered("linalg", "matmul")
def _matmul(d: Dice) -> Case:
    a, b = (list(shape) for shape in d.broadcastable(2, 2))
    m, k, n = d.size(), d.size(), d.size()
    left, right = (*a, m, k), (*b, k + 2 * d.wrong(), n)
    match d.number(0, 4):
        case 3:
            left = (k,)
        case 4:
            right = (k,)
    return d.call(filled(left, d.dtype()), filled(right, d.dtype()))


@entered("linalg", "dot inner")
def _dot(d: Dice) -> Case:
    k = d.size()
    left = (*d.shape(0, 2), k)
    right = (*d.shape(0, 2), k + 2 * d.wrong())
    if d.name == "dot" and len(right) > 1:
        right = (*right[:-2], right[-1], right[-2])
    match d.number(0, 5):
        case 4:
            left = ()
        case 5:
            right = ()
    return d.call(filled(left, d.dtype()), filled(right, d.dtype()))


@entered("linalg", "vdot")
def _vdot(d: Dice) -> Case:
    shape = d.shape(0, 3)
    other = d.pick(shape, shape[::-1], (math.prod(shape),))
    return d.call(filled(shape, d.dtype()), filled((*other, 2) if d.wrong() else other, d.dtype()))


@entered("linalg", "outer")
def _outer(d: Dice) -> Case:
    return d.call(d.tensor(most=2), d.tensor(most=2))


@entered("linalg", "tensordot")
def _tensordot(d: Dice) -> Case:
    shared = d.shape(0, 2)
    a, b = d.shape(0, 2), d.shape(0, 2)
    if d.flag():
        right = (*shared, *b)
        if shared and d.wrong():
            right = (shared[0] + 2, *right[1:])
        return d.call(filled((*a, *shared), d.dtype()), filled(right, d.dtype()), len(shared))
    first, second = [i - len(shared) for i in range(len(shared))], list(range(len(shared)))
    if d.wrong():
        second = second[:-1] if second else [0]
    axes = d.pick((first, second), [tuple(first), tuple(second)], *([(first[0], second[0])] if len(first) == len(second) == 1 else []))
    return d.call(filled((*a, *shared), d.dtype()), filled((*shared, *b), d.dtype()), axes=axes)


@entered("linalg", "einsum")
def _einsum(d: Dice) -> Case:
    sizes = {letter: d.size() for letter in "abcd"}
    terms = ["".join(d.draw(st.lists(st.sampled_from("abcd"), max_size=3, unique=d.number(0, 3) < 3))) for _ in range(d.number(1, 3))]
    letters = sorted(set("".join(terms)))
    result = "".join(d.draw(st.permutations(letters))[: d.number(0, len(letters))])
    spread = d.number(0, 5) == 5
    whole = d.broadcastable(len(terms), 2) if spread else [()] * len(terms)
    shapes = [(*lead, *(sizes[c] for c in term)) for lead, term in zip(whole, terms)]
    if shapes[0] and d.wrong():
        shapes[0] = d.pick((*shapes[0], 2), (shapes[0][0] + 2, *shapes[0][1:]))
    dots = "..." if spread else ""
    left = ",".join(dots + term for term in terms)
    return d.call(left + (f"->{dots}{result}" if spread or d.flag() else ""), *(filled(s, d.dtype("fi")) for s in shapes))


@entered("linalg", "cross")
def _cross(d: Dice) -> Case:
    a, b = (list(shape) for shape in d.broadcastable(2, 2))
    first, second = (4 if d.wrong() else d.pick(3, 2) for _ in range(2))
    options = {}
    match d.pick("last", "axis", "each"):
        case "last":
            a.append(first), b.append(second)
        case "axis":
            a.insert(0, first), b.insert(0, second)
            options = dict(axis=0)
        case _:
            a.insert(0, first), b.append(second)
            options = dict(axisa=0, axisb=-1, axisc=d.pick(0, -1))
    places = (options.get("axis", options.get("axisa", -1)) % len(a), options.get("axis", options.get("axisb", -1)) % len(b))
    return Case(d.name, (filled(a, d.dtype("fi")), filled(b, d.dtype("fi"))), options, known=frozenset([(0, places[0]), (1, places[1])]))


@entered("linalg", "norm")
def _norm(d: Dice) -> Case:
    x = d.tensor(1, 3, low=1)
    match d.pick("all", "vector", "matrix"):
        case "vector":
            options = dict(axis=d.axis(x.ndim), ord=d.pick(None, 1, 2, 3, math.inf, -math.inf, 0))
        case "matrix" if x.ndim > 1:
            axes = d.draw(st.permutations(range(x.ndim)))[:2]
            orders = (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf, *([3] if d.wrong() else []))
            options = dict(axis=d.pick(tuple, list)(a - x.ndim * d.flag() for a in axes), ord=d.pick(*orders))
        case _:
            options = dict(ord=d.pick(1, 2)) if d.wrong() else {}
    return d.call(x, **options, **d.options(keepdims=(True, False)))


def _square(d: Dice, kinds: str = "fi") -> np.ndarray:
    n, batch = d.size(), d.shape(0, 2)
    return definite((*batch, n + d.wrong(), n), d.dtype(kinds))


@entered("linalg", "cholesky cholesky_inverse")
def _cholesky(d: Dice) -> Case:
    return d.call(_square(d), **d.options(upper=(True, False)))


@entered("linalg", "det slogdet logdet eig eigh inv")
def _of_square(d: Dice) -> Case:
    return d.call(_square(d))


@entered("linalg", "lu_factor matrix_rank pinv qr svd")
def _of_matrix(d: Dice) -> Case:
    shape = (*d.shape(0, 2), d.size(1), d.size(1))
    x = definite(shape, d.dtype("f")) if not d.wrong() else filled((3,))
    choices = {
        "qr": dict(mode=("reduced", "complete", *(["raw"] if d.wrong() else []))), "pinv": dict(rcond=(1e-3,)),
        "svd": dict(full_matrices=(True, False), compute_uv=(True, False)), "matrix_rank": dict(tol=(1e-3,)),
    }  # fmt: skip
    return d.call(x, **d.options(**choices.get(d.name, {})))


@entered("linalg", "lstsq")
def _lstsq(d: Dice) -> Case:
    m, n = d.size(1), d.size(1)
    right = (m + 2 * d.wrong(),) if d.flag() else (m, d.size(1))
    return d.call(definite((m, n), d.dtype("f")), filled(right, d.dtype("f")), **d.options(rcond=(1e-3,)))


@entered("linalg", "solve solve_triangular")
def _solve(d: Dice) -> Case:
    n, batch = d.size(1), d.shape(0, 2)
    right = (*batch, n + 2 * d.wrong()) if d.flag() else (*batch, n, d.size())
    options = d.options(lower=(True, False)) if d.name == "solve_triangular" else {}
    return d.call(definite((*batch, n, n), d.dtype("f")), filled(right, d.dtype("f")), **options)


@entered("linalg", "cdist")
def _cdist(d: Dice) -> Case:
    a, b = d.broadcastable(2, 2)
    k = d.size()
    return d.call(filled((*a, d.size(), k), d.dtype("fi")), filled((*b, d.size(), k + 2 * d.wrong()), d.dtype("fi")))


# Convolutions and pooling.


def _images(d: Dice, channels: int, rank: int, last: bool, low: int = 1, dtype: str | None = None) -> np.ndarray:
    sizes = tuple(d.number(low, 6) for _ in range(rank))
    batch = d.pick(2, 1, 0)
    return filled((batch, *sizes, channels) if last else (batch, channels, *sizes), dtype or d.dtype("f"))


def _layout(d: Dice, last: bool) -> dict[str, str]:
    """The data format that is meant; the default may be left out."""
    return {} if last and d.flag() else dict(data_format="channels_last" if last else "channels_first")


def _window_options(d: Dice, rank: int) -> dict[str, Any]:
    step = dict(strides=d.lengths(rank)) if d.flag() else dict(dilation_rate=d.lengths(rank, 1, 2))
    if d.wrong():
        step = dict(strides=2, dilation_rate=2)
    return step | d.options(padding=("valid", "same", *(["causal"] if d.wrong() else [])))


@entered("conv", "conv biased_conv")
def _conv(d: Dice) -> Case:
    rank, last, groups = d.number(1, 3), d.flag(), d.pick(1, 1, 2)
    inner, filters = d.number(1, 2), groups * d.number(1, 2)
    x = _images(d, groups * inner + d.wrong(), rank, last)
    kernel = filled((*(d.number(1, 3) for _ in range(rank + d.wrong())), inner, filters), d.dtype("f"))
    bias = [filled((filters + d.wrong(),))] if d.name == "biased_conv" else []
    return d.call(x, kernel, *bias, **_window_options(d, rank), **_layout(d, last))


@entered("conv", "depthwise_conv separable_conv")
def _depthwise(d: Dice) -> Case:
    rank, last, channels, multiplier = d.number(1, 2), d.flag(), d.number(1, 3), d.number(1, 2)
    x = _images(d, channels + d.wrong(), rank, last)
    kernels = [filled((*(d.number(1, 3) for _ in range(rank)), channels, multiplier))]
    if d.name == "separable_conv":
        kernels.append(filled((*(1,) * rank, channels * multiplier + d.wrong(), d.number(1, 3))))
    options = _window_options(d, rank)
    if isinstance(options.get("strides"), tuple):  # TensorFlow's kernels take one stride for both axes
        options["strides"] = options["strides"][0]
    return d.call(x, *kernels, **options, **_layout(d, last))


@entered("conv", "conv_transpose")
def _conv_transpose(d: Dice) -> Case:
    rank, last, channels = d.number(1, 3), d.flag(), d.number(1, 2)
    x = _images(d, channels + d.wrong(), rank, last)
    kernel = filled((*(d.number(1, 3) for _ in range(rank)), d.number(1, 2), channels))
    options = d.options(strides=lambda: d.lengths(rank), padding=("valid", "same"), output_padding=lambda: d.lengths(rank, 0, 1))
    if "strides" not in options:
        options |= d.options(dilation_rate=lambda: d.lengths(rank, 1, 2))
    return d.call(x, kernel, **options, **_layout(d, last))


@entered("conv", "max_pool average_pool")
def _pool(d: Dice) -> Case:
    rank, last = d.number(1, 3), d.flag()
    x = _images(d, d.number(1, 2), rank, last, dtype=d.dtype("fi"))
    options = d.options(strides=lambda: d.lengths(rank), padding=("valid", "same"))
    return d.call(x, d.lengths(rank), **options, **_layout(d, last))


@entered("conv", "adaptive_average_pool adaptive_max_pool")
def _adaptive_pool(d: Dice) -> Case:
    rank, last = d.number(1, 3), d.flag()
    x = _images(d, d.number(1, 2), rank, last, dtype=d.dtype("fi"))
    return d.call(x, d.lengths(rank + d.wrong()), **_layout(d, last))


@entered("conv", "unfold")
def _unfold(d: Dice) -> Case:
    x = _images(d, d.number(1, 2), 2 + d.wrong(), False, low=2)
    options = d.options(dilation=lambda: d.lengths(2, 1, 2), padding=lambda: d.lengths(2, 0, 1), stride=lambda: d.lengths(2, 1, 2))
    return d.call(x, d.lengths(2, 1, 2), **options)


@entered("conv", "fold")
def _fold(d: Dice) -> Case:
    size = (d.number(2, 5), d.number(2, 5))
    kernel, stride, padding = ((d.number(low, 2),) * 2 for low in (1, 1, 0))
    rows, columns = ((n + 2 * p - k) // s + 1 for n, k, s, p in zip(size, kernel, stride, padding))
    x = filled((d.size(), d.number(1, 2) * math.prod(kernel) + d.wrong(), rows * columns + d.wrong()), d.dtype("f"))
    return d.call(x, size, kernel[0], stride=stride, padding=padding)


@entered("conv", "depth_to_space space_to_depth")
def _blocks(d: Dice) -> Case:
    block, last = d.number(1, 2), d.flag()
    channels, h, w = d.number(1, 3), d.number(1, 3), d.number(1, 3)
    channels, h, w = (channels * block**2, h, w) if d.name == "depth_to_space" else (channels, h * block, w * block)
    h, channels = h + d.wrong(), channels + d.wrong()
    return d.call(filled((d.size(), h, w, channels) if last else (d.size(), channels, h, w), d.dtype()), block, **_layout(d, last))


# Activations, normalization, attention, cross-entropies.


@entered(
    "activations",
    "relu relu6 sigmoid softplus softsign silu selu log_sigmoid hard_sigmoid hard_silu hard_tanh tanh_shrink sparse_plus sparse_sigmoid",
)
@entered("normalization", "replica_mean")
def _activation(d: Dice) -> Case:
    return d.call(d.tensor(kinds="fi"))


@entered("activations", "gelu elu celu leaky_relu hard_shrink soft_shrink squareplus threshold")
def _activation_with_options(d: Dice) -> Case:
    x = d.tensor(kinds="fi")
    if d.name == "threshold":
        return d.call(x, d.pick(1, 0.5), d.pick(0, -1))
    choices = {
        "gelu": dict(approximate=(True, False)), "elu": dict(alpha=(0.5,)), "celu": dict(alpha=(0.5,)), "squareplus": dict(b=(2,)),
        "leaky_relu": dict(negative_slope=(0.1,)),
    }  # fmt: skip
    return d.call(x, **d.options(**choices.get(d.name, dict(threshold=(0.25,)))))


@entered("activations", "glu")
def _glu(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.axis(x.ndim)
    if -x.ndim <= axis < x.ndim and not d.wrong():
        x = np.concatenate([x, x], axis)
    return d.call(x, **(dict(axis=axis) if axis != -1 or d.flag() else {}))


@entered("activations", "softmax log_softmax")
def _softmax(d: Dice) -> Case:
    x = d.tensor(1, kinds="fi")
    return d.call(x, **d.options(axis=lambda: d.some_axes(x.ndim)))


@entered("activations", "sparsemax")
def _sparsemax(d: Dice) -> Case:
    x = d.tensor(1, kinds="fi")
    return d.call(x, **d.options(axis=lambda: d.axis(x.ndim)))


@entered("activations", "polar")
def _polar(d: Dice) -> Case:
    a, b = d.broadcastable()
    return d.call(positive(a, d.dtype("f")), filled(b, d.dtype("f")))


@entered("activations", "psnr")
def _psnr(d: Dice) -> Case:
    shape = d.shape()
    return d.call(filled(shape, d.dtype("fi")), positive((*shape, 2) if d.wrong() else shape, d.dtype("f")), d.pick(1, 255.0))


@entered("activations", "one_hot multi_hot")
def _one_hot(d: Dice) -> Case:
    x = positive(d.shape(0 if d.name == "one_hot" else 1, 3), d.dtype("i"))
    axes = lambda: d.axis(x.ndim + (d.name == "one_hot"))  # noqa: E731
    return d.call(x, d.number(0, 4), **d.options(axis=axes, dtype=("int32", "float16", "bool"), sparse=(False, d.wrong())))


@entered("activations", "dense")
def _dense(d: Dice) -> Case:
    features, units = d.size(), d.size()
    bias = [filled((units,), d.dtype("f"))] if d.flag() else []
    return d.call(filled((*d.shape(0, 3), features), d.dtype("f")), filled((features + 2 * d.wrong(), units), d.dtype("f")), *bias)


@entered("normalization", "normalize")
def _normalize(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, **d.options(axis=lambda: d.axis(x.ndim), order=(1, 2, 3, *([0] if d.wrong() else [])), epsilon=(1e-3,)))


@entered("normalization", "moments")
def _moments(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, d.some_axes(x.ndim), **d.options(keepdims=(True, False), synchronized=(False,)))


@entered("normalization", "batch_normalization")
def _batch_normalization(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.axis(x.ndim)
    size = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    vector = lambda: positive((size + 2 * d.wrong(),))  # noqa: E731
    return d.call(x, vector(), vector(), axis, **d.options(offset=vector, scale=vector, epsilon=(1e-2,)))


@entered("normalization", "normalize_batch")
def _normalize_batch(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.axis(x.ndim)
    size = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    vector = lambda: positive((size + 2 * d.wrong(),))  # noqa: E731
    return d.call(x, axis, **d.options(offset=vector, scale=vector, epsilon=(1e-2,)))


@entered("normalization", "layer_normalization rms_normalization")
def _layer_normalization(d: Dice) -> Case:
    x = d.tensor(1)
    axis = d.pick(d.axis(x.ndim), d.axes(x.ndim) or -1)
    axes = sorted(a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,)) if -x.ndim <= a < x.ndim) if x.ndim else []
    sizes = tuple(x.shape[a] for a in axes)
    parameter = lambda: positive((*sizes[:-1], sizes[-1] + 2) if sizes and d.wrong() else sizes)  # noqa: E731
    names = ("scale",) if d.name == "rms_normalization" else ("gamma", "beta")
    flags = {} if d.name == "rms_normalization" else dict(rms_scaling=(True, False))
    return d.call(x, axis=axis, **d.options(**dict.fromkeys(names, parameter), epsilon=(1e-2,), **flags))


@entered("normalization", "group_normalization")
def _group_normalization(d: Dice) -> Case:
    x = d.tensor(2)
    axis = d.pick(-1, *range(1, x.ndim)) if not d.wrong() else d.axis(x.ndim)
    size = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    groups = d.pick(*(n for n in range(1, size + 1) if not size % n)) if size and not d.wrong() else 5
    parameter = lambda: positive((size + 2 * d.wrong(),))  # noqa: E731
    return d.call(x, groups, axis=axis, **d.options(gamma=parameter, beta=parameter, epsilon=(1e-2,)))


@entered("attention", "dot_product_attention")
def _attention(d: Dice) -> Case:
    batch, targets, sources, key_heads, size = d.size(), d.size(), d.size(1), d.number(1, 2), d.size(1)
    heads, width = key_heads * d.number(1, 2) + d.wrong(), d.number(1, 3)
    q, k = filled((batch, targets, heads, size), d.dtype("f")), filled((batch, sources, key_heads, size + 2 * d.wrong()), d.dtype("f"))
    v = filled((batch, sources + 2 * d.wrong(), key_heads, width if d.flag() else size), d.dtype("f"))
    logits = tuple(1 if d.flag() else n for n in (batch, heads, targets, sources + 2 * d.wrong()))
    options = d.options(
        bias=lambda: filled(logits), mask=lambda: filled(logits, "bool"), scale=(0.5,), is_causal=(True, False), attn_logits_soft_cap=(2.0,)
    )
    return d.call(q, k, v, **options)


@entered("crossentropy", "mean_squared_difference")
def _mean_squared_difference(d: Dice) -> Case:
    return d.call(*_operands(d))


@entered("crossentropy", "binary_crossentropy categorical_crossentropy")
def _crossentropy(d: Dice) -> Case:
    shape = d.shape(1)
    other = (*shape, 2) if d.wrong() else shape
    axis = {} if d.name.startswith("binary") else d.options(axis=lambda: d.axis(len(shape)))
    reductions = ("none", "mean", *(["sum"] if d.wrong() else []))
    options = d.options(from_logits=(True, False), reduction=reductions)
    return d.call(positive(shape, d.dtype("fi")), positive(other, d.dtype("f")), **axis, **options)


@entered("crossentropy", "sparse_categorical_crossentropy")
def _sparse_crossentropy(d: Dice) -> Case:
    shape = (*d.shape(0, 2), d.size(1))
    axis = -1
    if d.flag():
        axis = d.number(0, len(shape) - 1)
        shape = (*shape[:axis], 3, *shape[axis + 1 :])
    rest = tuple(n for i, n in enumerate(shape) if i != axis % len(shape))
    target = d.pick(rest, (*rest, 1), *([(*rest, 2)] if d.wrong() else []))
    options = d.options(from_logits=(True, False), reduction=("none", "mean"))
    return d.call(np.zeros(target, d.dtype("i")), positive(shape, d.dtype("f")), axis=axis, **options)


# Images.


def _pictures(d: Dice, channels: int | None = None, last: bool = True, kinds: str = "fi", low: int = 1, spatial: int = 2) -> np.ndarray:
    sizes = tuple(d.number(low, 6) for _ in range(spatial))
    channels = d.number(1, 3) if channels is None else channels
    image = (*sizes, channels) if last else (channels, *sizes)
    if d.wrong():
        image = image[:1] if d.flag() else (1, 1, *image)
    return positive(image if d.flag() else (d.pick(2, 1, 0), *image), d.dtype(kinds))


@entered("image", "resize")
def _resize(d: Dice) -> Case:
    last = d.flag()
    size = tuple(d.number(1, 5) for _ in range(2 + d.wrong()))
    methods = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", *(["area"] if d.wrong() else []))
    aspect = d.pick({}, dict(crop_to_aspect_ratio=True), dict(pad_to_aspect_ratio=True))
    options = d.options(interpolation=methods, antialias=(True, False), fill_value=(1.0,))
    return d.call(_pictures(d, last=last), d.pick(tuple, list)(size), **options, **aspect, **_layout(d, last))


@entered("image", "scale_and_translate")
def _scale_and_translate(d: Dice) -> Case:
    x = d.tensor(2, 4, low=1)
    dims = tuple(d.draw(st.permutations(range(x.ndim)))[: d.number(1, max(x.ndim, 1))]) or (0,)
    shape = tuple(d.number(1, 4) if i in dims else n for i, n in enumerate(x.shape))
    given = len(dims) + d.wrong()
    options = d.options(antialias=(True, False))
    return d.call(x, shape, positive((given,)) + 0.5, positive((given,)), dims, d.pick("linear", "cubic", "lanczos3"), **options)


@entered("image", "map_coordinates")
def _map_coordinates(d: Dice) -> Case:
    x = d.tensor(1, 3, low=1, kinds="fi")
    coordinates = filled((x.ndim + d.wrong(), *d.shape(0, 2)), d.dtype("f"))
    options = d.options(fill_mode=("constant", "nearest", "wrap", "mirror", "reflect"), fill_value=(1,))
    return d.call(x, coordinates, d.pick(0, 1), **options)


@entered("image", "affine_transform")
def _affine_transform(d: Dice) -> Case:
    last = d.flag()
    x = _pictures(d, last=last)
    several = x.ndim == 4 and d.flag()
    rows = () if not several and d.flag() else (x.shape[0] + d.wrong() if several else 1,)
    transform = positive((*rows, 8 + d.wrong()))
    options = d.options(interpolation=("nearest", "bilinear"), fill_mode=("constant", "nearest", "wrap"), fill_value=(1,))
    return d.call(x, transform, **options, **_layout(d, last))


@entered("image", "perspective_transform")
def _perspective_transform(d: Dice) -> Case:
    last = d.flag()
    x = _pictures(d, last=last)
    points = np.array([[0, 0], [3, 0], [0, 2], [3, 2]], "float32")
    if x.ndim == 4 and d.flag():
        points = np.broadcast_to(points, (x.shape[0], 4, 2)).copy()
    return d.call(x, points, points + 1, **d.options(interpolation=("nearest", "bilinear"), fill_value=(1,)), **_layout(d, last))


@entered("image", "gaussian_blur")
def _gaussian_blur(d: Dice) -> Case:
    last = d.flag()
    return d.call(_pictures(d, last=last), **d.options(kernel_size=((3, 5), 3), sigma=((1.0, 0.5), 1.0)), **_layout(d, last))


@entered("image", "elastic_transform")
def _elastic_transform(d: Dice) -> Case:
    last = d.flag()
    options = d.options(alpha=(2.0,), sigma=(0.5,), interpolation=("nearest",), fill_mode=("constant",))
    return d.call(_pictures(d, last=last), seed=1, **options, **_layout(d, last))


@entered("image", "extract_patches extract_patches_3d")
def _extract_patches(d: Dice) -> Case:
    last, spatial = d.flag(), 2 if d.name == "extract_patches" else 3
    options = d.options(padding=("valid", "same", *(["full"] if d.wrong() else [])))
    options |= d.pick({}, dict(strides=d.lengths(spatial, 1, 2)), dict(strides=1, dilation_rate=d.lengths(spatial, 1, 2)))
    x = _pictures(d, d.number(1, 2), last, low=2, spatial=spatial)
    return d.call(x, d.lengths(spatial, 1, 2), **options, **_layout(d, last))


@entered("image", "crop_images pad_images")
def _framed(d: Dice) -> Case:
    last = d.flag()
    x = _pictures(d, last=last, low=3)
    suffix = "cropping" if d.name == "crop_images" else "padding"
    options: dict[str, Any] = {}
    sides = ((f"top_{suffix}", f"bottom_{suffix}", "target_height"), (f"left_{suffix}", f"right_{suffix}", "target_width"))
    for before, after, target in sides:
        sizes = {before: d.number(0, 1), after: d.number(0, 1), target: d.number(1, 2) if suffix == "cropping" else d.number(7, 9)}
        del sizes[d.pick(before, after, target)]
        options |= sizes
    if d.wrong():
        options.popitem()
    return d.call(x, **options, **_layout(d, last))


@entered("image", "rgb_to_grayscale rgb_to_hsv hsv_to_rgb")
def _colors(d: Dice) -> Case:
    last = d.flag()
    return d.call(_pictures(d, 3 - d.wrong(), last), **_layout(d, last))


@entered("image", "sobel_edges")
def _sobel_edges(d: Dice) -> Case:
    last = d.flag()
    return d.call(_pictures(d, last=last), **_layout(d, last))


@entered("image", "ssim")
def _ssim(d: Dice) -> Case:
    last, size = d.flag(), d.number(1, 3)
    x = _pictures(d, last=last, low=1 if d.wrong() else 3)
    other = filled((*x.shape, 2)) if d.wrong() else filled(x.shape, d.dtype("f"))
    return d.call(x, other, filter_size=size, **d.options(max_val=(2.0,), filter_sigma=(0.5,)), **_layout(d, last))


# Fourier transforms.


def _pair(d: Dice, shape: tuple[int, ...]) -> Any:
    dtype = d.pick("float32", "float64", "int32")
    pair = (filled(shape, dtype), positive((*shape, 2) if d.wrong() else shape, dtype))
    return d.pick(pair, list(pair))


@entered("fft", "fft fft2 ifft2")
def _fft(d: Dice) -> Case:
    sizes = tuple(0 if d.wrong() else d.size(1) for _ in range(d.number(1 if d.name == "fft" or d.wrong() else 2, 2)))
    return d.call(_pair(d, (*d.shape(0, 1), *sizes)))


@entered("fft", "rfft")
def _rfft(d: Dice) -> Case:
    x = filled((*d.shape(0, 2), d.size(1)), d.pick("float32", "float64", "int32"))
    return d.call(x, **d.options(fft_length=lambda: d.number(1, 7)))


@entered("fft", "irfft")
def _irfft(d: Dice) -> Case:
    return d.call(_pair(d, (*d.shape(0, 2), d.size(2))), **d.options(fft_length=lambda: d.number(1, 7)))


@entered("fft", "extract_sequences")
def _extract_sequences(d: Dice) -> Case:
    return d.call(filled((*d.shape(0, 2), d.number(4, 9)), d.dtype()), d.number(1, 4) + 9 * d.wrong(), d.number(1, 3))


@entered("fft", "stft")
def _stft(d: Dice) -> Case:
    length = d.number(1, 6)
    fft_length = length + d.number(0, 2) if not d.wrong() else max(length - 2, 1)
    x = filled((*d.shape(0, 2), d.number(8, 12)), d.pick("float32", "float64", "int32"))
    windows = ("hann", "hamming", "blackman", None, positive((length + d.wrong(),)), *(["kaiser"] if d.wrong() else []))
    return d.call(x, length, d.number(1, 3), fft_length, **d.options(window=windows, center=(True, False)))


@entered("fft", "istft")
def _istft(d: Dice) -> Case:
    length = d.number(2, 6)
    fft_length = length + d.number(0, 2)
    pair = _pair(d, (*d.shape(0, 2), d.number(2, 4), fft_length // 2 + 1))
    windows = ("hann", "hamming", None, positive((length,)))
    options = d.options(length=lambda: d.number(1, 9), window=windows, center=(True, False))
    return d.call(pair, length, d.number(1, length), fft_length, **options)


# Patterns, projections, sequences.


@entered("rearrange", "rearrange")
def _rearrange(d: Dice) -> Case:
    groups = [[(f"{'abcd'[i]}{j}", d.size(1)) for j in range(d.pick(1, 1, 2, 0))] for i in range(d.number(1, 4))]
    names = [pair for group in groups for pair in group]
    lengths = {name: n for group in groups for name, n in group[d.number(0, 1) if len(group) == 1 else 1 :]}
    before = " ".join("1" if not g else g[0][0] if len(g) == 1 and d.flag() else f"({' '.join(n for n, _ in g)})" for g in groups)
    order = d.draw(st.permutations([name for name, _ in names]))
    after, place = [], 0
    while place < len(order):
        step = d.number(1, 2)
        part = order[place : place + step]
        after.append(part[0] if len(part) == 1 else f"({' '.join(part)})")
        place += step
    if d.flag():
        after.insert(d.number(0, len(after)), "1")
    shape = tuple(math.prod(n for _, n in group) for group in groups)
    if d.flag():
        before, after, shape = "... " + before, ["...", *after], (*d.shape(0, 2), *shape)
    if shape and d.wrong():
        shape = d.pick((*shape[:-1], shape[-1] + 1), shape[1:])
    return d.call(filled(shape, d.dtype()), f"{before} -> {' '.join(after)}", **lengths)


@entered("projection", "projection")
def _projection(d: Dice) -> Case:
    inner, outer = d.shape(1, 2), d.shape(0, 2)
    given = (inner[0] + 2, *inner[1:]) if inner and d.wrong() else inner
    bias = dict(bias=filled(outer, d.dtype("f"))) if d.flag() else {}
    options = dict(axes=len(inner)) if len(inner) != 1 or d.flag() else {}
    return d.call(filled((*d.shape(0, 2), *given), d.dtype("f")), filled((*inner, *outer), d.dtype("f")), **bias, **options)


@entered("recurrent", "simple_rnn gru lstm")
def _recurrent(d: Dice) -> Case:
    batch, steps, features, units = d.size(), d.size(1), d.size(), d.size(1)
    gates = {"simple_rnn": 1, "gru": 3, "lstm": 4}[d.name]
    dtype = d.dtype("f")
    states = [filled((batch + 2 * d.wrong(), units), dtype) for _ in range(2 if d.name == "lstm" else 1)]
    kernel = filled((features + 2 * d.wrong(), gates * units), dtype)
    bias = [filled((2, gates * units) if d.name == "gru" else (gates * units,), dtype)] if d.flag() else []
    options = d.options(mask=lambda: filled((batch, steps + 2 * d.wrong()), "bool"))
    return d.call(filled((batch, steps, features), dtype), *states, kernel, filled((units, gates * units), dtype), *bias, **options)


@entered("ctc", "ctc_loss")
def _ctc_loss(d: Dice) -> Case:
    batch, labels, steps, classes = d.size(), d.size(1), d.size(1), d.number(3, 5)
    target = positive((batch, labels), "int32") if not d.wrong() else positive((batch,), "int32")
    lengths = np.full((batch + 2 * d.wrong(),), 1, "int32"), np.full((batch,), steps, "int32")
    return d.call(target, filled((batch, steps, classes), d.dtype("f")), *lengths, **d.options(mask_index=(0, 1)))


@entered("ctc", "ctc_beam_search")
def _ctc_beam_search(d: Dice) -> Case:
    batch, steps = d.size(), d.size(1)
    x = filled((batch, steps, 3)) if not d.wrong() else filled((batch, steps))
    return d.call(x, np.full((batch,), steps, "int32"), d.number(2, 3), d.number(1, 2), d.number(0, 2))


@entered("ctc", "ctc_decode")
def _ctc_decode(d: Dice) -> Case:
    batch, steps = d.size(), d.size(1)
    strategies = ("greedy", "beam_search", *(["best"] if d.wrong() else []))
    options = d.options(strategy=strategies, top_paths=(1, 2), merge_repeated=(True, False))
    x = filled((batch, steps, 3), d.dtype("f")) if not d.wrong() else filled((batch, steps))
    return d.call(x, np.full((batch + 2 * d.wrong(),), steps, "int32"), beam_width=3, **options, **d.options(mask_index=(None, 0, 2)))


# Creation, conversion, control flow, random draws.


@entered("creation", "zeros ones empty")
def _created(d: Dice) -> Case:
    return d.call(d.pick(tuple, list)(d.shape()) if d.flag() else d.size(), **d.options(dtype=("int32", "bool", "float16")))


@entered("creation", "full")
def _full(d: Dice) -> Case:
    shape = d.shape()
    value = d.pick(2, 0.5, filled((shape[-1] + 2 * d.wrong(),) if shape else ()))
    return d.call(d.pick(tuple, list)(shape), value, **d.options(dtype=("int32", "float16")))


@entered("creation", "zeros_like ones_like empty_like")
def _like(d: Dice) -> Case:
    return d.call(d.tensor(), **d.options(dtype=("int32", "bool", "float16")))


@entered("creation", "full_like")
def _full_like(d: Dice) -> Case:
    x = d.tensor()
    return d.call(x, d.pick(2, 0.5, filled(x.shape[-1:])), **d.options(dtype=("int32", "float16")))


@entered("creation", "arange")
def _arange(d: Dice) -> Case:
    ends = [d.pick(d.number(-4, 6), d.number(-4, 6) + 0.5) for _ in range(d.number(1, 2))]
    step = dict(step=d.pick(1, 2, -1, 0.5)) if len(ends) == 2 and d.flag() else {}
    return d.call(*ends, **step, **d.options(dtype=("int32", "float32", "int64")))


@entered("creation", "linspace logspace geomspace")
def _spaced(d: Dice) -> Case:
    a, b = d.broadcastable(2, 2)
    ends = (positive(a, d.dtype("f")), positive(b, d.dtype("f"))) if d.flag() else (1, 2)
    rank = max(np.ndim(end) for end in ends)
    choices = dict(endpoint=(True, False), dtype=("float32", "int32"), axis=lambda: d.axis(rank + 1))
    if d.name == "linspace":
        choices["retstep"] = (True, False)
    return d.call(*ends, -1 if d.wrong() else d.number(0, 4), **d.options(**choices))


@entered("creation", "identity")
def _identity(d: Dice) -> Case:
    return d.call(d.size(), **d.options(dtype=("int32", "float16")))


@entered("creation", "bartlett blackman hamming hanning kaiser")
def _window(d: Dice) -> Case:
    return d.call(d.size(), *([d.pick(0.0, 2.5)] if d.name == "kaiser" else []))


@entered("convert", "cast saturate_cast")
def _cast(d: Dice) -> Case:
    return d.call(d.tensor(), d.dtype())


@entered("convert", "stop_gradient copy")
def _same(d: Dice) -> Case:
    return d.call(d.tensor())


@entered("convert", "view")
def _view(d: Dice) -> Case:
    return d.call(d.tensor(kinds="fi"), **d.options(dtype=("int32", "float32", "uint8", "int16", "float64")))


@entered("convert", "view_as_complex")
def _view_as_complex(d: Dice) -> Case:
    return d.call(filled((*d.shape(0, 3), 2 + d.wrong()), d.dtype("f")))


@entered("convert", "view_as_real")
def _view_as_real(d: Dice) -> Case:
    return d.call(d.tensor(kinds="cfi"))


@entered("control", "cond")
def _cond(d: Dice) -> Case:
    return d.call(np.array(d.flag()), first_branch, second_branch)


@entered("control", "switch")
def _switch(d: Dice) -> Case:
    return d.call(np.array(d.number(0, 1), "int32"), [doubled, doubled], d.tensor(kinds="fi"))


@entered("control", "while_loop")
def _while_loop(d: Dice) -> Case:
    return d.call(not_yet, one_more, (np.array(0, "int32"), d.tensor(kinds="fi")), **d.options(maximum_iterations=(2,)))


@entered("control", "fori_loop")
def _fori_loop(d: Dice) -> Case:
    return d.call(0, d.number(0, 3), counted, d.tensor(kinds="fi"))


@entered("control", "scan")
def _scan(d: Dice) -> Case:
    xs = d.tensor(1, 3, low=1, kinds="f")
    return d.call(carried, filled(xs.shape[1:], standardize_dtype(xs.dtype)), xs, **d.options(reverse=(True, False), unroll=(2,)))


@entered("control", "map vectorized_map")
def _map(d: Dice) -> Case:
    xs = filled((d.size(1), *(d.size() for _ in range(d.number(1, 2)))), d.dtype("fi"))
    return d.call(d.pick(doubled, halved_shape), xs)


@entered("control", "associative_scan")
def _associative_scan(d: Dice) -> Case:
    elems = d.tensor(1, 3, low=1, kinds="fi")
    return d.call(added, elems, **d.options(reverse=(True, False), axis=lambda: d.axis(elems.ndim)))


@entered("draws", "normal uniform truncated_normal")
def _draws(d: Dice) -> Case:
    return d.call(d.shape(), seed=1, **d.options(dtype=("float16", "float64", *(["int32"] if d.wrong() else []))))


@entered("draws", "gamma beta binomial randint")
def _draws_with_parameters(d: Dice) -> Case:
    parameters = {"gamma": (2.0,), "beta": (2.0, 3.0), "binomial": (4.0, 0.5), "randint": (0, 5)}[d.name]
    dtypes = ("int32", "uint8") if d.name == "randint" else ("float16", "float32")
    return d.call(d.shape(), *parameters, seed=1, **d.options(dtype=dtypes))


@entered("draws", "categorical")
def _categorical(d: Dice) -> Case:
    x = filled((d.size(), d.size(1)) if not d.wrong() else (3,), d.dtype("f"))
    return d.call(x, d.number(0, 4), seed=1, **d.options(dtype=("int32", "int64")))


@entered("draws", "shuffle")
def _shuffle(d: Dice) -> Case:
    x = d.tensor(1)
    return d.call(x, seed=1, **d.options(axis=lambda: d.axis(x.ndim)))


@entered("draws", "dropout")
def _dropout(d: Dice) -> Case:
    x = d.tensor(kinds="f")
    if d.number(0, 3) == 3:
        return d.call(x, 0.0)  # nothing is drawn, and the other arguments do not matter
    noise = lambda: tuple(d.pick(n, 1, None) for n in x.shape) + ((2,) if d.wrong() else ())  # noqa: E731
    return d.call(x, 0.5, seed=1, **d.options(noise_shape=noise))


ALL = set(itertools.chain.from_iterable(FAMILIES.values()))
