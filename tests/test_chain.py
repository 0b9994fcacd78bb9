"""The lanes as a chain: their records, what holds them together, and the pin list."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.canonical import canonical
from generator.exits import Exit
from generator.model.digest import fits
from generator.model.document import Section
from generator.reading import passages
from tests.chain_folders import chains, first, lane, root, row, second, tree
from tests.folders import Answer, digest, run, verify, write

SEEDS = Path("/work/shared/seeds")


def found(answer: Answer, lane_id: str) -> list[tuple[str, str, str, str]]:
    """Return code, place, stated and computed of a lane's findings."""
    (one,) = (item for item in answer.object["lanes"] if item["id"] == lane_id)
    return [
        (item["code"], item["where"], item["stated"], item["computed"]) for item in one["findings"]
    ]


def links(answer: Answer) -> dict[str, dict[str, str]]:
    return {one["id"]: one["link"] for one in answer.object["lanes"]}


def records(folder: Path) -> dict[str, str]:
    return {one["id"]: one["record"] for one in verify(folder).object["lanes"]}


def follow(number: int, previous: str, **more: Any) -> dict[str, bytes]:
    """Return a small lane without a packet that follows another one."""
    report = {"final_status": f"LANE_{number:04}_REHEARSAL_READY", **more}
    yml = f"id: lane-{number:04}\n" + (f"previous: {previous}\n" if previous else "")
    folder = f"packets/lane-{number:04}"
    return {
        f"{folder}/lane.yml": yml.encode(),
        f"{folder}/report.json": json.dumps(report).encode(),
    }


# The tie to the lane before


def test_a_sound_chain_is_tied_by_hash_and_has_no_finding(tmp_path: Path) -> None:
    answer = verify(write(tmp_path, root()))
    assert answer.code == Exit.VERIFIED
    assert [one["findings"] for one in answer.object["lanes"]] == [[], []]
    assert links(answer) == {
        "first": {"kind": "", "previous": "", "how": ""},
        "second": {
            "kind": "hash",
            "previous": "first",
            "how": "cites its tree hash: report.json#/preflight/previous_packet_tree_sha256",
        },
    }


def test_a_wrong_tree_of_the_lane_before_is_a_broken_link(tmp_path: Path) -> None:
    answer = verify(write(tmp_path, chains()["CHAIN-TREE-of-no-lane"]))
    place = "report.json#/preflight/previous_packet_tree_sha256"
    assert found(answer, "second") == [("CHAIN-TREE", place, "0" * 64, tree("first"))]
    assert links(answer)["second"]["kind"] == "broken"
    (later,) = (one for one in answer.object["lanes"] if one["id"] == "second")
    assert later["linked_by"] == "status only"


def test_a_hash_that_is_only_stated_does_not_tie_by_hash(tmp_path: Path) -> None:
    before = first()
    before["evidence_packet"] = {"packet_tree_sha256": tree("first")}
    files = {
        path: data
        for path, data in {
            **lane("first", before),
            **lane("second", second(), "previous: first\n"),
        }.items()
        if not path.startswith("packets/first/evidence/")
    }
    answer = verify(write(tmp_path, files))
    assert links(answer)["second"]["kind"] == "hash as stated"
    assert found(answer, "second") == []


# Records


def test_a_record_can_be_computed_from_what_it_says(tmp_path: Path) -> None:
    write(tmp_path, root())
    (tmp_path / "mkdocs.yml").write_bytes(Path("templates/root/mkdocs.yml").read_bytes())
    assert run("build", "--root", tmp_path).code == Exit.VERIFIED
    named = records(tmp_path)
    before: dict[str, Any] | None = None
    for name in ("first", "second"):
        data = (tmp_path / "site" / "docs" / "records" / f"{name}.json").read_bytes()
        value = json.loads(data)
        assert digest(data) == named[name]
        assert canonical(value) == data
        assert value["evidence"]["tree"] == tree(name)
        assert value["documents"] == [
            {
                "name": "report.json",
                "sha256": digest((tmp_path / "packets" / name / "report.json").read_bytes()),
            }
        ]
        assert value["previous"] == before
        before = {"lane": name, "record": named[name], "tree": tree(name)}


@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq here")
def test_the_lines_of_shell_on_the_page_check_a_record(tmp_path: Path) -> None:
    write(tmp_path, root())
    (tmp_path / "mkdocs.yml").write_bytes(Path("templates/root/mkdocs.yml").read_bytes())
    run("build", "--root", tmp_path)
    page = (tmp_path / "site" / "docs" / "chain.md").read_text("utf-8")
    script = page.partition("```sh\n")[2].partition("```")[0]
    done = subprocess.run(
        ["sh", "-e"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    named = records(tmp_path)
    digests = [line.split()[0] for line in done.stdout.splitlines() if "OK" not in line]
    assert (done.returncode, done.stderr, digests) == (
        0,
        "",
        [named["second"]] * 2 + [tree("second")] * 2 + [named["first"]] * 2,
    )


@settings(max_examples=25, deadline=None)
@given(
    lanes=st.integers(2, 6),
    at=st.integers(0, 5),
    byte=st.integers(0, 400),
    flip=st.integers(1, 255),
)
def test_a_byte_changes_its_record_and_all_behind_it(
    lanes: int, at: int, byte: int, flip: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    for number in range(lanes):
        write(folder, follow(number, f"lane-{number - 1:04}" if number else "", note="x" * 300))
    before = records(folder)
    write(folder, follow(lanes, f"lane-{lanes - 1:04}"))
    later = records(folder)
    assert {key: later[key] for key in before} == before  # a later lane changes none before it
    at %= lanes
    document = folder / "packets" / f"lane-{at:04}" / "report.json"
    data = bytearray(document.read_bytes())
    data[byte % len(data)] ^= flip
    document.write_bytes(bytes(data))
    changed = records(folder)
    assert [changed[key] != later[key] for key in sorted(later)] == [
        number >= at for number in range(lanes + 1)
    ]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        pytest.param("lane.yml", b"id: first\ntitle: Another\n", id="lane-file"),
        pytest.param("evidence/commands.sh", b"exit 1\n", id="evidence-not-sealed-again"),
        pytest.param("evidence/zz.txt", b"more\n", id="evidence-extra"),
        pytest.param("evidence/packet_tree.sha256", b"0\n", id="seal"),
        pytest.param("checkpoint.md", b"# Checkpoint\n", id="document-added"),
    ],
)
def test_what_else_of_a_lane_changes_its_record(path: str, data: bytes, tmp_path: Path) -> None:
    before = records(write(tmp_path, root()))
    (tmp_path / "packets" / "first" / path).write_bytes(data)
    after = records(tmp_path)
    assert [before[name] != after[name] for name in ("first", "second")] == [True, True]


def test_who_cites_or_pins_a_lane_does_not_change_its_record(tmp_path: Path) -> None:
    before = records(write(tmp_path, root()))
    assert run("pin", tmp_path).code == Exit.VERIFIED
    assert records(tmp_path) == before


# Ranges, blockers, delegations, quotes


def test_a_range_between_two_others_is_not_above_the_ceiling(tmp_path: Path) -> None:
    files = {
        **follow(1, "", governance={"objects_reserved": "TKT-OBJ-1..4"}),
        **follow(2, "lane-0001", governance={"objects_reserved": "TKT-OBJ-9..12"}),
        **follow(3, "lane-0002", governance={"objects_reserved": "TKT-OBJ-6..7"}),
    }
    answer = verify(write(tmp_path, files))
    place = "report.json#/governance"
    assert found(answer, "lane-0002") == [
        ("RANGE-GAP", place, "TKT-OBJ-9..12", "TKT-OBJ-5..8"),
    ]
    assert found(answer, "lane-0003") == [
        ("RANGE-CEILING", place, "TKT-OBJ-6..7", "above 12"),
    ]


def test_ranges_of_two_kinds_do_not_meet(tmp_path: Path) -> None:
    files = {
        **follow(1, "", governance={"objects_reserved": "TKT-OBJ-1..4"}),
        **follow(2, "lane-0001", governance={"objects_reserved": "DOC-OBJ-1..4"}),
    }
    answer = verify(write(tmp_path, files))
    assert [found(answer, f"lane-000{number}") for number in (1, 2)] == [[], []]


def test_a_blocker_that_vanished_is_told_once_and_again_when_it_vanishes_again(
    tmp_path: Path,
) -> None:
    def listed(*names: str) -> dict[str, Any]:
        rows = [row(name) for name in names]
        return {"production_blocker_map": {"open_count": len(rows), "blockers": rows}}

    files = {
        **follow(1, "", **listed("GRANT", "ROLLBACK")),
        **follow(2, "lane-0001", **listed("ROLLBACK")),
        **follow(3, "lane-0002", **listed("ROLLBACK")),
        **follow(4, "lane-0003", **listed("ROLLBACK", "GRANT")),
        **follow(5, "lane-0004", **listed("GRANT")),
    }
    answer = verify(write(tmp_path, files))
    assert [[one[3] for one in found(answer, f"lane-{number:04}")] for number in range(1, 6)] == [
        *([], ["P-GRANT-1"], [], [], ["P-ROLLBACK-1"]),
    ]


def test_a_blocker_closed_with_evidence_is_no_finding(tmp_path: Path) -> None:
    def close(report: dict[str, Any]) -> None:
        rows = report["production_blocker_map"]["blockers"]
        rows[0]["state"] = "closed"
        report["production_blocker_map"]["open_count"] = 1

    answer = verify(write(tmp_path, root(close)))
    assert found(answer, "second") == []


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"reason": "the owner gave less"}, id="reason"),
        pytest.param({"next_action": "grant the rest"}, id="another-next-action"),
        pytest.param({"state": "OPEN; narrowed to the production leg"}, id="words"),
    ],
)
def test_a_change_with_a_reason_is_no_finding(more: dict[str, Any], tmp_path: Path) -> None:
    def change(report: dict[str, Any]) -> None:
        report["production_blocker_map"]["blockers"][0].update({"state": "OPEN; narrowed", **more})

    assert found(verify(write(tmp_path, root(change))), "second") == []


def test_a_delegation_that_is_recorded_as_given_outside_is_no_finding(tmp_path: Path) -> None:
    report = second()
    report["delegated_decision_consumed"] = "AUTHORIZE_EVERYTHING_AT_ONCE"
    files = {
        **lane("first", first()),
        **lane("second", report, 'previous: first\ndelegation: "outside, by the owner"\n'),
    }
    assert found(verify(write(tmp_path, files)), "second") == []


@pytest.mark.parametrize(
    ("quoted", "wrong"),
    [
        pytest.param("FIRST_CLONE_REHEARSAL_READY_NOT_APPLIED", False, id="whole"),
        pytest.param("FIRST_CLONE_REHEARSAL_READY", True, id="without-its-end"),
        pytest.param("FIRST_CLONE_REHEARSEL_READY_NOT_APPLIED", True, id="mistyped"),
        pytest.param("ANOTHER_LANE_THAT_IS_NOT_HERE_READY", False, id="of-a-lane-that-is-not-here"),
        pytest.param("..._NOT_APPLIED", False, id="its-end"),
        pytest.param("…_REHEARSAL_PROVEN", True, id="another-end"),
    ],
)
def test_a_preflight_quotes_what_the_lane_says(quoted: str, wrong: bool, tmp_path: Path) -> None:
    text = (
        "# Checkpoint\n\n- Lane: second\n\n## Preflight\n\n"
        f"- First clone rehearsal: `{quoted}`\n\n## Work\n\n- Result: done\n"
    )
    answer = verify(write(tmp_path, root(checkpoint_md=text)))
    told = [one for one in found(answer, "second") if one[0] == "PREFLIGHT-STATUS"]
    stated = "FIRST_CLONE_REHEARSAL_READY_NOT_APPLIED"
    assert told == ([("PREFLIGHT-STATUS", "checkpoint.md:7", quoted, stated)] if wrong else [])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("ab12…ff", "ab12" + "0" * 58 + "ff", True, id="fits"),
        pytest.param("ab12…fe", "ab12" + "0" * 58 + "ff", False, id="another-tail"),
        pytest.param("ab12…ff", "ab1234..ff", True, id="two-short"),
        pytest.param("ab12…", "ab13…ff", False, id="two-short-other-head"),
    ],
)
def test_short_hashes_fit_or_do_not(one: str, other: str, same: bool) -> None:
    assert fits(one, other) is same
    assert fits(other, one) is same


# The seeds


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not here")
def test_what_the_chain_finds_over_the_seeds(tmp_path: Path) -> None:
    assert run("import", *sorted(SEEDS.glob("*.txt")), cwd=tmp_path).code == Exit.VERIFIED
    answer = verify(tmp_path)
    rehearsal = "fix7-p0-production-rehearsal-only-rollback"
    clone = "fix7-p0-production-shaped-clone-rehearsal"
    execution = "fix7-p0-no-production-implementation-execution-and-review"
    told = {
        name: [one[:2] for one in found(answer, name) if not one[0].startswith(("DOC-", "CON-"))]
        for name in (execution, rehearsal, clone)
    }
    closed = "report.json#/production_blocker_map"
    assert told == {
        # nobody offered it, as far as is known here
        execution: [("DELEGATION-UNKNOWN", "report.md:6")],
        rehearsal: [
            # its status is quoted in the preflight, its tree is not
            ("CHAIN-UNCITED", "report.md:26"),
            # 462..484 was reserved by a lane whose documents are not among the seeds
            ("RANGE-GAP", "report.md:113"),
            ("DELEGATION-UNKNOWN", "report.md:4"),
        ],
        clone: [
            ("CHAIN-UNCITED", "checkpoint.md:8"),
            # three of seven are named, and seven are counted
            ("BLOCKER-UNNAMED", f"{closed}/design_delivered/0"),
            # clone leg, production leg: toy-clone leg, production-shaped leg
            ("LEG-RENAMED", f"{closed}/carried_partially_discharged/0"),
            # S1 offers four options, and not this one
            ("DELEGATION-UNOFFERED", "report.json#/delegated_decision_consumed"),
        ],
    }
    assert [one["link"]["previous"] for one in answer.object["lanes"]] == ["", execution, rehearsal]


# Bad input


def _cycle(count: int) -> dict[str, bytes]:
    return {
        path: data
        for number in range(count)
        for path, data in follow(number, f"lane-{(number + 1) % count:04}").items()
    }


def _linear(count: int) -> dict[str, bytes]:
    return {
        path: data
        for number in range(count)
        for path, data in follow(
            number,
            f"lane-{number - 1:04}" if number else "",
            governance={"objects_reserved": f"TKT-OBJ-{2 * number + 1}..{2 * number + 2}"},
        ).items()
    }


def _one_range(count: int) -> dict[str, bytes]:
    return {
        path: data
        for number in range(count)
        for path, data in follow(
            number, "lane-0000" if number else "", governance={"objects_reserved": "TKT-OBJ-1..9"}
        ).items()
    }


@pytest.mark.parametrize(
    ("files", "codes"),
    [
        pytest.param(_cycle(1000), {"LANE-CYCLE"}, id="cycle-of-1000"),
        pytest.param(_linear(500), set(), id="linear-500"),
        pytest.param(_one_range(300), {"CHAIN-FORK", "RANGE-OVERLAP"}, id="one-place-and-range"),
        pytest.param(follow(1, "nowhere"), {"LANE-PREVIOUS"}, id="nowhere"),
    ],
)
def test_bad_chains_end_in_named_findings(
    files: Mapping[str, bytes], codes: set[str], tmp_path: Path
) -> None:
    write(tmp_path, files)
    begun = time.monotonic()
    answer = verify(tmp_path, jobs=2)
    assert time.monotonic() - begun < 60
    assert set(answer.codes) == codes
    assert [one["errors"] for one in answer.object["lanes"] if one["errors"]] == []


def test_each_who_claims_a_taken_place_or_range_is_told_who_has_it(tmp_path: Path) -> None:
    answer = verify(write(tmp_path, _one_range(3)))
    place = "report.json#/governance"
    assert found(answer, "lane-0002") == [
        ("CHAIN-FORK", "lane.yml", "lane-0000", "lane-0001"),
        ("RANGE-OVERLAP", place, "TKT-OBJ-1..9", "TKT-OBJ-1..9"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A-" * 500_000, id="dashes"),
        pytest.param("A_" * 500_000, id="underscores"),
        pytest.param("A-B-C-1 x leg " * 80_000, id="legs"),
        pytest.param("reserved " * 120_000, id="reserved"),
        pytest.param("TKT-1.." * 150_000, id="ranges"),
        pytest.param("fold 1..2 " * 100_000, id="folds"),
        pytest.param("..." * 300_000 + "_A", id="dots"),
    ],
)
def test_a_megabyte_on_one_line_is_read_in_no_time(text: str) -> None:
    begun = time.monotonic()
    passages.read("x.md", text, [Section("Preflight", 2, 1)])
    assert time.monotonic() - begun < 10


# The pin list


def pins(folder: Path) -> str:
    return (folder / "pins.yml").read_text("utf-8")


def told(answer: Answer) -> list[tuple[str, str]]:
    return [(one["lane"], one["did"]) for one in answer.object["lanes"]]


def test_pinning_writes_what_verify_then_holds_against(tmp_path: Path) -> None:
    write(tmp_path, root())
    answer = run("pin", tmp_path, "--format", "json")
    named = records(tmp_path)
    assert (answer.code, told(answer)) == (0, [("first", "pinned"), ("second", "pinned")])
    assert pins(tmp_path).partition("lanes:\n")[2] == "".join(
        f'  "{name}":\n    tree: "{tree(name)}"\n    record: "{named[name]}"\n'
        for name in ("first", "second")
    )
    assert [one["integrity"] for one in verify(tmp_path).object["lanes"]] == ["pinned"] * 2
    again = run("pin", tmp_path)
    assert (again.code, again.out) == (0, "pins.yml: 2 lanes, unchanged\n")
    checked = run("pin", tmp_path, "--check")
    assert (checked.code, checked.out) == (0, "")


def test_the_short_form_is_read_and_completed(tmp_path: Path) -> None:
    write(tmp_path, root())
    (tmp_path / "pins.yml").write_text(f"lanes:\n  first: {tree('first')}\n")
    assert [one["integrity"] for one in verify(tmp_path).object["lanes"]] == [
        "pinned",
        "consistent",
    ]
    answer = run("pin", tmp_path, "first", "--format", "json")
    assert (answer.code, told(answer)) == (0, [("first", "completed")])
    assert f'record: "{records(tmp_path)["first"]}"' in pins(tmp_path)


def test_a_rewritten_lane_is_found_in_it_and_in_all_behind_it(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    was = records(tmp_path)
    report = tmp_path / "packets" / "first" / "report.json"
    report.write_bytes(report.read_bytes() + b"\n")
    answer = verify(tmp_path)
    now = records(tmp_path)
    assert answer.code == Exit.REFUTED
    for name in ("first", "second"):
        assert found(answer, name) == [("PIN-RECORD", "pins.yml", was[name], now[name])]
    messages = [one["findings"][0]["message"] for one in answer.object["lanes"]]
    assert ["The lane itself is as it was pinned" in one for one in messages] == [False, True]
    alone = verify(tmp_path / "packets" / "second")
    assert alone.code == Exit.REFUTED


def test_what_is_pinned_is_changed_only_by_name_and_who_follows_goes_along(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    before = pins(tmp_path)
    report = tmp_path / "packets" / "first" / "report.json"
    report.write_bytes(report.read_bytes() + b"\n")
    silent = run("pin", tmp_path, "--format", "json")
    assert (silent.code, told(silent)) == (1, [("first", "refused"), ("second", "refused")])
    assert pins(tmp_path) == before
    assert run("pin", tmp_path, "--check").code == Exit.REFUTED
    named = run("pin", tmp_path, "--repin", "first", "--format", "json")
    assert (named.code, told(named)) == (
        0,
        [("first", "repinned"), ("second", "repinned, as a lane before it is")],
    )
    assert verify(tmp_path).code == Exit.VERIFIED


def test_a_lane_that_itself_changed_does_not_follow(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    for name in ("first", "second"):
        report = tmp_path / "packets" / name / "report.json"
        report.write_bytes(report.read_bytes() + b"\n")
    answer = run("pin", tmp_path, "--repin", "first", "--format", "json")
    assert (answer.code, told(answer)) == (1, [("first", "repinned"), ("second", "refused")])


def test_a_pinned_lane_that_is_gone_is_a_finding_and_ends_nothing(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    shutil.rmtree(tmp_path / "packets" / "second")
    answer = verify(tmp_path)
    assert answer.code == Exit.REFUTED
    assert found(answer, "first") == []
    assert found(answer, "second") == [("PIN-LANE", "pins.yml", tree("second"), "")]
    assert [one["record"] for one in answer.object["lanes"] if one["id"] == "second"] == [None]
    assert run("pin", tmp_path).code == Exit.REFUTED
    removed = run("pin", tmp_path, "--repin", "second", "--format", "json")
    assert (removed.code, told(removed)) == (
        0,
        [("first", "as before"), ("second", "no longer pinned")],
    )
    assert verify(tmp_path).code == Exit.VERIFIED


def test_pinning_that_changes_nothing_leaves_the_list_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    before = pins(tmp_path)
    shutil.rmtree(tmp_path / "packets" / "first")
    answer = run("pin", tmp_path)
    assert (answer.code, answer.out.splitlines()[-1]) == (1, "pins.yml: 2 lanes, unchanged")
    assert pins(tmp_path) == before


def test_a_check_says_which_lanes_differ_and_where_to_look_first(tmp_path: Path) -> None:
    write(tmp_path, root())
    run("pin", tmp_path)
    report = tmp_path / "packets" / "first" / "report.json"
    report.write_bytes(report.read_bytes() + b"\n")
    first, second = run("pin", tmp_path, "--check").out.splitlines()
    assert first.startswith("differs: first: PIN-RECORD: it is not what was pinned;")
    assert second.startswith("differs: second: PIN-RECORD: a lane before it is not what was pinned")
    (tmp_path / "pins.yml").unlink()
    assert run("pin", tmp_path, "--check").out == "add: first: pinned\nadd: second: pinned\n"


def test_a_check_does_not_say_that_a_refuted_lane_would_be_added(tmp_path: Path) -> None:
    write(tmp_path, chains()["RANGE-APPLIED-now"])
    lines = run("pin", tmp_path, "--check").out.splitlines()
    assert lines[0] == "add: first: pinned"
    assert lines[1].startswith("not pinned: second: refuted: RANGE-APPLIED ")


def test_a_refuted_lane_is_not_pinned(tmp_path: Path) -> None:
    write(tmp_path, chains()["RANGE-APPLIED-now"])
    answer = run("pin", tmp_path)
    assert answer.code == Exit.REFUTED
    assert answer.out.splitlines()[1] == (
        "refused: second (refuted: RANGE-APPLIED report.json#/governance/apply_now)"
    )
    assert '"second"' not in pins(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        pytest.param(["nowhere"], Exit.USAGE, "no such lane: nowhere", id="lane"),
        pytest.param(["--repin", "nowhere"], Exit.USAGE, "no such lane: nowhere", id="repin"),
        pytest.param(["--repin"], Exit.USAGE, "requires an argument", id="nothing"),
    ],
)
def test_pin_refuses_what_is_not_there(
    arguments: Sequence[str], code: int, text: str, tmp_path: Path
) -> None:
    write(tmp_path, root())
    answer = run("pin", *arguments, cwd=tmp_path)
    assert (answer.code, text in answer.err) == (code, True)
    assert not (tmp_path / "pins.yml").exists()


def test_pin_follows_no_link(tmp_path: Path) -> None:
    write(tmp_path, root())
    outside = tmp_path / "outside.yml"
    outside.write_text("lanes: {}\n")
    (tmp_path / "pins.yml").symlink_to(outside)
    assert run("pin", tmp_path).code == Exit.NO_VERDICT
    assert outside.read_text() == "lanes: {}\n"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("{}", id="nothing"),
        pytest.param("{tree: abc}", id="short-hash"),
        pytest.param(f"{{tree: {'0' * 64}, mood: good}}", id="unknown-key"),
        pytest.param("[]", id="list"),
    ],
)
def test_a_pin_list_of_another_form_is_refused(value: str, tmp_path: Path) -> None:
    write(tmp_path, root())
    (tmp_path / "pins.yml").write_text(f"lanes:\n  first: {value}\n")
    answer = run("verify", tmp_path)
    assert answer.code == Exit.NO_VERDICT
    assert answer.err.startswith("lanebook: pins.yml: ")


# What is sound and reads like something else


def test_a_lane_may_fold_what_earlier_lanes_reserved(tmp_path: Path) -> None:
    def folded(last: int) -> Any:
        def change(report: dict[str, Any]) -> None:
            report["governance"] |= {"canonical_fold": True, "canonical_body_max": last}

        return change

    assert found(verify(write(tmp_path / "earlier", root(folded(4)))), "second") == []
    codes = {one[0] for one in found(verify(write(tmp_path / "own", root(folded(8)))), "second")}
    assert codes == {"RANGE-APPLIED", "RANGE-FOLDED"}


def test_a_rehearsal_that_is_done_again_is_quoted_with_both_outcomes(tmp_path: Path) -> None:
    names = ("CLONE_REHEARSAL_OF_ORDERS_BLOCKED", "CLONE_REHEARSAL_OF_ORDERS_READY")
    files = {
        **follow(1, "", final_status=names[0]),
        **follow(2, "lane-0001", final_status=names[1], preflight={"lane-0001": names[0]}),
        **follow(3, "lane-0002", preflight={"lane-0001": names[0], "lane-0002": names[1]}),
        **follow(4, "lane-0003", preflight={"lane-0002": names[1]}),
    }
    answer = verify(write(tmp_path, files))
    assert [one["findings"] for one in answer.object["lanes"]] == [[], [], [], []]
