"""A recorded decision is of a lane that exists, of an option that it offers, and still fits.

A decision is stale when what it was taken on has changed: the evidence tree, the blocker map over
all lanes, the decision packet, or the verdict on the lane. That refutes nothing, as nobody said
anything wrong: it is told as a note, and the decision counts no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from generator.ballots import executes
from generator.canonical import digest_of
from generator.model.decision import (
    BlockerMap,
    BlockerState,
    Bound,
    Change,
    Decision,
    DecisionFile,
    PacketDocument,
)
from generator.model.digest import Digest, sha256
from generator.model.finding import Finding
from generator.names import visible
from generator.reading.decisions import MOST_BYTES, read_one
from generator.records import canonical_map, encoded
from generator.rules.ballot_samples import EXECUTE, HOLD, OPTIONS
from generator.rules.base import Code, Rule

_RECORD_AGAIN = (
    "Record the decision with 'lanebook decide', and take the bad file out of decisions/."
)
CODES = {
    "DECIDED-NAME": Code(
        "An entry of decisions/ is not named after a lane and a number, or not after its own lane.",
        "Nobody could tell which decision it is, and which one came later.",
        _RECORD_AGAIN,
    ),
    "DECIDED-FORM": Code(
        "A record in decisions/ is damaged, or not in the form that a record has.",
        "What an owner decided must be readable in one way only.",
        _RECORD_AGAIN,
    ),
    "DECIDED-LIMIT": Code(
        "A record in decisions/ is too large, or there are too many of them.",
        "A decision is a few lines; nothing is read past the limit.",
        "Take out of decisions/ what is no decision.",
    ),
    "DECIDED-LANE": Code(
        "A decision is recorded for a lane that is not there.",
        "What was decided on cannot be looked at, or its lane was taken away.",
        "Put the lane back, or take the record out with a commit that says why.",
    ),
    "DECIDED-OPTION": Code(
        "The recorded option is none that the decision packet of the lane offers.",
        "An owner can only decide for what was put to them.",
        "Record one of the options that the decision packet offers.",
    ),
    "DECIDED-OPEN": Code(
        "An option that executes was recorded while blockers were open, and the record hides it.",
        "Whoever reads the record would think that nothing stood in the way.",
        "Record it again with --despite-open-blockers, or close the blockers first.",
    ),
    "DECIDED-GAP": Code(
        "The decisions of a lane are not numbered from 1 without a gap.",
        "A record was taken away, and with it what an owner had decided.",
        "Put the missing record back; git still has it.",
    ),
    "DECIDED-DATE": Code(
        "A decision is dated before an earlier one of the same lane.",
        "It would look as if the older decision were the newer one.",
        "Record the decision with the day on which it was taken.",
    ),
    "DECIDED-STALE": Code(
        "What a recorded decision was taken on has changed since.",
        "The owner decided on another state of things than the one that is here now.",
        "Show the owner what changed, and record what they decide now.",
    ),
}
_MOST = 10


@dataclass(frozen=True, slots=True)
class Basis:
    """What a decision on one lane is bound to as it is now."""

    lane: str
    options: tuple[str, ...]
    tree: Digest | None
    documents: tuple[PacketDocument, ...]
    against: str = ""
    """Why nobody could decide on the lane now; empty where somebody could."""


@dataclass(frozen=True, slots=True)
class OnRecord:
    """One entry of ``decisions/`` with what is known around it."""

    file: DecisionFile
    basis: Basis | None
    """None where there is no such lane."""
    map: BlockerMap
    before: DecisionFile | None = None
    """The record of the same lane with the next lower number."""
    superseded: bool = False
    """Whether a later decision of the lane stands on record."""
    doubtful: str = ""
    """A later record of the lane that is refused, so that nobody knows what it decided."""


def check(subject: OnRecord) -> Iterator[Finding]:
    """Hold one record against its lane, the blocker map and the records before it."""
    file, decision = subject.file, subject.file.decision
    if file.refusal is not None:
        yield file.refusal
    if file.number:
        yield from _numbered(file, subject.before)
    if decision is None:
        return
    basis = subject.basis
    if basis is None:
        yield _finding(
            "DECIDED-LANE", file, decision.lane, "no such lane", "The lane is not there."
        )
        return
    if decision.option not in basis.options and _must_be_offered(subject, basis):
        yield _finding(
            "DECIDED-OPTION",
            file,
            decision.option,
            "; ".join(visible(option, 80) for option in basis.options[:_MOST]),
            "The decision packet does not offer this option.",
        )
        return
    hidden = [name for name in decision.bound.map.open if name not in decision.despite]
    if executes(decision.option) and hidden:
        yield _finding(
            "DECIDED-OPEN",
            file,
            "; ".join(visible(name, 80) for name in decision.despite[:_MOST]),
            "; ".join(visible(name, 80) for name in decision.bound.map.open[:_MOST]),
            "Blockers were open when it was recorded, and it does not name them.",
        )
    changed = changes(decision.bound, basis, subject.map, subject.doubtful)
    if changed and not subject.superseded:
        yield _finding(
            "DECIDED-STALE",
            file,
            changed[0].was,
            changed[0].now,
            changed_words(changed),
        )._replace(severity="note")


def changed_words(changed: Sequence[Change]) -> str:
    """Say in one sentence what changed."""
    return f"Changed since it was recorded: {', '.join(change.what for change in changed)}."


def _must_be_offered(subject: OnRecord, basis: Basis) -> bool:
    """A decision that was overtaken may be of a packet that is no longer there; no other may."""
    decision = subject.file.decision
    same = decision is not None and decision.bound.documents == basis.documents
    return same or not subject.superseded


def _numbered(file: DecisionFile, before: DecisionFile | None) -> Iterator[Finding]:
    expected = before.number + 1 if before is not None else 1
    if file.number != expected:
        missing = f"{file.lane}.{expected}.json"
        yield _finding("DECIDED-GAP", file, str(file.number), missing, "A record is missing.")
    if file.decision is not None and before is not None and before.decision is not None:
        earlier = before.decision.decided_on
        if file.decision.decided_on < earlier:
            yield _finding(
                "DECIDED-DATE",
                file,
                file.decision.decided_on,
                earlier,
                "It is dated before the decision that it follows.",
            )


def _finding(code: str, file: DecisionFile, stated: str, computed: str, message: str) -> Finding:
    return Finding(code, file.name, visible(stated, 160), visible(computed, 160), message)


def changes(bound: Bound, basis: Basis, now: BlockerMap, doubtful: str = "") -> tuple[Change, ...]:
    """Return what a decision was taken on and is no longer as it was."""
    found = []
    if bound.tree != basis.tree:
        found.append(
            Change("the evidence tree", bound.tree or "no packet", basis.tree or "no packet")
        )
    if bound.map.digest != now.digest:
        found.append(
            Change(
                "the blocker map",
                bound.map.digest,
                now.digest,
                _moved(bound.map.blockers, now.blockers),
            )
        )
    if bound.documents != basis.documents:
        was = [one for one in bound.documents if one not in basis.documents]
        now_is = [one for one in basis.documents if one not in bound.documents]
        found.append(Change("the decision packet", _named(was), _named(now_is)))
    if basis.against:
        found.append(Change("the verdict on the lane", "nothing refuted", basis.against))
    if doubtful:
        found.append(Change("the records of the lane", "none later", f"{doubtful}, refused"))
    return tuple(found)


def _named(documents: Sequence[PacketDocument]) -> str:
    return "; ".join(f"{visible(one.name, 80)} {one.sha256}" for one in documents) or "no other"


def _moved(was: Sequence[BlockerState], now: Sequence[BlockerState]) -> str:
    """Say of each blocker that changed from what to what; the first ones only."""
    before, after = ({row.id: row for row in rows} for rows in (was, now))
    told = []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one != other:
            states = (state.words if state is not None else "not named" for state in (one, other))
            told.append(
                f"{visible(name, 100)}: {' → '.join(visible(word, 160) for word in states)}"
            )
    more = f"; and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + more


# --- samples ---

_BLOCKERS = (BlockerState("SAMPLE-P0-GRANT-1", True, "none"),)
_MAP = BlockerMap(digest_of(canonical_map(_BLOCKERS)), _BLOCKERS)
_TREE = sha256(b"tree")
_DOCUMENTS = (PacketDocument("report.json", sha256(b"report")),)
_BASIS = Basis("sample", OPTIONS, _TREE, _DOCUMENTS)


_TAKEN = Decision("sample", HOLD, "an owner", "2026-06-12", "", Bound(_TREE, _MAP, _DOCUMENTS))


def _subject(
    decision: Decision = _TAKEN, number: int = 1, basis: Basis | None = _BASIS
) -> OnRecord:
    """Return a decision as it is read from its record."""
    return OnRecord(read_one(f"sample.{number}.json", encoded(decision)), basis, _MAP)


def _read(name: str, data: bytes) -> OnRecord:
    return OnRecord(read_one(name, data), _BASIS, _MAP)


RULE = Rule(
    name="decided",
    protects="against a decision that nobody took, or that was taken on something else",
    codes=CODES,
    check=check,
    sound=_subject,
    controls={
        "DECIDED-NAME": lambda: _read("sample.json", encoded(_TAKEN)),
        "DECIDED-FORM": lambda: _read("sample.1.json", encoded(_TAKEN)[:-3]),
        "DECIDED-LIMIT": lambda: _read("sample.1.json", b" " * (MOST_BYTES + 1)),
        "DECIDED-LANE": lambda: _subject(basis=None),
        "DECIDED-OPTION": lambda: _subject(
            _TAKEN._replace(option="EXECUTE_AT_ONCE", despite=_MAP.open)
        ),
        "DECIDED-OPEN": lambda: _subject(_TAKEN._replace(option=EXECUTE)),
        "DECIDED-GAP": lambda: _subject(number=2),
        "DECIDED-DATE": lambda: replace(
            _subject(_TAKEN._replace(decided_on="2026-06-11"), 2), before=_subject().file
        ),
        "DECIDED-STALE": lambda: _subject(basis=replace(_BASIS, tree=sha256(b"another tree"))),
    },
)
