"""MNIST: 70,000 handwritten digits, grey, 28 by 28. Y. LeCun, C. Cortes, C. Burges; CC BY-SA 3.0."""

from __future__ import annotations

from core.datasets.npz import BASE, load_npz

SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str = "mnist.npz"):
    """`((x_train, y_train), (x_test, y_test))`: uint8 images (60000, 28, 28) and (10000, 28, 28), uint8 labels 0 to 9.

    Args:
        path: the file's name in the cache.
    """
    data = load_npz(path, SHA256, BASE + "mnist.npz")
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
