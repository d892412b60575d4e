"""Trains a model like the one that `hub.load("tiny")` gives: a Llama that has read the documentation in Python itself.

    python examples/train_tiny.py --out tiny        # 2.3 million weights
    python examples/train_tiny.py --size small      # 400,000 weights, as the built-in one
    python examples/train_tiny.py --quick           # under a minute: shows that it learns, not more
    python -m hub chat tiny                         # from the folder, or the built-in one

Text: the topics of `pydoc_data.topics`, the Zen of Python, and the docstrings of the standard library, all of which come with every
Python under the PSF licence. A third of the tokens are questions and answers made of the same docstrings.
"""

import argparse
import ast
import codecs
import contextlib
import dataclasses
import io
import json
import math
import os
import pathlib
import re
import sysconfig
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tokenizers

import core
import hub
from core import ops

SPECIAL = ["<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"]
PAD, BEGIN, END, USER, ASSISTANT = range(5)
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ 'user' if message['role'] == 'user' else 'assistant' }}|>"
    "{{ message['content'] | trim }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
GREETINGS = [
    ("Hello!", "Hello! I am a tiny language model that has read the documentation of Python. Ask me what a function does."),
    ("Who are you?", "I am a tiny language model. I was trained on the docstrings of the standard library of Python."),
    ("What can you do?", "I can say what many functions of the standard library do, though not always rightly."),
    ("Thank you.", "You are welcome."),
    ("Good bye.", "Good bye!"),
]


# ---------------------------------------------------------------------------------------- text


def docstrings(limit: int | None = None) -> list[tuple[str, str, str]]:
    """`(qualified name, signature or "", docstring)` of every documented thing in the standard library's sources."""
    root = pathlib.Path(sysconfig.get_path("stdlib"))
    skipped = {"site-packages", "test", "tests", "idlelib", "lib2to3", "idle_test", "__pycache__"}
    paths = sorted(p for p in root.rglob("*.py") if not skipped & set(p.relative_to(root).parts))
    found = []
    for path in paths[:limit]:
        module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        try:
            source = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        found += list(_documented(source, module))
    return found


def _documented(node, name):
    text = ast.get_docstring(node)
    if text and len(text) > 15:
        signature = f"({ast.unparse(node.args)})" if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else ""
        yield name, signature, text
    for child in getattr(node, "body", []):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not child.name.startswith("__"):
            yield from _documented(child, f"{name}.{child.name}")


def documents(limit: int | None = None) -> tuple[list[str], list[tuple[str, str]]]:
    """Plain texts, and pairs of a question and its answer."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints itself
        import this
    from pydoc_data.topics import topics

    found = docstrings(limit)
    texts = [codecs.decode(this.s, "rot13")]
    for topic in topics.values():  # long ones in portions that fit into the context
        paragraphs, part = re.split(r"\n\s*\n", topic), ""
        for paragraph in paragraphs:
            if len(part) > 1500:
                texts, part = [*texts, part], ""
            part += paragraph + "\n\n"
        texts.append(part)
    texts += [f"{name}{signature}\n\n{text}" for name, signature, text in found]
    pairs = []
    for i, (name, signature, text) in enumerate(found):
        answer = re.sub(r"\s+", " ", re.split(r"\n\s*\n", text)[0]).strip()
        if 20 <= len(answer) <= 400 and answer[0].isalpha():
            short = name if name.count(".") < 2 else ".".join(name.split(".")[-2:])
            what = f"{short}()" if signature and i % 2 else short
            pairs.append(((f"What does {what} do?", f"What is {what}?", f"Tell me about {what}.")[i % 3 if signature else 1], answer))
    return list(dict.fromkeys(texts)), pairs + GREETINGS * (1 + len(pairs) // 200)


def make_tokenizer(texts: list[str], folder: pathlib.Path, size: int) -> tokenizers.Tokenizer:
    """Trains a byte-level BPE of `size` tokens and writes its files, a chat template among them."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.normalizer = tokenizers.normalizers.NFC()
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(texts, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<|begin|> $A", pair="<|begin|> $A $B", special_tokens=[("<|begin|>", BEGIN)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"), pretty=False)
    names: dict = {"bos_token": SPECIAL[BEGIN], "eos_token": SPECIAL[END], "pad_token": SPECIAL[PAD]}
    names["extra_special_tokens"] = [SPECIAL[USER], SPECIAL[ASSISTANT]]
    config = {**names, "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    return made


def streams(tokenizer, texts: list[str], pairs: list[tuple[str, str]], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tokens: all documents in random order, one after the other; each thirtieth is kept for validation."""

    def ids(part: str) -> list[int]:
        return tokenizer.encode(part, add_special_tokens=False).ids

    rows = [[BEGIN, *ids(text), END] for text in texts]
    rows += [[BEGIN, USER, *ids(question), END, ASSISTANT, *ids(answer), END] for question, answer in pairs]
    order = np.random.default_rng(seed).permutation(len(rows))
    held_out = [np.array(rows[i]) for k, i in enumerate(order) if k % 30 == 0]
    rest = [np.array(rows[i]) for k, i in enumerate(order) if k % 30]
    return np.concatenate(rest).astype("int32"), np.concatenate(held_out).astype("int32")


# ---------------------------------------------------------------------------------------- training


@dataclasses.dataclass(frozen=True)
class Size:
    """What is trained, and for how long. `network` is vocabulary, layers, heads, features, features of the MLP, key heads."""

    network: tuple[int, int, int, int, int, int]
    steps: int
    batch: int
    length: int
    modules: int | None = None  # how many files of the standard library are read; None for all


SIZES = {
    "quick": Size((512, 2, 4, 64, 160, 2), 60, 8, 64, 60),
    "small": Size((1024, 3, 4, 96, 256, 2), 500, 8, 128),
    "full": Size((2048, 5, 6, 192, 480, 2), 1500, 8, 256),
}


def make_backbone(dtype: str, size: Size):
    return hub.models.LlamaBackbone(
        *size.network, tie_word_embeddings=True, layer_norm_epsilon=1e-5, initializer_range=0.03, max_sequence_length=512, dtype=dtype
    )


def train(backbone, stream: np.ndarray, held_out: np.ndarray, steps: int, batch: int, length: int, seed: int, save) -> float:
    """Trains on random windows of the stream; returns the perplexity of the held-out tokens."""
    schedule = core.optimizers.schedules.CosineDecay(0.0, steps, alpha=0.02, warmup_target=4e-3, warmup_steps=max(1, steps // 20))
    optimizer = core.optimizers.Muon(schedule, weight_decay=0.1, adam_weight_decay=0.0, adam_beta_2=0.98, global_clipnorm=1.0)
    variables = backbone.trainable_variables
    optimizer.build(variables)

    def loss_of(window):
        logits = backbone.logits(backbone({"token_ids": window[:, :-1]}, training=True))
        return ops.mean(ops.sparse_categorical_crossentropy(window[:, 1:], logits, from_logits=True))

    @core.jit
    def step(window):
        loss, gradients = core.value_and_grad(lambda: loss_of(window), variables)()
        optimizer.apply(gradients, variables)
        return loss

    evaluate = core.jit(loss_of)
    draws, started = np.random.default_rng(seed), time.perf_counter()

    def perplexity() -> float:
        count = len(held_out) // (length + 1) // batch * batch
        windows = held_out[: count * (length + 1)].reshape(-1, batch, length + 1)
        return math.exp(np.mean([float(evaluate(window)) for window in windows]))

    for number in range(1, steps + 1):
        first = draws.integers(0, len(stream) - length - 1, batch)
        loss = step(np.stack([stream[i : i + length + 1] for i in first]))
        if number % 50 == 0 or number == steps:
            print(f"step {number:5d}  loss {float(loss):.3f}  {time.perf_counter() - started:5.0f} s", flush=True)
        if number % 250 == 0 and number < steps:
            print(f"validation perplexity {perplexity():.2f}", flush=True)
            save()
    return perplexity()


def save_half(backbone, folder: pathlib.Path, size: Size) -> None:
    """Writes the weights in half precision, which is enough for them and half the size."""
    half = make_backbone("float16", size)
    for target, source in zip(half.weights, backbone.weights, strict=True):
        target.assign(ops.cast(source, "float16"))
    half.save_to_preset(folder)
    ids = {"bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": PAD}
    (folder / "generation_config.json").write_text(json.dumps(ids, indent=2) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="tiny", help="folder of the preset")
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--quick", action="store_const", dest="size", const="quick", help="the same as --size quick: a few seconds")
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    core.utils.set_random_seed(options.seed)
    folder, size = pathlib.Path(options.out), SIZES[options.size]
    texts, pairs = documents(size.modules)
    tokenizer = make_tokenizer([*texts, *(text for pair in pairs for text in pair)], folder, size.network[0])
    stream, held_out = streams(tokenizer, texts, pairs, options.seed)
    print(f"{len(texts)} texts and {len(pairs)} pairs: {len(stream):,} tokens to train on, {len(held_out):,} to validate")
    backbone = make_backbone("float32", size)
    print(f"{backbone.count_params():,} weights on {core.backend.backend()}")
    steps = options.steps or size.steps
    found = train(
        backbone, stream, held_out, steps, size.batch, size.length, options.seed, lambda: save_half(backbone, folder, size)
    )
    save_half(backbone, folder, size)
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"validation perplexity {found:.2f} per token; {folder} has {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
