"""The page of contradictions: what the documents of a lane state differently, lane by lane.

Which side is right is not said here; nobody here knows it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from generator.model.document import read_place
from generator.model.finding import Finding
from generator.model.verdict import LaneVerdict
from generator.render.blocker_page import Link
from generator.render.links import href
from generator.render.page import Page
from generator.render.words import plural, shown
from generator.rules.catalogue import CODES

PREFIX = "CON-"
"""Begins the codes of contradictions."""
MOST_OF_LANE = 100
"""Contradictions of one lane on the page."""
_CANDIDATES = 50


class Sides(NamedTuple):
    """Both sides of a contradiction: what is said, and where."""

    stated: str
    where: str
    other: str
    other_where: str
    """Empty where the finding names no second place."""


def is_contradiction(finding: Finding) -> bool:
    """Whether a finding is one of the contradictions between documents."""
    return finding.code.startswith(PREFIX)


def sides(finding: Finding, names: Container[str]) -> Sides:
    """Return both sides of a contradiction.

    Args:
        finding: the contradiction; its ``computed`` ends in `` (place)``.
        names: the files of its lane; nothing else is a place.
    """
    text = finding.computed
    if text.endswith(")"):
        end = len(text) - 1
        at = end
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
            *(f"{lane.evidence}/{state.path}" for state in lane.files),
            *(f"{lane.evidence}/{name}" for name in lane.seals),
        )
    )


def page(lanes: Sequence[LaneVerdict], link: Link) -> Page:
    """Return the contradictions of all lanes, the oldest lane first."""
    groups = []
    total = 0
    for number, lane in enumerate(lanes, 1):
        found = [finding for finding in lane.findings if is_contradiction(finding)]
        if not found:
            continue
        total += len(found)
        groups.append(_group(number, lane, found, link))
    documents = sum(len(lane.documents) for lane in lanes)
    statements = sum(len(document.statements) for lane in lanes for document in lane.documents)
    compared = (
        f"{plural(statements, 'statement')} in {plural(documents, 'document')}"
        f" {'was' if statements == 1 else 'were'} compared"
    )
    data = {
        "schema": "lanebook/contradictions/1",
        "words": "Where documents of one lane say different things of the same thing. Both places"
        " are given; which of them is right is not said, as nothing here shows it.",
        "found_words": f"{plural(total, 'contradiction')} in {plural(len(groups), 'lane')};"
        f" {compared}."
        if total
        else f"No contradiction was found; {compared}.",
        "groups": [group["data"] for group in groups],
    }
    return Page("contradictions", "contradictions.md.j2", data, {"groups": groups})


def _group(number: int, lane: LaneVerdict, found: Sequence[Finding], link: Link) -> dict[str, Any]:
    names = names_of(lane)
    rows = [_row(lane, item, sides(item, names), link) for item in found[:MOST_OF_LANE]]
    left = len(found) - len(rows)
    data = {
        "lane": lane.title,
        "caption": f"{plural(len(found), 'contradiction')} in {lane.title}",
        "left_words": f"{left} more are not shown here; lanebook verify names all." if left else "",
        "contradictions": [row["data"] for row in rows],
    }
    return {
        "data": data,
        **data,
        "id": f"lane-{number}",
        "table": f"lane-{number}-contradictions",
        "href": href(f"lanes/{lane.id}/verification.md#findings"),
        "rows": rows,
    }


def _row(lane: LaneVerdict, finding: Finding, both: Sides, link: Link) -> dict[str, Any]:
    code = CODES.get(finding.code)
    data = {
        "meaning": code.meaning if code is not None else "",
        "message": finding.message,
        "stated": both.stated,
        "where": both.where,
        "other": both.other,
        "other_where": both.other_where,
        "code": finding.code,
        "severity": finding.severity,
    }
    return {
        "data": data,
        **data,
        "stated": shown(both.stated),
        "other": shown(both.other),
        "where_href": link(lane, both.where),
        "other_href": link(lane, both.other_where) if both.other_where else href(""),
        "code_href": href(f"codes/{finding.code}.md") if code is not None else href(""),
    }
