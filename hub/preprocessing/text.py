"""Preprocessors of encoders: classification, embedding, masked tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from core.saving import ConfigError
from hub.preprocessing.masking import MaskedLMMaskGenerator
from hub.preprocessing.packing import MultiSegmentPacker
from hub.preprocessing.preprocessor import Preprocessor, first_row, ids_of, packed, segments_of


class TextPreprocessor(Preprocessor):
    """Strings, or pairs of strings, to `{"token_ids", "padding_mask"}`, with `"segment_ids"` where the family has segments.

    Each array is (batch, sequence_length), or (sequence_length,) for a single string. Sequences that belong together are given as a
    tuple: `preprocessor((firsts, seconds))`.

    Args:
        tokenizer: the tokenizer.
        sequence_length: length of the arrays.
        truncate: `"round_robin"` or `"waterfall"`; see `hub.layers.MultiSegmentPacker`.

    >>> from hub.tokenizers import BertTokenizer
    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fox"])
    >>> TextPreprocessor(tokenizer, sequence_length=5)("the fox")["token_ids"]
    array([2, 5, 6, 3, 0], dtype=int32)
    """

    options: ClassVar[tuple[str, ...]] = ("sequence_length", "truncate")
    has_segments = True
    truncate: str

    def __init__(self, tokenizer: Any, sequence_length: int = 512, truncate: str = "round_robin", **kwargs: Any):
        super().__init__(tokenizer, **kwargs)
        self._store(sequence_length=sequence_length, truncate=truncate)
        self.packer  # noqa: B018 - checks the options

    @property
    def packer(self) -> MultiSegmentPacker:
        """What puts the family's tokens around and between the sequences."""
        before, after, between = self.tokenizer.frame()
        return MultiSegmentPacker(
            self.sequence_length, before, after, between, pad_value=self.tokenizer.pad_token_id or 0, truncate=self.truncate
        )

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        arrays, single = self._arrays(x)
        return packed(first_row(arrays) if single else arrays, y, sample_weight)

    def _arrays(self, x: Any) -> tuple[dict[str, Any], bool]:
        segments, single = segments_of(x)
        token_ids, segment_ids, mask = self.packer.pack(tuple(ids_of(self.tokenizer, rows) for rows in segments))
        arrays = {"token_ids": token_ids, "padding_mask": mask}
        return {**arrays, "segment_ids": segment_ids} if self.has_segments else arrays, single


class TextClassifierPreprocessor(TextPreprocessor):
    """For `TextClassifier`: strings to `{"token_ids", "padding_mask"}` and, where the family has them, `"segment_ids"`.

    Args:
        tokenizer: the tokenizer.
        sequence_length: length of the arrays.
        truncate: `"round_robin"` or `"waterfall"`.
    """


class TextEmbedderPreprocessor(TextPreprocessor):
    """For `TextEmbedder`; as `TextClassifierPreprocessor`, 256 long.

    Args:
        tokenizer: the tokenizer.
        sequence_length: length of the arrays.
        truncate: `"round_robin"` or `"waterfall"`.
    """

    def __init__(self, tokenizer: Any, sequence_length: int = 256, truncate: str = "round_robin", **kwargs: Any):
        super().__init__(tokenizer, sequence_length, truncate, **kwargs)


class MaskedLMPreprocessor(TextPreprocessor):
    """For `MaskedLM`: hides tokens at random. A call gives `(x, y, sample_weight)`.

    `x` has `token_ids`, `padding_mask`, where the family has them `segment_ids`, and `mask_positions`; `y` are the hidden tokens and
    `sample_weight` is 1 for each of them, (batch, mask_selection_length) all.

    Args:
        tokenizer: the tokenizer; it must have a mask token.
        sequence_length: length of the arrays.
        truncate: `"round_robin"` or `"waterfall"`.
        mask_selection_rate, mask_selection_length, mask_token_rate, random_token_rate: see `hub.layers.MaskedLMMaskGenerator`.
        seed: of the masks; NumPy's global generator where it is None.
    """

    options: ClassVar[tuple[str, ...]] = (
        *TextPreprocessor.options, "mask_selection_rate", "mask_selection_length", "mask_token_rate", "random_token_rate", "seed",
    )  # fmt: skip
    lengths = ("sequence_length", "mask_selection_length")

    def __init__(
        self,
        tokenizer: Any,
        sequence_length: int = 512,
        truncate: str = "round_robin",
        mask_selection_rate: float = 0.15,
        mask_selection_length: int = 96,
        mask_token_rate: float = 0.8,
        random_token_rate: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(tokenizer, sequence_length, truncate, **kwargs)
        self._store(
            mask_selection_rate=mask_selection_rate, mask_selection_length=mask_selection_length, mask_token_rate=mask_token_rate,
            random_token_rate=random_token_rate, seed=seed,
        )  # fmt: skip
        if tokenizer.mask_token_id is None:
            raise ConfigError(f"{type(tokenizer).__name__} has no mask token, so it cannot be used for masked language modeling.")
        self.masker = MaskedLMMaskGenerator(
            tokenizer.vocabulary_size(), mask_selection_rate, tokenizer.mask_token_id, mask_selection_length,
            [*tokenizer.special_token_ids, tokenizer.pad_token_id or 0], mask_token_rate, random_token_rate, seed,
        )  # fmt: skip

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        if y is not None or sample_weight is not None:
            raise ConfigError(f"{type(self).__name__} makes y and sample_weight from x itself; leave them out.")
        arrays, single = self._arrays(x)
        hidden = self.masker(arrays["token_ids"])
        x = {**arrays, "token_ids": hidden["token_ids"], "mask_positions": hidden["mask_positions"]}
        result = (x, hidden["mask_ids"], hidden["mask_weights"])
        return first_row(result) if single else result
