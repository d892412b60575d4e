"""`DTypePolicyMap`: a dtype policy for each path, so that the layers of one model compute in different dtypes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from core.state import dtype_policy as policies
from core.state.dtype_policy import DTypePolicy

# Maps come out of files too: a pattern must not be able to keep the matcher busy for ages.
_LONGEST, _REPEATS = 256, 4
_COSTLY = re.compile(r"\)[*+{]|\\[1-9]|\(\?P=")


class DTypePolicyMap(DTypePolicy, MutableMapping):
    """Policies by the layers' paths. Given to layers as `dtype`, each takes the policy of its own path when it is first called or built.

    A key is a path such as `"encoder/dense"`, or a regular expression that matches whole paths, such as `"encoder/.*"`. An exact key
    comes first; a path without a key gets the default policy, and so does a layer that has no place yet.

    Args:
        default_policy: a policy or its name; the global policy where it is None.
        policy_map: keys and policies (or their names).

    >>> policies = DTypePolicyMap("float32", {"decoder/.*": "bfloat16"})
    >>> policies["decoder/dense"].name, policies["encoder/dense"].name
    ('bfloat16', 'float32')
    """

    _public_module = "keras.dtype_policies"  # where Keras' files say that it stands
    _given: DTypePolicy | None
    _policies: dict[str, DTypePolicy]

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None):
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("The default_policy of a DTypePolicyMap is one policy, not a map.")
        given = None if default_policy is None else policies.get(default_policy)
        for name, value in (("_given", given), ("_policies", {})):
            object.__setattr__(self, name, value)
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths without a key."""
        return policies.dtype_policy() if self._given is None else self._given

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        return self.default_policy.quantization_mode

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policies:
            return self._policies[path]
        matching = [key for key in self._policies if re.fullmatch(key, path)]
        if len(matching) > 1:
            raise ValueError(f"The path {path!r} matches several keys of the DTypePolicyMap, {matching}; add it as a key of its own.")
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"A key of a DTypePolicyMap is a path or a regular expression, got {key!r}.")
        if key in self._policies:
            raise ValueError(f"The DTypePolicyMap already has the key {key!r} with {self._policies[key]}; delete it first.")
        if len(key) > _LONGEST or _COSTLY.search(key) or len(re.findall(r"[*+{]", key)) > _REPEATS:
            raise ValueError(
                f"The key {key[:80]!r} may take very long to match: use at most {_LONGEST} characters and {_REPEATS} repeats, no repeated "
                "groups and no back-references."
            )
        try:
            re.compile(key)
        except re.error as error:
            raise ValueError(f"The key {key!r} is no path and no regular expression: {error}.") from error
        policy = policies.get(policy)
        if isinstance(policy, DTypePolicyMap):
            raise ValueError(f"The policy of {key!r} must be one policy, not a map.")
        self._policies[key] = policy

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __bool__(self) -> bool:
        return True  # a policy, even where no key is set

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and (self._given, self._policies) == (other._given, other._policies)

    def __hash__(self) -> int:
        return hash((DTypePolicyMap, self._given))

    def get_config(self) -> dict:
        default = None if self._given is None else self._given.name
        return {"default_policy": default, "policy_map": {key: policies.serialize(policy) for key, policy in self._policies.items()}}

    def __repr__(self) -> str:
        pairs = [(key, policy.name) for key, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={pairs}>"
