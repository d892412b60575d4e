"""Spaces: values, places, conditions, counting, define-by-run, JSON."""

import json
import math

import numpy as np
import pytest
from conftest import flat, nested, nine, space_of

from tuner.space import Boolean, Choice, Condition, Fixed, Float, HyperParameters, Int, Space
from tuner.trial import STATES, Trial

PARAMETERS = [
    Int("i", min_value=3, max_value=9),
    Int("i", min_value=0, max_value=10, step=4),
    Int("i", min_value=-5, max_value=-5),
    Int("i", min_value=1, max_value=100, sampling="log"),
    Int("i", min_value=1, max_value=100, sampling="reverse_log"),
    Int("i", min_value=2, max_value=64, step=2, sampling="log"),
    Int("i", min_value=2, max_value=64, step=2, sampling="reverse_log"),
    Float("f", min_value=-1.0, max_value=3.0),
    Float("f", min_value=0.1, max_value=0.5, step=0.1),
    Float("f", min_value=1e-5, max_value=1e-1, sampling="log"),
    Float("f", min_value=1e-5, max_value=1e-1, sampling="reverse_log"),
    Float("f", min_value=1e-4, max_value=1.0, step=10, sampling="log"),
    Float("f", min_value=2.0, max_value=2.0),
    Choice("c", values=("a", "b", "c")),
    Choice("c", values=(1, 2.5, 4)),
    Choice("c", values=(True, 1, None, "1")),
    Boolean("b"),
    Fixed("x", value="same"),
]


@pytest.mark.parametrize("parameter", PARAMETERS, ids=repr)
def test_places_and_values_are_inverse(parameter):
    grid = parameter.grid()
    assert [parameter.at(parameter.place(value)) for value in grid] == pytest.approx(grid)
    assert all(type(parameter.at(parameter.place(value))) is type(value) for value in grid)
    assert all(0.0 <= parameter.place(value) <= 1.0 for value in grid)
    assert len(grid) == (parameter.count if parameter.finite else 10)
    places = [parameter.place(value) for value in grid]
    assert places == sorted(places)
    for unit in (0.0, 0.3, 0.999999, 1.0):
        value = parameter.at(unit)
        if parameter.finite:
            assert any(value == one and type(value) is type(one) for one in grid)
        else:
            assert parameter.min_value <= value <= parameter.max_value
            assert parameter.place(value) == pytest.approx(unit, abs=1e-9)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=repr)
def test_a_parameter_survives_json(parameter):
    space = Space([parameter])
    again = Space.from_config(json.loads(json.dumps(space.get_config())))
    assert again == space and hash(again) == hash(space)


@pytest.mark.parametrize(
    "parameter, values",
    [
        (Int("i", min_value=2, max_value=64, step=2, sampling="log"), [2, 4, 8, 16, 32, 64]),
        (Int("i", min_value=2, max_value=10, step=2, sampling="reverse_log"), [4, 8, 10]),
        (Int("i", min_value=0, max_value=10, step=4), [0, 4, 8]),
        (Float("f", min_value=0.1, max_value=0.5, step=0.1), [0.1, 0.2, 0.3, 0.4, 0.5]),
    ],
)
def test_steps(parameter, values):
    assert parameter.grid() == pytest.approx(values)


def test_a_draw_of_a_finite_parameter_is_even():
    draws = [Int("i", min_value=1, max_value=4).at(u) for u in (np.arange(4000) + 0.5) / 4000]
    assert np.bincount(draws)[1:].tolist() == [1000] * 4


def test_a_logarithmic_int_draws_each_decade_alike():
    values = np.array([Int("i", min_value=1, max_value=999, sampling="log").at(u) for u in (np.arange(3000) + 0.5) / 3000])
    assert [int(((values >= low) & (values < 10 * low)).sum()) for low in (1, 10, 100)] == pytest.approx([1000] * 3, abs=2)
    mirrored = np.array([Int("i", min_value=1, max_value=999, sampling="reverse_log").at(u) for u in (np.arange(3000) + 0.5) / 3000])
    assert sorted(1000 - mirrored) == sorted(values)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Int("i", min_value=3, max_value=1), "expected min_value <= max_value, got 3 and 1"),
        (lambda: Int("i", min_value=1.5, max_value=3), "expected a whole number as min_value, got 1.5"),
        (lambda: Int("i", min_value="1", max_value=3), "expected a whole number as min_value, got '1'"),
        (lambda: Float("f", min_value=0.0, max_value=1.0, sampling="log"), "expected min_value > 0, got 0.0"),
        (lambda: Float("f", min_value=1.0, max_value=8.0, step=1.0, sampling="log"), "expected a step > 1"),
        (lambda: Float("f", min_value=0.0, max_value=math.inf), "expected a finite number as max_value, got inf"),
        (lambda: Float("f", min_value=0.0, max_value=1.0, default=2.0), "expected a default from 0.0 to 1.0, got 2.0"),
        (lambda: Float("f", min_value=0.0, max_value=1.0, sampling="cubic"), "'linear', 'log' or 'reverse_log', got 'cubic'"),
        (lambda: Choice("c", values=()), "expected at least one value"),
        (lambda: Choice("c", values=("a", "a")), "expected different values"),
        (lambda: Choice("c", values=((1, 2), (3, 4))), "give names or indices"),
        (lambda: Choice("c", values=("a", "b"), default="z"), "expected a default among"),
        (lambda: Choice("c", values=("a", "b"), ordered=True), "expected numbers where ordered=True"),
        (lambda: Boolean("b", default=1), "expected True or False as default, got 1"),
        (lambda: Space([Int("child", conditions=(Condition("parent", (1,)),))]), "depends on 'parent', which the space does not have"),
        (lambda: Space([Int("i"), Int("i")]), "another name"),
        (lambda: Space.from_config([{"class_name": "Evil", "config": {}}]), "Expected the config of one of"),
        (lambda: Space.from_config([{"class_name": "Int", "config": {"name": "i", "code": 1}}]), "Expected the config of one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def brute_force(space):
    """Every point of a finite space, by trying all values of all parameters and keeping what is active."""
    import itertools

    points = set()
    for values in itertools.product(*[parameter.grid() for parameter in space]):
        row = np.array([parameter.place(value) for parameter, value in zip(space, values)])
        points.add(tuple(space.from_cube(row).items()))
    return points


@pytest.mark.parametrize("build, size", [(nine, 9), (nested, 1 + 3 + 4 * (1 + 2 * (1 + 3)))], ids=["nine", "nested"])
def test_size_and_grid_agree_with_brute_force(build, size):
    space = space_of(build)
    points = [tuple(point.items()) for point in space.grid()]
    assert len(points) == len(set(points)) == space.size()
    assert set(points) == brute_force(space)
    assert space.size() == size


def test_size_of_large_and_continuous_spaces():
    parent = Int("n", min_value=1, max_value=1000)
    children = [Int(f"u{i}", min_value=1, max_value=10, conditions=(Condition("n", (i,)),)) for i in (1, 2, 3)]
    assert Space([parent, *children]).size() == 997 + 30
    assert space_of(flat).size() == math.inf
    only_there = Space([Boolean("b"), Float("f", conditions=(Condition("b", (True,)),))])
    assert only_there.size() == math.inf
    assert Space().size() == 1 and list(Space().grid()) == [{}]


def test_points_and_rows_are_inverse(space):
    rng = np.random.default_rng(0)
    for _ in range(50):
        point = space.sample(rng)
        row = space.to_cube(point)
        assert space.from_cube(row) == pytest.approx(point)
        assert {p.name for p, unit in zip(space, row) if not math.isnan(unit)} == set(point)
        assert space.restricted({**point, "unknown": 1}) == point


def test_inactive_values_are_absent():
    space = space_of(nested)
    assert space.restricted({"kind": "linear", "layers": 2, "skip": True, "gate": 0.5, "units": 8}) == {"kind": "linear"}
    shallow = {"kind": "deep", "layers": 1, "units": 8}
    assert space.restricted({**shallow, "skip": True, "gate": 0.5}) == shallow
    assert space.completed({"kind": "wide"}) == {"kind": "wide", "units": 16}
    assert space.completed({"kind": "deep", "layers": 3}) == {"kind": "deep", "layers": 3, "skip": False, "units": 2}
    assert space.defaults() == {"kind": "linear"}


# ---- define-by-run


def test_scopes_that_do_not_hold_return_defaults_and_leave_no_value():
    hp = HyperParameters(values={"kind": "linear"})
    assert nested(hp) == ("linear", 1, False)
    assert hp.values == hp.asked == {"kind": "linear"}
    assert [p.name for p in hp.space] == ["kind", "layers", "skip", "gate", "units", "units"]
    hp = HyperParameters(hp.space, {"kind": "deep", "layers": 3, "skip": True, "gate": 1.0, "units": 8})
    assert nested(hp) == ("deep", 3, True)
    assert hp.asked == {"kind": "deep", "layers": 3, "skip": True, "gate": 1.0, "units": 8}


def test_a_plain_if_leaves_no_trace_of_what_was_not_asked():
    def build(hp):
        return [hp.Int(f"units_{i}", 8, 64, step=8) for i in range(hp.Int("layers", 1, 3))]

    hp = HyperParameters(values={"layers": 3})
    build(hp)
    assert len(hp.space) == 4
    one = HyperParameters(hp.space, {"layers": 1, "units_0": 16, "units_1": 24, "units_2": 32})
    assert build(one) == [16]
    assert one.asked == {"layers": 1, "units_0": 16}


def test_new_parameters_take_their_default_or_a_draw():
    assert HyperParameters().Int("i", 3, 9) == 3
    drawn = [HyperParameters(seed=seed).Int("i", 0, 10**6) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert HyperParameters(seed=0).Float("f", 0.0, 1.0) != HyperParameters(seed=0).Float("g", 0.0, 1.0)


def test_a_users_override_wins():
    given = HyperParameters()
    given.Fixed("rate", 0.5)
    hp = HyperParameters(given.space)
    assert hp.Float("rate", 1e-4, 1e-1, sampling="log") == 0.5
    assert len(hp.space) == 1


def test_names_scopes_and_parents():
    hp = HyperParameters()
    hp.Choice("kind", ["a", "b"])
    with hp.name_scope("encoder"):
        hp.Int("units", 1, 4)
        assert hp.get("units") == 1
        with hp.conditional_scope("kind", "a"):
            hp.Boolean("bias", default=True)
        hp.Int("width", 1, 9, parent_name="units", parent_values=[2, 3])
    assert hp.values == {"kind": "a", "encoder/units": 1, "encoder/bias": True}
    assert "encoder/units" in hp and hp["encoder/units"] == 1
    assert "encoder/width" not in hp and not hp.is_active("encoder/width")
    with pytest.raises(ValueError, match="'encoder/width' is inactive"):
        hp.get("encoder/width")
    with pytest.raises(KeyError, match="There is no parameter 'nothing'"):
        hp.get("nothing")
    with pytest.raises(ValueError, match="ask for it before"), hp.conditional_scope("later", [1]):
        pass
    with pytest.raises(ValueError, match="parent_name and parent_values together"):
        hp.Int("x", 1, 2, parent_name="kind")


def test_copy_merge_and_config():
    hp = HyperParameters()
    nested(hp)
    again = HyperParameters.from_config(json.loads(json.dumps(hp.get_config())))
    assert again.space == hp.space and again.values == hp.values
    other = hp.copy()
    other.values = {"kind": "wide"}
    other.ensure_active_values()
    assert other.values == {"kind": "wide", "units": 16}
    assert hp.values == {"kind": "linear"}
    hp.merge(other)
    assert hp.values == {"kind": "wide", "units": 16}
    mine = HyperParameters()
    mine.Choice("kind", ["linear"])
    mine.merge(other, overwrite=False)
    assert mine.values == {"kind": "linear"}


def test_numpy_scalars_become_plain():
    hp = HyperParameters()
    assert type(hp.Choice("c", [np.float32(0.5), np.float32(1.0)])) is float
    assert type(hp.Int("i", np.int64(1), np.int64(4))) is int
    json.dumps(hp.get_config())


def test_which_trials_rank():
    ranks = {state: Trial(0, state=state, score=1.0).usable for state in STATES}
    assert [state for state, usable in ranks.items() if usable] == ["completed"]
    assert not any(Trial(0, state="completed", score=score).usable for score in (None, math.nan, math.inf, -math.inf))
