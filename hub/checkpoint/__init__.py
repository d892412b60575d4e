"""Checkpoints: strict readers of safetensors folders, exact accounting of weights, and writers."""

from __future__ import annotations

from hub.checkpoint.folder import Weights, has, member, read_json
from hub.checkpoint.loading import load_backbone, load_into, read_config
from hub.checkpoint.safetensors_file import SafetensorsFile, read_file, write_safetensors
from hub.checkpoint.saving import config_json, save_backbone, write_json
from hub.checkpoint.table import Row, Tensor, tensors

__all__ = [
    "Row", "SafetensorsFile", "Tensor", "Weights", "config_json", "has", "load_backbone", "load_into", "member", "read_config",
    "read_file", "read_json", "save_backbone", "tensors", "write_json", "write_safetensors",
]  # fmt: skip
