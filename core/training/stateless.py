"""The stateless forms of a model's loss, and its state as one value: for loops that keep the variables' values themselves."""

from __future__ import annotations

from typing import Any

from core import ops
from core.backend.journal import TRACING, journal, swapped
from core.base import tree

_Base: Any = object  # for type checkers, a mixin has all that the rest of the trainer has


class StatelessForms(_Base):
    """What a hand-written functional loop calls on a model."""

    def stateless_compute_loss(
        self,
        trainable_variables,
        non_trainable_variables,
        metrics_variables,
        x=None,
        y=None,
        y_pred=None,
        sample_weight=None,
        training=True,
    ):
        """`compute_loss` as a pure function: `(loss, (trainable, non_trainable, metrics) values)`."""
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        holders = [v for group in groups for v in group]
        values = [self.backend.as_functional(v) for v in (*trainable_variables, *non_trainable_variables, *metrics_variables)]
        with TRACING, swapped(holders, values), journal() as notes:
            try:
                loss = self.compute_loss(x, y, y_pred, sample_weight, training)
                new = tuple([v._value for v in group] for group in groups)
            finally:
                notes.take_back()
        return loss, new

    def compute_loss_and_updates(
        self, trainable_variables, non_trainable_variables, metrics_variables, x, y, sample_weight, training=False, optimizer_variables=None
    ):
        """A stateless forward pass and loss: `(loss, (unscaled_loss, y_pred, non_trainable_variables, metrics_variables))`."""
        y_pred, non_trainable_variables, losses = self.stateless_call(
            trainable_variables, non_trainable_variables, x, return_losses=True, training=training
        )
        loss, (_, non_trainable_variables, metrics_variables) = self.stateless_compute_loss(
            trainable_variables,
            non_trainable_variables,
            metrics_variables,
            x=x,
            y=y,
            y_pred=y_pred,
            sample_weight=sample_weight,
            training=training,
        )
        added = [extra for extra in losses if not _is_penalty(self, losses, extra)]
        for extra in added:
            loss = loss + ops.sum(extra)
        scaled = self.optimizer.scale_loss(loss) if training and self.optimizer is not None else loss
        return scaled, (loss, y_pred, non_trainable_variables, metrics_variables)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict:
        """All values by path: trainable, non-trainable, optimizer and metrics variables."""
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ValueError(f"value_format must be 'backend_tensor' or 'numpy_array', got {value_format!r}.")

        def values(variables: list) -> dict:
            nested: dict = {}
            for v in variables:
                *parents, last = v.path.split("/")
                place = nested
                for part in parents:
                    place = place.setdefault(part, {})
                place[last] = v.value if value_format == "backend_tensor" else v.numpy()
            return nested

        return {
            "trainable_variables": values(self.trainable_variables),
            "non_trainable_variables": values(self.non_trainable_variables),
            "optimizer_variables": values(self.optimizer.variables if self.optimizer is not None else []),
            "metrics_variables": values(self.metrics_variables),
        }

    def set_state_tree(self, state_tree: dict) -> None:
        """Sets what `get_state_tree` returned."""
        groups = {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": self.optimizer.variables if self.optimizer is not None else [],
            "metrics_variables": self.metrics_variables,
        }
        for key, nested in state_tree.items():
            if key not in groups:
                raise ValueError(f"A state tree has the keys {sorted(groups)}, got {key!r}.")
            by_path = {v.path: v for v in groups[key]}
            for path, value in tree.flatten_with_path(nested):
                by_path["/".join(map(str, path))].assign(value)

    def jax_state_sync(self) -> None:
        """Nothing to do here: variables always hold the current values. Kept so that Keras code runs."""


def _is_penalty(model: Any, losses: list, loss: Any) -> bool:
    """Whether a loss of `stateless_call` is one that `compute_loss` already counted: the penalties come last."""
    penalties = sum(v.regularizer is not None for v in model.trainable_weights)
    return any(loss is penalty for penalty in losses[len(losses) - penalties :]) if penalties else False
