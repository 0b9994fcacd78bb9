"""The recorded decisions of a root, each held against what it was taken on (spec 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from generator.canonical import digest_of
from generator.facts import LaneFacts, lane_facts
from generator.model.decision import (
    BlockerMap,
    BlockerState,
    Change,
    DecisionFile,
    DecisionState,
    PacketDocument,
    Recorded,
)
from generator.model.digest import sha256
from generator.model.finding import Finding, RuleError
from generator.model.verdict import LaneVerdict
from generator.reading.decisions import read_decisions
from generator.reading.root import Root
from generator.records import canonical_map
from generator.rules.base import run
from generator.rules.decided import Basis, OnRecord, changed_words, changes
from generator.rules.over_decisions import DECISION_RULES
from generator.standing import Blockers, blockers


def blocker_map(standing: Blockers) -> BlockerMap:
    """Return where every blocker of a root stands, by id, with the digest of that."""
    rows = tuple(
        sorted(
            BlockerState(
                _short(one.blocker.id),
                one.open,
                one.blocker.progress,
                tuple(sorted((_short(leg), _short(state)) for leg, state in one.blocker.legs)),
            )
            for one in standing.standing
        )
    )
    return BlockerMap(digest_of(canonical_map(rows)), rows)


def _short(text: str) -> str:
    """Return a packet's own words; where they would fill a record, their beginning and digest."""
    return text if len(text) <= _LONGEST else f"{text[:100]}… {sha256(text.encode())}"


_LONGEST = 500


def basis(lane: LaneVerdict, facts: LaneFacts) -> Basis:
    """Return what a decision on a lane is bound to now."""
    named = {ballot.document for ballot in facts.ballots}
    against = next(
        (f"refuted by {finding.code}" for finding in lane.refuting),
        "no verdict: a rule of lanebook failed" if lane.errors else "",
    )
    return Basis(
        lane=lane.id,
        options=facts.decision.options if facts.decision is not None else (),
        tree=lane.tree,
        documents=tuple(
            PacketDocument(document.name, document.sha256)
            for document in lane.documents
            if document.name in named
        ),
        against=against,
    )


def judge(
    root: Root, lanes: Sequence[LaneVerdict]
) -> tuple[tuple[Recorded, ...], tuple[LaneVerdict, ...]]:
    """Judge every record of a root; return them, and the lanes with a note on each stale one."""
    files = read_decisions(root.decisions) if root.decisions is not None else ()
    if not files:
        return (), tuple(lanes)
    facts = {lane.id: lane_facts(lane.documents) for lane in lanes}
    now = blocker_map(blockers(lanes, facts))
    by_id = {lane.id: lane for lane in lanes}
    found: list[Recorded] = []
    for lane_id, group in groupby(files, key=lambda one: one.lane):
        lane = by_id.get(lane_id)
        held = basis(lane, facts[lane_id]) if lane is not None else None
        found.extend(_judged(tuple(group), held, now))
    return tuple(found), _with_notes(lanes, found)


def _judged(
    files: tuple[DecisionFile, ...],
    held: Basis | None,
    now: BlockerMap,
) -> list[Recorded]:
    """Judge the records of one lane, which stand in the order of their numbers."""
    found: list[Recorded] = []
    later = doubtful = ""
    for at in range(len(files) - 1, -1, -1):
        file = files[at]
        before = files[at - 1] if at and file.number else None
        subject = OnRecord(file, held, now, before, bool(later), doubtful)
        one = _recorded(subject, later)
        if one.state is not DecisionState.REFUSED:
            later = later or file.name
        elif not later and file.number:
            doubtful = doubtful or file.name
        found.append(one)
    found.reverse()
    return found


def _recorded(subject: OnRecord, later: str) -> Recorded:
    file, held = subject.file, subject.basis
    errors: list[RuleError] = []
    findings = tuple(run(DECISION_RULES, subject, errors))
    refuting = [finding for finding in findings if finding.refutes]
    changed: tuple[Change, ...] = ()
    if refuting or errors or file.decision is None or held is None:
        state = DecisionState.REFUSED
        words = refuting[0].message if refuting else "No verdict: a rule of lanebook failed on it."
    elif later:
        state, words = DecisionState.SUPERSEDED, f"A later decision stands in {later}."
    else:
        changed = changes(file.decision.bound, held, subject.map, subject.doubtful)
        state = DecisionState.STALE if changed else DecisionState.CURRENT
        words = changed_words(changed) if changed else "What it was taken on is as it was."
    return Recorded(
        file=file.name,
        lane=file.lane,
        number=file.number,
        decision=file.decision,
        state=state,
        words=words,
        changes=changed,
        findings=findings,
    )


def _with_notes(lanes: Sequence[LaneVerdict], found: Sequence[Recorded]) -> tuple[LaneVerdict, ...]:
    """Return the lanes, each with the notes on its decisions; a record refutes no evidence."""
    notes: dict[str, list[Finding]] = {}
    for one in found:
        if one.state is DecisionState.STALE:
            notes.setdefault(one.lane, []).extend(one.findings)
    return tuple(
        lane._replace(findings=(*lane.findings, *notes[lane.id])) if lane.id in notes else lane
        for lane in lanes
    )


def by_lane(decisions: Sequence[Recorded]) -> Mapping[str, tuple[Recorded, ...]]:
    """Return the records of each lane, in the order of their numbers."""
    found: dict[str, list[Recorded]] = {}
    for one in decisions:
        found.setdefault(one.lane, []).append(one)
    return {lane: tuple(rows) for lane, rows in found.items()}
