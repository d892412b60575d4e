"""Whole-sequence recurrent layers on PyTorch tensors: its fused kernels, with the kernels transposed and the gates reordered.

The kernels take no mask. Since a step that is hidden leaves no trace, each row's seen steps are moved to its front, the kernel runs
over the row and on over the zeros behind, and each step then shows the output after as many steps as it has seen. That is right for
any mask, needs no value on the host and so compiles; and on a CPU packed sequences take four times as long to differentiate.
"""

import torch

_SATURATED = 1e4  # as a gate's input: its sigmoid is exactly 0 or 1, and its slope 0, in every dtype


def _weights(kernel, recurrent_kernel, bias, recurrent_bias):
    flat = [kernel.t(), recurrent_kernel.t()]
    if bias is not None:
        flat += [bias, recurrent_bias]
    return flat


def _check(x, kernel, mask, *states):
    """PyTorch's kernels run on states of another batch size and on kernels of other features, and give numbers without meaning."""
    if kernel.shape[0] != x.shape[-1] or any(len(state) != len(x) for state in states) or mask is not None and mask.shape != x.shape[:2]:
        raise ValueError("shapes")  # the op's rule says which


def _check_gates(gates, h, kernel, recurrent_kernel, bias):
    """PyTorch's kernels read beyond the end of kernels and biases that are too small."""
    wide = gates * h.shape[-1]
    wanted = (2, wide) if gates == 3 else (wide,)
    if kernel.shape[1:] != (wide,) or recurrent_kernel.shape != (h.shape[-1], wide) or bias is not None and bias.shape != wanted:
        raise ValueError("shapes")


class _Seen:
    """How many steps of each row a mask has shown up to each step, and what follows from that."""

    def __init__(self, mask):
        mask = mask.bool()
        self.counts = mask.cumsum(1)
        self.time = mask.shape[1]
        self.places = torch.where(mask, self.counts - 1, self.time).unsqueeze(2)  # of hidden steps: one behind the last

    def to_front(self, x):
        """Each row's seen steps, then zeros."""
        room = x.new_zeros((x.shape[0], self.time + 1, x.shape[2]))
        return room.scatter(1, self.places.expand_as(x), x)[:, :-1]

    def behind(self, dtype):
        """1 for the steps that `to_front` fills with zeros, else 0: (batch, time, 1)."""
        return (torch.arange(self.time, device=self.counts.device) >= self.counts[:, -1:]).unsqueeze(2).to(dtype)

    def spread(self, outputs, h):
        """The outputs in their own places, repeated where steps are hidden, and the last state."""
        after = torch.cat((h.unsqueeze(1), outputs), 1)
        shown = after.gather(1, self.counts.unsqueeze(2).expand_as(outputs))
        return torch.where(self.counts.unsqueeze(2) > 0, shown, 0), shown[:, -1]


def _run(kernel_of_torch, x, states, weights, biased):
    states = [state.unsqueeze(0) for state in states]
    states = states[0] if len(states) == 1 else states
    outputs, *states = kernel_of_torch(x, states, weights, biased, 1, 0.0, torch.is_grad_enabled(), False, True)
    return outputs, *(state.squeeze(0) for state in states)


def lstm(x, h, c, kernel, recurrent_kernel, bias=None, mask=None):
    _check(x, kernel, mask, h, c)
    _check_gates(4, h, kernel, recurrent_kernel, bias)
    seen = None if mask is None else _Seen(mask)
    if seen is not None:
        # One more feature keeps the cell state as it is behind the last step that is seen: it shuts the gate i and opens f.
        x = torch.cat((seen.to_front(x), seen.behind(x.dtype)), 2)
        units = h.shape[1]
        shut, rest = kernel.new_full((1, units), -_SATURATED), kernel.new_zeros((1, 2 * units))
        kernel = torch.cat((kernel, torch.cat((shut, -shut, rest), 1)))
    weights = _weights(kernel, recurrent_kernel, bias, None if bias is None else torch.zeros_like(bias))
    outputs, last, c = _run(torch._VF.lstm, x, (h, c), weights, bias is not None)
    return (outputs, last, c) if seen is None else (*seen.spread(outputs, h), c)


def gru(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    _check(x, kernel, mask, h)
    _check_gates(3, h, kernel, recurrent_kernel, bias)

    # Gates z, r, h here; r, z, n and the update's complement there agree after the swap.
    def reorder(w):
        z, r, n = w.chunk(3, -1)
        return torch.cat((r, z, n), -1)

    kernel, recurrent_kernel = reorder(kernel), reorder(recurrent_kernel)
    weights = _weights(kernel, recurrent_kernel, *((None, None) if bias is None else reorder(bias)))
    return _masked(torch._VF.gru, x, h, weights, bias is not None, mask)


def simple_rnn(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    _check(x, kernel, mask, h)
    _check_gates(1, h, kernel, recurrent_kernel, bias)
    weights = _weights(kernel, recurrent_kernel, bias, None if bias is None else torch.zeros_like(bias))
    return _masked(torch._VF.rnn_tanh, x, h, weights, bias is not None, mask)


def _masked(kernel_of_torch, x, h, weights, biased, mask):
    """A kernel whose one state is its output."""
    if mask is None:
        return _run(kernel_of_torch, x, (h,), weights, biased)
    seen = _Seen(mask)
    return seen.spread(_run(kernel_of_torch, seen.to_front(x), (h,), weights, biased)[0], h)
