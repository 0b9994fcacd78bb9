"""``alter``: one figure in one seed is altered at a time; does a new finding tell of it?

A figure is a number, status, hash, range or boolean of the five seeds. Left out is what numbers a
heading or an item, what names an order, and what ``seed_figures.yml`` lists with a reason: figures
that no second statement and no other figure gives. The seeds lie beside a checkout and belong to
nobody here; where they are absent, nothing is measured and that is said.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.measure import REPOSITORY, Table, WrongResultError, tell
from generator.conclude import conclude
from generator.examine import examine
from generator.importing import plan_import, write_import
from generator.reading.lane import read_lane
from generator.reading.root import open_root

SEEDS = REPOSITORY.parent / "shared" / "seeds"
LEFT_OUT = Path(__file__).with_name("seed_figures.yml")
TARGET = 0.85
_FIGURE = re.compile(
    r"""(?P<date>\d{4}[-_]\d\d[-_]\d\d)
    |(?P<hash>(?<![0-9A-Za-z-])(?:sha256|rev)?[0-9a-f]{6,64}(?:(?:…|\.{2,3})[0-9a-f]{0,64})?(?![0-9A-Za-z-]))
    |(?P<boolean>\b(?:true|false|YES|NO|NONE)\b|✓)
    |(?P<range>(?:[A-Z]+(?:-[A-Z]+)*-)?\d+\.\.(?:[A-Z]+-)?\d+)
    |(?P<status>(?<![A-Za-z0-9_./-])(?:\.\.\.|…)?_?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+){2,}(?![A-Za-z0-9_-]))
    |(?P<word>\b(?:OPEN|PASS|narrowed|classified|partially\sdischarged|HOLD_PRODUCTION|ABSENT
        |UNTOUCHED|PROVEN)\b)
    |(?P<share>(?<![\w/.-])\d+/\d+(?![\w/]))
    |(?P<number>(?<![\w.§-])(?:rev)?\d+(?:==\d+)?(?![\w-])
        |\b(?:[Tt]wo|three|four|five|six|seven|eight|nine|ten|[Bb]oth)\b)
    """,
    re.VERBOSE,
)
_NUMBERS_AN_ITEM = re.compile(r"(?:\A|(?<=[.)] )|(?<=YES\. )|(?<=YES \())\d{1,2}\.(?:\s[A-Z]|\Z)")
_FLIPPED = {
    **{"true": "false", "false": "true", "YES": "NO", "NO": "YES", "NONE": "YES", "✓": "✗"},
    **{"OPEN": "CLOSED", "PASS": "FAIL", "narrowed": "OPEN", "classified": "narrowed"},
    **{"partially discharged": "OPEN", "HOLD_PRODUCTION": "AUTHORIZE_PRODUCTION_EXECUTION"},
    **{"ABSENT": "PRESENT", "UNTOUCHED": "TOUCHED", "PROVEN": "UNPROVEN"},
}
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
_OF_READING = frozenset(("DOC-DAMAGE",))
"""Findings that tell how a document is read, and not what it states."""


class Figure(NamedTuple):
    """One figure: where it stands, and what is written there instead."""

    place: str
    """``seed:line:column``."""
    kind: str
    start: int
    end: int
    stated: str
    written: str


def figures(seed: int, text: str, left_out: frozenset[str]) -> Iterator[Figure]:
    """Yield each figure of a seed with each thing that it is altered into."""
    begin = 0
    for number, line in enumerate(text.split("\n"), 1):
        for match in _FIGURE.finditer(line):
            place = f"S{seed}:{number}:{match.start()}"
            kind = match.lastgroup or ""
            if kind == "number" and _NUMBERS_AN_ITEM.match(line, match.start()):
                continue
            if place in left_out or "_MACRO_" in match[0]:
                continue
            for written in altered(kind, match[0]):
                span = (begin + match.start(), begin + match.end())
                yield Figure(place, kind, *span, match[0], written)
        begin += len(line) + 1


def altered(kind: str, stated: str) -> list[str]:
    """Return what a figure is altered into: the neighbouring number, the other word."""
    if kind in ("boolean", "word"):
        return [_FLIPPED[stated]]
    if kind == "date":
        return [f"{stated[:-1]}{(int(stated[-1]) + 1) % 10}"]
    if kind == "hash":
        at = 8 if stated.startswith("sha256") else len(stated) - 3 if stated[:3] == "rev" else 2
        return [f"{stated[:at]}{'0' if stated[at] != '0' else '1'}{stated[at + 1 :]}"]
    if kind == "range":
        parts = re.fullmatch(r"(.*?)(\d+)(\.\.(?:[A-Z]+-)?)(\d+)", stated)
        if parts is None:
            raise WrongResultError(f"no range: {stated}")
        before, first, dots, last = parts.groups()
        return [
            f"{before}{first}{dots}{int(last) + 1}",
            f"{before}{int(first) + 1}{dots}{last}",
        ]
    if kind == "share":
        held, total = stated.split("/")
        return [f"{int(held) - 1}/{total}", f"{held}/{int(total) + 1}"]
    if kind == "status":
        return [_other_status(stated)]
    if "==" in stated:
        one, other = stated.split("==")
        return [f"{one}=={int(other) + 1}"]
    if stated.lower() == "both":
        return ["Three"]
    if stated.lower() in _WORDS:
        return [_WORDS[_WORDS.index(stated.lower()) + 1]]
    prefix = "rev" if stated.startswith("rev") else ""
    return [f"{prefix}{int(stated.removeprefix('rev')) + 1}"]


def _other_status(stated: str) -> str:
    if stated == "ALL_FAIL_CLOSED":
        return f"NOT_{stated}"
    if stated.startswith("NO_SAFE"):
        return stated.removeprefix("NO_")
    if "_NOT_" in stated or stated.startswith("NOT_"):
        return stated.replace("NOT_", "", 1)
    for end, other in (("READY", "BLOCKED"), ("APPLIED", "ABORTED"), ("ONLY", "EXTENDED")):
        if stated.endswith(end):
            return stated.removesuffix(end) + other
    return f"{stated.rpartition('_')[0]}_FAILED"


def findings(root: Path) -> set[tuple[str, ...]]:
    """Return what is found in a root, without the words that quote what was altered."""
    opened = open_root(root)
    examined = [examine(read_lane(source, limits=opened.limits)) for source in opened.sources]
    return {
        (lane.id, finding.code, finding.where, finding.computed.rpartition(" (")[2])
        for lane in conclude(examined, opened)
        for finding in lane.findings
        if finding.code not in _OF_READING
    }


def altering(scratch: Path, *, quick: bool) -> Table:
    """Score lanebook over every figure of the seeds."""
    table = Table("alter", "one figure of the seeds altered at a time")
    seeds = sorted(SEEDS.glob("*.txt"))
    if not seeds:
        table.notes.append("The seeds do not lie beside this checkout: nothing was measured.")
        return table
    root = scratch / "alter"
    root.mkdir()
    lanes = plan_import([(seed.name, seed.read_bytes()) for seed in seeds])
    write_import(lanes, root / "packets")
    imported = {path.read_bytes(): path for path in root.glob("packets/*/*") if path.is_file()}
    listed = yaml.safe_load(LEFT_OUT.read_text("utf-8"))
    left_out = frozenset(place for places in listed.values() for place in places)
    before = findings(root)
    found: dict[str, int] = {}
    missed: list[Figure] = []
    for number, seed in enumerate(seeds):
        tell(f"alter: S{number}")
        data = seed.read_bytes()
        path = imported[data]
        text = data.decode()
        for index, figure in enumerate(figures(number, text, left_out)):
            if quick and index % 12:
                continue
            path.write_text(text[: figure.start] + figure.written + text[figure.end :], "utf-8")
            if findings(root) - before:
                found[figure.kind] = found.get(figure.kind, 0) + 1
            else:
                missed.append(figure)
        path.write_bytes(data)
    total = sum(found.values()) + len(missed)
    share = sum(found.values()) / total
    table.figures["shown as a new finding"] = f"{sum(found.values())} of {total} ({share:.1%})"
    for kind in sorted({*found, *(figure.kind for figure in missed)}):
        of_kind = found.get(kind, 0) + sum(figure.kind == kind for figure in missed)
        table.figures[f"of kind {kind}"] = f"{found.get(kind, 0)} of {of_kind}"
    table.figures["left out, with a reason each"] = str(len(left_out))
    table.notes += [
        f"Not shown: {figure.place} {figure.stated} → {figure.written}" for figure in missed
    ]
    shutil.rmtree(root)
    return table
