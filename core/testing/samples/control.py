"""Samples of the control ops. See `core.testing.samples`."""

import numpy as np

from core.testing.sample import Sample, array

_PAIR = np.array([3.0, 1.0], "float32")

SAMPLES: dict[str, list[Sample]] = {
    "cond": [
        Sample((np.array(True), lambda: 1.0, lambda: 2.0), reference=lambda *_: np.array(1.0), gradient=False),
        Sample((np.array(False), lambda: 1.0, lambda: 2.0), reference=lambda *_: np.array(2.0), gradient=False),
    ],
    "switch": [
        Sample((np.array(1, "int32"), [lambda x: x, lambda x: x * x], array(3)), reference=lambda i, branches, x: x * x),
        Sample((np.array(9, "int32"), [lambda x: x, lambda x: -x], array(3)), reference=lambda i, branches, x: -x),
    ],
    # Reverse-mode gradients of unbounded loops exist on some backends only: JAX documents that it has none.
    "while_loop": [
        Sample((lambda x: x[0] < 100, lambda x: (x * 2,), (_PAIR,)), reference=lambda c, b, x: np.array([192.0, 64.0]), gradient=False),
        Sample((lambda x: x[0] < 100, lambda x: (x * 2,), (_PAIR,), 2), reference=lambda c, b, x, m: x[0] * 4, gradient=False),
    ],
    "fori_loop": [Sample((0, 3, lambda i, x: x * 2, array(2, 3)), reference=lambda lower, upper, f, x: x * 8, gradient=False)],
    "scan": [
        Sample((lambda c, x: (c + x, c * x), array(3), array(4, 3)),
               reference=lambda f, c, xs: (c + xs.sum(0), (c + np.cumsum(xs, 0) - xs) * xs)),
        Sample((lambda c, x: (c * x, c), array(3), array(4, 3)), {"reverse": True},
               reference=lambda f, c, xs, reverse: (c * xs.prod(0), np.stack([c * xs[i + 1 :].prod(0) for i in range(4)]))),
        Sample((lambda c, _: (c * 2, c), array(3)), {"length": 3}, reference=lambda f, c, length: (c * 8, np.stack([c, c * 2, c * 4]))),
    ],
    "map": [Sample((lambda x: x * x, array(3, 2)), reference=lambda f, x: x * x)],
    "vectorized_map": [Sample((lambda x: x * x, array(3, 2)), reference=lambda f, x: x * x)],
    "associative_scan": [
        Sample((lambda a, b: a + b, array(5, 2)), reference=lambda f, x: np.cumsum(x, 0), symbolic=False),
        Sample((lambda a, b: a * b, array(2, 6)), {"axis": 1, "reverse": True},
               reference=lambda f, x, axis, reverse: np.cumprod(x[:, ::-1], 1)[:, ::-1], symbolic=False),
    ],
    # The numpy backend has no derivatives: the call raises, which tests/core/test_control.py holds it to.
    "jvp": [
        Sample((lambda x: x * x, (array(3),), (array(3, seed=1),)), reference=lambda f, x, t: (x[0] ** 2, 2 * x[0] * t[0]),
               gradient=False, derives=True),
    ],
}  # fmt: skip
