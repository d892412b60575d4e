"""Word pieces learnt from counted words, by merging the most frequent pair again and again (Sennrich et al. 2016, arXiv:1508.07909)."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping

Pair = tuple[str, str]


def learn_pieces(words: Mapping[str, int], size: int, indicator: str) -> list[str]:
    """At most `size` pieces: all characters, those that continue a word with `indicator` before them, and then what merging makes.

    Equally frequent pairs are merged in the order of their pieces, so that the same words give the same list wherever it runs.
    Characters that do not fit into `size` are the rarest.

    >>> learn_pieces({"the": 3, "then": 1}, 9, "##")
    ['e', 'h', 'n', 't', '##e', '##h', '##n', '##he', 'the']
    """
    split = {word: [word[0], *(indicator + c for c in word[1:])] for word in words if word}
    pieces = _alphabet(words, split, size)
    known = set(pieces)
    counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[str]] = defaultdict(set)
    for word, parts in split.items():
        for pair in itertools.pairwise(parts):
            counts[pair] += words[word]
            places[pair].add(word)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(queue)
    while queue and len(pieces) < size:
        count, pair = heapq.heappop(queue)
        if -count != counts[pair]:
            continue  # told before the count changed, which put another entry into the queue
        merged = pair[0] + pair[1].removeprefix(indicator)
        if merged not in known:
            known.add(merged)
            pieces.append(merged)
        changed = set()
        for word in places.pop(pair):
            before, after = split[word], _merged(split[word], pair, merged)
            split[word] = after
            for sign, parts in ((-1, before), (1, after)):
                for one in itertools.pairwise(parts):
                    counts[one] += sign * words[word]
                    changed.add(one)
            for one in itertools.pairwise(after):
                places[one].add(word)
        counts[pair] = 0
        for one in changed:
            if counts[one] > 0:
                heapq.heappush(queue, (-counts[one], one))
    return pieces


def _alphabet(words: Mapping[str, int], split: Mapping[str, list[str]], size: int) -> list[str]:
    """Single characters, then continuing ones, each in order."""
    alone: Counter[str] = Counter()
    continuing: Counter[str] = Counter()
    for word, parts in split.items():
        for character in word:
            alone[character] += words[word]
        for part in parts[1:]:
            continuing[part] += words[word]
    kept = sorted(alone, key=lambda c: (-alone[c], c))[:size]
    more = sorted(continuing, key=lambda c: (-continuing[c], c))[: size - len(kept)]
    return sorted(kept) + sorted(more)


def _merged(parts: list[str], pair: Pair, merged: str) -> list[str]:
    """The parts with each occurrence of the pair, from the left, as one."""
    result: list[str] = []
    at = 0
    while at < len(parts):
        if tuple(parts[at : at + 2]) == pair:
            result.append(merged)
            at += 2
        else:
            result.append(parts[at])
            at += 1
    return result
