"""Invertible maps with their log-determinants.

`Identity`, `Exp`, `Softplus`, `Negative` and `Sigmoid` lead from the real line onto a support. `AffineTransform` and
`SplineTransform` take their parameters from a network; `ActNorm`, `Permutation` and `OrthogonalLinear` are layers.
"""

from bayes.bijectors.act_norm import ActNorm
from bayes.bijectors.affine import AffineTransform
from bayes.bijectors.bijector import Bijector
from bayes.bijectors.permutation import OrthogonalLinear, Permutation
from bayes.bijectors.spline import SplineTransform
from bayes.bijectors.support import Exp, Identity, Negative, Sigmoid, Softplus

__all__ = [
    "ActNorm", "AffineTransform", "Bijector", "Exp", "Identity", "Negative", "OrthogonalLinear", "Permutation", "Sigmoid", "Softplus",
    "SplineTransform",
]  # fmt: skip
