"""How a `Variable` is held: an `nn.Parameter` that is written in place, so that PyTorch's own tools see every change."""

import contextlib

import torch

from core.backend import gradients
from core.backend.torch.array import convert_to_tensor
from core.backend.torch.conv import in_format


def init_scope():
    """PyTorch has no traces to step out of."""
    return contextlib.nullcontext()


def variable(value, trainable):
    tensor = convert_to_tensor(value).detach()
    tensor = in_format(tensor) if tensor.ndim in (4, 5) else tensor.clone()
    return torch.nn.Parameter(tensor, requires_grad=bool(trainable) and (tensor.is_floating_point() or tensor.is_complex()))


def assign(held, value):
    if type(held) is not torch.nn.Parameter:  # in a stateless call
        return value
    gradients.before_write(held, _copy)
    with torch.no_grad():
        held.copy_(value)
    return held


def _copy(held):
    return held.detach().clone()


def set_trainable(held, trainable):
    if held.is_floating_point() and held.is_leaf:
        held.requires_grad_(bool(trainable))
    return held


def as_functional(held):
    """A value to run on in the variable's place, whose replacement leaves `held` alone; gradients flow to `held`."""
    return held.view_as(held)


def assign_add(held, value):
    if type(held) is not torch.nn.Parameter:  # in a stateless call
        return held + value
    gradients.before_write(held, _copy)
    if torch.is_grad_enabled():
        with torch.no_grad():
            return held.add_(value)
    return held.add_(value)


def assign_sub(held, value):
    if type(held) is not torch.nn.Parameter:  # in a stateless call
        return held - value
    gradients.before_write(held, _copy)
    if torch.is_grad_enabled():
        with torch.no_grad():
            return held.sub_(value)
    return held.sub_(value)
