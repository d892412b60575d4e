"""Seeds as pairs of 32-bit words: what every random function draws from, on every backend.

`None` draws the words from NumPy's global generator, so that `np.random.seed` (and `core.utils.set_random_seed`) fixes them. Inside a
compiled function that would be the same draw at each call; there a state of the process is read and advanced instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import journal, slot
from core.backend.journal import Holder

MASK = 0xFFFFFFFF
_states: dict[str, ProcessState] = {}
_root: tuple[int, int] | None = None  # what the states start from, once `reseed` has drawn it


class ProcessState(Holder):
    """The seed state that unseeded draws in compiled functions share, one per backend."""

    __slots__ = ("backend", "path")

    def __init__(self, backend: Any):
        self.backend, self.path = backend, "core.random"
        self._value = fresh_state(backend, _root or fresh())


def fresh() -> tuple[int, int]:
    """Two words from NumPy's global generator."""
    first, second = np.random.randint(0, MASK, 2, dtype=np.uint32).tolist()
    return first, second


def fresh_state(backend: Any, words: tuple[int, int]) -> Any:
    """What a holder of a seed state holds at first."""
    with backend.init_scope():
        return backend.variable(np.array(words, backend.seed_dtype()), False)


def from_int(seed: int) -> tuple[int, int]:
    """The words of an integer seed; integers above 64 bits count modulo 2**64."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"A seed must be an integer, a SeedGenerator or None, got {seed!r}.")
    seed = int(seed)
    return seed & MASK, seed >> 32 & MASK


def resolved(seed: Any, backend: str) -> Any:
    """`seed` as two integers, or, from a generator, as a native tensor of shape (2,)."""
    if seed is None:
        if not in_transform(backend):
            return fresh()
        if backend not in _states:
            _states[backend] = ProcessState(slot.get(backend))
        return _states[backend].backend.next_seed(_states[backend])
    if isinstance(seed, int):
        return from_int(seed)
    return seed.next() if hasattr(seed, "next") else from_int(seed)


def in_transform(backend: str) -> bool:
    """Whether the code that runs is being traced, so that Python-side draws would be frozen."""
    return slot.get(backend).functions["tracing"]()


def journaled() -> bool:
    """Whether a lifted transform of this thread notes reads and writes."""
    return bool(journal._open and journal._stack())


def reseed() -> None:
    """Starts the process' states anew from NumPy's global generator, which stays where it is; `set_random_seed` calls this.

    How many states there are, or come later, then changes no draw of a seeded run.
    """
    global _root
    before = np.random.get_state()
    _root = fresh()
    np.random.set_state(before)
    for state in _states.values():
        state.put(state.backend.assign(state._value, state.backend.convert_to_tensor(np.array(_root, state.backend.seed_dtype()))))


def snapshot() -> tuple[Any, dict[str, np.ndarray]]:
    """The process' states, for `restore`."""
    return _root, {name: state.backend.convert_to_numpy(state._value) for name, state in _states.items()}


def restore(before: tuple[Any, dict[str, np.ndarray]]) -> None:
    """Puts the process' states back to a `snapshot`; one that came since starts as it would have started then."""
    global _root
    reseed()
    drawn, (_root, values) = _root, before
    for name, state in _states.items():
        words = values.get(name, np.array(_root or drawn, state.backend.seed_dtype()))
        state.put(state.backend.assign(state._value, state.backend.convert_to_tensor(words)))
