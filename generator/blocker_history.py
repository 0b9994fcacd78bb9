"""What lanes said of each blocker, one after the other: where it changed, and how it stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from generator.facts import Blocker, LaneFacts, by_id
from generator.legs import is_done
from generator.model.verdict import LaneVerdict
from generator.standing import is_closed

FURTHEST = 5
"""The level of what is open and came no closer to closed; 0 is closed."""
_LEVELS = {
    "partially discharged": 1,
    "design delivered": 2,
    "classified": 3,
    "narrowed": 4,
}


class Said(NamedTuple):
    """What a lane says of a blocker, where the lane before said something else or nothing."""

    lane: LaneVerdict
    number: int
    """Of the lane, counted from the oldest, which is 1."""
    blocker: Blocker
    again: int = 0
    """How many lanes after it say the same."""
    last: int = 0
    """The number of the last of them."""


Points = list[tuple[int, int]]
"""(number of the lane, level) where a lane states it."""


@dataclass(slots=True)
class History:
    """One blocker over all lanes."""

    said: list[Said] = field(default_factory=list)
    points: Points = field(default_factory=list)
    legs: dict[str, Points] = field(default_factory=dict)


def histories(lanes: Sequence[LaneVerdict], facts: Mapping[str, LaneFacts]) -> dict[str, History]:
    """Return what lanes said of each blocker; ``lanes`` are oldest first."""
    found: dict[str, History] = {}
    for number, lane in enumerate(lanes, 1):
        for row in by_id(facts[lane.id].blockers).values():
            history = found.setdefault(row.id, History())
            _note(history.said, Said(lane, number, row))
            history.points.append((number, _level(row, lane)))
            for name, state in row.legs:
                level = 0 if is_done(state) else FURTHEST
                history.legs.setdefault(name, []).append((number, level))
    return found


def _note(said: list[Said], now: Said) -> None:
    """Add what a lane says, or count it where the lane before it said the same."""
    if said and _told(said[-1].blocker) == _told(now.blocker):
        said[-1] = said[-1]._replace(again=said[-1].again + 1, last=now.number)
    else:
        said.append(now)


def _told(row: Blocker) -> tuple[object, ...]:
    return (row.state, row.doubt, row.level, row.legs, row.actor, row.next_action, row.blocks)


def _level(row: Blocker, lane: LaneVerdict) -> int:
    """Return how far a blocker is from closed; one that is closed without evidence is open."""
    if not row.open:
        return 0 if is_closed(row, lane) else FURTHEST
    return _LEVELS.get(row.progress, FURTHEST)


def over(points: Points, first: int, last: int) -> tuple[tuple[int | None, ...], tuple[bool, ...]]:
    """Return the level at each lane from ``first`` to ``last``, and where a lane states it.

    A lane that leaves it out changes nothing; before any lane names it there is no level.
    """
    stated = dict(points)
    level = next((one for number, one in reversed(points) if number < first), None)
    levels: list[int | None] = []
    for number in range(first, last + 1):
        level = stated.get(number, level)
        levels.append(level)
    return tuple(levels), tuple(number in stated for number in range(first, last + 1))
