"""NumPy's moves of elements: shapes, order, places."""

import numpy as np

from core.backend.arguments import PAD_MODES, check_number, check_reduction, key_parts, out_of_range, pad_pairs, reshape_dims
from core.base.shapes import normalize_axis

FUNCTIONS = {
    "broadcast_to": np.broadcast_to, "concatenate": np.concatenate, "diag": np.diag, "diagonal": np.diagonal, "expand_dims": np.expand_dims,
    "flip": np.flip, "moveaxis": np.moveaxis, "ravel": np.ravel, "roll": np.roll,
    "stack": np.stack, "swapaxes": np.swapaxes, "transpose": np.transpose,
}  # fmt: skip


def reshape(x, newshape):
    return np.reshape(x, reshape_dims(newshape))


def squeeze(x, axis=None):
    if axis is not None and not x.ndim and axis not in ((), []):  # NumPy lets a scalar have an axis
        raise ValueError("axis")  # the op's rule says what is wrong
    return np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


def repeat(x, repeats, axis=None):
    if isinstance(repeats, float):
        raise ValueError("repeats")  # the op's rule says what is wrong
    return np.repeat(x, repeats, axis)


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
    pairs, mode = pad_pairs(pad_width, x.ndim, mode, constant_values), PAD_MODES[mode]
    options = {"constant_values": constant_values or 0} if mode == "constant" else {}
    return np.pad(x, pairs, mode, **options) if pairs else x


def get_item(x, key):
    try:
        return x[key_parts(key)]
    except IndexError as error:
        raise out_of_range("get_item", error) from None


def where(condition, x1=None, x2=None):
    if x2 is None:
        if x1 is not None:
            raise ValueError("arguments")  # the op's rule says which
        return nonzero(condition)
    return np.where(condition, x1, x2).astype(x1.dtype, copy=False)  # numbers do not widen it


def nonzero(x):
    return tuple(places.astype("int32") for places in np.nonzero(x))


def take(x, indices, axis=None):
    if indices.dtype.kind not in "iub":
        raise ValueError("dtypes")  # the op's rule says which
    try:
        return np.take(x, indices.astype("int64"), axis)
    except IndexError as error:
        raise out_of_range("take", error) from None


def take_along_axis(x, indices, axis=None):
    try:
        return np.take_along_axis(x, indices, axis)
    except IndexError as error:
        raise out_of_range("take_along_axis", error) from None


def slice(inputs, start_indices, shape):
    if len(shape) != inputs.ndim:
        raise ValueError("shapes")  # the op's rule says which
    result = inputs[_block(inputs, start_indices, shape)]
    if result.shape != tuple(shape) or len(start_indices) != inputs.ndim:
        raise ValueError(f"slice: a block of {tuple(shape)} at {tuple(start_indices)} does not lie within the shape {inputs.shape}.")
    return result


def _block(x, starts, shape):
    return tuple(np.s_[int(start) : int(start) + int(n)] for start, n in zip(starts, shape))


def slice_update(inputs, start_indices, updates, donate=False):
    if updates.ndim != inputs.ndim or len(start_indices) != inputs.ndim:
        raise ValueError("shapes")
    result = inputs if donate and inputs.flags.writeable else np.array(inputs)
    result[_block(inputs, start_indices, updates.shape)] = updates
    return result


def scatter(indices, values, shape):
    return scatter_update(np.zeros([int(n) for n in shape], values.dtype), indices, values, "add")


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    result, places = np.array(inputs), tuple(np.moveaxis(indices, -1, 0))
    try:
        if reduction is None:
            result[places] = updates
        else:
            {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[reduction].at(result, places, updates)
    except IndexError as error:
        raise out_of_range("A scatter", error) from None
    return result


def sort(x, axis=-1):
    return np.sort(x, axis)


def argsort(x, axis=-1):
    if axis is not None:
        normalize_axis(axis, x.ndim)  # of a scalar NumPy would make a vector
    return np.argsort(x, axis, kind="stable").astype("int32")


def top_k(x, k, sorted=True):
    if not 0 <= k <= x.shape[-1]:
        raise ValueError("k")  # the op's rule says what is wrong
    order = np.argsort(np.flip(x, -1), -1, kind="stable")[..., ::-1][..., :k]  # flipped twice: of equals, the first comes first
    places = x.shape[-1] - 1 - order
    return np.take_along_axis(x, places, -1), places.astype("int32")


def searchsorted(sorted_sequence, values, side="left"):
    return np.asarray(np.searchsorted(sorted_sequence, values, side)).astype("int32")
