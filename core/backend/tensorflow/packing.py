"""Several training steps in one compiled call."""

import tensorflow as tf

from core.backend.tensorflow.train import jit


def pack_size():
    """How many steps run in one call where the user leaves it open."""
    return 8


def over_batches(step, **options):
    """A compiled function of batches stacked on a leading axis: runs `step` on each in turn and returns the last result."""

    def run(batches):
        count = tf.nest.flatten(batches)[0].shape[0]
        result = step(tf.nest.map_structure(lambda x: x[0], batches))
        if result is None:
            tf.while_loop(
                lambda i: i < count, lambda i: (step(tf.nest.map_structure(lambda x: x[i], batches)), i + 1)[1:], [1], parallel_iterations=1
            )
            return None

        def body(i, _):
            return i + 1, step(tf.nest.map_structure(lambda x: x[i], batches))

        return tf.while_loop(lambda i, _: i < count, body, [1, result], parallel_iterations=1)[1]

    return jit(run, **options)
