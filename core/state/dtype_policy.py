"""Dtype policies: in which dtype a layer computes, and in which it keeps its variables."""

from __future__ import annotations

import dataclasses
from typing import Any

from core.backend import slot
from core.backend.symbolic import KerasTensor
from core.base import config
from core.base.dtypes import ALLOWED, is_float_dtype, standardize_dtype
from core.base.errors import unknown_name

MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@dataclasses.dataclass(frozen=True, repr=False)
class DTypePolicy:
    """`"float32"` and its like compute and keep in one dtype; `"mixed_float16"`, `"mixed_bfloat16"` keep float32.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype, DTypePolicy("mixed_bfloat16").variable_dtype
    ('bfloat16', 'float32')
    """

    name: str | None = None

    def __post_init__(self) -> None:
        name = self.name
        if name is None:
            name = dtype_policy().name
        elif not isinstance(name, str):
            raise TypeError(f"A dtype policy's name is a string such as 'mixed_float16', got {name!r}.")
        if name not in ALLOWED and name not in MIXED:
            name = standardize_dtype(name) if name in ("half", "double", "float", "int") else name
            if name not in ALLOWED:
                raise unknown_name("dtype policy", name, (*MIXED, *ALLOWED))
        object.__setattr__(self, "name", name)

    @property
    def compute_dtype(self) -> str:
        """The dtype of a layer's inputs, of its variables as it sees them, and of its outputs."""
        return MIXED.get(self.name, self.name)  # type: ignore[arg-type, return-value]

    @property
    def variable_dtype(self) -> str:
        """The dtype in which variables are kept."""
        return "float32" if self.name in MIXED else self.name  # type: ignore[return-value]

    @property
    def quantization_mode(self) -> str | None:
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x` as a tensor; a float one is cast to `dtype` where `autocast` says so."""
        dtype = standardize_dtype(dtype)
        if isinstance(x, KerasTensor):
            return KerasTensor(x.shape, dtype) if autocast and is_float_dtype(x.dtype) and x.dtype != dtype else x
        backend = slot.owner(x) or slot.active()
        tensor = x if slot.owner(x) else backend.convert_to_tensor(x)
        if autocast and is_float_dtype(backend.dtype(tensor)) and backend.dtype(tensor) != dtype:
            return backend.cast(tensor, dtype)
        return tensor

    def get_config(self) -> dict:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> DTypePolicy:
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are given none."""
    return config.current().dtype_policy or DTypePolicy(config.floatx())


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the policy of layers made from now on, for example `"mixed_float16"`."""
    config.change(dtype_policy=get(policy))


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a name, a dtype, a config or None (the default)."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy) or hasattr(identifier, "compute_dtype"):
        return identifier
    from core.state import quantized_policy as quantized

    if isinstance(identifier, str) and "_from_" in identifier and (found := quantized.from_name(identifier)) is not None:
        return found
    if isinstance(identifier, dict):
        inner = identifier.get("config", identifier)
        if identifier.get("class_name") in quantized.CLASSES:
            return _from_config(quantized.CLASSES[identifier["class_name"]], inner)
        if identifier.get("class_name") == "DTypePolicyMap":
            from core.state.dtype_policy_map import DTypePolicyMap

            return DTypePolicyMap.from_config(inner)
        if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
            raise ValueError(f"A dtype policy's config holds its name, got {identifier!r}.")
        return DTypePolicy(inner["name"])
    return DTypePolicy(identifier if isinstance(identifier, str) else standardize_dtype(identifier))


def _from_config(cls: type, config: Any) -> DTypePolicy:
    try:
        return cls(**config)
    except TypeError:
        raise ValueError(f"The config of a {cls.__name__} holds its mode and source_name, got {config!r}.") from None


def of_layer(identifier: Any, layer: str) -> DTypePolicy:
    """The policy of a layer, which computes in floats.

    Raises:
        ValueError: a quantized policy, whose weights a layer of that name cannot store.
    """
    policy = get(identifier)
    if getattr(policy, "quantization_mode", None) is not None:
        raise ValueError(
            f"A {layer} cannot be made in {policy.name!r}: layers here do not store quantized weights. Use its source, dtype="
            f"{policy.get_config()['source_name']!r}, or a float policy such as 'bfloat16'."
        )
    return policy


def deserialize(config: dict, custom_objects: dict | None = None) -> DTypePolicy:
    """A policy from its config."""
    return get(config)


def serialize(dtype_policy: DTypePolicy) -> dict:
    """A policy as a config, in Keras' form."""
    module = getattr(dtype_policy, "_public_module", "keras")
    return {"module": module, "class_name": type(dtype_policy).__name__, "config": dtype_policy.get_config(), "registered_name": None}
