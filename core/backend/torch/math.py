"""The torch backend's functions of the math room. See `core.backend.protocol`."""

import torch

FUNCTIONS = {}
