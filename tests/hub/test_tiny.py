"""The built-in model, from its folder to the command line."""

import io
import math
import pathlib

import numpy as np
import pytest

import core
import hub
from core import ops
from hub.__main__ import main, parser, sampler_of

FOLDER = pathlib.Path(hub.__file__).parent / "presets" / "tiny"


@pytest.fixture(scope="module")
def model():
    with core.backend.use("torch"):
        yield hub.load("tiny")


def test_the_preset_is_small_and_knows_more_than_letters(model):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5e6
    text = "Return True if the object is an instance of the class or of a subclass thereof, and False otherwise."
    with core.backend.use("torch"):
        ids = np.array([model.preprocessor.tokenizer(text)])[:, :512].astype("int32")
        loss = losses(model, ids)
        shuffled = losses(model, np.random.default_rng(0).permutation(ids[0])[None])
    assert loss < math.log(model.backbone.config.vocabulary_size) - 2.5 and loss < shuffled - 1.5


def losses(model, ids):
    logits = ops.convert_to_numpy(model({"token_ids": ids, "padding_mask": np.ones_like(ids)}))[0, :-1].astype("float64")
    logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
    return -logits[np.arange(len(logits)), ids[0, 1:]].mean()


def test_text_goes_in_and_comes_out(model):
    with core.backend.use("torch"):
        text = model.generate("Return the", max_length=16, sampler="greedy")
        assert text.startswith("Return the") and len(text) > 12
        assert text == "Return the" + model.generate("Return the", max_length=16, sampler="greedy", strip_prompt=True)
        several = model.generate(["Return the", "A"], max_length=16, sampler="greedy")
        assert several[0] == text and len(several) == 2
        assert len(model.generate(["Return the"], max_length=12, sampler="beam", num_return_sequences=2)) == 2
        with pytest.raises(ValueError, match="leaves no room"):
            model.generate("Return the value of the given key", max_length=4)


def test_a_stream_adds_up_to_the_text(model):
    with core.backend.use("torch"):
        whole = model.generate("Open the", max_length=24, sampler="greedy")
        assert "Open the" + "".join(model.generate("Open the", max_length=24, sampler="greedy", stream=True)) == whole
        rows = ["", ""]
        for pieces in model.generate(["Open the", "Close"], max_length=24, sampler="greedy", stream=True):
            rows = [row + piece for row, piece in zip(rows, pieces)]
        assert "Open the" + rows[0] == whole
        with pytest.raises(ValueError, match="cannot stream"):
            model.generate("Open", max_length=24, sampler="beam", stream=True)


def test_a_stop_token_ends_a_row(model):
    with core.backend.use("torch"):
        text = model.generate("Return the", max_length=30, sampler="greedy", stop_token_ids=None, strip_prompt=True)
        arrays = model.preprocessor.generate_preprocess(["Return the"], sequence_length=30)
        ids = model.generate(arrays, sampler="greedy", stop_token_ids=None)["token_ids"][0]
        stop = int(ids[arrays["padding_mask"].sum() + 3])
        cut = model.generate("Return the", max_length=30, sampler="greedy", stop_token_ids=[stop, 2047], strip_prompt=True)
        assert text.startswith(cut) and len(cut) < len(text)


def test_the_command_line(monkeypatch, capsys):
    with core.backend.use("torch"):
        main(["generate", "tiny", "Return the", "--max-new-tokens", "8", "--sampler", "greedy"])
        once = capsys.readouterr().out
        assert once.startswith("Return the") and once.endswith("\n")
        monkeypatch.setattr("sys.stdin", io.StringIO("Return the\nOpen\n"))
        main(["generate", "tiny", "--max-new-tokens", "8", "--sampler", "greedy"])
        assert capsys.readouterr().out.startswith(once + "Open")
        monkeypatch.setattr("sys.stdin", io.StringIO("Hello!\n\nWhat is a list?\n"))
        main(["chat", "tiny", "--max-new-tokens", "12", "--seed", "1"])
        first = capsys.readouterr().out
        assert len(first.strip().split("\n")) >= 1 and "<|" not in first
        monkeypatch.setattr("sys.stdin", io.StringIO("Hello!\n\nWhat is a list?\n"))
        main(["chat", "tiny", "--max-new-tokens", "12", "--seed", "1"])
        assert capsys.readouterr().out == first
        main(["list"])
        assert "tiny" in capsys.readouterr().out
        with pytest.raises(SystemExit, match="no preset of that name"):
            main(["chat", "tinny"])


@pytest.mark.parametrize("name", ["greedy", "random", "top_k", "top_p", "beam", "contrastive"])
def test_options_make_samplers(name):
    options = parser().parse_args(["generate", "tiny", "x", "--sampler", name, "--temperature", "0.5"])
    assert sampler_of(options).temperature == 0.5
