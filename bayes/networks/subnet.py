"""The network inside an inference network, by name or as the user gives it."""

from __future__ import annotations

from typing import Any

from core import layers


def make_subnet(subnet: Any, known: dict[str, type[layers.Layer]], defaults: dict[str, Any], given: dict[str, Any] | None) -> layers.Layer:
    """A new layer: one of `known` by name, an instance of a class, or a copy of a layer.

    Args:
        defaults: arguments of the named ones, where `given` does not say otherwise.
        given: the user's `subnet_kwargs`.
    """
    check_subnet(subnet, known, given)
    if isinstance(subnet, str):
        return known[subnet](**{**defaults, **(given or {})})
    if isinstance(subnet, type):
        return subnet(**(given or {}))
    return type(subnet).from_config({key: value for key, value in subnet.get_config().items() if key != "name"})


def check_subnet(subnet: Any, known: dict[str, type[layers.Layer]], given: dict[str, Any] | None) -> None:
    """An error where `make_subnet` could not make one."""
    named = isinstance(subnet, str) and subnet in known
    if not (named or isinstance(subnet, layers.Layer) or isinstance(subnet, type) and issubclass(subnet, layers.Layer)):
        raise ValueError(f"A subnet is one of {sorted(known)}, a Layer class or a Layer, got {subnet!r}.")
    if given and isinstance(subnet, layers.Layer):
        raise ValueError("`subnet_kwargs` are for a subnet that is given by name or class, not for a layer that exists already.")
