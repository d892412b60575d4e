"""Sequences of different lengths. Public facade of `core.utils.arrays`."""

from core.utils.arrays import pad_sequences

__all__ = ["pad_sequences"]
