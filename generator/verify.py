"""Lanes in, verdicts out: each lane alone first, in parallel, then the lanes among each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from generator import selftest
from generator.evidence import FILES as EVIDENCE_FILES
from generator.examine import Examined, examine
from generator.exits import Exit
from generator.model.digest import Digest
from generator.model.outcome import Outcome
from generator.parallel import fork_map
from generator.reading.lane import LaneSource, read_lane
from generator.reading.root import Root
from generator.reading.tree import Sink, names_in
from generator.selftest import Over

if TYPE_CHECKING:
    from generator.model.decision import Recorded
    from generator.model.verdict import RootVerdict


@dataclass(frozen=True, slots=True)
class Looked:
    """What every lane of a root gives alone, and which rules were proven for that."""

    examined: tuple[Examined, ...]
    proof: selftest.Proof


def verify(
    root: Root,
    *,
    jobs: int = 0,
    sink: Callable[[LaneSource], Sink] | None = None,
    progress: Callable[[int], None] | None = None,
    facts: bool = True,
    records: bool = True,
) -> RootVerdict:
    """Prove the rules, then judge every lane of a root.

    Args:
        root: where the lanes stand.
        jobs: how many processes; 0 means one for each processor.
        sink: gives, for a lane, what takes the bytes that are read.
        progress: told how many more lanes have been read.
        facts: also keep each fact of the evidence, for who wants to read the ledger; without, they
            are derived and counted only.
        records: also make the record of each lane, and the digest of the rule base; records are
            made in any case where pins.yml holds some.

    Raises:
        SelftestError: a rule could not be proven.
    """
    looked = look(root, jobs=jobs, sink=sink, progress=progress, facts=facts, records=records)
    return concluded(root, looked, records=records)


def look(
    root: Root,
    *,
    jobs: int = 0,
    sink: Callable[[LaneSource], Sink] | None = None,
    progress: Callable[[int], None] | None = None,
    facts: bool = True,
    records: bool = True,
    before: Looked | None = None,
    also: Callable[[], None] | None = None,
) -> Looked:
    """Prove the rules, and judge each lane alone; see :func:`verify`.

    ``before`` is what lanes of another root gave in this run, with their facts. Every byte is read
    and hashed again; only what a lane of exactly those bytes and names gives is not derived twice,
    and no rule is proven twice. ``also`` is done in this process while others read.
    """
    earlier = before.examined if before is not None else ()
    known = {item.lane.id: item for item in earlier if item.detail.fingerprint}
    proven = before.proof if before is not None else selftest.NOTHING

    def work(source: LaneSource | Over) -> Examined | selftest.Proof | None:
        if isinstance(source, Over):
            return selftest.require({source}, proven)
        take = sink(source) if sink else None
        other = known.get(source.id)
        if other is not None:
            lane = read_lane(source, limits=root.limits, sink=take, parsed=other.lane.documents)
            if detail.fingerprint(lane) == other.detail.fingerprint:
                return None
        lane = read_lane(source, limits=root.limits, sink=take)
        return examine(lane, facts=facts)

    foreseen = _foreseen(root)
    # these rules take as long to prove as a few lanes to judge, and need what reads documents
    handed = [Over.DOCUMENTS] if Over.DOCUMENTS in foreseen - proven.groups.keys() else []
    owed = len(handed)

    def step(done: int) -> None:
        nonlocal owed
        lanes = max(0, done - owed)
        owed -= done - lanes
        if progress is not None:
            progress(lanes)

    proofs: list[selftest.Proof] = []
    of_evidence: list[selftest.Proof] = []
    evidence = _may_hold_evidence(root)
    if evidence:
        # every worker needs it, and so does the proof
        import generator.evidence.kinds
        import generator.rules.evidence
    documents = any(source.documents for source in root.sources)
    if documents:
        # the same holds for what reads documents
        import generator.chain.said
        import generator.contradictions.between
        import generator.contradictions.told
        import generator.reading.documents
        import generator.rules.over_documents  # noqa: F401
    if known:
        from generator import detail
    if any(source.layout == "lane" for source in root.sources):
        import yaml  # noqa: F401

    def meanwhile() -> None:
        # the workers read; what comes after reading is loaded, and proven, in that time
        import generator.conclude  # noqa: F401

        if records:
            selftest.rule_base_digest()
        proofs.append(selftest.require(foreseen.difference(handed), proven))
        if evidence:
            of_evidence.append(selftest.require({Over.EVIDENCE}, proven))
        if also is not None:
            also()

    # documents take longer to judge than a process to fork, and so does proving their rules
    least = 2 if documents else 8
    items: list[LaneSource | Over] = [*handed, *root.sources]
    found = fork_map(work, items, jobs=jobs, progress=step, meanwhile=meanwhile, least=least)
    proofs += [item for item in found if isinstance(item, selftest.Proof)]
    judged = [item for item in found if not isinstance(item, selftest.Proof)]
    examined = tuple(
        known[source.id] if item is None else item
        for source, item in zip(root.sources, judged, strict=True)
    )
    late = _asked(examined) - foreseen
    # what was proven and not asked is not counted
    if of_evidence and Over.EVIDENCE in late:
        late -= {Over.EVIDENCE}
        proofs += of_evidence
    proof = reduce(selftest.Proof.and_also, [*proofs, selftest.require(late, proven)])
    return Looked(examined, proof)


def concluded(root: Root, looked: Looked, *, records: bool = True) -> RootVerdict:
    """Judge the lanes of a root among each other; see :func:`verify`."""
    from generator.conclude import conclude
    from generator.model.verdict import RootVerdict

    proof = looked.proof
    lanes = conclude(looked.examined, root, records=records)
    decisions: tuple[Recorded, ...] = ()
    if root.decisions is not None:
        from generator.decided import judge  # late: few roots have any

        proof = proof.and_also(selftest.require((Over.DECISIONS,)))
        decisions, lanes = judge(root, lanes)
    if root.chosen:
        lanes = tuple(lane for lane in lanes if lane.id in root.chosen)
        decisions = tuple(one for one in decisions if one.lane in root.chosen)
    return RootVerdict(
        lanes,
        proof.rules,
        proof.controls,
        selftest.rule_base_digest() if records else Digest(""),
        root.unread,
        decisions,
    )


def _foreseen(root: Root) -> frozenset[Over]:
    """Return the groups of rules that will be asked, as far as can be told before reading."""
    groups = {Over.PACKETS, Over.ROOTS}
    if any(source.layout == "lane" for source in root.sources):
        groups.add(Over.LANE_FILES)
    if any(source.documents or source.refusals for source in root.sources):
        groups.add(Over.DOCUMENTS)
    if any(source.documents for source in root.sources):
        groups.add(Over.CHAIN)
    return frozenset(groups)


def _may_hold_evidence(root: Root) -> bool:
    """Tell from the first packet whether there is evidence to be judged, as most are of one kind.

    Nothing but time depends on the answer.
    """
    first = next((one.evidence for one in root.sources if one.evidence is not None), None)
    return first is not None and not EVIDENCE_FILES.isdisjoint(names_in(first))


def _asked(examined: Iterable[Examined]) -> frozenset[Over]:
    """Return the groups of rules that only some lanes need, and that these did need."""
    groups: set[Over] = set()
    for item in examined:
        if item.lane.documents or item.lane.refusals:
            groups.add(Over.DOCUMENTS)
        if item.judged is not None:
            groups.add(Over.EVIDENCE)
        if item.said is not None or item.lane.meta.previous:
            groups.add(Over.CHAIN)
    return frozenset(groups)


def exit_code(verdict: RootVerdict, *, strict: bool = False) -> Exit:
    """Return the exit code for a verdict (spec 5); nothing checked is never a pass."""
    if any(lane.outcome is Outcome.FAIL for lane in verdict.lanes):
        return Exit.REFUTED
    if any(one.state == "refused" for one in verdict.decisions):
        return Exit.REFUTED
    if strict and any(lane.counts.claimed_only for lane in verdict.lanes):
        return Exit.REFUTED
    if not verdict.lanes or any(lane.outcome is not Outcome.PASS for lane in verdict.lanes):
        return Exit.NO_VERDICT
    return Exit.VERIFIED
