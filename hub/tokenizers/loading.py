"""A tokenizer's folder, read and written: Hugging Face's layout, and KerasHub's to read."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.saving import ConfigError, CorruptArtifactError, replacing
from hub.tokenizers import chat, files
from hub.tokenizers.byte_pair import BytePairTokenizer, byte_pair_engine
from hub.tokenizers.engine import Engine, JsonEngine, SentencePieceEngine
from hub.tokenizers.families import KINDS, MODEL_TYPES, NAMES
from hub.tokenizers.sentence_piece import SentencePieceTokenizer
from hub.tokenizers.tokenizer import MADE_BY, Tokenizer, dump
from hub.tokenizers.word_piece import WordPieceTokenizer, word_piece_engine

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL_FILES = ("tokenizer.model", "spiece.model", "spm.model", "sentencepiece.bpe.model")
T5_EXTRA_IDS = 100


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What a folder says about its tokenizer."""

    tokenizer_class: type[Tokenizer]
    engine: Engine
    roles: dict[str, str]
    more_special: list[str]
    chat_templates: dict[str, str]
    config: dict[str, Any]
    stop_token_ids: list[int]


def load(path: pathlib.Path, wanted: type[Tokenizer] = Tokenizer) -> Loaded:
    """Reads the tokenizer of a folder. File names are ours: none that a config names is opened."""
    if not path.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path)!r} to read a tokenizer from.")
    folder = files.Folder(path)
    if folder.has("assets/tokenizer"):
        return _load_keras_hub(folder, wanted)
    config = folder.json("tokenizer_config.json")
    model_config = folder.json("config.json")
    reader = next((read for name, read in _READERS if folder.has(name)), None)
    if reader is None:
        names = ", ".join(name for name, _ in _READERS)
        raise FileNotFoundError(f"The folder {str(path)!r} has no tokenizer: none of {names} is in it.")
    cls = _class_for(wanted, model_config.get("model_type"), path)
    engine, kind = reader(folder, config, cls)
    if cls is Tokenizer:
        cls = KINDS[kind]
    stated = {**folder.json("special_tokens_map.json"), **config}
    roles, options = _roles(stated, cls)
    _add_declared_tokens(folder, engine, config)
    more = _more_special(stated)
    engine.add_tokens({token: options.get(token, {}) for token in [*roles.values(), *more]}, special=True)
    return Loaded(cls, engine, roles, more, _chat_templates(folder, config), config, _stops(folder.json("generation_config.json")))


def has_tokenizer(folder: pathlib.Path) -> bool:
    """Whether a folder has a file that describes a tokenizer."""
    return any((folder / name).exists() for name, _ in _READERS)


def save(tokenizer: Tokenizer, folder: pathlib.Path) -> None:
    """Writes a tokenizer into a folder so that `load`, and transformers, read the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = tokenizer._ready()
    written = engine.files()
    if not written:
        raise ConfigError(f"{type(tokenizer).__name__} has no vocabulary to save; make it again from its get_config().")
    config = {key: value for key, value in tokenizer._config.items() if key not in ("vocab_file", "merges_file", "tokenizer_file")}
    if "tokenizer.json" in written:
        config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")  # the class that takes the file as it is
    else:
        config.setdefault("tokenizer_class", type(tokenizer).__name__)
        config["added_tokens_decoder"] = {str(index): {"content": token} for token, index in getattr(engine, "added", {}).items()}
        frame = engine.frame()
        if frame is not None:
            config.update(add_bos_token=bool(frame[0]), add_eos_token=bool(frame[1]))
    config.update({f"{role}_token": token for role, token in tokenizer._roles.items() if role in MADE_BY})
    if tokenizer._more_special and "extra_special_tokens" not in config:
        config["additional_special_tokens"] = list(tokenizer._more_special)
    config.pop("chat_template", None)
    if set(tokenizer.chat_templates) == {"default"}:
        config["chat_template"] = tokenizer.chat_templates["default"]
    elif tokenizer.chat_templates:  # kept in one file: names out of a file never become names of files
        config["chat_template"] = [{"name": name, "template": text} for name, text in sorted(tokenizer.chat_templates.items())]
    written["tokenizer_config.json"] = dump(config)
    for name, content in written.items():
        with replacing(folder / name) as path:
            path.write_bytes(content)


# ------------------------------------------------------------------------------------------------- the layouts of the vocabulary


def _from_tokenizer_json(folder: files.Folder, config: dict, cls: type[Tokenizer]) -> tuple[Engine, str]:
    text = folder.text("tokenizer.json")
    engine = JsonEngine.from_json(text)
    return engine, type(engine.engine.model).__name__


def _from_sentence_piece(folder: files.Folder, config: dict, cls: type[Tokenizer]) -> tuple[Engine, str]:
    name = next(name for name in MODEL_FILES if folder.has(name))
    engine = SentencePieceEngine(
        folder.bytes(name), file_name=name, prefix_after_added=bool(config.get("legacy", True)) or _is_t5(cls, config)
    )
    if _is_t5(cls, config):
        declared = _declared(config)
        count = _integer(config, "extra_ids", T5_EXTRA_IDS)
        first = engine.size() + count - 1  # <extra_id_0> has the highest id
        extra = {f"<extra_id_{i}>": {"id": first - i} for i in range(count)}
        engine.add_tokens({token: options for token, options in extra.items() if token not in declared}, special=True)
    ids = {role: engine.token_to_id(token) for role, token in _roles(config, cls)[0].items()}
    before, after, between = ([ids[r] for r in roles if ids.get(r) is not None] for roles in cls.framed_by)
    begins, ends = config.get("add_bos_token", True), config.get("add_eos_token", bool(after))
    if ends and not after and ids.get("eos") is not None:
        after = [ids["eos"]]
    kept = begins if before else ends  # what stands between a pair is what begins its second, or what ends its first
    engine.set_frame(before if begins else [], after if ends else [], between if kept else [])  # type: ignore[arg-type]
    return engine, "Unigram"


def _from_vocabulary_and_merges(folder: files.Folder, config: dict, cls: type[Tokenizer]) -> tuple[Engine, str]:
    if not folder.has("merges.txt"):
        raise FileNotFoundError(f"The folder {str(folder.path)!r} has vocab.json without merges.txt; byte-pair encoding needs both.")
    kind = cls if issubclass(cls, BytePairTokenizer) else BytePairTokenizer
    engine = byte_pair_engine(
        files.vocabulary_dict(folder.json("vocab.json")),
        files.merge_pairs(files.merge_lines(folder.text("merges.txt"))),
        add_prefix_space=bool(config.get("add_prefix_space", False)),
        split_pattern=kind.split_pattern,
        normal_form=kind.normal_form,
        ignores_merges=kind.ignores_merges,
    )
    _frame_like(engine, config, cls)
    return engine, "BPE"


def _from_word_list(folder: files.Folder, config: dict, cls: type[Tokenizer]) -> tuple[Engine, str]:
    unknown = _content(config.get("unk_token")) or "[UNK]"
    tokens = files.vocabulary_list(files.lines_of(folder.text("vocab.txt")))
    if unknown not in tokens:
        raise CorruptArtifactError(f"vocab.txt must hold the unknown token {unknown!r}, and does not.")
    engine = word_piece_engine(
        tokens,
        lowercase=bool(config.get("do_lower_case", True)),
        strip_accents=config.get("strip_accents"),
        split_on_cjk=bool(config.get("tokenize_chinese_chars", True)),
        oov_token=unknown,
    )
    _frame_like(engine, config, cls)
    return engine, "WordPiece"


_READERS: tuple[tuple[str, Callable[[files.Folder, dict, type[Tokenizer]], tuple[Engine, str]]], ...] = (
    ("tokenizer.json", _from_tokenizer_json),
    *((name, _from_sentence_piece) for name in MODEL_FILES),
    ("vocab.json", _from_vocabulary_and_merges),
    ("vocab.txt", _from_word_list),
)


def _frame_like(engine: JsonEngine, config: dict, cls: type[Tokenizer]) -> None:
    """Frames sequences as the family does; a bare vocabulary does not say."""
    ids = {role: engine.token_to_id(token) for role, token in _roles(config, cls)[0].items()}
    engine.set_frame(*([ids[role] for role in roles if ids.get(role) is not None] for roles in cls.framed_by))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- special tokens


def _roles(stated: Mapping[str, Any], cls: type[Tokenizer]) -> tuple[dict[str, str], dict[str, dict]]:
    """The special tokens by role, and the options that the files give for them by token."""
    roles, options = dict(cls.special), {}
    for role in sorted(MADE_BY):
        key = f"{role}_token"
        if key not in stated:
            continue
        token = _content(stated[key])
        if token is None:
            roles.pop(role, None)
            continue
        roles[role] = token
        if isinstance(stated[key], dict):
            options[token] = stated[key]
    return roles, options


def _more_special(stated: Mapping[str, Any]) -> list[str]:
    found = []
    for key in ("additional_special_tokens", "extra_special_tokens"):
        value = stated.get(key) or ()
        tokens = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        found += [token for token in map(_content, tokens) if token]
    return list(dict.fromkeys(found))


def _content(token: Any) -> str | None:
    """The text of a special token, which files give as a string or as an object with `content`."""
    if isinstance(token, dict):
        token = token.get("content")
    if token is not None and not isinstance(token, str):
        raise CorruptArtifactError(f"A special token must be a string or an object with 'content', and is {token!r}.")
    return token or None


def _declared(config: Mapping[str, Any]) -> dict[str, dict]:
    """`added_tokens_decoder` of tokenizer_config.json as options by token."""
    found = {}
    for index, options in (config.get("added_tokens_decoder") or {}).items():
        if not str(index).isdigit() or not isinstance(options, dict) or not _content(options):
            raise CorruptArtifactError(f"tokenizer_config.json: added_tokens_decoder has the entry {index!r}: {options!r}.")
        found[str(_content(options))] = {**options, "id": int(index)}
    return found


def _add_declared_tokens(folder: files.Folder, engine: Engine, config: dict) -> None:
    """Adds the tokens that added_tokens.json and tokenizer_config.json know beyond the vocabulary, in the order of their ids."""
    declared = {token: {"id": index} for token, index in folder.json("added_tokens.json").items()}
    declared.update(_declared(config))
    ordered = sorted(declared.items(), key=lambda item: item[1]["id"] if isinstance(item[1]["id"], int) else -1)
    for token, options in ordered:
        engine.add_tokens({token: options}, special=bool(options.get("special", False)))
        if engine.token_to_id(token) != options["id"]:
            raise ConfigError(
                f"The token {token!r} should have the id {options['id']!r} and would get {engine.token_to_id(token)}: "
                "the vocabulary and the added tokens of this folder do not belong together."
            )


def _chat_templates(folder: files.Folder, config: dict) -> dict[str, str]:
    """The templates of tokenizer_config.json, of chat_template.jinja and of the folder additional_chat_templates."""
    found = chat.parse(config.get("chat_template"))
    found.update(chat.parse(folder.json("chat_template.json").get("chat_template")))
    if folder.has("chat_template.jinja"):
        found["default"] = folder.text("chat_template.jinja", chat.MAX_TEMPLATE_CHARACTERS)
    more = folder.path / "additional_chat_templates"
    for path in sorted(more.glob("*.jinja")) if more.is_dir() else ():
        found.update(chat.parse({path.stem: folder.text(f"{more.name}/{path.name}", chat.MAX_TEMPLATE_CHARACTERS)}))
    return found


def _stops(generation: Mapping[str, Any]) -> list[int]:
    """The ids that end what is generated, of generation_config.json."""
    stated = generation.get("eos_token_id")
    ids = stated if isinstance(stated, list) else [] if stated is None else [stated]
    if any(isinstance(index, bool) or not isinstance(index, int) for index in ids):
        raise CorruptArtifactError(f"generation_config.json: eos_token_id must be an id or a list of ids, and is {stated!r}.")
    return ids


def _is_t5(cls: type[Tokenizer], config: Mapping[str, Any]) -> bool:
    return cls.__name__ == "T5Tokenizer" or str(config.get("tokenizer_class", "")).startswith("T5Tokenizer")


def _integer(config: Mapping[str, Any], key: str, default: int) -> int:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= files.MAX_TOKENS:
        raise ConfigError(f"tokenizer_config.json: {key} must be an integer of at least 0, and is {value!r}.")
    return value


def _class_for(wanted: type[Tokenizer], model_type: Any, folder: pathlib.Path) -> type[Tokenizer]:
    """The class to make: the caller's where it fits the family of the folder, the family's own for a general one."""
    fitting = MODEL_TYPES.get(model_type, ()) if isinstance(model_type, str) else ()
    general = wanted in (Tokenizer, WordPieceTokenizer, BytePairTokenizer, SentencePieceTokenizer)
    if general or not fitting:
        return fitting[0] if fitting else wanted
    if any(issubclass(wanted, cls) for cls in fitting):
        return wanted
    names = " or ".join(cls.__name__ for cls in fitting)
    raise ConfigError(f"{str(folder)!r} holds a model of type {model_type!r}; use {names}.from_preset, not {wanted.__name__}.from_preset.")


# ------------------------------------------------------------------------------------------------- KerasHub's layout


def _load_keras_hub(folder: files.Folder, wanted: type[Tokenizer]) -> Loaded:
    """A preset that KerasHub saved: tokenizer.json is a Keras config, the vocabulary lies in assets/tokenizer."""
    stated = folder.json("tokenizer.json")
    options = stated.get("config")
    name = stated.get("class_name")
    if not isinstance(options, dict) or not isinstance(name, str):
        raise CorruptArtifactError("tokenizer.json must hold 'class_name' and 'config', as KerasHub writes it.")
    cls = NAMES.get(name)
    if cls is None:
        raise ConfigError(f"tokenizer.json is of class {name!r}; tokenizers that can be read are {', '.join(sorted(NAMES))}.")
    if wanted is not Tokenizer and not issubclass(cls, wanted):
        raise ConfigError(f"{str(folder.path)!r} holds a {name}; use {name}.from_preset, not {wanted.__name__}.from_preset.")
    assets = "assets/tokenizer"
    # Only options that are plain data of ours; names of files in a config are never opened.
    taken = {
        key: options[key]
        for key in (
            "lowercase", "strip_accents", "split", "suffix_indicator", "oov_token", "special_tokens", "special_tokens_in_strings",
            "add_prefix_space", "unsplittable_tokens", "add_bos", "add_eos",
        )
        if options.get(key) is not None
    }  # fmt: skip
    made: Tokenizer
    if issubclass(cls, WordPieceTokenizer):
        made = cls(vocabulary=files.lines_of(folder.text(f"{assets}/vocabulary.txt")), **taken)
    elif issubclass(cls, BytePairTokenizer):
        merges = files.merge_lines(folder.text(f"{assets}/merges.txt"))
        made = cls(vocabulary=folder.json(f"{assets}/vocabulary.json"), merges=merges, **taken)
    else:
        made = cls(proto=folder.bytes(f"{assets}/vocabulary.spm"), **taken)
    return Loaded(cls, made._ready(), dict(made._roles), list(made._more_special), {}, {}, [])
