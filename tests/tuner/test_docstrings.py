"""The examples in docstrings run, and print what they say."""

import doctest
import importlib
import pathlib

import numpy as np
import pytest

import core
import tuner
from tuner import samplers, space, trial

ROOT = pathlib.Path(tuner.__file__).parent
SLOW = {"tuner.applications"}  # builds whole image models
EXEMPLARY = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in ROOT.rglob("*.py") if ">>>" in path.read_text()
)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in EXEMPLARY])
def test_the_examples_in_docstrings_run(name):
    names = {"np": np}
    for package in (samplers, space, trial):
        names.update({key: value for key, value in vars(package).items() if not key.startswith("__")})
    with core.backend.use("torch"):
        result = doctest.testmod(importlib.import_module(name), extraglobs=names)
    assert result.attempted and not result.failed
