"""Updates of all variables in one call, in place: PyTorch's fused and foreach kernels, with Keras' formulas.

Every `update_*` takes lists of parameters, gradients and slots in the order in which the optimizer names its slots.
"""

import math

import torch

from core.backend.torch.array import convert_to_tensor
from core.backend.torch.conv import is_in_format

_FUSIBLE = (torch.float32, torch.float64)


def update_if(condition, update, holders):
    """Runs `update()` where `condition` is true; `holders` are the variables that it may write."""
    if condition:
        update()


def run_with(holders, values, run):
    """The holders' values after `run()` had started from `values`; the holders get their own back."""
    with torch.no_grad():
        before = [holder._value.clone() for holder in holders]
        try:
            for holder, value in zip(holders, values):
                holder.assign(value)
            run()
            return [holder._value.detach().clone() for holder in holders]
        finally:
            for holder, value in zip(holders, before):
                holder._value.copy_(value)


def match_gradients(gradients, parameters, variables):
    """The gradients as tensors of the parameters' dtypes and strides: the fused kernels neither check shapes nor look at strides."""
    shapes, dtypes = [p.shape for p in parameters], [p.dtype for p in parameters]
    try:
        if [g.shape for g in gradients] == shapes and [g.dtype for g in gradients] == dtypes and not any([g.is_sparse for g in gradients]):
            return [g if g.stride() == p.stride() else _laid_out(g, p) for g, p in zip(gradients, parameters)]
    except AttributeError:  # something that is no tensor of ours
        pass
    return [_matched(g, p, v) for g, p, v in zip(gradients, parameters, variables)]


def _matched(gradient, parameter, variable):
    gradient = convert_to_tensor(gradient).to(parameter)
    gradient = gradient.to_dense() if gradient.is_sparse else gradient
    if gradient.shape != parameter.shape:
        raise ValueError(
            f"The gradient of {variable.path!r} has shape {tuple(gradient.shape)}, but the variable has shape {variable.shape}."
        )
    return _laid_out(gradient, parameter)


def _laid_out(tensor, like):
    """`tensor` with the strides of `like`."""
    return torch.empty_like(like).copy_(tensor)


def fusible(parameters, slots):
    """Whether the update functions below take these parameters: dense floats of one dtype on one device. The slots get their strides."""
    first = parameters[0]
    if first.dtype not in _FUSIBLE or not all(p.dtype == first.dtype and p.device == first.device and _is_dense(p) for p in parameters):
        return False
    for of_one_kind in slots:
        for slot, parameter in zip(of_one_kind, parameters):
            if slot.stride() != parameter.stride():
                slot.data = _laid_out(slot, parameter)
    return True


def _is_dense(parameter):
    return parameter.is_contiguous() or (parameter.ndim in (4, 5) and is_in_format(parameter))


def shrink(parameters, factor):
    """Weight decay."""
    if parameters:
        torch._foreach_mul_(parameters, factor)


def clip_gradients(gradients, clipnorm, global_clipnorm):
    norms = torch._foreach_norm(gradients)
    if clipnorm is not None:
        return torch._foreach_mul(gradients, [clipnorm / max(norm, clipnorm) for norm in torch.stack(norms).tolist()])
    norm = float(torch.linalg.vector_norm(torch.stack(norms)))
    return torch._foreach_mul(gradients, global_clipnorm / max(norm, global_clipnorm))


def _steps(parameters, step):
    return [torch.tensor(float(step), device=parameters[0].device)] * len(parameters)


def update_adam(parameters, gradients, momentums, velocities, velocity_hats=(), *, learning_rate, step, beta_1, beta_2, epsilon):
    # Keras adds epsilon before the velocity's bias is corrected, PyTorch after.
    epsilon = epsilon / math.sqrt(1 - beta_2**step)
    torch._fused_adam_(
        parameters, gradients, momentums, velocities, list(velocity_hats), _steps(parameters, step), lr=learning_rate,
        beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=epsilon, amsgrad=bool(velocity_hats), maximize=False,
    )  # fmt: skip


def update_sgd(parameters, gradients, momentums=None, *, learning_rate, step, momentum, nesterov):
    if momentums is None:
        torch._foreach_add_(parameters, gradients, alpha=-learning_rate)
        return
    if not nesterov:
        # Keras' momentum holds steps, PyTorch's sums of gradients: with dampening 1 + rate and rate -1, the kernel's formula is Keras'.
        torch._fused_sgd_(
            parameters, gradients, momentums, weight_decay=0.0, momentum=momentum, lr=-1.0, dampening=1 + learning_rate, nesterov=False,
            maximize=False, is_first_step=False,
        )  # fmt: skip
        return
    torch._foreach_mul_(momentums, momentum)
    torch._foreach_add_(momentums, gradients, alpha=-learning_rate)
    torch._foreach_add_(parameters, momentums, alpha=momentum)
    torch._foreach_add_(parameters, gradients, alpha=-learning_rate)


def update_rmsprop(parameters, gradients, velocities, *more, learning_rate, step, rho, momentum, epsilon, centered):
    more = list(more)
    momentums = more.pop(0) if momentum > 0 else None
    torch._foreach_mul_(velocities, rho)
    torch._foreach_addcmul_(velocities, gradients, gradients, 1 - rho)
    denominators = torch._foreach_add(velocities, epsilon)
    if centered:
        torch._foreach_lerp_(more[0], gradients, 1 - rho)
        torch._foreach_addcmul_(denominators, more[0], more[0], -1)
    torch._foreach_sqrt_(denominators)
    if momentums is None:
        torch._foreach_addcdiv_(parameters, gradients, denominators, -learning_rate)
    else:
        torch._foreach_mul_(momentums, momentum)
        torch._foreach_addcdiv_(momentums, gradients, denominators, learning_rate)
        torch._foreach_sub_(parameters, momentums)


def update_adagrad(parameters, gradients, accumulators, *, learning_rate, step, epsilon):
    torch._foreach_addcmul_(accumulators, gradients, gradients)
    denominators = torch._foreach_add(accumulators, epsilon)
    torch._foreach_sqrt_(denominators)
    torch._foreach_addcdiv_(parameters, gradients, denominators, -learning_rate)


def update_adadelta(parameters, gradients, squares, deltas, *, learning_rate, step, rho, epsilon):
    torch._foreach_mul_(squares, rho)
    torch._foreach_addcmul_(squares, gradients, gradients, 1 - rho)
    changes, norms = torch._foreach_add(deltas, epsilon), torch._foreach_add(squares, epsilon)
    torch._foreach_div_(changes, norms)
    torch._foreach_sqrt_(changes)
    torch._foreach_mul_(changes, gradients)
    torch._foreach_mul_(deltas, rho)
    torch._foreach_addcmul_(deltas, changes, changes, 1 - rho)
    torch._foreach_add_(parameters, changes, alpha=-learning_rate)


def update_adamax(parameters, gradients, momentums, norms, *, learning_rate, step, beta_1, beta_2, epsilon):
    torch._foreach_lerp_(momentums, gradients, 1 - beta_1)
    torch._foreach_mul_(norms, beta_2)
    torch._foreach_maximum_(norms, torch._foreach_abs(gradients))
    torch._foreach_addcdiv_(parameters, momentums, torch._foreach_add(norms, epsilon), -learning_rate / (1 - beta_1**step))


def update_lion(parameters, gradients, momentums, *, learning_rate, step, beta_1, beta_2):
    directions = torch._foreach_lerp(momentums, gradients, 1 - beta_1)
    torch._foreach_sign_(directions)
    torch._foreach_add_(parameters, directions, alpha=-learning_rate)
    torch._foreach_lerp_(momentums, gradients, 1 - beta_2)
