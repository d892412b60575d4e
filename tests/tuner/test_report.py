"""What a study tells of itself: tables, importance, pictures, the HTML page, the live table."""

import html.parser
import io
import types

import matplotlib
import numpy as np
import pytest

import tuner
from tuner import Choice, Condition, Float, Int, Study
from tuner.report.importance import importance
from tuner.report.table import live_table, table_of

matplotlib.use("agg")


def searched(space, fn, trials=60, **kwargs):
    return Study(space, "random", seed=0, max_trials=trials, max_consecutive_failures=None, **kwargs).optimize(fn)


@pytest.fixture(scope="module")
def bowl():
    def fn(trial):
        if trial.number == 3:
            raise ValueError("<script>alert(1)</script>")
        x = trial.values["x <b>"]
        for step in (1, 2, 3):
            trial.report(step=step, value={"error": x**2 + 1 / step, "other": float(step)})
        return {"error": x**2 + 0.001 * trial.values["y"]}

    space = [Float("x <b>", min_value=-1.0, max_value=1.0), Float("y", min_value=-1.0, max_value=1.0), Choice("k", values=("a", "b"))]
    return searched(space, fn, objective="error")


def test_the_data_frame_has_a_row_a_trial(bowl):
    frame = bowl.to_dataframe()
    assert list(frame["number"]) == list(range(60)) and frame["state"].value_counts().to_dict() == {"completed": 59, "failed": 1}
    best = frame.loc[frame["value"].idxmin()]
    assert best["number"] == bowl.best_trial.number and best["value"] == bowl.best_value
    assert best["param_x <b>"] == bowl.best_values["x <b>"]
    assert best["best_step"] == 3 and best["metric_other"] == 3.0 and "alert" in frame["message"][3]
    history = bowl.history_dataframe()
    assert len(history) == 59 * 3 * 2 and set(history.columns) == {"trial", "execution", "step", "metric", "value"}


def test_importance_finds_what_matters(bowl):
    shares = bowl.importance()
    assert next(iter(shares)) == "x <b>" and shares["x <b>"] > 0.8 and sum(shares.values()) == pytest.approx(1.0)


def test_importance_is_even_where_nothing_matters():
    """On average over studies: in one of them the largest share is chance."""
    rng, space = np.random.default_rng(0), tuner.Space([Float(name, min_value=0.0, max_value=1.0) for name in "abcd"])
    found = []
    for _ in range(30):
        trials = [tuner.Trial(i, space.sample(rng), state="completed", score=float(i)) for i in range(100)]
        found.append(importance(types.SimpleNamespace(space=space, ranked=lambda trials=trials: trials)))
    means = [np.mean([shares[name] for shares in found]) for name in "abcd"]
    assert sum(means) == pytest.approx(1.0) and max(means) < 0.4


def test_importance_follows_conditions():
    """What is active only in the worse branch does not count; what decides in the better one does."""
    space = [
        Choice("kind", values=("bad", "good")),
        Float("inner_bad", min_value=0.0, max_value=1.0, conditions=(Condition("kind", ("bad",)),)),
        Float("inner_good", min_value=0.0, max_value=1.0, conditions=(Condition("kind", ("good",)),)),
    ]

    def fn(trial):
        return trial.values["inner_good"] if trial.values["kind"] == "good" else 10 + 100 * trial.values["inner_bad"]

    shares = searched(space, fn, 150).importance()
    assert shares["inner_bad"] == 0.0 and shares["inner_good"] > shares["kind"] > 0


def test_importance_needs_trials():
    with pytest.raises(ValueError, match="at least 4"):
        Study([Int("n", min_value=0, max_value=9)]).importance()


def test_pictures_show_the_numbers(bowl):
    ax = bowl.plot_history()
    points, best = (line.get_ydata() for line in ax.lines)
    assert len(points) == 59 and best[-1] == bowl.best_value and all(np.diff(best) <= 0)
    bars = bowl.plot_importance().patches
    assert sorted(bar.get_width() for bar in bars) == pytest.approx(sorted(bowl.importance().values()))


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href") and not value.startswith("#")]


def test_the_page_is_whole_and_runs_nothing(bowl, tmp_path):
    page = bowl.write_report(tmp_path / "report.html").read_text()
    reader = Reader()
    reader.feed(page)
    assert reader.tags.count("svg") == 3 and "script" not in reader.tags and reader.links == []
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "x &lt;b&gt;" in page and f"trial {bowl.best_trial.number}" in page
    assert reader.tags.count("tr") == 60 + 1 + 3 and [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_the_page_of_an_empty_study(tmp_path):
    page = Study([Int("n", min_value=0, max_value=9)]).write_report(tmp_path / "report.html").read_text()
    assert "No trials" in page


def test_the_table_shows_the_best_and_is_quiet_when_told(bowl, capsys):
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=120).print(table_of(bowl, rows=3))
    assert f"{bowl.best_value:.6g}" in out.getvalue() and "59 completed" in out.getvalue() and "1 failed" in out.getvalue()
    for verbose, said in ((0, False), (None, False), (1, True)):  # a captured output is no terminal
        with live_table(bowl, verbose) as show:
            show()
        assert bool(capsys.readouterr().out) == said


def test_importing_is_cheap():
    import subprocess
    import sys

    frameworks = ("jax", "torch", "tensorflow", "sklearn", "pandas", "matplotlib", "h5py")
    code = f"import sys, tuner; tuner.Study; tuner.Float; print([m for m in {frameworks} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert all(getattr(tuner, name) is not None for name in tuner.__all__) and set(tuner.__all__) <= set(dir(tuner))
