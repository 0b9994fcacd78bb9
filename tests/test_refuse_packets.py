"""For each code a folder on disk that is answered by it, and sound folders that are not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from generator.rules.catalogue import CODES
from generator.rules.contradictions import NOTES as CONTRADICTION_NOTES
from tests.folders import MANIFEST, Answer, as_nobody, content, only, verify, within
from tests.make_refuse_packets import PACKETS, accepted, all_files, refused
from tests.refuse_recipes import RECIPES

NOTES = CONTRADICTION_NOTES | {
    *("LANE-KEY", "LANE-UNREAD", "DOC-REVISION", "DOC-DAMAGE", "EV-KEY-UNKNOWN"),
    "DECIDED-STALE",
    *("CHAIN-UNCITED", "RANGE-GAP", "BLOCKER-UNNAMED", "LEG-RENAMED", "DELEGATION-UNKNOWN"),
}
"""Codes that tell something and refute nothing."""

BESIDE = {
    # lines that are not read list nothing
    "MAN-LINE-tag-dialect": {"FILE-EXTRA"},
    # the links stand where listed files stood
    "KIND-SYMLINK-folder": {"FILE-MISSING"},
    # a short hash is what the rule is about
    "PIN-NAME-short-hash": {"CON-SHORT"},
    "PREFLIGHT-TREE-of-a-named-lane": {"CON-SHORT"},
    # a lane without its packet cites a tree
    "BLOCKER-CLOSED-without-evidence": {"CON-METHOD"},
    # what a refused record decided nobody knows, so the one before it counts no more
    "DECIDED-DATE-before-the-first": {"DECIDED-STALE"},
}
"""Codes that have to come along, and why."""


def code_of(name: str) -> str:
    """Return the longest code with which a name begins."""
    return max((code for code in CODES if name.startswith(f"{code}-")), key=len)


def answer(name: str, folder: Path) -> Answer:
    path = RECIPES[name](folder) if name in RECIPES else PACKETS / "refuse" / name
    with as_nobody(), within(20):
        return verify(path)


def test_every_code_has_a_folder_or_a_recipe_and_none_is_left_over() -> None:
    names = [*(path.name for path in (PACKETS / "refuse").iterdir()), *RECIPES]
    assert {code_of(name) for name in names} == set(CODES)
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[A-Z0-9_-]+(?:-[a-z]+)+", name)] == []


def test_the_folders_are_the_ones_that_the_script_makes() -> None:
    assert {
        path: data
        for kind in ("accept", "refuse")
        for path, data in content(PACKETS).items()
        if path.startswith(f"{kind}/")
    } == all_files()


def test_no_folder_holds_a_link() -> None:
    assert [path for path in PACKETS.rglob("*") if path.is_symlink()] == []


BUGS: dict[str, str] = {}
"""Wrong answers that are known; a mark that is no longer needed fails."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.xfail(reason=BUGS[name])] if name in BUGS else [])
        for name in sorted([*refused(), *RECIPES])
    ],
)
def test_a_defect_is_answered_by_its_own_code_only(name: str, tmp_path: Path) -> None:
    code = code_of(name)
    given = answer(name, tmp_path)
    found = {
        finding["code"]: finding["severity"]
        for judged in (*given.object["lanes"], *given.object["decisions"])
        for finding in judged["findings"]
    }
    assert (given.code, given.err, found) == (
        3 if code in CONTRADICTION_NOTES else 0 if code in NOTES else 1,
        "",
        {one: "note" if one in NOTES else "refuted" for one in {code, *BESIDE.get(name, ())}},
    )
    assert [lane["errors"] for lane in given.object["lanes"] if lane["errors"]] == []


@pytest.mark.parametrize("name", sorted(accepted()))
def test_a_sound_packet_is_verified(name: str) -> None:
    given = verify(PACKETS / "accept" / name)
    found = only(given)
    assert (given.code, found["findings"], found["outcome"], found["integrity"]) == (
        *(0, [], "pass"),
        "cited" if name in ("default", "older-layout") else "consistent",
    )
    assert [file["state"] for file in found["files"]] == ["match"] * 3


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
@pytest.mark.parametrize("name", sorted(accepted()))
def test_a_sound_packet_is_checked_by_sha256sum_too(name: str) -> None:
    (manifest,) = (PACKETS / "accept" / name).rglob(MANIFEST)
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", MANIFEST],
        cwd=manifest.parent,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(line.removeprefix(b"./") for line in done.stdout.splitlines()) == [
        b"commands.sh: OK",
        b"result.json: OK",
        b"states/before.sql: OK",
    ]
