"""What the pages over all lanes say: blockers and legs, reservations, contradictions."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from generator import standing
from generator.blocker_history import histories
from generator.facts import Blocker, LaneFacts, Reservation, lane_facts
from generator.legs import by_blocker, in_words, is_done
from generator.mapped import with_map
from generator.model.finding import Finding
from generator.model.outcome import Integrity, Level
from generator.model.verdict import LaneVerdict
from generator.reading.root import open_root
from generator.render import blocker_page, contradictions, governance_page
from generator.render.contradicted import beside, sides
from generator.render.links import href
from generator.render.page import Page
from generator.reserved import numbers
from generator.verify import verify
from tests.site_support import ROOT, absent, lanebook, make_root, read_markdown

FIRST = "production-rehearsal-only-rollback"
SHAPED = "production-shaped-clone"
SEALED = "clone-rehearsal-sqlite"
ID = "FIX7-P0-DRYRUN-PROD-ROLLBACK-1"


@cache
def own_lanes() -> tuple[LaneVerdict, ...]:
    return verify(open_root(ROOT)).lanes


@cache
def own_facts() -> dict[str, LaneFacts]:
    return {lane.id: lane_facts(lane.documents) for lane in own_lanes()}


def lane_named(name: str) -> LaneVerdict:
    return next(lane for lane in own_lanes() if lane.id == name)


def said(**changes: Any) -> Blocker:
    row = Blocker("A-B-1", True, "none", "OPEN", (), "owner", "act", "production", "report.json#/x")
    return replace(row, **changes)


def facts_of(*rows: Blocker, reservation: Reservation | None = None) -> LaneFacts:
    return replace(
        own_facts()[SEALED], blockers=rows, reservation=reservation, open_stated="", delegation=""
    )


def nowhere(lane: LaneVerdict, where: str) -> Markup:
    return href("")


def assert_pair(page: Page) -> str:
    text = page.markdown().decode("utf-8")
    assert absent(json.loads(page.json()), read_markdown(text)) == []
    return read_markdown(text).text


# --- legs in words ---


@pytest.mark.parametrize(
    ("text", "legs"),
    [
        pytest.param(
            "partially discharged (clone leg proven, production leg OPEN)",
            (("clone leg", "proven"), ("production leg", "OPEN")),
            id="comma",
        ),
        pytest.param(
            "(toy-clone leg proven; production-shaped leg OPEN)",
            (("toy-clone leg", "proven"), ("production-shaped leg", "OPEN")),
            id="semicolon",
        ),
        pytest.param(
            "the clone leg is proven, but the production leg remains OPEN",
            (("clone leg", "proven"), ("production leg", "remains OPEN")),
            id="prose",
        ),
        pytest.param("clone leg not proven", (("clone leg", "not proven"),), id="not"),
        pytest.param("clone leg proven; clone leg open", (("clone leg", "open"),), id="worse"),
        pytest.param("the leg is open", (), id="no name"),
        pytest.param("partially discharged (clone leg)", (), id="no state"),
        pytest.param("legacy provenance open", (), id="no leg"),
    ],
)
def test_legs_are_read_from_words(text: str, legs: tuple[tuple[str, str], ...]) -> None:
    assert in_words(text) == legs


@pytest.mark.parametrize("state", ["not proven", "partially discharged", "open", "", "provens"])
def test_a_leg_is_open_until_it_is_done(state: str) -> None:
    assert not is_done(state)
    assert is_done("PROVEN")


def test_legs_in_words_cost_linear_time() -> None:
    for text in ("a-" * 200_000, "leg " * 100_000, "clone leg still not yet " * 50_000):
        assert in_words(text) == ()


def test_legs_belong_to_the_blocker_named_before_them() -> None:
    documents = lane_named(FIRST).documents
    assert by_blocker(documents) == {ID: (("clone leg", "proven"), ("production leg", "OPEN"))}


# --- blockers in evidence ---


def with_blockers(lane: LaneVerdict, *rows: dict[str, Any], facts: LaneFacts) -> LaneFacts:
    return with_map(facts, lane, {"blockers": list(rows)})


def test_the_map_of_a_sound_packet_comes_before_documents() -> None:
    lane = lane_named(SEALED)
    folder = ROOT / "packets" / SEALED / "evidence" / "production-readiness-blocker-map.json"
    found = with_map(own_facts()[SEALED], lane, json.loads(folder.read_bytes())).blockers
    assert [row.id for row in found] == [row.id for row in own_facts()[SEALED].blockers]
    assert found[0].where == "evidence/production-readiness-blocker-map.json#/blockers/0"
    assert (found[0].level, found[1].level) == (Level.RECOMPUTED, Level.CLAIMED_ONLY)
    assert found[0].legs == (("toy-clone leg", "proven"), ("production-shaped leg", "OPEN"))
    assert [row.progress for row in found] == [row.progress for row in own_facts()[SEALED].blockers]


def test_the_worse_word_of_evidence_and_documents_stands() -> None:
    lane = lane_named(SEALED)
    closed = {"id": "A-B-1", "state": "CLOSED", "progress": None}
    (row,) = with_blockers(lane, closed, facts=facts_of(said())).blockers
    assert (row.open, "open in report.json#/x" in row.doubt) == (True, True)
    (row,) = with_blockers(lane, closed, facts=facts_of(said(open=False))).blockers
    assert (row.open, row.doubt) == (False, "")
    (row,) = with_blockers(
        lane, closed | {"state": "OPEN"}, facts=facts_of(said(open=False))
    ).blockers
    assert row.open


def test_what_only_one_of_them_names_is_kept() -> None:
    lane = lane_named(SEALED)
    other = {"id": "C-D-1", "state": "OPEN", "progress": "narrowed"}
    rows = with_blockers(lane, other, 7, {"id": 7}, facts=facts_of(said())).blockers  # type: ignore[arg-type]
    assert [row.id for row in rows] == ["C-D-1", "A-B-1"]


def test_the_map_of_a_refuted_packet_comes_after_documents() -> None:
    lane = lane_named(SEALED)._replace(integrity=Integrity.REFUTED)
    rows = with_blockers(
        lane,
        {"id": "C-D-1", "state": "OPEN"},
        {"id": "A-B-1", "state": "X"},
        facts=facts_of(said()),
    ).blockers
    assert [(row.id, row.where, row.level) for row in rows] == [
        ("A-B-1", "report.json#/x", Level.CLAIMED_ONLY),
        (
            "C-D-1",
            "evidence/production-readiness-blocker-map.json#/blockers/0",
            Level.CLAIMED_ONLY,
        ),
    ]


@pytest.mark.parametrize("data", [None, [], {"blockers": {}}, {"blockers": "x"}])
def test_a_map_of_another_shape_changes_nothing(data: object) -> None:
    facts = facts_of(said())
    assert with_map(facts, lane_named(SEALED), data) == facts


# --- blockers over lanes ---


def three() -> tuple[LaneVerdict, ...]:
    return tuple(lane_named(SEALED)._replace(id=name, title=name) for name in ("one", "two", "six"))


def over_lanes(*of_lanes: LaneFacts) -> Page:
    lanes = three()[: len(of_lanes)]
    facts = dict(zip((lane.id for lane in lanes), of_lanes, strict=True))
    now = standing.blockers(lanes, facts)
    known = histories(lanes, facts)
    steps = blocker_page.picture(now, known, lanes)
    anchors = {one.blocker.id: f"blocker-{at}" for at, one in enumerate(now.standing)}
    drawn = (steps, Markup("<svg></svg>"))
    return blocker_page.page(now, known, drawn, anchors, ("open", "from"), nowhere)


def test_a_leg_never_vanishes() -> None:
    page = over_lanes(
        facts_of(said(legs=(("clone leg", "proven"), ("production leg", "OPEN")))),
        facts_of(said(legs=(("toy-clone leg", "proven"),))),
        facts_of(said()),
    )
    legs = page.data["blockers"][0]["legs"]
    assert [(leg["id"], leg["state"], leg["words"]) for leg in legs] == [
        ("toy-clone leg", "proven", ""),
        ("clone leg", "proven", "as one last stated it; newer lanes leave it out"),
        ("production leg", "OPEN", "as one last stated it; newer lanes leave it out"),
    ]
    assert_pair(page)


def test_history_has_a_row_where_something_changed() -> None:
    page = over_lanes(facts_of(said()), facts_of(said()), facts_of(said(progress="narrowed")))
    rows = page.data["blockers"][0]["history"]
    assert [(row["number"], row["state"], row["again"]) for row in rows] == [
        (1, "open", "1 lane after it says the same, up to 2"),
        (3, "open, narrowed", ""),
    ]
    assert {"legs", "actor", "next_action", "blocks", "known", "where"} <= set(rows[0])
    assert_pair(page)


def test_the_picture_follows_the_blockers() -> None:
    lanes = three()
    facts = {
        "one": facts_of(said()),
        "two": facts_of(),
        "six": facts_of(said(open=False, progress="none")),
    }
    now = standing.blockers(lanes, facts)
    steps = blocker_page.picture(now, histories(lanes, facts), lanes)
    assert steps is not None
    assert steps.lines[0].levels == (5, 5, 0)
    assert steps.lines[0].stated == (True, False, True)
    # without verified evidence nothing is closed, in the picture neither
    lanes = (*lanes[:2], lanes[2]._replace(integrity=Integrity.CLAIMS_ONLY))
    now = standing.blockers(lanes, facts)
    steps = blocker_page.picture(now, histories(lanes, facts), lanes)
    assert steps is not None
    assert steps.lines[0].levels == (5, 5, 5)


def test_without_blockers_nothing_is_drawn() -> None:
    lanes = three()
    facts = dict.fromkeys(("one", "two", "six"), facts_of())
    assert blocker_page.picture(standing.blockers(lanes, facts), {}, lanes) is None


def test_many_lanes_and_blockers_stay_bounded() -> None:
    lane = lane_named(SEALED)
    lanes = tuple(lane._replace(id=f"l{at}", title=f"lane {at}") for at in range(300))
    progress = ("none", "narrowed")
    facts = {
        one.id: facts_of(
            *(said(id=f"A-B-{at}", progress=progress[number % 2]) for at in range(120))
        )
        for number, one in enumerate(lanes)
    }
    now, known = standing.blockers(lanes, facts), histories(lanes, facts)
    steps = blocker_page.picture(now, known, lanes)
    assert steps is not None
    assert {len(line.levels) for line in steps.lines} == {40}
    assert (steps.first, len(steps.lines)) == (261, 30)
    assert "90 more are not drawn" in steps.description
    anchors = blocker_page.anchors_of(now)
    page = blocker_page.page(now, known, (steps, Markup("<svg></svg>")), anchors, ("", ""), nowhere)
    assert page.data["more_caption"].startswith("20 more blockers")
    assert [row["id"] for row in page.data["more"]] == [f"A-B-{at}" for at in range(100, 120)]
    assert len(page.data["blockers"]) == 100
    for part in page.data["blockers"]:
        assert len(part["history"]) == 20
        assert part["history_words"] == "280 earlier changes not shown here."
    assert_pair(page)


def test_every_link_to_a_blocker_leads_to_a_part_of_the_page_and_open_ones_come_first() -> None:
    lanes = (three()[0],)
    rows = [said(id=f"A-B-{at}") for at in range(1200)]
    facts = {lanes[0].id: facts_of(*rows)}
    now = standing.blockers(lanes, facts)
    closed = now.standing[0]._replace(open=False, blocker=replace(rows[0], open=False))
    now = replace(now, standing=(closed, *now.standing[1:]))
    assert [one.open for one in now.standing[:2]] == [False, True]
    anchors = blocker_page.anchors_of(now)
    page = blocker_page.page(
        now, histories(lanes, facts), (None, Markup("")), anchors, ("", ""), nowhere
    )
    parts = [part["id"] for part in page.data["blockers"]]
    more = [row["id"] for row in page.data["more"]]
    assert (parts[0], len(parts), len(more), "A-B-0" in parts) == ("A-B-1", 100, 1000, False)
    assert "100 more blockers beyond these" in page.data["left_words"]
    text = page.markdown().decode("utf-8")
    assert {anchor for anchor in anchors.values() if f"{{: #{anchor} }}" not in text} == set()
    assert_pair(page)


# --- reservations ---


def reserved(first: int, last: int, ceiling: str = "") -> LaneFacts:
    stated = Reservation(f"T-OBJ-{first}..{last}", first, last, ceiling, "false", "false", "x.md:1")
    return facts_of(reservation=stated)


def governance(*of_lanes: LaneFacts) -> Page:
    lanes = tuple(lane._replace(documents=()) for lane in three()[: len(of_lanes)])
    facts = dict(zip((lane.id for lane in lanes), of_lanes, strict=True))
    return governance_page.page(numbers(lanes, facts), {}, lanes, facts, nowhere)


def test_gaps_and_overlaps_are_told() -> None:
    page = governance(reserved(10, 19, "9"), reserved(15, 24, "14"), reserved(30, 31, "27"))
    (group,) = page.data["groups"]
    assert [row["among_others"] for row in group["reservations"]] == [
        "overlaps two",
        "overlaps one",
        "starts at 30, not right above 27",
    ]
    assert group["gaps"] == ["Nobody here reserves T-OBJ-25..29: it lies between two and six."]
    assert group["overlaps_words"] == "2 ranges overlap others."
    assert [item["number"] for item in group["ceilings"]] == ["31", ""]
    assert_pair(page)


def test_ranges_in_order_have_neither() -> None:
    (group,) = governance(reserved(10, 19), reserved(20, 24)).data["groups"]
    assert (group["gaps"], group["gaps_words"]) == ([], "No gap between the ranges.")
    assert group["overlaps_words"] == "No range overlaps another."


def test_a_range_that_ends_before_it_starts_is_told_and_not_drawn() -> None:
    lanes = three()[:1]
    facts = {"one": reserved(20, 10)}
    assert governance_page.pictures(numbers(lanes, facts)) == {}
    (group,) = governance(reserved(20, 10)).data["groups"]
    assert group["reservations"][0]["among_others"] == "ends before it starts"


def test_both_ceilings_of_the_own_lanes() -> None:
    (one,) = numbers(own_lanes(), own_facts())
    assert one.reserved is not None
    assert one.folded is not None
    assert (one.reserved.number, one.folded.number) == (519, 461)
    (drawn,) = governance_page.pictures([one]).values()
    assert drawn.ceilings == (("reserved up to 519", 519), ("folded up to 461", 461))
    assert [(bar.first, bar.last) for bar in drawn.bars][:2] == [(442, 461), (462, 484)]


# --- contradictions ---

NAMES = frozenset(("report.md", "report.json", "a (b).md"))


@pytest.mark.parametrize(
    ("computed", "other", "where"),
    [
        ("12 named (report.md:88)", "12 named", "report.md:88"),
        ("12 (report.json#/a/b)", "12", "report.json#/a/b"),
        ("12 (of 13) (report.md:88)", "12 (of 13)", "report.md:88"),
        ("12 (report.json#/a (b)/0)", "12", "report.json#/a (b)/0"),
        ("12 (a (b).md:3)", "12", "a (b).md:3"),
        ("12 (other.md:88)", "12 (other.md:88)", ""),
        ("12 (report.md)", "12 (report.md)", ""),
        ("12 named", "12 named", ""),
        ("", "", ""),
        (")", ")", ""),
    ],
)
def test_the_other_side_is_split_off(computed: str, other: str, where: str) -> None:
    both = sides(Finding("CON-X", "report.md:1", "13", computed, ""), NAMES)
    assert both == ("13", "report.md:1", other, where)


def test_splitting_costs_linear_time() -> None:
    text = " (" * 200_000 + "report.md:1)"
    assert sides(Finding("CON-X", "report.md:1", "13", text, ""), NAMES).other_where
    assert not sides(Finding("CON-X", "report.md:1", "13", " (x" * 200_000 + ")", ""), NAMES)[3]


def contradicted(lane: LaneVerdict, *places: tuple[str, str]) -> LaneVerdict:
    found = tuple(
        Finding("CON-COUNT", one, "13 <b>surfaces</b>", f"12 named ({other})", "13, not 12.")
        for one, other in places
    )
    return lane._replace(findings=found)


def test_contradictions_stand_by_lane_with_both_places() -> None:
    shaped = contradicted(lane_named(SHAPED), ("report.json#/qt001", "checkpoint.md:14"))
    first = contradicted(lane_named(FIRST), ("report.json#/real_run", "decision-packet.md:2"))
    lanes = [
        {SHAPED: shaped, FIRST: first}.get(lane.id, lane._replace(findings=()))
        for lane in own_lanes()
    ]
    page = contradictions.page(lanes, lambda lane, where: href(f"lanes/{lane.id}/x.html"))
    assert [group["lane"] for group in page.data["groups"]] == [first.title, shaped.title]
    (row,) = page.data["groups"][1]["contradictions"]
    assert (row["stated"], row["where"]) == ("13 <b>surfaces</b>", "report.json#/qt001")
    assert (row["other"], row["other_where"]) == ("12 named", "checkpoint.md:14")
    text = assert_pair(page)
    assert "stated 13 <b>surfaces</b> ↔ 12 named" in text
    assert "report.json#/qt001 ↔ checkpoint.md:14" in text
    assert page.data["found_words"].startswith("2 contradictions in 2 lanes; ")
    assert page.markdown().count(f"](lanes/{SHAPED}/x.html)".encode()) == 2


def test_no_contradiction_says_what_was_compared() -> None:
    page = contradictions.page([own_lanes()[0]._replace(findings=())], nowhere)
    documents = own_lanes()[0].documents
    count = sum(len(document.statements) for document in documents)
    assert page.data["found_words"] == (
        f"No contradiction was found; {count} statements in {len(documents)} "
        f"document{'s' if len(documents) > 1 else ''} were compared."
    )
    assert_pair(page)


def test_a_contradiction_stands_beside_both_statements() -> None:
    lane = contradicted(lane_named(SHAPED), ("report.json#/qt001", "checkpoint.md:14"))
    number = len(lane.findings)
    assert beside(lane) == {
        "report.json#/qt001": [(number, "12 named in checkpoint.md:14")],
        "checkpoint.md:14": [(number, "13 <b>surfaces</b> in report.json#/qt001")],
    }


# --- a whole build ---


def test_a_root_without_blockers_and_reservations_draws_nothing(tmp_path: Path) -> None:
    root = make_root(tmp_path / "root", packets=ROOT / "templates" / "root" / "packets")
    report = root / "packets" / "first-lane" / "report.json"
    report.unlink(missing_ok=True)
    for path in (root / "packets").rglob("*.md"):
        path.unlink()
    shutil.rmtree(root / "packets" / "first-lane" / "evidence", ignore_errors=True)
    (root / "packets" / "first-lane" / "report.md").write_text("# T\n\nStatus: X\n", "utf-8")
    done = lanebook("build", cwd=root)
    assert done.returncode in (0, 3), done.stderr
    docs = root / "site" / "docs"
    for name in ("index", "blockers", "governance", "contradictions"):
        assert "<svg" not in (docs / f"{name}.md").read_text("utf-8")
