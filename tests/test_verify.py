"""Verdicts: the order of lanes, how each claim is known, and the same answer however it is made."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import generator
from generator.errors import NoVerdictError
from generator.model.digest import Digest, WeakReference
from generator.model.outcome import Outcome, read_outcome
from generator.order import Node, order
from generator.parallel import WorkerDiedError
from tests.folders import (
    FILES,
    MANIFEST,
    TREE,
    digest,
    lane,
    listing,
    only,
    packet,
    run,
    verify,
    write,
)

TREE_HASH = digest(listing(FILES))


def python(code: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own: one that has threads, as pytest may, does not fork."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        cwd=cwd,
        env={"PYTHONPATH": str(Path(generator.__file__).parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def report(**keys: Any) -> dict[str, bytes]:
    return {"report.json": json.dumps(keys).encode()}


def ties(root: Path) -> list[tuple[str, str, str]]:
    """Return id, lane before and kind of tie of each lane, in order."""
    return [
        (found["id"], found["previous"], found["linked_by"])
        for found in verify(root).object["lanes"]
    ]


# --- the order of lanes ---


def test_previous_comes_before_every_date(tmp_path: Path) -> None:
    lane(tmp_path, "a", {"x": b"a"}, yml="date: 2026-01-01\nprevious: b\n")
    lane(tmp_path, "b", {"x": b"b"}, yml="date: 2026-03-03\nprevious: c\n")
    lane(tmp_path, "c", {"x": b"c"}, yml="date: 2026-05-05\n")
    assert ties(tmp_path) == [("c", "", ""), ("b", "c", "named only"), ("a", "b", "named only")]


def test_a_quoted_status_comes_before_every_date(tmp_path: Path) -> None:
    lane(
        tmp_path,
        "a",
        {"x": b"a"},
        yml="date: 2026-01-01\n",
        documents=report(final_status="SECOND_RUN_READY", preflight={"before": "FIRST_RUN_READY"}),
    )
    lane(
        tmp_path,
        "b",
        {"x": b"b"},
        yml="date: 2026-03-03\n",
        documents=report(final_status="FIRST_RUN_READY"),
    )
    assert ties(tmp_path) == [("b", "", ""), ("a", "b", "status only")]


def test_reservations_come_before_every_date(tmp_path: Path) -> None:
    for lane_id, date, objects in (
        ("a", "2026-01-03", "TKT-OBJ-505..514"),
        ("b", "2026-03-01", "TKT-OBJ-485..494"),
        ("c", "2026-02-02", "TKT-OBJ-495..504"),
    ):
        stated = report(
            final_status=f"{lane_id.upper()}_RUN", governance={"objects_reserved": objects}
        )
        lane(tmp_path, lane_id, {"x": date.encode()}, yml=f"date: {date}\n", documents=stated)
    assert ties(tmp_path) == [("b", "", ""), ("c", "b", "named only"), ("a", "c", "named only")]


def test_a_cited_tree_hash_is_the_strongest_tie(tmp_path: Path) -> None:
    lane(tmp_path, "a", documents=report(final_status="A_RUN_READY"))
    lane(
        tmp_path,
        "b",
        {"x": b"b"},
        yml="previous: a\n",
        documents=report(preflight={"before": "A_RUN_READY", "tree": TREE_HASH}),
    )
    assert ties(tmp_path) == [("a", "", ""), ("b", "a", "hash")]


def test_a_weak_hash_is_no_tie_by_hash(tmp_path: Path) -> None:
    lane(tmp_path, "a")
    lane(
        tmp_path,
        "b",
        {"x": b"b"},
        yml="previous: a\n",
        documents=report(preflight={"tree": f"{TREE_HASH[:20]}\u2026{TREE_HASH[-20:]}"}),
    )
    assert ties(tmp_path) == [("a", "", ""), ("b", "a", "named only")]


def test_a_date_alone_ties_nothing(tmp_path: Path) -> None:
    for lane_id, date in (("a", "2026-02-02"), ("b", "2026-01-01"), ("d", ""), ("c", "2026-01-01")):
        lane(tmp_path, lane_id, {"x": lane_id.encode()}, yml=f"date: {date}\n" if date else "")
    assert ties(tmp_path) == [("b", "", ""), ("c", "", ""), ("a", "", ""), ("d", "", "")]


def test_a_missing_previous_is_told_and_ties_nothing(tmp_path: Path) -> None:
    lane(tmp_path, "a", yml="previous: nowhere\n")
    given = verify(tmp_path)
    assert (given.code, ties(tmp_path)) == (1, [("a", "", "")])
    assert only(given)["findings"] == [
        {
            "code": "LANE-PREVIOUS",
            "severity": "refuted",
            "where": "lane.yml",
            "stated": "nowhere",
            "computed": "",
            "message": "No lane of this root has this id.",
        }
    ]


def test_a_cycle_is_told_in_each_of_its_lanes_and_in_no_other(tmp_path: Path) -> None:
    for lane_id, before in (("a", "c"), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "e")):
        lane(tmp_path, lane_id, {"x": lane_id.encode()}, yml=f"previous: {before}\n")
    given = verify(tmp_path)
    assert {
        found["id"]: [(one["code"], one["stated"], one["computed"]) for one in found["findings"]]
        for found in given.object["lanes"]
    } == {
        "a": [("LANE-CYCLE", "c", "a → c → b → a")],
        "b": [("LANE-CYCLE", "a", "a → c → b → a")],
        "c": [("LANE-CYCLE", "b", "a → c → b → a")],
        "d": [],
        "e": [("LANE-CYCLE", "e", "e → e")],
    }
    assert given.code == 1


def nodes(*ties: tuple[str, str, str, set[str]]) -> list[Node]:
    return [
        Node(
            name,
            date,
            before,
            f"LANE_{name.upper()}_READY",
            frozenset(f"LANE_{one}_READY" for one in quotes),
            None,
        )
        for name, date, before, quotes in ties
    ]


CIRCLE = nodes(("a", "2026-01-02", "", {"B"}), ("b", "2026-01-01", "", {"A"}), ("c", "", "", {"B"}))


def test_a_circle_of_quotes_is_passed_over() -> None:
    placed = order(CIRCLE)
    assert (placed.ids, placed.before["c"], placed.cycles) == (("b", "c", "a"), "b", {})


def test_a_lane_without_a_date_holds_back_none_that_follow_it() -> None:
    placed = order(
        nodes(
            ("first", "", "", set()),
            ("second", "2026-01-02", "", {"FIRST"}),
            ("third", "", "", {"SECOND"}),
            ("newest", "2026-01-03", "", set()),
        )
    )
    assert placed.ids == ("first", "second", "third", "newest")


def test_no_lane_comes_before_one_that_comes_before_it() -> None:
    placed = order(CIRCLE)
    position = {lane_id: at for at, lane_id in enumerate(placed.ids)}
    assert [one for one, before in placed.before.items() if position[before] > position[one]] == []


NAMES = st.sampled_from("abcdef")


@st.composite
def lanes(draw: st.DrawFn) -> list[Node]:
    found = []
    for name in draw(st.lists(NAMES, unique=True, max_size=6)):
        first = draw(st.integers(0, 4)) * 10 + 1
        found.append(
            Node(
                name,
                draw(st.sampled_from(["", "2026-01-01", "2026-01-02"])),
                draw(st.sampled_from(["", "", "x", *"abcdef"])),
                draw(st.sampled_from(["", f"LANE_{name.upper()}_READY", "THE_SAME_READY"])),
                frozenset(
                    f"LANE_{one}_READY"
                    for one in draw(st.frozensets(st.sampled_from("ABCDEF"), max_size=2))
                    if one != name.upper()
                ),
                draw(st.sampled_from([None, ("TKT-OBJ", first, first + 9)])),
            )
        )
    return found


@given(lanes())
def test_every_lane_is_placed_once_and_after_its_previous(found: list[Node]) -> None:
    placed = order(found)
    assert sorted(placed.ids) == sorted(item.id for item in found)
    ids = set(placed.ids)
    for item in found:
        if (
            item.previous in ids
            and item.id not in placed.cycles
            and not any(
                # a circle of quotes around it may break any tie
                other.quotes
                for other in found
            )
        ):
            assert placed.before[item.id] == item.previous
    for ring in placed.cycles.values():
        following = dict(zip(ring, (*ring[1:], ring[0]), strict=True))
        assert {
            name: next(item.previous for item in found if item.id == name) for name in ring
        } == following


def distinct(found: list[Node]) -> bool:
    """Tell whether no two lanes have one status or one range, as which is meant would be open."""
    statuses = [item.status for item in found if item.status]
    ranges = [item.reserved for item in found if item.reserved]
    return len(set(statuses)) == len(statuses) and len(set(ranges)) == len(ranges)


@given(
    lanes()
    .filter(distinct)
    .flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))
)
def test_the_order_does_not_depend_on_the_order_of_reading(
    pair: tuple[list[Node], list[Node]],
) -> None:
    assert order(pair[0]) == order(pair[1])


@given(
    st.lists(NAMES, unique=True).flatmap(
        lambda names: st.tuples(st.just(names), st.permutations(names))
    )
)
def test_a_chain_is_put_in_order_whatever_the_dates_say(pair: tuple[list[str], list[str]]) -> None:
    names, mixed = pair
    chain = {
        name: Node(
            name, f"2026-01-{28 - at:02}", names[at - 1] if at else "", "", frozenset(), None
        )
        for at, name in enumerate(names)
    }
    assert order([chain[name] for name in mixed]).ids == tuple(names)


# --- the claim ledger ---


def ledger(root: Path, document: str = "") -> dict[str, tuple[str, str | None, str, str, str]]:
    """Return by claim of ``sample``: stated, recomputed, agreement, level, other side."""
    found = next(one for one in verify(root).object["lanes"] if one["id"] == "sample")
    return {
        claim["id"]: tuple(
            claim[key] for key in ("stated", "recomputed", "agreement", "level", "against")
        )
        for claim in found["claims"]
        if claim["where"].startswith(document)
    }


def test_the_seals_are_claims_that_are_recomputed(tmp_path: Path) -> None:
    held = lane(tmp_path)
    (held / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    (held / "evidence" / "states" / "before.sql").unlink()
    listed = {path: digest(data) for path, data in FILES.items()}
    seal = f"evidence/{MANIFEST}"
    assert ledger(tmp_path) == {
        f"{seal}#commands.sh": (
            listed["commands.sh"],
            digest(b"exit 1\n"),
            "differs",
            "recomputed",
            "evidence/commands.sh",
        ),
        f"{seal}#result.json": (
            listed["result.json"],
            listed["result.json"],
            "agrees",
            "recomputed",
            "evidence/result.json",
        ),
        f"{seal}#states/before.sql": (
            listed["states/before.sql"],
            None,
            "not compared",
            "claimed only",
            "",
        ),
        f"evidence/{TREE}": (TREE_HASH, TREE_HASH, "agrees", "recomputed", seal),
    }
    summary = verify(tmp_path).object["summary"]
    assert summary["claims"] == {
        "recomputed": 2,
        "cross_checked": 0,
        "claimed_only": 1,
        "refuted": 1,
    }


def test_how_what_a_machine_report_states_is_known(tmp_path: Path) -> None:
    other, pinned = digest(b"of nothing here"), digest(FILES["commands.sh"])
    stated = {
        "final_status": "SAMPLE_RUN_READY",
        "evidence_packet": {"packet_tree_sha256": TREE_HASH, "file_count": 3},
        "hashes": {"commands.sh": pinned, "unknown.bin": other},
        "tests_passed": 12,
        "owner": None,
        "held": True,
        "ratio": 0.50,
        "made-up key / with ~ signs": [{"deeper": "kept"}, {}],
    }
    checkpoint = "# Checkpoint\n\nFinal status: SAMPLE_RUN_READY\n"
    lane(tmp_path, documents={"report.json": json.dumps(stated), "checkpoint.md": checkpoint})
    name, seal = "report.json#", f"evidence/{MANIFEST}"
    only_claimed = (None, "not compared", "claimed only", "")
    assert ledger(tmp_path, "report.json") == {
        f"{name}/final_status": (
            "SAMPLE_RUN_READY",
            "SAMPLE_RUN_READY",
            "agrees",
            "cross-checked",
            "checkpoint.md:3",
        ),
        f"{name}/evidence_packet/packet_tree_sha256": (
            TREE_HASH,
            TREE_HASH,
            "agrees",
            "recomputed",
            seal,
        ),
        f"{name}/evidence_packet/file_count": (
            "3",
            "3 listed in the manifest",
            "agrees",
            "recomputed",
            seal,
        ),
        f"{name}/hashes/commands.sh": (
            pinned,
            pinned,
            "agrees",
            "recomputed",
            "evidence/commands.sh",
        ),
        f"{name}/hashes/unknown.bin": (other, *only_claimed),
        f"{name}/tests_passed": ("12", *only_claimed),
        f"{name}/owner": ("null", *only_claimed),
        f"{name}/held": ("true", *only_claimed),
        f"{name}/ratio": ("0.5", *only_claimed),
        f"{name}/made-up key ~1 with ~0 signs/0/deeper": ("kept", *only_claimed),
        f"{name}/made-up key ~1 with ~0 signs/1": ("{}", *only_claimed),
    }
    assert ledger(tmp_path, "checkpoint.md") == {
        "checkpoint.md:3 Final status": (
            "SAMPLE_RUN_READY",
            "SAMPLE_RUN_READY",
            "agrees",
            "cross-checked",
            f"{name}/final_status",
        )
    }


@pytest.mark.parametrize(
    ("count", "recomputed", "agreement"),
    [
        pytest.param(3, "3 listed in the manifest", "agrees", id="listed"),
        pytest.param(
            5, "5 listed in the manifest, and the two seal files", "agrees", id="with-seals"
        ),
        pytest.param(2, "3 listed, 3 present", "differs", id="fewer"),
        pytest.param(4, "3 listed, 3 present", "differs", id="with-one-seal"),
        pytest.param(-3, "3 listed, 3 present", "differs", id="negative"),
        pytest.param(10**30, "3 listed, 3 present", "differs", id="astronomical"),
    ],
)
def test_a_count_of_files(count: int, recomputed: str, agreement: str, tmp_path: Path) -> None:
    lane(tmp_path, documents=report(evidence_packet={"file_count": count}))
    assert ledger(tmp_path, "report.json") == {
        "report.json#/evidence_packet/file_count": (
            str(count),
            recomputed,
            agreement,
            "recomputed",
            f"evidence/{MANIFEST}",
        )
    }
    assert verify(tmp_path).codes == ([] if agreement == "agrees" else ["DOC-COUNT"])


def test_a_hash_is_looked_for_in_the_other_packets_too(tmp_path: Path) -> None:
    lane(tmp_path, "other", {"deep/kept.bin": b"kept"})
    tree = digest(listing({"deep/kept.bin": b"kept"}))
    lane(tmp_path, documents=report(hashes={"kept.bin": digest(b"kept")}, previous={"tree": tree}))
    assert ledger(tmp_path, "report.json") == {
        "report.json#/hashes/kept.bin": (
            digest(b"kept"),
            digest(b"kept"),
            "agrees",
            "recomputed",
            "other/deep/kept.bin",
        ),
        "report.json#/previous/tree": (tree, tree, "agrees", "recomputed", f"other/{MANIFEST}"),
    }


@pytest.mark.parametrize("dots", ["\u2026", "..", "..."])
def test_a_weak_reference_is_resolved_and_never_verified(dots: str, tmp_path: Path) -> None:
    full = digest(FILES["commands.sh"])
    weak = f"{full[:8]}{dots}{full[-6:]}"
    lane(tmp_path, documents=report(weak=weak, unknown=f"0123456{dots}fedcba"))
    assert ledger(tmp_path, "report.json") == {
        "report.json#/weak": (
            weak,
            None,
            "not compared",
            "claimed only",
            f"fits one known hash by 56 of 256 bits: {full}",
        ),
        "report.json#/unknown": (f"0123456{dots}fedcba", None, "not compared", "claimed only", ""),
    }
    assert verify(tmp_path).object["summary"]["claims"]["recomputed"] == len(FILES) + 1
    assert verify(tmp_path, strict=True).code == 1


def twins() -> tuple[bytes, bytes]:
    """Return two contents whose digests begin with the same four digits."""
    seen: dict[str, bytes] = {}
    number = 0
    while True:
        data = str(number).encode()
        other = seen.setdefault(digest(data)[:4], data)
        if other is not data:
            return other, data
        number += 1


def test_a_weak_reference_that_fits_two_hashes_is_not_resolved(tmp_path: Path) -> None:
    one, two = twins()
    head = digest(one)[:4]
    held = report(weak=f"{head}\u2026", longer=f"{digest(one)[:12]}\u2026")
    lane(tmp_path, files={"one": one, "two": two}, documents=held)
    assert ledger(tmp_path, "report.json") == {
        "report.json#/weak": (f"{head}\u2026", None, "not compared", "claimed only", ""),
        "report.json#/longer": (
            f"{digest(one)[:12]}\u2026",
            None,
            "not compared",
            "claimed only",
            f"fits one known hash by 48 of 256 bits: {digest(one)}",
        ),
    }


@given(st.binary(), st.integers(4, 60), st.integers(0, 4), st.sampled_from(["\u2026", "..", "..."]))
def test_a_weak_reference_fits_what_it_was_made_of(
    data: bytes, head: int, tail: int, dots: str
) -> None:
    full = Digest(digest(data))
    weak = WeakReference.parse(full[:head] + dots + full[len(full) - tail :])
    assert (weak.bits, weak.resolve([full]), weak.resolve([full, full])) == (
        4 * (head + tail),
        full,
        full,
    )
    assert weak.resolve([]) is None


@pytest.mark.parametrize(
    "stated",
    ["rev24aded8857\u2026", "the JSON at rev24aded8857\u2026 as quoted"],
    ids=["alone", "said"],
)
def test_a_revision_and_a_hash_run_together_is_ambiguous(stated: str, tmp_path: Path) -> None:
    lane(tmp_path, documents=report(registry=stated))
    given = verify(tmp_path)
    assert (given.code, given.codes) == (0, ["DOC-REVISION"])
    (found,) = only(given)["findings"]
    assert (found["severity"], found["where"]) == ("note", "report.json#/registry")
    assert "revision 24, hash aded8857" in found["message"]
    assert "revision 2, hash 4aded8857" in found["message"]
    ambiguous = [claim for claim in only(given)["claims"] if claim["agreement"] == "ambiguous"]
    assert [(claim["stated"], claim["level"]) for claim in ambiguous] == [
        ("rev24aded8857\u2026", "claimed only")
    ]


def test_keys_that_nobody_knows_are_kept(tmp_path: Path) -> None:
    lane(
        tmp_path,
        yml="colour: blue\nmade: {up: [1, 2]}\n",
        documents=report(colour={"made": ["up", 1]}),
    )
    given = verify(tmp_path)
    assert (given.code, [(one["code"], one["stated"]) for one in only(given)["findings"]]) == (
        0,
        [("LANE-KEY", "colour"), ("LANE-KEY", "made")],
    )
    assert list(ledger(tmp_path, "report.json")) == [
        "report.json#/colour/made/0",
        "report.json#/colour/made/1",
    ]


def test_a_machine_report_may_stand_behind_a_title_line(tmp_path: Path) -> None:
    text = f"A title\n{json.dumps({'final_status': 'SAMPLE_RUN_READY'})}\n"
    lane(tmp_path, documents={"report.json": text})
    given = verify(tmp_path)
    assert (given.code, only(given)["stated_status"]) == (0, "SAMPLE_RUN_READY")


# --- the lattice ---


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("PASS", Outcome.PASS),
        (" passed ", Outcome.PASS),
        ("FAIL", Outcome.FAIL),
        ("FAILED", Outcome.FAIL),
        ("SELFTEST_FAILED", Outcome.FAIL),
        ("PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED", Outcome.NOT_RUN),
        ("READY_NOT_APPLIED", Outcome.NOT_RUN),
        ("NOT_RUN", Outcome.NOT_RUN),
        ("NOT_PERFORMED_THIS_LANE", Outcome.NOT_RUN),
        ("SKIPPED", Outcome.NOT_RUN),
        ("N/A", Outcome.NOT_APPLICABLE),
        ("N/A_DOCUMENT_ONLY", Outcome.NOT_APPLICABLE),
        ("CHECK_NOT_APPLICABLE", Outcome.NOT_APPLICABLE),
        ("PASS_WITH_RESERVATIONS", Outcome.UNKNOWN),
        ("PASS_FAIL", Outcome.FAIL),
        ("ALL_PASS", Outcome.UNKNOWN),
        ("PASSPORT", Outcome.UNKNOWN),
        ("NOT_PASS", Outcome.UNKNOWN),
        ("NO PASS", Outcome.UNKNOWN),
        ("✓", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_a_token_is_placed_never_higher_than_it_says(token: str, outcome: Outcome) -> None:
    assert read_outcome(token) is outcome


@given(st.text())
def test_nothing_but_pass_is_a_pass(token: str) -> None:
    if token.strip().upper() not in ("PASS", "PASSED"):
        assert read_outcome(token) is not Outcome.PASS


def test_the_stated_outcome_stands_beside_its_own_token_and_decides_nothing(tmp_path: Path) -> None:
    token = "PASS_VALIDATOR_READY_REHEARSAL_NOT_APPLIED"  # not a secret
    lane(tmp_path, "a", documents=report(final_status=token))
    write(tmp_path / "packets" / "b", report(final_status="PASS"))
    lane(tmp_path, "c", {"x": b"c"}, documents=report(final_status="FAIL"))
    keys = ("id", "stated_status", "stated_outcome", "outcome", "integrity")
    assert [tuple(found[key] for key in keys) for found in verify(tmp_path).object["lanes"]] == [
        ("a", token, "not run", "pass", "consistent"),
        ("b", "PASS", "pass", "unknown", "claims only"),
        ("c", "FAIL", "fail", "pass", "consistent"),
    ]


@pytest.mark.parametrize(
    ("damage", "strict", "code"),
    [
        pytest.param("", False, 0, id="sound"),
        pytest.param("", True, 0, id="sound-strict"),
        pytest.param("claims", False, 3, id="claims-only-beside"),
        pytest.param("claims", True, 1, id="claims-only-beside-strict"),
        pytest.param("edited", False, 1, id="refuted-beside"),
        pytest.param("both", False, 1, id="refuted-and-claims-only"),
    ],
)
def test_one_lane_decides_for_all(damage: str, strict: bool, code: int, tmp_path: Path) -> None:
    lane(tmp_path, "sound")
    if damage in ("edited", "both"):
        held = lane(tmp_path, "edited", {"x": b"x"})
        (held / "evidence" / "x").write_bytes(b"y")
    if damage in ("claims", "both"):
        write(tmp_path / "packets" / "claims", report(final_status="CLAIMED_RUN_READY"))
    assert verify(tmp_path, strict=strict).code == code


# --- the same answer, however it is made ---


def many(root: Path, count: int) -> None:
    for number in range(count):
        held = lane(
            root,
            f"lane-{number:02}",
            {**FILES, "number.txt": str(number).encode()},
            yml=f"previous: lane-{number - 1:02}\n" if number else "",
            documents=report(final_status=f"LANE_{number}_READY"),
        )
        if number % 7 == 3:
            (held / "evidence" / "commands.sh").write_bytes(b"exit 0\r\n")
        if number % 11 == 5:
            (held / "evidence" / "result.json").unlink()


RUN = "import sys; from generator.cli.app import call; sys.exit(call(sys.argv[1:]))"


@pytest.mark.parametrize("count", [1, 7, 50])
def test_the_answer_does_not_depend_on_the_number_of_processes(count: int, tmp_path: Path) -> None:
    many(tmp_path, count)
    answers = [
        python(RUN, tmp_path, "verify", "--format", "json", "-j", jobs) for jobs in ("1", "2", "5")
    ]
    answers.append(python(RUN, tmp_path, "verify", "--format", "json"))
    assert {answer.stderr for answer in answers} == {""}
    assert {answer.returncode for answer in answers} == {0 if count == 1 else 1}
    assert len({answer.stdout for answer in answers}) == 1
    assert len(json.loads(answers[0].stdout)["lanes"]) == count


def test_a_lane_gives_the_same_alone_and_among_others(tmp_path: Path) -> None:
    packet(tmp_path / "alone" / "sample")
    many(tmp_path / "root", 9)
    packet(tmp_path / "root" / "packets" / "sample")
    alone = only(verify(tmp_path / "alone" / "sample"))
    among = next(
        found for found in verify(tmp_path / "root").object["lanes"] if found["id"] == "sample"
    )
    assert {**among, "folder": "sample"} == alone


def test_the_answer_names_no_place_of_this_machine(tmp_path: Path) -> None:
    many(tmp_path, 3)
    given = [run("verify", tmp_path), verify(tmp_path)]
    assert [str(tmp_path) in answer.out + answer.err for answer in given] == [False, False]


# --- work spread over processes ---

FORK = """
import os, signal, sys, threading, time
from generator.errors import InputError
from generator.parallel import WorkerDiedError, WorkerError, fork_map
def fds():
    return len(os.listdir("/proc/self/fd"))
def children():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return "none left"
    return "some left"
before = fds()
"""


def forked(code: str, tmp_path: Path) -> str:
    """Run code after ``FORK``; every end of it must leave no child and no descriptor behind."""
    tail = "\nassert (children(), fds()) == ('none left', before), (children(), fds(), before)\n"
    done = python(FORK + textwrap.dedent(code) + tail, tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_results_come_in_the_order_of_the_items(tmp_path: Path) -> None:
    code = """
    def work(number):
        time.sleep(0.002 * (number % 3))
        return number * number, os.getpid()
    steps = []
    found = fork_map(work, range(100), jobs=2, progress=steps.append)
    assert [square for square, _ in found] == [number * number for number in range(100)]
    print(len({pid for _, pid in found} - {os.getpid()}), sum(steps), min(steps) > 0)
    """
    assert forked(code, tmp_path) == "2 100 True\n"


@pytest.mark.parametrize(
    ("jobs", "count"), [(1, 100), (2, 7), (2, 0)], ids=["one-job", "few-items", "no-item"]
)
def test_little_work_stays_in_this_process(jobs: int, count: int, tmp_path: Path) -> None:
    code = f"""
    steps = []
    def work(number):
        return number, os.getpid()
    found = fork_map(work, range({count}), jobs={jobs}, progress=steps.append)
    assert found == [(number, os.getpid()) for number in range({count})]
    print(sum(steps))
    """
    assert forked(code, tmp_path) == f"{count}\n"


def test_a_process_with_threads_does_not_fork(tmp_path: Path) -> None:
    code = """
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    found = fork_map(lambda number: os.getpid(), range(20), jobs=2)
    stop.set()
    thread.join()
    print(set(found) == {os.getpid()})
    """
    assert forked(code, tmp_path) == "True\n"


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        pytest.param(
            "InputError('bad', code='X-1', place=('a', 'b'))",
            "InputError('bad') X-1 ('a', 'b') a: b: bad",
            id="input-error",
        ),
        pytest.param(
            "FileNotFoundError(2, 'gone', 'x')",
            "FileNotFoundError(2, 'gone') [Errno 2] gone: 'x'",
            id="os-error",
        ),
    ],
)
def test_what_a_worker_raises_on_purpose_comes_back(raised: str, told: str, tmp_path: Path) -> None:
    code = f"""
    def work(number):
        if number == 31:
            raise {raised}
        return number
    try:
        fork_map(work, range(100), jobs=2)
    except (InputError, OSError) as error:
        more = (error.code, error.place) if isinstance(error, InputError) else ()
        print(repr(error), *more, error)
    """
    assert forked(code, tmp_path) == f"{told}\n"


@pytest.mark.parametrize(
    "line",
    ["1 / 0", "raise SystemExit(5)", "return lambda: 0"],
    ids=["bug", "exit", "not-picklable"],
)
def test_what_nobody_foresaw_comes_back_with_its_traceback(line: str, tmp_path: Path) -> None:
    code = f"""
    def work(number):
        if number == 31:
            {line}
        return number
    try:
        fork_map(work, range(100), jobs=2)
    except WorkerError as error:
        print(str(error).splitlines()[0])
    """
    assert forked(code, tmp_path) == "Traceback (most recent call last):\n"


def test_a_worker_that_is_killed_ends_the_work_at_once(tmp_path: Path) -> None:
    code = """
    def work(number):
        if number == 31:
            os.kill(os.getpid(), signal.SIGKILL)
        return number
    try:
        fork_map(work, range(100), jobs=2)
    except WorkerDiedError as error:
        print(error)
    """
    assert forked(code, tmp_path) == "a worker process was ended before its work was done\n"
    assert issubclass(WorkerDiedError, NoVerdictError)


def test_results_may_be_larger_than_a_pipe(tmp_path: Path) -> None:
    code = """
    found = fork_map(lambda number: bytes([number]) * 3_000_000, range(12), jobs=3)
    print([(len(one), one[0]) for one in found] == [(3_000_000, number) for number in range(12)])
    """
    assert forked(code, tmp_path) == "True\n"


def test_an_error_ends_workers_that_still_write(tmp_path: Path) -> None:
    code = """
    def work(number):
        if number == 1:
            raise InputError("bad")
        return b"x" * 3_000_000
    try:
        fork_map(work, range(40), jobs=3)
    except InputError as error:
        print(error)
    """
    assert forked(code, tmp_path) == "bad\n"


@pytest.mark.parametrize("count", [3, 40])
def test_what_is_done_meanwhile_is_done_once_and_may_fail(count: int, tmp_path: Path) -> None:
    code = f"""
    done = []
    def once():
        done.append(1)
    found = fork_map(lambda number: number, range({count}), jobs=2, meanwhile=once)
    print(found == list(range({count})), done)
    def fail():
        raise InputError("bad")
    try:
        fork_map(lambda number: b"x" * 100_000, range({count}), jobs=2, meanwhile=fail)
    except InputError as error:
        print(error)
    """
    assert forked(code, tmp_path) == "True [1]\nbad\n"


def test_a_hash_mark_in_a_name_begins_no_pointer(tmp_path: Path) -> None:
    folder = tmp_path / "packets" / "marked"
    write(
        folder,
        {
            "lane.yml": b"id: marked\n",
            "report.md": b"# Report one\n\nFirst fact: ONE_FACT\n",
            "report.md#2.md": b"# Report two\n\nSecond fact: TWO_FACT\n",
        },
    )
    claims = {claim["id"]: claim["stated"] for claim in only(verify(tmp_path))["claims"]}
    assert claims == {
        "report.md:3 First fact": "ONE_FACT",
        "report.md#2.md:3 Second fact": "TWO_FACT",
    }
