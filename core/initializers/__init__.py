"""What variables start from. Public as `core.initializers`."""

from __future__ import annotations

from typing import Any

from core.base.families import Family
from core.initializers.initializer import STFT, Constant, Identity, Initializer, Ones, Zeros
from core.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)

IdentityInitializer = identity = Identity
OrthogonalInitializer = orthogonal = Orthogonal
STFTInitializer = stft = STFT
constant, ones, zeros = Constant, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling

_MEMBERS = [Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal, RandomNormal,
            RandomUniform, STFT, TruncatedNormal, VarianceScaling, Zeros]  # fmt: skip
_ALIASES = {
    "zero": Zeros, "one": Ones, "normal": RandomNormal, "uniform": RandomUniform, "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal, "STFTInitializer": STFT,
}  # fmt: skip
_FAMILY = Family("initializer", "keras.initializers", _MEMBERS, _ALIASES)

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer", "Initializer", "LecunNormal",
    "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal", "RandomUniform", "STFT", "STFTInitializer",
    "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize", "get", "glorot_normal", "glorot_uniform", "he_normal",
    "he_uniform", "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "serialize", "stft",
    "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip


def get(identifier: Any) -> Any:
    """The initializer that a name, config, class, instance, function or array means; None for None.

    >>> get("he_normal").get_config()["seed"] is None
    True
    """
    if not callable(identifier) and hasattr(identifier, "shape") and hasattr(identifier, "dtype"):
        return Constant(identifier)
    return _FAMILY.get(identifier)


def serialize(initializer: Any) -> Any:
    """A config that `deserialize` makes the same initializer from."""
    return _FAMILY.serialize(initializer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The initializer that a config or name describes."""
    return _FAMILY.deserialize(config, custom_objects)
