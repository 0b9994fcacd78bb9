"""Pages about what changed from lane to lane, and the page on which a browser compares any two."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generator.comparing.difference import WORDS, Change, Difference
from generator.comparing.portrait import OTHER, SECTIONS, Portrait
from generator.model.verdict import LaneVerdict
from generator.render.differences import PARTS
from generator.render.links import href
from generator.render.page import Page, to_json
from generator.render.places import Places
from generator.render.words import plural, shown

SCHEMA = "lanebook/diff/1"
FOLDER = "diffs"
PORTRAITS = "portraits"
"""Folder of the two files of each lane from which a browser compares it: ``.json`` and ``.js``."""
SECTIONS_SCRIPT = "lanebook-sections.js"
MOST_CHANGES = 500
"""Changes in one direction on one page; the command tells of all."""

_RUNS = re.compile(r"-+")


def pair_name(one: str, other: str) -> str:
    """Return the name of the page about two lanes: both ids, with hyphens that no id has."""
    longest = max((len(run) for run in _RUNS.findall(f"{one} {other}")), default=0)
    return f"{one}{'-' * max(2, longest + 1)}{other}"


def before_each(lanes: Sequence[LaneVerdict]) -> dict[str, LaneVerdict]:
    """Return, for each lane, the one that it is compared with: the one before it.

    That is the lane that it follows, or where none is known the one that is listed before it.
    """
    by_id = {lane.id: lane for lane in lanes}
    found: dict[str, LaneVerdict] = {}
    for at, lane in enumerate(lanes):
        before = by_id.get(lane.link.previous)
        if before is None and at:
            before = lanes[at - 1]
        if before is not None and before.id != lane.id:
            found[lane.id] = before
    return found


def diff_page(found: Difference, before: Places, after: Places) -> Page:
    """Return the page about two lanes.

    Args:
        found: what changed.
        before: where the files of the earlier lane can be looked at.
        after: the same for the later one.
    """
    one, other = found.before, found.after
    base = {
        "where_before": (before, f"../lanes/{one['id']}/"),
        "where_after": (after, f"../lanes/{other['id']}/"),
    }
    parts: list[dict[str, Any]] = []
    told: dict[str, Any] = {}
    for direction, sign, heading in PARTS:
        changes = found.towards(direction)
        rows = [_row(change, sign, base) for change in changes[:MOST_CHANGES]]
        name = WORDS[direction]
        told[name] = [row["data"] for row in rows]
        more = len(changes) - len(rows)
        shown_words = f"; the first {MOST_CHANGES} are shown, lanebook diff tells of all"
        told[f"{name}_words"] = (
            f"{plural(len(changes), 'change')}{shown_words if more else ''}."
            if changes
            else "Nothing."
        )
        parts.append(
            {
                "id": name,
                "table": f"{name}-table",
                "heading": heading,
                "words": told[f"{name}_words"],
                "rows": rows,
                "fold": direction == OTHER,
            }
        )
    data = {
        "schema": SCHEMA,
        "title": f"What changed: {one['id']} → {other['id']}",
        "a": one["id"],
        "b": other["id"],
        "before": dict(one),
        "after": dict(other),
        "headline": found.headline,
        "standing": found.standing,
        "same_words": f"{plural(found.same, 'fact')} of which both lanes say the same.",
        **told,
    }
    tabs = [
        {"name": "Earlier lane", "href": href(f"../lanes/{one['id']}/index.md"), "current": ""},
        {"name": "Later lane", "href": href(f"../lanes/{other['id']}/index.md"), "current": ""},
        {"name": "Compare others", "href": href("../compare.md"), "current": ""},
        {"name": "JSON", "href": href(f"{pair_name(one['id'], other['id'])}.json"), "current": ""},
    ]
    worse = len(told["worse"])
    aids = {
        "head": f"{other['id']}, changed since {one['id']}",
        "tabs": tabs,
        "css": href("lb-refuted" if worse else "lb-neutral"),
        "parts": parts,
    }
    path = f"{FOLDER}/{pair_name(one['id'], other['id'])}"
    return Page(path, "diff.md.j2", data, aids)


def _row(change: Change, sign: str, base: Mapping[str, tuple[Places, str]]) -> dict[str, Any]:
    data = change.plain() | {"section": change.section.title}
    links = {}
    for side, (places, folder) in base.items():
        target = places.href(data[side]) if data[side] else ""
        links[f"{side}_href"] = href(f"{folder}{target}" if target else "")
    return {
        "data": data,
        **data,
        **links,
        "sign": sign,
        "before": shown(change.before),
        "after": shown(change.after),
    }


def compare_page(lanes: Iterable[LaneVerdict]) -> Page:
    """Return the page on which a reader picks two lanes; ``lanes`` are newest first."""
    rows = [{"id": lane.id, "title": lane.title, "date": lane.date} for lane in lanes]
    data = {
        "schema": "lanebook/compare/1",
        "words": "Pick two lanes: this page says what changed from the first to the second, as"
        " lanebook diff does."
        if len(rows) > 1
        else "It takes two lanes to compare.",
        "caption": f"{plural(len(rows), 'lane')}, newest first" if rows else "",
        "lanes": rows,
    }
    aids = {
        "rows": [row | {"href": href(f"lanes/{row['id']}/index.md")} for row in rows],
    }
    return Page("compare", "compare.md.j2", data, aids)


def portrait_files(made: Portrait, places: Places) -> dict[str, bytes]:
    """Return the files from which a browser compares a lane, by their paths in the site.

    The script holds the same JSON as text, for sites that are opened from disk: a browser lets no
    page read a file there, but lets it run a script. As text, as an object in a script would take
    a key ``__proto__`` for something else.
    """
    wheres = {
        fact["where"]
        for facts in made["facts"].values()
        for fact in facts.values()
        if "where" in fact
    }
    links = {where: target for where in sorted(wheres) if (target := places.href(where))}
    whole = dict(made) | {"links": links}
    text = json.dumps(whole, ensure_ascii=True, separators=(",", ":"))
    # twice JSON: a text in a script, in which no "</script>" can stand
    quoted = json.dumps(text, ensure_ascii=True).replace("<", "\\u003c")
    lane = made["lane"]["id"]
    script = f"lanebookPortrait({json.dumps(lane)}, {quoted});\n"
    return {
        f"{PORTRAITS}/{lane}.json": to_json(whole),
        f"{PORTRAITS}/{lane}.js": script.encode("ascii"),
    }


def sections_script() -> bytes:
    """Return the script that tells the compare page of the sections."""
    told = [section._asdict() for section in SECTIONS]
    return f"lanebookSections({json.dumps(told, ensure_ascii=True)});\n".encode("ascii")
