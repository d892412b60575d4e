"""`CallbackList`: several callbacks as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.callbacks.callback import HOOKS, Callback
from core.callbacks.history import History
from core.callbacks.progbar_logger import ProgbarLogger


class CallbackList(Callback):
    """Calls each hook of its callbacks in their order; the progress bar and the history come last.

    Args:
        callbacks: one callback or several, None for none.
        add_history: whether to add a `History` where there is none.
        add_progbar: whether to add a `ProgbarLogger` where there is none.
        model: told to all of them.
        params: `verbose`, `epochs` and `steps`, told to all of them.

    Attributes:
        needs_batches: whether any callback (the progress bar apart) overrides a batch hook.
        progress: the `ProgbarLogger`, or None. Where `needs_batches` is false, the loop calls `progress.advance(count, logs)` itself.
        standalone: whether no `fit` is running, so that `evaluate` is the user's own.
    """

    def __init__(self, callbacks: Any = None, add_history: bool = False, add_progbar: bool = False, model: Any = None, **params: Any):
        super().__init__()
        given: list[Any] = [callbacks] if callbacks is None or not isinstance(callbacks, Iterable) else list(callbacks)
        given = [] if given == [None] else given
        strange = [c for c in given if isinstance(c, type) or not all(hasattr(c, hook) for hook in ("set_model", "set_params", *HOOKS))]
        if strange:
            raise TypeError(
                f"callbacks must be Callback objects, got {strange[0]!r}; derive its class from core.callbacks.Callback and give an "
                "instance."
            )
        self.callbacks: list[Callback] = given
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in given):
            self.callbacks.append(ProgbarLogger())
        if add_history and not any(isinstance(c, History) for c in given):
            self.callbacks.append(History())
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self.progress = next((c for c in self.callbacks if isinstance(c, ProgbarLogger)), None)
        self.standalone = True
        self._needs_batches: bool | None = None
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Adds one at the end."""
        self.callbacks.append(callback)
        self._needs_batches = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells all of them."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tells all of them."""
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    @property
    def needs_batches(self) -> bool:
        """Whether any callback, the progress bar apart, overrides a batch hook."""
        if self._needs_batches is None:
            self._needs_batches = any(_needs_batches(c) for c in self.callbacks if c is not self.progress)
        return self._needs_batches

    def on_train_begin(self, logs: dict | None = None) -> None:
        """The start of `fit`."""
        self.standalone, self._needs_batches = False, None
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: dict | None = None) -> None:
        """The end of `fit`."""
        for callback in self.callbacks:
            callback.on_train_end(logs)
        self.standalone = True


def _needs_batches(callback: Any) -> bool:
    """A callback of another library (with Keras' hooks) is taken to need them."""
    return getattr(callback, "needs_batches", True)


def _forward(hook: str, counted: bool):
    if counted:

        def call(self: CallbackList, index: int, logs: dict | None = None) -> None:
            for callback in self.callbacks:
                getattr(callback, hook)(index, logs)
    else:

        def call(self: CallbackList, logs: dict | None = None) -> None:  # type: ignore[misc]
            for callback in self.callbacks:
                getattr(callback, hook)(logs)

    call.__name__ = hook
    call.__doc__ = f"`{hook}` of each callback in turn."
    return call


for _hook in HOOKS:
    if _hook not in vars(CallbackList):
        setattr(CallbackList, _hook, _forward(_hook, counted="epoch" in _hook or "batch" in _hook))
