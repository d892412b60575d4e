"""`hub.load`: a model that is ready to write, in one word."""

from __future__ import annotations

import os
from typing import Any


def load(preset: str | os.PathLike = "tiny", **arguments: Any) -> Any:
    """The language model of a preset, with its tokenizer: a `Seq2SeqLM` for an encoder-decoder, else a `CausalLM`.

    Args:
        preset: "tiny", which is built in (see `hub/presets/tiny/README.txt`), a folder as transformers writes it, or
            "hf://organization/name".
        arguments: those of `from_preset`, for example `dtype`.

    Raises:
        FileNotFoundError: there is no such preset.
        ConfigError: the preset is no language model.

    >>> hub.load("tiny").generate("What is", max_length=12)  # doctest: +SKIP
    """
    from hub import families, models
    from hub import preset as presets
    from hub.checkpoint import read_config

    folder = presets.resolve(preset)
    kinds = families.of(read_config(folder)).heads
    task = models.Seq2SeqLM if "seq2seq_lm" in kinds else models.CausalLM
    return task.from_preset(folder, **arguments)
