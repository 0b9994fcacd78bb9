"""An owner's decision as it is recorded, and what became of it (spec 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from generator.model.digest import Digest
from generator.model.finding import Finding

SCHEMA = "lanebook/decision/1"
FOLDER = "decisions"
"""Beside ``packets/``, outside every packet, and kept in git."""


class BlockerState(NamedTuple):
    """One blocker of the map that a decision was taken on."""

    id: str
    open: bool
    progress: str
    legs: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """Both axes and the legs in words."""
        state = "open" if self.open else "closed"
        legs = "; ".join(f"{name}: {word}" for name, word in self.legs)
        progress = "" if self.progress == "none" else f", {self.progress}"
        return f"{state}{progress}" + (f" ({legs})" if legs else "")


class BlockerMap(NamedTuple):
    """Every blocker of a root, by id, with the digest of their canonical JSON."""

    digest: Digest
    blockers: tuple[BlockerState, ...]

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of those that are open."""
        return tuple(blocker.id for blocker in self.blockers if blocker.open)


class PacketDocument(NamedTuple):
    """A document in which the decision packet stands."""

    name: str
    sha256: Digest


class Bound(NamedTuple):
    """What a decision was taken on."""

    tree: Digest | None
    """None where the lane came without an evidence packet."""
    map: BlockerMap
    documents: tuple[PacketDocument, ...]


class Decision(NamedTuple):
    """What an owner decided, as the record says."""

    lane: str
    option: str
    decided_by: str
    decided_on: str
    reason: str
    bound: Bound
    despite: tuple[str, ...] = ()
    """Blockers that were open and would have to be closed for what was decided."""


class DecisionFile(NamedTuple):
    """One entry of ``decisions/``: a record, or why it is none."""

    name: str
    """Safe to print, with the folder."""
    lane: str
    """The lane that the name tells; empty where it tells none."""
    number: int
    decision: Decision | None
    refusal: Finding | None = None


class DecisionState(StrEnum):
    """What became of a recorded decision."""

    CURRENT = "current"
    STALE = "stale"
    SUPERSEDED = "superseded"
    REFUSED = "refused"


class Change(NamedTuple):
    """Something that a decision is bound to and that is not as it was."""

    what: str
    was: str
    now: str
    how: str = ""
    """What of it changed, where that can be told."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file of ``decisions/``, judged."""

    file: str
    lane: str
    number: int
    decision: Decision | None
    state: DecisionState
    words: str
    """Why it has this state, in one sentence."""
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
