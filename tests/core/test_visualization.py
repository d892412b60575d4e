"""Drawings of models: the DOT text, and files."""

import re
import shutil

import pytest

import core
from core import layers
from core.utils import get_source_inputs, model_to_dot, plot_model

graphviz = pytest.importorskip("graphviz", reason="the extra `plot` is not installed")


@pytest.fixture(autouse=True)
def _numpy():
    core.config.set_backend("numpy")


def nested():
    first = layers.Dense(3, activation="relu", name="first")
    inner = core.Sequential([core.Input((4,)), first, layers.Dense(2, name="second")], name="inner")
    x = core.Input((4,), name="x")
    return core.Model(x, layers.Add(name="add")([inner(x), layers.Dense(2, name="skip")(x)]) * 2, name="outer")


def edges(dot) -> set[tuple[str, str]]:
    """Arrows between the names in the boxes."""
    names = dict(re.findall(r"(box\d+) \[.*?<b>(.*?)</b>", dot.source))
    return {(names[a], names[b]) for a, b in re.findall(r"(box\d+) -> (box\d+)", dot.source)}


def test_arrows_of_a_functional_model():
    want = {("x", "inner"), ("x", "skip"), ("inner", "add"), ("skip", "add"), ("add", "multiply")}
    assert edges(model_to_dot(nested())) == want


def test_models_inside_are_frames_where_expanded():
    dot = model_to_dot(nested(), expand_nested=True)
    arrows = edges(dot)
    assert {("first", "second"), ("second", "add"), ("x", "skip")} < arrows and not any("inner" in arrow for arrow in arrows)
    assert "label=<inner>" in dot.source and dot.source.count("subgraph") == 1


def test_a_sequential_model_is_a_chain_and_a_shared_layer_one_box():
    model = core.Sequential([core.Input((4,), name="in"), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert edges(model_to_dot(model)) == {("in", "a"), ("a", "b")}
    x, y, shared = core.Input((4,), name="x"), core.Input((4,), name="y"), layers.Dense(2, name="shared")
    dot = model_to_dot(core.Model([x, y], layers.Concatenate(name="join")([shared(x), shared(y)])))
    assert edges(dot) == {("x", "shared"), ("y", "shared"), ("shared", "join")} and dot.source.count("<b>shared</b>") == 1


def test_outputs_of_an_expanded_model_leave_from_their_own_boxes():
    x = core.Input((4,), name="x")
    two = core.Model(x, [layers.Dense(2, name="left")(x), layers.Dense(2, name="right")(x)], name="two")
    z = core.Input((4,), name="z")
    left, right = two(z)
    arrows = edges(model_to_dot(core.Model(z, [layers.ReLU(name="l")(left), layers.ReLU(name="r")(right)]), expand_nested=True))
    assert {("left", "l"), ("right", "r")} < arrows and ("left", "r") not in arrows


def test_what_boxes_tell():
    model = nested()
    model.get_layer("skip").trainable = False
    plain = model_to_dot(model, show_layer_names=False).source
    assert "<b>Dense</b>" in plain and "skip" not in plain and "(None, 4)" not in plain
    everything = dict(show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True)
    full = model_to_dot(model.get_layer("inner"), **everything).source
    for text in ("<b>first</b> (Dense)", "activation: relu", "input: (None, 4)", "output: (None, 3)", "dtype: float32", ">trainable<"):
        assert text in full
    assert "not trainable" in model_to_dot(model, show_trainable=True).source
    assert "rankdir=LR" in model_to_dot(model, rankdir="LR").source and model_to_dot(model, subgraph=True).name == "cluster_outer"


def test_a_subclassed_model_is_one_box_and_names_are_escaped():
    class Plain(core.Model):
        def __init__(self):
            super().__init__(name="a<b>&c")
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Plain()
    with pytest.raises(ValueError, match="not built"):
        model_to_dot(model)
    model(core.ops.ones((1, 3)))
    source = model_to_dot(model, show_shapes=True, show_dtype=True, show_trainable=True).source
    assert source.count("<table") == 1 and "a&lt;b&gt;&amp;c" in source and "Plain" in source


def test_plot_model_writes_text_and_drawings(tmp_path):
    model = nested()
    plot_model(model, tmp_path / "model.dot", show_layer_names=True)
    assert (tmp_path / "model.dot").read_text() == model_to_dot(model).source
    with pytest.raises(ValueError, match="ending"):
        plot_model(model, tmp_path / "model")
    if shutil.which("dot"):
        plot_model(model, tmp_path / "model.svg")
        assert "<svg" in (tmp_path / "model.svg").read_text()
    else:
        with pytest.raises(ImportError, match="apt install graphviz"):
            plot_model(model, tmp_path / "model.svg")


def test_unknown_arguments_and_a_missing_package(monkeypatch):
    with pytest.raises(TypeError, match="show_shape"):
        model_to_dot(nested(), show_shape=True)
    monkeypatch.setitem(__import__("sys").modules, "graphviz", None)
    with pytest.raises(ImportError, match="pip install graphviz"):
        model_to_dot(nested())


def test_get_source_inputs():
    x, y = core.Input((3,)), core.Input((3,))
    found = get_source_inputs(layers.Dense(2)(x) + core.ops.sum(y, -1, keepdims=True) + core.ops.mean(x))
    assert {id(one) for one in found} == {id(x), id(y)} and len(found) == 2
    assert get_source_inputs(x)[0] is x
    with pytest.raises(ValueError, match="symbolic"):
        get_source_inputs(3)
