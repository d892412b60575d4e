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
    "polar": torch.polar,
}


def gelu(x, approximate=True):
    return F.gelu(x, approximate="tanh" if approximate else "none")


def leaky_relu(x, negative_slope=0.2):
    return F.leaky_relu(x, negative_slope)


def glu(x, axis=-1):
    return F.glu(x, axis)


def hard_shrink(x, threshold=0.5):
    return F.hardshrink(x, threshold)


def soft_shrink(x, threshold=0.5):
    return F.softshrink(x, threshold)


def tanh_shrink(x):
    return F.tanhshrink(x)


def _over(function, x, axis):
    """`function(x, dim)` over one axis, several, or all of them (None)."""
    if isinstance(axis, int):
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


def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=0.001):
    axis = shapes.normalize_axis(axis, x.ndim)
    factor = torch.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else torch.addcmul(offset, mean, factor, value=-1)
    if axis != x.ndim - 1:
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        factor, shift = factor.reshape(shape), shift.reshape(shape)
    return torch.addcmul(shift, x, factor)


def _last_axes(x, axis):
    """The normalized axes' sizes where they are the last ones, in order; else None."""
    axes = shapes.normalize_axes(axis, x.ndim)
    return x.shape[axes[0] :] if axes == tuple(range(axes[0], x.ndim)) else None


def _moved(function, x, axis):
    axes = shapes.normalize_axes(axis, x.ndim)
    last = tuple(range(-len(axes), 0))
    return function(x.movedim(axes, last), last).movedim(last, axes)


def _like(parameter, x):
    return None if parameter is None else parameter.to(x.dtype)


def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    epsilon = config.epsilon() if epsilon is None else epsilon
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
    shape = _last_axes(x, axis)
    if shape is None:
        return _moved(lambda x, last: rms_normalization(x, scale, last, epsilon), x, axis)
    return F.rms_norm(x, shape, None if scale is None else _like(scale, x).reshape(shape), epsilon)


def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
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
        groups = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(groups, 1) for x in (key, value))
        logits = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
        logits = attn_logits_soft_cap * torch.tanh(logits / attn_logits_soft_cap)
        return (torch.softmax(logits if bias is None else logits + bias, -1) @ value).transpose(1, 2)
    if bias is not None and bias.ndim < 2:
        bias = bias.expand(query.shape[-2], key.shape[-2])
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, is_causal=is_causal, scale=scale, enable_gqa=key.shape[1] != query.shape[1]
    ).transpose(1, 2)


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    frames, output_length, target_length = torch.log_softmax(output, -1).transpose(0, 1), output_length.long(), target_length.long()
    return F.ctc_loss(frames, target.long(), output_length, target_length, mask_index, reduction="none")


def ctc_beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    from core.backend.numpy.nn import ctc_beam_search as on_host

    found = on_host(inputs.detach().cpu().float().numpy(), sequence_lengths.cpu().numpy(), beam_width, top_paths, mask_index)
    return tuple(torch.from_numpy(array).to(inputs.device) for array in found)


def replica_mean(x):
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return x
    from torch.distributed.nn.functional import all_reduce  # with gradients

    return all_reduce(x) / torch.distributed.get_world_size()
