"""`LambdaSimulator`: a function as a simulator, called once for a whole batch or once for each simulation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayes.simulators.seeds import global_state_from
from bayes.simulators.simulator import Simulator
from bayes.simulators.support import as_supports

BATCH_NAMES = ("batch_shape", "batch_size")


class LambdaSimulator(Simulator):
    """What a function returns, stacked.

    Args:
        sample_fn: returns a dict of values. Its parameters are filled by name from what was drawn before; one named `rng` gets the
            seeded generator. A function that draws from `np.random` is seeded, too.
        is_batched: whether one call makes the whole batch; then a parameter `batch_shape` (or, an integer, `batch_size`) tells how many.
        support: the boxes of the drawn parameters by name, each `(lower, upper)`.
        shared: whether what it returns holds for a whole batch, such as a number of observations.

    >>> LambdaSimulator(lambda mu, rng: {"x": rng.normal(mu, 1.0, size=3)}).sample(4, mu=np.zeros((4, 1)), seed=0)["x"].shape
    (4, 3)
    """

    def __init__(
        self,
        sample_fn: Callable[..., Mapping[str, Any]],
        *,
        is_batched: bool = False,
        support: Mapping[str, Any] | None = None,
        shared: bool = False,
    ):
        if not callable(sample_fn):
            raise TypeError(f"LambdaSimulator needs a function that returns a dict, got {type(sample_fn).__name__}.")
        self.sample_fn, self.is_batched, self.shared = sample_fn, is_batched, shared
        self.support = as_supports(support)
        parameters = inspect.signature(sample_fn).parameters.values()
        self._open = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self._names = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        self._needed = [p.name for p in parameters if p.name in self._names and p.default is p.empty]
        self._first = self._needed[0] if self._needed else None

    def draw(
        self, batch_shape: tuple[int, ...], rng: np.random.Generator, _shared: frozenset[str] = frozenset(), **kwargs: Any
    ) -> dict[str, Any]:
        """One call for the batch, or one for each simulation. Names in `_shared` are passed whole to each."""
        given = {name: value for name, value in kwargs.items() if self._open or name in self._names}
        if "rng" in self._names and "rng" not in given:
            given["rng"] = rng
        self._fill_batch_names(given, batch_shape)
        missing = [name for name in self._needed if name not in given]
        if missing:
            raise ValueError(
                f"{self._label()} needs {missing}, which nothing before it in the simulator returns; drawn so far: {sorted(kwargs)}."
            )
        with global_state_from(rng):
            if self.is_batched or self.shared:
                return self._checked(self.sample_fn(**given))
            each = {k for k, v in given.items() if k not in _shared and np.shape(v)[: len(batch_shape)] == batch_shape}
            draws = []
            for index in np.ndindex(batch_shape):
                own = {k: v[index] if k in each else v for k, v in given.items()}
                draws.append(self._checked(self.sample_fn(**own)))
        return self._stacked(draws, batch_shape)

    def _fill_batch_names(self, given: dict[str, Any], batch_shape: tuple[int, ...]) -> None:
        if not (self.is_batched or self.shared):
            return
        size = batch_shape[0] if len(batch_shape) == 1 else batch_shape
        for name, value in zip(BATCH_NAMES, (batch_shape, size)):
            if name in self._names and name not in given:
                given[name] = value
        if self._first is not None and self._first not in given and not any(name in given for name in BATCH_NAMES):
            given[self._first] = batch_shape

    def _stacked(self, draws: list[dict[str, Any]], batch_shape: tuple[int, ...]) -> dict[str, Any]:
        stacked = {}
        for key in draws[0]:
            if any(key not in draw for draw in draws):
                raise ValueError(f"{self._label()} returned {key!r} in some calls only; each call must return the same names.")
            shapes = {np.shape(draw[key]) for draw in draws}
            if len(shapes) > 1:
                raise ValueError(
                    f"{self._label()} returned {key!r} in the shapes {sorted(shapes)[:4]} within one batch; those of a batch have one "
                    "shape. Let a shared value (meta_fn) tell the length, or pad."
                )
            stacked[key] = np.stack([np.asarray(draw[key]) for draw in draws]).reshape(*batch_shape, *shapes.pop())
        return stacked

    def _checked(self, result: Any) -> dict[str, Any]:
        if not isinstance(result, Mapping):
            raise TypeError(f"{self._label()} must return a dict of names to values, got {type(result).__name__}.")
        return dict(result)

    def _label(self) -> str:
        return f"The simulator function {getattr(self.sample_fn, '__name__', type(self.sample_fn).__name__)!r}"
