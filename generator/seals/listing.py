"""The lines of a seal file: which bytes were approved, and which of them were asked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from generator.model.finding import Finding
from generator.model.packet import MANIFEST
from generator.names import clashes, plainly_distinct, problems, visible
from generator.profiles import manifest_sha256
from generator.profiles.base import Line

_NO_PROBLEM = ("MAN-ORDER", "MAN-SELF")
"""What matters to a tree hash: a seal file has none, and may seal those of a packet."""


class Seals(NamedTuple):
    """What a seal file lists; with one problem it counts for nothing."""

    lines: tuple[Line, ...]
    problems: tuple[Finding, ...]


def read(data: bytes, *, shown: str, name: str) -> Seals:
    """Read a seal file: what ``sha256sum`` prints, in any order, and nothing else.

    Args:
        data: its bytes.
        shown: what it is called in findings.
        name: its name in its folder, which it must not list.
    """
    listing = manifest_sha256.read(data)
    found = [
        finding._replace(where=f"{shown}{finding.where.removeprefix(MANIFEST)}")
        for finding in listing.problems
        if finding.code not in _NO_PROBLEM
    ]
    bad = list(refused(tuple(dict.fromkeys(line.path for line in listing.lines)), name))
    if bad:
        numbers = {line.path: line.number for line in reversed(listing.lines)}
        found += [
            Finding(code, f"{shown}:{numbers[path]}", visible(path, 160), "", message)
            for code, path, message in bad
        ]
    found.sort(key=lambda finding: _line_of(finding.where))
    return Seals(listing.lines, tuple(found))


def _line_of(where: str) -> int:
    number = where.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def refused(paths: tuple[str, ...], name: str) -> Iterator[tuple[str, str, str]]:
    """Yield code, path and message for each path that a seal file ``name`` must not list."""
    if name in paths:
        yield "GATE-SELF", name, "The seal file lists itself."
    if plainly_distinct(paths):
        return
    for path in paths:
        for code, message in problems(path):
            yield code, path, message
    for code, path, _, message in clashes(paths):
        yield code, path, message


class Asked(NamedTuple):
    """What a run is about."""

    lines: tuple[Line, ...]
    uncovered: tuple[str, ...] = ()
    """Paths that were asked about, and that no line covers."""


def narrowed(lines: Sequence[Line], paths: Sequence[str]) -> Asked:
    """Return the lines of these paths and of what lies below them, and the paths that have none.

    Paths are relative to the folder of the seal file, ``.`` is that folder; no path means all.
    """
    if not paths:
        return Asked(tuple(lines))
    wanted = dict.fromkeys(paths)
    covered: set[str] = set()
    chosen = []
    for line in lines:
        over = [name for name in _and_folders(line.path) if name in wanted]
        if over:
            covered.update(over)
            chosen.append(line)
    return Asked(tuple(chosen), tuple(path for path in wanted if path not in covered))


def _and_folders(path: str) -> Iterator[str]:
    yield "."
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
