"""The blockers of a lane as its evidence has them: before, and beside, what documents state.

The map of a packet that is sound speaks for its lane. Whatever else the lane names is kept, and
where a document leaves open what the map closes, the blocker is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from generator.evidence.blocker_map import FILE, PROGRESS, is_open
from generator.evidence.tallies import word
from generator.facts import Blocker, LaneFacts, by_id
from generator.model.finding import Finding
from generator.model.outcome import Agreement, Level
from generator.model.verdict import LaneVerdict
from generator.spelled import spelled


def with_map(facts: LaneFacts, lane: LaneVerdict, data: object) -> LaneFacts:
    """Return what a lane says, its blockers first as the map in its evidence has them.

    Args:
        facts: what its documents say.
        lane: its verdict.
        data: the parsed JSON of its blocker map.
    """
    if not isinstance(data, dict) or not isinstance(data.get("blockers"), list):
        return facts
    place = f"{lane.evidence}/{FILE}"
    sound = lane.integrity.green and not any(_speaks_of(place, item) for item in lane.refuting)
    levels = _levels(lane) if sound else {}
    mapped = by_id(_rows(data["blockers"], place, levels))
    stated = by_id(facts.blockers)
    first, then = (mapped, stated) if sound else (stated, mapped)
    rows = [_worse(row, then.get(row.id)) for row in first.values()]
    rows += [row for row in then.values() if row.id not in first]
    return replace(facts, blockers=tuple(rows))


def _speaks_of(place: str, finding: Finding) -> bool:
    return finding.where == place or finding.where.startswith(f"{place}#")


def _levels(lane: LaneVerdict) -> Mapping[str, Level]:
    """Return how each value of the map is known."""
    return {
        claim.where: claim.level
        for claim in reversed(lane.judged.claims())
        if claim.where.startswith(f"{FILE}#") and claim.agreement is not Agreement.DIFFERS
    }


def _rows(blockers: list[Any], place: str, levels: Mapping[str, Level]) -> Iterator[Blocker]:
    """Yield the rows of a map; one without a usable shape is left to its documents."""
    for index, row in enumerate(blockers):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            continue
        state, progress = spelled(row.get("state")), spelled(row.get("progress"))
        legs = row.get("legs")
        pointer = f"/blockers/{index}"
        yield Blocker(
            id=row["id"],
            open=is_open(state),
            progress=word(progress) if word(progress) in PROGRESS else "none",
            stated="; ".join(text for text in (state, progress) if text),
            legs=tuple(
                (spelled(leg.get("id")), spelled(leg.get("status")))
                for leg in (legs if isinstance(legs, list) else ())
                if isinstance(leg, dict)
            ),
            actor=spelled(row.get("actor")),
            next_action=spelled(row.get("next_action")),
            blocks=spelled(row.get("blocks")),
            where=f"{place}#{pointer}",
            level=levels.get(f"{FILE}#{pointer}/state", Level.CLAIMED_ONLY),
        )


def _worse(row: Blocker, other: Blocker | None) -> Blocker:
    """Return a row with what another place of the lane adds, open where either leaves it open."""
    if other is None:
        return row
    row = replace(
        row,
        legs=row.legs or other.legs,
        actor=row.actor or other.actor,
        next_action=row.next_action or other.next_action,
        blocks=row.blocks or other.blocks,
    )
    if row.open or not other.open:
        return row
    return replace(row, open=True, doubt=f"closed in {row.where}, open in {other.where}")
