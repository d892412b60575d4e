"""`HyperModel`: a model with open choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tuner.errors import FatalTypeError, FatalValueError
from tuner.space import HyperParameters


class HyperModel:
    """A model whose `build` (and `fit`) ask for hyperparameters.

    Override `build`, and `fit` where training has choices, too (batch size, epochs, augmentation).

    Args:
        name: for messages.
        tunable: False to build with the defaults only.

    >>> import core
    >>> class Net(HyperModel):
    ...     def build(self, hp):
    ...         return core.Sequential([core.Input((4,)), core.layers.Dense(hp.Int("units", 8, 32, step=8)), core.layers.Dense(1)])
    ...     def fit(self, hp, model, *args, **kwargs):
    ...         return model.fit(*args, batch_size=hp.Choice("batch_size", [16, 32]), **kwargs)
    >>> Net().build(HyperParameters()).layers[0].units
    8
    """

    def __init__(self, name: str | None = None, tunable: bool = True):
        self.name, self.tunable = name, tunable

    def build(self, hp: HyperParameters) -> Any:
        """The model for the values of `hp`."""
        raise FatalTypeError(f"{type(self).__name__} must define build(self, hp), which returns a model.")

    def fit(self, hp: HyperParameters, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Trains the model; returns a `History`, a number (smaller is better), or a dict of metrics."""
        return model.fit(*args, **kwargs)

    def declare_hyperparameters(self, hp: HyperParameters) -> None:
        """Declares hyperparameters before the first build; by default none."""


class FunctionHyperModel(HyperModel):
    """A hypermodel out of a function of `hp` that returns a model."""

    def __init__(self, build: Callable[[HyperParameters], Any]):
        super().__init__(name=getattr(build, "__name__", None))
        self._build = build

    def build(self, hp: HyperParameters) -> Any:
        return self._build(hp)


def hypermodel_of(hypermodel: Any) -> HyperModel | None:
    """A `HyperModel` of what the user gave: one, a function of `hp`, or None."""
    if hypermodel is None or isinstance(hypermodel, HyperModel):
        return hypermodel
    if isinstance(hypermodel, type):
        raise FatalValueError(
            f"hypermodel must be an instance or a function, got the class {hypermodel.__name__}; write {hypermodel.__name__}()."
        )
    if not callable(hypermodel):
        raise FatalValueError(f"hypermodel must be a HyperModel or a function of hp that returns a model, got {hypermodel!r}.")
    return FunctionHyperModel(hypermodel)
