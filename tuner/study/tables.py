"""The tables of a study's SQLite file. Values are JSON text and numbers; nothing in the file is ever run."""

from __future__ import annotations

import sqlalchemy as sa

APPLICATION_ID = 0x48424D54  # "HBMT": tells a study from any other SQLite file
FORMAT = 1

METADATA = sa.MetaData()

STUDY = sa.Table(
    "study", METADATA,
    sa.Column("id", sa.Integer, primary_key=True),  # one row, 1
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),  # counts changes of trials
    sa.Column("objective", sa.Text, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("space", sa.Text, nullable=False),
    sa.Column("space_revision", sa.Integer, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
)  # fmt: skip

TRIAL = sa.Table(
    "trial", METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("vals", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("resource", sa.Integer),
    sa.Column("initial_resource", sa.Integer, nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),  # token of the session that runs it
    sa.Column("attempt", sa.Integer, nullable=False),  # how often it was handed out; a result of an earlier attempt is refused
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("losses", sa.Integer, nullable=False),  # how often its worker died
    sa.Column("revision", sa.Integer, nullable=False, index=True),
)  # fmt: skip

REPORT = sa.Table(
    "report", METADATA,
    sa.Column("trial", sa.Integer, primary_key=True),
    sa.Column("execution", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("value", sa.Float),  # NULL is NaN, which SQLite has no number for
)  # fmt: skip

SESSION = sa.Table(
    "session", METADATA,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("birth", sa.Text),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("seen", sa.Float, nullable=False),
    sa.Column("closed", sa.Float),
)  # fmt: skip
