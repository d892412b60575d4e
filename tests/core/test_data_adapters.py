"""Every kind of data, under every backend, gives the batches that NumPy slicing gives."""

import numpy as np
import pandas as pd
import pytest

from core.backend import get
from core.training.data import ArrayDataset, PyDataset, adapter, check_labels, split_arrays
from core.training.data.source import permutation
from core.utils import timeseries_dataset_from_array

BACKENDS = ("numpy", "torch", "jax", "tensorflow")
X = np.arange(30, dtype="float32").reshape(10, 3)
Y = np.arange(10)


class Batches(PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[3 * index : 3 * index + 3], Y[3 * index : 3 * index + 3]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def pairs():
    for i in range(4):
        yield X[3 * i : 3 * i + 3], Y[3 * i : 3 * i + 3]


class Reiterable:
    def __iter__(self):
        return pairs()


def torch_loader():
    import torch

    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=3)


def torch_dataset():
    import torch

    return torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))


def tf_dataset():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(3)


def tensors_of(name):
    return lambda: (get(name).convert_to_tensor(X), get(name).convert_to_tensor(Y))


ARRAYS = {
    "numpy": lambda: (X, Y),
    "float64": lambda: (X.astype("float64"), Y),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "pandas": lambda: (pd.DataFrame(X), Y),
    **{f"{name} tensors": tensors_of(name) for name in ("torch", "jax", "tensorflow")},
}
DATASETS = {
    "generator": pairs, "iterable": Reiterable, "loader": torch_loader, "torch dataset": torch_dataset, "tf.data": tf_dataset,
    "PyDataset": Batches,
    "threads": lambda: Batches(workers=3, max_queue_size=2), "processes": lambda: Batches(workers=2, use_multiprocessing=True),
}  # fmt: skip


def values(batch, backend):
    return [None if part is None else get(backend).convert_to_numpy(part) for part in batch]


def check(source, backend, rows=3):
    batches = list(source.batches(0))
    assert [len(b) for b in batches] == [2] * len(batches)
    for i, batch in enumerate(batches):
        x, y = values(batch, backend)
        np.testing.assert_array_equal(x, X[rows * i : rows * i + rows])
        np.testing.assert_array_equal(y, Y[rows * i : rows * i + rows])
        assert x.dtype == "float32" and y.dtype.kind == "i"
        assert all(isinstance(part, get(backend).tensor_types or np.ndarray) for part in batch)
    assert len(batches) == -(-10 // rows)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(kind, backend):
    x, y = ARRAYS[kind]()
    source = adapter(x, y, batch_size=3, backend=backend, native=True)
    check(source, backend)
    assert source.num_batches == 4 and source.has_partial_batch and source.batch_size == 3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", DATASETS)
def test_datasets(kind, backend):
    source = adapter(DATASETS[kind](), batch_size=3, backend=backend, native=True)
    first = values(source.peek(), backend)[0]
    np.testing.assert_array_equal(first, X[:3])
    check(source, backend)


def test_jax_takes_numpy_batches_unless_asked():
    assert isinstance(next(iter(adapter(X, Y, backend="jax").batches(0)))[0], np.ndarray)


def test_shuffling_is_the_same_on_every_backend_and_new_in_each_pass():
    orders = {}
    for backend in BACKENDS:
        source = adapter(X, Y, batch_size=3, shuffle=True, seed=7, backend=backend, native=True)
        orders[backend] = [np.concatenate([values(b, backend)[1] for b in source.batches(epoch)]).tolist() for epoch in range(2)]
        for epoch in range(2):
            assert sorted(orders[backend][epoch]) == Y.tolist()
            x = np.concatenate([values(b, backend)[0] for b in source.batches(epoch)])
            np.testing.assert_array_equal(x, X[orders[backend][epoch]])
    assert len({str(order) for order in orders.values()}) == 1
    assert orders["numpy"][0] == permutation(7, 0, 10).tolist() != orders["numpy"][1]


def test_shuffle_batch_moves_whole_batches():
    source = adapter(X, Y, batch_size=3, shuffle="batch", seed=3, backend="numpy")
    batches = [b[1].tolist() for b in source.batches(0)]
    assert sorted(batches[:3]) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]] and batches[3] == [9]


def test_pydataset_shuffle_moves_batches_and_hooks_are_told():
    dataset = Batches()
    source = adapter(dataset, shuffle=True, seed=0, backend="numpy")
    firsts = [int(b[1][0]) for b in source.batches(0)]
    assert sorted(firsts) == [0, 3, 6, 9] and firsts == [3 * i for i in permutation(0, 0, 4)]
    source.on_epoch_begin()
    source.on_epoch_end()
    assert dataset.calls == ["begin", "end"]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [lambda: (X, Y), Reiterable])
def test_stacked_packs_are_the_same_batches(make, backend, k):
    data = make()
    source = adapter(*(data if isinstance(data, tuple) else (data,)), batch_size=3, backend=backend, native=True)
    flat = [values(b, backend) for b in source.batches(0)]
    unpacked, counts = [], []
    for count, batch in source.stacked(0, k):
        x, y = values(batch, backend)
        counts.append(count)
        unpacked += [(x, y)] if count == 1 else list(zip(x, y))
    assert max(counts) == k and sum(counts) == 4 and counts == sorted(counts, reverse=True)
    for (x, y), (want_x, want_y) in zip(unpacked, flat):
        np.testing.assert_array_equal(x, want_x)
        np.testing.assert_array_equal(y, want_y)


@pytest.mark.parametrize("make", [lambda: (X, Y), lambda: (Reiterable(),), lambda: (Batches(),)])
def test_epochs_of_steps_go_on_in_training_and_begin_anew_in_evaluation(make):
    training = adapter(*make(), batch_size=3, steps=3, repeat=True, backend="numpy")
    assert [[int(b[1][0]) for b in training.batches(epoch)] for epoch in range(3)] == [[0, 3, 6], [9, 0, 3], [6, 9, 0]]
    evaluation = adapter(*make(), batch_size=3, steps=3, backend="numpy")
    assert [[int(b[1][0]) for b in evaluation.batches(epoch)] for epoch in range(2)] == [[0, 3, 6]] * 2
    assert training.num_batches == evaluation.num_batches == 3


def test_an_epoch_can_be_entered_in_its_middle():
    source = adapter(X, Y, batch_size=3, shuffle=True, seed=1, backend="numpy")
    whole = [b[1].tolist() for b in source.batches(1)]
    assert [b[1].tolist() for b in source.batches(1, start=2)] == whole[2:]


def test_endless_sources_need_steps():
    class Endless(Batches):
        num_batches = None

        def __getitem__(self, index):
            return np.full((1,), index)

    source = adapter(Endless(), steps=3, repeat=True, backend="numpy")
    assert [[int(b[0][0]) for b in source.batches(e)] for e in range(2)] == [[0, 1, 2], [3, 4, 5]]
    counter = adapter((np.full((1,), i) for i in iter(int, 1)), steps=2, backend="numpy")
    assert len(list(counter.batches(0))) == 2 and counter.num_batches == 2


def test_structures():
    x = {"a": X, "b": [X[:, 0], X[:, 1:]]}
    batch = next(iter(adapter(x, (Y, Y), batch_size=4, backend="torch").batches(0)))
    assert set(batch[0]) == {"a", "b"} and tuple(batch[0]["b"][1].shape) == (4, 2) and len(batch[1]) == 2
    assert len(next(iter(adapter([X, X], backend="numpy").batches(0)))) == 1
    dataset = adapter(ArrayDataset((X, Y)), batch_size=3, backend="numpy")
    check(dataset, "numpy")


def test_sparse_rows_become_dense_by_the_chunk():
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(X)
    source = adapter(sparse, Y, batch_size=3, shuffle=True, seed=2, backend="numpy")
    np.testing.assert_array_equal(np.concatenate([b[0] for b in source.batches(0)]), X[permutation(2, 0, 10)])


CLASS_WEIGHT = {0: 2.0, 1: 3.0}


@pytest.mark.parametrize(
    "y", [np.array([0, 1, 2, 1]), np.array([[0], [1], [2], [1]]), np.eye(3)[[0, 1, 2, 1]]], ids=["ints", "column", "one-hot"]
)
@pytest.mark.parametrize("as_generator", [False, True])
def test_class_weight(y, as_generator):
    x, weight = np.zeros((4, 1)), np.array([1.0, 0.5, 1.0, 1.0])
    for given, want in ((None, [2, 3, 1, 3]), (weight, [2, 1.5, 1, 3])):
        batch = (x, y) if given is None else (x, y, given)
        data = (iter([batch]),) if as_generator else batch
        got = next(iter(adapter(*data, class_weight=CLASS_WEIGHT, backend="torch").batches(0)))[2]
        np.testing.assert_array_equal(got.numpy(), want)
        assert got.numpy().dtype == "float32"


ERRORS = {
    "lengths": (lambda: adapter(X, Y[:9], np.ones(8)), r"x has 10, y has 9, sample_weight has 8"),
    "nested lengths": (lambda: adapter({"a": X, "b": X[:3]}), r"x\['a'\] has 10, x\['b'\] has 3"),
    "empty": (lambda: adapter(X[:0], Y[:0]), "empty"),
    "scalar": (lambda: adapter(np.float32(1)), "scalar"),
    "empty generator": (lambda: list(adapter(iter(())).batches(0)), "empty"),
    "empty PyDataset": (lambda: adapter(type("E", (Batches,), {"__len__": lambda self: 0})()), "empty"),
    "unknown": (lambda: adapter(object()), "tf.data.Dataset"),
    "text": (lambda: adapter("data.csv"), "not understood"),
    "y with dataset": (lambda: adapter(Batches(), Y), "y was given next to a dataset"),
    "weights with dataset": (lambda: adapter(pairs(), sample_weight=Y), "sample_weight was given"),
    "batch_size": (lambda: adapter(X, batch_size=0), "batch_size"),
    "steps": (lambda: adapter(X, steps=0), "steps"),
    "class_weight": (lambda: adapter(X, Y, class_weight=[1, 2]), "class_weight"),
    "class_weight of several": (lambda: adapter(X, [Y, Y], class_weight={0: 1.0}), "sample_weight"),
    "four parts": (lambda: next(iter(adapter(iter([(1, 2, 3, 4)])).batches(0))), "4 parts"),
    "split of a dataset": (lambda: split_arrays(Batches(), None, None, 0.2), "split_dataset"),
    "split of all": (lambda: split_arrays(X, Y, None, 1.0), "between 0 and 1"),
    "split of one": (lambda: split_arrays(X[:1], Y[:1], None, 0.5), "leaves one part empty"),
    "NaN labels": (lambda: check_labels(np.array([0.0, np.nan, 1.0])), "row 1"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    call, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_check_labels_lets_measurements_and_integers_pass():
    check_labels({"a": np.array([0.5, np.nan]), "b": Y})
    check_labels(None)


def test_split_arrays_keeps_the_last_part():
    (x, y, w), (x_val, y_val, w_val) = split_arrays({"a": X}, Y.tolist(), None, 0.25)
    assert w is w_val is None and y.tolist() == Y[:7].tolist()
    np.testing.assert_array_equal(x_val["a"], X[7:])
    assert y_val.tolist() == [7, 8, 9]


def test_a_dead_worker_process_is_explained():
    class Dies(Batches):
        def __getitem__(self, index):
            import os

            os._exit(1)

    with pytest.raises(RuntimeError, match="worker process"):
        list(adapter(Dies(workers=1, use_multiprocessing=True), backend="numpy").batches(0))


def test_windows_of_a_series():
    for shuffle in (False, True):
        batches = timeseries_dataset_from_array(
            np.arange(12), np.arange(12) * 10, 3, 2, 2, batch_size=2, shuffle=shuffle, seed=1, format="numpy"
        )
        got = {tuple(w): int(t) for i in range(len(batches)) for w, t in zip(*batches[i])}
        assert got == {(s, s + 2, s + 4): 10 * s for s in range(0, 8, 2)}
    tf_batches = list(timeseries_dataset_from_array(np.arange(5), None, 3, batch_size=2))
    assert np.concatenate([b.numpy() for b in tf_batches]).tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
