"""Files of Keras 3.15 load here and ours load there: same predictions, weights and optimizer state."""

import importlib
import json
import os
import pathlib
import pkgutil
import subprocess
import sys

import file_zoo
import numpy as np
import pytest

import core
import core.testing.samples
from core.backend import slot

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]


def run(backend: str, action: str, folder, *names: str) -> None:
    """A run of `file_zoo` in a process of Keras'."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "file_zoo.py"), action, "keras", str(folder), *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torch")
    run("torch", "write", folder)
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Our files, and what Keras on PyTorch saw in them."""
    folder = tmp_path_factory.mktemp("ours")
    with slot.use("torch"):
        file_zoo.write(core, folder)
    run("torch", "read", folder)
    return folder


def load_all(folder, backend, names):
    with slot.use(backend):
        failures = file_zoo.read(core, folder, names)
    return failures, {n: d for n in names if n not in failures and (d := file_zoo.differences(folder, n))}


@pytest.mark.parametrize("name", file_zoo.ZOO)
def test_a_file_of_keras_loads_here(theirs, name):
    assert load_all(theirs, "torch", [name]) == ({}, {})


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_a_file_of_keras_on_torch_loads_on_other_backends(theirs, backend):
    assert load_all(theirs, backend, ["conv", "recurrent", "graph_ops", "subclassed"]) == ({}, {})


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_file_of_keras_on_tensorflow_loads_here(tmp_path_factory, backend):
    folder = tmp_path_factory.getbasetemp() / "tensorflow"
    if not folder.exists():
        folder.mkdir()
        run("tensorflow", "write", folder, "conv", "recurrent")
    assert load_all(folder, backend, ["conv", "recurrent"]) == ({}, {})


@pytest.mark.parametrize("name", file_zoo.ZOO)
def test_our_file_loads_in_keras(ours, name):
    failures = json.loads((ours / "failures.json").read_text())
    assert name not in failures, failures[name]
    assert not file_zoo.differences(ours, name)


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_our_file_loads_on_every_backend(ours, backend):
    assert load_all(ours, backend, ["conv", "recurrent", "subclassed"]) == ({}, {})


def test_numpy_predicts_what_another_backend_trained(ours):
    with slot.use("numpy"):
        model = core.saving.load_model(ours / "conv.keras", compile=False)
        inputs = np.random.default_rng(7).normal(size=(8, 8, 8, 1)).astype("float32")
        with np.load(ours / "conv.npz") as wrote:
            np.testing.assert_allclose(np.asarray(model(inputs)), wrote["prediction/0"], rtol=1e-4, atol=1e-5)


def test_layers_and_weights_have_the_order_of_keras(tmp_path):
    run("torch", "orders", tmp_path / "orders.json")
    expected = json.loads((tmp_path / "orders.json").read_text())
    with slot.use("torch"):
        assert json.loads(json.dumps(file_zoo.orders(core))) == expected


# What Keras 3.15 cannot load of ops that it has too; the reason beside it.
UNKNOWN_TO_KERAS = {
    **dict.fromkeys(("bincount", "trapezoid", "histogram"), "their symbolic forms take no second tensor"),
    **dict.fromkeys(
        ("get_item", "heaviside", "batch_normalization", "array_split", "hstack", "where"), "some samples: no symbolic call there"
    ),
    **dict.fromkeys(
        ("adaptive_average_pool", "adaptive_max_pool", "conv", "rearrange"), "some samples: groups, one int for all axes, (...)"
    ),
    **dict.fromkeys(
        ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"), "samples with a reduction, ours alone"
    ),
    **dict.fromkeys(("clip", "stft"), "samples with a symbolic bound or window"),
}


def op_graphs() -> dict[str, dict]:
    """A functional model's config for each sample of each op that takes symbolic tensors."""
    found = {}
    for module in pkgutil.iter_modules(core.testing.samples.__path__):
        if module.name in ("random", "control"):  # seeds and functions among the arguments
            continue
        for name, samples in importlib.import_module(f"core.testing.samples.{module.name}").SAMPLES.items():
            function = getattr(core.ops, name)
            for number, sample in enumerate(samples if sample_is_symbolic(samples) else ()):
                inputs = []

                def symbolic(value, inputs=inputs):
                    if isinstance(value, np.ndarray) and value.ndim:
                        inputs.append(core.Input(batch_shape=value.shape, dtype=value.dtype.name))
                        return inputs[-1]
                    return type(value)(map(symbolic, value)) if isinstance(value, (list, tuple)) else value

                args, kwargs = symbolic(tuple(sample.args)), {k: symbolic(v) for k, v in sample.kwargs.items()}
                if inputs and sample.symbolic:
                    try:
                        outputs = function(*args, **kwargs)
                    except TypeError:  # needs the values of an argument
                        continue
                    found[f"{name}/{number}"] = json.loads(json.dumps(core.Model(inputs, outputs).get_config()))
    return found


def sample_is_symbolic(samples) -> bool:
    return any(sample.symbolic for sample in samples)


@pytest.fixture(scope="module")
def graphs():
    with slot.use("torch"):
        return op_graphs()


def test_every_op_comes_back_from_its_config(graphs):
    assert len(graphs) > 700
    for key, entry in graphs.items():
        again = json.loads(json.dumps(core.models.Functional.from_config(entry).get_config()))
        assert again == entry, key


def test_keras_makes_the_same_graphs_of_our_op_configs(graphs, tmp_path):
    file = tmp_path / "graphs.json"
    file.write_text(json.dumps(graphs))
    run("torch", "configs", file)
    failures = json.loads(file.with_suffix(".failures").read_text())
    failed = {key.partition("/")[0]: reason for key, reason in failures.items()}
    assert failed.keys() == UNKNOWN_TO_KERAS.keys(), {k: v[:300] for k, v in failed.items() if k not in UNKNOWN_TO_KERAS}
