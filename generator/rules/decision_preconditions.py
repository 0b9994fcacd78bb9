"""The preconditions of a decision packet are the blockers of its lane, as they stand (spec 3).

The blocker map of the evidence has the word, else that of the machine report, else a table of
another document. What a document words differently is no difference; what it counts as closed, or
as further, is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from generator.ballots import Ballot, ballots
from generator.facts import PROGRESS, Blocker, blockers_in_list, blockers_in_table, lane_facts
from generator.model.digest import Digest
from generator.model.document import Document, DocumentKind
from generator.model.finding import Finding
from generator.model.lane import Lane
from generator.names import visible
from generator.rules import samples
from generator.rules.ballot_samples import BLOCKERS, MAP, lane
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-PRECONDITIONS": Code(
        "The preconditions of a decision packet are not the blockers of its lane.",
        "The owner decides on another state of things than the lane found.",
        "Take every open blocker over into the decision packet, in the state in which it stands.",
    ),
    "DECISION-MAP": Code(
        "A decision packet cites another blocker map than its evidence has.",
        "It was written on another state of things than the one that is sealed beside it.",
        "Write the decision packet again on the sealed map, and cite the digest of its bytes.",
    ),
}


def check(subject: InLane) -> Iterator[Finding]:
    """Hold the blockers that each decision packet lists against those of the lane."""
    documents = {document.name: document for document in subject.lane.documents}
    sealed = _sealed(subject.lane)
    for ballot in ballots(subject.lane.documents):
        if sealed is not None:
            yield from _cited(ballot, sealed[1])
        rows = _stated(ballot, documents[ballot.document])
        if not rows and ballot.preconditions != []:
            continue
        known, whole = _known(subject.lane, ballot, sealed)
        if known:
            yield from _compared(rows, known, ballot, whole=whole)


def _sealed(lane: Lane) -> tuple[tuple[Blocker, ...], Digest] | None:
    """Return the blockers of the sealed map, with the digest of its bytes; none where none is."""
    if lane.packet is None:
        return None
    entry = next((one for one in lane.packet.entries if one.path == MAP), None)
    if entry is None or entry.sha256 is None:
        return None
    from generator.errors import InputError
    from generator.reading import strictjson

    try:
        value = strictjson.loads(entry.content or b"", where=MAP)
    except InputError:
        return (), entry.sha256  # a finding of its own
    rows = value.get("blockers") if isinstance(value, dict) else None
    return tuple(_rows(rows, f"{lane.evidence}/{MAP}#")), entry.sha256


def _rows(value: object, pointer: str) -> Iterator[Blocker]:
    """Read a list of blockers; a progress that stands beside the state is the one that counts."""
    listed = value if isinstance(value, list) else []
    for row, blocker in zip(listed, blockers_in_list({"blockers": listed}, pointer), strict=True):
        progress = row.get("progress") if isinstance(row, dict) else None
        if isinstance(progress, str) and progress in PROGRESS:
            blocker = replace(blocker, progress=progress)
        yield blocker


def _stated(ballot: Ballot, document: Document) -> tuple[Blocker, ...]:
    if document.kind is DocumentKind.MACHINE_REPORT:
        return tuple(_rows(ballot.preconditions, f"{ballot.where}/preconditions"))
    return tuple(
        row for table in document.tables for row in blockers_in_table(table, document.name)
    )


def _known(
    lane: Lane, ballot: Ballot, sealed: tuple[tuple[Blocker, ...], Digest] | None
) -> tuple[Sequence[Blocker], bool]:
    """Return the blockers of the lane, and whether these are all of them."""
    if sealed is not None and sealed[0]:
        return sealed[0], True
    for document in lane.documents:
        data = document.data
        if document.kind is DocumentKind.MACHINE_REPORT and isinstance(data, dict):
            stated = data.get("production_blocker_map")
            if isinstance(stated, dict):
                listed = tuple(_rows(stated.get("blockers"), f"{document.name}#/blockers"))
                if listed:
                    return listed, True
                return lane_facts((document,)).blockers, False
    for document in lane.documents:
        if document.name != ballot.document and document.kind is not DocumentKind.DECISION_PACKET:
            for table in document.tables:
                listed = tuple(blockers_in_table(table, document.name))
                if listed:
                    return listed, True
    return (), False


def _compared(
    rows: Sequence[Blocker], known: Sequence[Blocker], ballot: Ballot, *, whole: bool
) -> Iterator[Finding]:
    stated = _worst(rows)
    there = _worst(known)
    for name, row in stated.items():
        other = there.get(name)
        if other is None:
            if whole:
                yield _finding(row.where, f"{name}: {row.state}", "not listed", known[0].where)
        elif row.open != other.open or row.progress not in ("none", other.progress):
            yield _finding(row.where, f"{name}: {row.state}", f"{name}: {other.state}", other.where)
    for name, other in there.items():
        if whole and other.open and name not in stated:
            yield _finding(ballot.where, "not listed", f"{name}: {other.state}", other.where)


def _worst(rows: Sequence[Blocker]) -> Mapping[str, Blocker]:
    """Return one row an id: of several, the one that leaves it open."""
    found: dict[str, Blocker] = {}
    for row in rows:
        if row.id not in found or (row.open and not found[row.id].open):
            found[row.id] = row
    return found


def _finding(where: str, stated: str, computed: str, against: str) -> Finding:
    return Finding(
        "DECISION-PRECONDITIONS",
        where,
        visible(stated, 160),
        visible(computed, 160),
        f"The precondition is not the blocker of {visible(against, 160)}.",
    )


def _cited(ballot: Ballot, digest: Digest) -> Iterator[Finding]:
    for said in ballot.maps:
        if said.text != digest:
            yield Finding(
                "DECISION-MAP",
                said.where,
                visible(said.text, 80),
                digest,
                f"The decision packet cites another blocker map than {MAP} of its evidence.",
            )
            return


RULE = Rule(
    name="decision-preconditions",
    protects="against a decision on another state of things than the lane found",
    codes=CODES,
    check=check,
    sound=lane,
    controls={
        "DECISION-PRECONDITIONS": lambda: lane(
            preconditions=[(BLOCKERS[0][0], "closed"), *BLOCKERS[1:]]
        ),
        "DECISION-MAP": lambda: lane(map_cited=samples.other_digest()),
    },
)
