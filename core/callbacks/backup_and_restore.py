"""`BackupAndRestore`: a `fit` that was interrupted goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

import numpy as np

from core.base.errors import CorruptArtifactError
from core.callbacks.callback import Callback
from core.saving.atomic import replacing

METADATA = "training_metadata.json"


class BackupAndRestore(Callback):
    """Saves the state of the run (weights, optimizer, metrics, seed of the shuffling, epoch and batch), and goes on from it in the next
    `fit`.

    A backup is a set of numbered files; the metadata file, which is replaced last and at once, says which set counts. So a crash while
    saving leaves the backup before.

    Args:
        backup_dir: a directory for one run alone.
        save_freq: `"epoch"`, or the number of batches between two backups.
        double_checkpoint: whether the backup before is kept as well, and used where the newest cannot be read.
        delete_checkpoint: whether a `fit` that came to its end removes its backup.

    Raises:
        CorruptArtifactError: the backup does not fit the model, or cannot be read.
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore needs a backup_dir, got an empty one.")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"save_freq must be 'epoch' or a positive number of batches, got {save_freq!r}.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq, self.double_checkpoint, self.delete_checkpoint = save_freq, double_checkpoint, delete_checkpoint
        self._epoch = self._batches = 0
        self._number = -1  # of the newest set

    @property
    def needs_batches(self) -> bool:
        """Whether it saves by batches."""
        return self.save_freq != "epoch"

    def on_train_begin(self, logs=None):
        entries = self._entries()
        self._number = entries[0]["number"] if entries else -1
        for i, entry in enumerate(entries):
            try:
                self._restore(entry)
                return
            except (OSError, ValueError) as error:
                if i + 1 == len(entries):
                    raise CorruptArtifactError(
                        f"The backup in {self.backup_dir!r} cannot be restored: {error} Remove the directory to train from the start."
                    ) from error

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            for entry in self._entries():
                self._remove(entry["number"])
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(self.backup_dir, METADATA))
            if not os.listdir(self.backup_dir):
                os.rmdir(self.backup_dir)

    def _weights(self, number: int) -> str:
        return os.path.join(self.backup_dir, f"backup-{number:06d}.weights.h5")

    def _state(self, number: int) -> str:
        return os.path.join(self.backup_dir, f"backup-{number:06d}.state.npz")

    def _remove(self, number: int) -> None:
        for path in (self._weights(number), self._state(number)):
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)

    def _entries(self) -> list[dict]:
        """What the metadata file tells: the newest backup first."""
        try:
            with open(os.path.join(self.backup_dir, METADATA)) as file:
                entries = json.load(file)["backups"]
            wanted = ("number", "epoch", "batch")
            if not all(isinstance(entry[key], int) and entry[key] >= 0 for entry in entries for key in wanted):
                raise TypeError("a number is not one")
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptArtifactError(
                f"The file {METADATA} in {self.backup_dir!r} is not that of a backup: {error}. Remove the directory."
            ) from error
        return entries

    def _extra(self) -> dict[str, list]:
        """The variables that the weights file does not hold."""
        model = self.model
        metrics = [v for metric in getattr(model, "metrics", ()) for v in metric.variables]
        return {"optimizer": list(model.optimizer.variables) if getattr(model, "optimizer", None) is not None else [], "metrics": metrics}

    def _save(self, epoch: int, batch: int) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        before = self._entries()
        self._number += 1
        self.model.save_weights(self._weights(self._number), overwrite=True)
        arrays: dict[str, Any] = {
            f"{group}/{i}": np.asarray(v.numpy()) for group, variables in self._extra().items() for i, v in enumerate(variables)
        }
        source = self._source()
        if source is not None:
            arrays["shuffle_seed"] = np.asarray(source.seed, np.uint64)
        with replacing(self._state(self._number)) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)
        kept = before[:1] if self.double_checkpoint else []
        entries = [{"number": self._number, "epoch": epoch, "batch": batch}, *kept]
        with replacing(os.path.join(self.backup_dir, METADATA)) as temporary, open(temporary, "w") as file:
            json.dump({"backups": entries}, file)
        for entry in before[len(kept) :]:
            self._remove(entry["number"])

    def _restore(self, entry: dict) -> None:
        extra = self._extra()
        with np.load(self._state(entry["number"]), allow_pickle=False) as file:
            arrays = dict(file)
        for group, variables in extra.items():
            found = [arrays.get(f"{group}/{i}") for i in range(len(variables))]
            for variable, value in zip(variables, found):
                if value is None or value.shape != tuple(variable.shape):
                    raise ValueError(
                        f"its {group} state does not fit: {variable.path} has shape {variable.shape}, the backup "
                        f"{getattr(value, 'shape', None)}."
                    )
        self.model.load_weights(self._weights(entry["number"]))
        for group, variables in extra.items():
            for i, variable in enumerate(variables):
                variable.assign(arrays[f"{group}/{i}"])
        source = self._source()
        if source is not None and "shuffle_seed" in arrays:
            source.seed = int(arrays["shuffle_seed"])
        self.model._initial_epoch, self.model._initial_batch = entry["epoch"], entry["batch"]

    def _source(self) -> Any:
        """The data of the running `fit`, where it shuffles."""
        source = getattr(self.model, "_fit_source", None)
        return source if getattr(source, "seed", None) is not None else None
