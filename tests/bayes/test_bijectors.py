"""Every bijector: inverse after forward, log-determinants against automatic differentiation, and what happens far out."""

import numpy as np
import pytest
from conftest import compiled, host, jacobian, log_abs_det, stirred, tensor

from bayes import bijectors
from core import ops

SUPPORTS = {
    "identity": (lambda: bijectors.Identity(), -np.inf, np.inf),
    "exp": (lambda: bijectors.Exp(), 0.0, np.inf),
    "exp_shifted": (lambda: bijectors.Exp(lower=[-2.0, 0.0, 3.0]), np.array([-2.0, 0.0, 3.0]), np.inf),
    "softplus": (lambda: bijectors.Softplus(lower=1.0), 1.0, np.inf),
    "negative": (lambda: bijectors.Negative(upper=2.0), -np.inf, 2.0),
    "sigmoid": (lambda: bijectors.Sigmoid(-1.0, 3.0), -1.0, 3.0),
    "sigmoid_box": (lambda: bijectors.Sigmoid([0.0, -1.0, 5.0], [1.0, 2.0, 9.0]), np.array([0.0, -1.0, 5.0]), np.array([1.0, 2.0, 9.0])),
}
TRANSFORMS = {
    "affine": bijectors.AffineTransform,
    "spline": bijectors.SplineTransform,
    "spline_two_bins": lambda: bijectors.SplineTransform(bins=2),
    "spline_many_bins": lambda: bijectors.SplineTransform(bins=16, box=2.0, min_bin=0.01, min_slope=0.01),
}
LAYERS = {
    "act_norm": bijectors.ActNorm,
    "random": lambda: bijectors.Permutation("random", seed=3),
    "swap": lambda: bijectors.Permutation("swap"),
    "orthogonal": lambda: bijectors.OrthogonalLinear(seed=1),
}


def points(rows=9, dim=3, scale=1.5, seed=0):
    return (scale * np.random.default_rng(seed).normal(size=(rows, dim))).astype("float32")


def names(table):
    return pytest.mark.parametrize("name", sorted(table))


@names(SUPPORTS)
def test_supports_are_inverted_and_kept(backend, name):
    make, lower, upper = SUPPORTS[name]
    bijector, x = make(), points()
    y = host(bijector.forward(x))
    assert (y >= lower).all() and (y <= upper).all()
    np.testing.assert_allclose(host(bijector.inverse(y)), x, rtol=1e-4, atol=1e-4)
    again = type(bijector).from_config(bijector.get_config())
    np.testing.assert_array_equal(host(again.forward(x)), y)


@names(SUPPORTS)
def test_log_determinants_of_supports(trains, name):
    bijector, x = SUPPORTS[name][0](), points()
    expected = log_abs_det(jacobian(bijector.forward, x))
    np.testing.assert_allclose(host(bijector.log_det(tensor(x))), expected, rtol=1e-4, atol=1e-5)


@names({k: v for k, v in SUPPORTS.items() if not k.startswith("exp")})
def test_supports_are_finite_far_out(backend, name):
    make, lower, upper = SUPPORTS[name]
    bijector = make()
    for far in (-200.0, 200.0):
        x = np.full((1, 3), far, "float32")
        assert np.isfinite(host(bijector.forward(x))).all() and np.isfinite(host(bijector.log_det(x))).all()
    if upper is np.inf and name == "softplus":  # an inverse by log(exp(y) - 1) would overflow here
        np.testing.assert_allclose(host(bijector.inverse(np.full((1, 3), 1001.0, "float32"))), 1000.0, rtol=1e-6)


def test_sigmoid_refuses_an_empty_box():
    with pytest.raises(ValueError, match="lower < upper"):
        bijectors.Sigmoid(1.0, 1.0)


def parameters(transform, rows=9, dim=3, scale=1.0, seed=1):
    return points(rows, dim * transform.parameters_per_dim, scale, seed).reshape(rows, dim, -1)


@names(TRANSFORMS)
def test_transforms_are_inverted(backend, name):
    transform, x = TRANSFORMS[name](), points(200, scale=3.0)
    p = parameters(transform, 200)
    z, log_det = compiled(lambda x, p: transform.forward(x, p), x, p)
    back, log_det_back = compiled(lambda z, p: transform.inverse(z, p), host(z), p)
    np.testing.assert_allclose(host(back), x, rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(host(log_det_back), -host(log_det), rtol=1e-3, atol=5e-3)


@names(TRANSFORMS)
def test_log_determinants_of_transforms(quick_everywhere, name):
    transform, x = TRANSFORMS[name](), points(scale=3.0)
    p = tensor(parameters(transform))
    expected = log_abs_det(jacobian(lambda y: transform.forward(y, p)[0], x))
    np.testing.assert_allclose(host(transform.forward(tensor(x), p)[1]), expected, rtol=1e-4, atol=1e-4)
    z = host(transform.forward(tensor(x), p)[0])
    expected = log_abs_det(jacobian(lambda y: transform.inverse(y, p)[0], z))
    np.testing.assert_allclose(host(transform.inverse(tensor(z), p)[1]), expected, rtol=1e-3, atol=1e-3)


@names(TRANSFORMS)
def test_zeros_are_the_identity(backend, name):
    transform, x = TRANSFORMS[name](), points(scale=3.0)
    z, log_det = transform.forward(tensor(x), tensor(0 * parameters(transform)))
    np.testing.assert_allclose(host(z), x, atol=3e-5)
    np.testing.assert_allclose(host(log_det), 0.0, atol=1e-4)


@names(TRANSFORMS)
def test_transforms_are_finite_far_out(trains, name):
    transform = TRANSFORMS[name]()
    p = tensor(parameters(transform, scale=20.0))
    for far in (-1e5, 1e5):
        x = np.full((9, 3), far, "float32")
        for way in (transform.forward, transform.inverse):
            y, log_det = way(tensor(x), p)
            assert np.isfinite(host(y)).all() and np.isfinite(host(log_det)).all()
            assert np.isfinite(jacobian(lambda v, way=way: way(v, p)[0], x)).all()


def test_spline_follows_the_formula():
    """Against equation 4, evaluated bin by bin in float64."""
    transform, rng = bijectors.SplineTransform(bins=4), np.random.default_rng(2)
    p = rng.normal(size=15)

    def softmax(v):
        return np.exp(v) / np.exp(v).sum()

    widths, heights = (1e-3 + (1 - 4e-3) * softmax(v) for v in (p[:4], p[4:8]))
    d = np.concatenate([[1.0], 1e-3 + np.log1p(np.exp(p[8:11] + np.log(np.expm1(0.999)))), [1.0]])
    xs, ys = (np.concatenate([[0.0], np.cumsum(v)]) for v in (widths, heights))
    size = 6.0 * np.exp(p[13:] / (1 + np.abs(p[13:]) / 3.0))
    y = rng.normal(size=50) * 5
    u, expected = (y - p[11]) / size[0] + 0.5, []
    for value in u:
        k = int(np.clip(np.searchsorted(xs, value, "right") - 1, 0, 3))
        xi, s = (value - xs[k]) / widths[k], heights[k] / widths[k]
        top = heights[k] * (s * xi**2 + d[k] * xi * (1 - xi))
        g = ys[k] + top / (s + (d[k + 1] + d[k] - 2 * s) * xi * (1 - xi))
        expected.append((g if 0 <= value <= 1 else value) - 0.5)
    expected = np.array(expected) * size[1] + p[12]
    given = np.broadcast_to(p.astype("float32"), (50, 1, 15))
    z, _ = transform.forward(tensor(y[:, None]), tensor(given))
    assert (u < 0).any() and (u > 1).any() and ((u > 0) & (u < 1)).any()
    np.testing.assert_allclose(host(z)[:, 0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"bins": 1}, "at least 2 bins"),
        ({"box": 0.0}, "positive"),
        ({"min_bin": 0.2}, "do not fit"),
        ({"min_slope": 0.0}, "between 0 and 1"),
    ],
)
def test_spline_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        bijectors.SplineTransform(**arguments)


@names(LAYERS)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_layers_are_inverted(backend, name, dim):
    layer, x = LAYERS[name](), points(dim=dim)
    layer.build((None, dim))
    stirred(layer)
    z, log_det = layer.forward(tensor(x))
    back, log_det_back = layer.inverse(z)
    np.testing.assert_allclose(host(back), x, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(host(log_det) + host(log_det_back), 0.0, atol=1e-4)


@names(LAYERS)
def test_log_determinants_of_layers(trains, name):
    layer, x = LAYERS[name](), points()
    layer.build((None, 3))
    stirred(layer)
    expected = log_abs_det(jacobian(lambda y: layer.forward(y)[0], x))
    np.testing.assert_allclose(np.broadcast_to(host(layer.forward(tensor(x))[1]), expected.shape), expected, rtol=1e-4, atol=1e-5)


def test_permutations_mix_and_differ_by_seed():
    one, other = bijectors.Permutation(seed=1), bijectors.Permutation(seed=2)
    for layer in (one, other):
        layer.build((None, 20))
        assert sorted(layer.order) == list(range(20)) and list(layer.order) != list(range(20))
    assert list(one.order) != list(other.order)
    with pytest.raises(ValueError, match="kinds"):
        bijectors.Permutation("sorted")


def test_numpy_arrays_are_taken(on_torch):
    y = bijectors.Sigmoid(0.0, 2.0).forward(np.zeros((2, 3)))
    assert ops.shape(y) == (2, 3)
