"""Hypermodels that are ready to search: image classifiers built from `core.layers`, trained from their initial weights."""

from __future__ import annotations

from typing import Any

import core
from core import layers
from tuner.search.hypermodel import HyperModel
from tuner.space import HyperParameters


class _ImageHyperModel(HyperModel):
    """What the image classifiers share: input, head, optimizer."""

    def __init__(self, include_top: bool = True, input_shape: tuple[int, ...] | None = None, input_tensor: Any = None,
                 classes: int | None = None, **kwargs: Any):  # fmt: skip
        super().__init__(**kwargs)
        if include_top and not classes:
            raise ValueError(f"{type(self).__name__} needs the number of `classes` with include_top=True.")
        if input_shape is None and input_tensor is None:
            raise ValueError(f"{type(self).__name__} needs an input_shape (height, width, channels) or an input_tensor.")
        self.include_top, self.input_shape, self.input_tensor, self.classes = include_top, input_shape, input_tensor, classes

    def _input(self) -> Any:
        return self.input_tensor if self.input_tensor is not None else core.Input(self.input_shape)

    def _model(self, hp: HyperParameters, inputs: Any, x: Any) -> Any:
        pooling = hp.Choice("pooling", ["avg", "max"], default="avg")
        x = (layers.GlobalAveragePooling2D() if pooling == "avg" else layers.GlobalMaxPooling2D())(x)
        if not self.include_top:
            return core.Model(inputs, x, name=self.name)
        model = core.Model(inputs, layers.Dense(self.classes, activation="softmax")(x), name=self.name)
        optimizer = {"adam": core.optimizers.Adam, "rmsprop": core.optimizers.RMSprop, "sgd": core.optimizers.SGD}
        kind = optimizer[hp.Choice("optimizer", list(optimizer), default="adam")]
        rate = hp.Choice("learning_rate", [0.1, 0.01, 0.001], default=0.01)
        model.compile(kind(rate), "categorical_crossentropy", metrics=["accuracy"])
        return model


class HyperResNet(_ImageHyperModel):
    """Residual networks (He et al. 2016) with open version (post- or pre-activation) and depths.

    >>> model = HyperResNet(input_shape=(32, 32, 3), classes=10).build(HyperParameters())
    >>> model.output_shape
    (None, 10)
    """

    def build(self, hp: HyperParameters) -> Any:
        version = hp.Choice("version", ["v1", "v2"], default="v2")
        depths = (3, hp.Choice("conv3_depth", [4, 8]), hp.Choice("conv4_depth", [6, 23, 36]), 3)
        inputs = self._input()
        x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)(inputs)
        x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.ReLU()(layers.BatchNormalization()(x)))
        for stage, depth in enumerate(depths):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                x = _residual(x, 64 * 2**stage, stride, block == 0, version)
        if version == "v2":
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return self._model(hp, inputs, x)


def _residual(x: Any, filters: int, stride: int, widen: bool, version: str) -> Any:
    """A bottleneck: 1x1, 3x3, 1x1 convolutions beside a shortcut."""
    before = layers.ReLU()(layers.BatchNormalization()(x)) if version == "v2" else x
    shortcut = layers.Conv2D(4 * filters, 1, strides=stride, use_bias=False)(before) if widen else x
    y = before
    for width, size, step in ((filters, 1, 1), (filters, 3, stride)):
        y = layers.Conv2D(width, size, strides=step, padding="same", use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(4 * filters, 1, use_bias=False)(y)
    if version == "v2":
        return layers.Add()([shortcut, y])
    shortcut = layers.BatchNormalization()(shortcut) if widen else shortcut
    return layers.ReLU()(layers.Add()([shortcut, layers.BatchNormalization()(y)]))


class HyperXception(_ImageHyperModel):
    """Separable convolutions with shortcuts (Chollet 2017) of open width, kernel size and number of middle blocks.

    >>> HyperXception(input_shape=(32, 32, 3), classes=10).build(HyperParameters()).output_shape
    (None, 10)
    """

    def build(self, hp: HyperParameters) -> Any:
        activation = hp.Choice("activation", ["relu", "selu"])
        size = hp.Choice("kernel_size", [3, 5])
        filters = hp.Int("sep_num_filters", 128, 768, step=128, default=256)
        inputs = self._input()
        x = layers.Conv2D(
            hp.Choice("conv2d_num_filters", [32, 64, 128], default=64), size, strides=2, padding="same", activation=activation
        )(inputs)
        x = layers.BatchNormalization()(x)
        for width, stride in ((filters // 2, 2), (filters, 2)):
            shortcut = layers.BatchNormalization()(layers.Conv2D(width, 1, strides=stride, padding="same")(x))
            y = _separable(x, width, size, activation, 2)
            x = layers.Add()([shortcut, layers.MaxPooling2D(3, strides=stride, padding="same")(y)])
        for _ in range(hp.Int("num_residual_blocks", 2, 8, default=4)):
            x = layers.Add()([x, _separable(x, filters, size, activation, 3)])
        return self._model(hp, inputs, x)


def _separable(x: Any, filters: int, size: int, activation: str, times: int) -> Any:
    for _ in range(times):
        x = layers.SeparableConv2D(filters, size, padding="same", use_bias=False)(layers.Activation(activation)(x))
        x = layers.BatchNormalization()(x)
    return x


__all__ = ["HyperResNet", "HyperXception"]
