"""Files: read strictly, accounted for exactly, and changed only as a whole."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import textwrap

import ml_dtypes
import numpy as np
import pytest

import core
import hub
from core.saving import ConfigError, CorruptArtifactError, ResourceLimitError, UnsafeArtifactError, WeightMismatchError
from hub.checkpoint import SafetensorsFile, Weights, load_into, member, read_json, write_safetensors

LLAMA = {"vocabulary_size": 20, "num_layers": 2, "num_query_heads": 2, "hidden_dim": 8, "intermediate_dim": 12, "num_key_value_heads": 1}
BERT = {"vocabulary_size": 20, "num_layers": 1, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12, "max_sequence_length": 10}
IDS = np.array([[3, 7, 1], [4, 4, 9]], "int32")


@pytest.fixture(autouse=True)
def _on_numpy():
    with core.backend.use("numpy"):
        yield


@pytest.fixture
def llama(tmp_path):
    """A backbone and the folder that it was saved to."""
    backbone = hub.models.LlamaBackbone(**LLAMA)
    backbone.save_to_preset(tmp_path)
    return backbone, tmp_path


def read_all(folder):
    """All tensors of a folder, and its config."""
    with Weights(folder) as weights:
        return {name: weights.read(name) for name in weights.tensors}, read_json(folder, "config.json")


def write_all(folder, tensors, name="model.safetensors"):
    write_safetensors(folder / name, [(k, v.shape, v.dtype, lambda v=v: v) for k, v in tensors.items()], {})


def output(backbone):
    found = backbone({"token_ids": IDS})
    return np.asarray(found["sequence_output"] if isinstance(found, dict) else found)


# ------------------------------------------------------------------------------------------------ one file


def test_files_are_those_of_the_reference_library(tmp_path):
    from safetensors.numpy import load_file, save_file

    rng = np.random.default_rng(0)
    arrays = {f"a.{np.dtype(kind).name}": rng.normal(0, 9, (2, 3)).astype(kind) for kind in ("f8", "f4", "f2", "i8", "i4", "i1", "u1", "?")}
    arrays |= {"scalar": np.array(3, "f4"), "empty": np.zeros((0, 4), "f4")}
    save_file(arrays, tmp_path / "theirs.safetensors", {"format": "np"})
    with SafetensorsFile(tmp_path / "theirs.safetensors") as file:
        assert set(file.tensors) == set(arrays) and file.metadata == {"format": "np"}
        for name, array in arrays.items():
            np.testing.assert_array_equal(file.read(name), array)
            assert file.read(name).dtype == array.dtype
    arrays["bf"] = rng.normal(0, 1, (3,)).astype(ml_dtypes.bfloat16)
    write_all(tmp_path, arrays, "ours.safetensors")
    again = load_file(tmp_path / "ours.safetensors")
    for name, array in arrays.items():
        assert again[name].tobytes() == array.tobytes() and again[name].shape == array.shape


def raw(header, data=b"", length=None):
    """A file from a header, an object or bytes, and the bytes after it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(start=0, stop=8, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


HOSTILE = {
    "empty": (b"", CorruptArtifactError, "0 bytes"),
    "a header longer than the file": (raw({}, length=10_000), CorruptArtifactError, "declares a header"),
    "a huge header": (raw({}, length=2**62), ResourceLimitError, "declares a header"),
    "no object": (raw(b"[1, 2]"), CorruptArtifactError, "no JSON object"),
    "no JSON": (raw(b"{'a': 1}"), CorruptArtifactError, "cannot be read"),
    "no UTF-8": (raw(b'{"\xff": 1}'), CorruptArtifactError, "cannot be read"),
    "a leading space": (raw(b" {}"), CorruptArtifactError, "no JSON object"),
    "deep nesting": (raw(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), CorruptArtifactError, "cannot be read"),
    "a name twice": (raw(b'{"a": %s, "a": %s}' % ((json.dumps(entry()).encode(),) * 2), b"12345678"), CorruptArtifactError, "twice"),
    "a truncated tensor": (raw({"a": entry()}, b"1234"), CorruptArtifactError, "truncated"),
    "bytes after the last": (raw({"a": entry()}, b"123456789"), CorruptArtifactError, "truncated or altered"),
    "a gap": (raw({"a": entry(4, 12)}, b"123456789012"), CorruptArtifactError, "gap"),
    "an overlap": (raw({"a": entry(), "b": entry(4, 12)}, b"123456789012"), CorruptArtifactError, "overlap"),
    "an empty tensor elsewhere": (raw({"a": entry(), "b": entry(4, 4, (0,))}, b"12345678"), CorruptArtifactError, "overlap"),
    "a size that is not the shape's": (raw({"a": entry(shape=(3,))}, b"12345678"), CorruptArtifactError, "need 12"),
    "an overflowing shape": (raw({"a": entry(shape=(2**40, 2**40))}, b"12345678"), CorruptArtifactError, "need"),
    "a negative size": (raw({"a": entry(shape=(-2,))}, b"12345678"), CorruptArtifactError, "lists of sizes"),
    "a size that is true": (raw({"a": entry(shape=(True, 2))}, b"12345678"), CorruptArtifactError, "lists of sizes"),
    "offsets backwards": (raw({"a": entry(8, 0)}, b"12345678"), CorruptArtifactError, "bytes"),
    "an unknown dtype": (raw({"a": entry(dtype="F3")}, b"12345678"), CorruptArtifactError, "F3"),
    "a dtype that is no string": (raw({"a": entry(dtype=["F32"])}, b"12345678"), CorruptArtifactError, "dtype"),
    "missing fields": (raw({"a": {"dtype": "F32"}}, b"12345678"), CorruptArtifactError, "data_offsets"),
    "metadata of numbers": (raw({"__metadata__": {"a": 1}}), CorruptArtifactError, "strings"),
    "many dimensions": (raw({"a": entry(0, 4, (1,) * 10_000)}, b"1234"), ResourceLimitError, "dimensions"),
    "a long name": (raw({"a" * 10_000: entry()}, b"12345678"), ResourceLimitError, "characters"),
    "many tensors": (raw({f"{i}": entry(0, 0, (0,)) for i in range(100_001)}), ResourceLimitError, "100001 tensors"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused(what, tmp_path):
    content, error, message = HOSTILE[what]
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(error, match=message):
        SafetensorsFile(tmp_path / "x.safetensors")


def test_every_truncation_is_noticed(llama):
    _, folder = llama
    content = (folder / "model.safetensors").read_bytes()
    for part in range(0, len(content), len(content) // 40):
        (folder / "model.safetensors").write_bytes(content[:part])
        with pytest.raises(CorruptArtifactError):
            Weights(folder)


def test_what_is_no_regular_file_is_refused(llama, tmp_path_factory):
    _, folder = llama
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    weights = folder / "model.safetensors"
    weights.rename(elsewhere / "secret.safetensors")
    weights.symlink_to(elsewhere / "secret.safetensors")
    with pytest.raises(UnsafeArtifactError, match="link out of"):
        Weights(folder)
    weights.unlink()
    os.mkfifo(weights)
    with pytest.raises(UnsafeArtifactError, match="regular"):  # and does not wait for a writer
        Weights(folder)


@pytest.mark.parametrize("name", ["../x.json", "/etc/passwd", "a\\b", "a/../b", "", ".hidden", "a\0b", "C:x"])
def test_names_with_paths_are_refused(name, tmp_path):
    with pytest.raises(UnsafeArtifactError, match="plain file name"):
        member(tmp_path, name)


def test_pickles_are_refused_and_the_message_helps(tmp_path, llama):
    _, folder = llama
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnsafeArtifactError, match="pytorch_model.bin.*save_pretrained"):
        hub.models.Backbone.from_preset(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(FileNotFoundError, match="model.safetensors"):
        hub.models.Backbone.from_preset(folder)


# ------------------------------------------------------------------------------------------------ several files


def shard(folder, count=3):
    """Splits a folder's weights over files, with an index."""
    tensors, _ = read_all(folder)
    names = [f"model-{i + 1:05}-of-{count:05}.safetensors" for i in range(count)]
    places = {name: names[i % count] for i, name in enumerate(tensors)}
    for name in names:
        write_all(folder, {k: v for k, v in tensors.items() if places[k] == name}, name)
    (folder / "model.safetensors").unlink()
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return index


def test_shards_are_read_as_one_file(llama):
    backbone, folder = llama
    shard(folder)
    np.testing.assert_array_equal(output(hub.models.Backbone.from_preset(folder)), output(backbone))


@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda places: places.update({next(iter(places)): "../model.safetensors"}), UnsafeArtifactError, "in the folder"),
        (lambda places: places.update({next(iter(places)): "/etc/passwd"}), UnsafeArtifactError, "in the folder"),
        (lambda places: places.update({next(iter(places)): "x.bin"}), UnsafeArtifactError, "in the folder"),
        (lambda places: places.update({next(iter(places)): "x.safetensors"}), CorruptArtifactError, "not in the folder"),
        (lambda places: places.update({"more": next(iter(places.values()))}), CorruptArtifactError, "disagree about 1 tensors: more"),
        (lambda places: places.pop(next(iter(places))), CorruptArtifactError, "disagree about 1 tensors"),
        (lambda places: places.update({"more": 3}), CorruptArtifactError, "weight_map"),
    ],
)
def test_an_index_must_fit_its_shards(llama, change, error, message):
    _, folder = llama
    index = shard(folder)
    change(index["weight_map"])
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(error, match=message):
        hub.models.Backbone.from_preset(folder)


# ------------------------------------------------------------------------------------------------ accounting


def test_all_that_does_not_fit_is_listed_and_nothing_is_changed(llama):
    backbone, folder = llama
    tensors, _ = read_all(folder)
    del tensors["model.norm.weight"], tensors["model.layers.1.mlp.up_proj.weight"]
    tensors["model.layers.0.self_attn.q_proj.weight"] = np.zeros((3, 8), "f4")
    tensors["model.layers.0.self_attn.k_proj.weight"] = np.zeros((4, 8), "i4")
    tensors["model.layers.2.mlp.up_proj.weight"] = np.zeros((12, 8), "f4")
    write_all(folder, tensors)
    before = backbone.get_weights()
    with pytest.raises(WeightMismatchError) as caught:
        load_into(backbone, folder)
    message = str(caught.value)
    for part in ("2 missing", "model.norm.weight", "layers.1.mlp.up_proj", "1 unexpected: model.layers.2", "2 mismatched", "(3, 8)", "I32"):
        assert part in message
    assert all(np.array_equal(a, b) for a, b in zip(before, backbone.get_weights()))


def test_names_of_base_models_old_names_and_buffers_are_understood(tmp_path):
    backbone = hub.models.BertBackbone(**BERT)
    backbone.save_to_preset(tmp_path)
    tensors, _ = read_all(tmp_path)
    old = {}
    for name, value in tensors.items():
        name = name.removeprefix("bert.")
        if "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        old[name] = value
    old |= {"embeddings.position_ids": np.arange(10)[None], "cls.predictions.bias": np.zeros(20, "f4"),
            "cls.seq_relationship.weight": np.zeros((2, 8), "f4"), "classifier.weight": np.zeros((2, 8), "f4")}  # fmt: skip
    write_all(tmp_path, old)
    np.testing.assert_array_equal(output(hub.models.Backbone.from_preset(tmp_path)), output(backbone))
    old["bert.embeddings.word_embeddings.weight"] = old["embeddings.word_embeddings.weight"]
    write_all(tmp_path, old)
    with pytest.raises(WeightMismatchError, match="both"):
        hub.models.Backbone.from_preset(tmp_path)


def test_a_missing_pooler_is_drawn_with_a_warning(tmp_path):
    backbone = hub.models.BertBackbone(**BERT)
    backbone.save_to_preset(tmp_path)
    tensors, _ = read_all(tmp_path)
    write_all(tmp_path, {k: v for k, v in tensors.items() if "pooler" not in k})
    with pytest.warns(UserWarning, match="bert.pooler.dense.weight"):
        again = hub.models.Backbone.from_preset(tmp_path)
    np.testing.assert_array_equal(output(again), output(backbone))
    assert np.asarray(again.pooler.kernel).std() > 0


def test_tied_tables_that_differ_are_not_tied(tmp_path):
    backbone = hub.models.LlamaBackbone(**LLAMA, tie_word_embeddings=True)
    backbone.save_to_preset(tmp_path)
    tensors, _ = read_all(tmp_path)
    write_all(tmp_path, {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"]})
    assert hub.models.Backbone.from_preset(tmp_path).config.tie_word_embeddings
    head = np.random.default_rng(0).normal(size=(20, 8)).astype("f4")
    write_all(tmp_path, {**tensors, "lm_head.weight": head})
    again = hub.models.Backbone.from_preset(tmp_path)
    assert not again.config.tie_word_embeddings
    np.testing.assert_allclose(again.logits(output(again)), output(backbone) @ head.T, atol=1e-5)
    with pytest.raises(WeightMismatchError, match="differs from"):
        load_into(backbone, tmp_path)


# ------------------------------------------------------------------------------------------------ dtypes, sizes, draws


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_files(llama, dtype):
    _, folder = llama
    tensors, _ = read_all(folder)
    write_all(folder, {k: v.astype(dtype) for k, v in tensors.items()})
    wide = hub.models.Backbone.from_preset(folder)
    assert {v.dtype for v in wide.weights} == {"float32"}
    np.testing.assert_array_equal(
        wide.token_embedding.embeddings, tensors["model.embed_tokens.weight"].astype(dtype).astype("f4")
    )
    narrow = hub.models.Backbone.from_preset(folder, dtype="auto")
    assert {v.dtype for v in narrow.weights} == {np.dtype(dtype).name}
    narrow.save_to_preset(folder / "again")
    again, config = read_all(folder / "again")
    assert config["dtype"] == np.dtype(dtype).name
    for name, value in again.items():
        assert value.dtype == dtype and value.tobytes() == tensors[name].astype(dtype).tobytes()


def test_nothing_is_drawn_before_loading(llama, monkeypatch):
    backbone, folder = llama

    def draw(*args, **kwargs):
        raise AssertionError("a weight was drawn")

    monkeypatch.setattr(core.random.host, "draw", draw)
    np.testing.assert_array_equal(output(hub.models.Backbone.from_preset(folder)), output(backbone))
    with pytest.raises(AssertionError, match="drawn"):
        hub.models.Backbone.from_preset(folder, load_weights=False)


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"hidden_size": 10**6, "intermediate_size": 10**6}, ResourceLimitError),
        ({"vocab_size": 10**12}, ResourceLimitError),
        ({"num_hidden_layers": 10**9}, ConfigError),
        ({"vocab_size": 21}, WeightMismatchError),
    ],
)
def test_sizes_are_compared_with_the_file_before_memory_is_taken(llama, changes, error):
    _, folder = llama
    (folder / "config.json").write_text(json.dumps({**read_json(folder, "config.json"), **changes}))
    with pytest.raises(error):
        hub.models.Backbone.from_preset(folder)


@pytest.mark.parametrize("text", ["[1]", '{"a": NaN}', '{"a": 1, "a": 2}', "{", ""])
def test_configs_are_read_strictly(llama, text):
    _, folder = llama
    (folder / "config.json").write_text(text)
    with pytest.raises((ConfigError, CorruptArtifactError)):
        hub.models.Backbone.from_preset(folder)


def test_overrides_and_configs_without_weights(llama):
    _, folder = llama
    (folder / "model.safetensors").unlink()
    backbone = hub.models.Backbone.from_preset(folder, load_weights=False, dropout=0.25, name="mine")
    assert backbone.config.dropout == 0.25 and backbone.name == "mine"


def test_a_failed_save_leaves_what_was_there(llama, monkeypatch):
    backbone, folder = llama
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    monkeypatch.setattr(hub.checkpoint.Tensor, "gather", lambda self: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        backbone.save_to_preset(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


# ------------------------------------------------------------------------------------------------ where presets are


def test_folders_and_names(tmp_path):
    assert hub.preset.resolve(tmp_path) == tmp_path == hub.preset.resolve(str(tmp_path))
    with pytest.raises(FileNotFoundError, match='hf://organization/name'):
        hub.preset.resolve("no-such-preset")


def test_repositories_come_out_of_the_cache_of_huggingface_hub(llama, tmp_path_factory):
    """Links into the cache are followed, and what is not there says so, with nothing but the standard error's type and text."""
    backbone, folder = llama
    cache = tmp_path_factory.mktemp("cache")
    repository = cache / "models--someone--tiny"
    snapshot = repository / "snapshots" / ("a" * 40)
    for part in (snapshot, repository / "blobs", repository / "refs"):
        part.mkdir(parents=True)
    (repository / "refs" / "main").write_text("a" * 40)
    for name in ("config.json", "model.safetensors"):
        (repository / "blobs" / name).write_bytes((folder / name).read_bytes())
        (snapshot / name).symlink_to(pathlib.Path("../../blobs") / name)
    script = f"""
        import numpy as np, core, hub
        core.config.set_backend("numpy")
        backbone = hub.models.Backbone.from_preset("hf://someone/tiny")
        np.save({str(cache / "found.npy")!r}, np.asarray(backbone({{"token_ids": np.array({IDS.tolist()}, "int32")}})))
        for name in ("hf://someone/else", "hf://someone/tiny@v2", "hf://not a name"):
            try:
                hub.models.Backbone.from_preset(name)
            except FileNotFoundError as error:
                assert "could not be fetched" in str(error) and name in str(error), error
            else:
                raise AssertionError(name)
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_array_equal(np.load(cache / "found.npy"), output(backbone))


def test_importing_hub_loads_no_framework():
    script = "import sys, hub, hub.models, hub.families, hub.checkpoint; print([m for m in ('torch', 'jax', 'tensorflow', 'transformers', 'huggingface_hub') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
