"""The lanes among each other: order, what is held elsewhere, who cites whom, how far it goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import InputError
from generator.examine import Examined
from generator.model.claims import NO_CLAIMS
from generator.model.digest import Digest, WeakReference, is_digest
from generator.model.document import read_place
from generator.model.finding import Claim, Finding, RuleError
from generator.model.lane import Lane
from generator.model.outcome import Agreement, Integrity, Level, Outcome, read_outcome
from generator.model.packet import SEALS, FileState, FileStates, State
from generator.model.verdict import FIRST, LaneVerdict
from generator.names import visible
from generator.order import Node, Order, node, order
from generator.reading.root import NO_PIN, PINS, Root
from generator.reading.tree import read_again
from generator.rules.base import run
from generator.rules.context import InRoot
from generator.rules.over_roots import ROOT_RULES
from generator.rules.reading import CODES as READING_CODES

if TYPE_CHECKING:
    from generator.chain.record import Record
    from generator.chain.subject import InChain
    from generator.contradictions.clash import Clash

_SEAL_FINDINGS = ("MAN-", "TREE-", "FILE-", "PATH-", "NAME-", "KIND-")


def conclude(
    examined: Sequence[Examined], root: Root, *, records: bool = True
) -> tuple[LaneVerdict, ...]:
    """Judge the lanes among each other, and return them oldest first.

    ``records`` also makes the record of each lane; with a ``pins.yml`` it is made in any case.
    """
    nodes = [_node(item) for item in examined]
    placed = order(nodes)
    known = _Known.of(examined)
    by_id = {item.lane.id: item for item in examined}
    ids = frozenset(by_id)
    following: dict[str, str] = {}
    for lane_id, before in placed.before.items():
        following.setdefault(before, lane_id)
    ordered = [by_id[lane_id] for lane_id in placed.ids]
    recorded, itself = _records(ordered, placed, root) if records or root.pins else ({}, {})
    told: Mapping[str, tuple[Clash, ...]] = {}
    if any(item.told for item in examined):
        from generator.contradictions.between import between  # late: bare packets tell nothing

        told = between([(item.lane.id, item.told) for item in ordered])
    context = _Context(root, known, placed, ids, following, recorded, itself, told)
    if not any(item.said is not None or item.lane.meta.previous for item in ordered):
        return tuple(_verdict(item, context, None) for item in ordered)
    from generator.chain.walk import walk  # late: bare packets say nothing to each other

    walked = walk(ordered, placed.before)
    return tuple(_verdict(by_id[lane_id], context, subject) for lane_id, subject in walked)


def _records(
    ordered: Sequence[Examined], placed: Order, root: Root
) -> tuple[dict[str, Record], dict[str, Record]]:
    """Return the records, and those that the lanes would have behind the pinned ones."""
    from generator.chain.record import records  # late: a plain verification makes none

    dates = {item.lane.id: _date(item.lane) for item in ordered}
    made = records(ordered, placed.before, dates)
    pinned = {lane_id: pin.record for lane_id, pin in root.pins.items() if pin.record is not None}
    return made, records(ordered, placed.before, dates, pinned) if pinned else {}


def _node(item: Examined) -> Node:
    lane = item.lane
    return node(lane.id, _date(lane), lane.meta.previous, lane.stated_status, lane.documents)


def _date(lane: Lane) -> str:
    """Return the lane's own date; where documents disagree, ``lane.yml``'s or the first."""
    if lane.meta.date:
        return lane.meta.date
    return next((document.date for document in lane.documents if document.date), "")


@dataclass(frozen=True, slots=True)
class _Known:
    """Digests of all packets of the root, for whoever asks."""

    copies: Mapping[Digest, tuple[tuple[str, str], ...]]
    """Digest to (lane, path) of every file that was hashed; a digest is a digest anywhere."""
    holders: Mapping[Digest, tuple[tuple[str, str], ...]]
    """The same for packets with which nothing is wrong: what confirms a claim elsewhere."""
    trees: Mapping[Digest, str]
    by_head: Mapping[str, tuple[Digest, ...]]
    """First four digits to digests."""
    citing: Mapping[str, tuple[str, ...]]
    """Whole hash to the documents in which it stands, as ``lane/name``."""

    @classmethod
    def of(cls, examined: Sequence[Examined]) -> _Known:
        asked = any(
            item.lane.documents or item.lane.meta.pins or item.differing for item in examined
        )
        if not asked:
            return cls({}, {}, {}, {}, {})
        copies: dict[Digest, list[tuple[str, str]]] = {}
        holders: dict[Digest, list[tuple[str, str]]] = {}
        trees: dict[Digest, str] = {}
        for item in examined:
            sound = not any(finding.refutes for finding in item.findings)
            for state in item.states:
                if state.computed is not None:
                    copies.setdefault(state.computed, []).append((item.lane.id, state.path))
                    if sound and state.state is State.MATCH:
                        holders.setdefault(state.computed, []).append((item.lane.id, state.path))
            if item.tree is not None and sound:
                trees.setdefault(item.tree, item.lane.id)
        citing: dict[Digest, dict[str, None]] = {}
        for item in examined:
            for document in item.lane.documents:
                place = f"{item.lane.id}/{document.name}"
                for mention in document.hashes:
                    if mention.form == "full" and is_digest(mention.text):
                        citing.setdefault(Digest(mention.text), {})[place] = None
        heads: dict[str, list[Digest]] = {}
        for digest in sorted({*holders, *trees, *citing}):
            heads.setdefault(digest[:4], []).append(digest)
        return cls(
            {digest: tuple(places) for digest, places in copies.items()},
            {digest: tuple(places) for digest, places in holders.items()},
            trees,
            {head: tuple(digests) for head, digests in heads.items()},
            {digest: tuple(places) for digest, places in citing.items()},
        )

    def elsewhere(self, digest: Digest, lane_id: str) -> str:
        """Return ``lane/path`` of bytes with this digest in another lane's packet."""
        for lane, path in self.holders.get(digest, ()):
            if lane != lane_id:
                return f"{lane}/{visible(path)}"
        return ""


@dataclass(frozen=True, slots=True)
class _Context:
    root: Root
    known: _Known
    placed: Order
    ids: frozenset[str]
    following: Mapping[str, str]
    records: Mapping[str, Record]
    itself: Mapping[str, Record]
    """The records that the lanes would have behind the pinned ones."""
    told: Mapping[str, tuple[Clash, ...]]
    """Lane to what it tells otherwise than an earlier lane."""


def _verdict(item: Examined, context: _Context, in_chain: InChain | None) -> LaneVerdict:
    lane = item.lane
    errors = list(item.errors)
    states = _located(item, context)
    pin = context.root.pins.get(lane.id, NO_PIN)
    pinned_tree = pin.tree or ""
    record = context.records.get(lane.id)
    itself = context.itself.get(lane.id)
    subject = InRoot(
        lane=lane,
        states=states,
        tree=item.tree,
        ids=context.ids,
        holders={}
        if states.sound
        else {
            state.listed: state.holder
            for state in states
            if state.holder and state.listed is not None
        },
        pinned_tree=pinned_tree,
        pinned_record=pin.record or "",
        record=record.digest if record is not None else "",
        itself=itself is not None and itself.digest == pin.record,
        between=context.told.get(lane.id, ()),
        cycle=context.placed.cycles.get(lane.id, ()),
    )
    findings, stated = _of_other_trees(
        _explained(item.findings, states, lane.evidence), item.claims, lane.id, context.known
    )
    findings.extend(run(ROOT_RULES, subject, errors))
    tie = FIRST
    if in_chain is not None:
        from generator.chain.walk import link  # late, both: see above
        from generator.rules.over_chain import CHAIN_RULES

        tie = link(in_chain)
        if item.said is not None or lane.meta.previous:
            findings.extend(run(CHAIN_RULES, in_chain, errors))
    claims = tuple(_completed(stated, lane, context.known))
    cited_by = context.known.citing.get(item.tree, ()) if item.tree is not None else ()
    integrity = _integrity(item, findings, cited_by, bool(pinned_tree))
    status = lane.stated_status
    return LaneVerdict(
        id=lane.id,
        folder=lane.folder,
        layout=lane.layout,
        meta=lane.meta,
        title=lane.title,
        date=_date(lane),
        stated_status=status,
        stated_outcome=read_outcome(status) if status else Outcome.UNKNOWN,
        outcome=_outcome(integrity, findings, errors),
        integrity=integrity,
        tree=item.tree,
        stated_tree=item.stated_tree,
        files=states,
        findings=tuple(findings),
        document_claims=claims,
        judged=item.judged or NO_CLAIMS,
        documents=lane.documents,
        cited_by=cited_by,
        link=tie,
        next=context.following.get(lane.id, ""),
        errors=tuple(f"{error.rule}: {visible(error.message, 300)}" for error in errors),
        evidence=lane.evidence,
        seals=item.seals,
        profile=lane.meta.tree_profile if item.has_packet else "",
        record=record if lane.folder != PINS else None,
        pin=context.root.pins.get(lane.id),
        said=item.said,
        detail=item.detail,
    )


def _located(item: Examined, context: _Context) -> FileStates:
    """Say for each file held elsewhere who holds it, and try once more to explain differences."""
    contents = dict(item.differing)
    held = not item.states.sound and any(
        state.state is State.HELD_ELSEWHERE for state in item.states
    )
    if not contents and not held:
        return item.states

    from generator.drift import compare  # late: most packets have nothing to explain

    def sealed_bytes(digest: Digest) -> bytes | None:
        for lane_id, path in context.known.copies.get(digest, ()):
            source = next((one for one in context.root.sources if one.id == lane_id), None)
            if source is not None and source.evidence is not None:
                data = read_again(source.evidence, path, digest)
                if data is not None:
                    return data
        return None

    located: list[FileState] = []
    for state in item.states:
        if state.state is State.HELD_ELSEWHERE and state.listed is not None:
            holder = context.known.elsewhere(state.listed, item.lane.id)
            state = state._replace(holder=holder)
        elif state.path in contents and state.listed is not None:
            found = compare(contents[state.path], state.listed, sealed_bytes)
            if found is not None:
                state = state._replace(drift=str(found))
        located.append(state)
    return FileStates(located)


def _explained(findings: Iterable[Finding], states: FileStates, folder: str) -> Iterable[Finding]:
    """Add the drift of a file to its finding."""
    if not findings or states.sound:
        return findings
    late = {f"{folder}/{visible(state.path)}": state.drift for state in states if state.drift}
    explained = []
    for finding in findings:
        drift = late.get(finding.where) if finding.code == "FILE-DIFFERS" else None
        if drift:
            finding = finding._replace(message=f"{finding.message} Drift: {drift}.")
        explained.append(finding)
    return explained


def _completed(claims: Iterable[Claim], lane: Lane, known: _Known) -> Iterable[Claim]:
    """Look in the other packets for what the lane's own could not answer."""
    if not lane.documents:
        return  # a bare packet states nothing, and needs no ledger
    labels = {
        (visible(mention.where), mention.text): mention.label
        for document in lane.documents
        for mention in document.hashes
    }
    from generator.ledger import label_of

    for claim in claims:
        if claim.level is not Level.RECOMPUTED and claim.agreement is not Agreement.AMBIGUOUS:
            label = labels.get((claim.where, claim.stated)) or label_of(claim)
            yield _from_elsewhere(claim, label, lane.id, known)
        else:
            yield claim


def _from_elsewhere(claim: Claim, label: str, lane_id: str, known: _Known) -> Claim:
    from generator.ledger import names, speaks_of_others

    if is_digest(claim.stated):
        digest = Digest(claim.stated)
        tree_of = known.trees.get(digest, "")
        if tree_of and tree_of != lane_id:
            # which lane's tree is meant is known only where the key speaks of another lane
            if not speaks_of_others(claim.id):
                return claim._replace(
                    recomputed=None,
                    agreement=Agreement.NOT_COMPARED,
                    level=Level.CLAIMED_ONLY,
                    against=f"{tree_of}/HASH_MANIFEST.txt",
                )
            holder = f"{tree_of}/HASH_MANIFEST.txt"
        else:
            holder = known.elsewhere(digest, lane_id)
        if not holder:
            return claim
        if not tree_of and not names(label, holder.partition("/")[2]):
            return claim if claim.against else claim._replace(against=holder)
        return claim._replace(
            recomputed=claim.stated,
            agreement=Agreement.AGREES,
            level=Level.RECOMPUTED,
            against=holder,
        )
    try:
        weak = WeakReference.parse(claim.stated)
    except InputError:
        return claim
    found = weak.resolve(known.by_head.get(weak.head[:4], ()))
    if found is None:
        return claim
    return claim._replace(against=f"fits one known hash by {weak.bits} of 256 bits: {found}")


def _of_other_trees(
    findings: Iterable[Finding], claims: Iterable[Claim], lane_id: str, known: _Known
) -> tuple[list[Finding], list[Claim]]:
    """Take back that a text cites a wrong tree where it cites the tree of another lane."""

    def foreign(where: str, stated: str) -> bool:
        in_text = read_place(where).pointer is None
        return in_text and known.trees.get(Digest(stated), lane_id) != lane_id

    kept = [
        finding
        for finding in findings
        if not (finding.code == "DOC-TREE" and foreign(finding.where, finding.stated))
    ]
    mended = [
        claim._replace(
            recomputed=None,
            agreement=Agreement.NOT_COMPARED,
            level=Level.CLAIMED_ONLY,
            against="",
        )
        if claim.agreement is Agreement.DIFFERS and foreign(claim.where, claim.stated)
        else claim
        for claim in claims
    ]
    return kept, mended


def _integrity(
    item: Examined, findings: Sequence[Finding], cited_by: Sequence[str], pinned: bool
) -> Integrity:
    """Say how far the packet of a lane carries, never further than the weakest part."""
    if any(
        finding.code in READING_CODES or finding.code.startswith("LIMIT-") for finding in findings
    ):
        return Integrity.REFUSED
    if not item.has_packet:
        wanted = item.lane.refusals and any(
            finding.code.startswith("KIND-") and finding.where == "evidence"
            for finding in item.lane.refusals
        )
        return Integrity.REFUSED if wanted else Integrity.CLAIMS_ONLY
    seal = [
        finding
        for finding in findings
        if finding.refutes and finding.code.startswith(_SEAL_FINDINGS)
    ]
    if seal and all(finding.code in ("MAN-MISSING", "TREE-MISSING") for finding in seal):
        return Integrity.UNSEALED
    if any(finding.code.startswith(("PATH-", "NAME-", "KIND-", "MAN-")) for finding in seal):
        return Integrity.REFUSED
    if any(finding.code == "LANE-PROFILE" for finding in findings):
        return Integrity.REFUSED
    if seal or any(
        finding.code in ("PIN-DIFFERS", "PIN-HELD", "PIN-ABSENT", "PIN-TREE", "PIN-RECORD")
        for finding in findings
    ):
        return Integrity.REFUTED
    if len(item.seals) < len(SEALS) or item.errors:
        return Integrity.UNSEALED
    if pinned:
        return Integrity.PINNED
    return Integrity.CITED if cited_by else Integrity.CONSISTENT


def _outcome(
    integrity: Integrity, findings: Sequence[Finding], errors: Sequence[RuleError]
) -> Outcome:
    if any(finding.refutes for finding in findings):
        return Outcome.FAIL
    if errors or not integrity.green:
        return Outcome.UNKNOWN
    return Outcome.PASS
