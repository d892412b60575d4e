"""Preprocessors of models that write: causal and sequence-to-sequence."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from core.saving import ConfigError
from hub.preprocessing.packing import StartEndPacker
from hub.preprocessing.preprocessor import Preprocessor, first_row, ids_of, known_length, packed, texts

DEFAULT_LENGTH = 1024


class CausalLMPreprocessor(Preprocessor):
    """For `CausalLM`: strings to inputs, and the same shifted by one as labels.

    A call gives `(x, y, sample_weight)`: `x` has `token_ids` and `padding_mask`, `y` the token after each, and `sample_weight` is true
    where that is no padding; (batch, sequence_length) all, or (sequence_length,) for a single string.

    Args:
        tokenizer: the tokenizer.
        sequence_length: length of the arrays.
        add_start_token: whether sequences begin with the tokenizer's start token, if it has one. `from_preset` follows the model's files.
        add_end_token: whether sequences to learn from end with its end token.

    >>> from hub.tokenizers import GPT2Tokenizer
    >>> tokenizer = GPT2Tokenizer({"<|endoftext|>": 0, "a": 1, "b": 2}, [])
    >>> x, y, _ = CausalLMPreprocessor(tokenizer, sequence_length=5)("ab")
    >>> x["token_ids"].tolist(), y.tolist()
    ([0, 1, 2, 0, 0], [1, 2, 0, 0, 0])
    """

    options = ("sequence_length", "add_start_token", "add_end_token")
    add_start_token: bool
    add_end_token: bool

    def __init__(
        self,
        tokenizer: Any,
        sequence_length: int = DEFAULT_LENGTH,
        add_start_token: bool = True,
        add_end_token: bool = True,
        **kwargs: Any,
    ):
        super().__init__(tokenizer, **kwargs)
        self._store(sequence_length=sequence_length, add_start_token=bool(add_start_token), add_end_token=bool(add_end_token))

    @classmethod
    def defaults_of(cls, folder: pathlib.Path, tokenizer: Any) -> dict[str, Any]:
        known = known_length(folder, tokenizer)
        lengths = {} if known is None else {"sequence_length": min(known, DEFAULT_LENGTH)}
        return {**lengths, "add_start_token": bool(tokenizer.frame()[0])}

    def __call__(self, x: Any, y: Any = None, sample_weight: Any = None, sequence_length: int | None = None) -> Any:
        if y is not None or sample_weight is not None:
            raise ConfigError(f"{type(self).__name__} makes y and sample_weight from x itself; leave them out.")
        rows, single = texts(x)
        length = sequence_length or self.sequence_length
        ids, mask = self._packed(rows, length + 1, self.add_end_token)
        result = ({"token_ids": ids[:, :-1], "padding_mask": mask[:, :-1]}, ids[:, 1:], mask[:, 1:])
        return packed(*(first_row(result) if single else result))

    def generate_preprocess(self, x: Any, sequence_length: int | None = None) -> dict[str, np.ndarray]:
        """Prompts as `{"token_ids", "padding_mask"}`, with the start token and without the end token."""
        rows, single = texts(x)
        ids, mask = self._packed(rows, sequence_length or self.sequence_length, add_end=False)
        arrays = {"token_ids": ids, "padding_mask": mask}
        return first_row(arrays) if single else arrays

    def generate_postprocess(self, x: dict[str, Any]) -> Any:
        """The text of what was generated, without padding and special tokens; a string for one row, a list for several."""
        return postprocessed(self.tokenizer, x["token_ids"], x["padding_mask"])

    def _packed(self, rows: list[str], length: int, add_end: bool) -> tuple[np.ndarray, np.ndarray]:
        start = self.tokenizer.frame()[0] or _known(self.tokenizer.start_token_id)
        packer = StartEndPacker(
            length, start if self.add_start_token else [], _known(self.tokenizer.end_token_id) if add_end else [],
            self.tokenizer.pad_token_id or 0, return_padding_mask=True,
        )  # fmt: skip
        return packer(ids_of(self.tokenizer, rows))


class Seq2SeqLMPreprocessor(Preprocessor):
    """For `Seq2SeqLM`: `{"encoder_text", "decoder_text"}` to inputs, and what the decoder is to say as labels.

    A call gives `(x, y, sample_weight)`. `x` has `encoder_token_ids` and `encoder_padding_mask` (batch, encoder_sequence_length),
    `decoder_token_ids` and `decoder_padding_mask` (batch, decoder_sequence_length); `y` is the decoder's next token at each place.

    Args:
        tokenizer: the tokenizer.
        encoder_sequence_length, decoder_sequence_length: lengths of the arrays.
    """

    options = ("encoder_sequence_length", "decoder_sequence_length")
    lengths = options

    def __init__(self, tokenizer: Any, encoder_sequence_length: int = 1024, decoder_sequence_length: int = 1024, **kwargs: Any):
        super().__init__(tokenizer, **kwargs)
        self._store(encoder_sequence_length=encoder_sequence_length, decoder_sequence_length=decoder_sequence_length)
        if tokenizer.start_token_id is None or tokenizer.end_token_id is None:
            raise ConfigError(f"{type(tokenizer).__name__} must have a start and an end token for sequences to sequences.")

    @property
    def sequence_length(self) -> int:  # type: ignore[override]
        """The decoder's length, which `generate` fills."""
        return self.decoder_sequence_length

    @sequence_length.setter
    def sequence_length(self, value: int) -> None:
        self.encoder_sequence_length = self.decoder_sequence_length = value

    encoder_sequence_length: int
    decoder_sequence_length: int

    def __call__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        encoder_sequence_length: int | None = None,
        decoder_sequence_length: int | None = None,
        sequence_length: int | None = None,
    ) -> Any:
        if y is not None or sample_weight is not None:
            raise ConfigError(f"{type(self).__name__} makes y and sample_weight from x['decoder_text'] itself; leave them out.")
        if not isinstance(x, dict) or {"encoder_text", "decoder_text"} - set(x):
            raise ConfigError(f"{type(self).__name__} takes a dict with 'encoder_text' and 'decoder_text', and was given {_shown(x)}.")
        encoder, single = self._encoder(x["encoder_text"], encoder_sequence_length)
        length = decoder_sequence_length or sequence_length or self.decoder_sequence_length
        ids, mask = self._decoder(texts(x["decoder_text"])[0], length + 1, add_end=True)
        inputs = {**encoder, "decoder_token_ids": ids[:, :-1], "decoder_padding_mask": mask[:, :-1]}
        result = (inputs, ids[:, 1:], mask[:, 1:])
        return packed(*(first_row(result) if single else result))

    def generate_preprocess(
        self,
        x: Any,
        *,
        encoder_sequence_length: int | None = None,
        decoder_sequence_length: int | None = None,
        sequence_length: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Inputs for `generate`: `x` are the encoder's texts, or a dict of them and of what the decoder begins with."""
        begun: Any = None
        if isinstance(x, dict):
            if "encoder_text" not in x:
                raise ConfigError(f"{type(self).__name__} takes texts, or a dict with 'encoder_text', and was given {_shown(x)}.")
            x, begun = x["encoder_text"], x.get("decoder_text")
        encoder, single = self._encoder(x, encoder_sequence_length)
        rows = [""] * len(encoder["encoder_token_ids"]) if begun is None else texts(begun)[0]
        length = decoder_sequence_length or sequence_length or self.decoder_sequence_length
        ids, mask = self._decoder(rows, length, add_end=False)
        arrays = {**encoder, "decoder_token_ids": ids, "decoder_padding_mask": mask}
        return first_row(arrays) if single else arrays

    def generate_postprocess(self, x: dict[str, Any]) -> Any:
        """The text of what the decoder said, without padding and special tokens."""
        return postprocessed(self.tokenizer, x["decoder_token_ids"], x["decoder_padding_mask"])

    def _encoder(self, x: Any, length: int | None) -> tuple[dict[str, np.ndarray], bool]:
        rows, single = texts(x)
        before, after, _ = self.tokenizer.frame()
        packer = StartEndPacker(
            length or self.encoder_sequence_length, before, after, self.tokenizer.pad_token_id or 0, return_padding_mask=True
        )
        ids, mask = packer(ids_of(self.tokenizer, rows))
        return {"encoder_token_ids": ids, "encoder_padding_mask": mask}, single

    def _decoder(self, rows: list[str], length: int, add_end: bool) -> tuple[np.ndarray, np.ndarray]:
        packer = StartEndPacker(
            length, self.tokenizer.start_token_id, self.tokenizer.end_token_id, self.tokenizer.pad_token_id or 0, return_padding_mask=True
        )
        return packer(ids_of(self.tokenizer, rows), add_end_value=add_end)


def postprocessed(tokenizer: Any, ids: Any, mask: Any) -> Any:
    """The text of ids under a mask, without special tokens. The unknown token stays: it stands for something that was there."""
    roles = ("pad", "cls", "sep", "mask", "bos", "eos", "start", "end")
    dropped = {getattr(tokenizer, f"{role}_token_id") for role in roles if getattr(tokenizer, f"{role}_token") is not None}
    dropped |= set(tokenizer.special_token_ids) - {tokenizer.unk_token_id}
    ids, mask = np.asarray(ids), np.asarray(mask, dtype=bool)
    rows = [row[keep].tolist() for row, keep in zip(np.atleast_2d(ids), np.atleast_2d(mask))]
    found = [tokenizer.detokenize([index for index in row if index not in dropped]) for row in rows]
    return found[0] if ids.ndim == 1 else found


def _known(index: int | None) -> list[int]:
    return [] if index is None else [index]


def _shown(x: Any) -> str:
    return f"a dict with {sorted(x)}" if isinstance(x, dict) else f"{type(x).__name__} {str(x)[:60]!r}"
