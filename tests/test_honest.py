"""Nothing looks better than it is: blockers, hashes and decisions as they are known, no further."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from generator.reading.root import open_root
from generator.writing.build import _render, _silent
from tests.folders import FILES, Answer, digest, lane, listing, only, run, verify
from tests.site_support import small_root

PACKET: dict[str, bytes] = {
    "hardened_validator.py": b"print(1)\n",
    "notes.txt": b"harmless\n",
    "states/before.sql": b"-- three rows\n",
}
VALIDATOR, NOTES, BEFORE = (digest(data) for data in PACKET.values())


def report(**keys: Any) -> dict[str, str]:
    return {"report.json": json.dumps(keys)}


def twins(root: Path, *names: str) -> list[dict[str, Any]]:
    """Render a root as a build does, and return the JSON twins of pages."""
    docs = root.parent / f"{root.name}-docs"
    _render(open_root(root), docs, 1, _silent)
    return [json.loads((docs / f"{name}.json").read_bytes()) for name in names]


# --- blockers ---


def blocker_map(*rows: tuple[str, str], count: int | None = None) -> dict[str, Any]:
    listed = [{"id": name, "status": state} for name, state in rows]
    return {"blockers": listed} | ({"open_count": count} if count is not None else {})


def dated(root: Path, day: int, evidence: bool, stated: dict[str, Any] | None) -> None:
    """Write the lane of a day, after the one of the day before; without evidence, claims only."""
    name = f"lane-{day}"
    body: dict[str, Any] = {"doc": name, "date": f"2026-01-0{day}"}
    body["final_status"] = f"REHEARSAL_{day}_DONE"
    if stated is not None:
        body["production_blocker_map"] = stated
    before = f"previous: lane-{day - 1}\n" if day > 1 else ""
    written = lane(root, name, yml=before, documents=report(**body))
    if not evidence:
        for path in sorted(written.glob("evidence/**/*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (written / "evidence").rmdir()


SEVEN = [(f"FIX-P0-BLOCKER-{number}", "OPEN") for number in range(1, 8)]


@pytest.mark.parametrize(
    ("lanes", "words", "states"),
    [
        pytest.param([(True, None)], "No lane lists blockers", [], id="none-is-no-zero"),
        pytest.param(
            [(True, blocker_map(*SEVEN))], "7 blockers open", ["open"] * 7, id="all-in-one-list"
        ),
        pytest.param(
            [(True, blocker_map(*SEVEN)), (True, blocker_map(SEVEN[2], count=7))],
            "7 blockers open",
            ["open"] * 7,
            id="a-shorter-list-drops-none",
        ),
        pytest.param(
            [(True, blocker_map(*SEVEN[:3], count=7))],
            "7 blockers open as stated, 3 of them named",
            ["open"] * 3,
            id="more-stated-than-named",
        ),
        pytest.param(
            [(True, blocker_map(*SEVEN[:3], count=1))],
            "3 blockers open, 1 as the newest count states",
            ["open"] * 3,
            id="fewer-stated-than-named",
        ),
        pytest.param(
            [(True, blocker_map(*SEVEN[:2])), (True, blocker_map((SEVEN[0][0], "CLOSED")))],
            "1 blocker open",
            ["closed", "open"],
            id="closed-with-evidence",
        ),
        pytest.param(
            [(True, blocker_map(*SEVEN[:2])), (False, blocker_map((SEVEN[0][0], "CLOSED")))],
            "2 blockers open",
            ["open", "open"],
            id="closed-without-evidence",
        ),
        pytest.param(
            [(True, blocker_map((SEVEN[0][0], "CLOSED"), SEVEN[0]))],
            "1 blocker open",
            ["open"],
            id="two-rows-of-one-id",
        ),
    ],
)
def test_home_counts_every_blocker_that_is_not_known_to_be_closed(
    lanes: list[tuple[bool, dict[str, Any] | None]], words: str, states: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for day, (evidence, stated) in enumerate(lanes, 1):
        dated(root, day, evidence, stated)
    home, page = twins(root, "index", "blockers")
    assert (home["open_words"], page["now_words"]) == (words, f"{words}.")
    assert [row["state"] for row in home["blockers"]] == states
    assert [row["state"] for row in page["blockers"]] == states


def test_a_blocker_that_newer_lanes_leave_out_says_so(tmp_path: Path) -> None:
    root = tmp_path / "root"
    dated(root, 1, True, blocker_map(*SEVEN[:2]))
    dated(root, 2, False, blocker_map((SEVEN[0][0], "CLOSED")))
    (home,) = twins(root, "index")
    assert [row["note"] for row in home["blockers"]] == [
        "stated as closed, without evidence that was verified",
        "the newest list leaves it out",
    ]


# --- hashes in documents ---


@pytest.mark.parametrize(
    ("stated", "pointer", "known"),
    [
        pytest.param(
            {"validator": {"file": "hardened_validator.py", "sha256": NOTES}},
            "/validator/sha256",
            ("refuted", "evidence/hardened_validator.py"),
            id="a-file-beside-the-hash",
        ),
        pytest.param(
            {"files": [{"path": "hardened_validator.py", "sha256": NOTES}]},
            "/files/0/sha256",
            ("refuted", "evidence/hardened_validator.py"),
            id="a-list-of-files",
        ),
        pytest.param(
            {"validator": {"file": "hardened_validator.py", "sha256": VALIDATOR}},
            "/validator/sha256",
            ("recomputed", "evidence/hardened_validator.py"),
            id="a-file-beside-its-hash",
        ),
        pytest.param(
            {"hardened_validator_sha256": VALIDATOR},
            "/hardened_validator_sha256",
            ("recomputed", "evidence/hardened_validator.py"),
            id="a-key-in-the-words-of-the-name",
        ),
        pytest.param(
            {"before_hash": BEFORE},
            "/before_hash",
            ("recomputed", "evidence/states/before.sql"),
            id="a-state",
        ),
        pytest.param(
            {"hardened_validator_sha256": NOTES},
            "/hardened_validator_sha256",
            ("claimed only", "evidence/notes.txt"),
            id="the-bytes-of-another-file",
        ),
        pytest.param(
            {"tool": "hardened_validator.py", "tool_sha256": VALIDATOR},
            "/tool_sha256",
            ("recomputed", "evidence/hardened_validator.py"),
            id="a-key-beside-the-key-of-its-hash",
        ),
        pytest.param(
            {"tool": "hardened_validator.py", "tool_sha256": NOTES},
            "/tool_sha256",
            ("refuted", "evidence/hardened_validator.py"),
            id="a-key-beside-the-key-of-another-hash",
        ),
        pytest.param(
            {"sha256": NOTES},
            "/sha256",
            ("claimed only", "evidence/notes.txt"),
            id="a-key-that-names-nothing",
        ),
    ],
)
def test_bytes_under_another_name_confirm_no_hash(
    stated: dict[str, Any], pointer: str, known: tuple[str, str], tmp_path: Path
) -> None:
    lane(tmp_path, files=PACKET, documents=report(final_status="DONE", **stated))
    given = verify(tmp_path)
    (claim,) = [one for one in only(given)["claims"] if one["id"] == f"report.json#{pointer}"]
    level = "refuted" if claim["agreement"] == "differs" else claim["level"]
    assert (level, claim["against"]) == known
    assert given.codes == (["DOC-HASH"] if level == "refuted" else [])


def test_bytes_of_another_lane_under_another_name_confirm_no_hash(tmp_path: Path) -> None:
    lane(tmp_path, "one", files=PACKET)
    stated = report(final_status="DONE", hardened_validator_sha256=VALIDATOR, owner_sha256=NOTES)
    lane(tmp_path, "two", documents=stated)
    (two,) = [one for one in verify(tmp_path).object["lanes"] if one["id"] == "two"]
    found = {
        claim["id"]: (claim["level"], claim["against"])
        for claim in two["claims"]
        if claim["id"].endswith("_sha256")
    }
    assert found == {
        "report.json#/hardened_validator_sha256": ("recomputed", "one/hardened_validator.py"),
        "report.json#/owner_sha256": ("claimed only", "one/notes.txt"),
    }


# --- what is not followed ---


@pytest.mark.parametrize("inside", [True, False])
def test_nothing_behind_a_link_to_a_lane_is_read(inside: bool, tmp_path: Path) -> None:
    root = tmp_path / "root"
    lane(root)
    folder = root / "packets" / "secret" if inside else tmp_path / "outside"
    folder.mkdir()
    (folder / "lane.yml").write_text("id: secret\ntitle: TOP SECRET\npassword: hunter2\n", "utf-8")
    (root / "packets" / "linked").symlink_to(folder)
    (linked,) = [one for one in verify(root).object["lanes"] if one["id"] == "linked"]
    assert [one["code"] for one in linked["findings"]] == ["KIND-SYMLINK"]
    assert "SECRET" not in json.dumps(linked)
    assert "hunter2" not in json.dumps(linked)


# --- decisions ---

OPTIONS = ["HOLD_PRODUCTION", "AUTHORIZE_PRODUCTION_EXECUTION"]
BALLOT = """# Decision packet

- Default: `HOLD_PRODUCTION`
- Selected: none
{tree}
## Options

| option | meaning | default |
|---|---|---|
| `HOLD_PRODUCTION` | nothing is done | yes |
| `AUTHORIZE_PRODUCTION_EXECUTION` | the change is applied | no |
"""
OTHER = "ab" * 32


@pytest.mark.parametrize(
    ("tree", "evidence", "words", "held"),
    [
        pytest.param(
            "",
            True,
            "The decision packet does not state on which evidence it was written.",
            "not the evidence of its lane",
            id="none-stated",
        ),
        pytest.param(
            "own",
            True,
            "Written on the evidence of this lane, as its tree hash, computed again, shows:",
            "the evidence of its lane",
            id="its-own",
        ),
        pytest.param(
            OTHER,
            False,
            "The decision packet states this evidence, which is not here:",
            "no evidence is here",
            id="evidence-is-lost",
        ),
    ],
)
def test_a_decision_packet_is_shown_on_the_evidence_that_it_states(
    tree: str, evidence: bool, words: str, held: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    dated(root, 1, evidence, None)
    folder = root / "packets" / "lane-1"
    if tree == "own":
        tree = (folder / "evidence" / "packet_tree.sha256").read_text().strip()
    line = f"- Evidence tree: `{tree}`\n" if tree else ""
    (folder / "decision-packet.md").write_text(BALLOT.format(tree=line), "utf-8")
    decision, decisions = twins(root, "lanes/lane-1/decision", "decisions")
    assert (decision["written_on"], decision["tree"]) == (words, tree)
    (row,) = decisions["packets"]
    assert (row["tree"], row["held_against"]) == (tree or "not stated", held)
    assert [(one["token"], one["means"]) for one in decision["options"]] == [
        ("HOLD_PRODUCTION", "As stated: nothing is done"),
        ("AUTHORIZE_PRODUCTION_EXECUTION", "As stated: the change is applied"),
    ]


def test_options_in_a_list_keep_what_they_mean(tmp_path: Path) -> None:
    root = tmp_path / "root"
    dated(root, 1, False, None)
    text = (
        "# Decision packet\n\nDefault = HOLD_PRODUCTION.\n\n"
        "- HOLD_PRODUCTION (default, recommended) — do nothing further.\n"
        "- AUTHORIZE_PRODUCTION_EXECUTION — the change is applied.\n"
    )
    (root / "packets" / "lane-1" / "decision-packet.md").write_text(text, "utf-8")
    (decision,) = twins(root, "lanes/lane-1/decision")
    assert [one["means"] for one in decision["options"]] == [
        "As stated: do nothing further.",
        "As stated: the change is applied.",
    ]


def test_import_of_the_seeds_shows_all_seven_blockers(tmp_path: Path) -> None:
    seeds = sorted((Path(__file__).parents[2] / "shared" / "seeds").glob("*.txt"))
    if not seeds:
        pytest.skip("the seeds are not here")
    assert run("import", *seeds, cwd=tmp_path).code == 0
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "packets").rename(root / "packets")
    (home,) = twins(root, "index")
    assert home["open_words"] == "7 blockers open"


# --- what texts say of production ---


def test_what_a_text_says_of_production_is_shown(tmp_path: Path) -> None:
    root = tmp_path / "root"
    lane(
        root,
        documents={
            "report.md": "# Report\n\nProduction mutation: NO · REAL_RUN/QT001/cutover: NO"
            " · secrets: changed one\n"
        },
    )
    (page,) = twins(root, "lanes/sample/index")
    assert [(one["what"], one["stated"]) for one in page["untouched"]] == [
        ("Production mutation", "NO"),
        ("REAL_RUN/QT001/cutover", "NO"),
    ]
    assert [(one["what"], one["stated"]) for one in page["touched"]] == [("secrets", "changed one")]


# --- the command line ---


def test_build_check_ends_as_the_verdict_does_where_nothing_would_change(tmp_path: Path) -> None:
    root = small_root(tmp_path / "root", "sound", "broken")
    (root / "packets" / "broken" / "evidence" / "extra.txt").write_text("not sealed\n", "utf-8")
    assert run("build", "--root", root).code == 1
    assert run("build", "--root", root, "--check") == Answer(1, "", "the site is up to date\n")
    assert run("build", "--root", root, "--check", "--engine", "bogus").code == 2
    (root / "packets" / "broken" / "evidence" / "extra.txt").unlink()
    shutil.rmtree(root / "site" / "html")
    given = run("build", "--root", root, "--check")
    assert (given.code, given.out.splitlines()[-1]) == (1, "add site/html, which is not built")


def test_a_program_gets_an_object_also_where_there_is_no_root(tmp_path: Path) -> None:
    given = run("verify", "--format", "json", cwd=tmp_path)
    assert (given.code, given.object["lanes"]) == (3, [])
    (missing,) = given.object["unreadable"]
    assert (missing["path"], given.err) == (".", f"lanebook: {missing['message']}\n")


def test_an_empty_path_is_none(tmp_path: Path) -> None:
    lane(tmp_path)
    given = run("verify", "", cwd=tmp_path)
    assert (given.code, given.out) == (2, "")
    assert "the path is empty" in given.err


def test_a_sound_seal_in_a_declared_dialect_is_left_as_it_is(tmp_path: Path) -> None:
    manifest = b"# by hand\n" + listing(FILES)
    held = lane(tmp_path, manifest=manifest, yml="tree_profile: sha256sum\n")
    given = run("seal", held)
    assert (given.code, given.out) == (0, f"{digest(manifest)}  3 files, as before\n")
    (held / "evidence" / "commands.sh").write_bytes(b"exit 1\n")
    assert run("seal", held).code == 3


def test_a_lane_file_of_many_keys_is_refused(tmp_path: Path) -> None:
    lane(tmp_path, yml="".join(f"key-{number}: x\n" for number in range(300)))
    assert verify(tmp_path).codes == ["LANE-TYPE"]


def test_claims_of_one_place_have_ids_of_their_own() -> None:
    for found in verify(Path(__file__).parents[1]).object["lanes"]:
        ids = [claim["id"] for claim in found["claims"]]
        assert len(ids) == len(set(ids)), found["id"]


@pytest.mark.parametrize("damage", ["extra file", "other tree"])
def test_a_packet_that_is_not_sound_is_counted_as_its_ledger_counts_it(
    damage: str, tmp_path: Path
) -> None:
    """A text needs the numbers only, so the facts of evidence are not kept for it."""
    sealed = Path(__file__).parents[1] / "packets" / "clone-rehearsal-sqlite" / "evidence"
    shutil.copytree(sealed, tmp_path / "packet")
    if damage == "extra file":
        (tmp_path / "packet" / "extra.txt").write_text("not sealed\n", "utf-8")
    else:
        (tmp_path / "packet" / "packet_tree.sha256").write_text(f"{OTHER}\n", "ascii")
    told = run("verify", tmp_path / "packet")
    counts = verify(tmp_path / "packet").object["summary"]["claims"]
    assert told.code == 1
    assert f"{counts['recomputed']} recomputed" in told.out
    assert f"{counts['claimed_only']} claimed only" in told.out
