"""`SklearnTuner`: cross-validated search over scikit-learn's estimators."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tuner.errors import FatalTypeError, FatalValueError
from tuner.search.hypermodel import HyperModel
from tuner.search.oracle import Oracle
from tuner.search.trial import SearchTrial
from tuner.search.tuner import Tuner
from tuner.space import HyperParameters


class SklearnTuner(Tuner):
    """Searches for the hyperparameters of an estimator by cross-validation; the metric is called `"score"`.

    Estimators are not written to the disk (that would take pickle, which runs what it reads): `get_best_models` fits the best
    hyperparameters again, to all the data of `search`.

    Args:
        oracle: with `objective=tuner.Objective("score", "max")`.
        hypermodel: a function of `hp` that returns an estimator.
        scoring: `scorer(estimator, X, y)`; None for the estimator's own `score`.
        metrics: functions `(y_true, y_pred)` to report beside, one or a list.
        cv: a splitter; None for five shuffled folds.

    >>> from sklearn import datasets, linear_model
    >>> import tempfile, tuner
    >>> search = SklearnTuner(
    ...     tuner.oracles.GridSearchOracle(objective=tuner.Objective("score", "max")),
    ...     lambda hp: linear_model.Ridge(alpha=hp.Choice("alpha", [0.1, 1.0, 100.0])), directory=tempfile.mkdtemp())
    >>> search.search(*datasets.load_diabetes(return_X_y=True))
    >>> search.get_best_hyperparameters()[0].values
    {'alpha': 0.1}
    """

    def __init__(self, oracle: Oracle, hypermodel: HyperModel | Callable[[HyperParameters], Any], scoring: Callable | None = None,
                 metrics: Callable | Sequence[Callable] | None = None, cv: Any = None, **kwargs: Any):  # fmt: skip
        super().__init__(oracle=oracle, hypermodel=hypermodel, **kwargs)
        if cv is None:
            from sklearn.model_selection import KFold

            cv = KFold(5, shuffle=True, random_state=1)
        self.scoring, self.cv = scoring, cv
        self.metrics = [metrics] if callable(metrics) else list(metrics or ())
        self._data: tuple[Any, Any, Any] | None = None

    def search(  # type: ignore[override]
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, *, n_jobs: int = 1, **kwargs: Any
    ) -> None:
        """Runs the search on `X` `(samples, features)` and `y` `(samples,)`.

        Args:
            sample_weight: weights `(samples,)`, for fitting and scoring.
            groups: groups of samples `(samples,)`, for splitters that keep groups together.
            n_jobs: how many processes work at once.
        """
        if kwargs:
            raise TypeError(f"SklearnTuner.search takes X, y, sample_weight, groups and n_jobs, got {sorted(kwargs)} besides.")
        self._data = (X, y, sample_weight)
        super().search(X, y, sample_weight=sample_weight, groups=groups, n_jobs=n_jobs)

    def run_trial(self, trial: SearchTrial, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> dict[str, float]:
        """The means over the folds of the score and of the metrics."""
        assert self.hypermodel is not None
        found: dict[str, list[float]] = {}
        weights = None if sample_weight is None else np.asarray(sample_weight)
        for train, test in self.cv.split(X, y, groups):
            model = self.hypermodel.build(trial.hyperparameters)
            _check_estimator(model)
            self._note_asked(trial)
            model.fit(_rows(X, train), _rows(y, train), **_weighted(None if weights is None else weights[train]))
            held_x, held_y = _rows(X, test), _rows(y, test)
            held = _weighted(None if weights is None else weights[test])
            score = self.scoring(model, held_x, held_y, **held) if self.scoring is not None else model.score(held_x, held_y, **held)
            found.setdefault("score", []).append(float(score))
            if self.metrics:
                predicted = model.predict(held_x)
                for metric in self.metrics:
                    found.setdefault(metric.__name__, []).append(float(metric(held_y, predicted, **held)))
        return {name: float(np.mean(values)) for name, values in found.items()}

    def save_model(self, trial_id: str, model: Any, step: int = 0) -> None:
        """Does nothing: estimators are fitted again from their hyperparameters."""

    def load_model(self, trial: SearchTrial) -> Any:
        """The trial's estimator, fitted to all the data of this object's `search`."""
        assert self.hypermodel is not None
        if self._data is None:
            raise FatalValueError(
                "Estimators are not kept on the disk, so they are fitted again, and this tuner has not been given data yet: call "
                "search(X, y) first (it ends at once where the search is over), or build from get_best_hyperparameters() and fit."
            )
        X, y, sample_weight = self._data
        return self.hypermodel.build(trial.hyperparameters).fit(X, y, **_weighted(sample_weight))


def _check_estimator(model: Any) -> None:
    if not hasattr(model, "fit") or inspect.isclass(model):
        raise FatalTypeError(
            f"The function that builds must return a scikit-learn estimator, got {model!r} of type {type(model).__name__}."
        )


def _rows(data: Any, index: np.ndarray) -> Any:
    return data.iloc[index] if hasattr(data, "iloc") else np.asarray(data)[index]


def _weighted(weights: Any) -> dict[str, Any]:
    return {} if weights is None else {"sample_weight": weights}
