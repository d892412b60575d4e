"""House prices of Boston suburbs, 1978: 506 rows of 13 features. D. Harrison, D. Rubinfeld.

One feature encodes an assumption about race; use `california_housing` unless the point is that.
"""

from __future__ import annotations

from core.datasets.npz import BASE, load_npz, split_shuffled


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113):
    """`((x_train, y_train), (x_test, y_test))`: float features (n, 13) and prices (n,) in thousands of dollars.

    Args:
        path: the file's name in the cache.
        test_split: share of the rows kept for testing.
        seed: of the order of the rows.
    """
    data = load_npz(path, None, BASE + "boston_housing.npz")
    return split_shuffled(data["x"], data["y"], test_split, seed)
