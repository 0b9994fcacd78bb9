"""The page of contradictions: what the documents of a lane state differently, lane by lane.

Which side is right is not said here; nobody here knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generator.model.finding import Finding
from generator.model.verdict import LaneVerdict
from generator.render import words
from generator.render.blocker_page import Link
from generator.render.contradicted import Sides, is_contradiction, names_of, sides
from generator.render.links import href
from generator.render.page import Page
from generator.render.words import plural, shown
from generator.rules.catalogue import CODES

DIFFERS = words.REFUTED._replace(word="differs")
NOTE = words.CLAIMED_ONLY._replace(word="to be read closely")
MOST_OF_LANE = 100
"""Contradictions of one lane on the page."""


def page(lanes: Sequence[LaneVerdict], link: Link) -> Page:
    """Return the contradictions of all lanes, the oldest lane first."""
    groups = []
    told: list[Finding] = []
    for number, lane in enumerate(lanes, 1):
        found = [finding for finding in lane.findings if is_contradiction(finding)]
        if not found:
            continue
        told += found
        groups.append(_group(number, lane, found, link))
    documents = sum(len(lane.documents) for lane in lanes)
    statements = sum(len(document.statements) for lane in lanes for document in lane.documents)
    compared = (
        f"{plural(statements, 'statement')} in {plural(documents, 'document')}"
        f" {'was' if statements == 1 else 'were'} compared"
    )
    data = {
        "schema": "lanebook/contradictions/1",
        "words": "Where documents say different things of the same thing: those of one lane, or a"
        " lane and the lanes before it. Both places are given; which of them is right is not said,"
        " as nothing here shows it.",
        "found_words": f"{_counted(told)} in {plural(len(groups), 'lane')}; {compared}."
        if told
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
        "caption": f"{_counted(found)} in {lane.title}",
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


def _counted(found: Sequence[Finding]) -> str:
    """Count what contradicts apart from what is only to be read closely."""
    refuting = sum(finding.refutes for finding in found)
    parts = []
    if refuting:
        parts.append(plural(refuting, "contradiction"))
    if refuting < len(found):
        parts.append(plural(len(found) - refuting, "note"))
    return " and ".join(parts)


def _row(lane: LaneVerdict, finding: Finding, both: Sides, link: Link) -> dict[str, Any]:
    code = CODES.get(finding.code)
    mark = DIFFERS if finding.refutes else NOTE
    data = {
        "meaning": code.meaning if code is not None else "",
        "message": finding.message,
        "stated": both.stated,
        "where": both.where,
        "other": both.other,
        "other_where": both.other_where,
        "code": finding.code,
        "severity": finding.severity,
        "mark": mark.word,
    }
    return {
        "data": data,
        **data,
        "mark": mark,
        "stated": shown(both.stated),
        "other": shown(both.other),
        "where_href": link(lane, both.where),
        "other_href": link(lane, both.other_where) if both.other_where else href(""),
        "code_href": href(f"codes/{finding.code}.md") if code is not None else href(""),
    }
