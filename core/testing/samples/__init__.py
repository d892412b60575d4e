"""Samples of every op, one file per family; an op without a sample fails the conformance suite."""

from core.testing.samples import (
    bitwise,
    comparison,
    control,
    conv,
    convert,
    creation,
    elementwise,
    fft,
    image,
    indexing,
    linalg,
    nn,
    random,
    reduction,
    shape,
)  # fmt: skip

_FAMILIES = (convert, creation, elementwise, bitwise, comparison, reduction, shape, indexing, linalg, fft, control, nn, conv, image, random)
SAMPLES = {
    name: samples
    for family in _FAMILIES
    for name, samples in family.SAMPLES.items()
}
