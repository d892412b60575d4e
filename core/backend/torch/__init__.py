"""The PyTorch backend."""

import torch

from core.backend.protocol import Backend
from core.backend.torch import array, control, image, linalg, math, nn, random, reduction, shape, train, variable

backend = Backend("torch", (torch.Tensor,), (array, variable, math, reduction, shape, nn, image, linalg, random, control, train), trains=True, native=torch)
