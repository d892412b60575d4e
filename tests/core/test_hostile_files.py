"""Files that attack, lie or are damaged: one row each, refused with the error that says so, and nothing is changed or run."""

import io
import json
import os
import struct
import sys
import zipfile

import h5py
import numpy as np
import pytest

import core
from core.backend import slot
from core.base import config as settings
from core.base.errors import ConfigError, CorruptArtifactError, ResourceLimitError, UnsafeArtifactError, WeightMismatchError
from core.saving import archive as archive_room

L = core.layers
REFUSED = (UnsafeArtifactError, ConfigError, CorruptArtifactError, ResourceLimitError, WeightMismatchError)


@pytest.fixture(autouse=True)
def _torch():
    with slot.use("torch"):
        yield


def good(folder, name="good.keras"):
    i = L.Input((4,), name="i")
    model = core.Model(i, L.Dense(3, name="d")(i))
    model.save(folder / name)
    return folder / name


def rewrite(path, config=None, members=None, compression=zipfile.ZIP_STORED, **replaced):
    """The file with its config changed by a function, or members replaced."""
    with zipfile.ZipFile(path) as old:
        content = {n: old.read(n) for n in old.namelist()}
    if config is not None:
        value = json.loads(content["config.json"])
        value = config(value) or value
        content["config.json"] = json.dumps(value).encode()
    content |= members or {}
    content |= {k: v for k, v in replaced.items()}
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, data in content.items():
            new.writestr(name, data)
    return path


def weights(path, change):
    """The file with its HDF5 member changed by a function, and without the manifest."""
    with zipfile.ZipFile(path) as old:
        buffer = io.BytesIO(old.read("model.weights.h5"))
    with h5py.File(buffer, "r+") as file:
        change(file)
    return rewrite(path, members={"model.weights.h5": buffer.getvalue(), "metadata.json": b"{}"})


def layer(entry, inputs="i", **more):
    """A change of the config that puts a layer between input and output."""

    def change(config):
        inner = config["config"]
        call = {
            "args": [
                {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [inputs, 0, 0]}}
            ],
            "kwargs": {},
        }
        full = {"module": "keras.layers", "registered_name": None, "name": "evil", "inbound_nodes": [{**call, **more}], **entry}
        full["config"].setdefault("name", "evil")
        inner["layers"].append(full)
        inner["output_layers"] = ["evil", 0, 0]

    return change


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def dead_node(**argument):
    """An op node that no output needs, with a hostile value in its call."""

    def change(config):
        config["config"]["layers"].append({
            "module": "keras.src.ops.numpy", "class_name": "Add", "registered_name": "Add", "name": "dead", "config": {"name": "dead"},
            "inbound_nodes": [{"args": [
                {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["i", 0, 0]}},
                argument or 1.0,
            ], "kwargs": {}}],
        })  # fmt: skip

    return change


def op(class_name, config, *args, module="keras.src.ops.numpy"):
    def change(model):
        model["config"]["layers"].append({
            "module": module, "class_name": class_name, "registered_name": class_name, "name": "evil", "config": {"name": "evil", **config},
            "inbound_nodes": [{"args": list(args), "kwargs": {}}],
        })  # fmt: skip
        model["config"]["output_layers"] = ["evil", 0, 0]

    return change


def whole(**entry):
    return lambda config: {**config, **entry}


def set_dense(**changes):
    def change(config):
        dense = next(x for x in config["config"]["layers"] if x["class_name"] == "Dense")
        dense["config"].update(changes)
        dense.pop("build_config", None)

    return change


def deep(levels):
    def change(config):
        value = 1
        for _ in range(levels):
            value = [value]
        config["config"]["deep"] = value

    return change


LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAAAAAAAA", "defaults": None, "closure": None}}

CONFIGS = {
    "A-01 bytecode in a Lambda": (layer({"class_name": "Lambda", "config": {"function": LAMBDA}}), UnsafeArtifactError),
    "A-01 bytecode anywhere": (set_dense(activation=LAMBDA), UnsafeArtifactError),
    "A-02 subprocess": (
        whole(module="subprocess", class_name="Popen", config={"args": "touch canary"}, registered_name=None),
        UnsafeArtifactError,
    ),
    "A-02 os.system as function": (set_dense(activation=function("os", "system")), UnsafeArtifactError),
    "A-02 builtins.eval": (set_dense(activation=function("builtins", "eval")), UnsafeArtifactError),
    "A-02 a module of ours": (whole(module="core.saving.archive", class_name="save_model", config={}), UnsafeArtifactError),
    "A-03 get_file as callable": (
        layer({"class_name": "Lambda", "config": {"function": function("keras.utils", "get_file")}}),
        UnsafeArtifactError,
    ),
    "A-04 loader policy": (set_dense(activation=function("keras.config", "enable_unsafe_deserialization")), UnsafeArtifactError),
    "A-04 load_model as callable": (set_dense(activation=function("keras.saving", "load_model")), UnsafeArtifactError),
    "A-06 pickle in a wrapper": (
        layer({"class_name": "TorchModuleWrapper", "config": {"module": "gASVAAAA"}}),
        (UnsafeArtifactError, ConfigError),
    ),
    "A-07 SavedModel path": (layer({"class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}}), UnsafeArtifactError),
    "A-09 dead node": (dead_node(), ConfigError),
    "A-09 dead node with set_dtype_policy": (dead_node(**function("keras.config", "set_dtype_policy")), UnsafeArtifactError),
    "A-09 dead node with a download": (dead_node(**function("keras.datasets.mnist", "load_data")), UnsafeArtifactError),
    "A-10 class in a function's place": (
        layer({"class_name": "Lambda", "config": {"function": function("keras.layers", "Dense")}}),
        UnsafeArtifactError,
    ),
    "A-10 loss class as activation": (set_dense(activation=function("keras.losses", "MeanSquaredError")), UnsafeArtifactError),
    "A-10 function in a class' place": (layer({"class_name": "add", "config": {}}), UnsafeArtifactError),
    "A-10 optimizer in a layer's place": (layer({"module": "keras.optimizers", "class_name": "Adam", "config": {}}), UnsafeArtifactError),
    "A-11 plotting sink": (set_dense(activation=function("keras.visualization", "plot_image_gallery")), UnsafeArtifactError),
    "A-12 eval as registered name": (
        layer({"class_name": "Dense", "registered_name": "builtins.eval", "config": {"units": 4}}),
        UnsafeArtifactError,
    ),
    "A-12 Popen as registered name": (
        layer({"class_name": "Dense", "registered_name": "subprocess.Popen", "config": {"units": 4}}),
        UnsafeArtifactError,
    ),
    "A-12 a user's registered name": (
        layer({"class_name": "Dense", "registered_name": "my_pkg>MyDense", "config": {"units": 4}}),
        UnsafeArtifactError,
    ),
    "unknown op": (op("System", {"command": "touch canary"}), UnsafeArtifactError),
    "op by dunder": (op("__class__", {}), UnsafeArtifactError),
    "op that runs while loading": (op("Ones", {"shape": [1 << 40]}), ConfigError),
    "op with unknown argument": (op("Relu", {"path": "/etc/passwd"}, module="keras.src.ops.nn"), ConfigError),
    "a layer for a model": (
        whole(module="keras.layers", class_name="Dense", config={"units": 3}, registered_name=None),
        UnsafeArtifactError,
    ),
    "cycle in the graph": (layer({"class_name": "Dense", "config": {"units": 4}}, inputs="evil"), ConfigError),
    "unknown source": (layer({"class_name": "Dense", "config": {"units": 4}}, inputs="nowhere"), ConfigError),
    "B huge units": (set_dense(units=1 << 45), ResourceLimitError),
    "B large units": (set_dense(units=1 << 25), ResourceLimitError),
    "B units NaN": (set_dense(units=float("nan")), ValueError),
    "B units text": (set_dense(units="3"), ValueError),
    "B units negative": (set_dense(units=-3), ValueError),
    "B unknown argument": (set_dense(unknown=1), ValueError),
    "B layers no list": (lambda c: {**c, "config": {**c["config"], "layers": 3}}, ConfigError),
    "B config no dict": (whole(config=[1]), ConfigError),
    "B class_name no text": (whole(class_name=3), ConfigError),
    "B deep nesting": (deep(400), ResourceLimitError),
    "B history of wrong types": (
        layer({"class_name": "Dense", "config": {"units": 4}}, args=[{"class_name": "__keras_tensor__", "config": 3}]),
        ConfigError,
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_config(case, tmp_path):
    change, error = CONFIGS[case]
    path = rewrite(good(tmp_path), config=change)
    before, events = (settings.current(), set(sys.modules)), []
    watch.append(events)
    try:
        with pytest.raises(error) as raised:
            core.saving.load_model(path)
    finally:
        watch.remove(events)
    assert isinstance(raised.value, ValueError)
    assert settings.current() == before[0]
    assert not events, "loading ran something"
    assert not {"canary"} & set(os.listdir(tmp_path))


watch: list = []  # lists that gather the names of forbidden audit events while a file is read
FORBIDDEN = (
    "os.system",
    "os.exec",
    "subprocess.Popen",
    "socket.connect",
    "socket.getaddrinfo",
    "marshal.loads",
    "pickle.find_class",
    "ctypes.dlopen",
)


def _audit(event, _):
    for events in watch:
        if event in FORBIDDEN:
            events.append(event)


sys.addaudithook(_audit)


def external_link(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"]["0"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft_link(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"]["0"] = h5py.SoftLink("/layers/dense/vars/1")


def linked_group(file):
    del file["layers/dense"]
    file["layers"]["dense"] = h5py.ExternalLink("other.h5", "/layers/dense")


def replace(**arguments):
    def change(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", **arguments)

    return change


def virtual(file):
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
    layout[:] = h5py.VirtualSource(".", "layers/dense/vars/1", shape=(4, 3))
    file["layers/dense/vars"].create_virtual_dataset("0", layout)


def hard_cycle(file):
    file["layers/dense/again"] = file["layers"]


def committed_type(file):
    file["layers/dense/type"] = np.dtype("f4")


def deep_groups(file):
    file.create_group("/".join("g" * 200))


WEIGHTS = {
    "A-24 external storage": (replace(shape=(4, 3), dtype="f4", external=[("/etc/passwd", 0, 48)]), UnsafeArtifactError),
    "A-24 external link": (external_link, UnsafeArtifactError),
    "A-24 soft link": (soft_link, UnsafeArtifactError),
    "A-25 virtual dataset": (virtual, UnsafeArtifactError),
    "A-26 external link to a group": (linked_group, UnsafeArtifactError),
    "A-27 petabytes, no chunk": (replace(shape=(1 << 50,), dtype="f8", chunks=(1024,), compression="gzip"), WeightMismatchError),
    "A-28 other shape, no chunk": (replace(shape=(8192, 8192), dtype="f4", chunks=(64, 64)), WeightMismatchError),
    "B-21 right shape, no chunk": (replace(shape=(4, 3), dtype="f4", chunks=(4, 3)), CorruptArtifactError),
    "B-21 nothing allocated": (replace(shape=(4, 3), dtype="f4"), CorruptArtifactError),
    "B-22 hard link cycle": (hard_cycle, UnsafeArtifactError),
    "B-22 named type": (committed_type, UnsafeArtifactError),
    "B-22 object references": (replace(shape=(4, 3), dtype=h5py.ref_dtype), UnsafeArtifactError),
    "B-23 foreign filter": (replace(data=np.ones((4, 3), "f4"), compression="lzf"), UnsafeArtifactError),
    "B-24 deep groups": (deep_groups, CorruptArtifactError),
    "B-25 compound": (replace(data=np.zeros((4, 3), [("a", "f4"), ("b", "f4")])), UnsafeArtifactError),
    "B-25 complex": (replace(data=np.zeros((4, 3), "c8")), UnsafeArtifactError),
    "B-25 text": (replace(data=np.full((4, 3), b"x")), WeightMismatchError),
    "B-25 integers": (replace(data=np.zeros((4, 3), "i4")), WeightMismatchError),
    "B-25 bool": (replace(data=np.zeros((4, 3), bool)), WeightMismatchError),
    "B compressed to nothing": (replace(data=np.zeros((1024, 4096), "f4"), compression="gzip", chunks=(1024, 4096)), ResourceLimitError),
    "missing": (lambda f: f.__delitem__("layers/dense/vars/0"), WeightMismatchError),
    "missing group": (lambda f: f.__delitem__("layers"), WeightMismatchError),
    "unexpected": (lambda f: f["layers/dense/vars"].create_dataset("2", data=np.ones(3)), WeightMismatchError),
    "unexpected group": (lambda f: f.create_dataset("layers/dense_1/vars/0", data=np.ones(3)), WeightMismatchError),
    "odd key": (lambda f: f["layers/dense/vars"].create_dataset("../x".replace("/", ""), data=np.ones(3)), WeightMismatchError),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights(case, tmp_path):
    change, error = WEIGHTS[case]
    path = weights(good(tmp_path), change)
    with pytest.raises(error):
        core.saving.load_model(path)
    with zipfile.ZipFile(path) as content:
        alone = tmp_path / "alone.weights.h5"
        alone.write_bytes(content.read("model.weights.h5"))
    i = L.Input((4,))
    model = core.Model(i, L.Dense(3)(i))
    before = model.get_weights()
    for file in (path, alone):  # the second entries to the same bytes
        with pytest.raises(error):
            model.load_weights(file)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_big_endian_and_wider_floats_are_read(tmp_path):
    values = np.arange(12.0).reshape(4, 3).astype(">f8")
    model = core.saving.load_model(weights(good(tmp_path), replace(data=values)))
    np.testing.assert_array_equal(model.get_weights()[0], values)


def bomb(path):
    return rewrite(path, members={"config.json": b" " * (8 << 20)}, compression=zipfile.ZIP_DEFLATED)


def duplicate(path):
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as file:
        file.writestr("config.json", b"{}")


def many(path):
    with zipfile.ZipFile(path, "a") as file:
        for i in range(archive_room.MAX_MEMBERS):
            file.writestr(f"x{i}", b"")


def linked_member(path):
    with zipfile.ZipFile(path, "a") as file:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")


def packed_with_lzma(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as file:
        file.writestr("extra", b"x" * 100)


def prepend(path):
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def append(path):
    path.write_bytes(path.read_bytes() + b"tail")


def overlap(path):
    """The central directory's second entry points at the first one's data."""
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    path.write_bytes(data)


def lying_size(path):
    rewrite(path, members={"config.json": b"[" + b"0," * 100_000 + b"0]"}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    assert data[at + 46 : at + 57] == b"config.json"
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    path.write_bytes(data)


def content(data):
    return lambda path: path.write_bytes(data)


CONTAINERS = {
    "B-01 zip bomb": (bomb, ResourceLimitError),
    "B-02 many members": (many, ResourceLimitError),
    "B-03 size that lies": (lying_size, CorruptArtifactError),
    "B-05 overlapping members": (overlap, CorruptArtifactError),
    "B-07 duplicate member": (duplicate, CorruptArtifactError),
    "B-07 duplicate key": (lambda p: rewrite(p, members={"config.json": b'{"a": 1, "a": 2}'}), CorruptArtifactError),
    "B-09 symlink member": (linked_member, UnsafeArtifactError),
    "B-09 other compression": (packed_with_lzma, UnsafeArtifactError),
    "B-10 pipe": (lambda p: (p.unlink(), os.mkfifo(p)), CorruptArtifactError),
    "B-10 folder": (lambda p: (p.unlink(), p.mkdir()), CorruptArtifactError),
    "B-16 bytes before": (prepend, CorruptArtifactError),
    "B-16 bytes behind": (append, CorruptArtifactError),
    "B-17 empty": (content(b""), CorruptArtifactError),
    "B-17 one byte": (content(b"P"), CorruptArtifactError),
    "B-17 HDF5": (content(b"\x89HDF\r\n\x1a\n"), CorruptArtifactError),
    "B-17 pickle": (content(b"\x80\x04K\x01."), CorruptArtifactError),
    "B-17 program": (content(b"\x7fELF" + bytes(60)), CorruptArtifactError),
    "no config": (lambda p: p.write_bytes(_zip({"metadata.json": b"{}"})), CorruptArtifactError),
    "config no JSON": (lambda p: rewrite(p, members={"config.json": b"\xff{"}), CorruptArtifactError),
    "config no object": (lambda p: rewrite(p, members={"config.json": b"[]"}), CorruptArtifactError),
    "JSON too deep": (lambda p: rewrite(p, members={"config.json": b"[" * 100_000}), (ResourceLimitError, CorruptArtifactError)),
    "weights no HDF5": (lambda p: rewrite(p, members={"model.weights.h5": b"nothing"}), CorruptArtifactError),
    "manifest no list": (lambda p: rewrite(p, members={"metadata.json": b'{"hornbeam": 3}'}), CorruptArtifactError),
}


def _zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("case", CONTAINERS)
def test_container(case, tmp_path):
    change, error = CONTAINERS[case]
    path = good(tmp_path)
    change(path)
    with pytest.raises(error, match="overlap" if "overlap" in case else None):
        core.saving.load_model(path)


@pytest.mark.parametrize(
    "magic, kind", [(b"\x89HDF", "an HDF5 file"), (b"\x80\x04", "a pickle"), (b"\x7fELF", "a program"), (b"GGUF", "a GGUF file")]
)
def test_the_error_names_what_the_file_is(magic, kind, tmp_path):
    path = tmp_path / "x.keras"
    path.write_bytes(magic + bytes(100))
    with pytest.raises(CorruptArtifactError, match=kind):
        core.saving.load_model(path)


def test_truncation_at_every_twentieth(tmp_path):
    """B-13"""
    path = good(tmp_path)
    data = path.read_bytes()
    for i in range(20):
        path.write_bytes(data[: len(data) * i // 20])
        with pytest.raises(CorruptArtifactError):
            core.saving.load_model(path)


def test_one_bit_in_the_weights(tmp_path):
    """B-14: the zip's checksums find accidents, wherever they are."""
    path = good(tmp_path)
    data = path.read_bytes()
    start = data.index(b"\x89HDF")
    for i in range(0, 8000, 400):
        path.write_bytes(data[: start + i] + bytes([data[start + i] ^ 1]) + data[start + i + 1 :])
        with pytest.raises(CorruptArtifactError):
            core.saving.load_model(path)


def test_a_changed_tensor_is_named(tmp_path):
    """What has right checksums, but not the values that were saved, differs from the manifest."""
    path = good(tmp_path)
    with zipfile.ZipFile(path) as old:
        metadata = old.read("metadata.json")
    weights(path, lambda f: f["layers/dense/vars/1"].write_direct(np.ones(3, "f4")))
    rewrite(path, members={"metadata.json": metadata})
    with pytest.raises(CorruptArtifactError, match="layers/dense/vars/1"):
        core.saving.load_model(path)


def test_nothing_is_left_behind(tmp_path):
    path = weights(good(tmp_path), soft_link)
    before, handles = set(os.listdir(tmp_path)), len(os.listdir("/proc/self/fd"))
    with pytest.raises(REFUSED):
        core.saving.load_model(path)
    assert set(os.listdir(tmp_path)) == before and len(os.listdir("/proc/self/fd")) == handles
