"""NumPy's moves of elements: shapes, order, places."""

import numpy as np

from core.backend.arguments import check_number, check_reduction, key_parts, pad_pairs, reshape_dims
from core.base.shapes import normalize_axis

FUNCTIONS = {
    "broadcast_to": np.broadcast_to, "concatenate": np.concatenate, "diag": np.diag, "diagonal": np.diagonal, "expand_dims": np.expand_dims,
    "flip": np.flip, "moveaxis": np.moveaxis, "ravel": np.ravel, "repeat": np.repeat, "roll": np.roll,
    "stack": np.stack, "swapaxes": np.swapaxes, "transpose": np.transpose,
}  # fmt: skip


def reshape(x, newshape):
    return np.reshape(x, reshape_dims(newshape))


def squeeze(x, axis=None):
    return np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def tile(x, repeats):
    return np.tile(x, repeats)


def _matrices(x):
    if x.ndim < 2:  # of a vector NumPy would make a matrix
        raise ValueError(f"A triangle is taken of matrices, of at least two dimensions; got the shape {x.shape}.")
    return x


def tril(x, k=0):
    return np.tril(_matrices(x), k)


def triu(x, k=0):
    return np.triu(_matrices(x), k)


def size(x):
    return np.int32(x.size)


def split(x, indices_or_sections, axis=0):
    return np.split(x, indices_or_sections, axis)


def unstack(x, num=None, axis=0):
    check_number(num, x.shape[axis])
    return list(np.moveaxis(x, axis, 0))


def pad(x, pad_width, mode="constant", constant_values=None):
    pairs = pad_pairs(pad_width, x.ndim, mode, constant_values)
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return np.pad(x, pairs, mode, **options) if pairs else x


def get_item(x, key):
    return x[key_parts(key)]


def where(condition, x1=None, x2=None):
    return nonzero(condition) if x1 is None else np.where(condition, x1, x2).astype(x1.dtype, copy=False)  # numbers do not widen it


def nonzero(x):
    return tuple(places.astype("int32") for places in np.nonzero(x))


def take(x, indices, axis=None):
    return np.take(x, indices.astype("int64"), axis)


def take_along_axis(x, indices, axis=None):
    return np.take_along_axis(x, indices, axis)


def slice(inputs, start_indices, shape):
    if len(shape) != inputs.ndim:
        raise ValueError("shapes")  # the op's rule says which
    return inputs[_block(inputs, start_indices, shape)]


def _block(x, starts, shape):
    return tuple(np.s_[int(start) : int(start) + int(n)] for start, n in zip(starts, shape))


def slice_update(inputs, start_indices, updates, donate=False):
    if updates.ndim != inputs.ndim:
        raise ValueError("shapes")
    result = inputs if donate and inputs.flags.writeable else np.array(inputs)
    result[_block(inputs, start_indices, updates.shape)] = updates
    return result


def scatter(indices, values, shape):
    return scatter_update(np.zeros([int(n) for n in shape], values.dtype), indices, values, "add")


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    result, places = np.array(inputs), tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        result[places] = updates
    else:
        {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[reduction].at(result, places, updates)
    return result


def sort(x, axis=-1):
    return np.sort(x, axis)


def argsort(x, axis=-1):
    if axis is not None:
        normalize_axis(axis, x.ndim)  # of a scalar NumPy would make a vector
    return np.argsort(x, axis, kind="stable").astype("int32")


def top_k(x, k, sorted=True):
    if k > x.shape[-1]:
        raise ValueError(f"top_k cannot find {k} elements in a last axis of {x.shape[-1]}.")
    order = np.argsort(np.flip(x, -1), -1, kind="stable")[..., ::-1][..., :k]  # flipped twice: of equals, the first comes first
    places = x.shape[-1] - 1 - order
    return np.take_along_axis(x, places, -1), places.astype("int32")


def searchsorted(sorted_sequence, values, side="left"):
    return np.asarray(np.searchsorted(sorted_sequence, values, side)).astype("int32")
