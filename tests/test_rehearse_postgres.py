"""Rehearsals on PostgreSQL: what they leave, what they refuse, and that nothing reaches out."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.rehearse.inside import postgres as programs
from generator.rehearse.inside.postgres import dump as dumps
from generator.rehearse.inside.postgres import rehearse as inside
from generator.rehearse.inside.postgres import script, state
from generator.rehearse.inside.postgres import server as servers
from generator.rehearse.run import CLONES
from tests import rehearse_support
from tests.folders import Answer, content, run, verify, within
from tests.rehearse_support import assert_refused, make_place

REPOSITORY = Path(__file__).resolve().parents[1]
TIME_LIMIT = 120


def _why_not() -> str:
    """Return why there is no throwaway server here; nothing if there is one."""
    try:
        servers.newest()
        servers.sandboxed([])
    except servers.Missing as error:
        return str(error)
    return ""


WHY_NOT = _why_not()
served = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")

SCHEMA = r"""
CREATE ROLE app_owner;
CREATE ROLE reader;
CREATE SCHEMA registry;
CREATE TYPE registry.kind AS ENUM ('object', 'approval', 'issue');
CREATE DOMAIN registry.ref AS text CHECK (VALUE ~ '^[A-Z]+-[0-9]+$');
CREATE TYPE registry.pair AS (a int, b text);
CREATE TYPE registry.span AS RANGE (subtype = float8);
CREATE TABLE registry.objects (
  id bigserial PRIMARY KEY, ref registry.ref NOT NULL UNIQUE, kind registry.kind NOT NULL,
  note text, at timestamptz DEFAULT now(), amount numeric, ratio double precision, raw bytea,
  doc jsonb, tags text[], pair registry.pair, "program" text
);
CREATE TABLE registry.log (what text, n int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE registry.part (k int, v text) PARTITION BY RANGE (k);
CREATE TABLE registry.part1 PARTITION OF registry.part FOR VALUES FROM (0) TO (10);
CREATE FUNCTION registry.logged() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
  INSERT INTO registry.log (what) VALUES ('it''s; ' || OLD.ref); -- don't
  RETURN OLD;
END $f$;
CREATE FUNCTION registry.chosen(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END; SELECT a;
END;
CREATE TRIGGER objects_log AFTER DELETE ON registry.objects
  FOR EACH ROW EXECUTE FUNCTION registry.logged();
CREATE VIEW registry.noted AS SELECT ref FROM registry.objects WHERE note IS NOT NULL;
CREATE INDEX objects_note ON registry.objects (note) WHERE note IS NOT NULL;
INSERT INTO registry.objects (ref, kind, note, at, amount, ratio, raw, doc, tags, pair) VALUES
  ('OBJ-1', 'object', 'first', '2026-01-01', 1.10, 0.1, '\x00ff', '{"a": 1}', '{a,"b c"}',
   (1, 'x')),
  ('OBJ-2', 'approval', NULL, '2026-01-02', 2, 1e300, NULL, NULL, NULL, NULL),
  ('ISS-3', 'issue', E'two\nlines\\.\n\\.', '2026-01-03', NULL, 'NaN', NULL, NULL, NULL, NULL);
INSERT INTO registry.part VALUES (1, 'one'), (1, 'one'), (2, NULL);
CREATE MATERIALIZED VIEW registry.counted AS
  SELECT kind, count(*) AS n FROM registry.objects GROUP BY kind;
ALTER TABLE registry.objects ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON registry.objects FOR SELECT TO reader USING (note IS NOT NULL);
GRANT SELECT ON registry.objects TO reader;
GRANT SELECT (ref) ON registry.objects TO app_owner;
ALTER TABLE registry.log OWNER TO app_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA registry GRANT SELECT ON TABLES TO reader;
CREATE AGGREGATE registry.total(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE RULE nothing AS ON DELETE TO registry.part DO INSTEAD NOTHING;
CREATE STATISTICS registry.st ON ref, note FROM registry.objects;
COMMENT ON COLUMN registry.objects.note IS 'what it''s about';
SELECT lo_from_bytea(4711, '\x6c6f');
"""
CHANGE = """-- Another note; a function; and an index.
UPDATE registry.objects SET note = 'it''s -- not; a comment' WHERE ref = 'OBJ-2';
CREATE FUNCTION registry.told() RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
  -- don't; stop
  RETURN 'a;b';
END $f$;
/* a comment; of */ -- two
CREATE INDEX objects_kind ON registry.objects (kind);
"""
PLAIN = """--
-- PostgreSQL database dump
--

{restrict}
-- Dumped from database version 15.1
-- Dumped by pg_dump version 15.1

SET standard_conforming_strings = on;
{body}
--
-- PostgreSQL database dump complete
--
"""
TABLE = (
    "CREATE TABLE public.t (id integer PRIMARY KEY, v text);\nINSERT INTO public.t VALUES (1, 'a');"
)

STATED = "source: a copy of the staging registry\nstated_by: operations\n"
REQUIRED = "entities: [{entity: rows, table: public.t, columns: {id: integer}}]\n"
REQUIRED_OF_SCHEMA = "entities: [{entity: objects, table: registry.objects}]\n"


def plain(body: str, restrict: str = "") -> bytes:
    return PLAIN.format(body=body, restrict=restrict).encode()


class Place(rehearse_support.Place):
    """A root, and a folder for temporary files in which servers run."""

    def run(
        self,
        dump: Path | bytes,
        change: str,
        *arguments: str | Path,
        lane: str = "sample",
        provenance: str | None = STATED,
        requirements: str | None = "",
    ) -> Answer:
        """Rehearse; without others, the dump is stated, and a table that it has is required."""
        if requirements == "":
            requirements = REQUIRED if isinstance(dump, bytes) else REQUIRED_OF_SCHEMA
        if isinstance(dump, bytes):
            (self.path / "copy.dump").write_bytes(dump)
            dump = self.path / "copy.dump"
        script_path = self.path / "change.sql"
        script_path.write_text(change, "utf-8")
        source: list[str | Path] = ["--engine", "postgres", "--dump", dump, "--change", script_path]
        for path in self.stated(provenance, requirements):
            source += [f"--{path.stem}", path]
        return run("rehearse", lane, "--root", self.root, *source, *arguments)

    def stated(self, *texts: str | None) -> list[Path]:
        """Write down what is stated of a dump and required of it, each where it is given."""
        found = []
        for name, text in zip(("provenance.yml", "requirements.yml"), texts, strict=True):
            if text is not None:
                (self.path / name).write_text(text, "utf-8")
                found.append(self.path / name)
        return found

    def rerun(self, lane: str = "sample", **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", self.evidence(lane) / "RERUN.sh"],
            env={"PATH": os.defpath, "TMPDIR": str(self.temporary), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT,
            text=True,
        )
        return done.returncode, done.stdout

    def assert_clean(self, *lanes: str) -> None:
        """Nothing is left but these lanes, and no server runs."""
        super().assert_clean(*lanes)
        assert processes(str(self.temporary)) == []


def processes(text: str) -> list[str]:
    """Return the command lines of processes that name a path."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


@pytest.fixture
def place(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    yield from make_place(Place, tmp_path_factory, monkeypatch)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """Give a throwaway server, with a database ``src`` of the schema."""
    folder = tmp_path_factory.mktemp("server")
    with servers.Server(str(folder), servers.newest()) as started:
        command(started, "CREATE DATABASE src TEMPLATE template0")
        with started.session("src", search_path='"$user", public') as session:
            session.run(SCHEMA.encode())
        yield started


@pytest.fixture(scope="module")
def dumped(server: servers.Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a dump of ``src`` in each form, by the name of the form."""
    folder = tmp_path_factory.mktemp("dumps")
    found = {}
    for form, letter in (("plain", "p"), ("custom", "c"), ("tar", "t"), ("directory", "d")):
        found[form] = folder / form
        # a short way to the socket, whose path has at most 107 bytes
        with tempfile.TemporaryDirectory(dir="/tmp") as short:
            os.symlink(server.folder, f"{short}/s")
            subprocess.run(
                [
                    f"{servers.binaries(server.major)}/pg_dump",
                    *("-h", f"{short}/s", "-U", servers.SUPERUSER, "-F", letter),
                    *("-f", found[form], "src"),
                ],
                check=True,
                timeout=TIME_LIMIT,
            )
    for form in ("plain", "custom", "tar"):
        data = found[form].read_bytes()
        found[f"{form}+gzip"] = folder / f"{form}.gz"
        found[f"{form}+gzip"].write_bytes(gzip.compress(data))
    if shutil.which("zstd"):
        found["tar+zstd"] = folder / "tar.zst"
        command_line = ["zstd", "-q", str(found["tar"]), "-o", str(found["tar+zstd"])]
        subprocess.run(command_line, check=True, timeout=TIME_LIMIT)
    return found


def command(started: servers.Server, sql: str, database: str = "postgres") -> None:
    with started.session(database) as session:
        session.run(sql.encode())


def seen(session: servers.Session) -> state.State:
    """Return the state that a session sees; the digests of rows are gone with the call."""
    with tempfile.TemporaryDirectory() as notes:
        return inside.export(session, state.Notes(notes))


def exported(started: servers.Server, database: str) -> list[list[Any]]:
    """Return the state of a database, each line read."""
    with started.session(database) as session:
        found = seen(session)
    lines = [json.loads(line) for line in found.data.splitlines()]
    assert sum(line[0] == "row" for line in lines) == found.rows
    return lines


@pytest.fixture
def fresh(server: servers.Server) -> Iterator[Callable[[str], str]]:
    """Make empty databases that are gone with the test."""
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        command(server, f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    yield make
    for name in made:
        command(server, f"DROP DATABASE {name}")


# --- what a rehearsal leaves ---


@served
def test_a_rehearsal_becomes_a_lane_that_verifies_and_is_made_again(
    place: Place, dumped: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGSERVICEFILE", "PGPASSFILE", "PGOPTIONS"):
        monkeypatch.setenv(name, "/nowhere")
    answer = place.run(dumped["custom"], CHANGE, "--date", "2026-11-25")
    sealed = (place.evidence() / "packet_tree.sha256").read_text("ascii").strip()
    assert answer == Answer(
        0,
        f"packets/sample\n{sealed}  51 files\nSAMPLE_ROLLBACK_PROVEN_ON_CLONE\n"
        "next: lanebook verify\n",
        "",
    )
    place.assert_clean("sample")
    verified = verify(place.root)
    (lane,) = verified.object["lanes"]
    assert (verified.code, lane["findings"], lane["errors"]) == (0, [], [])

    plan = json.loads((place.evidence() / "plan.json").read_bytes())
    digest, size = dumps.digest(str(dumped["custom"]))
    assert plan["dump"] == {
        "file": None,
        "sha256": digest,
        "size": size,
        "form": "custom",
        "server": servers.newest(),
    }
    files = content(place.evidence())
    for name, data in files.items():
        for text in (str(place.path), sys.executable, "PGHOST"):
            assert text.encode() not in data, (name, text)
    assert "first" not in "".join(
        data.decode() for name, data in files.items() if name.startswith("states/")
    )
    decision = (place.root / "packets/sample/decision-packet.md").read_text("utf-8")
    assert "on a disposable PostgreSQL clone" in decision
    assert "AUTHORIZE_SECOND_POSTGRESQL_CLONE_REHEARSAL_ONLY" in decision
    assert "SQLite" not in decision

    assert place.rerun(LANEBOOK_DUMP=str(dumped["custom"])) == (
        0,
        "OVERALL PASS\nPACKET_TREE MATCH\n",
    )
    not_run = "not run: the clone is not proven isolated\nrefused: "
    assert place.rerun() == (
        2,
        f"{not_run}the dump is not in the packet; LANEBOOK_DUMP has to name it\n",
    )
    assert place.rerun(LANEBOOK_DUMP=str(dumped["plain"])) == (
        2,
        f"{not_run}the dump that was given has another digest than plan.json names\n",
    )
    place.assert_clean("sample")


@served
def test_a_small_dump_can_be_kept_in_the_packet(place: Place) -> None:
    answer = place.run(plain(TABLE), "DELETE FROM public.t;", "--keep-dump")
    assert (answer.code, answer.err) == (0, "")
    assert (place.evidence() / "source.dump").read_bytes() == plain(TABLE)
    assert place.rerun() == (0, "OVERALL PASS\nPACKET_TREE MATCH\n")
    assert verify(place.root).code == 0


@served
def test_a_dump_may_be_named_by_a_link(place: Place) -> None:
    (place.path / "nightly.dump").write_bytes(plain(TABLE))
    latest = place.path / "latest.dump"
    latest.symlink_to("nightly.dump")
    answer = place.run(latest, "DELETE FROM public.t;", requirements=REQUIRED)
    assert (answer.code, answer.err) == (0, "")
    place.assert_clean("sample")
    matches = 0, "OVERALL PASS\nPACKET_TREE MATCH\n"
    assert place.rerun(LANEBOOK_DUMP=str(latest)) == matches


@served
def test_a_sequence_that_a_rollback_leaves_moved_is_named_and_not_proven(
    place: Place, dumped: dict[str, Path]
) -> None:
    change = "INSERT INTO registry.objects (ref, kind) VALUES ('OBJ-9', 'object');\n"
    change += "UPDATE registry.objects SET at = '2026-01-09' WHERE ref = 'OBJ-9';\n"
    answer = place.run(dumped["plain"], change)
    assert (answer.code, answer.out.split("\n")[2]) == (1, "SAMPLE_ROLLBACK_NOT_PROVEN")
    assert answer.err == (
        "lanebook: after the ROLLBACK it is not as it was:"
        ' sequence "registry.objects_id_seq" [3, true] [4, true]\n'
        "lanebook: the rollback is not proven; the lane is sealed as it is\n"
    )
    proof = json.loads((place.evidence() / "rollback-recovery-proof.json").read_bytes())
    # each leg begins from the locked state, and the snapshot brings a sequence back
    assert [entry["restored_match"] for entry in proof["entries"]] == [False, True]
    assert len({entry["before_hash"] for entry in proof["entries"]}) == 1
    answer = verify(place.root)
    assert answer.code == 1
    assert "ROLLBACK_NOT_RESTORED" in answer.codes
    assert "ROLLBACK_LOCK_DIFFERS" not in answer.codes


# --- the snapshot alone ---


@served
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            "INSERT INTO public.t VALUES (2, 'b');\nCREATE INDEX CONCURRENTLY i ON public.t (v);",
            'line 2: 25001 "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"',
        ),
        (
            "ALTER TYPE public.e ADD VALUE 'y';\n\nINSERT INTO public.u VALUES ('y');",
            'line 3: 55P04 "unsafe use of new value \\"y\\" of enum type public.e"',
        ),
    ],
    ids=["concurrently", "enum"],
)
def test_a_change_that_runs_in_no_transaction_has_its_snapshot_leg_only(
    place: Place, change: str, why: str
) -> None:
    body = f"{TABLE}\nCREATE TYPE public.e AS ENUM ('x');\nCREATE TABLE public.u (e public.e);"
    answer = place.run(plain(body), change, "--keep-dump")
    reason = json.loads(why.split(" ", 3)[3])
    assert (answer.code, answer.out.split("\n")[2], answer.err) == (
        0,
        "SAMPLE_SNAPSHOT_ROLLBACK_PROVEN_ON_CLONE",
        f"lanebook: not run, and neither passed nor failed: RB-SQL-TXN: {reason}\n",
    )
    evidence = place.evidence()
    proof = json.loads((evidence / "rollback-recovery-proof.json").read_bytes())
    assert [(one["id"], one["restored_match"]) for one in proof["entries"]] == [
        ("RB-SQL-SNAP", True)
    ]
    assert proof["not_run"] == [{"id": "RB-SQL-TXN", "step": "RX-3", "reason": reason}]
    told = (evidence / "outputs/RX-3.txt").read_text("utf-8")
    assert told == f"refused: {why}\nnot run: the transaction leg\n"
    checkpoint = (place.root / "packets/sample/checkpoint.md").read_text("utf-8")
    assert f"- Not run: `RB-SQL-TXN`, step RX-3: {reason}\n" in checkpoint
    assert place.rerun() == (0, "OVERALL PASS\nPACKET_TREE MATCH\n")
    assert verify(place.root).code == 0


@served
def test_a_leg_that_was_not_run_cannot_be_told_as_one_that_passed(place: Place) -> None:
    change = "CREATE INDEX CONCURRENTLY i ON public.t (v);"
    assert place.run(plain(TABLE), change, "--keep-dump").code == 0
    path = place.evidence() / "rollback-recovery-proof.json"
    proof = json.loads(path.read_bytes())
    proof["entries"].append({**proof["entries"][0], "id": "RB-SQL-TXN", "step": "RX-3"})
    proof["entry_count"] = 2
    path.write_text(json.dumps(proof), "utf-8")
    answer = verify(place.root)
    assert answer.code == 1
    assert "ROLLBACK_NOT_RUN_DIFFERS" in answer.codes


# --- the blocker ---

BLOCKED = {
    "lane": "before",
    "blockers": [
        {
            "id": "ROLLBACK-1",
            "state": "OPEN",
            "progress": "partially discharged",
            "legs": [
                {"id": "toy-clone leg", "status": "proven"},
                {"id": "production-shaped leg", "status": "OPEN"},
                {"id": "production leg", "status": "OPEN"},
            ],
            "actor": "operator",
            "next_action": "rehearse on a production-shaped clone",
            "blocks": "production",
        },
        {
            "id": "CI-1",
            "state": "OPEN",
            "progress": "none",
            "actor": "owner",
            "next_action": "adopt the gate",
            "blocks": "ci",
        },
    ],
}
LEG = "ROLLBACK-1/production-shaped leg"


def blocked(place: Place, change: str, *arguments: str, leg: str = LEG) -> Answer:
    path = place.path / "blockers.json"
    path.write_text(json.dumps(BLOCKED), "utf-8")
    given = ("--blockers", str(path), "--discharges", leg)
    return place.run(plain(TABLE + "\nCREATE SEQUENCE public.s;"), change, *given, *arguments)


def legs(place: Place) -> dict[str, str]:
    name = "production-readiness-blocker-map.json"
    row = json.loads((place.evidence() / name).read_bytes())["blockers"][0]
    assert row["state"] == "OPEN"
    return {leg["id"]: leg["status"] for leg in row["legs"]}


@served
def test_the_leg_that_is_rehearsed_is_discharged_and_the_blocker_stays_open(place: Place) -> None:
    answer = blocked(place, "DELETE FROM public.t;")
    assert (answer.code, answer.err) == (0, "")
    discharged = {
        "toy-clone leg": "proven",
        "production-shaped leg": "discharged",
        "production leg": "OPEN",
    }
    assert legs(place) == discharged
    decision = (place.root / "packets/sample/decision-packet.md").read_text("utf-8")
    assert "2 blockers are OPEN." in decision
    for leg, status in discharged.items():
        assert f"- `ROLLBACK-1`, {leg}: {status}\n" in decision
    assert verify(place.root).code == 0
    assert place.rerun(LANEBOOK_DUMP=str(place.path / "copy.dump"))[0] == 0


@served
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("INSERT INTO public.t VALUES (nextval('public.s'), 'x');", 1),
        ("CREATE INDEX CONCURRENTLY i ON public.t (v);", 0),
    ],
    ids=["moved", "snapshot-alone"],
)
def test_a_leg_stays_open_where_not_every_leg_of_the_rehearsal_is_proven(
    place: Place, change: str, code: int
) -> None:
    change = change.replace("nextval('public.s')", "1 + nextval('public.s')")
    assert blocked(place, change).code == code
    assert legs(place)["production-shaped leg"] == "OPEN"
    assert verify(place.root).code == code


@pytest.mark.parametrize(
    ("leg", "problem"),
    [
        ("ROLLBACK-1/toy-clone leg", "the map has no open leg ROLLBACK-1/toy-clone leg"),
        ("CI-1/none", "the map has no open leg CI-1/none"),
        ("", ""),
    ],
)
def test_a_leg_that_is_not_open_cannot_be_discharged(place: Place, leg: str, problem: str) -> None:
    if not leg:
        answer = run(
            *("rehearse", "sample", "--root", place.root, "--engine", "postgres", "--dump", "x"),
            *("--change", "y", "--discharges", LEG),
        )
        usage = "lanebook: --discharges: only with --engine postgres and --blockers\n"
        assert answer == Answer(2, "", usage)
        return
    answer = blocked(place, "DELETE FROM public.t;", leg=leg)
    assert_refused(place, answer, f"blockers.json: {problem} (REHEARSE-INPUT)")


def test_the_last_open_leg_of_a_blocker_cannot_be_discharged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = json.loads(json.dumps(BLOCKED["blockers"]))
    rows[0]["legs"].pop()
    monkeypatch.setitem(BLOCKED, "blockers", rows)
    problem = "no other leg of ROLLBACK-1 is open; no rehearsal closes a blocker"
    answer = blocked(place, "DELETE FROM public.t;")
    assert_refused(place, answer, f"blockers.json: {problem} (REHEARSE-INPUT)")


# --- states ---


@served
@pytest.mark.parametrize(
    "form",
    [
        *("plain", "custom", "tar", "directory", "plain+gzip", "custom+gzip", "tar+gzip"),
        "tar+zstd",
    ],
)
def test_a_dump_of_each_form_gives_the_state_of_its_source(
    server: servers.Server,
    dumped: dict[str, Path],
    fresh: Callable[[str], str],
    tmp_path: Path,
    form: str,
) -> None:
    if form not in dumped:
        pytest.skip("no zstd here")
    told, sql = dumps.sql_of(str(dumped[form]), server.major, str(tmp_path))
    assert told == form
    assert list(tmp_path.iterdir()) == []
    name = fresh("restored")
    with sql:
        dumps.check(sql)
        dumps.restore(server, name, sql)
    assert exported(server, name) == exported(server, "src")


CHANGES = {
    "a-row": "UPDATE registry.objects SET note = 'x' WHERE id = 1",
    "a-row-without-key": "UPDATE registry.part SET v = 'two' WHERE v IS NULL",
    "a-row-more-of-the-same": "INSERT INTO registry.part VALUES (1, 'one')",
    "null-and-empty": "UPDATE registry.part SET v = '' WHERE v IS NULL",
    "a-column": "ALTER TABLE registry.log ADD COLUMN more text",
    "a-default": "ALTER TABLE registry.log ALTER COLUMN what SET DEFAULT 'x'",
    "a-type": "ALTER TABLE registry.log ALTER COLUMN what TYPE varchar(99)",
    "a-constraint": "ALTER TABLE registry.log ADD CONSTRAINT c CHECK (what <> '')",
    "an-index": "CREATE INDEX ON registry.log (what)",
    "a-view": "CREATE OR REPLACE VIEW registry.noted AS SELECT ref FROM registry.objects",
    "a-materialized-view": "REFRESH MATERIALIZED VIEW registry.counted WITH NO DATA",
    "a-function": "CREATE OR REPLACE FUNCTION registry.chosen(a int) RETURNS int LANGUAGE sql"
    " AS 'SELECT 1'",
    "an-aggregate": "CREATE OR REPLACE AGGREGATE registry.total(int)"
    " (sfunc = int4pl, stype = int, initcond = '1')",
    "a-trigger": "ALTER TABLE registry.objects DISABLE TRIGGER objects_log",
    "an-event-trigger": "CREATE FUNCTION registry.ev() RETURNS event_trigger LANGUAGE plpgsql"
    " AS 'BEGIN END'; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION registry.ev()",
    "a-rule": "DROP RULE nothing ON registry.part",
    "a-policy": "ALTER POLICY mine ON registry.objects USING (true)",
    "row-security": "ALTER TABLE registry.objects FORCE ROW LEVEL SECURITY",
    "a-sequence": "ALTER SEQUENCE registry.objects_id_seq INCREMENT BY 2",
    "a-grant": "GRANT UPDATE ON registry.objects TO reader",
    "a-grant-on-a-column": "REVOKE SELECT (ref) ON registry.objects FROM app_owner",
    "a-default-grant": "ALTER DEFAULT PRIVILEGES IN SCHEMA registry REVOKE SELECT ON TABLES"
    " FROM reader",
    "an-owner": "ALTER TABLE registry.log OWNER TO reader",
    "an-enum": "ALTER TYPE registry.kind RENAME VALUE 'issue' TO 'problem'",
    "a-domain": "ALTER DOMAIN registry.ref SET DEFAULT 'A-1'",
    "a-composite": "ALTER TYPE registry.pair ADD ATTRIBUTE c int",
    "a-range": "DROP TYPE registry.span",
    "a-partition": "ALTER TABLE registry.part DETACH PARTITION registry.part1",
    "a-schema": "CREATE SCHEMA other",
    "a-comment": "COMMENT ON COLUMN registry.objects.note IS 'other'",
    "statistics": "ALTER STATISTICS registry.st SET STATISTICS 7",
    "storage": "ALTER TABLE registry.log SET (fillfactor = 50)",
    "a-large-object": "SELECT lo_put(4711, 0, 'x')",
    "a-grant-on-a-large-object": "GRANT SELECT ON LARGE OBJECT 4711 TO reader",
}


@served
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_state_shows_every_change_and_that_it_came_back(
    server: servers.Server, change: str
) -> None:
    with server.session("src") as session:
        before = seen(session)[:2]
        session.run(b"BEGIN")
        session.run(change.encode())
        # what a change leaves set in the session tells nothing of the database
        session.run(
            b"SET search_path = registry; SET DateStyle = German; SET extra_float_digits = 0"
        )
        session.run(b"SET TimeZone = 'Asia/Tokyo'; SET bytea_output = escape; SET ROLE reader")
        applied = seen(session)[:2]
        session.run(b"ROLLBACK")
        assert seen(session)[:2] == before
    assert applied != before
    gone, come = (
        {line for line in one[0].splitlines() if line not in other[0].splitlines()}
        for one, other in ((before, applied), (applied, before))
    )
    assert gone or come or applied[1] != before[1]
    assert len(gone | come) < 12, "more than the change"


DRAWS = (
    *CHANGES.values(),
    "SELECT nextval('registry.objects_id_seq')",
    "INSERT INTO registry.log (what) VALUES ('x')",
    "DELETE FROM registry.objects",
    "TRUNCATE registry.part RESTART IDENTITY",
    "SELECT setval('registry.log_n_seq', 40)",
)


@served
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(DRAWS), min_size=1, max_size=5, unique=True))
def test_what_a_rollback_does_not_bring_back_is_a_sequence_and_is_named(
    server: servers.Server, changes: list[str]
) -> None:
    with server.session("src") as session:
        before = seen(session).data
        session.run(b"BEGIN")
        for number, change in enumerate(changes):
            session.run(b"SAVEPOINT s%d" % number)
            try:
                session.run(change.encode())
            except servers.Refusal:
                session.run(b"ROLLBACK TO s%d" % number)
        session.run(b"ROLLBACK")
        after = seen(session).data
    assert state.other_lines(before, after) == 0
    assert bool(state.moved_sequences(before, after)) == (before != after)


@served
def test_a_state_does_not_depend_on_where_rows_and_objects_lie(
    server: servers.Server, fresh: Callable[[str], str]
) -> None:
    names = [fresh("one"), fresh("two")]
    tables = ["CREATE TABLE a (k int PRIMARY KEY, v text)", "CREATE TABLE b (v text, t int)"]
    rows = ["INSERT INTO a VALUES (1, 'x')", "INSERT INTO a VALUES (2, NULL)"]
    rows += ["INSERT INTO b VALUES ('same', 1)", "INSERT INTO b VALUES ('same', 1)"]
    churn = ["UPDATE a SET v = v || 'y'", "UPDATE a SET v = 'x' WHERE k = 1", "VACUUM FULL a"]
    for name, order in zip(names, (1, -1), strict=True):
        with server.session(name, search_path="public") as session:
            for sql in [*tables[::order], *rows[::order], *(churn if order < 0 else ())]:
                session.run(sql.encode())
    one, two = (exported(server, name) for name in names)
    assert one == two
    assert [line[:3] for line in one if line[0] == "row"] == [
        *[["row", "public", "a"]] * 2,
        *[["row", "public", "b"]] * 2,
    ]


@served
def test_a_row_goes_by_its_key_and_not_by_what_the_index_of_the_key_includes(
    server: servers.Server, fresh: Callable[[str], str]
) -> None:
    name = fresh("included")
    command(server, "CREATE TABLE public.t (k int, v int, PRIMARY KEY (k) INCLUDE (v))", name)
    command(server, "INSERT INTO public.t VALUES (1, 1)", name)
    ((_, _, _, key, before),) = (line for line in exported(server, name) if line[0] == "row")
    command(server, "UPDATE public.t SET v = 2", name)
    ((_, _, _, again, after),) = (line for line in exported(server, name) if line[0] == "row")
    assert (key, before) == (again, sent(1, 1))
    assert (key, after) == (sent(1), sent(1, 2))


def sent(*numbers: int) -> str:
    """Return the digest of a row of integers, as record_send of PostgreSQL writes it."""
    integer, length = 23, 4
    row = struct.pack("!i", len(numbers))
    row += b"".join(struct.pack("!Iii", integer, length, number) for number in numbers)
    return hashlib.sha256(row).hexdigest()


TOUCHING = {
    "update": "UPDATE public.t SET v = 'y' WHERE k = 3",
    "update-the-same": "UPDATE public.t SET v = v WHERE k = 3",
    "delete": "DELETE FROM public.t WHERE k = 3",
    "insert": "INSERT INTO public.t VALUES (-1, 'x')",
    "truncate": "TRUNCATE public.t",
    "rewritten": "ALTER TABLE public.t ALTER COLUMN v TYPE varchar(9)",
    "column": "ALTER TABLE public.t ADD COLUMN w int DEFAULT 4",
    "column-gone": "ALTER TABLE public.t DROP COLUMN v",
    "label": "ALTER TYPE public.e RENAME VALUE 'a' TO 'b'",
    "key": "ALTER TABLE public.t DROP CONSTRAINT t_pkey",
    "toast": "UPDATE public.t SET v = repeat(md5('x'), 900) WHERE k = 3",
    "locked": "SELECT * FROM public.t FOR UPDATE",
    "a-subtransaction": "SAVEPOINT s; DELETE FROM public.t; ROLLBACK TO s;"
    " DELETE FROM public.t WHERE k = 5",
}


@served
@pytest.mark.parametrize("change", TOUCHING.values(), ids=TOUCHING.keys())
@pytest.mark.parametrize("ends", ["ROLLBACK", "COMMIT", "COMMIT and VACUUM"])
def test_what_is_remembered_of_a_table_is_what_would_be_read(
    server: servers.Server,
    fresh: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    ends: str,
) -> None:
    monkeypatch.setattr(state, "_REMEMBERED", 1)
    name = fresh("remembered")
    notes = state.Notes(str(tmp_path))
    body = "CREATE TYPE public.e AS ENUM ('a');\n"
    body += "CREATE TABLE public.t (k int PRIMARY KEY, v text);\n"
    body += "CREATE TABLE public.u (e public.e);\n"
    body += "INSERT INTO public.t SELECT g, 'x' FROM generate_series(1, 4000) g;\n"
    body += "INSERT INTO public.u SELECT 'a' FROM generate_series(1, 4000) g;"
    with dumps.Script(str(tmp_path)) as sql:
        sql.write(plain(body))
        dumps.restore(server, name, sql)

    def looked(session: servers.Session) -> state.State:
        found = inside.export(session, notes)
        assert (found.data, found.rows) == seen(session)[:2]
        return found

    with server.session(name) as session:
        before = looked(session)
        assert len(notes.known) == 2, "nothing is remembered"
        assert looked(session) == before
        session.run(b"BEGIN")
        session.run(change.encode())
        applied = looked(session)
        kept = change in (TOUCHING["update-the-same"], TOUCHING["locked"])
        assert (applied.data == before.data) == kept
        session.run(ends.split()[0].encode())
        after = looked(session)
        assert after.data == (before if ends == "ROLLBACK" else applied).data
        if "VACUUM" in ends:
            session.run(b"VACUUM")
            assert looked(session).data == applied.data
    inside.duplicate(server, name, fresh("remembered_copy"))
    with server.session("remembered_copy") as session:
        assert looked(session).data == after.data


@served
def test_above_a_number_of_rows_a_table_is_one_line_and_what_was_touched_is_listed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"{TABLE}\nCREATE TABLE public.many (k int PRIMARY KEY, v text);\nINSERT INTO"
    body += f" public.many SELECT g, 'x' FROM generate_series(1, {state.LISTED}) g;"
    change = "UPDATE public.many SET v = 'y' WHERE k = 7;\nDELETE FROM public.t;"
    answer = place.run(plain(body), change)
    assert (answer.code, answer.err) == (0, "")
    lines = (place.evidence() / "states/expected.jsonl").read_text("utf-8").splitlines()
    many = sorted(
        hashlib.sha256(struct.pack("!iIii", 1, 23, 4, k)).digest()
        + hashlib.sha256(struct.pack("!iIiiIi", 2, 23, 4, k, 25, 1) + b"x").digest()
        for k in range(1, state.LISTED + 1)
    )
    digest = hashlib.sha256(b"".join(many)).hexdigest()
    assert json.loads(lines[-2]) == ["rows", "public", "many", state.LISTED, digest]
    assert [line[:7] for line in lines if line.startswith('["row')] == ['["rows"'] * 2
    touched = json.loads((place.evidence() / "touched-rows.json").read_bytes())["legs"]
    assert [leg["step"] for leg in touched] == ["RX-3", "RX-4"]
    key = hashlib.sha256(struct.pack("!iIii", 1, 23, 4, 7)).hexdigest()
    told = [(word, table, one == key) for word, _, table, one, _ in touched[0]["rows"]]
    assert told == [
        ("came", "many", True),
        ("gone", "many", True),
        ("gone", "t", False),
    ] or told == [("gone", "many", True), ("came", "many", True), ("gone", "t", False)]
    assert touched[0]["rows"] == touched[1]["rows"]
    assert verify(place.root).code == 0


@served
@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)",
            "an operator has no line in a state: public.===(integer,integer)",
        ),
        ("CREATE PUBLICATION p", "a publication has no line in a state: p"),
        (
            "CREATE COLLATION public.c (provider = libc, locale = 'C')",
            "a collation has no line in a state: public.c",
        ),
    ],
)
def test_what_no_state_would_show_is_refused(
    server: servers.Server, fresh: Callable[[str], str], sql: str, problem: str
) -> None:
    name = fresh("odd")
    command(server, sql, name)
    with pytest.raises(state.NotCanonical) as caught:
        exported(server, name)
    assert str(caught.value) == problem


# --- isolation ---


@served
@pytest.mark.parametrize(
    ("options", "codes"),
    [
        pytest.param({}, [], id="as-it-is"),
        pytest.param(
            {"settings": {"listen_addresses": "127.0.0.1"}}, ["SERVER_LISTENS_TCP"], id="tcp"
        ),
        pytest.param({"environment": {"PGHOST": "db"}}, ["SERVER_ENVIRONMENT"], id="inherited"),
        pytest.param(
            {"settings": {"unix_socket_permissions": "0777"}}, ["SERVER_SOCKET"], id="socket"
        ),
    ],
)
def test_a_server_that_is_not_isolated_is_named_by_its_own_code(
    tmp_path: Path, options: dict[str, Any], codes: list[str]
) -> None:
    with servers.Server(str(tmp_path), servers.newest(), **options) as started:
        assert servers.problems(servers.observe(started)) == codes


@served
@pytest.mark.skipif(
    len(Path("/proc/net/route").read_text("ascii").splitlines()) < 2,
    reason="this machine has no route that a server could see",
)
def test_a_server_with_a_route_is_named_by_its_own_code(tmp_path: Path) -> None:
    with servers.Server(str(tmp_path), servers.newest(), network=True) as started:
        assert "SERVER_ROUTE" in servers.problems(servers.observe(started))


@served
def test_what_a_dump_runs_by_a_detour_stays_in_the_sandbox(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "escaped"
    body = f"""{TABLE}
DO $do$ BEGIN
  EXECUTE 'COPY (SELECT 1) TO PROG' || 'RAM ''touch {outside} /tmp/escaped''';
EXCEPTION WHEN others THEN NULL; END $do$;
CREATE TABLE public.seen AS SELECT
  (pg_stat_file('/tmp/escaped', true)).size IS NOT NULL AS inside,
  (pg_stat_file('{tmp_path}', true)).size IS NOT NULL AS outside,
  (pg_stat_file('/root', true)).size IS NOT NULL AS home;
DO $do$ BEGIN
  IF EXISTS (SELECT 1 FROM public.seen WHERE NOT inside OR outside OR home) THEN
    RAISE EXCEPTION 'seen: %', (SELECT s FROM public.seen s);
  END IF;
END $do$;
"""
    assert place.run(plain(body), "DELETE FROM public.t;")[::2] == (0, "")
    assert not outside.exists()
    place.assert_clean("sample")


@served
def test_no_link_that_a_dump_leaves_leads_out(place: Place, tmp_path: Path) -> None:
    # another server, for which the client could take it, and a file that is not the dump's to read
    with servers.Server(str(tmp_path), servers.newest()) as other:
        (tmp_path / "secret").write_text("error: a secret\n", "ascii")
        links = f"ln -sf {other.folder}/{servers.SOCKET} /server/{servers.SOCKET}"
        links += f"; ln -sf {tmp_path}/secret /server/log"
        body = f"""{TABLE}
DO $do$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROG' || 'RAM ''{links}'''; END $do$;
"""
        answer = place.run(plain(body), "DELETE FROM public.t;")
        with other.session("postgres") as session:
            databases = session.value(b"SELECT count(*) FROM pg_database")
    assert databases == "3"
    message = "something else stands in the place of the server's socket (REHEARSE-RUN)"
    assert_refused(place, answer, f"copy.dump: {message}")


@served
def test_a_dump_that_never_ends_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 2.0)
    body = f"{TABLE}\nSET statement_timeout = 0;\nSELECT pg_sleep(600);"
    answer = place.run(plain(body), "DELETE FROM public.t;")
    assert_refused(place, answer, "copy.dump: not done after 2 seconds (REHEARSE-TIME)")


# --- refused ---


BAD_DUMPS = {
    "meta-shell": (r"\! touch /tmp/x", "DUMP-META", r"\! is a command of psql; only SQL is run"),
    "meta-include": (r"\i /etc/passwd", "DUMP-META", r"\i is a command of psql; only SQL is run"),
    "meta-connect": (
        r"\connect other",
        "DUMP-META",
        r"\connect is a command of psql; only SQL is run",
    ),
    "meta-copy": (
        r"\copy t from program 'id'",
        "DUMP-META",
        r"\copy is a command of psql; only SQL is run",
    ),
    "meta-in-the-line": (
        r"SELECT 1 \gexec",
        "DUMP-META",
        r"\gexec is a command of psql; only SQL is run",
    ),
    "strings": (
        "SET standard_conforming_strings = off;",
        "DUMP-META",
        "standard_conforming_strings must be on, or texts end elsewhere",
    ),
    "program": (
        "COPY public.t FROM PROGRAM 'id';",
        "DUMP-PROGRAM",
        "COPY with PROGRAM reaches out of the database",
    ),
    "program-of-a-table-named-stdin": (
        "COPY stdin TO PROGRAM 'id';",
        "DUMP-PROGRAM",
        "COPY with PROGRAM reaches out of the database",
    ),
    "file": (
        "COPY (SELECT 1) TO '/tmp/x';",
        "DUMP-PROGRAM",
        "COPY with a file of the server reaches out of the database",
    ),
    "load": ("LOAD 'plpgsql';", "DUMP-PROGRAM", "LOAD takes a program from a file"),
    "role": (
        "CREATE ROLE x SUPERUSER;",
        "DUMP-ROLE",
        "CREATE ROLE changes the whole server, which no snapshot of a database holds",
    ),
    "role-behind-a-comment": (
        "/* a /* b */ ; */ create -- x\nuser x;",
        "DUMP-ROLE",
        "CREATE USER changes the whole server, which no snapshot of a database holds",
    ),
    "system": (
        "ALTER SYSTEM SET fsync = off;",
        "DUMP-ROLE",
        "ALTER SYSTEM changes the whole server",
    ),
    "server": (
        "CREATE SERVER s FOREIGN DATA WRAPPER w;",
        "DUMP-REACH",
        "CREATE SERVER reaches another server",
    ),
    "foreign-table": (
        "CREATE FOREIGN TABLE f (a int) SERVER s;",
        "DUMP-REACH",
        "CREATE FOREIGN reaches another server",
    ),
    "mapping": (
        "CREATE USER MAPPING FOR x SERVER s;",
        "DUMP-REACH",
        "USER MAPPING is for another server",
    ),
    "subscription": (
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p;",
        "DUMP-REACH",
        "CREATE SUBSCRIPTION reaches another server",
    ),
    "open-text": ("SELECT 'x;", "SYNTAX", "a quoted text has no end"),
    "open-comment": ("/* x", "SYNTAX", "a comment has no end"),
}


@served
@pytest.mark.parametrize(("body", "code", "problem"), BAD_DUMPS.values(), ids=BAD_DUMPS.keys())
def test_a_dump_with_what_has_no_place_in_it_is_refused_before_anything_runs(
    place: Place, monkeypatch: pytest.MonkeyPatch, body: str, code: str, problem: str
) -> None:
    # no server starts: there is no such setting
    monkeypatch.setitem(servers.SERVER_SETTINGS, "no_such_setting", "1")
    answer = place.run(plain(f"{TABLE}\n{body}\n"), "DELETE FROM public.t;")
    assert_refused(place, answer, f"copy.dump:12: {problem} (REHEARSE-{code})")


@served
def test_the_key_that_pg_dump_puts_around_a_dump_is_no_command(place: Place) -> None:
    dump = plain(f"{TABLE}\n\\unrestrict aB3\n", restrict="\\restrict aB3\n")
    assert place.run(dump, "DELETE FROM public.t;")[::2] == (0, "")


@served
@pytest.mark.parametrize(
    ("data", "code", "problem"),
    [
        (b"", "FORM", "no dump that pg_dump writes"),
        (b"CREATE TABLE t (a int);\n", "FORM", "no dump that pg_dump writes"),
        (b"SQLite format 3\0", "FORM", "no dump that pg_dump writes"),
        (b"-----BEGIN PGP MESSAGE-----\n", "FORM", "encrypted; decrypt it first"),
        (b"Salted__12345678", "FORM", "encrypted; decrypt it first"),
        (b"age-encryption.org/v1\n", "FORM", "encrypted; decrypt it first"),
        (b"\x8c\x0d\x04\x09", "FORM", "encrypted; decrypt it first"),
        (
            b"--\n-- PostgreSQL database cluster dump\n--\n",
            "ROLE",
            "a dump of a whole cluster, by pg_dumpall; dump one database, with pg_dump",
        ),
        (
            gzip.compress(plain(TABLE))[:-9],
            "TRUNCATED",
            "truncated, or damaged: gzip cannot read it to its end",
        ),
    ],
)
def test_a_file_that_is_no_whole_dump_is_refused(
    place: Place, data: bytes, code: str, problem: str
) -> None:
    answer = place.run(data, "DELETE FROM public.t;")
    at = "copy.dump:1" if code == "ROLE" else "copy.dump"
    assert_refused(place, answer, f"{at}: {problem} (REHEARSE-DUMP-{code})")


@served
def test_a_dump_of_a_newer_version_is_refused(place: Place) -> None:
    dump = plain(TABLE).replace(b"database version 15.1", b"database version 99.2")
    here = servers.newest()
    message = (
        f"copy.dump: made by PostgreSQL 99, the server here is {here}; install postgresql-99"
        " (REHEARSE-DUMP-VERSION)"
    )
    assert_refused(place, place.run(dump, "DELETE FROM public.t;"), message)


@served
@pytest.mark.parametrize("form", ["plain", "custom", "tar", "directory"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_dump_is_refused_in_each_form(
    place: Place, dumped: dict[str, Path], form: str, part: float
) -> None:
    cut = place.path / "cut.dump"
    if form == "directory":
        shutil.copytree(dumped[form], cut)
        data = sorted(cut.glob("*.dat.gz"))[0]
        if part < 0.5:
            data.unlink()
        else:
            data.write_bytes(data.read_bytes()[:-9])
    else:
        whole = dumped[form].read_bytes()
        cut.write_bytes(whole[: int(len(whole) * part)])
    answer = place.run(cut, CHANGE)
    assert (answer.code, answer.out, answer.err.count("\n")) == (3, "", 1)
    assert re.fullmatch(
        r"lanebook: cut\.dump(:\d+)?: .+ \(REHEARSE-DUMP-TRUNCATED\)\n", answer.err
    ), answer.err
    place.assert_clean()


@served
def test_what_reads_a_dump_is_heard_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "_PATIENCE", 20)
    (tmp_path / "copy.dump").write_bytes(b"")
    shell = ["/bin/sh", "-c", "head -c 3000000 /dev/zero >&2; echo done"]
    found: list[bytes] = []
    code, said = dumps._sandboxed(shell, str(tmp_path / "copy.dump"), found.append)
    assert (code, b"".join(found), said) == (0, b"done\n", "\0" * (1 << 20))


@served
def test_an_interrupt_ends_what_reads_a_dump(tmp_path: Path) -> None:
    (tmp_path / "copy.dump").write_bytes(b"")
    with pytest.raises(TimeoutError), within(1):
        dumps._sandboxed(["/bin/sleep", "600"], str(tmp_path / "copy.dump"), print)
    assert processes(str(tmp_path)) == []


@served
def test_an_extension_without_its_files_is_named(place: Place) -> None:
    answer = place.run(plain("CREATE EXTENSION nowhere;"), "SELECT 1;")
    message = 'copy.dump:10: extension "nowhere" is not available (REHEARSE-DUMP-EXTENSION)'
    assert_refused(place, answer, message)


BAD_CHANGES = {
    "system": (
        "ALTER SYSTEM SET work_mem = 1;",
        "NO-ROLLBACK",
        "ALTER SYSTEM is taken back by no ROLLBACK, and no snapshot of a database holds it",
    ),
    "database": (
        "CREATE DATABASE x;",
        "NO-ROLLBACK",
        "CREATE DATABASE is taken back by no ROLLBACK, and no snapshot of a database holds it",
    ),
    "role": (
        "ALTER ROLE postgres NOLOGIN;",
        "DUMP-ROLE",
        "ALTER ROLE changes the whole server, which no snapshot of a database holds",
    ),
    "membership": (
        "GRANT pg_monitor TO postgres;",
        "DUMP-ROLE",
        "GRANT of a role, or on the whole server: no state of a database shows it",
    ),
    "grant-on-the-database": (
        "REVOKE ALL ON DATABASE clone FROM PUBLIC;",
        "DUMP-ROLE",
        "REVOKE of a role, or on the whole server: no state of a database shows it",
    ),
    "comment-on-a-role": (
        "COMMENT ON ROLE postgres IS 'x';",
        "DUMP-ROLE",
        "COMMENT of a role, or on the whole server: no state of a database shows it",
    ),
    "commit": (
        "DELETE FROM public.t;\nCOMMIT;",
        "TRANSACTION",
        "COMMIT: the rehearsal begins and ends the transaction itself",
    ),
    "meta": (r"\! id", "DUMP-META", r"\! is a command of psql; only SQL is run"),
    "stdin": (
        "COPY public.t FROM STDIN;\n1\tx\n\\.\n",
        "SYNTAX",
        "COPY ... FROM STDIN has no rows here; write INSERT",
    ),
    "comment-in-a-comment": (
        "/* a /* b */ c */ DELETE FROM public.t;",
        "SYNTAX",
        "a comment in a comment, which the log of what ran cannot be held against",
    ),
    "syntax": ("DELETE\nFROM public.t\nWHERE;", "SYNTAX", 'syntax error at or near ";"'),
    "fails": (
        "DELETE FROM public.t;\nDELETE FROM\npublic.none;",
        "CHANGE",
        'relation "public.none" does not exist',
    ),
    "clock": (
        "UPDATE public.t SET v = CURRENT_DATE::text;",
        "UNSTABLE",
        "uses current_date, which gives something else each time",
    ),
}
LINES = {"commit": 2, "syntax": 3, "fails": 3}


@served
@pytest.mark.parametrize("name", BAD_CHANGES)
def test_a_change_that_cannot_be_rehearsed_is_refused(place: Place, name: str) -> None:
    change, code, problem = BAD_CHANGES[name]
    line = LINES.get(name, 1)
    assert_refused(
        place,
        place.run(plain(TABLE), change),
        f"change.sql:{line}: {problem} (REHEARSE-{code})",
    )


@served
@pytest.mark.parametrize(
    ("change", "code", "problem"),
    [
        ("UPDATE public.t SET v = v;", "NO-CHANGE", "changes nothing on the clone"),
        ("VACUUM (FULL) public.t;", "NO-CHANGE", "changes nothing on the clone"),
        (
            "DO $$ BEGIN UPDATE public.t SET v = clock_timestamp()::text; END $$;",
            "UNSTABLE",
            "applied twice, it gives two states",
        ),
    ],
)
def test_a_change_that_proves_nothing_is_refused(
    place: Place, change: str, code: str, problem: str
) -> None:
    message = f"change.sql: {problem} (REHEARSE-{code})"
    assert_refused(place, place.run(plain(TABLE), change), message)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["--engine", "postgres", "--database", "x"],
            "--engine postgres: give a dump; no server is ever connected to",
        ),
        (["--dump", "x", "--keep-dump"], "--keep-dump: only with --engine postgres"),
    ],
)
def test_what_cannot_be_asked_for_is_wrong_usage(
    place: Place, arguments: list[str], problem: str
) -> None:
    answer = run("rehearse", "sample", "--root", place.root, "--change", "c.sql", *arguments)
    assert answer == Answer(2, "", f"lanebook: {problem}\n")


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [("BINARIES", "/nowhere", "postgresql"), ("BWRAP", ("/nowhere",), "bubblewrap")],
)
def test_a_missing_program_is_named_with_its_package(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str, value: object, package: str
) -> None:
    if name == "BWRAP" and WHY_NOT:
        pytest.skip(WHY_NOT)
    monkeypatch.setattr(servers, name, value)
    answer = place.run(plain(TABLE), "DELETE FROM public.t;")
    what = "PostgreSQL's server" if package == "postgresql" else "bubblewrap"
    message = f"{what} is not installed; on Debian: apt-get install {package} (REHEARSE-NO-SERVER)"
    assert_refused(place, answer, f"copy.dump: {message}")


@served
@pytest.mark.parametrize("room", [20_000_000, 60_000_000])
def test_a_full_disk_is_named(place: Place, room: int) -> None:
    small = place.path / "small"
    small.mkdir()
    (place.path / "copy.dump").write_bytes(plain(TABLE))
    (place.path / "change.sql").write_text("DELETE FROM public.t;", "utf-8")
    box: list[str | Path] = [
        servers.sandboxed([])[0],
        "--dev-bind",
        "/",
        "/",
        "--size",
        str(room),
        "--tmpfs",
        small,
    ]
    if subprocess.run([*box, "--", *servers.sandboxed([]), "--", "true"], timeout=60).returncode:
        pytest.skip("no sandbox in a sandbox here")
    asked: list[str | Path] = [
        *(*box, "--setenv", "TMPDIR", small, "--", sys.executable, "-m", "generator"),
        *("rehearse", "sample", "--root", place.root, "--engine", "postgres"),
        *("--dump", place.path / "copy.dump", "--change", place.path / "change.sql"),
    ]
    for path in place.stated(STATED, REQUIRED):
        asked += [f"--{path.stem}", path]
    done = subprocess.run(
        asked,
        cwd=REPOSITORY,
        capture_output=True,
        timeout=TIME_LIMIT,
        text=True,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(
        r"lanebook: copy\.dump: .*(No space left on device|wrote only .*) \(REHEARSE-SPACE\)\n",
        done.stderr,
    ), done.stderr
    place.assert_clean()


# --- killed ---

_KILLED = """
import sys
from dataclasses import replace
from pathlib import Path
from generator.rehearse.run import Wanted, rehearse

root, dump, change, stated, needed = map(Path, sys.argv[1:])
wanted = Wanted(lane="sample", root=root, dump=dump, change=change, engine="postgres")
rehearse(replace(wanted, provenance=stated, requirements=needed))
"""


def gone(folder: Path) -> bool:
    """Tell whether there is no socket, or nobody behind it; not yet where one is just dying."""
    try:
        servers.Session(str(folder), "postgres", {}).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return True
    except (ConnectionResetError, servers.Refusal):
        return False
    return False


@served
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("trial/server/data/PG_VERSION", id="while a folder is made"),
        pytest.param("trial/server/.s.PGSQL.5432", id="with the server of the trial"),
        pytest.param("lanebook-rehearsal.*/server/.s.PGSQL.5432", id="with that of the packet"),
        *(pytest.param(seed, id=f"at random {seed}") for seed in range(3)),
    ],
)
def test_a_killed_rehearsal_leaves_no_server_and_the_next_removes_the_rest(
    place: Place, moment: str | int
) -> None:
    dump, change = place.path / "copy.dump", place.path / "change.sql"
    dump.write_bytes(plain(TABLE))
    change.write_text("DELETE FROM public.t;", "utf-8")
    stated, needed = place.stated(STATED, REQUIRED)
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, place.root, dump, change, stated, needed],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(place.temporary)},
    )
    end = time.monotonic() + TIME_LIMIT
    if isinstance(moment, int):
        # a rehearsal takes some seconds, however fast the machine is: it starts ten servers
        time.sleep(random.Random(moment).uniform(0.3, 3))
    while (
        isinstance(moment, str)
        and process.poll() is None
        and not any(place.temporary.glob(f"{CLONES}*/{moment}"))
    ):
        assert time.monotonic() < end
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(TIME_LIMIT) == -signal.SIGKILL, "it was faster than the test"
    while processes(str(place.temporary)):
        assert time.monotonic() < end, "something outlives it"
        time.sleep(0.02)
    for folder in place.temporary.glob(f"{CLONES}*/**/server"):
        while not gone(folder):
            assert time.monotonic() < end, "a server outlives it"
            time.sleep(0.02)

    assert place.run(plain(TABLE), "DELETE FROM public.t;")[::2] == (0, "")
    place.assert_clean("sample")


# --- small parts ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" ;; -- a\n", []),
        ("a;b", [(1, "a;"), (1, "b")]),
        ("a ';' \"x;\" -- ;\n/* ; */;", [(1, "a ';' \"x;\" -- ;\n/* ; */;")]),
        ("'it''s;';b", [(1, "'it''s;';"), (1, "b")]),
        (r"E'a\';';b", [(1, r"E'a\';';"), (1, "b")]),
        (r"'a\';b", [(1, r"'a\';"), (1, "b")]),
        ("$$ ; $a$ ; $$;b", [(1, "$$ ; $a$ ; $$;"), (1, "b")]),
        ("$a$ ; $$ ; $a$;b", [(1, "$a$ ; $$ ; $a$;"), (1, "b")]),
        ("x$a$b;c", [(1, "x$a$b;"), (1, "c")]),
        (
            "CREATE RULE r AS ON x DO (a; b);\nc;",
            [(1, "CREATE RULE r AS ON x DO (a; b);"), (2, "c;")],
        ),
        (
            "CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC\nSELECT CASE 1 END;\nEND;\nb;",
            [
                (1, "CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC\nSELECT CASE 1 END;\nEND;"),
                (4, "b;"),
            ],
        ),
        ("BEGIN;\na;\nEND;", [(1, "BEGIN;"), (2, "a;"), (3, "END;")]),
        ("/* a\n*/ -- b\nc;", [(3, "c;")]),
        ("\ufeffa;", [(1, "a;")]),
    ],
)
def test_scripts_are_split_as_psql_does(text: str, found: list[tuple[int, str]]) -> None:
    split = script.statements(text.encode(), dump=False)
    assert [(one.line, one.text.decode()) for one in split] == found


@pytest.mark.parametrize("text", [b"SELECT E'%s';", b"SELECT E'%s\\", b"-- %s\nSELECT 1;"])
@pytest.mark.parametrize("piece", [b"x", b"''", b"\\n", b"\n-- x", b" "])
def test_a_long_text_is_not_held_many_times_over(text: bytes, piece: bytes) -> None:
    long = text % (piece * 200_000)
    tracemalloc.start()
    try:
        with contextlib.suppress(script.Problem):
            assert len(list(script.statements(long, dump=True))) == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(long) + 100_000


def test_the_rows_of_a_copy_are_no_statements() -> None:
    text = b"a;\nCOPY t (from_, program) FROM stdin;\n1;\\\\.\tx\n\\.x\n'\n\\.\n\nb;"
    found = list(script.statements(text, dump=True))
    assert [one.text for one in found] == [b"a;", b"COPY t (from_, program) FROM stdin;", b"b;"]
    assert found[1].data is not None
    assert text[slice(*found[1].data)] == b"1;\\\\.\tx\n\\.x\n'\n"


PIECE = st.sampled_from(
    [
        "a",
        "'x;y'",
        '"q;"',
        "$$;$$",
        "$t$;$$;$t$",
        "/* ; /* */ */",
        "-- ;\n",
        "(b; c)",
        "E'\\';'",
        " ",
        "\n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(PIECE, max_size=6), max_size=5))
def test_statements_put_together_come_apart_again(parts: list[list[str]]) -> None:
    made = ["s " + " ".join(pieces) + ";" for pieces in parts]
    split = script.statements("\n".join(made).encode(), dump=True)
    assert [one.text.decode() for one in split] == made


def test_the_validator_in_the_packet_holds_its_own_selftest(tmp_path: Path) -> None:
    path = tmp_path / programs.VALIDATOR
    path.write_bytes(programs.program(programs.VALIDATOR))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", path, "selftest"],
        stdout=subprocess.PIPE,
        timeout=TIME_LIMIT,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0], len(lines)) == (0, "good proof: no code", 10)


def test_the_packets_programs_know_no_lanebook(tmp_path: Path) -> None:
    for name in programs.PROGRAMS:
        (tmp_path / name).write_bytes(programs.program(name))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", tmp_path / "rehearse.py", "manifest"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        timeout=TIME_LIMIT,
        text=True,
    )
    listed = [line[66:] for line in done.stdout.splitlines()]
    assert (done.returncode, listed) == (0, sorted(programs.PROGRAMS))
