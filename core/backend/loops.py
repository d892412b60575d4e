"""Control flow as plain Python, for frameworks that run eagerly. A backend passes its own `stack`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.base import tree


def scan_steps(xs, length: int | None, reverse: bool) -> range:
    """The indices of a scan, in order; an error where lengths differ or none is known."""
    lengths = {first_size(x) for x in tree.flatten(xs) if x is not None} | ({length} if length is not None else set())
    if len(lengths) != 1:
        raise ValueError(f"scan needs xs of one length, or `length`; got the lengths {sorted(lengths)}.")
    (steps,) = lengths
    return range(steps - 1, -1, -1) if reverse else range(steps)


def first_size(x) -> int:
    """The size of the first axis; an error where there is none."""
    if not len(x.shape):
        raise ValueError("What is gone through along its first axis must have one; got a scalar.")
    return x.shape[0]


def check_kept(name: str, before, after) -> None:
    """A `ValueError` unless a round of a loop returns what it got: the same structure, of the same shapes."""
    before, after = (tree.map_structure(lambda x: tuple(getattr(x, "shape", ())), part) for part in (before, after))
    if before != after and not _compatible(before, after):
        raise ValueError(f"{name} must return the structure and the shapes that it got, {before}; its function returned {after}.")


def _compatible(before, after) -> bool:
    """Whether two structures of shapes may be the same once the unknown dimensions are known."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_compatible(before[key], after[key]) for key in before)
    if isinstance(before, (tuple, list)) and type(before) is type(after) and len(before) == len(after):
        return all(map(_compatible, before, after))
    return before == after or before is None or after is None


def check_alike(name: str, results: Sequence) -> None:
    """A `ValueError` unless all branches returned one structure."""
    first, *others = (tree.map_structure(lambda x: tuple(getattr(x, "shape", ())), result) for result in results)
    for other in others:
        if tree.flatten_with_spec(first)[1] != tree.flatten_with_spec(other)[1]:
            raise ValueError(f"The branches of {name} must return one structure of tensors, got the shapes {first} and {other}.")


def carry_and_output(result) -> tuple:
    """What one step of a scan returned, checked to be a pair."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ValueError(f"scan needs a function that returns a pair, the new carry and an output, got {result!r}.")
    return tuple(result)


def row(xs, index):
    """Element `index` along the first axis of every tensor in a structure."""
    return tree.map_structure(lambda x: None if x is None else x[index], xs)


def stacked(rows, stack: Callable):
    """A list of equal structures as one structure of tensors with a new first axis."""
    return tree.map_structure(lambda *parts: None if parts[0] is None else stack(parts), *rows)


def functions(stack: Callable, as_tensor: Callable) -> dict[str, Callable]:
    """The control ops of a backend that runs eagerly."""

    def tensors(structure):
        return tree.map_structure(lambda x: as_tensor(x) if isinstance(x, (bool, int, float)) else x, structure)

    def cond(pred, true_fn, false_fn):
        return tensors(true_fn() if pred else false_fn())

    def switch(index, branches, *operands):
        return tensors(branches[min(max(int(index), 0), len(branches) - 1)](*operands))

    def while_loop(cond, body, loop_vars, maximum_iterations=None):
        several = isinstance(loop_vars, (tuple, list))
        values, count = loop_vars if several else (loop_vars,), 0
        while (maximum_iterations is None or count < maximum_iterations) and cond(*values):
            result = body(*values)
            result = tuple(result) if several and isinstance(result, (tuple, list)) else (result,)
            if count == 0:  # the first round tells
                check_kept("while_loop", tuple(values), result)
            values, count = result, count + 1
        return type(loop_vars)(values) if type(loop_vars) in (tuple, list) else values if several else values[0]

    def fori_loop(lower, upper, body_fun, init_val):
        value = init_val
        for i in range(int(lower), int(upper)):
            value = body_fun(i, value)
            if i == int(lower):
                check_kept("fori_loop", init_val, value)
        return value

    def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
        steps, ys = scan_steps(xs, length, reverse), []
        for i in steps:
            carry, y = carry_and_output(f(init, row(xs, i)))
            if not ys:
                check_kept("scan", init, carry)
            init = carry
            ys.append(tree.map_structure(lambda x: None if x is None else as_tensor(x), y))
        if not ys:
            raise ValueError("scan over no elements on an eager backend cannot tell the shape of its outputs; give at least one element.")
        return init, stacked(ys[::-1] if reverse else ys, stack)

    return {"cond": cond, "switch": switch, "while_loop": while_loop, "fori_loop": fori_loop, "scan": scan}
