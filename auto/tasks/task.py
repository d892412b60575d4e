"""What all tasks share: the run from data to ensemble, predictions, scores, and what can be asked afterwards."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import core
from auto.data.targets import Target, find_target
from auto.pipeline import Member, Pipeline
from auto.search.clock import Clock
from auto.search.folds import make_folds
from auto.search.metrics import LOSSES, METRICS, SYNONYMS, Metric, find_metric
from auto.search.problem import Problem
from auto.search.run import Candidate, Proposal, Scorer, run
from auto.tasks.options import PRESETS, Options
from core.saving import ConfigError

SMALL_WORK = 3_000_000  # numbers in the matrix below which more threads cost more than they bring


class Task:
    """A model chosen by itself: `fit`, `predict`, `evaluate`, `leaderboard`, `importance`, `report`, `save`.

    The constructor's arguments are those of each task; those of all: `max_trials` (candidates at most), `time_limit` (seconds,
    obeyed by `fit`; there is always a model), `metric` (what models are chosen by), `preset` ("fast", "balanced", "best": folds and
    effort), `seed`, `directory` and `project_name` (where a finished fit is kept), `overwrite` (may it replace an older one),
    `max_model_size` (weights of one network at most), `objective` ("val_loss", "val_accuracy" ...: as `metric`).
    """

    regression = False
    multi_label = False
    outputs: int | None = None

    def __init__(self, *, loss: Any = None, metrics: Any = None, **options: Any) -> None:
        known = {field.name for field in dataclasses.fields(Options)}
        _check_tuner(options.pop("tuner", None))
        unknown = sorted(set(options) - known)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(unknown)}; it has {', '.join(sorted(known))}.")
        self.options = Options(**{**options, "project_name": options.get("project_name") or "auto"})
        self.metrics = _metric_names(metrics)
        _check_loss(loss, self.regression)
        self.target: Target | None = None
        self.encoder: Any = None
        self.pipeline: Pipeline | None = None
        self.metric: Metric | None = None
        self.candidates: list[Candidate] = []
        self.score = float("nan")
        self.seconds = float("nan")

    # What a task says of its data.

    def _read(self, x: Any, y: Any) -> tuple[Any, Any, str]:
        """The inputs, the targets and the targets' name."""
        return x, y, str(getattr(y, "name", None) or "")

    def _find_encoder(self, x: Any, inputs: Any, seed: int) -> Any:
        raise TypeError(f"{type(self).__name__} must define _find_encoder: how its inputs are encoded.")

    def _views(self, raw: np.ndarray, target: np.ndarray, seed: int) -> dict[str, Any]:
        raise TypeError(f"{type(self).__name__} must define _views: through which views models see its inputs.")

    def _recipes(self, problem: Problem, limited: bool) -> list[Any]:
        raise TypeError(f"{type(self).__name__} must define _recipes: which recipes it tries.")

    def _marks(self) -> dict[str, Any]:
        """What a `Problem` should know of the inputs beyond their matrix."""
        return {}

    def _folds(self, rows: int, count: int) -> int:
        """How many folds: fewer for many rows, where one validation split is certain enough."""
        return 1 if rows > 20_000 else min(3, count) if rows > 5_000 else count

    # Fitting.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        epochs: int | None = None,
        callbacks: Any = None,
        validation_split: float | None = None,
        validation_data: Any = None,
        verbose: Any = 1,
        *,
        time_limit: float | None = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        **kwargs: Any,
    ) -> Task:
        """Tries models until trials or time are used up, and keeps the ensemble of them; returns the task itself.

        Args:
            x: the inputs, as the task describes them.
            y: the targets; for tables also the name of the column that holds them.
            epochs: bounds the training of networks; as many as help by default.
            callbacks: `core.callbacks.Callback`s, of which each network's training gets copies; they see `loss`, `val_loss`, and
                for classes `val_accuracy`. Other models have no epochs, and do not call them.
            validation_split: the share of the rows that validates. Left out, small data is validated by folds.
            validation_data: `(x, y)` that validates.
            time_limit: seconds, overriding the constructor's.
            sample_weight: how much each row counts, in training and in the metric.
            class_weight: a number for each class, or "balanced": every class counts the same.

        Raises:
            ValueError: no rows, lengths that differ, missing values in y, one class only.
        """
        watchers = _callbacks(callbacks)
        unknown = sorted(set(kwargs) - {"batch_size", "shuffle"})
        if unknown:
            raise TypeError(f"fit has no argument {', '.join(unknown)}.")
        options = self.options if time_limit is None else dataclasses.replace(self.options, time_limit=time_limit)
        clock = Clock(options.time_limit)
        path = options.path
        if path is not None and path.exists() and not options.overwrite:
            raise FileExistsError(f"{str(path)!r} exists; load it with auto.load, or pass overwrite=True to replace it.")
        seed = secrets.randbelow(2**31) if options.seed is None else int(options.seed)
        inputs, y, name = self._read(x, y)
        if y is None:
            raise ValueError("fit needs the targets y.")
        target = find_target(y, self.regression, self.multi_label, self.outputs, name)
        encoder = self._find_encoder(x, inputs, seed)
        raw, encoded = encoder.encode(inputs), target.encode(y)
        if len(raw) != len(encoded):
            raise ValueError(f"x has {len(raw)} rows, y has {len(encoded)}; they must be as many.")
        if len(raw) < 2:
            raise ValueError(f"x has {len(raw)} row(s); at least two are needed.")
        weights = _weights(sample_weight, class_weight, target, encoded)
        metric = find_metric(options.metric, options.objective, target.kind)
        folds_wanted, entries, trials = PRESETS[options.preset]
        if validation_data is not None:
            raw, encoded, weights, folds = _held_out(self, encoder, target, raw, encoded, weights, validation_data)
        else:
            fewest = int(encoded.sum(axis=0).min()) if target.kind == "classes" else len(raw)
            count = min(self._folds(len(raw), folds_wanted), max(2, fewest), len(raw))
            if validation_split is not None and not 0 < validation_split < 1:
                raise ValueError(f"validation_split must be between 0 and 1, got {validation_split}.")
            folds = make_folds(encoded, target.kind, count if validation_split is None else 1, validation_split or 0.2, seed)
        self.target, self.encoder, self.metric = target, encoder, metric
        problem = Problem(
            raw, encoded, target.kind, weights, folds, self._views(raw, encoded, seed), seed,
            epochs=epochs, max_weights=options.max_model_size, callbacks=watchers, **self._marks(),
        )  # fmt: skip
        self._search(problem, options, clock, entries, trials, bool(verbose))
        self.seconds = clock.used
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.save(path)
        return self

    def _search(self, problem: Problem, options: Options, clock: Clock, entries: int, trials: int, loud: bool) -> None:
        from threadpoolctl import threadpool_limits

        from auto.search.propose import proposals

        assert self.metric is not None
        recipes = self._recipes(problem, options.time_limit is not None)
        portfolio: list[Proposal] = []
        for turn in range(entries):
            portfolio += [(recipe, recipe.portfolio[turn]) for recipe in recipes if turn < len(recipe.portfolio)]
        wanted = options.max_trials if options.time_limit is not None else min(options.max_trials, len(portfolio) + trials)

        def search(candidates: list[Candidate], clock: Clock) -> Iterator[Proposal]:
            return proposals(recipes, candidates, clock, problem.seed)

        scorer = Scorer(self.metric, problem, *self._units())
        with threadpool_limits(1 if problem.raw.size < SMALL_WORK else None):
            chosen = search if trials else None
            self.candidates = run(problem, scorer, portfolio, clock, wanted, chosen, print if loud else lambda line: None)
        members = [Member(c.name, c.view, c.model, c.weight) for c in self.candidates if c.weight and c.model is not None]
        used = {member.view for member in members}
        self.pipeline = Pipeline({name: stage for name, stage in problem.views.items() if name in used}, tuple(members))
        self.score = max(
            (c.score for c in self.candidates if c.status == "ok"), key=lambda s: s if self.metric.greater_is_better else -s  # type: ignore[union-attr]
        )

    def _units(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and scale of the target's values; 0 and 1 for classes."""
        assert self.target is not None
        if self.target.kind == "values":
            return np.array(self.target.mean), np.array(self.target.scale)
        return np.zeros(1), np.ones(1)

    # Using.

    def _fitted(self) -> tuple[Any, Target, Pipeline]:
        if self.pipeline is None or self.target is None:
            raise ValueError(f"This {type(self).__name__} has not been fitted; call fit(x, y) first.")
        return self.encoder, self.target, self.pipeline

    def encode(self, x: Any) -> np.ndarray:
        """The matrix that models see of inputs, `(n, features)`; what an exported model takes where the inputs are no plain numbers."""
        return self._fitted()[0].encode(x)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Classes or values, in the form that y had in training: `(n,)`, `(n, 1)`, one-hot or `(n, outputs)`."""
        encoder, target, pipeline = self._fitted()
        _only_keras(kwargs)
        return target.decode(pipeline(encoder.encode(x)))

    def predict_proba(self, x: Any) -> np.ndarray:
        """The probability of each class, `(n, classes)` in the order of `classes`."""
        encoder, target, pipeline = self._fitted()
        if target.kind == "values":
            raise TypeError("predict_proba is for classifiers; a regressor has predict.")
        return pipeline(encoder.encode(x)).astype("float32")

    @property
    def classes(self) -> np.ndarray:
        """The classes, in the order of `predict_proba`'s columns."""
        target = self._fitted()[1]
        if target.kind == "values":
            raise TypeError("A regressor has no classes.")
        return target.labels

    def evaluate(self, x: Any, y: Any = None, *, sample_weight: Any = None, return_dict: bool = False, **kwargs: Any) -> Any:
        """`[loss, metric, ...]` on other data: log-loss and accuracy of classifiers, mean squared error (twice) of regressors.

        The metrics are those of the constructor's `metrics`; `return_dict` gives them by name.
        """
        encoder, target, pipeline = self._fitted()
        _only_keras(kwargs)
        inputs, y, _ = self._read(x, y)
        if y is None:
            raise ValueError("evaluate needs the targets y.")
        truth, prediction = target.encode(y), pipeline(encoder.encode(inputs))
        if len(truth) != len(prediction):
            raise ValueError(f"x has {len(prediction)} rows, y has {len(truth)}; they must be as many.")
        mean, scale = self._units()
        weights = None if sample_weight is None else np.asarray(sample_weight, "float64")
        loss = "mse" if target.kind == "values" else LOSSES[target.kind]
        names = self.metrics or {"values": ["mse"], "labels": ["label_accuracy"], "classes": ["accuracy"]}[target.kind]
        truth, prediction = truth * scale + mean, prediction * scale + mean
        found = [("loss", METRICS[loss])] + [(name, find_metric(name, None, target.kind)) for name in names]
        scores = [(name, metric(truth, prediction, weights)) for name, metric in found]
        return dict(scores) if return_dict else [score for _, score in scores]

    def leaderboard(self) -> Any:
        """A DataFrame of all trials, best first: score (out of fold), fit_time (s), predict_time (s a row), size (bytes), weight ..."""
        import pandas

        self._fitted()
        columns = ("name", "score", "fit_time", "predict_time", "size", "weight", "status", "message")
        ranked = sorted(self.candidates, key=lambda candidate: candidate.loss)
        table = pandas.DataFrame([[getattr(candidate, column) for column in columns] for candidate in ranked], columns=list(columns))
        return table.rename(columns={"name": "model"})

    def importance(self, x: Any, y: Any = None, *, repeats: int = 5, seed: int = 0) -> Any:
        """How much worse the score gets when a column is shuffled; see `auto.importance.permutation_importance`."""
        from auto.importance import permutation_importance

        return permutation_importance(self, x, y, repeats, seed)

    def report(self, path: Any, x: Any = None, y: Any = None) -> None:
        """Writes one HTML page about the fit, with importances where data is given; see `auto.report`."""
        from auto.report import write_report

        write_report(self, path, x, y)

    def save(self, path: Any) -> None:
        """Writes everything that predicts to one file, without code; `auto.load` reads it."""
        from auto.archive import save

        self._fitted()
        save(self, path)

    def export_model(self) -> Any:
        """The whole ensemble with its preprocessing as one `core.Model`: probabilities, or values.

        Its input is x where that is plain numbers (images, arrays), else `encode(x)`. `core.saving.load_model` loads it where `auto` is
        imported, or with `custom_objects=auto.CUSTOM_OBJECTS`.
        """
        encoder, target, pipeline = self._fitted()
        shape, dtype = self._export_shape()
        mean, scale = self._units()
        return pipeline.to_core(shape, dtype, scale, mean, name="auto_model")

    def _export_shape(self) -> tuple[tuple[int, ...], str]:
        return (len(self.encoder.levels),), "float32"


def _check_tuner(tuner: Any) -> None:
    """AutoKeras' choice of a tuner: any of its names is taken, since the search after the portfolio is the same for all."""
    names = ("greedy", "bayesian", "hyperband", "random")
    if tuner is not None and tuner not in names:
        raise ConfigError(f"tuner must be one of {', '.join(names)} or None, got {tuner!r}.")


def _check_loss(loss: Any, regression: bool) -> None:
    """The losses that models of every family minimise here; a loss of one's own would reach the networks only."""
    entropies = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")
    known: tuple[str, ...] = ("mean_squared_error", "mse") if regression else entropies
    if loss is not None and loss not in known:
        raise ConfigError(f"loss must be None or one of {', '.join(known)}, got {loss!r}; to choose models otherwise pass metric=.")


def _callbacks(callbacks: Any) -> tuple[Any, ...]:
    found = tuple(callbacks) if isinstance(callbacks, (list, tuple)) else () if callbacks is None else (callbacks,)
    wrong = next((callback for callback in found if not isinstance(callback, core.callbacks.Callback)), None)
    if wrong is not None:
        raise TypeError(f"callbacks takes a core.callbacks.Callback or a list of them, got {type(wrong).__name__}.")
    return found


def _metric_names(metrics: Any) -> list[str]:
    names = [metrics] if isinstance(metrics, str) else list(metrics or [])
    wrong = [name for name in names if not isinstance(name, (str, Metric))]
    if wrong:
        raise TypeError(f"metrics takes names ({', '.join(METRICS)}) or auto.Metric, got {wrong[0]!r}.")
    return [SYNONYMS.get(name, name) if isinstance(name, str) else name for name in names]


def _only_keras(kwargs: dict[str, Any]) -> None:
    unknown = sorted(set(kwargs) - {"verbose", "batch_size", "steps"})
    if unknown:
        raise TypeError(f"There is no argument {', '.join(unknown)} here.")


def _weights(sample_weight: Any, class_weight: Any, target: Target, encoded: np.ndarray) -> np.ndarray:
    """The weight of each row, with mean one."""
    weights = np.ones(len(encoded)) if sample_weight is None else np.asarray(sample_weight, "float64").ravel()
    if len(weights) != len(encoded):
        raise ValueError(f"sample_weight has {len(weights)} entries, y has {len(encoded)} rows.")
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() == 0:
        raise ValueError("sample_weight must be finite, not negative, and not all zero.")
    if class_weight is not None:
        if target.kind != "classes":
            raise TypeError("class_weight is for tasks with one class of several.")
        weights = weights * _class_weights(class_weight, target, encoded)[encoded.argmax(axis=1)]
    return weights / weights.mean()


def _class_weights(class_weight: Any, target: Target, encoded: np.ndarray) -> np.ndarray:
    if class_weight == "balanced":
        counts = encoded.sum(axis=0)
        return len(encoded) / np.maximum(counts, 1) / (counts > 0).sum()
    if not isinstance(class_weight, dict):
        raise TypeError(f'class_weight must be a dict of class and number, or "balanced", got {class_weight!r}.')
    unknown = sorted(str(name) for name in class_weight if name not in target.classes)
    if unknown:
        raise ValueError(f"class_weight names the class(es) {unknown[:5]}; the classes are {list(target.classes)[:20]}.")
    return np.array([float(class_weight.get(name, 1.0)) for name in target.classes])


def _held_out(task: Task, encoder: Any, target: Target, raw: Any, encoded: Any, weights: Any, data: Sequence[Any]) -> tuple[Any, ...]:
    """The training rows with the validation rows after them, and the one fold that this makes."""
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
        raise ValueError("validation_data must be (x, y) or (x, y, sample_weight).")
    inputs, y, _ = task._read(data[0], data[1])
    more, truth = encoder.encode(inputs), target.encode(y)
    if len(more) != len(truth):
        raise ValueError(f"The x of validation_data has {len(more)} rows, its y {len(truth)}.")
    own = np.asarray(data[2], "float64") if len(data) == 3 else np.ones(len(more))
    rows = np.arange(len(raw) + len(more))
    return (
        np.concatenate([raw, more]),
        np.concatenate([encoded, truth]),
        np.concatenate([weights, own]),
        [(rows[: len(raw)], rows[len(raw) :])],
    )
