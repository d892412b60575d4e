"""What optimizers ask of a backend: updates under a condition, and updates from given values."""

import jax

from core.backend.jax.train import pure
from core.backend.journal import TRACING, swapped
from core.backend.numpy.optimize import run_with


def update_if(condition, update, holders):
    """Runs `update()` where `condition` is true, as `lax.cond` inside a trace; `holders` are the variables that it may write."""
    if not isinstance(condition, jax.core.Tracer):
        if condition:
            update()
        return

    def taken(values):
        with swapped(holders, values):
            _, written = pure(update)()
        if stray := [holder for holder in written if id(holder) not in known]:
            raise ValueError(f"A conditional update wrote variables that it was not given: {[holder.path for holder in stray]}.")
        return [written.get(holder, value) for holder, value in zip(holders, values)]

    known = {id(holder) for holder in holders}
    with TRACING:
        new = jax.lax.cond(condition, taken, lambda values: values, [holder.value for holder in holders])
    for holder, value in zip(holders, new):
        holder.put(value)


FUNCTIONS = {"run_with": run_with}
