"""Networks by name, for workflows."""

from __future__ import annotations

import re
from typing import Any


def find_network(given: Any, kind: str) -> Any:
    """A network of `bayes.networks` by its name ("coupling_flow" or "CouplingFlow"), or the given one.

    Raises:
        ValueError: there is none of that name.
    """
    if given is None or not isinstance(given, str):
        return given
    from bayes import networks

    public = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): name for name in networks.__all__}
    name = given if given in networks.__all__ else public.get(given.lower())
    if name is None:
        raise ValueError(f"There is no {kind} network {given!r}; there are {sorted(public)}.")
    return getattr(networks, name)()
