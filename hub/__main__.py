"""The command line: `python -m hub generate PRESET "prompt"`, `python -m hub chat PRESET`, `python -m hub list`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m hub", description="Writes text with a pretrained model.")
    commands = top.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="continue a prompt", description="Continues a prompt; without one, each line of stdin.")
    generate.add_argument("preset", help='a built-in name ("tiny"), a folder, or "hf://organization/name"')
    generate.add_argument("prompt", nargs="?", help="text to continue")
    chat = commands.add_parser("chat", help="talk to a model", description="Answers line by line; an empty line or end of input ends it.")
    chat.add_argument("preset", help='a built-in name ("tiny"), a folder, or "hf://organization/name"')
    for command in (generate, chat):
        command.add_argument("--max-new-tokens", type=int, default=64, metavar="N", help="at most so many new tokens (64)")
        command.add_argument("--sampler", choices=("greedy", "random", "top_k", "top_p", "beam", "contrastive"), default="top_p")
        command.add_argument("--temperature", type=float, default=None, help="of the samplers that draw (0.7)")
        command.add_argument("--seed", type=int, default=None, help="for draws that can be repeated")
        command.add_argument("--backend", choices=("jax", "torch", "tensorflow", "numpy"), default=None)
    commands.add_parser("list", help="list the built-in presets")
    return top


def sampler_of(options: argparse.Namespace) -> Any:
    """The sampler that the options ask for."""
    from hub import samplers

    temperature = {} if options.temperature is None else {"temperature": options.temperature}
    drawing = {"seed": options.seed, "temperature": 0.7, **temperature}
    made = {
        "greedy": lambda: samplers.GreedySampler(**temperature),
        "random": lambda: samplers.RandomSampler(**drawing),
        "top_k": lambda: samplers.TopKSampler(k=20, **drawing),
        "top_p": lambda: samplers.TopPSampler(p=0.9, k=100, **drawing),
        "beam": lambda: samplers.BeamSampler(4, **temperature),
        "contrastive": lambda: samplers.ContrastiveSampler(**temperature),
    }
    return made[options.sampler]()


def prompt_ids(model: Any, prompt: str) -> list[int]:
    """The ids of a prompt, start token included."""
    arrays = model.preprocessor.generate_preprocess([prompt], sequence_length=len(prompt.encode()) + 16)  # no token is less than a byte
    return arrays["token_ids"][0][arrays["padding_mask"][0].astype(bool)].tolist()


def written(model: Any, ids: Sequence[int], count: int, sampler: Any) -> Iterator[str]:
    """The new text after a prompt of ids, piece by piece. Where the model knows too few positions the prompt's beginning is left out."""
    from hub.generation import Pieces

    known = model.most_positions
    if known is not None:
        count = min(count, known - 1)
        ids = ids[-(known - count) :]
    arguments: dict[str, Any] = {"max_length": len(ids) + count, "sampler": sampler}
    if sampler.streams:
        yield from (piece for (piece,) in model.generate([ids], **arguments, stream=True))
    else:
        yield Pieces(model.decoded, ids).upto(model.generate([ids], **arguments)[0], last=True)


def generate(model: Any, options: argparse.Namespace) -> None:
    """Continues the prompt, or each line of the standard input; an encoder-decoder answers it."""
    from hub.models import Seq2SeqLM

    prompts = [options.prompt] if options.prompt is not None else (line.rstrip("\n") for line in sys.stdin)
    sampler = sampler_of(options)
    for prompt in prompts:
        if isinstance(model, Seq2SeqLM):
            print(model.generate(prompt, max_length=options.max_new_tokens, sampler=sampler))
            continue
        print(prompt, end="", flush=True)
        for piece in written(model, prompt_ids(model, prompt), options.max_new_tokens, sampler):
            print(piece, end="", flush=True)
        print()


def chat(model: Any, options: argparse.Namespace) -> None:
    """Answers line by line, with all that was said before in view."""
    tokenizer, sampler = model.preprocessor.tokenizer, sampler_of(options)
    if not tokenizer.chat_template:
        raise SystemExit(f"The preset {options.preset!r} has no chat template; use: python -m hub generate {options.preset}")
    shown = sys.stdin.isatty()
    messages: list[dict[str, str]] = []
    while True:
        try:
            line = input("you: " if shown else "")
        except EOFError:
            break
        if not line.strip():
            if shown:
                break
            continue
        messages.append({"role": "user", "content": line})
        ids = np.asarray(tokenizer.apply_chat_template(messages, add_generation_prompt=True)).tolist()
        answer = ""
        for piece in written(model, ids, options.max_new_tokens, sampler):
            answer += piece
            print(piece, end="", flush=True)
        print()
        messages.append({"role": "assistant", "content": answer.strip()})


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    options = parser().parse_args(arguments)
    from hub import load, preset

    if options.command == "list":
        print("\n".join(preset.names()))
        return
    if options.backend is not None:
        import core

        core.config.set_backend(options.backend)
    try:
        model = load(options.preset)
        if model.preprocessor is None:
            raise SystemExit(f"The preset {options.preset!r} has no tokenizer.")
        {"generate": generate, "chat": chat}[options.command](model, options)
    except (FileNotFoundError, ValueError) as error:  # what was asked for cannot be done; the message says why
        raise SystemExit(f"{type(error).__name__}: {error}") from None
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
