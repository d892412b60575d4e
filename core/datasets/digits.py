"""1,797 handwritten digits, 8 by 8, that come with the package: no download. See digits.txt for their source and licence."""

from __future__ import annotations

import pathlib

import numpy as np

from core.datasets.npz import read_npz

TEST = 360
SEED = 0


def load_data():
    """`((x_train, y_train), (x_test, y_test))`: uint8 images (1437, 8, 8) and (360, 8, 8) of values 0 to 16, uint8 labels 0 to 9.

    The split is always the same, and keeps the shares of the classes.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    data = read_npz(str(pathlib.Path(__file__).with_name("digits.npz")))
    x, y = data["x"], data["y"]
    test = np.zeros(len(x), bool)
    test[_stratified(y, TEST, np.random.Generator(np.random.Philox(SEED)))] = True
    return (x[~test], y[~test]), (x[test], y[test])


def _stratified(labels: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """`size` row numbers, each class with its share; what rounding leaves goes to the classes that lost most."""
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * size / len(labels)
    take = np.floor(exact).astype(int)
    take[np.argsort(take - exact, kind="stable")[: size - take.sum()]] += 1
    return np.concatenate([generator.permutation(np.flatnonzero(labels == c))[:n] for c, n in zip(classes, take)])
