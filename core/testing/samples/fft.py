"""Samples of the fft ops. See `core.testing.samples`."""

from core.testing.sample import Sample

SAMPLES: dict[str, list[Sample]] = {}
