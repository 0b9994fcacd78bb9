"""The words, marks and classes in which results are shown; colour is never the only one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from generator.model.digest import is_digest
from generator.model.finding import Claim
from generator.model.outcome import Agreement, Integrity, Level, Outcome
from generator.model.packet import State

if TYPE_CHECKING:
    from generator.model.verdict import LaneVerdict


class Mark(NamedTuple):
    """A sign, its word, and the class that colours both."""

    sign: str
    word: str
    css: str


RECOMPUTED = Mark("●", "recomputed", "lb-recomputed")
CROSS_CHECKED = Mark("◐", "cross-checked", "lb-crosschecked")
CLAIMED_ONLY = Mark("○", "claimed only", "lb-claimed")
REFUTED = Mark("▲", "refuted", "lb-refuted")

LEVEL_IDS = {
    REFUTED.word: "refuted",
    CLAIMED_ONLY.word: "claimed",
    CROSS_CHECKED.word: "crosschecked",
    RECOMPUTED.word: "recomputed",
}
"""Word of a level to the anchor of the first that is known so; what is worst comes first."""

_BY_LEVEL = {
    Level.RECOMPUTED: RECOMPUTED,
    Level.CROSS_CHECKED: CROSS_CHECKED,
    Level.CLAIMED_ONLY: CLAIMED_ONLY,
}


def of_claim(claim: Claim) -> Mark:
    """Return how a claim is known; what differs is refuted, however it was looked at."""
    return REFUTED if claim.agreement is Agreement.DIFFERS else _BY_LEVEL[claim.level]


def of_state(state: State) -> Mark:
    """Return the mark of a file's state; bytes that are not here are never green."""
    if state is State.MATCH:
        return RECOMPUTED._replace(word=state)
    if state is State.HELD_ELSEWHERE:
        return CROSS_CHECKED._replace(word=state)
    return REFUTED._replace(word=state)


def of_integrity(integrity: Integrity) -> Mark:
    """Return the mark of a packet's integrity."""
    if integrity.green:
        return RECOMPUTED._replace(word=integrity)
    if integrity in (Integrity.CLAIMS_ONLY, Integrity.UNSEALED):
        return CLAIMED_ONLY._replace(word=integrity)
    return REFUTED._replace(word=integrity)


def of_outcome(outcome: Outcome) -> Mark:
    """Return the mark of a derived outcome; only pass and fail have a colour."""
    if outcome is Outcome.PASS:
        return RECOMPUTED._replace(word=outcome)
    if outcome is Outcome.FAIL:
        return REFUTED._replace(word=outcome)
    return CLAIMED_ONLY._replace(word=outcome)


def shown(text: str | None) -> dict[str, str]:
    """Return a value for the page: a digest is short there and whole on hover and copy."""
    value = text or ""
    digest = value if is_digest(value) else ""
    return {"digest": digest, "text": "" if digest else value, "shown": value}


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


_REACH = {
    Integrity.PINNED: "Its tree hash is the one in pins.yml, outside all packets.",
    Integrity.CITED: "Its tree hash stands in a document; that shows what was cited, not by whom.",
    Integrity.CONSISTENT: (
        "Its own hashes fit together; that alone shows neither who wrote it nor that it is the"
        " newest."
    ),
    Integrity.CLAIMS_ONLY: (
        "No evidence packet came with this lane. Everything below is as stated by its documents."
    ),
    Integrity.UNSEALED: "The packet has no complete seal; nothing says which bytes were approved.",
    Integrity.REFUTED: "The packet is not the one that was sealed.",
    Integrity.REFUSED: "The packet could not be read in full, or holds what a packet may not hold.",
}


def reach(integrity: Integrity) -> str:
    """Say in one sentence how far a packet's seal goes."""
    return _REACH[integrity]


def headline(lane: LaneVerdict) -> tuple[Mark, str]:
    """Return the one line above everything else on a lane's pages."""
    refuting = len(lane.refuting)
    if lane.integrity is Integrity.REFUSED:
        return REFUTED, f"This lane is refused: {plural(refuting, 'finding')}"
    if refuting:
        return REFUTED, f"This lane is refuted by {plural(refuting, 'finding')}"
    if lane.errors:
        return CLAIMED_ONLY, "No verdict: a rule of lanebook failed on this lane"
    if lane.integrity is Integrity.CLAIMS_ONLY:
        return CLAIMED_ONLY, "Claims only: nothing here was verified"
    if lane.integrity is Integrity.UNSEALED:
        return CLAIMED_ONLY, "Not sealed: nothing here was verified"
    return (
        RECOMPUTED,
        f"Every sealed byte was hashed again and fits its seal: the packet is {lane.integrity}",
    )


def link_words(lane: LaneVerdict) -> str:
    """Say how a lane is tied to the one before it."""
    return {
        "hash": "by hash",
        "hash as stated": "by hash as stated",
        "broken": "badly: it cites another tree hash",
        "status only": "by status only",
        "named only": "by name only",
    }.get(lane.link.kind, "first of its chain")
