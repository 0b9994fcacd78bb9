"""What documents of a lane state that cannot all be so, and what only reads differently."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.contradictions.clash import near
from generator.model.lane import Lane, LaneMeta
from generator.reading.documents import read_document
from generator.rules.context import InLane
from generator.rules.contradictions import CODES, NOTES, SOUND, check, damaged
from tests.folders import run, within, write

SEEDS = Path(__file__).resolve().parents[2] / "shared" / "seeds"
GOLDEN = Path(__file__).with_name("seed_findings.yml")
TITLE = "# Sample lane report (2026-06-12)\n\n"
HASH = "e6547e6935cb01aae5feb405899c97107f1990ff3e2f7e6b9157828a90956c47"


class Told(NamedTuple):
    """A finding without its words."""

    code: str
    stated: str
    computed: str


def found(*texts: str, **named: str) -> list[Told]:
    """Return what contradicts itself in documents: texts, or named ones such as ``report_json``."""
    documents = {f"document-{at}.md": text for at, text in enumerate(texts)}
    documents |= {name.replace("_", ".", 1): text for name, text in named.items()}
    lane = Lane(
        id="sample",
        folder="packets/sample",
        meta=LaneMeta(id="sample"),
        packet=None,
        documents=tuple(read_document(name, text.encode()) for name, text in documents.items()),
    )
    return [
        Told(finding.code, finding.stated, finding.computed)
        for finding in check(InLane.of(lane))
        if finding.refutes
    ]


def test_the_sound_lane_is_silent_and_each_damage_is_told() -> None:
    assert found(**{name.replace(".", "_"): text for name, text in SOUND.items()}) == []
    for code in CODES:
        documents = {name.replace(".", "_"): text for name, text in damaged(code).items()}
        told = {one.code for one in found(**documents)}
        assert told == (set() if code in NOTES else {code}), code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "7/7 drift classes fail closed.\n\nThe 6 drift classes were run.\n",
            Told("CON-COUNT", "6 drift classes", "7/7 drift classes (document-0.md:3)"),
            id="two-counts",
        ),
        pytest.param(
            "All 4 required classes of bad-input probes (a x, b x, c x) were put.\n",
            Told(
                "CON-LIST",
                "All 4 bad-input probes",
                "3 listed (document-0.md:3)",
            ),
            id="list-in-brackets",
        ),
        pytest.param(
            "13/13 forbidden surfaces\n\n"
            "forbidden-surface-proof.json: a DB, a queue, a topic, and a shelf are all UNTOUCHED\n",
            Told("CON-LIST", "13/13 forbidden surfaces", "4 named (document-0.md:5)"),
            id="list-behind-a-colon",
        ),
        pytest.param(
            "Bad-input probes: 9/10 fail closed, any_fail_open=false.\n",
            Told(
                "CON-FLAG",
                "9/10 bad-input probes",
                "any_fail_open: false (document-0.md:3)",
            ),
            id="share-against-flag",
        ),
        pytest.param(
            "Reserved: TKT-OBJ-485..494, above ceiling 484 (462..485 before).\n",
            Told("CON-RANGE", "TKT-OBJ-485..494", "462..485 (document-0.md:3)"),
            id="ranges-overlap",
        ),
        pytest.param(
            "10/10 probes fail closed.\n\n5 gate probes, 6 clone probes.\n",
            Told("CON-COUNT", "5 gate probes", "10/10 bad-input probes (document-0.md:3)"),
            id="parts-of-something-else",
        ),
        pytest.param(
            "TKT-OBJ-131..140 reserved (11 objects), above ceiling 130.\n",
            Told("CON-LIST", "11 objects", "TKT-OBJ-131..140 (document-0.md:3)"),
            id="objects-of-a-range",
        ),
        pytest.param(
            "3/3 forbidden surfaces.\n\n| surface | state |\n|---|---|\n| pg | UNTOUCHED |\n"
            "| queue | UNTOUCHED |\n",
            Told("CON-LIST", "3/3 forbidden surfaces", "2 rows (document-0.md:7)"),
            id="rows-of-surfaces",
        ),
        pytest.param(
            "`P-A-1`: clone leg proven. `P-B-1`: clone leg OPEN.\n\n`P-A-1`: clone leg OPEN.\n",
            Told("CON-STATE", "clone leg OPEN", "clone leg proven (document-0.md:3)"),
            id="one-leg-in-two-states",
        ),
        pytest.param(
            "- RX-2: before (3 rows), after rollback (4 rows)\n",
            Told("CON-ROWS", "after rollback (4 rows", "before (3 rows (document-0.md:3)"),
            id="rows-of-one-step",
        ),
        pytest.param(
            "TKT-OBJ-495..507 reserved: TKT-OBJ-495..499 and TKT-OBJ-501..507.\n",
            Told("CON-RANGE", "TKT-OBJ-495..507", "TKT-OBJ-495..499 (document-0.md:3)"),
            id="parts-with-a-hole",
        ),
        pytest.param(
            "Final status: SAMPLE_LANE_READY\n\n| part | verdict |\n|---|---|\n| clone | FAIL |\n",
            Told("CON-HEADLINE", "clone: FAIL", "SAMPLE_LANE_READY (document-0.md:3)"),
            id="a-row-that-failed",
        ),
        pytest.param(
            f"The validator `check.py` is {HASH}.\n\nIts copy is e6547e69…956c48.\n",
            Told("CON-HASH", "e6547e69…956c48", f"{HASH} (document-0.md:3)"),
            id="hash-off-by-one",
        ),
        pytest.param(
            "Final status: SAMPLE_LANE_READY\n\n## Checks\n\nselftest → FAIL\n",
            Told(
                "CON-HEADLINE", "selftest → FAIL", "SAMPLE_LANE_READY (document-0.md:3)"
            ),
            id="headline",
        ),
    ],
)  # fmt: skip
def test_a_contradiction_names_both_places(text: str, expected: Told) -> None:
    assert expected in found(TITLE + text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("10 probes (all fail closed, control allowed, none leaked).\n", id="remark"),
        pytest.param("10/10 probes fail closed; three of the 10 probes are new.\n", id="part"),
        pytest.param("10/10 probes. Two probes were added to 8 others.\n", id="added"),
        pytest.param("7 OPEN, of 9 blockers that were named; 2 CLOSED.\n", id="open-of-all"),
        pytest.param("Production mutation: NO\n\nBefore any cutover: a grant.\n", id="condition"),
        pytest.param("No production contact is made unless an owner says YES.\n", id="unless"),
        pytest.param("Reserved TKT-OBJ-485..494, above ceiling 484; fold 442..484.\n", id="touch"),
        pytest.param("Packet e6547e69…956c47 and packet e6547e70…0a1b2c.\n", id="other-hash"),
        pytest.param("Steps 1/3, 2/3 and 3/3 of the migration.\n", id="progress"),
        pytest.param("On 2026-06-12 a note of 2026-06-11 was read.\n", id="other-date"),
        pytest.param("RX-0..RX-3 are the steps; see RX-2 in the log.\n", id="one-mention"),
        pytest.param("A control fails closed, as it must: exit 1 is its PASS.\n", id="must-fail"),
        pytest.param("A negative control answers FAIL CLOSED.\n", id="fail-closed"),
        pytest.param("Two reads before, three reads after.\n", id="small-numbers"),
        pytest.param("`X_READY` would become `X_NOT_READY` if it failed.\n", id="short-tokens"),
        pytest.param("files: a 21 MB dump and 20 files of logs\n", id="files-of-nothing"),
        pytest.param("10/10 probes: 4 gate probes, 6 clone probes.\n", id="parts"),
        pytest.param("10/10 probes fail closed (the earlier lane ran 8/8 probes).\n", id="earlier"),
        pytest.param("7 OPEN, down from 9 OPEN. Before this lane, 9 OPEN.\n", id="down-from"),
        pytest.param("Retry 2/3 of the probes job; 10/10 probes fail closed.\n", id="retry"),
        pytest.param(
            "## Evidence packet\n\n22 files. KB mirror = 20 files (`a.py` and `b.sql` are"
            " referenced, not duplicated).\n",
            id="two-held-elsewhere",
        ),
        pytest.param(
            "Final status: `SAMPLE_CLONE_READY`\n\n"
            "If a probe fails, it is SAMPLE_CLONE_NOT_READY.\n\n"
            "Allowed statuses: SAMPLE_CLONE_READY, SAMPLE_CLONE_BLOCKED.\n",
            id="status-that-would-be",
        ),
        pytest.param("Codes: ROW_DID_MUTATE_KEYS, ROW_DID_NOT_MUTATE_KEYS.\n", id="listed-codes"),
        pytest.param(
            "`P-GRANT-1` closed only when the owner grants it.\n\n`P-SCOPE-1` is narrowed.\n\n"
            "| blocker | status | actor |\n|---|---|---|\n| `P-GRANT-1` | OPEN | owner + staff |\n"
            "| `P-SCOPE-1` | OPEN (narrowed) | owner |\n\n"
            "| blocker | status | actor |\n|---|---|---|\n| `P-GRANT-1` | OPEN | staff, owner |\n"
            "| `P-SCOPE-1` | narrowed | owner |\n",
            id="both-axes-in-a-row",
        ),
        pytest.param(
            "`P-A-1`: clone leg proven, live leg OPEN. `P-B-1`: clone leg OPEN.\n", id="two-legs"
        ),
        pytest.param(
            "`P-A-1` is narrowed. The other two remain unchanged.\n\n"
            "| blocker | status |\n|---|---|\n| `P-A-1` | narrowed |\n"
            "| `P-B-1` | unchanged |\n| `P-C-1` | classified (unchanged) |\n",
            id="unchanged-in-its-row",
        ),
        pytest.param(
            "TKT-OBJ-495..507 reserved, above ceiling 494: TKT-OBJ-495..499 for rules,"
            " TKT-OBJ-500..507 for records. The new ceiling 507 holds.\n",
            id="parts-of-a-range",
        ),
        pytest.param(
            "DEC-OBJ-10..14 reserved above ceiling 9. TKT-OBJ-12..20 reserved above ceiling 11.\n",
            id="two-sorts-of-objects",
        ),
        pytest.param(
            "Fold 442..461 APPLIED; body max 461. Fold 462..484 stays APPLY_NOW=NO."
            " A later macro would fold through 484.\n",
            id="fold-not-done",
        ),
        pytest.param("JSON rev24 before, JSON rev25 after the addendum.\n", id="raised"),
        pytest.param(
            "- RX-2: before (3 rows), applied (4 rows), after rollback (3 rows), rows 3==3\n"
            "- RX-3: before (7 rows), applied (9 rows), after rollback (7 rows), rows 7==7\n",
            id="two-tables",
        ),
        pytest.param("B1 one, B2 two, B4 four, B5 five (B3 was withdrawn).\n", id="other-order"),
        pytest.param(
            "Options: HOLD_PRODUCTION, AUTHORIZE_DRYRUN_ONLY, AUTHORIZE_CLONE_ONLY."
            " Option 3 needs a grant; option 5 of the earlier packet is gone.\n",
            id="third-option",
        ),
        pytest.param("Default: `HOLD_PRODUCTION`; a column DEFAULT NULL.\n", id="default-in-sql"),
        pytest.param(
            "Final status: SAMPLE_LANE_READY\n\nFirst run: FAIL (no clone), fixed; then PASS.\n\n"
            "| control | expected | got |\n|---|---|---|\n| c1 | FAIL | FAIL |\n\n"
            "## Self-check\n\n- Any forbidden surface touched — NO\n- Clone left open — NO\n",
            id="must-fail-or-be-no",
        ),
        pytest.param(
            "13/13 forbidden surfaces untouched. No surface was touched; each could be touched."
            " The clone was touched.\n",
            id="touched-clone",
        ),
        pytest.param(
            "Delegation consumed: `AUTHORIZE_CLONE_ONLY`\n\n`AUTHORIZE_ALL_ONLY` was not"
            " delegated. The next lane needs the delegation AUTHORIZE_MORE_ONLY.\n",
            id="not-delegated",
        ),
        pytest.param("7 OPEN (2 narrowed, 1 classified, 4 as before).\n", id="parts-with-numbers"),
        pytest.param("It took 4 wall clock CPU seconds, then 5 wall clock CPU seconds.\n", id="s"),
        pytest.param(
            "## Reviews\n\nR-1..R-2 all PASS.\n\n- R-1 saw the gate\n- R-2 saw the clone\n\n"
            "R-3 looks at it in the next lane.\n",
            id="id-of-the-next-lane",
        ),
        pytest.param("10/10 probes fail closed; ~~9/10 probes~~.\n", id="struck"),
        pytest.param("The assertion `1==2` is false, as it must be.\n", id="unequal-as-told"),
    ],
)  # fmt: skip
def test_what_only_reads_differently_is_no_contradiction(text: str) -> None:
    assert found(TITLE + text) == []


def test_members_of_a_list_are_different_things() -> None:
    report = (
        '{"is_production": false, "candidates": [{"id": "a", "is_production": true},'
        ' {"id": "b", "is_production": false}]}'
    )
    assert found(report_json=report) == []


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(
            {"bad_input_probes": {"probe_count": 9, "skipped_count": 0, "error_count": 0}},
            id="other-counts",
        ),
        pytest.param({"forbidden_surfaces": {"surface_count": 3, "touched_count": 0}}, id="none"),
        pytest.param(
            {
                "production_blocker_map": {
                    "open_count": 1,
                    "total_count": 2,
                    "newly_closed": [],
                    "blockers": [
                        {"id": "P-A-1", "state": "OPEN"},
                        {"id": "P-B-1", "state": "closed"},
                    ],
                }
            },
            id="closed-before",
        ),
        pytest.param({"evidence_packet": {"file_count": 21, "file_count_json": 12}}, id="kinds"),
        pytest.param(
            {
                "final_status": "SAMPLE_LANE_READY_NOT_APPLIED",
                "self_check": {"any_fail_open": False, "secrets_leaked": False, "applied": False},
            },
            id="no-is-good",
        ),
        pytest.param(
            {"rehearsal": {"performed": True}, "ci": {"performed": False}}, id="other-part"
        ),
        pytest.param(
            {"production_mutation": False, "plan": {"production_mutation": True}}, id="plan"
        ),
        pytest.param(
            {"decision_packet": {"default": "HOLD_PRODUCTION"}, "column": {"default": "NULL"}},
            id="default-of-a-column",
        ),
        pytest.param(
            {"rehearsal": {"steps": [1, 2, 3], "step_count": 3}, "plan": {"steps": [1, 2]}},
            id="steps-of-a-plan",
        ),
    ],
)
def test_what_keys_tell_of_other_things_is_no_contradiction(report: dict[str, object]) -> None:
    assert found(report_json=json.dumps({"doc": "sample", **report})) == []


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            {"bad_input_probes": {"probe_count": 9, "classes": ["a", "b"]}},
            ("CON-LIST", "probe_count 9"),
            id="list",
        ),
        pytest.param(
            {
                "final_status": "SAMPLE_LANE_READY",
                "self_check": {"bad_inputs_fail_closed": False, "gate_passed": True},
            },
            ("CON-HEADLINE", "bad inputs fail closed: false"),
            id="no-is-bad",
        ),
        pytest.param(
            {"rehearsal": {"before_rows": 12, "after_apply_rows": 14, "after_rollback_rows": 13}},
            ("CON-ROWS", "after_rollback_rows: 13"),
            id="rows",
        ),
        pytest.param(
            {"workstream_C_probes": {"probe_count": 8, "fail_closed_count": 7}},
            ("CON-COUNT", "fail_closed_count 7"),
            id="part-of-all",
        ),
        pytest.param(
            {"note": "3 CLOSED", "production_blocker_map": {"newly_closed": ["P-A-1"]}},
            ("CON-LIST", "3 CLOSED"),
            id="closed",
        ),
    ],
)
def test_what_keys_contradict_is_told(report: dict[str, object], expected: tuple[str, str]) -> None:
    told = found(report_json=json.dumps({"doc": "sample", **report}))
    assert expected in [(one.code, one.stated) for one in told]


def test_what_is_told_of_other_lanes_is_not_held_against_this_one() -> None:
    text = (
        "7/7 probes fail closed.\n\n## 1. Preflight\n\n"
        "| input | verified |\n|---|---|\n| earlier lane | 9/9 probes fail closed, 3 OPEN |\n"
    )
    assert found(TITLE + text) == []


def test_documents_are_held_against_the_evidence() -> None:
    lane = Path(__file__).resolve().parents[1] / "packets" / "registry-column-rehearsal"
    documents = {path.name: path.read_bytes() for path in lane.glob("*.*") if path.is_file()}
    text = documents["checkpoint.md"].replace(b"surfaces: 12 listed", b"surfaces: 11 listed")
    assert text != documents["checkpoint.md"]
    from generator.contradictions.compare import clashes
    from generator.contradictions.told import of_lane
    from generator.reading.lane import lane_source, read_lane

    read = read_lane(lane_source(lane, "packets/sample", lane.name))
    changed = [
        read_document(one.name, text) if one.name == "checkpoint.md" else one
        for one in read.documents
    ]
    facts = of_lane(
        Lane(read.id, read.folder, read.meta, read.packet, tuple(changed), layout=read.layout)
    )
    told = {
        (clash.code, clash.one.where, clash.other.where if clash.other else "")
        for clash in clashes(facts, read.stated_status)
    }
    evidence = "evidence/forbidden-surface-proof.json#/surfaces"
    assert {code for code, *_ in told} == {"CON-COUNT", "CON-LIST"}
    assert all(any("checkpoint.md" in place for place in places) for _, *places in told)
    assert any(evidence in places for _, *places in told)


@pytest.mark.parametrize("digit", ["²", "Ⅳ", "٣", "①", "߃"])
def test_digits_that_are_no_numbers_crash_nothing(digit: str, tmp_path: Path) -> None:
    text = (
        f"{TITLE}A-B-C-1 is narrowed; the other {digit} blockers are unchanged. All {digit} probes."
        f" {digit}/{digit} probes; RX-{digit}..RX-{digit}; fold through {digit}; {digit} OPEN.\n"
    )
    write(tmp_path, {"packets/sample/report.md": text.encode()})
    (lane,) = run("verify", tmp_path, "--format", "json").object["lanes"]
    assert lane["errors"] == []


@pytest.mark.parametrize("reader", ["contradictions.told.of_lane", "ledger.document_rows"])
def test_a_lane_that_cannot_be_read_ends_no_other(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("broken", "sound"):
        write(tmp_path, {f"packets/{name}/report.md": f"{TITLE}{name} text\n".encode()})
    module, _, name = f"generator.{reader}".rpartition(".")
    reading = getattr(import_module(module), name)

    def failing(lane: Lane, *more: Any) -> Any:
        if lane.id == "broken":
            raise ZeroDivisionError("of the test")
        return reading(lane, *more)

    monkeypatch.setattr(f"{module}.{name}", failing)
    lanes = run("verify", tmp_path, "--format", "json", "-j", "1").object["lanes"]
    rule = reader.partition(".")[0]
    assert {lane["id"]: lane["errors"] for lane in lanes} == {
        "broken": [f"{rule}: ZeroDivisionError: of the test"],
        "sound": [],
    }


HOSTILE = (
    *("10/10 probes ", "1/1/", "7 a b (", "3 x y (a, b, c) ", "aaa: b, ", "xx: aa, bb, cc, dd, "),
    *("no ", "no a/b/c, ", "no x or y, ", "A-B-C-", "B1 x, B2 y, ", "AB-CD-EF, ", "A_B_C ", "A_"),
    *("default HOLD_", "clone leg ", "JSON rev24 ", "before (3 rows) ", "before (", "1..", "\\"),
    *("e6547e69…956c47 ", "abcdef12 ", "a-", "a-b-c-d-2026-06-12 ", "Avoided x — YES. ", "x ✓ · "),
    *("fold through 461 ", "TKT-OBJ-442..461 ", "six steps ", "other five unchanged ", "registry "),
    *("options AUTHORIZE_A_B ", "neg-control ", "PER-1..PER-10 all PASS. ", "(((", "3==3 ", ", "),
    *("the earlier lane, ", "if ", "would. ", "~~ a ", "~~~", "a.py referenced, not duplicated "),
    *("4 gate probes, ", "no surface touched ", "x: FAIL, ", "RX-2 before (3 rows) ", "JSON rev1 "),
)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_compared_in_bounded_time(unit: str) -> None:
    line = unit * (60_000 // len(unit))
    with within(60):
        found(f"{TITLE}## self-check of bad-input probes, blockers, options\n\n{line}z\n")


def test_a_long_text_is_not_cut_within_a_word() -> None:
    assert found(f"{TITLE}{'TKT-OBJ-1485..1494 reserved, fold 1442..1461 ' * 3_000}\n") == []


def test_many_tables_and_sections_are_compared_in_bounded_time() -> None:
    table = "| blocker | status | actor |\n|---|---|---|\n| A-B-C-1 | OPEN | owner |\n\n"
    section = "## 1. Part\n\nsix steps\n\n- RX-1 one thing\n- RX-2 another\n\n"
    with within(120):
        found(TITLE + table * 5_000 + section * 5_000)


@given(st.text(max_size=400))
def test_no_text_crashes_the_comparison(text: str) -> None:
    found(f"{TITLE}{text}\nz")


@given(st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(0, 63))
def test_a_hash_that_is_one_digit_off_is_near_and_the_same_is_not(text: str, at: int) -> None:
    other = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    assert near(text, other)
    assert not near(text, text)
    assert not near(text, f"{text[:8]}…{text[-6:]}")


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not here")
def test_every_finding_over_the_seeds_is_one_that_was_reviewed(tmp_path: Path) -> None:
    done = run("import", *sorted(SEEDS.glob("*.txt")), cwd=tmp_path)
    assert done.code == 0, done.err
    lanes = run("verify", tmp_path, "--format", "json").object["lanes"]
    told = [
        {
            "lane": lane["id"],
            "code": finding["code"],
            "where": finding["where"],
            "other": finding["computed"].rpartition(" (")[2].rstrip(")"),
        }
        for lane in lanes
        for finding in lane["findings"]
    ]
    reviewed = yaml.safe_load(GOLDEN.read_text("utf-8"))
    assert all(item.pop("reason").strip() for item in reviewed)
    assert told == reviewed


def test_defaults_of_a_report_are_held_against_each_other_beside_a_decision_packet() -> None:
    packet = "# Decision packet (2026-06-12)\n\nDefault = HOLD_PRODUCTION\n"
    report = f"{TITLE}Default: HOLD_PRODUCTION.\n\n## 2. End\n\nDefault: AUTHORIZE_ALL.\n"
    told = Told("CON-WORD", "Default: AUTHORIZE_ALL", "Default: HOLD_PRODUCTION (report.md:3)")
    assert found(**{"decision-packet_md": packet, "report_md": report}) == [told]


def test_a_list_of_blockers_in_a_machine_report_is_held_against_tables() -> None:
    def blockers(state: str, actor: str) -> str:
        row = {"id": "P-ROLL-1", "state": state, "actor": actor}
        return json.dumps({"production_blocker_map": {"open_count": 1, "blockers": [row]}})

    table = (
        f"{TITLE}| blocker | status | actor |\n|---|---|---|\n| `P-ROLL-1` | narrowed | owner |\n"
    )
    for state in ("OPEN", "narrowed", "OPEN, narrowed"):
        assert found(report_json=blockers(state, "owner"), checkpoint_md=table) == []
    told = found(report_json=blockers("OPEN, classified", "operator"), checkpoint_md=table)
    assert [one.code for one in told] == ["CON-WORD", "CON-STATE"]


def test_two_shares_of_one_whole_are_told_once() -> None:
    told = found(f"{TITLE}10/10 probes fail closed.\n\n9/10 probes fail closed.\n")
    assert [one.code for one in told] == ["CON-SHARE"]


def test_a_key_in_a_text_is_not_said_to_be_so() -> None:
    report = json.dumps({"live_production_contact": False})
    text = (
        "- Live production contact: NO\n\n## Live production contact\n\n"
        "| surface | touched |\n|---|---|\n| live production contact | NO |\n"
    )
    assert found(TITLE + text, report_json=report) == []
    told = found(f"{TITLE}There was live production contact.\n", report_json=report)
    assert [one.code for one in told] == ["CON-FLAG"]
