"""What the datasets share: downloading an `.npz` file and reading it without pickle, except where its published form needs one reader."""

from __future__ import annotations

import os

import numpy as np

from core.base.errors import CorruptArtifactError
from core.utils.download import get_file

BASE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def load_npz(path: str, file_hash: str | None, origin: str | None = None) -> dict[str, np.ndarray]:
    """The arrays of a published file, downloaded where it is not in the cache."""
    local = get_file(os.path.basename(path), origin=origin or BASE + os.path.basename(path), file_hash=file_hash)
    return read_npz(local)


def read_npz(path: str) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file; arrays of Python objects, which would need pickle, are refused."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError) as error:
        raise CorruptArtifactError(f"{path!r} cannot be read as arrays: {error}. Remove it, so that it is downloaded again.") from error


def split_shuffled(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> tuple:
    """`((x_train, y_train), (x_test, y_test))`, the rows in an order drawn from `seed`, the last share for testing."""
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split must lie in [0, 1), got {test_split!r}.")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])
