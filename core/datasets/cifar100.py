"""CIFAR-100: 60,000 colour images, 32 by 32, in 100 classes of 20 groups. A. Krizhevsky 2009. Read from the binary version."""

from __future__ import annotations

import os

from core.datasets.cifar10 import ORIGIN, read_records
from core.utils.download import get_file


def load_data(label_mode: str = "fine"):
    """`((x_train, y_train), (x_test, y_test))`: uint8 images (50000, 32, 32, 3) and (10000, 32, 32, 3), uint8 labels (n, 1).

    Args:
        label_mode: `"fine"` for the 100 classes, `"coarse"` for the 20 groups.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"label_mode must be 'fine' or 'coarse', got {label_mode!r}.")
    folder = os.path.join(
        get_file("cifar-100-binary.tar.gz", ORIGIN + "cifar-100-binary.tar.gz", file_hash="03b5dce01913d631647c71ecec9e9cb8", extract=True),
        "cifar-100-binary",
    )
    column = slice(1, 2) if label_mode == "fine" else slice(0, 1)
    (x, y), (x_test, y_test) = (read_records(os.path.join(folder, name), 2) for name in ("train.bin", "test.bin"))
    return (x, y[:, column]), (x_test, y_test[:, column])
