"""Which loss, metric, target and weight belong to which output of a model."""

from __future__ import annotations

from typing import Any

from core.base import tree
from core.base.errors import unknown_name


def is_config(given: Any) -> bool:
    """Whether a dict describes one object, rather than one entry per output."""
    return isinstance(given, dict) and "class_name" in given and "config" in given


def entries(given: Any) -> list:
    """What stands in a structure of losses or metrics, in any nesting of lists and dicts."""
    if isinstance(given, dict) and not is_config(given):
        given = list(given.values())
    return [one for part in given for one in entries(part)] if isinstance(given, (list, tuple)) else [given]


def names_of(y_pred: Any, output_names: list[str] | None) -> list[str] | None:
    """The names of the outputs in flat order: keys of a dict, else the model's own names; None where there are none."""
    paths = [path for path, _ in tree.flatten_with_path(y_pred)]
    if isinstance(y_pred, dict) and all(len(path) == 1 for path in paths):
        return [str(path[0]) for path in paths]
    if output_names is not None and len(output_names) == len(paths):
        return list(output_names)
    if isinstance(y_pred, dict):
        return ["/".join(map(str, path)) for path in paths]
    return None


def spread(given: Any, names: list[str] | None, y_pred: Any, what: str, required: bool = False) -> list:
    """One entry of `given` (one for all, a list or a dict) for each output; with `required`, a dict must name every output."""
    count = len(tree.flatten(y_pred))
    if isinstance(given, dict) and not is_config(given):
        if _nested_alike(given, y_pred):
            return tree.flatten(given)
        keys = names if names is not None else [str(i) for i in range(count)]
        for key in given:
            if key not in keys:
                raise unknown_name(f"output in {what}", key, keys)
        missing = [key for key in keys if key not in given]
        if missing and required:
            raise ValueError(
                f"{what} has no entry for the outputs {missing}; give them a value each, or None. The model's outputs: {keys}."
            )
        return [given.get(name) for name in keys]
    if isinstance(given, (list, tuple)):
        flat = tree.flatten(given)
        if len(flat) != count:
            raise ValueError(f"{what} has {len(flat)} entries for a model of {describe(names, count)}.")
        return flat
    return [given] * count


def targets(y: Any, names: list[str] | None, y_pred: Any) -> list:
    """The target of each output, None where `y` has none: by name from a dict, else in order."""
    count = len(tree.flatten(y_pred))
    if isinstance(y, dict) and names is not None and not _nested_alike(y, y_pred):
        for key in y:
            if key not in names:
                raise unknown_name("output in y", key, names)
        return [y.get(name) for name in names]
    flat = tree.flatten(y)
    if len(flat) != count:
        raise ValueError(f"The model has {describe(names, count)}, y holds {len(flat)} targets: give one for each output.")
    return flat


def sample_weights(given: Any, names: list[str] | None, y_pred: Any) -> list:
    """The sample weight of each output; one alone counts for all."""
    count = len(tree.flatten(y_pred))
    if given is None:
        return [None] * count
    if isinstance(given, dict) and names is not None and not _nested_alike(given, y_pred):
        for key in given:
            if key not in names:
                raise unknown_name("output in sample_weight", key, names)
        return [given.get(name) for name in names]
    flat = tree.flatten(given)
    if len(flat) not in (1, count):
        raise ValueError(
            f"The model has {describe(names, count)}, sample_weight holds {len(flat)} entries; give one for all, or one for each."
        )
    return flat * count if len(flat) == 1 else flat


def describe(names: list[str] | None, count: int) -> str:
    """`"2 outputs (a, b)"`."""
    return f"{count} output{'s' * (count != 1)}" + (f" ({', '.join(names)})" if names else "")


def unique_label(label: str, taken: Any) -> str:
    """`label`, or `label_1` and so on where it is taken."""
    found, number = label, 0
    while found in taken:
        number += 1
        found = f"{label}_{number}"
    return found


def _nested_alike(given: Any, y_pred: Any) -> bool:
    return isinstance(y_pred, dict) and [p for p, _ in tree.flatten_with_path(given)] == [p for p, _ in tree.flatten_with_path(y_pred)]
