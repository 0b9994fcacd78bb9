"""What rules see: a lane with its ledger, and a lane among the others of its root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from generator.model.digest import Digest
from generator.model.lane import Lane
from generator.model.packet import FileState

if TYPE_CHECKING:
    from generator.contradictions.clash import Clash
    from generator.contradictions.fact import Fact
    from generator.ledger import Row


@dataclass(frozen=True, slots=True)
class InLane:
    """What the rules over documents see of one lane."""

    lane: Lane
    rows: Sequence[Row]
    """What its documents state, each held against the packet and the other documents."""

    facts: Sequence[Fact] = ()
    """The same as facts that can be compared, with what the evidence says of them."""

    @classmethod
    def of(cls, lane: Lane, states: Sequence[FileState] | None = None) -> InLane:
        """Derive the ledger of a lane; ``states`` are those of its packet, where they are known."""
        from generator.contradictions.told import of_lane  # late: rules over roots need neither
        from generator.ledger import document_rows

        return cls(lane, tuple(document_rows(lane, states)), of_lane(lane))


class InRoot(NamedTuple):
    """What the rules across lanes see of one lane."""

    lane: Lane
    states: Sequence[FileState]
    tree: Digest | None
    """Computed; none without a packet."""
    ids: frozenset[str]
    """The ids of all lanes of the root."""
    holders: Mapping[Digest, str]
    """Digest to ``lane/path`` of bytes that were hashed in other packets, for those asked about."""
    pinned_tree: str = ""
    """What ``pins.yml`` says of this lane."""
    between: tuple[Clash, ...] = ()
    """What its documents tell otherwise than an earlier lane does."""
    pinned_record: str = ""
    record: str = ""
    """Computed; empty where none is asked for."""
    itself: bool = False
    """Whether the pinned record is that of this lane behind the pinned record of the one before."""
    cycle: tuple[str, ...] = ()
    """The lanes of the cycle of ``previous`` in which this one stands."""
