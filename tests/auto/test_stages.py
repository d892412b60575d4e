"""Fitted models as plain arrays: they predict what scikit-learn's own models predict, in NumPy and as layers of every backend."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.neighbors import KNeighborsRegressor

import core
from auto.data.terms import find_vocabulary
from auto.pipeline import Member, Pipeline
from auto.portfolio.linear import ABSENT, coefficients
from auto.stages import Stage
from auto.stages.bag import bag_stage
from auto.stages.features import feature_views
from auto.stages.linear import linear_stage
from auto.stages.neighbours import neighbours_stage
from auto.stages.radial import radial_stage
from auto.stages.trees import boosting_stage, forest_stage

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def float32(x):
    return x.astype("float32")


def forest_classes():
    x, y = IRIS
    model = RandomForestClassifier(7, random_state=0).fit(float32(x), y)
    return forest_stage(model, [model.classes_], 3, "classes"), float32(x), model.predict_proba(float32(x))


def forest_absent_class():
    x, y = IRIS[0][50:], IRIS[1][50:]  # classes 1 and 2 of three
    model = RandomForestClassifier(5, random_state=0).fit(float32(x), y)
    return forest_stage(model, [model.classes_], 3, "classes"), float32(x), np.c_[np.zeros(len(x)), model.predict_proba(float32(x))]


def forest_values():
    x, y = DIABETES
    model = ExtraTreesRegressor(5, random_state=0, min_samples_leaf=3).fit(float32(x), y)
    return forest_stage(model, [], 1, "values"), float32(x), model.predict(float32(x))[:, None]


def forest_labels():
    x, y = IRIS
    labels = np.stack([y > 0, y > 1], axis=1).astype(int)
    model = RandomForestClassifier(5, random_state=0).fit(float32(x), labels)
    expected = np.stack([column[:, 1] for column in model.predict_proba(float32(x))], axis=1)
    return forest_stage(model, model.classes_, 2, "labels"), float32(x), expected


def boosting_classes():
    x, y = IRIS
    model = HistGradientBoostingClassifier(max_iter=8, early_stopping=False).fit(float32(x), y)
    return boosting_stage([(model, [0, 1, 2])], np.full(3, ABSENT), "classes"), float32(x), model.predict_proba(float32(x))


def boosting_two_classes():
    x, y = IRIS[0][50:], IRIS[1][50:] - 1
    model = HistGradientBoostingClassifier(max_iter=8, early_stopping=False).fit(float32(x), y)
    return boosting_stage([(model, [1])], np.zeros(2), "classes"), float32(x), model.predict_proba(float32(x))


def boosting_absent_class():
    x, y = IRIS[0][50:], IRIS[1][50:]
    model = HistGradientBoostingClassifier(max_iter=8, early_stopping=False).fit(float32(x), y)
    stage = boosting_stage([(model, [2])], np.array([ABSENT, 0.0, 0.0]), "classes")
    return stage, float32(x), np.c_[np.zeros(len(x)), model.predict_proba(float32(x))]


def boosting_values():
    x, y = DIABETES
    model = HistGradientBoostingRegressor(max_iter=8, early_stopping=False).fit(float32(x), y)
    return boosting_stage([(model, [0])], np.zeros(1), "values"), float32(x), model.predict(float32(x))[:, None]


def nearest():
    x, y = DIABETES
    model = KNeighborsRegressor(4, weights="distance").fit(10 * x[:200], y[:200])
    return neighbours_stage(10 * x[:200], y[:200, None], None, 4), float32(10 * x[200:]), model.predict(10 * x[200:])[:, None]


def radial_values():
    """Kernel ridge regression as scikit-learn fits it: every row is a landmark, and there is no bias."""
    from sklearn.kernel_ridge import KernelRidge

    x, y = 20 * DIABETES[0][:150], (DIABETES[1][:150] - DIABETES[1][:150].mean()) / 80
    model = KernelRidge(kernel="rbf", gamma=0.03, alpha=1.0).fit(x, y)
    return radial_stage(x, model.dual_coef_[:, None], np.zeros(1), 0.03, "values"), float32(x), model.predict(x)[:, None]


def logistic():
    x, y = IRIS
    kernel, bias = coefficients(x, np.eye(3)[y], np.ones(len(x)), "classes", {"strength": 1.0})
    scores = x @ kernel + bias
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return linear_stage(kernel, bias, "classes"), float32(x), expected


def terms():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["red red car", "blue car", "a red boat", "green"]
    vocabulary = find_vocabulary(texts)
    known = list(vocabulary.terms)
    reference = TfidfVectorizer(vocabulary=known, ngram_range=(1, 2), binary=True, token_pattern=r"\w+").fit_transform(texts)
    kernel = np.random.default_rng(0).normal(size=(len(vocabulary.terms) + 1, 3))
    kernel[0] = 0
    stage = bag_stage(vocabulary.idf_row(), kernel, np.ones(3), vocabulary.length, vocabulary.capacity, "values")
    return stage, vocabulary.encode(texts), reference @ kernel[1:] + 1


CASES = [
    forest_classes, forest_absent_class, forest_values, forest_labels, boosting_classes, boosting_two_classes, boosting_absent_class,
    boosting_values, nearest, radial_values, logistic, terms,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_stage_predicts_what_its_reference_predicts(case):
    stage, x, expected = case()
    np.testing.assert_allclose(stage(x), expected, rtol=2e-4, atol=2e-5 * max(1, np.abs(expected).max()))
    row_by_row = Stage(stage.kind, stage.config, stage.arrays, width=10**7)(x[:5])
    np.testing.assert_allclose(row_by_row, stage(x[:5]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", ["jax", "torch", "tensorflow"])
@pytest.mark.parametrize("case", [forest_classes, boosting_two_classes, nearest, radial_values, terms])
def test_a_stage_is_the_same_layer_on_every_backend(case, backend, tmp_path):
    stage, x, _ = case()
    pipeline = Pipeline({}, (Member("half", "raw", stage, 0.5), Member("other half", "raw", stage, 0.5)))
    with core.backend.use(backend):
        model = pipeline.to_core(x.shape[1:], str(x.dtype), np.ones(1), np.zeros(1), "exported")
        np.testing.assert_allclose(model.predict(x, verbose=0), stage(x), rtol=1e-4, atol=1e-5)
        model.save(tmp_path / "exported.keras")
        loaded = core.saving.load_model(tmp_path / "exported.keras")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), stage(x), rtol=1e-4, atol=1e-5)


def test_views_fill_scale_and_encode():
    raw = np.array([[1.0, 7.0, 0.0], [np.nan, 7.0, 1.0], [3.0, 7.0, -1.0], [5.0, 7.0, 0.0]], "float32")
    views = feature_views(raw, [0, 0, 2])  # a number with a hole, a constant, a code of two categories
    np.testing.assert_array_equal(views["trees"](raw), [[1, 0, 0], [3, 1, 1], [3, 0, -1], [5, 0, 0]])
    filled = np.array([1.0, 3.0, 3.0, 5.0])
    expected = np.c_[(filled - filled.mean()) / filled.std(), [0, 1, 0, 0], [[1, 0], [0, 1], [0, 0], [1, 0]]]
    np.testing.assert_allclose(views["dense"](raw), expected, rtol=1e-6)


def test_landmarks_make_kernel_ridge_regression():
    """With every row a landmark: ridge regression, with a bias, of features whose products are the kernel."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics.pairwise import rbf_kernel

    from auto.portfolio.radial import fit_radial
    from auto.search.clock import Clock

    x, y = float32(20 * DIABETES[0][:150]), (DIABETES[1][:150] - DIABETES[1][:150].mean()) / 80
    stage = fit_radial(x, y[:, None], np.ones(150), "values", {"reach": 0.3, "strength": 10.0}, 0, Clock(None))
    values, vectors = np.linalg.eigh(rbf_kernel(x.astype("float64"), gamma=0.3 / x.shape[1]))
    features = vectors * np.sqrt(np.maximum(values, 0))
    np.testing.assert_allclose(stage(x)[:, 0], Ridge(1.0).fit(features, y).predict(features), atol=1e-4)


def test_weights_of_an_ensemble_do_not_hang_on_one_row():
    from auto.search.ensemble import select_bagged
    from auto.search.metrics import METRICS

    rng = np.random.default_rng(0)
    y, ones = rng.normal(size=(60, 1)), np.ones(60)
    predictions = [y + 0.5 * rng.normal(size=y.shape) for _ in range(4)]
    found = select_bagged(predictions, y, METRICS["rmse"], ones)
    without_first = select_bagged([prediction[1:] for prediction in predictions], y[1:], METRICS["rmse"], ones[1:])
    assert np.isclose(found.sum(), 1) and (found > 0.05).all() and np.abs(found - without_first).sum() < 0.1


def test_the_choice_of_an_ensemble_ends_with_the_budget():
    from auto.search.clock import Clock
    from auto.search.ensemble import BAGS, ROUNDS, select_bagged
    from auto.search.metrics import METRICS, Metric

    looks = []

    def counted(*arguments):
        looks.append(1)
        return METRICS["rmse"].function(*arguments)

    metric = Metric("counted", counted, False, ("values",))
    y = np.random.default_rng(0).normal(size=(60, 1))
    predictions = [y + 1, y - 1, y + 5]
    weights = select_bagged(predictions, y, metric, np.ones(60), clock=Clock(1e-9))
    assert len(looks) == 3 and np.isclose(weights.sum(), 1)  # one round of one bag
    looks.clear()
    select_bagged(predictions, y, metric, np.ones(60), clock=Clock(None))
    assert len(looks) == 3 * BAGS * ROUNDS  # without a limit the machine's speed decides nothing
