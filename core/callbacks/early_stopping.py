"""`EarlyStopping`: ends `fit` when a metric no longer gets better."""

from __future__ import annotations

from core.callbacks.monitor import MonitorCallback
from core.training.progress import print_msg


class EarlyStopping(MonitorCallback):
    """Stops training after `patience` epochs without improvement.

    Args:
        monitor: the metric to watch.
        min_delta: an improvement must be larger than this.
        patience: how many epochs without one are waited for.
        verbose: 1 to print when it acts.
        mode: `"auto"`, `"min"` or `"max"`.
        baseline: a value to beat; epochs that do not beat it count as waiting even where they improve.
        restore_best_weights: whether the model ends with the weights of its best epoch.
        start_from_epoch: epochs before this one are not looked at.
    """

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None, restore_best_weights=False,
                 start_from_epoch=0):  # fmt: skip
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait, self.stopped_epoch, self.best_epoch, self.best_weights = 0, 0, 0, None

    def on_train_begin(self, logs=None):
        self.wait, self.stopped_epoch, self.best_epoch, self.best_weights, self.best = 0, 0, 0, None, None

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:  # something to go back to, even if nothing ever improves
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
                return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
