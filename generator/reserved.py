"""Reserved ranges of all lanes beside each other (spec 3): where they overlap, what lies between.

Two ceilings: up to which number objects are reserved, and up to which they are folded into the
canonical body. All of it as documents state it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generator.facts import LaneFacts, Reservation
from generator.model.document import Document
from generator.model.verdict import LaneVerdict

_PREFIX = re.compile(r"(?<![A-Z0-9-])([A-Z]{1,20}(?:-[A-Z]{1,20}){0,5})-\d{1,9}\s{0,3}\.\.")
# "body max 461", "fold 442..461 APPLIED", "fold->461", "folded through 461", and the keys
# fold_through_461_applied and fold_442_461, whose value says whether it was done
_FOLDED = re.compile(
    r"(?<![A-Za-z0-9])(?:body[ _]max(?:imum)?:? |fold(?:ed)?[ _]?(?:through[ _]|up to |-?> ?|"
    r"\d{1,9}(?:\.\.|_)))(?P<last>\d{1,9})(?!\d)",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"(?<![A-Za-z0-9])(?:false|no|not|never|pending|open|planned)(?![A-Za-z0-9])", re.IGNORECASE
)
_LONGEST = 4000


class Reserved(NamedTuple):
    """One lane's range, and what is wrong with it among the others."""

    lane: LaneVerdict
    number: int
    """Of the lane, counted from the oldest, which is 1."""
    prefix: str
    stated: Reservation
    overlaps: tuple[LaneVerdict, ...] = ()
    """Lanes whose ranges hold some of the same numbers."""

    @property
    def size(self) -> int:
        """How many objects are in the range."""
        return max(0, self.stated.last - self.stated.first + 1)

    @property
    def objects(self) -> str:
        """The range as it is usually written."""
        return f"{self.prefix}-{self.stated.first}..{self.stated.last}"


class Gap(NamedTuple):
    """Numbers between two ranges that no lane here reserves."""

    prefix: str
    first: int
    last: int
    after: Reserved
    before: Reserved

    @property
    def objects(self) -> str:
        """The gap, written as a range is."""
        return f"{self.prefix}-{self.first}..{self.last}"


class Ceiling(NamedTuple):
    """A number up to which something was done, and who says so."""

    number: int
    lane: LaneVerdict
    where: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one sort of object."""

    prefix: str
    ranges: tuple[Reserved, ...]
    """Oldest lane first."""
    gaps: tuple[Gap, ...]
    """By their numbers."""
    reserved: Ceiling | None
    folded: Ceiling | None


def numbers(lanes: Sequence[LaneVerdict], facts: Mapping[str, LaneFacts]) -> tuple[Numbers, ...]:
    """Return the ranges of each sort of object, in the order in which lanes name the sorts."""
    found: dict[str, list[Reserved]] = {}
    folded: dict[str, Ceiling] = {}
    named = ""
    for number, lane in enumerate(lanes, 1):
        stated = facts[lane.id].reservation
        if stated is not None and (match := _PREFIX.search(stated.objects[:_LONGEST])):
            named = match[1]
            found.setdefault(named, []).append(Reserved(lane, number, named, stated))
        ceiling = next(_folds(lane), None)
        if ceiling is not None:
            # a fold seldom names its objects: those that the lane reserves, or one before it
            folded[named] = ceiling
    if "" in folded and found:
        folded.setdefault(next(iter(found)), folded[""])
    return tuple(_numbers(prefix, rows, folded.get(prefix)) for prefix, rows in found.items())


def _numbers(prefix: str, rows: Sequence[Reserved], folded: Ceiling | None) -> Numbers:
    overlaps: dict[str, dict[str, LaneVerdict]] = {}
    gaps: list[Gap] = []
    furthest: Reserved | None = None
    drawn = sorted(
        (row for row in rows if row.size), key=lambda row: (row.stated.first, row.stated.last)
    )
    for row in drawn:
        if furthest is not None:
            if row.stated.first <= furthest.stated.last:
                overlaps.setdefault(row.lane.id, {})[furthest.lane.id] = furthest.lane
                overlaps.setdefault(furthest.lane.id, {})[row.lane.id] = row.lane
            elif row.stated.first > furthest.stated.last + 1:
                first, last = furthest.stated.last + 1, row.stated.first - 1
                gaps.append(Gap(prefix, first, last, furthest, row))
        if furthest is None or row.stated.last > furthest.stated.last:
            furthest = row
    return Numbers(
        prefix,
        tuple(row._replace(overlaps=tuple(overlaps.get(row.lane.id, {}).values())) for row in rows),
        tuple(gaps),
        None
        if furthest is None
        else Ceiling(furthest.stated.last, furthest.lane, furthest.stated.where),
        folded,
    )


def _folds(lane: LaneVerdict) -> Iterator[Ceiling]:
    """Yield what a lane states of a fold that was done, the furthest first."""
    found = [
        Ceiling(last, lane, where) for document in lane.documents for where, last in _in(document)
    ]
    yield from sorted(found, key=lambda one: -one.number)


def _in(document: Document) -> Iterator[tuple[str, int]]:
    for statement in document.statements:
        key = statement.key[-200:].rpartition("/")[2]
        text = f"{key}: {statement.value[:_LONGEST]}"
        for match in _FOLDED.finditer(text):
            told = text[match.end() : match.end() + 40]
            if not _NOT_DONE.search(told):
                yield statement.where, int(match["last"])
