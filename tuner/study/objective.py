"""What is optimised, and which way: an objective's direction is said, or stands in a table; it is never guessed from part of a name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DIRECTIONS = ("min", "max")

# Names of `core.metrics` and `core.losses` (and their usual short forms) under which logs and results report them.
_SMALLER = (
    "loss", "mae", "mape", "mse", "msle", "rmse", "log_loss", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "root_mean_squared_error", "binary_crossentropy", "categorical_crossentropy",
    "sparse_categorical_crossentropy", "binary_focal_crossentropy", "categorical_focal_crossentropy", "crossentropy", "kl_divergence",
    "kullback_leibler_divergence", "poisson", "hinge", "squared_hinge", "categorical_hinge", "log_cosh", "logcosh", "huber",
    "false_negatives", "false_positives", "error", "perplexity",
)  # fmt: skip
_LARGER = (
    "acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy", "top_k_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "balanced_accuracy", "auc", "roc_auc", "pr_auc", "precision", "recall", "f1", "f1_score",
    "fbeta_score", "iou", "io_u", "binary_iou", "binary_io_u", "mean_iou", "mean_io_u", "one_hot_iou", "one_hot_io_u", "one_hot_mean_iou",
    "one_hot_mean_io_u", "dice", "cosine_similarity", "pearson_correlation", "concordance_correlation", "r2", "r2_score",
    "precision_at_recall", "recall_at_precision", "sensitivity_at_specificity", "specificity_at_sensitivity", "true_negatives",
    "true_positives",
)  # fmt: skip
KNOWN_DIRECTIONS: dict[str, str] = {**dict.fromkeys(_SMALLER, "min"), **dict.fromkeys(_LARGER, "max")}


class Objective:
    """A metric's name with the direction in which it is better.

    Args:
        name: the name under which the metric is reported: `"val_accuracy"`, `"loss"`, ...
        direction: `"min"` or `"max"`.

    >>> objective = Objective("val_f1", "max")
    >>> objective.better_than(0.9, 0.8), objective.has_value({"loss": 1.0}), objective.get_value({"val_f1": 0.9})
    (True, False, 0.9)
    """

    def __init__(self, name: str, direction: str):
        if not isinstance(name, str) or not name:
            raise ValueError(f"An Objective needs the name of a metric, got {name!r}.")
        if direction not in DIRECTIONS:
            raise ValueError(f"The direction of Objective {name!r} must be 'min' or 'max', got {direction!r}.")
        self.name, self.direction = name, direction

    @property
    def sign(self) -> int:
        """1 for `"min"`, -1 for `"max"`: `sign * value` is what samplers minimise."""
        return 1 if self.direction == "min" else -1

    def better_than(self, a: float, b: float) -> bool:
        """Whether `a` is strictly better than `b`."""
        return self.sign * a < self.sign * b

    def has_value(self, logs: Mapping[str, Any]) -> bool:
        """Whether `logs` reports this metric."""
        return self.name in logs

    def get_value(self, logs: Mapping[str, Any]) -> float:
        """This metric's value in `logs`; a `KeyError` that lists what was reported where it is missing."""
        if self.name not in logs:
            raise KeyError(f"The objective {self.name!r} was not reported; reported were: {', '.join(sorted(logs)) or 'none'}.")
        return float(logs[self.name])

    def get_config(self) -> dict[str, str]:
        """Name and direction, from which an equal objective can be made."""
        return {"name": self.name, "direction": self.direction}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((self.name, self.direction))

    def __repr__(self) -> str:
        return f'Objective(name="{self.name}", direction="{self.direction}")'


class DefaultObjective(Objective):
    """The single number that an objective function returns, smaller is better."""

    def __init__(self) -> None:
        super().__init__("default_objective", "min")


class MultiObjective(Objective):
    """The sum of several objectives, those to be maximised with a minus sign; smaller is better.

    >>> both = MultiObjective([Objective("val_loss", "min"), Objective("val_f1", "max")])
    >>> both.get_value({"val_loss": 1.0, "val_f1": 3.0})
    -2.0
    """

    def __init__(self, objectives: Sequence[Objective]):
        super().__init__("multi_objective", "min")
        self.objectives = list(objectives)

    def has_value(self, logs: Mapping[str, Any]) -> bool:
        return all(objective.has_value(logs) for objective in self.objectives)

    def get_value(self, logs: Mapping[str, Any]) -> float:
        return math.fsum(objective.sign * objective.get_value(logs) for objective in self.objectives)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "direction": self.direction, "objectives": [objective.get_config() for objective in self.objectives]}

    def __repr__(self) -> str:
        return f"MultiObjective({self.objectives})"


def direction_of(name: str) -> str | None:
    """`"min"` or `"max"` for a metric of the table, its `val_` and its number apart; None for any other.

    >>> direction_of("val_auc_1"), direction_of("cosine_similarity"), direction_of("neg_mean_squared_error")
    ('max', 'max', None)
    """
    bare = name.removeprefix("val_")
    return KNOWN_DIRECTIONS.get(bare) or KNOWN_DIRECTIONS.get(re.sub(r"_\d+$", "", bare))


def create_objective(objective: Any = None, direction: str | None = None) -> Objective:
    """The `Objective` that a user means by a name, an `Objective`, a list of those, or None (one number, minimised).

    Raises:
        ValueError: a name that is not in the table came without a direction.

    >>> create_objective("val_accuracy")
    Objective(name="val_accuracy", direction="max")
    """
    if isinstance(objective, Objective):
        if direction not in (None, objective.direction):
            raise ValueError(f"The {objective!r} says one direction and direction={direction!r} another; give one of them.")
        return objective
    if objective is None:
        return DefaultObjective() if direction in (None, "min") else Objective("default_objective", direction)
    if isinstance(objective, str):
        known = direction or direction_of(objective)
        if known is None:
            raise ValueError(
                f"Whether {objective!r} is better when it is smaller or larger cannot be known from its name; say so: "
                f"objective=tuner.Objective({objective!r}, direction='min') or direction='max'."
            )
        return Objective(objective, known)
    if isinstance(objective, Iterable) and not isinstance(objective, Mapping):
        parts = [create_objective(part) for part in objective]
        if not parts:
            raise ValueError("The list of objectives is empty; name at least one metric.")
        return parts[0] if len(parts) == 1 else MultiObjective(parts)
    raise TypeError(f"objective must be a name, a tuner.Objective or a list of them, got {objective!r} of type {type(objective).__name__}.")


def objective_from_config(config: Mapping[str, Any]) -> Objective:
    """The objective whose `get_config` this was."""
    if "objectives" in config:
        return MultiObjective([objective_from_config(part) for part in config["objectives"]])
    if config["name"] == "default_objective" and config["direction"] == "min":
        return DefaultObjective()
    return Objective(config["name"], config["direction"])
