"""A decision packet selects nothing, and has one default, which holds (spec 3)."""

from __future__ import annotations

from collections.abc import Iterator

from generator.facts import lane_facts
from generator.model.digest import sha256
from generator.model.document import Document, DocumentKind
from generator.model.finding import Finding
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InLane

CODES = {
    "DECISION-SELECTED": Code(
        "A decision packet states a selection.",
        "It puts options to an owner; one that is selected already steers the decision.",
        "Take the selection out of the packet; a decision is recorded by its owner, elsewhere.",
    ),
    "DECISION-DEFAULT": Code(
        "A decision packet does not have exactly one default that holds.",
        "What happens if nobody decides must be that nothing happens.",
        "State one default, and let it be the option that holds.",
    ),
}
_OPTIONS = ["HOLD_PRODUCTION", "AUTHORIZE_PRODUCTION_EXECUTION"]


def check(subject: InLane) -> Iterator[Finding]:
    """Look at the packet's selection and at its defaults."""
    packet = lane_facts(subject.lane.documents).decision
    if packet is None:
        return
    if packet.selected:
        yield Finding(
            "DECISION-SELECTED",
            packet.where,
            visible(packet.selected, 160),
            "nothing",
            "The decision packet states a selection.",
        )
    if not packet.holds:
        stated = "; ".join(visible(one, 80) for one in packet.defaults)
        yield Finding(
            "DECISION-DEFAULT",
            packet.where,
            stated,
            "one default that holds",
            "The decision packet does not have exactly one default that holds.",
        )


def _lane(selected: object, default: object) -> InLane:
    packet = {"default": default, "selected": selected, "options": _OPTIONS}
    report = Document(
        name="report.json",
        kind=DocumentKind.MACHINE_REPORT,
        sha256=sha256(b"report"),
        size=6,
        title="sample",
        date="",
        status=None,
        data={"workstream_F_decision_packet": packet},
    )
    return InLane.of(samples.lane([report]))


RULE = Rule(
    name="decision-packet",
    protects="against a decision packet that decides",
    codes=CODES,
    check=check,
    sound=lambda: _lane(None, "HOLD_PRODUCTION"),
    controls={
        "DECISION-SELECTED": lambda: _lane(["EXECUTE_NOW"], "HOLD_PRODUCTION"),
        "DECISION-DEFAULT": lambda: _lane(None, "LIFT_HOLD_AND_EXECUTE"),
    },
)
