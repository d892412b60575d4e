"""`TensorBoard`: logs that TensorBoard shows."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from core.callbacks import event_file
from core.callbacks.callback import Callback


class TensorBoard(Callback):
    """Writes metrics, weight histograms and images as TensorBoard event files; neither TensorBoard nor TensorFlow is needed to write them.

    Metrics of epochs are called `epoch_...`, those of batches `batch_...`, in the folders `train` and `validation` of `log_dir`.

    Args:
        log_dir: where to; start `tensorboard --logdir` there.
        histogram_freq: every how many epochs histograms of the weights are written; 0 for never.
        write_graph: whether the model's configuration is written, as text.
        write_images: whether weight matrices are written as images, together with the histograms.
        write_steps_per_second: whether the speed is written.
        update_freq: `"epoch"`, `"batch"`, or every how many batches the metrics are written.
        profile_batch, embeddings_freq, embeddings_metadata: must stay unset: profile with the framework's own profiler, and write
            embeddings with its projector plugin.
    """

    def __init__(self, log_dir="logs", histogram_freq=0, write_graph=True, write_images=False, write_steps_per_second=False,
                 update_freq="epoch", profile_batch=0, embeddings_freq=0, embeddings_metadata=None):  # fmt: skip
        super().__init__()
        for name, value in (
            ("profile_batch", profile_batch),
            ("embeddings_freq", embeddings_freq),
            ("embeddings_metadata", embeddings_metadata),
        ):
            if value:
                tool = "jax.profiler, torch.profiler or tf.profiler" if name == "profile_batch" else "the projector plugin of tensorboard"
                raise ValueError(f"TensorBoard takes no {name} here, got {value!r}; use {tool} next to this callback.")
        if update_freq != "epoch" and update_freq != "batch" and not (isinstance(update_freq, int) and update_freq > 0):
            raise ValueError(f"update_freq must be 'epoch', 'batch' or a positive number of batches, got {update_freq!r}.")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph, self.write_images = histogram_freq, write_graph, write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._files: dict[str, event_file.EventFile] = {}
        self._steps = self._tests = 0
        self._training = False

    @property
    def needs_batches(self) -> bool:
        """Whether it writes by batches, or the speed."""
        return self.update_freq != "epoch" or self.write_steps_per_second

    def _write(self, folder: str, step: int, *values: bytes) -> None:
        if folder not in self._files:
            self._files[folder] = event_file.EventFile(os.path.join(self.log_dir, folder))
        self._files[folder].write(step, *values)

    def summary(self, name: str, value: float, step: int | None = None, folder: str = "train") -> None:
        """Writes a number of your own; `step` is the number of batches trained on by default."""
        self._write(folder, self._steps if step is None else step, event_file.scalar(name, value))

    def on_train_begin(self, logs=None):
        self._training = True
        if self.write_graph and hasattr(self.model, "to_json"):
            try:
                described = self.model.to_json()
            except (ValueError, TypeError):  # a model of one's own class may have no config
                described = repr(self.model)
            self._write("train", 0, event_file.text("model", described))

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_started, self._epoch_steps = time.perf_counter(), self._steps

    def on_train_batch_begin(self, batch, logs=None):
        self._batch_started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self.write_steps_per_second:
            self.summary("batch_steps_per_second", 1 / max(time.perf_counter() - self._batch_started, 1e-9))
        if self.update_freq != "epoch" and self._steps % self.update_freq == 0:
            self._write("train", self._steps, *_scalars("batch_", logs))

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        optimizer = getattr(self.model, "optimizer", None)
        if hasattr(optimizer, "learning_rate"):
            logs["learning_rate"] = float(optimizer.learning_rate)
        if self.write_steps_per_second:
            logs["steps_per_second"] = (self._steps - self._epoch_steps) / max(time.perf_counter() - self._epoch_started, 1e-9)
        self._write("train", epoch, *_scalars("epoch_", {k: v for k, v in logs.items() if not k.startswith("val_")}))
        validation = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
        if validation:
            self._write("validation", epoch, *_scalars("epoch_", validation))
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        for file in self._files.values():
            file.flush()

    def _write_weights(self, epoch: int) -> None:
        for variable in self.model.weights:
            name, value = variable.path, np.asarray(variable.numpy())
            self._write("train", epoch, event_file.histogram(f"{name}/histogram", value))
            if self.write_images and value.ndim > 0:
                matrix = value.reshape(-1, value.shape[-1]) if value.ndim > 1 else value[None]
                self._write("train", epoch, event_file.image(f"{name}/image", matrix))

    def on_test_end(self, logs=None):
        if not self._training and logs:
            self._write("validation", self._tests, *_scalars("evaluation_", logs))
            self._tests += 1
            self._files["validation"].flush()

    def on_train_end(self, logs=None):
        self._training = False
        for file in self._files.values():
            file.close()
        self._files = {}


def _scalars(prefix: str, logs: Any) -> list[bytes]:
    return [event_file.scalar(prefix + name, float(value)) for name, value in (logs or {}).items() if np.ndim(value) == 0]
