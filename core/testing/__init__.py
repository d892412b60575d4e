"""Conformance suites over the registries, for us and for whoever adds a backend, an op, a layer or an optimizer."""

__all__ = ["check_op"]


def check_op(op_name: str, backend_name: str) -> None:
    """Raises an `AssertionError` that lists all that is wrong with an op on a backend. See `core.testing.op_suite`.

    >>> check_op("add", "numpy")
    """
    from core.testing.op_suite import check

    check(op_name, backend_name)
