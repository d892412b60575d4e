"""The initializers: moments, fans, the same numbers on every backend, and configs."""

import numpy as np
import peer
import pytest

import core.initializers as initializers
from core import ops
from core.backend import use
from core.random import SeedGenerator

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
CLASSES = sorted(name for name in initializers.__all__ if name[0].isupper() and name != "Initializer")
RANDOM = [name for name in CLASSES if issubclass(getattr(initializers, name), type(initializers.Orthogonal()).__mro__[1])]
SHAPES = {"Identity": (3, 4), "IdentityInitializer": (3, 4), "STFT": (6, 1, 5), "STFTInitializer": (6, 1, 5)}


def _value(initializer, shape, dtype=None):
    return ops.convert_to_numpy(initializer(shape, dtype=dtype))


@pytest.mark.parametrize("name", CLASSES)
def test_agree_with_keras(name):
    assert not peer.differences("initializers", name, rtol=0.04, atol=1e-6)  # moments are of different draws


@pytest.mark.parametrize("name", CLASSES)
def test_same_numbers_on_every_backend_and_after_a_round_trip(name):
    cls, shape = getattr(initializers, name), SHAPES.get(name, (3, 4, 5))
    initializer = cls(seed=7) if name in RANDOM else cls()
    values = []
    for backend_name in BACKENDS:
        with use(backend_name):
            tensor = initializer(shape)
            assert ops.dtype(tensor) == "float32" and tuple(tensor.shape) == shape
            values.append(ops.convert_to_numpy(tensor))
    again = initializers.deserialize(initializers.serialize(initializer))
    assert type(again) is cls and type(initializer.clone()) is cls
    with use("numpy"):
        values += [_value(again, shape), _value(initializer.clone(), shape), _value(initializer, shape)]
        assert ops.dtype(initializer(shape, dtype="float16")) == "float16"
    for value in values[1:]:
        np.testing.assert_array_equal(value, values[0])


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    cls = getattr(initializers, name)
    with use("numpy"):
        assert not np.array_equal(_value(cls(seed=1), (5, 5)), _value(cls(seed=2), (5, 5)))
        np.random.seed(3)
        first, second = _value(cls(), (5, 5)), _value(cls(), (5, 5))
        np.random.seed(3)
        assert np.array_equal(_value(cls(), (5, 5)), first) and not np.array_equal(first, second)
        generator = SeedGenerator(1)
        stateful = cls(seed=generator)
        assert not np.array_equal(_value(stateful, (5, 5)), _value(stateful, (5, 5)))
        assert initializers.deserialize(initializers.serialize(stateful)).seed.get_config() == generator.get_config()


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((), {}, (1, 1)),
        ((7,), {}, (7, 7)),
        ((4, 6), {}, (4, 6)),
        ((3, 3, 4, 6), {}, (36, 54)),
        ((3, 4, 5, 6), {"input_axes": [1], "output_axes": [2, 3]}, (4, 30)),
    ],
)
def test_fans(shape, axes, expected):
    from core.initializers.random import fans

    assert fans(shape, **axes) == expected


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "normal", "untruncated_normal", "truncated_normal"])
def test_variance(mode, distribution):
    n = {"fan_in": 360, "fan_out": 450, "fan_avg": 405}[mode]
    with use("numpy"):
        values = _value(initializers.VarianceScaling(3.0, mode, distribution, seed=1), (3, 3, 40, 50))
    assert abs(values.mean()) < 0.002
    np.testing.assert_allclose(values.var(), 3.0 / n, rtol=0.05)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (3, 2, 5)])
def test_orthogonal(shape):
    with use("numpy"):
        matrix = _value(initializers.Orthogonal(gain=2.0, seed=1), shape).reshape(-1, shape[-1])
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_stft_transforms():
    """A frame times the two kernels is its windowed Fourier transform."""
    frame, window = np.random.RandomState(0).normal(size=8), np.hanning(9)[:-1]
    with use("numpy"):
        real, imag = (_value(initializers.STFT(side, "hann", None, True), (8, 1, 5))[:, 0] for side in ("real", "imag"))
        own = _value(initializers.STFT("real", window, None), (8, 1, 5))[:, 0]
    np.testing.assert_allclose(frame @ real + 1j * (frame @ imag), np.fft.rfft(frame * window), atol=1e-6)
    np.testing.assert_allclose(own, real, atol=1e-6)


def test_names():
    assert isinstance(initializers.get("glorot_uniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform) and isinstance(initializers.get("one"), initializers.Ones)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}}).value == 2.0
    assert initializers.get(None) is None
    with use("numpy"):
        np.testing.assert_array_equal(_value(initializers.get(np.arange(3.0)), (2, 3)), np.tile(np.arange(3.0), (2, 1)))

    def custom(shape, dtype=None):
        return ops.ones(shape, dtype)

    assert initializers.get(custom) is custom
    for name in initializers.__all__:
        if name not in ("get", "serialize", "deserialize", "Initializer"):
            assert type(initializers.get(name)) is getattr(initializers, name)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initializers.get("glorot"), "did you mean"),
        (lambda: initializers.VarianceScaling(scale=-1.0), "scale must be"),
        (lambda: initializers.VarianceScaling(mode="fan"), "Unknown mode"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "Unknown distribution"),
        (lambda: initializers.GlorotNormal(input_axes=[0]), "go together"),
        (lambda: initializers.Identity()((2, 2, 2)), "two dimensions"),
        (lambda: initializers.Orthogonal()((3,)), "at least two"),
        (lambda: initializers.STFT(side="left"), "side must be"),
        (lambda: initializers.STFT(scaling="x"), "scaling must be"),
        (lambda: initializers.STFT()((4, 4)), "frame_length"),
        (lambda: initializers.STFT(window=np.ones(3))((4, 1, 3)), "one value per step"),
    ],
)
def test_errors_teach(call, message):
    with use("numpy"), pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="must define"):
        initializers.Initializer()((2,))
