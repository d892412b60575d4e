"""Tiny checkpoints of every family, made by transformers, and the outputs that transformers computes from them.

Each variant turns on what a loader is likely to miss: epsilons, activations, biases, sizes of heads that do not follow from the
others, windows, caps, scales, tables that are tied or not. All vectors are moved away from their neutral values.
"""

import dataclasses
import functools
import json
import pathlib
import tempfile

import numpy as np
import pytest

VOCABULARY = 99
BATCH, TIME = 2, 11

_ENCODER = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37,
            "max_position_embeddings": 24}  # fmt: skip
_DECODER = {**_ENCODER, "num_key_value_heads": 2}
_SMALL = {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 37, "max_position_embeddings": 24}
_GPT2 = {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 24, "bos_token_id": 0, "eos_token_id": 0}
_T5 = {"vocab_size": 99, "d_model": 32, "d_kv": 6, "d_ff": 37, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4}
_LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 64}  # fmt: skip

# name -> (family, class in transformers, config)
CASES = {
    "bert": ("bert", "BertModel", _ENCODER),
    "bert-odd": ("bert", "BertForPreTraining", {**_ENCODER, "hidden_act": "gelu_new", "layer_norm_eps": 1e-2, "type_vocab_size": 3}),
    "bert-classifier": ("bert", "BertForSequenceClassification", {**_ENCODER, "hidden_act": "relu", "num_labels": 3}),
    "distilbert": ("distilbert", "DistilBertModel", _SMALL),
    "distilbert-odd": ("distilbert", "DistilBertForMaskedLM", {**_SMALL, "activation": "relu", "n_layers": 1}),
    "roberta": ("roberta", "RobertaModel", {**_ENCODER, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "roberta-odd": ("roberta", "RobertaForMaskedLM", {**_ENCODER, "type_vocab_size": 2, "layer_norm_eps": 1e-3, "pad_token_id": 2}),
    "xlm-roberta": ("xlm-roberta", "XLMRobertaForMaskedLM", {**_ENCODER, "type_vocab_size": 1, "layer_norm_eps": 1e-5}),
    "gpt2": ("gpt2", "GPT2LMHeadModel", _GPT2),
    "gpt2-odd": ("gpt2", "GPT2LMHeadModel", {**_GPT2, "n_inner": 50, "scale_attn_by_inverse_layer_idx": True,
                 "layer_norm_epsilon": 1e-3, "activation_function": "relu"}),
    "gpt2-unscaled": ("gpt2", "GPT2Model", {**_GPT2, "scale_attn_weights": False}),
    "llama": ("llama", "LlamaForCausalLM", {**_DECODER, "rms_norm_eps": 1e-5}),
    "llama-odd": ("llama", "LlamaForCausalLM", {**_DECODER, "attention_bias": True, "mlp_bias": True, "head_dim": 6, "rms_norm_eps": 1e-2,
                  "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}),
    "llama3": ("llama", "LlamaForCausalLM", {**_DECODER, "rope_parameters": _LLAMA3, "tie_word_embeddings": True}),
    "llama-linear": ("llama", "LlamaModel", {**_DECODER, "num_key_value_heads": 4,
                     "rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}}),
    "mistral": ("mistral", "MistralForCausalLM", {**_DECODER, "sliding_window": 4, "head_dim": 10, "rms_norm_eps": 1e-5}),
    "mistral-full": ("mistral", "MistralForCausalLM", {**_DECODER, "sliding_window": None, "tie_word_embeddings": True}),
    "qwen2": ("qwen2", "Qwen2ForCausalLM", {**_DECODER, "tie_word_embeddings": True, "rms_norm_eps": 1e-3}),
    "qwen2-window": ("qwen2", "Qwen2ForCausalLM", {**_DECODER, "num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": 3,
                     "max_window_layers": 1}),
    "qwen3": ("qwen3", "Qwen3ForCausalLM", {**_DECODER, "head_dim": 12, "rms_norm_eps": 1e-3}),
    "qwen3-odd": ("qwen3", "Qwen3ForCausalLM", {**_DECODER, "head_dim": 8, "attention_bias": True, "use_sliding_window": True,
                  "sliding_window": 4, "max_window_layers": 1, "tie_word_embeddings": True}),
    "gemma": ("gemma", "GemmaForCausalLM", {**_DECODER, "head_dim": 12, "num_key_value_heads": 1}),
    "gemma-odd": ("gemma", "GemmaForCausalLM", {**_DECODER, "head_dim": 8, "rms_norm_eps": 1e-2, "hidden_act": "silu",
                  "attention_bias": True}),
    "gemma2": ("gemma2", "Gemma2ForCausalLM", {**_DECODER, "num_hidden_layers": 3, "head_dim": 8, "query_pre_attn_scalar": 20,
               "attn_logit_softcapping": 2.0, "final_logit_softcapping": 1.5, "sliding_window": 4}),
    "gemma2-plain": ("gemma2", "Gemma2ForCausalLM", {**_DECODER, "head_dim": 10, "query_pre_attn_scalar": 8, "sliding_window": 64,
                     "attn_logit_softcapping": None, "final_logit_softcapping": None, "hidden_activation": "gelu_pytorch_tanh"}),
    "t5": ("t5", "T5ForConditionalGeneration", _T5),
    "t5-v1.1": ("t5", "T5ForConditionalGeneration", {**_T5, "feed_forward_proj": "gated-gelu", "scale_decoder_outputs": False,
                "layer_norm_epsilon": 1e-3, "relative_attention_num_buckets": 8,
                "relative_attention_max_distance": 20}),
    "t5-silu": ("t5", "T5ForConditionalGeneration", {**_T5, "feed_forward_proj": "gated-silu", "num_decoder_layers": 1}),
}  # fmt: skip

# Models with a head that a task loads; the backbones below them are those above.
HEADS = {
    "bert-masked": ("bert", "BertForMaskedLM", {**_ENCODER, "hidden_act": "gelu_new", "layer_norm_eps": 1e-3}),
    "distilbert-classifier": ("distilbert", "DistilBertForSequenceClassification", {**_SMALL, "num_labels": 3}),
    "roberta-classifier": ("roberta", "RobertaForSequenceClassification", {**_ENCODER, "type_vocab_size": 1, "num_labels": 4}),
    "gpt2-classifier": ("gpt2", "GPT2ForSequenceClassification", {**_GPT2, "num_labels": 3, "pad_token_id": 0}),
    "llama-classifier": ("llama", "LlamaForSequenceClassification", {**_DECODER, "num_labels": 3, "pad_token_id": 0}),
    "qwen2-classifier": ("qwen2", "Qwen2ForSequenceClassification", {**_DECODER, "num_labels": 2, "pad_token_id": 0}),
}  # fmt: skip

DECODERS = sorted(name for name, (family, _, _) in CASES.items() if family in
                  ("gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2"))  # fmt: skip
SEQ2SEQ = sorted(name for name, (family, _, _) in CASES.items() if family == "t5")
ENCODERS = sorted(set(CASES) - set(DECODERS) - set(SEQ2SEQ))


def on_backends(names, jax=(), tensorflow=()):
    """Parameters `(backend, name)`: all on torch, which compiles nothing; elsewhere those that are listed, and the others are slow."""
    quick = {"torch": tuple(names), "jax": jax, "tensorflow": tensorflow}
    return [
        pytest.param(backend, name, id=f"{backend}-{name}", marks=[] if name in listed else pytest.mark.slow)
        for backend, listed in quick.items()
        for name in names
    ]


def quick_on(*quick):
    """A mark that runs a test on each backend, slow where it is not listed."""
    names = [pytest.param(name, marks=[] if name in quick else pytest.mark.slow) for name in ("torch", "jax", "tensorflow")]
    return pytest.mark.parametrize("backend", names, indirect=True)


@dataclasses.dataclass
class Checkpoint:
    """A folder that transformers wrote, and the model that it wrote."""

    name: str
    family: str
    folder: pathlib.Path
    model: object

    @property
    def config(self):
        return json.loads((self.folder / "config.json").read_text())


@functools.cache
def checkpoint(name):
    """The checkpoint of that name; made once in a process."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    family, architecture, arguments = (CASES | HEADS)[name]
    cls = getattr(transformers, architecture)
    config = cls.config_class(**arguments)
    config._attn_implementation = "eager"
    torch.manual_seed(sum(map(ord, name)))
    model = cls(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
            elif family != "t5":
                parameter.mul_(3.0)  # so that attention is far from even
        if name == "t5-v1.1":  # transformers ties it when the model is made, and keeps apart what a file has apart
            model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.shared.weight))
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
    model.save_pretrained(folder)
    return Checkpoint(name, family, folder, model)


def padding(side):
    """A mask (BATCH, TIME) whose second row has padding on that side."""
    mask = np.ones((BATCH, TIME), "int32")
    mask[1, slice(TIME - 4, None) if side == "right" else slice(0, 4)] = 0
    return mask


def token_ids(mask, padding_id=0, seed=0):
    """Random tokens where the mask is 1."""
    ids = np.random.default_rng(seed).integers(5, VOCABULARY, mask.shape)
    return np.where(mask, ids, padding_id).astype("int32")


def inputs(name, side):
    """The inputs of the backbone of that checkpoint."""
    mask = padding(side)
    if name in SEQ2SEQ:
        target_mask = padding("right")[:, :7]
        return {"encoder_token_ids": token_ids(mask), "encoder_padding_mask": mask,
                "decoder_token_ids": token_ids(target_mask, seed=1), "decoder_padding_mask": target_mask}  # fmt: skip
    config = checkpoint(name).config
    found = {"token_ids": token_ids(mask, config.get("pad_token_id") or 0), "padding_mask": mask}
    if config.get("type_vocab_size", 1) > 1:
        found["segment_ids"] = np.random.default_rng(2).integers(0, config["type_vocab_size"], mask.shape).astype("int32")
    return found


_NAMES = {"token_ids": "input_ids", "padding_mask": "attention_mask", "segment_ids": "token_type_ids",
          "encoder_token_ids": "input_ids", "encoder_padding_mask": "attention_mask", "decoder_token_ids": "decoder_input_ids",
          "decoder_padding_mask": "decoder_attention_mask"}  # fmt: skip


def outputs(model, given):
    """What a transformers model computes from a backbone's inputs: names -> arrays. States are those of the last layer."""
    import torch

    with torch.no_grad():
        found = model(**{_NAMES[k]: torch.tensor(v).long() for k, v in given.items()}, output_hidden_states=True)
    result = {}
    for ours, theirs in (("logits", "logits"), ("logits", "prediction_logits"), ("pooled_output", "pooler_output")):
        if getattr(found, theirs, None) is not None:
            result[ours] = getattr(found, theirs).numpy()
    if getattr(found, "decoder_hidden_states", None) is not None:
        result["encoder_sequence_output"] = found.encoder_last_hidden_state.numpy()
        result["decoder_sequence_output"] = found.decoder_hidden_states[-1].numpy()
    else:
        result["sequence_output"] = found.hidden_states[-1].numpy()
    return result


@functools.cache
def reference(name, side):
    """What transformers computes from `inputs(name, side)`."""
    return outputs(checkpoint(name).model, inputs(name, side))
