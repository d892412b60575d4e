"""The adapter: each verb and its inverse, log-determinants against finite differences, files."""

import numpy as np
import pytest

import core
from bayes import Adapter
from bayes.adapters import transforms as T


def data():
    return {
        "a": np.arange(6.0).reshape(3, 2), "b": np.arange(3.0)[:, None] + 1, "c": np.arange(12.0).reshape(3, 4), "n": 5,
        "i": np.array([0, 1, 2]), "s": np.ones((3, 4, 1)),
    }  # fmt: skip


# verb -> (adapter, name of the result, its shape, what the inverse gives back: the names of the input, or None)
VERBS = {
    "to_array": (lambda a: a.to_array(), "n", (), ["a", "n"]),
    "as_set": (lambda a: a.as_set(["a", "c"]), "c", (3, 4, 1), ["a", "c"]),
    "as_time_series": (lambda a: a.as_time_series("s"), "s", (3, 4, 1), ["s"]),
    "broadcast": (lambda a: a.to_array().broadcast("n", to="a"), "n", (3, 1), None),
    "concatenate": (lambda a: a.concatenate(["a", "b"], into="p"), "p", (3, 3), ["a", "b"]),
    "constrain": (lambda a: a.constrain("a", lower=-1, upper=6), "a", (3, 2), ["a"]),
    "convert_dtype": (lambda a: a.convert_dtype("float64", "float32", include=["a"]), "a", (3, 2), ["a"]),
    "map_dtype": (lambda a: a.map_dtype("a", "float32"), "a", (3, 2), ["a"]),
    "drop": (lambda a: a.drop("b"), "a", (3, 2), ["a"]),
    "keep": (lambda a: a.keep(["a"]), "a", (3, 2), ["a"]),
    "expand_dims": (lambda a: a.expand_dims("a", axis=1), "a", (3, 1, 2), ["a"]),
    "squeeze": (lambda a: a.squeeze("b", axis=-1), "b", (3,), ["b"]),
    "group": (lambda a: a.group(["a", "b"], into="g").ungroup("g", prefix="g_"), "g_a", (3, 2), ["a", "b"]),
    "log": (lambda a: a.log("b"), "b", (3, 1), ["b"]),
    "log p1": (lambda a: a.log("a", p1=True), "a", (3, 2), ["a"]),
    "sqrt": (lambda a: a.sqrt("b"), "b", (3, 1), ["b"]),
    "scale": (lambda a: a.scale("a", by=[2.0, -3.0]), "a", (3, 2), ["a"]),
    "shift": (lambda a: a.shift("a", by=2.0), "a", (3, 2), ["a"]),
    "standardize": (lambda a: a.standardize("a", mean=1.0, std=2.0), "a", (3, 2), ["a"]),
    "one_hot": (lambda a: a.one_hot("i", 3), "i", (3, 3), ["i"]),
    "rename": (lambda a: a.rename("a", "z"), "z", (3, 2), ["a"]),
    "split": (lambda a: a.split("c", into=["c1", "c2"], indices_or_sections=[1]), "c2", (3, 3), ["c"]),
    "take": (lambda a: a.take("c", indices=[0, 2]), "c", (3, 2), None),
    "random_subsample": (lambda a: a.random_subsample("c", sample_size=0.5, axis=1), "c", (3, 2), None),
    "apply": (lambda a: a.apply("a", forward="exp"), "a", (3, 2), ["a"]),
    "nan_to_num": (lambda a: a.nan_to_num("a", return_mask=True), "mask_a", (3, 2), ["a"]),
}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_and_its_inverse(verb):
    build, name, shape, restored = VERBS[verb]
    adapter, before = build(Adapter()), data()
    after = adapter(before)
    assert np.shape(after[name]) == shape
    assert all(np.array_equal(before[k], data()[k]) for k in before)  # what is given is left alone
    if restored:
        back = adapter(after, inverse=True)
        assert all(np.allclose(back[k], data()[k], atol=1e-6) for k in restored)
    again = Adapter.from_config(core.tree.map_structure(lambda v: v, adapter.get_config()))
    assert repr(again) == repr(adapter) and again == adapter
    if verb != "random_subsample":
        assert np.array_equal(again(data())[name], after[name])
    assert Adapter(adapter.transforms)({"unknown": 1}, strict=False) is not None or verb == "keep"


JACOBIANS = {
    "log": (lambda a: a.log("a"), (0.5, 3.0)),
    "log p1": (lambda a: a.log("a", p1=True), (0.5, 3.0)),
    "sqrt": (lambda a: a.sqrt("a"), (0.5, 3.0)),
    "scale": (lambda a: a.scale("a", by=[2.0, -3.0]), (-1.0, 1.0)),
    "standardize": (lambda a: a.standardize("a", mean=1.0, std=[2.0, 0.5]), (-1.0, 1.0)),
    "shift": (lambda a: a.shift("a", by=1.0), (-1.0, 1.0)),
    "box": (lambda a: a.constrain("a", lower=-1.0, upper=[2.0, 5.0]), (-0.9, 1.9)),
    "above": (lambda a: a.constrain("a", lower=-1.0), (-0.9, 9.0)),
    "below": (lambda a: a.constrain("a", upper=4.0), (-9.0, 3.9)),
    "above, exp": (lambda a: a.constrain("a", lower=-1.0, method="exp"), (-0.9, 9.0)),
    "below, exp": (lambda a: a.constrain("a", upper=4.0, method="exp"), (-9.0, 3.9)),
    "one axis each": (lambda a: a.constrain("a", lower=[0.0, -np.inf], upper=[1.0, np.inf]), (0.1, 0.9)),
    "joined": (lambda a: a.log("a").scale("a", by=3.0).concatenate(["a", "b"], into="p"), (0.5, 3.0)),
    "renamed": (lambda a: a.sqrt("a").rename("a", "z"), (0.5, 3.0)),
}


@pytest.mark.parametrize("name", JACOBIANS)
def test_log_determinants_against_finite_differences(name):
    build, (low, high) = JACOBIANS[name]
    adapter, rng = build(Adapter()), np.random.default_rng(0)
    x, step = rng.uniform(low, high, (5, 2)), 1e-6
    after, log_det = adapter({"a": x, "b": np.ones((5, 1))}, log_det_jac=True)
    key = next(k for k in ("p", "z", "a") if k in after)
    at = lambda a: adapter({"a": a, "b": np.ones((5, 1))})[key]  # noqa: E731
    slopes = [(at(x + step * e) - at(x - step * e))[:, i] / (2 * step) for i, e in enumerate(np.eye(2))]
    expected = np.log(np.abs(slopes)).sum(axis=0)
    assert np.allclose(sum(log_det.values(), np.zeros(5)), expected, atol=1e-5)
    back, inverse = adapter(after, inverse=True, log_det_jac=True)
    assert np.allclose(back["a"], x) and np.allclose(sum(inverse.values(), np.zeros(5)), -expected, atol=1e-5)


@pytest.mark.parametrize("bounds", [{"lower": 0.0}, {"upper": 0.0}, {"lower": 0.0, "upper": 1.0}, {"lower": 0.0, "method": "exp"}])
def test_constrain_holds_at_the_edges(bounds):
    constrain = T.Constrain(**bounds)
    edges = np.array([[v] for v in bounds.values() if not isinstance(v, str)])
    assert np.all(np.isfinite(constrain.forward(edges)))
    far = constrain.inverse(np.array([[-1e3], [-40.0], [40.0], [500.0]]))
    assert np.all(far >= bounds.get("lower", -np.inf)) and np.all(far <= bounds.get("upper", np.inf)) and np.all(np.isfinite(far))
    if "upper" not in bounds and "method" not in bounds:  # log(exp(x) - 1) overflows here
        assert abs(constrain.log_det_jac(np.array([[1000.0]]))[0]) < 1e-9


def test_samples_with_a_further_axis_come_back():
    adapter = Adapter().constrain("b", lower=0).concatenate(["a", "b"], into="inference_variables")
    adapter(data())
    back = adapter({"inference_variables": np.zeros((3, 7, 3))}, inverse=True)
    assert back["a"].shape == (3, 7, 2) and back["b"].shape == (3, 7, 1) and np.all(back["b"] > 0)


def test_missing_values_become_a_mask_and_come_back():
    adapter = Adapter().nan_to_num("a", default_value=-1.0, return_mask=True)
    after = adapter({"a": np.array([[np.nan, 1.0]])})
    assert after["a"].tolist() == [[-1.0, 1.0]] and after["mask_a"].tolist() == [[0, 1]]
    assert np.isnan(adapter(after, inverse=True)["a"][0, 0])


def test_tables_become_dicts():
    import pandas as pd

    table = pd.DataFrame({"q": [1.0, 2.0], "w": pd.Categorical(["x", "y"])})
    assert {k: v.tolist() for k, v in Adapter().to_dict()(table).items()} == {"q": [[1.0], [2.0]], "w": [[0], [1]]}


def test_an_adapter_is_a_sequence():
    adapter = Adapter().to_array().log("b").concatenate(["a", "b"], into="p")
    assert len(adapter) == 3 and isinstance(adapter[1], T.MapTransform) and len(adapter[:2]) == 2
    assert repr(adapter) == "Adapter([0: ToArray -> 1: Log('b') -> 2: Concatenate(['a', 'b'] -> 'p')])"
    adapter.insert(0, T.Drop(["c"]))
    del adapter[1]
    assert [type(t).__name__ for t in adapter] == ["Drop", "MapTransform", "Concatenate"]
    assert len(Adapter().extend(adapter).clear()) == 0
    assert repr(Adapter.create_default(["x", "y"])).endswith("Concatenate(['x', 'y'] -> 'inference_variables')])")


ERRORS = {
    "missing": (lambda: Adapter().log("zz")(data()), KeyError, "zz"),
    "missing to join": (lambda: Adapter().concatenate(["a", "zz"], into="p")(data()), KeyError, "it has"),
    "shapes": (lambda: Adapter().concatenate(["a", "s"], into="p")(data()), ValueError, "other axes must agree"),
    "inverse too soon": (
        lambda: Adapter().concatenate(["a", "b"], into="p")({"p": np.zeros((3, 3))}, inverse=True), ValueError, "must have seen data",
    ),
    "no bound": (lambda: Adapter().constrain("a"), ValueError, "needs a lower bound"),
    "bounds": (lambda: Adapter().constrain("a", lower=1, upper=1), ValueError, "below"),
    "outside": (lambda: Adapter().constrain("a", lower=1, upper=4)(data()), ValueError, "got 0 and 1 more"),
    "sigmoid": (lambda: Adapter().constrain("a", lower=1, method="sigmoid"), ValueError, "two bounds"),
    "classes": (lambda: Adapter().one_hot("i", 2)(data()), ValueError, "0 to 1"),
    "twice": (lambda: Adapter().drop(["a", "a"]), ValueError, "twice"),
    "not a transform": (lambda: Adapter([3]), TypeError, "Transform"),
    "ufunc": (lambda: Adapter().apply("a", forward="floor"), ValueError, "inverse"),
    "no log-det": (lambda: Adapter().apply("a", forward="exp")(data(), log_det_jac=True), ValueError, "no log-determinant"),
    "parts": (lambda: Adapter().split("c", into=["x"], indices_or_sections=[1]), ValueError, "2 parts"),
    "std": (lambda: Adapter().standardize("a", mean=0, std=0), ValueError, "positive"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_teach(name):
    call, error, match = ERRORS[name]
    with pytest.raises(error, match=match):
        call()


def test_a_config_cannot_name_other_classes():
    config = Adapter().to_array().get_config()
    text = core.tree.map_structure(lambda v: v, config)
    text["transforms"][0]["config"]["transform_constructor"]["registered_name"] = "bayes>Drop"
    with pytest.raises(core.saving.UnsafeArtifactError):
        Adapter.from_config(text)
