"""Several training steps in one compiled call."""

import jax

from core.backend.jax.control import scan
from core.backend.jax.train import jit


def pack_size():
    """How many steps run in one call where the user leaves it open."""
    return 16


def over_batches(step, **options):
    """A compiled function of batches stacked on a leading axis: runs `step` on each in turn and returns the last result."""

    def run(batches):
        _, results = scan(lambda carry, batch: (carry, step(batch)), None, batches)
        return jax.tree.map(lambda x: x[-1], results)

    return jit(run, **options)
