"""Ranges of governance objects follow each other, above both ceilings, and are not applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from generator.chain.said import Figure, Range, Said, Stated
from generator.chain.subject import InChain, Past
from generator.model.finding import Finding
from generator.names import visible
from generator.rules.base import Code, Rule

_WHY = "A number that two objects bear, or that is skipped, cannot be taken back once it is quoted."
_TODO = "Reserve again, from right above what the lanes before reserve."
CODES = {
    "RANGE-CEILING": Code(
        "A reserved range does not start right above the ceiling, or the ceiling is not where the"
        " lanes before end.",
        _WHY,
        _TODO,
    ),
    "RANGE-OVERLAP": Code("Two lanes reserve the same objects.", _WHY, _TODO),
    "RANGE-GAP": Code(
        "Between a reserved range and those of the lanes before lie objects that no lane here"
        " reserves.",
        "The lane that reserves them is not here, or nobody does.",
        "Add the lane that reserves them.",
    ),
    "RANGE-FOLDED": Code(
        "The ceiling of what is folded reaches into a range that is only reserved, or went back.",
        "There are two ceilings: what is folded is final, what is reserved is not.",
        "Look up how far the canonical body goes, and correct the document that is wrong.",
    ),
    "RANGE-APPLIED": Code(
        "A document says that objects are applied which it only reserves.",
        "A reservation applies nothing; who reads that it does may act on it.",
        "Say what was applied in a lane that has the authority, and let this one reserve.",
    ),
}


def check(subject: InChain) -> Iterator[Finding]:
    """Hold the ranges of a lane against its ceilings and against those of other lanes."""
    said, past = subject.said, subject.past
    overlapping = {own for own, _, _ in subject.overlaps}
    for own, lane, theirs in subject.overlaps:
        yield Finding(
            "RANGE-OVERLAP",
            own.where,
            str(own),
            str(theirs),
            f"{lane} reserves objects of this range too: {lane}/{theirs.where}.",
        )
    for one in said.ranges:
        wrong = next((figure for figure in said.ceilings if figure.value != one.first - 1), None)
        if wrong is not None:
            yield Finding(
                "RANGE-CEILING",
                wrong.where,
                str(wrong.value),
                str(one.first - 1),
                f"The range {one} does not start right above this ceiling: {one.where}."
                f"{_until(past, one.prefix)}",
            )
        elif one not in overlapping:
            yield from _against_the_past(one, past)
    if not said.ranges and len(past.ends) == 1:
        ((end, lane),) = past.ends.values()
        for figure in said.ceilings:
            if figure.value < end.last:
                yield Finding(
                    "RANGE-CEILING",
                    figure.where,
                    str(figure.value),
                    str(end.last),
                    f"{lane} reserves up to {end.last} already: {lane}/{end.where}.",
                )
    yield from _folded(said, past)
    for item in [one for one in said.applied if not _of_earlier(one, said, past)][:1]:
        yield Finding(
            "RANGE-APPLIED",
            item.where,
            visible(f"{item.key}: {item.value}", 120),
            "reserved, not applied",
            f"The lane reserves {said.ranges[0]}, which applies nothing: {said.ranges[0].where}.",
        )


def _of_earlier(item: Stated, said: Said, past: Past) -> bool:
    """Tell whether a fold is one of earlier objects: the lane states how far, below its range."""
    reach = max((figure.value for figure in said.folded), default=0)
    before = past.folded[0].value if past.folded is not None else 0
    return "fold" in item.key.lower() and before < reach < said.ranges[0].first


def _until(past: Past, prefix: str) -> str:
    if prefix not in past.ends:
        return ""
    end, lane = past.ends[prefix]
    return f" The lanes before reserve up to {end.last}: {lane}/{end.where}."


def _against_the_past(one: Range, past: Past) -> Iterator[Finding]:
    """Hold a range against the one that ends last before it."""
    if one.prefix not in past.ends:
        return
    end, lane = past.ends[one.prefix]
    if one.first <= end.last:
        yield Finding(
            "RANGE-CEILING",
            one.where,
            str(one),
            f"above {end.last}",
            f"{lane} reserves up to {end.last} already: {lane}/{end.where}.",
        )
    elif one.first > end.last + 1:
        yield Finding(
            "RANGE-GAP",
            one.where,
            str(one),
            f"{one.prefix}-{end.last + 1}..{one.first - 1}",
            f"No lane here reserves what lies between it and {lane}/{end.where}.",
            severity="note",
        )


def _folded(said: Said, past: Past) -> Iterator[Finding]:
    for figure in said.folded:
        reserved = next((one for one in said.ranges if one.first <= figure.value), None)
        if reserved is not None:
            yield Finding(
                "RANGE-FOLDED",
                figure.where,
                str(figure.value),
                f"below {reserved.first}",
                f"The range {reserved} is only reserved: {reserved.where}.",
            )
            return
        if past.folded is not None and figure.value < past.folded[0].value:
            before, lane = past.folded
            yield Finding(
                "RANGE-FOLDED",
                figure.where,
                str(figure.value),
                str(before.value),
                f"{lane} states that more is folded already: {lane}/{before.where}.",
            )
            return


def _past() -> Past:
    past = Past()
    past.add("before", Said(ranges=(Range("TKT-OBJ", 485, 494, "report.json#/governance"),)))
    return past


_OWN = Range("TKT-OBJ", 495, 507, "report.json#/governance")


def _subject(**said: object) -> InChain:
    words = Said(
        ranges=(_OWN,),
        ceilings=(Figure(494, "report.json#/governance/above_ceiling"),),
        folded=(Figure(461, "checkpoint.md:26"),),
    )
    return InChain("sample", words._replace(**said), past=_past())  # type: ignore[arg-type]


RULE = Rule(
    name="reserved-ranges",
    protects="against numbers that are given twice, skipped, or taken for applied",
    codes=CODES,
    check=check,
    sound=_subject,
    controls={
        "RANGE-CEILING": lambda: _subject(ceilings=(Figure(490, "checkpoint.md:25"),)),
        "RANGE-OVERLAP": lambda: replace(
            _subject(), overlaps=((_OWN, "other", _OWN._replace(last=500)),)
        ),
        "RANGE-GAP": lambda: _subject(ranges=(_OWN._replace(first=500),), ceilings=()),
        "RANGE-FOLDED": lambda: _subject(folded=(Figure(496, "checkpoint.md:26"),)),
        "RANGE-APPLIED": lambda: _subject(
            applied=(Stated("true", "report.json#/governance/apply_now", "governance/apply_now"),)
        ),
    },
)
