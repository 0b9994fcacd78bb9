"""A decision packet says on which evidence it was written: by its tree hash, whole (spec 3)."""

from __future__ import annotations

from collections.abc import Iterator

from generator.ballots import ballots, cites
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.ballot_samples import lane
from generator.rules.base import Code, Rule
from generator.rules.context import InLane
from generator.states import computed_tree

CODES = {
    "DECISION-UNBOUND": Code(
        "A decision packet does not cite the tree hash of the evidence beside it.",
        "Nothing shows that the owner decides on the evidence that lies here, and not on another.",
        "Write the whole tree hash, as computed, into the document that holds the decision packet.",
    ),
}


def check(subject: InLane) -> Iterator[Finding]:
    """Look in each document that holds a decision packet for the tree hash of the lane's packet.

    A lane without a packet has none: what its documents cite is claimed only.
    """
    packet = subject.lane.packet
    found = ballots(subject.lane.documents) if packet is not None else ()
    tree = computed_tree(packet) if found and packet is not None else None
    if tree is None:
        return
    documents = {document.name: document for document in subject.lane.documents}
    for ballot in {ballot.document: ballot for ballot in reversed(found)}.values():
        if not cites(documents[ballot.document], tree):
            stated = next((said.text for said in ballot.trees), "")
            yield Finding(
                "DECISION-UNBOUND",
                ballot.where,
                visible(stated, 80),
                tree,
                "The decision packet cites another tree hash, or only a part of one."
                if stated
                else "The decision packet cites no tree hash.",
            )


RULE = Rule(
    name="decision-bound",
    protects="against a decision on evidence that is not there",
    codes=CODES,
    check=check,
    sound=lane,
    controls={"DECISION-UNBOUND": lambda: lane(bound=False)},
)
