"""`ProgbarLogger`: the display of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

from core.callbacks.callback import Callback
from core.training.progress import Progbar, Values, print_msg

INTERVAL = 0.1  # seconds between two readings of the metrics, which wait for the device


class ProgbarLogger(Callback):
    """Shows a progress bar with the metrics: as `verbose` says, an updating line (1) or one line per epoch (2)."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: Progbar | None = None
        self._training = False
        self._steps: int | None = None
        self._seen = 0

    @property
    def needs_batches(self) -> bool:
        """False: the loop calls `advance`, and the metrics are read only when the line is drawn."""
        return False

    @property
    def verbose(self) -> int:
        """What `fit` was given; "auto" is 1."""
        verbose = self.params.get("verbose", 1)
        return 1 if verbose == "auto" else int(verbose)

    def advance(self, count: int, logs: Values | None = None) -> None:
        """`count` steps of the epoch are done. `logs`, a dict or a function that makes one, is read at most ten times a second."""
        self._seen = count
        if self.bar is not None:
            self.bar.update(count, logs, finalize=False)

    def _start(self) -> None:
        self._seen = 0
        self.bar = Progbar(self._steps if self._steps is not None else self.params.get("steps"), verbose=self.verbose, interval=INTERVAL)

    def _finish(self, logs: Any) -> None:
        if self.bar is None:
            return
        self._steps = self._seen or self._steps
        if self.bar.target is None or self._seen:
            self.bar.target = self._seen
        self.bar.update(self._seen, logs or {}, finalize=True)
        self.bar = None

    def on_train_begin(self, logs=None):
        self._training, self._steps = True, None

    def on_epoch_begin(self, epoch, logs=None):
        if self.verbose and self.params.get("epochs", 1) > 1:
            print_msg(f"Epoch {epoch + 1}/{self.params['epochs']}")
        self._start()

    def on_train_batch_end(self, batch, logs=None):
        self.advance(batch + 1, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._finish(logs)

    def on_train_end(self, logs=None):
        self._training = False

    def on_test_begin(self, logs=None):
        if not self._training:
            self._start()

    def on_test_batch_end(self, batch, logs=None):
        if not self._training:
            self.advance(batch + 1, logs)

    def on_test_end(self, logs=None):
        if not self._training:
            self._finish(logs)

    def on_predict_begin(self, logs=None):
        self._start()

    def on_predict_batch_end(self, batch, logs=None):
        self.advance(batch + 1)

    def on_predict_end(self, logs=None):
        self._finish(None)
