"""What the tests of the tuner share: spaces of every shape, and a study in a few lines."""

import math

import pytest

from tuner.space import HyperParameters
from tuner.trial import Answer, Proposal, Trial


def nested(hp):
    """Three levels, the same parent twice, a name under two conditions."""
    kind = hp.Choice("kind", ["linear", "deep", "wide"])
    with hp.conditional_scope("kind", ["deep"]):
        layers = hp.Int("layers", 1, 3)
        with hp.conditional_scope("layers", [2, 3]):
            skip = hp.Boolean("skip")
            with hp.conditional_scope("skip", [True]):
                hp.Float("gate", 0.0, 1.0, step=0.5)
    with hp.conditional_scope("kind", ["wide"]):
        hp.Int("units", 16, 64, step=2, sampling="log")
    with hp.conditional_scope("kind", ["deep"]):
        hp.Int("units", 2, 8, step=2)
    return kind, layers, skip


def flat(hp):
    hp.Float("rate", 1e-4, 1e-1, sampling="log")
    hp.Int("size", 1, 100)
    hp.Choice("rule", ["a", "b", "c"])
    hp.Fixed("version", 3)


def nine(hp):
    hp.Choice("a", [1, 2, 3])
    hp.Int("b", 1, 3)


BUILDS = {"nested": nested, "flat": flat, "nine": nine}


def space_of(build):
    hp = HyperParameters()
    build(hp)
    return hp.space


@pytest.fixture(params=BUILDS)
def space(request):
    return space_of(BUILDS[request.param])


def loss(values):
    """A smooth function of any point: the sum over parameters of squares of something."""
    total = 0.0
    for value in values.values():
        if isinstance(value, str):
            total += 0.1 * (len(value) % 3)
        elif value:
            total += (math.log10(abs(value)) + 0.5) ** 2
    return total


def study(sampler, space, count, seed=0, objective=loss):
    """The trials that a sampler makes one after another, until it has no more or there are `count`."""
    trials = []
    while len(trials) < count:
        answer = sampler.suggest(space, trials, len(trials), seed)
        if isinstance(answer, Answer):
            break
        assert isinstance(answer, Proposal)
        trials.append(Trial.of(answer, len(trials), state="completed", score=objective(answer.values)))
    return trials
