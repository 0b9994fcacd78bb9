"""Makes the rehearsed lanes again as ``lanebook rehearse`` does, byte for byte, from their inputs.

The programs in a packet are inputs of it, and pinned: a lane that is there is made again with its
own, whatever today's lanebook would put into a new one.

Without an option it writes into packets/; with ``--to ROOT`` into another root that holds the lane
before them; with ``--check`` nowhere, and exits with 1 if packets/ holds something else.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.rehearse.inside import PROGRAMS
from generator.rehearse.run import Wanted, rehearse

ROOT = Path(__file__).resolve().parents[1]
INPUTS = Path(__file__).resolve().parent / "rehearsals"
BEFORE = "clone-rehearsal-sqlite-2"
LANES = {
    "registry-column-rehearsal": (
        "Registry column, rehearsed",
        "2026-11-24",
        "AUTHORIZE_REGISTRY_COLUMN_REHEARSAL_ONLY",
    ),
    "approvals-backfill-rehearsal": (
        "Approvals backfill, rehearsed",
        "2026-11-24",
        "AUTHORIZE_APPROVALS_BACKFILL_REHEARSAL_ONLY",
    ),
}
"""Lane to title, date and the decision that it consumes, in order."""


def pinned() -> dict[str, dict[str, bytes]]:
    """Return the programs of each lane that is there."""
    folders = {lane: ROOT / "packets" / lane / "evidence" for lane in LANES}
    return {
        lane: {name: (folder / name).read_bytes() for name in PROGRAMS}
        for lane, folder in folders.items()
        if folder.exists()
    }


def make(root: Path, programs: Mapping[str, Mapping[str, bytes]]) -> None:
    """Make both lanes in a root that holds the lane before them, by their programs."""
    previous = BEFORE
    for lane, (title, date, delegation) in LANES.items():
        inputs = INPUTS / lane
        rehearse(
            Wanted(
                lane=lane,
                root=root,
                title=title,
                date=date,
                previous=previous,
                delegation=delegation,
                dump=inputs / "seed.sql",
                change=inputs / "change.sql",
                blockers=inputs / "blockers.json",
                addendum=inputs / "addendum.json",
                programs=programs.get(lane, {}),
            )
        )
        previous = lane


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def made_again(root: Path) -> dict[str, dict[str, bytes]]:
    """Return what the lanes come to when they are made in a new root."""
    shutil.copytree(ROOT / "packets" / BEFORE, root / "packets" / BEFORE)
    make(root, pinned())
    return {lane: content(root / "packets" / lane) for lane in LANES}


def main() -> int:
    """Run one of the three ways."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", type=Path, help="a root with packets/ in it")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    arguments = parser.parse_args()
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            again = made_again(Path(folder))
        differ = [lane for lane in LANES if content(ROOT / "packets" / lane) != again[lane]]
        for lane in differ:
            print(f"{lane}: packets/ holds something else", file=sys.stderr)
        return 1 if differ else 0
    root = (arguments.to or ROOT).resolve()
    programs = pinned()
    for lane in LANES:
        shutil.rmtree(root / "packets" / lane, ignore_errors=True)
    make(root, programs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
