"""Defects that git cannot hold, or should not: each is made in a folder of the test that asks.

Links would also be followed by whatever packs the repository up.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.folders import FILES, MANIFEST, digest, in_order, lane, listing, packet, write

Recipe = Callable[[Path], Path]
"""Makes the defect below an empty folder, and returns the path to verify."""


def _named(name: str) -> Recipe:
    """Return a recipe in which one sealed file bears this name."""

    def recipe(folder: Path) -> Path:
        try:
            lane(folder, files={**FILES, name: b"exit 1\n"})
        except OSError as error:
            if error.errno != errno.EILSEQ:
                raise
            pytest.skip("this file system takes no such name")
        return folder

    return recipe


def _listed(path: str) -> Recipe:
    """Return a recipe whose manifest lists one more path, in its place in the order."""

    def recipe(folder: Path) -> Path:
        line = f"{digest(b'something else')}  {path}\n".encode()
        lines = [*listing(FILES).splitlines(keepends=True), line]
        lane(folder, manifest=in_order(lines))
        return folder

    return recipe


def _twins(one: str, other: str) -> Recipe:
    """Return a recipe with two sealed files whose names can be taken for each other."""

    def recipe(folder: Path) -> Path:
        lane(folder, files={**FILES, one: b"1\n", other: b"2\n"})
        if len(os.listdir(folder / "packets" / "sample" / "evidence")) < len(FILES) + 4:
            pytest.skip("this file system takes the two names for one")
        return folder

    return recipe


def _special(path: str, mode: int) -> Recipe:
    """Return a recipe in which something that is no file stands at a path of the lane folder."""

    def recipe(folder: Path) -> Path:
        place = _free(lane(folder) / path)
        try:
            # device 0:0 is the one that nobody needs a right for
            os.mknod(place, mode | 0o600, os.makedev(0, 0))
        except PermissionError:
            pytest.skip("nothing of this kind may be made here")
        return folder

    return recipe


def _linked(path: str, target: str) -> Recipe:
    """Return a recipe in which a link stands at a path of the lane folder.

    What it leads to would be good: the very bytes, documents or packet that stood there before.
    """

    def recipe(folder: Path) -> Path:
        place = lane(folder, documents={"report.md": "# Report\n\nA sample.\n"}) / path
        outside = folder / "outside"
        if os.path.lexists(place):
            os.rename(place, outside)
        os.symlink(target.format(outside=outside), place)
        return folder

    return recipe


def _linked_lane(folder: Path) -> Path:
    """Put a link to a sound lane beside the lanes."""
    lane(folder)
    lane(folder / "elsewhere", "other")
    os.symlink(folder / "elsewhere" / "packets" / "other", folder / "packets" / "other")
    return folder


def _denied(path: str) -> Recipe:
    """Return a recipe in which a path of the lane folder may not be read."""

    def recipe(folder: Path) -> Path:
        os.chmod(lane(folder, documents={"report.md": "# Report\n"}) / path, 0)
        return folder

    return recipe


def _free(place: Path) -> Path:
    if place.is_dir():
        for path in sorted(place.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        place.rmdir()
    place.unlink(missing_ok=True)
    return place


def _large_lane_file(folder: Path) -> Path:
    lane(folder, yml="#" * (1024 * 1024))
    return folder


def _bare_absolute(folder: Path) -> Path:
    manifest = f"{digest(b'')}  /etc/passwd\n".encode()
    return packet(folder / "packet", {}, manifest=manifest)


def _nfc_and_nfd(folder: Path) -> Path:
    name = "caf\u00e9.txt"
    return _twins(name, unicodedata.normalize("NFD", name))(folder)


def _case_of_lanes(folder: Path) -> Path:
    lane(folder, "sample")
    write(folder / "packets" / "SAMPLE" / "evidence", {})
    if len(os.listdir(folder / "packets")) < 2:
        pytest.skip("this file system takes the two names for one")
    packet(folder / "packets" / "SAMPLE" / "evidence")
    return folder


def _large_record(folder: Path) -> Path:
    """Put ten megabytes into a record: no more than its limit is read of it."""
    lane(folder)
    write(folder / "decisions", {"sample.1.json": b" " * (10 * 1024 * 1024)})
    return folder


def _linked_record(folder: Path) -> Path:
    lane(folder)
    (folder / "decisions").mkdir()
    os.symlink(folder / "packets" / "sample" / "report.json", folder / "decisions/sample.1.json")
    return folder


def _linked_records(folder: Path) -> Path:
    lane(folder)
    write(folder / "outside", {})
    os.symlink(folder / "outside", folder / "decisions")
    return folder


RECIPES: dict[str, Recipe] = {
    "DECIDED-LIMIT-ten-megabytes": _large_record,
    "KIND-SYMLINK-record": _linked_record,
    "KIND-SYMLINK-records": _linked_records,
    "YAML-BYTES-large": _large_lane_file,
    "LANE-TWICE-case": _case_of_lanes,
    "READ-DENIED-file": _denied("evidence/commands.sh"),
    "READ-DENIED-folder": _denied("evidence/states"),
    "READ-DENIED-evidence": _denied("evidence"),
    "READ-DENIED-manifest": _denied(f"evidence/{MANIFEST}"),
    "READ-DENIED-lane": _denied("."),
    "READ-DENIED-lane-file": _denied("lane.yml"),
    "READ-DENIED-document": _denied("report.md"),
    "KIND-SYMLINK-file": _linked("evidence/commands.sh", "{outside}"),
    "KIND-SYMLINK-folder": _linked("evidence/states", "{outside}"),
    "KIND-SYMLINK-manifest": _linked(f"evidence/{MANIFEST}", "{outside}"),
    "KIND-SYMLINK-evidence": _linked("evidence", "{outside}"),
    "KIND-SYMLINK-lane": _linked_lane,
    "KIND-SYMLINK-lane-file": _linked("lane.yml", "{outside}"),
    "KIND-SYMLINK-document": _linked("report.md", "{outside}"),
    "KIND-SYMLINK-within": _linked("evidence/commands.sh", "states/before.sql"),
    "KIND-SYMLINK-to-nothing": _linked("evidence/extra.sh", "nowhere"),
    "KIND-SYMLINK-to-itself": _linked("evidence/extra.sh", "extra.sh"),
    "KIND-SYMLINK-to-device": _linked("evidence/extra.sh", "/dev/zero"),
    "KIND-FIFO-file": _special("evidence/commands.sh", stat.S_IFIFO),
    "KIND-FIFO-manifest": _special(f"evidence/{MANIFEST}", stat.S_IFIFO),
    "KIND-FIFO-evidence": _special("evidence", stat.S_IFIFO),
    "KIND-FIFO-lane-file": _special("lane.yml", stat.S_IFIFO),
    "KIND-FIFO-document": _special("report.md", stat.S_IFIFO),
    "KIND-SOCKET-file": _special("evidence/commands.sh", stat.S_IFSOCK),
    "KIND-SOCKET-manifest": _special(f"evidence/{MANIFEST}", stat.S_IFSOCK),
    "KIND-DEVICE-file": _special("evidence/commands.sh", stat.S_IFCHR),
    "PATH-ABSOLUTE-etc": _listed("/etc/passwd"),
    "PATH-ABSOLUTE-alone": _bare_absolute,
    "PATH-ABSOLUTE-drive": _listed("C:/Windows/win.ini"),
    "PATH-BACKSLASH-folder": _named("states\\after.sql"),
    "NAME-CONTROL-escape": _named("states/before\x1b[2J.sql"),
    "NAME-CONTROL-carriage-return": _named("hidden\r.sh"),
    "NAME-BIDI-override": _named("states/after\u202elqs.txt"),
    "NAME-ZERO-WIDTH-space": _named("commands\u200b.sh"),
    "NAME-UTF8-byte": _named("states/after\udcff.sql"),
    "NAME-DASH-file": _named("-"),
    "NAME-CASE-files": _named("Commands.sh"),
    "NAME-CASE-folders": _named("States/after.sql"),
    "NAME-CASE-seal": _named("hash_manifest.TXT"),
    "NAME-FORM-two": _nfc_and_nfd,
    "NAME-LOOKALIKE-seal": _named("HASH_MAN\u0406FEST.txt"),
}
"""By name; it begins with the code that answers."""
