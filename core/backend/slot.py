"""Which backend acts: found by tensor type first, by the active slot second.

The slot's order: the innermost `use` of this thread, `set_backend`, the environment (`CORE_BACKEND`, then `KERAS_BACKEND`),
the settings file, the first installed of jax, torch, tensorflow, numpy. Nothing is imported before it is needed.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import random
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from core.backend.protocol import Backend
from core.base import config, registry
from core.base.dtypes import standardize_dtype
from core.base.errors import BackendMixError, unknown_name

NAMES = ("jax", "torch", "tensorflow", "numpy")

_loaded: dict[str, Backend] = {}
_load_lock = threading.RLock()
OWNERS: dict[type, Backend | None] = {}  # tensor type -> its backend; None for what belongs to nobody


class _Slot(threading.local):
    backend: Backend | None = None  # set by `use`, per thread


_slot = _Slot()
_default: Backend | None = None  # set by `set_backend` or found once


def get(name: str | Backend) -> Backend:
    """The backend of that name, loaded where it is not yet."""
    if isinstance(name, Backend):
        return name
    if name in _loaded:
        return _loaded[name]
    if name not in NAMES:
        raise unknown_name("backend", name, NAMES)
    with _load_lock:
        if name not in _loaded:
            before = random.getstate(), np.random.get_state()
            try:
                module = importlib.import_module(f"core.backend.{name}")
            except ModuleNotFoundError as error:
                if error.name and error.name.startswith("core"):
                    raise
                raise ImportError(
                    f"The {name} backend needs the package {error.name!r}, which is not installed: pip install hornbeam[{name}]."
                ) from None
            finally:  # importing a framework may draw random numbers; a seed set before must give the same weights on all of them
                random.setstate(before[0])
                np.random.set_state(before[1])
            _loaded[name] = module.backend
            for kind in [kind for kind, owner in OWNERS.items() if owner is None]:
                del OWNERS[kind]  # what belonged to nobody may belong to this one
    return _loaded[name]


def _choose() -> str:
    for source in (os.environ.get("CORE_BACKEND"), os.environ.get("KERAS_BACKEND"), config.backend_in_file()):
        if source:
            return source
    packages = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
    return next((name for name, package in packages.items() if importlib.util.find_spec(package)), "numpy")


def active() -> Backend:
    """The backend that acts where no tensor decides."""
    global _default
    if _slot.backend is not None:
        return _slot.backend
    if _default is None:
        _default = get(_choose())
    return _default


def backend() -> str:
    """The name of the active backend: `"jax"`, `"torch"`, `"tensorflow"` or `"numpy"`. Loads nothing."""
    if _slot.backend is not None:
        return _slot.backend.name
    return _default.name if _default is not None else _choose()


def set_backend(backend: str) -> None:
    """Makes a backend the process' default one: "jax", "torch", "tensorflow" or "numpy". Existing models keep theirs."""
    global _default
    _default = get(backend)


@contextlib.contextmanager
def use(name: str | Backend) -> Iterator[Backend]:
    """Makes a backend the active one in this thread, inside a `with` block.

    >>> with use("numpy"):
    ...     backend()
    'numpy'
    """
    chosen, before = get(name), _slot.backend
    _slot.backend = chosen
    try:
        yield chosen
    finally:
        _slot.backend = before


def owner(value: Any) -> Backend | None:
    """The backend whose tensor `value` is; None for NumPy arrays, Python values and everything else."""
    kind = type(value)
    try:
        return OWNERS[kind]
    except KeyError:
        return _find_owner(kind)


def _find_owner(kind: type) -> Backend | None:
    root = next((base.__module__.partition(".")[0] for base in kind.__mro__ if base.__module__.partition(".")[0] in _PACKAGES), None)
    found = None
    if root is not None:
        candidate = get(_PACKAGES[root])
        if issubclass(kind, candidate.tensor_types):
            found = candidate
        elif candidate.sparse is not None and issubclass(kind, candidate.sparse.TYPES):
            return candidate  # not entered: what is in the table may take the fast path of ops
    OWNERS[kind] = found
    return found


_PACKAGES = {"jax": "jax", "jaxlib": "jax", "torch": "torch", "tensorflow": "tensorflow"}


def owner_of(values: Iterable[Any]) -> Backend | None:
    """The one backend whose tensors are among `values`; an error where there are two."""
    found = None
    for value in values:
        one = owner(value)
        if one is None or one is found:
            continue
        if found is not None:
            raise BackendMixError(
                f"Tensors of two backends met in one call: {found.name} and {one.name}. "
                f"Convert one of them with core.ops.convert_to_numpy, or move the model with model.to_backend({found.name!r})."
            )
        found = one
    return found


def loaded() -> tuple[Backend, ...]:
    """The backends in use so far in this process."""
    return tuple(_loaded.values())


def _tensor_from_config(config: dict) -> Any:
    """A tensor of the active backend out of a config's nested list."""
    return active().convert_to_tensor(config["value"], standardize_dtype(config["dtype"]))


registry.SPECIAL["__tensor__"] = _tensor_from_config
