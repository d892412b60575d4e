"""What predicts: views of an encoded matrix, members that look through them, and their weights. Also as one `core` model."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import core
from auto.portfolio.networks import Network
from auto.portfolio.recipe import Model
from auto.stages import Stage


@dataclasses.dataclass(frozen=True)
class Member:
    """A model of the ensemble, the view that it looks through, and its weight."""

    name: str
    view: str
    model: Model
    weight: float


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """The weighted mean of the members: encoded rows `(n, features)` to predictions `(n, outputs)`."""

    views: dict[str, Stage]
    members: tuple[Member, ...]

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Predictions of encoded rows."""
        seen: dict[str, np.ndarray] = {"raw": raw}
        total: Any = 0.0
        for member in self.members:
            if member.view not in seen:
                seen[member.view] = self.views[member.view](raw)
            total = total + member.weight * member.model(seen[member.view]).astype("float64")
        return np.asarray(total)

    def to_core(self, shape: tuple[int, ...], dtype: str, scale: np.ndarray, mean: np.ndarray, name: str) -> Any:
        """A `core.Model` with the same predictions, whose input `(batch, *shape)` is what the pipeline encodes from plain arrays."""
        inputs = core.Input(shape, dtype=dtype)
        raw = core.layers.Flatten()(inputs) if len(shape) > 1 else inputs
        seen, parts = {"raw": raw}, []
        for number, member in enumerate(self.members):
            if member.view not in seen:
                seen[member.view] = _layer(self.views[member.view], f"view_{member.view}")(raw)
            parts.append(_member(member, number)(seen[member.view]))
        mixed = parts[0] if len(parts) == 1 else core.layers.Add()(parts)
        if (scale != 1).any() or (mean != 0).any():
            mixed = core.layers.Rescaling(scale.tolist(), mean.tolist())(mixed)
        return core.Model(inputs, mixed, name=name)


def _member(member: Member, number: int) -> Any:
    def run(x: Any) -> Any:
        if isinstance(member.model, Network):
            scores = core.models.clone_model(member.model.model)
            scores.set_weights(member.model.model.get_weights())
            mixed = MeanPrediction(member.model.kind, name=f"member_{number}_mean")(scores(x))
        else:
            assert isinstance(member.model, Stage)
            mixed = _layer(member.model, f"member_{number}")(x)
        return mixed if member.weight == 1 else core.layers.Rescaling(member.weight)(mixed)

    return run


def _layer(stage: Stage, name: str) -> Any:
    shapes = {key: [list(array.shape), str(array.dtype)] for key, array in stage.arrays.items()}
    layer = StageLayer(stage.kind, stage.config, shapes, name=name.replace(" ", "_"))
    layer.build(None)
    for key, array in stage.arrays.items():
        layer.tensors[key].assign(array)
    return layer


@core.saving.register_keras_serializable(package="auto")
class StageLayer(core.layers.Layer):
    """A `Stage` as a layer: its arrays are weights that do not train."""

    def __init__(self, kind: str, settings: dict[str, Any], shapes: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False})
        self.kind, self.settings, self.shapes = kind, settings, shapes

    def build(self, input_shape: Any) -> None:
        """Creates a variable for each array."""
        self.tensors = {
            key: self.add_weight(tuple(shape), initializer="zeros", dtype=dtype, trainable=False, name=key)
            for key, (shape, dtype) in self.shapes.items()
        }

    def call(self, x: Any) -> Any:
        from auto.stages.stage import FUNCTIONS

        return FUNCTIONS[self.kind](x, **{key: tensor.value for key, tensor in self.tensors.items()}, **self.settings)

    def get_config(self) -> dict[str, Any]:
        """Kind, settings and shapes; the numbers are weights."""
        return {**super().get_config(), "kind": self.kind, "settings": self.settings, "shapes": self.shapes}


@core.saving.register_keras_serializable(package="auto")
class MeanPrediction(core.layers.Layer):
    """Scores `(batch, members, outputs)` to the mean over members of their predictions, `(batch, outputs)`."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def call(self, scores: Any) -> Any:
        return Network(None, self.kind).mean(scores)

    def get_config(self) -> dict[str, Any]:
        """The kind of the target."""
        return {**super().get_config(), "kind": self.kind}


CUSTOM_OBJECTS = {"StageLayer": StageLayer, "MeanPrediction": MeanPrediction}
