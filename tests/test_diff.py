"""What changed between lanes and roots: the comparison, its forms, and what it is asked for."""

from __future__ import annotations

import copy
import html
import json
import os
import random
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.comparing.difference import difference, natural
from generator.comparing.patch import patch
from generator.comparing.portrait import BETTER, OTHER, SECTIONS, WORSE, Portrait
from generator.render.diff_pages import pair_name
from tests import chain_folders as chain
from tests.folders import Answer, digest, lane, listing, run, tree_of, write

Told = list[tuple[str, str, str, str]]
"""What, kind, before, after."""


# --- two portraits ---


def portrait(**sections: Mapping[str, Mapping[str, Any]]) -> Portrait:
    facts = {one.id: dict(sections.get(one.id, {})) for one in SECTIONS}
    return {"schema": "x/1", "lane": {"id": "a", "title": "A", "date": ""}, "facts": facts}


def told(before: Portrait, after: Portrait) -> dict[str, Told]:
    found = difference(before, after).plain()
    return {
        part: [(row["what"], row["kind"], row["before"], row["after"]) for row in found[part]]
        for part in ("worse", "better", "other")
        if found[part]
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"says": "x", "rank": 2}, {"says": "y", "rank": 1}, "worse", id="lower rank"),
        pytest.param({"says": "x", "rank": 1}, {"says": "y", "rank": 2}, "better", id="higher"),
        pytest.param({"says": "x", "rank": 1}, {"says": "y", "rank": 1}, "other", id="same rank"),
        pytest.param({"says": "x"}, {"says": "y", "rank": 0}, "other", id="no rank before"),
        pytest.param(
            {"says": "x", "rank": 1},
            {"says": "y", "rank": 1, "changed": WORSE},
            "worse",
            id="any change is worse",
        ),
    ],
)
def test_a_change_is_judged_by_its_rank(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    found = told(portrait(claims={"k": before}), portrait(claims={"k": after}))
    assert found == {expected: [("k", "changed", "x", "y")]}


def test_what_says_the_same_did_not_change_wherever_it_stands() -> None:
    one = portrait(claims={"k": {"says": "x", "rank": 1, "where": "report.md:1"}})
    other = portrait(claims={"k": {"says": "x", "rank": 3, "where": "report.md:7"}})
    assert told(one, other) == {}
    assert difference(one, other).same == 1


@pytest.mark.parametrize(
    ("weight", "expected"), [(WORSE, "worse"), (BETTER, "better"), (OTHER, "other")]
)
def test_what_comes_and_goes_means_what_its_fact_says(weight: int, expected: str) -> None:
    empty = portrait()
    full = portrait(findings={"k": {"says": "x", "new": weight, "gone": weight, "label": "L"}})
    assert told(empty, full) == {expected: [("L", "new", "", "x")]}
    assert told(full, empty) == {expected: [("L", "no longer there", "x", "")]}


def test_one_of_a_kin_under_another_name_is_renamed() -> None:
    one = portrait(blockers={"clone leg": {"says": "proven", "kin": "legs", "gone": WORSE}})
    other = portrait(blockers={"toy leg": {"says": "proven", "kin": "legs", "new": WORSE}})
    assert told(one, other) == {
        "other": [("clone leg → toy leg", "renamed", "proven", "proven")],
    }


def test_two_of_a_kin_are_no_renaming() -> None:
    legs = {name: {"says": "proven", "kin": "legs", "gone": WORSE} for name in ("a", "b")}
    other = portrait(blockers={"c": {"says": "proven", "kin": "legs"}})
    assert told(portrait(blockers=legs), other) == {
        "worse": [("a", "left out", "proven", ""), ("b", "left out", "proven", "")],
        "other": [("c", "new", "", "proven")],
    }


@pytest.mark.parametrize("rank", [None, 0, 2])
def test_what_is_better_or_worse_has_no_other_name(rank: int | None) -> None:
    """An open leg that goes is no proven leg that comes."""
    left = {"says": "OPEN", "rank": 1, "kin": "legs", "gone": WORSE}
    came = {"says": "proven", "kin": "legs"} | ({} if rank is None else {"rank": rank})
    assert told(portrait(blockers={"live": left}), portrait(blockers={"docs": came})) == {
        "worse": [("live", "left out", "OPEN", "")],
        "other": [("docs", "new", "", "proven")],
    }


def test_a_section_of_which_one_side_has_nothing_is_one_change() -> None:
    probes = {f"probe {n}": {"says": "refused", "gone": WORSE, "new": BETTER} for n in range(3)}
    assert told(portrait(probes=probes), portrait()) == {
        "worse": [("all of probes and classes", "dropped", "3 facts", "")]
    }
    assert told(portrait(), portrait(probes=probes)) == {
        "better": [("all of probes and classes", "new", "", "3 facts")]
    }


def test_what_is_worse_by_being_there_is_named_among_all_that_is_new() -> None:
    probes = {"a": {"says": "refused", "new": BETTER}, "b": {"says": "allowed", "new": WORSE}}
    assert told(portrait(), portrait(probes=probes)) == {
        "worse": [("b", "new", "", "allowed")],
        "better": [("a", "new", "", "refused")],
    }


def test_changes_stand_in_the_order_in_which_people_count() -> None:
    keys = ["PER-10", "PER-9", "PER-1", "a10b2", "a10b10", "a9", "é", "1", "01", "z"]
    found = told(portrait(), portrait(claims={key: {"says": "x"} for key in keys}))
    assert [what for what, *_ in found["other"]] == [
        *("01", "1", "PER-1", "PER-9", "PER-10", "a9", "a10b2", "a10b10", "z", "é"),
    ]


def test_keys_of_more_digits_than_python_reads_have_an_order() -> None:
    many = "9" * 5000
    assert sorted([many, f"1{many}", "007", "10"], key=natural) == ["007", "10", many, f"1{many}"]


def test_the_headline_counts_and_the_leads_stand_in_their_order() -> None:
    one = portrait(
        outcome={"outcome": {"says": "pass", "rank": 2, "lead": 2}},
        decision={"default": {"says": "HOLD", "rank": 1, "lead": 1}},
        findings={"f": {"says": "x", "gone": BETTER}},
    )
    other = portrait(
        outcome={"outcome": {"says": "fail", "rank": 0, "lead": 2}},
        decision={"default": {"says": "HOLD", "rank": 1, "lead": 1}},
    )
    found = difference(one, other)
    assert found.headline == (
        "1 fact got worse (1 in outcome), 1 fact got better (1 in findings and contradictions)."
    )
    assert found.standing == "Default: HOLD, as before; outcome: fail, was pass."
    assert difference(one, one).headline == "Nothing got worse, nothing got better."


# --- as a patch ---


def patched(value: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply a JSON Patch, as far as this one goes, and hold its tests (RFC 6902)."""
    made = copy.deepcopy(value)
    for one in operations:
        *steps, last = [
            step.replace("~1", "/").replace("~0", "~") for step in one["path"].split("/")[1:]
        ]
        place = made
        for step in steps:
            place = place[step]
        if one["op"] == "test":
            assert json.dumps(place[last], sort_keys=True) == json.dumps(
                one["value"], sort_keys=True
            )
        elif one["op"] == "remove":
            del place[last]
        else:
            assert (one["op"] == "replace") is (last in place)
            place[last] = one["value"]
    return made


_SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.text("ab/~é", max_size=3)
_KEYS = st.text("ab/~01", max_size=3)
_OBJECTS = st.dictionaries(
    _KEYS, st.recursive(_SCALARS, lambda part: st.dictionaries(_KEYS, part, max_size=3)), max_size=4
)


@given(_OBJECTS, _OBJECTS)
def test_a_patch_makes_the_one_of_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    operations = patch(one, other)
    made = patched(one, operations)
    assert json.dumps(made, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (operations == []) is (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    )
    # what is taken away is tested first
    for at, operation in enumerate(operations):
        if operation["op"] in ("replace", "remove"):
            assert operations[at - 1]["op"] == "test"
            assert operations[at - 1]["path"] == operation["path"]


@given(st.lists(st.text("a0129-", max_size=6)))
def test_the_order_of_keys_is_total(keys: list[str]) -> None:
    ordered = sorted(set(keys), key=natural)
    assert ordered == sorted(reversed(ordered), key=natural)


# --- lanes ---


def lanes(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    return write(tmp_path, chain.root(change))


def nothing(report: dict[str, Any]) -> None:
    """Leave the second lane as it is."""


def diff(root: Path, *arguments: str) -> Answer:
    return run("diff", *arguments, cwd=root)


def changes(root: Path, *words: str) -> dict[str, list[tuple[str, str, str, str]]]:
    answer = diff(root, *words, "--format", "json")
    assert answer.code == 0, answer.err
    found = answer.object
    return {
        part: [(row["what"], row["kind"], row["before"], row["after"]) for row in found[part]]
        for part in ("worse", "better", "other")
    }


def _blocker(report: dict[str, Any], name: str) -> dict[str, Any]:
    rows = report["production_blocker_map"]["blockers"]
    found: dict[str, Any] = next(row for row in rows if row["id"] == name)
    return found


def closed(report: dict[str, Any]) -> None:
    _blocker(report, "P-GRANT-1")["state"] = "closed"
    report["production_blocker_map"]["open_count"] = 1


def narrowed(report: dict[str, Any]) -> None:
    _blocker(report, "P-GRANT-1")["state"] = "OPEN; narrowed"


def leg_renamed(report: dict[str, Any]) -> None:
    legs = [dict(leg) for leg in chain.LEGS]
    legs[0]["id"] = "toy-clone leg"
    _blocker(report, "P-ROLLBACK-1")["legs"] = legs


def leg_left_out(report: dict[str, Any]) -> None:
    _blocker(report, "P-ROLLBACK-1")["legs"] = chain.LEGS[:1]


def leg_reopened(report: dict[str, Any]) -> None:
    legs = [dict(leg) for leg in chain.LEGS]
    legs[0]["status"] = legs[0]["state"] = "OPEN"
    _blocker(report, "P-ROLLBACK-1")["legs"] = legs


def left_out(report: dict[str, Any]) -> None:
    rows = report["production_blocker_map"]["blockers"]
    report["production_blocker_map"]["blockers"] = [rows[1]]


def new_blocker(report: dict[str, Any]) -> None:
    report["production_blocker_map"]["blockers"].append(chain.row("FRESH"))
    report["production_blocker_map"]["open_count"] = 3


def applied(report: dict[str, Any]) -> None:
    report["governance"]["apply_now"] = True


def preflight_otherwise(report: dict[str, Any]) -> None:
    report["preflight"]["first"] = "FIRST_CLONE_REHEARSAL_READY"


def executes(report: dict[str, Any]) -> None:
    report["workstream_F_decision_packet"] = {
        "default": "AUTHORIZE_PRODUCTION_EXECUTION",
        "selected": None,
        "options": ["AUTHORIZE_PRODUCTION_EXECUTION", "HOLD_PRODUCTION"],
    }


def surfaces(*names: str, key: str = "surfaces") -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        report["workstream_D"] = {key: list(names)}

    return change


@pytest.mark.parametrize(
    ("change", "part", "expected"),
    [
        pytest.param(
            closed,
            "better",
            ("blocker P-GRANT-1", "changed", "open", "closed"),
            id="closed with evidence",
        ),
        pytest.param(
            narrowed,
            "better",
            ("blocker P-GRANT-1", "changed", "open", "open, narrowed"),
            id="narrowed",
        ),
        pytest.param(
            leg_renamed,
            "other",
            (
                "blocker P-ROLLBACK-1, leg clone leg → blocker P-ROLLBACK-1, leg toy-clone leg",
                "renamed",
                "proven",
                "proven",
            ),
            id="a leg renamed",
        ),
        pytest.param(
            leg_left_out,
            "worse",
            ("blocker P-ROLLBACK-1, leg production leg", "left out", "OPEN", ""),
            id="a leg left out",
        ),
        pytest.param(
            leg_reopened,
            "worse",
            ("blocker P-ROLLBACK-1, leg clone leg", "changed", "proven", "OPEN"),
            id="a leg reopened",
        ),
        pytest.param(
            left_out,
            "other",
            ("blocker P-GRANT-1", "changed", "open", "open; this lane leaves it out"),
            id="left out, and still open",
        ),
        pytest.param(
            new_blocker, "worse", ("blocker P-FRESH-1", "new", "", "open"), id="a new blocker"
        ),
        pytest.param(
            applied, "worse", ("applied now", "changed", "false", "true"), id="applied now"
        ),
        pytest.param(
            executes,
            "worse",
            ("default", "changed", "HOLD_PRODUCTION", "AUTHORIZE_PRODUCTION_EXECUTION"),
            id="the default no longer holds",
        ),
        pytest.param(
            nothing,
            "other",
            ("range", "changed", "TKT-OBJ-1..4", "TKT-OBJ-5..8"),
            id="another range is neither",
        ),
    ],
)
def test_what_changed_from_lane_to_lane(
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    part: str,
    expected: tuple[str, str, str, str],
) -> None:
    found = changes(lanes(tmp_path, change), "first", "second")
    assert expected in found[part]
    assert [row for one in found.values() for row in one if row[0] == expected[0]] == [expected]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            nothing,
            closed,
            {"better": ["blocker P-GRANT-1", "open blockers"]},
            id="closed",
        ),
        pytest.param(
            closed,
            nothing,
            {"worse": ["blocker P-GRANT-1", "open blockers"]},
            id="reopened",
        ),
        pytest.param(
            nothing, preflight_otherwise, {"worse": ["PREFLIGHT-STATUS"]}, id="quoted otherwise"
        ),
        pytest.param(
            surfaces("A", "B"), surfaces("A"), {"worse": ["surface B"]}, id="a surface dropped"
        ),
        pytest.param(
            surfaces("A"), surfaces("B", "A"), {"better": ["surface B"]}, id="a surface added"
        ),
        pytest.param(
            surfaces("A", "B"), surfaces("B", "A"), {}, id="the order of a list is no change"
        ),
        pytest.param(
            surfaces("A", "B", key="known_ci_surfaces"),
            surfaces("A", key="known_ci_surfaces"),
            {"other": ["machine report: workstream_D/known_ci_surfaces[B]"]},
            id="a surface that nobody promised to leave alone",
        ),
        pytest.param(
            leg_renamed,
            nothing,
            {"other": ["LEG-RENAMED"]},
            id="the old name again",
        ),
    ],
)
def test_a_lane_before_and_after_an_edit(
    tmp_path: Path,
    before: Callable[[dict[str, Any]], None],
    after: Callable[[dict[str, Any]], None],
    expected: dict[str, list[str]],
) -> None:
    lanes(tmp_path, before)
    commit(tmp_path)
    lanes(tmp_path, after)
    found = changes(tmp_path, "HEAD:second", "second")
    for part, wanted in expected.items():
        for what in wanted:
            assert [one for one in found[part] if one[0].startswith(what)], (what, found)
    if "worse" not in expected and "better" not in expected:
        assert found["worse"] == found["better"] == []


def leg_replaced(report: dict[str, Any]) -> None:
    legs = [chain.LEGS[0], {"id": "docs leg", "state": "proven"}]
    _blocker(report, "P-ROLLBACK-1")["legs"] = legs


def leg_twice(report: dict[str, Any]) -> None:
    legs = [{"id": "clone leg", "state": "OPEN"}, *chain.LEGS]
    _blocker(report, "P-ROLLBACK-1")["legs"] = legs


def unreserved(report: dict[str, Any]) -> None:
    del report["governance"]


def next_step(words: str) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        report["next_macro"] = words

    return change


def selected(report: dict[str, Any]) -> None:
    executes(report)
    report["workstream_F_decision_packet"]["selected"] = "AUTHORIZE_PRODUCTION_EXECUTION"


LONG = "a" * 300


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("NO", "other"),
        ("not applied (reserved)", "other"),
        ("NO; production BLOCKED", "other"),
        ("not only reserved: applied", "worse"),
        ("no delay", "worse"),
        ("No longer: folded", "worse"),
    ],
)
def test_a_no_that_is_taken_back_is_none(tmp_path: Path, words: str, part: str) -> None:
    def change(report: dict[str, Any]) -> None:
        report["governance"]["apply_now"] = words

    write(tmp_path / "one", chain.root())
    write(tmp_path / "two", chain.root(change))
    found = changes(tmp_path, "one/packets/second", "two/packets/second")
    assert ("applied now", "changed", "false", words) in found[part]


@pytest.mark.parametrize(
    ("before", "after", "part", "expected"),
    [
        pytest.param(
            nothing,
            leg_replaced,
            "worse",
            ("blocker P-ROLLBACK-1, leg production leg", "left out", "OPEN", ""),
            id="an open leg replaced by a proven one",
        ),
        pytest.param(
            nothing,
            leg_twice,
            "worse",
            ("blocker P-ROLLBACK-1, leg clone leg", "changed", "proven", "OPEN"),
            id="a leg that is open and proven",
        ),
        pytest.param(
            unreserved, applied, "worse", ("applied now", "new", "", "true"), id="reserved, applied"
        ),
        pytest.param(
            nothing,
            executes,
            "worse",
            ("default", "changed", "no decision packet", "AUTHORIZE_PRODUCTION_EXECUTION"),
            id="a first default that does not hold",
        ),
        pytest.param(
            nothing,
            selected,
            "worse",
            ("selected", "offered", "", "AUTHORIZE_PRODUCTION_EXECUTION"),
            id="a first selection",
        ),
        pytest.param(
            next_step(f"{LONG}…"),
            next_step(f"{LONG}; execute…"),
            "other",
            (
                "next step",
                "changed",
                f"{LONG[:239]}… (301 characters, SHA-256 {digest(f'{LONG}…'.encode())[:12]}…)",
                f"{LONG[:239]}… (310 characters, SHA-256"
                f" {digest(f'{LONG}; execute…'.encode())[:12]}…)",
            ),
            id="two long texts that end in an ellipsis",
        ),
        pytest.param(
            surfaces(f"{LONG}A"),
            surfaces(f"{LONG}B"),
            "worse",
            (
                f"surface {LONG[:119]}… (301 characters, SHA-256"
                f" {digest(f'{LONG}A'.encode())[:12]}…)",
                "dropped",
                "listed (claimed only)",
                "",
            ),
            id="a surface with a long name",
        ),
    ],
)
def test_no_edit_of_a_lane_is_taken_for_less(
    tmp_path: Path,
    before: Callable[[dict[str, Any]], None],
    after: Callable[[dict[str, Any]], None],
    part: str,
    expected: tuple[str, str, str, str],
) -> None:
    write(tmp_path / "one", chain.root(before))
    write(tmp_path / "two", chain.root(after))
    found = changes(tmp_path, "one/packets/second", "two/packets/second")
    assert expected in found[part]


CHECKPOINT = "# Checkpoint\n\n- Drift classes: 7\n- Bad-input probes: 9\n"
REPORT = "# Report\n\n- Drift classes: 8\n- Bad-input probes: 9\n"


def findings(root: Path, before: str, after: str, checkpoint: str = CHECKPOINT) -> dict[str, Told]:
    """Return what changed of findings where the texts of a lane are edited."""
    write(root / "one", chain.root(checkpoint_md=CHECKPOINT, report_md=before))
    write(root / "two", chain.root(checkpoint_md=checkpoint, report_md=after))
    answer = diff(root, "one/packets/second", "two/packets/second", "--format", "json")
    assert answer.code == 0, answer.err
    return {
        part: [
            (row["what"], row["kind"], row["before"], row["after"])
            for row in answer.object[part]
            if row["section"] == "findings"
        ]
        for part in ("worse", "better", "other")
    }


def _count(stated: str, found: str) -> str:
    return f"Two statements count the same thing differently. (stated {stated}, found {found})"


def test_a_contradiction_traded_for_another_is_one_more(tmp_path: Path) -> None:
    other = REPORT.replace("classes: 8", "classes: 7").replace("probes: 9", "probes: 5")
    found = findings(tmp_path, REPORT, other)
    drift = _count("Drift classes: 8", "Drift classes: 7 (checkpoint.md)")
    probes = _count("Bad-input probes: 5", "Bad-input probes: 9 (checkpoint.md)")
    assert found == {
        "worse": [("CON-COUNT in report", "new", "", probes)],
        "better": [("CON-COUNT in report", "no longer there", drift, "")],
        "other": [],
    }


def test_the_same_contradiction_with_another_number_is_told_once(tmp_path: Path) -> None:
    found = findings(tmp_path, REPORT, REPORT.replace("classes: 8", "classes: 6"))
    assert (found["worse"], found["better"], len(found["other"])) == ([], [], 1)


def test_what_only_moved_in_its_document_did_not_change(tmp_path: Path) -> None:
    both = REPORT.replace("probes: 9", "probes: 5")
    longer = [text.replace("\n\n", "\n\nSome words.\n\n") for text in (both, CHECKPOINT)]
    found = findings(tmp_path, both, *longer)
    assert found == {"worse": [], "better": [], "other": []}


def test_bytes_that_no_longer_confirm_are_told(tmp_path: Path) -> None:
    lanes(tmp_path, nothing)
    commit(tmp_path)
    (tmp_path / "packets/second/evidence/result.json").write_bytes(b'{"verdict": "FAIL"}\n')
    answer = diff(tmp_path, "HEAD:second", "second", "--fail-on", "regression")
    assert answer.code == 1
    named = [line for line in answer.err.splitlines() if line.startswith("regression: ")]
    assert "regression: Outcome: outcome: pass → fail" in named
    assert "regression: Outcome: integrity: consistent → refuted" in named
    assert any(line.startswith("regression: Findings and contra") for line in named)
    assert any("result.json" in line and "differs" in line for line in named)
    assert answer.err.splitlines()[-1] == f"{len(named)} regressions"


def test_a_file_under_another_name_is_told_once(tmp_path: Path) -> None:
    lane(tmp_path, "sample", {"a.txt": b"one\n", "c.txt": b"two\n"})
    commit(tmp_path)
    folder = tmp_path / "packets/sample/evidence"
    (folder / "a.txt").rename(folder / "b.txt")
    held = {"b.txt": b"one\n", "c.txt": b"two\n"}
    (folder / "HASH_MANIFEST.txt").write_bytes(listing(held))
    (folder / "packet_tree.sha256").write_bytes(tree_of(listing(held)))
    found = changes(tmp_path, "HEAD:sample", "sample")
    one = digest(b"one\n")
    assert ("a.txt → b.txt", "another name", one, one) in found["other"]
    assert not any(what in ("a.txt", "b.txt") for what, *_ in found["other"])


def test_evidence_that_goes_takes_its_level_with_it(tmp_path: Path) -> None:
    lanes(tmp_path, nothing)
    commit(tmp_path)
    for path in sorted((tmp_path / "packets/first/evidence").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (tmp_path / "packets/first/evidence").rmdir()
    found = changes(tmp_path, "HEAD:second", "second")
    assert (
        "machine report: preflight/previous_packet_tree_sha256",
        "changed",
        f"{chain.tree('first')} (recomputed)",
        f"{chain.tree('first')} (claimed only)",
    ) in found["worse"]


def test_the_patch_of_the_command_makes_the_later_portrait(tmp_path: Path) -> None:
    root = lanes(tmp_path, new_blocker)
    answer = diff(root, "first", "second", "--format", "patch")
    assert answer.code == 0, answer.err
    operations = json.loads(answer.out)
    from generator.comparing import sides
    from generator.reading.root import open_root
    from generator.verify import verify

    portraits = sides.portraits(verify(open_root(root)))
    assert patched(portraits["first"], operations) == portraits["second"]
    back = json.loads(diff(root, "second", "first", "--format", "patch").out)
    assert patched(portraits["second"], back) == portraits["first"]


def test_a_form_for_people_escapes_what_packets_say(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:1) | \x1b[31m"

    def change(report: dict[str, Any]) -> None:
        report["next_macro"] = hostile

    root = lanes(tmp_path, change)
    markdown = diff(root, "first", "second", "--format", "md").out
    assert "<script" not in markdown
    assert "](javascript" not in markdown
    assert "\x1b" not in markdown
    text = diff(root, "first", "second").out
    assert "\x1b" not in text
    assert "<script>alert(1)</script>" in text  # as it is, as a terminal takes it for text


# --- roots ---


def test_whole_roots_tell_of_lanes_that_came_and_went(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write(one, chain.root())
    write(other, chain.root(new_blocker))
    lane(one, "gone")
    lane(other, "fresh", {"x.txt": b"x\n"})
    answer = diff(tmp_path, "one", "other", "--format", "json")
    assert answer.code == 0, answer.err
    found = answer.object
    assert [row["what"] for row in found["worse"]] == [
        *("lane gone", "blocker P-FRESH-1", "open blockers"),
    ]
    assert found["standing"] == (
        "Default: HOLD_PRODUCTION, as before; open blockers: 3, was 2; lanes: 3, as before."
    )
    assert list(found["lanes"]) == ["second"]
    assert found["lanes_same"] == 1
    failed = diff(tmp_path, "one", "other", "--fail-on", "regression")
    assert failed.code == 1
    assert "regression: Outcome: lane gone: no longer there, was: pass, consistent" in failed.err
    of_lane = "regression: second: Blockers and legs: blocker P-FRESH-1: new: open"
    assert of_lane in failed.err.splitlines()


def test_the_first_sentence_about_roots_tells_of_their_lanes(tmp_path: Path) -> None:
    write(tmp_path / "one", chain.root(surfaces("A", "B")))
    write(tmp_path / "two", chain.root(surfaces("A")))
    said = (
        "In 1 lane that changed: 1 fact got worse (1 in forbidden surfaces), nothing got better."
        " As a whole: nothing got worse, nothing got better."
    )
    found = diff(tmp_path, "one", "two", "--format", "json").object
    assert (found["headline"], found["lanes_worse"]) == (said, ["second"])
    assert diff(tmp_path, "one", "two").out.splitlines()[1] == said
    assert said in html.unescape(diff(tmp_path, "one", "two", "--format", "md").out)


def test_what_nobody_reads_in_a_root_is_told(tmp_path: Path) -> None:
    write(tmp_path / "one", chain.root())
    write(tmp_path / "two", {**chain.root(), "packets/more.tar": b"x"})
    assert changes(tmp_path, "one", "two") == {
        "worse": [],
        "better": [],
        "other": [("not read: packets/more.tar", "new", "", "lies there")],
    }


def test_what_a_lane_file_says_is_compared(tmp_path: Path) -> None:
    before = 'previous: first\ntitle: One\ndate: "2026-06-12"\nwho: Ann\n'
    after = 'previous: first\ntitle: Two\nwho: Ann\ndelegation: "outside, by word"\n'
    for name, yml in (("one", before), ("two", after)):
        write(tmp_path / name, {**chain.root(), **chain.lane("second", chain.second(), yml)})
    found = changes(tmp_path, "one/packets/second", "two/packets/second")
    assert (found["worse"], found["better"]) == ([], [])
    assert found["other"] == [
        ("lane.yml: date", "no longer stated", "2026-06-12", ""),
        ("lane.yml: delegation", "new", "", "outside, by word"),
        ("lane.yml: title", "changed", "One", "Two"),
    ]


def test_a_new_lane_that_touched_production_is_worse(tmp_path: Path) -> None:
    def touched(report: dict[str, Any]) -> None:
        report["production_mutation"] = "two tables"

    write(tmp_path / "one", chain.lane("first", chain.first()))
    write(tmp_path / "two", chain.root(touched))
    answer = diff(tmp_path, "one", "two", "--fail-on", "regression")
    assert answer.code == 1
    assert answer.err == (
        "regression: Production, as stated: second: production mutation: new: two tables\n"
        "1 regression\n"
    )


def test_a_lane_that_says_other_things_under_another_name_is_another(tmp_path: Path) -> None:
    said = chain.first()
    write(tmp_path / "one", chain.lane("first", said))
    write(tmp_path / "same", _moved(chain.lane("first", said)))
    said["next_macro"] = "execute"
    write(tmp_path / "other", _moved(chain.lane("first", said)))
    same = changes(tmp_path, "one", "same")
    assert same["worse"] == []
    assert [what for what, *_ in same["other"]] == ["lane first → lane zeroth"]
    assert [what for what, *_ in changes(tmp_path, "one", "other")["worse"]] == ["lane first"]


def _moved(files: Mapping[str, bytes]) -> dict[str, bytes]:
    moved = {path.replace("/first/", "/zeroth/"): data for path, data in files.items()}
    return moved | {"packets/zeroth/lane.yml": b"id: zeroth\n"}


def test_a_leg_that_an_earlier_lane_leaves_out_is_told_of_the_later_one_too(tmp_path: Path) -> None:
    third = chain.second()
    third["production_blocker_map"] = chain.blockers(chain.row("GRANT"), chain.row("ROLLBACK"))
    last = chain.lane("third", third, "previous: second\n")
    write(tmp_path / "one", {**chain.root(), **last})
    write(tmp_path / "two", {**chain.root(leg_left_out), **last})
    found = diff(tmp_path, "one", "two", "--format", "json").object["lanes"]
    alone = changes(tmp_path, "one/packets/third", "two/packets/third")
    leg = ("blocker P-ROLLBACK-1, leg production leg", "left out", "OPEN", "")
    assert leg in alone["worse"]
    assert [row["what"] for row in found["third"]["worse"]] == [what for what, *_ in alone["worse"]]


def test_facts_beyond_what_is_kept_are_not_taken_for_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.comparing import portrait as made

    monkeypatch.setattr(made, "MOST_FACTS", 5)
    write(tmp_path / "one", chain.root(preflight_otherwise))
    write(tmp_path / "two", chain.root())
    found = changes(tmp_path, "two/packets/second", "one/packets/second")
    assert any(
        (what, kind) == ("facts left out here", "changed") for what, kind, *_ in found["worse"]
    )


def test_a_tie_that_is_lost_is_worse(tmp_path: Path) -> None:
    alone = chain.lane("second", chain.second())
    write(tmp_path / "one", chain.root())
    write(tmp_path / "two", alone)
    found = changes(tmp_path, "one/packets/second", "two/packets/second")
    assert ("the lane before", "no longer there", "first", "") in found["other"]
    assert any(what == "tie to the lane before" for what, *_ in found["worse"])


def test_a_revision_of_a_root_against_the_folder(tmp_path: Path) -> None:
    root = write(tmp_path / "deep" / "root", chain.root())
    commit(tmp_path)
    same = diff(root, "HEAD:", ".", "--format", "json")
    assert same.code == 0, same.err
    assert same.object["counts"]["worse"] == same.object["counts"]["other"] == 0
    assert (same.object["lanes"], same.object["lanes_same"]) == ({}, 2)


def test_two_roots_without_lanes_are_no_good_news(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "packets").mkdir(parents=True)
    answer = diff(tmp_path, "one", "other", "--fail-on", "regression")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == "lanebook: nothing to compare: neither side holds a lane\n"
    # one that lost all of them is compared
    lane(tmp_path / "one", "sample")
    lost = diff(tmp_path, "one", "other", "--fail-on", "regression")
    assert lost.code == 1
    assert "regression: Outcome: lane sample: no longer there" in lost.err


def test_roots_as_text_and_markdown_name_each_lane(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write(one, chain.root())
    write(other, chain.root(new_blocker))
    text = diff(tmp_path, "one", "other").out
    assert "one → other" in text
    assert "── second" in text
    assert "1 lane changed, 1 lane with nothing changed" in text
    markdown = diff(tmp_path, "one", "other", "--format", "md").out
    assert "## second, before → after" in markdown


# --- revisions ---


def git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"},
        input=data,
        capture_output=True,
        check=True,
    )
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "x")


def test_attributes_change_no_byte_of_a_revision(tmp_path: Path) -> None:
    lane(tmp_path, "sample", {"a.txt": b"one\r\n$Id$\n", "b.txt": b"two\n"})
    commit(tmp_path)
    (tmp_path / ".gitattributes").write_text(
        "*.txt text eol=crlf ident export-subst\nb.txt export-ignore\n", "utf-8"
    )
    git(tmp_path, "add", ".gitattributes")
    git(tmp_path, "commit", "-q", "-m", "attributes")
    found = changes(tmp_path, "HEAD:sample", "HEAD~1:sample")
    assert found == {"worse": [], "better": [], "other": []}


def test_a_link_in_a_revision_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret words", "utf-8")
    root = tmp_path / "root"
    folder = lane(root, "sample")
    commit(root)
    (folder / "evidence" / "link.txt").symlink_to(secret)
    (root / "packets" / "away").symlink_to(tmp_path)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "links")
    found = changes(root, "HEAD~1:sample", "HEAD:sample")
    assert any("SYMLINK" in what for what, *_ in found["worse"])
    assert "secret words" not in json.dumps(found)


def test_a_name_that_leads_out_of_a_revision_is_refused(tmp_path: Path) -> None:
    lane(tmp_path, "sample")
    commit(tmp_path)
    blob = git(tmp_path, "hash-object", "-w", "--stdin", data=b"out\n").decode().strip()

    def tree(name: str, kind: str, mode: str, inner: str) -> str:
        # git itself would refuse to make such a tree
        import hashlib
        import zlib

        body = f"{mode} {name}\0".encode() + bytes.fromhex(inner)
        whole = f"tree {len(body)}\0".encode() + body
        digest = hashlib.sha1(whole).hexdigest()  # git's own name for it
        place = tmp_path / ".git" / "objects" / digest[:2] / digest[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(zlib.compress(whole))
        return digest

    outside = tree("..", "tree", "40000", tree("..", "tree", "40000", blob_tree(tree, blob)))
    top = tree("packets", "tree", "40000", outside)
    made = git(tmp_path, "commit-tree", "-m", "x", top).decode().strip()
    answer = diff(tmp_path, f"{made}:sample", "sample")
    assert answer.code == 3
    problem = "packets/../../escaped.txt: a name that leads out of its folder (INPUT)"
    assert answer.err == f"lanebook: {made}: {problem}\n"
    assert not (tmp_path.parent / "escaped.txt").exists()


def blob_tree(tree: Callable[[str, str, str, str], str], blob: str) -> str:
    return tree("escaped.txt", "blob", "100644", blob)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        pytest.param(
            [("100644 blob", "x", b"one"), ("120000 blob", "x", b"/tmp")],
            "File exists",
            id="a file and a link of one name",
        ),
        pytest.param([("100644 blob", "x" * 300, b"one")], "File name too long", id="long name"),
        pytest.param(
            [("120000 blob", "x", b"a\0b")],
            "a name or a link that no folder can have",
            id="a zero byte in a link",
        ),
    ],
)
def test_what_no_folder_can_hold_is_one_line(
    tmp_path: Path, entries: list[tuple[str, str, bytes]], why: str
) -> None:
    lane(tmp_path, "sample")
    commit(tmp_path)
    rows = ""
    for mode, name, data in entries:
        blob = git(tmp_path, "hash-object", "-w", "--stdin", data=data).decode().strip()
        rows += f"{mode} {blob}\t{name}\n"
    inner = git(tmp_path, "mktree", data=rows.encode()).decode().strip()
    top = git(tmp_path, "mktree", data=f"040000 tree {inner}\tpackets\n".encode())
    made = git(tmp_path, "commit-tree", "-m", "x", top.decode().strip()).decode().strip()
    answer = diff(tmp_path, f"{made}:sample", "sample")
    assert answer == (3, "", f"lanebook: {made}: cannot be written out here: {why} (INPUT)\n")


def test_nothing_of_a_partial_clone_is_fetched(tmp_path: Path) -> None:
    lane(tmp_path / "whole", "sample")
    commit(tmp_path / "whole")
    git(tmp_path / "whole", "config", "uploadpack.allowFilter", "true")
    git(tmp_path / "whole", "config", "uploadpack.allowAnySHA1InWant", "true")
    url = (tmp_path / "whole").as_uri()
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", url, "part")
    part = tmp_path / "part"
    git(part, "config", "protocol.file.allow", "always")
    lane(part, "other")
    answer = diff(part, "HEAD:sample", "other")
    assert (answer.code, answer.out, answer.err.count("\n")) == (3, "", 1)
    missing = git(part, "rev-list", "--objects", "--missing=print", "HEAD").splitlines()
    assert sum(line.startswith(b"?") for line in missing) == 6


def test_bytes_that_git_gives_only_in_part_are_not_compared(tmp_path: Path) -> None:
    """git tells the size of a large blob, streams it, and finds the damage at its end only."""
    lane(tmp_path, "sample", {"z.bin": random.Random(5).randbytes(300_000)})
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "core.bigFileThreshold", "1k")
    commit(tmp_path)
    (pack,) = (tmp_path / ".git" / "objects" / "pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    data[150_000:150_400] = bytes(400)
    pack.chmod(0o644)
    pack.write_bytes(data)
    told = "packets/sample/evidence/z.bin: git does not have these bytes here"
    assert diff(tmp_path, "HEAD:sample", "sample") == (3, "", f"lanebook: {told}\n")


def test_a_root_that_is_not_in_the_revision_is_said_so(tmp_path: Path) -> None:
    lanes(tmp_path, nothing)
    commit(tmp_path)
    root = lanes(tmp_path / "deep", nothing)
    answer = diff(root, "HEAD:first", "second")
    assert answer == (3, "", "lanebook: HEAD: this revision has no packets/ here\n")


@pytest.mark.parametrize("word", ["HEAD:", "HEAD:.", "HEAD:packets", "HEAD:packets/"])
def test_a_whole_root_of_a_revision_goes_by_its_folders_too(tmp_path: Path, word: str) -> None:
    root = lanes(tmp_path, nothing)
    commit(root)
    assert changes(root, word, ".") == {"worse": [], "better": [], "other": []}


# --- what is asked for ---


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        pytest.param(
            ("frist", "second"), 2, "unknown lane: frist; did you mean first?", id="unknown lane"
        ),
        pytest.param(("nobody", "second"), 2, "unknown lane: nobody", id="nothing like it"),
        pytest.param(("first", "first"), 2, "first and first are the same", id="same lane twice"),
        pytest.param(
            ("first", "packets/first"),
            2,
            "first and packets/first are the same",
            id="same lane by another name",
        ),
        pytest.param(
            ("first", "."),
            2,
            "first is a lane and . is a whole root; name two of a kind",
            id="a lane and a root",
        ),
        pytest.param(
            (":first", "first"), 2, "a revision stands before the colon, such as HEAD:", id="colon"
        ),
        pytest.param(
            ("nothing:first", "first"), 2, "nothing: git knows no such revision here", id="revision"
        ),
        pytest.param(
            ("--upload-pack=x:first", "first"),
            2,
            "No such option '--upload-pack'. ('lanebook diff --help' shows how)",
            id="an option in the place of a revision",
        ),
        pytest.param(
            ("HEAD:nobody", "first"), 2, "unknown lane: nobody", id="no such lane in the revision"
        ),
        pytest.param(("", "first"), 2, "the name of a lane is empty", id="empty"),
        pytest.param(("packets/first/evidence/x", "first"), 2, None, id="no such path"),
        pytest.param(
            ("\x1b[31mx", "first"), 2, r"unknown lane: \x1b[31mx", id="an escape in a name"
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path, words: tuple[str, str], code: int, problem: str | None
) -> None:
    root = lanes(tmp_path, nothing)
    commit(root)
    answer = diff(root, *words)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.count("\n") == 1
    if problem is not None:
        assert answer.err == f"lanebook: {problem}\n"


def test_a_revision_needs_a_repository(tmp_path: Path) -> None:
    root = lanes(tmp_path, nothing)
    answer = diff(root, "HEAD:first", "second")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("lanebook: git: fatal: not a git repository")
    assert answer.err.count("\n") == 1


def test_lanes_outside_of_a_root_are_compared_by_their_paths(tmp_path: Path) -> None:
    one = lane(tmp_path / "x", "one")
    other = lane(tmp_path / "y", "two", {"a.txt": b"a\n"})
    answer = diff(tmp_path, str(one / "evidence"), str(other), "--format", "json")
    assert answer.code == 0, answer.err
    assert (answer.object["before"]["id"], answer.object["after"]["id"]) == ("one", "two")


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("a", "b", "a--b"),
        ("x-y", "z", "x-y--z"),
        ("x--y", "z", "x--y---z"),
        ("x", "y--z", "x---y--z"),
    ],
)
def test_pages_of_two_pairs_never_share_a_name(one: str, other: str, name: str) -> None:
    assert pair_name(one, other) == name
