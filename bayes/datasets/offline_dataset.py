"""`OfflineDataset`: batches of simulations that are in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import core
from bayes.adapters.adapter import Adapter, row_count
from bayes.datasets.augmentations import Augmentations, augmented
from bayes.datasets.invalid import check_policy, only_valid
from bayes.simulators.seeds import Seed, generator_of


class OfflineDataset(core.utils.PyDataset):
    """Adapted batches of a dict of arrays, in a new order each epoch.

    Args:
        data: simulations by name; arrays share their first axis.
        batch_size: rows of a batch; the last one may be smaller.
        adapter: applied to each batch, or, if it draws nothing at random, once to all.
        num_samples: how many rows are used; all by default.
        stage: "training" or "validation", told to the adapter.
        augmentations: applied before the adapter, anew in each epoch.
        shuffle: whether the order changes.
        invalid: what happens to rows that are not finite after the adapter: "error" or "drop" (with a warning and the count).
        seed: of the order.

    >>> data = OfflineDataset({"x": np.zeros((10, 2))}, batch_size=4, adapter=None)
    >>> [len(data[i]["x"]) for i in range(len(data))]
    [4, 4, 2]
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        batch_size: int,
        adapter: Adapter | None,
        num_samples: int | None = None,
        *,
        stage: str = "training",
        augmentations: Augmentations = None,
        shuffle: bool = True,
        invalid: str = "error",
        seed: Seed = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size!r}.")
        self.data = dict(data)
        rows = row_count(self.data)
        if num_samples is not None and not 1 <= num_samples <= rows:
            raise ValueError(f"num_samples must lie between 1 and the {rows} rows of the data, got {num_samples!r}.")
        self.num_samples = rows if num_samples is None else num_samples
        self.batch_size, self.adapter, self.stage = int(batch_size), adapter, stage
        self.augmentations, self.shuffled, self.invalid = augmentations, shuffle, check_policy(invalid)
        self._rng = generator_of(seed)
        self._order = np.arange(self.num_samples)
        self._adapted: dict[str, np.ndarray] | None = None
        if shuffle:
            self.shuffle()

    def adapted_arrays(self) -> dict[str, np.ndarray] | None:
        """All rows adapted at once, or None where augmentations or the adapter make each pass different."""
        if self.augmentations is not None or (self.adapter is not None and self.adapter.is_stochastic and self.stage == "training"):
            return None
        if self._adapted is None:
            self._adapted = self._adapt(self._rows(np.arange(self.num_samples)))
            self._order = self._order[self._order < row_count(self._adapted)]
        return self._adapted

    def _rows(self, rows: np.ndarray) -> dict[str, Any]:
        return {k: np.asarray(v)[rows] if np.ndim(v) else v for k, v in self.data.items()}

    def _adapt(self, data: dict[str, Any]) -> dict[str, np.ndarray]:
        adapted = data if self.adapter is None else self.adapter.forward(data, stage=self.stage)
        return only_valid({k: v for k, v in adapted.items() if np.ndim(v)}, self.invalid)

    def get_batch_by_sample_indices(self, indices: Any) -> dict[str, np.ndarray]:
        """The adapted rows of these numbers."""
        whole = self.adapted_arrays()
        if whole is not None:
            return {k: v[indices] for k, v in whole.items()}
        return self._adapt(augmented(self._rows(np.asarray(indices)), self.augmentations))

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"The data set has {len(self)} batches, there is no batch {index}.")
        return self.get_batch_by_sample_indices(self._order[index * self.batch_size : (index + 1) * self.batch_size])

    def __len__(self) -> int:
        return -(-len(self._order) // self.batch_size)

    num_batches = property(__len__)  # type: ignore[assignment]

    def shuffle(self) -> None:
        """Puts the rows in a new order."""
        self._rng.shuffle(self._order)

    def on_epoch_end(self) -> None:
        if self.shuffled:
            self.shuffle()
