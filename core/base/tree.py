"""Nested structures of lists, tuples, dicts and named tuples (public as `core.tree`), over optree. None is a leaf."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

NAMESPACE = "core"


class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in a place."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container rather than a leaf."""
    return not optree.tree_is_leaf(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten(structure: Any) -> list:
    """The leaves from left to right; dicts in the order of their sorted keys."""
    return optree.tree_leaves(structure, none_is_leaf=True, namespace=NAMESPACE)


def flatten_with_spec(structure: Any) -> tuple[list, optree.PyTreeSpec]:
    """The leaves, and the (hashable) structure that they came from."""
    return optree.tree_flatten(structure, none_is_leaf=True, namespace=NAMESPACE)


def unflatten(spec: optree.PyTreeSpec, leaves) -> Any:
    """The structure `spec` with these leaves."""
    return optree.tree_unflatten(spec, leaves)


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of path and leaf, where a path is a tuple of keys and indices."""
    paths, leaves, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True, namespace=NAMESPACE)
    return list(zip(paths, leaves))


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` applied leaf by leaf over structures of one shape."""
    if not structures:
        raise ValueError("map_structure needs at least one structure.")
    return optree.tree_map(func, *structures, none_is_leaf=none_is_leaf, namespace=NAMESPACE)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """`func` over the parts of the structures that stand at the leaves of the shallow one."""
    if not structures:
        raise ValueError("map_structure_up_to needs at least one structure.")
    spec = flatten_with_spec(shallow_structure)[1]
    parts = [spec.flatten_up_to(structure) for structure in structures]
    return unflatten(spec, [func(*values) for values in zip(*parts)])


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """An error where the nesting of two structures differs."""
    spec_a, spec_b = flatten_with_spec(a)[1], flatten_with_spec(b)[1]
    if spec_a != spec_b:
        raise ValueError(f"The structures differ: {spec_a} and {spec_b}.")


def assert_same_paths(a: Any, b: Any) -> None:
    """An error where the paths to the leaves of two structures differ."""
    paths_a, paths_b = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if paths_a != paths_b:
        raise ValueError(f"The paths differ: {sorted(map(str, paths_a ^ paths_b))} are in one structure only.")


def pack_sequence_as(structure: Any, flat_sequence) -> Any:
    """A flat sequence in the nesting of `structure`."""
    spec = flatten_with_spec(structure)[1]
    flat_sequence = list(flat_sequence)
    if spec.num_leaves != len(flat_sequence):
        raise ValueError(f"The structure has {spec.num_leaves} leaves, the flat sequence {len(flat_sequence)}.")
    return unflatten(spec, flat_sequence)


def lists_to_tuples(structure: Any) -> Any:
    """Every list in the structure as a tuple."""
    return traverse(lambda x: tuple(map(lists_to_tuples, x)) if isinstance(x, list) else None, structure)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """`func` over the shapes in a structure; a tuple or list of ints and Nones is a shape."""

    def is_shape(x: Any) -> bool:
        return isinstance(x, (tuple, list)) and all(d is None or isinstance(d, int) for d in x)

    return optree.tree_map(func, structure, is_leaf=is_shape, none_is_leaf=True, namespace=NAMESPACE)


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Walks a structure; what `func` returns replaces a part, None keeps it, `MAP_TO_NONE` puts None there."""

    def children(x: Any) -> Any:
        leaves = optree.tree_map(
            lambda part: traverse(func, part, top_down), x, is_leaf=lambda part: part is not x, none_is_leaf=True, namespace=NAMESPACE
        )
        return leaves

    def settled(result: Any) -> Any:
        return None if result is MAP_TO_NONE else result

    if top_down:
        result = func(structure)
        if result is not None:
            return settled(result)
        return children(structure) if is_nested(structure) else structure
    inner = children(structure) if is_nested(structure) else structure
    result = func(inner)
    return inner if result is None else settled(result)
