"""Saving and loading here: transactions, atomic writes, masks of what fits; clones and summaries."""

import json
import os
import re
import zipfile

import h5py
import numpy as np
import pytest

import core
from core.backend import slot
from core.base.errors import CorruptArtifactError, UnsafeArtifactError, WeightMismatchError
from core.saving import atomic

L = core.layers


@pytest.fixture(autouse=True)
def _torch():
    with slot.use("torch"):
        yield


def two_layers(units=3, name="net"):
    return core.Sequential([L.Input((4,)), L.Dense(units, name="first"), L.Dense(2, name="second")], name=name)


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def test_weights_come_back(tmp_path):
    model, other = two_layers(), two_layers()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert same(model.get_weights(), other.get_weights())
    model.save(tmp_path / "m.keras")
    third = two_layers()
    third.load_weights(tmp_path / "m.keras")
    assert same(model.get_weights(), third.get_weights())


def test_a_misfit_lists_everything_and_changes_nothing(tmp_path):
    two_layers(5).save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
        del file["layers/dense_1/vars/1"]
        file.create_dataset("layers/conv2d/vars/0", data=np.ones(2))
    model = two_layers()
    before = model.get_weights()
    with pytest.raises(WeightMismatchError) as raised:
        model.load_weights(tmp_path / "m.weights.h5")
    message = str(raised.value)
    assert re.search(r"mismatched: 'first/kernel' expected \(4, 3\), the file holds \(4, 5\)", message.replace("net/", ""))
    assert "missing" in message and "layers/dense_1/vars/1" in message
    assert "unexpected" in message and "layers/conv2d" in message
    assert same(before, model.get_weights())


def test_skip_mismatch_loads_what_fits_and_warns(tmp_path):
    source = core.Sequential([L.Input((4,)), L.Dense(3), L.Dense(7)])
    source.save_weights(tmp_path / "m.weights.h5")
    model = two_layers()
    before = model.get_weights()
    with pytest.warns(UserWarning, match="skipped"):
        model.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    assert same(model.get_weights()[:2], source.get_weights()[:2]) and same(model.get_weights()[2:], before[2:])


def test_a_loader_that_fails_halfway_changes_nothing(tmp_path):
    class Late(L.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.w

        def load_own_variables(self, store):
            raise ValueError("no")

    model = core.Sequential([L.Input((4,)), L.Dense(3), Late()])
    model.save_weights(tmp_path / "m.weights.h5")
    model.layers[0].set_weights([np.zeros((4, 3)), np.ones(3)])
    with pytest.raises(ValueError, match="no"):
        model.load_weights(tmp_path / "m.weights.h5")
    assert not model.get_weights()[0].any()


def test_a_shared_layer_stays_one_layer(tmp_path):
    i, shared = L.Input((3,)), L.Dense(3)
    model = core.Model(i, shared(shared(i)))
    model.save(tmp_path / "m.keras")
    again = core.saving.load_model(tmp_path / "m.keras")
    assert len(again.weights) == 2 and len(again.layers) == 2


def test_frozen_layers_and_optimizer_come_back(tmp_path):
    model = two_layers()
    model.layers[0].trainable = False
    model.compile(core.optimizers.Adam(0.02), "mse")
    model.fit(np.ones((4, 4), "float32"), np.zeros((4, 2), "float32"), verbose=0)
    model.save(tmp_path / "m.keras")
    again = core.saving.load_model(tmp_path / "m.keras")
    assert [x.trainable for x in again.layers] == [False, True]
    assert same([v.numpy() for v in model.optimizer.variables], [v.numpy() for v in again.optimizer.variables])
    assert not core.saving.load_model(tmp_path / "m.keras", compile=False).compiled


def test_training_goes_on_where_it_was(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(2, 8, 4)).astype("float32")
    model = core.Sequential([L.Input((4,)), L.Dense(4)])
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0, shuffle=False)
    model.save(tmp_path / "m.keras")
    again = core.saving.load_model(tmp_path / "m.keras")
    for one in (model, again):
        one.fit(x, y, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_metadata_holds_the_manifest(tmp_path):
    two_layers().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        metadata = json.loads(file.read("metadata.json"))
        assert {m.compress_type for m in file.infolist()} == {zipfile.ZIP_STORED}
    manifest = metadata["hornbeam"]["manifest"]
    assert metadata["keras_version"].startswith("3.15") and [e["shape"] for e in manifest] == [[4, 3], [3], [3, 2], [2]]
    assert set(manifest[0]) == {"path", "shape", "dtype", "sha256"}


def test_an_unknown_layer_is_named(tmp_path):
    class Mine(L.Layer):
        def call(self, x):
            return x

    core.Sequential([L.Input((4,)), Mine()]).save(tmp_path / "m.keras")
    with pytest.raises(UnsafeArtifactError, match=r"'Mine'.*register_keras_serializable\("):
        core.saving.load_model(tmp_path / "m.keras")
    model = core.saving.load_model(tmp_path / "m.keras", custom_objects={"Mine": Mine})
    assert type(model.layers[0]) is Mine


@pytest.mark.parametrize("name, message", [("m.h5", "legacy"), ("m.hdf5", "legacy"), ("m.txt", ".keras"), ("m", ".keras")])
def test_other_formats_are_refused(name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        two_layers().save(tmp_path / name)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=message):
        core.saving.load_model(tmp_path / name)


def test_existing_files(tmp_path):
    path = tmp_path / "m.keras"
    two_layers().save(path)
    with pytest.raises(FileExistsError):
        two_layers().save(path, overwrite=False)
    with pytest.raises(FileNotFoundError):
        core.saving.load_model(tmp_path / "none.keras")
    with pytest.raises(FileNotFoundError, match="folder"):
        two_layers().save(tmp_path / "nowhere" / "m.keras")


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "m.keras"
    two_layers().save(path)
    before = path.read_bytes()
    broken = core.Sequential([L.Input((4,)), L.Dense(2, activation=lambda x: x)])
    with pytest.raises(ValueError, match="lambda"):
        broken.save(path)
    with pytest.raises(KeyError), atomic.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.keras"]


def test_bfloat16_weights_are_kept_exactly(tmp_path):
    model = core.Sequential([L.Input((4,)), L.Dense(3, dtype="bfloat16")])
    model.save(tmp_path / "m.keras")
    again = core.saving.load_model(tmp_path / "m.keras")
    assert again.weights[0].dtype == "bfloat16"
    assert same([w.astype("float32") for w in model.get_weights()], [w.astype("float32") for w in again.get_weights()])


# ------------------------------------------------------------------------------------------------ clones


def branched():
    i = L.Input((4,), name="in")
    shared = L.Dense(4, name="shared")
    inner = core.Sequential([L.Dense(4, name="deep")], name="inner")
    x = L.Add(name="sum")([shared(i), inner(shared(i)) * 2.0])
    return core.Model(i, {"a": L.Dense(1, name="a")(x), "b": x}, name="tree")


@pytest.mark.parametrize("make", [two_layers, branched])
def test_a_clone_is_the_same_model_with_fresh_weights(make):
    model = make()
    clone = core.models.clone_model(model)
    assert [x.name for x in clone.layers] == [x.name for x in model.layers] and not set(map(id, clone.layers)) & set(map(id, model.layers))
    assert not same(clone.get_weights(), model.get_weights())
    clone.set_weights(model.get_weights())
    x = np.ones((2, 4), "float32")
    for a, b in zip(core.tree.flatten(model(x)), core.tree.flatten(clone(x))):
        np.testing.assert_allclose(core.ops.convert_to_numpy(a), core.ops.convert_to_numpy(b), rtol=1e-6)


def test_clone_function_and_recursive():
    def renamed(layer):
        return type(layer).from_config({**layer.get_config(), "name": layer.name + "_new"})

    clone = core.models.clone_model(branched(), clone_function=renamed)
    assert [x.name for x in clone.layers] == ["in", "shared_new", "inner_new", "sum_new", "a_new"]
    assert clone.get_layer("inner_new").layers[0].name == "deep"
    clone = core.models.clone_model(branched(), clone_function=renamed, recursive=True)
    assert clone.get_layer("inner").layers[0].name == "deep_new"


def test_call_function_and_input_tensors():
    called = []

    def call(layer, *args, **kwargs):
        called.append(getattr(layer, "name", layer))
        return layer(*args, **kwargs)

    i = L.Input((4,), name="other")
    clone = core.models.clone_model(branched(), input_tensors=i, call_function=call)
    assert clone.inputs[0] is i and called.count("shared") == 2


# ------------------------------------------------------------------------------------------------ summaries


def summary(model, **kwargs) -> str:
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text), **kwargs)
    return "\n".join(lines)


def test_summary_of_a_chain(capsys):
    model = two_layers()
    model.summary()
    text = capsys.readouterr().out
    assert (
        'Model: "net"' in text
        and "first (Dense)" in text
        and "(None, 3)" in text
        and "Total params: 23" in text
        and "Connected to" not in text
    )


def test_summary_of_a_tree():
    text = summary(branched(), line_length=120)
    assert "Connected to" in text and "shared[0]" in text and "deep" not in text
    nested = summary(branched(), line_length=120, expand_nested=True)
    assert "deep (Dense)" in nested


def test_summary_options():
    model = two_layers()
    model.layers[0].trainable = False
    text = summary(model, show_trainable=True, line_length=100)
    assert re.search(r"first.* N ", text) and re.search(r"second.* Y ", text) and "Non-trainable params: 15" in text
    text = summary(model, layer_range=["second", "second"])
    assert "second" in text and "first" not in text
    with pytest.raises(ValueError, match="layer_range"):
        summary(model, layer_range=["second", "third"])


def test_summary_counts_the_optimizer():
    model = two_layers()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4), "float32"), np.zeros((4, 2), "float32"), verbose=0)
    assert "Optimizer params: 48" in summary(model)


def test_summary_of_an_unbuilt_model():
    assert "unbuilt" in summary(core.Sequential([L.Dense(3)]))


@pytest.mark.parametrize("given", [{}, {"steps_per_execution": 1, "jit_compile": False}, {"steps_per_execution": 4, "jit_compile": True}])
def test_how_steps_are_run_survives_a_file(given, tmp_path):
    model = core.Sequential([core.Input((3,)), core.layers.Dense(1)])
    model.compile("sgd", "mse", **given)
    model.save(tmp_path / "m.keras")
    assert core.saving.load_model(tmp_path / "m.keras").get_execution() == {"steps_per_execution": "auto", "jit_compile": "auto", **given}


@pytest.mark.parametrize(
    "entry", [[], {}, {"steps_per_execution": 0, "jit_compile": "auto"}, {"steps_per_execution": True, "jit_compile": True},
              {"steps_per_execution": 1, "jit_compile": "yes"}]
)  # fmt: skip
def test_a_forged_execution_entry_is_refused(entry, tmp_path):
    model = core.Sequential([core.Input((3,)), core.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "forged.keras", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "metadata.json":
                metadata = json.loads(data)
                metadata["hornbeam"]["execution"] = entry
                data = json.dumps(metadata)
            new.writestr(name, data)
    with pytest.raises(CorruptArtifactError, match="execution entry"):
        core.saving.load_model(tmp_path / "forged.keras")
