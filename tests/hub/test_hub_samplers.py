"""Samplers against their definitions in NumPy."""

import numpy as np
import pytest

import core
from core import ops
from hub import samplers

PROBABILITIES = np.array([[0.4, 0.3, 0.15, 0.1, 0.05], [0.05, 0.05, 0.1, 0.2, 0.6]], "float32")
DRAWN = [
    (samplers.RandomSampler(seed=1), [{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}]),
    (samplers.TopKSampler(k=2, seed=1), [{0, 1}, {3, 4}]),
    (samplers.TopPSampler(p=0.5, seed=1), [{0, 1}, {4}]),
    (samplers.TopPSampler(p=0.75, k=3, seed=1), [{0, 1, 2}, {3, 4}]),
    (samplers.TopPSampler(p=0.01, seed=1), [{0}, {4}]),
]


@pytest.mark.parametrize("sampler, allowed", DRAWN, ids=[f"{type(s).__name__}-{s.get_config()}" for s, _ in DRAWN])
def test_draws_have_the_frequencies_of_the_truncated_distribution(backend, sampler, allowed):
    count = 4000
    for row, kept in zip(PROBABILITIES, allowed):
        tokens = ops.convert_to_numpy(sampler.get_next_token(ops.convert_to_tensor(np.tile(row, (count, 1)))))
        expected = np.array([p if i in kept else 0.0 for i, p in enumerate(row)])
        expected /= expected.sum()
        found = np.bincount(tokens, minlength=len(row)) / count
        assert not found[expected == 0].any()
        np.testing.assert_allclose(found, expected, atol=4.5 * np.sqrt(0.25 / count))


def test_probabilities_are_a_softmax_over_the_temperature(backend):
    logits = np.random.default_rng(0).normal(size=(3, 7)).astype("float32")
    expected = np.exp(logits.astype("float64") / 0.7)
    expected /= expected.sum(-1, keepdims=True)
    found = ops.convert_to_numpy(samplers.RandomSampler(seed=0, temperature=0.7).compute_probabilities(logits))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def successor(prompt, cache, index):
    """The next letter is certain; the cache counts the calls."""
    last = ops.take(prompt, index - 1, axis=1)
    return 50.0 * ops.one_hot(last + 1, 12), ops.one_hot(last + 1, 12), None if cache is None else cache + 1.0


NAMES = ["beam", "contrastive", "greedy", "random", "top_k", "top_p"]


@pytest.mark.parametrize("name", NAMES)
def test_loop_fills_stops_and_keeps(backend, name):
    sampler = samplers.get(name)
    prompt = np.array([[0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0]], "int32")
    states = {"hidden_states": np.zeros((2, 1, 12), "float32")} if name == "contrastive" else {}

    def run(**arguments):
        return ops.convert_to_numpy(sampler(next=successor, prompt=prompt, index=1, **states, **arguments)).tolist()

    assert run() == [[0, 1, 2, 3, 4, 5], [3, 4, 5, 6, 7, 8]]
    assert run(stop_token_ids=[3, 5]) == [[0, 1, 2, 3, 0, 0], [3, 4, 5, 0, 0, 0]]
    mask = np.array([[1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0]], bool)
    kept = run(mask=mask)
    assert kept[0][1] == 0 and kept[1][3] == 0 and kept[0][2] == 1 and kept[1][4] == 1


def test_a_loop_ends_when_all_rows_have_stopped():
    calls = []

    def counted(prompt, cache, index):
        calls.append(int(index))
        return successor(prompt, cache, index)

    with core.backend.use("torch"):
        samplers.GreedySampler()(next=counted, prompt=np.zeros((1, 9), "int32"), index=1, stop_token_ids=[3])
    assert calls == [1, 2, 3]


def test_a_sampler_of_ones_own_defines_the_choice():
    class Second(samplers.Sampler):
        def get_next_token(self, probabilities):
            return ops.argsort(probabilities, axis=-1)[:, -2]

    with core.backend.use("torch"):
        assert ops.convert_to_numpy(Second().get_next_token(ops.convert_to_tensor(PROBABILITIES))).tolist() == [1, 3]
        found = Second()(next=lambda p, c, i: (np.array([[3.0, 1.0, 2.0]]), None, c), prompt=np.zeros((1, 3), "int32"), index=1)
        assert ops.convert_to_numpy(found).tolist() == [[0, 2, 2]]
    with pytest.raises(TypeError, match="get_next_token"):
        samplers.Sampler().get_next_token(PROBABILITIES)


CONFIGURED = [
    samplers.GreedySampler(),
    samplers.RandomSampler(seed=3, temperature=0.5),
    samplers.TopKSampler(k=7, seed=1),
    samplers.TopPSampler(p=0.3, k=9, seed=1),
    samplers.BeamSampler(num_beams=3, length_penalty=0.5, early_stopping=True, return_all_beams=True),
    samplers.ContrastiveSampler(k=3, alpha=0.1),
]


@pytest.mark.parametrize("sampler", CONFIGURED, ids=lambda s: type(s).__name__)
def test_configs_make_equal_samplers(sampler):
    again = samplers.deserialize(samplers.serialize(sampler))
    assert type(again) is type(sampler) and again.get_config() == sampler.get_config()
    assert samplers.get(sampler) is sampler


def test_seeds():
    with core.backend.use("torch"):
        uniform = ops.ones((64, 50)) / 50

        def drawn(seed):
            sampler = samplers.RandomSampler(seed=seed)
            return [ops.convert_to_numpy(sampler.get_next_token(uniform)).tolist() for _ in range(2)]

        assert drawn(1) == drawn(1) and drawn(1) != drawn(2) and drawn(1)[0] != drawn(1)[1]


WRONG = [
    (lambda: samplers.get("best"), "Known: beam"),
    (lambda: samplers.get(3), "A sampler is"),
    (lambda: samplers.get(samplers.GreedySampler), "A sampler is"),
    (lambda: samplers.RandomSampler(temperature=0), "temperature"),
    (lambda: samplers.TopKSampler(k=0), "k must"),
    (lambda: samplers.TopPSampler(p=0), "p must"),
    (lambda: samplers.TopPSampler(p=0.5, k=0), "k must"),
    (lambda: samplers.BeamSampler(num_beams=0), "num_beams"),
    (lambda: samplers.ContrastiveSampler(alpha=2), "alpha"),
    (lambda: samplers.ContrastiveSampler(k=0), "k must"),
]


@pytest.mark.parametrize("make, message", WRONG, ids=range(len(WRONG)))
def test_mistakes_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()
