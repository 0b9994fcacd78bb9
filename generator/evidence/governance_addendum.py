"""``governance-addendum.json``: a range of governance objects is reserved, and not applied.

The range starts right above the ceiling, and the objects are exactly those of the range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from generator.evidence import samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    derived,
    must_be,
    refused,
)
from generator.evidence.tallies import counted, filled
from generator.ledger import Row
from generator.rules.base import Code

FILE = "governance-addendum.json"
_RANGE = re.compile(
    r"(?P<prefix>[A-Z][A-Z0-9]*(?:-[A-Z][A-Z0-9]*)*-)(?P<first>0|[1-9]\d{0,17})"
    r"\.\.(?P<last>0|[1-9]\d{0,17})"
)


class GovernanceObject(Part, frozen=True):
    """One object that is reserved, and what it is for."""

    id: str
    subject: str


class GovernanceAddendum(EvidenceModel, frozen=True):
    """A reservation."""

    objects_reserved: str
    above_ceiling: int
    apply_now: bool
    canonical_fold: bool
    objects: list[GovernanceObject]
    object_count: int | None = None


_TODO = "Reserve again, from right above the ceiling; a reservation applies nothing."
CODES = {
    "GOVERNANCE_RANGE_FORM": Code(
        "A reserved range is not written as TKT-OBJ-485..494.",
        "Nobody can say which objects it reserves.",
        "Write the prefix, the first number, two dots and the last number.",
    ),
    "GOVERNANCE_RANGE_EMPTY": Code(
        "A reserved range ends before it starts.", "It reserves nothing.", _TODO
    ),
    "GOVERNANCE_CEILING": Code(
        "A reserved range does not start right above its ceiling.",
        "It overlaps what is reserved already, or leaves a gap that somebody else fills.",
        _TODO,
    ),
    "GOVERNANCE_OBJECTS": Code(
        "The objects of an addendum are not exactly those of its range, in its order.",
        "An object is reserved that nobody listed, or listed that nobody reserved.",
        "List every object of the range once.",
    ),
    "GOVERNANCE_SUBJECT": Code(
        "A reserved object does not say what it is for.",
        "Nobody can decide on it.",
        "Write its subject.",
    ),
    "GOVERNANCE_COUNT_WRONG": Code(
        "An addendum states another number of objects than it lists.",
        "An object came or went after the reservation.",
        "Count the objects again.",
    ),
    "GOVERNANCE_APPLIED": Code(
        "An addendum says that its objects are applied.",
        "A reservation applies nothing; only owners do that.",
        "State apply_now: false.",
    ),
    "GOVERNANCE_FOLDED": Code(
        "An addendum says that its objects are folded into the canonical body.",
        "A lane leaves the canonical registry alone.",
        "State canonical_fold: false.",
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive ceiling, objects and count from the range."""
    addendum = evidence.model(FILE, GovernanceAddendum)
    if addendum is None:
        return
    yield from _range(addendum)
    yield from counted(
        f"{FILE}#/object_count",
        addendum.object_count,
        len(addendum.objects),
        against=f"{FILE}#/objects",
        code="GOVERNANCE_COUNT_WRONG",
    )
    for index, item in enumerate(addendum.objects):
        yield from filled(f"{FILE}#/objects/{index}/subject", item.subject, "GOVERNANCE_SUBJECT")
    for name, stated, code in (
        ("apply_now", addendum.apply_now, "GOVERNANCE_APPLIED"),
        ("canonical_fold", addendum.canonical_fold, "GOVERNANCE_FOLDED"),
    ):
        yield must_be(
            f"{FILE}#/{name}", stated, False, code=code, message="A reservation changes nothing."
        )


def _range(addendum: GovernanceAddendum) -> Iterator[Row]:
    where, stated = f"{FILE}#/objects_reserved", addendum.objects_reserved
    match = _RANGE.fullmatch(stated)
    if match is None:
        yield refused(where, stated, "GOVERNANCE_RANGE_FORM", "No range.", "TKT-OBJ-485..494")
        return
    prefix, first, last = match["prefix"], int(match["first"]), int(match["last"])
    yield derived(
        f"{FILE}#/above_ceiling",
        addendum.above_ceiling,
        first - 1,
        against=where,
        code="GOVERNANCE_CEILING",
        message="The range does not start right above it.",
    )
    if last < first:
        yield refused(where, stated, "GOVERNANCE_RANGE_EMPTY", "It ends before it starts.")
        return
    # the range may be as long as a hostile file likes; the list is as long as the file
    size = last - first + 1
    yield derived(
        f"{FILE}#/objects",
        len(addendum.objects),
        size,
        against=where,
        code="GOVERNANCE_OBJECTS",
        message="The range has another number of objects.",
    )
    for index, item in enumerate(addendum.objects[:size]):
        yield derived(
            f"{FILE}#/objects/{index}/id",
            item.id,
            f"{prefix}{first + index}",
            against=where,
            code="GOVERNANCE_OBJECTS",
            message="Another object of the range stands here.",
        )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "objects_reserved": "TKT-OBJ-508..509",
        "above_ceiling": 507,
        "apply_now": False,
        "canonical_fold": False,
        "object_count": 2,
        "objects": [
            {"id": "TKT-OBJ-508", "subject": "transaction rollback RB-SQL-TXN"},
            {"id": "TKT-OBJ-509", "subject": "snapshot restore RB-SQL-SNAP"},
        ],
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Governance addendum",
    about="its objects were reserved right above the ceiling, and none was applied",
    model=GovernanceAddendum,
    codes=CODES,
    rows=rows,
    controls={
        "GOVERNANCE_RANGE_FORM": _damaged("objects_reserved", to="TKT-OBJ-508 and 509"),
        "GOVERNANCE_RANGE_EMPTY": _damaged("objects_reserved", to="TKT-OBJ-508..507"),
        "GOVERNANCE_CEILING": _damaged("above_ceiling", to=506),
        "GOVERNANCE_OBJECTS": _damaged("objects", 1, "id", to="TKT-OBJ-510"),
        "GOVERNANCE_SUBJECT": _damaged("objects", 0, "subject", to=""),
        "GOVERNANCE_COUNT_WRONG": _damaged("object_count", to=3),
        "GOVERNANCE_APPLIED": _damaged("apply_now", to=True),
        "GOVERNANCE_FOLDED": _damaged("canonical_fold", to=True),
    },
)
