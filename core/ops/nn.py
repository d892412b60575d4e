"""The neural-network ops under one name, as Keras has them: `core.ops.nn`."""

import sys

from core.ops.activations import *  # noqa: F403
from core.ops.attention import *  # noqa: F403
from core.ops.conv import *  # noqa: F403
from core.ops.crossentropy import *  # noqa: F403
from core.ops.ctc import *  # noqa: F403
from core.ops.normalization import *  # noqa: F403
from core.ops.recurrent import *  # noqa: F403

_FAMILIES = ("activations", "attention", "conv", "crossentropy", "ctc", "normalization", "recurrent")
# By sys.modules, since `core.ops.conv` may name the op by now.
__all__ = [name for family in _FAMILIES for name in sys.modules[f"core.ops.{family}"].__all__]
