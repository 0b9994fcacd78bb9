"""The page of the chain: every lane in order, its record, and how it is tied to the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from generator.model.verdict import LaneVerdict
from generator.render import words
from generator.render.links import href, shell_line
from generator.render.page import Page
from generator.render.words import Mark, plural, shown

RECORDS = "records"
"""Folder of the records in the site, each in its canonical spelling."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z")
"""A folder that can stand in a shell line as it is."""

_MARKS = {
    "hash": words.RECOMPUTED,
    "hash as stated": words.CROSS_CHECKED,
    "status only": words.CLAIMED_ONLY,
    "named only": words.CLAIMED_ONLY,
    "broken": words.REFUTED,
    "": words.CLAIMED_ONLY,
}


def anchors(lanes: Sequence[LaneVerdict]) -> Mapping[str, str]:
    """Return, for each lane, the anchor of its row in the page of the chain."""
    return {lane.id: f"#link-{number}" for number, lane in enumerate(lanes, 1)}


def chain_page(lanes: Sequence[LaneVerdict]) -> Page:
    """Return the page; ``lanes`` are oldest first."""
    places = anchors(lanes)
    titles = {lane.id: lane.title for lane in lanes}
    rows = [_row(lane, titles, places) for lane in lanes]
    newest = next((lane for lane in reversed(lanes) if lane.record is not None), None)
    data: dict[str, Any] = {
        "schema": "lanebook/chain/1",
        "words": "Every lane in its order. The record of a lane holds the digests of its documents,"
        " its tree and the record of the lane before it, so that its hash stands for the lane and"
        " for all before it."
        if lanes
        else "There is no lane yet.",
        "count_words": _counted(lanes),
        "caption": f"{plural(len(rows), 'lane')}, oldest first" if rows else "",
        "lanes": [row["data"] for row in rows],
        "shell_words": f"With the newest lane, {newest.id}; any other lane is checked in the same"
        " way. The first two lines print the hash of its record: it is what the file hashes to, and"
        " it is in the only spelling that RFC 8785 allows. The others hold the record against the"
        " bytes of the lane and of the record before it."
        if newest is not None
        else "",
    }
    aids = {
        "lanes": rows,
        # made of digests, ids and plain folders only; escaping would break the quotes
        "shell": [shell_line(line) for line in _shell(newest)] if newest is not None else [],
    }
    return Page("chain", "chain.md.j2", data, aids)


def _row(lane: LaneVerdict, titles: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Any]:
    record = lane.record.digest if lane.record is not None else ""
    mark, pinned = _pinned(lane)
    tie = words.link_words(lane)
    data = {
        "lane": lane.title,
        "record": record or "none: the lane is not there",
        "tree": lane.tree or "no packet",
        "link": tie,
        "before": titles.get(lane.link.previous, ""),
        "how": lane.link.how,
        "pinned": pinned,
    }
    return {
        "data": data,
        **data,
        "record": shown(record),
        "record_words": "" if record else data["record"],
        "tree": shown(data["tree"]),
        "link_mark": _MARKS[lane.link.kind]._replace(word=tie),
        "pin_mark": mark,
        "anchor": places[lane.id].removeprefix("#"),
        "href": href(f"lanes/{lane.id}/index.md"),
        "before_href": href(places[lane.link.previous]) if lane.link.previous in places else "",
        "record_href": href(f"{RECORDS}/{lane.id}.json") if record else "",
    }


def _pinned(lane: LaneVerdict) -> tuple[Mark, str]:
    """Say whether a lane is what pins.yml says; only what was held against it is green."""
    if lane.pin is None:
        return words.CLAIMED_ONLY._replace(word="not pinned"), "not pinned"
    if any(one.code in ("PIN-TREE", "PIN-RECORD", "PIN-LANE") for one in lane.refuting):
        text = "not what is pinned"
        return words.REFUTED._replace(word=text), text
    what = [name for name, value in lane.pin._asdict().items() if value is not None]
    text = f"{' and '.join(what)} as pinned"
    return words.RECOMPUTED._replace(word=text), text


def _counted(lanes: Sequence[LaneVerdict]) -> str:
    kinds = [lane.link.kind for lane in lanes]
    parts = [
        f"{kinds.count(kind)} {text}"
        for kind, text in (
            ("hash", "tied by hash"),
            ("hash as stated", "by a hash that is only stated"),
            ("status only", "by a status word only"),
            ("named only", "by name only"),
            ("broken", "badly"),
            ("", "with none known before"),
        )
        if kinds.count(kind)
    ]
    pinned = sum(lane.pin is not None for lane in lanes)
    return f"{', '.join(parts)}; {pinned} of {plural(len(lanes), 'lane')} pinned." if parts else ""


def _shell(lane: LaneVerdict) -> list[str]:
    """Return lines of shell that check one record, run where the site and packets/ lie."""
    file = f"site/docs/{RECORDS}/{lane.id}.json"
    lines = [f"sha256sum {file}", f"jq -jcS . {file} | sha256sum"]
    if lane.layout == "lane" and _PLAIN.match(lane.folder) and ".." not in lane.folder:
        listed = """jq -r '.documents[] | "\\(.sha256)  \\(.name)"'"""
        lines.append(f"{listed} {file} | (cd {lane.folder} && sha256sum -c)")
        if lane.tree is not None and lane.profile == "manifest-sha256":
            lines.append(f"jq -r .evidence.tree {file}")
            lines.append(f"sha256sum {lane.folder}/evidence/HASH_MANIFEST.txt")
    if lane.link.previous:
        lines.append(f"jq -r .previous.record {file}")
        lines.append(f"sha256sum site/docs/{RECORDS}/{lane.link.previous}.json")
    return lines
