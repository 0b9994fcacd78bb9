"""Lanes in, verdicts out: each lane alone first, in parallel, then the lanes among each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from generator import selftest
from generator.drift import explain
from generator.errors import InputError
from generator.ledger import document_rows
from generator.model.digest import Digest, WeakReference, is_digest, sha256
from generator.model.document import Document
from generator.model.finding import Claim, Finding
from generator.model.lane import Lane
from generator.model.outcome import Agreement, Integrity, Level, Outcome, read_outcome
from generator.model.packet import MANIFEST, SEALS, TREE, FileState, Packet, State
from generator.model.verdict import LaneVerdict, Link, RootVerdict
from generator.names import visible
from generator.order import Node, Order, node, order
from generator.parallel import fork_map
from generator.reading.lane import LaneSource, read_lane
from generator.reading.root import Root
from generator.reading.tree import Sink, read_again
from generator.rules import ALL, LANE_RULES, PACKET_RULES, ROOT_RULES, InRoot, RuleError, run
from generator.rules import tree_hash as tree_rule
from generator.rules.json_form import RULE as JSON_RULE
from generator.rules.reading import CODES as READING_CODES
from generator.states import file_states, plainly_sound, sound_states

_SEAL_FINDINGS = ("MAN-", "TREE-", "FILE-", "PATH-", "NAME-", "KIND-")
_MOST_OF_ONE_CODE = 50


class Exit(IntEnum):
    """Exit codes, everywhere (spec 5)."""

    VERIFIED = 0
    REFUTED = 1
    USAGE = 2
    NO_VERDICT = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """What one lane gives alone; small enough to come back from a worker process."""

    lane: Lane
    """Without its packet, whose bytes have been judged."""
    has_packet: bool
    tree: Digest | None
    seals: Mapping[str, Digest]
    """Name to digest of the seal files that are there."""
    stated_tree: Digest | None
    states: tuple[FileState, ...]
    claims: tuple[Claim, ...]
    """Of the documents; what the seals claim follows from the states."""
    findings: tuple[Finding, ...]
    errors: tuple[RuleError, ...]
    differing: tuple[tuple[str, bytes], ...] = ()
    """Path and content of files whose difference is not explained yet."""


def examine(lane: Lane) -> Examined:
    """Judge one lane by everything that lies in its own folder."""
    errors: list[RuleError] = []
    packet = lane.packet
    states: tuple[FileState, ...] = ()
    findings: list[Finding] = []
    differing: tuple[tuple[str, bytes], ...] = ()
    if packet is not None:
        sound = plainly_sound(packet)
        # what is plainly sound needs only the rule over contents; the others are silent on it
        rules = (JSON_RULE,) if sound else PACKET_RULES
        folder = lane.evidence
        for finding in run(rules, packet, errors):
            findings.append(finding._replace(where=f"{folder}/{finding.where}"))
        states = sound_states(packet) if sound else file_states(packet)
        differing = _unexplained(packet, states)
    rows = document_rows(lane, states) if lane.documents else []
    if lane.documents or lane.refusals:
        findings.extend(run(LANE_RULES, lane, errors))
    return Examined(
        lane=replace(lane, packet=None),
        has_packet=packet is not None,
        tree=tree_rule.computed(packet) if packet is not None else None,
        seals=_seals(packet) if packet is not None else {},
        stated_tree=tree_rule.stated(packet) if packet is not None else None,
        states=states,
        claims=tuple(row.claim for row in rows),
        findings=tuple(_shortened(findings)),
        errors=tuple(errors),
        differing=differing,
    )


def _seals(packet: Packet) -> dict[str, Digest]:
    files = ((MANIFEST, packet.manifest), (TREE, packet.tree))
    return {name: sha256(data) for name, data in files if data is not None}


def _unexplained(packet: Packet, states: Sequence[FileState]) -> tuple[tuple[str, bytes], ...]:
    wanted = {state.path for state in states if state.state is State.DIFFERS and not state.drift}
    if not wanted:
        return ()
    return tuple(
        (entry.path, entry.content)
        for entry in packet.entries
        if entry.path in wanted and entry.content is not None
    )


def _shortened(findings: Sequence[Finding]) -> Iterable[Finding]:
    """Keep the first of many findings with one code, and say how many there are."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    shown: dict[str, int] = {}
    for finding in findings:
        number = shown[finding.code] = shown.get(finding.code, 0) + 1
        if number < _MOST_OF_ONE_CODE or counts[finding.code] == _MOST_OF_ONE_CODE:
            yield finding
        elif number == _MOST_OF_ONE_CODE:
            more = counts[finding.code] - number
            yield finding._replace(message=f"{finding.message} {more} more like this one.")


def verify(
    root: Root,
    *,
    jobs: int = 0,
    sink: Callable[[LaneSource], Sink] | None = None,
    progress: Callable[[int], None] | None = None,
) -> RootVerdict:
    """Prove the rules, then judge every lane of a root.

    Args:
        root: where the lanes stand.
        jobs: how many processes; 0 means one for each processor.
        sink: gives, for a lane, what takes the bytes that are read.
        progress: told how many more lanes have been read.

    Raises:
        SelftestError: a rule could not be proven.
    """
    documents = any(source.documents or source.layout == "lane" for source in root.sources)

    def work(source: LaneSource) -> Examined:
        lane = read_lane(source, limits=root.limits, sink=sink(source) if sink else None)
        return examine(lane)

    examined = fork_map(work, root.sources, jobs=jobs, progress=progress)
    proof = selftest.require(documents=documents)
    lanes = conclude(examined, root)
    if root.chosen:
        lanes = tuple(lane for lane in lanes if lane.id in root.chosen)
    return RootVerdict(lanes, proof.rules, proof.controls, selftest.rule_base_digest())


def conclude(examined: Sequence[Examined], root: Root) -> tuple[LaneVerdict, ...]:
    """Judge the lanes among each other, and return them oldest first."""
    nodes = [_node(item) for item in examined]
    placed = order(nodes)
    known = _Known.of(examined)
    by_id = {item.lane.id: item for item in examined}
    ids = frozenset(by_id)
    following: dict[str, str] = {}
    for lane_id, before in placed.before.items():
        following.setdefault(before, lane_id)
    context = _Context(root, known, placed, ids, following, {item.id: item for item in nodes})
    return tuple(_verdict(by_id[lane_id], context, by_id) for lane_id in placed.ids)


def _node(item: Examined) -> Node:
    lane = item.lane
    return node(lane.id, _date(lane), lane.meta.previous, lane.stated_status, lane.documents)


def _date(lane: Lane) -> str:
    """Return the lane's own date; where documents disagree, the one of ``lane.yml`` or the first."""
    if lane.meta.date:
        return lane.meta.date
    return next((document.date for document in lane.documents if document.date), "")


@dataclass(frozen=True, slots=True)
class _Known:
    """Digests of all packets of the root, for whoever asks."""

    holders: Mapping[Digest, tuple[tuple[str, str], ...]]
    """Digest to (lane, path)."""
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
            return cls({}, {}, {}, {})
        holders: dict[Digest, list[tuple[str, str]]] = {}
        trees: dict[Digest, str] = {}
        for item in examined:
            for state in item.states:
                if state.computed is not None and state.state is not State.REFUSED:
                    holders.setdefault(state.computed, []).append((item.lane.id, state.path))
            if item.tree is not None:
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
    nodes: Mapping[str, Node]


def _verdict(item: Examined, context: _Context, by_id: Mapping[str, Examined]) -> LaneVerdict:
    lane = item.lane
    errors = list(item.errors)
    states = _located(item, context)
    pinned_tree = context.root.pins.get(lane.id, "")
    subject = InRoot(
        lane=lane,
        states=states,
        tree=item.tree,
        ids=context.ids,
        holders={
            state.listed: state.holder
            for state in states
            if state.holder and state.listed is not None
        },
        pinned_tree=pinned_tree,
        cycle=context.placed.cycles.get(lane.id, ()),
    )
    findings = [*_explained(item.findings, states, lane.evidence)]
    findings.extend(run(ROOT_RULES, subject, errors))
    claims = tuple(_completed(item, context.known))
    cited_by = context.known.citing.get(item.tree, ()) if item.tree is not None else ()
    integrity = _integrity(item, findings, cited_by, bool(pinned_tree))
    status = lane.stated_status
    first = lane.documents[0] if lane.documents else None
    return LaneVerdict(
        id=lane.id,
        folder=lane.folder,
        layout=lane.layout,
        meta=lane.meta,
        title=lane.meta.title or (first.title if first else lane.id),
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
        documents=lane.documents,
        cited_by=cited_by,
        link=_link(item, context, by_id),
        next=context.following.get(lane.id, ""),
        rules=len(ALL),
        errors=tuple(f"{error.rule}: {visible(error.message, 300)}" for error in errors),
        evidence=lane.evidence,
        seals=item.seals,
        profile=lane.meta.tree_profile if item.has_packet else "",
    )


def _located(item: Examined, context: _Context) -> tuple[FileState, ...]:
    """Say for each file held elsewhere who holds it, and try once more to explain differences."""
    contents = dict(item.differing)
    if not contents and not any(state.state is State.HELD_ELSEWHERE for state in item.states):
        return item.states

    def sealed_bytes(digest: Digest) -> bytes | None:
        for lane_id, path in context.known.holders.get(digest, ()):
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
            found = explain(contents[state.path], state.listed, sealed_bytes)
            state = state._replace(drift=str(found) if found else "")
        located.append(state)
    return tuple(located)


def _explained(
    findings: Iterable[Finding], states: Sequence[FileState], folder: str
) -> Iterable[Finding]:
    """Add the drift that was only found in another packet to the finding of its file."""
    late = {f"{folder}/{visible(state.path)}": state.drift for state in states if state.drift}
    for finding in findings:
        drift = late.get(finding.where) if finding.code == "FILE-DIFFERS" else None
        if drift and drift not in finding.message:
            finding = finding._replace(message=f"{finding.message} Drift: {drift}.")
        yield finding


def _completed(item: Examined, known: _Known) -> Iterable[Claim]:
    """Look in the other packets for what the lane's own could not answer."""
    for claim in item.claims:
        if claim.level is Level.CLAIMED_ONLY and claim.agreement is Agreement.NOT_COMPARED:
            yield _from_elsewhere(claim, item.lane.id, known)
        else:
            yield claim


def _from_elsewhere(claim: Claim, lane_id: str, known: _Known) -> Claim:
    if is_digest(claim.stated):
        digest = Digest(claim.stated)
        holder = known.elsewhere(digest, lane_id)
        if not holder and digest in known.trees:
            holder = f"{known.trees[digest]}/HASH_MANIFEST.txt"
        if not holder:
            return claim
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


def _integrity(
    item: Examined, findings: Sequence[Finding], cited_by: Sequence[str], pinned: bool
) -> Integrity:
    """Say how far the packet of a lane carries, never further than the weakest part."""
    if any(finding.code in READING_CODES or finding.code.startswith("LIMIT-") for finding in findings):
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
    if any(finding.code.startswith(("PATH-", "NAME-", "KIND-", "MAN-")) for finding in seal):
        return Integrity.UNSEALED if _only_unsealed(seal) else Integrity.REFUSED
    if seal or any(finding.code in ("PIN-DIFFERS", "PIN-HELD", "PIN-TREE") for finding in findings):
        return Integrity.REFUTED
    if len(item.seals) < len(SEALS) or item.errors:
        return Integrity.UNSEALED
    if pinned:
        return Integrity.PINNED
    return Integrity.CITED if cited_by else Integrity.CONSISTENT


def _only_unsealed(seal: Sequence[Finding]) -> bool:
    return all(finding.code in ("MAN-MISSING", "TREE-MISSING") for finding in seal)


def _outcome(
    integrity: Integrity, findings: Sequence[Finding], errors: Sequence[RuleError]
) -> Outcome:
    if any(finding.refutes for finding in findings):
        return Outcome.FAIL
    if errors or not integrity.green:
        return Outcome.UNKNOWN
    return Outcome.PASS


def _link(item: Examined, context: _Context, by_id: Mapping[str, Examined]) -> Link:
    """Say how the lane is tied to the one before it: by hash, by a status word, or by name."""
    before = context.placed.before.get(item.lane.id, "")
    if not before:
        return Link("", "", "")
    tree = by_id[before].tree
    for document in item.lane.documents:
        where = _mention(document, tree)
        if where:
            return Link(before, "hash", f"cites its tree hash: {where}")
    status = context.nodes[before].status
    if status and status in context.nodes[item.lane.id].quotes:
        return Link(before, "status only", f"quotes its status {visible(status, 120)}")
    return Link(before, "named only", "nothing in its documents quotes the lane before")


def _mention(document: Document, tree: Digest | None) -> str:
    if tree is None:
        return ""
    return next((mention.where for mention in document.hashes if mention.text == tree), "")


def exit_code(verdict: RootVerdict, *, strict: bool = False) -> Exit:
    """Return the exit code for a verdict (spec 5); nothing checked is never a pass."""
    if any(lane.outcome is Outcome.FAIL for lane in verdict.lanes):
        return Exit.REFUTED
    if strict and any(lane.counts.claimed_only for lane in verdict.lanes):
        return Exit.REFUTED
    if not verdict.lanes or any(lane.outcome is not Outcome.PASS for lane in verdict.lanes):
        return Exit.NO_VERDICT
    return Exit.VERIFIED

