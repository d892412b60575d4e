"""Row 2: the ops, one file per family. Public as `core.ops`."""

from core.backend.symbolic import KerasTensor as _KerasTensor
from core.ops import operators as _operators
from core.ops.activations import *  # noqa: F403
from core.ops.attention import *  # noqa: F403
from core.ops.bitwise import *  # noqa: F403
from core.ops.comparison import *  # noqa: F403
from core.ops.control import *  # noqa: F403
from core.ops.conv import *  # noqa: F403
from core.ops.convert import *  # noqa: F403
from core.ops.creation import *  # noqa: F403
from core.ops.crossentropy import *  # noqa: F403
from core.ops.ctc import *  # noqa: F403
from core.ops.elementwise import *  # noqa: F403
from core.ops.fft import *  # noqa: F403
from core.ops.image import *  # noqa: F403
from core.ops.indexing import *  # noqa: F403
from core.ops.joining import *  # noqa: F403
from core.ops.linalg import *  # noqa: F403
from core.ops.nn import *  # noqa: F403
from core.ops.normalization import *  # noqa: F403
from core.ops.projection import *  # noqa: F403
from core.ops.rearrange import *  # noqa: F403
from core.ops.recurrent import *  # noqa: F403
from core.ops.reduction import *  # noqa: F403
from core.ops.shape import *  # noqa: F403

_operators.install(_KerasTensor)
