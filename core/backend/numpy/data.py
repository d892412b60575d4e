"""Batches out of NumPy arrays."""

import numpy as np


def host_view(x):
    """The tensor as a NumPy array, without a copy where it lies in host memory; None for one on an accelerator."""
    return np.asarray(x)


def split_rows(x, size, native=True):
    """Consecutive runs of `size` rows, the last one maybe shorter."""
    return [x[start : start + size] for start in range(0, len(x), size)]


def gather_rows(x, indices):
    return x[indices]


def batch_tensor(x, native=True):
    return np.asarray(x)


def stack_batches(parts):
    return np.stack(parts)
