"""`Approximator`: a model trained on simulations, with the adapter that feeds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import core
from bayes.adapters import Adapter
from bayes.adapters.adapter import row_count
from bayes.approximators.standardization import Standardization
from bayes.datasets.offline_dataset import OfflineDataset
from bayes.datasets.online_dataset import OnlineDataset
from core import ops

SUMMARY, CONDITIONS, INFERENCE = "summary_variables", "inference_conditions", "inference_variables"
KNOWN = (INFERENCE, CONDITIONS, SUMMARY, "summary_mask", "sample_weight", "model_indices")
ADAPTATION_DRAWS = 2000  # simulations from which moments are taken where there is no data set to take them from
VALIDATION_ROWS = 4096  # that go through at once
ADAPTATION_BATCHES = 100  # batches from which they are taken where the data set is on disk


class Approximator(core.Model):
    """Base of approximators: a loss over dicts of arrays, standardization by the data, training from arrays, data sets or simulators.

    Subclasses define `loss_of(batch, stage)` and `build_networks(shapes)`.

    Args:
        adapter: from a simulator's names to `inference_variables`, `inference_conditions`, `summary_variables`.
        summary_network: from `summary_variables` to vectors.
        standardize: the names that are standardized by the data, "all", or None.
    """

    standardizable: tuple[str, ...] = (INFERENCE, CONDITIONS, SUMMARY)

    def __init__(
        self,
        *,
        adapter: Adapter | None = None,
        summary_network: Any = None,
        standardize: str | Sequence[str] | None = "all",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.adapter = Adapter() if adapter is None else adapter
        self.summary_network = summary_network
        self.standardize = standardize if standardize is None or isinstance(standardize, str) else list(standardize)
        chosen = self.standardizable if standardize == "all" else [standardize] if isinstance(standardize, str) else standardize or ()
        unknown = sorted(set(chosen) - set(self.standardizable))
        if unknown:
            raise ValueError(f"{type(self).__name__} can standardize {list(self.standardizable)} or 'all', got {unknown}.")
        self.standardizers = {name: Standardization(name=f"standardize_{name}") for name in chosen}
        self.data_shapes: dict[str, tuple] | None = None

    # ------------------------------------------------------------------------------------------ what subclasses define

    def loss_of(self, batch: Mapping[str, Any], stage: str) -> Any:
        """The scalar loss of an adapted batch."""
        raise TypeError(f"{type(self).__name__} must define loss_of(batch, stage).")

    def build_networks(self, shapes: Mapping[str, tuple]) -> None:
        """Creates the variables of the inference network for adapted data of these shapes."""
        raise TypeError(f"{type(self).__name__} must define build_networks(shapes).")

    # ------------------------------------------------------------------------------------------ building

    def build(self, data_shapes: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Creates all variables for adapted data of these shapes, by name, batch axis included."""
        shapes = {key: (None, *tuple(shape)[1:]) for key, shape in data_shapes.items() if key in KNOWN}
        self.check_shapes(shapes)
        for name in [name for name in self.standardizers if name not in shapes]:
            del self.standardizers[name]
        for name, layer in self.standardizers.items():
            if not layer.built:
                layer.build(shapes[name])
        if self.summary_network is not None and not self.summary_network.built:
            self.summary_network.build(shapes[SUMMARY])
        self.build_networks(shapes)
        self.data_shapes = shapes
        self.built = True

    def check_shapes(self, shapes: Mapping[str, tuple]) -> None:
        """Raises where the adapted data cannot be what the networks take."""
        if self.summary_network is not None and SUMMARY not in shapes:
            raise ValueError(f"There is a summary network, but the adapter makes no {SUMMARY!r}; it makes {sorted(shapes)}.")
        if self.summary_network is None and SUMMARY in shapes:
            raise ValueError(f"The adapter makes {SUMMARY!r}, but there is no summary network: give one, or use {CONDITIONS!r}.")
        for name in (INFERENCE, CONDITIONS):
            if name in shapes and len(shapes[name]) != 2:
                raise ValueError(
                    f"{name!r} must have the shape (batch, dim), got {shapes[name]}; use a summary network for structured data."
                )

    def build_from_data(self, adapted_data: Mapping[str, Any]) -> None:
        """Creates all variables for the shapes of an adapted batch."""
        self.build({key: np.shape(value) for key, value in adapted_data.items()})

    def get_build_config(self) -> dict | None:
        return None if self.data_shapes is None else {"data_shapes": {k: list(v) for k, v in self.data_shapes.items()}}

    def build_from_config(self, config: dict) -> None:
        shapes = (config or {}).get("data_shapes")
        if not isinstance(shapes, dict) or not all(isinstance(s, (list, tuple)) for s in shapes.values()):
            raise core.saving.ConfigError(f"The build config of {type(self).__name__} must hold shapes by name, got {config!r}.")
        if not self.built:
            self.build(shapes)

    def condition_shape(self, shapes: Mapping[str, tuple]) -> tuple | None:
        """The shape of what the inference network is conditioned on: conditions, then summaries."""
        size = shapes[CONDITIONS][-1] if CONDITIONS in shapes else 0
        if self.summary_network is not None:
            size += self.summary_network.compute_output_shape(shapes[SUMMARY])[-1]
        return (None, size) if size else None

    # ------------------------------------------------------------------------------------------ computing

    def standardized(self, name: str, value: Any) -> Any:
        """A variable by its moments, where it has some."""
        return self.standardizers[name](value) if name in self.standardizers else value

    def conditions_of(self, batch: Mapping[str, Any], training: bool = False) -> Any:
        """What the inference network is conditioned on, of shape `(batch, dim)`, or None."""
        parts = []
        if batch.get(CONDITIONS) is not None:
            parts.append(self.standardized(CONDITIONS, batch[CONDITIONS]))
        if self.summary_network is not None:
            parts.append(self.summaries_of(batch, training))
        return None if not parts else parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)

    def summaries_of(self, batch: Mapping[str, Any], training: bool = False) -> Any:
        """The summary network's vectors, of shape `(batch, summary_dim)`."""
        mask = batch.get("summary_mask")
        options = {} if mask is None else {"mask": ops.cast(mask, "bool")}
        return self.summary_network(self.standardized(SUMMARY, batch[SUMMARY]), training=training, **options)

    def call(self, data: Mapping[str, Any], training: bool = False) -> Any:
        """The loss of an adapted batch; a scalar."""
        return self.loss_of(data, "training" if training else "validation")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss that `call` returned, plus what layers added."""
        return sum((ops.sum(loss) for loss in self.losses), y_pred)

    # ------------------------------------------------------------------------------------------ training

    def build_dataset(
        self, *, simulator: Any, batch_size: int = 64, num_batches: int, adapter: Adapter | None = None, **kwargs: Any
    ) -> OnlineDataset:
        """A data set of fresh simulations for each batch."""
        return OnlineDataset(simulator, batch_size, num_batches, self.adapter if adapter is None else adapter, **kwargs)

    def fit(  # type: ignore[override]
        self,
        dataset: Any = None,
        *,
        simulator: Any = None,
        data: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        num_batches: int = 100,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on a data set, on fresh simulations, or on a dict of simulations; returns a `History`.

        Args:
            dataset: `OfflineDataset`, `OnlineDataset`, `DiskDataset`, or any iterable of adapted batches.
            simulator: draws `num_batches` batches of `batch_size` (64 by default) an epoch.
            data: simulations by name, before the adapter.
            validation_data: a data set, or simulations by name.
            kwargs: of `core.Model.fit`: `epochs`, `verbose`, `callbacks`...
        """
        if sum(source is not None for source in (dataset, simulator, data)) != 1:
            raise ValueError("fit needs exactly one of dataset, simulator, data.")
        if not self.compiled:
            self.compile("adam")
        if simulator is not None:
            dataset = self.build_dataset(simulator=simulator, batch_size=batch_size or 64, num_batches=num_batches)
        elif data is not None:
            dataset = OfflineDataset(data, batch_size or 64, self.adapter)
        if isinstance(validation_data, Mapping) and INFERENCE not in validation_data:
            validation_data = OfflineDataset(
                validation_data, getattr(dataset, "batch_size", 64), self.adapter, stage="validation", shuffle=False
            )
        self.prepare(dataset)
        arrays = dataset.adapted_arrays() if isinstance(dataset, OfflineDataset) else None
        held_out, held_out_size = validation_data, batch_size
        whole = held_out.adapted_arrays() if isinstance(held_out, OfflineDataset) else None
        if whole is not None:
            held_out, held_out_size = (whole, None), min(rows_in(whole), VALIDATION_ROWS)
        if arrays is not None:
            return super().fit(
                arrays, batch_size=dataset.batch_size, shuffle=dataset.shuffled, validation_data=held_out,
                validation_batch_size=held_out_size, **kwargs,
            )  # fmt: skip
        return super().fit(dataset, validation_data=held_out, validation_batch_size=held_out_size, **kwargs)

    def prepare(self, dataset: Any) -> None:
        """Builds the networks for a data set and takes the moments for standardization from it, once."""
        whole = dataset.adapted_arrays() if isinstance(dataset, OfflineDataset) else None
        first = whole if whole is not None else dataset[0]
        if not self.built:
            self.build_from_data(first)
        waiting = {name: layer for name, layer in self.standardizers.items() if not layer.is_adapted}
        if not waiting:
            return
        if whole is not None:
            parts = [whole]
        elif isinstance(dataset, OnlineDataset):
            parts = [first, *(dataset[0] for _ in range(max(0, ADAPTATION_DRAWS // dataset.batch_size)))]
        else:
            parts = [dataset[i] for i in range(min(len(dataset), ADAPTATION_BATCHES))]
        for name, layer in waiting.items():
            layer.adapt(part[name] for part in parts)

    # ------------------------------------------------------------------------------------------ inference

    def adapted_conditions(self, conditions: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
        """Observations by name through the adapter, checked against the shapes of training."""
        if not self.built:
            raise ValueError(f"{type(self).__name__} has not been trained: fit it before it is asked for anything.")
        adapted = {}
        if conditions is not None:
            missing = TypeError(f"conditions must be a dict of arrays by name, got {type(conditions).__name__}.")
            if not isinstance(conditions, Mapping):
                raise missing
            adapted = self.adapter.forward(conditions, strict=False, stage="inference")
            adapted = {k: np.asarray(v) for k, v in adapted.items() if k in (CONDITIONS, SUMMARY, "summary_mask")}
        for name in (CONDITIONS, SUMMARY):
            if name not in (self.data_shapes or {}):
                continue
            if name not in adapted:
                raise ValueError(
                    f"conditions lack what {name!r} is made of; got {sorted(conditions or ())}. Give the names used in training."
                )
            self._check_one(name, adapted[name])
        return adapted

    def _check_one(self, name: str, value: np.ndarray) -> None:
        expected = (self.data_shapes or {})[name]
        fits = value.ndim == len(expected) and (value.ndim < 2 or value.shape[-1] == expected[-1])
        if not fits:
            hint = " Add the batch axis: x[None]." if value.ndim == len(expected) - 1 else ""
            raise ValueError(f"{name!r} had the shape {expected} in training, got {value.shape} for inference.{hint}")
        if value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            bad = int(np.sum(~np.isfinite(value.reshape(len(value), -1)).all(axis=1)))
            raise ValueError(f"{bad} of {len(value)} observations hold NaN or infinity in {name!r}; an answer for them would mean nothing.")

    def tensors(self, adapted: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays as tensors of the approximator's backend."""
        return {k: ops.convert_to_tensor(np.asarray(v, "float32") if np.asarray(v).dtype.kind == "f" else v) for k, v in adapted.items()}

    def summarize(self, conditions: Mapping[str, Any], **kwargs: Any) -> np.ndarray:
        """The summary network's vectors for observations by name, of shape `(batch, summary_dim)`."""
        if self.summary_network is None:
            raise ValueError("This approximator has no summary network, so there is nothing to summarize.")
        with core.backend.use(self.backend):
            return ops.convert_to_numpy(self.summaries_of(self.tensors(self.adapted_conditions(conditions))))

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "adapter": core.saving.serialize_keras_object(self.adapter),
            "summary_network": core.saving.serialize_keras_object(self.summary_network),
            "standardize": self.standardize,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Approximator:
        return cls(**core.saving.deserialize_keras_object(config, custom_objects=custom_objects))


def rows_in(data: Mapping[str, Any]) -> int:
    """The number of rows of adapted data."""
    return row_count({k: v for k, v in data.items() if k in KNOWN})
