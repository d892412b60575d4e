"""What happens to simulations that are not finite: an error, or they are dropped and counted; never silently kept or replaced."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

POLICIES = ("error", "drop")


def check_policy(policy: str) -> str:
    """The policy, if it is one."""
    if policy not in POLICIES:
        raise ValueError(f"invalid must be one of {POLICIES}, got {policy!r}.")
    return policy


def valid_rows(data: Mapping[str, Any]) -> np.ndarray:
    """Which rows of a dict of arrays are finite in all arrays of floats; shape `(batch,)`."""
    found: np.ndarray | None = None
    for value in data.values():
        array = np.asarray(value)
        if array.dtype.kind == "f" and array.ndim:
            rows = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
            found = rows if found is None else found & rows
    return np.ones(0, bool) if found is None else found


def only_valid(data: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The data, if all rows are finite; else an error, or, with "drop", the finite rows and a warning with the count."""
    valid = valid_rows(data)
    if valid.all():
        return dict(data)
    bad = int((~valid).sum())
    if policy == "error":
        raise ValueError(invalid_message(data, bad, len(valid)))
    if not valid.any():
        raise ValueError(f"All {len(valid)} simulations hold NaN or infinity after the adapter; nothing is left to train on.")
    warn_dropped(bad, len(valid))
    return {k: np.asarray(v)[valid] if np.ndim(v) and len(v) == len(valid) else v for k, v in data.items()}


def invalid_message(data: Mapping[str, Any], bad: int, total: int) -> str:
    """The error text, with the names concerned."""
    names = sorted(k for k, v in data.items() if np.asarray(v).dtype.kind == "f" and not np.all(np.isfinite(v)))
    return (
        f"{bad} of {total} simulations hold NaN or infinity after the adapter, in {names}. Mend the simulator, fill the gaps with "
        "adapter.nan_to_num(..., return_mask=True), or give invalid='drop', which restricts the prior to where the simulator works."
    )


def warn_dropped(bad: int, total: int) -> None:
    """Tells how many were dropped and what that means."""
    warnings.warn(
        f"{bad} of {total} simulations ({100 * bad / total:.2g} %) were not finite and were dropped: the prior is restricted to "
        "parameters for which the simulator works.",
        stacklevel=4,
    )
