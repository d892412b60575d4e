"""Recurrent layers over whole sequences, as single ops: backends have fused kernels for them.

All take `x` (batch, time, features), kernels (features, gates * units) and (units, gates * units), and states (batch, units);
gates have sigmoid and outputs tanh activations. The input projection is one product before the loop. Where a boolean `mask`
(batch, time) is False, the states stay as they are and the output repeats the previous one, zeros before the first step that is seen.
"""

from __future__ import annotations

from core.backend.symbolic import KerasTensor
from core.base import shapes
from core.ops.activations import dense, sigmoid
from core.ops.control import scan
from core.ops.convert import cast
from core.ops.elementwise import tanh
from core.ops.indexing import where
from core.ops.joining import split
from core.ops.linalg import matmul
from core.ops.reduction import cumsum
from core.ops.registry import op
from core.ops.shape import expand_dims, transpose

__all__ = ["gru", "lstm", "simple_rnn"]


def _shapes(name, gates, x, states, kernel, recurrent_kernel, mask):
    if len(x.shape) != 3:
        raise ValueError(f"{name} expected x as (batch, time, features), got shape {x.shape}.")
    if mask is not None and not shapes.compatible(tuple(mask.shape), x.shape[:2]):
        raise ValueError(f"{name} expected a mask of shape {x.shape[:2]}, (batch, time), for x of shape {x.shape}, got {mask.shape}.")
    units, width = recurrent_kernel.shape
    if units is None and width is not None:
        units = width // gates
    expected = (x.shape[2], None if units is None else gates * units)
    if not (shapes.compatible(kernel.shape, expected) and shapes.compatible((width,), expected[1:])):
        raise ValueError(
            f"{name} expected kernels of shapes {expected} and {(units, expected[1])} for x of shape {x.shape} and {units} units, "
            f"got {kernel.shape} and {recurrent_kernel.shape}."
        )
    state = KerasTensor((x.shape[0], units), x.dtype)
    if not all(shapes.compatible(one.shape, state.shape) for one in states):
        raise ValueError(f"{name} expected states of shape {state.shape}, (batch, units), got {[one.shape for one in states]}.")
    return KerasTensor((*x.shape[:2], units), x.dtype), state


def _check_bias(name, bias, wanted) -> None:
    if bias is not None and not shapes.compatible(tuple(bias.shape), tuple(wanted)):
        raise ValueError(f"{name} expected a bias of shape {tuple(wanted)}, got {tuple(bias.shape)}.")


def _over_time(step, states, projected, mask):
    if any(len(state.shape) != 2 or state.shape[0] != projected.shape[0] for state in states):
        raise ValueError("A recurrent op expected states (batch, units) of the batch size of its sequences.")
    inputs = transpose(projected, (1, 0, 2))
    if mask is None:
        states, outputs = scan(step, states, inputs)
        return transpose(outputs, (1, 0, 2)), *states
    if tuple(mask.shape) != tuple(projected.shape[:2]):
        raise ValueError("A recurrent op expected a mask (batch, time) of the sizes of its sequences.")

    def masked_step(states, given):
        x, seen = given
        new, _ = step(states, x)
        states = tuple(where(expand_dims(seen, 1), one, old) for one, old in zip(new, states))
        return states, states[0]

    states, outputs = scan(masked_step, states, (inputs, transpose(cast(mask, "bool"))))
    begun = cumsum(cast(mask, "bool"), axis=1) > 0
    return where(expand_dims(begun, 2), transpose(outputs, (1, 0, 2)), 0.0), *states


def _simple_rule(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    _check_bias("simple_rnn", bias, kernel.shape[1:])
    return _shapes("simple_rnn", 1, x, (h,), kernel, recurrent_kernel, mask)


@op("x h kernel recurrent_kernel bias", also="mask", rule=_simple_rule, promote="float")
def simple_rnn(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    """`h = tanh(x @ kernel + h @ recurrent_kernel + bias)` over time: all states (batch, time, units) and the last one.

    >>> simple_rnn([[[0.0]]], [[0.0]], [[1.0]], [[1.0]])
    (array([[[0.]]], dtype=float32), array([[0.]], dtype=float32))
    """

    def step(states, projected):
        h = tanh(projected + matmul(states[0], recurrent_kernel))
        return (h,), h

    return _over_time(step, (h,), dense(x, kernel, bias), mask)


def _lstm_rule(x, h, c, kernel, recurrent_kernel, bias=None, mask=None):
    outputs, state = _shapes("lstm", 4, x, (h, c), kernel, recurrent_kernel, mask)
    _check_bias("lstm", bias, kernel.shape[1:])
    return outputs, state, KerasTensor(state.shape, state.dtype)


@op("x h c kernel recurrent_kernel bias", also="mask", rule=_lstm_rule, promote="float")
def lstm(x, h, c, kernel, recurrent_kernel, bias=None, mask=None):
    """A long short-term memory over time: all outputs (batch, time, units), the last output and the last cell state.

    Gates lie in the kernels in the order input, forget, cell, output. Hochreiter and Schmidhuber, 1997.

    >>> lstm([[[0.0]]], [[0.0]], [[0.0]], [[1.0] * 4], [[1.0] * 4])[0]
    array([[[0.]]], dtype=float32)
    """

    def step(states, projected):
        h, c = states
        i, f, g, o = split(projected + matmul(h, recurrent_kernel), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return (h, c), h

    return _over_time(step, (h, c), dense(x, kernel, bias), mask)


def _gru_rule(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    _check_bias("gru", bias, (2, *kernel.shape[1:]))
    return _shapes("gru", 3, x, (h,), kernel, recurrent_kernel, mask)


@op("x h kernel recurrent_kernel bias", also="mask", rule=_gru_rule, promote="float")
def gru(x, h, kernel, recurrent_kernel, bias=None, mask=None):
    """A gated recurrent unit over time, its reset gate after the product: all states (batch, time, units) and the last one.

    Gates lie in the kernels in the order update, reset, candidate; `bias` is (2, 3 * units), of inputs and of states.
    Cho et al., 2014.

    >>> gru([[[0.0]]], [[0.0]], [[1.0] * 3], [[1.0] * 3])[0]
    array([[[0.]]], dtype=float32)
    """

    _check_bias("gru", bias, (2, *kernel.shape[1:]))

    def step(states, projected):
        z, r, n = split(projected, 3, axis=-1)
        hz, hr, hn = split(dense(states[0], recurrent_kernel, None if bias is None else bias[1]), 3, axis=-1)
        z, r = sigmoid(z + hz), sigmoid(r + hr)
        h = z * states[0] + (1 - z) * tanh(n + r * hn)
        return (h,), h

    return _over_time(step, (h,), dense(x, kernel, None if bias is None else bias[0]), mask)
