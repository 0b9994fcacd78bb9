"""Rehearsals on SQLite: what they leave, what they refuse, and that nothing else is left behind."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks import rewriting
from generator.errors import InputError
from generator.gate.probes import run_probes
from generator.rehearse import documents
from generator.rehearse import run as running
from generator.rehearse.codes import REHEARSE_CODES
from generator.rehearse.folders import MARKER, RunFolder, sweep
from generator.rehearse.inside import PROGRAMS, program
from generator.rehearse.inside import rehearse as inside
from generator.rehearse.run import CLONES, STAGES, Wanted, rehearse
from generator.rehearse.source import production_word
from tests import rehearse_support
from tests.folders import Answer, content, run, verify
from tests.rehearse_support import assert_refused, make_place

REPOSITORY = Path(__file__).resolve().parents[1]
FIRST = REPOSITORY / "packets" / "clone-rehearsal-sqlite"
TIME_LIMIT = 120
LOCK = "rehearsal-target-lock.json"

SOURCE = """
CREATE TABLE registry (
  id INTEGER PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  note TEXT
);
CREATE TABLE log (what TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, value REAL);
CREATE INDEX registry_note ON registry (note);
CREATE VIEW noted AS SELECT ref FROM registry WHERE note IS NOT NULL;
CREATE TRIGGER registry_log AFTER DELETE ON registry BEGIN
INSERT INTO log VALUES ('deleted ' || old.ref, '2026-01-01');
END;
INSERT INTO registry VALUES (1, 'OBJ-1', 'first');
INSERT INTO registry VALUES (2, 'OBJ-2', NULL);
INSERT INTO registry VALUES (3, 'OBJ-3', 'two
lines');
INSERT INTO counted VALUES (7, 0.1);
DELETE FROM counted;
INSERT INTO counted (value) VALUES (-2.5);
PRAGMA user_version = 4;
"""
CHANGE = """-- One row more, one less, and an index.
INSERT INTO registry VALUES (4, 'OBJ-4', 'fourth');
DELETE FROM registry WHERE id = 2;
CREATE INDEX registry_ref_note ON registry (ref, note);
"""
DERIVED = {
    "actions.jsonl",
    "forbidden-surface-proof.json",
    "hardened-validator-result.json",
    "rehearsal-log.json",
    "rehearsal-target-lock.json",
    "rollback-recovery-proof.json",
    "outputs/raw-exit-codes.tsv",
    "outputs/wrapper-exit-codes.tsv",
    *(f"outputs/RX-{number}.txt" for number in range(10)),
    *("states/expected.sql", "states/read-1.sql", "states/read-2.sql"),
    *(
        f"states/{leg}-{state}.sql"
        for leg in ("txn", "snap")
        for state in ("before", "after-apply", "after-rollback")
    ),
}
INPUTS = {
    *PROGRAMS,
    *("bad-input-probes.json", "change.sql", "executor.sql", "inputs.txt", "plan.json"),
    "seed.sql",
}
SEALS = {"HASH_MANIFEST.txt", "packet_tree.sha256"}


class Place(rehearse_support.Place):
    """A root, a source, a change, and a folder for temporary files, all empty of anything else."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.database = path / "copy.sqlite"
        make_database(self.database, SOURCE)
        self.change = path / "change.sql"
        self.change.write_text(CHANGE, "utf-8")

    def run(self, lane: str = "sample", *arguments: str | Path) -> Answer:
        """Run the command on the database, unless the arguments name a source."""
        given = [str(argument) for argument in arguments]
        if "--dump" not in given and "--database" not in given:
            given += ["--database", str(self.database)]
        if "--change" not in given:
            given += ["--change", str(self.change)]
        return run("rehearse", lane, "--root", self.root, *given)


def make_database(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
        connection.commit()


def tree(path: Path) -> dict[str, tuple[bytes, int]]:
    return {name: (data, (path / name).stat().st_mtime_ns) for name, data in content(path).items()}


@pytest.fixture
def place(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Give an empty place to one test."""
    yield from make_place(Place, tmp_path_factory, monkeypatch)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give a rehearsed lane to tests that only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        for made in make_place(Place, tmp_path_factory, patch):
            assert made.run().code == 0
            patch.undo()
            yield made


@pytest.fixture
def sealed(rehearsed: Place, place: Place) -> Place:
    """Give a copy of a rehearsed lane to a test that changes it."""
    shutil.copytree(rehearsed.root / "packets" / "sample", place.root / "packets" / "sample")
    return place


# --- what a rehearsal leaves ---


def test_a_rehearsal_becomes_a_lane_that_verifies_without_a_finding(place: Place) -> None:
    answer = place.run()
    sealed = (place.evidence() / "packet_tree.sha256").read_text("ascii").strip()
    assert answer == Answer(
        0,
        f"packets/sample\n{sealed}  38 files\nSAMPLE_ROLLBACK_PROVEN_ON_CLONE\n"
        "next: lanebook verify\n",
        "",
    )
    place.assert_clean("sample")
    files = set(content(place.evidence()))
    assert files == INPUTS | DERIVED | SEALS
    assert set((place.evidence() / "inputs.txt").read_text("utf-8").split()) == INPUTS

    verified = verify(place.root)
    (lane,) = verified.object["lanes"]
    assert (verified.code, lane["findings"], lane["errors"]) == (0, [], [])
    assert (lane["integrity"], lane["stated_status"]) == (
        "cited",
        "SAMPLE_ROLLBACK_PROVEN_ON_CLONE",
    )

    (place.root / "pins.yml").write_text(f"lanes:\n  sample: {sealed}\n", "utf-8")
    pinned = verify(place.root)
    assert (pinned.code, pinned.object["lanes"][0]["integrity"]) == (0, "pinned")


def test_the_states_tell_what_was_changed_and_what_came_back(rehearsed: Place) -> None:
    states = {
        path.stem: path.read_text("utf-8") for path in (rehearsed.evidence() / "states").iterdir()
    }
    schema = [
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, value REAL)",
        "CREATE TABLE log (what TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE registry (\\n  id INTEGER PRIMARY KEY,\\n  ref TEXT NOT NULL UNIQUE,\\n"
        "  note TEXT\\n)",
        "CREATE INDEX registry_note ON registry (note)",
        "CREATE VIEW noted AS SELECT ref FROM registry WHERE note IS NOT NULL",
        "CREATE TRIGGER registry_log AFTER DELETE ON registry BEGIN\\n"
        "INSERT\\u0020INTO log VALUES ('deleted ' || old.ref, '2026-01-01');\\nEND",
    ]
    before = [
        "-- encoding UTF-8",
        "-- application_id 0",
        "-- user_version 4",
        *(f'-- schema "{text}"' for text in schema),
        'INSERT INTO "counted" VALUES (8, -2.5);',
        "INSERT INTO \"registry\" VALUES (1, 'OBJ-1', 'first');",
        "INSERT INTO \"registry\" VALUES (2, 'OBJ-2', NULL);",
        "INSERT INTO \"registry\" VALUES (3, 'OBJ-3', CAST(x'74776f0a6c696e6573' AS TEXT));",
        "INSERT INTO \"sqlite_sequence\" VALUES ('counted', 8);",
    ]
    applied = list(before)
    index = "CREATE INDEX registry_ref_note ON registry (ref, note)"
    applied.insert(7, f'-- schema "{index}"')
    logged = "(rowid, \"what\", \"at\") VALUES (1, 'deleted OBJ-2', '2026-01-01');"
    applied.insert(11, f'INSERT INTO "log" {logged}')
    applied.remove("INSERT INTO \"registry\" VALUES (2, 'OBJ-2', NULL);")
    applied.insert(-1, "INSERT INTO \"registry\" VALUES (4, 'OBJ-4', 'fourth');")
    for name, state in states.items():
        wanted = applied if name.endswith("after-apply") else before
        assert state.splitlines() == wanted, name


NUMBERED = """
CREATE TABLE r (a);
INSERT INTO r (rowid, a) VALUES (2, 'b'), (3, 'a'), (4, 'd');
CREATE TABLE named (rowid TEXT PRIMARY KEY, a);
INSERT INTO named (_rowid_, rowid, a) VALUES (7, 'x', 1), (5, 'y', 2);
CREATE TABLE bare (k TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO bare VALUES ('k');
"""


@pytest.mark.parametrize(
    ("change", "after"),
    [
        pytest.param("DELETE FROM r WHERE rowid = 3;", {2: "b", 4: "d"}, id="goes-by-it"),
        pytest.param(
            "DELETE FROM r WHERE rowid = (SELECT rowid FROM r LIMIT 1);",
            {3: "a", 4: "d"},
            id="goes-by-the-order",
        ),
        pytest.param(
            "UPDATE r SET rowid = 9 WHERE a = 'a';", {9: "a", 2: "b", 4: "d"}, id="changes-it-alone"
        ),
    ],
)
def test_rows_have_the_numbers_that_they_have_in_the_source(
    place: Place, change: str, after: dict[int, str]
) -> None:
    place.database.unlink()
    make_database(place.database, NUMBERED)
    place.change.write_text(change, "utf-8")
    assert place.run().code == 0
    lines = {
        name: [
            line
            for line in (place.evidence() / name).read_text("utf-8").splitlines()
            if line.startswith("INSERT")
        ]
        for name in ("seed.sql", "states/snap-before.sql", "states/snap-after-apply.sql")
    }
    others = [
        "INSERT INTO \"bare\" VALUES ('k');",
        'INSERT INTO "named" (_rowid_, "rowid", "a") VALUES (7, \'x\', 1);',
        'INSERT INTO "named" (_rowid_, "rowid", "a") VALUES (5, \'y\', 2);',
    ]

    def rows(numbered: dict[int, str]) -> list[str]:
        made = sorted((value, number) for number, value in numbered.items())
        told = [
            f'INSERT INTO "r" (rowid, "a") VALUES ({number}, \'{value}\');'
            for value, number in made
        ]
        return others + told

    before = rows({2: "b", 3: "a", 4: "d"})
    assert lines == {
        "seed.sql": before,
        "states/snap-before.sql": before,
        "states/snap-after-apply.sql": rows(after),
    }
    assert verify(place.root).code == 0


def test_a_number_that_no_name_reaches_is_refused(place: Place) -> None:
    make_database(place.database, "CREATE TABLE taken (rowid, _ROWID_, oid)")
    message = (
        "copy.sqlite: a table whose rows have a number that no name reaches: 'taken'"
        " (REHEARSE-CANONICAL)"
    )
    assert_refused(place, place.run(), message)


def test_a_lane_is_made_again_with_the_programs_that_it_pinned(place: Place) -> None:
    step = program("step.sh") + b"# of old\n"
    made = rehearse(
        Wanted("sample", place.root, place.change, place.database, programs={"step.sh": step})
    )
    assert made.proven
    assert (place.evidence() / "step.sh").read_bytes() == step
    assert hashlib.sha256(step).hexdigest() in (made.folder / "lane.yml").read_text("utf-8")
    assert verify(place.root).code == 0


def test_the_source_and_its_folder_stay_as_they_are(place: Place) -> None:
    before = tree(place.path)
    assert place.run().code == 0
    shutil.rmtree(place.root / "packets" / "sample")
    shutil.rmtree(place.root / ".lanebook")
    assert tree(place.path) == before


def test_the_seed_makes_the_clone_in_any_sqlite(sealed: Place) -> None:
    made = sealed.path / "made.sqlite"
    make_database(made, (sealed.evidence() / "seed.sql").read_text("utf-8"))
    with closing(inside.fenced(str(made))[0]) as connection:
        assert (
            inside.dump(connection)[0] == (sealed.evidence() / "states/expected.sql").read_bytes()
        )


def test_a_dump_gives_the_packet_that_its_database_gives(place: Place) -> None:
    with closing(sqlite3.connect(place.database)) as connection:
        dumped = "\n".join([*connection.iterdump(), "PRAGMA user_version = 4;"])
    dump = place.path / "copy.sql"
    dump.write_text(f"\ufeff-- dumped\n{dumped}\n", "utf-8")
    assert place.run("sample").code == 0
    first = content(place.evidence())
    shutil.rmtree(place.root / "packets" / "sample")
    assert place.run("sample", "--dump", dump).code == 0
    assert content(place.evidence()) == first


def test_the_packet_is_the_same_in_another_root_under_another_temporary_folder(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.run().code == 0
    other = place.path / "another root"
    (other / "packets").mkdir(parents=True)
    elsewhere = place.path / "else where"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    arguments: list[str | Path] = ["--database", place.database, "--change", place.change]
    assert run("rehearse", "sample", "--root", other, *arguments).code == 0
    assert content(other / "packets") == content(place.root / "packets")


def test_no_evidence_tells_of_the_machine(rehearsed: Place) -> None:
    volatile = (str(rehearsed.path), tempfile.gettempdir(), sys.executable, sqlite3.sqlite_version)
    for name, data in content(rehearsed.evidence()).items():
        for text in volatile:
            assert text.encode() not in data, (name, text)
        assert not re.search(rb"lanebook-re(?:hearsal|run)\.(?!XXXXXX)\w{4}", data), name


def test_the_programs_of_the_packet_are_pinned_and_the_validator_is_the_first_lanes(
    rehearsed: Place,
) -> None:
    lines = (rehearsed.root / "packets/sample/lane.yml").read_text("utf-8").splitlines()
    pins = dict(line.strip().split(": ") for line in lines[lines.index("pins:") + 1 :])
    digests = {
        name: f'"{hashlib.sha256((rehearsed.evidence() / name).read_bytes()).hexdigest()}"'
        for name in PROGRAMS
    }
    assert pins == digests
    assert program("rollback_check.py") == (FIRST / "evidence/rollback_check.py").read_bytes()


def test_the_probes_are_the_gates(rehearsed: Place) -> None:
    assert json.loads((rehearsed.evidence() / "bad-input-probes.json").read_bytes()) == run_probes(
        "sample"
    )


def test_the_plan_names_what_is_production_and_the_lock_cannot_call_it_anything_else(
    rehearsed: Place, tmp_path: Path
) -> None:
    plan = json.loads((rehearsed.evidence() / "plan.json").read_bytes())
    lock = (rehearsed.evidence() / LOCK).read_bytes()
    candidates = json.loads(lock)["candidates"]
    rejected = [one["id"] for one in candidates if one["is_production"]]
    assert (plan["production_targets"], len(candidates)) == (rejected, 1 + 3)
    editor = rewriting.Editor(rehearsed.evidence().parent, tmp_path / "sample")
    written = [one for one in rewriting.in_json(LOCK, lock) if "is_production" in one.place]
    assert len(written) == 1 + len(candidates)
    for one in written:
        editor.write(one)
        assert rewriting.refuted(editor.copy), one.place


def test_the_programs_need_the_standard_library_only() -> None:
    for name in ("rehearse.py", "rollback_check.py"):
        for node in ast.walk(ast.parse(program(name))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {one.split(".")[0] for one in names} <= sys.stdlib_module_names, name


def shape(value: Any) -> Any:
    """Return the keys of a value and the types of its leaves; a list by its first item."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("name", sorted(name for name in DERIVED if name.endswith(".json")))
def test_evidence_files_have_the_form_of_the_hand_made_lane(rehearsed: Place, name: str) -> None:
    mine = shape(json.loads((rehearsed.evidence() / name).read_bytes()))
    theirs = shape(json.loads((FIRST / "evidence" / name).read_bytes()))
    if name == LOCK:
        del theirs["target"]["table"]  # there it is the only one
    assert mine == theirs


# --- the documents ---


def _next_range(text: str) -> str:
    """Return what reserves 508..509 above 507 as what reserves the two objects behind them."""
    numbers = {"507": "509", "508": "510", "509": "511"}
    return re.sub(r"50[789]", lambda match: numbers[match[0]], text)


def test_documents_tell_what_was_given(place: Place) -> None:
    shutil.copytree(FIRST, place.root / "packets" / "clone-rehearsal-sqlite")
    # what it names as the lane before is not here
    lane_file = place.root / "packets/clone-rehearsal-sqlite/lane.yml"
    lane_file.write_text(
        "".join(
            line
            for line in lane_file.read_text("utf-8").splitlines(keepends=True)
            if not line.startswith("previous")
        ),
        "utf-8",
    )
    evidence = FIRST / "evidence"
    token = "AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY"
    addendum = place.root / "governance-addendum.json"
    addendum.write_text(_next_range((evidence / addendum.name).read_text("utf-8")), "utf-8")
    answer = place.run(
        "sample",
        *("--title", "A second | rehearsal", "--date", "2026-11-22"),
        *("--previous", "clone-rehearsal-sqlite", "--delegation", token),
        *("--blockers", evidence / "production-readiness-blocker-map.json"),
        *("--addendum", addendum),
    )
    assert answer.code == 0, answer.err
    place.assert_clean("clone-rehearsal-sqlite", "sample")
    folder = place.root / "packets/sample"
    report = json.loads((folder / "report.json").read_bytes())
    first = json.loads((FIRST / "report.json").read_bytes())
    assert report["delegation"] == "offered by the decision packet of clone-rehearsal-sqlite"
    assert report["preflight"] == {
        "clone_rehearsal_sqlite": first["final_status"],
        "previous_packet_tree_sha256": first["evidence_packet"]["packet_tree_sha256"],
        "production_hold": True,
    }
    assert report["production_blocker_map"] == first["production_blocker_map"]
    assert report["governance"] == json.loads(_next_range(json.dumps(first["governance"])))
    assert report["self_check"] == first["self_check"]
    assert list(report) == list(first)
    blockers = evidence / "production-readiness-blocker-map.json"
    for given in (blockers, addendum):
        name = given.name
        assert (place.evidence() / name).read_bytes() == given.read_bytes()
        assert name in (place.evidence() / "inputs.txt").read_text("utf-8").split()
    checkpoint = (folder / "checkpoint.md").read_text("utf-8")
    assert checkpoint.startswith("# Checkpoint: A second | rehearsal\n\n- Lane: `sample`\n")
    assert "\n- State: HOLD_PRODUCTION, 7 OPEN\n" in checkpoint
    decision = (folder / "decision-packet.md").read_text("utf-8")
    assert "\n- Selected: none\n" in decision
    assert "\n7 blockers are OPEN.\n" in decision
    verified = verify(place.root)
    lane = next(one for one in verified.object["lanes"] if one["id"] == "sample")
    assert (lane["findings"], lane["title"]) == ([], "A second | rehearsal")


# --- made again ---


def rerun(evidence: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run RERUN.sh as somebody who has nothing but a shell and Python."""
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, **more}
    return subprocess.run(
        ["sh", str(evidence / "RERUN.sh")],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def test_rerun_makes_the_same_tree_from_inputs_that_cannot_be_written(sealed: Place) -> None:
    only = sealed.path / "only inputs"
    only.mkdir()
    for name in INPUTS | SEALS:
        shutil.copyfile(sealed.evidence() / name, only / name)
        (only / name).chmod(0o444)
    only.chmod(0o555)
    out = sealed.path / "out"
    out.mkdir()
    done = rerun(only, TMPDIR=str(sealed.temporary), LANEBOOK_OUT=str(out))
    only.chmod(0o755)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "OVERALL PASS\nPACKET_TREE MATCH\n",
        "",
    )
    files = content(sealed.evidence())
    assert content(out) == {name: files[name] for name in INPUTS | DERIVED}
    sealed.assert_clean("sample")


def test_rerun_says_what_differs(sealed: Place) -> None:
    evidence = sealed.evidence()
    manifest = (evidence / "HASH_MANIFEST.txt").read_text("utf-8")
    line = next(line for line in manifest.splitlines() if line.endswith("states/expected.sql"))
    manifest = manifest.replace(line, f"{'0' * 64}{line[64:]}")
    (evidence / "HASH_MANIFEST.txt").write_text(manifest, "utf-8")
    digest = hashlib.sha256(manifest.encode()).hexdigest()
    (evidence / "packet_tree.sha256").write_text(f"{digest}\n", "ascii")
    done = rerun(evidence, TMPDIR=str(sealed.temporary))
    assert (done.returncode, done.stdout) == (1, "OVERALL PASS\nPACKET_TREE DIFFERS\n")
    assert done.stderr == f"listed {'0' * 64}{line[64:]}\nmade {line}\n"


@pytest.mark.parametrize("name", ["change.sql", "rehearse.py"])
def test_rerun_runs_no_input_that_the_manifest_does_not_list(sealed: Place, name: str) -> None:
    with (sealed.evidence() / name).open("a") as file:
        file.write("\n-- more\n")
    done = rerun(sealed.evidence(), TMPDIR=str(sealed.temporary))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"not run: {name} has another digest than the manifest lists\n",
    )
    sealed.assert_clean("sample")


def test_a_sealed_packet_is_not_rehearsed_in_place(sealed: Place) -> None:
    before = content(sealed.evidence())
    done = subprocess.run(
        ["sh", "commands.sh"],
        cwd=sealed.evidence(),
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "this packet is sealed: RERUN.sh makes it again elsewhere\n",
    )
    assert content(sealed.evidence()) == before


# --- refused ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            "", "change.sql: changes nothing on the clone (REHEARSE-NO-CHANGE)", id="empty"
        ),
        pytest.param(
            "-- INSERT INTO log VALUES (1, 2);\n/* ; */ ;",
            "change.sql: changes nothing on the clone (REHEARSE-NO-CHANGE)",
            id="comments only",
        ),
        pytest.param(
            "UPDATE registry SET note = 'first' WHERE id = 1; DELETE FROM registry WHERE id = 99",
            "change.sql: changes nothing on the clone (REHEARSE-NO-CHANGE)",
            id="what is there already",
        ),
        pytest.param(
            "SAVEPOINT a; DELETE FROM registry; ROLLBACK TO a;",
            "change.sql: changes nothing on the clone (REHEARSE-NO-CHANGE)",
            id="taken back by itself",
        ),
        pytest.param(
            "CREATE TEMP TABLE t (x); INSERT INTO t VALUES (1);",
            "change.sql: changes nothing on the clone (REHEARSE-NO-CHANGE)",
            id="temporary only",
        ),
        pytest.param(
            "DELETE FROM log;\n\n-- here\nINSRT INTO log VALUES (1, 2);",
            'change.sql:4: near "INSRT": syntax error (REHEARSE-SYNTAX)',
            id="syntax",
        ),
        pytest.param(
            "DELETE FROM log;\nINSERT INTO log VALUES ('",
            'change.sql:2: unrecognized token: "\'" (REHEARSE-SYNTAX)',
            id="a string that does not end",
        ),
        pytest.param(
            "INSERT INTO log VALUES (1,",
            "change.sql:1: incomplete input (REHEARSE-SYNTAX)",
            id="cut short",
        ),
        pytest.param(
            "UPDATE log SET what = '\ud800'",
            "change.sql:1: not UTF-8: byte 0xED (REHEARSE-SYNTAX)",
            id="not UTF-8",
        ),
        pytest.param(
            "DELETE FROM log;\nINSERT INTO registry VALUES (1, 'a', 'b');",
            "change.sql:2: UNIQUE constraint failed: registry.id (REHEARSE-CHANGE)",
            id="a constraint",
        ),
        pytest.param(
            "INSERT OR ROLLBACK INTO registry VALUES (1, 'a', 'b');",
            "change.sql:1: UNIQUE constraint failed: registry.id (REHEARSE-CHANGE)",
            id="a conflict that rolls back",
        ),
        pytest.param(
            "DELETE FROM nowhere;",
            "change.sql:1: no such table: nowhere (REHEARSE-CHANGE)",
            id="no such table",
        ),
        *(
            pytest.param(
                f"DELETE FROM registry;\n{word};",
                f"change.sql:2: {word}: the rehearsal begins and ends the transaction itself"
                " (REHEARSE-TRANSACTION)",
                id=word,
            )
            for word in ("BEGIN", "COMMIT", "ROLLBACK")
        ),
        pytest.param(
            "VACUUM;",
            "change.sql:1: cannot VACUUM from within a transaction (REHEARSE-TRANSACTION)",
            id="VACUUM",
        ),
        *(
            pytest.param(
                sql,
                f"change.sql:1: {what} has no place in a change that is rehearsed"
                " (REHEARSE-TRANSACTION)",
                id=what,
            )
            for sql, what in (
                ("ATTACH 'other.sqlite' AS other;", "ATTACH"),
                ("DETACH main;", "DETACH"),
                ("PRAGMA journal_mode = OFF;", "PRAGMA journal_mode"),
                ("PRAGMA writable_schema = ON;", "PRAGMA writable_schema"),
                ("PRAGMA foreign_keys = ON;", "PRAGMA foreign_keys"),
                ("PRAGMA temp_store_directory = '/';", "PRAGMA temp_store_directory"),
                ("SELECT load_extension('x');", "load_extension"),
            )
        ),
        pytest.param(
            "CREATE VIRTUAL TABLE found USING fts5 (x);",
            "change.sql:1: a virtual table has no canonical text (REHEARSE-CANONICAL)",
            id="a virtual table",
        ),
        pytest.param(
            'CREATE TABLE "two\nlines" (x);',
            "change.sql: a name with hidden characters, or that looks like a row: 'two\\nlines'"
            " (REHEARSE-CANONICAL)",
            id="a name of two lines",
        ),
        *(
            pytest.param(
                f"INSERT INTO log VALUES ('x', {sql});",
                f"change.sql: uses {what}, which gives something else each time or elsewhere"
                " (REHEARSE-UNSTABLE)",
                id=sql,
            )
            for sql, what in (
                ("random()", "random"),
                ("hex(randomblob(4))", "randomblob"),
                ("CURRENT_TIMESTAMP", "current_timestamp"),
                ("CURRENT_DATE", "current_date"),
                ("datetime('now')", "datetime() of the clock"),
                ("date()", "date() of the clock"),
                ("strftime('%Y')", "strftime() of the clock"),
                ("time('12:00', 'LocalTime')", "time() of the clock"),
                ("sqlite_version()", "sqlite_version"),
            )
        ),
        pytest.param(
            "INSERT INTO log (what) VALUES ('x');",
            "change.sql: uses current_timestamp, which gives something else each time or elsewhere"
            " (REHEARSE-UNSTABLE)",
            id="a default of the clock",
        ),
    ],
)
def test_a_change_is_refused(place: Place, change: str, message: str) -> None:
    place.change.write_bytes(change.encode("utf-8", "surrogatepass"))
    assert_refused(place, place.run(), message)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("INSERT INTO log VALUES ('x', date('2026-01-31', '+1 month'))", id="a date"),
        pytest.param("INSERT INTO log VALUES (';', 'a''; COMMIT; --');", id="marks in strings"),
        pytest.param("PRAGMA user_version = 5;", id="the user version"),
        pytest.param("SAVEPOINT a; DELETE FROM registry; RELEASE a;", id="a savepoint"),
        pytest.param(
            "CREATE TRIGGER t AFTER INSERT ON log BEGIN SELECT 1; SELECT random(); END;",
            id="a trigger that never runs",
        ),
        pytest.param("DROP TABLE registry; DROP TABLE counted; DROP TABLE log;", id="everything"),
        pytest.param("ALTER TABLE registry RENAME COLUMN ref TO reference;", id="a column's name"),
        pytest.param("ANALYZE;", id="statistics"),
        pytest.param(
            "INSERT INTO log SELECT what, at FROM log; UPDATE counted SET value = 0.1 + 0.2"
            " RETURNING value;\r\n/* end",
            id="RETURNING, CRLF, a comment that does not end",
        ),
        pytest.param("REPLACE INTO registry VALUES (1, 'OBJ-9', x'00ff');", id="REPLACE"),
    ],
)
def test_a_change_is_rehearsed(place: Place, change: str) -> None:
    place.change.write_bytes(change.encode())
    assert place.run().code == 0
    assert verify(place.root).codes == []
    place.assert_clean("sample")


@pytest.mark.parametrize(
    ("dump", "message"),
    [
        pytest.param(
            b"Dear owner,\nhere is the dump.\n",
            'copy.sql:1: near "Dear": syntax error (REHEARSE-DUMP)',
            id="prose",
        ),
        pytest.param(
            b"-- nothing\n", "copy.sql: no statement of SQL in it (REHEARSE-DUMP)", id="none"
        ),
        pytest.param(
            b"CREATE TABLE t (a);\nINSERT INTO t VALUES (1);\nLOCK TABLES t WRITE;\n",
            'copy.sql:3: near "LOCK": syntax error (REHEARSE-DUMP)',
            id="of another engine",
        ),
        pytest.param(
            b"CREATE TABLE t (a);\n\xff\n",
            "copy.sql:2: not UTF-8: byte 0xFF (REHEARSE-DUMP)",
            id="latin",
        ),
        pytest.param(
            b"BEGIN;\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1);\n",
            "copy.sql: ends inside a transaction, as if it were cut short (REHEARSE-DUMP)",
            id="cut short",
        ),
        pytest.param(
            b"CREATE TABLE t (a);\nINSERT INTO t VALUES ('",
            'copy.sql:2: unrecognized token: "\'" (REHEARSE-DUMP)',
            id="cut short in a string",
        ),
        pytest.param(
            b"CREATE TABLE t (a);\nATTACH '/tmp/x' AS x;\n",
            "copy.sql:2: ATTACH is not allowed in a dump (REHEARSE-DUMP)",
            id="ATTACH",
        ),
        pytest.param(
            b"PRAGMA writable_schema = ON;",
            "copy.sql:1: PRAGMA writable_schema is not allowed in a dump (REHEARSE-DUMP)",
            id="writable_schema",
        ),
        pytest.param(
            b"SELECT load_extension('/tmp/x');",
            "copy.sql:1: load_extension is not allowed in a dump (REHEARSE-DUMP)",
            id="load_extension",
        ),
        pytest.param(
            b"CREATE VIRTUAL TABLE f USING fts5 (x);",
            "copy.sql:1: a virtual table has no canonical text (REHEARSE-CANONICAL)",
            id="a virtual table",
        ),
        pytest.param(
            b"SQLite format 3\x00" + bytes(84),
            "copy.sql: a database and no dump; name it with --database (REHEARSE-DUMP)",
            id="a database",
        ),
    ],
)
def test_a_dump_is_refused(place: Place, dump: bytes, message: str) -> None:
    path = place.path / "copy.sql"
    path.write_bytes(dump)
    assert_refused(place, place.run("sample", "--dump", path), message)


def test_a_script_that_never_ends_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("source", "trial"):
        monkeypatch.setattr(f"generator.rehearse.{module}.TIME_LIMIT", 0.2)
    endless = (
        "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c;"
    )
    place.change.write_text(f"DELETE FROM log;\n{endless}", "utf-8")
    message = "change.sql:2: not done after 0 seconds (REHEARSE-TIME)"
    assert_refused(place, place.run(), message)
    dump = place.path / "copy.sql"
    dump.write_text(endless, "utf-8")
    message = "copy.sql:1: not done after 0 seconds (REHEARSE-TIME)"
    assert_refused(place, place.run("sample", "--dump", dump), message)


def test_what_is_too_large_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.rehearse.source.LARGEST_TEXT", 500)
    message = "copy.sqlite: its text is larger than 500 bytes (REHEARSE-SIZE)"
    assert_refused(place, place.run(), message)
    monkeypatch.setattr("generator.rehearse.source.LARGEST_DATABASE", 1000)
    message = "copy.sqlite: larger than 1000 bytes (REHEARSE-SIZE)"
    assert_refused(place, place.run(), message)


# --- the database file ---


_HOLD = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], isolation_level=None)
writer.execute("PRAGMA locking_mode = EXCLUSIVE")
writer.execute(f"PRAGMA journal_mode = {sys.argv[2]}")
writer.execute("BEGIN EXCLUSIVE")
writer.execute("DELETE FROM log")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_locked_database_is_refused(place: Place, mode: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(place.database), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    begun = time.monotonic()
    answer = place.run()
    assert time.monotonic() - begun < 10
    holder.communicate()
    message = "copy.sqlite: another program holds the database (REHEARSE-LOCKED)"
    assert_refused(place, answer, message)


def test_a_database_that_is_being_written_is_read_as_it_was_last_committed(place: Place) -> None:
    assert place.run("one").code == 0
    with closing(sqlite3.connect(place.database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM registry")
        assert place.run("two").code == 0
        writer.execute("ROLLBACK")
    assert (place.evidence("one") / "seed.sql").read_bytes() == (
        place.evidence("two") / "seed.sql"
    ).read_bytes()


def test_a_log_that_a_program_has_left_is_read_and_stays_as_it_is(place: Place) -> None:
    other = place.path / "other.sqlite"
    with closing(sqlite3.connect(place.database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
        writer.execute("INSERT INTO registry VALUES (90, 'OBJ-90', 'in the log')")
        for ending in ("", "-wal"):
            shutil.copyfile(f"{place.database}{ending}", f"{other}{ending}")
    before = tree(place.path)
    assert place.run("sample", "--database", other).code == 0
    assert b"'in the log'" in (place.evidence() / "seed.sql").read_bytes()
    shutil.rmtree(place.root / "packets" / "sample")
    shutil.rmtree(place.root / ".lanebook")
    assert tree(place.path) == before


def test_a_journal_that_has_to_be_played_back_is_refused(place: Place) -> None:
    other = place.path / "other.sqlite"
    with closing(sqlite3.connect(place.database, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.executemany("INSERT INTO log VALUES (?, ?)", [("x" * 2000, "y")] * 200)
        for ending in ("", "-journal"):
            shutil.copyfile(f"{place.database}{ending}", f"{other}{ending}")
        writer.execute("ROLLBACK")
    before = tree(place.path)
    message = (
        "other.sqlite: has to be recovered first; open it once with the program that writes to it"
        " (REHEARSE-SOURCE)"
    )
    assert_refused(place, place.run("sample", "--database", other), message)
    shutil.rmtree(place.root / ".lanebook")
    assert tree(place.path) == before


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda path: None, "No such file or directory", id="absent"),
        pytest.param(lambda path: path.mkdir(), "not a file", id="a folder"),
        pytest.param(os.mkfifo, "not a file", id="a fifo"),
        pytest.param(
            lambda path: path.write_text("no database, but long enough " * 9),
            "not an SQLite database",
            id="text",
        ),
        pytest.param(
            lambda path: path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4080),
            "file is not a database",
            id="damaged",
        ),
    ],
)
def test_what_is_no_database_is_refused(
    place: Place, make: Callable[[Path], object], problem: str
) -> None:
    path = place.path / "some.sqlite"
    make(path)
    answer = place.run("sample", "--database", path)
    assert_refused(place, answer, f"some.sqlite: {problem} (REHEARSE-SOURCE)")


def test_a_database_with_a_virtual_table_is_refused(place: Place) -> None:
    make_database(place.database, "CREATE VIRTUAL TABLE found USING fts5 (x);")
    message = "copy.sqlite: a virtual table: 'found' (REHEARSE-CANONICAL)"
    assert_refused(place, place.run(), message)


def test_a_database_that_sql_cannot_make_again_is_refused(place: Place) -> None:
    with closing(sqlite3.connect(place.database)) as connection:
        connection.create_collation("mine", lambda one, two: (one > two) - (one < two))
        connection.execute("CREATE INDEX mine ON registry (note COLLATE mine)")
    message = (
        "copy.sqlite: cannot be made again from SQL: no such collation sequence: mine"
        " (REHEARSE-CANONICAL)"
    )
    assert_refused(place, place.run(), message)


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_database_in_another_encoding_keeps_it(place: Place, encoding: str) -> None:
    other = place.path / "other.sqlite"
    make_database(
        other,
        f"PRAGMA encoding = '{encoding}'; CREATE TABLE log (what, at);"
        "INSERT INTO log VALUES ('é\n\U0001f600', char(0, 65));",
    )
    place.change.write_text("INSERT INTO log VALUES (CAST(x'4100' AS TEXT), 1);", "utf-8")
    assert place.run("sample", "--database", other).code == 0
    expected = (place.evidence() / "states/expected.sql").read_text("utf-8")
    assert expected.startswith(f"-- encoding {encoding}\n")
    with closing(inside.fenced(":memory:")[0]) as connection:
        connection.executescript((place.evidence() / "seed.sql").read_text("utf-8"))
        assert connection.execute("SELECT * FROM log").fetchall() == [("é\n\U0001f600", "\0A")]


# --- production, names, what is there already ---


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(
            (text, word)
            for text, word in (
                ("/srv/prod/copy.sqlite", "prod"),
                ("/srv/app-production-2.db", "production"),
                ("/data/LIVE/x", "LIVE"),
                ("/data/primary.sqlite", "primary"),
                ("/data/MyProdDb/x", "Prod"),
                ("/data/proddb.sqlite", "proddb"),
                ("/data/dbprod1", "dbprod"),
                ("prd_users.db", "prd"),
                ("/data/ｐｒｏｄ/x", "prod"),
                ("/data/PRODUCTION", "PRODUCTION"),
                ("/data/prodcopy.db", "prodcopy"),
                ("/data/prodSnapshot.db", "prod"),
                ("/data/prodsnapshot.db", "prodsnapshot"),
                ("/data/registryprod.db", "registryprod"),
                ("/data/maindbprodeu.db", "maindbprodeu"),
                ("/data/prods/x.db", "prods"),
                ("/data/produktion.db", "produktion"),
                ("/data/producci\u00f3n.db", "produccion"),
                ("/data/\u0440r\u043ed.db", "prod"),  # Cyrillic er and o
                ("/data/pro\u200bd.db", "prod"),
                ("/data/livecopy.db", "livecopy"),
                ("/data/registryproduction.db", "registryproduction"),
                ("/data/productions.db", "productions"),
                ("/srv/non/prod/x.db", "prod"),
                ("/srv/non-prod/prod.db", "prod"),
                ("nonProdProd.db", "Prod"),
            )
        ),
        *(
            (text, "")
            for text in (
                "/srv/products/copy.sqlite",
                "/srv/reproduction/x.db",
                "/home/olive/deliver.db",
                "/tmp/copy.sqlite",
                "alive.db",
                "primaries.db",
                "primary-school.db",
                "primary_keys.db",
                "non-prod.db",
                "nonprod2.db",
                "/srv/no-production/x.db",
                "product.db",
                "productivity.db",
                "produkte.db",
                "reproduce.db",
                "reproductions.db",
                "prodigy.db",
                "preprod.db",
                "liver.db",
                "/data/\u043a\u043e\u043f\u0438\u044f.db",  # Cyrillic for copy
            )
        ),
    ],
)
def test_words_of_production_are_known(text: str, word: str) -> None:
    assert production_word(text) == word


def test_a_source_that_looks_like_production_is_not_even_opened(place: Place) -> None:
    folder = place.path / "prod"
    folder.mkdir()
    fifo = folder / "copy.sqlite"
    os.mkfifo(fifo)  # whoever opens it waits
    message = "copy.sqlite: looks like production (prod); nothing was opened (REHEARSE-PRODUCTION)"
    assert_refused(place, place.run("sample", "--database", fifo), message)
    assert_refused(place, place.run("sample", "--dump", fifo), message)
    link = place.path / "harmless.sqlite"
    link.symlink_to(fifo)
    message = message.replace("copy", "harmless", 1)
    assert_refused(place, place.run("sample", "--database", link), message)
    message = (
        "the lane my-prod-2: looks like production (prod); nothing was opened (REHEARSE-PRODUCTION)"
    )
    assert_refused(place, place.run("my-prod-2"), message)


@pytest.mark.parametrize("lane", ["..", "../x", "a/b", "x y", "", "-", "con", "a" * 101])
def test_a_lane_id_that_is_no_safe_name_is_refused(place: Place, lane: str) -> None:
    answer = place.run("--", lane) if lane.startswith("-") else place.run(lane)
    if lane.startswith("-"):
        answer = run(
            *("rehearse", "--root", place.root, "--database", place.database),
            *("--change", place.change, "--", lane),
        )
    assert answer.code == 3
    assert answer.err.endswith("(REHEARSE-LANE)\n")
    place.assert_clean()


def test_a_lane_that_is_there_is_never_replaced(place: Place) -> None:
    for name in ("sample", "Other"):
        (place.root / "packets" / name).mkdir()
    for name in ("sample", "Other", "other"):
        message = f"{name}: there is a lane of this id already (REHEARSE-EXISTS)"
        assert_refused(place, place.run(name), message, "sample", "Other")


def test_a_lane_that_is_pinned_with_another_tree_is_refused(place: Place) -> None:
    assert place.run().code == 0
    sealed = (place.evidence() / "packet_tree.sha256").read_text("ascii").strip()
    shutil.rmtree(place.root / "packets" / "sample")
    pins = place.root / "pins.yml"
    pins.write_text(f"lanes:\n  sample: {'0' * 64}\n", "utf-8")
    message = (
        f"sample: pins.yml knows this lane with another tree hash than {sealed} (REHEARSE-EXISTS)"
    )
    assert_refused(place, place.run(), message)
    pins.write_text(f"lanes:\n  sample: {sealed}\n", "utf-8")
    assert place.run().code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--database", "a", "--dump", "b"), "give either --database or --dump"),
        (("--date", "2026-02-30"), "--date: Not a day: YYYY-MM-DD."),
        (("--previous", "nowhere"), "--previous: no lane nowhere in this root"),
        (("--delegation", "go ahead"), "--delegation: a token such as"),
        (("--title", "two\nlines"), "--title: one line of at most 200 visible characters"),
        (("--title", "x" * 201), "--title: one line of at most 200 visible characters"),
    ],
)
def test_wrong_usage_exits_2(place: Place, arguments: tuple[str, ...], message: str) -> None:
    answer = place.run("sample", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"lanebook: {message}")
    assert answer.err.count("\n") == 1
    place.assert_clean()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "blockers.json: "),
        ("[]", "blockers.json: no production-readiness-blocker-map.json (REHEARSE-INPUT)"),
        ('{"blockers": [1]}', "blockers.json: no production-readiness-blocker-map.json"),
        ('{"blockers": [], "blockers": []}', "blockers.json: blockers: "),
    ],
)
def test_a_blocker_map_that_is_none_is_refused(place: Place, text: str, message: str) -> None:
    path = place.path / "blockers.json"
    path.write_text(text, "utf-8")
    answer = place.run("sample", "--blockers", path)
    assert answer.code == 3
    assert answer.err.startswith(f"lanebook: {message}")
    assert answer.err.endswith("(REHEARSE-INPUT)\n")
    place.assert_clean()


def test_a_lane_that_would_not_verify_is_not_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    derive = documents.machine_report

    def wrong(*arguments: Any, **more: Any) -> dict[str, Any]:
        report = derive(*arguments, **more)
        report["evidence_packet"]["packet_tree_sha256"] = "0" * 64
        return report

    monkeypatch.setattr(documents, "machine_report", wrong)
    message = (
        "checkpoint.md:37: DOC-TREE: The document cites another tree hash than the packet has."
        " (REHEARSE-REFUTED)"
    )
    assert_refused(place, place.run(), message)


# --- a rollback that is not proven ---


def test_a_rollback_that_does_not_restore_is_sealed_and_refuted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = 'clone.execute("ROLLBACK")'
    damaged = program("rehearse.py").decode().replace(kept, 'clone.execute("COMMIT")')
    assert damaged != program("rehearse.py").decode()
    monkeypatch.setattr(
        running,
        "program",
        lambda name: damaged.encode() if name == "rehearse.py" else program(name),
    )
    place.change.write_text("UPDATE registry SET note = note || '.';", "utf-8")
    answer = place.run()
    assert answer.code == 1
    assert answer.out.splitlines()[2:] == ["SAMPLE_ROLLBACK_NOT_PROVEN"]
    assert answer.err == "lanebook: the rollback is not proven; the lane is sealed as it is\n"
    place.assert_clean("sample")
    report = json.loads((place.root / "packets/sample/report.json").read_bytes())
    assert report["final_status"] == "SAMPLE_ROLLBACK_NOT_PROVEN"
    assert report["self_check"]["rollback_restores_expected_state"] is False
    assert report["evidence_packet"]["commands_sh"] == "OVERALL FAIL"
    assert report["evidence_packet"]["rerun_sh"] == "PACKET_TREE MATCH"
    assert report["workstream_F_decision_packet"]["options"] == [
        "HOLD_PRODUCTION",
        "AUTHORIZE_SECOND_SQLITE_CLONE_REHEARSAL_ONLY",
    ]
    verified = verify(place.root)
    assert verified.code == 1
    assert {"ROLLBACK_NOT_RESTORED", "LOG_STEP_FAILED"} <= set(verified.codes)
    assert not {"FILE-DIFFERS", "TREE-DIFFERS", "DOC-TREE", "EV-TYPE"} & set(verified.codes)


def test_a_rehearsal_that_breaks_off_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = program("rehearse.py").replace(b'print(entry, "restored"', b"raise SystemExit(entry)")
    source = damaged.replace(
        b"raise SystemExit(entry), str(restored).lower())", b'raise SystemExit("broken off")'
    )
    monkeypatch.setattr(
        running, "program", lambda name: source if name == "rehearse.py" else program(name)
    )
    message = "sample: commands.sh ended with 1: broken off (REHEARSE-RUN)"
    assert_refused(place, place.run(), message)


# --- clones of others ---


def step_on(place: Place, clone: Path, step: str) -> subprocess.CompletedProcess[str]:
    """Run one step of a packet on a folder that is named from outside."""
    packet = place.path / "packet"
    shutil.copytree(place.evidence(), packet)
    environment = {
        "REHEARSAL_STEP": "RX-2",
        "REHEARSAL_CLONE": str(clone),
        "REHEARSAL_TOKEN": "0" * 32,
    }
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "rehearse.py", step],
        cwd=packet,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


@pytest.mark.parametrize(
    ("step", "files", "said"),
    [
        ("lock", {"clone.sqlite": b"mine"}, "the folder is not empty"),
        ("read-twice", {"clone.sqlite": b"mine"}, "the folder is not the one that this run made"),
        (
            "snapshot",
            {"clone.sqlite": b"mine", inside.MARKER: b"1" * 32 + b"\n"},
            "the folder is not the one that this run made",
        ),
    ],
)
def test_a_step_refuses_a_clone_that_another_run_made(
    sealed: Place, step: str, files: dict[str, bytes], said: str
) -> None:
    foreign = sealed.path / "foreign"
    foreign.mkdir()
    for name, data in files.items():
        (foreign / name).write_bytes(data)
    done = step_on(sealed, foreign, step)
    assert (done.returncode, done.stdout) == (3, f"refused: foreign clone: {said}\n")
    assert content(foreign) == files


def test_a_clone_that_was_exchanged_on_the_way_ends_the_rehearsal(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanged = program("commands.sh").replace(
        b"step RX-2 ", b'echo another >"$REHEARSAL_CLONE/lanebook-clone"\nstep RX-2 '
    )
    monkeypatch.setattr(
        running, "program", lambda name: exchanged if name == "commands.sh" else program(name)
    )
    message = (
        "sample: not the folder that this run made; it was neither used nor removed"
        " (REHEARSE-FOREIGN-CLONE)"
    )
    assert_refused(place, place.run(), message)


def test_a_folder_that_was_exchanged_is_not_removed(place: Place) -> None:
    moved = place.path / "moved"
    folder = RunFolder(place.temporary, CLONES)
    folder.path.rename(moved)
    folder.path.mkdir()
    shutil.copyfile(moved / MARKER, folder.path / MARKER)
    (folder.path / "theirs").write_bytes(b"theirs")
    with pytest.raises(InputError) as caught, folder:
        pass
    assert caught.value.code == "REHEARSE-FOREIGN-CLONE"
    assert (folder.path / "theirs").read_bytes() == b"theirs"


def test_only_folders_of_dead_runs_are_swept(place: Place) -> None:
    parent = place.temporary
    with RunFolder(parent, CLONES) as living:
        (parent / f"{CLONES}file").write_bytes(b"")
        (parent / f"{CLONES}unmarked").mkdir()
        (parent / f"{CLONES}unmarked" / "data").write_bytes(b"somebody's")
        (parent / f"{CLONES}link").symlink_to(place.root)
        other = parent / f"{CLONES}others"
        other.mkdir()
        (other / MARKER).write_text("the marker of another program\n", "utf-8")
        (parent / f"{CLONES}begun").mkdir()
        stale = parent / f"{CLONES}stale"
        shutil.copytree(living.path, stale)
        (stale / "clone.sqlite").write_bytes(b"left")
        assert sweep(parent, CLONES) == [f"{CLONES}begun", stale.name]
    left = {"file", "unmarked", "link", "others"}
    assert {path.name for path in parent.iterdir()} == {f"{CLONES}{name}" for name in left}


# --- killed ---

_KILLED = """
import sys
from pathlib import Path
from generator.rehearse.run import Wanted, rehearse

lane, root, database, change = sys.argv[1:]
rehearse(Wanted(lane=lane, root=Path(root), database=Path(database), change=Path(change)))
"""


@pytest.mark.parametrize(
    ("folder", "moment"),
    [
        pytest.param("tmp", f"{CLONES}*/{MARKER}", id="at the beginning"),
        pytest.param("tmp", f"{CLONES}*/seed.sqlite", id="while the source is read"),
        pytest.param("tmp", f"{CLONES}*/lanebook-rehearsal.*/clone.sqlite", id="with the clone"),
        pytest.param("root", f".lanebook/{STAGES}*/sample/evidence/outputs/RX-3.txt", id="RX-3"),
        pytest.param("root", f".lanebook/{STAGES}*/sample/evidence/outputs/RX-9.txt", id="RX-9"),
        pytest.param("root", f".lanebook/{STAGES}*/sample/evidence/HASH_MANIFEST.txt", id="sealed"),
        pytest.param("tmp", f"{CLONES}*/lanebook-rerun.*/evidence/seed.sql", id="RERUN.sh"),
    ],
)
def test_a_killed_rehearsal_leaves_no_lane_and_no_clone_behind_the_next(
    place: Place, folder: str, moment: str
) -> None:
    arguments = [str(path) for path in (place.root, place.database, place.change)]
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, "sample", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(place.temporary)},
    )
    end = time.monotonic() + TIME_LIMIT
    while process.poll() is None and not any((place.path / folder).glob(moment)):
        assert time.monotonic() < end
    process.send_signal(signal.SIGKILL)
    assert process.wait(TIME_LIMIT) == -signal.SIGKILL, "it was faster than the test"
    assert list((place.root / "packets").iterdir()) == []
    assert list(place.temporary.iterdir()) != []

    assert place.run("sample").code == 0
    place.assert_clean("sample")
    assert verify(place.root).code == 0


_LASTING = """
import sys
from pathlib import Path
from generator.rehearse.folders import RunFolder
from generator.rehearse.run import CLONES, _shell

with RunFolder(Path(sys.argv[1]), CLONES) as clones:
    (clones.path / "inner.sh").write_text("touch begun; sleep 600; exit 0")
    (clones.path / "outer.sh").write_text("sh inner.sh; exit 0")
    _shell("outer.sh", clones.path, clones, {}, lambda done: None)
"""


def test_what_a_killed_rehearsal_began_ends_with_it(place: Place) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _LASTING, str(place.temporary)], cwd=REPOSITORY
    )
    end = time.monotonic() + TIME_LIMIT
    while process.poll() is None and not any(place.temporary.glob(f"{CLONES}*/begun")):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait(TIME_LIMIT) == -signal.SIGKILL

    # sweep gives up on a folder whose programs do not end
    assert len(sweep(place.temporary, CLONES)) == 1
    assert list(place.temporary.iterdir()) == []


def test_two_rehearsals_at_once_do_not_touch_each_other(place: Place) -> None:
    arguments = [str(path) for path in (place.root, place.database, place.change)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _KILLED, lane, *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(place.temporary)},
        )
        for lane in ("one", "two")
    ]
    assert [process.wait(TIME_LIMIT) for process in started] == [0, 0]
    place.assert_clean("one", "two")
    assert verify(place.root).code == 0


# --- small parts ---


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("", []),
        (" ;; -- a\n", []),
        ("a;b", [(1, "a;"), (1, "b")]),
        ("\n\na\n;\nb;", [(3, "a\n;"), (5, "b;")]),
        ("a ';' \"x;\" `;` [;] -- ;\n/* ; */;", [(1, "a ';' \"x;\" `;` [;] -- ;\n/* ; */;")]),
        ("'it''s;';b", [(1, "'it''s;';"), (1, "b")]),
        (
            "CREATE TRIGGER t AFTER INSERT ON x BEGIN\nSELECT 1;\nSELECT 2;\nEND;\nb;",
            [
                (1, "CREATE TRIGGER t AFTER INSERT ON x BEGIN\nSELECT 1;\nSELECT 2;\nEND;"),
                (5, "b;"),
            ],
        ),
        ("/* a\n*/ -- b\nc;", [(3, "c;")]),
        ("'open; b;", [(1, "'open; b;")]),
        ("\ufeffa;", [(1, "a;")]),
    ],
)
def test_scripts_are_split_as_sqlite_does(script: str, found: list[tuple[int, str]]) -> None:
    assert list(inside.statements(script)) == found


def test_every_code_is_explained_and_every_explanation_is_used() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for path in sorted((REPOSITORY / "generator" / "rehearse").rglob("*.py"))
        if path.name != "codes.py"
    )
    used = set(re.findall(r'"(REHEARSE-[A-Z-]+)"', sources))
    assert used == set(REHEARSE_CODES)
    assert all(all(text) for text in REHEARSE_CODES.values())


def test_the_library_refuses_what_the_command_refuses(place: Place) -> None:
    with pytest.raises(InputError) as caught:
        rehearse(Wanted("sample", place.root, place.change, database=place.path / "none.sqlite"))
    assert caught.value.code == "REHEARSE-SOURCE"
