"""Texts as ids: words in their order for networks, distinct words and pairs of words for tf-idf."""

from __future__ import annotations

import collections
import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

# A word, a mark, or one sign of a script that is written without spaces.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]")


def tokens(text: str) -> list[str]:
    """The lower-case words and marks of a text.

    >>> tokens("It's fine!")
    ['it', "'", 's', 'fine', '!']
    """
    return TOKEN.findall(text.lower())


def terms(words: list[str]) -> list[str]:
    """Words and pairs of neighbouring words."""
    return words + [f"{a} {b}" for a, b in zip(words, words[1:])]


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The words and terms that training saw, most frequent first. Ids start at 2 for words (0 padding, 1 unknown), at 1 for terms.

    `encode(texts)` is int32 `(n, length + capacity)`: word ids in order, padded with 0, then the ids of the distinct terms.
    """

    words: tuple[str, ...]
    terms: tuple[str, ...]
    idf: tuple[float, ...]  # smoothed: log((1 + n) / (1 + texts with the term)) + 1, as Salton and Buckley (1988) with one added
    length: int
    capacity: int

    def encode(self, texts: Iterable[Any]) -> np.ndarray:
        """Ids of texts; what is not a string counts as an empty text."""
        word_ids = {word: i + 2 for i, word in enumerate(self.words)}
        term_ids = {term: i + 1 for i, term in enumerate(self.terms)}
        texts = list(texts)
        encoded = np.zeros((len(texts), self.length + self.capacity), "int32")
        for row, text in zip(encoded, texts):
            found = tokens(text) if isinstance(text, str) else []
            ids = [word_ids.get(word, 1) for word in found[: self.length]]
            row[: len(ids)] = ids
            known = sorted({term_ids[term] for term in terms(found) if term in term_ids})[: self.capacity]
            row[self.length : self.length + len(known)] = known
        return encoded

    def idf_row(self) -> np.ndarray:
        """Inverse document frequencies by term id, 0 for no term."""
        return np.array([0.0, *self.idf], "float32")

    def config(self) -> dict[str, Any]:
        """The vocabulary as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Vocabulary:
        """The vocabulary of a config."""
        lists = {name: tuple(config[name]) for name in ("words", "terms", "idf")}
        return cls(**{**config, **lists})


def find_vocabulary(
    texts: Iterable[Any], max_words: int = 20_000, max_terms: int = 30_000, max_length: int = 256, max_capacity: int = 512
) -> Vocabulary:
    """The vocabulary of texts: words and terms that two texts or more share (one, where there are few texts)."""
    word_counts: collections.Counter[str] = collections.Counter()
    term_counts: collections.Counter[str] = collections.Counter()
    lengths, capacities, count = [1], [1], 0
    for text in texts:
        found = tokens(text) if isinstance(text, str) else []
        distinct = set(terms(found))
        word_counts.update(found)
        term_counts.update(distinct)
        lengths.append(len(found))
        capacities.append(len(distinct))
        count += 1
    least = 2 if count >= 50 else 1
    kept = [(term, n) for term, n in sorted(term_counts.items(), key=lambda item: (-item[1], item[0])) if n >= least][:max_terms]
    words = [word for word, n in sorted(word_counts.items(), key=lambda item: (-item[1], item[0])) if n >= least][:max_words]
    idf = tuple(float(np.log((1 + count) / (1 + n)) + 1) for _, n in kept)
    length = min(max_length, int(np.quantile(lengths, 0.98)) + 1)
    return Vocabulary(tuple(words), tuple(term for term, _ in kept), idf, length, min(max_capacity, max(capacities)))
