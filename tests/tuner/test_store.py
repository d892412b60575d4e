"""The file of a study: what is in it, what is refused, who may write."""

import json
import math
import sqlite3
import threading

import pytest

from core.saving import CorruptArtifactError
from tuner import Choice, Float, Int, Study
from tuner.study.session import Session, this_host, worked_seconds
from tuner.study.store import Store

LINE = [Float("x", min_value=-1.0, max_value=1.0)]


def begun(path, trials=4):
    study = Study(LINE, "random", storage=path, seed=0, max_trials=trials, max_consecutive_failures=None)
    study.optimize(lambda t: t.values["x"] ** 2)
    study.close()
    study._store.close()
    return study


def altered(path, statement):
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def whole(path):
    """Everything in the one file, none in the log beside it."""
    altered(path, "SELECT 1")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return path.read_bytes()


def test_what_is_no_study_is_refused(tmp_path):
    begun(tmp_path / "good.db", 60)
    good = whole(tmp_path / "good.db")
    cases = {
        "text": b"this is not a database, but it is longer than a header of a database would be " * 20,
        "cut": good[: len(good) // 2],
        "zeros": good[:100] + bytes(len(good) - 100),
    }
    for name, content in cases.items():
        path = tmp_path / f"{name}.db"
        path.write_bytes(content)
        with pytest.raises(CorruptArtifactError, match=name):
            Study(LINE, "random", storage=path, seed=0).optimize(lambda t: 0.0)
        assert path.read_bytes() == content, "a file that is refused stays as it was"


@pytest.mark.parametrize(
    "statement, reason",
    [
        ("PRAGMA application_id=1", "no study"),
        ("PRAGMA user_version=99", "format 99"),
        ("CREATE TRIGGER t AFTER UPDATE ON trial BEGIN DELETE FROM trial; END", "not trusted"),
        ("CREATE VIEW v AS SELECT 1", "not trusted"),
        ("UPDATE study SET objective='[1'", "cannot be read"),
        ('UPDATE study SET objective=\'{"name": "a", "direction": "up"}\'', "cannot be read"),
        ("DROP TABLE report", "cannot be read"),
    ],
)
def test_altered_files_are_refused(tmp_path, statement, reason):
    begun(tmp_path / "s.db")
    altered(tmp_path / "s.db", statement)
    with pytest.raises(CorruptArtifactError, match=reason):
        _ = Study(LINE, "random", storage=tmp_path / "s.db").trials


@pytest.mark.parametrize("vals", ["", "{", "[1]", "null", '{"x": 1'])
def test_a_record_that_cannot_be_read_is_set_aside(tmp_path, vals):
    path = tmp_path / "s.db"
    scores = {t.number: t.score for t in begun(path).trials}
    altered(path, f"UPDATE trial SET vals='{vals}' WHERE number=1")
    with pytest.warns(UserWarning, match="trial 1"):
        study = Study(LINE, "random", storage=path, max_trials=6)
        study.optimize(lambda t: t.values["x"] ** 2)
    assert [t.state for t in study.trials] == ["completed", "failed", *["completed"] * 4]
    assert all(t.score == scores[t.number] for t in study.trials[:4] if t.number != 1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT vals FROM trial WHERE number=1").fetchone()[0] == vals, "nothing is deleted"
    connection.close()


def test_the_file_holds_json_and_numbers_only(tmp_path):
    begun(tmp_path / "s.db")
    connection = sqlite3.connect(tmp_path / "s.db")
    for table in ("study", "trial", "report", "session"):
        for row in connection.execute(f"SELECT * FROM {table}"):
            assert all(value is None or isinstance(value, (int, float, str)) for value in row)
    assert json.loads(connection.execute("SELECT vals FROM trial WHERE number=0").fetchone()[0]).keys() == {"x"}
    connection.close()


def test_nan_and_infinite_reports_come_back(tmp_path):
    study = Study(LINE, "random", storage=tmp_path / "s.db", seed=0)
    trial = study.ask()
    for step, value in enumerate((math.nan, math.inf, -math.inf, 0.5), 1):
        study.report(trial, step, value)
    found = Study(LINE, "random", storage=tmp_path / "s.db").trials[0].reports
    assert math.isnan(found[1]) and (found[2], found[3], found[4]) == (math.inf, -math.inf, 0.5)


def test_a_transaction_that_raises_leaves_nothing(tmp_path):
    study = begun(tmp_path / "s.db")
    with pytest.raises(RuntimeError), study._store.transaction() as connection:
        study._store.update(connection, 0, state="failed")
        raise RuntimeError
    assert Study(LINE, "random", storage=tmp_path / "s.db").trials[0].state == "completed"


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Study(LINE, storage=tmp_path / "nowhere" / "s.db")


def test_many_threads_get_different_trials(tmp_path):
    space = [Int("n", min_value=0, max_value=10_000), Choice("k", values=(1, 2))]
    studies = [Study(space, "random", storage=tmp_path / "s.db", seed=0, max_trials=24) for _ in range(4)]
    threads = [threading.Thread(target=study.optimize, args=(lambda t: t.values["n"],)) for study in studies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trials = studies[0].trials
    assert [t.number for t in trials] == list(range(24)) and all(t.attempt == 1 and t.state == "completed" for t in trials)


def test_reading_is_incremental(tmp_path):
    study = begun(tmp_path / "s.db", 20)
    reader = Study(LINE, "random", storage=tmp_path / "s.db", max_trials=21)
    before = reader.trials
    reader.optimize(lambda t: 0.0)
    after = reader.trials
    assert len(after) == 21 and all(a is b for a, b in zip(before, after[:20])) and len(study.trials) == 21


def test_a_session_lives_as_long_as_its_process():
    host, own = this_host(), Session()
    assert own.is_alive(own.seen + 1e6, host)
    assert not Session(pid=own.pid, birth="1").is_alive(own.seen, host), "another process had the id before"
    far = Session(host="elsewhere", birth="1")
    assert far.is_alive(far.seen + 30, host) and not far.is_alive(far.seen + 300, host)


def test_parallel_work_counts_once():
    sessions = [Session(started=s, seen=e, closed=e) for s, e in ((0.0, 10.0), (5.0, 12.0), (6.0, 7.0), (20.0, 21.0))]
    assert worked_seconds(sessions, 100.0, "here") == 13.0 and worked_seconds([], 1.0, "here") == 0.0


def test_the_store_refuses_before_it_changes(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (a)")
    connection.close()
    with pytest.raises(CorruptArtifactError, match="no study"):
        Store(path)
    with sqlite3.connect(path) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["mine"]
    connection.close()
