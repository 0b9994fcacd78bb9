"""What was derived of a lane and of a root: the only values that rendering sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from generator.model.digest import Digest
from generator.model.document import Document
from generator.model.finding import Claim, Finding
from generator.model.lane import LaneMeta
from generator.model.outcome import Agreement, Integrity, Level, Outcome
from generator.model.packet import MANIFEST, TREE, FileStates
from generator.names import visible


class Link(NamedTuple):
    """How a lane is tied to the one before it."""

    previous: str
    kind: str
    """``hash``, ``status only``, ``named only``, or empty for the first lane."""
    how: str
    """Where the tie stands, in words."""


FIRST = Link("", "", "")
"""The link of a lane before which none is known."""


class ClaimCounts(NamedTuple):
    """How many claims are known in which way; what differs counts as refuted only."""

    recomputed: int
    cross_checked: int
    claimed_only: int
    refuted: int

    @property
    def total(self) -> int:
        """All claims."""
        return sum(self)


@dataclass(frozen=True, slots=True)
class LaneVerdict:
    """One lane with everything that was derived of it."""

    id: str
    folder: str
    layout: str
    meta: LaneMeta
    title: str
    date: str
    stated_status: str
    stated_outcome: Outcome
    outcome: Outcome
    integrity: Integrity
    tree: Digest | None
    """Computed; none without a packet or without a manifest."""
    stated_tree: Digest | None
    files: FileStates
    findings: tuple[Finding, ...]
    document_claims: tuple[Claim, ...]
    documents: tuple[Document, ...]
    cited_by: tuple[str, ...] = ()
    """Where the whole tree hash stands in documents."""
    link: Link = FIRST
    next: str = ""
    errors: tuple[str, ...] = ()
    """Rules that crashed."""
    evidence: str = "evidence"
    seals: Mapping[str, Digest] = field(default_factory=dict)
    """Name to digest of the seal files that are there."""
    profile: str = ""

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claim ledger: what the seals claim, then what the documents claim."""
        return (*self._seal_claims(), *self.document_claims)

    @property
    def counts(self) -> ClaimCounts:
        """Count the claims by how they are known."""
        if not self.files.sound or self.stated_tree != self.tree:
            return count_claims(self.claims)
        counts = count_claims(self.document_claims)
        return counts._replace(recomputed=counts.recomputed + len(self.files) + 1)

    def _seal_claims(self) -> Iterator[Claim]:
        """Yield what the two seal files claim: a digest for each path, and the tree hash."""
        folder = self.evidence
        for state in self.files:
            if state.listed is None:
                continue
            name = visible(state.path)
            claim = Claim(
                f"{folder}/{MANIFEST}#{name}",
                state.listed,
                state.computed,
                Agreement.AGREES,
                Level.RECOMPUTED,
                f"{folder}/{MANIFEST}",
                f"{folder}/{name}",
            )
            if state.holder:
                claim = claim._replace(recomputed=state.listed, against=state.holder)
            elif state.computed is None:
                claim = claim._replace(
                    agreement=Agreement.NOT_COMPARED, level=Level.CLAIMED_ONLY, against=""
                )
            elif state.computed != state.listed:
                claim = claim._replace(agreement=Agreement.DIFFERS)
            yield claim
        if self.stated_tree is not None and self.tree is not None:
            same = self.stated_tree == self.tree
            yield Claim(
                f"{folder}/{TREE}",
                self.stated_tree,
                self.tree,
                Agreement.AGREES if same else Agreement.DIFFERS,
                Level.RECOMPUTED,
                f"{folder}/{TREE}",
                f"{folder}/{MANIFEST}",
            )

    @property
    def refuting(self) -> tuple[Finding, ...]:
        """The findings that refute something."""
        return tuple(finding for finding in self.findings if finding.refutes)


def count_claims(claims: Iterable[Claim]) -> ClaimCounts:
    """Count claims by level; one that differs is refuted, however it was looked at."""
    levels = Counter(
        "refuted" if claim.agreement is Agreement.DIFFERS else claim.level for claim in claims
    )
    return ClaimCounts(
        levels[Level.RECOMPUTED],
        levels[Level.CROSS_CHECKED],
        levels[Level.CLAIMED_ONLY],
        levels["refuted"],
    )


@dataclass(frozen=True, slots=True)
class RootVerdict:
    """All lanes of a root, oldest first."""

    lanes: tuple[LaneVerdict, ...]
    rules: int
    controls: int
    rule_base: Digest
    unread: tuple[str, ...] = ()
    """What lies beside the lanes and was not read; safe to print."""

    def lane(self, lane_id: str) -> LaneVerdict:
        """Return the lane with this id."""
        return next(lane for lane in self.lanes if lane.id == lane_id)
