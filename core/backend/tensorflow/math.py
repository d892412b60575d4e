"""The tensorflow backend's functions of the math room. See `core.backend.protocol`."""

import tensorflow as tf

FUNCTIONS = {}
