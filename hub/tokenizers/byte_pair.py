"""`BytePairTokenizer`: bytes joined by learnt merges (GPT-2's way), with the split patterns of the families."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from core.saving import ConfigError
from hub.tokenizers import files
from hub.tokenizers.engine import JsonEngine
from hub.tokenizers.tokenizer import Tokenizer

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3_SPLIT = _WORDS % "{1,3}"  # up to three digits together
QWEN_SPLIT = _WORDS % ""  # each digit for itself


class BytePairTokenizer(Tokenizer):
    """A tokenizer over a byte-level BPE vocabulary (Sennrich et al., 2016; Radford et al., 2019).

    Args:
        vocabulary: ids by token, or a JSON file with them.
        merges: the merges in their order, `"a b"` each, or a text file with one a line.
        sequence_length: length to which each sequence is cut or padded.
        add_prefix_space: whether a text gets a space before its first word.
        unsplittable_tokens: tokens that are never split.
        dtype: an integer type, or `"string"` for tokens.

    >>> tokenizer = BytePairTokenizer({"b": 0, "u": 1, "t": 2, "bu": 3, "but": 4, "Ġ": 5, "Ġt": 6}, ["b u", "bu t", "Ġ t"])
    >>> tokenizer("but t").tolist(), tokenizer.detokenize([4, 6])
    ([4, 6], 'but t')
    """

    split_pattern: ClassVar[str | None] = None  # GPT-2's own, where None
    normal_form: ClassVar[str | None] = None
    ignores_merges: ClassVar[bool] = False  # whether a whole word in the vocabulary is taken before any merge

    def __init__(
        self,
        vocabulary: str | os.PathLike | Mapping[str, int] | None = None,
        merges: str | os.PathLike | Sequence[str] | None = None,
        sequence_length: int | None = None,
        add_prefix_space: bool = False,
        unsplittable_tokens: Sequence[str] | None = None,
        dtype: Any = "int32",
        **kwargs: Any,
    ):
        super().__init__(sequence_length=sequence_length, dtype=dtype, **kwargs)
        self._set_options({"add_prefix_space": add_prefix_space, "unsplittable_tokens": unsplittable_tokens})
        if (vocabulary is None) != (merges is None):
            raise ConfigError(f"{type(self).__name__} needs vocabulary and merges together, or neither.")
        if vocabulary is not None:
            self.set_vocabulary_and_merges(vocabulary, merges)

    def _set_options(self, options: dict) -> None:
        self.add_prefix_space = bool(options.get("add_prefix_space", False))
        self.unsplittable_tokens = list(options.get("unsplittable_tokens") or ())

    def set_vocabulary_and_merges(self, vocabulary: Any, merges: Any) -> None:
        """Takes another vocabulary with its merges; None for both removes them."""
        if vocabulary is None and merges is None:
            self._engine = None
            return
        engine = byte_pair_engine(
            files.vocabulary_dict(vocabulary),
            files.merge_pairs(merges),
            add_prefix_space=self.add_prefix_space,
            split_pattern=self.split_pattern,
            normal_form=self.normal_form,
            ignores_merges=self.ignores_merges,
        )
        absent = [token for token in self.unsplittable_tokens if engine.token_to_id(token) is None]
        if absent:
            raise ConfigError(f"Cannot find the unsplittable tokens {', '.join(map(repr, absent))} in the vocabulary; add them to it.")
        self._more_special = list(self.unsplittable_tokens)
        self._attach(engine)
        engine.add_tokens({token: {} for token in self.special_tokens}, special=True)

    def get_vocabulary(self) -> dict[str, int]:
        """The ids by token."""
        engine = self._ready()
        return {token: i for i in range(self.vocabulary_size()) if (token := engine.id_to_token(i)) is not None}

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "vocabulary": None, "merges": None, "add_prefix_space": self.add_prefix_space}
        return {**config, "unsplittable_tokens": self.unsplittable_tokens or None}


def byte_pair_engine(
    vocabulary: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    *,
    add_prefix_space: bool = False,
    split_pattern: str | None = None,
    normal_form: str | None = None,
    ignores_merges: bool = False,
    unk_token: str | None = None,
) -> JsonEngine:
    """The engine of a byte-level BPE vocabulary, with GPT-2's split of words or another pattern."""
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    for row, (left, right) in enumerate(merges):
        for token in (left, right, left + right):
            if token not in vocabulary:
                raise ConfigError(f"Merge {row}, {left!r} and {right!r}, needs the token {token!r}, which is not in the vocabulary.")
    engine = tokenizers.Tokenizer(models.BPE(dict(vocabulary), list(merges), unk_token=unk_token, ignore_merges=ignores_merges))
    if normal_form is not None:
        engine.normalizer = getattr(normalizers, normal_form)()
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=split_pattern is None)
    if split_pattern is not None:
        split = pre_tokenizers.Split(tokenizers.Regex(split_pattern), behavior="isolated")
        engine.pre_tokenizer = pre_tokenizers.Sequence([split, to_bytes])
    else:
        engine.pre_tokenizer = to_bytes
    engine.decoder = decoders.ByteLevel()
    return JsonEngine(engine)
