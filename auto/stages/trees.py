"""Tree ensembles as flat arrays: one row a node, all trees walked down together, one level a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from auto.stages.linear import ACTIVATIONS, activation_of
from auto.stages.stage import Stage, stage
from core import ops

Nodes = tuple[np.ndarray, ...]  # of one tree: feature, threshold, left, right, value
LARGEST = float(np.finfo("float32").max)


@stage("trees", "feature", "threshold", "left", "right", "value", "roots", "offset")
def trees(
    x: Any,
    *,
    feature: Any,
    threshold: Any,
    left: Any,
    right: Any,
    value: Any,
    roots: Any,
    offset: Any,
    depth: int,
    scale: float,
    activation: str,
) -> Any:
    """activation(offset + scale * sum over trees of the reached leaf's value), `(batch, outputs)`.

    Leaves point at themselves, so that every walk takes `depth` steps. `value` has one column for each output, or one column in
    all where the trees take turns over the outputs (boosting).
    """
    node = ops.broadcast_to(ops.expand_dims(roots, 0), (ops.shape(x)[0], roots.shape[0]))
    for _ in range(depth):
        seen = ops.take_along_axis(x, ops.take(feature, node), axis=1)
        node = ops.where(seen <= ops.take(threshold, node), ops.take(left, node), ops.take(right, node))
    leaves = ops.take(value, node, axis=0)  # (batch, trees, columns)
    leaves = ops.reshape(leaves, (-1, roots.shape[0] * value.shape[1] // offset.shape[0], offset.shape[0]))
    return ACTIVATIONS[activation](offset + scale * ops.sum(leaves, axis=1))


def forest_stage(estimator: Any, columns: list[np.ndarray], outputs: int, kind: str) -> Stage:
    """A scikit-learn forest as a stage. `columns[i]` says which outputs the estimator's classes of its output i are."""
    parts: list[Nodes] = []
    depth = 0
    for tree in (member.tree_ for member in estimator.estimators_):
        leaf, nodes = tree.children_left < 0, np.arange(tree.node_count)
        depth = max(depth, int(tree.max_depth))
        values = tree.value  # (nodes, outputs of the estimator, classes)
        if kind == "values":
            value = values[:, :, 0]
        else:
            shares = values / np.maximum(values.sum(-1, keepdims=True), 1e-30)
            value = np.zeros((tree.node_count, outputs))
            if kind == "classes":
                value[:, columns[0]] = shares[:, 0]
            else:
                for label, seen in enumerate(columns):
                    value[:, label] = (shares[:, label, : len(seen)] * seen).sum(-1)
        left, right = np.where(leaf, nodes, tree.children_left), np.where(leaf, nodes, tree.children_right)
        parts.append((np.where(leaf, 0, tree.feature), tree.threshold, left, right, value))
    return _stage(parts, np.zeros(outputs), depth, 1.0 / len(parts), "none")


def boosting_stage(members: list[tuple[Any, list[int]]], start: np.ndarray, kind: str) -> Stage:
    """scikit-learn HistGradientBoosting models as a stage.

    Each member is a model and the outputs that its trees take turns over; `start` `(outputs,)` holds the scores of outputs without one.
    """
    offset = start.astype("float64")
    leaf: Nodes = (np.zeros(1, int), np.zeros(1), np.zeros(1, int), np.zeros(1, int), np.zeros((1, 1)))
    for model, outputs in members:
        offset[outputs] = np.ravel(model._baseline_prediction)
    if not members:
        return _stage([leaf] * len(offset), offset, 0, 1.0, activation_of(kind))
    parts: list[Nodes] = []
    depth = 0
    paired = len(offset) == 2 and kind == "classes" and len(members) == 1  # one margin for two classes: log odds against zero
    for turn in range(len(members[0][0]._predictors)):
        trees = {output: tree for model, outputs in members for output, tree in zip(outputs, model._predictors[turn])}
        depth = max([depth, *(int(tree.nodes["depth"].max()) for tree in trees.values())])
        parts += [_boosted(tree.nodes) for tree in trees.values()] if paired else [
            _boosted(trees[output].nodes) if output in trees else leaf for output in range(len(offset))
        ]
    if paired:
        side = members[0][1]
        parts = [(*part[:4], np.insert(part[4], [1 - side[0]], 0.0, axis=1)) for part in parts]
    return _stage(parts, offset, depth, 1.0, activation_of(kind))


def _boosted(nodes: np.ndarray) -> Nodes:
    leaf, own = nodes["is_leaf"].astype(bool), np.arange(len(nodes))
    left, right = np.where(leaf, own, nodes["left"]), np.where(leaf, own, nodes["right"])
    return np.where(leaf, 0, nodes["feature_idx"]), nodes["num_threshold"], left, right, nodes["value"][:, None]


def _stage(parts: list[Nodes], offset: np.ndarray, depth: int, scale: float, activation: str) -> Stage:
    sizes = np.array([len(part[0]) for part in parts])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    feature, threshold, left, right, value = (np.concatenate(column) for column in zip(*parts))
    shift = np.repeat(roots, sizes)
    arrays = {
        "feature": feature.astype("int32"),
        "threshold": _floor32(np.clip(threshold, -LARGEST, LARGEST)),
        "left": (left + shift).astype("int32"),
        "right": (right + shift).astype("int32"),
        "value": value.astype("float32"),
        "roots": roots.astype("int32"),
        "offset": np.asarray(offset, "float32"),
    }
    return Stage("trees", {"depth": depth, "scale": scale, "activation": activation}, arrays, width=len(roots) * max(3, value.shape[1]))


def _floor32(threshold: np.ndarray) -> np.ndarray:
    """The largest float32 not above: `x <= threshold` then holds for exactly the same float32 x."""
    rounded = threshold.astype("float32")
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype("float32")
