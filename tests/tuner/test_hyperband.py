"""Hyperband's brackets, promotions and workers; asynchronous halving and the median rule."""

import math
import random

import pytest
from conftest import flat, nine, space_of

from tuner.pruners import MedianPruner, SuccessiveHalvingPruner
from tuner.samplers import HyperbandSampler, RandomSampler, TPESampler
from tuner.samplers.hyperband import brackets
from tuner.trial import EXHAUSTED, WAIT, Trial

# Table 1 of Li et al. 2018 for (81, 3); the others by algorithm 1, with resources rounded.
TABLES = {
    (9, 3): [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]],
    (81, 3): [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)], [(34, 3), (11, 9), (3, 27), (1, 81)], [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)], [(5, 81)],
    ],
    (16, 2): [
        [(16, 1), (8, 2), (4, 4), (2, 8), (1, 16)], [(10, 2), (5, 4), (2, 8), (1, 16)], [(7, 4), (3, 8), (1, 16)],
        [(5, 8), (2, 16)], [(5, 16)],
    ],
    (1, 3): [[(1, 1)]],
    (2, 3): [[(1, 2)]],
}  # fmt: skip
RUNS = {(81, 3): 206, (9, 3): 22, (27, 3): 69, (100, 3): 206, (125, 5): 213, (16, 2): 72, (243, 3): 611}  # of the paper's arithmetic


@pytest.mark.parametrize("case", TABLES, ids=str)
def test_brackets_are_the_papers(case):
    assert [[(one.trials, one.resource) for one in rounds] for rounds in brackets(*case)] == TABLES[case]


@pytest.mark.parametrize("case", RUNS, ids=str)
def test_the_number_of_runs_is_the_papers(case):
    table = brackets(*case)
    assert sum(one.trials for rounds in table for one in rounds) == RUNS[case]
    assert all(rounds[-1].resource == case[0] for rounds in table)


def quality(values):
    return abs(math.log10(values.get("rate", 1.0)) + 2.5) + values.get("size", values.get("b", 0)) / 100


def run(sampler, space, workers=1, seed=0, outcome=None, order=None):
    """The trials of a whole search with so many workers; they end in the order of `order` (a `random.Random`), else first in, first out."""
    trials, waited = [], 0
    while True:
        running = [trial for trial in trials if trial.state == "running"]
        answer = sampler.suggest(space, trials, len(trials), seed) if len(running) < workers else WAIT
        if answer is EXHAUSTED:
            assert not running
            return trials, waited
        if answer is WAIT:
            waited += len(running) < workers
            trial = order.choice(running) if order else running[0]
            trial.state, trial.score = outcome(trial) if outcome else ("completed", quality(trial.values))
            continue
        trials.append(Trial.of(answer, len(trials), state="running"))


def of_round(trials, *where):
    return [t for t in trials if (t.notes["iteration"], t.notes["bracket"], t.notes["round"]) == where]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_search_runs_the_table(workers):
    space = space_of(flat)
    for shuffled in (None, random.Random(0)):
        trials, _ = run(HyperbandSampler(9, 3, iterations=2), space, workers, order=shuffled)
        for iteration in (0, 1):
            for bracket, rounds in enumerate(brackets(9, 3)):
                for level, one in enumerate(rounds):
                    members = of_round(trials, iteration, bracket, level)
                    assert (len(members), {t.resource for t in members}) == (one.trials, {one.resource})
                    if level == 0:
                        assert all(t.parent is None and t.initial_resource == 0 for t in members)
                        continue
                    best = sorted(of_round(trials, iteration, bracket, level - 1), key=lambda t: (t.score, t.number))[: one.trials]
                    assert {t.parent for t in members} == {t.number for t in best}
                    for t in members:
                        assert t.values == trials[t.parent].values and t.initial_resource == trials[t.parent].resource < t.resource
        assert len(trials) == 2 * RUNS[9, 3]


def test_workers_wait_only_at_the_end():
    trials, waited = run(HyperbandSampler(27, 3), space_of(flat), workers=4)
    assert len(trials) == RUNS[27, 3]
    assert waited <= 4 * 4  # each of the last rounds may keep three of four workers waiting


def test_the_search_goes_on_as_before_after_it_was_cut_off():
    """What is proposed depends on the trials alone: another sampler object continues the same way."""
    whole, _ = run(HyperbandSampler(9, 3), space_of(flat))
    for cut in (1, 7, 13, 20):
        again = HyperbandSampler(9, 3).suggest(space_of(flat), whole[:cut], cut, 0)
        assert (again.values, again.resource, again.parent) == (whole[cut].values, whole[cut].resource, whole[cut].parent)


def test_what_failed_is_not_promoted_and_the_search_ends():
    def outcome(trial):
        bad = trial.number % 3
        return [("failed", None), ("completed", math.inf), ("completed", quality(trial.values))][bad]

    trials, _ = run(HyperbandSampler(27, 3), space_of(flat), workers=3, outcome=outcome)
    assert all(trials[t.parent].usable for t in trials if t.parent is not None)
    for bracket, rounds in enumerate(brackets(27, 3)):
        assert sum(t.notes["bracket"] == bracket and t.notes["round"] == 0 for t in trials) == rounds[0].trials
    everything_fails, _ = run(HyperbandSampler(9, 3), space_of(flat), outcome=lambda trial: ("failed", None))
    assert len(everything_fails) == 9 + 5 + 3


def test_a_finite_space_is_not_repeated():
    """Nine points in a first round of 27: each starts once, and the best go on to the end."""
    for workers in (1, 3):
        trials, _ = run(HyperbandSampler(27, 3), space_of(nine), workers, order=random.Random(1))
        started = [tuple(t.values.items()) for t in trials if t.parent is None]
        assert len(started) == len(set(started)) == 9
        assert max(t.resource for t in trials) == 27
        best = min((t for t in trials if t.parent is None), key=lambda t: (t.score, t.number))
        assert any(t.resource == 27 and t.values == best.values for t in trials)


def test_a_model_learns_from_the_largest_resource_only():
    class Spy(RandomSampler):
        def suggest(self, space, trials, number, seed):
            self.seen.append([trial.resource for trial in trials if trial.usable])
            return super().suggest(space, trials, number, seed)

    Spy.seen = []
    run(HyperbandSampler(9, 3, iterations=2, sampler=Spy()), space_of(flat))
    assert all(len(set(resources)) <= 1 for resources in Spy.seen)
    assert {resources[0] for resources in Spy.seen if resources} >= {1, 9}
    trials, _ = run(HyperbandSampler(9, 3, sampler=TPESampler(initial=4)), space_of(flat))
    assert len(trials) == RUNS[9, 3]


@pytest.mark.parametrize("settings", [{"max_resource": 0}, {"factor": 1}, {"iterations": 0}, {"max_resource": 2.5}], ids=str)
def test_settings_that_cannot_be_meant_are_refused(settings):
    with pytest.raises(ValueError, match="HyperbandSampler expected"):
        HyperbandSampler(**settings)


# ---- pruners

BAD = [(SuccessiveHalvingPruner, {"factor": 1}), (SuccessiveHalvingPruner, {"min_resource": 0}), (MedianPruner, {"min_trials": 0})]


def curve(number, level, steps, state="completed"):
    return Trial(number, state=state, score=level, reports={step: level + 1 / step for step in range(1, steps + 1)})


def test_halving_judges_at_rungs_only():
    pruner = SuccessiveHalvingPruner(min_resource=1, factor=3)
    done = [curve(i, float(i), 27) for i in range(9)]
    verdicts = {step: pruner.should_prune(curve(9, 3.5, step, "running"), done) for step in range(1, 28)}
    assert [step for step, stop in verdicts.items() if stop] == [1, 3, 9, 27]
    assert not any(pruner.should_prune(curve(9, 1.5, step, "running"), done) for step in range(1, 28))


def test_halving_keeps_the_best_third_of_a_rung():
    """Trials that arrive one after another at the first rung: each goes on if it is among the best third of those there."""
    pruner, order, trials, kept = SuccessiveHalvingPruner(), list(range(30)), [], []
    random.Random(0).shuffle(order)
    for number, level in enumerate(order):
        trial = curve(number, float(level), 1, "running")
        stop = pruner.should_prune(trial, trials)
        ranks = sorted(order[: number + 1])
        assert stop == (number + 1 >= 3 and ranks.index(level) >= (number + 1) // 3)
        trials.append(trial)
        kept.append(not stop)
    assert sum(kept) < 15


def test_halving_with_reports_between_the_rungs():
    pruner = SuccessiveHalvingPruner(min_resource=4, factor=2)
    done = [Trial(i, state="completed", score=0.0, reports={5: float(i), 10: float(i)}) for i in range(4)]
    assert not pruner.should_prune(Trial(9, state="running", reports={3: 9.0}), done)
    assert pruner.should_prune(Trial(9, state="running", reports={3: 9.0, 5: 9.0}), done)
    assert not pruner.should_prune(Trial(9, state="running", reports={5: 9.0, 7: 9.0}), done)
    assert pruner.should_prune(Trial(9, state="running", reports={5: 9.0, 7: 9.0, 10: 9.0}), done)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_diverged_trials_stop_at_the_rung(value):
    assert SuccessiveHalvingPruner().should_prune(Trial(0, state="running", reports={1: value}), [])
    done = [curve(i, float(i), 5) for i in range(1, 7)]
    assert MedianPruner().should_prune(Trial(0, state="running", reports={1: value}), done)


def test_a_trial_is_not_compared_with_itself():
    trial = curve(0, 1.0, 1, "running")
    assert not SuccessiveHalvingPruner(factor=2).should_prune(trial, [trial])


def test_the_median_rule():
    done = [curve(i, float(i), 10) for i in range(5)]  # running averages at step 2: i + 0.75, the median 2.75
    pruner = MedianPruner(min_trials=5, min_resource=2)
    assert not pruner.should_prune(Trial(9, state="running", reports={1: 9.0}), done)
    assert pruner.should_prune(Trial(9, state="running", reports={1: 9.0, 2: 2.76}), done)
    assert not pruner.should_prune(Trial(9, state="running", reports={1: 9.0, 2: 2.74}), done)
    assert not pruner.should_prune(Trial(9, state="running", reports={1: 0.0, 2: 9.0}), done)  # its best counts
    assert not pruner.should_prune(Trial(9, state="running", reports={1: 9.0, 2: 9.0}), done[:4])
    failed = [Trial(10 + i, state="failed", reports={1: -9.0, 2: -9.0}) for i in range(9)]
    assert not pruner.should_prune(Trial(9, state="running", reports={1: 9.0, 2: 2.74}), done + failed)


@pytest.mark.parametrize("kind, settings", BAD)
def test_pruner_settings_that_cannot_be_meant_are_refused(kind, settings):
    with pytest.raises(ValueError, match="Pruner expected"):
        kind(**settings)
