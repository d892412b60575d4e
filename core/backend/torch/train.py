"""Lifted transforms on PyTorch, which runs eagerly: variables are read and written where they are."""

from __future__ import annotations

import functools

import torch

from core.base import tree


def jit(fn, compile=False, **options):
    """The function itself, or `torch.compile` of it where asked."""
    return torch.compile(fn) if compile else fn


def no_grad():
    return torch.no_grad()


def _loss(result, has_aux):
    loss = result[0] if has_aux else result
    if loss.ndim:
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, for example with core.ops.mean.")
    return loss


def value_and_grad(fn, variables, has_aux=False):
    variables = list(variables)

    def run(*args, **kwargs):
        with torch.enable_grad():
            result = fn(*args, **kwargs)
            loss = _loss(result, has_aux)
            if not loss.requires_grad:
                gradients = [None] * len(variables)
            else:
                gradients = list(torch.autograd.grad(loss, [v.value for v in variables], allow_unused=True)) if variables else []
        loss = loss.detach()
        return ((loss, result[1]) if has_aux else loss), gradients

    return run


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def run(*args, **kwargs):
        args = list(args)
        with torch.enable_grad():
            for i in numbers:
                args[i] = tree.map_structure(lambda x: x.detach().requires_grad_(), args[i])
            result = fn(*args, **kwargs)
            loss = _loss(result, has_aux)
            leaves, spec = tree.flatten_with_spec([args[i] for i in numbers])
            gradients = torch.autograd.grad(loss, leaves, allow_unused=True) if loss.requires_grad else [None] * len(leaves)
        gradients = tree.unflatten(spec, [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, gradients)])
        loss = loss.detach()
        gradients = gradients[0] if isinstance(argnums, int) else tuple(gradients)
        return ((loss, result[1]) if has_aux else loss), gradients

    return run


def remat(fn):
    from torch.utils.checkpoint import checkpoint

    return functools.wraps(fn)(lambda *args, **kwargs: checkpoint(fn, *args, use_reentrant=False, **kwargs))


def vmap(fn, in_axes=0, out_axes=0):
    return torch.vmap(fn, in_axes, out_axes)


def custom_gradient(fn):
    """`fn(*args)` returns `(outputs, grad_fn)`; `grad_fn(*args, upstream=...)` or `grad_fn(upstream)` returns the arguments' gradients."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            outputs, ctx.grad_fn = fn(*args)
            ctx.count = len(args)
            return outputs

        @staticmethod
        def backward(ctx, *upstream):
            gradients = ctx.grad_fn(*upstream)
            return gradients if isinstance(gradients, tuple) else (gradients,)

    return functools.wraps(fn)(lambda *args: Function.apply(*args))


def device(name):
    """A `with` form that puts new tensors on a device, for example `"gpu:0"`."""
    return torch.device(name.lower().replace("gpu", "cuda"))
