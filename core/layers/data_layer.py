"""`DataLayer`: a layer that may stand in an input pipeline, such as `tf.data`, next to a model of another backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.backend import slot
from core.backend.journal import Holder
from core.backend.protocol import Backend
from core.base import tree
from core.layers.layer import Layer


class DataLayer(Layer):
    """A layer that runs on the backend of its inputs, whichever backend holds its variables."""

    def convert_weight(self, weight: Any) -> Any:
        """`weight`, a variable, tensor or array, as a tensor of the backend that runs now."""
        weight = weight.value if isinstance(weight, Holder) else weight
        owner, active = slot.owner(weight), slot.active()
        if owner is active:
            return weight
        return active.convert_to_tensor(np.asarray(weight) if owner is None else owner.convert_to_numpy(weight))

    def _backend_for(self, args: tuple, kwargs: dict) -> Backend:
        return slot.owner_of(tree.flatten((args, kwargs))) or self.backend
