"""`ModelComparisonSimulator`: draws a model, then a simulation of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bayes.simulators.lambda_simulator import LambdaSimulator
from bayes.simulators.simulator import Simulator

KEY_CONFLICTS = ("drop", "fill", "error")


class ModelComparisonSimulator(Simulator):
    """Simulations of several models and `model_indices`, one-hot of shape `(batch, num_models)`, that tell which.

    Args:
        simulators: the models.
        p: prior probabilities of the models; or `logits`, their logarithms up to a constant. Equal by default.
        use_mixed_batches: whether each simulation has a model of its own, or each batch one.
        key_conflicts: what happens to names that not every model returns: "drop", "fill" (with `fill_value`) or "error".
        shared_simulator: draws values for all models first, such as a number of observations.

    >>> from bayes.simulators import TwoMoons
    >>> ModelComparisonSimulator([TwoMoons(), TwoMoons(-2.0, 2.0)]).sample(4, seed=0)["model_indices"].shape
    (4, 2)
    """

    def __init__(
        self,
        simulators: Sequence[Simulator],
        p: Sequence[float] | None = None,
        logits: Sequence[float] | None = None,
        use_mixed_batches: bool = True,
        key_conflicts: str = "drop",
        fill_value: float = np.nan,
        shared_simulator: Simulator | Callable | None = None,
    ):
        if len(simulators) < 2:
            raise ValueError(f"ModelComparisonSimulator compares two models or more, got {len(simulators)}.")
        if p is not None and logits is not None:
            raise ValueError("ModelComparisonSimulator takes p or logits, not both.")
        if key_conflicts not in KEY_CONFLICTS:
            raise ValueError(f"key_conflicts must be one of {KEY_CONFLICTS}, got {key_conflicts!r}.")
        if logits is not None:
            weights = np.exp(np.asarray(logits, "float64") - np.max(logits))
            probabilities = weights / weights.sum()
        else:
            probabilities = np.full(len(simulators), 1 / len(simulators)) if p is None else np.asarray(p, "float64")
        if probabilities.shape != (len(simulators),) or np.any(probabilities < 0) or not np.isclose(probabilities.sum(), 1):
            raise ValueError(f"{len(simulators)} models need as many probabilities that sum to 1, got {probabilities.tolist()}.")
        self.simulators, self.p, self.use_mixed_batches = list(simulators), probabilities, use_mixed_batches
        self.key_conflicts, self.fill_value = key_conflicts, fill_value
        if shared_simulator is not None and not isinstance(shared_simulator, Simulator):
            shared_simulator = LambdaSimulator(shared_simulator, shared=True)
        self.shared_simulator: Simulator | None = shared_simulator

    def draw(self, batch_shape: tuple[int, ...], rng: np.random.Generator, **kwargs: Any) -> dict[str, Any]:
        """Simulations of all models, in the order of the drawn models."""
        if len(batch_shape) != 1:
            raise ValueError(f"Model comparison draws a number of simulations, got the batch shape {batch_shape}.")
        total = batch_shape[0]
        shared: dict[str, Any] = {}
        if self.shared_simulator is not None:
            shared = self.shared_simulator.draw(batch_shape, rng, **kwargs)
        if self.use_mixed_batches:
            models = rng.choice(len(self.simulators), size=total, p=self.p)
        else:
            models = np.full(total, rng.choice(len(self.simulators), p=self.p))
        parts: dict[int, dict[str, Any]] = {
            int(m): self.simulators[m].draw((int(np.sum(models == m)),), rng, **{**kwargs, **shared}) for m in np.unique(models)
        }
        data = self._merged(parts, models)
        return {**data, **shared, "model_indices": np.eye(len(self.simulators), dtype="float32")[models]}

    def _merged(self, parts: dict[int, dict[str, Any]], models: np.ndarray) -> dict[str, Any]:
        names = list(dict.fromkeys(name for part in parts.values() for name in part))
        common = [name for name in names if all(name in part and np.ndim(part[name]) for part in parts.values())]
        if self.key_conflicts == "error" and len(common) < len(names):
            raise ValueError(f"Not every model returns {sorted(set(names) - set(common))}; use key_conflicts='drop' or 'fill'.")
        merged = {}
        for name in names if self.key_conflicts == "fill" else common:
            shapes = {np.shape(part[name])[1:] for part in parts.values() if name in part}
            if len(shapes) > 1:
                raise ValueError(f"The models return {name!r} in different shapes, {sorted(shapes)}; they must agree to be compared.")
            types = [np.asarray(part[name]).dtype for part in parts.values() if name in part]
            kind = np.result_type(*types) if name in common else np.result_type(*types, np.asarray(self.fill_value).dtype)
            values = np.full((len(models), *shapes.pop()), self.fill_value if name not in common else 0, dtype=kind)
            for model, part in parts.items():
                if name in part:
                    values[models == model] = part[name]
            merged[name] = values
        return merged
