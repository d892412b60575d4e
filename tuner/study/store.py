"""A study in one SQLite file that several processes share: every change is one transaction, so that a kill leaves the state before
or after it.

Values are JSON and numbers. Reading trusts nothing: a file that is not a study is refused, a record that cannot be read is set aside aloud.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pathlib
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from core.saving import ConfigError, CorruptArtifactError
from tuner.study.objective import Objective, objective_from_config
from tuner.study.record import StudyTrial, mean_over_executions
from tuner.study.session import Session, this_host, worked_seconds
from tuner.study.tables import APPLICATION_ID, FORMAT, METADATA, REPORT, SESSION, STUDY, TRIAL
from tuner.trial import STATES

BUSY_SECONDS = 120  # how long a process waits for another's transaction


class Store:
    """The trials, reports and sessions of one study.

    Args:
        path: the SQLite file; it is made if it does not exist.
        durable: whether each change is flushed to the disk (safe against loss of power; a kill is always safe).

    Raises:
        CorruptArtifactError: the file is no study, or damaged.
    """

    def __init__(self, path: str | os.PathLike, *, durable: bool = True):
        self.path = pathlib.Path(path)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"The folder {str(self.path.parent)!r} does not exist, so the study {self.path.name!r} cannot be kept there."
            )
        self._durable, self._host, self._thread = durable, this_host(), threading.local()
        self._trials: dict[int, StudyTrial] = {}
        self._seen = self._space_seen = -1
        self._space: Any = None
        self.objective: Objective | None = None
        self._engine = sa.create_engine(f"sqlite:///{self.path}", connect_args={"timeout": BUSY_SECONDS, "isolation_level": None})
        sa.event.listen(self._engine, "connect", self._configure)
        sa.event.listen(self._engine, "begin", _begin_immediately)
        with self._errors_explained():
            self._check_file()

    # -------------------------------------------------------------------------------------------- opening

    def _configure(self, connection: Any, _record: Any) -> None:
        level = "FULL" if self._durable else "OFF"
        for pragma in ("journal_mode=WAL", f"synchronous={level}", "trusted_schema=OFF", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}").close()

    def _check_file(self) -> None:
        with self._engine.begin() as connection:
            known = connection.exec_driver_sql("PRAGMA application_id").scalar()
            names = {name for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
            if not names:
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version={FORMAT}")
                METADATA.create_all(connection)
                return
            if known != APPLICATION_ID:
                raise CorruptArtifactError(f"{str(self.path)!r} is a database, but no study of tuner; give another path.")
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
            if version != FORMAT:
                raise CorruptArtifactError(
                    f"{str(self.path)!r} is a study of format {version}; this version of tuner reads format {FORMAT}."
                )
            strange = names - {table.name for table in METADATA.sorted_tables} - {"ix_trial_revision"}
            if strange:
                raise CorruptArtifactError(
                    f"The study {str(self.path)!r} holds {sorted(strange)}, which tuner never writes; it is not trusted."
                )
            verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            if verdict != "ok":
                raise CorruptArtifactError(
                    f"The study {str(self.path)!r} is damaged ({verdict}); restore it from a copy, or give another path."
                )

    @contextlib.contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as error:
            reason = str(error.orig)
            if "locked" in reason or "busy" in reason:
                raise TimeoutError(f"Another process has kept the study {str(self.path)!r} locked for {BUSY_SECONDS} seconds.") from None
            if any(word in reason for word in ("unable to open", "readonly", "disk I/O", "full")):
                raise OSError(f"The study {str(self.path)!r} cannot be read or written: {reason}.") from None
            raise CorruptArtifactError(
                f"The study {str(self.path)!r} cannot be read: {reason}. Restore it from a copy, or give another path."
            ) from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction that excludes all other writers; it is undone if the block raises. Inside another one it is part of that."""
        outer = getattr(self._thread, "connection", None)
        if outer is not None:
            yield outer
            return
        with self._errors_explained(), self._engine.begin() as connection:
            self._thread.connection = connection
            try:
                yield connection
            finally:
                self._thread.connection = None

    def define(self, objective: Objective, seed: int, space: Sequence[Mapping] | None, notes: Mapping) -> dict[str, Any]:
        """Writes what the study is about if it is new, else checks that it is about the same; returns what the file says.

        Raises:
            ConfigError: the file's objective is another.
        """
        row: dict[str, Any] = {
            "id": 1, "created": time.time(), "revision": 0, "objective": json.dumps(objective.get_config()), "seed": seed,
            "space": json.dumps(space), "space_revision": 0, "notes": json.dumps(notes),
        }  # fmt: skip
        with self.transaction() as connection:
            found = connection.execute(sa.select(STUDY)).mappings().first()
            if found is None:
                connection.execute(sa.insert(STUDY).values(**row))
            else:
                row = dict(found)
        try:
            known = {**row, **{key: json.loads(row[key]) for key in ("objective", "space", "notes")}}
            self.objective = objective_from_config(known["objective"])
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptArtifactError(f"The description of the study {str(self.path)!r} cannot be read: {error}.") from None
        if self.objective.get_config() != objective.get_config():
            raise ConfigError(
                f"The study {str(self.path)!r} optimises {self.objective!r}, and {objective!r} was asked for; their scores cannot be "
                f"compared. "
                "Give the same objective, or another path."
            )
        return known

    # -------------------------------------------------------------------------------------------- the space

    def space(self, connection: sa.Connection) -> tuple[Any, int]:
        """The space as last written (JSON), with its revision."""
        revision = connection.execute(sa.select(STUDY.c.space_revision)).scalar_one()
        if revision != self._space_seen:
            self._space, self._space_seen = json.loads(connection.execute(sa.select(STUDY.c.space)).scalar_one()), revision
        return self._space, revision

    def write_space(self, connection: sa.Connection, space: Any) -> None:
        """Replaces the space."""
        connection.execute(sa.update(STUDY).values(space=json.dumps(space), space_revision=STUDY.c.space_revision + 1))

    # -------------------------------------------------------------------------------------------- reading trials

    def trials(self, connection: sa.Connection | None = None) -> list[StudyTrial]:
        """All trials by number. Only those that changed since the last call are read."""
        if connection is None:
            with self.transaction() as connection:
                return self.trials(connection)
        rows = connection.execute(sa.select(TRIAL).where(TRIAL.c.revision > self._seen).order_by(TRIAL.c.number)).mappings().all()
        reports = self._reports(connection, [row["number"] for row in rows])
        for row in rows:
            self._trials[row["number"]] = self._trial_of(dict(row), reports.get(row["number"], {}))
            self._seen = max(self._seen, row["revision"])
        return [self._trials[number] for number in sorted(self._trials)]

    def _reports(self, connection: sa.Connection, numbers: Sequence[int]) -> dict[int, dict]:
        found: dict[int, dict] = {}
        for start in range(0, len(numbers), 500):
            query = sa.select(REPORT).where(REPORT.c.trial.in_(numbers[start : start + 500])).order_by(REPORT.c.step)
            for trial, execution, name, step, value in connection.execute(query):
                steps = found.setdefault(trial, {}).setdefault(execution, {}).setdefault(name, {})
                steps[step] = math.nan if value is None else value
        return found

    def _trial_of(self, row: Mapping[str, Any], executions: dict[int, dict]) -> StudyTrial:
        metrics = mean_over_executions(executions)
        same = ("number", "state", "score", "resource", "initial_resource", "parent", "seed", "started", "ended", "message", "owner",
                "attempt", "failures", "losses")  # fmt: skip
        fields = {name: row[name] for name in same}
        try:
            values, notes = json.loads(row["vals"]), json.loads(row["notes"])
            if not isinstance(values, dict) or not isinstance(notes, dict) or row["state"] not in STATES:
                raise TypeError("it holds something else than values and a state")
            return StudyTrial(**fields, values=values, notes=notes, metrics=metrics, executions=executions, reports=self._signed(metrics))
        except (ValueError, TypeError) as error:
            message = f"The record of trial {row['number']} in {str(self.path)!r} cannot be read ({error}); it counts as failed."
            warnings.warn(message, stacklevel=2)
            return StudyTrial(**{**fields, "state": "failed", "score": None, "message": message})

    def _signed(self, metrics: dict[str, dict[int, float]]) -> dict[int, float]:
        objective = self.objective
        if objective is None or not metrics:
            return {}
        steps = sorted({step for history in metrics.values() for step in history})
        at = {step: {name: history[step] for name, history in metrics.items() if step in history} for step in steps}
        return {step: objective.sign * objective.get_value(logs) for step, logs in at.items() if objective.has_value(logs)}

    # -------------------------------------------------------------------------------------------- writing trials

    def _next_revision(self, connection: sa.Connection) -> int:
        connection.execute(sa.update(STUDY).values(revision=STUDY.c.revision + 1))
        return connection.execute(sa.select(STUDY.c.revision)).scalar_one()

    def insert(self, connection: sa.Connection, trial: StudyTrial) -> None:
        """Adds a trial."""
        connection.execute(sa.insert(TRIAL).values(
            number=trial.number, state=trial.state, vals=json.dumps(trial.values), score=trial.score, resource=trial.resource,
            initial_resource=trial.initial_resource, parent=trial.parent, seed=trial.seed, started=trial.started, ended=trial.ended,
            message=trial.message, notes=json.dumps(trial.notes), owner=trial.owner, attempt=trial.attempt, failures=0, losses=0,
            revision=self._next_revision(connection),
        ))  # fmt: skip

    def update(self, connection: sa.Connection, number: int, *, if_attempt: int | None = None, **columns: Any) -> bool:
        """Changes columns of a trial; with `if_attempt`, only if it is running in that attempt. Returns whether it did."""
        if "values" in columns:
            columns["vals"] = json.dumps(columns.pop("values"))
        query = sa.update(TRIAL).where(TRIAL.c.number == number)
        if if_attempt is not None:
            query = query.where(TRIAL.c.state == "running", TRIAL.c.attempt == if_attempt)
        return connection.execute(query.values(**columns, revision=self._next_revision(connection))).rowcount == 1

    def report(
        self, connection: sa.Connection, number: int, attempt: int, step: int, metrics: Mapping[str, float], execution: int = 0
    ) -> bool:
        """Adds the metrics of one step. False if the trial is no longer that attempt's."""
        if not self.update(connection, number, if_attempt=attempt):
            return False
        insert = sqlite.insert(REPORT)
        insert = insert.on_conflict_do_update(index_elements=REPORT.primary_key, set_={"value": insert.excluded.value})
        rows = [
            {"trial": number, "execution": execution, "name": name, "step": step, "value": None if math.isnan(value) else float(value)}
            for name, value in metrics.items()
        ]
        if rows:
            connection.execute(insert, rows)
        return True

    def forget_reports(self, connection: sa.Connection, number: int) -> None:
        """Removes the reports of a trial that is run again."""
        connection.execute(sa.delete(REPORT).where(REPORT.c.trial == number))

    # -------------------------------------------------------------------------------------------- sessions

    def join(self, session: Session) -> None:
        """Enters a session."""
        with self.transaction() as connection:
            connection.execute(sa.insert(SESSION).values(**vars(session)))

    def beat(self, token: str, *, closed: bool = False) -> None:
        """A session's sign of life, or its end."""
        now = time.time()
        with self.transaction() as connection:
            connection.execute(sa.update(SESSION).where(SESSION.c.token == token).values(seen=now, **({"closed": now} if closed else {})))

    def sessions(self, connection: sa.Connection) -> list[Session]:
        """All sessions there have been."""
        return [Session(**row) for row in connection.execute(sa.select(SESSION)).mappings()]

    def dead_owners(self, connection: sa.Connection, trials: Sequence[StudyTrial]) -> set[str]:
        """Those owners of running trials that no longer live."""
        owners = {trial.owner for trial in trials if trial.state == "running" and trial.owner is not None}
        if not owners:
            return set()
        now = time.time()
        living = {session.token for session in self.sessions(connection) if session.is_alive(now, self._host)}
        return owners - living

    def worked(self, connection: sa.Connection) -> float:
        """Seconds in which at least one session was at work."""
        return worked_seconds(self.sessions(connection), time.time(), self._host)

    def close(self) -> None:
        """Gives the file back."""
        self._engine.dispose()


def _begin_immediately(connection: sa.Connection) -> None:
    # The write lock is taken at the start: what a transaction reads cannot change before it writes, and no upgrade can fail half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
