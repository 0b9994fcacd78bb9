"""Contradictions between documents, as findings tell them: both sides, and both places."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from generator.model.document import read_place
from generator.model.finding import Finding
from generator.model.verdict import LaneVerdict
from generator.names import visible

PREFIXES = (
    *("CON-", "DOC-STATUS", "DOC-DATE", "DOC-REVISION"),
    *("CHAIN-", "RANGE-", "BLOCKER-", "LEG-", "PREFLIGHT-", "DELEGATION-", "PIN-NAME"),
)
"""Begin the codes of contradictions: within a lane, and with the lanes before it."""
_CANDIDATES = 50
"""Brackets that are looked at from the end of a text; a JSON Pointer may hold some."""


class Sides(NamedTuple):
    """Both sides of a contradiction: what is said, and where."""

    stated: str
    where: str
    other: str
    other_where: str
    """Empty where the finding names no second place."""


def is_contradiction(finding: Finding) -> bool:
    """Whether a finding is a contradiction between documents, or a note on one."""
    return finding.code.startswith(PREFIXES)


def sides(finding: Finding, names: Container[str]) -> Sides:
    """Return both sides of a contradiction.

    Args:
        finding: the contradiction; its ``computed`` ends in `` (place)``.
        names: the files of its lane; nothing else is a place.
    """
    text = finding.computed
    at = end = len(text) - 1
    if text.endswith(")"):
        for _ in range(_CANDIDATES):
            at = text.rfind(" (", 0, at)
            if at < 0:
                break
            where = text[at + 2 : end]
            place = read_place(where)
            if place.name in names and place.name != where:
                return Sides(finding.stated, finding.where, text[:at], where)
    return Sides(finding.stated, finding.where, text, "")


def names_of(lane: LaneVerdict) -> frozenset[str]:
    """Return the names of the files of a lane, as places have them."""
    return frozenset(
        (
            *(document.name for document in lane.documents),
            *(f"{lane.evidence}/{visible(state.path)}" for state in lane.files),
            *(f"{lane.evidence}/{name}" for name in lane.seals),
        )
    )


def beside(lane: LaneVerdict) -> dict[str, list[tuple[int, str]]]:
    """Return, for each place of a contradiction, the findings' numbers and what the other says."""
    found: dict[str, list[tuple[int, str]]] = {}
    names: frozenset[str] | None = None
    for number, finding in enumerate(lane.findings, 1):
        if not is_contradiction(finding):
            continue
        names = names or names_of(lane)
        both = sides(finding, names)
        there = f" in {both.other_where}" if both.other_where else ""
        found.setdefault(both.where, []).append((number, f"{both.other}{there}"))
        if both.other_where:
            told = (number, f"{both.stated} in {both.where}")
            found.setdefault(both.other_where, []).append(told)
    return found
