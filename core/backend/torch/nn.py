"""Neural-network functions on PyTorch tensors: activations, normalization, cross-entropies, attention, dense."""

import torch
import torch.nn.functional as F

from core.base import config, shapes

FUNCTIONS = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "silu": F.silu,
    "elu": F.elu,
    "selu": torch.selu,
    "celu": F.celu,
    "log_sigmoid": F.logsigmoid,
    "hard_sigmoid": F.hardsigmoid,
    "hard_silu": F.hardswish,
}


def gelu(x, approximate=True):
    return F.gelu(x, approximate="tanh" if approximate else "none")


def leaky_relu(x, negative_slope=0.2):
    return F.leaky_relu(x, negative_slope)


def glu(x, axis=-1):
    return F.glu(x, axis)


def hard_shrink(x, threshold=0.5):
    return F.hardshrink(x, threshold)


def polar(abs_, angle):
    half = abs_.dtype in (torch.float16, torch.bfloat16)
    return torch.polar(abs_.float(), angle.float()) if half else torch.polar(abs_, angle)


def soft_shrink(x, threshold=0.5):
    return F.softshrink(x, threshold)


def tanh_shrink(x):
    return F.tanhshrink(x)


def _over(function, x, axis):
    """`function(x, dim)` over one axis, several, or all of them (None)."""
    if isinstance(axis, int) and x.ndim:
        return function(x, axis)
    axes = shapes.normalize_axes(axis, x.ndim)
    last = tuple(range(-len(axes), 0))
    moved = x.movedim(axes, last)
    return function(moved.flatten(-len(axes)), -1).reshape(moved.shape).movedim(last, axes)


def softmax(x, axis=-1):
    return _over(torch.softmax, x, axis)


def log_softmax(x, axis=-1):
    return _over(torch.log_softmax, x, axis)


def dense(x, kernel, bias=None):
    if bias is None:
        return torch.matmul(x, kernel)
    if x.ndim == 2:
        return torch.addmm(bias, x, kernel)
    return F.linear(x, kernel.t(), bias)


def mean_squared_difference(x1, x2):
    return F.mse_loss(x1, x2) if x1.shape == x2.shape else torch.mean(torch.square(x1 - x2))


def binary_crossentropy(target, output, from_logits=False, reduction="none"):
    if target.shape != output.shape or reduction not in _REDUCTIONS:
        raise ValueError("shapes")  # the op's rule says what is wrong
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction=reduction)
    epsilon = _clipping(output)
    output = torch.clamp(output, epsilon, 1 - epsilon)
    values = torch.addcmul(target * torch.log(output), 1 - target, torch.log1p(-output))
    return -(values.mean() if reduction == "mean" else values)


def _clipping(probabilities):
    spacing, epsilon = torch.finfo(probabilities.dtype).eps / 2, config.epsilon()
    return epsilon if epsilon > spacing else spacing


def categorical_crossentropy(target, output, from_logits=False, axis=-1, reduction="none"):
    if target.shape != output.shape or not output.ndim or reduction not in _REDUCTIONS:
        raise ValueError("shapes")
    if from_logits and output.ndim == 2 and axis in (-1, 1):
        return F.cross_entropy(output, target, reduction=reduction)
    if from_logits:
        logs = torch.log_softmax(output, axis)
    else:
        epsilon = _clipping(output)
        logs = torch.log(torch.clamp(output / output.sum(axis, keepdim=True), epsilon, 1 - epsilon))
    values = (target * logs).sum(axis)
    return -(values.mean() if reduction == "mean" else values)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, reduction="none"):
    if target.ndim == output.ndim:
        target = target.squeeze(-1)
    if not -output.ndim <= axis < output.ndim:
        raise ValueError("axis")
    axis = axis % output.ndim
    if target.shape != output.shape[:axis] + output.shape[axis + 1 :] or reduction not in _REDUCTIONS:
        raise ValueError("shapes")
    target = target.long()
    if from_logits and axis == output.ndim - 1 > 1:  # one row per sample, of which PyTorch makes no copy
        rows = output.reshape(target.numel(), output.shape[-1])
        values = F.cross_entropy(rows, target.reshape(-1), ignore_index=_NONE, reduction=reduction)
        return values if reduction == "mean" else values.reshape(target.shape)
    if from_logits:  # PyTorch has the classes on axis 1; no class is left out
        output = output if axis == 1 else output.movedim(axis, min(1, output.ndim - 1))
        return F.cross_entropy(output, target, ignore_index=_NONE, reduction=reduction)
    epsilon = _clipping(output)
    chosen = output.gather(axis, target.unsqueeze(axis)).squeeze(axis) / output.sum(axis)
    values = torch.log(torch.clamp(chosen, epsilon, 1 - epsilon))
    return -(values.mean() if reduction == "mean" else values)


_NONE = -(2**31)
_REDUCTIONS = ("none", "mean")


def projection(x, kernel, bias=None, axes=1):
    lead, out = x.shape[: x.ndim - axes], kernel.shape[axes:]
    if axes < 0 or x.shape[x.ndim - axes :] != kernel.shape[:axes]:
        raise ValueError("shapes")
    flat = kernel.reshape(kernel.shape[:axes].numel(), out.numel())
    rows = x.reshape(lead.numel(), flat.shape[0])
    whole = bias is not None and bias.shape == out  # else it broadcasts along some of the axes
    y = torch.addmm(bias.reshape(-1), rows, flat) if whole else torch.mm(rows, flat)
    y = y.view((*lead, *out))
    return y if bias is None or whole else y + bias


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    axis = shapes.normalize_axis(axis, x.ndim)
    if any(p is not None and p.shape != (x.shape[axis],) for p in (mean, variance, offset, scale)):
        raise ValueError("shapes")
    if x.ndim > 1 and x.numel() and not (mean.requires_grad or variance.requires_grad):  # PyTorch's own has no gradient for these
        if axis == 1:
            return torch.batch_norm(x, scale, offset, mean, variance, False, 0.0, epsilon, True)
        return torch.batch_norm(x.movedim(axis, 1), scale, offset, mean, variance, False, 0.0, epsilon, True).movedim(1, axis)
    factor = torch.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else torch.addcmul(offset, mean, factor, value=-1)
    if axis != x.ndim - 1:
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        factor, shift = factor.reshape(shape), shift.reshape(shape)
    return torch.addcmul(shift, x, factor)


def _last_axes(x, axis):
    """The normalized axes' sizes where they are the last ones; else None."""
    axes = tuple(sorted(shapes.normalize_axes(axis, x.ndim)))
    return x.shape[axes[0] :] if axes == tuple(range(axes[0], x.ndim)) else None


def _moved(function, x, axis):
    axes = tuple(sorted(shapes.normalize_axes(axis, x.ndim)))
    last = tuple(range(-len(axes), 0))
    return function(x.movedim(axes, last), last).movedim(last, axes)


def _of_one_axis(scale, offset, dtype):
    if scale is not None and (scale.dtype != dtype or scale.ndim != 1):
        return False
    return offset is None or (offset.dtype == dtype and offset.ndim == 1)


def _like(parameter, x):
    return None if parameter is None else parameter.to(x.dtype)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    epsilon = config.epsilon() if epsilon is None else epsilon
    if (axis == -1 or axis == [-1]) and not rms_scaling and _of_one_axis(gamma, beta, x.dtype):
        return torch.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)
    if rms_scaling:
        axes = shapes.normalize_axes(axis, x.ndim)
        y = x * torch.rsqrt(x.var(axes, correction=0, keepdim=True) + epsilon)
        return y if gamma is None else y * _like(gamma, x).reshape([n if i in axes else 1 for i, n in enumerate(x.shape)])
    shape = _last_axes(x, axis)
    if shape is None:
        return _moved(lambda x, last: layer_normalization(x, gamma, beta, last, epsilon), x, axis)
    gamma, beta = (None if p is None else _like(p, x).reshape(shape) for p in (gamma, beta))
    return F.layer_norm(x, shape, gamma, beta, epsilon)


def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    epsilon = config.epsilon() if epsilon is None else epsilon
    if (axis == -1 or axis == [-1]) and _of_one_axis(scale, None, x.dtype):
        return torch.rms_norm(x, x.shape[-1:], scale, epsilon)
    shape = _last_axes(x, axis)
    if shape is None:
        return _moved(lambda x, last: rms_normalization(x, scale, last, epsilon), x, axis)
    return F.rms_norm(x, shape, None if scale is None else _like(scale, x).reshape(shape), epsilon)


def group_normalization(x, groups, gamma=None, beta=None, axis=-1, epsilon=None):
    axis, epsilon = shapes.normalize_axis(axis, x.ndim), config.epsilon() if epsilon is None else epsilon
    if axis == 0 or any(p is not None and p.shape != (x.shape[axis],) for p in (gamma, beta)):
        raise ValueError("shapes")  # the op's rule says which
    gamma, beta = _like(gamma, x), _like(beta, x)
    gamma = torch.ones_like(beta) if gamma is None and beta is not None else gamma  # else PyTorch's gradient fails
    if axis == 1 and x.is_contiguous():
        return torch.group_norm(x, groups, gamma, beta, epsilon)
    if gamma is None or not torch.is_grad_enabled():
        return _group_normalization(x, groups, gamma, beta, axis, epsilon)
    # PyTorch 2.13 crashes where it is to give the gradient of `gamma` alone in other formats than the contiguous one.
    y, shape = _group_normalization(x, groups, None, None, axis, epsilon), [-1 if i == axis else 1 for i in range(x.ndim)]
    return y * gamma.view(shape) if beta is None else torch.addcmul(beta.view(shape), y, gamma.view(shape))


def _group_normalization(x, groups, gamma, beta, axis, epsilon):
    if axis == 2 == x.ndim - 1:  # as images of height 1 they are in a format that PyTorch knows, and not copied
        return torch.group_norm(x.unsqueeze(1).permute(0, 3, 1, 2), groups, gamma, beta, epsilon).permute(0, 2, 3, 1).squeeze(1)
    return torch.group_norm(x.movedim(axis, 1), groups, gamma, beta, epsilon).movedim(1, axis)


def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    if not query.ndim == key.ndim == value.ndim == 4 or key.shape[:3] != value.shape[:3]:
        raise ValueError("shapes")  # the op's rule says which
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    if mask is not None or (is_causal and (bias is not None or attn_logits_soft_cap)):
        # A fully masked row attends evenly, as with a large negative number in its place; -inf would give NaN.
        lowest = torch.finfo(query.dtype).min / 2
        bias = torch.zeros((), dtype=query.dtype, device=query.device) if bias is None else bias
        if mask is not None:
            bias = torch.where(mask.bool(), bias, lowest)
        if is_causal:
            bias = torch.where(torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril(), bias, lowest)
        is_causal = False
    if attn_logits_soft_cap:
        (batch, heads, targets, size), (others, sources) = query.shape, key.shape[1:3]
        groups = heads // others
        rows = query.reshape(batch, others, groups * targets, size)  # the queries that share a key head, one after the other
        logits = (rows @ key.mT * (size**-0.5 if scale is None else scale)).view(batch, heads, targets, sources)
        logits = attn_logits_soft_cap * torch.tanh(logits / attn_logits_soft_cap)
        weights = torch.softmax(logits if bias is None else logits + bias, -1)
        found = weights.view(batch, others, groups * targets, sources) @ value
        return found.view(batch, heads, targets, value.shape[-1]).transpose(1, 2)
    if bias is not None and bias.ndim < 2:
        bias = bias.expand(query.shape[-2], key.shape[-2])
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, is_causal=is_causal, scale=scale, enable_gqa=key.shape[1] != query.shape[1]
    ).transpose(1, 2)


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    wide = output.float() if output.dtype in (torch.float16, torch.bfloat16) else output  # the kernel has no half precision
    if target.ndim != 2:
        raise ValueError("shapes")
    if not len(output):  # PyTorch's own needs a sample
        return output.sum((1, 2))
    frames, output_length, target_length = torch.log_softmax(wide, -1).transpose(0, 1), output_length.long(), target_length.long()
    return F.ctc_loss(frames, target.long(), output_length, target_length, mask_index, reduction="none").to(output.dtype)


def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    from core.backend.numpy.nn import ctc_beam_search as on_host

    found = on_host(inputs.detach().cpu().float().numpy(), sequence_lengths.cpu().numpy(), beam_width, top_paths, mask_index)
    return tuple(torch.from_numpy(array).to(inputs.device) for array in found)


def replica_mean(x):
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return x
    from torch.distributed.nn.functional import all_reduce  # with gradients

    return all_reduce(x) / torch.distributed.get_world_size()
