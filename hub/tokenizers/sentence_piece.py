"""`SentencePieceTokenizer`: a SentencePiece `.model`, unigram or BPE, run by `sentencepiece`."""

from __future__ import annotations

import base64
import binascii
import io
import os
from collections.abc import Iterable
from typing import Any, ClassVar

from core.saving import ConfigError
from hub.tokenizers import files
from hub.tokenizers.engine import SentencePieceEngine
from hub.tokenizers.tokenizer import Tokenizer


class SentencePieceTokenizer(Tokenizer):
    """A tokenizer over a SentencePiece model (Kudo and Richardson, 2018).

    Args:
        proto: the model: its bytes, base64 text of them, or the path of a `.model` (or `.spm`) file.
        sequence_length: length to which each sequence is cut or padded.
        dtype: an integer type, or `"string"` for tokens.
        add_bos, add_eos: whether ids begin with the model's start token and end with its end token.

    >>> proto = compute_sentence_piece_proto(["the quick brown fox", "the fox"] * 9, 30)
    >>> tokenizer = SentencePieceTokenizer(proto)
    >>> tokenizer.detokenize(tokenizer("the quick fox"))
    'the quick fox'
    """

    file_name: ClassVar[str] = "tokenizer.model"

    def __init__(
        self,
        proto: bytes | str | os.PathLike | None = None,
        sequence_length: int | None = None,
        dtype: Any = "int32",
        add_bos: bool = False,
        add_eos: bool = False,
        **kwargs: Any,
    ):
        super().__init__(sequence_length=sequence_length, dtype=dtype, **kwargs)
        self._set_options({"add_bos": add_bos, "add_eos": add_eos})
        if proto is not None:
            self.set_proto(proto)

    def _set_options(self, options: dict) -> None:
        self.add_bos, self.add_eos = bool(options.get("add_bos", False)), bool(options.get("add_eos", False))

    def set_proto(self, proto: bytes | str | os.PathLike | None) -> None:
        """Takes another model; None removes it."""
        if proto is None:
            self._engine = None
            return
        engine = SentencePieceEngine(proto_bytes(proto), file_name=self.file_name)
        self._attach(engine)
        processor = engine.processor
        for role in ("bos", "eos", "unk", "pad"):
            index = getattr(processor, f"{role}_id")()
            if index >= 0:
                self._roles.setdefault(role, processor.id_to_piece(index))
        self._name_roles()

    def _encode(self, texts: list[str]) -> list[list[int]]:
        rows = super()._encode(texts)
        if not (self.add_bos or self.add_eos):
            return rows
        for option, asked, index in (("add_bos", self.add_bos, self.bos_token_id), ("add_eos", self.add_eos, self.eos_token_id)):
            if asked and index is None:
                raise ConfigError(f"The SentencePiece model has no such token, so {option} cannot be True.")
        before, after = [self.bos_token_id] * self.add_bos, [self.eos_token_id] * self.add_eos
        return [[*before, *row, *after] for row in rows]  # type: ignore[list-item]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "proto": None, "add_bos": self.add_bos, "add_eos": self.add_eos}


def proto_bytes(proto: bytes | str | os.PathLike) -> bytes:
    """The bytes of a model given as bytes, as base64 text, or as a path."""
    if isinstance(proto, (bytes, bytearray)):
        return bytes(proto)
    if isinstance(proto, os.PathLike) or os.path.exists(proto):
        return files.read_bytes(proto)
    try:
        return base64.b64decode(proto, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"proto must be bytes, base64 text or the path of a file that exists, got {str(proto)[:80]!r}.") from error


def compute_sentence_piece_proto(
    data: Iterable[str],
    vocabulary_size: int,
    model_type: str = "unigram",
    proto_output_file: str | os.PathLike | None = None,
    lowercase: bool = False,
) -> bytes:
    """The bytes of a SentencePiece model learnt from texts.

    Args:
        data: texts.
        vocabulary_size: how many pieces at most.
        model_type: `"unigram"`, `"bpe"`, `"word"` or `"char"`.
        proto_output_file: a file that gets the bytes as well.
        lowercase: whether text is lower-cased.
    """
    import sentencepiece

    from core.saving import replacing

    if model_type not in ("unigram", "bpe", "word", "char"):
        raise ConfigError(f"model_type must be 'unigram', 'bpe', 'word' or 'char', got {model_type!r}.")
    target = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([str(text) for text in data]),
        model_writer=target,
        vocab_size=vocabulary_size,
        model_type=model_type,
        normalization_rule_name="nmt_nfkc_cf" if lowercase else "nmt_nfkc",
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, pad_piece="[PAD]", unk_piece="[UNK]", bos_piece="[BOS]", eos_piece="[EOS]",
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    if proto_output_file is not None:
        with replacing(proto_output_file) as path:
            path.write_bytes(target.getvalue())
    return target.getvalue()
