"""The type of a column, and its numbers."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np

from auto.data.terms import Vocabulary, find_vocabulary
from auto.stages import Stage
from auto.stages.bag import bag_stage

KINDS = ("numeric", "boolean", "categorical", "datetime", "text", "identifier", "constant")
SYNONYMS = {"numerical": "numeric", "category": "categorical", "date": "datetime", "bool": "boolean"}
MAX_LEVELS = 255
DATE = re.compile(r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([ T]\d{1,2}:\d{2}.*)?\s*$")
CALENDAR = ("days", "year", "month", "day", "weekday", "hour")
TOPICS = 12  # numbers kept of a text column
YES = {"true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0}


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table: its name, its kind and what its encoding needs.

    >>> import pandas
    >>> colour = find_column("colour", pandas.Series(["red", "blue", "red", None]))
    >>> colour.kind, colour.levels, colour.encode(pandas.Series(["blue", "green", None])).ravel().tolist()
    ('categorical', ('red', 'blue'), [1.0, -1.0, -1.0])
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None
    topics: Stage | None = None

    def encode(self, series: Any) -> np.ndarray:
        """The column's numbers, float32 `(n, width)`: NaN for a missing number, -1 for a missing or unknown category."""
        return ENCODERS[self.kind](self, series)

    @property
    def widths(self) -> list[int]:
        """For each number of the column, 0 for a plain number, else how many categories its code tells apart."""
        count = {"datetime": len(CALENDAR), "text": TOPICS, "identifier": 0, "constant": 0}.get(self.kind, 1)
        return [len(self.levels)] if self.kind == "categorical" else [0] * count

    def config(self) -> dict[str, Any]:
        """The column as JSON, but for the arrays of `topics`."""
        words = self.vocabulary.config() if self.vocabulary else None
        return {"name": self.name, "kind": self.kind, "levels": list(self.levels), "vocabulary": words}


def find_column(name: str, series: Any, kind: str | None = None, seed: int = 0) -> Column:
    """The column that a pandas Series makes; `kind` overrides what its values suggest."""
    kind = SYNONYMS.get(kind, kind) if kind else kind
    if kind is not None and kind not in KINDS:
        raise ValueError(f"Column {name!r} cannot be {kind!r}; the kinds are {', '.join(KINDS)}.")
    known = series.dropna()
    kind = kind or _kind(series, known)
    if kind == "numeric":
        values = _numbers(series)
        if np.isnan(values).sum() > series.isna().sum() + np.isinf(values).sum():
            bad = next(value for value, number in zip(series, values) if np.isnan(number) and value == value and value is not None)
            raise ValueError(f"Column {name!r} is to be numeric, but holds {bad!r}.")
    if kind == "categorical":
        counts = known.map(_level).value_counts()
        ranked = sorted(counts.index, key=lambda level: (-counts[level], level))
        return Column(name, kind, tuple(ranked[:MAX_LEVELS]))
    if kind == "text":
        return _text_column(name, series, seed)
    return Column(name, kind)


def _kind(series: Any, known: Any) -> str:
    from pandas.api import types

    if len(known) == 0:
        return "constant"
    if types.is_bool_dtype(series.dtype):
        return "boolean"
    if types.is_numeric_dtype(series.dtype):
        return "numeric"  # also where it never varies: the views drop it, and arrays keep their width
    if types.is_datetime64_any_dtype(series.dtype):
        return "datetime"
    try:
        distinct = known.nunique()
    except TypeError:
        kind = type(known.iloc[0]).__name__
        raise TypeError(f"Column {series.name!r} holds {kind} objects; a cell must be a number or a string.") from None
    if distinct == 1 and len(known) == len(series):
        return "constant"
    if str(series.dtype) == "category":
        return "categorical"
    if {type(value) for value in known.head(1000)} <= {bool, np.bool_}:
        return "boolean"
    strings = known.astype(str)
    if not np.isnan(_numbers(strings.head(100))).any() and not np.isnan(_numbers(strings)).any():
        return "numeric"
    sample = strings.head(200)
    if set(strings.str.strip().str.lower().unique()[:4]) <= set(YES):
        return "boolean"
    if all(DATE.match(value) for value in sample):
        return "datetime"
    if distinct > max(20, 0.3 * len(known)) and sample.str.split().str.len().mean() >= 3:
        return "text"
    return "identifier" if distinct == len(known) and len(known) >= 30 else "categorical"


def _level(value: Any) -> str:
    """The name of a category: 1, 1.0 and "1" are one category, as a CSV file and a frame may hold them."""
    return str(int(value)) if isinstance(value, (float, np.floating)) and value == int(value) else str(value)


def _numbers(series: Any) -> np.ndarray:
    import pandas

    return pandas.to_numeric(series, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _encode_numeric(column: Column, series: Any) -> np.ndarray:
    values = _numbers(series)
    return np.where(np.isinf(values), np.nan, values).astype("float32")[:, None]


def _encode_boolean(column: Column, series: Any) -> np.ndarray:
    if series.dtype == bool:
        return series.to_numpy().astype("float32")[:, None]
    known = {**YES, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    return np.array([known.get(str(value).strip().lower(), np.nan) for value in series.astype(object)], "float32")[:, None]


def _encode_categorical(column: Column, series: Any) -> np.ndarray:
    codes = {level: float(i) for i, level in enumerate(column.levels)}
    values = series.astype(object)
    found = [-1.0 if value is None or value != value else codes.get(_level(value), -1.0) for value in values]
    return np.array(found, "float32")[:, None]


def _encode_datetime(column: Column, series: Any) -> np.ndarray:
    import pandas

    moments = pandas.to_datetime(series, errors="coerce", format="mixed", utc=True)
    start = pandas.Timestamp("2000-01-01", tz="UTC")
    parts = moments.dt
    days = (moments - start) / pandas.Timedelta(days=1)
    columns = [days, parts.year, parts.month, parts.day, parts.day_of_week, parts.hour]
    return np.stack([part.to_numpy(dtype="float32", na_value=np.nan) for part in columns], axis=1)


def _encode_text(column: Column, series: Any) -> np.ndarray:
    assert column.vocabulary is not None and column.topics is not None
    return column.topics(column.vocabulary.encode(series.astype(object)))


def _nothing(column: Column, series: Any) -> np.ndarray:
    return np.zeros((len(series), 0), "float32")


ENCODERS = {
    "numeric": _encode_numeric,
    "boolean": _encode_boolean,
    "categorical": _encode_categorical,
    "datetime": _encode_datetime,
    "text": _encode_text,
    "identifier": _nothing,
    "constant": _nothing,
}


def _text_column(name: str, series: Any, seed: int) -> Column:
    vocabulary = find_vocabulary(series.astype(object), max_words=1, max_terms=5_000, max_length=1)
    return Column(name, "text", (), vocabulary, topic_stage(vocabulary, vocabulary.encode(series.astype(object)), TOPICS, seed))


def topic_stage(vocabulary: Vocabulary, encoded: np.ndarray, count: int, seed: int) -> Stage:
    """A projection of tf-idf vectors to `count` numbers that keeps most of them (latent semantic analysis, Deerwester et al. 1990)."""
    from sklearn.decomposition import TruncatedSVD

    vectors = tfidf(vocabulary, encoded)
    rank = min(count, min(vectors.shape) - 1)
    kernel = np.zeros((len(vocabulary.terms) + 1, count))
    if rank > 0:
        kernel[:, :rank] = TruncatedSVD(rank, random_state=seed).fit(vectors).components_.T
    kernel[0] = 0
    return bag_stage(vocabulary.idf_row(), kernel, np.zeros(count), vocabulary.length, vocabulary.capacity, "values")


def tfidf(vocabulary: Vocabulary, encoded: np.ndarray) -> Any:
    """The sparse tf-idf matrix `(n, 1 + terms)` of encoded texts, for fitting."""
    from scipy import sparse

    ids = encoded[:, vocabulary.length :]
    rows, places = np.nonzero(ids)
    columns = ids[rows, places]
    weight = vocabulary.idf_row()[columns]
    norm = np.sqrt(np.bincount(rows, weights=weight**2, minlength=len(ids)))
    return sparse.csr_matrix((weight / norm[rows], (rows, columns)), shape=(len(ids), len(vocabulary.terms) + 1))
