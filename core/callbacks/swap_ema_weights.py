"""`SwapEMAWeights`: evaluates with the averaged weights."""

from __future__ import annotations

from typing import Any

from core.callbacks.callback import Callback


class SwapEMAWeights(Callback):
    """Puts the averages that the optimizer keeps (`use_ema=True`) into the model for evaluation and prediction, and takes them out after.

    Args:
        swap_on_epoch: whether they are put in at the end of each epoch instead, so that a `ModelCheckpoint` after this callback saves them,
            and taken out when the next epoch begins.
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._training = False
        self._kept: list | None = None  # the trained values while the averages are in the model

    def _swap_in(self) -> None:
        optimizer: Any = getattr(self.model, "optimizer", None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights needs an optimizer that keeps averages: compile with use_ema=True, for example Adam(use_ema=True)."
            )
        if self._kept is not None or not optimizer.built or int(optimizer.iterations.numpy()) == 0:
            return  # no step yet: the averages hold nothing
        variables = optimizer._trainable_variables
        self._kept = [(variable, variable.numpy().copy()) for variable in variables]
        optimizer.finalize_variable_values(variables)

    def _swap_out(self) -> None:
        for variable, value in self._kept or ():
            variable.assign(value)
        self._kept = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap_out()

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap_in()

    def on_train_begin(self, logs=None):
        self._training = True

    def on_train_end(self, logs=None):
        self._training, self._kept = False, None  # fit ends with the averages in the model

    def on_test_begin(self, logs=None):
        self._swap_in()

    def on_test_end(self, logs=None):
        if not (self.swap_on_epoch and self._training):  # else they stay in until the next epoch
            self._swap_out()

    def on_predict_begin(self, logs=None):
        self._swap_in()

    def on_predict_end(self, logs=None):
        self._swap_out()
