"""`Bijector`: what every invertible map answers."""

from __future__ import annotations

from typing import Any


class Bijector:
    """An invertible map of the last axis: `forward`, `inverse`, and the log-determinant of `forward`.

    All three take arrays or tensors of shape (..., dim). NumPy arrays become tensors of the active backend.
    """

    def forward(self, x: Any) -> Any:
        """The image of `x`, of shape (..., dim)."""
        raise TypeError(f"{type(self).__name__} does not define `forward`; a Bijector defines forward, inverse and log_det.")

    def inverse(self, y: Any) -> Any:
        """The point whose image is `y`, of shape (..., dim)."""
        raise TypeError(f"{type(self).__name__} does not define `inverse`; a Bijector defines forward, inverse and log_det.")

    def log_det(self, x: Any) -> Any:
        """log |det d forward / dx| at `x`, of shape (...,)."""
        raise TypeError(f"{type(self).__name__} does not define `log_det`; a Bijector defines forward, inverse and log_det.")

    def get_config(self) -> dict:
        """The arguments that make the same map again."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Bijector:
        """The map that `get_config` describes."""
        return cls(**config)
