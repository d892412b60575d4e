"""Samples of the nn ops. See `core.testing.samples`."""

from core.testing.sample import Sample

SAMPLES: dict[str, list[Sample]] = {}
