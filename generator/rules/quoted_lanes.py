"""A preflight that quotes another lane quotes what that lane says (spec 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.chain.said import Said, Stated
from generator.chain.subject import InChain, Neighbour, Others
from generator.model.digest import fits
from generator.model.finding import Finding
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule

_WHY = "A preflight says on what a lane stands; what it quotes is believed by who reads no further."
_TODO = "Look up what the quoted lane says, and quote that."
CODES = {
    "PREFLIGHT-STATUS": Code(
        "A preflight quotes a status of a lane, and that lane states another.", _WHY, _TODO
    ),
    "PREFLIGHT-TREE": Code(
        "A preflight quotes a tree hash of a lane, and that lane has another.", _WHY, _TODO
    ),
}
_OF_BEFORE = re.compile(r"\b(?:previous|prior|predecessor)\b", re.IGNORECASE)
_DOTS = re.compile(r"(?:\.{3}|…)_?")
_MOST_ABBREVIATED = 50
"""Abbreviated statuses of one lane that are looked up."""


def check(subject: InChain) -> Iterator[Finding]:
    """Hold every status and tree hash that is quoted against the lane that is meant."""
    abbreviated = 0
    for quoted in subject.said.statuses:
        if _DOTS.match(quoted.value):
            abbreviated += 1
            if abbreviated <= _MOST_ABBREVIATED:
                yield from _shortened(quoted, subject)
        else:
            yield from _whole(quoted, subject)
    for quoted in subject.said.trees:
        lane = subject.others.named(quoted.key.partition("/")[2] or quoted.key)
        known = subject.others.trees_of.get(lane, ()) if lane != subject.lane else ()
        if known and not any(fits(quoted.value, tree.value) for tree in known):
            yield Finding(
                "PREFLIGHT-TREE",
                quoted.where,
                quoted.value,
                known[0].value,
                f"{lane} has another tree hash: {lane}/{known[0].where}.",
            )


def _meant(quoted: Stated, subject: InChain) -> str:
    """Return the lane that the key of a quote names; empty where it names none."""
    lane = subject.others.named(quoted.key) if quoted.key else ""
    if not lane and subject.before is not None and _OF_BEFORE.search(quoted.key):
        lane = subject.before.id
    return "" if lane == subject.lane else lane


def _whole(quoted: Stated, subject: InChain) -> Iterator[Finding]:
    others = subject.others
    lane = _meant(quoted, subject)
    stated = others.status_of.get(lane)
    if stated is not None and stated.value != quoted.value:
        # a preflight may say other things of a lane than its status
        if quoted.value in others.lane_of or others.near(quoted.value) == stated.value:
            yield _wrong(quoted, lane, stated)
        return
    if stated is not None or quoted.value in others.lane_of:
        return
    near = others.near(quoted.value)
    if near and others.lane_of[near] != subject.lane:
        lane = others.lane_of[near]
        yield _wrong(quoted, lane, others.status_of[lane])


def _shortened(quoted: Stated, subject: InChain) -> Iterator[Finding]:
    others = subject.others
    lane = _meant(quoted, subject) or others.by_words(quoted.key)
    stated = others.status_of.get(lane) if lane != subject.lane else None
    end = _DOTS.sub("", quoted.value, count=1)
    if stated is not None and not f"_{stated.value}".endswith(f"_{end}"):
        yield _wrong(quoted, lane, stated)


def _wrong(quoted: Stated, lane: str, stated: Stated) -> Finding:
    return Finding(
        "PREFLIGHT-STATUS",
        quoted.where,
        visible(quoted.value, 160),
        visible(stated.value, 160),
        f"{lane} states this status: {lane}/{stated.where}.",
    )


_STATUS = "CLONE_REHEARSAL_ONE_READY_NOT_APPLIED"
_TREE = samples.other_digest()


def _subject(status: str, tree: str) -> InChain:
    place = "report.json#/final_status"
    own = "SAMPLE_REHEARSAL_TWO_READY"
    said = {"before": Said(_STATUS, place), "sample": Said(own, place)}
    trees = {"before": (Stated(_TREE, "evidence/HASH_MANIFEST.txt"),)}
    return InChain(
        "sample",
        Said(
            own,
            place,
            statuses=(
                Stated(status, "report.json#/preflight/before", "before"),
                Stated("..._APPLIED", "checkpoint.md:9", "Previous lane"),
            ),
            trees=(Stated(tree, "report.json#/preflight/before/tree", "preflight/before/tree"),),
        ),
        before=Neighbour("before", _STATUS, place, trees["before"], True, "checkpoint.md:10"),
        others=Others.of(said, trees),
    )


RULE = Rule(
    name="quoted-lanes",
    protects="against lanes that are quoted for what they do not say",
    codes=CODES,
    check=check,
    sound=lambda: _subject(_STATUS, _TREE),
    controls={
        "PREFLIGHT-STATUS": lambda: _subject("CLONE_REHEARSAL_ONE_READY", _TREE),
        "PREFLIGHT-TREE": lambda: _subject(_STATUS, "0" * 64),
    },
)
