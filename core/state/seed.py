"""`SeedGenerator`: the state that makes random draws new at each call and reproducible from the first."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import seeds, slot
from core.base import names
from core.state.module import Module
from core.state.variable import Variable


class SeedGenerator(Module):
    """Gives a new seed at each use. Its state is a variable, so that compiled functions advance it and files keep it.

    Args:
        seed: an integer; None draws one from NumPy's global generator.

    >>> generator = SeedGenerator(seed=1)
    >>> a, b = (core.random.normal((2,), seed=generator) for _ in range(2))  # differ
    """

    _public_module = "keras.random"  # where configs say it stands

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        backend = kwargs.pop("backend", None)
        if kwargs:
            raise TypeError(f"SeedGenerator got unexpected arguments {sorted(kwargs)}.")
        self.name = name if name is not None else names.auto_name("seed_generator")
        self._given = seed if seed is not None else seeds.fresh()[0]
        words = seeds.from_int(self._given)
        owner = slot.get(backend) if backend is not None else slot.active()
        with names.scope(self.name):
            state = np.array(words, owner.seed_dtype())
            self.state = Variable(
                state, dtype=owner.seed_dtype(), trainable=False, aggregation="none", name="seed_generator_state", backend=owner
            )

    @property
    def backend(self) -> Any:
        """Whose tensors `next` returns."""
        return self.state.backend

    @property
    def variables(self) -> list[Variable]:
        """The state."""
        return [self.state]

    def next(self, ordered: bool = True) -> Any:
        """The current state, an integer tensor of shape (2,); the state then counts one up. Draws are always in order here."""
        state = self.state
        return state.backend.next_seed(state)

    def get_config(self) -> dict:
        return {"seed": self._given}

    @classmethod
    def from_config(cls, config: dict) -> SeedGenerator:
        return cls(**config)
