"""Preprocessors and packers give the arrays that their definitions say."""

import json
import pickle

import numpy as np
import pytest
from test_tokenizers import T5_IDS, proto

import hub
from core.saving import ConfigError

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "qu", "##ick", "br", "##own", "fox", "."]
BYTES = {"<|endoftext|>": 0, "b": 1, "u": 2, "t": 3, "bu": 4, "but": 5, "Ġ": 6, "Ġt": 7}


def packer(kind, **options):
    return getattr(hub.layers, kind)(**options)


def bert():
    return hub.models.BertTokenizer(VOCABULARY)


def gpt2(**options):
    return hub.models.GPT2CausalLMPreprocessor(hub.models.GPT2Tokenizer(BYTES, ["b u", "bu t", "Ġ t"]), **{"sequence_length": 8, **options})


# options of StartEndPacker, its input, and KerasHub's output
STARTS = [
    ({"sequence_length": 7, "start_value": 1, "end_value": 2}, [5, 6, 7], [1, 5, 6, 7, 2, 0, 0]),
    ({"sequence_length": 5, "start_value": 1, "end_value": 2, "pad_value": 9}, [[5, 6, 7, 8], [5]], [[1, 5, 6, 7, 2], [1, 5, 2, 9, 9]]),
    ({"sequence_length": 5, "start_value": 1, "end_value": 2, "padding_side": "left"}, [[5, 6, 7, 8], [5]],
     [[1, 5, 6, 7, 2], [0, 0, 1, 5, 2]]),
    ({"sequence_length": 7, "start_value": [1, 2], "end_value": [3, 4]}, [[5, 6, 7, 8], [5]],
     [[1, 2, 5, 6, 7, 3, 4], [1, 2, 5, 3, 4, 0, 0]]),
    ({"sequence_length": 3, "start_value": "[S]", "end_value": "[E]", "pad_value": "[P]"}, [["a"], []],
     [["[S]", "a", "[E]"], ["[S]", "[E]", "[P]"]]),
]  # fmt: skip


@pytest.mark.parametrize("options, inputs, expected", STARTS)
def test_start_end_packer(options, inputs, expected):
    found = packer("StartEndPacker", **options)(inputs)
    assert (found if isinstance(found, list) else found.tolist()) == expected
    made = packer("StartEndPacker", return_padding_mask=True, **options)
    values, mask = made(inputs)
    pad = options.get("pad_value", 0)
    assert [[bool(k) for k in row] for row in np.atleast_2d(mask)] == [[v != pad for v in row] for row in np.atleast_2d(np.array(values))]
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()


def test_start_end_packer_for_one_call():
    made = packer("StartEndPacker", sequence_length=5, start_value=1, end_value=2)
    assert made([[5, 6]], sequence_length=4, add_start_value=False).tolist() == [[5, 6, 2, 0]]


# options of MultiSegmentPacker, its input, KerasHub's values and segments
SEGMENTS = [
    ({"sequence_length": 8}, ([1, 2, 3, 4, 5, 6], [11, 12, 13, 14]), [101, 1, 2, 3, 102, 11, 12, 102], [0, 0, 0, 0, 0, 1, 1, 1]),
    ({"sequence_length": 8}, [1, 2, 3], [101, 1, 2, 3, 102, 0, 0, 0], [0] * 8),
    ({"sequence_length": 8, "truncate": "waterfall"}, ([1, 2, 3, 4], [11, 12, 13, 14]), [101, 1, 2, 3, 4, 102, 11, 102],
     [0, 0, 0, 0, 0, 0, 1, 1]),
    ({"sequence_length": 10, "sep_value": [102, 102], "pad_value": 1}, ([1, 2, 3, 4], [11, 12, 13, 14]),
     [101, 1, 2, 3, 102, 102, 11, 12, 13, 102], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
    ({"sequence_length": 8, "padding_side": "left"}, ([1], [11]), [0, 0, 0, 101, 1, 102, 11, 102], [0, 0, 0, 0, 0, 0, 1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("options, inputs, values, segments", SEGMENTS)
def test_multi_segment_packer(options, inputs, values, segments):
    made = packer("MultiSegmentPacker", start_value=101, end_value=102, **options)
    found = made(inputs)
    assert found[0].tolist() == values and found[1].tolist() == segments
    batch = made(tuple([part, part] for part in inputs) if isinstance(inputs, tuple) else [inputs, inputs])
    assert batch[0].tolist() == [values] * 2 and batch[1].tolist() == [segments] * 2


@pytest.mark.parametrize("lengths", [(9, 1), (1, 9), (5, 5), (0, 7), (3, 4, 9)])
def test_round_robin_gives_each_in_turn(lengths):
    """Against the definition: a value of each sequence that has more, until there is no room."""
    room, kept = 7, [0] * len(lengths)
    while room and any(k < n for k, n in zip(kept, lengths)):
        for i, n in enumerate(lengths):
            if room and kept[i] < n:
                kept[i], room = kept[i] + 1, room - 1
    rows = tuple([[i + 1] * n] for i, n in enumerate(lengths))
    made = packer("MultiSegmentPacker", sequence_length=7 + 1 + len(lengths), start_value=[90], end_value=[99])
    found = made(rows)[0][0].tolist()
    assert [found.count(i + 1) for i in range(len(lengths))] == kept


BAD = [
    ("StartEndPacker", {"sequence_length": 0}), ("StartEndPacker", {"sequence_length": 4, "padding_side": "up"}),
    ("StartEndPacker", {"sequence_length": 4, "colour": 1}),
    ("MultiSegmentPacker", {"sequence_length": 4, "start_value": 1, "end_value": 2, "truncate": "x"}),
    ("MaskedLMMaskGenerator", {"vocabulary_size": 9, "mask_selection_rate": 1.5, "mask_token_id": 1}),
    ("MaskedLMMaskGenerator", {"vocabulary_size": 9, "mask_selection_rate": 0.5, "mask_token_id": 9}),
    ("MaskedLMMaskGenerator", {"vocabulary_size": 9, "mask_selection_rate": 0.5, "mask_token_id": 1, "random_token_rate": 0.3}),
]  # fmt: skip


@pytest.mark.parametrize("kind, options", BAD)
def test_wrong_options_are_errors(kind, options):
    with pytest.raises(ConfigError):
        packer(kind, **options)


def test_masks_have_their_rates():
    made = packer(
        "MaskedLMMaskGenerator", vocabulary_size=1000, mask_selection_rate=0.2, mask_token_id=999, mask_selection_length=100,
        unselectable_token_ids=[0, 7], seed=3,
    )  # fmt: skip
    ids = np.random.default_rng(0).integers(8, 900, (200, 100))
    ids[:, ::10] = 7
    found = made(ids)
    weights, places = found["mask_weights"] > 0, found["mask_positions"]
    rows = np.repeat(np.arange(200), weights.sum(1))
    assert 0.19 < weights.sum() / (200 * 90) < 0.21
    assert (ids[rows, places[weights]] == found["mask_ids"][weights]).all() and not (found["mask_ids"][weights] == 7).any()
    changed = found["token_ids"] != ids
    assert not changed[ids == 7].any()
    hidden = found["token_ids"][rows, places[weights]]
    assert 0.78 < (hidden == 999).mean() < 0.82 and 0.08 < (hidden == found["mask_ids"][weights]).mean() < 0.12
    again = type(made).from_config(made.get_config())(ids)
    assert (again["token_ids"] == found["token_ids"]).all()
    every = {"vocabulary_size": 9, "mask_selection_rate": 1.0, "mask_token_id": 1}
    few = packer("MaskedLMMaskGenerator", mask_selection_length=3, **every)([2, 3, 4, 5, 6])
    assert few["mask_weights"].tolist() == [1, 1, 1] and (np.diff(few["mask_positions"]) > 0).all()
    ragged = packer("MaskedLMMaskGenerator", **every)([[2, 3], [4, 0]])
    assert ragged["mask_positions"] == [[0, 1], [0]] and ragged["mask_ids"] == [[2, 3], [4]]


# ------------------------------------------------------------------------------------------------- preprocessors


def test_classifier_inputs():
    made = hub.models.BertTextClassifierPreprocessor(bert(), sequence_length=8)
    one = made("the fox")
    assert one["token_ids"].tolist() == [2, 5, 10, 3, 0, 0, 0, 0] and one["padding_mask"].tolist() == [True] * 4 + [False] * 4
    assert one["segment_ids"].tolist() == [0] * 8 and one["token_ids"].dtype == "int32"
    x, y, weight = made(["the fox", "fox"], [0, 1], [1.0, 2.0])
    assert x["token_ids"].shape == (2, 8) and (y, weight) == ([0, 1], [1.0, 2.0])
    for pairs in ((["the fox", "fox"], ["quick", "the the the the the the"]), [("the fox", "quick"), ("fox", "the the the the the the")]):
        two = made(pairs)
        assert two["token_ids"].tolist() == [[2, 5, 10, 3, 6, 7, 3, 0], [2, 10, 3, 5, 5, 5, 5, 3]]
        assert two["segment_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1, 1]]
    assert "segment_ids" not in hub.models.DistilBertTextClassifierPreprocessor(bert(), sequence_length=8)("fox")
    made.sequence_length = 4
    assert made("the fox the fox")["token_ids"].tolist() == [2, 5, 10, 3]
    for wrong in (5, [["the"]], (["a"], ["b", "c"])):
        with pytest.raises(ConfigError):
            made(wrong)


def test_masked_inputs():
    every = {"mask_selection_rate": 1.0, "mask_token_rate": 1.0, "random_token_rate": 0.0}
    made = hub.models.BertMaskedLMPreprocessor(bert(), sequence_length=8, mask_selection_length=3, **every)
    x, y, weight = made(["the fox", "fox . . . . ."])
    assert x["token_ids"][0].tolist() == [2, 4, 4, 3, 0, 0, 0, 0] and x["mask_positions"][0].tolist() == [1, 2, 0]
    assert y[0].tolist() == [5, 10, 0] and weight.tolist() == [[1, 1, 0], [1, 1, 1]] and not {0, 2, 3} & set(y[1].tolist())
    with pytest.raises(ConfigError, match="leave them out"):
        made(["the"], [1])


def test_causal_inputs():
    """KerasHub's output."""
    x, y, weight = gpt2()(["but t", "but but but t t t t t t t"])
    assert x["token_ids"].tolist() == [[0, 5, 7, 0, 0, 0, 0, 0], [0, 5, 6, 5, 6, 5, 7, 7]]
    assert x["padding_mask"].sum(1).tolist() == [4, 8]
    assert y.tolist() == [[5, 7, 0, 0, 0, 0, 0, 0], [5, 6, 5, 6, 5, 7, 7, 0]] and weight.sum(1).tolist() == [3, 8]
    prompt = gpt2().generate_preprocess("but t", sequence_length=5)
    assert prompt["token_ids"].tolist() == [0, 5, 7, 0, 0] and prompt["padding_mask"].tolist() == [True, True, True, False, False]
    filled = {"token_ids": np.array([[0, 5, 7, 0, 3, 3]]), "padding_mask": np.array([[1, 1, 1, 1, 0, 0]], bool)}
    assert gpt2().generate_postprocess(filled) == ["but t"]
    assert gpt2().generate_postprocess({key: value[0] for key, value in filled.items()}) == "but t"
    assert gpt2(add_start_token=False, add_end_token=False)("but")[0]["token_ids"].tolist()[:2] == [5, 0]


def test_sequence_to_sequence_inputs():
    """The decoder starts with padding, as T5 was trained, and labels end with the end token."""
    tokenizer = hub.models.T5Tokenizer(proto(model_type="unigram", **T5_IDS))
    made = hub.models.T5Seq2SeqLMPreprocessor(tokenizer, encoder_sequence_length=12, decoder_sequence_length=6)
    x, y, weight = made({"encoder_text": ["import os"], "decoder_text": ["os"]})
    source, target = tokenizer("import os").tolist(), tokenizer("os").tolist()
    assert x["encoder_token_ids"][0].tolist() == [*source, 1, *[0] * (11 - len(source))]
    assert x["decoder_token_ids"][0].tolist() == [0, *target, 1, 0, 0, 0, 0][:6] and y[0].tolist() == [*target, 1, 0, 0, 0, 0][:6]
    assert int(weight.sum()) == len(target) + 1
    prompt = made.generate_preprocess("import os")
    assert prompt["decoder_padding_mask"].tolist() == [True] + [False] * 5 and prompt["encoder_token_ids"].shape == (12,)
    said = {"decoder_token_ids": np.array([[0, *target, 1]]), "decoder_padding_mask": np.ones((1, len(target) + 2))}
    assert made.generate_postprocess(said) == ["os"]


def test_presets_keep_options(tmp_path):
    for made in (
        hub.models.BertTextClassifierPreprocessor(bert(), sequence_length=9, truncate="waterfall"),
        hub.models.BertMaskedLMPreprocessor(bert(), sequence_length=9, mask_selection_length=4, seed=1),
        gpt2(sequence_length=5, add_end_token=False),
    ):
        folder = tmp_path / type(made).__name__
        made.save_to_preset(folder)
        general = getattr(hub.models, type(made).__name__.replace("Bert", "").replace("GPT2", ""))
        again = general.from_preset(folder)
        assert type(again) is type(made) and again.get_config() == made.get_config()
        assert general.from_preset(folder, sequence_length=3).sequence_length == 3
        with pytest.raises(ConfigError, match="has no options colour"):
            general.from_preset(folder, colour=1)


def test_files_of_others_say_what_to_do(tmp_path):
    """Without our own options: the length that the model knows, and a start token only where the tokenizer's file has one."""
    gpt2().tokenizer.save_to_preset(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_positions": 40}))
    made = hub.models.CausalLMPreprocessor.from_preset(tmp_path)
    assert (type(made).__name__, made.sequence_length, made.add_start_token) == ("GPT2CausalLMPreprocessor", 40, False)
    assert made.generate_preprocess("but")["token_ids"][0] == 5


def test_preprocessors_go_to_workers():
    made = hub.models.BertTextClassifierPreprocessor(bert(), sequence_length=8)
    again = pickle.loads(pickle.dumps(made))
    assert again("the fox")["token_ids"].tolist() == made("the fox")["token_ids"].tolist()
