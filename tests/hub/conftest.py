"""What the tests of hub share."""

import os
import pathlib
import sys

# The libraries that tests compare with look for nothing on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import pytest

import core

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # so that tests find `zoo`

TRAINING_BACKENDS = ("torch", "jax", "tensorflow")


@pytest.fixture(params=TRAINING_BACKENDS)
def backend(request):
    """Each backend in turn, active for the test."""
    if request.param != "jax":
        with core.backend.use(request.param):
            yield request.param
        return
    import jax

    # XLA without its costly passes: hundreds of tiny programs are compiled once and run once.
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    with core.backend.use("jax"):
        yield "jax"
    jax.config.update("jax_disable_most_optimizations", before)
