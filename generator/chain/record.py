"""Lane records: one plain value a lane, whose hash stands for the lane and for all before it.

A record holds what the lane's own folder gives: its ``lane.yml``, the digest of every document, the
packet's tree and seal files, and what became of every file that is not as it was sealed. It also
holds the hash of the record of the lane before, and that lane's tree. So it changes when a byte of
the lane or of any lane before it changes, and never because a later lane was added: who cites it,
who pins it and what rules find are no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from generator.model.digest import Digest, sha256
from generator.model.packet import State
from generator.names import visible

if TYPE_CHECKING:
    from generator.canonical import Plain
    from generator.examine import Examined

SCHEMA = "lanebook/record/1"


class Record(NamedTuple):
    """One lane's record."""

    digest: Digest
    """SHA-256 of ``canonical``."""
    canonical: bytes
    """The record in the only spelling that RFC 8785 allows."""


def records(
    lanes: Sequence[Examined],
    before: Mapping[str, str],
    dates: Mapping[str, str],
    replaced: Mapping[str, Digest] | None = None,
) -> dict[str, Record]:
    """Return the record of every lane.

    Args:
        lanes: in their order, so that the lane before stands before.
        before: lane to the lane right before it.
        dates: lane to its date, as it is shown.
        replaced: lane to a hash that is to be taken for the record of that lane by those that
            follow it; says whether a lane itself changed, or only what comes before it.
    """
    made: dict[str, Record] = {}
    trees: dict[str, Digest | None] = {}
    for item in lanes:
        lane_id = item.lane.id
        previous = before.get(lane_id, "")
        known = (replaced or {}).get(previous) or (
            made[previous].digest if previous in made else None
        )
        value = record_value(item, dates.get(lane_id, ""), previous, known, trees.get(previous))
        made[lane_id] = _record(value)
        trees[lane_id] = item.tree
    return made


def _record(value: Plain) -> Record:
    from generator.canonical import canonical  # late: a plain verification makes no record

    data = canonical(value)
    return Record(sha256(data), data)


def record_value(
    item: Examined,
    date: str,
    previous: str,
    previous_record: Digest | None,
    previous_tree: Digest | None,
) -> Plain:
    """Return the record of one lane as a plain value; every text in it is safe to show."""
    lane, meta = item.lane, item.lane.meta
    return {
        "schema": SCHEMA,
        "lane": lane.id,
        "date": date,
        "stated_status": visible(lane.stated_status, _LONGEST),
        "lane_file": {
            "title": visible(meta.title, _LONGEST),
            "date": meta.date,
            "who": visible(meta.who, _LONGEST),
            "previous": meta.previous,
            "tree_profile": visible(meta.tree_profile, _LONGEST),
            "delegation": visible(meta.delegation, _LONGEST),
            "pins": sorted([visible(path), digest] for path, digest in meta.pins.items()),
            "other": [[key, value] for key, value in meta.unknown],
        },
        "documents": [
            {"name": document.name, "sha256": document.sha256}
            for document in sorted(lane.documents, key=lambda one: (one.name, one.sha256))
        ],
        "refused": sorted(
            {
                f"{one.code} {visible(one.where)}"
                for one in lane.refusals
                if one.code not in _OF_ROOT
            }
        ),
        "evidence": _evidence(item),
        "previous": {"lane": previous, "record": previous_record, "tree": previous_tree}
        if previous
        else None,
    }


_LONGEST = 1000
_OF_ROOT = ("LANE-TWICE", "PIN-LANE")
"""Refusals that speak of the lanes of a root and not of what this one holds."""


def _evidence(item: Examined) -> Plain:
    """Return what the packet gives by its own bytes; None without a packet."""
    if not item.has_packet:
        return None
    states = item.states
    return {
        "tree": item.tree,
        "stated_tree": item.stated_tree,
        "seals": dict(sorted(item.seals.items())),
        "files": len(states),
        "not_as_sealed": []
        if states.sound
        else [
            {
                "path": visible(state.path),
                "state": state.state.value,
                "listed": state.listed,
                "found": state.computed,
            }
            for state in states
            if state.state is not State.MATCH
        ],
    }
