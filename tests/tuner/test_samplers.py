"""Samplers: pure, seeded, never a repeat, exact on finite spaces, and good."""

import math

import numpy as np
import pytest
from conftest import flat, loss, nested, nine, space_of, study
from scipy import integrate, optimize, stats

from tuner.samplers import GaussianProcessSampler, GridSampler, HyperbandSampler, RandomSampler, Seen, TPESampler
from tuner.samplers.cube import Cube
from tuner.samplers.gaussian_process import Coordinates, GaussianProcess, Prior, fitted
from tuner.samplers.improvement import log_improvement, log_improvement_slope
from tuner.samplers.lessons import lessons
from tuner.samplers.tpe import Density
from tuner.space import Boolean, Condition, Float, HyperParameters, Int, Space
from tuner.trial import EXHAUSTED, Proposal, Trial

SAMPLERS = {
    "random": RandomSampler(),
    "grid": GridSampler(),
    "tpe": TPESampler(initial=4),
    "gp": GaussianProcessSampler(initial=4, candidates=200),
}


@pytest.fixture(params=SAMPLERS)
def sampler(request):
    return SAMPLERS[request.param]


def key(values):
    return tuple(sorted((name, repr(value)) for name, value in values.items()))


def test_a_finite_space_is_exhausted_exactly(sampler):
    for build in (nine, nested):
        space = space_of(build)
        trials = study(sampler, space, 1000)
        points = [key(trial.values) for trial in trials]
        assert len(points) == len(set(points)) == space.size()
        assert sampler.suggest(space, trials, len(trials), 0) is EXHAUSTED


def test_proposals_hold_active_parameters_only_and_never_repeat(sampler, space):
    trials = study(sampler, space, 20)
    assert len({key(trial.values) for trial in trials}) == len(trials)
    for trial in trials:
        assert space.restricted(trial.values) == space.completed(trial.values) == trial.values


def test_the_same_trials_number_and_seed_give_the_same_proposal(sampler):
    space = space_of(flat)
    trials = study(sampler, space, 12)
    for number in (0, 5, 11):
        assert sampler.suggest(space, trials[:number], number, 0).values == trials[number].values
    if not isinstance(sampler, GridSampler):
        # neighbouring seeds share no point, whatever the shift, before a model draws them to the same places
        assert not {key(trial.values) for trial in trials[:4]} & {key(trial.values) for trial in study(sampler, space, 4, seed=1)}


def test_running_and_failed_trials_are_not_proposed_again(sampler):
    space = space_of(nine)
    trials = []
    for number in range(9):
        answer = sampler.suggest(space, trials, number, 3)
        state = ("running", "failed", "completed", "infeasible", "pruned", "waiting")[number % 6]
        trials.append(Trial.of(answer, number, state=state, score=float(number) if state == "completed" else None))
    assert len({key(trial.values) for trial in trials}) == 9
    assert sampler.suggest(space, trials, 9, 3) is EXHAUSTED


def test_spaces_without_parameters_or_choice(sampler):
    assert sampler.suggest(Space(), [], 0, 0).values == {}
    assert sampler.suggest(Space(), [Trial(0, {}, state="completed", score=1.0)], 1, 0) is EXHAUSTED
    one = Space([Int("i", min_value=5, max_value=5)])
    assert [trial.values for trial in study(sampler, one, 5)] == [{"i": 5}]


def test_a_point_is_covered_by_a_trial_that_asked_for_less():
    """Under define-by-run a build that asked for fewer parameters would ask for the same again."""

    def build(hp):
        return [hp.Int(f"units_{i}", 1, 2) for i in range(hp.Int("layers", 1, 2))]

    probe = HyperParameters(values={"layers": 2})
    build(probe)
    for sampler in SAMPLERS.values():
        trials = []
        while isinstance(answer := sampler.suggest(probe.space, trials, len(trials), 0), Proposal):
            hp = HyperParameters(probe.space, answer.values)
            build(hp)
            trials.append(Trial(len(trials), hp.asked, state="completed", score=loss(hp.asked)))
        assert len({key(trial.values) for trial in trials}) == len(trials) == 2 + 4


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_trial_without_values_covers_nothing_but_the_point_without_values(name):
    """A trial that failed before it asked for anything says nothing of the points that others found."""
    space = Space([Float("x")])
    for trials in ([Trial(0, {}, state="failed")], [Trial(0, {}, state="running"), Trial(1, {"x": 0.5}, state="completed", score=1.0)]):
        assert SAMPLERS[name].suggest(space, trials, len(trials), 0).values.keys() == {"x"}
    assert len(study(SAMPLERS[name], space_of(nine), 20)) == 9
    failed = [Trial(0, {}, state="failed")]
    assert isinstance(SAMPLERS[name].suggest(space_of(nine), failed, 1, 0), Proposal)


@pytest.mark.parametrize("rest", [Float("rest"), Int("rest", min_value=1, max_value=10**9), Int("rest", min_value=1, max_value=3)])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_parameter_that_no_trial_asks_for_does_not_keep_a_search_alive(name, rest, first):
    """A user may give parameters that the build never reads: once it has seen what it reads, nothing is left, and the search ends."""
    asked = Int("asked", min_value=1, max_value=3)
    space = Space([rest, asked] if first else [asked, rest])
    trials = []
    while isinstance(answer := SAMPLERS[name].suggest(space, trials, len(trials), 0), Proposal):
        trials.append(Trial(len(trials), {"asked": answer.values["asked"]}, state="completed", score=1.0 * len(trials)))
        assert len(trials) <= 3
    assert sorted(trial.values["asked"] for trial in trials) == [1, 2, 3]


def test_exploration_and_noise_of_the_gaussian_process_do_what_they_say():
    trials = study(GaussianProcessSampler(), BOWL, 15, 0, branin)
    rows, scores = lessons(BOWL, trials)
    coordinates = Coordinates(BOWL)
    process = fitted(coordinates(rows), scores, coordinates.owner, 2)

    def ignorance(exploration):
        """How little is known where the proposals are: the posterior's deviation, on average over seeds."""
        sampler = GaussianProcessSampler(exploration=exploration)
        points = np.array([BOWL.to_cube(sampler.suggest(BOWL, trials, 15, seed).values) for seed in range(3)])
        return process.posterior(coordinates(points))[1].mean()

    assert ignorance(0.0) < ignorance(1.0) < ignorance(100.0)
    noises = [fitted(coordinates(rows), scores, coordinates.owner, 2, Prior().expecting(noise)).noise for noise in (0.0, 1e-4, 1.0)]
    assert noises == sorted(noises) and noises[0] < 0.1 * noises[2]
    for wrong in ({"noise": -1.0}, {"exploration": math.nan}, {"exploration": -0.1}):
        with pytest.raises(ValueError, match="from 0 on"):
            GaussianProcessSampler(**wrong)


def test_equal_numbers_of_different_types_are_told_apart():
    seen = Seen([Trial(0, {"a": True})])
    assert seen.covers({"a": True}) and not seen.covers({"a": 1})


def test_grid_follows_the_order_of_the_space():
    values = [trial.values for trial in study(GridSampler(), space_of(nine), 9)]
    assert values == [{"a": a, "b": b} for a in (1, 2, 3) for b in (1, 2, 3)]


# ---- models: each sees what it should


def branin(values):
    x, y = values["x"], values["y"]
    return (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


BOWL = Space([Float("x", min_value=-5, max_value=10), Float("y", min_value=0, max_value=15)])


def test_the_gaussian_process_finds_the_optimum_of_branin():
    trials = study(GaussianProcessSampler(), BOWL, 45, 0, branin)
    assert min(trial.score for trial in trials) - 0.397887 < 1e-3


@pytest.mark.parametrize("seeds, count", [(4, 40), pytest.param(10, 60, marks=pytest.mark.slow)])
def test_tpe_beats_random_search(seeds, count):
    scores = {}
    for name in ("random", "tpe"):
        bests = [min(trial.score for trial in study(SAMPLERS[name], BOWL, count, seed, branin)) for seed in range(seeds)]
        scores[name] = np.median(bests) - 0.397887
    assert scores["tpe"] < 0.5 * scores["random"]


def test_the_gaussian_process_finds_the_right_branch():
    space = Space([
        Boolean("deep"), Float("x", min_value=0, max_value=1),
        Float("shallow", min_value=0, max_value=1, conditions=(Condition("deep", (False,)),)),
        Int("layers", min_value=1, max_value=30, conditions=(Condition("deep", (True,)),)),
    ])  # fmt: skip

    def objective(values):
        part = 0.2 + (values["shallow"] - 0.2) ** 2 if not values["deep"] else ((values["layers"] - 21) / 30) ** 2
        return part + (values["x"] - 0.7) ** 2

    trials = study(GaussianProcessSampler(), space, 35, 0, objective)
    best = min(trials, key=lambda trial: trial.score)
    assert best.values["deep"] and best.values["layers"] == 21 and abs(best.values["x"] - 0.7) < 0.02


def test_trials_that_diverge_or_fail_do_not_mislead():
    def objective(values):
        return branin(values)

    for sampler in (GaussianProcessSampler(candidates=300), TPESampler()):
        trials = []
        for number in range(30):
            values = sampler.suggest(BOWL, trials, number, 0).values
            if values["x"] < 0:
                trials.append(Trial(number, values, state="failed" if number % 2 else "completed", score=None if number % 2 else -math.inf))
            else:
                trials.append(Trial(number, values, state="completed", score=objective(values)))
        late = [trial.values["x"] for trial in trials[15:]]
        assert sum(x < 0 for x in late) < len(late) / 2


def test_running_trials_repel_the_next():
    trials = study(GaussianProcessSampler(), BOWL, 14, 0, branin)
    points = []
    for number in range(14, 18):
        values = GaussianProcessSampler().suggest(BOWL, trials, number, 0).values
        points.append(np.array([BOWL[0].place(values["x"]), BOWL[1].place(values["y"])]))
        trials.append(Trial(number, values, state="running"))
    gaps = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    assert min(gaps) > 0.02


def test_lessons_take_failed_for_worst_and_pruned_for_no_better_than_the_middle():
    space = Space([Float("x")])
    trials = [
        Trial(0, {"x": 0.1}, state="completed", score=1.0),
        Trial(1, {"x": 0.2}, state="completed", score=3.0),
        Trial(2, {"x": 0.3}, state="completed", score=math.nan),
        Trial(3, {"x": 0.4}, state="failed"),
        Trial(4, {"x": 0.5}, state="pruned", score=0.5),
        Trial(5, {"x": 0.6}, state="pruned", score=2.5),
        Trial(6, {"x": 0.7}, state="running"),
        Trial(7, {"x": 0.8}, state="completed", score=-math.inf),
    ]
    rows, scores = lessons(space, trials)
    learned = dict(zip(np.round(rows[:, 0], 3).tolist(), scores.tolist()))
    assert learned == {0.1: 1.0, 0.2: 3.0, 0.3: 3.0, 0.4: 3.0, 0.5: 2.0, 0.6: 2.5, 0.8: 3.0}
    rows, scores = lessons(space, [Trial(i, {"x": i / 100}, state="completed", score=float(i)) for i in range(100)], most=20)
    assert len(rows) == 20 and set(range(10)) <= set(scores) and scores.max() == 99


# ---- the arithmetic, against references


def test_canonical_rows_are_those_of_the_space(space):
    cube, rng = Cube(space), np.random.default_rng(0)
    rows = rng.random((60, len(space)))
    expected = np.array([space.to_cube(space.from_cube(row)) for row in cube.snapped(rows)])
    np.testing.assert_allclose(cube.canonical(rows), expected, atol=1e-12)


def test_the_fit_has_the_likelihood_and_gradient_of_its_formula():
    space, rng = space_of(nested), np.random.default_rng(1)
    rows = np.array([space.to_cube(space.sample(rng)) for _ in range(15)])
    coordinates = Coordinates(space)
    y = rng.standard_normal(15)
    n, prior = len(space), Prior()
    start = rng.standard_normal(n + 2) * 0.3
    process = GaussianProcess(coordinates(rows), y, coordinates.owner, n, prior, np.array([start]))
    value, gradient = process._loss(start)

    x = coordinates(rows)
    squared = sum(math.exp(start[j]) * np.subtract.outer(x[:, c], x[:, c]) ** 2 for c, j in enumerate(coordinates.owner))
    r = np.sqrt(5 * squared)
    covariance = math.exp(start[-2]) * (1 + r + r * r / 3) * np.exp(-r) + (math.exp(start[-1]) + 1e-9) * np.eye(15)
    expected = -stats.multivariate_normal(np.zeros(15), covariance).logpdf(y) - 7.5 * math.log(2 * math.pi)
    means = [prior.weight] * n + [prior.amplitude, prior.noise]
    expected += sum(0.5 * ((log - mean) / spread) ** 2 for log, (mean, spread) in zip(start, means))
    assert value == pytest.approx(expected, rel=1e-6)
    numeric = optimize.approx_fprime(start, lambda logs: process._loss(logs)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-4)


def test_the_posterior_is_that_of_its_formula_and_so_are_its_gradients():
    rng = np.random.default_rng(2)
    x, y = rng.random((12, 3)), rng.standard_normal(12)
    process = GaussianProcess(x, y, np.arange(3), 3, Prior(), np.zeros((1, 5)))
    new = rng.random((4, 3))

    def kernel(a, b):
        weights = np.exp(process.logs[:3])
        r = np.sqrt(5 * ((a[:, None] - b[None]) ** 2 @ weights))
        return math.exp(process.logs[-2]) * (1 + r + r * r / 3) * np.exp(-r)

    def posterior(known):
        noisy = kernel(known, known) + (process.noise + 1e-9) * np.eye(len(known))
        return math.exp(process.logs[-2]) - np.einsum("ij,jk,ik->i", kernel(new, known), np.linalg.inv(noisy), kernel(new, known))

    mean, deviation = process.posterior(new)
    noisy = kernel(x, x) + (process.noise + 1e-9) * np.eye(12)
    np.testing.assert_allclose(mean, kernel(new, x) @ np.linalg.solve(noisy, y), atol=1e-6)
    np.testing.assert_allclose(deviation**2, posterior(x), atol=1e-6)
    process.expect(new[:1] + 0.01)
    after, narrower = process.posterior(new)
    np.testing.assert_allclose(after, mean, atol=1e-9)
    np.testing.assert_allclose(narrower**2, posterior(np.concatenate([x, new[:1] + 0.01])), atol=1e-6)
    assert narrower[0] < deviation[0]
    at, wide, by_mean, by_deviation = process.slope(new[1])
    assert (at, wide) == pytest.approx((after[1], narrower[1]))
    np.testing.assert_allclose(by_mean, optimize.approx_fprime(new[1], lambda p: process.posterior(p[None])[0][0], 1e-6), atol=1e-4)
    np.testing.assert_allclose(by_deviation, optimize.approx_fprime(new[1], lambda p: process.posterior(p[None])[1][0], 1e-6), atol=1e-4)


@pytest.mark.parametrize("z", [5.0, 0.3, 0.0, -0.2, -3.0, -20.0, -49.0, -51.0, -1000.0, -1e6])
def test_log_improvement_and_its_slope(z):
    # Over the density at z, the improvement is the integral of t exp(zt - t^2/2) over t > 0; the distribution is that without the factor t.
    scale = max(1.0, abs(z))

    def moment(k):
        return integrate.quad(lambda s: s**k * math.exp(z / scale * s - (s / scale) ** 2 / 2), 0, 60)[0] / scale ** (k + 1)

    moments = [moment(0), moment(1)]
    expected = math.log(2.0) - z * z / 2 - math.log(2 * math.pi) / 2 + math.log(moments[1])
    mean, deviation = np.array([1.0 - 2.0 * z]), np.array([2.0])
    assert log_improvement(mean, deviation, 1.0)[0] == pytest.approx(expected, rel=1e-6)
    slope = log_improvement_slope(float(mean[0]), 2.0, np.array([1.0, 0.0]), np.array([0.0, 1.0]), 1.0)
    np.testing.assert_allclose(slope, [-moments[0] / (2 * moments[1]), 1 / (2 * moments[1])], rtol=1e-3)


def test_a_density_adds_up_to_one_over_a_tree():
    space = Space([
        Boolean("deep"), Int("size", min_value=1, max_value=5),
        Int("layers", min_value=1, max_value=4, conditions=(Condition("deep", (True,)),)),
    ])  # fmt: skip
    cube, rng = Cube(space), np.random.default_rng(0)
    rows = np.array([space.to_cube(space.sample(rng)) for _ in range(6)])
    density = Density(cube, rows)
    points = np.array([space.to_cube(point) for point in space.grid()])
    probabilities = np.exp(density.log(points))
    assert probabilities.sum() == pytest.approx(1.0)
    drawn = cube.canonical(density.draw(20_000, rng))
    counts = [(np.isclose(drawn, point, equal_nan=True).all(1)).mean() for point in points]
    np.testing.assert_allclose(counts, probabilities, atol=0.012)


def test_a_continuous_density_adds_up_to_one():
    space = Space([Float("x")])
    density = Density(Cube(space), np.array([[0.05], [0.5]]))
    grid = (np.arange(4000) + 0.5) / 4000
    assert np.exp(density.log(grid[:, None])).mean() == pytest.approx(1.0, abs=1e-3)
    drawn = np.sort(density.draw(4000, np.random.default_rng(0))[:, 0])
    cumulated = np.interp(drawn, grid, np.cumsum(np.exp(density.log(grid[:, None]))) / 4000)
    assert np.abs(cumulated - (np.arange(4000) + 0.5) / 4000).max() < 0.03


def test_abstract_settings_are_refused():
    for make in (lambda: TPESampler(share=0.0), lambda: HyperbandSampler(factor=1)):
        with pytest.raises(ValueError, match="expected"):
            make()
