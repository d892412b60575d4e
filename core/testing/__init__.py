"""Conformance suites over the registries, for us and for whoever adds a backend, an op, a layer or an optimizer."""

from typing import Any

__all__ = ["check_layer", "check_op"]


def check_op(op_name: str, backend_name: str) -> None:
    """Raises an `AssertionError` that lists all that is wrong with an op on a backend. See `core.testing.op_suite`.

    >>> check_op("add", "numpy")
    """
    from core.testing.op_suite import check

    check(op_name, backend_name)


def check_layer(make: Any, kwargs: dict | None, inputs: Any, backend: str, **options: Any) -> Any:
    """Raises an `AssertionError` that lists all that is wrong with a layer on a backend. See `core.testing.layer_suite` for the options.

    >>> import core
    >>> layer = check_layer(core.layers.Dense, {"units": 3}, (2, 4), "numpy", expected_output_shape=(2, 3))
    """
    from core.testing.layer_suite import check_layer as check

    return check(make, kwargs, inputs, backend, **options)
