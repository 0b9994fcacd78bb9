"""Older documents become lane folders: grouped by what they state, byte for byte."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import InputError
from generator.importing import ImportedLane, plan_import, write_import
from generator.reading import strictyaml
from generator.reading.documents import read_document

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
TREE = "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"


def shape(lanes: list[ImportedLane]) -> dict[str, list[tuple[str, str]]]:
    return {lane.id: [(file.name, file.source) for file in lane.files] for lane in lanes}


def plan(**texts: str) -> dict[str, list[tuple[str, str]]]:
    return shape(plan_import([(f"{name}.txt", text.encode()) for name, text in texts.items()]))


def test_the_same_own_status_is_one_lane() -> None:
    assert plan(
        a="Tank report (2031-01-02)\nFinal status: NORTH_TANK_SWAP_READY (status A)\n",
        b='{"final_status": "NORTH_TANK_SWAP_READY", "date": "2031-01-02"}',
        c="Checkpoint - south\nStatus: SOUTH_TANK_SWAP_READY_NOT_APPLIED\n",
    ) == {
        "north-tank-swap": [("report.json", "b.txt"), ("report.md", "a.txt")],
        "south-tank-swap": [("checkpoint.md", "c.txt")],
    }


def test_the_same_own_tree_is_one_lane() -> None:
    assert plan(
        a=f"Tank report\nFinal status: NORTH_TANK_SWAP_READY\nEvidence packet tree: {TREE}\n",
        b=f"Decision packet\nEvidence packet tree{TREE}. It selects nothing.\n",
        c=f'{{"doc": "tanks", "evidence_packet": {{"packet_tree_sha256": "{TREE}"}}}}',
    ) == {
        "north-tank-swap": [
            ("report.json", "c.txt"),
            ("report.md", "a.txt"),
            ("decision-packet.md", "b.txt"),
        ]
    }


@pytest.mark.parametrize(
    "text",
    [f'"tree {TREE}"', f'{{"tree#": "{TREE}"}}', f'{{"#": {{"tree#": "{TREE}"}}}}'],
    ids=["one-text", "key", "key-in-key"],
)
def test_a_tree_under_any_key_or_none_is_read(text: str) -> None:
    (planned,) = plan_import([("a#b.json", text.encode())])
    assert [file.source for file in planned.files] == ["a#b.json"]


def test_the_same_own_packet_folder_is_one_lane_and_names_it() -> None:
    assert plan(
        a="Tank report\nPacket north-swap-packet-2031-01-02/, 3 files.\n",
        b='{"doc": "x", "evidence_packet": {"path": "kb/north-swap-packet-2031-01-02/"}}',
    ) == {"north-swap": [("report.json", "b.txt"), ("report.md", "a.txt")]}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            "Tank report\nEvidence packet tree: 0f1e2d3c…abcdef\n",
            "Checkpoint\nEvidence packet tree: 0f1e2d3c…abcdef\n",
            id="weak-hash",
        ),
        pytest.param("Tank report\nStatus: READY\n", "Checkpoint\nStatus: READY\n", id="bare"),
        pytest.param(
            "Tank report\nStatus: NOT_READY\n", "Checkpoint\nStatus: NOT_READY\n", id="outcome-only"
        ),
        pytest.param(
            "Tank report\nStatus: DRAFT_IN_REVIEW\n",
            "Checkpoint\nStatus: DRAFT_IN_REVIEW\n",
            id="everyday-words",
        ),
        pytest.param(
            f"Tank report\nEvidence packet tree: {TREE}\n",
            f"# Checkpoint\n\n## Preflight\n\nEvidence packet tree: {TREE}\n",
            id="tree-of-the-lane-before",
        ),
        pytest.param(
            "# Tank report\n\nFinal status: NORTH_TANK_SWAP_READY\n",
            "# Checkpoint\n\n> Final status: NORTH_TANK_SWAP_READY\n",
            id="quoted-status",
        ),
        pytest.param(
            f"Tank report\n`pump.py` {TREE}\n", f"Checkpoint\n`pump.py` {TREE}\n", id="another-file"
        ),
    ],
)
def test_no_reason_to_group(first: str, second: str) -> None:
    assert len(plan(a=first, b=second)) == 2


def test_a_document_that_says_little_is_its_own_lane() -> None:
    assert plan(a="Tank notes, part two\nwater.\n") == {
        "tank-notes-part-two": [("document.md", "a.txt")]
    }


@pytest.mark.parametrize(
    ("title", "lane_id"),
    [
        ("Con", "lane-con"),
        ("Index", "lane-index"),
        ("LPT1", "lane-lpt1"),
        ("Überlauf & Tank", "uberlauf-tank"),
        ("x" * 200, "x" * 80),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_ids_are_safe_folder_names(title: str, lane_id: str) -> None:
    assert list(plan(a=f"# {title}\n")) == [lane_id]


def test_an_id_without_letters_comes_from_the_bytes() -> None:
    (lane,) = plan_import([("a.md", "# 水槽\n".encode())])
    assert (lane.id[:9], len(lane.id), lane.id_from) == (
        "document-",
        25,
        "the digest of the document",
    )


def test_one_id_for_two_lanes_is_refused_by_both_names() -> None:
    with pytest.raises(InputError) as caught:
        plan(
            a="Tank report\nFinal status: NORTH_TANK_SWAP_READY\n",
            b="Tank report\nFinal status: NORTH_TANK_SWAP_FAILED\n",
        )
    assert caught.value.code == "IMPORT-COLLISION"
    assert str(caught.value) == (
        "'a.txt' and 'b.txt' would both become the lane 'north-tank-swap', and state nothing that "
        "makes them one lane"
    )


def test_second_documents_of_a_kind_are_numbered_and_equal_bytes_kept_once() -> None:
    text = "Tank report{}\nFinal status: NORTH_TANK_SWAP_READY\n"
    assert plan(c=text.format(""), a=text.format(" II"), b=text.format("")) == {
        "north-tank-swap": [("report.md", "a.txt"), ("report-2.md", "b.txt")]
    }


@pytest.mark.parametrize(
    ("dates", "date"),
    [(("2031-01-02", "2031-01-02"), "2031-01-02"), (("2031-01-02", "2031-01-03"), "")],
)
def test_a_date_is_kept_only_where_all_agree(dates: tuple[str, str], date: str) -> None:
    texts = [f"Report {n} ({d})\nFinal status: NORTH_TANK_READY\n" for n, d in enumerate(dates)]
    (lane,) = plan_import([(f"{n}.txt", text.encode()) for n, text in enumerate(texts)])
    expected = {"id": "north-tank"} | ({"date": date} if date else {})
    assert strictyaml.loads(lane.lane_yml, where="lane.yml") == expected


def test_writing_puts_every_byte_in_place_and_twice_changes_nothing(tmp_path: Path) -> None:
    data = b"Tank report\r\nFinal status: NORTH_TANK_READY\r\n"
    lanes = plan_import([("old.txt", data)])
    folder = tmp_path / "packets" / "north-tank"
    assert write_import(lanes, tmp_path / "packets") == [folder]
    assert sorted(path.name for path in folder.iterdir()) == ["lane.yml", "report.md"]
    assert (folder / "report.md").read_bytes() == data
    before = (folder / "report.md").stat().st_mtime_ns
    (folder / "evidence").mkdir()
    assert write_import(lanes, tmp_path / "packets") == [folder]
    assert (folder / "report.md").stat().st_mtime_ns == before
    assert [path.name for path in (tmp_path / "packets").iterdir()] == ["north-tank"]


@pytest.mark.parametrize("kind", ["changed", "missing", "file", "link"])
def test_an_existing_lane_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    lanes = plan_import(
        [
            ("a.txt", b"Alpha report\nFinal status: ALPHA_TANK_READY\n"),
            ("b.txt", b"Beta report\nFinal status: BETA_TANK_READY\n"),
        ]
    )
    folder = tmp_path / "beta-tank"
    if kind == "file":
        folder.write_text("mine")
    elif kind == "link":
        write_import(lanes[1:], tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere" / "beta-tank")
    else:
        write_import(lanes[1:], tmp_path)
        (folder / "report.md").unlink()
        if kind == "changed":
            (folder / "report.md").write_text("mine")
    with pytest.raises(InputError) as caught:
        write_import(lanes, tmp_path)
    assert caught.value.code == "IMPORT-EXISTS"
    assert not (tmp_path / "alpha-tank").exists()


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "packets").write_text("a file where the folder should be")
    with pytest.raises(InputError) as caught:
        write_import(plan_import([("a.md", b"# Tank\n")]), tmp_path / "packets")
    assert caught.value.code == "IMPORT-WRITE"
    assert [path.name for path in tmp_path.iterdir()] == ["packets"]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), max_size=5))
def test_planning_keeps_every_document_and_ignores_their_order(texts: list[str]) -> None:
    documents = [(f"{number}.txt", text.encode()) for number, text in enumerate(texts)]
    try:
        lanes = plan_import(documents)
    except InputError:
        return
    assert {file.data for lane in lanes for file in lane.files} == {data for _, data in documents}
    assert plan_import(documents[::-1]) == lanes
    for lane in lanes:
        assert strictyaml.loads(lane.lane_yml, where="lane.yml")
        for file in lane.files:
            # Text that says nothing of its kind may look like JSON only under its old name.
            assert read_document(file.name, file.data).sha256


SEED_LANES = {
    "fix7-p0-no-production-implementation-execution-and-review": [("report.md", 3)],
    "fix7-p0-production-rehearsal-only-rollback": [("report.md", 0), ("decision-packet.md", 1)],
    "fix7-p0-production-shaped-clone-rehearsal": [("report.json", 2), ("checkpoint.md", 4)],
}


def test_seeds_become_three_lanes_byte_for_byte(tmp_path: Path) -> None:
    paths = sorted(SEEDS.glob("*.txt"))
    if not paths:
        pytest.skip("the seeds are not here")
    documents = [(path.name, path.read_bytes()) for path in paths]
    lanes = plan_import(documents)
    assert {
        lane.id: [(file.name, [d for _, d in documents].index(file.data)) for file in lane.files]
        for lane in lanes
    } == SEED_LANES
    assert {lane.date for lane in lanes} == {"2026-06-12"}
    write_import(lanes, tmp_path)
    for lane in lanes:
        for file in lane.files:
            data = (tmp_path / lane.id / file.name).read_bytes()
            assert data == file.data
            assert read_document(file.name, data).kind is file.kind


def test_any_two_seeds_in_any_order_give_the_same_lanes() -> None:
    paths = sorted(SEEDS.glob("*.txt"))
    if not paths:
        pytest.skip("the seeds are not here")
    documents = [(path.name, path.read_bytes()) for path in paths]
    for pair in itertools.combinations(documents, 2):
        assert plan_import(pair) == plan_import(pair[::-1])
