"""Names of layers, variables and classes."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator

_counts: Counter[str] = Counter()
_local = threading.local()


def to_snake_case(name: str) -> str:
    """`"Conv2DTranspose"` as `"conv2d_transpose"`, the way layers are named.

    >>> to_snake_case("BatchNormalization"), to_snake_case("GRU"), to_snake_case("MyDense2")
    ('batch_normalization', 'gru', 'my_dense2')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """`name` the first time, then `name_1`, `name_2` and so on, until `reset_names`."""
    count = _counts[name]
    _counts[name] += 1
    return f"{name}_{count}" if count else name


def auto_name(prefix: str) -> str:
    """A fresh name from a class name or prefix."""
    return uniquify(to_snake_case(prefix))


def get_uid(prefix: str = "") -> int:
    """A number that grows by one at each call with the same prefix, from 1 on."""
    _counts[prefix] += 1
    return _counts[prefix]


def reset_names() -> None:
    """Starts all counts anew (`core.utils.clear_session`)."""
    _counts.clear()


@contextlib.contextmanager
def scope(name: str) -> Iterator[None]:
    """A prefix of variable paths inside a `with` block."""
    if not isinstance(name, str) or not name:
        raise ValueError(f"name_scope needs a non-empty string, got {name!r}.")
    stack = _local.__dict__.setdefault("stack", [])
    stack.append(name)
    try:
        yield
    finally:
        stack.pop()


def current_path() -> str:
    """The open scopes joined with slashes."""
    return "/".join(_local.__dict__.get("stack", ()))
