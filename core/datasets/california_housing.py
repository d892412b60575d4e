"""House prices of California blocks, 1990 census: 20,640 rows of 8 features. R. Pace, R. Barry 1997."""

from __future__ import annotations

import numpy as np

from core.datasets.npz import BASE, load_npz, split_shuffled


def load_data(version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113):
    """`((x_train, y_train), (x_test, y_test))`: float32 features (n, 8) and prices (n,) in dollars.

    Args:
        version: `"large"`, or `"small"` for 600 rows.
        path: the file's name in the cache.
        test_split: share of the rows kept for testing.
        seed: of the order of the rows.
    """
    if version not in ("large", "small"):
        raise ValueError(f"version must be 'large' or 'small', got {version!r}.")
    data = load_npz(path, None, BASE + "california_housing.npz")
    x, y = data["x"].astype(np.float32), data["y"].astype(np.float32)
    return split_shuffled(x[:600], y[:600], test_split, seed) if version == "small" else split_shuffled(x, y, test_split, seed)
