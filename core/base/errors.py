"""The exceptions that users meet. All are `ValueError`s, so that `except ValueError` written for Keras still works."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BackendMixError(ValueError):
    """Tensors of two frameworks met in one call."""


class ConfigError(ValueError):
    """A configuration holds a value that cannot be meant."""


class UnsafeArtifactError(ValueError):
    """A file asks for code, a path, a link or a name that is not on the allow-list."""


class ResourceLimitError(ValueError):
    """A file declares more bytes, members or levels than the limits allow."""


class CorruptArtifactError(ValueError):
    """A file is truncated, altered or not what its name says."""


class WeightMismatchError(ValueError):
    """The weights of a file and of a model do not fit; the message lists every one."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> ValueError:
    """A `ValueError` for an identifier that is not in a table; it lists the near ones.

    >>> print(unknown_name("optimizer", "adm", ["adam", "sgd"]))
    Unknown optimizer 'adm'; did you mean 'adam'? Known: adam, sgd.
    """
    known = sorted(set(map(str, known)))
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "."
    listed = f" Known: {', '.join(known)}." if known and len(known) <= 60 else ""
    return ValueError(f"Unknown {kind} {name!r}{hint}{listed}")
