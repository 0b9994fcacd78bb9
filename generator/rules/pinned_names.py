"""A file that is called pinned, canonical, byte-exact or a validator has one digest everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from generator.chain.said import PinnedHash, Said
from generator.chain.subject import InChain, Others
from generator.model.digest import fits
from generator.model.finding import Finding
from generator.names import visible
from generator.rules import samples
from generator.rules.base import Code, Rule

CODES = {
    "PIN-NAME": Code(
        "A pinned file has one digest here and another one elsewhere.",
        "A pin says that everybody used the same bytes; then there is one digest, everywhere.",
        "Find out which bytes were used; if there are two versions, give them two names.",
    ),
}


def check(subject: InChain) -> Iterator[Finding]:
    """Hold every hash of a file that is one everywhere against the first that is stated of it."""
    told: set[tuple[str, str]] = set()
    for pin in (*subject.said.pins, *subject.held):
        first = subject.others.pin(pin.name)
        if first is None or fits(pin.digest, first[1].digest):
            continue
        lane, known = first
        # what differs within one lane is told by the rules over that lane
        if lane == subject.lane or (known.name, pin.digest) in told:
            continue
        told.add((known.name, pin.digest))
        yield Finding(
            "PIN-NAME",
            pin.where,
            pin.digest,
            known.digest,
            f"{visible(known.name, 120)} has another hash in {lane}/{known.where}.",
        )


_NAME = "hardened_validator.py"


def _subject(digest: str) -> InChain:
    first = PinnedHash(_NAME, samples.other_digest(), "lane.yml", True)
    own = PinnedHash(_NAME, digest, "checkpoint.md:11", True)
    said = {"before": Said(pins=(first,)), "sample": Said(pins=(own,))}
    return InChain("sample", said["sample"], others=Others.of(said, {}))


RULE = Rule(
    name="pinned-names",
    protects="against two files that pass for one",
    codes=CODES,
    check=check,
    sound=lambda: _subject(f"{samples.other_digest()[:8]}…{samples.other_digest()[-6:]}"),
    controls={"PIN-NAME": lambda: _subject(f"{samples.other_digest()[:8]}…ffffff")},
)
