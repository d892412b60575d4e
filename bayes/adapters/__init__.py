"""Adapters between simulators and networks."""

from bayes.adapters import transforms
from bayes.adapters.adapter import Adapter

__all__ = ["Adapter", "transforms"]
