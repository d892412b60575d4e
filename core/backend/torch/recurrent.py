"""Whole-sequence recurrent layers on PyTorch tensors: its fused kernels, with the kernels transposed and the gates reordered."""

import torch


def _weights(kernel, recurrent_kernel, bias, recurrent_bias):
    flat = [kernel.t(), recurrent_kernel.t()]
    if bias is not None:
        flat += [bias, recurrent_bias]
    return flat


def _check(x, kernel, *states):
    """PyTorch's kernels run on states of another batch size and on kernels of other features, and give numbers without meaning."""
    if kernel.shape[0] != x.shape[-1] or any(len(state) != len(x) for state in states):
        raise ValueError("shapes")  # the op's rule says which


def lstm(x, h, c, kernel, recurrent_kernel, bias=None):
    _check(x, kernel, h, c)
    weights = _weights(kernel, recurrent_kernel, bias, None if bias is None else torch.zeros_like(bias))
    states = h.unsqueeze(0), c.unsqueeze(0)
    outputs, h, c = torch._VF.lstm(x, states, weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, h.squeeze(0), c.squeeze(0)


def gru(x, h, kernel, recurrent_kernel, bias=None):
    _check(x, kernel, h)

    # Gates z, r, h here; r, z, n and the update's complement there agree after the swap.
    def reorder(w):
        z, r, n = w.chunk(3, -1)
        return torch.cat((r, z, n), -1)

    kernel, recurrent_kernel = reorder(kernel), reorder(recurrent_kernel)
    weights = _weights(kernel, recurrent_kernel, *((None, None) if bias is None else reorder(bias)))
    outputs, h = torch._VF.gru(x, h.unsqueeze(0), weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, h.squeeze(0)


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None):
    _check(x, kernel, h)
    weights = _weights(kernel, recurrent_kernel, bias, None if bias is None else torch.zeros_like(bias))
    outputs, h = torch._VF.rnn_tanh(x, h.unsqueeze(0), weights, bias is not None, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, h.squeeze(0)
