"""Generation against transformers' `generate`, against whole sequences without a cache, and by counts of compilations."""

import re

import numpy as np
import pytest
import zoo

import core
import hub
from core import ops
from hub import samplers
from hub.generation import Aligned, bucket
from hub.generation.pieces import Pieces

DECODERS = [name for name in zoo.DECODERS if zoo.CASES[name][1].endswith(("ForCausalLM", "LMHeadModel"))]
MAX = 20


def model_of(name, **arguments):
    task = hub.models.Seq2SeqLM if name in zoo.SEQ2SEQ else hub.models.CausalLM
    model = task.from_preset(zoo.checkpoint(name).folder)
    model.compile(sampler="greedy", **arguments)
    return model


def prompts(lengths, length=MAX, seed=0):
    """Right-padded prompts as arrays, and as lists of ids."""
    rng = np.random.default_rng(seed)
    ids, mask = np.zeros((len(lengths), length), "int32"), np.zeros((len(lengths), length), "int32")
    for row, n in enumerate(lengths):
        ids[row, :n], mask[row, :n] = rng.integers(5, zoo.VOCABULARY, n), 1
    return {"token_ids": ids, "padding_mask": mask}, [row[:n].tolist() for row, n in zip(ids, lengths)]


def theirs(model, row, new, stops=(), **arguments):
    """Rows of ids from transformers' `generate`, up to the first stop token."""
    import torch

    stops = list(stops) or None
    with torch.no_grad():
        found = model.generate(
            torch.tensor([row]), attention_mask=torch.ones(1, len(row)).long(), do_sample=False, max_new_tokens=new, eos_token_id=stops,
            pad_token_id=0, use_cache=True, return_dict_in_generate=True, output_scores=True, **arguments,
        )  # fmt: skip
    rows = [found_row.tolist() for found_row in found.sequences]
    return [cut(r, len(row), stops or ()) for r in rows], getattr(found, "sequences_scores", None)


def cut(row, start, stops):
    ends = [i for i in range(start, len(row)) if row[i] in stops]
    return row[: ends[0] + 1] if ends else row


def rows_of(outputs, key="token_ids", mask="padding_mask"):
    return [ids[kept.astype(bool)].tolist() for ids, kept in zip(outputs[key], outputs[mask])]


@pytest.mark.parametrize("backend, name", zoo.on_backends(DECODERS, jax=["gemma2"], tensorflow=["qwen2-window"]))
def test_greedy_equals_transformers_and_runs_without_a_cache(backend, name):
    with core.backend.use(backend):
        model = model_of(name)
        arrays, rows = prompts([3, 9])
        found = rows_of(model.generate(arrays, stop_token_ids=None))
        reference = zoo.checkpoint(name).model
        assert found == [theirs(reference, row, MAX - len(row))[0][0] for row in rows]
        for row in found:  # every new token is the likeliest after all before it
            logits = ops.convert_to_numpy(model({"token_ids": np.array([row]), "padding_mask": np.ones((1, MAX), "int32")}))[0]
            assert len(row) == MAX and len(set(row)) > 2
            start = len(rows[found.index(row)])
            assert logits[start - 1 : -1].argmax(-1).tolist() == row[start:]


@pytest.mark.parametrize("backend", ["torch", "jax", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_seq2seq_equals_transformers(backend):
    import torch

    name = "t5-v1.1" if backend == "jax" else "t5"
    with core.backend.use(backend):
        model, reference = model_of(name), zoo.checkpoint(name).model
        rng = np.random.default_rng(0)
        encoder = rng.integers(5, zoo.VOCABULARY, (2, 9)).astype("int32")
        seen = np.ones((2, 9), "int32")
        seen[1, 6:] = 0
        decoder, mask = np.zeros((2, 10), "int32"), np.zeros((2, 10), "int32")
        decoder[1, 1:3], mask[0, 0], mask[1, :3] = [7, 8], 1, 1
        found = model.generate(
            {"encoder_token_ids": encoder, "encoder_padding_mask": seen, "decoder_token_ids": decoder, "decoder_padding_mask": mask},
            stop_token_ids=None,
        )
        for row, n in ((0, 1), (1, 3)):
            with torch.no_grad():
                expected = reference.generate(
                    torch.tensor(encoder[row : row + 1]).long(), attention_mask=torch.tensor(seen[row : row + 1]), do_sample=False,
                    decoder_input_ids=torch.tensor(decoder[row : row + 1, :n]).long(), max_new_tokens=10 - n, eos_token_id=None,
                    decoder_start_token_id=0, use_cache=False,  # its cache is made for as many layers as the encoder has
                )  # fmt: skip
            assert found["decoder_token_ids"][row].tolist() == expected[0].tolist()


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow), "tensorflow"])
def test_prompts_in_a_batch_are_continued_as_if_alone(backend):
    with core.backend.use(backend):
        model = model_of("gpt2")
        arrays, rows = prompts([1, 5, 12])
        together = rows_of(model.generate(arrays, stop_token_ids=[3, 50, 60]))
        alone = [model.generate([row], max_length=MAX, stop_token_ids=[3, 50, 60])[0] for row in rows]
        assert together == alone


def test_without_padding_eager_decoding_adds_no_bias(monkeypatch):
    """Neither a single prompt nor several of one length are padded where nothing is compiled."""
    from hub.layers.attention import Attention

    biases, attend = [], Attention.attend

    def noted(self, query, key, value, bias, *others):
        if query.shape[1] == 1:
            biases.append((None if bias is None else bias.shape[-1], key.shape[1]))
        return attend(self, query, key, value, bias, *others)

    monkeypatch.setattr(Attention, "attend", noted)
    with core.backend.use("torch"):
        model = model_of("gpt2")
        for lengths, bias in (([5], None), ([5, 5], None), ([3, 5], 5)):
            biases.clear()
            model.generate(prompts(lengths, length=7)[0], stop_token_ids=None)
            assert set(biases[: model.backbone.config.num_layers]) == {(bias, 5)}
            assert {sources for _, sources in biases} >= {5, 6}


@pytest.mark.parametrize("batch", [1, 3])
def test_no_step_of_the_compiled_loop_copies_a_cache(batch):
    """In the program that XLA makes of the loop: the cache is updated in place, and attention reads it as it lies there."""
    with core.backend.use("jax"):
        sizes = {"num_layers": 2, "num_heads": 4, "hidden_dim": 32, "intermediate_dim": 64, "max_sequence_length": 128}
        model = hub.models.CausalLM(hub.models.GPT2Backbone(vocabulary_size=zoo.VOCABULARY, **sizes), None)
        decoding, slots = model._decoding("greedy"), 96
        arrays = prompts([5] * batch, length=slots - 8)[0]
        model.generate(arrays, stop_token_ids=None, sampler="greedy")
        ((_, decode),) = decoding._functions.values()
        (compiled,) = [entry for function in decode.compiled.values() for entry in function.entries.values()]
        run, programs = compiled.run, []
        compiled.run = lambda *args: programs.append(run.lower(*args).compile().as_text()) or run(*args)
        model.generate(arrays, stop_token_ids=None, sampler="greedy")
    (program,) = programs
    (loop,) = set(re.findall(r" while\(.*body=%([\w.-]+)", program))
    body = program[program.index(f"\n%{loop} (") :].partition("\n}")[0]
    assert len(re.findall(r"dynamic-update-slice\S* = ", body)) >= 2 * sizes["num_layers"]
    assert re.findall(rf"%\S*copy\S* = f32\[\S*\b{slots}\b", body) == []


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("penalty", [1.0, 0.0, 2.0])
def test_beams_and_scores_equal_transformers(early, penalty):
    with core.backend.use("torch"):
        for name, seed in (("llama", 0), ("gemma2", 3)):
            model, reference = model_of(name), zoo.checkpoint(name).model
            arrays, rows = prompts([4, 6], seed=seed)
            sampler = samplers.BeamSampler(num_beams=3, length_penalty=penalty, early_stopping=early)
            stops = list(range(10, 40, 2))  # many, so that sequences end at different lengths
            for stop in (stops[:3], stops):
                found = rows_of(model.generate(arrays, stop_token_ids=stop or None, sampler=sampler, num_return_sequences=3))
                expected = []
                for row in rows:
                    arguments = {"num_beams": 3, "num_return_sequences": 3, "length_penalty": penalty, "early_stopping": early}
                    expected += theirs(reference, row, MAX - len(row), stop, **arguments)[0]
                assert found == expected


def test_beam_scores_are_sums_of_log_probabilities():
    """On a chain of three tokens whose sequences can be listed; no two are equally likely."""
    table = np.log(np.array([[0.1, 0.6, 0.3], [0.5, 0.12, 0.38], [0.04, 0.06, 0.9]], "float32"))

    def step(prompt, cache, index):
        return ops.take(table, ops.take(prompt, index - 1, axis=1), axis=0), None, cache

    sequences, scores = samplers.BeamSampler(num_beams=9, return_all_beams=True, length_penalty=0.0)(
        next=step, prompt=np.zeros((1, 3), "int32"), index=1
    )
    listed = sorted(((table[0, a] + table[a, b], a, b) for a in range(3) for b in range(3)), reverse=True)
    assert [(0, a, b) for _, a, b in listed] == [tuple(row) for row in ops.convert_to_numpy(sequences)[0].tolist()]
    np.testing.assert_allclose(ops.convert_to_numpy(scores)[0], [total for total, _, _ in listed], rtol=1e-6)


def test_compilations_are_two_for_each_class_of_lengths():
    with core.backend.use("jax"):
        model = model_of("llama")
        for n in (17, 20, 31):
            model.generate([list(range(5, 5 + n))], max_length=40, stop_token_ids=[1])
        assert model.compile_report()["generate"]["traces"] == 2
        model.generate([list(range(5, 15))], max_length=40, stop_token_ids=[1])  # another bucket
        assert model.compile_report()["generate"]["traces"] == 4
        function = model.generate_function
        model.generate([list(range(5, 15))], max_length=40, stop_token_ids=[2])
        assert model.generate_function == function and model.compile_report()["generate"]["traces"] == 4
        model.compile(sampler="top_k")
        assert model.generate_function is None


@pytest.mark.parametrize("sampler", [samplers.TopKSampler, samplers.TopPSampler, samplers.RandomSampler])
def test_equal_seeds_give_equal_text(sampler):
    arguments = {"p": 0.9} if sampler is samplers.TopPSampler else {}
    with core.backend.use("torch"):
        model = model_of("llama")

        def drawn(seed):
            chosen = sampler(seed=seed, temperature=2.0, **arguments)
            return [model.generate([[5, 6]], max_length=30, stop_token_ids=None, sampler=chosen) for _ in range(2)]

        one, two, other = drawn(1), drawn(1), drawn(2)
        assert one == two and one[0] != one[1] and one != other
        assert len(model.generate([[5], [6, 7]], 9, None, sampler=sampler(seed=1), num_return_sequences=3)) == 6


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_contrastive_search_equals_its_definition(backend):
    with core.backend.use(backend):
        model = model_of("llama")
        row = [5, 9, 33]
        found = model.generate([row, [7, 8, 9, 10, 11]], max_length=12, stop_token_ids=None, sampler=samplers.ContrastiveSampler(k=4))[0]
        for _ in range(12 - len(row)):
            logits, states = (ops.convert_to_numpy(x)[0].astype("float64") for x in whole(model, row))
            probabilities = np.exp(logits[-1] - logits[-1].max())
            probabilities /= probabilities.sum()
            candidates = np.argsort(-probabilities)[:4]
            scores = []
            for candidate in candidates:
                new = ops.convert_to_numpy(whole(model, [*row, int(candidate)])[1])[0, -1]
                cosines = states @ new / np.linalg.norm(states, axis=-1) / np.linalg.norm(new)
                scores.append(0.4 * probabilities[candidate] - 0.6 * cosines.max())
            row = [*row, int(candidates[int(np.argmax(scores))])]
        assert found == row


def whole(model, row):
    states = model.backbone({"token_ids": np.array([row]), "padding_mask": np.ones((1, len(row)), "int32")})
    return model.backbone.logits(states), states


def test_a_position_past_the_end_of_a_full_row_is_not_looked_up():
    with core.backend.use("torch"):
        model = model_of("gpt2")  # 24 learned positions
        found = model.generate([[5] * 23, [6]], max_length=24, stop_token_ids=None)
        assert [len(row) for row in found] == [24, 24]


WRONG = [
    (lambda m: m.generate("text"), "preprocessor"),
    (lambda m: m.generate(["a"], stop_token_ids=None), "no preprocessor"),
    (lambda m: m.generate([[5, 6, 7]], max_length=2, stop_token_ids=None), "3 tokens, more than max_length=2"),
    (lambda m: m.generate([[5]], max_length=25, stop_token_ids=None), "24 positions"),
    (lambda m: m.generate([[5], []], max_length=9, stop_token_ids=None), "Prompt 1 is empty"),
    (lambda m: m.generate([[5]], max_length=9, stop_token_ids="auto"), "stop_token_ids"),
    (lambda m: m.generate([[5]], max_length=9, stop_token_ids=None, sampler="best"), "Unknown sampler"),
    (lambda m: m.generate([[5]], max_length=9, stop_token_ids=None, sampler="beam", num_return_sequences=6), "5 beams"),
    (lambda m: m.generate({"tokens": 1}, stop_token_ids=None), "padding_mask"),
    (lambda m: m.generate([[5]], max_length=0, stop_token_ids=None), "positive max_length"),
    (lambda m: m.compile(sampler=7), "A sampler is"),
]


@pytest.mark.parametrize("call, message", WRONG, ids=[message for _, message in WRONG])
def test_mistakes_are_explained(call, message):
    with core.backend.use("torch"):
        with pytest.raises(ValueError, match=message):
            call(model_of("gpt2"))


def test_alignment_restores_its_rows():
    ids = np.array([[1, 2, 3, 0, 0, 0], [0, 4, 0, 0, 0, 0]])
    mask = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0]])
    aligned = Aligned.of(ids, mask)
    assert aligned.tokens[:, aligned.start - 1].tolist() == [3, 4]
    filled = aligned.tokens.copy()
    filled[:, aligned.start : aligned.start + 3] = [[7, 9, 8], [9, 7, 7]]
    new, kept = aligned.restore(filled, np.array([9]), 6)
    assert [row[k].tolist() for row, k in zip(new, kept)] == [[1, 2, 3, 7, 9], [4, 9]]
    sizes = [bucket(n) for n in range(1, 3000)]
    assert all(n <= size for n, size in enumerate(sizes, 1)) and len(set(sizes)) < 20


def test_pieces_never_split_a_character():
    data = "naïve 日本 🙂 ende".encode()
    pieces = Pieces(lambda ids: bytes(ids).decode(errors="replace"), [])
    found = [pieces.upto(list(data[: n + 1]), last=n == len(data) - 1) for n in range(len(data))]
    assert "".join(found) == data.decode() and all("\ufffd" not in piece for piece in found)
    half = Pieces(lambda ids: bytes(ids).decode(errors="replace"), [])
    assert half.upto([104, 0xC3]) == "h" and half.upto([104, 0xC3], last=True) == "\ufffd"
