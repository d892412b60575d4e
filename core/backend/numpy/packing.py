"""Several training steps in one call: a loop here, where nothing is compiled."""

from core.base import tree


def pack_size():
    """How many steps run in one call where the user leaves it open."""
    return 1


def over_batches(step, **options):
    """A function of batches stacked on a leading axis: runs `step` on each in turn and returns the last result."""

    def run(batches):
        result = None
        for i in range(len(tree.flatten(batches)[0])):
            result = step(tree.map_structure(lambda x, i=i: x[i], batches))
        return result

    return run
