"""Where presets are: a folder, the Hugging Face hub, or built in."""

from __future__ import annotations

import os
import pathlib
from typing import Any

BUILT_IN = pathlib.Path(__file__).parent / "presets"
_SCHEMES = ("hf://", "hf:")
# What a preset may consist of. Patterns match the whole path in the repository, so that folders for other tools are left alone.
_FILES = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "chat_template.jinja", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model",
    "spm.model", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json",
    "chat_template.json", "additional_chat_templates/*.jinja", "preprocessor.json", "task.json",
]  # fmt: skip
_WEIGHTS = ["model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"]


def resolve(preset: str | os.PathLike, *, weights: bool = True) -> pathlib.Path:
    """The folder of a preset.

    Args:
        preset: a folder, `"hf://organization/name"` or `"hf://organization/name@revision"`, or the name of a built-in preset.
        weights: whether weights are needed as well; nothing large is fetched otherwise.

    Raises:
        FileNotFoundError: there is no such folder, preset or repository, or it cannot be reached.
        ModuleNotFoundError: an `hf://` preset where huggingface_hub is not installed.

    >>> resolve("no such preset")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    FileNotFoundError: ...
    """
    if isinstance(preset, str):
        for scheme in _SCHEMES:
            if preset.startswith(scheme):
                return _fetched(preset.removeprefix(scheme), weights)
    folder = pathlib.Path(preset).expanduser()
    if folder.is_dir():
        return folder
    built_in = names()
    if str(preset) in built_in:
        return BUILT_IN / str(preset)
    listed = f" Built in are {', '.join(built_in)}." if built_in else ""
    raise FileNotFoundError(
        f"There is no folder {str(preset)!r}, and no preset of that name.{listed} Models on the Hugging Face hub are named "
        f'"hf://organization/name".'
    )


def names() -> list[str]:
    """The built-in presets."""
    return sorted(path.parent.name for path in BUILT_IN.glob("*/config.json"))


def _fetched(name: str, weights: bool) -> pathlib.Path:
    """The folder of a repository in huggingface_hub's cache, after fetching what is missing.

    One call fetches all files, so that all are of one commit even where the repository changes meanwhile.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"'hf://{name}' needs huggingface_hub: pip install 'hornbeam[hub]'.") from None
    repository, _, revision = name.partition("@")
    known: tuple[Any, ...] = (errors.HfHubHTTPError, errors.HFValidationError, errors.LocalEntryNotFoundError, OSError)
    try:
        folder = huggingface_hub.snapshot_download(
            repository, revision=revision or None, allow_patterns=[*_FILES, *(_WEIGHTS if weights else [])]
        )
    except known as error:
        reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
        raise FileNotFoundError(
            f"'hf://{name}' could not be fetched: {reason} Check the name and the connection, or give a folder that has its files."
        ) from None
    found = pathlib.Path(folder)
    if weights and not any(found.glob("model*.safetensors*")):
        raise FileNotFoundError(
            f"'hf://{name}' has no model.safetensors. Weights in pickle files (pytorch_model.bin) can run code when they are read, so they "
            "are not fetched: use one with safetensors ('hf://organization/name@revision'), or save the model with `save_pretrained`."
        )
    return found
