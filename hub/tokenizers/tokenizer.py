"""`Tokenizer`: text to ids and back. The engine does the work; this class has the names, the special tokens and the files."""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

import core
from core.saving import ConfigError, UnsafeArtifactError
from hub.tokenizers import chat
from hub.tokenizers.engine import Engine

ROLES = ("pad", "unk", "cls", "sep", "mask", "bos", "eos", "start", "end")
MADE_BY = frozenset({"cls", "sep", "mask", "bos", "eos", "pad", "unk"})  # roles that files name; start and end follow from them

Self = TypeVar("Self", bound="Tokenizer")


class Tokenizer:
    """Text to ids, and ids to text.

    `Tokenizer.from_preset(folder)` reads any folder in Hugging Face's layout (`tokenizer.json`, a SentencePiece model, `vocab.json` with
    `merges.txt`, or `vocab.txt`) and returns the class of its model family. A call takes a string, or a list of strings of any nesting:

    * a string gives a NumPy vector of ids,
    * a list gives a list of lists of ids, or with `sequence_length` a NumPy array `(batch, sequence_length)`.

    A call adds no tokens that frame a sequence (`[CLS]`, `<s>`); a preprocessor does. Special tokens written in the text of a loaded
    tokenizer become their ids.

    A subclass may instead define `tokenize(inputs)`, `detokenize(inputs)`, `vocabulary_size()`, `get_vocabulary()`, `id_to_token(id)`
    and `token_to_id(token)` itself.

    Args:
        sequence_length: length to which each sequence is cut or padded.
        dtype: `"int32"` (any integer type) for ids, or `"string"` for the tokens themselves.
        name: a name for configs.

    Attributes:
        pad_token, unk_token, cls_token, sep_token, mask_token, bos_token, eos_token: the special tokens, None where there is none; each
            also with `_id`. `start_token` and `end_token` are those that begin and end a sequence of this family.

    >>> from hub.tokenizers import BertTokenizer
    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "qu", "##ick", "fox"], lowercase=True)
    >>> tokenizer("The quick fox").tolist(), tokenizer.detokenize([5, 6, 7])
    ([5, 6, 7, 8], 'the quick')
    """

    special: ClassVar[Mapping[str, str]] = {}  # role -> token that a family uses where its files do not say
    needed: ClassVar[Sequence[str]] = ()  # roles that a vocabulary given by hand must have
    framed_by: ClassVar[tuple[Sequence[str], Sequence[str], Sequence[str]]] = ((), (), ())  # roles before, after, between two texts
    begins_with: ClassVar[Sequence[str]] = ("bos", "cls")  # the first of these roles that exists is the start token
    ends_with: ClassVar[Sequence[str]] = ("eos", "sep")

    pad_token: str | None
    unk_token: str | None
    cls_token: str | None
    sep_token: str | None
    mask_token: str | None
    bos_token: str | None
    eos_token: str | None
    start_token: str | None
    end_token: str | None
    pad_token_id: int | None
    unk_token_id: int | None
    cls_token_id: int | None
    sep_token_id: int | None
    mask_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | None
    start_token_id: int | None
    end_token_id: int | None

    def __init__(self, *, sequence_length: int | None = None, dtype: Any = "int32", name: str | None = None, **kwargs: Any):
        kwargs.pop("trainable", None)
        if kwargs:
            raise ConfigError(f"{type(self).__name__} got unexpected arguments {sorted(kwargs)}.")
        if sequence_length is not None and (isinstance(sequence_length, bool) or int(sequence_length) < 1):
            raise ConfigError(f"sequence_length must be a positive integer or None, got {sequence_length!r}.")
        dtype = getattr(dtype, "name", dtype)
        if dtype != "string" and not str(dtype).startswith(("int", "uint")):
            raise ConfigError(f"dtype of a tokenizer must be an integer type or 'string', got {dtype!r}.")
        self.sequence_length = None if sequence_length is None else int(sequence_length)
        self.dtype = str(dtype)
        self.name = name or _snake(type(self).__name__)
        self._engine: Engine | None = None
        self._config: dict[str, Any] = {}  # tokenizer_config.json as it was read, so that a saved folder keeps what we do not use
        self._roles: dict[str, str] = {}
        self._more_special: list[str] = []  # special tokens without a role
        self.stop_token_ids: list[int] = []  # ids that end what is generated, besides the end token
        self.chat_templates: dict[str, str] = {}
        self._name_roles()

    # -------------------------------------------------------------------------------------------- engine and special tokens

    def _attach(self, engine: Engine, roles: Mapping[str, str] | None = None) -> None:
        """Takes an engine and names its special tokens: those given, or the family's where the vocabulary has them."""
        self._engine = engine
        if roles is None:
            roles = self.special
            missing = [roles[role] for role in self.needed if engine.token_to_id(roles[role]) is None]
            if missing:
                raise ConfigError(
                    f"Cannot find {', '.join(map(repr, missing))} in the vocabulary given to {type(self).__name__}. "
                    "Add them to the vocabulary, or use the tokenizer class of the family that it is from."
                )
            self._roles = {role: token for role, token in roles.items() if engine.token_to_id(token) is not None}
            engine.set_frame(*self._family_frame())
        self._roles = {role: token for role, token in roles.items() if engine.token_to_id(token) is not None}
        self._name_roles()

    def _name_roles(self) -> None:
        roles = dict(self._roles)
        for role, choices in (("start", self.begins_with), ("end", self.ends_with)):
            chosen = next((roles[c] for c in choices if c in roles), None)
            if chosen is not None:
                roles.setdefault(role, chosen)
        for role in ROLES:
            token = roles.get(role)
            index = None if token is None or self._engine is None else self._engine.token_to_id(token)
            if role == "pad" and index is None:
                index = 0  # what padding is made of does not matter where a mask says that it is padding
            setattr(self, f"{role}_token", token)
            setattr(self, f"{role}_token_id", index)

    @property
    def special_tokens(self) -> list[str]:
        """The special tokens, each once."""
        return list(dict.fromkeys([*self._roles.values(), *self._more_special]))

    @property
    def special_token_ids(self) -> list[int]:
        """Their ids."""
        engine = self._ready()
        return [index for index in map(engine.token_to_id, self.special_tokens) if index is not None]

    def _ready(self) -> Engine:
        if self._engine is None:
            raise ConfigError(
                f"{type(self).__name__} has no vocabulary yet: give it one when you make it, or use {type(self).__name__}.from_preset()."
            )
        return self._engine

    # -------------------------------------------------------------------------------------------- text to ids

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return self.tokenize(inputs, *args, **kwargs)

    def tokenize(self, inputs: Any) -> Any:
        """The ids of a string or of strings; see the class."""
        text = as_text(inputs)
        if text is not None:
            row = self._encode([text])[0]
            return self._table([row])[0] if self.sequence_length is not None else self._vector(row)
        inputs = as_list(inputs)
        rows = [as_text(one) for one in inputs]
        if any(row is None for row in rows):
            return [self.tokenize(one) for one in inputs]
        encoded = self._encode([row for row in rows if row is not None])
        if self.sequence_length is not None:
            return self._table(encoded)
        return [self._tokens(row) for row in encoded] if self.dtype == "string" else encoded

    def _encode(self, texts: list[str]) -> list[list[int]]:
        engine = self._ready()
        return engine.encode(texts) if texts else []

    def _vector(self, row: list[int]) -> Any:
        return self._tokens(row) if self.dtype == "string" else np.array(row, dtype=self.dtype)

    def _tokens(self, row: Sequence[int]) -> list[str]:
        return [self.id_to_token(index) for index in row]

    def _table(self, rows: list[list[int]]) -> Any:
        length = self.sequence_length or 0
        table = np.full((len(rows), length), self.pad_token_id or 0, dtype="int64")
        for target, row in zip(table, rows):
            target[: len(row)] = row[:length]
        return [self._tokens(row.tolist()) for row in table] if self.dtype == "string" else table.astype(self.dtype)

    # -------------------------------------------------------------------------------------------- ids to text

    def detokenize(self, inputs: Any, *, skip_special_tokens: bool = False) -> Any:
        """The text of ids: a string for a vector, a list of strings for a batch.

        Args:
            inputs: ids as a list, an array or a tensor of any framework.
            skip_special_tokens: whether special tokens are left out.
        """
        if not isinstance(inputs, (list, tuple, np.ndarray)) and not isinstance(inputs, (int, np.integer)):
            inputs = core.ops.convert_to_numpy(inputs)
        if isinstance(inputs, (int, np.integer)) or (isinstance(inputs, np.ndarray) and inputs.ndim == 0):
            inputs = [int(inputs)]
        if len(inputs) and np.ndim(inputs[0]) > 0:
            return [self.detokenize(row, skip_special_tokens=skip_special_tokens) for row in inputs]
        dropped = set(self.special_token_ids) if skip_special_tokens else set()
        size = self.vocabulary_size()
        ids = [int(index) for index in inputs]
        outside = [index for index in ids if not 0 <= index < size]
        if outside:
            raise ConfigError(f"detokenize expected ids from 0 to {size - 1}, got {outside[0]}.")
        return self._decode([index for index in ids if index not in dropped])

    def _decode(self, ids: list[int]) -> str:
        return self._ready().decode(ids)

    # -------------------------------------------------------------------------------------------- the vocabulary

    def vocabulary_size(self) -> int:
        """One more than the largest id."""
        engine = self._ready()
        known = getattr(self, "_size", None)
        if known is None or known[0] is not engine:
            self._size = known = (engine, engine.size())
        return known[1]

    def get_vocabulary(self) -> Any:
        """The tokens in the order of their ids."""
        return [self._ready().id_to_token(i) or "" for i in range(self.vocabulary_size())]

    def id_to_token(self, id: int) -> str:
        """The token with that id."""
        token = self._ready().id_to_token(int(id)) if int(id) >= 0 else None
        if token is None:
            raise ConfigError(f"`id` must be in the range [0, {self.vocabulary_size() - 1}] and in the vocabulary. Received: {id}")
        return token

    def token_to_id(self, token: str) -> int:
        """The id of that token."""
        index = self._ready().token_to_id(token)
        if index is None:
            raise ConfigError(f"Token {token!r} is not in the vocabulary of {type(self).__name__}.")
        return index

    def frame(self) -> tuple[list[int], list[int], list[int]]:
        """The ids that belong before a sequence, after it, and between the two of a pair.

        They are read from a loaded tokenizer's files (many decoders want none), and are the family's for a vocabulary given by hand.
        """
        found = None if self._engine is None else self._engine.frame()
        return ([], [], []) if found is None else found

    def _family_frame(self, add_bos: bool = True, add_eos: bool = True) -> tuple[list[int], list[int], list[int]]:
        """The ids of `framed_by`, as far as the vocabulary has them."""
        ids = {role: self.token_to_id(token) for role, token in self._roles.items()}
        before, after, between = ([ids[role] for role in roles if role in ids] for roles in self.framed_by)
        return before if add_bos else [], after if add_eos else [], between

    # -------------------------------------------------------------------------------------------- chat

    @property
    def chat_template(self) -> str | None:
        """The default chat template, a Jinja program."""
        return self.chat_templates.get("default")

    @chat_template.setter
    def chat_template(self, value: Any) -> None:
        self.chat_templates = chat.parse(value)

    def apply_chat_template(
        self,
        messages: Any,
        *,
        tools: Any = None,
        documents: Any = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tokenize: bool = True,
        **variables: Any,
    ) -> Any:
        """The prompt for a conversation, as ids, or as text with `tokenize=False`.

        Args:
            messages: dicts such as `{"role": "user", "content": "Hello"}`, or a list of such conversations.
            tools: functions as JSON schemas that the template may describe.
            documents: texts for a template that knows retrieval.
            chat_template: a Jinja template, or the name of one of this tokenizer's.
            add_generation_prompt: whether the prompt ends with the words that begin an answer.
            continue_final_message: whether the prompt ends inside the last message, which the model then goes on with.
            tokenize: whether ids are returned (they include the special tokens that the template writes), or text.
            **variables: further values for the template.

        Raises:
            ConfigError: no template, messages of a wrong form, or messages that the template refuses.

        >>> from hub.tokenizers import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"
        >>> tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
        'user: hi'
        """
        if continue_final_message and add_generation_prompt:
            raise ConfigError("Choose one of add_generation_prompt and continue_final_message: one begins an answer, one goes on with it.")
        template = chat.choose(self.chat_templates, chat_template, tools)
        named = {f"{role}_token": token for role, token in self._roles.items() if role in MADE_BY}
        options = {"tools": tools, "documents": documents, "add_generation_prompt": add_generation_prompt, **named, **variables}
        batch = isinstance(messages, (list, tuple)) and bool(messages) and isinstance(messages[0], (list, tuple))
        prompts = []
        for conversation in messages if batch else [messages]:
            prompt = chat.render(template, conversation, **options)
            prompts.append(_cut_after(prompt, conversation) if continue_final_message else prompt)
        result = prompts if batch else prompts[0]
        return self.tokenize(result) if tokenize else result

    # -------------------------------------------------------------------------------------------- presets and configs

    @classmethod
    def from_preset(cls: type[Self], preset: str | os.PathLike, **kwargs: Any) -> Self:
        """The tokenizer of a preset.

        Args:
            preset: a folder, `"hf://organisation/name"`, or the name of a built-in preset.
            **kwargs: `sequence_length`, `dtype`, `name`.

        Raises:
            ConfigError: the folder is of another family than this class.
            FileNotFoundError: it has no file that describes a tokenizer.
            CorruptArtifactError, ResourceLimitError, UnsafeArtifactError: a file is broken, too large, or asks for what it may not.
        """
        from hub import preset as presets
        from hub.tokenizers import loading

        folder = presets.resolve(os.fspath(preset), weights=False)
        loaded = loading.load(pathlib.Path(folder), cls)
        tokenizer = loaded.tokenizer_class._bare(**kwargs)
        tokenizer._config, tokenizer._more_special = loaded.config, loaded.more_special
        tokenizer.chat_templates, tokenizer.stop_token_ids = loaded.chat_templates, loaded.stop_token_ids
        tokenizer._attach(loaded.engine, loaded.roles)
        return tokenizer  # type: ignore[return-value]

    @classmethod
    def _bare(cls: type[Self], **kwargs: Any) -> Self:
        """An instance without a vocabulary."""
        made = cls.__new__(cls)
        made._set_options({})
        Tokenizer.__init__(made, **kwargs)
        return made

    def _set_options(self, options: dict) -> None:
        """Stores a kind's own constructor options; `_bare` calls it with none."""

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes the tokenizer into a folder, in Hugging Face's layout; `from_preset` and transformers read it."""
        from hub.tokenizers import loading

        loading.save(self, pathlib.Path(preset_dir))

    def export_to_transformers(self, path: str | os.PathLike) -> None:
        """Writes the files that transformers' `AutoTokenizer` reads."""
        self.save_to_preset(path)

    def get_config(self) -> dict[str, Any]:
        """The options as plain data. A vocabulary is not among them: it travels in a preset's files."""
        return {"name": self.name, "dtype": self.dtype, "sequence_length": self.sequence_length}

    @classmethod
    def from_config(cls: type[Self], config: Mapping[str, Any]) -> Self:
        """A tokenizer from `get_config`'s result. Paths in a config are refused: files are named by you, not by a file."""
        for key in ("vocabulary", "merges", "proto"):
            if isinstance(config.get(key), (str, os.PathLike)):
                raise UnsafeArtifactError(f"The config of {cls.__name__} names a file as its {key!r}; give the {key} itself.")
        return cls(**config)

    def __repr__(self) -> str:
        size = "no vocabulary" if self._engine is None else f"{self.vocabulary_size():,} tokens"
        return f"<{type(self).__name__}: {size}>"


def as_text(value: Any) -> str | None:
    """The text, where the value is one: a string, bytes in UTF-8, or a scalar array or tensor of them."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return as_text(value.item())
    if not isinstance(value, (list, tuple, np.ndarray)) and hasattr(value, "numpy") and getattr(value, "shape", None) == ():
        return as_text(value.numpy())  # a string tensor of TensorFlow
    return None


def as_list(value: Any) -> list:
    """The rows of what may hold texts: a list, tuple, array, table column or string tensor."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, Mapping) or isinstance(value, (int, float, np.number)) or value is None or not hasattr(value, "__iter__"):
        raise ConfigError(f"A tokenizer takes a string or a list of strings, and was given {type(value).__name__}: {str(value)[:60]!r}.")
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    rows = list(value)
    if any(isinstance(row, (int, float, np.number)) for row in rows):
        raise ConfigError("A tokenizer takes strings, and was given numbers; pass ids to `detokenize`, or arrays to the model itself.")
    return rows


def _cut_after(prompt: str, conversation: Sequence[Mapping[str, Any]]) -> str:
    """The prompt up to the end of the last message's words."""
    words = conversation[-1].get("content")
    if isinstance(words, list):
        words = next((part["text"] for part in reversed(words) if isinstance(part, Mapping) and "text" in part), None)
    place = prompt.rfind(words.strip()) if isinstance(words, str) else -1
    if not isinstance(words, str) or place < 0:
        raise ConfigError("continue_final_message needs the last message's content in the prompt, and the chat template did not write it.")
    return prompt[: place + len(words.strip())]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def dump(value: Any) -> bytes:
    """JSON as tokenizer files have it."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
