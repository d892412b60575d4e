"""Policies by path, alone and in layers."""

import numpy as np
import pytest

import core
from core import layers
from core.dtype_policies import DTypePolicy, DTypePolicyMap, deserialize, get, serialize


def test_lookup_goes_exact_then_pattern_then_default():
    policies = DTypePolicyMap("mixed_bfloat16", {"dense": "bfloat16", "dense/.*": DTypePolicy("float16")})
    paths = ("dense", "dense/a", "dense/a/b", "x/dense", "denses")
    assert [policies[path].name for path in paths] == ["bfloat16", "float16", "float16", "mixed_bfloat16", "mixed_bfloat16"]
    assert (policies.name, policies.compute_dtype, policies.variable_dtype) == ("map_mixed_bfloat16", "bfloat16", "float32")
    assert list(policies) == ["dense", "dense/.*"] and isinstance(policies, DTypePolicy)


def test_configs_make_the_same_map():
    policies = DTypePolicyMap("mixed_bfloat16", {"dense/.*": "float16"})
    config = serialize(policies)
    assert (config["module"], config["class_name"]) == ("keras.dtype_policies", "DTypePolicyMap")
    assert deserialize(config) == get(config) == policies != DTypePolicyMap("mixed_bfloat16")
    assert core.saving.deserialize_keras_object(core.saving.serialize_keras_object(policies)) == policies


@pytest.mark.parametrize(
    "key, policy, message",
    [
        ("a", "float16", "already"), (3, "float16", "is a path"), ("(", "float16", "no regular expression"), ("b", "flaot16", "float16"),
        ("(a+)+x", "float16", "very long"), (".*.*.*.*.*x", "float16", "very long"), ("b", DTypePolicyMap(), "not a map"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(key, policy, message):
    policies = DTypePolicyMap(policy_map={"a": "float32"})
    with pytest.raises(ValueError, match=message):
        policies[key] = policy


def test_a_path_that_matches_two_patterns_is_refused():
    with pytest.raises(ValueError, match="several keys"):
        DTypePolicyMap(policy_map={"a/.*": "float16", ".*/b": "float32"})["a/b"]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_layers_take_the_policy_of_their_path(backend):
    core.config.set_backend(backend)
    policies = DTypePolicyMap("float32", {"net/half": "float16"})
    half = layers.Dense(2, name="half", dtype=policies)
    assert half.compute_dtype == "float32"  # it has no place yet
    net = core.Sequential([core.Input((3,)), layers.Dense(3, name="full", dtype=policies), half], name="net")
    assert [layer.kernel.dtype for layer in net.layers] == ["float32", "float16"]
    assert half.dtype_policy is policies and net.output.dtype == "float16"
    assert core.backend.standardize_dtype(net(np.ones((1, 3), "float32")).dtype) == "float16"
    again = core.Sequential.from_config(net.get_config())
    assert [layer.compute_dtype for layer in again.layers] == ["float32", "float16"]
    half.dtype_policy = "float32"
    assert half.compute_dtype == "float32" and half.get_config()["dtype"]["class_name"] == "DTypePolicy"


def test_the_first_eager_call_casts_to_the_policy_of_the_path():
    core.config.set_backend("torch")

    class Same(layers.Layer):
        def call(self, x):
            return x

    policies = DTypePolicyMap(policy_map={"same": "float16", "outer/dense": "bfloat16"})
    assert str(Same(name="same", dtype=policies)(np.ones((1, 3), "float32")).dtype) == "torch.float16"

    class Outer(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = layers.Dense(2, name="dense", dtype=self.dtype_policy)

        def call(self, x):
            return self.dense(x)

    outer = Outer(name="outer", dtype=policies)
    outer(np.ones((1, 3), "float32"))
    assert (outer.compute_dtype, outer.dense.compute_dtype, outer.dense.kernel.dtype) == ("float32", "bfloat16", "bfloat16")
