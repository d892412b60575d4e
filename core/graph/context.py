"""What a call inherits from the calls around it, per thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class CallContext(threading.local):
    """Attributes:
    training: the phase that the outermost call was given, None where it was not.
    depth: how many layer calls are open.
    abstract: whether the call only finds shapes, so that nothing may be recorded or kept.
    """

    training: bool | None = None
    depth: int = 0
    abstract: bool = False


CONTEXT = CallContext()


@contextlib.contextmanager
def abstract_call() -> Iterator[None]:
    """A call inside this block only finds shapes."""
    before = CONTEXT.abstract
    CONTEXT.abstract = True
    try:
        yield
    finally:
        CONTEXT.abstract = before
