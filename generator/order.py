"""The order of lanes (spec 3): from ``previous``, else from what documents quote.

A date places only what nothing else ties.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from generator.model.document import RESERVED, STATUS, Document, DocumentKind

_RANGE = re.compile(
    r"(?<![A-Z0-9-])([A-Z]{1,20}(?:-[A-Z]{1,20}){0,5})-(\d{1,9})"
    r"\s{0,3}\.\.\s{0,3}(?:[A-Z-]{1,60}-)?(\d{1,9})(?!\d)"
)
_LONGEST = 4000
_TELLING = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+){2,}\Z")
"""A status that can only mean one lane: three words at least, not PASS or READY."""


Key = TypeVar("Key", bound=Hashable)


class Node(NamedTuple):
    """What ordering needs of one lane."""

    id: str
    date: str
    previous: str
    status: str
    quotes: frozenset[str]
    """Statuses of other lanes that its preflight quotes."""
    reserved: tuple[str, int, int] | None
    """Prefix, first and last number of the range that it reserves."""


class Order(NamedTuple):
    """Lanes in order, and the cycles in which some of them stand."""

    ids: tuple[str, ...]
    before: Mapping[str, str]
    """Lane to the lane right before it, where anything but the date says so."""
    cycles: Mapping[str, tuple[str, ...]]


def node(
    lane_id: str, date: str, previous: str, status: str, documents: Sequence[Document]
) -> Node:
    """Collect from the documents of a lane what says where it belongs."""
    quotes: set[str] = set()
    reserved: tuple[str, int, int] | None = None
    for document in documents:
        for statement in document.statements:
            key = statement.key.lower()
            if key.startswith("preflight/") and statement.type == "string":
                quotes.add(statement.value)
            if reserved is None and (
                key.endswith("governance/objects_reserved") or key == "objects reserved"
            ):
                match = _RANGE.search(statement.value[:_LONGEST])
                if match and document.kind is not DocumentKind.OTHER:
                    reserved = (match[1], int(match[2]), int(match[3]))
    for passage in (one for document in documents for one in document.said):
        if passage.key == STATUS and _TELLING.match(passage.value):
            quotes.add(passage.value)
        elif passage.key == RESERVED and reserved is None:
            match = _RANGE.match(passage.value)
            if match:
                reserved = (match[1], int(match[2]), int(match[3]))
    quotes.discard(status)
    return Node(lane_id, date, previous, status, frozenset(quotes), reserved)


def order(nodes: Sequence[Node]) -> Order:
    """Return the lanes oldest first; what nothing ties is placed by date, then by id."""
    by_id = {item.id: item for item in nodes}
    by_status = _unique((item.status, item.id) for item in nodes if _TELLING.match(item.status))
    by_end = _unique(
        ((item.reserved[0], item.reserved[2]), item.id) for item in nodes if item.reserved
    )
    after: dict[str, set[str]] = {item.id: set() for item in nodes}
    nearest: dict[str, str] = {}
    for item in nodes:
        if item.previous in by_id:
            after[item.id].add(item.previous)
            nearest[item.id] = item.previous
            continue
        quoted = {by_status[status] for status in item.quotes if status in by_status} - {item.id}
        after[item.id] |= quoted
        if item.reserved is not None:
            prefix, first, _ = item.reserved
            neighbour = by_end.get((prefix, first - 1), item.id)
            if neighbour != item.id:
                after[item.id].add(neighbour)
                nearest[item.id] = neighbour
    cycles = _cycles({item.id: item.previous for item in nodes if item.previous in by_id})
    for lane_id in cycles:
        after[lane_id] = set()
    ids = _sorted(after, by_id)
    position = {lane_id: index for index, lane_id in enumerate(ids)}
    before = {}
    for lane_id in ids:
        tied = after[lane_id]
        if lane_id in nearest and lane_id not in cycles:
            before[lane_id] = nearest[lane_id]
        elif earlier := [other for other in tied if position[other] < position[lane_id]]:
            before[lane_id] = max(earlier, key=position.__getitem__)
    return Order(ids, before, cycles)


def _unique(pairs: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """Return key to lane for the keys that belong to one lane only."""
    found: dict[Key, str | None] = {}
    for key, lane_id in pairs:
        found[key] = None if key in found else lane_id
    return {key: lane_id for key, lane_id in found.items() if lane_id is not None}


def _sorted(after: Mapping[str, set[str]], by_id: Mapping[str, Node]) -> tuple[str, ...]:
    """Sort by the ties; a tie that would close a circle of quotes is passed over."""
    waiting = {lane_id: set(others) for lane_id, others in after.items()}
    followers: dict[str, list[str]] = {}
    for lane_id, others in waiting.items():
        for other in others:
            followers.setdefault(other, []).append(lane_id)

    dates = _dates(after, followers, by_id)

    def rank(lane_id: str) -> tuple[bool, str, str]:
        return (lane_id not in dates, dates.get(lane_id, ""), lane_id)

    ready = [rank(lane_id) for lane_id, others in waiting.items() if not others]
    heapq.heapify(ready)
    blocked = [rank(lane_id) for lane_id, others in waiting.items() if others]
    heapq.heapify(blocked)
    done: list[str] = []
    placed: set[str] = set()
    while ready or blocked:
        lane_id = heapq.heappop(ready or blocked)[2]
        if lane_id in placed:
            continue
        placed.add(lane_id)
        done.append(lane_id)
        for follower in followers.get(lane_id, ()):
            waiting[follower].discard(lane_id)
            if not waiting[follower] and follower not in placed:
                heapq.heappush(ready, rank(follower))
    return tuple(done)


def _dates(
    after: Mapping[str, set[str]], followers: Mapping[str, list[str]], by_id: Mapping[str, Node]
) -> dict[str, str]:
    """Return the day of each lane; one that states none is no younger than what follows it.

    Without that, a lane without a date would hold back all that come after it.
    """
    dates = {lane_id: item.date for lane_id, item in by_id.items() if item.date}
    for youngest_first, neighbours in ((False, after), (True, followers)):
        for lane_id in sorted(dates, key=lambda one: (dates[one], one), reverse=youngest_first):
            waiting = [lane_id]
            while waiting:
                for other in sorted(neighbours.get(waiting.pop(), ())):
                    if other not in dates:
                        dates[other] = dates[lane_id]
                        waiting.append(other)
    return dates


def _cycles(previous: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return every lane that stands in a cycle with the cycle, begun at its smallest id."""
    cycles: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for start in previous:
        path: list[str] = []
        places: dict[str, int] = {}
        current = start
        while current in previous and current not in seen and current not in places:
            places[current] = len(path)
            path.append(current)
            current = previous[current]
        if current in places:
            ring = path[places[current] :]
            first = ring.index(min(ring))
            ring = ring[first:] + ring[:first]
            cycles.update((lane_id, tuple(ring)) for lane_id in ring)
        seen.update(path)
    return cycles
