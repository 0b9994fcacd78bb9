"""Evidence says what the other bytes of its packet give, or it is a finding (spec 2.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import rewriting
from generator.evidence import FILES, actions, kinds, samples
from generator.evidence.base import (
    ABSENT,
    Evidence,
    HashKind,
    findings,
    gather,
    hash_kind,
    same_hash,
)
from generator.evidence.rehearsal_log import FILE as LOG
from generator.evidence.rollback_proof import FILE as PROOF
from generator.model.claims import count_claims
from generator.model.digest import sha256
from generator.model.finding import Finding
from generator.reading import strictjson
from generator.reading.lane import lane_source, read_lane
from generator.rules.evidence import EVIDENCE_RULES, judge, judge_and_count
from tests.folders import lane, only, verify

PACKETS = Path(__file__).resolve().parents[1] / "packets"
SEALED = PACKETS / "clone-rehearsal-sqlite"


def found(evidence: Evidence) -> list[tuple[str, str]]:
    """Return code and place of everything that is wrong."""
    errors: list[Any] = []
    _, answers = judge(evidence, errors)
    assert errors == []
    return [(finding.code, finding.where) for finding in answers]


def codes(evidence: Evidence) -> set[str]:
    return {code for code, _ in found(evidence)}


def files() -> dict[str, bytes]:
    """Return every file of the sound sample."""
    return {
        path: entry.content
        for path, entry in samples.evidence().entries.items()
        if entry.content is not None
    }


# --- the kinds ---


def test_the_names_that_are_looked_for_are_those_of_the_kinds() -> None:
    assert {kind.file for kind in kinds.KINDS} == FILES
    assert set(kinds.SAMPLES) == FILES


def test_the_sound_sample_holds_every_kind_and_gives_no_finding() -> None:
    evidence = samples.evidence()
    assert set(evidence.models) == FILES
    assert found(evidence) == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [(rule, code) for rule in EVIDENCE_RULES for code in rule.codes],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_control_is_answered_by_its_code_at_a_place_in_the_packet(rule: Any, code: str) -> None:
    answers: list[Finding] = list(rule.check(rule.controls[code]()))
    assert {finding.code for finding in answers} == {code}
    for finding in answers:
        path = finding.where.split("#")[0].split(":")[0]
        assert path == "actions.jsonl" or path.endswith((".json", ".txt", ".tsv"))
        assert finding.message.endswith(".")
        assert "\n" not in finding.message


# --- the form ---


def changed(path: str, **members: object) -> Evidence:
    return samples.changed(path, {(key,): value for key, value in members.items()})


@pytest.mark.parametrize(
    ("content", "where"),
    [
        pytest.param(b"[]", PROOF, id="another-type"),
        pytest.param(b'{"lane": "sample"}', PROOF, id="a-key-that-must-be-there"),
        pytest.param(b'{"entries": {}}', f"{PROOF}#/entries", id="an-object-for-a-list"),
        pytest.param(b'{"entries": [{"id": 1}]}', f"{PROOF}#/entries/0/id", id="deep-inside"),
        pytest.param(
            b'{"entries": [], "entry_count": 0.0}', f"{PROOF}#/entry_count", id="fraction"
        ),
        pytest.param(
            b'{"entries": [], "entry_count": true}', f"{PROOF}#/entry_count", id="boolean"
        ),
        pytest.param(b'{"entries": [], "entry_count": "0"}', f"{PROOF}#/entry_count", id="text"),
    ],
)
def test_evidence_of_a_wrong_type_is_named_with_its_place(content: bytes, where: str) -> None:
    evidence = samples.evidence({PROOF: content})
    assert ("EV-TYPE", where) in found(evidence)
    assert PROOF not in evidence.models


def test_an_unknown_version_of_a_schema_is_not_read_as_the_known_one() -> None:
    known = kinds.BY_FILE[PROOF].schema
    assert known == "lanebook/rollback-recovery-proof/1"
    assert found(changed(PROOF, schema=known)) == []
    evidence = changed(PROOF, schema="lanebook/rollback-recovery-proof/2")
    assert ("EV-SCHEMA", f"{PROOF}#/schema") in found(evidence)
    assert PROOF not in evidence.models


def test_an_unknown_key_is_a_note_and_the_rest_is_judged_all_the_same() -> None:
    evidence = samples.changed(
        PROOF,
        {("approved",): True, ("entries", 1, "by/whom~"): "x", ("entries", 1, "rows_before"): 9},
    )
    assert found(evidence) == [
        ("EV-KEY-UNKNOWN", f"{PROOF}#/entries/1/by~1whom~0"),
        ("EV-KEY-UNKNOWN", f"{PROOF}#/approved"),
        ("ROLLBACK_ROWS_DIFFER", f"{PROOF}#/entries/1/rows_before"),
    ]
    _, answers = judge(evidence, [])
    assert [finding.refutes for finding in answers] == [False, False, True]


def test_what_is_no_strict_json_has_its_own_finding_and_is_not_read(tmp_path: Path) -> None:
    twice = files()[PROOF].replace(b'"entry_count": 2,', b'"entry_count": 2, "entry_count": 2,')
    lane(tmp_path, files={**files(), PROOF: twice})
    given = verify(tmp_path)
    assert given.codes == ["JSON-REPEATED-KEY"]


@pytest.mark.parametrize("missing", ["actions.jsonl", "rehearsal-target-lock.json"])
def test_required_evidence_that_is_missing_is_named(missing: str) -> None:
    assert codes(samples.evidence({missing: None})) >= {"EV-MISSING"}


def test_a_state_file_that_is_absent_is_named_with_the_fact_that_leans_on_it() -> None:
    evidence = samples.evidence({"states/txn-before.sql": None})
    assert ("ROLLBACK_STATE_MISSING", f"{PROOF}#/entries/0/before_hash") in found(evidence)


# --- the three kinds of hash value ---


def test_the_three_kinds_of_hash_value_never_compare_equal() -> None:
    digest = str(sha256(b""))
    values = (digest, ABSENT, "N/A_NO_CLONE")
    assert [hash_kind(value) for value in values] == [
        HashKind.DIGEST,
        HashKind.ABSENT,
        HashKind.NOT_APPLICABLE,
    ]
    for first in values:
        for second in values:
            # what is not applied proves nothing, not even against itself
            assert same_hash(first, second) is (first == second and first != "N/A_NO_CLONE")
    for value in ("", "N/A_", "absent", digest.upper(), digest[:12] + "…"):
        assert hash_kind(value) is None
        assert not same_hash(value, value)


def test_a_document_that_is_created_goes_from_absent_to_absent() -> None:
    new = str(samples.state("states/txn-after-apply.sql"))
    entry: dict[str, Any] = {
        "id": "RB-DOC",
        "before_hash": ABSENT,
        "after_apply_hash": new,
        "after_rollback_hash": ABSENT,
        "expected_hash": ABSENT,
        "restored_match": True,
        "production_rollback_status": "NOT_APPLICABLE",
        "states": {"after_apply": "states/txn-after-apply.sql"},
    }
    proof: Any = kinds.SAMPLES[PROOF]()
    proof |= {"entry_count": 3, "entries": [*proof["entries"], entry]}
    assert found(samples.evidence_of(PROOF, proof)) == []
    entry["after_apply_hash"] = ABSENT
    entry["states"] = {}
    assert codes(samples.evidence_of(PROOF, proof)) == {"ROLLBACK_APPLY_DID_NOT_MUTATE"}


def test_what_was_not_applied_is_never_restored() -> None:
    entry = {
        "id": "RB-NONE",
        **dict.fromkeys(
            ("before_hash", "after_apply_hash", "after_rollback_hash", "expected_hash"),
            "N/A_NO_CLONE",
        ),
        "restored_match": False,
        "production_rollback_status": "NOT_APPLICABLE",
    }
    proof: Any = kinds.SAMPLES[PROOF]()
    proof |= {"entry_count": 3, "entries": [*proof["entries"], entry]}
    assert found(samples.evidence_of(PROOF, proof)) == []
    entry["restored_match"] = True
    assert codes(samples.evidence_of(PROOF, proof)) == {"ROLLBACK_MATCH_FLAG_WRONG"}


# --- levels ---


@pytest.mark.parametrize(
    ("log", "level"),
    [
        pytest.param({}, "recomputed", id="the-log-names-the-states"),
        pytest.param({"states": {}, "rows": {}}, "claimed only", id="nothing-names-them"),
    ],
)
def test_a_hash_without_its_bytes_is_claimed_only_and_so_is_what_follows_from_it(
    log: dict[str, Any], level: str
) -> None:
    proof: Any = kinds.SAMPLES[PROOF]()
    for entry in proof["entries"]:
        del entry["states"]
    steps: Any = kinds.SAMPLES[LOG]()
    steps["steps"] = [{**step, **log} for step in steps["steps"]]
    silent = {f"outputs/RX-{number}.txt": b"" for number in (0, 2, 3, 4) if log}
    lies = {PROOF: samples.encoded(proof), LOG: samples.encoded(steps)}
    claims, answers = judge(samples.evidence({**lies, **silent}), [])
    known = {claim.where: str(claim.level) for claim in claims if claim.where.startswith(PROOF)}
    assert [finding.code for finding in answers] == []
    for name in ("before_hash", "expected_hash", "rows_before", "restored_match"):
        assert known[f"{PROOF}#/entries/0/{name}"] == level


def test_the_ledger_of_a_lane_tells_every_fact_of_its_evidence(tmp_path: Path) -> None:
    lane(tmp_path, files=files())
    given = only(verify(tmp_path))
    claims = {claim["id"]: claim for claim in given["claims"]}
    fact = claims[f"evidence/{PROOF}#/entries/0/rows_after_apply"]
    assert (fact["stated"], fact["recomputed"], fact["agreement"], fact["level"]) == (
        "4",
        "4",
        "agrees",
        "recomputed",
    )
    assert fact["against"] == "evidence/states/txn-after-apply.sql"
    status = claims[f"evidence/{PROOF}#/entries/0/production_rollback_status"]
    # only one value is allowed, and no bytes give it
    assert (status["level"], status["recomputed"], status["against"]) == ("claimed only", None, "")
    assert (given["outcome"], given["findings"]) == ("pass", [])


def test_an_editor_who_mends_every_hash_is_found_out(tmp_path: Path) -> None:
    """The bytes fit each other to the last digest, and are not true."""
    edited = json.loads(files()["rehearsal-log.json"])
    edited["steps"][2]["rows"]["read_1"] = 7
    lane(tmp_path, files={**files(), "rehearsal-log.json": json.dumps(edited).encode()})
    given = verify(tmp_path)
    assert given.code == 1
    assert [(one["code"], one["where"]) for one in only(given)["findings"]] == [
        ("LOG_ROWS_DIFFER", "evidence/rehearsal-log.json#/steps/2/rows/read_1")
    ]


# --- rows ---


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        pytest.param(b"", 0, id="empty"),
        pytest.param(b"INSERT INTO t VALUES (1);\n", 1, id="first-line"),
        pytest.param(b"-- x\nINSERT INTO t VALUES ('INSERT INTO u');\n", 1, id="in-a-value"),
        pytest.param(b"INSERT INTO t VALUES ('a), (b');\n", 1, id="two-in-a-value"),
        pytest.param(b"CREATE TABLE t (a, CHECK (a), (b));\n", 0, id="two-in-another-line"),
        pytest.param(b"INSERT INTO t VALUES (1)", None, id="no-end"),
        pytest.param(b" INSERT INTO t VALUES (1);\n", None, id="indented"),
        pytest.param(b"-- x\ninsert into t values (1);\n", None, id="lower-case"),
        pytest.param(b"INSERT INTO t VALUES (1),(2);\n", None, id="two-in-a-line"),
        pytest.param(b"INSERT INTO t VALUES\n (1),\n (2);\n", None, id="a-row-on-its-own-line"),
        pytest.param(b"COPY t (a) FROM stdin;\n1\n\\.\n", None, id="copied"),
    ],
)
def test_rows_are_the_lines_that_insert_one_where_no_other_line_does(
    content: bytes, rows: int | None
) -> None:
    assert samples.evidence({"states/x.sql": content}).rows("states/x.sql") == rows


def test_rows_of_another_form_are_not_counted() -> None:
    evidence = samples.evidence({"states/x.bin": b"INSERT INTO t VALUES (1);\n"})
    assert evidence.rows("states/x.bin") is None
    assert evidence.rows("states/absent.sql") is None


# --- the action log ---


def test_lines_that_are_no_action_are_numbered() -> None:
    content = samples.FILES["actions.jsonl"] + b'\n{"step": 1}\n'
    log = actions.read(samples.evidence({"actions.jsonl": content}))
    assert log is not None
    lines = len(samples.ACTIONS)
    # a blank line hides nothing
    assert (len(log.actions), log.broken) == (lines, (lines + 2,))


# --- hostile content ---


def test_hostile_text_in_evidence_is_one_safe_line() -> None:
    hostile = "\x1b[2J\u202e<script>\n"
    evidence = samples.changed("forbidden-surface-proof.json", {("surfaces", 0, "state"): hostile})
    _, answers = judge(evidence, [])
    for finding in answers:
        for field in finding[:5]:
            assert "\x1b" not in field
            assert "\n" not in field
            assert "\u202e" not in field
    assert [finding.code for finding in answers] == ["SURFACE_STATE"]


def test_numbers_of_any_length_are_no_crash() -> None:
    for number in (10**30, -1, 2**63):
        assert codes(changed(PROOF, entry_count=number)) == {"ROLLBACK_COUNT_WRONG"}


# --- whole packets ---


@pytest.mark.parametrize("sealed", rewriting.sealed_lanes(), ids=lambda path: path.name)
def test_the_lanes_of_this_project_give_no_finding(sealed: Path) -> None:
    assert not rewriting.refuted(sealed)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        pytest.param("clone-rehearsal-sqlite", ("JSON", "text"), id="json-and-texts"),
        pytest.param("registry-column-rehearsal", ("JSON",), id="json-with-probes"),
    ],
)
def test_nearly_every_rewrite_of_a_fact_is_found_out(
    name: str, groups: tuple[str, ...], tmp_path: Path
) -> None:
    scores = rewriting.score(PACKETS / name, tmp_path, groups)
    missed = [line for score in scores.values() for line in score.missed]
    total = sum(score.total for score in scores.values())
    assert total > 200
    assert len(missed) <= (1 - rewriting.TARGET) * total, missed


def test_a_fact_can_be_rewritten_everywhere_at_once() -> None:
    files = {
        "a.json": b'{"proven": true, "rows": 12, "step": "RX-3", "other": true}\n',
        "outputs/a.txt": b"proven true\nrows=12 of 120\n",
        "actions.jsonl": b'{"step": "RX-3", "proven": false}\n',
    }
    made = [(one.stated, one.written, one.files) for one in rewriting.together(files)]
    assert made == [
        (
            "12",
            "13",
            {
                "a.json": b'{"proven": true, "rows": 13, "step": "RX-3", "other": true}\n',
                "outputs/a.txt": b"proven true\nrows=13 of 120\n",
            },
        ),
        (
            "3",
            "4",
            {
                "a.json": b'{"proven": true, "rows": 12, "step": "RX-4", "other": true}\n',
                "actions.jsonl": b'{"step": "RX-4", "proven": false}\n',
            },
        ),
        (
            "proven",
            "the opposite",
            {
                "a.json": b'{"proven": false, "rows": 12, "step": "RX-3", "other": true}\n',
                "outputs/a.txt": b"proven false\nrows=12 of 120\n",
                "actions.jsonl": b'{"step": "RX-3", "proven": true}\n',
            },
        ),
    ]


def test_every_sort_of_text_is_rewritten() -> None:
    made = rewriting.rewrites(SEALED / "evidence")
    texts = {(group, one.path) for group, one in made if group in ("actions", "inputs")}
    assert texts == {("actions", "actions.jsonl"), ("inputs", "change.sql"), ("inputs", "seed.sql")}


def test_mending_leaves_a_packet_that_every_checksum_tool_takes(tmp_path: Path) -> None:
    copied = tmp_path / SEALED.name
    path = "rollback-recovery-proof.json"
    rewrites = list(rewriting.in_json(path, (SEALED / "evidence" / path).read_bytes()))
    flag = next(one for one in rewrites if one.place.endswith("restored_match"))
    rewriting.Editor(SEALED, copied).write(flag)
    given = verify(copied)
    assert given.code == 1
    # nothing is wrong with any hash: what is found is that the flag is not true, and that the lane
    # before stands elsewhere
    assert given.codes == ["LANE-PREVIOUS", "ROLLBACK_MATCH_FLAG_WRONG"]


def test_gathering_needs_no_packet_to_be_sound() -> None:
    packet = samples.packet_of({"rehearsal-log.json": b"{"})
    assert gather(packet, kinds.KINDS, {}).models == {}
    assert [row.code for row in gather(packet, kinds.KINDS, {}).damaged] == ["EV-TYPE"]
    assert list(findings(())) == []


@pytest.mark.parametrize("rule", EVIDENCE_RULES, ids=lambda rule: rule.name)
def test_counting_facts_finds_what_telling_them_finds(rule: Any) -> None:
    for make in (rule.sound, *rule.controls.values()):
        told_errors: list[Any] = []
        errors: list[Any] = []
        claims, told = judge(make(), told_errors)
        assert judge_and_count(make(), errors) == (count_claims(claims), told)
        assert errors == told_errors
        # what was counted is not kept for those who read it
        assert judge(make(), []) == (claims, told)


@pytest.mark.parametrize("folder", rewriting.sealed_lanes(), ids=lambda folder: folder.name)
def test_what_was_decoded_before_is_what_the_bytes_say(folder: Path) -> None:
    packet = read_lane(lane_source(folder, folder.name, folder.name)).packet
    assert packet is not None
    contents = {
        entry.path: entry.content
        for entry in packet.entries
        if entry.content is not None and entry.path.endswith(".json")
    }
    values = {path: strictjson.certainly(data)[1] for path, data in contents.items()}
    assert strictjson.LOST not in values.values()
    assert values == {path: json.loads(data) for path, data in contents.items()}
    fresh, kept = (gather(packet, kinds.KINDS, {}, frozenset(), one) for one in ({}, values))
    assert fresh == kept
    assert judge(fresh, []) == judge(kept, [])


def test_what_is_wrong_is_told_by_the_bytes_though_they_were_decoded_before() -> None:
    for value in ({"steps": "none"}, {"steps": [], "approved": True}, {"steps": [], "schema": "x"}):
        data = json.dumps(value).encode()
        packet = samples.packet_of({LOG: data})
        kept = gather(packet, kinds.KINDS, {}, frozenset(), {LOG: value})
        assert kept == gather(packet, kinds.KINDS, {})
        assert kept.damaged
