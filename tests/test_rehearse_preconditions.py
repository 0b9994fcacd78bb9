"""What has to hold before a rehearsal on PostgreSQL, and the lane that is left if it does not."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.evidence.secret_scan import may_hold_text
from generator.leaks import streams
from generator.rehearse import secrets
from generator.rehearse.inside.postgres import catalog, gates
from generator.rehearse.inside.postgres import server as servers
from generator.sealing import seal
from tests.folders import Answer, content, run, verify
from tests.rehearse_support import assert_refused, make_place
from tests.test_rehearse_postgres import BLOCKED, LEG, REQUIRED, STATED, TABLE, Place, plain, served

CHANGE = "DELETE FROM public.t;"
TOKEN = "ghp_" + "a1B2" * 9
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
NEXT = "nothing was rehearsed; operator-input-request.md of the lane says what is asked for"
HELD_FILES = {
    "HASH_MANIFEST.txt",
    "bad-input-probes.json",
    "clone-provenance.json",
    "packet_tree.sha256",
    "plan.json",
    "rehearsal-preconditions.json",
    "secret-scan.json",
    "server-isolation.json",
}
CATALOG_FILES = {"schema-catalog.jsonl", "schema-compatibility.json"}


@pytest.fixture
def place(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    yield from make_place(Place, tmp_path_factory, monkeypatch)


def evidence(place: Place, name: str) -> Any:
    return json.loads((place.evidence() / name).read_bytes())


def report(place: Place) -> Any:
    return json.loads((place.root / "packets/sample/report.json").read_bytes())


def assert_not_applied(place: Place, answer: Answer, *codes: str) -> None:
    """Nothing was rehearsed, for these reasons; the lane says so, and verifies."""
    assert (answer.code, answer.out.split("\n")[2]) == (3, "SAMPLE_REHEARSAL_NOT_APPLIED")
    lines = answer.err.splitlines()
    assert [line.split(": ")[1] for line in lines[:-1]] == list(codes)
    assert lines[-1] == f"lanebook: {NEXT}"
    place.assert_clean("sample")
    summary = evidence(place, gates.SUMMARY)
    assert [item["code"] for item in summary["request"]] == list(codes)
    assert summary["verdict"] == "NOT_APPLIED"
    verified = verify(place.root)
    (lane,) = verified.object["lanes"]
    assert (verified.code, lane["findings"], lane["errors"]) == (0, [], [])
    asked = (place.root / "packets/sample/operator-input-request.md").read_text("utf-8")
    for item in summary["request"]:
        for key in ("code", "form", "check"):
            assert item[key] in asked
    assert report(place)["workstream_C_rehearsal"]["performed"] is False
    assert report(place)["workstream_F_decision_packet"]["selected"] is None


def states(place: Place) -> dict[str, str]:
    found = evidence(place, gates.SUMMARY)["preconditions"]
    return {one["evidence"].removesuffix(".json"): one["state"] for one in found}


# --- all hold ---


@served
def test_a_lane_that_was_rehearsed_says_where_its_dump_is_from_and_that_it_will_do(
    place: Place,
) -> None:
    stated = (
        STATED + "taken: '2026-11-24'\ncandidates: [{id: nightly, rejected_because: too old}]\n"
    )
    answer = place.run(plain(TABLE), CHANGE, "--keep-dump", provenance=stated)
    assert (answer.code, answer.err) == (0, "")
    dump = evidence(place, "plan.json")["dump"]
    forbidden = "FORBIDDEN: never contacted"
    assert evidence(place, gates.PROVENANCE) == {
        "lane": "sample",
        "candidate_count": 5,
        "rejected_count": 4,
        "candidates": [
            {"id": "temp-postgresql-clone", "selected": True},
            {"id": "nightly", "selected": False, "rejected_because": "too old"},
            *(
                {"id": name, "selected": False, "rejected_because": forbidden}
                for name in (
                    *("production-database", "production-directus"),
                    "production-birth-surface",
                )
            ),
        ],
        "selected": "temp-postgresql-clone",
        "dump": {key: dump[key] for key in ("sha256", "size", "form")},
        "stated": {
            "source": "a copy of the staging registry",
            "stated_by": "operations",
            "taken": "2026-11-24",
        },
        "source": {"file": "source.dump", "sha256": dump["sha256"]},
        "verdict": "SAFE_CLONE_SELECTED",
    }
    assert evidence(place, gates.SUMMARY) == {
        "lane": "sample",
        "preconditions": [
            {"evidence": name, "state": "HOLDS", "codes": []}
            for name in (gates.PROVENANCE, gates.ISOLATION, gates.SCAN, gates.SCHEMA)
        ],
        "verdict": "READY",
        "request": [],
    }
    (lane,) = verify(place.root).object["lanes"]
    assert lane["findings"] == []
    # what the operator says is never more than a claim, and a dump that is here is hashed again
    known = {one["where"].removeprefix("evidence/"): one["level"] for one in lane["claims"]}
    words = [level for where, level in known.items() if f"{gates.PROVENANCE}#/stated/" in where]
    assert words == ["claimed only"] * 3
    assert known[f"{gates.PROVENANCE}#/source/sha256"] == "recomputed"
    assert known[f"{gates.SCAN}#/scripts/0/found"] == "recomputed"
    assert known[f"{gates.SCAN}#/columns/0/found"] == "claimed only"
    assert gates.SCAN in (place.evidence() / "inputs.txt").read_text("ascii").splitlines()
    assert place.rerun() == (0, "OVERALL PASS\nPACKET_TREE MATCH\n")
    told = report(place)
    assert told["workstream_A_clone_provenance"]["verdict"] == "SAFE_CLONE_SELECTED"
    assert told["workstream_A_secret_scan"]["verdict"] == "NO_SECRET_FOUND"
    assert told["workstream_B_schema_compatibility"]["verdict"] == "COMPATIBLE"
    checkpoint = (place.root / "packets/sample/checkpoint.md").read_text("utf-8")
    assert "| no secret | HOLDS | `secret-scan.json` |" in checkpoint


@served
@pytest.mark.parametrize(
    ("name", "steps", "value", "code"),
    [
        (gates.PROVENANCE, ("stated",), None, "CLONE_NOT_STATED"),
        (gates.PROVENANCE, ("dump", "sha256"), "0" * 64, "CLONE_SOURCE_DIFFERS"),
        (gates.SCAN, ("columns", 0, "found"), {"LEAK-KEY": 1}, "SECRET_SCAN_COUNT_WRONG"),
        (gates.SCAN, ("columns",), [], "SECRET_SCAN_COLUMN"),
        (gates.SCAN, ("scripts", 0, "found"), {"LEAK-KEY": 1}, "SECRET_SCAN_DIFFERS"),
        (gates.SCAN, ("dump_sha256",), "0" * 64, "SECRET_SCAN_DUMP_DIFFERS"),
        (gates.SCHEMA, ("entities", 0, "types", "id"), "text", "SCHEMA_ENTITY_DIFFERS"),
        (gates.SCHEMA, ("verdict",), "INCOMPATIBLE", "SCHEMA_INCOMPATIBLE"),
        (gates.SUMMARY, ("preconditions", 2), None, "PRECONDITION_MISSING"),
        (gates.SUMMARY, ("verdict",), "NOT_APPLIED", "PRECONDITION_VERDICT"),
    ],
)
def test_who_edits_what_was_looked_at_and_mends_the_hashes_is_found_out(
    place: Place, name: str, steps: tuple[str | int, ...], value: object, code: str
) -> None:
    assert place.run(plain(TABLE), CHANGE, "--keep-dump").code == 0
    found = evidence(place, name)
    holder = found
    for step in steps[:-1]:
        holder = holder[step]
    if value is None:
        del holder[steps[-1]]
    else:
        holder[steps[-1]] = value
    (place.evidence() / name).write_text(json.dumps(found), "utf-8")
    seal(place.root / "packets/sample", again=True)
    assert code in verify(place.root).codes


@served
@pytest.mark.parametrize("name", [gates.SCAN, gates.PROVENANCE, gates.SCHEMA, gates.SUMMARY])
def test_no_evidence_of_a_precondition_can_be_taken_away(place: Place, name: str) -> None:
    assert place.run(plain(TABLE), CHANGE).code == 0
    (place.evidence() / name).unlink()
    seal(place.root / "packets/sample", again=True)
    answer = verify(place.root)
    assert answer.code == 1
    assert "EV-MISSING" in answer.codes


# --- provenance ---


@served
def test_a_dump_of_which_nobody_says_where_it_is_from_is_not_rehearsed_on(place: Place) -> None:
    answer = place.run(plain(TABLE), CHANGE, "--keep-dump", provenance=None)
    assert_not_applied(place, answer, "CLONE_NOT_STATED")
    assert {path.name for path in place.evidence().iterdir()} == HELD_FILES | CATALOG_FILES
    assert states(place) == {
        "clone-provenance": "FAILS",
        "server-isolation": "HOLDS",
        "secret-scan": "HOLDS",
        "schema-compatibility": "HOLDS",
    }
    assert evidence(place, gates.PROVENANCE)["candidates"][0] == {
        "id": "operator-dump",
        "selected": False,
        "rejected_because": "CLONE_NOT_STATED",
    }


@served
def test_another_dump_than_the_stated_one_is_not_rehearsed_on(place: Place) -> None:
    answer = place.run(plain(TABLE), CHANGE, provenance=f"{STATED}sha256: '{'0' * 64}'\n")
    assert_not_applied(place, answer, "CLONE_SOURCE_DIFFERS")
    digest = evidence(place, "plan.json")["dump"]["sha256"]
    answer = place.run(plain(TABLE), CHANGE, provenance=f"{STATED}sha256: {digest}\n", lane="other")
    assert (answer.code, answer.err) == (0, "")


# --- isolation ---


@served
@pytest.mark.parametrize(
    ("patch", "codes"),
    [
        pytest.param(
            lambda patch: patch.setitem(servers.SERVER_SETTINGS, "listen_addresses", "127.0.0.1"),
            ["SERVER_LISTENS_TCP"],
            id="tcp",
        ),
        pytest.param(
            lambda patch: patch.setattr(
                servers, "_ENTRY", "PGHOST=db; export PGHOST\n" + servers._ENTRY
            ),
            ["SERVER_ENVIRONMENT"],
            id="inherited",
        ),
        pytest.param(
            lambda patch: patch.setattr(
                servers.Server.__init__,
                "__kwdefaults__",
                {"settings": None, "environment": None, "network": True},
            ),
            [],
            id="route",
            marks=pytest.mark.skipif(
                len(Path("/proc/net/route").read_text("ascii").splitlines()) < 2,
                reason="this machine has no route that a server could see",
            ),
        ),
    ],
)
def test_nothing_of_a_dump_is_restored_on_a_server_that_is_not_isolated(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    patch: Callable[[pytest.MonkeyPatch], None],
    codes: list[str],
) -> None:
    patch(monkeypatch)
    # a dump that says so if it is restored
    body = f"{TABLE}\nDO $do$ BEGIN RAISE EXCEPTION 'restored'; END $do$;"
    answer = place.run(plain(body), CHANGE)
    if not codes:
        # who shares the network of a machine may see more of it than a route
        codes = evidence(place, gates.ISOLATION)["problems"]
        assert "SERVER_ROUTE" in codes
    assert_not_applied(place, answer, *codes)
    assert states(place) == {
        "clone-provenance": "HOLDS",
        "server-isolation": "FAILS",
        "secret-scan": "NOT_RUN",
        "schema-compatibility": "NOT_RUN",
    }
    assert evidence(place, gates.ISOLATION)["verdict"] == "NOT_ISOLATED"
    assert evidence(place, gates.SCAN)["verdict"] == "NOT_SCANNED"


@served
def test_a_lane_that_was_not_isolated_cannot_say_that_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.SERVER_SETTINGS, "listen_addresses", "127.0.0.1")
    place.run(plain(TABLE), CHANGE)
    summary = evidence(place, gates.SUMMARY)
    summary["preconditions"][1] |= {"state": "HOLDS", "codes": []}
    summary |= {"verdict": "READY", "request": []}
    (place.evidence() / gates.SUMMARY).write_text(json.dumps(summary), "utf-8")
    seal(place.root / "packets/sample", again=True)
    assert "PRECONDITION_DIFFERS" in verify(place.root).codes


# --- secrets ---

COLUMNS = {
    "text": ("text", f"'{TOKEN}'"),
    "varchar": ("varchar(90)", f"'{TOKEN}'"),
    "char": ("char(90)", f"'{TOKEN}'"),
    "name": ("name", f"'{TOKEN}'"),
    "json": ("json", f"""'{{"a": ["{TOKEN}"]}}'"""),
    "jsonb": ("jsonb", f"""'{{"a": ["{TOKEN}"]}}'"""),
    "xml": ("xml", f"'<a b=\"{TOKEN}\"/>'"),
    "text[]": ("text[]", f"ARRAY['x', '{TOKEN}']"),
    "varchar[][]": ("varchar[]", f"ARRAY[ARRAY['x', '{TOKEN}']]"),
    "bytea": ("bytea", f"'{TOKEN}'"),
    "bytea-wide": ("bytea", "'\\x" + TOKEN.encode("utf-16-le").hex() + "'"),
    "domain": ("public.said", f"'{TOKEN}'"),
    "composite": ("public.pair", f"ROW(1, '{TOKEN}')"),
    "enum": ("public.word", f"'{TOKEN}'"),
    "tsvector": ("tsvector", f"'{TOKEN}'"),
    "long": ("text", f"repeat('word ', 120000) || '{TOKEN}' || repeat(' word', 900000)"),
    "long-bytea": ("bytea", f"convert_to(repeat('word ', 900000) || '{TOKEN}', 'UTF8')"),
}
TYPES = (
    f"CREATE DOMAIN public.said AS text; CREATE TYPE public.pair AS (a int, b text);"
    f" CREATE TYPE public.word AS ENUM ('x', '{TOKEN}');"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.Server(str(tmp_path_factory.mktemp("server")), servers.newest()) as started:
        with started.session("postgres") as session:
            session.run(b"CREATE DATABASE src TEMPLATE template0")
        with started.session("src") as session:
            session.run(TYPES.encode())
        yield started


def scanned(server: servers.Server) -> dict[str, tuple[int, dict[str, int]]]:
    """Return of each column how many cells it has, and what is found in how many of them."""
    with server.session("src") as session:
        lines = catalog.read(lambda sql: session.quiet(sql.encode()).rows)
        found = secrets.scan([], session, lines)
    return {
        f"{one['schema']}.{one['table']}.{one['column']}": (one["cells"], one["found"])
        for one in found["columns"]
    }


@served
@pytest.mark.parametrize("name", COLUMNS)
def test_a_secret_is_found_in_a_column_of_every_type(server: servers.Server, name: str) -> None:
    kind, value = COLUMNS[name]
    with server.session("src") as session:
        session.run(f"CREATE TABLE public.t (id int, v {kind}); ".encode())
        session.run(f"INSERT INTO public.t VALUES (1, NULL), (2, {value}), (3, {value})".encode())
    try:
        assert scanned(server) == {"public.t.v": (2, {"LEAK-TOKEN": 2})}
    finally:
        with server.session("src") as session:
            session.run(b"DROP TABLE public.t")


@served
def test_what_is_not_a_column_of_a_table_is_looked_through_too(server: servers.Server) -> None:
    made = f"""CREATE TABLE public.parts (k int, v text) PARTITION BY LIST (k);
CREATE TABLE public.part1 PARTITION OF public.parts FOR VALUES IN (1);
INSERT INTO public.parts VALUES (1, '{TOKEN}');
CREATE VIEW public.seen AS SELECT v FROM public.parts;
CREATE MATERIALIZED VIEW public.kept AS SELECT k, v || '' AS v FROM public.parts;
CREATE MATERIALIZED VIEW public.empty AS SELECT v FROM public.parts WITH NO DATA;
CREATE TABLE public."odd "".name" ("a, b" text, n numeric(9,2));
INSERT INTO public."odd "".name" VALUES ('{TOKEN}', 1);
SELECT lo_from_bytea(4711, convert_to(repeat('word ', 900000) || '{TOKEN}', 'UTF8'));
SELECT lo_from_bytea(4712, 'nothing');"""
    with server.session("src") as session:
        session.run(made.encode())
    try:
        assert scanned(server) == {
            "public.part1.v": (1, {"LEAK-TOKEN": 1}),
            "public.kept.v": (1, {"LEAK-TOKEN": 1}),
            "public.empty.v": (0, {}),
            'public.odd ".name.a, b': (1, {"LEAK-TOKEN": 1}),
            "pg_catalog.pg_largeobject.data": (2, {"LEAK-TOKEN": 1}),
        }
    finally:
        with server.session("src") as session:
            session.run(
                b'DROP TABLE public.parts, public."odd "".name" CASCADE;'
                b"SELECT lo_unlink(4711), lo_unlink(4712)"
            )


@served
def test_no_cast_of_the_dump_runs_while_it_is_looked_through(server: servers.Server) -> None:
    made = f"""CREATE TYPE public.odd AS (a text);
CREATE FUNCTION public.hide(public.odd) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE CAST (public.odd AS text) WITH FUNCTION public.hide(public.odd) AS IMPLICIT;
CREATE TABLE public.t (v public.odd); INSERT INTO public.t VALUES (ROW('{TOKEN}'));"""
    with server.session("src") as session:
        session.run(made.encode())
    try:
        assert scanned(server) == {"public.t.v": (1, {"LEAK-TOKEN": 1})}
    finally:
        with server.session("src") as session:
            session.run(b"DROP TYPE public.odd CASCADE; DROP TABLE public.t")


@served
def test_many_rows_are_counted_by_column_and_held_in_little_memory(
    server: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "WINDOW", 4096)
    made = f"""CREATE TABLE public.t (id int, a text, b text);
INSERT INTO public.t SELECT i, CASE WHEN i % 100 = 0 THEN '{TOKEN}' END, 'row ' || i
FROM generate_series(1, 20000) i;"""
    with server.session("src") as session:
        session.run(made.encode())
    try:
        assert scanned(server) == {
            "public.t.a": (200, {"LEAK-TOKEN": 200}),
            "public.t.b": (20000, {}),
        }
    finally:
        with server.session("src") as session:
            session.run(b"DROP TABLE public.t")


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        *((name, False) for name in ("integer", "numeric(10,2)", "uuid", "bigint[]", "date")),
        *((f"{name} with time zone", False) for name in ("timestamp(3)", "time")),
        *((name, True) for name in ("text", "character varying(3)", "jsonb", "bytea", "name")),
        *((name, True) for name in ('public."integer"', "integerx", "inet", "point", "text[]")),
    ],
)
def test_which_types_can_hold_a_text(name: str, holds: bool) -> None:
    assert may_hold_text(name) == holds


PLANTED = {
    "row": (f"INSERT INTO public.t VALUES (2, '{TOKEN}');", CHANGE, ["dump"], ["public.t.v"]),
    "function": (
        f"CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ SELECT '{TOKEN}' $$;",
        CHANGE,
        ["dump"],
        [],
    ),
    "hidden-in-the-script": (
        f"INSERT INTO public.t VALUES (2, reverse('{TOKEN[::-1]}'));",
        CHANGE,
        [],
        ["public.t.v"],
    ),
    "change": ("", f"UPDATE public.t SET v = '{TOKEN}';", ["change"], []),
    "name": (f'CREATE TABLE public."{TOKEN}" (v text);', CHANGE, ["dump", "catalog"], []),
}


@served
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_key_is_found_and_stands_nowhere(place: Place, name: str) -> None:
    body, change, scripts, columns = PLANTED[name]
    answer = place.run(plain(f"{TABLE}\n{body}"), change, "--keep-dump")
    assert_not_applied(place, answer, "SECRET_FOUND")
    found = evidence(place, gates.SCAN)
    assert [one["script"] for one in found["scripts"] if one["found"]] == scripts
    assert [
        f"{one['schema']}.{one['table']}.{one['column']}"
        for one in found["columns"]
        if one["found"]
    ] == columns
    assert found["secrets_found"] == len(scripts) + len(columns)
    for path, data in content(place.root).items():
        for part in (TOKEN, TOKEN[4:20], TOKEN[::-1]):
            assert part.encode() not in data, path
    assert "source.dump" not in content(place.evidence())


# --- schema ---

REQUIREMENTS = """entities:
  - entity: rows
    table: public.t
    columns: {id: int4, v: text, n: numeric, at: timestamptz, none: null}
    keys: [{kind: primary, columns: [id]}, {kind: unique, columns: [v, n]}]
  - {entity: others, table: u, keys: [{kind: foreign, columns: [t_id], table: t}]}
  - {entity: approvals, table: public.approvals}
"""
SCHEMA = """CREATE TABLE public.t (id integer PRIMARY KEY, v text, n numeric(10,2),
  at timestamp(3) with time zone, UNIQUE (v, n));
CREATE TABLE public.u (t_id integer REFERENCES public.t);
INSERT INTO public.t VALUES (1, 'a');"""


@served
def test_what_the_clone_lacks_is_named_and_nothing_is_rehearsed(place: Place) -> None:
    answer = place.run(plain(SCHEMA), CHANGE, requirements=REQUIREMENTS)
    assert_not_applied(place, answer, "SCHEMA_INCOMPATIBLE")
    found = evidence(place, gates.SCHEMA)
    assert [(one["entity"], one["state"], one.get("reason")) for one in found["entities"]] == [
        ("rows", "DIFFERENT", "column none is absent"),
        ("others", "PRESENT", None),
        ("approvals", "ABSENT", "there is no table public.approvals"),
    ]
    assert found["counts"] == {"present": 1, "absent": 1, "different": 1, "not_checkable": 0}
    ((_, item),) = enumerate(evidence(place, gates.SUMMARY)["request"])
    assert item["bring"] == (
        "a dump that has rows (column none is absent),"
        " approvals (there is no table public.approvals)"
    )


@served
def test_what_cannot_be_looked_up_is_not_taken_for_present(place: Place) -> None:
    wanted = f"{REQUIRED.strip()[:-1]}, {{entity: Directus fields}}]\n"
    answer = place.run(plain(TABLE), CHANGE, requirements=wanted)
    assert_not_applied(place, answer, "SCHEMA_UNCHECKED")
    assert evidence(place, gates.SCHEMA)["verdict"] == "CANNOT_BE_CHECKED"


@served
def test_without_requirements_nothing_is_rehearsed(place: Place) -> None:
    answer = place.run(plain(TABLE), CHANGE, requirements=None, provenance=None)
    assert_not_applied(place, answer, "CLONE_NOT_STATED", "SCHEMA_UNCHECKED")
    assert {path.name for path in place.evidence().iterdir()} == {
        *HELD_FILES,
        "schema-catalog.jsonl",
    }


@served
def test_no_leg_is_discharged_where_nothing_is_rehearsed(place: Place) -> None:
    path = place.path / "blockers.json"
    path.write_text(json.dumps(BLOCKED), "utf-8")
    leg = ("--blockers", str(path), "--discharges", LEG)
    answer = place.run(plain(TABLE), CHANGE, *leg, provenance=None)
    assert_not_applied(place, answer, "CLONE_NOT_STATED")
    assert evidence(place, "given-blocker-map.json") == BLOCKED
    assert not (place.evidence() / "production-readiness-blocker-map.json").exists()


@pytest.mark.parametrize(
    ("held", "wanted", "same"),
    [
        ("integer", "int", True),
        ("bigint", "INT8", True),
        ("character varying(20)", "varchar", True),
        ("character varying(20)", "varchar(20)", True),
        ("character varying(20)", "varchar(30)", False),
        ("numeric(10,2)", "numeric", True),
        ("numeric", "numeric(10,2)", False),
        ("timestamp with time zone", "timestamptz", True),
        ("timestamp(3) with time zone", "timestamp with time zone", True),
        ("timestamp(3) with time zone", "timestamptz(3)", True),
        ("timestamp without time zone", "timestamptz", False),
        ("text[]", "text[]", True),
        ("text[]", "text", False),
        ("integer[]", "int4[]", True),
        ("registry.kind", "registry.kind", True),
        ("text", "bytea", False),
    ],
)
def test_types_are_compared_by_all_their_names(held: str, wanted: str, same: bool) -> None:
    assert catalog.same_type(held, wanted) == same


@pytest.mark.parametrize(
    ("wanted", "state", "reason"),
    [
        ({"table": "s.t", "columns": {"a": "text", "b": None}}, "PRESENT", ""),
        ({"table": "s.t", "columns": {"a": "int"}}, "DIFFERENT", "column a is text, not int"),
        (
            {"table": "s.t", "keys": [{"kind": "unique", "columns": ["b", "a"]}]},
            "DIFFERENT",
            "there is no unique key (b, a)",
        ),
        (
            {"table": "s.t", "keys": [{"kind": "foreign", "columns": ["b"], "table": "o"}]},
            "DIFFERENT",
            "there is no foreign key (b) to public.o",
        ),
        (
            {"table": "s.t", "keys": [{"kind": "foreign", "columns": ["b"], "table": "s.o"}]},
            "PRESENT",
            "",
        ),
        ({"table": "t"}, "ABSENT", "there is no table public.t"),
        ({}, "NOT_CHECKABLE", "no table is named by which it could be looked up"),
    ],
)
def test_an_entity_is_what_the_catalog_has(wanted: dict[str, Any], state: str, reason: str) -> None:
    lines: list[catalog.Line] = [
        ["table", "s", "t", "r"],
        ["column", "s", "t", "a", "text"],
        ["column", "s", "t", "b", "bigint"],
        ["key", "s", "t", "unique", ["a", "b"]],
        ["key", "s", "t", "foreign", ["b"], "s", "o"],
    ]
    assert catalog.judged(wanted, catalog.Catalog(lines)) == (state, reason)


# --- bad input ---

BAD = {
    "stated-nothing": (
        "source: ' '\nstated_by: me\n",
        REQUIRED,
        "provenance.yml: source: nothing is written here",
    ),
    "stated-more": (
        f"{STATED}approved: true\n",
        REQUIRED,
        "provenance.yml: object contains unknown field `approved`",
    ),
    "stated-half": (
        "source: x\n",
        REQUIRED,
        "provenance.yml: object missing required field `stated_by`",
    ),
    "stated-a-secret": (
        f"{STATED}method: from postgres://me:{'s3cret'}@db.example/x\n",
        REQUIRED,
        "provenance.yml:3: holds a password",
    ),
    "stated-no-digest": (
        f"{STATED}sha256: ABC\n",
        REQUIRED,
        "provenance.yml: sha256: not a SHA-256 digest: 64 digits of lower-case hexadecimal",
    ),
    "stated-a-candidate-twice": (
        f"{STATED}candidates: [{{id: Operator dump, rejected_because: x}}]\n",
        REQUIRED,
        "provenance.yml: candidates[0]: the id stands for another candidate",
    ),
    "stated-no-reason": (
        f"{STATED}candidates: [{{id: a, rejected_because: ''}}]\n",
        REQUIRED,
        "provenance.yml: candidates[0]: id and rejected_because have to be words",
    ),
    "stated-no-yaml": (
        "source: [\n",
        REQUIRED,
        "provenance.yml: source[0]: did not find expected node content (line 2, column 1)",
    ),
    "required-nothing": (
        STATED,
        "entities: []\n",
        "requirements.yml: entities: no entity is required",
    ),
    "required-twice": (
        STATED,
        "entities: [{entity: a b}, {entity: A-B}]\n",
        "requirements.yml: entities[0]: an entity has one name, and no other has it",
    ),
    "required-columns-of-nothing": (
        STATED,
        "entities: [{entity: a, columns: {b: text}}]\n",
        "requirements.yml: entities[0]: columns and keys are those of a table; name it",
    ),
    "required-a-key-to-nothing": (
        STATED,
        "entities: [{entity: a, table: b, keys: [{kind: foreign, columns: [c]}]}]\n",
        "requirements.yml: entities[0]: a key has columns, and a foreign one the table that it is"
        " to",
    ),
    "required-another-key": (
        STATED,
        "entities: [{entity: a, table: b, keys: [{kind: main, columns: [c]}]}]\n",
        "requirements.yml: entities[0].keys[0].kind: invalid enum value 'main'",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_stated_has_its_form(place: Place, name: str) -> None:
    stated, required, problem = BAD[name]
    answer = place.run(plain(TABLE), CHANGE, provenance=stated, requirements=required)
    assert_refused(place, answer, f"{problem} (REHEARSE-INPUT)")


@pytest.mark.parametrize("option", ["--provenance", "--requirements"])
def test_only_a_dump_of_postgres_is_stated(place: Place, option: str) -> None:
    source = ("--dump", "x.sql", "--change", "c.sql", option, "p.yml")
    answer = run("rehearse", "sample", "--root", place.root, *source)
    assert answer == Answer(2, "", f"lanebook: {option}: only with --engine postgres\n")


@served
def test_the_same_inputs_give_the_same_lane(place: Place) -> None:
    made = []
    for _ in range(2):
        place.run(plain(SCHEMA), CHANGE, "--date", "2026-11-25", requirements=REQUIREMENTS)
        folder = place.root / "packets/sample"
        made.append(content(folder))
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
    assert made[0] == made[1]
    assert tempfile.gettempdir().encode() not in b"".join(made[0].values())
