"""Lies about the validator, the probes and the blockers that other bytes of the packet refute."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from generator.evidence import (
    bad_input_probes,
    blocker_map,
    delegation_lock,
    post_review,
    rehearsal_log,
    rollback_proof,
    samples,
    validator_result,
)
from generator.evidence.base import Evidence, EvidenceKind
from generator.gate.tokens import leaked_line, may_hold
from generator.ledger import Row

RESULT = validator_result.FILE
PROBES = bad_input_probes.FILE
BLOCKERS = blocker_map.FILE
SELFTEST, PROOF_RUN, CONTROL_RUN = "outputs/RX-7.txt", "outputs/RX-8.txt", "outputs/RX-9.txt"
GOOD = b"good proof: no code\n"
CONTROL = b"control ROLLBACK_NO_ENTRY answered ROLLBACK_NO_ENTRY\n"
STATE = samples.state("states/other.sql")
PIN = samples.state("rollback_check.py")
OTHER_PIN = samples.state("change.sql")


def found(kind: EvidenceKind, evidence: Evidence) -> list[tuple[str, str]]:
    """Return code and place of all that one kind finds."""
    return [(row.code, row.claim.where) for row in kind.rows(evidence) if row.code]


def levels(kind: EvidenceKind, evidence: Evidence, where: str) -> set[str]:
    rows: list[Row] = list(kind.rows(evidence))
    return {row.claim.level.value for row in rows if row.claim.where == where}


def result(
    changes: Mapping[Any, object],
    files: Mapping[str, bytes] | None = None,
    steps: Mapping[Any, object] | None = None,
) -> Evidence:
    """Return the sample with another validator result, files around it and steps."""
    changed = {RESULT: changes}
    if steps:
        changed[rehearsal_log.FILE] = {("steps", *at): value for at, value in steps.items()}
    return samples.changed_together(changed, files)


def plan(file: str, digest: str) -> dict[str, bytes]:
    return {"plan.json": samples.encoded({"validator": {"file": file, "sha256": digest}})}


# --- the validator's result ---

READY = {("overall",): "PASS_VALIDATOR_READY"}
CODES: tuple[str, ...] = ("lane_proof", "codes")


@pytest.mark.parametrize(
    ("evidence", "answers"),
    [
        pytest.param(
            result(
                {
                    **READY,
                    ("lane_proof", "pass"): False,
                    CODES: ["ROLLBACK_NOT_RESTORED"],
                },
                {PROOF_RUN: b"RB-SQL-TXN ROLLBACK_NOT_RESTORED\n"},
                {(8, "raw_exit_code"): 1, (8, "expected_exit_code"): 1},
            ),
            [("VALIDATOR_FAILED", f"{RESULT}#/lane_proof/pass")],
            id="a-run-failed-and-overall-has-a-word-of-its-own",
        ),
        pytest.param(
            result(
                {
                    **READY,
                    ("negative_controls", 0, "answered_codes"): [],
                    ("negative_controls", 0, "fails_closed"): False,
                },
                {SELFTEST: GOOD + b"control ROLLBACK_NO_ENTRY answered\n"},
            ),
            [
                ("VALIDATOR_OUTPUT", f"{RESULT}#/selftest/pass"),
                ("VALIDATOR_FAILED", f"{RESULT}#/negative_controls/0/fails_closed"),
            ],
            id="a-control-is-answered-by-nothing",
        ),
        pytest.param(
            result({}, {SELFTEST: b"good proof: NOT SILENT\n" + CONTROL}),
            [("VALIDATOR_OUTPUT", f"{RESULT}#/selftest/pass")],
            id="not-silent-on-a-good-proof",
        ),
        pytest.param(
            result({}, {PROOF_RUN: b"RB-SQL-TXN ROLLBACK_NOT_RESTORED\n"}),
            [("VALIDATOR_OUTPUT", f"{RESULT}#/lane_proof/codes")],
            id="a-printed-code-that-is-not-stated",
        ),
        pytest.param(
            result({CODES: ["ROLLBACK_NO_ENTRY"]}),
            [("VALIDATOR_OUTPUT", f"{RESULT}#/lane_proof/codes")],
            id="a-stated-code-that-was-not-printed",
        ),
        pytest.param(
            result({}, {SELFTEST: b""}),
            [("VALIDATOR_OUTPUT", f"{RESULT}#/negative_controls")],
            id="no-control-was-printed",
        ),
        pytest.param(
            result({}, {CONTROL_RUN: b""}),
            [("VALIDATOR_OUTPUT", f"{RESULT}#/lane_control/answered_codes")],
            id="the-control-printed-nothing",
        ),
        pytest.param(
            result(
                {
                    ("lane_control", "expected_code"): "ROLLBACK_NO_ENTRY",
                    ("lane_control", "answered_codes"): ["ROLLBACK_NO_ENTRY"],
                },
                {CONTROL_RUN: b"- ROLLBACK_NO_ENTRY\n"},
            ),
            [("VALIDATOR_CONTROL", f"{RESULT}#/lane_control/expected_code")],
            id="the-control-was-another-one",
        ),
        pytest.param(
            result(
                {
                    ("validator",): "change.sql",
                    ("validator_sha256",): OTHER_PIN,
                    ("pinned_sha256",): OTHER_PIN,
                }
            ),
            [("VALIDATOR_DIFFERS", f"{RESULT}#/validator")] * 3,
            id="another-file-than-the-commands-name",
        ),
        pytest.param(
            result({}, plan("change.sql", OTHER_PIN)),
            [
                ("VALIDATOR_DIFFERS", f"{RESULT}#/validator"),
                ("VALIDATOR_PIN_DIFFERS", f"{RESULT}#/pinned_sha256"),
            ],
            id="another-file-than-the-plan-names",
        ),
        pytest.param(
            result({}, plan("gone.py", PIN)),
            [
                ("VALIDATOR_DIFFERS", f"{RESULT}#/validator"),
                ("VALIDATOR_DIFFERS", "plan.json#/validator/file"),
            ],
            id="the-planned-validator-is-gone",
        ),
        pytest.param(
            result({("lane_proof", "proof"): "change.sql"}),
            [("VALIDATOR_PROOF", f"{RESULT}#/lane_proof/proof")],
            id="another-proof",
        ),
        pytest.param(
            samples.evidence({rehearsal_log.FILE: None, rollback_proof.FILE: None}),
            [
                ("VALIDATOR_STEP", f"{RESULT}#/selftest/step"),
                ("VALIDATOR_STEP", f"{RESULT}#/lane_proof/step"),
                ("VALIDATOR_PROOF", f"{RESULT}#/lane_proof/proof"),
                ("VALIDATOR_STEP", f"{RESULT}#/lane_control/step"),
            ],
            id="log-and-proof-are-gone",
        ),
    ],
)
def test_the_result_says_what_ran_and_what_it_printed(
    evidence: Evidence, answers: list[tuple[str, str]]
) -> None:
    assert found(validator_result.KIND, evidence) == answers


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param([("selftest",)], id="selftest"),
        pytest.param([("lane_proof",)], id="lane-proof"),
        pytest.param([("selftest", "step")], id="step-of-the-selftest"),
        pytest.param([("lane_control", "step")], id="step-of-the-control"),
        pytest.param([("pinned_sha256",)], id="pin"),
        pytest.param([("validator",)], id="validator"),
        pytest.param(
            [("selftest",), ("lane_proof",), ("control_count",), ("negative_controls",)],
            id="all-but-the-lane-control",
        ),
    ],
)
def test_an_overall_pass_that_lacks_a_part_is_claimed_only(gone: list[tuple[str, ...]]) -> None:
    whole, part = samples.evidence(), result(dict.fromkeys(gone, samples.DELETED))
    where = f"{RESULT}#/overall"
    assert found(validator_result.KIND, part) == []
    assert levels(validator_result.KIND, whole, where) == {"recomputed"}
    assert levels(validator_result.KIND, part, where) == {"claimed only"}


def test_answers_that_nothing_confirms_make_no_control_recomputed() -> None:
    evidence = result({("selftest", "step"): samples.DELETED})
    where = f"{RESULT}#/negative_controls/0/fails_closed"
    assert levels(validator_result.KIND, samples.evidence(), where) == {"recomputed"}
    assert levels(validator_result.KIND, evidence, where) == {"claimed only"}


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(
            result(
                {}, {CONTROL_RUN: b"checking proof\nRB-SQL-TXN ROLLBACK_APPLY_DID_NOT_MUTATE\n"}
            ),
            id="two-words-that-are-no-code",
        ),
        pytest.param(
            result({}, {SELFTEST: b"ROLLBACK_NO_ENTRY: rejected by its code\n"}),
            id="controls-printed-in-another-form",
        ),
        pytest.param(
            samples.evidence_of(RESULT, {"overall": "PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED"}),
            id="nothing-but-a-word",
        ),
        pytest.param(result({}, plan("rollback_check.py", PIN)), id="as-planned"),
        pytest.param(
            result({}, {"plan.json": samples.encoded({"validator": "rollback_check.py"})}),
            id="a-plan-of-another-form",
        ),
        pytest.param(
            result({}, None, {(7, "command"): "make selftest"}), id="a-command-that-names-no-file"
        ),
    ],
)
def test_an_honest_result_gives_no_finding(evidence: Evidence) -> None:
    assert found(validator_result.KIND, evidence) == []


# --- the probes ---


def probes(change: Callable[[dict[str, Any]], object]) -> Evidence:
    content = copy.deepcopy(bad_input_probes.sample())
    change(content)
    return samples.evidence_of(PROBES, content)


def drop(content: dict[str, Any], at: int = 3) -> None:
    """Take a probe out, and correct every list and count."""
    gone = content["probes"].pop(at)
    content["classes"].remove(gone["class"])
    content["emitted"].remove(gone["reject_code"])
    content.update(probe_count=32, fail_closed_count=32)


def drop_and_rewrite(content: dict[str, Any]) -> None:
    drop(content)
    content["probes"][1]["request"]["rollback"]["after_apply_hash"] = STATE


def ask_more(content: dict[str, Any]) -> None:
    """Put one more request of a class to the gate."""
    more = copy.deepcopy(content["probes"][1])
    more["id"] = "B34"
    more["request"]["rollback"]["after_apply_hash"] = STATE
    content["probes"].append(more)
    content["classes"].append(more["class"])
    content.update(probe_count=34, fail_closed_count=34)


@pytest.mark.parametrize(
    ("change", "answers"),
    [
        pytest.param(
            drop, [("PROBES_CLASSES_DIFFER", f"{PROBES}#/probes")], id="a-class-is-not-probed"
        ),
        pytest.param(
            drop_and_rewrite,
            [
                ("PROBES_REQUEST_DIFFERS", f"{PROBES}#/probes/1/request"),
                ("PROBES_CLASSES_DIFFER", f"{PROBES}#/probes"),
            ],
            id="and-a-request-is-another",
        ),
        pytest.param(ask_more, [], id="more-is-asked"),
    ],
)
def test_the_gates_own_probes_are_all_there(
    change: Callable[[dict[str, Any]], object], answers: list[tuple[str, str]]
) -> None:
    assert found(bad_input_probes.KIND, probes(change)) == answers


LEAK = "PROBES_TOKEN_LEAKED"
FLAG = ("PROBES_SUMMARY_WRONG", f"{PROBES}#/forbidden_token_leaked")


@pytest.mark.parametrize(
    ("evidence", "answers"),
    [
        pytest.param(
            samples.evidence({PROOF_RUN: b"PRODUCTION_REAL_RUN_PASS\n"}),
            [(LEAK, f"{PROOF_RUN}:1"), FLAG],
            id="printed",
        ),
        pytest.param(
            samples.evidence({PROOF_RUN: b"done\nverdict: it is CUTOVER_PASS\n"}),
            [(LEAK, f"{PROOF_RUN}:2"), FLAG],
            id="printed-as-a-verdict",
        ),
        pytest.param(
            samples.evidence({"plan.json": b'{"status": "PRODUCTION_PASS"}'}),
            [(LEAK, "plan.json#/status"), FLAG],
            id="in-the-plan",
        ),
        pytest.param(
            samples.changed(RESULT, {("overall",): "PRODUCTION_CUTOVER_PASS"}),
            [(LEAK, f"{RESULT}#/overall"), FLAG],
            id="overall",
        ),
        pytest.param(
            samples.evidence({"plan.json": b'{"status": "PRODUCTION_P\\u0410SS"}'}),
            [(LEAK, "plan.json#/status"), FLAG],
            id="a-letter-that-looks-alike",
        ),
        pytest.param(
            samples.evidence({PROBES: None, PROOF_RUN: b"X_GRANTED\n"}),
            [(LEAK, f"{PROOF_RUN}:1")],
            id="without-probes",
        ),
        pytest.param(
            samples.changed(post_review.FILE, {("reviews", 0, "check"): "T2_REVIEW_PASS"}),
            [],
            id="a-review-is-quoted",
        ),
        pytest.param(
            samples.changed(
                delegation_lock.FILE, {("does_not_authorize",): ["QT001_APPLY", "CUTOVER_PASS"]}
            ),
            [],
            id="what-is-not-authorised",
        ),
        pytest.param(
            samples.evidence({PROOF_RUN: b"no PRODUCTION_PASS is emitted here\n"}),
            [],
            id="spoken-of",
        ),
        pytest.param(
            samples.evidence({"README.txt": b"PRODUCTION_PASS\n"}), [], id="no-machine-output"
        ),
    ],
)
def test_a_token_is_looked_for_in_all_that_the_programs_wrote(
    evidence: Evidence, answers: list[tuple[str, str]]
) -> None:
    assert found(bad_input_probes.KIND, evidence) == answers


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("PRODUCTION_PASS", ["PRODUCTION_PASS"]),
        ("RB-SQL-TXN CUTOVER_PASS", ["CUTOVER_PASS"]),
        ("OVERALL: X_GRANTED", ["X_GRANTED"]),
        ("status=QT001_DONE", ["QT001_DONE"]),
        ("request: PRODUCTION_PASS", []),
        ("rejected: PRODUCTION_PASS", []),
        ("class PRODUCTION_PASS", []),
        ("the gate knows PRODUCTION_PASS well", []),
        ("OVERALL PASS", []),
        ("", []),
    ],
)
def test_a_printed_line_is_a_word_or_a_key_and_its_value(line: str, tokens: list[str]) -> None:
    assert leaked_line(line) == tokens
    assert not tokens or may_hold(line.encode())


# --- the blockers ---


def closed_by(
    *paths: str, files: Mapping[str, bytes | None] | None = None
) -> list[tuple[str, str]]:
    evidence = samples.changed(BLOCKERS, {("blockers", 2, "evidence"): list(paths)})
    content = evidence.content(BLOCKERS)
    assert content is not None
    return found(blocker_map.KIND, samples.evidence({BLOCKERS: content, **(files or {})}))


BARE = [("BLOCKER_MAP_CLOSED_BARE", f"{BLOCKERS}#/blockers/2/evidence")]


@pytest.mark.parametrize(
    ("paths", "answers"),
    [
        pytest.param(["change.sql"], BARE, id="script"),
        pytest.param(["rollback_check.py"], BARE, id="program"),
        pytest.param(["states/txn-before.sql", BLOCKERS], BARE, id="state-and-map"),
        pytest.param(["plan.json"], BARE, id="input"),
        pytest.param(["change.sql", "rollback-recovery-proof.json"], [], id="proof-beside-it"),
        pytest.param([PROBES], [], id="evidence-that-was-given"),
        pytest.param(["outputs/RX-8.txt"], [], id="output"),
    ],
)
def test_what_went_into_a_rehearsal_closes_nothing(
    paths: list[str], answers: list[tuple[str, str]]
) -> None:
    given = {"inputs.txt": f"{PROBES}\nplan.json\n".encode(), "plan.json": b"{}"}
    assert closed_by(*paths, files=given) == answers
