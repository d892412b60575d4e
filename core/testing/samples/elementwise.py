"""Samples of the elementwise ops. See `core.testing.samples`."""

import math

import numpy as np

from core.testing.sample import Sample, array

X, Y = array(2, 3), array(3, seed=1)
POSITIVE, ABOVE_ONE, WITHIN_ONE = array(2, 3, low=0.2, high=3), array(2, 3, low=1.2, high=3), array(2, 3, low=-0.9, high=0.9)
INTS, MORE_INTS = array(2, 3, dtype="int32", low=-9, high=9), np.array([3, -4, 5], "int32")
BOOLS, MORE_BOOLS = array(2, 3, dtype="bool"), array(3, dtype="bool", seed=1)
HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.7], "float32")
ODD = np.array([-np.inf, -1.5, 0.0, 2.0, np.inf, np.nan], "float32")
COMPLEX = (array(3) + 1j * array(3, seed=2)).astype("complex64")


def _float(x):
    return x if x.dtype.kind in "fc" else x.astype("float64")


def _unary(reference, *inputs, **options):
    """One sample per input."""
    return [Sample((x,), reference=reference, **options) for x in inputs]


def _on_floats(reference):
    """NumPy makes float16 of int8 and bools; here all integers become floatx."""
    return lambda *xs: reference(*(_float(np.asarray(x)) for x in xs))


def _on_counts(reference):
    """Bools count as int32."""
    return lambda *xs: reference(*(x.astype("int32") if isinstance(x, np.ndarray) and x.dtype.kind == "b" else x for x in xs))


def _each(function):
    return np.vectorize(function, otypes=["float64"])


def _rsqrt(x):
    return 1 / np.sqrt(x)


def _nextafter(x1, x2):
    return np.nextafter(x1.astype("float32"), x2.astype("float32"))


SAMPLES: dict[str, list[Sample]] = {}

for _name in ("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin"):
    _f = getattr(np, _name)
    SAMPLES[_name] = [Sample((X, Y), reference=_f), Sample((INTS, MORE_INTS), reference=_f), Sample((INTS, 2.5), reference=_f)]
    if _name != "subtract":
        SAMPLES[_name].append(Sample((BOOLS, MORE_BOOLS), reference=_f))
for _name in ("maximum", "minimum", "fmax", "fmin"):
    SAMPLES[_name].append(Sample((ODD, np.roll(ODD, 1)), reference=getattr(np, _name), gradient=False))

for _name in ("divide", "arctan2", "hypot", "logaddexp", "logaddexp2"):
    _f = getattr(np, _name)
    SAMPLES[_name] = [Sample((X, Y), reference=_on_floats(_f)), Sample((INTS, MORE_INTS), reference=_on_floats(_f))]
for _name in ("logaddexp", "logaddexp2"):
    _wide = np.array([1000.0, -1000.0, -np.inf, np.inf], "float32"), np.array([999.0, -1000.0, 1.0, 1.0], "float32")
    SAMPLES[_name].append(Sample(_wide, reference=getattr(np, _name), gradient=False))
SAMPLES["divide"] += [
    Sample((INTS, 4), reference=_on_floats(np.divide)),
    Sample((BOOLS, MORE_BOOLS), reference=_on_floats(np.divide)),
    Sample((ODD, np.zeros(6, "float32")), reference=np.divide, gradient=False),
]
_long = np.array([3e30, 0, np.inf], "float32"), np.array([4e30, 0, 1], "float32")
SAMPLES["hypot"].append(Sample(_long, reference=np.hypot, gradient=False))
SAMPLES["divide_no_nan"] = [
    Sample((X, Y), reference=np.divide),
    Sample((X, np.array([2, 0, 0], "float32")), reference=lambda x, y: np.where(y == 0, 0, x / np.where(y == 0, 1, y)), gradient=False),
    Sample((INTS, MORE_INTS), reference=np.divide),
]

for _name in ("floor_divide", "mod", "fmod"):
    _f = _on_counts(getattr(np, _name))
    SAMPLES[_name] = [
        Sample((X, Y), reference=_f),
        Sample((INTS, MORE_INTS), reference=_f),
        Sample((INTS.astype("int8"), MORE_INTS.astype("int8")), reference=_f),
        Sample((np.abs(INTS).astype("uint8"), np.abs(MORE_INTS).astype("uint8")), reference=_f),
        Sample((BOOLS, np.array([True, True, True])), reference=_f),
        Sample((INTS, -4), reference=_f),
        Sample((np.array([5.5, -5.5], "float32"), np.array([-2.0, 2.0], "float32")), reference=_f),
    ]
SAMPLES["power"] = [
    Sample((POSITIVE, Y), reference=np.power),
    Sample((X, 3), reference=np.power),
    Sample((X, 2.0), reference=np.power),
    Sample((INTS, np.array([0, 2, 3], "int32")), reference=np.power),
    Sample((INTS.astype("int8"), np.array([0, 1, 2], "int8")), reference=np.power),
    Sample((BOOLS, MORE_BOOLS), reference=_on_counts(np.power)),
    Sample((2, INTS.astype("float32")), reference=np.power),
]

for _name in ("negative", "abs", "sign", "square"):
    _f = getattr(np, _name)
    SAMPLES[_name] = _unary(_f, X, INTS, INTS.astype("int8"), np.abs(INTS).astype("uint8"))
SAMPLES["negative"] += _unary(np.negative, COMPLEX)
SAMPLES["abs"] += _unary(np.abs, BOOLS, COMPLEX)
SAMPLES["sign"] += _unary(np.array, BOOLS)
SAMPLES["square"] += _unary(lambda x: np.square(x.astype("int32")), BOOLS)
SAMPLES["fabs"] = _unary(np.fabs, X) + _unary(_on_floats(np.fabs), INTS, BOOLS)

for _name in "exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh sinc".split():
    SAMPLES[_name] = _unary(_on_floats(getattr(np, _name)), X, array(3, dtype="int32"), BOOLS, X.astype("float16"), rtol=2e-5)
for _name, _f in {"sqrt": np.sqrt, "rsqrt": _rsqrt, "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10}.items():
    SAMPLES[_name] = _unary(_on_floats(_f), POSITIVE, np.array([1, 2, 7], "int32"), POSITIVE.astype("float16"))
    SAMPLES[_name] += _unary(_f, np.array([0, np.inf, np.nan], "float32"), gradient=False)
for _name in ("arcsin", "arccos", "arctanh"):
    SAMPLES[_name] = _unary(_on_floats(getattr(np, _name)), WITHIN_ONE, np.array([0], "int8"))
SAMPLES["arccosh"] = _unary(_on_floats(np.arccosh), ABOVE_ONE, np.array([1, 2], "int32"))
SAMPLES["cbrt"] = _unary(_on_floats(np.cbrt), X, np.array([-27, 8], "int32"))
SAMPLES["reciprocal"] = _unary(_on_floats(np.reciprocal), X, MORE_INTS)
SAMPLES["deg2rad"] = _unary(_on_floats(np.deg2rad), X * 90, INTS)
SAMPLES["rad2deg"] = _unary(_on_floats(np.rad2deg), X, MORE_INTS)
SAMPLES["sinc"] += _unary(np.sinc, np.array([0.0, 1.0, 0.5], "float32"))
SAMPLES["i0"] = _unary(_on_floats(np.i0), X * 3, INTS, rtol=2e-5)
SAMPLES["erf"] = _unary(_on_floats(_each(math.erf)), X, INTS)
SAMPLES["erfc"] = _unary(_on_floats(_each(math.erfc)), X, INTS, rtol=2e-5)
# NumPy has no inverse error function; what it inverts is its answer.
SAMPLES["erfinv"] = [
    Sample((np.array([math.erf(v) for v in (-1.5, -0.2, 0.0, 0.7, 1.9)], "float32"),), rtol=1e-4, gradient=True,
           reference=lambda x: _erfinv(x)),
    Sample((np.array([-1, 1], "float32"),), reference=lambda x: x * np.inf, gradient=False),
]  # fmt: skip


def _erfinv(x):
    """By bisection."""
    low, high = np.full(x.shape, -6.0), np.full(x.shape, 6.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = _each(math.erf)(middle) < x
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


SAMPLES["heaviside"] = [
    Sample((np.array([-1.0, 0.0, 2.0], "float32"), np.float32(0.5) * np.ones(3, "float32")), reference=np.heaviside, gradient=False),
    Sample((INTS, 1), reference=_on_floats(np.heaviside)),
]
SAMPLES["ldexp"] = [Sample((X, MORE_INTS), reference=np.ldexp), Sample((INTS, 2), reference=lambda x, n: x * 2.0**n)]
SAMPLES["nextafter"] = [
    Sample((X, Y), reference=_nextafter, rtol=0, atol=0, gradient=False),
    Sample((np.array([0.0, 1.0, np.inf, 2.0, np.nan], "float32"), np.array([1.0, 1.0, 0.0, np.inf, 1.0], "float32")),
           reference=_nextafter, rtol=0, atol=0, gradient=False),
]  # fmt: skip
for _name in ("floor", "ceil", "trunc"):
    SAMPLES[_name] = _unary(getattr(np, _name), X, HALVES, INTS) + _unary(getattr(np, _name), ODD, gradient=False)
SAMPLES["floor"] += _unary(_on_floats(np.floor), BOOLS)
SAMPLES["trunc"] += _unary(np.trunc, BOOLS)
SAMPLES["round"] = [
    *_unary(np.round, X, INTS),
    *_unary(np.round, HALVES, gradient=False),
    Sample((HALVES * 1.237, 2), reference=np.round),
    Sample((HALVES * 100, -2), reference=np.round, gradient=False),
    Sample((np.array([15, 25, 149], "int32"), -1), reference=np.round),
]
SAMPLES["clip"] = [
    Sample((X, -1, 1), reference=np.clip),
    Sample((X, -1.0, array(3, low=0, high=1)), reference=np.clip),
    Sample((INTS, -2, 3), reference=np.clip),
    Sample((INTS, -2.5, 3), reference=np.clip),
    Sample((BOOLS, 0, 1), reference=lambda x, a, b: x.astype("int32")),
    Sample((X, None, 0.5), reference=np.clip),
]


def _nan_to_num(x, **kwargs):
    greatest = float(np.finfo("float32").max)
    return np.nan_to_num(x, **{"posinf": greatest, "neginf": -greatest} | kwargs)


SAMPLES["nan_to_num"] = [
    Sample((ODD,), reference=_nan_to_num, gradient=False),
    Sample((ODD,), {"nan": 1.0, "posinf": 5.0, "neginf": -5.0}, reference=_nan_to_num, gradient=False),
    *_unary(_nan_to_num, X, INTS),
]
for _name, _f in {"real": np.real, "imag": np.imag, "conj": np.conj}.items():
    SAMPLES[_name] = _unary(_f, COMPLEX, X, INTS)
for _name in ("real", "conj"):
    SAMPLES[_name] += _unary(np.array, BOOLS)
SAMPLES["angle"] = _unary(np.angle, COMPLEX, X, INTS)
