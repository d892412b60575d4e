"""PyTorch's moves of elements: shapes, order, places."""

import numpy as np
import torch

from core.backend import slot
from core.backend.arguments import PAD_MODES, check_number, check_reduction, is_array, key_parts, out_of_range, pad_pairs, reshape_dims
from core.backend.margins import COMPUTED, padded
from core.base.shapes import normalize_axes as _normalized
from core.base.shapes import normalize_axis

FUNCTIONS = {"moveaxis": torch.movedim, "ravel": torch.ravel}


def _dims(value):
    return tuple(int(v) for v in value) if isinstance(value, (tuple, list, np.ndarray, torch.Tensor)) else (value,)


def reshape(x, newshape):
    if type(newshape) is tuple and None not in newshape:
        return torch.reshape(x, newshape)
    return torch.reshape(x, _dims(reshape_dims(newshape)))


def broadcast_to(x, shape):
    dims = _dims(shape)
    if -1 in dims:  # PyTorch reads it as the dimension of `x`
        raise ValueError("shapes")  # the op's rule says which
    return torch.broadcast_to(x, dims)


def transpose(x, axes=None):
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else _dims(axes))


def swapaxes(x, axis1, axis2):
    return torch.swapaxes(x, axis1, axis2)


def tril(x, k=0):
    return torch.tril(x, k)


def triu(x, k=0):
    return torch.triu(x, k)


def diag(x, k=0):
    return torch.diag(x, k)


def diagonal(x, offset=0, axis1=0, axis2=1):
    return torch.diagonal(x, offset, axis1, axis2)


def expand_dims(x, axis):
    axes = _dims(axis)
    for one in sorted(_normalized(axes, x.ndim + len(axes))):
        x = torch.unsqueeze(x, one)
    return x


def squeeze(x, axis=None):
    if axis is None:
        return torch.squeeze(x)
    for one in _dims(axis):
        if x.shape[one] != 1:
            raise ValueError(f"squeeze takes away axes of size 1, got axis={axis} for the shape {tuple(x.shape)}.")
    return torch.squeeze(x, _dims(axis))


def size(x):
    return torch.tensor(x.numel(), dtype=torch.int32)


def concatenate(xs, axis=0):
    return torch.cat(tuple(xs), axis) if axis is not None else torch.cat([torch.ravel(x) for x in xs])


def stack(xs, axis=0):
    return torch.stack(tuple(xs), axis)


def split(x, indices_or_sections, axis=0):
    indices_or_sections = int(indices_or_sections) if isinstance(indices_or_sections, np.integer) else indices_or_sections
    if not isinstance(indices_or_sections, int):
        return list(torch.tensor_split(x, _dims(indices_or_sections), axis))
    if indices_or_sections < 1 or x.shape[axis] % indices_or_sections:
        raise ValueError("sections")  # the op's rule says what is wrong
    return list(torch.tensor_split(x, indices_or_sections, axis))


def unstack(x, num=None, axis=0):
    check_number(num, x.shape[axis])
    return list(torch.unbind(x, axis))


def tile(x, repeats):
    return torch.tile(x, _dims(repeats))


def repeat(x, repeats, axis=None):
    if isinstance(repeats, float):
        raise ValueError("repeats")  # the op's rule says what is wrong
    counts = repeats if isinstance(repeats, int) else torch.as_tensor(repeats, device=x.device).long()
    return torch.repeat_interleave(x, counts, axis)


def flip(x, axis=None):
    _check_axis(x, axis)
    return torch.flip(x, tuple(range(x.ndim)) if axis is None else _dims(axis))


def roll(x, shift, axis=None):
    if axis is None:
        return torch.roll(x, shift)
    axes, shifts = _dims(axis), _dims(shift)
    return torch.roll(x, shifts * len(axes) if len(shifts) == 1 else shifts, axes * len(shifts) if len(axes) == 1 else axes)


def pad(x, pad_width, mode="constant", constant_values=None):
    pairs, mode = pad_pairs(pad_width, x.ndim, mode, constant_values), PAD_MODES[mode]
    if mode in COMPUTED:
        return padded(slot.get("torch"), x, pairs, mode)
    if mode == "constant":
        flat = [int(n) for pair in reversed(pairs) for n in pair]
        return torch.nn.functional.pad(x, flat, value=0 if constant_values is None else constant_values)
    for axis, pair in enumerate(pairs):  # any other mode copies elements: let NumPy say which
        if tuple(pair) != (0, 0):
            x = x.index_select(axis, torch.as_tensor(np.pad(np.arange(x.shape[axis]), pair, mode), device=x.device))
    return x


def _is_plain(part):
    kind = type(part)
    if kind is slice_type:
        return part.step is None or (type(part.step) is int and part.step > 0)
    return kind is int or part is None or part is Ellipsis


def get_item(x, key):
    if all(map(_is_plain, key)) if type(key) is tuple else _is_plain(key):
        if type(key) is tuple and key.count(Ellipsis) > 1:
            raise ValueError("key")  # the op's rule says what is wrong
        return x[key]
    parts = [torch.as_tensor(part, device=x.device) if isinstance(part, np.ndarray) else part for part in key_parts(key)]
    if any(is_array(p) and p.is_floating_point() for p in parts):
        raise ValueError("key")
    parts = [p.long() if is_array(p) and p.dtype not in (torch.bool, torch.int64) else p for p in parts]
    if any(map(is_array, parts)):  # beside an array NumPy counts a single place as an array too
        parts = [torch.tensor([p], device=x.device) if isinstance(p, (int, np.integer)) and not isinstance(p, bool) else p for p in parts]
    if not any(isinstance(p, slice_type) and p.step is not None and p.step < 0 for p in parts):
        try:
            return x[tuple(parts)]
        except IndexError as error:
            raise out_of_range("get_item", error) from None
    # PyTorch slices forwards only: flip such axes first.
    taken, axis, flipped = sum(p is not None and p is not Ellipsis for p in parts), 0, []
    for place, part in enumerate(parts):
        if part is Ellipsis:
            axis += x.ndim - taken
        elif part is not None:
            if isinstance(part, slice_type) and part.step is not None and part.step < 0:
                places = range(*part.indices(x.shape[axis]))
                start = x.shape[axis] - 1 - places.start
                parts[place] = slice_type(start, start + len(places) * -part.step, -part.step) if len(places) else slice_type(0, 0)
                flipped.append(axis)
            axis += 1
    return torch.flip(x, flipped)[tuple(parts)]


slice_type = slice  # the op `slice` below takes the name


def where(condition, x1=None, x2=None):
    return nonzero(condition) if x1 is None else torch.where(condition.to(torch.bool), x1, x2)


def nonzero(x):
    if not x.ndim:
        raise ValueError("shapes")  # the op's rule says which
    return tuple(places.to(torch.int32) for places in torch.nonzero(x, as_tuple=True))


def _from_front(indices, count):
    indices = indices if indices.dtype in (torch.int32, torch.int64) else indices.long()
    return torch.where(indices < 0, indices + count, indices)


def take(x, indices, axis=None):
    if indices.is_floating_point():
        raise ValueError("dtypes")  # the op's rule says which
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = normalize_axis(axis, x.ndim)
    if x.device.type == "cpu":  # it complains about negative indices, so that there is no need to look for them first
        try:
            if axis == 0 and x.ndim == 2:
                return torch.embedding(x, indices if indices.dtype in (torch.int32, torch.int64) else indices.long())
            return torch.index_select(x, axis, indices.reshape(-1).long()).reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])
        except (IndexError, RuntimeError):
            pass
    try:
        found = torch.index_select(x, axis, _from_front(indices, x.shape[axis]).reshape(-1))
    except (IndexError, RuntimeError) as error:
        raise out_of_range("take", error) from None
    return found.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def take_along_axis(x, indices, axis=None):
    if indices.is_floating_point():
        raise ValueError("dtypes")
    if axis is None:
        x, indices, axis = x.reshape(-1), indices.reshape(-1), 0
    if x.ndim != indices.ndim:
        raise ValueError("shapes")  # the op's rule says which
    axis, places = normalize_axis(axis, x.ndim), _from_front(indices, x.shape[axis]).long()
    if x.shape[:axis] != places.shape[:axis] or x.shape[axis + 1 :] != places.shape[axis + 1 :]:
        before, behind = (torch.broadcast_shapes(x.shape[part], places.shape[part]) for part in (np.s_[:axis], np.s_[axis + 1 :]))
        x, places = (t.expand(*before, t.shape[axis], *behind) for t in (x, places))
    try:
        return torch.gather(x, axis, places)  # torch.take_along_dim begins anew behind the end
    except (IndexError, RuntimeError) as error:
        raise out_of_range("take_along_axis", error) from None


def _block(starts, shape):
    return tuple([slice_type(start, start + n) for start, n in zip(map(int, starts), map(int, shape))])


def slice(inputs, start_indices, shape):
    if len(shape) != inputs.ndim:
        raise ValueError("shapes")  # the op's rule says which
    result = inputs[_block(start_indices, shape)]
    if result.shape != tuple(shape) or len(start_indices) != inputs.ndim:
        raise ValueError(f"slice: a block of {tuple(shape)} at {tuple(start_indices)} does not lie within the shape {tuple(inputs.shape)}.")
    return result


def slice_update(inputs, start_indices, updates, donate=False):
    if updates.ndim != inputs.ndim or len(start_indices) != inputs.ndim:
        raise ValueError("shapes")
    traced = torch.is_grad_enabled() and (inputs.requires_grad or updates.requires_grad)
    result = inputs if donate and not traced else inputs.clone()
    result[_block(start_indices, updates.shape)] = updates
    return result


def scatter(indices, values, shape):
    return scatter_update(torch.zeros(_dims(shape), dtype=values.dtype, device=values.device), indices, values, "add")


def scatter_update(inputs, indices, updates, reduction=None):
    check_reduction(reduction)
    if indices.is_floating_point():
        raise ValueError("dtypes")
    updates = updates.to(inputs.dtype)
    places = tuple(indices.long().movedim(-1, 0))
    try:
        return _put(inputs, places, updates, reduction, indices.shape[:-1])
    except (IndexError, RuntimeError) as error:
        raise out_of_range("A scatter", error) from None


def _put(inputs, places, updates, reduction, batch):
    if reduction in (None, "add"):
        return inputs.index_put(places, updates, accumulate=reduction == "add")
    inputs[places]  # which looks at each index; a place in the flat elements may be another one's
    how = {"max": "amax", "min": "amin", "mul": "prod"}[reduction]
    lead, rest = inputs.shape[: len(places)], inputs.shape[len(places) :]
    row = torch.zeros_like(places[0])
    for place, count in zip(places, lead):
        row = row * count + _from_front(place, count)
    row = row.reshape(-1, *[1] * len(rest)).expand(-1, *rest)
    return (
        inputs.reshape(lead.numel(), *rest)
        .scatter_reduce(0, row, updates.expand(*batch, *rest).reshape(row.shape), how)
        .reshape(inputs.shape)
    )


def _check_axis(x, axis):
    if axis is not None and not x.ndim:  # PyTorch lets a scalar have an axis
        raise ValueError("axis")  # the op's rule says what is wrong


def sort(x, axis=-1):
    _check_axis(x, axis)
    return torch.sort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis, stable=True).values


def argsort(x, axis=-1):
    _check_axis(x, axis)
    return torch.argsort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis, stable=True).to(torch.int32)


def top_k(x, k, sorted=True):
    if not x.ndim:
        raise ValueError("shapes")
    values, places = torch.topk(x.to(torch.uint8) if x.dtype == torch.bool else x, k, sorted=sorted)
    return values.to(x.dtype), places.to(torch.int32)


def searchsorted(sorted_sequence, values, side="left"):
    if values.dtype == torch.bool:
        sorted_sequence, values = sorted_sequence.to(torch.uint8), values.to(torch.uint8)
    return torch.searchsorted(sorted_sequence, values, side=side, out_int32=True)
