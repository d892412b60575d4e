"""Dtype policies of quantized layers: names, configs, checks, and what a layer says to them."""

import pytest

from core import layers
from core.dtype_policies import (
    AWQDTypePolicy,
    DTypePolicyMap,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    deserialize,
    get,
    serialize,
)

# name: (class, arguments, quantization, compute dtype, variable dtype), as Keras has them
POLICIES = {
    "int8_from_float32": (QuantizedDTypePolicy, ("int8",), "int8", "float32", "float32"),
    "int8_from_mixed_bfloat16": (QuantizedDTypePolicy, ("int8", "mixed_bfloat16"), "int8", "bfloat16", "float32"),
    "int4_from_bfloat16": (QuantizedDTypePolicy, ("int4", "bfloat16"), "int4", "bfloat16", "bfloat16"),
    "float8_from_mixed_float16": (QuantizedFloat8DTypePolicy, ("float8", "mixed_float16"), "float8", "float16", "float32"),
    "int4/128_from_float32": (Int4DTypePolicy, ("int4/128",), "int4", "float32", "float32"),
    "gptq/4/-1_from_float32": (GPTQDTypePolicy, ("gptq/4/-1",), "gptq", "float32", "float32"),
    "awq/4/64_from_bfloat16": (AWQDTypePolicy, ("awq/4/64", "bfloat16"), "awq", "bfloat16", "bfloat16"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_found_by_its_name_and_by_its_config(name):
    cls, arguments, quantization, compute, variable = POLICIES[name]
    policy = cls(*arguments)
    assert (policy.name, policy.quantization_mode, policy.compute_dtype, policy.variable_dtype) == (name, quantization, compute, variable)
    config = serialize(policy)
    assert (config["module"], config["class_name"]) == ("keras.dtype_policies", cls.__name__)
    for again in (get(name), deserialize(config), cls.from_config(policy.get_config())):
        assert type(again) is cls and again == policy and hash(again) == hash(policy)


def test_what_a_policy_knows_of_its_mode():
    assert Int4DTypePolicy("int4/-1").block_size == -1
    assert (GPTQDTypePolicy("gptq/3/32").weight_bits, AWQDTypePolicy("awq/4/32").group_size) == (3, 32)
    assert deserialize(serialize(QuantizedFloat8DTypePolicy("float8", amax_history_length=16))).amax_history_length == 16
    assert QuantizedDTypePolicy("int8") != QuantizedDTypePolicy("int8", "bfloat16") and QuantizedDTypePolicy("int8") != get("float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuantizedDTypePolicy("int9"), "int9"),
        (lambda: QuantizedDTypePolicy("int8", "float16"), "float16.*bfloat16"),
        (lambda: QuantizedDTypePolicy("int8", "float31"), "float31"),
        (lambda: Int4DTypePolicy("int4"), "int4/<block_size>.*'int4'"),
        (lambda: Int4DTypePolicy("int4/0"), "block_size.*int4/0"),
        (lambda: GPTQDTypePolicy("gptq/5/32"), "2 or 3 or 4 or 8.*gptq/5/32"),
        (lambda: AWQDTypePolicy("awq/8/32"), "4 weight bits.*awq/8/32"),
        (lambda: QuantizedFloat8DTypePolicy("float8", amax_history_length=0), "amax_history_length.*0"),
        (lambda: get("int8_from_"), "dtype policy"),
        (lambda: deserialize({"class_name": "GPTQDTypePolicy", "config": {"bits": 4}}), "mode and source_name"),
    ],
)
def test_modes_that_cannot_be_meant_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_layer_says_that_it_stores_no_quantized_weights():
    with pytest.raises(ValueError, match="Dense cannot be made in 'int8_from_float32'.*dtype='float32'"):
        layers.Dense(2, dtype="int8_from_float32")
    dense = layers.Dense(2)
    with pytest.raises(ValueError, match="quantized"):
        dense.dtype_policy = "int4/32_from_float32"
    assert dense.dtype_policy.name == "float32"
    mapped = layers.Dense(2, name="dense", dtype=DTypePolicyMap("float32", {"dense": "int8_from_float32"}))
    with pytest.raises(ValueError, match="quantized"):
        mapped.build((None, 3))
