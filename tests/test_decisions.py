"""Decisions: recorded on what was verified, told as stale when that changes, and never steered."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from generator.ballots import ballots, executes, is_hold
from generator.decision_schema import schema
from generator.names import visible
from generator.reading import ballot
from generator.reading.documents import read_document
from tests.folders import (
    FILES,
    Answer,
    as_nobody,
    content,
    digest,
    lane,
    listing,
    packet,
    run,
    verify,
)
from tests.make_refuse_packets import BLOCKERS, EXECUTE, HOLD, REHEARSE
from tests.site_support import ROOT, absent, environment, lanebook, pages_of

SEEDS = ROOT.parent / "shared" / "seeds"
DAY = "2026-11-25"
REPORT: dict[str, Any] = {
    "final_status": "SAMPLE_REHEARSAL_READY",
    "workstream_F_decision_packet": {
        "default": HOLD,
        "selected": None,
        "options": [HOLD, REHEARSE, EXECUTE],
    },
    "production_blocker_map": {
        "blockers": [
            {"id": BLOCKERS[0], "status": "OPEN", "actor": "owner", "next_action": "grant it"},
            {"id": BLOCKERS[1], "status": "narrowed", "legs": [{"id": "a leg", "status": "OPEN"}]},
        ]
    },
    "evidence_packet": {"packet_tree_sha256": digest(listing(FILES))},
}


def said(report: Mapping[str, Any]) -> str:
    return json.dumps(report, indent=2) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a root with one sound lane that puts a decision to an owner."""
    lane(tmp_path, documents={"report.json": said(REPORT)})
    return tmp_path


def decide(root: Path, option: str = HOLD, *more: str, **given: str) -> Answer:
    words = {"lane": "sample", "by": "A. Owner", "on": DAY} | given
    return run(
        *("decide", words["lane"], option, "--by", words["by"], "--on", words["on"], "-j", "1"),
        *("--root", str(root), *more),
    )


def record(root: Path, name: str = "sample.1.json") -> dict[str, Any]:
    value: dict[str, Any] = json.loads((root / "decisions" / name).read_bytes())
    return value


def states(root: Path) -> dict[str, str]:
    return {one["file"]: one["state"] for one in verify(root).object["decisions"]}


def only_decision(root: Path) -> dict[str, Any]:
    (one,) = verify(root).object["decisions"]
    found: dict[str, Any] = one
    return found


# --- decide and verify ---


def test_a_decision_is_bound_to_tree_map_and_packet(root: Path) -> None:
    given = decide(root, HOLD, "--reason", "nothing hurries")
    report = (root / "packets" / "sample" / "report.json").read_bytes()
    blockers: Any = [
        {
            "id": BLOCKERS[1],
            "open": True,
            "progress": "narrowed",
            "legs": [{"id": "a leg", "state": "OPEN"}],
        },
        {"id": BLOCKERS[0], "open": True, "progress": "none", "legs": []},
    ]
    mapped = digest(rfc8785.dumps(blockers))
    assert (given.code, given.err) == (0, "")
    assert given.out.splitlines() == [
        "decisions/sample.1.json",
        f"{HOLD} for sample, by A. Owner on {DAY}",
        "bound to:",
        f"  evidence tree    {digest(listing(FILES))}",
        f"  blocker map      {mapped}, 2 blockers, 2 open",
        f"  decision packet  {digest(report)}, report.json",
    ]
    assert record(root) == {
        "schema": "lanebook/decision/1",
        "lane": "sample",
        "option": HOLD,
        "decided_by": "A. Owner",
        "decided_on": DAY,
        "reason": "nothing hurries",
        "despite_open_blockers": [],
        "bound_to": {
            "tree": digest(listing(FILES)),
            "decision_packet": [{"document": "report.json", "sha256": digest(report)}],
            "blocker_map": {"sha256": mapped, "blockers": blockers},
        },
    }


def test_a_fresh_decision_is_current(root: Path) -> None:
    decide(root)
    found = verify(root)
    (one,) = found.object["decisions"]
    assert (found.code, one["state"], one["words"], one["changes"], one["findings"]) == (
        *(0, "current", "What it was taken on is as it was."),
        [],
        [],
    )
    assert found.object["summary"]["decisions"] == {
        "current": 1,
        "stale": 0,
        "superseded": 0,
        "refused": 0,
    }


def test_the_same_decision_gives_the_same_bytes(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    lane(other, documents={"report.json": said(REPORT)})
    assert decide(root).out == decide(other).out
    assert content(root / "decisions") == content(other / "decisions")
    assert not re.search(rb"20[0-9]{2}-(?!11-25)", (root / "decisions/sample.1.json").read_bytes())


def test_the_schema_names_the_keys_of_a_record(root: Path) -> None:
    decide(root)
    made = schema()
    assert list(made["properties"]) == [
        *("schema", "lane", "option", "decided_by", "decided_on", "reason"),
        *("despite_open_blockers", "bound_to"),
    ]
    assert set(made["required"]) == set(record(root))
    assert set(made["properties"]["bound_to"]["required"]) == set(record(root)["bound_to"])


def test_an_option_that_executes_needs_its_flag_while_blockers_are_open(root: Path) -> None:
    refused = decide(root, EXECUTE)
    assert (refused.code, refused.out) == (1, "")
    assert "(DECIDE-OPEN)" in refused.err
    assert all(name in refused.err for name in BLOCKERS)
    assert not (root / "decisions").exists()
    assert decide(root, EXECUTE, "--despite-open-blockers").code == 0
    assert record(root)["despite_open_blockers"] == sorted(BLOCKERS)
    assert states(root) == {"decisions/sample.1.json": "current"}


def test_an_option_that_stops_short_of_production_needs_no_flag(root: Path) -> None:
    assert decide(root, REHEARSE).code == 0
    assert record(root)["despite_open_blockers"] == []


def test_an_option_that_executes_needs_no_flag_without_open_blockers(root: Path) -> None:
    closed = {"id": BLOCKERS[0], "status": "closed", "evidence": ["result.json"]}
    report = REPORT | {"production_blocker_map": {"blockers": [closed]}}
    (root / "packets/sample/report.json").write_text(said(report), "utf-8")
    assert decide(root, EXECUTE).code == 0


def test_a_later_decision_supersedes_and_nothing_is_written_over(root: Path) -> None:
    decide(root)
    before = content(root / "decisions")
    assert decide(root, REHEARSE, on="2026-11-26").code == 0
    assert states(root) == {
        "decisions/sample.1.json": "superseded",
        "decisions/sample.2.json": "current",
    }
    assert before.items() <= content(root / "decisions").items()
    assert verify(root).code == 0


# --- stale ---


def reseal(root: Path) -> None:
    files = {**FILES, "commands.sh": b"exit 0 # again\n"}
    packet(root / "packets/sample/evidence", files)
    path = root / "packets/sample/report.json"
    tree = {"packet_tree_sha256": digest(listing(files))}
    path.write_text(said(REPORT | {"evidence_packet": tree}), "utf-8")


def close(root: Path) -> None:
    _, narrowed = REPORT["production_blocker_map"]["blockers"]
    closed = {"id": BLOCKERS[0], "status": "closed", "evidence": ["result.json"]}
    report = {
        "final_status": "LATER_REHEARSAL_READY",
        "production_blocker_map": {"newly_closed": [BLOCKERS[0]], "blockers": [closed, narrowed]},
    }
    lane(root, "later", yml="previous: sample\n", documents={"report.json": said(report)})


def reword(root: Path) -> None:
    path = root / "packets/sample/report.json"
    path.write_text(said(REPORT | {"note": "reworded"}), "utf-8")


def refute(root: Path) -> None:
    (root / "packets/sample/evidence/commands.sh").write_bytes(b"exit 1\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param(reseal, ["the evidence tree", "the decision packet"], id="tree"),
        pytest.param(close, ["the blocker map"], id="map"),
        pytest.param(reword, ["the decision packet"], id="packet"),
        pytest.param(refute, ["the verdict on the lane"], id="verdict"),
    ],
)
def test_a_decision_goes_stale(root: Path, change: Callable[[Path], None], what: list[str]) -> None:
    decide(root)
    change(root)
    found = verify(root)
    (one,) = found.object["decisions"]
    assert (one["state"], [each["what"] for each in one["changes"]]) == ("stale", what)
    assert [(each["code"], each["severity"]) for each in one["findings"]] == [
        ("DECIDED-STALE", "note")
    ]
    sample = next(each for each in found.object["lanes"] if each["id"] == "sample")
    assert "DECIDED-STALE" in [each["code"] for each in sample["findings"]]
    assert found.code == (1 if change is refute else 0)


def test_a_stale_decision_says_from_what_to_what(root: Path) -> None:
    decide(root)
    was = record(root)["bound_to"]["blocker_map"]["sha256"]
    close(root)
    (change,) = only_decision(root)["changes"]
    assert change["was"] == was
    assert change["now"] != was
    assert change["how"] == f"{BLOCKERS[0]}: open → closed"
    told = run("verify", root, "-j", "1").out
    assert "decisions/sample.1.json  ◑ stale  HOLD_PRODUCTION by A. Owner" in told
    assert f"the blocker map: was {was}, is {change['now']}" in told


def test_a_decision_is_current_again_when_all_is_as_it_was(root: Path) -> None:
    decide(root)
    path = root / "packets/sample/report.json"
    before = path.read_bytes()
    reword(root)
    assert states(root) == {"decisions/sample.1.json": "stale"}
    path.write_bytes(before)
    assert states(root) == {"decisions/sample.1.json": "current"}


def test_a_damaged_later_record_does_not_bring_the_one_before_back(root: Path) -> None:
    decide(root, EXECUTE, "--despite-open-blockers")
    decide(root)
    (root / "decisions/sample.2.json").write_bytes(b"{")
    assert states(root) == {
        "decisions/sample.1.json": "stale",
        "decisions/sample.2.json": "refused",
    }
    assert verify(root).code == 1


# --- what decide refuses ---


def put(root: Path, **members: object) -> None:
    decision = REPORT["workstream_F_decision_packet"] | members
    report = REPORT | {"workstream_F_decision_packet": decision}
    (root / "packets/sample/report.json").write_text(said(report), "utf-8")


def bare(root: Path) -> None:
    report = {key: value for key, value in REPORT.items() if "decision" not in key}
    (root / "packets/sample/report.json").write_text(said(report), "utf-8")


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        pytest.param(lambda root: put(root, selected=EXECUTE), 1, "DECIDE-PACKET", id="selected"),
        pytest.param(lambda root: put(root, default=EXECUTE), 1, "DECIDE-PACKET", id="default"),
        pytest.param(refute, 1, "DECIDE-REFUTED", id="refuted"),
        pytest.param(bare, 1, "DECIDE-NONE", id="no packet"),
    ],
)
def test_a_lane_on_which_nobody_should_decide_is_refused(
    root: Path, change: Callable[[Path], None], code: int, told: str
) -> None:
    change(root)
    given = decide(root)
    assert (given.code, given.out) == (code, "")
    assert f"({told})" in given.err
    assert not (root / "decisions").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"lane": "nowhere"}, "no such lane: nowhere", id="lane"),
        pytest.param({"lane": "../sample"}, "no such lane", id="lane outside"),
        pytest.param({"on": "yesterday"}, "--on: not a day", id="day in words"),
        pytest.param({"on": "2026-02-30"}, "--on: not a day", id="no such day"),
        pytest.param({"on": "\uff12026-11-25"}, "--on: not a day", id="other digits"),
        pytest.param({"by": " "}, "--by: empty", id="nobody"),
        pytest.param({"by": "A\x1b[2J"}, "--by: has a control", id="escape"),
        pytest.param({"by": "A\u202eB"}, "--by: has a control", id="direction"),
        pytest.param({"by": "A\nB"}, "--by: has a control", id="two lines"),
        pytest.param({"by": "A" * 201}, "--by: longer than 200", id="long"),
    ],
)
def test_wrong_usage_is_refused(root: Path, given: dict[str, str], told: str) -> None:
    answer = decide(root, HOLD, **given)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
    assert "\x1b[2J" not in answer.err
    assert not (root / "decisions").exists()


@pytest.mark.parametrize("option", ["AUTHORIZE_EVERYTHING", "", "hold_production", f"{HOLD} "])
def test_an_option_that_is_not_offered_is_refused(root: Path, option: str) -> None:
    answer = decide(root, option)
    assert (answer.code, answer.out) == (2, "")
    assert f"is not offered; sample offers: {HOLD}, {REHEARSE}, {EXECUTE}" in answer.err


def test_a_day_before_the_last_decision_is_refused(root: Path) -> None:
    decide(root)
    answer = decide(root, HOLD, on="2026-11-24")
    assert (answer.code, answer.out) == (2, "")
    assert len(content(root / "decisions")) == 1


def test_who_and_when_have_to_be_given(root: Path) -> None:
    for words in (["--by", "A"], ["--on", DAY]):
        assert run("decide", "sample", HOLD, *words, "--root", root).code == 2


def test_a_folder_that_may_not_be_written_is_no_traceback(root: Path) -> None:
    (root / "decisions").mkdir(mode=0o555)
    with as_nobody():
        answer = decide(root)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == "lanebook: decisions: Permission denied; nothing was recorded\n"
    assert content(root / "decisions") == {}


def test_nothing_is_written_through_a_link(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "decisions").symlink_to(outside)
    answer = decide(root)
    assert (answer.code, answer.out) == (3, "")
    assert list(outside.iterdir()) == []


def test_two_decisions_at_once_are_both_recorded(root: Path) -> None:
    command = [sys.executable, "-m", "generator", "decide", "sample", HOLD, "--on", DAY, "-j", "1"]
    running = [
        subprocess.Popen(
            [*command, "--by", f"Owner {number}", "--root", str(root)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for one in running:
        _, err = one.communicate(timeout=120)
        assert (one.returncode, err) == (0, b"")
    names = sorted(path.name for path in (root / "decisions").iterdir())
    assert names == [f"sample.{number}.json" for number in (1, 2, 3, 4)]
    whose = sorted(record(root, name)["decided_by"] for name in names)
    assert whose == [f"Owner {number}" for number in range(4)]
    assert list(states(root).values()) == ["superseded"] * 3 + ["current"]


def test_a_lane_without_evidence_is_bound_to_its_documents(tmp_path: Path) -> None:
    folder = tmp_path / "packets" / "sample"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(said(REPORT | {"evidence_packet": {}}), "utf-8")
    answer = decide(tmp_path)
    assert answer.code == 0
    assert "  evidence tree    none: the lane has no evidence packet" in answer.out.splitlines()
    assert record(tmp_path)["bound_to"]["tree"] is None
    assert states(tmp_path) == {"decisions/sample.1.json": "current"}


def test_one_lane_alone_shows_its_own_decisions_only(root: Path) -> None:
    lane(root, "other", documents={"report.json": said(REPORT)})
    decide(root)
    decide(root, HOLD, lane="other")
    shown = verify(root / "packets" / "other").object["decisions"]
    assert [(one["file"], one["state"]) for one in shown] == [("decisions/other.1.json", "current")]


# --- hostile folders ---


@pytest.fixture
def taken(root: Path) -> Path:
    decide(root)
    return root


def hostile(root: Path, name: str, data: bytes) -> None:
    (root / "decisions" / name).write_bytes(data)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("sample.0.json", "DECIDED-NAME", id="zero"),
        pytest.param("sample.02.json", "DECIDED-NAME", id="leading-zero"),
        pytest.param("sample.1.JSON", "DECIDED-NAME", id="ending"),
        pytest.param("sample.9999999.json", "DECIDED-NAME", id="seven-digits"),
        pytest.param("\x1b[2J.1.json", "DECIDED-NAME", id="escape"),
        pytest.param("\u202enosj.1.json", "DECIDED-NAME", id="direction"),
        pytest.param("<img src=x>.1.json", "DECIDED-NAME", id="markup"),
        pytest.param("a\nb.1.json", "DECIDED-NAME", id="two-lines"),
        pytest.param("\udcff.1.json", "DECIDED-NAME", id="no-utf8"),
    ],
)
def test_a_bad_name_ends_only_its_file(taken: Path, name: str, code: str) -> None:
    try:
        hostile(taken, name, (taken / "decisions/sample.1.json").read_bytes())
    except OSError:
        pytest.skip("this file system takes no such name")
    found = verify(taken)
    bad, good = found.object["decisions"]
    assert (found.code, bad["state"], good["state"]) == (1, "refused", "current")
    assert [one["code"] for one in bad["findings"]] == [code]
    assert visible(bad["file"]) == bad["file"]
    assert "\x1b[2J" not in run("verify", taken, "-j", "1").out


def changed(**members: object) -> Callable[[dict[str, Any]], object]:
    return lambda value: value | members


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda value: {name: member for name, member in value.items() if name != key}


def inside(**members: object) -> Callable[[dict[str, Any]], object]:
    return lambda value: value | {"bound_to": value["bound_to"] | members}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(without("option"), "no option", id="no-option"),
        pytest.param(changed(approved=True), "a key too many: approved", id="unknown-key"),
        pytest.param(changed(schema="lanebook/decision/2"), "lanebook/decision/1", id="schema"),
        pytest.param(changed(option=["a"]), "option: not a text", id="option-list"),
        pytest.param(changed(decided_by=""), "decided_by: empty", id="nobody"),
        pytest.param(changed(decided_by="A\u202e"), "decided_by: has a control", id="direction"),
        pytest.param(changed(reason="\x1b]0;x\x07"), "reason: has a control", id="escape"),
        pytest.param(changed(decided_on="2026-13-01"), "decided_on: not a day", id="day"),
        pytest.param(changed(bound_to=[]), "bound_to: not an object", id="bound-list"),
        pytest.param(inside(tree="e6547e69"), "tree: not a SHA-256 digest", id="short-tree"),
        pytest.param(inside(tree=7), "tree: not a SHA-256 digest", id="tree-number"),
        pytest.param(
            inside(blocker_map={"sha256": "0" * 64, "blockers": []}),
            "the blockers are not those of the digest",
            id="map",
        ),
        pytest.param(lambda value: [value], "not an object", id="list"),
        pytest.param(lambda value: None, "not an object", id="null"),
    ],
)
def test_a_damaged_record_is_refused_by_name(
    taken: Path, change: Callable[[dict[str, Any]], object], told: str
) -> None:
    hostile(taken, "sample.2.json", json.dumps(change(record(taken))).encode())
    found = verify(taken)
    good, bad = found.object["decisions"]
    assert (found.code, good["state"], bad["state"]) == (1, "stale", "refused")
    assert [one["code"] for one in bad["findings"]] == ["DECIDED-FORM"]
    assert told in bad["words"]
    assert visible(bad["words"]) == bad["words"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"lane": "sample", "lane": "sample"}', id="key-twice"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"schema": NaN}', id="nan"),
        pytest.param(b"1" * 500_000, id="digits"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="utf-16"),
        pytest.param(b'{"lane": "\\ud800"}', id="surrogate"),
        pytest.param(b"\0" * 4096, id="nul"),
    ],
)
def test_what_is_no_strict_json_is_refused(taken: Path, data: bytes) -> None:
    hostile(taken, "sample.2.json", data)
    found = verify(taken)
    assert (found.code, [one["state"] for one in found.object["decisions"]]) == (
        1,
        ["stale", "refused"],
    )


def test_a_fifo_is_not_waited_for(taken: Path) -> None:
    os.mkfifo(taken / "decisions" / "sample.2.json")
    found = verify(taken)
    bad = found.object["decisions"][1]
    assert (found.code, bad["state"], bad["findings"][0]["code"]) == (1, "refused", "KIND-FIFO")


def test_a_folder_is_no_record(taken: Path) -> None:
    (taken / "decisions" / "sample.2.json").mkdir()
    assert verify(taken).code == 1


def test_a_file_in_the_place_of_the_folder_is_refused(root: Path) -> None:
    (root / "decisions").write_bytes(b"no folder\n")
    found = verify(root)
    assert (found.code, [one["state"] for one in found.object["decisions"]]) == (1, ["refused"])


def test_a_record_that_may_not_be_read_is_refused(taken: Path) -> None:
    (taken / "decisions/sample.1.json").chmod(0)
    with as_nobody():
        found = verify(taken)
    assert (found.code, found.object["decisions"][0]["findings"][0]["code"]) == (1, "READ-DENIED")


def test_what_git_and_people_keep_there_is_no_finding(taken: Path) -> None:
    for name in (".gitkeep", ".gitattributes", "README.md", ".sample.123.new"):
        hostile(taken, name, b"kept\n")
    assert verify(taken).code == 0


def test_ten_thousand_records_take_linear_time(taken: Path) -> None:
    data = (taken / "decisions/sample.1.json").read_bytes()

    def fill(upto: int) -> float:
        for number in range(2, upto + 1):
            hostile(taken, f"sample.{number}.json", data)
        begin = time.perf_counter()
        found = verify(taken).object["decisions"]
        assert (len(found), found[-1]["state"]) == (upto, "current")
        return time.perf_counter() - begin

    few, many = fill(300), fill(3000)
    assert many < 25 * few


def test_more_records_than_the_limit_are_told(taken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.reading.decisions.MOST_FILES", 1)
    hostile(taken, "sample.2.json", (taken / "decisions/sample.1.json").read_bytes())
    found = verify(taken)
    assert found.code == 1
    assert "DECIDED-LIMIT" in [
        finding["code"] for one in found.object["decisions"] for finding in one["findings"]
    ]


def test_a_blocker_with_hostile_words_can_be_recorded_and_is_shown_as_text(root: Path) -> None:
    hostile_id = "<script>\x1b[2J\u202e" + "x" * 5000
    report = REPORT | {"production_blocker_map": {"blockers": [{"id": hostile_id}]}}
    (root / "packets/sample/report.json").write_text(said(report), "utf-8")
    answer = decide(root, EXECUTE, "--despite-open-blockers")
    assert answer.code == 0
    assert "\x1b[2J" not in answer.out
    assert states(root) == {"decisions/sample.1.json": "current"}
    assert (root / "decisions/sample.1.json").read_bytes().isascii()


# --- pages ---


def site(root: Path) -> dict[str, Any]:
    (root / "mkdocs.yml").write_bytes((ROOT / "mkdocs.yml").read_bytes())
    done = lanebook("build", "--root", str(root), cwd=root)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1), done.stderr
    docs = root / "site" / "docs"
    return {
        path.relative_to(docs).with_suffix("").as_posix(): json.loads(path.read_bytes())
        for path in docs.rglob("*.json")
    }


def test_every_page_that_shows_a_decision_shows_that_it_is_stale(root: Path) -> None:
    markup = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) **bold** | `x`"
    decide(root, EXECUTE, "--despite-open-blockers", "--reason", markup, by="<b>A</b> {{ 7*7 }}")
    close(root)
    pages = site(root)
    docs, html = root / "site/docs", root / "site/html"
    shown = ("index", "decisions", "lanes/sample/index", "lanes/sample/decision")
    for name in shown:
        text = (docs / f"{name}.md").read_text("utf-8")
        assert "**◑ stale**{: .lb-stale }" in text, name
        page = (html / f"{name}.html").read_text("utf-8")
        assert "<img src=x" not in page, name
        assert "<b>A</b>" not in page, name
        assert 'javascript:alert(1)"' not in page, name
        assert "49" not in re.findall(r"{{ 7\*7 }}|>49<", page), name
    for name in shown[1:]:
        (row,) = pages[name]["recorded"]
        assert (row["state"], row["option"], row["reason"], row["decided_by"]) == (
            *("stale", EXECUTE, markup),
            "<b>A</b> {{ 7*7 }}",
        )
        (change,) = pages[name]["changes"]
        assert (change["what"], change["how"]) == (
            "the blocker map",
            f"{BLOCKERS[0]}: open → closed",
        )
    built = pages_of(html)
    missing = [
        (name, *what)
        for name in shown
        for what in absent(pages[name], built[html / f"{name}.html"])
    ]
    assert missing == []
    home = pages["index"]
    assert home["decisions_words"] == "1 decision recorded, 1 stale"
    assert home["headline"] == "Production must not be touched: it is on hold"
    assert "it is stale; so the default" in home["standing"]
    assert pages["schemas/decision-1"] == schema()


def test_a_current_decision_to_execute_is_no_green_light(root: Path) -> None:
    decide(root, EXECUTE, "--despite-open-blockers")
    home = site(root)["index"]
    assert home["headline"] == "Production must not be touched: 2 blockers open"
    assert f"{EXECUTE} is recorded on" in home["standing"]
    assert [one["state"] for one in home["decided"]] == ["current"]


def test_the_ballot_stands_on_the_blockers_of_all_lanes(root: Path) -> None:
    close(root)
    other = {"id": "LATER-P0-OTHER-1", "status": "OPEN", "actor": "operator"}
    report = {
        "final_status": "LAST_REHEARSAL_READY",
        "production_blocker_map": {"blockers": [other]},
    }
    lane(root, "last", yml="previous: later\n", documents={"report.json": said(report)})
    page = site(root)["lanes/sample/decision"]
    assert [(one["id"], one["now"], one["state"]) for one in page["preconditions"]] == [
        ("LATER-P0-OTHER-1", "open", ""),
        (BLOCKERS[0], "closed", "open"),
        (BLOCKERS[1], "open, narrowed", "open, narrowed"),
    ]
    assert page["map_since"] == f"Since then 2 blockers changed: LATER-P0-OTHER-1, {BLOCKERS[0]}."
    assert [one["readiness"] for one in page["options"]] == [
        "Nothing here says that it is ready.",
        "Nothing here says that it is ready.",
        "Not ready: 2 blockers open.",
    ]


def test_a_refused_record_is_told_on_the_home_page(taken: Path) -> None:
    hostile(taken, "nowhere.1.json", (taken / "decisions/sample.1.json").read_bytes())
    pages = site(taken)
    assert pages["index"]["decisions_words"] == "2 decisions recorded, 1 refused"
    assert pages["index"]["attention"][0] == {
        "title": "Recorded decisions",
        "words": "1 record refused, first: decisions/nowhere.1.json",
    }
    assert [one["state"] for one in pages["decisions"]["recorded"]] == ["refused", "current"]


# --- reading decision packets ---


@pytest.mark.skipif(not SEEDS.is_dir(), reason="no seeds here")
def test_the_seeds_have_sound_decision_packets(tmp_path: Path) -> None:
    assert run("import", *sorted(SEEDS.glob("*.txt")), cwd=tmp_path).code == 0
    found = verify(tmp_path)
    codes = [code for code in found.codes if code.startswith("DECISION-")]
    assert codes == []
    read = {}
    for folder in (tmp_path / "packets").iterdir():
        documents = [read_document(path.name, path.read_bytes()) for path in folder.iterdir()]
        read[folder.name] = [(one.where, one.options) for one in ballots(documents)]
    offered = (
        "HOLD_PRODUCTION",
        "AUTHORIZE_PRODUCTION_DRYRUN_ONLY",
        "AUTHORIZE_PRODUCTION_REALRUN_PRECHECK_ONLY",
        "AUTHORIZE_PRODUCTION_EXECUTION",
    )
    assert sorted(packet for packets in read.values() for packet in packets) == [
        ("decision-packet.md", offered),
        ("report.json#/workstream_F_decision_packet", offered),
    ]


SOUND_TEXT = f"""# Decision packet

Evidence tree: {digest(listing(FILES))}
This document selects nothing. Default = {HOLD}.

- REAL_RUN: NO
- CUTOVER_NOW: NO

## Options (choose exactly one; default HOLD)

- {HOLD} (default, recommended) — do nothing further.
- {REHEARSE} — one more rehearsal; it may proceed once the owner grants it.
- {EXECUTE} — actual apply (requires ALL blockers resolved + per-action grants).

If {EXECUTE} is chosen, every blocker must be closed first. The change is not ready for execution.
We do not recommend option 3, nor is {EXECUTE} preferred by anybody.
Once every blocker is closed, production may proceed. {EXECUTE} was chosen in no earlier lane.
"""


def text_lane(root: Path, text: str) -> list[str]:
    """Return the codes that a lane with this decision packet in text gets."""
    (root / "packets/sample/decision-packet.md").write_text(text, "utf-8")
    return verify(root).codes


def test_words_that_only_look_like_steering_are_no_finding(root: Path) -> None:
    assert text_lane(root, SOUND_TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (f"- {EXECUTE} —", f"- [x] {EXECUTE} —", "DECISION-SELECTED"),
        (f"- {EXECUTE} —", f"- ☑ {EXECUTE} —", "DECISION-SELECTED"),
        ("This document selects nothing.", f"Selected: {EXECUTE}.", "DECISION-SELECTED"),
        ("This document selects nothing.", f"Chosen option: {EXECUTE}", "DECISION-SELECTED"),
        ("This document selects nothing.", f"{EXECUTE} is selected.", "DECISION-SELECTED"),
        (f"- {EXECUTE} —", f"- {EXECUTE} (default) —", "DECISION-DEFAULT"),
        (f"- {EXECUTE} —", f"- {EXECUTE} (preferred) —", "DECISION-WEIGHT"),
        (f"- {EXECUTE} —", f"- **{EXECUTE}** —", "DECISION-WEIGHT"),
        ("If " + EXECUTE, f"We recommend {EXECUTE} now. If it", "DECISION-WEIGHT"),
        (f"- {EXECUTE} —", f"- {EXECUTE} (unlocked) —", "DECISION-READY"),
        ("The change is not ready", "The change is ready", "DECISION-READY"),
        ("Once every blocker is closed, production", "Production", "DECISION-READY"),
        (f"- {REHEARSE} —", f"- {HOLD} —", "DECISION-OPTION-TWICE"),
        (f"- {REHEARSE} —", "- AUTHORIZE_OTHER_ONLY —", "DECISION-OPTIONS-DIFFER"),
        (digest(listing(FILES)), "the one beside it", "DECISION-UNBOUND"),
    ],
)
def test_one_changed_word_steers(root: Path, old: str, new: str, code: str) -> None:
    assert old in SOUND_TEXT
    assert code in text_lane(root, SOUND_TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("token", "holds", "acts"),
    [
        ("HOLD_PRODUCTION", True, False),
        ("HOLD", True, False),
        ("LIFT_HOLD", False, True),
        ("AUTHORIZE_PRODUCTION_EXECUTION", False, True),
        ("AUTHORIZE_PRODUCTION_DRYRUN_ONLY", False, False),
        ("AUTHORIZE_PRODUCTION_REALRUN_PRECHECK_ONLY", False, False),
        ("AUTHORIZE_IMPLEMENTATION_EXECUTION_NO_PRODUCTION", False, False),
        ("AUTHORIZE_REHEARSAL_THEN_EXECUTION", False, True),
        ("AUTHORIZE_CUTOVER_ONLY", False, True),
        ("GO", False, True),
    ],
)
def test_in_doubt_an_option_executes(token: str, holds: bool, acts: bool) -> None:
    assert (is_hold(token), executes(token)) == (holds, acts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ready " * 500_000, id="one-line"),
        pytest.param("ready for execution. " * 100_000, id="sentences"),
        pytest.param(f"- {EXECUTE} (ready): x\n" * 50_000, id="options"),
        pytest.param("- [x] **``**``" * 100_000, id="marks"),
        pytest.param("| option |\n|---|\n" * 50_000, id="tables"),
    ],
)
def test_a_decision_packet_without_end_is_read_in_linear_time(text: str) -> None:
    begin = time.perf_counter()
    ballot.read("decision-packet.md", text)
    assert time.perf_counter() - begin < 20


def test_records_are_written_for_all_to_read(root: Path) -> None:
    decide(root)
    mode = stat.S_IMODE((root / "decisions/sample.1.json").stat().st_mode)
    assert mode & 0o444 == 0o444 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
