"""Diagnostics: numbers in `metrics`, pictures in `plots`, and all of them here by name; `coverage` and `loss` are the pictures."""

from bayes.diagnostics import metrics, plots
from bayes.diagnostics.metrics import *  # noqa: F403
from bayes.diagnostics.metrics import __all__ as _numbers
from bayes.diagnostics.plots import *  # noqa: F403
from bayes.diagnostics.plots import __all__ as _pictures

__all__ = ["metrics", "plots", *_numbers, *_pictures]
