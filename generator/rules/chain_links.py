"""A lane cites the tree hash of the lane before it, and no two lanes follow one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.chain.said import Said, Stated
from generator.chain.subject import InChain, Neighbour
from generator.chain.walk import broken, link
from generator.model.finding import Finding
from generator.rules import samples
from generator.rules.base import Code, Rule

_WHY = "What is cited is what holds the lanes together; without it one can be exchanged unseen."
CODES = {
    "CHAIN-TREE": Code(
        "A lane gives a tree hash as that of the lane before it, which has another.",
        _WHY,
        "Find out which packet was meant, and whether the lane before was sealed again since.",
    ),
    "CHAIN-FORK": Code(
        "Two lanes name the same lane as the one before them.",
        "Lanes are a chain: of two that follow one, one does not know what the other did.",
        "Let the later one name the other as the lane before it, and take up what it changed.",
    ),
    "CHAIN-UNCITED": Code(
        "A lane does not cite the tree hash of the lane before it.",
        _WHY,
        "Cite the whole tree hash of the lane before in the preflight of the next document.",
    ),
}


def check(subject: InChain) -> Iterator[Finding]:
    """Look at how the lane is tied to the one before it, and who else claims that place."""
    if subject.rivals:
        yield Finding(
            "CHAIN-FORK",
            "lane.yml",
            subject.before.id if subject.before is not None else "",
            subject.rivals[0],
            f"{subject.rivals[0]}/lane.yml names the same lane as the one before it.",
        )
    before = subject.before
    if before is None:
        return
    wrong = broken(subject)
    if wrong is not None:
        tree = before.trees[0]
        whose = subject.others.lane_of_tree.get(wrong.value, "")
        message = f"{before.id} has another tree hash: {before.id}/{tree.where}."
        if whose and whose != before.id:
            message += f" The one that is given is that of {whose}."
        yield Finding("CHAIN-TREE", wrong.where, wrong.value, tree.value, message)
    elif subject.speaks and before.trees and not before.cited and not subject.said.trees_before:
        tie = link(subject)
        place = next(
            (one.where for one in subject.said.statuses if one.value == before.status),
            subject.said.status_where,
        )
        tree = before.trees[0]
        yield Finding(
            "CHAIN-UNCITED",
            place or "lane.yml",
            before.status if tie.kind == "status only" else "",
            tree.value,
            f"Linked by {'its status' if tie.kind == 'status only' else 'name'} only: the tree hash"
            f" of the lane before is not cited; it stands in {before.id}/{tree.where}.",
            severity="note",
        )


_TREE = samples.other_digest()
_BEFORE = Neighbour(
    "before",
    "BEFORE_WAS_READY",
    "report.json#/final_status",
    (Stated(_TREE, "evidence/HASH_MANIFEST.txt"),),
    True,
    "report.json#/preflight/previous_packet_tree_sha256",
)


def _subject(tree: str) -> InChain:
    place = "report.json#/preflight/previous_packet_tree_sha256"
    cited = (Stated(tree, place, "previous_packet_tree_sha256"),) if tree else ()
    return InChain(
        "sample",
        Said("SAMPLE_IS_READY", "report.json#/final_status", trees_before=cited),
        before=_BEFORE if tree else _BEFORE._replace(cited=""),
    )


RULE = Rule(
    name="chain-links",
    protects="against a lane that can be exchanged without the next one noticing",
    codes=CODES,
    check=check,
    sound=lambda: _subject(_TREE),
    controls={
        "CHAIN-TREE": lambda: _subject("0" * 64),
        "CHAIN-FORK": lambda: replace(_subject(_TREE), rivals=("other",)),
        "CHAIN-UNCITED": lambda: _subject(""),
    },
)
