"""`OnlineDataset`: fresh simulations for each batch."""

from __future__ import annotations

from typing import Any

import numpy as np

import core
from bayes.adapters.adapter import Adapter
from bayes.datasets.augmentations import Augmentations, augmented
from bayes.datasets.invalid import check_policy, invalid_message, valid_rows, warn_dropped
from bayes.simulators.seeds import Seed, generator_of
from bayes.simulators.simulator import Simulator, joined

MAX_ROUNDS = 100


class OnlineDataset(core.utils.PyDataset):
    """Adapted batches that a simulator draws when they are asked for; no two are the same.

    Args:
        simulator: draws `batch_size` simulations a batch.
        num_batches: batches of an epoch.
        adapter: applied to each batch.
        invalid: what happens to simulations that are not finite after the adapter: "error", or "drop", which draws until the batch is
            full and counts the dropped in `dropped` of `drawn`.
        seed: of the simulations.

    >>> from bayes.simulators import TwoMoons
    >>> OnlineDataset(TwoMoons(), batch_size=4, num_batches=2, adapter=None, seed=0)[0]["parameters"].shape
    (4, 2)
    """

    def __init__(
        self,
        simulator: Simulator,
        batch_size: int,
        num_batches: int,
        adapter: Adapter | None,
        *,
        stage: str = "training",
        augmentations: Augmentations = None,
        invalid: str = "error",
        seed: Seed = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if batch_size < 1 or num_batches < 1:
            raise ValueError(f"batch_size and num_batches must be at least 1, got {batch_size!r} and {num_batches!r}.")
        self.simulator, self.batch_size, self._num_batches, self.adapter = simulator, int(batch_size), int(num_batches), adapter
        self.stage, self.augmentations, self.invalid = stage, augmentations, check_policy(invalid)
        self.drawn, self.dropped, self._rng = 0, 0, generator_of(seed)

    def __len__(self) -> int:
        return self._num_batches

    num_batches = property(__len__)  # type: ignore[assignment]

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        batch = self._drawn()
        valid = valid_rows(batch)
        if valid.all():
            return batch
        if self.invalid == "error":
            raise ValueError(invalid_message(batch, int((~valid).sum()), len(valid)))
        parts, found = [], 0
        for _ in range(MAX_ROUNDS):
            self.dropped += int((~valid).sum())
            parts.append({k: v[valid] for k, v in batch.items()})
            found += int(valid.sum())
            if found >= self.batch_size:
                return {k: v[: self.batch_size] for k, v in joined(parts).items()}
            batch = self._drawn()
            valid = valid_rows(batch)
        raise ValueError(f"Only {found} valid simulations came out of {MAX_ROUNDS * self.batch_size}; mend the simulator.")

    def _drawn(self) -> dict[str, np.ndarray]:
        data = augmented(self.simulator.sample(self.batch_size, seed=self._rng), self.augmentations)
        self.drawn += self.batch_size
        adapted = data if self.adapter is None else self.adapter.forward(data, stage=self.stage)
        return {k: v for k, v in adapted.items() if np.ndim(v)}

    def report_dropped(self) -> None:
        """Warns of dropped simulations, with their count, if there were any."""
        if self.dropped:
            warn_dropped(self.dropped, self.drawn)
