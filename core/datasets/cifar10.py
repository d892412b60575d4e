"""CIFAR-10: 60,000 colour images, 32 by 32, in 10 classes. A. Krizhevsky 2009. Read from the binary version, which needs no pickle."""

from __future__ import annotations

import os

import numpy as np

from core.base.errors import CorruptArtifactError
from core.utils.download import get_file

ORIGIN = "https://www.cs.toronto.edu/~kriz/"


def load_data():
    """`((x_train, y_train), (x_test, y_test))`: uint8 images (50000, 32, 32, 3) and (10000, 32, 32, 3), uint8 labels (n, 1)."""
    folder = os.path.join(
        get_file("cifar-10-binary.tar.gz", ORIGIN + "cifar-10-binary.tar.gz", file_hash="c32a1d4ab5d03f1284b67883e8d87530", extract=True),
        "cifar-10-batches-bin",
    )
    parts = [read_records(os.path.join(folder, f"data_batch_{i}.bin"), 1) for i in range(1, 6)]
    test, y_test = read_records(os.path.join(folder, "test_batch.bin"), 1)
    return (np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])), (test, y_test)


def read_records(path: str, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 32, 32, 3) and labels (n, `labels`) of a file of records: label bytes, then the red, green and blue planes."""
    data = np.fromfile(path, np.uint8)
    if not data.size or data.size % (labels + 3072):
        raise CorruptArtifactError(f"{path!r} is no file of CIFAR records; remove it, so that it is downloaded again.")
    rows = data.reshape(-1, labels + 3072)
    return np.ascontiguousarray(rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), rows[:, :labels].copy()
