"""The delegation that a lane consumed was offered before, or is recorded as given outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.chain.said import Said, Stated
from generator.chain.subject import InChain, Past
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.base import Code, Rule

_WHY = "A lane acts on a decision; one that nobody was asked for, nobody can have given."
_TODO = (
    "Name the decision packet that offered it, or record where it was given: 'delegation: outside,"
    " by whom' in lane.yml."
)
CODES = {
    "DELEGATION-UNOFFERED": Code(
        "A lane consumed a delegation that no decision packet before it offers.", _WHY, _TODO
    ),
    "DELEGATION-UNKNOWN": Code(
        "A lane consumed a delegation, and there is no decision packet before it.", _WHY, _TODO
    ),
}
_MOST = 20


def check(subject: InChain) -> Iterator[Finding]:
    """Look for the delegation among the options of the decision packets before."""
    consumed, packet = subject.said.delegation, subject.past.packet
    if consumed is None or subject.said.outside or consumed.value in subject.past.offers:
        return
    if packet is None:
        yield Finding(
            "DELEGATION-UNKNOWN",
            consumed.where,
            consumed.value,
            "",
            "No decision packet of a lane before it is here, and nothing records that it was given"
            " outside one.",
            severity="note",
        )
        return
    options = ", ".join(visible(one, 80) for one in packet.options[:_MOST])
    yield Finding(
        "DELEGATION-UNOFFERED",
        consumed.where,
        consumed.value,
        options,
        f"The newest decision packet before it offers these: {packet.lane}/{packet.where}."
        " Nothing records that it was given outside one.",
    )


def _subject(token: str) -> InChain:
    past = Past()
    past.add(
        "before",
        Said(options=("HOLD_PRODUCTION", "AUTHORIZE_CLONE"), options_where="decision-packet.md"),
    )
    consumed = Stated(token, "report.json#/delegated_decision_consumed")
    return InChain("sample", Said(delegation=consumed), past=past)


RULE = Rule(
    name="delegations",
    protects="against lanes that act on a decision that nobody was asked for",
    codes=CODES,
    check=check,
    sound=lambda: _subject("AUTHORIZE_CLONE"),
    controls={
        "DELEGATION-UNOFFERED": lambda: _subject("AUTHORIZE_EVERYTHING"),
        "DELEGATION-UNKNOWN": lambda: replace(_subject("AUTHORIZE_CLONE"), past=Past()),
    },
)
