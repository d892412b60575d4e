"""`ModelComparisonApproximator`: the probabilities of models given data, by a classifier of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import core
from bayes.adapters import Adapter
from bayes.approximators.approximator import CONDITIONS, SUMMARY, Approximator
from bayes.simulators.model_comparison_simulator import ModelComparisonSimulator
from core import layers, ops

INDICES = "model_indices"


@core.saving.register_keras_serializable("bayes")
class ModelComparisonApproximator(Approximator):
    """Posterior probabilities of models: a softmax over the classifier's logits, trained by cross-entropy on `model_indices`.

    Args:
        num_models: how many models there are.
        classifier_network: a layer from conditions `(batch, dim)` to features; a dense layer makes `num_models` logits of them.
        adapter: to `inference_conditions` or `summary_variables`, and `model_indices`, one-hot of shape `(batch, num_models)`.
        summary_network: from `summary_variables` to vectors.
        standardize: which of the two are standardized by the data.

    Radev et al. 2021 (arXiv:2004.10629).
    """

    standardizable = (CONDITIONS, SUMMARY)

    def __init__(
        self,
        *,
        num_models: int,
        classifier_network: Any,
        adapter: Adapter | None = None,
        summary_network: Any = None,
        standardize: str | Sequence[str] | None = "all",
        **kwargs: Any,
    ):
        super().__init__(adapter=adapter, summary_network=summary_network, standardize=standardize, **kwargs)
        if num_models < 2:
            raise ValueError(f"Comparison needs two models or more, got num_models={num_models!r}.")
        self.num_models, self.classifier_network = int(num_models), classifier_network
        self.logits_layer = layers.Dense(self.num_models, name="logits")

    def build_networks(self, shapes: Mapping[str, tuple]) -> None:
        if INDICES in shapes and shapes[INDICES][-1] != self.num_models:
            raise ValueError(f"{INDICES!r} must be one-hot of shape (batch, {self.num_models}), got {shapes[INDICES]}.")
        conditions = self.condition_shape(shapes)
        if conditions is None:
            raise ValueError(f"The adapter makes neither {CONDITIONS!r} nor {SUMMARY!r}; it makes {sorted(shapes)}.")
        if not self.classifier_network.built:
            self.classifier_network.build(conditions)
        if not self.logits_layer.built:
            self.logits_layer.build(self.classifier_network.compute_output_shape(conditions))

    def fit(  # type: ignore[override]
        self, dataset: Any = None, *, simulator: Any = None, simulators: Sequence | None = None, **kwargs: Any
    ) -> Any:
        """Trains on a data set, on simulations, or on fresh simulations of several `simulators`; see `Approximator.fit`."""
        if simulators is not None:
            simulator = ModelComparisonSimulator(simulators)
        return super().fit(dataset, simulator=simulator, **kwargs)

    def loss_of(self, batch: Mapping[str, Any], stage: str) -> Any:
        losses = ops.categorical_crossentropy(batch[INDICES], self.logits_of(batch, stage == "training"), from_logits=True)
        return ops.mean(losses)

    def logits_of(self, batch: Mapping[str, Any], training: bool = False) -> Any:
        """The logits of the models, of shape `(batch, num_models)`."""
        return self.logits_layer(self.classifier_network(self.conditions_of(batch, training), training=training))

    def predict(self, conditions: Any = None, *, probs: bool = True, **kwargs: Any) -> np.ndarray:  # type: ignore[override]
        """The posterior probabilities of the models for observations by name, of shape `(batch, num_models)`; logits without `probs`."""
        adapted = self.adapted_conditions(conditions)
        with core.backend.use(self.backend):
            logits = self.logits_of(self.tensors(adapted))
            return ops.convert_to_numpy(ops.softmax(logits, axis=-1) if probs else logits)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_models": self.num_models,
            "classifier_network": core.saving.serialize_keras_object(self.classifier_network),
        }
