"""Tokenizers without a vocabulary: `ByteTokenizer` (one id a byte) and `UnicodeCodepointTokenizer` (one id a character)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from core.saving import ConfigError
from hub.tokenizers.tokenizer import Tokenizer

FORMS = (None, "NFC", "NFD", "NFKC", "NFKD")


class ByteTokenizer(Tokenizer):
    """Each byte of the UTF-8 text is one id, from 0 to 255.

    Args:
        lowercase: whether text is lower-cased.
        sequence_length: length to which each sequence is cut or padded (with 0).
        normalization_form: a Unicode normal form, `"NFC"`, `"NFD"`, `"NFKC"` or `"NFKD"`.
        errors: what `detokenize` does with bytes that are not UTF-8: `"replace"`, `"ignore"` or `"strict"` (an error).
        replacement_char: the code of the character that replaces them.
        dtype: an integer type, or `"string"` for tokens.

    >>> tokenizer = ByteTokenizer()
    >>> tokenizer("hi é").tolist(), tokenizer.detokenize([104, 105])
    ([104, 105, 32, 195, 169], 'hi')
    """

    _codes = 256

    def __init__(
        self,
        lowercase: bool = True,
        sequence_length: int | None = None,
        normalization_form: str | None = None,
        errors: str = "replace",
        replacement_char: int = 65533,
        dtype: Any = "int32",
        **kwargs: Any,
    ):
        super().__init__(sequence_length=sequence_length, dtype=dtype, **kwargs)
        if normalization_form not in FORMS:
            raise ConfigError(f"normalization_form must be one of {FORMS}, got {normalization_form!r}.")
        if errors not in ("strict", "replace", "ignore"):
            raise ConfigError(f"errors must be 'strict', 'replace' or 'ignore', got {errors!r}.")
        self.lowercase, self.normalization_form = bool(lowercase), normalization_form
        self.errors, self.replacement_char = errors, int(replacement_char)
        self._engine = _CodeEngine(self)

    def _normal(self, text: str) -> str:
        text = text.lower() if self.lowercase else text
        return unicodedata.normalize(self.normalization_form, text) if self.normalization_form else text  # type: ignore[arg-type]

    def _codes_of(self, text: str) -> list[int]:
        return list(self._normal(text).encode("utf-8", errors="replace"))

    def _text_of(self, codes: Sequence[int]) -> str:
        raw = bytes(codes)
        if self.errors != "replace" or self.replacement_char == 0xFFFD:
            return raw.decode("utf-8", errors=self.errors)
        return raw.decode("utf-8", errors="surrogateescape").translate({i: self.replacement_char for i in range(0xDC80, 0xDD00)})

    def get_vocabulary(self) -> dict[str, int]:
        """The ids by token, for the codes that are a character."""
        return {chr(i): i for i in range(self.vocabulary_size())}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "lowercase": self.lowercase, "normalization_form": self.normalization_form, "errors": self.errors,
            "replacement_char": self.replacement_char,
        }  # fmt: skip


class UnicodeCodepointTokenizer(ByteTokenizer):
    """Each character is one id: its code point.

    Args:
        sequence_length: length to which each sequence is cut or padded (with 0).
        lowercase: whether text is lower-cased.
        normalization_form: a Unicode normal form, `"NFC"`, `"NFD"`, `"NFKC"` or `"NFKD"`.
        errors: kept for code written for KerasHub; Python's strings have no broken characters.
        replacement_char: the code of characters beyond the vocabulary in `detokenize`.
        input_encoding, output_encoding: must be `"UTF-8"`.
        vocabulary_size: larger code points become `vocabulary_size - 1`; all are kept where it is None.
        dtype: an integer type, or `"string"` for tokens.

    >>> UnicodeCodepointTokenizer()("hé").tolist()
    [104, 233]
    """

    _codes = 0x110000

    def __init__(
        self,
        sequence_length: int | None = None,
        lowercase: bool = True,
        normalization_form: str | None = None,
        errors: str = "replace",
        replacement_char: int = 65533,
        input_encoding: str = "UTF-8",
        output_encoding: str = "UTF-8",
        vocabulary_size: int | None = None,
        dtype: Any = "int32",
        **kwargs: Any,
    ):
        if (input_encoding, output_encoding) != ("UTF-8", "UTF-8"):
            raise ConfigError("Strings of Python are Unicode already: input_encoding and output_encoding must be 'UTF-8'.")
        super().__init__(lowercase, sequence_length, normalization_form, errors, replacement_char, dtype, **kwargs)
        self._limit = vocabulary_size
        self._codes = vocabulary_size or UnicodeCodepointTokenizer._codes

    def _codes_of(self, text: str) -> list[int]:
        return [min(ord(character), self._codes - 1) for character in self._normal(text)]

    def _text_of(self, codes: Sequence[int]) -> str:
        return "".join(chr(code) if not 0xD800 <= code < 0xE000 else chr(self.replacement_char) for code in codes if code)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "input_encoding": "UTF-8", "output_encoding": "UTF-8", "vocabulary_size": self._limit}


class _CodeEngine:
    """The engine that a vocabulary of codes needs none of: code and id are the same number."""

    def __init__(self, owner: ByteTokenizer):
        self.owner = owner

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.owner._codes_of(text) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return self.owner._text_of(ids)

    def token_to_id(self, token: str) -> int | None:
        return ord(token) if len(token) == 1 and ord(token) < self.owner._codes else None

    def id_to_token(self, index: int) -> str | None:
        return chr(index) if 0 <= index < self.owner._codes else None

    def size(self) -> int:
        return self.owner._codes

    def add_tokens(self, tokens: Mapping[str, Any], special: bool) -> None:
        raise ConfigError(f"{type(self.owner).__name__} has no vocabulary, so no tokens can be added to it.")

    def frame(self) -> tuple[list[int], list[int], list[int]] | None:
        return None

    def set_frame(self, before: list[int], after: list[int], between: list[int]) -> None:
        raise ConfigError(f"{type(self.owner).__name__} has no special tokens that could frame a sequence.")

    def files(self) -> dict[str, bytes]:
        return {}
