"""Fashion-MNIST: 70,000 grey images of clothes, 28 by 28, in 10 classes. Zalando SE, MIT licence."""

from __future__ import annotations

import gzip
import os

import numpy as np

from core.datasets.npz import BASE
from core.utils.download import get_file


def load_data():
    """`((x_train, y_train), (x_test, y_test))`: uint8 images (60000, 28, 28) and (10000, 28, 28), uint8 labels 0 to 9."""
    parts = []
    for name in ("train", "t10k"):
        x = read_idx(get_file(f"{name}-images-idx3-ubyte.gz", origin=f"{BASE}{name}-images-idx3-ubyte.gz", cache_subdir=_SUBDIR))
        y = read_idx(get_file(f"{name}-labels-idx1-ubyte.gz", origin=f"{BASE}{name}-labels-idx1-ubyte.gz", cache_subdir=_SUBDIR))
        parts.append((x, y))
    return parts[0], parts[1]


_SUBDIR = os.path.join("datasets", "fashion-mnist")


def read_idx(path: str) -> np.ndarray:
    """The uint8 array of a gzipped IDX file: two zero bytes, the type 8, the number of axes, each axis' length, the bytes."""
    with gzip.open(path) as file:
        head = file.read(4)
        if head[:3] != b"\0\0\x08" or not 1 <= head[3] <= 3:
            raise ValueError(f"{path!r} is no IDX file of bytes; remove it, so that it is downloaded again.")
        shape = np.frombuffer(file.read(4 * head[3]), ">u4")
        return np.frombuffer(file.read(int(shape.prod(dtype=np.int64))), np.uint8).reshape(tuple(shape.tolist()))
