"""Pruners: whether a running trial is worth going on with."""

from tuner.pruners.median import MedianPruner
from tuner.pruners.pruner import Pruner
from tuner.pruners.successive_halving import SuccessiveHalvingPruner

__all__ = ["MedianPruner", "Pruner", "SuccessiveHalvingPruner"]
