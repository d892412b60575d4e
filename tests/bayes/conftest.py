"""Fixtures of the tests of bayes: each backend in turn, and arrays on the host."""

import numpy as np
import pytest

import core
from core import ops

TRAINING = ("jax", "torch", "tensorflow")


def _quick(*quick):
    """All backends as parameters; compilation takes most of the time, so that those that compile run in the slow suite."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in (*TRAINING, "numpy")]


@pytest.fixture(params=_quick("torch", "numpy"))
def backend(request):
    """Every backend, active for the test."""
    yield from _active(request.param)


@pytest.fixture(params=_quick("torch")[:3])
def trains(request):
    """Every backend with gradients, active for the test."""
    yield from _active(request.param)


@pytest.fixture(params=TRAINING)
def quick_everywhere(request):
    """Every backend with gradients, active for the test, in the quick suite as well: a sample of each kind."""
    yield from _active(request.param)


def _active(name):
    pytest.importorskip(name, reason=f"{name} is not installed")
    with core.backend.use(name):
        yield name


@pytest.fixture
def on_jax():
    """JAX, active for the test: what is compiled, and how often, shows there."""
    yield from _active("jax")


@pytest.fixture
def on_torch():
    """PyTorch, active for the test: what every backend does alike takes the least time where nothing is compiled."""
    yield from _active("torch")


def host(x) -> np.ndarray:
    """A tensor as an array."""
    return np.asarray(ops.convert_to_numpy(x))


def tensor(x):
    """An array as a float32 tensor of the active backend."""
    return ops.convert_to_tensor(np.asarray(x, "float32"))


def jacobian(fn, x: np.ndarray) -> np.ndarray:
    """d fn(x)[i] / d x[j] of each row of (batch, dim), by automatic differentiation, (batch, dim, dim)."""
    pull = core.jit(lambda y, weight: core.grad(lambda v: ops.sum(fn(v) * weight))(y))  # compiled once for all rows
    return np.stack([host(pull(tensor(x), tensor(row))) for row in np.eye(x.shape[-1])], 1)


def compiled(fn, *arrays):
    """`fn` of the arrays as tensors, compiled: an eager framework that compiles op by op takes longer for the first call."""
    return core.jit(fn)(*(tensor(x) for x in arrays))


def log_abs_det(matrices: np.ndarray) -> np.ndarray:
    """log |det| of each matrix."""
    return np.linalg.slogdet(matrices.astype("float64"))[1]


def stirred(layer, scale: float = 0.1, seed: int = 0):
    """The layer with noise added to all trainable variables, so that nothing is zero or the identity any more."""
    rng = np.random.default_rng(seed)
    for variable in layer.trainable_variables:
        variable.assign(host(variable.value) + scale * rng.normal(size=variable.shape).astype("float32"))
    return layer
