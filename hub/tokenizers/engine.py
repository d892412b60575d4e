"""The two engines that turn text into ids: Hugging Face's `tokenizers`, and `sentencepiece`. Tokenizers hold one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from core.saving import ConfigError, CorruptArtifactError
from hub.tokenizers import files

# A message of protocol buffers that sets normalizer_spec.add_dummy_prefix (fields 3 and 3) to false; appended messages are merged.
NO_PREFIX = b"\x1a\x02\x18\x00"


class Engine(Protocol):
    """What a tokenizer needs of an engine. `special` are the tokens that were declared special, by content."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]: ...

    def decode(self, ids: Sequence[int]) -> str: ...

    def token_to_id(self, token: str) -> int | None: ...

    def id_to_token(self, index: int) -> str | None: ...

    def size(self) -> int: ...

    def add_tokens(self, tokens: Mapping[str, Any], special: bool) -> None: ...

    def frame(self) -> tuple[list[int], list[int], list[int]] | None: ...

    def set_frame(self, before: list[int], after: list[int], between: list[int]) -> None: ...

    def files(self) -> dict[str, bytes]: ...


class JsonEngine:
    """A whole `tokenizer.json`: normalizer, split, model, decoder and added tokens, as its author wrote them.

    Args:
        engine: a `tokenizers.Tokenizer`.
    """

    def __init__(self, engine: Any):
        engine.no_padding()  # a file may ask for both; here they belong to the preprocessor
        engine.no_truncation()
        self.engine = engine

    @classmethod
    def from_json(cls, text: str, name: str = "tokenizer.json") -> JsonEngine:
        """The engine that a `tokenizer.json` describes; `CorruptArtifactError` where it describes none."""
        import tokenizers

        files.check_tokenizer_json(files.json_object(text.encode(), name), name)
        try:
            return cls(tokenizers.Tokenizer.from_str(text))
        except Exception as error:
            raise CorruptArtifactError(f"{name} does not describe a tokenizer: {str(error)[:300]}") from error

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, without the tokens that frame a sequence."""
        if len(texts) == 1:
            return [self.engine.encode(texts[0], add_special_tokens=False).ids]
        return [encoding.ids for encoding in self.engine.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids, special tokens included."""
        return self.engine.decode(list(ids), skip_special_tokens=False)

    def token_to_id(self, token: str) -> int | None:
        return self.engine.token_to_id(token)

    def id_to_token(self, index: int) -> str | None:
        return self.engine.id_to_token(index)

    def size(self) -> int:
        """One more than the largest id."""
        vocabulary = self.engine.get_vocab(with_added_tokens=True)
        return max(vocabulary.values(), default=-1) + 1

    def add_tokens(self, tokens: Mapping[str, Any], special: bool) -> None:
        """Makes the tokens unsplittable; those that the vocabulary lacks get new ids. Values are the options of the token, or {}."""
        import tokenizers

        made = []
        for content, options in tokens.items():
            keep = {k: bool(v) for k, v in options.items() if k in ("single_word", "lstrip", "rstrip", "normalized")}
            made.append(tokenizers.AddedToken(content, **{"normalized": not special, **keep}, special=special))
        (self.engine.add_special_tokens if special else self.engine.add_tokens)(made)

    def frame(self) -> tuple[list[int], list[int], list[int]] | None:
        """The ids that the file puts before a sequence, after it, and between the two of a pair."""
        probe = self._probe()
        if probe is None:
            return None
        one = self.engine.encode(probe)
        inside = [i for i, special in enumerate(one.special_tokens_mask) if not special]
        if not inside:
            return None
        before, after = one.ids[: inside[0]], one.ids[inside[-1] + 1 :]
        pair = self.engine.encode(probe, probe)
        first = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 0]
        second = [i for i, sequence in enumerate(pair.sequence_ids) if sequence == 1]
        between = pair.ids[first[-1] + 1 : second[0]] if first and second else list(after)
        return before, after, between

    def set_frame(self, before: list[int], after: list[int], between: list[int]) -> None:
        """Writes into the file what frames a sequence, so that whoever reads it frames alike."""
        from tokenizers import processors

        if not (before or after or between):
            return
        names = {index: self.engine.id_to_token(index) for index in (*before, *after, *between)}
        parts = {key: [names[i] for i in ids] for key, ids in (("before", before), ("after", after), ("between", between))}
        self.engine.post_processor = processors.TemplateProcessing(
            single=[*parts["before"], "$A", *parts["after"]],
            pair=[*parts["before"], "$A:0", *parts["between"], "$B:1", *(f"{token}:1" for token in parts["after"])],
            special_tokens=[(token, index) for index, token in names.items()],
        )

    def _probe(self) -> str | None:
        """A text of at least one ordinary token."""
        return next((text for text in ("a", "the", "1", "A", "e", ".") if self.engine.encode(text, add_special_tokens=False).ids), None)

    def files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.engine.to_str(pretty=True).encode()}

    def __deepcopy__(self, memo: dict) -> JsonEngine:
        import tokenizers

        return JsonEngine(tokenizers.Tokenizer.from_str(self.engine.to_str()))


class SentencePieceEngine:
    """A SentencePiece `.model`, run by `sentencepiece`, plus tokens that were added to it.

    Args:
        proto: the bytes of the `.model` file.
        file_name: under which the model is saved.
        prefix_after_added: whether the text after an added token gets the space that a text's start gets (T5's way; early Llama's).
    """

    def __init__(self, proto: bytes, *, file_name: str = "tokenizer.model", prefix_after_added: bool = True):
        self.proto, self.file_name, self.prefix_after_added = proto, file_name, prefix_after_added
        self.processor = _processor(proto)
        self.plain: Any = None  # the same model without the space at the start
        if not prefix_after_added:
            self.plain = _processor(proto + NO_PREFIX)
        self._frame: tuple[list[int], list[int], list[int]] | None = None
        self.added: dict[str, int] = {}
        self._by_id: dict[int, str] = {}
        self._split: re.Pattern | None = None

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        if self._split is None:
            return self.processor.encode(list(texts))
        return [self._encode_with_added(text) for text in texts]

    def _encode_with_added(self, text: str) -> list[int]:
        assert self._split is not None
        ids: list[int] = []
        for i, section in enumerate(self._split.split(text)):
            if i % 2:
                ids.append(self.added[section])
            elif section:
                processor = self.plain if i and self.plain is not None else self.processor
                ids.extend(processor.encode(section))
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; control pieces have none, tokens that were added stand for themselves."""
        if not self._by_id:
            return self.processor.decode([int(index) for index in ids])
        pieces: list[str] = []
        run: list[int] = []
        for index in [*ids, None]:
            if index is not None and index not in self._by_id:
                run.append(int(index))
                continue
            if run:
                text = self.processor.decode(run)
                if pieces and self.processor.id_to_piece(run[0]).startswith("\u2581"):
                    text = " " + text  # the model drops the space that begins a text; here it follows a token
                pieces.append(text)
                run = []
            if index is not None:
                pieces.append(self._by_id[index])
        return "".join(pieces)

    def token_to_id(self, token: str) -> int | None:
        if token in self.added:
            return self.added[token]
        found = self.processor.piece_to_id(token)
        return found if found != self.processor.unk_id() or token == self.processor.id_to_piece(found) else None

    def id_to_token(self, index: int) -> str | None:
        if index in self._by_id:
            return self._by_id[index]
        return self.processor.id_to_piece(index) if 0 <= index < self.processor.get_piece_size() else None

    def size(self) -> int:
        return max([self.processor.get_piece_size(), *(i + 1 for i in self._by_id)])

    def add_tokens(self, tokens: Mapping[str, Any], special: bool) -> None:
        """Makes the tokens unsplittable; those that the model lacks get the `id` of their options, or the next free one."""
        for content, options in tokens.items():
            if not content:
                raise ConfigError("An added token must have at least one character.")
            index = self.token_to_id(content)
            if index is None:
                index = int(options.get("id", self.size()))
            self.added[content] = index
            self._by_id[index] = content
        if self.added:  # longest first, so that <extra_id_1> does not win over <extra_id_10>
            self._split = re.compile("(" + "|".join(map(re.escape, sorted(self.added, key=len, reverse=True))) + ")")

    def frame(self) -> tuple[list[int], list[int], list[int]] | None:
        """What `set_frame` was told; a `.model` itself does not say."""
        return self._frame

    def set_frame(self, before: list[int], after: list[int], between: list[int]) -> None:
        self._frame = (before, after, between)

    def files(self) -> dict[str, bytes]:
        return {self.file_name: self.proto}

    def __getstate__(self) -> dict:
        return {k: v for k, v in self.__dict__.items() if k not in ("processor", "plain")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.processor = _processor(self.proto)
        self.plain = None
        if not self.prefix_after_added:
            self.plain = _processor(self.proto + NO_PREFIX)


def _processor(proto: bytes) -> Any:
    import sentencepiece

    if not isinstance(proto, bytes) or not proto:
        raise CorruptArtifactError("A SentencePiece model must be the bytes of a '.model' file, and is empty or not bytes.")
    processor = sentencepiece.SentencePieceProcessor()
    try:
        loaded = processor.LoadFromSerializedProto(proto)
    except RuntimeError as error:
        raise CorruptArtifactError(f"The bytes given are not a SentencePiece model: {str(error)[:200]}") from error
    if not loaded or processor.get_piece_size() == 0:
        raise CorruptArtifactError("The bytes given are not a SentencePiece model: it has no pieces.")
    return processor
