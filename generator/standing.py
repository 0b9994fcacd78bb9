"""Where every blocker stands, over all lanes (spec 3): none vanishes because a lane leaves it out.

The newest lane that names a blocker has the word on it. Where that word could be better or worse
than is known, the worse is taken: without sound evidence nothing is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from generator.facts import Blocker, LaneFacts, by_id
from generator.legs import together
from generator.model.verdict import LaneVerdict


class LegStanding(NamedTuple):
    """One leg of a blocker, as the newest lane states it that names it."""

    name: str
    state: str
    lane: LaneVerdict
    carried: bool
    """Whether a newer lane tells of this blocker's legs and leaves this one out."""


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
    legs: tuple[LegStanding, ...] = ()
    """Every leg that any lane ever named: none vanishes because a lane leaves it out."""

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


NO_BLOCKERS = Blockers((), None, "", None)


class _Known(NamedTuple):
    """What is known of blockers after some lane."""

    said: Mapping[str, tuple[Blocker, LaneVerdict]] = {}
    legs: Mapping[str, Mapping[str, LegStanding]] = {}
    newest: LaneVerdict | None = None
    open_stated: str = ""
    stated_by: LaneVerdict | None = None

    def standing(self) -> Blockers:
        rows = (
            _standing(row, lane, self.newest)._replace(
                legs=tuple(self.legs.get(row.id, {}).values())
            )
            for row, lane in self.said.values()
        )
        return Blockers(tuple(rows), self.newest, self.open_stated, self.stated_by)


def blockers(lanes: Sequence[LaneVerdict], facts: Mapping[str, LaneFacts]) -> Blockers:
    """Return where every blocker stands; ``lanes`` are oldest first."""
    known = _Known()
    for lane in lanes:
        known = _after(known, lane, facts[lane.id])
    return known.standing()


def after_each(
    lanes: Sequence[LaneVerdict], facts: Mapping[str, LaneFacts]
) -> Iterator[tuple[LaneVerdict, Blockers]]:
    """Yield each lane, and where every blocker stood after it; ``lanes`` are oldest first."""
    known = _Known()
    for lane in lanes:
        known = _after(known, lane, facts[lane.id])
        yield lane, known.standing()


def _after(known: _Known, lane: LaneVerdict, facts: LaneFacts) -> _Known:
    if facts.open_stated:
        known = known._replace(open_stated=facts.open_stated, stated_by=lane)
    if not facts.blockers:
        return known
    said, legs = known.said, known.legs
    of_lane = by_id(facts.blockers)
    told = {row.id: _legs(row, lane, legs.get(row.id, {})) for row in of_lane.values() if row.legs}
    own = {
        row.id: (_carried(row, said[row.id][0]) if row.id in said else row, lane)
        for row in of_lane.values()
    }
    left_out = {key: value for key, value in said.items() if key not in of_lane}
    return known._replace(said=own | left_out, legs={**legs, **told}, newest=lane)


def _carried(row: Blocker, before: Blocker) -> Blocker:
    """Return a row with what an earlier lane says where this one says nothing."""
    return replace(
        row,
        actor=row.actor or before.actor,
        next_action=row.next_action or before.next_action,
        blocks=row.blocks or before.blocks,
    )


def _legs(
    row: Blocker, lane: LaneVerdict, before: Mapping[str, LegStanding]
) -> dict[str, LegStanding]:
    """Return the legs of a blocker after a lane that tells of them: its own, then the others."""
    # of a leg that is stated twice, the word that leaves it open
    stated = together(row.legs)
    own = {name: LegStanding(name, state, lane, False) for name, state in stated}
    return own | {
        name: leg._replace(carried=True) for name, leg in before.items() if name not in own
    }


def is_closed(row: Blocker, lane: LaneVerdict) -> bool:
    """Whether a lane closes a blocker: it says so, and its evidence was verified."""
    return not row.open and lane.integrity.green


def _standing(row: Blocker, lane: LaneVerdict, newest: LaneVerdict | None) -> Standing:
    if row.doubt:
        return Standing(row, lane, True, row.doubt)
    if not row.open and not is_closed(row, lane):
        return Standing(row, lane, True, "stated as closed, without evidence that was verified")
    note = "" if lane is newest else "the newest list leaves it out"
    return Standing(row, lane, row.open, note)
