"""The registry: what is registered or given can be loaded, and nothing else."""

import json

import numpy as np
import pytest

import core
from core.backend import slot
from core.base.errors import ConfigError, UnsafeArtifactError
from core.saving import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)


@pytest.fixture(autouse=True)
def _clean():
    """Tests leave no registered names behind."""
    before = dict(get_custom_objects())
    with slot.use("numpy"):
        yield
    get_custom_objects().clear()
    get_custom_objects().update(before)


class Doubling(core.layers.Layer):
    def __init__(self, factor=2, sizes=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.factor, self.sizes = factor, sizes

    def call(self, inputs):
        return inputs * self.factor


def tripled(x):
    return 3 * x


def through_json(obj):
    return json.loads(json.dumps(serialize_keras_object(obj)))


def test_a_decorated_class_comes_back():
    registered = register_keras_serializable("lab")(Doubling)
    assert registered is Doubling and get_registered_name(Doubling) == "lab>Doubling" and get_registered_object("lab>Doubling") is Doubling
    config = through_json(Doubling(factor=5, name="x"))
    assert (config["module"], config["class_name"], config["registered_name"]) == (None, "Doubling", "lab>Doubling")
    again = deserialize_keras_object(config)
    assert type(again) is Doubling and (again.factor, list(again.sizes), again.name) == (5, [1, 2], "x")


@pytest.mark.parametrize("key", ["Doubling", "Custom>Doubling"])
def test_custom_objects_by_argument_and_by_scope(key):
    config = through_json(Doubling(factor=7))
    config["registered_name"] = key
    with pytest.raises(UnsafeArtifactError):
        deserialize_keras_object(config)
    assert deserialize_keras_object(config, custom_objects={key: Doubling}).factor == 7
    with custom_object_scope({key: Doubling}):
        assert deserialize_keras_object(config).factor == 7
    with pytest.raises(UnsafeArtifactError):
        deserialize_keras_object(config)  # the scope is over


def test_the_error_says_how_to_register():
    config = {"module": None, "class_name": "Mine", "config": {}, "registered_name": "lab>Mine"}
    with pytest.raises(UnsafeArtifactError) as raised:
        deserialize_keras_object(config)
    assert '@core.saving.register_keras_serializable(package="lab", name="Mine")'.replace('"', "'") in str(raised.value)
    assert "custom_objects={'Mine': Mine}" in str(raised.value)


def test_functions():
    with pytest.raises(UnsafeArtifactError, match="tripled"):
        deserialize_keras_object(through_json(tripled))
    register_keras_serializable("lab", name="thrice")(tripled)
    config = through_json(tripled)
    assert config == {"module": "builtins", "class_name": "function", "config": "lab>thrice", "registered_name": "function"}
    assert deserialize_keras_object(config) is tripled
    with pytest.raises(ConfigError, match="lambda"):
        serialize_keras_object(lambda x: x)
    assert serialize_keras_object(core.activations.relu) == "relu"


def test_kinds_are_not_mixed_up():
    register_keras_serializable("lab")(Doubling)
    register_keras_serializable("lab")(tripled)
    with pytest.raises(UnsafeArtifactError, match="function"):
        deserialize_keras_object({"module": "builtins", "class_name": "function", "config": "lab>Doubling", "registered_name": "function"})
    with pytest.raises(UnsafeArtifactError, match="class"):
        deserialize_keras_object({"module": None, "class_name": "tripled", "config": {}, "registered_name": "lab>tripled"})


def test_a_class_without_a_config_is_not_registered():
    with pytest.raises(ValueError, match="get_config"):
        register_keras_serializable()(type("Plain", (), {}))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2, "x"]],
        {"a": {"b": [None]}},
        slice(1, None, 2),
        Ellipsis,
        b"bytes",
        np.arange(6, dtype="int16").reshape(2, 3),
    ],
    ids=repr,
)
def test_values_come_back(value):
    again = deserialize_keras_object(through_json(value))
    if isinstance(value, np.ndarray):
        assert again.dtype == value.dtype
        np.testing.assert_array_equal(again, value)
    else:
        assert again == value and type(again) is type(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: core.layers.Dense(3, activation="relu", kernel_regularizer="l2"),
        lambda: core.losses.Huber(delta=2.0),
        lambda: core.metrics.Precision(thresholds=[0.2, 0.5]),
        lambda: core.optimizers.SGD(core.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5), momentum=0.3),
        lambda: core.initializers.RandomNormal(stddev=0.3, seed=1),
        lambda: core.regularizers.L1L2(0.1, 0.2),
        lambda: core.constraints.MaxNorm(2),
    ],
    ids=["layer", "loss", "metric", "optimizer", "initializer", "regularizer", "constraint"],
)
def test_built_ins_are_written_under_the_names_of_keras(make):
    config = through_json(make())
    assert config["module"].startswith("keras.") and config["registered_name"] is None
    again = deserialize_keras_object(config)
    assert type(again).__name__ == config["class_name"] and through_json(again) == config


@pytest.mark.parametrize(
    "module", ["os", "builtins", "core.base.registry", "keras.utils", "keras.saving", "numpy", "keras.src.utils.file_utils"]
)
def test_modules_are_not_imported(module):
    with pytest.raises(UnsafeArtifactError):
        deserialize_keras_object({"module": module, "class_name": "Dense", "config": {}, "registered_name": "x"})


def test_wrong_json_is_a_config_error():
    for config in (
        {"class_name": 3, "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "config": [1]},
        {"module": "keras.layers", "class_name": "Dense", "config": {"unit": 3}},
        {"class_name": "__tuple__", "config": 3},
        {"class_name": "__slice__", "config": {}},
    ):
        with pytest.raises((ConfigError, ValueError)):
            deserialize_keras_object(config)
