"""Chat templates: the Jinja programs that turn a list of messages into a prompt, run in a sandbox."""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.saving import ConfigError, CorruptArtifactError, ResourceLimitError, UnsafeArtifactError

MAX_TEMPLATE_CHARACTERS = 2**20
MAX_PROMPT_CHARACTERS = 2**24


def render(
    template: str,
    messages: Sequence[Mapping[str, Any]],
    *,
    add_generation_prompt: bool = False,
    tools: Sequence[Any] | None = None,
    documents: Sequence[Mapping[str, Any]] | None = None,
    **variables: Any,
) -> str:
    """The prompt that a chat template makes of messages.

    The template sees what Hugging Face documents for chat templates: `messages`, `tools`, `documents`, `add_generation_prompt`, the
    special tokens by role and further `variables`; the functions `raise_exception` and `strftime_now`; the filter `tojson`; loop controls
    and `{% generation %}` blocks.

    Raises:
        ValueError: the template refuses the messages (its own words are in the error), or they are not a list of dicts.
        CorruptArtifactError: the template is not Jinja.
        UnsafeArtifactError: it reaches for something outside the sandbox.
        ResourceLimitError: it, or what it writes, is beyond the limits.

    >>> template = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}"
    >>> render(template, [{"role": "user", "content": " Hi "}], add_generation_prompt=True)
    '<user>Hi<bot>'
    """
    import jinja2

    messages = checked_messages(messages)
    try:
        stream = compiled(template).generate(
            messages=messages, tools=tools, documents=documents, add_generation_prompt=add_generation_prompt, **variables
        )
        pieces, length = [], 0
        for piece in stream:
            length += len(piece)
            if length > MAX_PROMPT_CHARACTERS:
                raise ResourceLimitError(f"The chat template wrote more than {MAX_PROMPT_CHARACTERS:,} characters.")
            pieces.append(piece)
    except jinja2.exceptions.SecurityError as error:
        raise UnsafeArtifactError(f"The chat template asks for something outside its sandbox: {error}") from error
    except jinja2.exceptions.UndefinedError as error:
        raise ConfigError(f"The chat template uses a value that was not given: {error}. Give it as a keyword argument.") from error
    except jinja2.exceptions.TemplateError as error:
        raise ConfigError(f"The chat template refuses these messages: {error}") from error
    except OverflowError as error:
        raise ResourceLimitError(f"The chat template asks for too long a loop: {error}") from error
    except (TypeError, KeyError, AttributeError, RecursionError, ZeroDivisionError) as error:
        raise ConfigError(f"The chat template failed on these messages: {type(error).__name__}: {error}") from error
    return "".join(pieces)


def checked_messages(messages: Any) -> list[dict]:
    """The messages as a list of dicts with a role."""
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Sequence):
        raise ConfigError(
            f"messages must be a list of dicts such as {{'role': 'user', 'content': 'Hello'}}, and is {type(messages).__name__}."
        )
    for i, message in enumerate(messages):
        if not isinstance(message, Mapping) or "role" not in message:
            raise ConfigError(f"Each message must be a dict with 'role' (and 'content'); number {i} is {message!r}.")
    return [dict(message) for message in messages]


def choose(templates: Mapping[str, str], wanted: str | None, tools: Any = None) -> str:
    """The template to use: one given in full, one of the names, `tool_use` where there are tools, or `default`."""
    if wanted is not None:
        return templates.get(wanted, wanted)
    if not templates:
        raise ConfigError("This tokenizer has no chat template; give `chat_template=`, a Jinja template, or use a chat model's folder.")
    if tools and "tool_use" in templates:
        return templates["tool_use"]
    if "default" not in templates:
        raise ConfigError(f"This tokenizer has no default chat template; choose one with chat_template=: {', '.join(sorted(templates))}.")
    return templates["default"]


def parse(value: Any) -> dict[str, str]:
    """Templates by name from `chat_template` of tokenizer_config.json: a string, or a list of `{"name", "template"}`."""
    if value is None:
        return {}
    if isinstance(value, str):
        value = [{"name": "default", "template": value}]
    if isinstance(value, Mapping):
        value = [{"name": name, "template": template} for name, template in value.items()]
    found: dict[str, str] = {}
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str) or not isinstance(entry.get("template"), str):
            raise CorruptArtifactError("chat_template must be a string or a list of objects with 'name' and 'template'.")
        if not entry["name"].replace("_", "").replace("-", "").isalnum() or len(entry["name"]) > 64:
            raise UnsafeArtifactError(f"chat_template has the name {entry['name']!r}; names are letters, digits, '-' and '_'.")
        found[entry["name"]] = entry["template"]
    return found


@functools.lru_cache(maxsize=32)
def compiled(template: str) -> Any:
    """The template as a program in the sandbox."""
    import jinja2

    if len(template) > MAX_TEMPLATE_CHARACTERS:
        raise ResourceLimitError(f"The chat template has {len(template):,} characters; the limit is {MAX_TEMPLATE_CHARACTERS:,}.")
    try:
        return _environment().from_string(template)
    except jinja2.exceptions.TemplateError as error:
        raise CorruptArtifactError(f"The chat template is not valid Jinja: {error}") from error
    except RecursionError as error:
        raise ResourceLimitError("The chat template is nested too deeply.") from error


@functools.cache
def _environment() -> Any:
    import jinja2
    import jinja2.ext
    import jinja2.sandbox

    class Generation(jinja2.ext.Extension):
        """`{% generation %}...{% endgeneration %}` marks the assistant's words for training; they are written as they are."""

        tags = {"generation"}

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def tojson(value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson  # the engine's own one escapes for HTML
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda format: datetime.datetime.now().strftime(format)
    return environment
