"""Tokenizers: text to ids and back. Each is loaded when it is first used, with the library that it needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    **dict.fromkeys(("ByteTokenizer", "UnicodeCodepointTokenizer"), "byte"),
    "BytePairTokenizer": "byte_pair",
    **dict.fromkeys(("SentencePieceTokenizer", "compute_sentence_piece_proto"), "sentence_piece"),
    "Tokenizer": "tokenizer",
    **dict.fromkeys(("WordPieceTokenizer", "compute_word_piece_vocabulary"), "word_piece"),
    **dict.fromkeys(
        (
            "BertTokenizer", "DistilBertTokenizer", "GPT2Tokenizer", "GemmaTokenizer", "Llama3Tokenizer", "LlamaTokenizer",
            "MistralTokenizer", "Qwen3Tokenizer", "QwenTokenizer", "RobertaTokenizer", "T5Tokenizer",
        ),
        "families",
    ),
}  # fmt: skip

__all__ = [
    "BertTokenizer", "BytePairTokenizer", "ByteTokenizer", "DistilBertTokenizer", "GPT2Tokenizer", "GemmaTokenizer", "Llama3Tokenizer",
    "LlamaTokenizer", "MistralTokenizer", "Qwen3Tokenizer", "QwenTokenizer", "RobertaTokenizer", "SentencePieceTokenizer", "T5Tokenizer",
    "Tokenizer", "UnicodeCodepointTokenizer", "WordPieceTokenizer", "compute_sentence_piece_proto", "compute_word_piece_vocabulary",
]  # fmt: skip

if TYPE_CHECKING:  # so that editors see every name
    from hub.tokenizers.byte import ByteTokenizer, UnicodeCodepointTokenizer
    from hub.tokenizers.byte_pair import BytePairTokenizer
    from hub.tokenizers.families import (
        BertTokenizer,
        DistilBertTokenizer,
        GemmaTokenizer,
        GPT2Tokenizer,
        Llama3Tokenizer,
        LlamaTokenizer,
        MistralTokenizer,
        Qwen3Tokenizer,
        QwenTokenizer,
        RobertaTokenizer,
        T5Tokenizer,
    )
    from hub.tokenizers.sentence_piece import SentencePieceTokenizer, compute_sentence_piece_proto
    from hub.tokenizers.tokenizer import Tokenizer
    from hub.tokenizers.word_piece import WordPieceTokenizer, compute_word_piece_vocabulary


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hub.tokenizers' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"hub.tokenizers.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
