"""What was derived of a lane and of a root: the only values that rendering sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from generator.model.claims import NO_PLACE, ClaimCounts, PackedClaims, count_claims
from generator.model.detail import NO_DETAIL, Detail
from generator.model.digest import Digest
from generator.model.document import Document
from generator.model.finding import Claim, Finding
from generator.model.lane import LaneMeta
from generator.model.outcome import Agreement, Integrity, Level, Outcome
from generator.model.packet import MANIFEST, TREE, FileStates
from generator.names import visible

if TYPE_CHECKING:
    from generator.chain.record import Record
    from generator.chain.said import Said
    from generator.model.decision import Recorded
    from generator.reading.root import Pin


class Link(NamedTuple):
    """How a lane is tied to the one before it."""

    previous: str
    kind: str
    """``hash``, ``hash as stated``, ``status only``, ``named only``, ``broken``, or empty for the
    first lane."""
    how: str
    """Where the tie stands, in words."""
    loose: str = ""
    """The same by ``hash``, ``status only`` and ``named only`` alone."""


FIRST = Link("", "", "")
"""The link of a lane before which none is known."""


class LaneVerdict(NamedTuple):
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
    judged: PackedClaims
    """The facts of the evidence files, with places inside the packet."""
    documents: tuple[Document, ...]
    cited_by: tuple[str, ...] = ()
    """Where the whole tree hash stands in documents."""
    link: Link = FIRST
    next: str = ""
    errors: tuple[str, ...] = ()
    """Rules that crashed."""
    evidence: str = "evidence"
    seals: Mapping[str, Digest] = MappingProxyType({})
    """Name to digest of the seal files that are there."""
    profile: str = ""
    record: Record | None = None
    """Its record in the chain; none where nobody asked for it, or the lane is not there."""
    pin: Pin | None = None
    """What ``pins.yml`` says of it."""
    said: Said | None = None
    """What it says to other lanes; None where there is nothing."""
    detail: Detail = NO_DETAIL

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claim ledger: what the seals claim, then the evidence, then the documents."""
        return (*self._seal_claims(), *self.evidence_claims, *self.document_claims)

    @property
    def evidence_claims(self) -> tuple[Claim, ...]:
        """The facts of the evidence files, with places inside the lane."""
        folder = self.evidence
        return tuple(
            claim._replace(
                id=f"{folder}/{claim.id}",
                where=f"{folder}/{claim.where}",
                against=f"{folder}/{claim.against}"
                if claim.against and not claim.against.startswith(NO_PLACE)
                else claim.against,
            )
            for claim in self.judged.claims()
        )

    @property
    def counts(self) -> ClaimCounts:
        """Count the claims by how they are known."""
        counts = count_claims(self.document_claims).plus(self.judged.counts)
        if not self.files.sound or self.stated_tree != self.tree:
            return counts.plus(count_claims(self._seal_claims()))
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


@dataclass(frozen=True, slots=True)
class RootVerdict:
    """All lanes of a root, oldest first."""

    lanes: tuple[LaneVerdict, ...]
    rules: int
    controls: int
    rule_base: Digest
    """Empty where nobody asked for it."""
    unread: tuple[str, ...] = ()
    """What lies beside the lanes and was not read; safe to print."""
    decisions: tuple[Recorded, ...] = ()
    """What is recorded in ``decisions/``, by lane and number."""

    def lane(self, lane_id: str) -> LaneVerdict:
        """Return the lane with this id."""
        return next(lane for lane in self.lanes if lane.id == lane_id)


NO_VERDICT = RootVerdict((), 0, 0, Digest(""))
"""Where nothing was there to be judged."""
