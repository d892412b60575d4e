"""Downloads: presets named hf://, from a hub on loopback, through huggingface_hub itself."""

import os
import pathlib
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hub_server import serve

import core
import hub

pytest.importorskip("huggingface_hub")
PRESET = pathlib.Path(hub.preset.BUILT_IN) / "tiny"
PROMPT = "def "


@pytest.fixture
def server():
    with serve() as running:
        yield running


def files(**more):
    """The built-in preset as a repository, among files that no loader may want."""
    found = {str(path.relative_to(PRESET)): path.read_bytes() for path in sorted(PRESET.rglob("*")) if path.is_file()}
    return {**found, "pytorch_model.bin": b"pickle", "onnx/model.onnx": b"another tool's", "README.md": b"# Tiny", **more}


def run(server, cache, script):
    """Standard output of a script in a new process, in which `hf` is the hub of the test."""
    environment = {
        **os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(cache), "HF_HUB_CACHE": str(cache / "hub"), "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
    }  # fmt: skip
    begin = "import core, hub, numpy as np\ncore.config.set_backend('numpy')\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(script)], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def logits():
    """What the built-in preset computes for the prompt."""
    with core.backend.use("numpy"):
        model = hub.models.CausalLM.from_preset("tiny")
        return np.asarray(model.backbone({"token_ids": np.array([model.preprocessor.tokenizer.tokenize(PROMPT)], "int32")}))


LOAD = f"""
    model = hub.models.CausalLM.from_preset("hf://someone/tiny")
    ids = np.array([model.preprocessor.tokenizer.tokenize({PROMPT!r})], "int32")
    np.save("{{}}", np.asarray(model.backbone({{{{"token_ids": ids}}}})))
"""


def test_a_preset_is_fetched_once_and_is_the_same(server, tmp_path):
    server.repositories["someone/tiny"] = {"main": files()}
    run(server, tmp_path, LOAD.format(tmp_path / "found.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), logits())
    fetched = server.fetched()
    assert sorted(fetched) == sorted(set(fetched)), "a file was fetched twice"
    assert "model.safetensors" in fetched and not {"pytorch_model.bin", "onnx/model.onnx", "README.md"} & set(fetched)
    server.log.clear()
    run(server, tmp_path, LOAD.format(tmp_path / "again.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "again.npy"), logits())
    assert server.fetched() == [], "the cache holds all of it"


def test_a_tokenizer_fetches_no_weights(server, tmp_path):
    server.repositories["someone/tiny"] = {"main": files()}
    script = f'print([int(i) for i in hub.tokenizers.Tokenizer.from_preset("hf://someone/tiny").tokenize({PROMPT!r})])'
    expected = list(hub.tokenizers.Tokenizer.from_preset("tiny").tokenize(PROMPT))
    assert run(server, tmp_path, script) == str([int(i) for i in expected])
    assert "tokenizer.json" in server.fetched() and "model.safetensors" not in server.fetched()


def test_a_broken_connection_is_taken_up_where_it_ended(server, tmp_path):
    weights = files()["model.safetensors"]
    server.repositories["someone/tiny"] = {"main": files()}
    server.cut["model.safetensors"] = len(weights) // 2
    run(server, tmp_path, LOAD.format(tmp_path / "found.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), logits())
    assert server.fetched().count("model.safetensors") == 2


def test_a_revision_is_that_revision(server, tmp_path):
    changed = files(**{"chat_template.jinja": b"{{ 'second' }}"})
    server.repositories["someone/tiny"] = {"main": files(**{"chat_template.jinja": b"{{ 'first' }}"}), "v2": changed}
    script = """
        for name in ("hf://someone/tiny", "hf://someone/tiny@v2"):
            print((hub.preset.resolve(name, weights=False) / "chat_template.jinja").read_text())
    """
    assert run(server, tmp_path, script).split("\n") == ["{{ 'first' }}", "{{ 'second' }}"]


def test_what_cannot_be_fetched_says_why(server, tmp_path):
    server.repositories["someone/tiny"] = {"main": files()}
    server.repositories["someone/gated"] = {"main": files()}
    server.closed.add("someone/gated")
    script = """
        for name in ("hf://someone/else", "hf://someone/tiny@v9", "hf://someone/gated"):
            try:
                hub.models.Backbone.from_preset(name)
            except FileNotFoundError as error:
                print(error)
            else:
                raise AssertionError(name)
    """
    absent, revision, gated = run(server, tmp_path, script).split("\n")
    for line, name in ((absent, "someone/else"), (revision, "someone/tiny@v9"), (gated, "someone/gated")):
        assert name in line and "could not be fetched" in line and "Check the name and the connection" in line
    assert server.fetched() == []


def test_a_repository_of_pickles_is_refused_before_they_are_fetched(server, tmp_path):
    held = {path: content for path, content in files().items() if not path.endswith(".safetensors")}
    server.repositories["someone/pickled"] = {"main": held}
    script = """
        try:
            hub.models.Backbone.from_preset("hf://someone/pickled")
        except FileNotFoundError as error:
            print(error)
    """
    said = run(server, tmp_path, script)
    assert "someone/pickled" in said and "pickle" in said and "safetensors" in said
    assert "pytorch_model.bin" not in server.fetched()
