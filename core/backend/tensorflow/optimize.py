"""What optimizers ask of a backend: updates under a condition, and updates from given values."""

import tensorflow as tf


def update_if(condition, update, holders):
    """Runs `update()` where `condition` is true, as `tf.cond` inside a graph; `holders` are the variables that it may write."""

    def taken():
        update()
        return tf.constant(True)

    tf.cond(tf.convert_to_tensor(condition), taken, lambda: tf.constant(False))


def run_with(holders, values, run):
    """The holders' values after `run()` had started from `values`; the holders get their own back."""
    before = [tf.identity(holder._value) for holder in holders]
    try:
        for holder, value in zip(holders, values):
            holder.assign(value)
        run()
        return [tf.identity(holder._value) for holder in holders]
    finally:
        for holder, value in zip(holders, before):
            holder._value.assign(value)
