"""What a trial, or the code that runs it, raises to say how bad it is."""

from __future__ import annotations


class FailedTrialError(Exception):
    """This trial cannot work (a combination that makes no sense): it is marked as failed, is not retried, and the search goes on."""


class FatalError(Exception):
    """The search itself is wrong: it stops at once."""


class FatalTypeError(FatalError, TypeError):
    """A `FatalError` that is a `TypeError`."""


class FatalValueError(FatalError, ValueError):
    """A `FatalError` that is a `ValueError`."""


class FatalRuntimeError(FatalError, RuntimeError):
    """A `FatalError` that is a `RuntimeError`."""


class TrialPruned(Exception):
    """Raised by an objective function once `trial.should_prune()` says so: the trial ends as pruned, which is no failure."""
