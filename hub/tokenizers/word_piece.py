"""`WordPieceTokenizer`: words are split into the longest pieces that the vocabulary knows (BERT's way)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from core.saving import ConfigError
from hub.tokenizers import files
from hub.tokenizers.engine import JsonEngine
from hub.tokenizers.piece_learning import learn_pieces
from hub.tokenizers.tokenizer import Tokenizer


class WordPieceTokenizer(Tokenizer):
    """A tokenizer over a WordPiece vocabulary (Schuster and Nakajima, 2012; Devlin et al., 2018).

    Text is split at spaces and punctuation, and each word into the longest pieces from its left; pieces inside a word begin with
    `suffix_indicator`. A word that cannot be covered becomes `oov_token`.

    Args:
        vocabulary: the tokens in the order of their ids, or a text file with one a line.
        sequence_length: length to which each sequence is cut or padded.
        lowercase: whether text is lower-cased.
        strip_accents: whether accents are taken off the letters.
        split: whether text is split into words; otherwise each input is one word.
        split_on_cjk: whether each Chinese, Japanese or Korean ideograph is a word.
        suffix_indicator: how pieces inside a word begin.
        oov_token: the token of what is not covered; it must be in the vocabulary.
        special_tokens: tokens that are never split.
        special_tokens_in_strings: whether special tokens written in a text become their ids.
        dtype: an integer type, or `"string"` for tokens.

    >>> tokenizer = WordPieceTokenizer(["[UNK]", "the", "qu", "##ick", "."], lowercase=True)
    >>> tokenizer(["The quick.", "quack"])
    [[1, 2, 3, 4], [0]]
    """

    def __init__(
        self,
        vocabulary: str | os.PathLike | Sequence[str] | None = None,
        sequence_length: int | None = None,
        lowercase: bool = False,
        strip_accents: bool = False,
        split: bool = True,
        split_on_cjk: bool = True,
        suffix_indicator: str = "##",
        oov_token: str = "[UNK]",
        special_tokens: Sequence[str] | None = None,
        special_tokens_in_strings: bool = False,
        dtype: Any = "int32",
        **kwargs: Any,
    ):
        super().__init__(sequence_length=sequence_length, dtype=dtype, **kwargs)
        if not oov_token:
            raise ConfigError("oov_token must be a token of the vocabulary, and is empty.")
        self._set_options(
            {
                "lowercase": lowercase, "strip_accents": strip_accents, "split": split, "split_on_cjk": split_on_cjk,
                "suffix_indicator": suffix_indicator, "oov_token": oov_token, "special_tokens": special_tokens,
                "special_tokens_in_strings": special_tokens_in_strings,
            }
        )  # fmt: skip
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def _set_options(self, options: dict) -> None:
        self.lowercase = bool(options.get("lowercase", False))
        self.strip_accents = bool(options.get("strip_accents", False))
        self.split = bool(options.get("split", True))
        self.split_on_cjk = bool(options.get("split_on_cjk", True))
        self.suffix_indicator = options.get("suffix_indicator", "##")
        self.oov_token = options.get("oov_token", "[UNK]")
        self._given_special = list(options.get("special_tokens") or ())
        self.special_tokens_in_strings = bool(options.get("special_tokens_in_strings", False))

    def set_vocabulary(self, vocabulary: str | os.PathLike | Sequence[str] | None) -> None:
        """Takes another vocabulary; None removes it."""
        if vocabulary is None:
            self._engine = None
            return
        tokens = files.vocabulary_list(vocabulary)
        if self.oov_token not in tokens:
            raise ConfigError(
                f"Cannot find oov_token={self.oov_token!r} in the vocabulary. Add it to the vocabulary, or pass another oov_token."
            )
        engine = word_piece_engine(
            tokens,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            split=self.split,
            split_on_cjk=self.split_on_cjk,
            suffix_indicator=self.suffix_indicator,
            oov_token=self.oov_token,
        )
        absent = [token for token in self._given_special if engine.token_to_id(token) is None]
        if absent:
            raise ConfigError(f"Cannot find the special tokens {', '.join(map(repr, absent))} in the vocabulary; add them to it.")
        self._more_special = list(self._given_special)
        self._attach(engine)
        if self.special_tokens_in_strings:
            engine.add_tokens({token: {} for token in self.special_tokens}, special=True)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "vocabulary": None, "lowercase": self.lowercase, "strip_accents": self.strip_accents,
            "split": self.split, "split_on_cjk": self.split_on_cjk, "suffix_indicator": self.suffix_indicator, "oov_token": self.oov_token,
            "special_tokens": self._given_special or None, "special_tokens_in_strings": self.special_tokens_in_strings,
        }  # fmt: skip


def word_piece_engine(
    tokens: Sequence[str],
    *,
    lowercase: bool,
    strip_accents: bool | None,
    split: bool = True,
    split_on_cjk: bool = True,
    suffix_indicator: str = "##",
    oov_token: str = "[UNK]",
) -> JsonEngine:
    """The engine of a WordPiece vocabulary. `strip_accents=None` strips where it lower-cases, as BERT does."""
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    # Beyond 100 characters a word becomes the unknown token; published models rely on it.
    model = models.WordPiece(
        {token: i for i, token in enumerate(tokens)},
        unk_token=oov_token,
        continuing_subword_prefix=suffix_indicator,
        max_input_chars_per_word=100,
    )
    engine = tokenizers.Tokenizer(model)
    engine.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=split and split_on_cjk, strip_accents=strip_accents, lowercase=lowercase
    )
    if split:
        engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.WordPiece(prefix=suffix_indicator, cleanup=False)
    return JsonEngine(engine)


def compute_word_piece_vocabulary(
    data: Iterable[str],
    vocabulary_size: int,
    vocabulary_output_file: str | os.PathLike | None = None,
    lowercase: bool = False,
    strip_accents: bool = False,
    split: bool = True,
    split_on_cjk: bool = True,
    suffix_indicator: str = "##",
    reserved_tokens: Sequence[str] = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
) -> list[str]:
    """A WordPiece vocabulary of at most `vocabulary_size` tokens, learnt from texts; the reserved tokens come first.

    >>> compute_word_piece_vocabulary(["the fox", "the box"], 12, reserved_tokens=["[UNK]"])[:2]
    ['[UNK]', 'b']
    """
    from core.saving import replacing

    if "[UNK]" not in reserved_tokens:
        raise ConfigError(f"reserved_tokens must hold '[UNK]', the token of what is not covered, and is {list(reserved_tokens)}.")
    engine = word_piece_engine(
        list(reserved_tokens), lowercase=lowercase, strip_accents=strip_accents, split=split, split_on_cjk=split_on_cjk,
        suffix_indicator=suffix_indicator,
    ).engine  # fmt: skip
    words = Counter(word for text in data for word in _words(engine, str(text)))
    pieces = learn_pieces(words, max(0, vocabulary_size - len(reserved_tokens)), suffix_indicator)
    tokens = [*reserved_tokens, *(piece for piece in pieces if piece not in reserved_tokens)]
    if vocabulary_output_file is not None:
        with replacing(vocabulary_output_file) as path:
            path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return tokens


def _words(engine: Any, text: str) -> list[str]:
    """The words that the engine would look up pieces of."""
    normal = text if engine.normalizer is None else engine.normalizer.normalize_str(text)
    if engine.pre_tokenizer is None:
        return [normal]
    return [word for word, _ in engine.pre_tokenizer.pre_tokenize_str(normal)]
