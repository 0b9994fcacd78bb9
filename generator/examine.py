"""One lane alone: judged by everything that lies in its own folder.

This is what worker processes do, a thousand times over, so it loads the rules only for a lane that
is not plainly sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from generator.evidence import FILES as EVIDENCE_FILES
from generator.model.by_fields import ByFields
from generator.model.claims import PackedClaims
from generator.model.detail import NO_DETAIL, Detail
from generator.model.digest import Digest, sha256
from generator.model.finding import Claim, Finding, RuleError
from generator.model.lane import Lane
from generator.model.packet import MANIFEST, NOT_SEARCHED, TREE, FileStates, Packet, State
from generator.states import (
    computed_tree,
    file_states,
    plainly_sound,
    sound_states,
    stated_tree,
    with_drift,
)

if TYPE_CHECKING:
    from generator.chain.said import Said
    from generator.contradictions.fact import Fact


@dataclass(frozen=True, slots=True)
class Examined(ByFields):
    """What one lane gives alone; small enough to come back from a worker process."""

    lane: Lane
    """Without its packet, whose bytes have been judged."""
    has_packet: bool
    tree: Digest | None
    seals: Mapping[str, Digest]
    """Name to digest of the seal files that are there."""
    stated_tree: Digest | None
    states: FileStates
    claims: tuple[Claim, ...]
    """Of the documents; what the seals claim follows from the states."""
    judged: PackedClaims | None
    """The facts of the evidence files; None where none is of a known kind."""
    findings: tuple[Finding, ...]
    errors: tuple[RuleError, ...]
    told: tuple[Fact, ...] = ()
    """What its documents state of things that outlive a lane."""
    differing: tuple[tuple[str, bytes], ...] = ()
    """Path and content of files whose difference is not explained yet."""
    said: Said | None = None
    """What its documents and ``lane.yml`` say to other lanes; None where there is nothing."""
    detail: Detail = NO_DETAIL
    """What only those who compare or show lanes ask for."""


def examine(lane: Lane, *, facts: bool = True) -> Examined:
    """Judge one lane by everything that lies in its own folder.

    Args:
        lane: the lane with its packet.
        facts: also keep each fact of the evidence, and not only how many there are, and the detail.
    """
    errors: list[RuleError] = []
    packet = lane.packet
    states = FileStates()
    findings: list[Finding] = []
    claims: tuple[Claim, ...] = ()
    judged: PackedClaims | None = None
    told: tuple[Fact, ...] = ()
    stating: tuple[Fact, ...] | None = None
    if packet is not None:
        states = (
            sound_states(packet)
            if plainly_sound(packet)
            else with_drift(file_states(packet), packet)
        )
        plain, values = _plain_contents(packet) if states.sound else (False, {})
        if not plain:
            findings.extend(_packet_findings(packet, states, lane.evidence, errors))
        judged, found = _evidence(packet, states, lane.evidence, findings, values, errors, facts)
        findings.extend(found)
    if lane.documents or lane.refusals:
        from generator.contradictions.between import kept
        from generator.contradictions.told import of_lane
        from generator.ledger import document_rows
        from generator.rules.base import run
        from generator.rules.context import InLane
        from generator.rules.over_documents import LANE_RULES

        rows = _read(lambda: document_rows(lane, states), "ledger", errors)
        stating = _read(lambda: of_lane(lane), "contradictions", errors)
        subject = InLane(lane, tuple(rows or ()), stating or ())
        claims = tuple(row.claim for row in subject.rows)
        told = kept(subject.facts)
        findings.extend(run(LANE_RULES, subject, errors))
    stated = stated_tree(packet) if packet is not None else None
    return Examined(
        lane=_home(lane),
        has_packet=packet is not None,
        # a sound packet was found to have the tree that it states
        tree=stated if states.sound or packet is None else computed_tree(packet),
        seals=_seals(packet) if packet is not None else {},
        stated_tree=stated,
        states=states,
        claims=claims,
        judged=judged,
        findings=tuple(findings),
        errors=tuple(errors),
        told=told,
        differing=_unexplained(packet, states) if packet is not None else (),
        said=_said(lane, errors),
        detail=_detail(lane, stating or (), errors) if facts else NO_DETAIL,
    )


def _detail(lane: Lane, stating: Sequence[Fact], errors: list[RuleError]) -> Detail:
    from generator.detail import detail_of  # late: a plain verification needs none

    return _read(lambda: detail_of(lane, stating), "detail", errors) or NO_DETAIL


def _home(lane: Lane) -> Lane:
    """Return a lane without what is needed to judge it alone only."""
    documents = tuple(replace(document, passages=()) for document in lane.documents)
    return replace(lane, packet=None, documents=documents)


def _said(lane: Lane, errors: list[RuleError]) -> Said | None:
    if not lane.documents and not lane.meta.pins:
        return None
    from generator.chain.said import said_of  # late: bare packets say nothing

    return _read(lambda: said_of(lane), "chain", errors)


def _read(reader: Callable[[], _Found], rule: str, errors: list[RuleError]) -> _Found | None:
    """Read a lane for rules; where lanebook fails at it, the others are judged all the same."""
    try:
        return reader()
    except Exception as error:
        errors.append(RuleError(rule, f"{type(error).__name__}: {error}"))
        return None


_Found = TypeVar("_Found")


def _packet_findings(
    packet: Packet, states: FileStates, folder: str, errors: list[RuleError]
) -> Iterator[Finding]:
    """Run the rules over a packet; what is plainly sound needs only the one over contents."""
    from generator.rules.base import run
    from generator.rules.json_form import RULE as JSON_RULE
    from generator.rules.manifest_form import IN_OTHER_DIALECT, good_in_other_dialect
    from generator.rules.over_packets import PACKET_RULES

    hint = IN_OTHER_DIALECT if not states.sound and good_in_other_dialect(packet) else ""
    for finding in run((JSON_RULE,) if states.sound else PACKET_RULES, packet, errors):
        if hint and finding.code.startswith(_OF_A_LISTING):
            finding = finding._replace(message=finding.message + hint)
        # what lane.yml declares stands beside the packet, not in it
        inside = finding.where if finding.code == "LANE-PROFILE" else f"{folder}/{finding.where}"
        yield finding._replace(where=inside)


_OF_A_LISTING = ("MAN-", "PATH-", "FILE-")
"""Codes of what only the form of a manifest may be the reason for."""


def _plain_contents(packet: Packet) -> tuple[bool, dict[str, object]]:
    """Tell in one pass whether the rule over contents has nothing to say, and what JSON files say.

    Its module and those beside it take longer to load than a worker needs for fifty packets.
    """
    values: dict[str, object] = {}
    contents = [
        (entry.path, entry.content)
        for entry in packet.entries
        if entry.content is not None and entry.path[-5:].lower() == ".json"
    ]
    if not contents:
        return True, values
    from generator.reading import strictjson

    limits = strictjson.Limits(packet.json_depth, packet.json_digits, packet.json_bytes)
    for path, content in contents:
        good, value = strictjson.certainly(content, limits)
        if not good:
            return False, {}
        if value is not strictjson.LOST:
            values[path] = value
    return True, values


def _evidence(
    packet: Packet,
    states: FileStates,
    folder: str,
    findings: Sequence[Finding],
    values: Mapping[str, object],
    errors: list[RuleError],
    facts: bool,
) -> tuple[PackedClaims | None, list[Finding]]:
    """Judge the evidence files, whose facts are claims; what they say of others they lean on."""
    if not any(entry.path in EVIDENCE_FILES for entry in packet.entries):
        return None, []
    from generator.evidence.base import gather
    from generator.evidence.kinds import KINDS
    from generator.rules.evidence import judge, judge_and_count, told

    unread = {
        finding.where.removeprefix(f"{folder}/")
        for finding in findings
        if finding.code.startswith("JSON-")
    }
    # the states of a sound packet are what its entries say, and need not be unpacked for that
    listed = (
        {entry.path: entry.sha256 for entry in packet.entries if entry.sha256 is not None}
        if states.sound
        else {state.path: state.listed for state in states if state.listed is not None}
    )
    evidence = gather(packet, KINDS, listed, unread, values)
    if facts:
        claims, found = judge(evidence, errors)
        packed = PackedClaims.of(told(claims))
    else:
        counts, found = judge_and_count(evidence, errors)
        packed = PackedClaims(counts, None)
    return packed, [finding._replace(where=f"{folder}/{finding.where}") for finding in found]


def _seals(packet: Packet) -> dict[str, Digest]:
    files = ((MANIFEST, packet.manifest), (TREE, packet.tree))
    return {name: sha256(data) for name, data in files if data is not None}


def _unexplained(packet: Packet, states: FileStates) -> tuple[tuple[str, bytes], ...]:
    if states.sound:
        return ()
    wanted = {
        state.path
        for state in states
        if state.state is State.DIFFERS and state.drift in ("", NOT_SEARCHED)
    }
    if not wanted:
        return ()
    return tuple(
        (entry.path, entry.content)
        for entry in packet.entries
        if entry.path in wanted and entry.content is not None
    )
