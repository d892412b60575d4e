"""Samples of the random ops. Draws have no expected values: distributions are tested in tests/core/test_random.py."""

import numpy as np

from core.testing.sample import Sample, array


def _draws(*args, **kwargs):
    return Sample(args, {"seed": 7, **kwargs}, reference=None, gradient=False)


SAMPLES: dict[str, list[Sample]] = {
    "normal": [_draws((2, 3)), _draws((4,), 1.0, 0.5, dtype="float16")],
    "uniform": [_draws((2, 3)), _draws((4,), -1.0, 2.0)],
    "randint": [_draws((2, 3), 0, 10), _draws((4,), -3, 3, dtype="int8")],
    "truncated_normal": [_draws((2, 3)), _draws((4,), 1.0, 0.5)],
    "categorical": [_draws(array(2, 3), 5)],
    "gamma": [_draws((2, 3), 2.0), _draws((3,), np.array([0.5, 1.0, 2.0], "float32"))],
    "beta": [_draws((2, 3), 2.0, 3.0)],
    "binomial": [_draws((2, 3), 10.0, 0.5)],
    "shuffle": [_draws(array(4, 3)), _draws(array(4, 3, dtype="int32"), axis=1)],
    "dropout": [
        _draws(array(2, 3), 0.5), _draws(array(2, 3), 0.5, noise_shape=(2, 1)), _draws(array(2, 3), 0.5, noise_shape=(None, 1)),
        Sample((array(2, 3), 0.0), reference=lambda x, rate: x),
        Sample((array(2, 3), 1.0), reference=lambda x, rate: 0 * x, gradient=False),
    ],
}  # fmt: skip
