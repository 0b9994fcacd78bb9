"""The page of blockers: each as it stands, what lanes said of it, and a picture over lanes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from generator.blocker_history import FURTHEST, History, Said, over
from generator.facts import Blocker
from generator.model.outcome import Level
from generator.model.verdict import LaneVerdict
from generator.render import words
from generator.render.lane_pages import blocker_mark
from generator.render.links import href
from generator.render.page import Page
from generator.render.pictures import MOST_LANES, MOST_LINES, Line, Steps, label
from generator.render.words import Mark, plural
from generator.standing import Blockers, Standing

PICTURE = "blockers-picture"
MOST_BLOCKERS = 100
"""Blockers with a part of their own on the page: open ones before closed ones."""
MOST_NAMED = 1000
"""Blockers that are named below those, with their state alone."""
MORE = "more"
"""The anchor of the table of these."""
MOST_CHANGES = 20
"""Changes of one blocker in its table: the newest."""
_ID = 34
"""Characters of an id in the picture."""

Link = Callable[[LaneVerdict, str], Markup]
"""Turns a place of a lane into a link from the top of the site; empty where it leads nowhere."""


def picture(
    now: Blockers, history: Mapping[str, History], lanes: Sequence[LaneVerdict]
) -> Steps | None:
    """Return the steps of all blockers and their legs over the newest lanes."""
    last = len(lanes)
    first = max(1, last - MOST_LANES + 1)
    lines: list[Line] = []
    for one in now.standing:
        known = history[one.blocker.id]
        told = f"{label(one.blocker.id, _ID)}: {one.state}"
        levels, stated = over(known.points, first, last)
        lines.append(Line(told, _raised(levels, one), stated))
        for leg in one.legs:
            told = label(f"{leg.name}: {leg.state}{' (left out since)' if leg.carried else ''}")
            lines.append(Line(told, *over(known.legs[leg.name], first, last), thin=True))
    shown = tuple(lines[:MOST_LINES])
    if not shown:
        return None
    which = f"lanes {first} to {last}" if last > first else f"lane {last}"
    left = f" {len(lines) - len(shown)} more are not drawn." if len(lines) > len(shown) else ""
    return Steps(
        "Blockers over lanes",
        f"One line for each blocker, and a thin one for each leg, over {which}; it falls as the"
        f" blocker comes closer to closed.{left} {'; '.join(line.label for line in shown)}.",
        first,
        shown,
    )


def _raised(levels: tuple[int | None, ...], now: Standing) -> tuple[int | None, ...]:
    """Return levels whose last is no closer to closed than the blocker is."""
    if now.open and levels and levels[-1] == 0:
        return (*levels[:-1], FURTHEST)
    return levels


def picture_words(drawn: Steps | None) -> str:
    """Say how the picture is read."""
    if drawn is None:
        return ""
    return (
        "A line begins where a lane first names the blocker, and falls as it comes closer to"
        " closed, where it reaches the ground. Thin lines are legs. Dotted: the lane leaves it"
        " out, so what was stated before stands."
    )


def page(
    now: Blockers,
    history: Mapping[str, History],
    drawn: tuple[Steps | None, Markup],
    anchors: Mapping[str, str],
    told: tuple[str, str],
    link: Link,
) -> Page:
    """Return the page.

    Args:
        now: where every blocker stands.
        history: what lanes said of each.
        drawn: the picture as a value, and as it was drawn.
        anchors: the id of each blocker's part.
        told: how many are open, and whose list the newest is.
        link: leads to places.
    """
    shown = foremost(now)
    own = {one.blocker.id for one in shown}
    rest = [one for one in now.standing if one.blocker.id not in own]
    rest.sort(key=lambda one: not one.open)
    more = [_named(one) for one in rest[:MOST_NAMED]]
    left = len(rest) - len(more)
    parts = [_part(one, history[one.blocker.id], anchors, link) for one in shown]
    data = {
        "schema": "lanebook/blockers/2",
        "words": "A blocker is open until its state says closed and the lane that says so has"
        " evidence that was verified; progress does not close it, nor does a lane that leaves"
        " it out. Where a verified packet has a blocker map, that map comes first.",
        "picture_words": picture_words(drawn[0]),
        "now_words": f"{told[0]}.",
        "from_words": told[1],
        "blockers": [part["data"] for part in parts],
        "left_words": _left_words(len(parts), len(more), left),
        "more_caption": f"{plural(len(more), 'more blocker')}: where each stands" if more else "",
        "more": [row["data"] for row in more],
    }
    aids = {"blockers": parts, "more": more, "picture": drawn[1]}
    return Page("blockers", "blockers.md.j2", data, aids)


def foremost(now: Blockers) -> Sequence[Standing]:
    """Return the blockers that have a part of their own, in their order; open ones first."""
    if len(now.standing) <= MOST_BLOCKERS:
        return now.standing
    return sorted(now.standing, key=lambda one: not one.open)[:MOST_BLOCKERS]


def anchors_of(now: Blockers) -> Mapping[str, str]:
    """Return where on the page each blocker stands; ids are packet text, an anchor is a number."""
    found = {one.blocker.id: MORE for one in now.standing}
    for number, one in enumerate(foremost(now), 1):
        found[one.blocker.id] = f"blocker-{number}"
    return found


def _left_words(parts: int, more: int, left: int) -> str:
    if not more:
        return ""
    told = f"The first {parts} are told in full, open ones before closed ones; the others below."
    if left:
        told += f" {plural(left, 'more blocker')} beyond these: each lane's own page has its own."
    return told


def _named(one: Standing) -> dict[str, Any]:
    data = {"id": one.blocker.id, "state": one.state, "lane": one.lane.title}
    return {
        "data": data,
        **data,
        "mark": blocker_mark(one),
        "lane_href": href(f"lanes/{one.lane.id}/index.md"),
    }


def known(blocker: Blocker) -> Mark:
    """Return how the state of a blocker is known."""
    if blocker.level is Level.RECOMPUTED:
        # a leg itself is proven by the map's word alone
        return words.RECOMPUTED._replace(word="recomputed from its legs")
    return words.CLAIMED_ONLY


def _part(
    one: Standing, history: History, anchors: Mapping[str, str], link: Link
) -> dict[str, Any]:
    blocker, lane = one.blocker, one.lane
    said = history.said[-MOST_CHANGES:]
    left = len(history.said) - len(said)
    rows = [_row(item, link) for item in said]
    legs = [
        {
            "id": leg.name or "–",
            "state": leg.state or "–",
            "words": f"as {leg.lane.title} last stated it; newer lanes leave it out"
            if leg.carried
            else "",
        }
        for leg in one.legs
    ]
    anchor = anchors[blocker.id]
    data: dict[str, Any] = {
        "id": blocker.id,
        "state": one.state,
        "note": one.note,
        "lane": lane.title,
        "stated": blocker.stated,
        "known": known(blocker).word,
        "legs": legs,
        "actor": blocker.actor or "not stated",
        "next_action": blocker.next_action or "not stated",
        "blocks": blocker.blocks or "not stated",
        "where": blocker.where,
        "history_caption": f"{blocker.id}: what lanes said, the oldest first",
        "history_words": f"{plural(left, 'earlier change')} not shown here." if left else "",
        "history": [row["data"] for row in rows],
    }
    return {
        "data": data,
        **data,
        "mark": blocker_mark(one),
        "known_mark": known(blocker),
        "anchor": anchor,
        "href": link(lane, blocker.where),
        "lane_href": href(f"lanes/{lane.id}/index.md"),
        "history_id": f"{anchor}-history",
        "history": rows,
    }


def _row(said: Said, link: Link) -> dict[str, Any]:
    blocker, lane = said.blocker, said.lane
    data = {
        "number": said.number,
        "lane": lane.title,
        "state": blocker.state,
        "note": blocker.doubt,
        "again": "; ".join(_again(said)),
        "legs": "; ".join(f"{name}: {state}" for name, state in blocker.legs),
        "actor": blocker.actor,
        "next_action": blocker.next_action,
        "blocks": blocker.blocks,
        "known": known(blocker).word,
        "where": blocker.where,
    }
    return {
        "data": data,
        **data,
        "mark": blocker_mark(blocker),
        "known_mark": known(blocker),
        "href": link(lane, blocker.where),
        "lane_href": href(f"lanes/{lane.id}/index.md"),
    }


def _again(said: Said) -> Iterator[str]:
    if said.again:
        lanes = plural(said.again, "lane")
        yield f"{lanes} after it {'says' if said.again == 1 else 'say'} the same, up to {said.last}"
