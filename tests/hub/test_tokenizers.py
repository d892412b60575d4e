"""Tokenizers give the ids of transformers and of sentencepiece, whatever the text, and refuse files that lie."""

import copy
import functools
import io
import json
import os
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import hub
from core.saving import ConfigError, CorruptArtifactError, ResourceLimitError, UnsafeArtifactError
from hub.tokenizers import chat
from hub.tokenizers.byte_pair import LLAMA3_SPLIT, QWEN_SPLIT

STDLIB = pathlib.Path(os.__file__).parent
ODD = [
    "Ça été naïve à Zürich, señor Ångström",
    "e\u0301 cafe\u0301 \ufb01 \u212b", "日本語の文。中文也行", "한국어", "emoji 😀👩‍👩‍👧 ok",
    "a  b   c    d", "\ttab\n\n new",
    "  leading", "trailing   ", "1234567890 3.14 12,345", "İstanbul ſtraße ΑΣ", "don't we'll I'VE", "x=[1,2]; y={'a':b}", "…—“quotes”", "",
    " ", "\u200bzero\u00a0width",
    "".join(chr(c) for c in range(0x20, 0x7F)),
]  # fmt: skip


@functools.cache
def library():
    """The lines of code and the lines of prose in Python's own library."""
    from pydoc_data import topics

    code = [line for path in sorted(STDLIB.glob("*.py")) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return code, [line for text in topics.topics.values() for line in text.splitlines() if line.strip()]


def texts(count):
    """`count` lines of code, `count` lines of prose, and the odd ones."""
    code, prose = library()
    return [*code[:: len(code) // count][:count], *prose[:: len(prose) // count][:count], *ODD]


def word_piece(special):
    """An uncased WordPiece tokenizer that strips accents, as BERT's files have it."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    engine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    engine.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=None)
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.WordPiece()
    engine.train_from_iterator(texts(400), trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, show_progress=False))
    engine.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(t, special.index(t)) for t in ("[CLS]", "[SEP]")]
    )
    return engine


def byte_level(special, split=None, nfc=False, ignore_merges=False):
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    engine = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if nfc:
        engine.normalizer = normalizers.NFC()
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    engine.pre_tokenizer = to_bytes
    if split is not None:
        engine.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(split), "isolated"), to_bytes])
    engine.decoder, engine.post_processor = decoders.ByteLevel(), processors.ByteLevel(trim_offsets=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    engine.train_from_iterator(texts(400), trainer)
    return engine


def byte_fallback(special):
    """Llama 2's kind: spaces as pieces, unknown characters as bytes."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

    engine = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    engine.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokens = [*special, *(f"<0x{i:02X}>" for i in range(256))]
    lines = [line for text in texts(300) for line in text.split(" ")]
    engine.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=900, special_tokens=tokens, limit_alphabet=120, show_progress=False))
    state = json.loads(engine.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in special]
    engine = Tokenizer.from_str(json.dumps(state))
    engine.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    engine.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return engine


def proto(**options):
    """A SentencePiece model."""
    import sentencepiece

    target = io.BytesIO()
    lines = [text for text in texts(400) if text.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=target, hard_vocab_limit=False, minloglevel=2, vocab_size=700, **options
    )
    return target.getvalue()


T5_IDS = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}
ENDS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BERT_ROLES = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
TEXT_END = ["<|endoftext|>"]
CHAT = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]

# name -> (model type, engine, tokenizer_config.json, a text with special tokens in it)
JSON_FILES = {
    "bert": ("bert", lambda: word_piece(BERT), BERT_ROLES, "a [MASK] b[SEP]c"),
    "gpt2": ("gpt2", lambda: byte_level(TEXT_END), {"eos_token": TEXT_END[0], "bos_token": TEXT_END[0]}, "a<|endoftext|> b"),
    "qwen": ("qwen2", lambda: byte_level(CHAT, QWEN_SPLIT, nfc=True), {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
             "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]}, "<|im_start|>user\nhi<|im_end|>"),
    "llama3": ("llama", lambda: byte_level(LLAMA3, LLAMA3_SPLIT, ignore_merges=True),
               {"bos_token": LLAMA3[0], "eos_token": LLAMA3[1]}, "a<|eot_id|>b"),
    "byte fallback": ("llama", lambda: byte_fallback(["<unk>", "<s>", "</s>"]), ENDS, "a</s> b<s>c"),
}  # fmt: skip
_folders = {}


@pytest.fixture
def folder_of(tmp_path_factory):
    """Folders with a tokenizer.json, made once."""

    def folder(name):
        if name not in _folders:
            model_type, engine, config, _ = JSON_FILES[name]
            _folders[name] = path = tmp_path_factory.mktemp(name.replace(" ", "_"))
            engine().save(str(path / "tokenizer.json"))
            stated = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
            (path / "tokenizer_config.json").write_text(json.dumps(stated))
            (path / "config.json").write_text(json.dumps({"model_type": model_type}))
        return _folders[name]

    return folder


def assert_like_transformers(folder, lines):
    """Ids, framed ids of pairs, and text of ids."""
    import transformers

    theirs = transformers.PreTrainedTokenizerFast.from_pretrained(folder)  # what AutoTokenizer makes of these, without loading torch
    ours = hub.tokenizers.Tokenizer.from_preset(folder)
    expected = [theirs.encode(line, add_special_tokens=False) for line in lines]
    assert ours(lines) == expected
    for line, ids in zip(lines[:: max(1, len(lines) // 40)], expected[:: max(1, len(lines) // 40)]):
        assert ours(line).tolist() == ids
        assert ours.detokenize(ids) == theirs.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    before, after, between = ours.frame()
    one, two = ours(["one text", "another"])
    assert [*before, *one, *after] == theirs.encode("one text")
    if ours.sep_token_id is not None:  # pairs are for encoders
        assert [*before, *one, *between, *two, *after] == theirs.encode("one text", "another")
    for role in ("bos", "eos", "pad", "cls", "sep", "mask"):
        if getattr(theirs, f"{role}_token") is not None:
            assert getattr(ours, f"{role}_token_id") == getattr(theirs, f"{role}_token_id"), role
    return ours


@pytest.mark.parametrize("name", JSON_FILES)
def test_ids_are_those_of_transformers(name, folder_of):
    assert_like_transformers(folder_of(name), [*texts(300), JSON_FILES[name][3]])


@pytest.mark.slow
@pytest.mark.parametrize("name", JSON_FILES)
def test_ids_are_those_of_transformers_on_many_lines(name, folder_of):
    lines = texts(3000)
    assert len(lines) >= 6000
    assert_like_transformers(folder_of(name), lines)


@pytest.mark.parametrize("name", JSON_FILES)
def test_a_saved_tokenizer_is_the_same(name, folder_of, tmp_path):
    ours = hub.tokenizers.Tokenizer.from_preset(folder_of(name))
    ours.chat_template = "{{ messages[0].content }}"
    ours.save_to_preset(tmp_path)
    (tmp_path / "config.json").write_text((folder_of(name) / "config.json").read_text())
    again = assert_like_transformers(tmp_path, [*texts(60), JSON_FILES[name][3]])
    assert type(again) is type(ours) and again.frame() == ours.frame() and again.chat_template == ours.chat_template
    assert again.special_tokens == ours.special_tokens


@pytest.mark.parametrize("name", JSON_FILES)
def test_what_was_trained_by_hand_gives_the_same_ids(name, folder_of):
    """Constructors with a vocabulary build the same engine as the whole file."""
    folder = folder_of(name)
    state = json.loads((folder / "tokenizer.json").read_text())["model"]
    loaded = hub.tokenizers.Tokenizer.from_preset(folder)
    vocabulary, merges = state["vocab"], [" ".join(pair) for pair in state.get("merges", [])]
    if name == "bert":
        made = hub.tokenizers.BertTokenizer(sorted(vocabulary, key=vocabulary.get), lowercase=True, strip_accents=True)
    elif name == "byte fallback":
        pytest.skip("no constructor makes this kind; it comes as a file")
    else:
        vocabulary.update({token["content"]: token["id"] for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]})
        vocabulary.update({"<|start_header_id|>": len(vocabulary), "<|end_header_id|>": len(vocabulary) + 1} if name == "llama3" else {})
        cls = {"gpt2": "GPT2Tokenizer", "qwen": "QwenTokenizer", "llama3": "Llama3Tokenizer"}[name]
        made = getattr(hub.tokenizers, cls)(vocabulary, merges)
    lines = texts(200)
    assert made(lines) == loaded(lines)


def test_vocab_txt_and_vocab_json(folder_of, tmp_path):
    """Folders of older models, which have no tokenizer.json."""
    import transformers

    for name, cls in (("bert", "BertTokenizer"), ("gpt2", "GPT2Tokenizer"), ("qwen", "Qwen2Tokenizer")):
        folder = tmp_path / name
        folder.mkdir()
        stated = json.loads((folder_of(name) / "tokenizer.json").read_text())
        vocabulary = {**stated["model"]["vocab"], **{token["content"]: token["id"] for token in stated["added_tokens"]}}
        config = {**JSON_FILES[name][2], "tokenizer_class": cls, **({"do_lower_case": True} if name == "bert" else {})}
        if name == "bert":
            (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)), encoding="utf-8")
        else:
            (folder / "vocab.json").write_text(json.dumps(vocabulary))
            merges = "\n".join(" ".join(pair) for pair in stated["model"]["merges"])
            (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        (folder / "config.json").write_text(json.dumps({"model_type": JSON_FILES[name][0]}))
        ours, theirs = hub.tokenizers.Tokenizer.from_preset(folder), transformers.AutoTokenizer.from_pretrained(folder)
        lines = [*texts(200), JSON_FILES[name][3]]
        assert ours(lines) == [theirs.encode(line, add_special_tokens=False) for line in lines], name
        assert ours.frame()[0] + ours("a").tolist() + ours.frame()[1] == theirs.encode("a")


# ------------------------------------------------------------------------------------------------- SentencePiece


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_ids_are_those_of_sentencepiece(kind):
    import sentencepiece

    model = proto(model_type=kind, byte_fallback=kind == "bpe", bos_id=1, eos_id=2, unk_id=0)
    ours, theirs = hub.tokenizers.LlamaTokenizer(model), sentencepiece.SentencePieceProcessor(model_proto=model)
    lines = texts(300)
    assert ours(lines) == theirs.encode(lines)
    assert ours.detokenize(ours(lines[:50])) == theirs.decode(theirs.encode(lines[:50]))
    assert ours.vocabulary_size() == theirs.get_piece_size() and ours.get_vocabulary()[:3] == ["<unk>", "<s>", "</s>"]
    framed = hub.tokenizers.SentencePieceTokenizer(model, add_bos=True, add_eos=True)
    assert framed("a b").tolist() == [1, *theirs.encode("a b"), 2]


def test_t5_has_extra_ids(tmp_path):
    import transformers

    (tmp_path / "spiece.model").write_bytes(proto(model_type="unigram", **T5_IDS))
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    theirs, ours = transformers.AutoTokenizer.from_pretrained(tmp_path), hub.tokenizers.Tokenizer.from_preset(tmp_path)
    lines = [*texts(300), "fill <extra_id_0> and <extra_id_1>.", "a<extra_id_10>b", "x</s> y"]
    for line, mine in zip(lines, ours(lines)):
        reference = theirs.encode(line, add_special_tokens=False)
        # Ours is sentencepiece itself, theirs a port: two segmentations of the same pieces have one score, and either may be chosen.
        assert mine == reference or sorted(mine) == sorted(reference) and set(line) == {"*"}, line
    assert theirs.encode("one") == [*ours("one"), ours.end_token_id] and ours.frame() == ([], [1], [1])
    assert ours.token_to_id("<extra_id_0>") == ours.vocabulary_size() - 1 and ours.start_token_id == ours.pad_token_id == 0
    ours.save_to_preset(tmp_path / "saved")
    (tmp_path / "saved" / "config.json").write_text('{"model_type": "t5"}')
    again = hub.tokenizers.T5Tokenizer.from_preset(tmp_path / "saved")
    assert again(lines) == ours(lines) and again.frame() == ours.frame() and again.vocabulary_size() == ours.vocabulary_size()


def test_pieces_are_those_of_merging_by_hand():
    """aab 3 times, ab twice, b once: the pair (a, ##b) and (a, ##a) first, the more frequent one leading, ties in order."""
    from hub.tokenizers.piece_learning import learn_pieces

    words = {"aab": 3, "ab": 2, "b": 1}
    assert learn_pieces(words, 99, "##") == ["a", "b", "##a", "##b", "##ab", "aab", "ab"]
    assert learn_pieces(words, 5, "##") == ["a", "b", "##a", "##b", "##ab"]
    assert learn_pieces(words, 1, "##") == ["a"] and learn_pieces({}, 5, "##") == []


def test_a_learnt_vocabulary_is_the_same_in_every_process():
    script = (
        "import hub; text = ['the quick brown fox', 'a lazy dog', 'the quirky fog', 'dogs and foxes'];"
        "print(hub.tokenizers.compute_word_piece_vocabulary(text, 60, lowercase=True))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1 and "##o" in runs.pop()


def test_a_trained_proto_and_vocabulary():
    model = hub.tokenizers.compute_sentence_piece_proto(texts(100)[:200], 300, "bpe")
    tokenizer = hub.tokenizers.SentencePieceTokenizer(model)
    assert tokenizer.detokenize(tokenizer("import os")) == "import os"
    tokens = hub.tokenizers.compute_word_piece_vocabulary(texts(100)[:200], 250, lowercase=True)
    assert tokens[:5] == ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"] and len(tokens) == 250
    words = hub.tokenizers.WordPieceTokenizer(tokens, lowercase=True)
    assert tokens.index("[UNK]") not in words("import the class")


# ------------------------------------------------------------------------------------------------- call forms (KerasHub's)

VOCABULARY = [*BERT, "the", "qu", "##ick", "br", "##own", "fox", "."]


def test_call_forms():
    made = hub.tokenizers.WordPieceTokenizer(VOCABULARY, lowercase=True)
    found = made("The quick brown fox.")
    assert isinstance(found, np.ndarray) and found.dtype == "int32" and found.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert made(["The quick.", "fox zzz"]) == [[5, 6, 7, 11], [10, 1]]
    assert made(np.array(["the fox", "fox"])) == [[5, 10], [10]] and made([["the fox"]]) == [[[5, 10]]]
    assert made(b"fox").tolist() == [10] and made("").tolist() == [] and made([]) == []
    assert made.detokenize([5, 6, 7, 8, 9, 10, 11]) == "the quick brown fox ."
    assert made.detokenize([[5, 6, 7], [10, 0, 0]]) == ["the quick", "fox [PAD] [PAD]"]
    assert made.detokenize(np.array([[5, 6, 7]])) == ["the quick"] and made.detokenize(10) == "fox"
    assert (made.id_to_token(5), made.token_to_id("the"), made.vocabulary_size(), made.get_vocabulary()) == ("the", 5, 12, VOCABULARY)
    padded = hub.tokenizers.WordPieceTokenizer(VOCABULARY, lowercase=True, sequence_length=3)
    assert padded("fox").tolist() == [10, 0, 0] and padded(["the quick.", "fox"]).tolist() == [[5, 6, 7], [10, 0, 0]]
    named = hub.tokenizers.WordPieceTokenizer(VOCABULARY, lowercase=True, dtype="string")
    assert named("the quick") == ["the", "qu", "##ick"] and named(["fox"]) == [["fox"]]
    for wrong in (5, None, {"a": "b"}, [1, 2]):
        with pytest.raises(ConfigError):
            made(wrong)


def test_special_tokens_of_families():
    bert = hub.tokenizers.BertTokenizer(VOCABULARY, lowercase=True)
    assert bert("the [MASK]").tolist() == [5, 1, 1, 1]  # as text, unless asked for
    assert hub.tokenizers.BertTokenizer(VOCABULARY, special_tokens_in_strings=True)("the [MASK]").tolist() == [5, 4]
    assert (bert.cls_token_id, bert.sep_token_id, bert.pad_token_id, bert.mask_token_id) == (2, 3, 0, 4)
    byte = {"<s>": 0, "<pad>": 1, "</s>": 2, "<mask>": 3, "b": 4, "u": 5, "t": 6, "bu": 7, "but": 8}
    roberta = hub.tokenizers.RobertaTokenizer(byte, ["b u", "bu t"])
    assert roberta("but<mask>").tolist() == [8, 3] and roberta.frame() == ([0], [2], [2, 2])
    assert (roberta.start_token_id, roberta.end_token_id, roberta.pad_token_id, roberta.mask_token_id) == (0, 2, 1, 3)
    gpt2 = hub.tokenizers.GPT2Tokenizer({**byte, "<|endoftext|>": 9}, ["b u", "bu t"])
    assert (gpt2.start_token_id, gpt2.end_token_id, gpt2.pad_token_id) == (9, 9, 0) and gpt2("but<|endoftext|>").tolist() == [8, 9]
    qwen = hub.tokenizers.QwenTokenizer({**byte, "<|endoftext|>": 9}, ["b u"])
    assert (qwen.start_token_id, qwen.end_token_id) == (None, 9)
    for cls, vocabulary in (("BertTokenizer", ["[UNK]", "a"]), ("RobertaTokenizer", {"a": 0}), ("GPT2Tokenizer", {"a": 0})):
        merges = () if cls == "BertTokenizer" else ([],)
        with pytest.raises(ConfigError, match="Cannot find"):
            getattr(hub.tokenizers, cls)(vocabulary, *merges)


def test_bytes_and_code_points():
    byte, point = hub.tokenizers.ByteTokenizer(), hub.tokenizers.UnicodeCodepointTokenizer()
    assert byte("Hi é").tolist() == list(b"hi \xc3\xa9") and byte.detokenize(byte("hi é")) == "hi é" and byte.vocabulary_size() == 256
    assert point("hé日").tolist() == [104, 233, 0x65E5] and point.detokenize(point("hé日")) == "hé日"
    assert byte.detokenize([0xC3]) == "\ufffd" and hub.tokenizers.ByteTokenizer(errors="ignore").detokenize([0xC3, 65]) == "A"


def test_tokenizers_are_copied_and_sent_to_workers(folder_of):
    for made in (
        hub.tokenizers.Tokenizer.from_preset(folder_of("qwen")),
        hub.tokenizers.LlamaTokenizer(proto(model_type="bpe", bos_id=1, eos_id=2, unk_id=0)),
    ):
        for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
            assert again(ODD) == made(ODD) and again.frame() == made.frame()


def test_configs_name_no_files(tmp_path):
    """A config that somebody wrote cannot make a tokenizer read a file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    for name in hub.tokenizers.__all__:
        cls = getattr(hub.tokenizers, name)
        if isinstance(cls, type) and name not in ("Tokenizer", "ByteTokenizer", "UnicodeCodepointTokenizer"):
            for key in ("vocabulary", "merges", "proto"):
                with pytest.raises(UnsafeArtifactError, match=key):
                    cls.from_config({key: str(secret)})


@pytest.mark.parametrize("kind", ["WordPiece", "BytePair", "SentencePiece", "Byte", "UnicodeCodepoint"])
def test_configs_round_trip(kind):
    made = getattr(hub.tokenizers, f"{kind}Tokenizer")(sequence_length=7, name="mine")
    config = made.get_config()
    json.dumps(config)
    assert type(made).from_config(config).get_config() == config


# ------------------------------------------------------------------------------------------------- hostile and broken files


def with_file(folder, name, content):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


GOOD = {"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": {"[UNK]": 0, "a": 1}}, "version": "1.0", "added_tokens": []}  # fmt: skip
PATTERN = {"type": "Split", "pattern": {"Regex": "(a+)+" * 9000}, "behavior": "Isolated", "invert": False}

BAD_FILES = {
    "no JSON": ("tokenizer.json", "{", CorruptArtifactError),
    "no UTF-8": ("tokenizer.json", b"\xff\xfe{}", CorruptArtifactError),
    "a list": ("tokenizer.json", "[]", CorruptArtifactError),
    "no model": ("tokenizer.json", "{}", CorruptArtifactError),
    "duplicate keys": ("tokenizer.json", '{"model": {"vocab": {"a": 0, "a": 1}}}', CorruptArtifactError),
    "duplicate ids": ("tokenizer.json", json.dumps({"model": {**GOOD["model"], "vocab": {"[UNK]": 0, "a": 0}}}), CorruptArtifactError),
    "unknown model": ("tokenizer.json", json.dumps({**GOOD, "model": {"type": "Magic", "vocab": {}}}), CorruptArtifactError),
    "deep": ("tokenizer.json", "[" * 100_000, CorruptArtifactError),
    "deep stage": ("tokenizer.json", '{"model": {"vocab": {}}, "normalizer": ' + '{"a": ' * 200 + "1" + "}" * 201, ResourceLimitError),
    "long pattern": ("tokenizer.json", json.dumps({**GOOD, "pre_tokenizer": PATTERN}), ResourceLimitError),
    "long token": ("tokenizer.json", json.dumps({"model": {**GOOD["model"], "vocab": {"[UNK]": 0, "a" * 70_000: 1}}}), ResourceLimitError),
    "no piece model": ("tokenizer.model", b"\x00\x01garbage", CorruptArtifactError),
    "empty piece model": ("spiece.model", b"", CorruptArtifactError),
    "merges beyond vocabulary": ("vocab.json", '{"a": 0}', FileNotFoundError),
    "no unknown token": ("vocab.txt", "a\nb", CorruptArtifactError),
    "twice the same word": ("vocab.txt", "[UNK]\na\na", ConfigError),
    "keras config without vocabulary": ("tokenizer.json", '{"class_name": "BertTokenizer", "config": {}}', CorruptArtifactError),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_broken_files_are_refused(name, tmp_path):
    file, content, error = BAD_FILES[name]
    with pytest.raises(error):
        hub.tokenizers.Tokenizer.from_preset(with_file(tmp_path / "bad", file, content))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(UnsafeArtifactError):
        hub.tokenizers.Tokenizer.from_preset(tmp_path)


def test_a_config_opens_no_file_and_links_stay_inside(tmp_path):
    folder = with_file(tmp_path / "model", "tokenizer.json", json.dumps(GOOD))
    secret = with_file(tmp_path / "elsewhere", "secret.txt", "canary\n[UNK]")
    stated = {"vocab_file": str(secret / "secret.txt"), "tokenizer_file": str(secret / "secret.txt"), "chat_template": {"../x": "hi"}}
    with_file(folder, "tokenizer_config.json", json.dumps({key: stated[key] for key in ("vocab_file", "tokenizer_file")}))
    made = hub.tokenizers.Tokenizer.from_preset(folder)
    assert made.get_vocabulary() == ["[UNK]", "a"]
    made.save_to_preset(tmp_path / "again")
    assert all("canary" not in path.read_text() and "secret" not in path.read_text() for path in (tmp_path / "again").iterdir())
    with_file(folder, "tokenizer_config.json", json.dumps(stated))
    with pytest.raises(UnsafeArtifactError, match="name"):  # a name that would become a file when it is saved
        hub.tokenizers.Tokenizer.from_preset(folder)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").symlink_to(secret / "secret.txt")
    with pytest.raises(UnsafeArtifactError):
        hub.tokenizers.Tokenizer.from_preset(folder)


def test_a_file_that_pads_and_cuts_does_neither(folder_of, tmp_path):
    from tokenizers import Tokenizer

    engine = Tokenizer.from_file(str(folder_of("bert") / "tokenizer.json"))
    engine.enable_truncation(4)
    engine.enable_padding(length=16)
    engine.save(str(tmp_path / "tokenizer.json"))
    lines = texts(20)
    assert hub.tokenizers.Tokenizer.from_preset(tmp_path)(lines) == hub.tokenizers.Tokenizer.from_preset(folder_of("bert"))(lines)


def test_wrong_families_are_named(folder_of):
    with pytest.raises(ConfigError, match="use BertTokenizer.from_preset, not GPT2Tokenizer"):
        hub.tokenizers.GPT2Tokenizer.from_preset(folder_of("bert"))
    assert type(hub.tokenizers.Llama3Tokenizer.from_preset(folder_of("llama3"))).__name__ == "Llama3Tokenizer"
    with pytest.raises(FileNotFoundError, match="has no tokenizer"):
        hub.tokenizers.Tokenizer.from_preset(STDLIB / "json")


def test_keras_hub_folders_are_read(tmp_path):
    """The layout that KerasHub writes: a Keras config, and the vocabulary in assets/tokenizer."""
    assets = tmp_path / "assets" / "tokenizer"
    assets.mkdir(parents=True)
    (assets / "vocabulary.txt").write_text("\n".join(VOCABULARY) + "\n")
    config = {"lowercase": True, "oov_token": "[UNK]", "vocabulary": None, "dtype": {"class_name": "DTypePolicy"}, "name": "b"}
    stated = {"module": "keras_hub.src.models.bert", "class_name": "BertTokenizer", "config": config}
    (tmp_path / "tokenizer.json").write_text(json.dumps(stated))
    made = hub.tokenizers.Tokenizer.from_preset(tmp_path)
    assert type(made).__name__ == "BertTokenizer" and made("The quick fox").tolist() == [5, 6, 7, 10] and made.frame() == ([2], [3], [3])


# ------------------------------------------------------------------------------------------------- chat templates

CHATML = (
    "{%- if tools %}<tools>{{ tools | tojson }}</tools>\n{%- endif %}\n{%- for message in messages %}\n"
    "  {%- if message.role not in ['system', 'user', 'assistant'] %}{{ raise_exception('unknown role ' ~ message.role) }}{%- endif %}\n"
    "  {%- if message.role == 'assistant' %}{{ '<|im_start|>assistant\\n' }}{% generation %}{{ message.content }}{% endgeneration %}\n"
    "  {%- else %}{{ '<|im_start|>' + message.role + '\\n' + message.content | trim }}{%- endif %}{{ '<|im_end|>\\n' }}\n"
    "  {%- if message.content == 'stop' %}{% break %}{% endif %}\n{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{%- endif %}{{ eos_token if with_end else '' }}"
)
TALK = [
    {"role": "system", "content": 'Be <brief> & "kind".'},
    {"role": "user", "content": " Hello é \n"}, {"role": "assistant", "content": "Hi!"},
]  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": "add", "description": "a < b & 'c' é"}}]
CALLS = [
    {}, {"add_generation_prompt": True}, {"tools": TOOLS}, {"with_end": True}, {"continue_final_message": True},
]  # fmt: skip


@pytest.mark.parametrize("where", ["config", "list", "jinja"])
def test_prompts_are_those_of_transformers(where, folder_of, tmp_path):
    import transformers

    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((folder_of("qwen") / name).read_bytes())
    stated = json.loads((folder_of("qwen") / "tokenizer_config.json").read_text())
    both = [{"name": "default", "template": CHATML}, {"name": "short", "template": "x"}]
    template = {"config": CHATML, "list": both, "jinja": None}[where]
    if where == "jinja":
        (tmp_path / "chat_template.jinja").write_text(CHATML)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**stated, **({"chat_template": template} if template else {})}))
    theirs, ours = transformers.AutoTokenizer.from_pretrained(tmp_path), hub.tokenizers.Tokenizer.from_preset(tmp_path)
    for options in CALLS:
        expected = theirs.apply_chat_template(TALK, tokenize=False, **options)
        assert ours.apply_chat_template(TALK, tokenize=False, **options) == expected
        assert ours.apply_chat_template(TALK, **options).tolist() == theirs.encode(expected, add_special_tokens=False)
    assert ours.apply_chat_template([TALK, TALK[:2]], tokenize=False) == theirs.apply_chat_template([TALK, TALK[:2]], tokenize=False)
    if where == "list":
        assert ours.apply_chat_template(TALK, chat_template="short", tokenize=False) == "x"
        ours.save_to_preset(tmp_path / "saved")
        assert hub.tokenizers.Tokenizer.from_preset(tmp_path / "saved").chat_templates == ours.chat_templates


BAD_TEMPLATES = {
    "its own refusal": ("{{ raise_exception('roles must alternate') }}", ConfigError, "roles must alternate"),
    "escape": ("{{ messages.__class__.__mro__[1].__subclasses__() }}", (UnsafeArtifactError, ConfigError), "sandbox|value"),
    "escape by format": ("{{ '{0.__class__.__base__}'.format(messages) }}", (UnsafeArtifactError, ConfigError), "sandbox|value"),
    "change": ("{% set _ = messages.append(1) %}", UnsafeArtifactError, "sandbox"),
    "no Jinja": ("{% for %}", CorruptArtifactError, "Jinja"),
    "long loop": ("{% for i in range(10 ** 9) %}x{% endfor %}", ResourceLimitError, "loop"),
    "long text": ("{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}", ResourceLimitError, "characters"),
    "missing": ("{{ absent.value }}", ConfigError, "absent"),
}


@pytest.mark.parametrize("name", BAD_TEMPLATES)
def test_bad_templates_are_refused(name):
    template, error, words = BAD_TEMPLATES[name]
    with pytest.raises(error, match=words):
        chat.render(template, TALK)


@pytest.mark.parametrize("messages", ["hello", [{"content": "x"}], ["x"], {"role": "user"}])
def test_messages_are_checked(messages):
    with pytest.raises(ConfigError, match="messages|message"):
        chat.render("{{ messages }}", messages)
