"""The tokenizers of the model families: a kind of engine, the special tokens, and what frames a sequence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from hub.tokenizers.byte_pair import LLAMA3_SPLIT, QWEN_SPLIT, BytePairTokenizer
from hub.tokenizers.sentence_piece import SentencePieceTokenizer
from hub.tokenizers.tokenizer import Tokenizer
from hub.tokenizers.word_piece import WordPieceTokenizer

# ------------------------------------------------------------------------------------------------- WordPiece


class BertTokenizer(WordPieceTokenizer):
    """BERT's tokenizer, also of MiniLM: `[CLS] a [SEP] b [SEP]`. See `WordPieceTokenizer` for the arguments.

    >>> BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fox"])("fox").tolist()
    [5]
    """

    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    needed = ("pad", "cls", "sep", "mask")
    framed_by = (("cls",), ("sep",), ("sep",))

    def __init__(self, vocabulary: str | os.PathLike | Sequence[str] | None = None, lowercase: bool = False, **kwargs: Any):
        super().__init__(vocabulary, lowercase=lowercase, **kwargs)


class DistilBertTokenizer(BertTokenizer):
    """DistilBERT's tokenizer, which is BERT's."""


# ------------------------------------------------------------------------------------------------- byte-level BPE


class RobertaTokenizer(BytePairTokenizer):
    """RoBERTa's tokenizer: `<s> a </s></s> b </s>`. See `BytePairTokenizer` for the arguments."""

    special = {
        "bos": "<s>", "eos": "</s>", "pad": "<pad>", "mask": "<mask>", "cls": "<s>", "sep": "</s>", "unk": "<unk>",
    }  # fmt: skip
    needed = ("bos", "eos", "pad", "mask")
    framed_by = (("bos",), ("eos",), ("eos", "eos"))


class GPT2Tokenizer(BytePairTokenizer):
    """GPT-2's tokenizer; its files frame no sequence. See `BytePairTokenizer` for the arguments."""

    special = {"bos": "<|endoftext|>", "eos": "<|endoftext|>", "unk": "<|endoftext|>"}
    needed = ("eos",)


class QwenTokenizer(BytePairTokenizer):
    """Qwen 2's tokenizer: each digit for itself, text in NFC, no start token. See `BytePairTokenizer` for the arguments."""

    special = {"eos": "<|endoftext|>", "pad": "<|endoftext|>"}
    needed = ("eos",)
    split_pattern = QWEN_SPLIT
    normal_form = "NFC"


class Qwen3Tokenizer(QwenTokenizer):
    """Qwen 3's tokenizer: Qwen 2's, ending with `<|im_end|>`."""

    special = {"eos": "<|im_end|>", "pad": "<|endoftext|>"}


class Llama3Tokenizer(BytePairTokenizer):
    """Llama 3's tokenizer: up to three digits together, whole words before merges, `<|begin_of_text|> a`.

    Args:
        vocabulary, merges: see `BytePairTokenizer`.
        bos_token, eos_token: the start and end tokens.
        misc_special_tokens: further tokens that are never split.
    """

    needed = ("bos", "eos")
    framed_by = (("bos",), (), ("bos",))
    split_pattern = LLAMA3_SPLIT
    ignores_merges = True

    def __init__(
        self,
        vocabulary: str | os.PathLike | Mapping[str, int] | None = None,
        merges: str | os.PathLike | Sequence[str] | None = None,
        bos_token: str = "<|begin_of_text|>",
        eos_token: str = "<|end_of_text|>",
        misc_special_tokens: Any = ("<|start_header_id|>", "<|end_header_id|>"),
        **kwargs: Any,
    ):
        self.special = {"bos": bos_token, "eos": eos_token}  # type: ignore[misc]  # this family lets its users name them
        kwargs.setdefault("unsplittable_tokens", sorted(misc_special_tokens))
        super().__init__(vocabulary, merges, **kwargs)


# ------------------------------------------------------------------------------------------------- SentencePiece


class LlamaTokenizer(SentencePieceTokenizer):
    """Llama 1 and 2's tokenizer: `<s> a`. `from_preset` reads Llama 3's files as well. See `SentencePieceTokenizer`."""

    special = {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}
    needed = ("bos", "eos")
    framed_by = (("bos",), (), ("bos",))


class MistralTokenizer(LlamaTokenizer):
    """Mistral's tokenizer: `<s> a`."""


class GemmaTokenizer(SentencePieceTokenizer):
    """Gemma's tokenizer: `<bos> a`."""

    special = {"bos": "<bos>", "eos": "<eos>", "pad": "<pad>", "unk": "<unk>"}
    needed = ("bos", "eos", "pad")
    framed_by = (("bos",), (), ("bos",))


class T5Tokenizer(SentencePieceTokenizer):
    """T5's tokenizer: `a </s>`; a decoder starts with `<pad>`."""

    special = {"eos": "</s>", "pad": "<pad>", "unk": "<unk>"}
    needed = ("eos", "pad")
    framed_by = ((), ("eos",), ("eos",))
    begins_with = ("pad",)
    file_name = "spiece.model"


# model_type of a config.json -> the classes that fit it; the first one is made where the caller names none of them
MODEL_TYPES: dict[str, tuple[type[Tokenizer], ...]] = {
    "bert": (BertTokenizer,),
    "distilbert": (DistilBertTokenizer,),
    "roberta": (RobertaTokenizer,),
    "gpt2": (GPT2Tokenizer,),
    "llama": (LlamaTokenizer, Llama3Tokenizer),
    "mistral": (MistralTokenizer,),
    "qwen2": (QwenTokenizer,),
    "qwen3": (Qwen3Tokenizer, QwenTokenizer),
    "gemma": (GemmaTokenizer,),
    "gemma2": (GemmaTokenizer,),
    "t5": (T5Tokenizer,),
}
# The kind of model in a tokenizer.json -> the class where the family is not known
KINDS: dict[str, type[Tokenizer]] = {"WordPiece": WordPieceTokenizer, "BPE": BytePairTokenizer, "Unigram": SentencePieceTokenizer}

NAMES: dict[str, type[Tokenizer]] = {
    cls.__name__: cls
    for cls in (
        WordPieceTokenizer, BytePairTokenizer, SentencePieceTokenizer, BertTokenizer, DistilBertTokenizer, RobertaTokenizer, GPT2Tokenizer,
        QwenTokenizer, Qwen3Tokenizer, Llama3Tokenizer, LlamaTokenizer, MistralTokenizer, GemmaTokenizer, T5Tokenizer,
    )
}  # fmt: skip
