"""How a workflow trains: optimizer, schedule, early stopping, checkpoints."""

from __future__ import annotations

import pathlib
from typing import Any

import core
from bayes.workflows.cooling import CoolDown, CoolingSchedule

WARMUP_SHARE = 0.05  # of the steps, in which the learning rate rises
WARMUP_START = 0.1  # of the learning rate
CLIP_NORM = 1.5
PATIENCE_SHARE = 0.2  # of the epochs, without a better validation loss
COOLING_SHARE = 0.1  # of the epochs, after which training ends


def make_schedule(learning_rate: float, steps: int) -> CoolingSchedule:
    """A learning rate that rises to `learning_rate`, then falls to zero along a cosine; and earlier where training is to end."""
    warmup = max(1, round(WARMUP_SHARE * steps))
    return CoolingSchedule(
        core.optimizers.schedules.CosineDecay(
            WARMUP_START * learning_rate, max(1, steps - warmup), warmup_target=learning_rate, warmup_steps=warmup
        )
    )


def make_optimizer(schedule: Any, weight_decay: float | None = None) -> Any:
    """Adam (AdamW with `weight_decay`) with clipped gradients."""
    if weight_decay:
        return core.optimizers.AdamW(schedule, weight_decay=weight_decay, global_clipnorm=CLIP_NORM)
    return core.optimizers.Adam(schedule, global_clipnorm=CLIP_NORM)


def make_callbacks(early_stopping: bool | int, epochs: int, has_validation: bool, given: Any, schedule: Any = None) -> list:
    """The caller's callbacks, and early stopping that ends with the weights of the best epoch, where there is validation data.

    `schedule` is the optimizer's, which can cool down before training stops where it is ours.
    """
    callbacks = list(given) if isinstance(given, (list, tuple)) else [] if given is None else [given]
    known = any(isinstance(c, core.callbacks.EarlyStopping) for c in callbacks)
    if early_stopping and has_validation and not known:
        patience = max(5, round(PATIENCE_SHARE * epochs)) if early_stopping is True else int(early_stopping)
        if isinstance(schedule, CoolingSchedule):
            callbacks.append(CoolDown(schedule, patience, max(3, round(COOLING_SHARE * epochs))))
        else:
            callbacks.append(core.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True))
    return callbacks


def make_checkpoint(folder: Any, name: str, weights_only: bool, best_only: bool, has_validation: bool) -> list:
    """A callback that writes `<folder>/<name>.keras` (or `.weights.h5`) after each epoch, or each better one."""
    if folder is None:
        return []
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    file = path / f"{name}{'.weights.h5' if weights_only else '.keras'}"
    monitor = "val_loss" if has_validation else "loss"
    return [core.callbacks.ModelCheckpoint(file, monitor=monitor, mode="min", save_best_only=best_only, save_weights_only=weights_only)]
