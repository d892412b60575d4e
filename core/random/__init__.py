"""Random draws on every backend, reproducible from a seed. Public as `core.random`."""

import importlib

from core.random import host
from core.random.draws import beta, binomial, categorical, dropout, gamma, normal, randint, shuffle, truncated_normal, uniform

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "host", "normal", "randint", "shuffle", "truncated_normal",
    "uniform",
]  # fmt: skip


def __getattr__(name: str):
    if name == "SeedGenerator":  # it holds a Variable, which stands above the ops
        return importlib.import_module("core.state.seed").SeedGenerator
    raise AttributeError(f"core.random has no {name!r}.")
