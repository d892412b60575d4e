"""Four scripts as users of AutoKeras write them, on each backend: arrays in, a few trials, a score on rows that were held out."""

import numpy as np
import pytest
from sklearn import datasets
from sklearn.model_selection import train_test_split

import auto
import core

pytestmark = [pytest.mark.slow]  # networks are compiled for each of the backends


@pytest.fixture(params=["torch", "jax", "tensorflow"])
def backend(request):
    pytest.importorskip(request.param)
    with core.backend.use(request.param):
        yield request.param


def held_out(x, y):
    """A quarter of the rows for the score, as in the table of the peer's figures."""
    return train_test_split(x, y, test_size=0.25, random_state=0)


def accuracy(model, x, y):
    return float(np.mean(np.ravel(model.predict(x)) == y))


def test_a_table_with_two_classes(backend, tmp_path):
    train_x, test_x, train_y, test_y = held_out(*datasets.load_breast_cancer(return_X_y=True))
    classifier = auto.StructuredDataClassifier(max_trials=2, directory=tmp_path, seed=0)
    classifier.fit(train_x, train_y, epochs=30, verbose=0)
    assert accuracy(classifier, test_x, test_y) >= 0.951  # AutoKeras 3.0: 0.951 to 0.958


def test_a_table_with_a_number_to_tell(backend, tmp_path):
    train_x, test_x, train_y, test_y = held_out(*datasets.load_diabetes(return_X_y=True))
    regressor = auto.StructuredDataRegressor(max_trials=2, directory=tmp_path, seed=0)
    regressor.fit(train_x, train_y, epochs=30, verbose=0)
    assert np.sqrt(np.mean((np.ravel(regressor.predict(test_x)) - test_y) ** 2)) <= 61.5  # AutoKeras 3.0: 61.5 to 62.2


def test_texts_that_ten_words_tell_apart(backend, tmp_path):
    rng = np.random.default_rng(0)
    common = np.array([f"word{i}" for i in range(200)])
    telling = (np.array(["good", "fine", "great", "lovely", "superb"]), np.array(["bad", "poor", "awful", "dreadful", "dull"]))
    labels = rng.integers(0, 2, 600)
    texts = np.array([" ".join(rng.permutation([*rng.choice(common, 12), *rng.choice(telling[label], 3)])) for label in labels])
    classifier = auto.TextClassifier(max_trials=1, directory=tmp_path, seed=0)
    classifier.fit(texts[:450], labels[:450], epochs=3, batch_size=32, verbose=0)
    assert accuracy(classifier, texts[450:], labels[450:]) >= 0.98  # AutoKeras 3.0: 0.500


@pytest.mark.parametrize("trials", [1, 2])
def test_small_images_of_digits(backend, trials, tmp_path):
    x, y = datasets.load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = held_out(x.reshape(-1, 8, 8, 1), y)
    classifier = auto.ImageClassifier(max_trials=trials, directory=tmp_path, seed=0)
    classifier.fit(train_x, train_y, epochs=3, verbose=0)
    assert accuracy(classifier, test_x, test_y) >= 0.924  # AutoKeras 3.0: 0.924 after one trial, none after two in four minutes
