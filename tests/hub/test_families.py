"""Backbones compute what transformers computes from the same files, padding on either side included."""

import numpy as np
import pytest
import zoo

import core
import hub
from core import ops


def close(found, wanted, mask=None):
    """Asserts equality to 1e-5 of the largest value, at tokens."""
    found = np.asarray(ops.convert_to_numpy(found))
    assert found.shape == wanted.shape
    if mask is not None:
        found, wanted = found[mask > 0], wanted[mask > 0]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * max(1.0, float(np.abs(wanted).max())))


def states(backbone, given):
    """The backbone's outputs by name, with the logits of networks that have them."""
    found = backbone(given)
    found = dict(found) if isinstance(found, dict) else {"sequence_output": found}
    if hasattr(backbone, "logits"):
        last = "decoder_sequence_output" if "decoder_sequence_output" in found else "sequence_output"
        found["logits"] = backbone.logits(found[last])
    return found


ELSEWHERE = {"jax": ["bert", "gemma2", "t5-v1.1"], "tensorflow": ["roberta-odd", "qwen3-odd", "gpt2-odd"]}


@pytest.mark.parametrize("backend, name", zoo.on_backends(zoo.CASES, **ELSEWHERE), indirect=["backend"])
def test_outputs_are_those_of_transformers(name, backend):
    backbone = hub.models.Backbone.from_preset(zoo.checkpoint(name).folder)
    assert backbone.family.name == zoo.checkpoint(name).family
    for side in ("right", "left"):
        given, wanted = zoo.inputs(name, side), zoo.reference(name, side)
        found = states(backbone, given)
        compared = 0
        for key in found.keys() & wanted.keys():
            mask = {"pooled_output": None, "encoder_sequence_output": given.get("encoder_padding_mask")}.get(
                key, given.get("padding_mask", given.get("decoder_padding_mask"))
            )
            close(found[key], wanted[key], mask)
            compared += 1
        assert compared == len(set(wanted) - ({"logits"} if name in zoo.ENCODERS else set()) - _not_ours(name))


def _not_ours(name):
    """RoBERTa's pooler is no part of its backbone."""
    return {"pooled_output"} if zoo.checkpoint(name).family == "roberta" else set()


# ------------------------------------------------------------------------------------------------ decoding with a cache


def decoded(backbone, given, pieces):
    """The states of a decoder that gets its tokens in pieces of these lengths, and the cache at the end."""
    ids, mask = given["token_ids"], given["padding_mask"]
    length = ids.shape[1] + 3  # slots that stay empty
    cache, at, found = backbone.make_cache(ids.shape[0], length), 0, []
    slots = np.zeros((ids.shape[0], length), bool)
    slots[:, : ids.shape[1]] = mask
    for size in pieces:
        positions = np.broadcast_to(np.arange(at, at + size, dtype="int32"), (ids.shape[0], size))
        part = [ops.convert_to_tensor(x) for x in (ids[:, at : at + size], positions, slots)]
        states, cache = backbone.call_with_cache(part[0], cache, at, part[1], part[2])
        found.append(np.asarray(ops.convert_to_numpy(states)))
        at += size
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("name", zoo.DECODERS)
def test_a_cache_changes_nothing(name):
    """One token at a time after a first piece, windows and caps included."""
    with core.backend.use("torch"):
        backbone = hub.models.Backbone.from_preset(zoo.checkpoint(name).folder)
        for side in ("right", "left"):
            given = zoo.inputs(name, side)
            wanted = np.asarray(ops.convert_to_numpy(backbone(given)))
            close(decoded(backbone, given, (5, 1, 2, 1, 1, 1)), wanted, given["padding_mask"])


@pytest.mark.parametrize("backend, name", zoo.on_backends(["gemma2", "gpt2"], ["gemma2"], ["gpt2"]), indirect=["backend"])
def test_a_cache_works_in_compiled_steps(name, backend):
    """One compiled function serves all steps: the slot is a tensor."""
    backbone = hub.models.Backbone.from_preset(zoo.checkpoint(name).folder)
    given = zoo.inputs(name, "left")
    ids, mask = ops.convert_to_tensor(given["token_ids"]), given["padding_mask"]
    traces = []

    @core.jit
    def step(token_ids, cache, index, positions, slots):
        traces.append(1)
        return backbone.call_with_cache(token_ids, cache, index, positions, slots)

    cache, found, slots = backbone.make_cache(*mask.shape), [], ops.convert_to_tensor(mask > 0)
    for i in range(mask.shape[1]):
        index = ops.convert_to_tensor(np.array(i, "int32"))
        states, cache = step(ids[:, i : i + 1], cache, index, ops.convert_to_tensor(np.full((2, 1), i, "int32")), slots)
        found.append(np.asarray(ops.convert_to_numpy(states)))
    close(np.concatenate(found, axis=1), np.asarray(ops.convert_to_numpy(backbone(given))), mask)
    if backend == "jax":
        assert len(traces) <= 2  # one to find the variables, one to compile


@pytest.mark.parametrize("name", zoo.SEQ2SEQ)
def test_a_cache_changes_nothing_in_an_encoder_decoder(name):
    with core.backend.use("torch"):
        backbone = hub.models.Backbone.from_preset(zoo.checkpoint(name).folder)
        given = zoo.inputs(name, "left")
        wanted = np.asarray(ops.convert_to_numpy(backbone(given)["decoder_sequence_output"]))
        ids, mask = ops.convert_to_tensor(given["decoder_token_ids"]), ops.convert_to_tensor(given["decoder_padding_mask"])
        encoder_mask = ops.convert_to_tensor(given["encoder_padding_mask"])
        cross = backbone.cross_cache(backbone.encode(given))
        cache, found = backbone.make_cache(*mask.shape), []
        for start, stop in ((0, 3), (3, 4), (4, 7)):
            states, cache = backbone.decode_with_cache(ids[:, start:stop], cache, start, mask, cross, encoder_mask)
            found.append(np.asarray(ops.convert_to_numpy(states)))
        close(np.concatenate(found, axis=1), wanted, given["decoder_padding_mask"])


# ------------------------------------------------------------------------------------------------ negative controls


@pytest.mark.parametrize("name", zoo.CASES)
def test_every_weight_matters(name):
    """A change of any weight changes the outputs: no table has a row that leads nowhere."""
    with core.backend.use("torch"):
        backbone = hub.models.Backbone.from_preset(zoo.checkpoint(name).folder)
        given = zoo.inputs(name, "right")
        before = {k: np.array(ops.convert_to_numpy(v)) for k, v in states(backbone, given).items()}
        for variable in backbone.weights:
            if variable.path.endswith("key/bias") and backbone.family.name in ("bert", "roberta", "xlm-roberta", "distilbert", "gpt2"):
                continue  # the same term for all sources; softmax does not see it
            value = np.array(variable.numpy())
            variable.assign(value + np.random.default_rng(3).normal(0, 1, value.shape))
            after = {k: np.array(ops.convert_to_numpy(v)) for k, v in states(backbone, given).items()}
            variable.assign(value)
            assert any(np.abs(after[k] - before[k]).max() > 1e-4 for k in before), f"{variable.path} changes nothing"


# ------------------------------------------------------------------------------------------------ configs


def family_arguments(name, **changes):
    """What a family reads from the config of a case with some keys changed; None takes a key out."""
    config = {**zoo.checkpoint(name).config, **changes}
    return hub.families.of(config).arguments({k: v for k, v in config.items() if v is not None})


@pytest.mark.parametrize(
    "name, changes, wanted",
    [
        ("llama", {"rope_parameters": None, "rope_theta": 500.0}, {"rope_max_wavelength": 500.0}),
        ("llama", {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}}, {"rope_scaling_factor": 2.0}),
        ("llama", {"rope_parameters": None, "rope_theta": 5e5, "rope_scaling": {k: v for k, v in zoo._LLAMA3.items() if k != "rope_theta"}},
         {"rope_max_wavelength": 5e5, "rope_frequency_adjustment_factor": 8.0, "rope_pretraining_sequence_length": 64}),
        ("llama", {"head_dim": None, "num_key_value_heads": None, "torch_dtype": "bfloat16"}, {"head_dim": 8, "num_key_value_heads": 4}),
        ("qwen2-window", {"layer_types": None}, {"window_layers": (False, True, True), "sliding_window_size": 3}),
        ("qwen2", {"layer_types": None, "sliding_window": 32768, "use_sliding_window": False}, {"sliding_window_size": None}),
        ("gemma2", {"layer_types": None}, {"window_layers": (True, False, True)}),
        ("gemma", {"hidden_act": "gelu", "hidden_activation": None}, {"activation": "gelu_pytorch_tanh"}),
        ("t5", {"scale_decoder_outputs": None, "num_decoder_layers": None}, {"scale_decoder_outputs": True, "num_decoder_layers": 2}),
        ("t5-v1.1", {"scale_decoder_outputs": None, "tie_word_embeddings": False}, {"scale_decoder_outputs": False}),
        ("bert", {"position_embedding_type": "absolute", "pooler_fc_size": 768}, {"pooler": None}),
    ],
)  # fmt: skip
def test_both_dialects_of_configs_are_read(name, changes, wanted):
    found = family_arguments(name, **changes)
    assert {k: found.get(k) for k in wanted} == wanted


@pytest.mark.parametrize(
    "name, changes, message",
    [
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, "rope_type='dynamic'"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, "rope_type='yarn'"),
        ("llama", {"rope_parameters": {"rope_type": "llama3", "factor": 2.0}}, "low_freq_factor"),
        ("llama", {"rope_parameters": {"rope_type": "default", "mrope_section": [1, 2]}}, "mrope_section"),
        ("llama", {"quantization_config": {"bits": 4}}, "quantization_config"),
        ("llama", {"auto_map": {"AutoModel": "x.Y"}}, "auto_map"),
        ("llama", {"trust_remote_code": True}, "trust_remote_code"),
        ("llama", {"residual_multiplier": 0.5}, "residual_multiplier=0.5"),
        ("llama", {"hidden_act": "swoosh"}, "swoosh"),
        ("llama", {"num_attention_heads": 0}, "num_query_heads|num_attention_heads"),
        ("llama", {"num_key_value_heads": 3}, "num_key_value_heads 3"),
        ("llama", {"vocab_size": None}, "vocab_size"),
        ("llama", {"hidden_size": "large"}, "hidden_dim|hidden_size"),
        ("bert", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("bert", {"is_decoder": True}, "is_decoder"),
        ("gpt2", {"add_cross_attention": True}, "add_cross_attention"),
        ("gemma", {"use_bidirectional_attention": True}, "use_bidirectional_attention"),
        ("qwen2-window", {"layer_types": ["full_attention", "sliding_attention", "chunked_attention"]}, "layer_types"),
        ("t5", {"feed_forward_proj": "gated-swoosh"}, "swoosh"),
    ],
)
def test_configs_that_cannot_be_loaded_are_refused_by_name(name, changes, message):
    with pytest.raises(core.saving.ConfigError, match=message):
        hub.families.of(zoo.checkpoint(name).config).backbone()(**family_arguments(name, **changes))


def test_unknown_types_are_refused():
    with pytest.raises(core.saving.ConfigError, match="'mamba'.*llama"):
        hub.families.of({"model_type": "mamba"})
    with pytest.raises(core.saving.ConfigError, match="model_type"):
        hub.families.of({})


# ------------------------------------------------------------------------------------------------ constructors

_SIZES = {"vocabulary_size": 50, "num_layers": 1, "hidden_dim": 16, "intermediate_dim": 20}
CONSTRUCTED = {
    "BertBackbone": {**_SIZES, "num_heads": 4},
    "DistilBertBackbone": {**_SIZES, "num_heads": 4},
    "RobertaBackbone": {**_SIZES, "num_heads": 4},
    "XLMRobertaBackbone": {**_SIZES, "num_heads": 4},
    "GPT2Backbone": {**_SIZES, "num_heads": 4, "max_sequence_length": 20},
    "LlamaBackbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 2},
    "Llama3Backbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 2},
    "MistralBackbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 2, "sliding_window": 3},
    "QwenBackbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 2, "use_sliding_window_attention": True},
    "Qwen3Backbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 6},
    "GemmaBackbone": {**_SIZES, "num_query_heads": 4, "num_key_value_heads": 1, "head_dim": 6, "use_post_ffw_norm": True,
                      "use_post_attention_norm": True, "final_logit_soft_cap": 5.0, "use_sliding_window_attention": True},
    "T5Backbone": {**_SIZES, "num_heads": 4},
}  # fmt: skip


def test_every_backbone_is_constructed():
    assert set(CONSTRUCTED) == {name for name in hub.models.__all__ if name.endswith("Backbone")} - {"Backbone"}


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_constructed_backbones_go_through_configs_and_folders(name, tmp_path):
    """From arguments, from `get_config`, and from a folder: the same network."""
    cls = getattr(hub.models, name)
    with core.backend.use("torch"):
        backbone = cls(**CONSTRUCTED[name])
        ids = np.arange(6, dtype="int32").reshape(2, 3) + 5
        given = {key: ids * (0 if key == "segment_ids" else 1) for key in backbone.input_names() if "padding" not in key}
        wanted = {k: np.array(ops.convert_to_numpy(v)) for k, v in states(backbone, given).items()}
        backbone.save_to_preset(tmp_path / "preset")
        again = cls.from_preset(tmp_path / "preset")
        assert again.config == backbone.config and type(again) is cls
        for key, value in states(again, given).items():
            np.testing.assert_array_equal(ops.convert_to_numpy(value), wanted[key])
        fresh = core.saving.deserialize_keras_object(core.saving.serialize_keras_object(backbone))
        assert fresh.config == backbone.config
        fresh.set_weights(backbone.get_weights())
        for key, value in states(fresh, given).items():
            np.testing.assert_array_equal(ops.convert_to_numpy(value), wanted[key])


def test_the_wrong_class_says_which_is_right():
    with pytest.raises(core.saving.ConfigError, match="LlamaBackbone.from_preset"):
        hub.models.BertBackbone.from_preset(zoo.checkpoint("llama").folder)


def test_arguments_are_checked():
    with pytest.raises(core.saving.ConfigError, match="hidden_dim 10 is no multiple"):
        hub.models.BertBackbone(9, 1, 4, 10, 20)
    with pytest.raises(core.saving.ConfigError, match="unknown|Unknown"):
        hub.models.BertBackbone(9, 1, 4, 16, 20, hidden_act="gelu")
    with pytest.raises(core.saving.ConfigError, match="token_ids"):
        hub.models.BertBackbone(9, 1, 4, 16, 20)(np.ones((1, 2), "int32"))


@zoo.quick_on("torch", "tensorflow")
def test_backbones_train_and_stand_in_functional_models(backend):
    """A head on the symbolic outputs, dropout on, one step of training: all weights but unused ones move."""
    backbone = hub.models.BertBackbone(20, 1, 2, 8, 12, dropout=0.2)
    outputs = core.layers.Dense(2)(backbone.output["pooled_output"])
    model = core.Model(backbone.input, outputs)
    model.compile("sgd", core.losses.SparseCategoricalCrossentropy(from_logits=True))
    ids = np.arange(12, dtype="int32").reshape(4, 3) + 1
    x = {"token_ids": ids, "padding_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
    before = backbone.get_weights()
    model.fit(x, np.array([0, 1, 0, 1]), batch_size=4, epochs=1, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, backbone.get_weights())]
    still = [v.path for v, m in zip(backbone.weights, moved) if not m]
    assert all("key/bias" in path for path in still), still
