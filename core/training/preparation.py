"""What happens before the first step: layers, metrics and the optimizer are built, and data that cannot fit is refused."""

from __future__ import annotations

from typing import Any

from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.base import tree
from core.graph import abstract
from core.layers.layer import Layer
from core.training import data as data_module
from core.training.data import unpack_x_y_sample_weight

_Base: Any = object  # for type checkers, a mixin has all that the rest of the trainer has


class Preparation(_Base):
    """Builds a compiled model from the shapes of its data."""

    def _build_for(self, source: Any) -> None:
        self._build_on(source.peek())

    def _is_ready(self) -> bool:
        return self.built and (self._compile_metrics is None or self._compile_metrics.built) and (
            self.optimizer is None or self.optimizer.built and self._optimizer_fits()
        )

    def _optimizer_fits(self) -> bool:
        return self.__dict__.get("_optimizer_for") == self._structure_key()

    def _build_on(self, batch: Any) -> None:
        """Builds layers, metrics and optimizer from the shapes of a batch, and refuses data that does not fit, before any step runs."""
        signature = _signature(batch)
        if signature in self.__dict__.get("_checked", ()) and self._is_ready():
            return
        x, y, _ = unpack_x_y_sample_weight(batch)
        y_pred = self._output_spec(tree.map_structure(_spec, x))
        if y_pred is None and not self._can_skip_call():
            with self.backend.no_grad():  # code that runs on real tensors only
                y_pred = tree.map_structure(_spec, self(x, training=False))
        self.built = True
        if y_pred is not None:
            self._fit_targets(None if y is None else tree.map_structure(_spec, y), y_pred)
        metrics = self._compile_metrics
        if metrics is not None and not metrics.built and not (metrics.given or metrics.weighted_given):
            metrics.parts = []
        if self.optimizer is not None:
            if not self.optimizer.built or not self._optimizer_fits():
                self.optimizer.build(self.trainable_variables)
            self.__dict__["_optimizer_for"] = self._structure_key()
        self.__dict__.setdefault("_checked", set()).add(signature)

    def _output_spec(self, specs: Any) -> Any:
        """The outputs for symbolic inputs, or None where only a call on real tensors can tell."""
        try:
            return abstract.output_spec(lambda inputs: self(inputs, training=False), specs)
        except Exception:  # a user's call may hold any framework code; the call on real tensors raises what is wrong
            if not self._overrides("train_step") and type(self).call is Layer.call:
                raise
            return None

    def _fit_targets(self, y: Any, y_pred: Any) -> None:
        """Matches losses and metrics with targets and outputs; raises where they cannot fit."""
        standard = not self._overrides("train_step") and not self._overrides("compute_loss")
        if self._compile_loss is not None and standard:
            if y is None:
                raise ValueError(f"Model {self.name!r} was compiled with a loss, which needs targets, but the data has no y.")
            self._compile_loss.check(y, y_pred)
        elif self._compile_loss is not None and self._compile_loss.parts is None:
            self._compile_loss.build(y, y_pred)
        if self._compile_metrics is not None and not self._compile_metrics.built and y is not None:
            self._compile_metrics.build(y, y_pred)

    def _can_skip_call(self) -> bool:
        """Whether the model trains by a step of its own and has no `call`."""
        from core.models.model import Model

        return type(self).call is Model.call

    def _check_targets(self, y: Any) -> None:
        """Class numbers that are NaN or beyond the outputs are refused before the first step."""
        if y is not None and self._compile_loss is not None:
            self._compile_loss.check_labels(y)

    def _validation_source(self, validation_data: Any, batch_size: int | None, steps: int | None) -> Any:
        if validation_data is None:
            return None
        if isinstance(validation_data, (tuple, list)) and len(validation_data) in (2, 3) and not hasattr(validation_data, "batches"):
            x, y, sample_weight = unpack_x_y_sample_weight(tuple(validation_data))
            return data_module.adapter(x, y, sample_weight, batch_size=batch_size, steps=steps, backend=self.backend)
        return data_module.adapter(validation_data, batch_size=batch_size, steps=steps, backend=self.backend)


def _spec(value: Any) -> Any:
    """The shape and dtype of a tensor, its batch axis unknown."""
    if not hasattr(value, "shape"):
        return value
    owner = slot.owner(value)
    dtype = owner.dtype(value) if owner is not None else value.dtype
    return KerasTensor((None, *tuple(value.shape)[1:]) if len(value.shape) else (), dtype)


def _signature(batch: Any) -> tuple:
    """What the checks of a batch depend on."""
    leaves, spec = tree.flatten_with_spec(batch)
    return spec, tuple([(tuple(x.shape[1:]), x.dtype) if hasattr(x, "shape") else x for x in leaves])
