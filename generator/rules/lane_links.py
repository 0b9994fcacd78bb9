"""Each lane names a lane before it that exists, and no lane comes before itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.model.finding import Finding
from generator.rules import samples
from generator.rules.base import Code, Rule
from generator.rules.context import InRoot

_WHY = "The order of lanes says which state of things is the newest."
CODES = {
    "LANE-PREVIOUS": Code(
        "A lane names a lane before it that does not exist.",
        _WHY,
        "Correct 'previous' in lane.yml, or put the missing lane back.",
    ),
    "LANE-CYCLE": Code(
        "Lanes name each other as the one before.", _WHY, "Correct 'previous' in one of them."
    ),
}


def check(subject: InRoot) -> Iterator[Finding]:
    """Look up the lane that is named as the one before."""
    previous = subject.lane.meta.previous
    if previous and previous not in subject.ids:
        yield Finding(
            "LANE-PREVIOUS", "lane.yml", previous, "", "No lane of this root has this id."
        )
    if subject.cycle:
        yield Finding(
            "LANE-CYCLE",
            "lane.yml",
            previous,
            " → ".join((*subject.cycle, subject.cycle[0])),
            "Following 'previous' from here leads back here.",
        )


def _subject(previous: str, cycle: tuple[str, ...] = ()) -> InRoot:
    lane = samples.lane()
    lane = replace(lane, meta=replace(lane.meta, previous=previous))
    return InRoot(
        lane=lane,
        states=(),
        tree=None,
        ids=frozenset(("sample", "before")),
        holders={},
        cycle=cycle,
    )


RULE = Rule(
    name="lane-links",
    protects="against an order of lanes that cannot be followed",
    codes=CODES,
    check=check,
    sound=lambda: _subject("before"),
    controls={
        "LANE-PREVIOUS": lambda: _subject("nowhere"),
        "LANE-CYCLE": lambda: _subject("before", ("sample", "before")),
    },
)
