"""What diagnostics look at: posterior draws and true values as arrays with names, one column a scalar quantity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Arrays = Mapping[str, Any] | Any


@dataclasses.dataclass(frozen=True)
class Quantities:
    """Draws `(datasets, samples, quantities)`, true values `(datasets, quantities)` and names."""

    draws: np.ndarray
    truths: np.ndarray
    names: list[str]

    def result(self, values: Any, metric_name: str) -> dict[str, Any]:
        """What metrics return."""
        return {"values": np.asarray(values), "metric_name": metric_name, "variable_names": self.names}


def quantities(
    estimates: Arrays,
    targets: Arrays,
    variable_keys: Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    test_quantities: Mapping[str, Callable] | None = None,
) -> Quantities:
    """Draws and true values side by side.

    Args:
        estimates: draws `(datasets, samples, dim)`, an array or arrays by name.
        targets: true values `(datasets, dim)`, likewise; further names are passed over.
        variable_keys: which names; all of `estimates` by default.
        variable_names: other names for the columns.
        test_quantities: name -> function of the dict of variables, from `(..., dim)` to `(...)`; they come first.

    Raises:
        ValueError: shapes that do not belong together, or values that are not finite.
    """
    if not isinstance(estimates, Mapping):
        label = "v" if np.shape(estimates)[-1] > 1 else "v_0"
        estimates, targets = {label: estimates}, {label: targets}
    keys = list(estimates) if variable_keys is None else [variable_keys] if isinstance(variable_keys, str) else list(variable_keys)
    missing = [key for key in keys if key not in estimates or key not in targets]
    if missing:
        raise ValueError(f"Estimates {sorted(estimates)} and targets {sorted(targets)} must both hold {missing}.")
    draws, truths, labels = [], [], []
    for name, function in (test_quantities or {}).items():
        draws.append(np.asarray(function({k: np.asarray(v) for k, v in estimates.items()}))[..., None])
        truths.append(np.asarray(function({k: np.asarray(targets[k]) for k in estimates}))[..., None])
        labels.append(name)
    for key in keys:
        values, true = np.asarray(estimates[key], "float64"), np.asarray(targets[key], "float64")
        values = values.reshape(*values.shape[:2], -1)
        true = true.reshape(len(true), -1)
        if values.ndim != 3 or values.shape[0] != true.shape[0] or values.shape[2] != true.shape[1]:
            raise ValueError(
                f"{key!r}: draws must have the shape (datasets, samples, dim) and true values (datasets, dim), got "
                f"{np.shape(estimates[key])} and {np.shape(targets[key])}."
            )
        draws.append(values)
        truths.append(true)
        labels += [key] if values.shape[2] == 1 else [f"{key}_{i}" for i in range(values.shape[2])]
    if variable_names is not None:
        given = list(variable_names)
        if len(given) != len(labels) - len(test_quantities or {}):
            raise ValueError(f"{len(given)} variable_names were given for the columns {labels}.")
        labels = [*(test_quantities or {}), *given]
    found = Quantities(np.concatenate(draws, axis=-1), np.concatenate(truths, axis=-1), labels)
    if not (np.all(np.isfinite(found.draws)) and np.all(np.isfinite(found.truths))):
        raise ValueError("Draws or true values hold NaN or infinity; diagnostics of them would mean nothing.")
    return found
