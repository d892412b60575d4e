"""The steps that adapters are made of."""

from bayes.adapters.transforms.arithmetic import Log, NumpyTransform, Scale, SerializableCustomTransform, Shift, Sqrt, Standardize
from bayes.adapters.transforms.constrain import Constrain
from bayes.adapters.transforms.naming import Concatenate, Drop, Group, Keep, Rename, Split, ToDict, Ungroup
from bayes.adapters.transforms.shape import AsSet, AsTimeSeries, Broadcast, ExpandDims, RandomSubsample, Squeeze, Take
from bayes.adapters.transforms.transform import ElementwiseTransform, FilterTransform, MapTransform, Transform
from bayes.adapters.transforms.types import ConvertDType, NanToNum, OneHot, ToArray

__all__ = [
    "AsSet", "AsTimeSeries", "Broadcast", "Concatenate", "Constrain", "ConvertDType", "Drop", "ElementwiseTransform", "ExpandDims",
    "FilterTransform", "Group", "Keep", "Log", "MapTransform", "NanToNum", "NumpyTransform", "OneHot", "RandomSubsample", "Rename", "Scale",
    "SerializableCustomTransform", "Shift", "Split", "Sqrt", "Squeeze", "Standardize", "Take", "ToArray", "ToDict", "Transform", "Ungroup",
]  # fmt: skip
