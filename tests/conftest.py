"""What all tests share: quiet frameworks, no accelerator, and settings that no test leaves behind."""

import dataclasses
import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import pytest

from core.backend import slot
from core.base import config


@pytest.fixture(autouse=True)
def _restored():
    """The process-wide settings and the default backend are as before after each test."""
    settings, default = config.current(), slot._default
    yield
    config.change(**dataclasses.asdict(settings))
    slot._default = default


@pytest.fixture(scope="module")
def quick_compilation():
    """XLA without its costly passes: hundreds of tiny programs are compiled once and run once."""
    if importlib.util.find_spec("jax") is None:
        yield
        return
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
