"""Callbacks: what acts during `fit`, `evaluate` and `predict`. Public as `core.callbacks`; each name is loaded when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.callbacks.backup_and_restore import BackupAndRestore
    from core.callbacks.callback import Callback, LambdaCallback
    from core.callbacks.callback_list import CallbackList
    from core.callbacks.early_stopping import EarlyStopping
    from core.callbacks.history import History
    from core.callbacks.learning_rates import LearningRateScheduler, ReduceLROnPlateau
    from core.callbacks.loggers import CSVLogger, RemoteMonitor
    from core.callbacks.model_checkpoint import ModelCheckpoint
    from core.callbacks.monitor import MonitorCallback
    from core.callbacks.progbar_logger import ProgbarLogger
    from core.callbacks.swap_ema_weights import SwapEMAWeights
    from core.callbacks.tensorboard import TensorBoard
    from core.callbacks.terminate_on_nan import TerminateOnNaN

# Public name -> the module that defines it.
_HOMES = {
    "BackupAndRestore": "backup_and_restore",
    "CSVLogger": "loggers",
    "Callback": "callback",
    "CallbackList": "callback_list",
    "EarlyStopping": "early_stopping",
    "History": "history",
    "LambdaCallback": "callback",
    "LearningRateScheduler": "learning_rates",
    "ModelCheckpoint": "model_checkpoint",
    "MonitorCallback": "monitor",
    "ProgbarLogger": "progbar_logger",
    "ReduceLROnPlateau": "learning_rates",
    "RemoteMonitor": "loggers",
    "SwapEMAWeights": "swap_ema_weights",
    "TensorBoard": "tensorboard",
    "TerminateOnNaN": "terminate_on_nan",
}

__all__ = [
    "BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler",
    "ModelCheckpoint", "MonitorCallback", "ProgbarLogger", "ReduceLROnPlateau", "RemoteMonitor", "SwapEMAWeights", "TensorBoard",
    "TerminateOnNaN",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'core.callbacks' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"core.callbacks.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
