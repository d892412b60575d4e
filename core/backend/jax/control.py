"""The JAX backend's functions of the control room. See `core.backend.protocol`.

The functions inside may read and write variables: each loop is traced once; where that trace has written variables, it is made anew
with their values carried through the loop, and the last ones are put into the variables after it.
"""

import types
import weakref

import jax
import jax.numpy as jnp

from core.backend import loops
from core.backend.jax.train import pure, vmap
from core.backend.journal import TRACING, swapped
from core.base.shapes import normalize_axis


class _Writes(Exception):
    """A trace wrote variables that are not carried yet."""

    def __init__(self, holders):
        self.holders = holders


def _threaded(holders, fn):
    """`fn(*args)` as `(values, *args) -> (values, result)`: the holders' values in, their new values out."""

    def run(values, *args):
        with swapped(holders, values):
            result, new = pure(fn)(*args)
            if not new.keys() <= set(holders):
                raise _Writes(list(dict.fromkeys((*holders, *new))))
            return [jnp.asarray(new.get(holder, holder._value), holder._value.dtype) for holder in holders], result

    return run


# Body -> the variables that it wrote when it was last traced: no need to find them again.
_WRITTEN: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _carrying(loop, *fns):
    """The result of `loop(values, *threaded functions) -> (values, result)`, with what the functions write kept."""
    body = fns[-1] if isinstance(fns[-1], types.FunctionType) else None
    holders = [] if body is None else _WRITTEN.get(body, [])
    while True:
        try:
            with TRACING:
                values, result = loop([holder.value for holder in holders], *(_threaded(holders, fn) for fn in fns))
            break
        except _Writes as found:
            holders = found.holders
            if body is not None:
                _WRITTEN[body] = holders
    for holder, value in zip(holders, values):
        holder.put(value)
    return result


def cond(pred, true_fn, false_fn):
    if isinstance(pred, bool):
        return jax.tree.map(jnp.asarray, true_fn() if pred else false_fn())
    returned: list = []

    def noted(branch):
        def run():
            returned.append(branch())
            return returned[-1]

        return run

    try:
        return _carrying(lambda values, yes, no: jax.lax.cond(pred, yes, no, values), noted(true_fn), noted(false_fn))
    except TypeError:
        if len(returned) > 1:
            loops.check_alike("cond", returned[-2:])
        raise


def switch(index, branches, *operands):
    return _carrying(lambda values, *fns: jax.lax.switch(index, fns, values, *operands), *branches)


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    several = isinstance(loop_vars, (tuple, list))
    first = tuple(loop_vars) if several else (loop_vars,)

    def loop(values, test, step):
        def go_on(state):
            count, values, current = state
            new, more = test(values, *current)
            if any(a is not b for a, b in zip(new, values)):
                raise ValueError("The condition of a while_loop must not write variables; write them in the body.")
            return more if maximum_iterations is None else jnp.logical_and(more, count < maximum_iterations)

        def advance(state):
            count, values, current = state
            values, result = step(values, *current)
            result = tuple(result) if several and isinstance(result, (tuple, list)) else (result,)
            loops.check_kept("while_loop", current, result)
            return count + 1, values, result

        _, values, last = jax.lax.while_loop(go_on, advance, (0, values, first))
        return values, last

    last = _carrying(loop, cond, body)
    return type(loop_vars)(last) if type(loop_vars) in (tuple, list) else last if several else last[0]


def fori_loop(lower, upper, body_fun, init_val):
    def loop(values, step):
        def advance(i, state):
            values, result = step(state[0], i, state[1])
            loops.check_kept("fori_loop", state[1], result)
            return values, result

        return jax.lax.fori_loop(lower, upper, advance, (values, init_val))

    return _carrying(loop, body_fun)


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    for x in jax.tree.leaves(xs):
        loops.first_size(x)

    def loop(values, step):
        def body(state, x):
            values, result = step(state[0], state[1], x)
            carry, y = loops.carry_and_output(result)
            loops.check_kept("scan", state[1], carry)
            return (values, carry), y

        (values, carry), ys = jax.lax.scan(body, (values, init), xs, length, reverse, unroll)
        return values, (carry, ys)

    return _carrying(loop, f)


def vectorized_map(function, elements):
    return vmap(function)(elements)


def associative_scan(f, elems, reverse=False, axis=0):
    axis = normalize_axis(axis, jax.tree.leaves(elems)[0].ndim)  # reversed, JAX takes no negative one
    return jax.lax.associative_scan(f, elems, reverse, axis)


def jvp(fun, primals, tangents, has_aux=False):
    return jax.jvp(fun, tuple(primals), tuple(tangents), has_aux=has_aux)
