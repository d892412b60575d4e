"""`DiskDataset`: simulations in files, read a batch at a time."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

import core
from bayes.adapters.adapter import Adapter, row_count
from bayes.datasets.augmentations import Augmentations, augmented
from bayes.datasets.invalid import check_policy, only_valid
from bayes.simulators.seeds import Seed, generator_of
from bayes.simulators.simulator import joined


class DiskDataset(core.utils.PyDataset):
    """Adapted batches of `.npz` files: each file holds one simulation, or, with `rows_per_file`, several.

    Args:
        root: the folder.
        pattern: which files.
        batch_size: how many files make a batch, each read when the batch is asked for.
        load_fn: path -> dict of arrays; reads `.npz` by default. Pickles run code as they load, so they are read only by a function given
            here.
        adapter: applied to each batch.
        batched_files: whether the arrays of a file have a batch axis; by default a file is one simulation.

    Raises:
        UnsafeArtifactError: the pattern names pickles and no `load_fn` is given.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        *,
        pattern: str = "*.npz",
        batch_size: int,
        load_fn: Callable[[pathlib.Path], dict[str, Any]] | None = None,
        adapter: Adapter | None,
        stage: str = "training",
        augmentations: Augmentations = None,
        shuffle: bool = True,
        batched_files: bool = False,
        invalid: str = "error",
        seed: Seed = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        folder = pathlib.Path(root)
        self.files = sorted(folder.glob(pattern))
        if not self.files:
            raise FileNotFoundError(f"No file in {str(folder)!r} matches {pattern!r}.")
        strange = next((f for f in self.files if f.suffix != ".npz"), None)
        if load_fn is None and strange is not None:
            raise core.saving.UnsafeArtifactError(
                f"{strange.name!r} is no .npz file. Pickles run code as they are loaded: write files with numpy.savez, or give load_fn."
            )
        self.batch_size, self.adapter, self.stage, self.augmentations = int(batch_size), adapter, stage, augmentations
        self.load_fn, self.batched_files, self.invalid = load_fn or _read, batched_files, check_policy(invalid)
        self.shuffled, self._rng = shuffle, generator_of(seed)
        if shuffle:
            self.shuffle()

    def __len__(self) -> int:
        return -(-len(self.files) // self.batch_size)

    num_batches = property(__len__)  # type: ignore[assignment]

    def get_batch_by_sample_indices(self, indices: Any) -> dict[str, np.ndarray]:
        """The adapted contents of the files of these numbers."""
        parts = [self.load_fn(self.files[i]) for i in indices]
        data = joined(parts) if self.batched_files else {k: np.stack([np.asarray(part[k]) for part in parts]) for k in parts[0]}
        row_count(data)
        data = augmented(data, self.augmentations)
        adapted = data if self.adapter is None else self.adapter.forward(data, stage=self.stage)
        return only_valid({k: v for k, v in adapted.items() if np.ndim(v)}, self.invalid)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"The data set has {len(self)} batches, there is no batch {index}.")
        return self.get_batch_by_sample_indices(range(index * self.batch_size, min((index + 1) * self.batch_size, len(self.files))))

    def shuffle(self) -> None:
        """Puts the files in a new order."""
        self.files = [self.files[i] for i in self._rng.permutation(len(self.files))]

    def on_epoch_end(self) -> None:
        if self.shuffled:
            self.shuffle()


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError) as error:
        raise core.saving.CorruptArtifactError(f"{path.name!r} cannot be read as an .npz file of numbers: {error}") from None
