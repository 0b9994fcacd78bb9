"""Where every blocker stands, over all lanes (spec 3): none vanishes because a lane leaves it out.

The newest lane that names a blocker has the word on it. Where that word could be better or worse
than is known, the worse is taken: without sound evidence nothing is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from generator.facts import Blocker, LaneFacts
from generator.model.verdict import LaneVerdict


class Standing(NamedTuple):
    """One blocker as it stands now."""

    blocker: Blocker
    """As the newest lane states it that names it; who acts, what next and what it blocks may be
    an earlier lane's word."""
    lane: LaneVerdict
    """That lane."""
    open: bool
    note: str
    """Why it stands otherwise than one might think; else empty."""

    @property
    def state(self) -> str:
        """Both axes in words."""
        return self.blocker.state if self.open == self.blocker.open else "open"


@dataclass(frozen=True, slots=True)
class Blockers:
    """All blockers of a root."""

    standing: tuple[Standing, ...]
    """Each id once: those of the newest list in its order, then what it leaves out."""
    newest: LaneVerdict | None
    """The newest lane that lists blockers."""
    open_stated: str
    """How many are open, as the newest lane states that states a number; else empty."""
    stated_by: LaneVerdict | None
    """That lane."""

    @property
    def open_named(self) -> int:
        """How many blockers that are named here are open."""
        return sum(one.open for one in self.standing)


def blockers(lanes: Sequence[LaneVerdict], facts: Mapping[str, LaneFacts]) -> Blockers:
    """Return where every blocker stands; ``lanes`` are oldest first."""
    said: dict[str, tuple[Blocker, LaneVerdict]] = {}
    newest = stated_by = None
    open_stated = ""
    for lane in lanes:
        rows = facts[lane.id].blockers
        if facts[lane.id].open_stated:
            open_stated, stated_by = facts[lane.id].open_stated, lane
        if not rows:
            continue
        newest = lane
        of_lane: dict[str, Blocker] = {}
        for row in rows:
            # of two rows of one id, the one that leaves it open
            if row.id not in of_lane or (row.open and not of_lane[row.id].open):
                of_lane[row.id] = row
        left_out = {key: value for key, value in said.items() if key not in of_lane}
        said = {
            row.id: (_carried(row, said[row.id][0]) if row.id in said else row, lane)
            for row in of_lane.values()
        } | left_out
    standing = (_standing(row, lane, newest) for row, lane in said.values())
    return Blockers(tuple(standing), newest, open_stated, stated_by)


def _carried(row: Blocker, before: Blocker) -> Blocker:
    """Return a row with what an earlier lane says where this one says nothing."""
    return replace(
        row,
        actor=row.actor or before.actor,
        next_action=row.next_action or before.next_action,
        blocks=row.blocks or before.blocks,
    )


def _standing(row: Blocker, lane: LaneVerdict, newest: LaneVerdict | None) -> Standing:
    if not row.open and not lane.integrity.green:
        return Standing(row, lane, True, "stated as closed, without evidence that was verified")
    note = "" if lane is newest else "the newest list leaves it out"
    return Standing(row, lane, row.open, note)
