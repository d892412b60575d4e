"""Networks on `core`: perceptrons of which all folds train at once, convolutions for images, words for texts."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import core
from auto.portfolio.recipe import Fitted, Recipe, Settings
from auto.search.clock import Clock, now
from auto.search.metrics import LOSSES, METRICS
from auto.search.problem import Problem
from auto.stages.linear import ACTIVATIONS, activation_of
from core import layers, ops

MEMBERS = 2  # networks in a bag where there are no folds to make it
START = 4.0  # seconds to load and compile, the first time
CHUNKS = (32, 256, 1024)  # rows that are scored at once: few shapes, since each is compiled anew where a backend compiles
PACK = 16  # steps of a small network that run in one call


@dataclasses.dataclass(frozen=True, eq=False)
class Network:
    """A bag of networks in one model, `(batch, ...)` to scores `(batch, members, outputs)`; its prediction is their mean."""

    model: Any
    kind: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Mean predictions `(batch, outputs)`, worked on the backend that the model lives on."""
        found = scores(self.compiled, x)
        with core.backend.use("numpy"):
            return np.asarray(self.mean(found), "float32")

    @functools.cached_property
    def compiled(self) -> Callable[[Any], Any]:
        """The model's scores as one compiled function."""
        return scorer_of(self.model)

    def mean(self, scores: Any) -> Any:
        """The mean over the members of what their scores say."""
        return ops.mean(ACTIVATIONS[activation_of(self.kind)](scores), axis=1)

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(int(np.prod(weight.shape)) * 4 for weight in self.model.weights)


def scorer_of(model: Any) -> Callable[[Any], Any]:
    """The model's scores as one compiled function: operation by operation, a backend may compile each of them."""
    return core.jit(lambda x: model(x, training=False), backend=model.backend)


def scores(compiled: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """The scores of all rows, worked out in chunks, the last one filled up with its last row."""
    rows = next((chunk for chunk in CHUNKS if len(x) <= chunk), CHUNKS[-1])
    parts = []
    for first in range(0, max(1, len(x)), rows):
        places = np.minimum(np.arange(first, first + rows), max(0, len(x) - 1))
        chunk = x[places] if len(x) else np.zeros((rows, *x.shape[1:]), x.dtype)
        parts.append(core.ops.convert_to_numpy(compiled(chunk))[: max(0, len(x) - first)])
    return np.concatenate(parts)


def perceptron(problem: Problem, settings: Settings, members: int) -> Any:
    """`members` separate perceptrons side by side: every kernel has one more axis, so that one matrix product serves all of them.

    One-hot categories times the first kernel are embeddings of them, for each member its own.
    """
    x = inputs = core.Input((problem.view("dense").shape[1],))
    equation, width = "bi,kio->bko", int(inputs.shape[-1])
    for _ in range(int(settings["depth"])):
        x = _members(x, equation, members, width, int(settings["units"]), 2.0)
        x = layers.Activation("relu")(x)
        x = layers.Dropout(float(settings["dropout"]))(x)
        equation, width = "bki,kio->bko", int(settings["units"])
    return core.Model(inputs, _members(x, equation, members, width, problem.outputs, 1.0))


def _members(x: Any, equation: str, members: int, width: int, units: int, gain: float) -> Any:
    start = core.initializers.RandomNormal(stddev=(gain / width) ** 0.5)
    return layers.EinsumDense(equation, output_shape=(members, units), bias_axes="ko", kernel_initializer=start)(x)


def convnet(problem: Problem, settings: Settings, members: int) -> Any:
    """A convolutional network for each member, for images of any size from 4x4 on."""
    assert problem.shape is not None
    inputs = core.Input(problem.shape)
    found = []
    for _ in range(members):
        x, filters, side = inputs, int(settings["filters"]), min(problem.shape[:2])
        for stage in range(int(settings["depth"])):
            for _ in range(2 if stage else 1):  # the first is at full size, and dearest
                x = layers.Conv2D(filters, 3, padding="same", use_bias=False, strides=2 if stage and side > 64 else 1)(x)
                x = layers.Activation("relu")(layers.BatchNormalization()(x))
            if side >= 4:
                x = layers.MaxPooling2D(2)(x)
                side //= 2
            filters = min(2 * filters, 256)
        x = layers.Flatten()(x) if side * side * filters <= 8192 else layers.GlobalAveragePooling2D()(x)
        x = layers.Dropout(float(settings["dropout"]))(x)
        found.append(layers.Reshape((1, problem.outputs))(layers.Dense(problem.outputs)(x)))
    return core.Model(inputs, found[0] if members == 1 else layers.Concatenate(axis=1)(found))


def wordnet(problem: Problem, settings: Settings, members: int) -> Any:
    """For each member: embeddings, one convolution over words, and the means and maxima over the text (Kim 2014)."""
    assert problem.vocabulary is not None
    inputs = core.Input((problem.vocabulary.length,), dtype="int32")
    found = []
    units = int(settings["units"])
    for _ in range(members):
        x = layers.Embedding(len(problem.vocabulary.words) + 2, units)(inputs)
        x = layers.Dropout(float(settings["dropout"]))(x)
        near = layers.Conv1D(units, 3, padding="same", activation="relu")(x)
        parts = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(near)]
        x = layers.Dropout(float(settings["dropout"]))(layers.Concatenate()(parts))
        found.append(layers.Reshape((1, problem.outputs))(layers.Dense(problem.outputs)(x)))
    return core.Model(inputs, found[0] if members == 1 else layers.Concatenate(axis=1)(found))


class Watch(core.callbacks.Callback):
    """After each epoch: out-of-fold loss, the best weights so far, and an end where it no longer falls or time is over."""

    def __init__(self, problem: Problem, x: np.ndarray, patience: int, clock: Clock) -> None:
        super().__init__()
        self.problem, self.x, self.patience, self.clock = problem, x, patience, clock
        self.metric, self.valid = METRICS[LOSSES[problem.kind]], problem.valid
        self.until = clock.used + 0.9 * clock.left  # seconds of the clock
        self.compiled: Callable[[Any], Any] | None = None
        self.best_loss, self.stale = float("inf"), 0
        self.best_weights: list[np.ndarray] | None = None
        self.best_oof: np.ndarray | None = None
        self.last = now()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        oof = self.out_of_fold()
        truth, found, weights = self.problem.target[self.valid], oof[self.valid], self.problem.weights[self.valid]
        loss = self.metric.loss(truth, found, weights)
        if logs is not None:  # for the callbacks after this one
            logs["val_loss"] = loss
            if self.problem.kind == "classes":
                logs["val_accuracy"] = METRICS["accuracy"](truth, found, weights)
        if loss < self.best_loss or self.best_oof is None:
            self.best_loss, self.best_oof, self.stale = loss, oof, 0
            self.best_weights = [np.array(core.ops.convert_to_numpy(weight.value)) for weight in self.model.weights]
        else:
            self.stale += 1
        moment = now()
        if self.stale >= self.patience or self.clock.used + (moment - self.last) > self.until:
            self.model.stop_training = True
        self.last = moment

    def out_of_fold(self) -> np.ndarray:
        """Each validated row as the member says that did not train on it (without folds: the mean of all)."""
        if self.compiled is None:
            self.compiled = scorer_of(self.model)
        found = scores(self.compiled, self.x)
        with core.backend.use("numpy"):
            predictions = np.asarray(ACTIVATIONS[activation_of(self.problem.kind)](found))
        oof = np.zeros_like(self.problem.target)
        for member, (_, valid) in enumerate(self.problem.folds):
            oof[valid] = predictions[valid, member] if len(self.problem.folds) > 1 else predictions[valid].mean(axis=1)
        return oof


class WatchSteps(Watch):
    """Looks at the clock after each step, too: for epochs that take long."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.clock.used > self.until:
            self.model.stop_training = True


def train_network(build: Any, view: str, packed: bool = False) -> Any:
    """The `fit` of a recipe whose networks `build(problem, settings, members)` makes; `packed` where steps are so short that
    several in one call are faster."""

    def fit(problem: Problem, settings: Settings, seed: int, clock: Clock) -> Fitted:
        folds, x, n = problem.folds, problem.view(view), len(problem.raw)
        members = len(folds) if len(folds) > 1 else MEMBERS
        share = np.zeros((n, members), "float32")
        for member in range(members):
            share[folds[member if len(folds) > 1 else 0][0], member] = 1
        share *= problem.weights[:, None].astype("float32")
        target = np.repeat(problem.target[:, None], members, axis=1)
        batch = int(min(256, max(16, 2 ** round(np.log2(max(1, n / 14))))))
        steps = -(-n // batch)
        pack = -(-steps // -(-steps // PACK)) if packed else 1
        rows = np.arange(-(-steps // pack) * pack * batch) % n  # whole batches and packs: others would be compiled apart
        share = np.where(np.arange(len(rows))[:, None] < n, share[rows], np.float32(0))
        clock.check()
        kind = Watch if n <= 40 * batch or clock.limit is None else WatchSteps  # steps that nobody looks at are packed
        watch = kind(problem, x, int(settings["patience"]), clock)
        epochs = problem.epochs or int(settings["epochs"])
        with _seeded(seed):
            model = build(problem, settings, members)
            if problem.max_weights is not None and model.count_params() > problem.max_weights:
                raise ValueError(f"it would have {model.count_params()} weights, max_model_size is {problem.max_weights}")
            optimizer = core.optimizers.AdamW(float(settings["rate"]), weight_decay=float(settings["decay"]))
            model.compile(optimizer, _loss(problem.kind), steps_per_execution=pack)
            watchers = [watch, *copy.deepcopy(problem.callbacks)]
            model.fit(x[rows], target[rows], sample_weight=share, batch_size=batch, epochs=epochs, verbose=0, callbacks=watchers)
        assert watch.best_oof is not None and watch.best_weights is not None
        model.set_weights(watch.best_weights)
        network = Network(model, problem.kind)
        network.__dict__["compiled"] = watch.compiled  # what is compiled already
        return Fitted(network, watch.best_oof)

    return fit


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """All draws inside follow the seed; the user's own generators of `random` and NumPy go on afterwards as if nothing had been."""
    before = random.getstate(), np.random.get_state()
    core.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def _loss(kind: str) -> Any:
    losses = core.losses
    if kind == "classes":
        return losses.CategoricalCrossentropy(from_logits=True)
    return losses.BinaryCrossentropy(from_logits=True) if kind == "labels" else losses.MeanSquaredError()


def network_cost(work: Any) -> Any:
    """The `cost` of a network that needs `work(problem, settings)` multiplications a row: loading, then steps."""

    def cost(problem: Problem, settings: Settings) -> float:
        epochs = min(problem.epochs or int(settings["epochs"]), 40)
        steps = epochs * max(14, len(problem.raw) / 256)
        return START + steps * 1.5e-3 + epochs * len(problem.raw) * work(problem, settings) * 3e-10

    return cost


def _perceptron_work(problem: Problem, settings: Settings) -> float:
    units = int(settings["units"])
    return 3.0 * len(problem.folds) * units * (problem.view("dense").shape[1] + int(settings["depth"]) * units)


def _convnet_work(problem: Problem, settings: Settings) -> float:
    assert problem.shape is not None
    pixels = problem.shape[0] * problem.shape[1]
    members = len(problem.folds) if len(problem.folds) > 1 else MEMBERS
    return 4.0 * members * 9 * pixels * int(settings["filters"]) ** 2 * int(settings["depth"])


def _wordnet_work(problem: Problem, settings: Settings) -> float:
    assert problem.vocabulary is not None
    return 3.0 * MEMBERS * problem.vocabulary.length * int(settings["units"]) ** 2 * 3


_BASE = {"rate": 2e-3, "decay": 1e-2, "dropout": 0.1, "epochs": 120, "patience": 12}
_IMAGE = {**_BASE, "dropout": 0.4, "epochs": 40, "patience": 8}
_SPACE: dict[str, tuple[Any, ...]] = {
    "rate": ("float", 3e-4, 1e-2, "log"),
    "decay": ("float", 1e-4, 0.3, "log"),
    "dropout": ("float", 0.0, 0.5, "linear"),
}
PERCEPTRON = Recipe(
    "perceptron",
    "dense",
    ({**_BASE, "units": 96, "depth": 2}, {**_BASE, "units": 256, "depth": 1, "dropout": 0.3}),
    {**_SPACE, "units": ("int", 32, 384, "log"), "depth": ("int", 1, 3, "linear")},
    network_cost(_perceptron_work),
    train_network(perceptron, "dense", packed=True),
    elastic=0.5,
)
CONVNET = Recipe(
    "convnet",
    "image",
    ({**_IMAGE, "filters": 24, "depth": 2}, {**_IMAGE, "filters": 32, "depth": 3}),
    {**_SPACE, "filters": ("int", 16, 64, "log"), "depth": ("int", 1, 4, "linear")},
    network_cost(_convnet_work),
    train_network(convnet, "image"),
    elastic=0.5,
)
WORDNET = Recipe(
    "wordnet",
    "words",
    ({**_BASE, "units": 64, "dropout": 0.3, "epochs": 40, "patience": 5},),
    {**_SPACE, "units": ("int", 16, 160, "log")},
    network_cost(_wordnet_work),
    train_network(wordnet, "words"),
    elastic=0.5,
)
