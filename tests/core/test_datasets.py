"""Datasets: the bundled one by value, the downloaded ones over files of their published form, served on loopback."""

import gzip
import hashlib
import http.server
import io
import pathlib
import tarfile
import threading

import numpy as np
import pytest

from core import datasets
from core.base.errors import CorruptArtifactError
from core.datasets import boston_housing, california_housing, cifar10, cifar100, digits, fashion_mnist, mnist


def test_digits_are_those_of_scikit_learn():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (
        x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8) and x_train.dtype == y_train.dtype == "uint8" and x_train.max() == 16
    )
    reference = pytest.importorskip("sklearn.datasets").load_digits()
    ours = sorted((x.tobytes(), int(y)) for x, y in zip(np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])))
    assert ours == sorted((x.astype("uint8").tobytes(), int(y)) for x, y in zip(reference.images, reference.target))
    shares = np.bincount(y_test) / np.bincount(np.concatenate([y_train, y_test]))
    assert abs(shares - 0.2).max() < 0.006
    again = digits.load_data()[1][0]
    np.testing.assert_array_equal(again, x_test)
    assert "CC BY 4.0" in pathlib.Path(digits.__file__).with_name("digits.txt").read_text()


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Puts files on a server that stands for the published places: `served(name, content)`."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("CORE_HOME", str(tmp_path / "home"))
    for module in (mnist, fashion_mnist, boston_housing, california_housing):
        monkeypatch.setattr(module, "BASE", address)
    for module in (cifar10, cifar100):
        monkeypatch.setattr(module, "ORIGIN", address)
    yield lambda name, content: (folder / name).write_bytes(content)
    server.shutdown()
    server.server_close()


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def test_mnist(served, monkeypatch):
    arrays = {
        "x_train": np.zeros((6, 28, 28), "uint8"),
        "y_train": np.arange(6),
        "x_test": np.ones((2, 28, 28), "uint8"),
        "y_test": np.arange(2),
    }
    content = npz(**arrays)
    served("mnist.npz", content)
    with pytest.raises(CorruptArtifactError, match="expected 731c5ac6"):
        mnist.load_data()  # what is served is not the published file
    monkeypatch.setattr(mnist, "SHA256", hashlib.sha256(content).hexdigest())
    (x_train, y_train), (x_test, _) = mnist.load_data()
    assert x_train.shape == (6, 28, 28) and y_train.tolist() == list(range(6)) and x_test.all()


def test_no_pickle_is_loaded(served, monkeypatch):
    content = npz(x=np.array([print], dtype=object), y=np.arange(1))
    served("california_housing.npz", content)
    with pytest.raises(CorruptArtifactError, match="cannot be read as arrays"):
        california_housing.load_data()


def test_housing(served):
    x, y = np.arange(2000.0).reshape(1000, 2), np.arange(1000.0)
    served("california_housing.npz", npz(x=x, y=y))
    served("boston_housing.npz", npz(x=x, y=y))
    for parts, rows in (
        (california_housing.load_data(), 1000),
        (california_housing.load_data("small"), 600),
        (boston_housing.load_data(), 1000),
    ):
        (a, b), (c, d) = parts
        assert (len(a), len(c)) == (rows * 8 // 10, rows * 2 // 10)
        np.testing.assert_array_equal(a[:, 0], 2 * b)
        np.testing.assert_array_equal(np.sort(np.concatenate([b, d])), y[:rows])


def test_fashion_mnist(served):
    images = np.arange(2 * 28 * 28, dtype=np.uint32).astype("uint8").reshape(2, 28, 28)
    for part in ("train", "t10k"):
        served(f"{part}-images-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x03" + np.array([2, 28, 28], ">u4").tobytes() + images.tobytes()))
        served(f"{part}-labels-idx1-ubyte.gz", gzip.compress(b"\0\0\x08\x01" + np.array([2], ">u4").tobytes() + b"\x03\x07"))
    (x, y), (x_test, _) = fashion_mnist.load_data()
    np.testing.assert_array_equal(x, images)
    assert y.tolist() == [3, 7] and x_test.shape == (2, 28, 28)


def records(labels, count, seed):
    rows = np.random.default_rng(seed).integers(0, 10, (count, labels + 3072)).astype("uint8")
    return rows, rows.tobytes()


def tar(folder, **files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}.bin")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def any_hash(monkeypatch):
    """The published checksums do not hold for what these tests serve."""
    for module in (cifar10, cifar100):
        real = module.get_file
        monkeypatch.setattr(module, "get_file", lambda *args, file_hash=None, real=real, **options: real(*args, **options))


def test_cifar(served, any_hash):
    rows, content = records(1, 3, 0)
    served("cifar-10-binary.tar.gz", tar("cifar-10-batches-bin", test_batch=content, **{f"data_batch_{i}": content for i in range(1, 6)}))
    (x, y), (x_test, y_test) = cifar10.load_data()
    assert x.shape == (15, 32, 32, 3) and y.shape == (15, 1) and x_test.shape == (3, 32, 32, 3)
    assert x_test[1, 2, 3].tolist() == rows[1, [1 + 2 * 32 + 3, 1 + 1024 + 2 * 32 + 3, 1 + 2048 + 2 * 32 + 3]].tolist()
    np.testing.assert_array_equal(y_test[:, 0], rows[:, 0])
    rows, content = records(2, 2, 1)
    served("cifar-100-binary.tar.gz", tar("cifar-100-binary", train=content, test=content))
    for mode, column in (("coarse", 0), ("fine", 1)):
        np.testing.assert_array_equal(cifar100.load_data(mode)[0][1][:, 0], rows[:, column])
    with pytest.raises(ValueError, match="label_mode"):
        cifar100.load_data("x")


@pytest.mark.parametrize("name", datasets.__all__)
def test_every_dataset_is_told_about(name):
    module = getattr(datasets, name)
    assert module.__doc__ and module.load_data.__doc__
