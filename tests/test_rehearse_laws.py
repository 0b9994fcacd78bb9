"""No false alarm: whatever the database and the change, a rehearsal verifies clean, twice the same.

``LANEBOOK_REHEARSALS=200`` sets how many databases are rehearsed, each in two roots. The suite
takes 25; what RERUN.sh makes in each rehearsal is the second time.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from generator.exits import Exit
from generator.reading.root import open_root
from generator.rehearse.run import Wanted, rehearse
from generator.rehearse.source import _exact, _product, copy_database, write_down
from generator.verify import exit_code, verify
from tests.folders import content

EXAMPLES = int(os.environ.get("LANEBOOK_REHEARSALS", "25"))
ROOTS = ("one", "two") if "LANEBOOK_REHEARSALS" in os.environ else ("one",)

# --- values ---

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(
        [
            "it''s 'quoted' \"twice\"",
            "two\nlines\r\n",
            "\0",
            "a\0b",
            "INSERT INTO t VALUES (1);",
            "x\nINSERT INTO t VALUES (1);",
            "état \U0001f600 e\u0301",
            "\u202egnp.exe",
            "\u2028\u2029\x85\x1b[31m",
            "'; DROP TABLE t; --",
            "12",
            "1e5 ",
            "",
        ]
    ),
)
REALS = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([-0.0, 0.0, 1e308, -1e308, 5e-324, 0.1, 1 / 3, 2.0**53, float("inf"), 1e15]),
)
INTEGERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63)])
)
BLOBS = st.one_of(st.binary(max_size=8), st.sampled_from([b"", b"\xff\xfe", b"INSERT INTO "]))
VALUES = st.one_of(st.none(), INTEGERS, REALS, TEXTS, BLOBS)


class Raw(NamedTuple):
    """Bytes that are stored as text, though they are no UTF-8."""

    data: bytes


def bound(value: object) -> tuple[str, object]:
    """Return the mark and the value with which something is stored."""
    return ("CAST(? AS TEXT)", value.data) if isinstance(value, Raw) else ("?", value)


def literal(value: object) -> str:
    """Return a value as people write it in a script."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        if "\0" in value:
            return f"CAST(x'{value.encode().hex()}' AS TEXT)"
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        return {float("inf"): "9e999", float("-inf"): "-9e999"}.get(value, repr(value))
    return str(value)


# --- databases ---

NAMES = ["plain", "two words", 'quo"te', "order", "Tablé", "it's", "x;y--z"]
TYPES = ["", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "VARCHAR(9)"]
KEYS = [
    ("rowid", "", ""),
    ("integer key", "k INTEGER PRIMARY KEY, ", ""),
    ("autoincrement", "k INTEGER PRIMARY KEY AUTOINCREMENT, ", ""),
    ("text key", "k TEXT PRIMARY KEY, ", ""),
    ("pair", "k, l TEXT COLLATE NOCASE, ", ", PRIMARY KEY (l DESC, k)"),
    ("without rowid", "k TEXT, ", ", PRIMARY KEY (k)) WITHOUT ROWID --"),
]
KEY_COLUMNS = {"rowid": 0, "pair": 2}


class Table(NamedTuple):
    name: str
    kind: str
    keys: int
    columns: int
    sql: str
    rows: tuple[tuple[object, ...], ...]

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'


class Database(NamedTuple):
    encoding: str
    tables: tuple[Table, ...]
    more: tuple[str, ...]
    script: str


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@st.composite
def tables(draw: st.DrawFn, name: str, encoding: str) -> Table:
    kind, first, last = draw(st.sampled_from(KEYS))
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3))
    columns = ", ".join(f"c{at} {of}" for at, of in enumerate(types))
    generated = ", g TEXT AS (typeof(c0) || '!') STORED, h AS (c0)" if draw(st.booleans()) else ""
    broken = "\n  " if draw(st.booleans()) else ""
    sql = f"CREATE TABLE {quoted(name)} ({broken}{first}{columns}{generated}{last})"
    sql = sql.replace(" --)", "")
    keys = KEY_COLUMNS.get(kind, 1)
    values = VALUES
    if encoding == "UTF-8":
        values = st.one_of(VALUES, st.sampled_from([Raw(b"\xff"), Raw(b"a\xc3\x00\n")]))
    row = st.tuples(*[values] * (keys + len(types)))
    rows = draw(st.lists(row, max_size=5))
    rows += rows[:1] if draw(st.booleans()) else []
    return Table(name, kind, keys, len(types), sql, tuple(rows))


@st.composite
def databases(draw: st.DrawFn) -> Database:
    encoding = draw(st.sampled_from(["UTF-8", "UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    made = tuple(draw(tables(name, encoding)) for name in names)
    first = made[0]
    extras = {
        "index": f"CREATE INDEX an_index ON {first.quoted} (c0 DESC)",
        "unique": f"CREATE UNIQUE INDEX another ON {first.quoted} (c0, typeof(c0)) WHERE c0 > 5",
        "view": f"CREATE VIEW a_view AS SELECT count(*) AS n FROM {first.quoted} -- how many",
        "log": "CREATE TABLE log (what)",
        "trigger": (
            f"CREATE TRIGGER on_insert AFTER INSERT ON {first.quoted} BEGIN\n"
            "INSERT INTO log VALUES ('in\nserted');\n"
            "INSERT INTO log SELECT count(*) FROM log;\nEND"
        ),
        "version": "PRAGMA user_version = 3",
        "application": "PRAGMA application_id = -7",
        "statistics": "ANALYZE",
    }
    chosen = draw(st.sets(st.sampled_from(sorted(extras))))
    if "trigger" in chosen:
        chosen.add("log")
    more = tuple(sql for name, sql in extras.items() if name in chosen)
    script = draw(scripts(made, "an_index" if "index" in chosen else ""))
    return Database(encoding, made, more, script)


# --- changes ---


@st.composite
def scripts(draw: st.DrawFn, made: Sequence[Table], index: str) -> str:
    """Return a change that takes effect, whatever else it tries."""
    statements = draw(st.lists(st.sampled_from(made).flatmap(one_change), max_size=4))
    if index and draw(st.booleans()):
        statements.append(f"DROP INDEX {index}")
    effects = [
        "CREATE TABLE added (x TEXT DEFAULT 'INSERT INTO x', y); INSERT INTO added (y) VALUES (1)",
        "PRAGMA user_version = 12345",
        f"ALTER TABLE {made[0].quoted} ADD COLUMN added DEFAULT 'y'",
        "CREATE VIEW added AS SELECT 1",
        "CREATE TABLE gone (x); CREATE TABLE added AS SELECT 0.1 AS x; DROP TABLE gone",
    ]
    statements.append(draw(st.sampled_from(effects)))
    between = draw(st.sampled_from([";", ";\n", "; -- it's done\n", ";\r\n/* ; */\n"]))
    return between.join(statements) + draw(st.sampled_from(["", ";", ";\n\n"]))


@st.composite
def one_change(draw: st.DrawFn, table: Table) -> str:
    name = table.quoted
    names = ["k", "l"][: table.keys] + [f"c{at}" for at in range(table.columns)]
    kind = draw(st.sampled_from(["insert", "update", "delete", "select", "replace", "nested"]))
    value = literal(draw(VALUES))
    if kind in ("insert", "replace"):
        values = ", ".join(literal(draw(VALUES)) for _ in names)
        word = "INSERT OR IGNORE" if kind == "insert" else "INSERT OR REPLACE"
        if table.kind == "integer key" or table.kind == "autoincrement":
            # a key of another type is an error, whatever the conflict clause
            values = ", ".join([str(draw(st.integers(-9, 9))), *values_after(draw, names)])
        if word == "INSERT OR REPLACE" and table.kind == "without rowid":
            word = "INSERT OR IGNORE"
        return f"{word} INTO {name} ({', '.join(names)}) VALUES ({values})"
    if kind == "update":
        return f"UPDATE OR IGNORE {name} SET c0 = {value}"
    if kind == "delete":
        return f"DELETE FROM {name} WHERE c0 IS {value}"
    if kind == "nested":
        return f"SAVEPOINT s; DELETE FROM {name}; ROLLBACK TO s; RELEASE s"
    return f"SELECT * FROM {name}"


def values_after(draw: st.DrawFn, names: Sequence[str]) -> list[str]:
    return [literal(draw(VALUES)) for _ in names[1:]]


# --- the laws ---


def make(database: Database, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA encoding = '{database.encoding}'")
        for table in database.tables:
            connection.execute(table.sql)
            names = ["k", "l"][: table.keys] + [f"c{at}" for at in range(table.columns)]
            for row in table.rows:
                pairs = [bound(value) for value in row]
                if table.kind in ("integer key", "autoincrement"):
                    number = row[0] if isinstance(row[0], int) and row[0] < 2**62 else None
                    pairs[0] = ("?", number)
                marks = ", ".join(mark for mark, _ in pairs)
                connection.execute(
                    f"INSERT OR IGNORE INTO {table.quoted} ({', '.join(names)}) VALUES ({marks})",
                    [value for _, value in pairs],
                )
        for sql in database.more:
            try:
                connection.execute(sql)
            except sqlite3.IntegrityError:
                event("an index that the rows do not allow")


def seed_of_another_order(source: Path, folder: Path) -> bytes:
    """Return the seed of a copy whose pages, and nothing else, are others."""
    copy = folder / "vacuumed.sqlite"
    shutil.copyfile(source, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM")
    (folder / "seed").mkdir()
    with closing(copy_database(copy, folder / "seed")) as connection:
        return write_down(connection, folder / "seed", "copy").sql


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(databases())
def test_every_rehearsal_verifies_clean_and_gives_the_same_tree_again(database: Database) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lanebook-laws."))
    try:
        source, change = folder / "copy.sqlite", folder / "change.sql"
        make(database, source)
        change.write_bytes(database.script.encode())
        trees = []
        for name in ROOTS:
            root = folder / name
            (root / "packets").mkdir(parents=True)
            done = rehearse(Wanted("sample", root, change, database=source))
            assert done.proven
            trees.append(content(root / "packets"))
        assert all(tree == trees[0] for tree in trees)
        report = json.loads(trees[0]["sample/report.json"])
        assert report["evidence_packet"]["rerun_sh"] == "PACKET_TREE MATCH"
        assert trees[0]["sample/evidence/seed.sql"] == seed_of_another_order(source, folder)
        verdict = verify(open_root(folder / "one"), jobs=1)
        (lane,) = verdict.lanes
        assert (lane.findings, lane.errors) == ((), ())
        assert exit_code(verdict) is Exit.VERIFIED
    finally:
        shutil.rmtree(folder)


@settings(deadline=None)
@given(st.floats(allow_nan=False))
@pytest.mark.parametrize("write", ["product", "exact"])
def test_a_number_is_written_so_that_sqlite_reads_just_this_one(write: str, value: float) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        real = _product if write == "product" else _exact(connection)
        if write == "product" and value in (float("inf"), float("-inf")):
            return
        (found,) = connection.execute(f"SELECT {real(value)}").fetchone()
    assert repr(found) == repr(value)
