"""The metrics: against formulas and Keras, on every backend, with their state moved, swapped, saved."""

import sys

import numpy as np
import peer
import pytest

import core.metrics as metrics
from core import losses, ops
from core.backend import use
from core.backend.masks import set_mask
from core.backend.slot import get as backend

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
NAMES = [name for name in metrics.__all__ if name[0].isupper() and name != "Metric"]
FUNCTIONS = [name for name in metrics.__all__ if name[0].islower() and name not in ("get", "serialize", "deserialize")]

# What we do otherwise than Keras 3.15, and why.
OTHERWISE = {
    # An ignored class takes no part in the mean, with and without weights; in Keras only with weights.
    "SparseCategoricalCrossentropy": {"2/False/0": "", "2/False/1": "", "2/False/2": ""},
}


def _make(name, /, **settings):
    if name == "MeanMetricWrapper":
        return metrics.MeanMetricWrapper(losses.mean_squared_error, **settings)
    return getattr(metrics, name)(**{**peer.REQUIRED.get(name, {}), **settings})


def _calls(name):
    """The table's calls of a metric, or one for those that take values."""
    return peer.METRICS[name] or [("regression", {})]


def _update(metric, kind, seed, weights=None):
    data = peer.data(kind, seed)
    return metric.update_state(data[1], weights) if type(metric) in (metrics.Mean, metrics.Sum) else metric.update_state(*data, weights)


def _numpy(x):
    return np.array(ops.convert_to_numpy(x))


def test_every_class_has_calls():
    assert set(peer.METRICS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_agree_with_keras(name):
    assert not peer.differences("metrics", name, OTHERWISE.get(name))


@pytest.mark.parametrize("name", NAMES)
def test_backends_agree(name):
    for kind, settings in _calls(name):
        results = []
        for backend_name in BACKENDS:
            with use(backend_name):
                metric = _make(name, **settings)
                for seed in range(2):
                    _update(metric, kind, seed)
                results.append(_numpy(metric.result()))
                assert all(v.backend.name == backend_name for v in metric.variables)
        for result in results[1:]:
            assert result.dtype == results[0].dtype == "float32"
            np.testing.assert_allclose(result, results[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_configs_round_trip(name):
    for kind, settings in _calls(name):
        with use("numpy"):
            metric = _make(name, **settings, name="mine")
            again = metrics.deserialize(metrics.serialize(metric))
            assert type(again) is type(metric) and again.get_config() == metric.get_config() and again.name == "mine"
            for m in (metric, again):
                _update(m, kind, 0)
            np.testing.assert_array_equal(again.result(), metric.result())


@pytest.mark.parametrize("backend_name", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_stateless_calls_leave_the_state(backend_name, name):
    kind, settings = _calls(name)[0]
    with use(backend_name):
        metric, twin = _make(name, **settings), _make(name, **settings)
        for m in (metric, twin):
            _update(m, kind, 0)
        _update(twin, kind, 1)
        before = [_numpy(v) for v in metric.variables]
        data = peer.data(kind, 1)
        data = data[1:] if name in ("Mean", "Sum") else data
        new = metric.stateless_update_state([v.value for v in metric.variables], *data)
        result = metric.stateless_result(new)
        fresh = metric.stateless_reset_state()
        for v, old in zip(metric.variables, before):
            np.testing.assert_array_equal(_numpy(v), old)
        np.testing.assert_allclose(_numpy(result), _numpy(twin.result()), rtol=1e-5)
        assert all(not _numpy(x).any() for x in fresh)
        with pytest.raises(ValueError, match="one value for each"):
            metric.stateless_result([])
        kept = metric.result()
        value = _numpy(kept)
        metric.reset_state()
        np.testing.assert_array_equal(_numpy(kept), value)  # a result is no view of the state
        assert all(not _numpy(v).any() for v in metric.variables)


def test_stateless_under_jax_jit():
    import jax

    with use("jax"):
        metric = metrics.AUC(num_thresholds=20)
        step = jax.jit(metric.stateless_update_state)
        values = metric.stateless_reset_state()
        for seed in range(3):
            values = step(values, *peer.data("binary", seed))
            metric.update_state(*peer.data("binary", seed))
        np.testing.assert_allclose(metric.stateless_result(values), metric.result(), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_state_moves_between_backends(name):
    kind, settings = _calls(name)[0]
    with use("torch"):
        metric, twin = _make(name, **settings), _make(name, **settings)
    for m in (metric, twin):
        _update(m, kind, 0)
        _update(m, kind, 1) if m is twin else None
    metric.to_backend("numpy")
    _update(metric, kind, 1)
    assert all(v.backend.name == "numpy" for v in metric.variables)
    np.testing.assert_allclose(_numpy(metric.result()), _numpy(twin.result()), rtol=1e-5)


Y, P = peer.data("binary")
LABELS = peer.data("sparse")[0]
BEST = P.argmax(-1)
FORMULAS = {
    "binary_accuracy": (Y, ((P > 0.5) == Y).astype(float)),
    "categorical_accuracy": (np.eye(4)[LABELS], (BEST == LABELS).astype(float)),
    "sparse_categorical_accuracy": (LABELS, (BEST == LABELS).astype(float)),
    "top_k_categorical_accuracy": (np.eye(4)[LABELS], np.ones(6)),
    "sparse_top_k_categorical_accuracy": (LABELS, np.ones(6)),
    "pearson_correlation": (P[::-1] ** 2, np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(P[::-1] ** 2, P)])),
    "concordance_correlation": (
        P[::-1] ** 2,
        np.array([2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
                  for a, b in zip(P[::-1] ** 2, P)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("backend_name", BACKENDS)
def test_functions(backend_name, name):
    if name not in FORMULAS:
        assert getattr(metrics, name) is getattr(losses, name)
        return
    y_true, expected = FORMULAS[name]
    with use(backend_name):
        value = getattr(metrics, name)(y_true, P)
    assert backend(backend_name).dtype(value) == "float32"
    np.testing.assert_allclose(_numpy(value), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["ROC", "PR"])
def test_auc_of_many_thresholds_is_scikit_learns(name):
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.RandomState(0)
    y = rng.randint(0, 2, 400)
    p = np.clip(0.3 * y + 0.7 * rng.uniform(size=400), 0, 1)
    w = rng.uniform(size=400)
    expected = sklearn.roc_auc_score(y, p, sample_weight=w) if name == "ROC" else sklearn.average_precision_score(y, p, sample_weight=w)
    with use("numpy"):
        metric = metrics.AUC(num_thresholds=5000, curve=name)
        for part in np.split(np.arange(400), 4):
            metric.update_state(y[part], p[part], w[part])
        np.testing.assert_allclose(metric.result(), expected, atol=2e-3)


def test_thresholds_in_any_order_and_number():
    """Few thresholds are compared, many are searched: both give the same."""
    many = np.random.RandomState(0).permutation(np.linspace(0.05, 0.95, 19)).tolist()
    for cls in (
        metrics.TruePositives,
        metrics.FalsePositives,
        metrics.TrueNegatives,
        metrics.FalseNegatives,
        metrics.Precision,
        metrics.Recall,
    ):
        with use("numpy"):
            together = cls(thresholds=many)(Y, P, peer.WEIGHTS)
            alone = [cls(thresholds=t)(Y, P, peer.WEIGHTS) for t in many]
        np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_masked_steps_do_not_count(backend_name):
    y, p = peer.data("volume")
    mask = np.random.RandomState(0).uniform(size=(6, 4)) > 0.4
    errors = ((y - p) ** 2).mean(-1)
    with use(backend_name):
        for weights, w in ((None, np.ones((6, 1))), (peer.WEIGHTS, peer.WEIGHTS[:, None])):
            p_masked = ops.convert_to_tensor(p)
            set_mask(p_masked, ops.convert_to_tensor(mask))
            metric = metrics.MeanSquaredError()
            metric.update_state(y, p_masked, weights)
            np.testing.assert_allclose(_numpy(metric.result()), (errors * w * mask).sum() / (w * mask).sum(), rtol=1e-5)


def test_names():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError) and isinstance(metrics.get("MAE"), metrics.MeanAbsoluteError)
    assert isinstance(metrics.get("r2_score"), metrics.R2Score) and isinstance(metrics.get(metrics.AUC), metrics.AUC)
    assert isinstance(metrics.get({"class_name": "MeanSquaredError", "config": {"name": "x"}}), metrics.MeanSquaredError)
    assert metrics.get(None) is None and metrics.get(abs) is abs
    for name in NAMES:
        if name not in peer.REQUIRED and name != "MeanMetricWrapper":
            assert type(metrics.get(name)) is getattr(metrics, name)
    with use("numpy"):
        metric = metrics.Mean("losses")
        assert [v.path for v in metric.variables] == ["losses/total", "losses/count"] and metric.dtype == "float32"


@pytest.mark.parametrize("backend_name", BACKENDS)
def test_users_metrics(backend_name):
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_weight(name="largest")
            self.inner = metrics.Mean()

        def update_state(self, values):
            self.largest.assign(ops.maximum(self.largest, ops.max(values)))
            self.inner.update_state(values)

        def result(self):
            return {"largest": ops.copy(self.largest), "mean": self.inner.result()}

    with use(backend_name):
        metric = Largest()
        metric.update_state(np.array([1.0, 5.0]))
        result = metric(np.array([2.0, 0.0]))
        assert {k: float(_numpy(v)) for k, v in result.items()} == {"largest": 5.0, "mean": 2.0}
        assert len(metric.variables) == 3
        metric.reset_state()
        assert float(_numpy(metric.result()["largest"])) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.get("accurcy"), "did you mean 'accuracy'"),
        (lambda: metrics.AUC(curve="LIFT"), "Unknown curve"),
        (lambda: metrics.AUC(summation_method="simpson"), "Unknown summation_method"),
        (lambda: metrics.AUC(num_thresholds=1), "above 1"),
        (lambda: metrics.AUC(multi_label=True, num_labels=3).update_state(Y, P), r"\(batch, 3\), got \(6, 4\)"),
        (lambda: metrics.AUC(multi_label=True, label_weights=[1.0])(Y, P), "each of the 4 labels"),
        (lambda: metrics.Precision(thresholds=[1.5]), "must lie in 0 to 1"),
        (lambda: metrics.Precision()(Y[:3], P), r"one shape, got \(3, 4\) and \(6, 4\)"),
        (lambda: metrics.PrecisionAtRecall(1.5), "recall must lie"),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "above 0"),
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold must lie"),
        (lambda: metrics.F1Score(average="mean"), "average must be"),
        (lambda: metrics.FBetaScore(beta=-1.0), "beta must be"),
        (lambda: metrics.F1Score()(Y[0], P[0]), r"shape \(batch, classes\)"),
        (lambda: metrics.R2Score(class_aggregation="mean"), "class_aggregation must be"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
        (lambda: metrics.R2Score()(Y[0], P[0]), r"shape \(batch, targets\)"),
        (lambda: metrics.IoU(2, [2]), "target_class_ids must lie"),
        (lambda: metrics.IoU(2, [0])([0, 1], [0, 1, 1]), "as many targets"),
        (lambda: metrics.SparseCategoricalAccuracy()(Y, P), "one class index per sample"),
        (lambda: metrics.Mean()(P, np.ones(5)), r"sample_weight of shape \(5,\)"),
    ],
)
def test_errors_teach(call, message):
    with use("numpy"), pytest.raises(ValueError, match=message):
        call()
    with pytest.raises(TypeError, match="must define"):
        metrics.Metric().update_state()


def test_fractions_of_integer_counts_are_warned_about():
    with use("numpy"), pytest.warns(UserWarning, match="give dtype='float32'"):
        metrics.MeanIoU(2).update_state([0, 1], [0, 1], [0.5, 0.5])


def test_the_mean_of_a_scalar_is_lean():
    """What each training step does with its loss, counted in Python calls, on eager PyTorch."""
    with use("torch"):
        value, metric, count = ops.convert_to_tensor(np.float32(2.0)), metrics.Mean(), 0
        metric.update_state(value)

        def counted(frame, event, argument):
            nonlocal count
            count += event == "call"

        sys.setprofile(counted)
        try:
            metric.update_state(value)
        finally:
            sys.setprofile(None)
    assert count <= 45
    assert float(metric.result()) == 2.0
