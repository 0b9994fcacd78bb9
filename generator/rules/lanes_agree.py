"""Lanes do not contradict each other in what outlives a lane (spec 3, across lanes)."""

from __future__ import annotations

from collections.abc import Iterator

from generator.contradictions.between import between
from generator.contradictions.fact import Fact
from generator.model.finding import Finding
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InRoot

CODES = {
    "CON-BETWEEN": Code(
        "A lane tells of a range, revision, hash or date otherwise than an earlier lane does.",
        "At least one of the two lanes is wrong; lanebook does not say which.",
        "Find out from the evidence which one is right, and correct the other.",
    ),
}


def check(subject: InRoot) -> Iterator[Finding]:
    """Report what contradicts an earlier lane, with both places."""
    for clash in subject.between:
        yield Finding(clash.code, clash.one.where, clash.one.said, clash.against, clash.message)


def _lane(revision: str) -> InRoot:
    earlier = Fact("revision", "registry", "24", "report.md:4", "registry rev24")
    later = Fact("revision", "registry", revision, "report.md:7", f"registry rev{revision}")
    found = between((("earlier", (earlier,)), ("sample", (later,))))
    return InRoot(
        lane=samples.lane(),
        states=(),
        tree=None,
        ids=frozenset(("earlier", "sample")),
        holders={},
        between=found.get("sample", ()),
    )


RULE = Rule(
    name="lanes-agree",
    protects="against lanes that tell of one thing in two ways",
    codes=CODES,
    check=check,
    sound=lambda: _lane("24"),
    controls={"CON-BETWEEN": lambda: _lane("23")},
)
