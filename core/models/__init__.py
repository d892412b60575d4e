"""Models: what is trained, saved and loaded. Public as `core.models`."""

from core.models.cloning import clone_model
from core.models.functional import Functional
from core.models.model import Model, model_from_json
from core.models.sequential import Sequential
from core.saving import load_model, save_model

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
