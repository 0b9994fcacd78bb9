"""Lies that agree with each other, told of steps, states and the target, and refuted by the rest.

Each edit leaves every digest and every count right, so only what the packet's other bytes say can
refute it. What nothing refutes is honest, or it is claimed only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from generator.evidence import FILES, samples
from generator.evidence.base import Evidence, plan
from generator.evidence.rehearsal_log import COMMANDS, RAW_CODES, WRAPPER_CODES
from generator.evidence.rehearsal_log import FILE as LOG
from generator.evidence.rollback_proof import FILE as PROOF
from generator.evidence.target_lock import FILE as LOCK
from generator.model.digest import sha256
from generator.rules.evidence import judge

ACTIONS = "actions.jsonl"
VALIDATED = "hardened-validator-result.json"
ADDENDUM = "governance-addendum.json"
REHEARSED = {LOCK, LOG, PROOF, "forbidden-surface-proof.json", VALIDATED, ADDENDUM}
"""The kinds of evidence that a rehearsal leaves, and one that it is given."""

Files = dict[str, bytes]
Edit = Callable[[Files], object]


def sound() -> Files:
    """Return the sample with everything that a rehearsal leaves beside it."""
    files = {
        path: entry.content
        for path, entry in samples.evidence().entries.items()
        if entry.content is not None
    }
    for path in FILES - REHEARSED:
        del files[path]
    files["seed.sql"] = SEED_BEGINS + samples.BEFORE
    files["plan.json"] = samples.encoded({"lane": "sample"})
    files["outputs/RX-5.txt"] = b"".join(
        f"{name} unchanged {samples.state(name)}\n".encode() for name in ("executor.sql", CHANGE)
    )
    files["outputs/RX-6.txt"] = b"RB-SQL-TXN restored true\nRB-SQL-SNAP restored true\n"
    ran = {"surface": "TEMP_CLONE", "action": "sql", "target": f"{samples.CLONE}/clone.sqlite"}
    wrote = {"step": "RX-0", "surface": "PACKET_FOLDER", "action": "write", "target": LOCK}
    for line in (wrote, *({"step": step, **ran, "sql": APPLY} for step in ("RX-3", "RX-4"))):
        files[ACTIONS] += json.dumps(line).encode() + b"\n"
    steps = json.loads(files[LOG])["steps"]
    files[COMMANDS] = b"#!/bin/sh\n# step by step\nstep() {\n    sh step.sh\n}\n" + b"".join(
        f"step {one['id']} {one['expected_exit_code']} {one['command'].split(' ', 3)[3]}\n".encode()
        for one in steps
    )
    return files


CHANGE = "change.sql"
APPLY = "INSERT INTO t VALUES (4);"


def edited(edit: Edit) -> Evidence:
    """Return the whole rehearsal as an editor leaves it."""
    files = sound()
    edit(files)
    absent: dict[str, bytes | None] = dict.fromkeys(samples.evidence().entries)
    return samples.evidence({**absent, **files})


def answers(edit: Edit) -> set[tuple[str, str]]:
    """Return code and place of everything that is wrong."""
    errors: list[Any] = []
    _, found = judge(edited(edit), errors)
    assert errors == []
    return {(finding.code, finding.where) for finding in found}


def levels(edit: Edit) -> dict[str, str]:
    """Return how each fact is known, by its place."""
    return {claim.where: str(claim.level) for claim in judge(edited(edit), [])[0]}


# --- how an editor works ---


def text(path: str, old: str, new: str) -> Edit:
    """Write other words into a text."""

    def edit(files: Files) -> None:
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())

    return edit


def whole(path: str, content: str) -> Edit:
    return lambda files: files.update({path: content.encode()})


def json_of(path: str, change: Callable[[Any], object]) -> Edit:
    """Change what a JSON file says."""

    def edit(files: Files) -> None:
        value = json.loads(files[path])
        change(value)
        files[path] = samples.encoded(value)

    return edit


def all_of(*edits: Edit) -> Edit:
    return lambda files: [edit(files) for edit in edits]


def unedited(_: Files) -> None:
    """Tell no lie."""


def state(step: int, label: str, path: str, content: bytes) -> Edit:
    """Let a step have left another state, and let its output and the log say so."""

    def edit(files: Files) -> None:
        files[path] = content
        value = json.loads(files[LOG])
        entry = value["steps"][step]
        entry["states"][label] = path
        entry["rows"][label] = rows = content.count(b"INSERT INTO ")
        files[LOG] = samples.encoded(value)
        lines = files[entry["output"]].decode().splitlines()
        told = f"state {label} file={path} rows={rows} sha256={sha256(content)}"
        lines = [told if line.startswith(f"state {label} ") else line for line in lines]
        files[entry["output"]] = "".join(f"{line}\n" for line in lines).encode()

    return edit


def entries(change: Callable[[list[Any]], object]) -> Edit:
    """Change the entries of the proof; the count is mended."""

    def of(proof: Any) -> None:
        change(proof["entries"])
        proof["entry_count"] = len(proof["entries"])

    return json_of(PROOF, of)


def added(entry: dict[str, Any]) -> Edit:
    return entries(lambda listed: listed.append(entry))


def each_entry(**members: Any) -> Edit:
    """Write members into each entry; None takes one out."""

    def of(listed: list[Any]) -> None:
        for entry in listed:
            entry.update(members)
            for name in [name for name, value in members.items() if value is None]:
                del entry[name]

    return entries(of)


def exit_codes(step: int, code: int) -> Edit:
    """Let a step end with another code, and let this have been expected of it."""

    def of(log: Any) -> None:
        entry = log["steps"][step]
        entry["raw_exit_code"] = entry["expected_exit_code"] = code

    def recorded(files: Files) -> None:
        lines = [line.split("\t") for line in files[RAW_CODES].decode().splitlines()]
        lines[step][1:3] = [str(code)] * 2
        files[RAW_CODES] = "".join("\t".join(line) + "\n" for line in lines).encode()

    return all_of(json_of(LOG, of), recorded)


def one_more_step(files: Files) -> None:
    """Put a step that never ran into the log and into both records."""
    command = "python3 -I -B rehearse.py production-verify"
    step = {
        "id": "RX-10",
        "command": command,
        **dict.fromkeys(("raw_exit_code", "expected_exit_code", "wrapper_exit_code"), 0),
    }
    json_of(LOG, lambda log: (log["steps"].append(step), log.update(step_count=11)))(files)
    files[RAW_CODES] += f"RX-10\t0\t0\t{command}\n".encode()
    files[WRAPPER_CODES] += b"RX-10\t0\n"


def one_step_less(files: Files) -> None:
    """Take the last step out of the log and both records, and out of what quotes it."""
    json_of(LOG, lambda log: (log["steps"].pop(), log.update(step_count=9)))(files)
    json_of(VALIDATED, lambda result: result.pop("lane_control"))(files)
    for path in (RAW_CODES, WRAPPER_CODES):
        lines = files[path].splitlines(keepends=True)
        files[path] = b"".join(line for line in lines if not line.startswith(b"RX-9\t"))


SEED_BEGINS = (
    b"-- The clone starts from this. Rows stand before what could act on them.\n"
    b"PRAGMA foreign_keys = OFF;\n"
)
TARGET, PRODUCTION = "temp-sqlite-clone", "production-database"
WHEN = ("locked_at_step", "proven_before_step")
DATABASE = "one_database_attached true\n"
THIRD = b"INSERT INTO t VALUES (3);"
OTHER = samples.BEFORE.replace(THIRD, b"INSERT INTO t VALUES (33);")
NO = "0" * 64
YES = "1" * 64
INVENTED = {
    "before_hash": NO,
    "after_apply_hash": YES,
    "after_rollback_hash": NO,
    "expected_hash": NO,
}
NOT_APPLIED = {
    **dict.fromkeys(INVENTED, "N/A_X"),
    **dict.fromkeys(("rows_before", "rows_after_apply", "rows_after_rollback", "states")),
    "restored_match": False,
}


def from_another_state(files: Files) -> None:
    """Let the first rollback begin from, and return to, another state than the locked one."""
    for label, name in (("before", "before"), ("after_rollback", "after-rollback")):
        state(3, label, f"states/txn-{name}.sql", OTHER)(files)
    files["states/txn-expected.sql"] = OTHER
    digest = str(sha256(OTHER))
    json_of(
        PROOF,
        lambda proof: (
            proof["entries"][0].update(
                before_hash=digest, after_rollback_hash=digest, expected_hash=digest
            ),
            proof["entries"][0]["states"].update(expected="states/txn-expected.sql"),
        ),
    )(files)


def by_hand(files: Files) -> None:
    """Let the seed be one of other people's, whose statements were logged one by one."""
    files["seed.sql"] = b"-- a small table\n" + samples.BEFORE
    about = {"step": "RX-0", "surface": "TEMP_CLONE", "action": "sql", "target": samples.CLONE}
    for sql in samples.BEFORE.decode().splitlines():
        files[ACTIONS] += json.dumps({**about, "sql": sql}).encode() + b"\n"


def step(number: int, name: str) -> str:
    return f"{LOG}#/steps/{number}/{name}"


def entry(number: int, name: str) -> str:
    return f"{PROOF}#/entries/{number}/{name}"


def test_the_whole_rehearsal_is_sound() -> None:
    assert answers(unedited) == set()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(
            all_of(
                state(2, "read_2", "states/read-2.sql", OTHER),
                text("outputs/RX-2.txt", "identical true", "identical false"),
            ),
            {("LOG_READS_DIFFER", step(2, "states/read_2"))},
            id="one-read-is-another-state",
        ),
        pytest.param(
            all_of(
                state(2, "read_1", "states/read-1.sql", OTHER),
                state(2, "read_2", "states/read-2.sql", OTHER),
                text("outputs/RX-2.txt", "identical true", "identical false"),
            ),
            {
                ("LOG_READS_DIFFER", step(2, "states/read_1")),
                ("LOG_READS_DIFFER", step(2, "states/read_2")),
            },
            id="both-reads-are-another-state",
        ),
        pytest.param(
            from_another_state,
            {("ROLLBACK_LOCK_DIFFERS", entry(0, "before_hash"))},
            id="rollback-from-another-state",
        ),
        pytest.param(
            text("outputs/RX-2.txt", "identical true", "identical false"),
            {("LOG_OUTPUT_DIFFERS", "outputs/RX-2.txt:3")},
            id="printed-that-reads-differ",
        ),
        pytest.param(
            text("outputs/RX-5.txt", "change.sql unchanged", "change.sql CHANGED"),
            {("LOG_OUTPUT_DIFFERS", "outputs/RX-5.txt:2")},
            id="printed-that-the-change-changed",
        ),
        pytest.param(
            text("outputs/RX-6.txt", "RB-SQL-TXN restored true", "RB-SQL-TXN restored false"),
            {("ROLLBACK_MATCH_FLAG_WRONG", "outputs/RX-6.txt:1")},
            id="printed-that-nothing-was-restored",
        ),
        pytest.param(
            whole("outputs/RX-1.txt", "written\n"),
            {("LOG_OUTPUT_DIFFERS", "outputs/RX-1.txt")},
            id="printed-that-the-guard-let-it-write",
        ),
        pytest.param(
            whole("outputs/RX-1.txt", "refused: write outside the clone folder\n"),
            {("LOG_OUTPUT_DIFFERS", "outputs/RX-1.txt")},
            id="no-socket-was-refused",
        ),
        pytest.param(
            text("outputs/RX-0.txt", "database_attached true", "database_attached false"),
            {("LOCK_ISOLATION", f"{LOCK}#/isolation/one_database_attached")},
            id="printed-that-it-is-not-isolated",
        ),
        pytest.param(
            text("outputs/RX-0.txt", DATABASE, DATABASE.replace("true", "false") + DATABASE),
            {("LOCK_ISOLATION", f"{LOCK}#/isolation/one_database_attached")},
            id="printed-both",
        ),
        pytest.param(
            json_of(LOCK, lambda lock: lock.update(isolation={"folder_was_empty": True})),
            {("LOCK_ISOLATION", "outputs/RX-0.txt:3")},
            id="a-printed-check-is-gone",
        ),
        pytest.param(
            exit_codes(1, 0),
            {("LOG_EXIT_DIFFERS", step(1, "expected_exit_code"))},
            id="nothing-was-expected-to-be-refused",
        ),
        pytest.param(
            exit_codes(3, 1),
            {("LOG_EXIT_DIFFERS", step(3, "expected_exit_code"))},
            id="a-failure-was-expected",
        ),
        pytest.param(
            all_of(
                text(LOG, "rehearse.py transaction", "rehearse.py nothing"),
                text(RAW_CODES, "rehearse.py transaction", "rehearse.py nothing"),
            ),
            {("LOG_COMMAND_DIFFERS", step(3, "command"))},
            id="another-command",
        ),
        pytest.param(one_more_step, {("LOG_RECORD_DIFFERS", COMMANDS)}, id="one-more-step"),
        pytest.param(one_step_less, {("LOG_RECORD_DIFFERS", COMMANDS)}, id="one-step-less"),
        pytest.param(
            all_of(
                entries(lambda listed: listed.pop()),
                whole("outputs/RX-6.txt", "RB-SQL-TXN restored true\n"),
            ),
            {("LOG_PROOF_DIFFERS", step(4, "states"))},
            id="an-entry-is-gone",
        ),
        pytest.param(
            entries(lambda listed: (listed.pop(), listed[0].pop("step"))),
            {("LOG_PROOF_DIFFERS", step(4, "states"))},
            id="an-entry-is-gone-and-the-other-names-no-step",
        ),
        pytest.param(
            all_of(each_entry(states=None, **INVENTED), whole("outputs/RX-6.txt", "")),
            {
                ("ROLLBACK_STATE_DIFFERS", entry(number, name))
                for number in (0, 1)
                for name in INVENTED
            }
            | {("ROLLBACK_LOCK_DIFFERS", entry(number, "before_hash")) for number in (0, 1)},
            id="invented-hashes-without-states",
        ),
        pytest.param(
            all_of(each_entry(states=None, step=None, **INVENTED), whole("outputs/RX-6.txt", "")),
            {("LOG_PROOF_DIFFERS", step(number, "states")) for number in (3, 4)},
            id="invented-hashes-without-states-and-steps",
        ),
        pytest.param(
            all_of(each_entry(**NOT_APPLIED), whole("outputs/RX-6.txt", "")),
            {
                ("ROLLBACK_STATE_DIFFERS", entry(number, name))
                for number in (0, 1)
                for name in INVENTED
            },
            id="not-applied-although-the-log-has-states",
        ),
        pytest.param(
            entries(lambda listed: listed[0].update(step="RX-77")),
            {("LOG_PROOF_DIFFERS", entry(0, "step")), ("LOG_PROOF_DIFFERS", step(3, "states"))},
            id="a-step-that-is-not-in-the-log",
        ),
        pytest.param(
            entries(lambda listed: listed[1].update(step="RX-2", states=listed[0]["states"])),
            {("LOG_PROOF_DIFFERS", entry(1, "step")), ("LOG_PROOF_DIFFERS", step(4, "states"))},
            id="the-states-of-another-entry-under-a-reading-step",
        ),
        pytest.param(
            entries(lambda listed: listed.append({**listed[0], "id": "RB-SQL-AGAIN"})),
            {("LOG_PROOF_DIFFERS", entry(2, "step"))},
            id="one-step-for-two-entries",
        ),
        pytest.param(
            json_of(PROOF, lambda proof: proof.update(lane="another")),
            {("EV-LANE", f"{PROOF}#/lane")},
            id="evidence-of-another-lane",
        ),
        pytest.param(
            text("seed.sql", "(3)", "(33)"),
            {("LOCK_STATE_DIFFERS", f"{LOCK}#/target/state_sha256")},
            id="a-seed-with-another-row",
        ),
        pytest.param(
            text("seed.sql", "(3);\n", "(3);\nINSERT INTO t VALUES (5);\n"),
            {("LOCK_STATE_DIFFERS", f"{LOCK}#/target/state_sha256")},
            id="a-seed-with-one-more-row",
        ),
        pytest.param(
            all_of(by_hand, text("seed.sql", "(3)", "(33)")),
            {("LOCK_STATE_DIFFERS", f"{LOCK}#/target/state_sha256")},
            id="a-seed-with-another-row-than-was-logged",
        ),
        pytest.param(
            all_of(by_hand, text("seed.sql", "INSERT INTO t VALUES (3);\n", "")),
            {("LOCK_STATE_DIFFERS", f"{LOCK}#/target/state_sha256")},
            id="a-seed-without-a-row-that-was-logged",
        ),
        pytest.param(
            json_of(LOCK, lambda lock: lock.update(executor=[])),
            {("LOCK_EXECUTOR_DIFFERS", f"{LOCK}#/executor")},
            id="no-executor-is-locked",
        ),
        pytest.param(
            json_of(LOCK, lambda lock: [lock.pop(name) for name in WHEN]),
            {("LOCK_LATE", f"{LOCK}#/{name}") for name in WHEN},
            id="nobody-says-when-it-was-locked",
        ),
        pytest.param(
            all_of(
                json_of(LOCK, lambda lock: lock.update(candidates=[])),
                json_of("plan.json", lambda told: told.update(production_targets=["production"])),
            ),
            {("LOCK_CANDIDATES", f"{LOCK}#/candidates")},
            id="no-candidate-is-production",
        ),
        pytest.param(
            all_of(
                json_of(LOCK, lambda lock: lock["candidates"][1].update(is_production=False)),
                json_of("plan.json", lambda told: told.update(production_targets=[PRODUCTION])),
            ),
            {("LOCK_CANDIDATES", f"{LOCK}#/candidates/1/is_production")},
            id="production-is-called-none",
        ),
        pytest.param(
            json_of("plan.json", lambda told: told.update(production_targets=[TARGET])),
            {("LOCK_CANDIDATES", f"{LOCK}#/candidates/0/is_production")},
            id="the-target-is-production-in-the-plan",
        ),
        pytest.param(
            text(RAW_CODES, "RX-8\t0", "RX-8\tx3"),
            {("LOG_RECORD_DIFFERS", f"{RAW_CODES}:9")},
            id="an-exit-code-with-a-letter",
        ),
        pytest.param(
            text(RAW_CODES, "RX-8\t0", "RX-8\t\u00b3"),
            {("LOG_RECORD_DIFFERS", f"{RAW_CODES}:9")},
            id="an-exit-code-that-is-a-superscript",
        ),
        pytest.param(
            text(RAW_CODES, "RX-8\t0", "RX-8\t--3"),
            {("LOG_RECORD_DIFFERS", f"{RAW_CODES}:9")},
            id="an-exit-code-with-two-signs",
        ),
        pytest.param(
            text(WRAPPER_CODES, "RX-8\t0", f"RX-8\t{'9' * 5000}"),
            {
                ("LOG_RECORD_DIFFERS", f"{WRAPPER_CODES}:9"),
                ("LOG_EXIT_DIFFERS", step(8, "wrapper_exit_code")),
            },
            id="an-exit-code-of-five-thousand-digits",
        ),
        pytest.param(
            text(RAW_CODES, "RX-8\t0", "RX-8\t1\t0\tother\nRX-8\t0"),
            {("LOG_RECORD_DIFFERS", f"{RAW_CODES}:10")},
            id="a-step-that-is-recorded-twice",
        ),
    ],
)
def test_a_lie_that_other_bytes_refute_is_found_out(
    edit: Edit, expected: set[tuple[str, str]]
) -> None:
    assert answers(edit) == expected


# --- the change ---


def change(content: str) -> Edit:
    """Let the change be another one, locked and told of by its digest."""

    def edit(files: Files) -> None:
        files[CHANGE] = content.encode()
        old, new = (str(sha256(one)) for one in (samples.FILES[CHANGE], files[CHANGE]))
        text(LOCK, old, new)(files)
        text("outputs/RX-5.txt", old, new)(files)

    return edit


def executor(content: str) -> Edit:
    """Let the executor be another one, locked and told of by its digest."""

    def edit(files: Files) -> None:
        old = str(sha256(files["executor.sql"]))
        files["executor.sql"] = content.encode()
        new = str(sha256(files["executor.sql"]))
        text(LOCK, old, new)(files)
        text("outputs/RX-5.txt", old, new)(files)

    return edit


def ran(*statements: str) -> Edit:
    """Let both steps have run these statements."""

    def edit(files: Files) -> None:
        log = [line for line in map(json.loads, files[ACTIONS].splitlines()) if "sql" not in line]
        for one in ("RX-3", "RX-4"):
            for sql in ("SELECT 1", "BEGIN", *statements, "PRAGMA encoding", "COMMIT"):
                about = {"surface": "TEMP_CLONE", "action": "sql", "target": samples.CLONE}
                log.append({"step": one, **about, "sql": sql})
        files[ACTIONS] = b"".join(json.dumps(line).encode() + b"\n" for line in log)

    return edit


LONG = "INSERT INTO t VALUES (" + "), (".join(f"{number:04}" for number in range(9000)) + ");"
CUT = LONG[:2000] + "…"
BOTH_STEPS = {("LOCK_EXECUTOR_DIFFERS", f"{ACTIONS}#{one}") for one in ("RX-3", "RX-4")}


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(change("UPDATE t SET id = 9 WHERE 0;\n"), id="another-statement"),
        pytest.param(change("-- nothing\n"), id="no-statement"),
        pytest.param(change(f"{APPLY}\nDELETE FROM t;\n"), id="one-more"),
        pytest.param(change(f"{APPLY} -- {APPLY}\n{APPLY}"), id="twice"),
        pytest.param(all_of(change(APPLY), ran(APPLY, "DELETE FROM t")), id="one-more-ran"),
        pytest.param(
            all_of(change("DELETE FROM a; DELETE FROM b;"), ran("DELETE FROM b", "DELETE FROM a")),
            id="another-order",
        ),
        pytest.param(
            all_of(change("PRAGMA user_version = 7;\n" + APPLY), ran("PRAGMA user_version", APPLY)),
            id="a-statement-that-only-begins-like-it",
        ),
        pytest.param(all_of(change("SELECT 2;\n"), ran(CUT)), id="another-long-statement"),
        pytest.param(all_of(change(LONG), ran(CUT, APPLY)), id="one-more-behind-a-long-one"),
        pytest.param(
            all_of(change("EXPLAIN SELECT 1; DELETE FROM t;"), ran("DELETE FROM u")),
            id="another-behind-one-that-explains",
        ),
    ],
)
def test_what_ran_is_the_change_that_was_locked(edit: Edit) -> None:
    assert answers(edit) == BOTH_STEPS


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(
            all_of(
                change("/* it's */ UPDATE  t\n SET id = 1 -- don't; \n WHERE 'a  ;' = \"b\"\n"),
                ran("UPDATE  t\n SET id = 1 -- don't; \n WHERE 'a  ;' = \"b\""),
            ),
            id="comments-and-white-space",
        ),
        pytest.param(
            all_of(change("\ufeff" + APPLY.replace(" ", "\r\n")), ran(APPLY)), id="mark-and-crlf"
        ),
        pytest.param(
            all_of(change(f"{APPLY}{APPLY};\nDELETE FROM t"), ran(*[APPLY] * 7, "DELETE FROM t")),
            id="a-statement-that-is-told-for-each-row",
        ),
        pytest.param(
            all_of(
                change(f"DELETE FROM t;{LONG}{LONG}\nDELETE FROM u;"),
                ran("DELETE FROM t;", CUT, CUT, "DELETE FROM u;"),
            ),
            id="long-statements-are-cut",
        ),
        pytest.param(
            all_of(
                change("EXPLAIN DELETE FROM t WHERE ';' = 1; SELECT 2; DELETE FROM v;EXPLAIN x"),
                ran("SELECT 2;", "DELETE FROM v;"),
            ),
            id="what-only-explains-is-not-told",
        ),
        pytest.param(
            all_of(
                change("CREATE TRIGGER r AFTER DELETE ON t BEGIN DELETE FROM u; END;"),
                ran("CREATE TRIGGER r AFTER DELETE ON t BEGIN DELETE FROM u; END;"),
            ),
            id="a-statement-in-a-statement",
        ),
        pytest.param(all_of(change("UPDATE t SET id = 9;"), ran()), id="no-statement-was-logged"),
        pytest.param(
            all_of(executor("DELETE FROM t;\n.read change.sql\n"), ran("DELETE FROM t", APPLY)),
            id="an-executor-of-another-form",
        ),
    ],
)
def test_a_change_is_not_called_another_one_for_its_form(edit: Edit) -> None:
    assert answers(edit) == set()


def test_an_executor_reads_what_was_locked_and_nothing_else() -> None:
    assert answers(executor(".read other.sql\n")) == {
        ("LOCK_EXECUTOR_DIFFERS", f"{LOCK}#/executor")
    }


# --- what is honest, or claimed only ---


DOCUMENT = {
    "id": "RB-DOC",
    "before_hash": "ABSENT",
    "after_apply_hash": str(sha256(b"# new\n")),
    "after_rollback_hash": "ABSENT",
    "expected_hash": "ABSENT",
    "restored_match": True,
    "production_rollback_status": "NOT_APPLICABLE",
    "states": {"after_apply": "states/new.md"},
}


def from_one_baseline(files: Files) -> None:
    """Add two entries of two changes from one state, which are not of the rehearsal."""
    for number in (1, 2):
        files[f"states/document-{number}.md"] = applied = b"%d\n" % number
        files["states/document-0.md"] = before = b"0\n"
        kept = dict.fromkeys(("before", "after_rollback", "expected"), "states/document-0.md")
        hashes = {f"{name}_hash": str(sha256(before)) for name in kept}
        more = {
            **DOCUMENT,
            **hashes,
            "id": f"RB-DOC-{number}",
            "after_apply_hash": str(sha256(applied)),
            "states": {**kept, "after_apply": f"states/document-{number}.md"},
        }
        added(more)(files)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(
            all_of(whole("states/new.md", "# new\n"), added(DOCUMENT)),
            id="a-document-is-created",
        ),
        pytest.param(from_one_baseline, id="two-changes-from-one-baseline"),
        pytest.param(each_entry(step=None), id="entries-that-name-no-step"),
        pytest.param(each_entry(step=None, states=None), id="entries-that-name-nothing"),
        pytest.param(
            json_of(
                LOCK,
                lambda lock: lock["candidates"].append(
                    {
                        "id": "a-clone-with-secrets",
                        "is_production": False,
                        "allowed": False,
                        "selected": False,
                    }
                ),
            ),
            id="a-candidate-rejected-for-another-reason",
        ),
        pytest.param(
            all_of(
                text(RAW_CODES, "RX-0\t", "step\traw\texpected\tcommand\nRX-0\t"),
                text(WRAPPER_CODES, "RX-0\t", "step\twrapper\nRX-0\t"),
            ),
            id="records-with-a-header",
        ),
        pytest.param(text(RAW_CODES, "\n", "\r\n"), id="records-of-windows"),
        pytest.param(text(COMMANDS, "step RX-3", "  step RX-3"), id="a-call-that-is-indented"),
        pytest.param(
            text(COMMANDS, "rehearse.py proof", "rehearse.py $1"),
            id="a-call-with-a-variable",
        ),
        pytest.param(text(COMMANDS, "step RX", "run RX"), id="no-calls"),
        pytest.param(
            whole("seed.sql", "insert into t values (1),(2),(3);\n"), id="a-seed-of-another-form"
        ),
        pytest.param(
            whole("seed.sql", "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (9);\n"),
            id="a-seed-whose-statements-nobody-logged",
        ),
        pytest.param(by_hand, id="a-seed-whose-statements-were-logged"),
        pytest.param(
            text(
                "seed.sql",
                "INSERT INTO t VALUES (1);\n",
                "INSERT INTO t VALUES (1);\nCREATE TRIGGER r AFTER DELETE ON t BEGIN\n"
                "INSERT INTO u VALUES (1);\nEND;\nDELETE FROM sqlite_sequence;\n",
            ),
            id="a-seed-with-a-trigger",
        ),
        pytest.param(
            all_of(
                whole("inputs.txt", f"{ADDENDUM}\n"),
                json_of(ADDENDUM, lambda file: file.update(lane="before")),
            ),
            id="an-input-of-the-lane-before",
        ),
        pytest.param(lambda files: files.pop("plan.json"), id="no-plan"),
        pytest.param(whole("plan.json", "[]\n"), id="a-plan-of-another-form"),
    ],
)
def test_what_is_honest_gives_no_finding(edit: Edit) -> None:
    assert answers(edit) == set()


def test_a_state_of_another_form_has_rows_that_are_claimed_only() -> None:
    copied = b"COPY t (id) FROM stdin;\n1\n2\n3\n\\.\n"
    known = levels(
        lambda files: files.update({"states/txn-before.sql": copied})  # and its digest is wrong
    )
    assert known[entry(0, "rows_before")] == "claimed only"
    assert known[step(3, "rows/before")] == "claimed only"


def test_a_check_that_nobody_printed_is_claimed_only_and_so_is_the_verdict() -> None:
    known = levels(json_of(LOCK, lambda lock: lock["isolation"].update(network_cut=True)))
    assert known[f"{LOCK}#/isolation/network_cut"] == "claimed only"
    assert known[f"{LOCK}#/isolation/folder_was_empty"] == "recomputed"
    assert known[f"{LOCK}#/verdict"] == "claimed only"
    assert levels(unedited)[f"{LOCK}#/verdict"] == "recomputed"


def test_commands_sh_recomputes_what_no_record_tells() -> None:
    known = levels(lambda files: (files.pop(RAW_CODES), files.pop(WRAPPER_CODES)))
    assert known[step(1, "raw_exit_code")] == "claimed only"
    assert known[step(1, "expected_exit_code")] == "recomputed"
    assert known[step(1, "command")] == "recomputed"


def test_the_lane_of_each_file_is_that_of_the_plan() -> None:
    known = levels(unedited)
    assert known[f"{PROOF}#/lane"] == "recomputed"
    assert levels(lambda files: files.pop("plan.json"))[f"{PROOF}#/lane"] == "claimed only"
    assert plan(samples.evidence()) == {}
