"""Lifted transforms on PyTorch, which runs eagerly: variables are read and written where they are."""

from __future__ import annotations

import functools

import torch

from core.backend import gradients
from core.backend.gradients import HERE
from core.base import tree


def jit(fn, compile=False, **options):
    """The function itself, or `torch.compile` of it where asked."""
    return torch.compile(fn) if compile else fn


def no_grad():
    return torch.no_grad()


def inference():
    return torch.inference_mode()


def _loss(result, has_aux):
    loss = result[0] if has_aux else result
    if loss.ndim:
        raise ValueError(f"A gradient needs a scalar loss, got one of shape {tuple(loss.shape)}; reduce it, say with core.ops.mean.")
    return loss


_ENGINE = getattr(torch.autograd.Variable, "_execution_engine", None)


def _gradients(loss, values, nested):
    """`torch.autograd.grad` of a scalar, None where unused; straight from the engine where no higher gradients are asked for,
    since the checks in front of it take as long as the backward pass of a small layer."""
    if nested or _ENGINE is None:
        return torch.autograd.grad(loss, values, create_graph=nested, allow_unused=True)
    return _ENGINE.run_backward(
        (loss,), (torch.ones_like(loss),), False, False, tuple(values), allow_unreachable=True, accumulate_grad=False
    )


def value_and_grad(fn, variables, has_aux=False):
    variables = list(variables)

    def run(*args, **kwargs):
        nested = HERE.depth > 0  # somebody around differentiates what comes out of here
        with torch.enable_grad(), gradients.inside("depth"):
            result = fn(*args, **kwargs)
            loss = _loss(result, has_aux)
            if not loss.requires_grad:
                found = [None] * len(variables)
            else:
                chosen = [i for i, v in enumerate(variables) if v.value.requires_grad]
                found = [None] * len(variables)
                values = [variables[i].value for i in chosen]
                for i, g in zip(chosen, _gradients(loss, values, nested) if values else ()):
                    found[i] = g
        loss = loss if nested else loss.detach()
        return ((loss, result[1]) if has_aux else loss), found

    return run


def argument_value_and_grad(fn, argnums=0, has_aux=False):
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def mapped(*args, **kwargs):  # inside vmap only functorch's own gradient works
        def checked(*args, **kwargs):
            result = fn(*args, **kwargs)
            _loss(result, has_aux)
            return result

        found, value = torch.func.grad_and_value(checked, argnums, has_aux)(*args, **kwargs)
        return value, found

    def run(*args, **kwargs):
        if HERE.vmap:
            return mapped(*args, **kwargs)
        args, leaves = list(args), tree.flatten([args[i] for i in numbers])
        nested = HERE.depth > 0 or any(x.requires_grad for x in leaves) and torch.is_grad_enabled()
        with torch.enable_grad(), gradients.inside("depth"):
            for i in numbers:
                # A view of what is differentiated outside stays connected to it.
                args[i] = tree.map_structure(lambda x: x.view_as(x) if nested and x.requires_grad else x.detach().requires_grad_(), args[i])
            result = fn(*args, **kwargs)
            loss = _loss(result, has_aux)
            leaves, spec = tree.flatten_with_spec([args[i] for i in numbers])
            found = (
                torch.autograd.grad(loss, leaves, create_graph=nested, allow_unused=True) if loss.requires_grad else [None] * len(leaves)
            )
        found = tree.unflatten(spec, [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found)])
        loss = loss if nested else loss.detach()
        found = found[0] if isinstance(argnums, int) else tuple(found)
        return ((loss, result[1]) if has_aux else loss), found

    return run


def remat(fn):
    from torch.utils.checkpoint import checkpoint

    def run(*args, **kwargs):
        tensors, of_tensors = gradients.split(args, kwargs, lambda x: isinstance(x, torch.Tensor), fn)
        again = gradients.repeatable(of_tensors, lambda held: held.detach().clone(), lambda held, value: held.data.copy_(value))
        return checkpoint(again, *tensors, use_reentrant=False)

    return functools.wraps(fn)(run)


def vmap(fn, in_axes=0, out_axes=0):
    mapped = torch.vmap(fn, in_axes, out_axes)

    def run(*args):
        with gradients.inside("vmap"):
            return mapped(*args)

    return run


def custom_gradient(fn):
    """`fn(*args)` returns `(outputs, grad_fn)`; see `core.backend.gradients.call` for how `grad_fn` is called. First derivatives only."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            outputs, ctx.grad_fn = fn(*args)
            ctx.args = tuple(a.detach() if isinstance(a, torch.Tensor) else a for a in args)
            return tuple(outputs) if isinstance(outputs, list) else outputs

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, *upstream):
            found = gradients.call(ctx.grad_fn, ctx.args, upstream)
            found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
            return found + (None,) * (len(ctx.args) - len(found))

    return functools.wraps(fn)(lambda *args: Function.apply(*args))


def device(name):
    """A `with` form that puts new tensors on a device, for example `"gpu:0"`."""
    return torch.device(name.lower().replace("gpu", "cuda"))
