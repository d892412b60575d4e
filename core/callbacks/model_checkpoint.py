"""`ModelCheckpoint`: saves the model while it trains."""

from __future__ import annotations

import os
import warnings
from typing import Any

from core.callbacks.monitor import MonitorCallback
from core.training.progress import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, at the end of epochs or every so many batches.

    Args:
        filepath: where to; may hold fields like `{epoch:02d}` (from 1 on), `{batch}` and any metric, `{val_loss:.2f}`. It ends in `.keras`,
            or in `.weights.h5` with `save_weights_only`.
        monitor, mode: the metric that decides with `save_best_only`, and its direction.
        verbose: 1 to print when it saves.
        save_best_only: whether only an improvement is saved.
        save_weights_only: whether weights are saved instead of the whole model.
        save_freq: `"epoch"`, or the number of batches between two savings.
        initial_value_threshold: the value that the first saving must beat.
    """

    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False, mode="auto",
                 save_freq="epoch", initial_value_threshold=None):  # fmt: skip
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only, self.save_weights_only, self.save_freq = verbose, save_best_only, save_weights_only, save_freq
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"save_freq must be 'epoch' or a positive number of batches, got {save_freq!r}.")
        ending, why = (".weights.h5", " with save_weights_only=True") if save_weights_only else (".keras", "")
        if not self.filepath.endswith((ending,) if save_weights_only else (ending, ".h5")):
            raise ValueError(f"The filepath of ModelCheckpoint must end in {ending!r}{why}, got {self.filepath!r}.")
        self._epoch = self._batches = 0

    @property
    def needs_batches(self) -> bool:
        """Whether it saves by batches."""
        return self.save_freq != "epoch"

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _path(self, epoch: int, batch: int | None, logs: dict) -> str:
        fields: dict[str, Any] = {**logs, "epoch": epoch + 1}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except (KeyError, IndexError) as error:
            raise KeyError(f"The filepath {self.filepath!r} asks for {error}, which is not among {', '.join(sorted(fields))}.") from None

    def _save(self, epoch: int, batch: int | None, logs: dict | None) -> None:
        logs = logs or {}
        path = self._path(epoch, batch, logs)
        if self.save_best_only and not self._is_best(epoch, logs, path):
            return
        if self.verbose > 0 and not self.save_best_only:
            print_msg(f"\nEpoch {epoch + 1}: saving model to {path}")
        if os.path.isdir(path):
            raise IsADirectoryError(f"ModelCheckpoint would save to {path!r}, which is a directory; give the path of a file.")
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _is_best(self, epoch: int, logs: dict, path: str) -> bool:
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"ModelCheckpoint saves the best model by {self.monitor!r}, which is not among the metrics: {', '.join(logs)}.",
                stacklevel=4,
            )
            return False
        if not self._is_improvement(current, self.best):
            if self.verbose > 0:
                print_msg(
                    f"\nEpoch {epoch + 1}: {self.monitor} did not improve from "
                    f"{self.best if self.best is None else format(self.best, '.5f')}"
                )
            return False
        if self.verbose > 0:
            before = "None" if self.best is None else f"{self.best:.5f}"
            print_msg(f"\nEpoch {epoch + 1}: {self.monitor} improved from {before} to {current:.5f}, saving model to {path}")
        self.best = current
        return True
