"""Utilities: arrays, configs, splitting, seeds, and downloads that cannot write where they should not."""

import hashlib
import http.server
import io
import os
import random
import struct
import tarfile
import threading
import zipfile

import numpy as np
import pytest

import core.utils as U
from core.backend import get, slot
from core.base.errors import CorruptArtifactError, ResourceLimitError, UnsafeArtifactError
from core.training.data import ArrayDataset, adapter
from core.utils import archives
from core.utils.archives import safe_components, unpack

# ------------------------------------------------------------------------------------------------ arrays, configs, seeds


def test_to_categorical():
    np.testing.assert_array_equal(U.to_categorical([0, 2, -1], 3), np.eye(3)[[0, 2, 2]])
    assert U.to_categorical(np.zeros((2, 3, 1), int), 4).shape == (2, 3, 4) and U.to_categorical([0, 1]).dtype == "float64"
    tensor = U.to_categorical(get("torch").convert_to_tensor([1]), 2)
    assert type(tensor).__name__ == "Tensor" and tensor.tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="labels from 0 to 5"):
        U.to_categorical([0, 5], 3)


def test_normalize():
    np.testing.assert_allclose(U.normalize(np.array([[1.0, 2], [0, 0]])), [[0.4472136, 0.8944272], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(U.normalize(np.array([[1, 3], [3, 1]]), axis=0, order=1), [[0.25, 0.75], [0.75, 0.25]])


PADS = [
    (dict(), [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
    (dict(maxlen=2, padding="post", truncating="post", value=-1.0, dtype="float32"), [[1, -1], [2, 3], [4, 5]]),
    (dict(maxlen=2), [[0, 1], [2, 3], [5, 6]]),
    (dict(maxlen=4, padding="post"), [[1, 0, 0, 0], [2, 3, 0, 0], [4, 5, 6, 0]]),
]


@pytest.mark.parametrize("options, want", PADS)
def test_pad_sequences(options, want):
    result = U.pad_sequences([[1], [2, 3], [4, 5, 6]], **options)
    assert result.tolist() == want and result.dtype == options.get("dtype", "int32")


def test_pad_sequences_of_vectors_text_and_nonsense():
    assert U.pad_sequences([[[1, 2]], [[2, 3], [4, 5]]]).tolist() == [[[0, 0], [1, 2]], [[2, 3], [4, 5]]]
    assert U.pad_sequences([["a"], ["b", "c"]], dtype=object, value="p").tolist() == [["p", "a"], ["b", "c"]]
    for call in (lambda: U.pad_sequences([1, 2]), lambda: U.pad_sequences([[[1, 2]], [[1]]]), lambda: U.pad_sequences([[1]], padding="x"),
                 lambda: U.pad_sequences([[1]], value="p")):  # fmt: skip
        with pytest.raises(ValueError):
            call()


def test_config():
    config = U.Config(a=1, b={"c": 2})
    config.d = 3
    assert (config.a, config["b"], config.get("x", 9), "d" in config, len(config)) == (1, {"c": 2}, 9, True, 3)
    assert config.to_json() == '{"a": 1, "b": {"c": 2}, "d": 3}' and config.as_dict() == dict(config.items())
    config.freeze()
    for change in (lambda: setattr(config, "a", 2), lambda: config.update(a=2), lambda: config.pop("a"), lambda: config.__delitem__("a")):
        with pytest.raises(ValueError, match="frozen"):
            change()
    config.unfreeze()
    assert config.pop("a") == 1 and not config.frozen
    with pytest.raises(AttributeError, match="no 'zz'"):
        _ = config.zz


def test_packing():
    assert U.pack_x_y_sample_weight(1) == 1 and U.pack_x_y_sample_weight([1]) == ([1],) and U.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert U.unpack_x_y_sample_weight([1, 2]) == (1, 2, None) and U.unpack_x_y_sample_weight({"a": 1}) == ({"a": 1}, None, None)
    with pytest.raises(ValueError, match="4 parts"):
        U.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_set_random_seed():
    import torch

    get("torch")
    draws = []
    for _ in range(2):
        U.set_random_seed(5)
        draws.append(
            (
                random.random(),
                np.random.rand(),
                torch.rand(1).item(),
                adapter(np.arange(9), shuffle=True, backend="numpy").order(0).tolist(),
            )
        )
    assert draws[0] == draws[1]
    with pytest.raises(ValueError):
        U.set_random_seed(-1)


@pytest.mark.parametrize("sizes, lengths", [((0.7, None), (7, 3)), ((None, 2), (8, 2)), ((3, 0.2), (3, 2)), ((0.5, 0.5), (5, 5))])
def test_split_dataset(sizes, lengths):
    with slot.use("numpy"):
        left, right = U.split_dataset((np.arange(10), np.arange(10) * 2), *sizes, shuffle=True, seed=1)
    assert isinstance(left, ArrayDataset) and (len(left), len(right)) == lengths
    seen = [int(x) for part in (left, right) for x, y in part]
    assert len(set(seen)) == sum(lengths) and all(int(y) == 2 * int(x) for x, y in left)
    assert len(next(iter(adapter(left, batch_size=2, backend="numpy").batches(0)))) == 2


def test_split_dataset_of_other_kinds():
    tf, torch = pytest.importorskip("tensorflow"), pytest.importorskip("torch")
    left, right = U.split_dataset(tf.data.Dataset.range(10), left_size=0.6)
    assert [int(x) for x in left] == [0, 1, 2, 3, 4, 5] and [int(x) for x in right] == [6, 7, 8, 9]
    left, _ = U.split_dataset(np.arange(10), left_size=3, preferred_backend="torch")
    assert isinstance(left, torch.utils.data.Dataset) and [int(x) for x in left] == [0, 1, 2]
    for options in (dict(), dict(left_size=1.5), dict(left_size=8, right_size=8), dict(left_size=0)):
        with pytest.raises(ValueError):
            U.split_dataset(np.arange(10), **options)


@pytest.mark.parametrize("name", U.__all__)
def test_facade(name):
    assert getattr(U, name).__doc__


# ------------------------------------------------------------------------------------------------ downloads


@pytest.fixture
def server(tmp_path):
    """A server over a folder: `(folder, address, list of what was asked for)`."""
    folder, asked = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def do_GET(self):
            asked.append(self.path)
            if self.path == "/short":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"few")
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{one.server_port}/", asked
    one.shutdown()
    one.server_close()


def test_get_file_downloads_once_and_checks(server, tmp_path):
    folder, address, asked = server
    (folder / "a.txt").write_bytes(b"hello")
    good, cache = hashlib.sha256(b"hello").hexdigest(), tmp_path / "cache"
    for _ in range(2):
        path = U.get_file(origin=address + "a.txt?x=1", file_hash=good, cache_dir=cache)
    assert path == str(cache / "datasets" / "a.txt") and open(path).read() == "hello" and len(asked) == 1
    U.get_file("a.txt", address + "a.txt", cache_dir=cache, force_download=True)
    assert len(asked) == 2
    (cache / "datasets" / "a.txt").write_text("altered")
    with pytest.warns(UserWarning, match="another checksum"):
        U.get_file("a.txt", address + "a.txt", md5_hash=hashlib.md5(b"hello").hexdigest(), cache_dir=cache)
    assert open(path).read() == "hello"


def test_get_file_keeps_nothing_that_is_wrong(server, tmp_path):
    folder, address, _ = server
    (folder / "a.txt").write_bytes(b"hello")
    with pytest.raises(CorruptArtifactError, match="expected 0000"):
        U.get_file("a.txt", address + "a.txt", file_hash="0" * 64, cache_dir=tmp_path)
    for origin, message in (
        (address + "nope", "404"),
        (address + "short", "cannot be reached"),
        ("http://127.0.0.1:9/x", "cannot be reached"),
    ):
        with pytest.raises(ConnectionError, match=message):
            U.get_file("b", origin, cache_dir=tmp_path)
    assert os.listdir(tmp_path / "datasets") == []
    for fname, origin in ((None, None), ("a/b", address), ("../b", address), ("b", "ftp://x/b"), (None, address)):
        with pytest.raises(ValueError):
            U.get_file(fname, origin, cache_dir=tmp_path)


def tar_of(*members, gz=True):
    """An archive of `(name, content)`; content may be a TarInfo type and link target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if gz else "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return out.getvalue()


def zip_of(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            if isinstance(content, bytes):
                archive.writestr(name, content)
            else:
                info = zipfile.ZipInfo(name)
                info.external_attr = 0o120777 << 16
                archive.writestr(info, content[1])
    return out.getvalue()


@pytest.mark.parametrize(
    "name, content", [("t.tar.gz", tar_of(("pkg/a.txt", b"hi"), ("./pkg/b", b""))), ("z.zip", zip_of(("pkg/a.txt", b"hi"), ("pkg/b", b"")))]
)
def test_extract(server, tmp_path, name, content):
    folder, address, asked = server
    (folder / name).write_bytes(content)
    for _ in range(2):
        path = U.get_file(name, address + name, extract=True, cache_dir=tmp_path / "c")
        assert sorted(os.listdir(os.path.join(path, "pkg"))) == ["a.txt", "b"] and path.endswith(f"{name.split('.')[0]}_extracted")
    assert len(asked) == 1 and open(os.path.join(path, "pkg", "a.txt")).read() == "hi"


LINK, HARD, DEVICE = (tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../x"), (tarfile.CHRTYPE, "")
ATTACKS = {
    "A-29 upwards": [("ok", b"1"), ("../out", b"1")],
    "A-30 long names": [("/".join(["d" * 200] * 80) + "/f", b"1")],
    "A-30 link chain": [("d" * 240, (tarfile.SYMTYPE, ".")), ("d" * 240 + "/../../out", b"1")],
    "A-31 absolute": [("/tmp/out", b"1")],
    "A-31 relative to the working directory": [("a/../../out", b"1")],
    "A-32 prefix": [("../target_other/x", b"1")],
    "A-33 hard link": [("h", HARD)],
    "A-33 link to here": [("link", (tarfile.SYMTYPE, ".")), ("link/../out", b"1")],
    "A-66 link": [("l", LINK)],
    "device": [("dev", DEVICE)],
    "backslash": [("a\\..\\out", b"1")],
    "drive": [("C:out", b"1")],
    "empty component": [("a//b", b"1")],
    "NUL and control": [("a\nb", b"1")],
    "trailing dot": [("a./b", b"1")],
    "twice": [("a", b"1"), ("a", b"2")],
    "file as directory": [("a", b"1"), ("a/b", b"2")],
    "long component": [("n" * 300, b"1")],
}


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("cwd", [".", "/"])
@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_attacks_write_nothing(name, cwd, kind, tmp_path, monkeypatch):
    members = ATTACKS[name]
    if kind == "zip" and any(content in (HARD, DEVICE) for _, content in members):
        members = [(n, LINK) for n, _ in members]  # a zip has symbolic links only
    archive, inner = tmp_path / "archive", tmp_path / "inner"
    archive.write_bytes(tar_of(*members) if kind == "tar" else zip_of(*members))
    inner.mkdir()
    monkeypatch.chdir(tmp_path if cwd == "." else cwd)
    with pytest.raises((UnsafeArtifactError, ResourceLimitError), match="nothing was unpacked"):
        unpack(str(archive), str(inner / "target"))
    assert os.listdir(inner) == [] and sorted(os.listdir(tmp_path)) == ["archive", "inner"] and not os.path.exists("/tmp/out")


def test_limits(tmp_path, monkeypatch):
    archive = tmp_path / "a"
    archive.write_bytes(tar_of(*[(str(i), b"12345678") for i in range(5)]))
    for limit, value in (("MAX_MEMBERS", 4), ("MAX_BYTES", 39)):
        with monkeypatch.context() as patch, pytest.raises(ResourceLimitError):
            patch.setattr(archives, limit, value)
            unpack(str(archive), str(tmp_path / "t"))
    unpack(str(archive), str(tmp_path / "t"))
    assert len(os.listdir(tmp_path / "t")) == 5


def test_a_member_longer_than_declared_is_refused(tmp_path):
    content = bytearray(zip_of(("a", b"x" * 1000)))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)  # the declared size in the central directory
    (tmp_path / "a").write_bytes(content)
    with pytest.raises((ResourceLimitError, CorruptArtifactError)):
        unpack(str(tmp_path / "a"), str(tmp_path / "t"))
    assert sorted(os.listdir(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    "content", [b"plain text", tar_of(("a", b"x" * 5000), gz=True)[:-40], zip_of(("a", b"1"))[:-10]], ids=["text", "short tar", "short zip"]
)
def test_broken_archives(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CorruptArtifactError):
        unpack(str(tmp_path / "a"), str(tmp_path / "t"))
    assert os.listdir(tmp_path) == ["a"]


def test_safe_components():
    assert safe_components("./a/b.txt") == ("a", "b.txt") and safe_components("a/") == ("a",)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
def test_seed_scope_seeds_a_block_and_puts_everything_back(backend):
    import torch

    import core

    def draw():
        with core.backend.use(backend):
            unseeded = core.ops.convert_to_numpy(core.random.normal((2,)))
            compiled = core.ops.convert_to_numpy(core.jit(lambda: core.random.normal((2,)))())
        return [random.random(), np.random.rand(), torch.rand(1).item(), *unseeded.tolist(), *compiled.tolist()]

    U.set_random_seed(3)
    draw()  # states exist
    U.set_random_seed(5)
    straight = [draw(), draw()]
    U.set_random_seed(5)
    found = [draw()]
    for _ in range(2):
        with U.seed_scope(7):
            inside = draw()
    found.append(draw())
    assert found == straight
    with pytest.raises(ZeroDivisionError):
        with U.seed_scope(7):
            assert draw() == inside
            raise ZeroDivisionError
    with pytest.raises(ValueError):
        with U.seed_scope(-1):
            pass
