"""The files of a tokenizer, read with limits: sizes before bytes, no duplicate keys, and only names that this module knows."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from core.saving import ConfigError, CorruptArtifactError, ResourceLimitError
from hub.checkpoint import folder
from hub.checkpoint.safetensors_file import parse_json, read_file

MAX_BYTES = 256 * 2**20  # of one file; the largest published tokenizer.json has about 35 MB
MAX_TOKENS = 4_000_000
MAX_TOKEN_CHARACTERS = 65_536
MAX_PATTERN_CHARACTERS = 16_384  # published split patterns have a few hundred; the engine's regexes are not linear-time
MAX_DEPTH = 64


def read_bytes(path: str | os.PathLike, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes; `path` is one that the caller names, never one out of a file."""
    return read_file(pathlib.Path(path).resolve(), limit)


def read_text(path: str | os.PathLike, limit: int = MAX_BYTES) -> str:
    """The text of a UTF-8 file; see `read_bytes`."""
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorruptArtifactError(f"{pathlib.Path(path).name} is not UTF-8: {error.reason} at byte {error.start}.") from error


def read_json(path: str | os.PathLike, limit: int = MAX_BYTES) -> dict:
    """The object in a JSON file. Duplicate keys are refused: two readers could take different ones."""
    return json_object(read_bytes(path, limit), pathlib.Path(path).name)


def json_object(text: bytes, name: str) -> dict:
    """The object in a JSON text; `name` is for the errors."""
    value = parse_json(text, name)
    if not isinstance(value, dict):
        raise CorruptArtifactError(f"{name} must hold a JSON object, and holds a {type(value).__name__}.")
    return value


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder whose files are read by plain names; links out of it are refused."""

    path: pathlib.Path

    def has(self, name: str) -> bool:
        """Whether the folder has a file of that name."""
        return folder.has(self.path, name)

    def bytes(self, name: str, limit: int = MAX_BYTES) -> bytes:
        """The content of the file."""
        return read_bytes(folder.member(self.path, name), limit)

    def text(self, name: str, limit: int = MAX_BYTES) -> str:
        """The text of the file."""
        return read_text(folder.member(self.path, name), limit)

    def json(self, name: str) -> dict:
        """The object in the file, {} where it is missing."""
        return json_object(self.bytes(name), name) if self.has(name) else {}


def check_tokenizer_json(state: dict, name: str = "tokenizer.json") -> None:
    """Refuses a tokenizer.json whose vocabulary, tokens or patterns are beyond the limits, before the engine sees it."""
    model = state.get("model")
    if not isinstance(model, dict):
        raise CorruptArtifactError(f"{name} must hold a 'model' object; a file of another library may have the same name.")
    vocabulary = model.get("vocab", {})
    if not isinstance(vocabulary, (dict, list)):
        raise CorruptArtifactError(f"{name}: model.vocab must be an object or a list, and is a {type(vocabulary).__name__}.")
    for part, count in (("model.vocab", len(vocabulary)), ("model.merges", len(model.get("merges") or ()))):
        if count > MAX_TOKENS:
            raise ResourceLimitError(f"{name}: {part} has {count:,} entries; the limit is {MAX_TOKENS:,}.")
    tokens = vocabulary if isinstance(vocabulary, dict) else (entry[0] for entry in vocabulary if isinstance(entry, list) and entry)
    if any(isinstance(token, str) and len(token) > MAX_TOKEN_CHARACTERS for token in tokens):
        raise ResourceLimitError(f"{name}: a token has more than {MAX_TOKEN_CHARACTERS:,} characters.")
    if isinstance(vocabulary, dict) and len(set(vocabulary.values())) != len(vocabulary):
        raise CorruptArtifactError(f"{name}: two tokens of model.vocab have the same id.")
    for stage in ("normalizer", "pre_tokenizer", "decoder"):
        _check_patterns(state.get(stage), f"{name}: {stage}", 0)


def _check_patterns(node: Any, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ResourceLimitError(f"{where} is nested more than {MAX_DEPTH} levels deep.")
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        if key in ("Regex", "String", "pattern") and isinstance(child, str) and len(child) > MAX_PATTERN_CHARACTERS:
            raise ResourceLimitError(f"{where} has a pattern of {len(child):,} characters; the limit is {MAX_PATTERN_CHARACTERS:,}.")
        _check_patterns(child, where, depth + 1)


# ------------------------------------------------------------------------------------------------- vocabularies and merges


def vocabulary_list(source: str | os.PathLike | Sequence[str]) -> list[str]:
    """The tokens in the order of their ids, from a list or from a text file with one token a line."""
    tokens = lines_of(read_text(source)) if isinstance(source, (str, os.PathLike)) else list(source)
    _check_tokens(tokens, "vocabulary")
    return tokens


def vocabulary_dict(source: str | os.PathLike | Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    """The ids by token, from a dict, a list or a JSON file."""
    if isinstance(source, (str, os.PathLike)):
        ids: dict = read_json(source)
    elif isinstance(source, Mapping):
        ids = dict(source)
    else:
        ids = {token: i for i, token in enumerate(vocabulary_list(source))}
    _check_tokens(list(ids), "vocabulary")
    for token, value in ids.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise ConfigError(f"vocabulary must map tokens to ids of at least 0; {token!r} has {value!r}.")
    if len(set(ids.values())) != len(ids):
        raise ConfigError("vocabulary has two tokens with the same id; each token needs its own.")
    return ids


def merge_pairs(source: str | os.PathLike | Sequence) -> list[tuple[str, str]]:
    """The merges as pairs, from a list (of `"a b"` or of pairs) or from a text file whose first line may be a `#version` remark."""
    lines: list = merge_lines(read_text(source)) if isinstance(source, (str, os.PathLike)) else list(source)
    if len(lines) > MAX_TOKENS:
        raise ResourceLimitError(f"merges has {len(lines):,} entries; the limit is {MAX_TOKENS:,}.")
    pairs = []
    for row, line in enumerate(lines):
        parts = line.split(" ") if isinstance(line, str) else list(line)
        if len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
            raise CorruptArtifactError(f"Each merge must name two tokens, as in 'h e'; entry {row} is {line!r}.")
        pairs.append((parts[0], parts[1]))
    return pairs


def lines_of(text: str) -> list[str]:
    """The lines of a vocabulary file, without the empty ones at its end."""
    lines = [line.rstrip("\r") for line in text.split("\n")]  # not splitlines: tokens may hold other separators
    while lines and not lines[-1]:
        lines.pop()
    return lines


def merge_lines(text: str) -> list[str]:
    """The merges of a merges file, without its `#version` remark."""
    lines = lines_of(text)
    return [line for line in lines[1 if lines and lines[0].startswith("#version") else 0 :] if line]


def _check_tokens(tokens: list, what: str) -> None:
    if len(tokens) > MAX_TOKENS:
        raise ResourceLimitError(f"{what} has {len(tokens):,} tokens; the limit is {MAX_TOKENS:,}.")
    for token in tokens:
        if not isinstance(token, str):
            raise ConfigError(f"{what} must hold strings, and holds {token!r} ({type(token).__name__}).")
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ResourceLimitError(f"{what}: a token has {len(token):,} characters; the limit is {MAX_TOKEN_CHARACTERS:,}.")
    if len(set(tokens)) != len(tokens):
        seen: set = set()
        twice = next(token for token in tokens if token in seen or seen.add(token))  # type: ignore[func-returns-value]
        raise ConfigError(f"{what} holds the token {twice!r} twice; each token has one id.")
