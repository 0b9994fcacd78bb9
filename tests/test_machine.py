"""``verify --format junit|sarif``: every row, and never greener than the exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import yaml

from generator.checks_explained import CHECKS, OF_LEVEL
from generator.exits import Exit
from generator.model.decision import DecisionState, Recorded
from generator.model.finding import Claim, Finding
from generator.model.outcome import Agreement, Level, Outcome
from generator.model.result import Result
from generator.model.verdict import RootVerdict
from generator.reading.root import open_path, open_root
from generator.render.junit import junit
from generator.render.sarif import sarif
from generator.results import results, rule_texts
from generator.verify import exit_code
from generator.verify import verify as judged
from tests.folders import (
    FILES,
    MANIFEST,
    TREE,
    as_nobody,
    digest,
    lane,
    listing,
    packet,
    run,
    tree_of,
    within,
    write,
)
from tests.machine_support import outcomes, read_junit, read_sarif
from tests.make_refuse_packets import PACKETS, accepted, refused
from tests.refuse_recipes import RECIPES

OWN = Path(__file__).resolve().parents[1]
REPORT = json.dumps({"final_status": "SAMPLE_RUN_READY", "tests_passed": 12})


def rows(path: Path, *, strict: bool = False) -> tuple[Result, ...]:
    return results(verdict_of(path), strict=strict, unreadable={})


def verdict_of(path: Path) -> RootVerdict:
    with as_nobody(), within(20):
        return judged(open_path(path), jobs=1)


def both(*arguments: str | Path) -> tuple[int, dict[str, Counter[str]], dict[str, Any]]:
    """Return exit code, outcomes by suite, and the run, of one call in each of both formats."""
    as_junit = run("verify", *arguments, "--format", "junit", "-j", "1")
    as_sarif = run("verify", *arguments, "--format", "sarif", "-j", "1")
    assert (as_junit.code, as_junit.err) == (as_sarif.code, as_sarif.err)
    assert as_junit.code == run("verify", *arguments, "-j", "1").code
    root = read_junit(as_junit.out.encode())
    return as_junit.code, outcomes(root), read_sarif(as_sarif.out.encode())


def test_a_sound_lane_whole(tmp_path: Path) -> None:
    lane(tmp_path, documents={"report.json": REPORT})
    verdict = verdict_of(tmp_path)
    found = results(verdict, strict=False, unreadable={})
    here = "packets/sample"
    sealed = f"{here}/evidence"
    manifest = listing(FILES)

    def of_manifest(path: str) -> Result:
        return Result(
            "sample",
            f"evidence/{MANIFEST}#{path}",
            "passed",
            "VERIFY-RECOMPUTED",
            f"stated {digest(FILES[path])}, which agrees (evidence/{path})",
            f"{sealed}/{MANIFEST}",
            word="recomputed",
        )

    assert list(found) == [
        Result(
            "(run)",
            "rules",
            "passed",
            "VERIFY-PROVEN",
            f"{verdict.rules} rules proven by {verdict.controls} controls",
        ),
        Result(
            "sample",
            "verdict",
            "passed",
            "VERIFY-LANE",
            "consistent; 4 recomputed, 0 cross-checked, 2 claimed only, 0 refuted",
            here,
        ),
        *(of_manifest(path) for path in sorted(FILES)),
        Result(
            "sample",
            f"evidence/{TREE}",
            "passed",
            "VERIFY-RECOMPUTED",
            f"stated {digest(manifest)}, which agrees (evidence/{MANIFEST})",
            f"{sealed}/{TREE}",
            word="recomputed",
        ),
        *(
            Result(
                "sample",
                f"report.json#/{key}",
                "skipped",
                "VERIFY-CLAIMED-ONLY",
                f"stated {value}",
                f"{here}/report.json",
                None,
                f"/{key}",
                "claimed only",
            )
            for key, value in json.loads(REPORT).items()
        ),
    ]


def test_a_lane_of_claims_only_is_no_green_suite(tmp_path: Path) -> None:
    write(tmp_path / "packets" / "told", {"report.json": REPORT.encode()})
    code, suites, told = both(tmp_path)
    assert (code, suites) == (
        3,
        {"(run)": Counter(passed=1), "told": Counter(error=1, skipped=2)},
    )
    assert [result["kind"] for result in told["results"]] == ["pass", "open", "open"]
    assert told["invocations"] == [
        {
            "executionSuccessful": False,
            "toolExecutionNotifications": [
                {
                    "level": "error",
                    "message": {
                        "text": "told: verdict: no verdict: claims only; 0 recomputed,"
                        " 0 cross-checked, 2 claimed only, 0 refuted"
                    },
                    "descriptor": {"id": "VERIFY-LANE"},
                    "locations": [
                        {
                            "physicalLocation": {
                                "artifactLocation": {
                                    "uri": "packets/told",
                                    "uriBaseId": "%SRCROOT%",
                                }
                            }
                        }
                    ],
                }
            ],
        }
    ]


def test_a_refuted_lane_fails_beside_one_that_holds(tmp_path: Path) -> None:
    lane(tmp_path, "good")
    lane(tmp_path, "bad")
    (tmp_path / "packets/bad/evidence/result.json").write_bytes(b'{"verdict": "FAIL"}\n')
    code, suites, told = both(tmp_path)
    assert (code, suites["good"], suites["bad"]) == (
        1,
        Counter(passed=5),
        # the lane, the finding, and the claim of the manifest
        Counter(failed=3, passed=3),
    )
    failed = [result for result in told["results"] if result["kind"] == "fail"]
    assert [(result["ruleId"], uris(result)) for result in failed] == [
        ("VERIFY-LANE", ["packets/bad"]),
        ("FILE-DIFFERS", ["packets/bad/evidence/result.json"]),
        ("VERIFY-RECOMPUTED", [f"packets/bad/evidence/{MANIFEST}"]),
    ]
    assert told["invocations"][0]["executionSuccessful"] is True
    assert [rule["id"] for rule in told["tool"]["driver"]["rules"]] == [
        "FILE-DIFFERS",
        "VERIFY-LANE",
        "VERIFY-PROVEN",
        "VERIFY-RECOMPUTED",
    ]


def uris(result: dict[str, Any]) -> list[str]:
    return [
        location["physicalLocation"]["artifactLocation"]["uri"]
        for location in result.get("locations", [])
    ]


def test_strict_fails_where_something_is_claimed_only(tmp_path: Path) -> None:
    lane(tmp_path, documents={"report.json": REPORT})
    assert both(tmp_path)[:2] == (
        0,
        {"(run)": Counter(passed=1), "sample": Counter(passed=5, skipped=2)},
    )
    assert both(tmp_path, "--strict")[:2] == (
        1,
        {"(run)": Counter(passed=1), "sample": Counter(passed=5, skipped=2, failed=1)},
    )


def test_what_cannot_be_opened_is_an_error_beside_what_can(tmp_path: Path) -> None:
    lane(tmp_path)
    code, suites, told = both(tmp_path, tmp_path / "gone")
    assert (code, suites["(run)"], suites["sample"]) == (
        3,
        Counter(passed=1, error=1),
        Counter(passed=5),
    )
    (notice,) = told["invocations"][0]["toolExecutionNotifications"]
    assert notice["descriptor"] == {"id": "VERIFY-PATH"}
    assert notice["message"]["text"].endswith("gone: no such file or folder")


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_nothing_to_check_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty" / "packets").mkdir(parents=True)
    code, suites, told = both(tmp_path / name)
    assert (code, suites, told["results"]) == (3, {"(run)": Counter(error=1)}, [])


def test_what_was_not_read_is_skipped(tmp_path: Path) -> None:
    lane(tmp_path)
    (tmp_path / "packets" / "evidence.zip").write_bytes(b"PK")
    found = [row for row in rows(tmp_path) if row.code == "VERIFY-UNREAD"]
    name = "packets/evidence.zip"
    assert found == [Result("(run)", name, "skipped", "VERIFY-UNREAD", file=name, word="not read")]
    assert both(tmp_path)[0] == 0


def test_a_status_that_says_not_run_is_told_in_that_word(tmp_path: Path) -> None:
    status = "PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED"
    lane(tmp_path, documents={"report.json": json.dumps({"final_status": status})})
    found = [row for row in rows(tmp_path) if row.code == "VERIFY-STATED"]
    assert found == [
        Result(
            "sample",
            "stated status",
            "skipped",
            "VERIFY-STATED",
            f"stated {status}",
            "packets/sample",
            word="not run",
        )
    ]


def test_a_rule_that_crashed_is_an_error(tmp_path: Path) -> None:
    lane(tmp_path)
    verdict = verdict_of(tmp_path)
    (one,) = verdict.lanes
    one = one._replace(errors=("json-form: ValueError: no",), outcome=Outcome.UNKNOWN)
    found = results(replace(verdict, lanes=(one,)), strict=False, unreadable={})
    assert [row for row in found if row.outcome == "error"] == [
        Result(
            "sample",
            "verdict",
            "error",
            "VERIFY-LANE",
            "no verdict: consistent; 4 recomputed, 0 cross-checked, 0 claimed only, 0 refuted",
            "packets/sample",
        ),
        Result(
            "sample",
            "rule json-form",
            "error",
            "VERIFY-RULE",
            "ValueError: no",
            "packets/sample",
        ),
    ]


@pytest.mark.parametrize(
    ("agreement", "level", "outcome", "word"),
    [
        (Agreement.AGREES, Level.RECOMPUTED, "passed", "recomputed"),
        (Agreement.AGREES, Level.CROSS_CHECKED, "passed", "cross-checked"),
        (Agreement.AGREES, Level.CLAIMED_ONLY, "skipped", "claimed only"),
        (Agreement.DIFFERS, Level.RECOMPUTED, "failed", "recomputed"),
        (Agreement.DIFFERS, Level.CROSS_CHECKED, "failed", "cross-checked"),
        (Agreement.NOT_COMPARED, Level.CLAIMED_ONLY, "skipped", "claimed only"),
        (Agreement.NOT_COMPARED, Level.RECOMPUTED, "skipped", "claimed only"),
        (Agreement.AMBIGUOUS, Level.CLAIMED_ONLY, "skipped", "ambiguous"),
    ],
)
def test_how_a_claim_is_told(
    tmp_path: Path, agreement: Agreement, level: Level, outcome: str, word: str
) -> None:
    lane(tmp_path)
    verdict = verdict_of(tmp_path)
    claim = Claim("report.json#/a", "1", "2", agreement, level, "report.json#/a", "x.json")
    one = verdict.lanes[0]._replace(document_claims=(claim,))
    found = results(replace(verdict, lanes=(one,)), strict=False, unreadable={})[-1]
    assert (found.name, found.outcome, found.word, found.code) == (
        claim.id,
        outcome,
        word,
        OF_LEVEL[level],
    )


@pytest.mark.parametrize(
    ("state", "outcome", "word"),
    [
        (DecisionState.CURRENT, "passed", ""),
        (DecisionState.STALE, "skipped", "stale"),
        (DecisionState.SUPERSEDED, "skipped", "superseded"),
        (DecisionState.REFUSED, "failed", ""),
    ],
)
def test_how_a_decision_is_told(
    tmp_path: Path, state: DecisionState, outcome: str, word: str
) -> None:
    file = "decisions/sample.1.json"
    finding = Finding("DECIDED-STALE", f"{file}#/bound_to", "", "", "It changed.", "note")
    verdict = replace(
        verdict_of(lane(tmp_path).parent.parent),
        decisions=(Recorded(file, "sample", 1, None, state, "Why.", findings=(finding,)),),
    )
    found = results(verdict, strict=False, unreadable={})
    assert list(found[-2:]) == [
        Result("(decisions)", file, outcome, "VERIFY-DECISION", "Why.", file, word=word),  # type: ignore[arg-type]
        Result(
            "(decisions)",
            f"DECIDED-STALE {file}#/bound_to",
            "skipped",
            "DECIDED-STALE",
            "It changed.",
            file,
            None,
            "/bound_to",
            "note",
        ),
    ]
    assert (exit_code(verdict) is Exit.REFUTED) == any(row.outcome == "failed" for row in found)


def test_every_kind_of_row_is_explained() -> None:
    assert set(CHECKS) <= set(rule_texts())
    assert {*OF_LEVEL.values()} <= set(CHECKS)


def holds(verdict: RootVerdict, base: Path, *, strict: bool) -> None:
    """Hold the rows, and both formats, to the exit code and to the disk."""
    found = results(verdict, strict=strict, unreadable={})
    code = exit_code(verdict, strict=strict)
    ways = Counter(row.outcome for row in found)
    assert (ways["failed"] > 0) == (code is Exit.REFUTED)
    if code is not Exit.REFUTED:
        assert (ways["error"] > 0) == (code is Exit.NO_VERDICT)
    claims = [claim for one in verdict.lanes for claim in one.claims]
    told = [row for row in found if row.code in OF_LEVEL.values()]
    assert [row.name for row in told] == [claim.id for claim in claims]
    passed = sum(one.counts.recomputed + one.counts.cross_checked for one in verdict.lanes)
    assert sum(row.outcome == "passed" for row in told) == passed
    if strict:
        return  # the formats hold no less for one row more
    texts = rule_texts()
    assert {row.code for row in found} <= set(texts)
    root = read_junit(junit(found, name="lanebook verify"))
    assert sum(outcomes(root).values(), Counter()) == ways
    log = read_sarif(sarif(found, texts, command="lanebook verify"))
    kinds = Counter(result["kind"] for result in log["results"])
    assert (kinds["pass"], kinds["fail"]) == (ways["passed"], ways["failed"])
    assert log["invocations"][0]["executionSuccessful"] == (ways["error"] == 0)
    for one in verdict.lanes:
        if one.outcome is Outcome.UNKNOWN:
            assert outcomes(root)[one.id]["error"]
    # what docs/machine.md has GitHub shown: each refuting finding, once
    shown = [
        result["ruleId"]
        for result in log["results"]
        if result["kind"] == "fail" and not result["ruleId"].startswith("VERIFY-")
    ]
    found_so = [
        *(one.findings for one in verdict.lanes),
        *(one.findings for one in verdict.decisions),
    ]
    assert shown == [finding.code for each in found_so for finding in each if finding.refutes]
    # without a place GitHub refuses the whole file
    assert all(uris(result) for result in log["results"] if result["kind"] == "fail")
    gone = {
        uri
        for result in log["results"]
        for uri in uris(result)
        if not os.path.lexists(os.fsencode(base) + b"/" + unquote_to_bytes(uri))
    }
    missing = {state.path for one in verdict.lanes for state in one.files if state.computed is None}
    vanished = {one.folder for one in verdict.lanes}
    assert {
        uri
        for uri in gone
        if uri not in vanished
        and not any(os.fsdecode(unquote_to_bytes(uri)).endswith(path) for path in missing)
    } == set()


@pytest.mark.parametrize("name", sorted([*refused(), *RECIPES]))
def test_no_refused_packet_looks_better_than_its_exit_code(name: str, tmp_path: Path) -> None:
    path = RECIPES[name](tmp_path) if name in RECIPES else PACKETS / "refuse" / name
    verdict = verdict_of(path)
    root = open_path(path).path
    for strict in (False, True):
        holds(verdict, root.parent if is_bare(path) else root, strict=strict)


def is_bare(path: Path) -> bool:
    """Whether a packet or lane is looked at alone, so that its label begins with its own name."""
    return open_path(path).path == path.resolve() and not (path / "packets").is_dir()


@pytest.mark.parametrize("name", sorted(accepted()))
def test_a_sound_packet_looks_sound(name: str) -> None:
    path = PACKETS / "accept" / name
    root = open_path(path).path
    holds(verdict_of(path), root.parent if is_bare(path) else root, strict=False)


def test_the_own_lanes() -> None:
    holds(judged(open_root(OWN)), OWN, strict=False)


def test_a_bare_packet_is_named_by_its_folder(tmp_path: Path) -> None:
    packet(tmp_path / "download")
    places = {row.file for row in rows(tmp_path / "download") if row.file}
    assert places == {"download", f"download/{MANIFEST}", f"download/{TREE}"}


def test_a_hostile_path_leads_nowhere(tmp_path: Path) -> None:
    manifest = b"".join(
        b"%s  %s\n" % (digest(b"x").encode(), path)
        for path in (b"../../../outside", b"/etc/passwd", b"a\x1b[31m")
    )
    folder = lane(tmp_path, manifest=manifest)
    assert (folder / "evidence" / TREE).read_bytes() == tree_of(manifest)
    code, _, told = both(tmp_path)
    assert code == 1
    for result in told["results"]:
        for uri in uris(result):
            assert uri == "packets/sample" or uri.startswith("packets/sample/evidence")
    shown = run("verify", tmp_path, "--format", "junit", "-j", "1").out
    assert "\x1b" not in shown
    assert "a\\x1b[31m" in shown


def test_the_page_names_what_there_is() -> None:
    page = (OWN / "docs" / "machine.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert [sorted(yaml.safe_load(block)) for block in blocks] == [
        ["lanebook"],
        ["permissions", "steps"],
    ]
    properties = re.findall(r"^\| `(LANEBOOK_[A-Z_]+)` \|", page, re.MULTILINE)
    source = (OWN / "generator" / "attesting.py").read_text("utf-8")
    assert properties == re.findall(r'= "(LANEBOOK_[A-Z_]+)"', source)
    assert set(re.findall(r"VERIFY-[A-Z-]+[A-Z]", page)) <= set(CHECKS)


def test_same_lanes_same_bytes_wherever_they_stand(tmp_path: Path) -> None:
    for name in ("one", "two"):
        lane(tmp_path / name, documents={"report.json": REPORT})
    (tmp_path / "two/packets/sample/evidence/result.json").touch()
    shutil.copytree(tmp_path / "one", tmp_path / "three")
    for form in ("junit", "sarif"):
        given = [
            run("verify", "--format", form, cwd=tmp_path / name) for name in ("one", "two", "three")
        ]
        assert given[0] == given[1] == given[2]
        assert str(tmp_path) not in given[0].out
