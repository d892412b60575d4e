"""Samples of the image ops. See `core.testing.samples`. References are loops over pixels, SciPy-like formulas or closed forms."""

import colorsys
import itertools

import numpy as np

from core.testing.sample import Sample, array

_IMAGES = array(2, 6, 5, 3, low=0, high=1)
_FIRST = np.ascontiguousarray(np.moveaxis(_IMAGES, -1, 1))
_MOVE = np.array([1.0, 0.25, 0.5, -0.25, 1.0, 0.3, 0.0, 0.0], "float32")
_START = np.array([[0, 0], [4, 0], [0, 5], [4, 5]], "float32")


def _bilinear(x, size, axis):
    """Along one axis, half-pixel centers, edges held."""
    old = x.shape[axis]
    place = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    low = np.floor(place).astype(int)
    share = (place - low).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    return np.take(x, low, axis) * (1 - share) + np.take(x, np.minimum(low + 1, old - 1), axis) * share


def _resize(x, size, data_format="channels_last", **_):
    h, w = (-3, -2) if data_format == "channels_last" else (-2, -1)
    return _bilinear(_bilinear(x, size[0], h), size[1], w)


def _nearest(x, size, **_):
    rows, columns = (((np.arange(n) + 0.5) * o / n).astype(int) for n, o in zip(size, x.shape[1:3]))
    return x[:, rows][:, :, columns]


def _at(x, y, c):
    """Bilinear value of an (h, w, channels) image at one point; 0 outside."""
    total, top, left = 0.0, int(np.floor(y)), int(np.floor(c))
    for i, j in itertools.product((0, 1), (0, 1)):
        if 0 <= top + i < x.shape[0] and 0 <= left + j < x.shape[1]:
            total = total + x[top + i, left + j] * abs(1 - i - (y - top)) * abs(1 - j - (c - left))
    return total + np.zeros(x.shape[2:])


def _affine(x, t, **_):
    def place(i, j):
        scale = t[6] * j + t[7] * i + 1
        return (t[3] * j + t[4] * i + t[5]) / scale, (t[0] * j + t[1] * i + t[2]) / scale

    return np.array([[[_at(image, *place(i, j)) for j in range(x.shape[2])] for i in range(x.shape[1])] for image in x])


def _patches(x, size, strides=None):
    strides = strides or size
    rows, columns = range(0, x.shape[1] - size + 1, strides), range(0, x.shape[2] - size + 1, strides)
    return np.stack([np.stack([x[:, i : i + size, j : j + size].reshape(len(x), -1) for j in columns], 1) for i in rows], 1)


def _patches_3d(x, size):
    n = range(0, x.shape[1] - size + 1, size)
    parts = [x[:, i : i + size, j : j + size, k : k + size].reshape(len(x), -1) for i, j, k in itertools.product(n, n, n)]
    return np.stack(parts, 1).reshape(len(x), len(n), len(n), len(n), -1)


def _by_pixel(function):
    return lambda x, **_: np.array([function(*pixel) for pixel in x.reshape(-1, 3)]).reshape(x.shape)


def _correlated(x, kernel, mode):
    (kh, kw), (h, w) = kernel.shape, x.shape[1:3]
    padded = np.pad(x, ((0, 0), (kh // 2, kh // 2), (kw // 2, kw // 2), (0, 0)), mode)
    return np.array(sum(kernel[i, j] * padded[:, i : i + h, j : j + w] for i in range(kh) for j in range(kw)))


def _gauss(size, sigma):
    kernel = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return kernel / kernel.sum()


_SLOPE = np.array([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]])


def _ssim(a, b, filter_size, filter_sigma):
    window = np.multiply.outer(_gauss(filter_size, filter_sigma), _gauss(filter_size, filter_sigma))[None, :, :, None]
    out = []
    for i, j in itertools.product(range(a.shape[1] - filter_size + 1), range(a.shape[2] - filter_size + 1)):
        p, q = (x[:, i : i + filter_size, j : j + filter_size] for x in (a, b))
        m, n = (window * p).sum((1, 2)), (window * q).sum((1, 2))
        v, u, c = (window * p * p).sum((1, 2)) - m * m, (window * q * q).sum((1, 2)) - n * n, (window * p * q).sum((1, 2)) - m * n
        out.append((2 * m * n + 1e-4) / (m * m + n * n + 1e-4) * (2 * c + 9e-4) / (v + u + 9e-4))
    return np.mean(out, (0, 2))


SAMPLES: dict[str, list[Sample]] = {
    "resize": [
        Sample((_IMAGES, (9, 7)), reference=_resize),
        Sample((_IMAGES, (3, 8)), reference=_resize),
        Sample((_FIRST, (4, 9)), {"data_format": "channels_first"}, reference=_resize),
        Sample((_IMAGES[0], (9, 7)), reference=_resize),
        Sample((_IMAGES, (9, 3)), {"interpolation": "nearest"}, reference=_nearest),
        # Between frameworks compared with Keras when written; a straight ramp is the closed form of every kernel away from the edges.
        Sample((_IMAGES, (12, 10)), {"interpolation": "bicubic"}, reference=None),
        Sample((_IMAGES, (3, 3)), {"interpolation": "lanczos3", "antialias": True}, reference=None),
    ],
    "scale_and_translate": [
        Sample((_IMAGES, (2, 12, 10, 3), np.array([2.0, 2.0], "float32"), np.zeros(2, "float32"), (1, 2), "linear"),
               reference=lambda x, *_: _resize(x, (12, 10)), gradient=False),
    ],
    "affine_transform": [Sample((_IMAGES, _MOVE), reference=_affine, gradient=False)],
    "map_coordinates": [
        Sample((array(4, 5), np.array([[0.5, 2.2, 3.0], [1.0, 0.7, 3.9]], "float32"), 1),
               reference=lambda x, c, _: np.array([_at(x, *point) for point in c.T]), gradient=False),
        Sample((array(4), np.array([[-1.0, 4.0, 5.0, 9.0]], "float32"), 0, "reflect"),
               reference=lambda x, *_: x[[0, 3, 2, 1]], gradient=False),
        Sample((array(4), np.array([[-1.0, 4.0, 5.0, 9.0]], "float32"), 0, "mirror"),
               reference=lambda x, *_: x[[1, 2, 1, 3]], gradient=False),
        Sample((array(4), np.array([[-1.0, 4.0, 5.0, 9.0]], "float32"), 0, "wrap"),
               reference=lambda x, *_: x[[3, 0, 1, 1]], gradient=False),
    ],
    "perspective_transform": [
        Sample((_IMAGES, _START, _START + 1),
               reference=lambda x, *_: np.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)))[:, :-1, :-1], gradient=False, atol=1e-4),
    ],
    # Random displacements: no expected values.
    "elastic_transform": [Sample((_IMAGES,), {"seed": 3}, reference=None, gradient=False)],
    "extract_patches": [Sample((_IMAGES, 2), reference=_patches), Sample((_IMAGES, 3), {"strides": 2}, reference=_patches)],
    "extract_patches_3d": [Sample((array(1, 4, 4, 4, 2), 2), reference=_patches_3d)],
    "crop_images": [Sample((_IMAGES, 1, 2), {"target_height": 3, "target_width": 2}, reference=lambda x, *_, **__: x[:, 1:4, 2:4])],
    "pad_images": [
        Sample((_IMAGES, 1, 2), {"target_height": 9, "target_width": 8},
               reference=lambda x, *_, **__: np.pad(x, ((0, 0), (1, 2), (2, 1), (0, 0)))),
    ],
    "gaussian_blur": [
        Sample((_IMAGES, (3, 5), (1.0, 2.0)), reference=lambda x, *_: _correlated(x, np.outer(_gauss(3, 1.0), _gauss(5, 2.0)), "constant")),
    ],
    "rgb_to_grayscale": [Sample((_IMAGES,), reference=lambda x: x @ np.array([[0.2989], [0.587], [0.114]]))],
    "rgb_to_hsv": [Sample((_IMAGES,), reference=_by_pixel(colorsys.rgb_to_hsv), rtol=1e-4)],
    "hsv_to_rgb": [Sample((_IMAGES,), reference=_by_pixel(colorsys.hsv_to_rgb), rtol=1e-4, gradient=False)],
    "sobel_edges": [Sample((_IMAGES,), reference=lambda x: np.stack([_correlated(x, k, "constant") for k in (_SLOPE, _SLOPE.T)], -1))],
    "ssim": [
        Sample((_IMAGES, array(2, 6, 5, 3, seed=1, low=0, high=1)), {"filter_size": 3, "filter_sigma": 0.8},
               reference=_ssim, rtol=1e-3, gradient=False),
    ],
}  # fmt: skip
