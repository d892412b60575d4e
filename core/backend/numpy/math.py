"""The numpy backend's functions of the math room. See `core.backend.protocol`."""

import numpy as np

FUNCTIONS = {}
