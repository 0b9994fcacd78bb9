"""The page of governance: reserved ranges drawn to scale, both ceilings, and delegations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from generator.facts import LaneFacts
from generator.model.verdict import LaneVerdict
from generator.render.blocker_page import Link
from generator.render.links import href
from generator.render.page import Page
from generator.render.pictures import MOST_LINES, NOTHING, Bar, Ranges, label
from generator.render.words import plural
from generator.reserved import Ceiling, Gap, Numbers, Reserved

PICTURE = "governance-picture"
MOST_PICTURES = 4
"""Sorts of objects that get a picture each."""
_TITLE = 30
"""Characters of a lane's title in a picture."""


def pictures(sorts: Sequence[Numbers]) -> dict[str, Ranges]:
    """Return the pictures of the first sorts of objects, by their names."""
    drawn = {}
    for index, one in enumerate(sorts[:MOST_PICTURES], 1):
        bars = _bars(one)
        if bars:
            drawn[f"{PICTURE}-{index}"] = _picture(one, bars)
    return drawn


def _bars(one: Numbers) -> list[Bar]:
    """Return one bar a lane, and behind the lane before each gap one for it."""
    gaps: dict[int, list[Gap]] = {}
    for gap in one.gaps:
        gaps.setdefault(gap.after.number, []).append(gap)
    bars = []
    for row in one.ranges:
        if row.size:
            told = f"{label(row.lane.title, _TITLE)}: {row.stated.first}..{row.stated.last}"
            kind = "overlap" if row.overlaps else "range"
            told += ", overlaps" if row.overlaps else ""
            bars.append(Bar(told, row.stated.first, row.stated.last, kind))
        for gap in gaps.get(row.number, ()):
            bars.append(Bar(f"gap: {gap.first}..{gap.last}", gap.first, gap.last, "gap"))
    return bars


def _picture(one: Numbers, bars: list[Bar]) -> Ranges:
    shown = tuple(bars[-MOST_LINES:])
    lowest = min(bar.first for bar in shown)
    ceilings = [
        (f"{what} up to {ceiling.number}", ceiling.number)
        for what, ceiling in (("reserved", one.reserved), ("folded", one.folded))
        # far below the ranges that are drawn, it would press them into a corner
        if ceiling is not None and (ceiling.number >= lowest - 1 or len(shown) == len(bars))
    ]
    left = f" {len(bars) - len(shown)} older ones are not drawn." if len(bars) > len(shown) else ""
    told = "; ".join([*(bar.label for bar in shown), *(text for text, _ in ceilings)])
    return Ranges(
        f"{one.prefix} objects reserved by lanes",
        f"One bar for each lane, the oldest first, to scale.{left} {told}.",
        shown,
        tuple(ceilings),
    )


def page(
    sorts: Sequence[Numbers],
    drawn: Mapping[str, Markup],
    lanes: Sequence[LaneVerdict],
    facts: Mapping[str, LaneFacts],
    link: Link,
) -> Page:
    """Return reserved ranges with their ceilings, gaps and overlaps, and consumed delegations."""
    groups = [_group(index, one, drawn, link) for index, one in enumerate(sorts, 1)]
    placed = {row.lane.id for one in sorts for row in one.ranges}
    others = [
        {"lane": lane.title, "objects": stated.objects, "where": stated.where}
        | {"aids": (lane, stated.where)}
        for lane in lanes
        if (stated := facts[lane.id].reservation) is not None and lane.id not in placed
    ]
    delegations = [
        {"lane": lane.title, "delegation": facts[lane.id].delegation, "id": lane.id}
        for lane in lanes
        if facts[lane.id].delegation
    ]
    data = {
        "schema": "lanebook/governance/2",
        "words": "Ranges of governance objects that lanes reserve. A reserved object is not"
        " applied. All of it as stated."
        if groups or others
        else "No lane reserves governance objects.",
        "groups": [group["data"] for group in groups],
        "others_words": "These reservations are not written as a range that could be placed:"
        if others
        else "",
        "others": [{key: row[key] for key in ("lane", "objects", "where")} for row in others],
        "delegations_words": ""
        if delegations
        else "No lane states which delegated decision it consumed.",
        "delegations_caption": "Delegations, oldest lane first" if delegations else "",
        "delegations": [
            {"lane": row["lane"], "delegation": row["delegation"]} for row in delegations
        ],
    }
    aids = {
        "groups": groups,
        "others": [row | {"href": link(*row["aids"])} for row in others],
        "delegations": [row | {"href": href(f"lanes/{row['id']}/index.md")} for row in delegations],
    }
    return Page("governance", "governance.md.j2", data, aids)


def _group(index: int, one: Numbers, drawn: Mapping[str, Markup], link: Link) -> dict[str, Any]:
    rows = [_row(row, link) for row in one.ranges]
    gaps = [
        f"Nobody here reserves {gap.objects}: it lies between {gap.after.lane.title} and"
        f" {gap.before.lane.title}."
        for gap in one.gaps
    ]
    ceilings = [
        _ceiling("reserved", one.reserved, "", link),
        _ceiling("folded", one.folded, "No lane states how far objects are folded.", link),
    ]
    picture = drawn.get(f"{PICTURE}-{index}", NOTHING)
    overlapping = sum(bool(row.overlaps) for row in one.ranges)
    data = {
        "title": f"{one.prefix} objects",
        "picture_words": "One bar for each lane, the oldest first, to scale. A dashed box is a gap,"
        " and the upright lines are the ceilings."
        if picture
        else "",
        "ceilings": [item["data"] for item in ceilings],
        "gaps_words": f"{plural(len(gaps), 'gap')}." if gaps else "No gap between the ranges.",
        "gaps": gaps,
        "overlaps_words": f"{plural(overlapping, 'range')} overlap others."
        if overlapping
        else "No range overlaps another.",
        "caption": f"Reserved {one.prefix} ranges, the oldest lane first",
        "reservations": [row["data"] for row in rows],
    }
    return {
        "data": data,
        **data,
        "id": f"objects-{index}",
        "table": f"reservations-{index}",
        "picture": picture,
        "ceilings": ceilings,
        "reservations": rows,
    }


def _ceiling(what: str, ceiling: Ceiling | None, missing: str, link: Link) -> dict[str, Any]:
    if ceiling is None:
        data = {"what": what, "number": "", "words": missing, "where": ""}
        return {"data": data, **data, "href": href("")}
    data = {
        "what": what,
        "number": str(ceiling.number),
        "words": f"as {ceiling.lane.title} states it",
        "where": ceiling.where,
    }
    return {"data": data, **data, "href": link(ceiling.lane, ceiling.where)}


def _row(row: Reserved, link: Link) -> dict[str, Any]:
    stated = row.stated
    data: dict[str, Any] = {
        "number": row.number,
        "lane": row.lane.title,
        "objects": stated.objects,
        "count": row.size,
        "above_ceiling": stated.above_ceiling or "not stated",
        "apply_now": stated.apply_now or "not stated",
        "canonical_fold": stated.canonical_fold or "not stated",
        "among_others": _among(row),
        "where": stated.where,
    }
    return {
        "data": data,
        **data,
        "href": href(f"lanes/{row.lane.id}/index.md"),
        "where_href": link(row.lane, stated.where),
    }


def _among(row: Reserved) -> str:
    """Say how a range lies among the others."""
    if not row.size:
        return "ends before it starts"
    told = [f"overlaps {lane.title}" for lane in row.overlaps]
    ceiling = row.stated.above_ceiling
    if ceiling.isdecimal() and len(ceiling) < 10 and int(ceiling) != row.stated.first - 1:
        told.append(f"starts at {row.stated.first}, not right above {ceiling}")
    return "; ".join(told) or "nothing overlaps it"
