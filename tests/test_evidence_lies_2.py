"""Lies that agree with each other, and that other bytes refute: what was done, and where.

Each edits a sealed rehearsal of this project in several places at once. No checksum tool can see
it, and no single file is at odds with itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.evidence import (
    actions,
    ci_seal,
    clone_provenance,
    delegation_lock,
    execution_plan,
    forbidden_surface,
    mutations,
    post_review,
    samples,
    scope_lock,
)
from generator.evidence.base import Evidence, gather
from generator.evidence.kinds import KINDS
from generator.model.digest import sha256
from generator.rules.evidence import judge
from tests.folders import lane, only, verify

PACKETS = Path(__file__).resolve().parents[1] / "packets"
SEALED, WITH_PROBES = "clone-rehearsal-sqlite", "registry-column-rehearsal"
LOG, LOCK, PROOF = (
    "rehearsal-log.json",
    "rehearsal-target-lock.json",
    "rollback-recovery-proof.json",
)
SURFACES, RESULT = "forbidden-surface-proof.json", "hardened-validator-result.json"
RAW, WRAPPERS = "outputs/raw-exit-codes.tsv", "outputs/wrapper-exit-codes.tsv"
CLONE = f"{samples.CLONE}/clone.sqlite"

FIFTH = "outputs/RX-5.txt"

Files = dict[str, bytes]
Edit = Callable[[Files], None]
Line = dict[str, Any]


def sealed(name: str = SEALED) -> Files:
    """Return the evidence of a sealed lane."""
    folder = PACKETS / name / "evidence"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("HASH_MANIFEST.txt", "packet_tree.sha256")
    }


def found(files: Files) -> list[tuple[str, str]]:
    """Return code and place of everything that refutes."""
    errors: list[Any] = []
    listed = {path: sha256(data) for path, data in files.items()}
    _, answers = judge(gather(samples.packet_of(files), KINDS, listed), errors)
    assert errors == []
    return [(finding.code, finding.where) for finding in answers if finding.refutes]


def edited(edit: Edit, name: str = SEALED) -> list[tuple[str, str]]:
    files = sealed(name)
    edit(files)
    return found(files)


# --- edits ---


def both(*edits: Edit) -> Edit:
    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def without(*paths: str) -> Edit:
    def edit(files: Files) -> None:
        for path in paths:
            del files[path]

    return edit


def told(change: Callable[[list[Line]], list[Line]]) -> Edit:
    """Change the lines of the action log."""

    def edit(files: Files) -> None:
        lines = change([json.loads(line) for line in files[actions.FILE].splitlines()])
        files[actions.FILE] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    return edit


def also(at: str = "RX-3", **members: Any) -> Edit:
    """Let a step do one more thing, where it belongs in the log."""

    def change(lines: list[Line]) -> list[Line]:
        last = max(index for index, line in enumerate(lines) if line["step"] == at)
        return [*lines[: last + 1], {"step": at, **members}, *lines[last + 1 :]]

    return told(change)


def said(path: str, change: Callable[[Any], object]) -> Edit:
    """Change what a JSON file says."""

    def edit(files: Files) -> None:
        value = json.loads(files[path])
        change(value)
        files[path] = json.dumps(value).encode()

    return edit


def replaced(step: str, old: str, new: str) -> Edit:
    """Put another statement in the place of one."""
    return told(
        lambda lines: [
            line | {"sql": new} if (line["step"], line.get("sql")) == (step, old) else line
            for line in lines
        ]
    )


def empty_log(files: Files) -> None:
    files[actions.FILE] = b""
    said(SURFACES, lambda proof: proof.update(surfaces_in_action_log=[]))(files)


def read_instead(old: str, *new: str, for_file: str = LOG) -> Edit:
    """Read other outputs in the place of one, for a file that is written after the steps."""

    def change(lines: list[Line]) -> list[Line]:
        end = next(at for at, line in enumerate(lines) if line["target"] == for_file)
        at = max(at for at, line in enumerate(lines[:end]) if line["target"] == old)
        return [*lines[:at], *({**lines[at], "target": one} for one in new), *lines[at + 1 :]]

    return told(change)


def also_lists(surface: str) -> Edit:
    def change(proof: Any) -> None:
        proof["surfaces_in_action_log"] = sorted([*proof["surfaces_in_action_log"], surface])

    return said(SURFACES, change)


def drops_outputs(log: Any) -> None:
    for step in log["steps"]:
        del step["output"]


def reads_nothing(files: Files) -> None:
    def change(log: Any) -> None:
        log["steps"][2].update(states={}, rows={})

    without("states/read-1.sql", "states/read-2.sql")(files)
    said(LOG, change)(files)
    files["outputs/RX-2.txt"] = b"identical true\n"


def repeats_a_key(files: Files) -> None:
    line = '{"step": "after", "surface": "PRODUCTION_DATABASE", "surface": "PACKET_FOLDER", '
    files[actions.FILE] += f'{line}"action": "read", "target": "seed.sql"}}\n'.encode()


def on_production(files: Files) -> None:
    for path in (LOG, LOCK, actions.FILE):
        files[path] = files[path].replace(CLONE.encode(), b"/srv/production/registry.sqlite")


def actions_on_production(files: Files) -> None:
    data = files[actions.FILE]
    files[actions.FILE] = data.replace(CLONE.encode(), b"/srv/production/registry.sqlite")


def another_log(files: Files) -> None:
    also(surface="PRODUCTION_DATABASE", action="read", target="x")(files)
    files["clean.jsonl"] = sealed()[actions.FILE]
    said(SURFACES, lambda proof: proof.update(action_log="clean.jsonl"))(files)
    said(LOCK, lambda lock: lock["allowed_surfaces"].append("PRODUCTION_DATABASE"))(files)


def empty_records(files: Files) -> None:
    files[RAW] = files[WRAPPERS] = b""
    said(LOG, lambda log: log["steps"][1].update(raw_exit_code=7, expected_exit_code=7))(files)


STATE = f"{SURFACES}#/surfaces/0/state"
FLAG = f"{SURFACES}#/any_forbidden_surface_touched"


@pytest.mark.parametrize("name", [SEALED, WITH_PROBES])
def test_the_sealed_evidence_gives_no_finding(name: str) -> None:
    assert found(sealed(name)) == []


@pytest.mark.parametrize(
    ("edit", "answer"),
    [
        pytest.param(
            empty_log,
            [("ACTIONS_NONE", actions.FILE), ("ACTIONS_ORDER", actions.FILE)],
            id="emptied",
        ),
        pytest.param(
            told(lambda lines: [one for one in lines if one["step"] not in ("RX-3", "RX-4")]),
            [("ACTIONS_ORDER", actions.FILE)],
            id="steps-taken-out",
        ),
        pytest.param(
            told(lambda lines: sorted(lines, key=lambda one: one["step"] == "RX-0")),
            [("ACTIONS_ORDER", actions.FILE)],
            id="lock-after-everything",
        ),
        pytest.param(
            told(lambda lines: [one for one in lines if one["action"] != "run"]),
            # a control and the validator's steps do nothing else
            [("ACTIONS_ORDER", actions.FILE)]
            + [("ACTIONS_RUN", f"{actions.FILE}#RX-{number}") for number in (0, 2, 3, 4, 5, 6)],
            id="no-run-line",
        ),
        pytest.param(
            told(
                lambda lines: [
                    one | {"step": "RX-2"} if one["step"] == "RX-4" else one for one in lines
                ]
            ),
            [("ACTIONS_ORDER", actions.FILE), ("ACTIONS_CHANGE", f"{actions.FILE}#RX-2")],
            id="told-as-the-read-step",
        ),
        pytest.param(
            also("RX-2", surface="TEMP_CLONE", action="sql", target=CLONE, sql="DELETE FROM t"),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-2")],
            id="read-step-deletes",
        ),
        pytest.param(
            also("RX-2", surface="TEMP_CLONE", action="write", target=CLONE),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-2")],
            id="read-step-writes-the-file",
        ),
        pytest.param(
            replaced("RX-3", "ROLLBACK", "COMMIT"),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-3")],
            id="commit-for-rollback",
        ),
        pytest.param(
            replaced("RX-3", "ROLLBACK", "ROLLBACK; DELETE FROM t"),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-3")],
            id="change-behind-the-rollback",
        ),
        pytest.param(
            replaced("RX-3", "BEGIN", "SELECT 1"),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-3")],
            id="no-transaction",
        ),
        pytest.param(
            replaced("RX-4", "COMMIT", "ROLLBACK"),
            [("ACTIONS_CHANGE", f"{actions.FILE}#RX-4")],
            id="snapshot-of-nothing",
        ),
        pytest.param(
            also("RX-3", surface="TEMP_CLONE", action="sql", target=CLONE, sql="DELETE FROM t"),
            [
                ("LOCK_EXECUTOR_DIFFERS", f"{actions.FILE}#RX-3"),
                ("ACTIONS_CHANGE", f"{actions.FILE}#RX-3"),
            ],
            id="change-after-the-rollback",
        ),
        pytest.param(
            told(
                lambda lines: [
                    one | {"target": "rehearse.py nothing"}
                    if (one["step"], one["action"]) == ("RX-3", "run")
                    else one
                    for one in lines
                ]
            ),
            [("ACTIONS_RUN", f"{actions.FILE}#RX-3 command")],
            id="another-command",
        ),
        pytest.param(
            told(
                lambda lines: [
                    one
                    for one in lines
                    if (one["action"], one["target"]) != ("write", "states/read-1.sql")
                ]
            ),
            [("ACTIONS_RUN", f"{actions.FILE}#RX-2 read_1")],
            id="state-never-written",
        ),
        pytest.param(
            read_instead("outputs/RX-0.txt", "outputs/RX-1.txt"),
            [("ACTIONS_RUN", f"{actions.FILE}#after")],
            id="one-output-read-twice-and-another-never",
        ),
    ],
)
def test_an_action_log_that_was_thinned_or_moved_is_found_out(
    edit: Edit, answer: list[tuple[str, str]]
) -> None:
    assert edited(edit) == answer


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(read_instead(FIFTH), id="one-remembered"),
        pytest.param(read_instead(FIFTH, FIFTH, FIFTH), id="one-read-again"),
        pytest.param(
            both(
                read_instead("outputs/RX-1.txt", FIFTH),
                read_instead("outputs/RX-2.txt", FIFTH),
            ),
            id="one-read-for-each-of-its-states",
        ),
        pytest.param(
            read_instead("outputs/RX-8.txt", "outputs/RX-7.txt", for_file=RESULT),
            id="an-exit-code-is-enough",
        ),
    ],
)
def test_a_program_may_remember_what_it_read_or_read_it_again(edit: Edit) -> None:
    assert edited(edit) == []


@pytest.mark.parametrize(
    ("edit", "answer"),
    [
        pytest.param(
            both(
                also(surface="production database", action="read", target="x"),
                also_lists("production database"),
                said(LOCK, lambda lock: lock["allowed_surfaces"].append("production database")),
            ),
            [("SURFACE_TOUCHED", STATE), ("SURFACE_FLAG_WRONG", FLAG)],
            id="another-spelling",
        ),
        pytest.param(
            both(
                also(surface="NETWORK_EGRESS", action="connect", target="x"),
                also_lists("NETWORK_EGRESS"),
                said(LOCK, lambda lock: lock.pop("allowed_surfaces")),
            ),
            [("LOCK_SURFACE", f"{LOCK}#/allowed_surfaces")],
            id="nothing-said-to-be-allowed",
        ),
        pytest.param(
            repeats_a_key, [("ACTIONS_FORM", f"{actions.FILE}:134")], id="key-that-stands-twice"
        ),
        pytest.param(
            also(surface="TEMP_CLONE", action="connect", target="/srv/production/prod.sqlite"),
            [("ACTIONS_TARGET", actions.FILE)],
            id="clone-that-is-elsewhere",
        ),
        pytest.param(
            also(surface="TEMP_CLONE", action="read", target=f"{samples.CLONE}/../x.sqlite"),
            [("ACTIONS_TARGET", actions.FILE)],
            id="clone-above-its-folder",
        ),
        pytest.param(
            also(surface="TEMP_CLONE", action="read", target="TEMP/other/x.sqlite"),
            [("ACTIONS_TARGET", actions.FILE)],
            id="clone-of-another-run",
        ),
        pytest.param(
            also(surface="MEMORY", action="connect", target="/srv/prod.sqlite"),
            [("ACTIONS_TARGET", actions.FILE)],
            id="memory-that-is-a-file",
        ),
        pytest.param(
            also(surface="PACKET_FOLDER", action="read", target="/etc/passwd"),
            [("ACTIONS_TARGET", actions.FILE)],
            id="packet-that-is-elsewhere",
        ),
        pytest.param(
            also(
                "after",
                surface="MEMORY",
                action="sql",
                target=":memory:",
                sql="/* x */ ATTACH '/srv/prod.sqlite' AS p; DELETE FROM p.t",
            ),
            [("ACTIONS_TARGET", actions.FILE)],
            id="attached",
        ),
        pytest.param(
            also(
                "after",
                surface="MEMORY",
                action="sql",
                target=":memory:",
                sql="VACUUM main INTO '/srv/prod.sqlite'",
            ),
            [("ACTIONS_TARGET", actions.FILE)],
            id="vacuumed-into",
        ),
        pytest.param(on_production, [("ACTIONS_TARGET", actions.FILE)], id="production-everywhere"),
        pytest.param(
            actions_on_production,
            [("ACTIONS_TARGET", actions.FILE), ("ACTIONS_TARGET", f"{LOG}#/target")],
            id="production-in-the-actions",
        ),
        pytest.param(
            another_log,
            [("SURFACE_TOUCHED", STATE), ("SURFACE_FLAG_WRONG", FLAG)],
            id="proof-of-another-log",
        ),
    ],
)
def test_a_surface_is_known_under_any_name(edit: Edit, answer: list[tuple[str, str]]) -> None:
    assert edited(edit) == answer


@pytest.mark.parametrize(
    ("edit", "gone"),
    [
        pytest.param(without(RESULT), [RESULT], id="validator-result"),
        pytest.param(without("bad-input-probes.json"), ["bad-input-probes.json"], id="an-input"),
        pytest.param(
            both(
                without(*(f"outputs/RX-{number}.txt" for number in range(10))),
                said(LOG, drops_outputs),
            ),
            [f"outputs/RX-{number}.txt" for number in range(10)],
            id="outputs",
        ),
        pytest.param(without(RAW, WRAPPERS), [RAW, WRAPPERS], id="records"),
        pytest.param(empty_records, [RAW, WRAPPERS], id="emptied-records"),
        pytest.param(reads_nothing, ["states/read-1.sql", "states/read-2.sql"], id="read-states"),
        pytest.param(
            without(LOCK, LOG, PROOF), [LOCK, LOG, PROOF], id="everything-but-the-actions"
        ),
        pytest.param(
            without(LOCK, LOG, PROOF, actions.FILE, RESULT),
            [LOCK, LOG, PROOF, actions.FILE],
            id="everything-but-the-scripts",
        ),
    ],
)
def test_what_other_bytes_name_cannot_be_taken_away(edit: Edit, gone: list[str]) -> None:
    answers = edited(edit, WITH_PROBES)
    assert [where for code, where in answers if code == "EV-MISSING"] == gone


def test_the_records_that_a_script_writes_are_read_from_disk(tmp_path: Path) -> None:
    """The action log is thinned of them as well; ``step.sh`` still writes both."""
    files = sealed(WITH_PROBES)
    without(RAW, WRAPPERS)(files)
    told(lambda lines: [one for one in lines if one["target"] not in (RAW, WRAPPERS)])(files)
    lane(tmp_path, files=files)
    given = verify(tmp_path)
    assert [(one["code"], one["where"]) for one in only(given)["findings"]] == [
        ("EV-MISSING", f"evidence/{RAW}"),
        ("EV-MISSING", f"evidence/{WRAPPERS}"),
    ]


# --- no false alarm ---


def not_applied(files: Files) -> None:
    """Leave what a lane leaves that rehearsed nothing: S2."""
    for path in list(files):
        if path.startswith(("outputs/", "states/")) or path in (LOG, LOCK, SURFACES, actions.FILE):
            del files[path]
    hashes = ("before_hash", "after_apply_hash", "after_rollback_hash", "expected_hash")
    entry = {
        "id": "RB-1",
        **dict.fromkeys(hashes, "N/A_NO_CLONE"),
        "restored_match": False,
        "production_rollback_status": "NOT_APPLICABLE",
    }
    files[PROOF] = json.dumps({"entries": [entry]}).encode()
    files[RESULT] = b'{"overall": "PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED"}\n'


def wide_table(files: Files) -> None:
    """Read a table of so many columns that the log has no more of the statement."""
    columns = ", ".join(f'"column; {number} (into)"' for number in range(200))
    statement = {"surface": "TEMP_CLONE", "action": "sql", "target": CLONE}
    sql = f"SELECT {columns}"[:2000] + "…"

    def change(lines: list[Line]) -> list[Line]:
        made: list[Line] = []
        for line in lines:
            made.append(line)
            if line["step"] in ("RX-2", "RX-3", "RX-4") and line["action"] == "connect":
                made.append({"step": line["step"], **statement, "sql": sql})
        return made

    told(change)(files)


def other_form(files: Files) -> None:
    """Tell of the actions as somebody else's program does: no run line, one more key."""
    for path in ("step.sh", "commands.sh"):
        del files[path]
    inputs = files["inputs.txt"].decode().splitlines()
    files["inputs.txt"] = "".join(
        f"{one}\n" for one in inputs if one not in ("step.sh", "commands.sh")
    ).encode()
    told(lambda lines: [one | {"by": "x : y"} for one in lines if one["action"] != "run"])(files)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(not_applied, id="not-applied"),
        pytest.param(wide_table, id="statement-that-was-cut-off"),
        pytest.param(other_form, id="log-of-another-form"),
        pytest.param(
            also("RX-0", surface="TEMP_CLONE", action="sql", target=CLONE, sql="-- attach; ATTACH"),
            id="comment-that-attaches",
        ),
        pytest.param(
            also(
                "RX-0",
                surface="TEMP_CLONE",
                action="sql",
                target=CLONE,
                sql="SELECT '; ATTACH it'",
            ),
            id="text-that-attaches",
        ),
        pytest.param(
            lambda files: files.update({"inputs.txt": b"two letters, by post\n"}),
            id="list-of-other-inputs",
        ),
        pytest.param(
            both(
                also("RX-6", surface="PACKET_FOLDER", action="write", target="draft.json"),
                also("RX-6", surface="PACKET_FOLDER", action="os.remove", target="draft.json"),
            ),
            id="written-and-taken-away",
        ),
    ],
)
def test_honest_evidence_of_another_kind_gives_no_finding(edit: Edit) -> None:
    assert edited(edit) == []


# --- levels ---


def levels(evidence: Evidence, file: str) -> dict[str, str]:
    claims, _ = judge(evidence, [])
    return {
        claim.where.removeprefix(file): str(claim.level)
        for claim in claims
        if claim.where.startswith(file)
    }


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(b"", id="empty"),
        pytest.param(samples.FILES[actions.FILE] + b"something was done\n", id="unread-line"),
        pytest.param(None, id="absent"),
    ],
)
def test_where_the_log_does_not_tell_all_nothing_is_recomputed_from_it(log: bytes | None) -> None:
    evidence = samples.evidence({actions.FILE: log})
    surfaces = levels(evidence, forbidden_surface.FILE)
    assert surfaces["#/surfaces/0/state"] == "claimed only"
    assert surfaces["#/any_forbidden_surface_touched"] == "claimed only"
    assert surfaces["#/surfaces_in_action_log"] == "claimed only"
    scope = levels(evidence, scope_lock.FILE)
    assert scope["#/any_excluded_surface_mutated"] == "claimed only"
    assert levels(evidence, execution_plan.FILE)["#/forbidden/attempted"] == "claimed only"


@pytest.mark.parametrize(
    ("path", "places"),
    [
        pytest.param(
            post_review.FILE, ("#/pass_count", "#/overall", "#/all_pass"), id=post_review.FILE
        ),
        pytest.param(
            ci_seal.FILE,
            (
                "#/fail_closed_count",
                "#/all_fail_closed",
                "#/passes_on_byte_identical",
                "#/cases/0/fails_closed",
            ),
            id=ci_seal.FILE,
        ),
        pytest.param(delegation_lock.FILE, ("#/authority",), id=delegation_lock.FILE),
        pytest.param(
            clone_provenance.FILE,
            ("#/verdict", "#/candidates/0/selected"),
            id=clone_provenance.FILE,
        ),
    ],
)
def test_what_claims_come_to_is_no_more_than_claimed(path: str, places: tuple[str, ...]) -> None:
    known = levels(samples.evidence(), path)
    assert {place: known[place] for place in places} == dict.fromkeys(places, "claimed only")


# --- statements ---


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT writefile('/srv/x', 1)",
        "SELECT setval('s', 1)",
        "SELECT nextval ('s')",
        "SELECT lo_export(1, '/x')",
        "SELECT load_extension('x')",
        "SELECT \"writefile\"('/srv/x', 1)",
        "SELECT mine.count(1)",
        "SELECT hex(writefile('/srv/x', 1))",
        "SELECT * FROM fsdir('/srv')",
        "SELECT * FROM t FOR UPDATE",
        "SELECT * FROM t FOR NO KEY UPDATE",
    ],
)
def test_a_call_that_is_not_known_may_write(sql: str) -> None:
    assert not mutations.reads_only(sql)
    assert not mutations.may_read_only(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*), max(id) FROM t WHERE id IN (1, 2) AND (a OR b)",
        "SELECT hex(CAST(x AS BLOB)), quote(y), typeof(z), coalesce(a, b) FROM (SELECT 1)",
        "select LENGTH (a) from t where exists (select 1) group by (a)",
        "SELECT sum(x) OVER (ORDER BY y) FROM t UNION ALL SELECT 1",
    ],
)
def test_a_call_that_is_known_reads(sql: str) -> None:
    assert mutations.reads_only(sql)


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        pytest.param('SELECT "a", "b; into (…', True, id="in-a-name"),
        pytest.param("SELECT a FROM t WHERE x = 'it''s \"…", True, id="in-a-text"),
        pytest.param("SELECT a, b…", True, id="between"),
        pytest.param("INSERT INTO t VALUES (1…", False, id="no-read"),
        pytest.param("SELECT 1; DELETE FROM…", False, id="second-statement"),
    ],
)
def test_a_statement_that_was_cut_off_reads_as_far_as_it_goes(sql: str, reads: bool) -> None:
    assert not mutations.reads_only(sql)
    assert mutations.may_read_only(sql) is reads


@pytest.mark.parametrize("word", ["a", " ", "'", '"', "(", "a (", "a.", "x'", ";", "/*", "--"])
def test_a_hostile_statement_is_read_in_one_pass(word: str) -> None:
    sql = f"SELECT {word * 200_000}("
    assert mutations.may_read_only(sql) is mutations.reads_only(sql)
    assert not mutations.reads_only(f"{sql}; DELETE FROM t")


# --- lines ---


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        pytest.param('"target": "x"', True, id="plain"),
        pytest.param('"target": "a \\": b"', True, id="quote-and-colon-in-a-text"),
        pytest.param('"target" : "x"', True, id="space-before-the-colon"),
        pytest.param('"target": "x", "note": 1, "more": {"note": 2}', True, id="more-keys"),
        pytest.param('"target": "x", "sql": null', True, id="null"),
        pytest.param('"target": "x", "target": "y"', False, id="twice"),
        pytest.param('"target": "x", "targ\\u0065t": "y"', False, id="escaped"),
        pytest.param('"target" : "x", "target": "y"', False, id="twice-with-a-space"),
        pytest.param('"target": "x", "note": 1, "note": 2', False, id="unknown-twice"),
        pytest.param('"target": "x", "more": {"a": 1, "a": 2}', False, id="twice-inside"),
    ],
)
def test_a_key_stands_once_in_a_line(line: str, whole: bool) -> None:
    content = f'{{"step": "RX-0", "surface": "MEMORY", "action": "read", {line}}}\n'.encode()
    log = actions.read(samples.evidence({actions.FILE: samples.FILES[actions.FILE] + content}))
    assert log is not None
    number = len(samples.ACTIONS) + 1
    assert (len(log.actions), log.broken) == ((number, ()) if whole else (number - 1, (number,)))
