"""`History`: what `fit` returns."""

from __future__ import annotations

from core.callbacks.callback import Callback


class History(Callback):
    """Collects the logs of each epoch. `fit` adds one by itself and returns it.

    Attributes:
        history: metric name -> list of values, one per epoch.
        epoch: the epochs that the values belong to.

    >>> h = History(); h.on_train_begin(); h.on_epoch_end(0, {"loss": 0.5}); h.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs=None):
        self.history, self.epoch = {}, []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
