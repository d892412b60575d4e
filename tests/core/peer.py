"""One set of calls run twice: on our families here, and on Keras in one subprocess. Both return arrays and configs under the same keys."""

from __future__ import annotations

import functools
import inspect
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types

import numpy as np

FAMILIES = ("losses", "metrics", "initializers", "regularizers", "constraints", "activations")
REQUIRED = {  # arguments without defaults
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]}, "MeanIoU": {"num_classes": 3}, "OneHotMeanIoU": {"num_classes": 4},
    "OneHotIoU": {"num_classes": 4, "target_class_ids": [0, 1]}, "PrecisionAtRecall": {"recall": 0.4},
    "RecallAtPrecision": {"precision": 0.4},
    "SensitivityAtSpecificity": {"specificity": 0.4}, "SpecificityAtSensitivity": {"sensitivity": 0.4},
}  # fmt: skip


def data(kind: str, seed: int = 0):
    """`(y_true, y_pred)` of a kind, six samples."""
    rng = np.random.RandomState(seed)
    pred = rng.uniform(0.05, 0.95, (6, 4)).astype("float32")
    labels = rng.randint(0, 4, 6)
    if kind == "regression":
        return rng.uniform(0.1, 2, (6, 4)).astype("float32"), pred
    if kind == "binary":
        return rng.randint(0, 2, (6, 4)).astype("float32"), pred
    if kind == "onehot":
        return np.eye(4, dtype="float32")[labels], pred
    if kind == "sparse":
        return labels, pred
    if kind == "sparse_column":
        return labels[:, None], pred
    if kind == "signed":
        return rng.choice([-1.0, 1.0], (6, 4)).astype("float32"), rng.normal(size=(6, 4)).astype("float32")
    if kind == "classes":
        return rng.randint(0, 3, 6), rng.randint(0, 3, 6)
    if kind == "masks":
        return rng.randint(0, 4, (6, 5)), rng.uniform(size=(6, 5, 4)).astype("float32")
    if kind == "ids":
        return labels, np.argsort(-pred, axis=-1)
    if kind == "ctc":
        target = rng.randint(1, 5, (6, 3))
        target[::2, 2] = 0
        return target, rng.normal(size=(6, 8, 5)).astype("float32")
    if kind == "circle":
        return rng.randint(0, 3, 6), (pred / np.linalg.norm(pred, axis=1, keepdims=True)).astype("float32")
    if kind == "volume":
        return rng.uniform(size=(6, 4, 3)).astype("float32"), rng.uniform(size=(6, 4, 3)).astype("float32")
    raise KeyError(kind)


# class -> calls: (kind of data, arguments)
LOSSES: dict[str, list] = {
    "BinaryCrossentropy": [("binary", {}), ("signed", {"from_logits": True, "label_smoothing": 0.0}),
                           ("binary", {"label_smoothing": 0.2}), ("binary", {"axis": 0})],
    "BinaryFocalCrossentropy": [("binary", {}), ("binary", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "from_logits": True,
                                                                "label_smoothing": 0.1})],
    "CTC": [("ctc", {})],
    "CategoricalCrossentropy": [("onehot", {}), ("onehot", {"from_logits": True, "label_smoothing": 0.1})],
    "CategoricalFocalCrossentropy": [("onehot", {}), ("onehot", {"alpha": 0.5, "gamma": 1.0, "from_logits": True, "label_smoothing": 0.1})],
    "CategoricalGeneralizedCrossEntropy": [("sparse", {}), ("sparse", {"q": 0.8})],
    "CategoricalHinge": [("onehot", {})],
    "Circle": [("circle", {}), ("circle", {"gamma": 2.0, "margin": 0.1, "remove_diagonal": False})],
    "CosineSimilarity": [("regression", {}), ("regression", {"axis": 0})],
    "Dice": [("binary", {}), ("volume", {"axis": [1, 2]})],
    "Hinge": [("binary", {}), ("signed", {})],
    "Huber": [("regression", {}), ("regression", {"delta": 0.3})],
    "KLDivergence": [("regression", {})],
    "LogCosh": [("regression", {})],
    "MeanAbsoluteError": [("regression", {}), ("volume", {})],
    "MeanAbsolutePercentageError": [("regression", {})],
    "MeanSquaredError": [("regression", {}), ("volume", {})],
    "MeanSquaredLogarithmicError": [("regression", {})],
    "Poisson": [("regression", {})],
    "SparseCategoricalCrossentropy": [("sparse", {}), ("sparse_column", {"from_logits": True}), ("sparse", {"ignore_class": 1})],
    "SquaredHinge": [("binary", {}), ("signed", {})],
    "Tversky": [("binary", {}), ("binary", {"alpha": 0.2, "beta": 0.7}), ("volume", {"alpha": 0.2, "axis": [1]})],
}  # fmt: skip
_CURVES = [("binary", {})]
_COUNTS = [("binary", {}), ("binary", {"thresholds": [0.7, 0.2]})]
_RATES = [*_COUNTS, ("binary", {"top_k": 2}), ("binary", {"class_id": 1}), ("binary", {"top_k": 2, "class_id": 3})]
METRICS: dict[str, list] = {
    "AUC": [
        *(("binary", {"curve": c, "summation_method": s, "num_thresholds": 9})
          for c in ("ROC", "PR") for s in ("interpolation", "minoring", "majoring")),
        ("binary", {"curve": "PRGAIN", "num_thresholds": 9}), ("binary", {}), ("binary", {"thresholds": [0.6, 0.3]}),
        ("signed", {"from_logits": True}),
        ("binary", {"multi_label": True, "num_labels": 4}), ("binary", {"multi_label": True, "num_thresholds": 5}),
    ],
    "Accuracy": [("classes", {})],
    "BinaryAccuracy": [("binary", {}), ("binary", {"threshold": 0.3})],
    "BinaryCrossentropy": LOSSES["BinaryCrossentropy"][:3],
    "BinaryIoU": [("binary", {}), ("binary", {"target_class_ids": [1], "threshold": 0.3})],
    "CategoricalAccuracy": [("onehot", {})],
    "CategoricalCrossentropy": LOSSES["CategoricalCrossentropy"],
    "CategoricalHinge": [("onehot", {})],
    "ConcordanceCorrelation": [("regression", {}), ("regression", {"axis": 0})],
    "CosineSimilarity": [("regression", {})],
    "F1Score": [("binary", {"average": a, "threshold": t}) for a in (None, "micro", "macro", "weighted") for t in (None, 0.4)],
    "FBetaScore": [("binary", {"average": a, "beta": 2.0}) for a in (None, "micro", "macro", "weighted")],
    "FalseNegatives": _COUNTS,
    "FalsePositives": _COUNTS,
    "Hinge": [("binary", {})],
    "IoU": [("classes", {}), ("masks", {"num_classes": 4, "sparse_y_pred": False}), ("classes", {"ignore_class": 1, "dtype": "float32"})],
    "KLDivergence": [("regression", {})],
    "LogCoshError": [("regression", {})],
    "Mean": [],
    "MeanAbsoluteError": [("regression", {}), ("volume", {})],
    "MeanAbsolutePercentageError": [("regression", {})],
    "MeanIoU": [("classes", {}), ("masks", {"num_classes": 4, "sparse_y_pred": False, "dtype": "float32"})],
    "MeanMetricWrapper": [],
    "MeanSquaredError": [("regression", {}), ("volume", {})],
    "MeanSquaredLogarithmicError": [("regression", {})],
    "OneHotIoU": [("onehot", {})],
    "OneHotMeanIoU": [("onehot", {})],
    "PearsonCorrelation": [("regression", {}), ("regression", {"axis": 0})],
    "Poisson": [("regression", {})],
    "Precision": _RATES,
    "PrecisionAtRecall": [*_CURVES, ("binary", {"class_id": 2, "num_thresholds": 50})],
    "R2Score": [("regression", {"class_aggregation": a, "num_regressors": n})
                for a in (None, "uniform_average", "variance_weighted_average") for n in (0, 2)],
    "Recall": _RATES,
    "RecallAtPrecision": _CURVES,
    "RootMeanSquaredError": [("regression", {})],
    "SensitivityAtSpecificity": _CURVES,
    "SparseCategoricalAccuracy": [("sparse", {}), ("sparse_column", {}), ("masks", {})],
    "SparseCategoricalCrossentropy": LOSSES["SparseCategoricalCrossentropy"],
    "SparseTopKCategoricalAccuracy": [("sparse", {"k": 2}), ("sparse_column", {"k": 2}), ("masks", {"k": 3}),
                                      ("ids", {"k": 2, "from_sorted_ids": True})],
    "SpecificityAtSensitivity": _CURVES,
    "SquaredHinge": [("binary", {})],
    "Sum": [],
    "TopKCategoricalAccuracy": [("onehot", {"k": 2})],
    "TrueNegatives": _COUNTS,
    "TruePositives": _COUNTS,
}  # fmt: skip
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.25, 1.5, 3.0], "float32")
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "none", "mean_with_sample_weight")
PENALTIES = [("L1", {"l1": 0.3}), ("L2", {"l2": 0.3}), ("L1L2", {"l1": 0.2, "l2": 0.3}), ("OrthogonalRegularizer", {"factor": 0.3})]
PROJECTIONS = [
    ("MaxNorm", {"max_value": 0.5}), ("MaxNorm", {"max_value": 1.5, "axis": 1}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.7}),
    ("NonNeg", {}), ("UnitNorm", {}), ("UnitNorm", {"axis": [0, 1]}),
]  # fmt: skip
ACTIVATIONS = [("relu", {"negative_slope": 0.1, "max_value": 1.2, "threshold": 0.3}), ("relu", {"negative_slope": 0.2}),
               ("elu", {"alpha": 0.5}),
               ("gelu", {"approximate": True}), ("threshold", {"threshold": 0.2, "default_value": -1.0}),
               ("leaky_relu", {"negative_slope": 0.3}),
               ("softmax", {"axis": 0}), ("squareplus", {"b": 2})]  # fmt: skip


def _with_gradient(function, y_pred):
    """A value and its gradient with respect to float predictions, by PyTorch."""
    import torch

    tensor = torch.tensor(y_pred, requires_grad=True)
    value = function(tensor)
    return value.detach().numpy(), torch.autograd.grad(value.sum(), tensor)[0].numpy()


def _numpy(value):
    return np.array(value.detach().numpy() if hasattr(value, "detach") else value)  # a copy: results may be views of the state


def losses(lib, serialize):
    for name, calls in LOSSES.items():
        yield f"{name}/config", serialize(getattr(lib, name)())
        for i, (kind, kwargs) in enumerate(calls):
            y_true, y_pred = data(kind, seed=i)
            yield f"{name}/config/{i}", serialize(getattr(lib, name)(**kwargs))
            for reduction in REDUCTIONS:
                loss = getattr(lib, name)(**kwargs, reduction=reduction)
                value, gradient = _with_gradient(lambda p, loss=loss, t=y_true: loss(t, p), y_pred)
                yield f"{name}/{i}/{reduction}", value
                yield f"{name}/{i}/{reduction}/gradient", gradient
                per_sample = loss(y_true, y_pred).shape[:1] == (6,) or reduction != "none"
                if name in ("Dice", "Tversky") and "axis" not in kwargs or kwargs.get("axis") == 0 or kind == "volume" or not per_sample:
                    continue  # no values per sample
                yield f"{name}/{i}/{reduction}/weighted", _numpy(loss(y_true, y_pred, WEIGHTS))


def metrics(lib, serialize):
    for name, calls in METRICS.items():
        cls = getattr(lib, name)
        if name == "MeanMetricWrapper":
            m = cls(lib.mean_squared_error)
            yield "MeanMetricWrapper/config", {k: v for k, v in serialize(m)["config"].items() if k != "name"}
            m.update_state(*data("regression"), sample_weight=WEIGHTS)
            yield "MeanMetricWrapper/0", _numpy(m.result())
            continue
        yield f"{name}/config", serialize(cls(**REQUIRED.get(name, {}), name="m"))
        yield f"{name}/name", cls(**REQUIRED.get(name, {})).name.rstrip("_0123456789")
        if name in ("Mean", "Sum"):
            for i, weights in enumerate((None, WEIGHTS, WEIGHTS[:, None], 2.0)):
                m = cls()
                for seed in range(3):
                    m.update_state(data("regression", seed)[1], weights)
                    m.update_state(0.5)
                    yield f"{name}/{i}/{seed}", _numpy(m.result())
        for i, (kind, kwargs) in enumerate(calls):
            for weighted in (False, True):
                m = cls(**{**REQUIRED.get(name, {}), **kwargs})
                weights = WEIGHTS if weighted and kind not in ("volume", "masks") and kwargs.get("axis") != 0 else None
                if "IoU" in name and kwargs.get("dtype") != "float32":
                    weights = None  # counts in int32
                if name == "BinaryIoU" or name == "Accuracy":
                    weights = None
                for seed in range(3):
                    m.update_state(*data(kind, seed), sample_weight=weights)
                    yield f"{name}/{i}/{weighted}/{seed}", _numpy(m.result())
                yield f"{name}/{i}/{weighted}/variables", [[v.name, list(v.shape), str(v.dtype)] for v in m.variables]
                if i == 0 and not weighted:
                    m.reset_state()
                    m.update_state(*data(kind, 7))
                    yield f"{name}/{i}/after reset", _numpy(m.result())


def initializers(lib, serialize):
    for name in sorted(
        n
        for n in dir(lib)
        if inspect.isclass(getattr(lib, n)) and n != "Initializer" and issubclass(getattr(lib, n), lib.Initializer) and n[0] != "_"
    ):
        yield f"{name}/config", serialize(getattr(lib, name)())
    for name in (
        "GlorotNormal",
        "GlorotUniform",
        "HeNormal",
        "HeUniform",
        "LecunNormal",
        "LecunUniform",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
    ):
        for shape in ((300, 200), (3, 3, 30, 40), (3000,)):
            values = _numpy(getattr(lib, name)(seed=1)(shape))
            yield f"{name}/moments/{shape}", np.array([values.std(), *(() if name == "RandomNormal" else (values.max(), -values.min()))])
    for side in ("real", "imag"):
        for window, scaling, periodic in (
            (None, None, False),
            ("hann", "density", False),
            ("hamming", "spectrum", True),
            ("blackman", None, True),
        ):
            yield f"STFT/{side}/{window}/{scaling}/{periodic}", _numpy(lib.STFT(side, window, scaling, periodic)((6, 1, 5)))
    yield "Identity/value", _numpy(lib.Identity(2.0)((2, 3)))
    yield "Constant/value", _numpy(lib.Constant([1, 2])((2, 2)))


def regularizers(lib, serialize):
    for name, kwargs in PENALTIES:
        yield f"{name}/config", serialize(getattr(lib, name)())
        yield f"{name}/{kwargs}", _numpy(getattr(lib, name)(**kwargs)(data("signed")[1]))


def constraints(lib, serialize):
    for name, kwargs in PROJECTIONS:
        yield f"{name}/config", serialize(getattr(lib, name)())
        yield f"{name}/{kwargs}", _numpy(getattr(lib, name)(**kwargs)(data("signed")[1]))


def activations(lib, serialize):
    inputs = np.linspace(-3, 3, 12).reshape(3, 4).astype("float32")
    names = [
        n
        for n in dir(lib)
        if inspect.isfunction(getattr(lib, n)) and not n.startswith("_") and n not in ("get", "serialize", "deserialize")
    ]
    plain = [(n, {}) for n in sorted(names) if n not in ("threshold", "softplus_")]
    for name, kwargs in plain + ACTIVATIONS:
        function = functools.partial(getattr(lib, name), **kwargs)
        value, gradient = _with_gradient(function, inputs)
        yield f"{name}/{kwargs}", value
        yield f"{name}/{kwargs}/gradient", gradient
        yield f"{name}/name", lib.serialize(getattr(lib, name))


def run(libs, serialize) -> dict[str, dict]:
    """The answers of a library, whose families are attributes of `libs`."""
    return {family: dict(globals()[family](getattr(libs, family), serialize)) for family in FAMILIES}


@functools.cache
def answers() -> tuple[dict, dict]:
    """Ours and Keras', both on PyTorch."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "answers.npz"
        environment = {**os.environ, "KERAS_BACKEND": "torch", "TF_CPP_MIN_LOG_LEVEL": "3"}
        process = subprocess.Popen(
            [sys.executable, __file__, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        ours = _ours()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
        return ours, read(file)


def write(file: pathlib.Path, result: dict[str, dict]) -> None:
    """Arrays as arrays, everything else as one JSON string."""
    arrays = {f"{family}:{key}": v for family, part in result.items() for key, v in part.items() if isinstance(v, np.ndarray)}
    others = {family: {key: v for key, v in part.items() if not isinstance(v, np.ndarray)} for family, part in result.items()}
    np.savez(file, **{str(i): v for i, v in enumerate(arrays.values())}, keys=np.array(list(arrays)), others=np.array(json.dumps(others)))


def read(file: pathlib.Path) -> dict[str, dict]:
    """What `write` wrote."""
    with np.load(file, allow_pickle=False) as content:
        result = json.loads(str(content["others"]))
        for i, key in enumerate(content["keys"]):
            family, _, name = str(key).partition(":")
            result[family][name] = content[str(i)]
    return result


def _ours() -> dict:
    import importlib

    from core.backend import slot
    from core.base.registry import serialize_keras_object

    with slot.use("torch"):
        return run(types.SimpleNamespace(**{f: importlib.import_module(f"core.{f}") for f in FAMILIES}), serialize_keras_object)


def difference(ours, theirs, rtol=2e-4, atol=2e-5) -> str | None:
    """What is different, or None. Tuples count as lists, as in JSON."""
    if isinstance(theirs, np.ndarray):
        if np.shape(ours) != theirs.shape:
            return f"shape {np.shape(ours)} for {theirs.shape}"
        return None if np.allclose(ours, theirs, rtol, atol, equal_nan=True) else f"{ours} for {theirs}"
    if isinstance(theirs, float) and isinstance(ours, float):
        return None if np.isclose(ours, theirs, rtol=1e-6) else f"{ours} for {theirs}"
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if ours.keys() != theirs.keys():
            return f"keys {sorted(ours)} for {sorted(theirs)}"
        return next((f"{k}: {d}" for k in theirs if (d := difference(ours[k], theirs[k]))), None)
    return None if ours == theirs else f"{ours!r} for {theirs!r}"


def differences(family: str, name: str | None = None, except_for: dict[str, str] | None = None, **tolerance) -> list[str]:
    """Where our answers differ from Keras', for one class or function of a family or all of it.

    `except_for` maps ends of keys to the reason.
    """
    ours, theirs = (answer[family] for answer in answers())
    keys = [k for k in {**theirs, **ours} if name is None or k.startswith(f"{name}/")]
    assert keys, f"No calls of {family}.{name}"
    found = []
    for key in keys:
        if any(key.endswith(end) for end in except_for or ()):
            continue
        if key not in ours or key not in theirs:
            found.append(f"{key}: only {'ours' if key in ours else 'theirs'}")
        elif problem := difference(ours[key], theirs[key], **tolerance):
            found.append(f"{key}: {problem}")
    return found


if __name__ == "__main__":
    import keras

    write(pathlib.Path(sys.argv[1]), run(keras, keras.saving.serialize_keras_object))
