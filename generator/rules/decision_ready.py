"""An option that executes is never shown as ready while a blocker is open (spec 3).

Where a lane lists no blocker, or closes them all without evidence, nobody knows that none is open:
then nothing is ready either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.ballots import Ballot, ballots, executes
from generator.facts import lane_facts
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.ballot_samples import EXECUTE, lane, listed
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-READY": Code(
        "A decision packet shows execution as ready while a blocker is open.",
        "An owner who sees that it is ready does not ask what still stands in the way.",
        "Say of the option what must be closed first; it is ready when every blocker is closed.",
    ),
}
_STATE = re.compile(
    r"(?i)\b(?:ready|available|unlocked|cleared|approved|authori[sz]ed|granted|enabled|permitted"
    r"|allowed|go|green|true|open for (?:use|selection))\b"
)
_UNDER_CONDITION = (
    r"not|no|none|never|nothing|cannot|neither|nor|until|unless|if|when|(?<!at )once|after|before"
    r"|only|requires?|required|needs?|pending|subject|must|should|would|could|later|blocked|locked"
)
_HELD_BACK = re.compile(rf"(?i)\b(?:{_UNDER_CONDITION})\b|n't\b")
_ACT = r"(?:production|execut\w+|appl(?:y\w*|ied|ication)|cut-?over|deploy\w*|go[- ]live|change)"
_FREE = (
    r"(?:ready|available|unlocked|cleared|approved|authori[sz]ed|permitted|allowed|enabled|granted)"
)
_PROSE = re.compile(
    rf"(?i)\b(?:ready (?:for|to)\b(?: \w+){{0,3}}? {_ACT}\b"
    rf"|(?:cleared|approved|safe|good) (?:for|to)\b(?: \w+){{0,3}}? {_ACT}\b"
    rf"|{_ACT} (?:is|are|has been|stands)(?: now)? {_FREE}\b"
    rf"|(?:may|can)(?: now)? (?:proceed|go ahead)\b"
    rf"|{_ACT} (?:may|can) (?:now )?(?:start|begin|run|happen)\b"
    r"|(?:go[- ]ahead|green light) (?:is |was |has been )?(?:given|granted))"
)
_ELSEWHERE = re.compile(
    r"(?i)\b(?:rehears\w+|dry-?run|pre-?checks?|clone|read-only|scoping|design|sandbox|staging)\b"
)
"""What may well proceed without touching production."""
_UNOBSTRUCTED = re.compile(
    r"(?i)\b(?:nothing (?:\w+ ){0,2}?stands? in (?:the|its) way"
    r"|no (?:open |more )?(?:blockers?|obstacles?|preconditions?) (?:remains?|left|stands?|is|are)"
    r"|(?:all|every) (?:\w+ ){0,2}?(?:blockers?|preconditions?) (?:is |are |has been |have been )?"
    r"(?:now )?(?:closed|met|cleared|resolved|fulfilled))\b"
)
_CONDITION = re.compile(
    r"(?i)\b(?:not|never|until|unless|if|when|once|after|before|only|requires?|required|needs?"
    r"|must|should|would|could|later|as soon as|provided)\b|n't\b"
)
_TOUCHES = re.compile(
    r"(?i)\b(?:appl(?:y|ies|ied)|execut(?:e|es|ed)|deploy(?:s|ed)?|commits?|migrates?|activates?)\b"
    r"[^.;]{0,60}?\bproduction\b"
)
"""What an option that holds, or stops short of production by its name, may not be said to do."""
_LONGEST = 600


def check(subject: InLane) -> Iterator[Finding]:
    """Look at the states of options that execute, and for sentences that set execution free."""
    found = ballots(subject.lane.documents)
    if not found:
        return
    blockers = lane_facts(subject.lane.documents).blockers
    open_now = sum(blocker.open for blocker in blockers)
    if blockers and not open_now and subject.lane.packet is not None:
        return
    standing = (
        f"blockers open: {open_now}"
        if open_now
        else "closed without evidence"
        if blockers
        else "no blocker listed"
    )
    for ballot in found:
        for stated, where in dict.fromkeys(_set_free(ballot)):
            yield Finding(
                "DECISION-READY",
                where,
                visible(stated, 160),
                standing,
                "Execution is shown as ready.",
            )


def _set_free(ballot: Ballot) -> Iterator[tuple[str, str]]:
    own: set[str] = set()
    for listing in ballot.listings:
        for choice in listing:
            own.add(choice.where)
            status = choice.status[:_LONGEST]
            if not executes(choice.token):
                if _touches(choice.means):
                    yield f"{choice.token}: {choice.means}", choice.where
                continue
            if _STATE.search(status) and not _HELD_BACK.search(status):
                yield f"{choice.token}: {status}", choice.where
            elif _says_so(choice.means):
                yield choice.means, choice.where
    for said in ballot.sentences:
        if said.where not in own and _says_so(said.text):
            yield said.text, said.where


def _touches(means: str) -> bool:
    means = means[:_LONGEST]
    if _TOUCHES.search(means) is None:
        return False
    return _HELD_BACK.search(means) is None and _ELSEWHERE.search(means) is None


def _says_so(text: str) -> bool:
    text = text[:_LONGEST]
    if _UNOBSTRUCTED.search(text) is not None and _CONDITION.search(text) is None:
        return True
    if _PROSE.search(text) is None:
        return False
    return _HELD_BACK.search(text) is None and _ELSEWHERE.search(text) is None


RULE = Rule(
    name="decision-ready",
    protects="against execution that is shown as ready while something stands in its way",
    codes=CODES,
    check=check,
    sound=lane,
    controls={
        "DECISION-READY": lambda: lane(lines=listed(remarks={EXECUTE: "ready"})),
    },
)
