"""Search spaces: kinds of parameter, conditions, the space, and define-by-run."""

from tuner.space.hyperparameters import HyperParameters
from tuner.space.parameters import Boolean, Choice, Condition, Fixed, Float, Int, Parameter
from tuner.space.space import Space

__all__ = ["Boolean", "Choice", "Condition", "Fixed", "Float", "HyperParameters", "Int", "Parameter", "Space"]
