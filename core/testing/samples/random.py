"""Samples of core.random's draws. See `core.testing.samples`."""

from core.testing.sample import Sample

SAMPLES: dict[str, list[Sample]] = {}
