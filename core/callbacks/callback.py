"""`Callback`: what users hook into the loop with."""

from __future__ import annotations

from typing import Any

BATCH_HOOKS = tuple(f"on_{phase}batch_{when}" for phase in ("", "train_", "test_", "predict_") for when in ("begin", "end"))
PHASE_HOOKS = tuple(f"on_{phase}_{when}" for phase in ("train", "test", "predict") for when in ("begin", "end"))
EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end")
HOOKS = (*EPOCH_HOOKS, *BATCH_HOOKS, *PHASE_HOOKS)


class Callback:
    """Base of callbacks. Override the hooks that you need; `logs` maps metric names to floats.

    The loop pauses to read the metrics after every batch only if some callback overrides a batch hook; hooks of epochs cost nothing.

    Attributes:
        model: the model that runs; setting its `stop_training` to True ends `fit` after the batch.
        params: a dict with `verbose`, `epochs` and `steps`.

    >>> class Print(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs["loss"])
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that runs."""
        return getattr(self, "_model", None)

    def set_params(self, params: dict[str, Any]) -> None:
        """Told by the loop: `verbose`, `epochs`, `steps`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Told by the loop: the model."""
        self._model = model

    @property
    def needs_batches(self) -> bool:
        """Whether any batch hook does something."""
        return any(getattr(type(self), hook) is not getattr(Callback, hook) or hook in self.__dict__ for hook in BATCH_HOOKS)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Before each epoch of `fit`, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """After each epoch of `fit`, validation included; `logs` has its metrics, those of validation as `val_...`."""

    def on_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """An older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """An older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before each batch of `fit`."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After each batch of `fit`; `logs` has the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before each batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After each batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Before each batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """After each batch of `predict`; `logs["outputs"]` has what came out."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """At the start of `fit`."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """At the end of `fit`; `logs` are those of its last epoch."""

    def on_test_begin(self, logs: dict | None = None) -> None:
        """At the start of `evaluate` or of a validation."""

    def on_test_end(self, logs: dict | None = None) -> None:
        """At the end of `evaluate` or of a validation."""

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """At the start of `predict`."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """At the end of `predict`."""


class LambdaCallback(Callback):
    """A callback out of functions, each given under the name of its hook.

    >>> seen = []
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)).on_epoch_end(0, {})
    >>> seen
    [0]
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None, on_train_batch_begin=None,
                 on_train_batch_end=None, **kwargs: Any):  # fmt: skip
        super().__init__()
        named = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin, "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin, "on_train_batch_end": on_train_batch_end,
        }  # fmt: skip
        for name, function in {**named, **kwargs}.items():
            if name.startswith("on_") and name not in HOOKS:
                raise ValueError(f"LambdaCallback knows no hook {name!r}; the hooks are {', '.join(HOOKS)}.")
            if function is not None:
                setattr(self, name, function)
