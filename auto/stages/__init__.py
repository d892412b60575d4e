"""What runs at prediction: pure functions of a matrix and fixed arrays, written once in `core.ops` for every backend and for export."""

from auto.stages.stage import Stage, stage

__all__ = ["Stage", "stage"]
