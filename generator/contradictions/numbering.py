"""Ids and ranges: what is numbered, without gaps, and as far as it is said to go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.contradictions.counting import NUMBER, number
from generator.contradictions.fact import CEILING, FOLDED, Fact
from generator.contradictions.spans import Span, in_own_time, speaks_of_others
from generator.contradictions.supposed import told_now
from generator.model.document import Document

_RANGE = re.compile(
    r"(?<![\w.])((?:[A-Z]{1,20}-){1,6}|[A-Z]{1,6}(?=\d))?(\d{1,9})\.\.(?:(?:[A-Z]{1,20}-){1,6}|[A-Z]{1,6})?"
    r"(\d{1,9})(?![\d.])"
)
_IN_TOKEN = re.compile(r"_(\d{2,9})_(\d{2,9})(?=_)")
_ID = re.compile(r"(?<![\w.-])([A-Z]{1,6}-?)(\d{1,4})(?![\w]|-\w|\.\.|\.\d)")
_MAY_BE_ID = re.compile(r"[A-Z]-?\d")
"""What every id has, and most pieces have not; far faster to look for."""
_GOVERNED = re.compile(r"(?i)fold|addend|reserv|ceiling|governance|objects?|TKT|canonical")
_CEILING = re.compile(r"(?i)\b(?:above )?ceiling[ _:=]{1,3}(\d{1,9})\b")
_FOLD_END = re.compile(
    r"(?i)\b(?:fold(?:ed)?[ _]through[ _]|fold ?-> ?|(?:body|canonical)[ _]max(?:imum)?:?[ _])"
    r"(\d{1,9})(?!\d|\.\d)"
)
_FOLD_BEFORE = re.compile(r"(?i)\bfold(?:ed)? \Z")
_OBJECTS = re.compile(r"[`*]{0,3} ?(?:(?:is |are )?reserved )?[(=] ?(\d{1,7}) (?:objects|ids)\b")
_NOT_DONE = re.compile(r"(?i)=NO\b|\b(?:not|never|pending|planned|only reserved|stays|proposed)\b")
_TOPICS = re.compile(r"\ball [A-Z]{3,12}\b(?: \([^()]{0,80}\))?\. ([A-Z][^.;:]{10,600})\.")
_STEPS = re.compile(rf"(?i)(?<![\w/.-])({NUMBER}) steps\b")
_OPENS = re.compile(r"(?:[-*•·→:;,(]|\.\)?)\s{0,2}\Z")
"""What may stand before an id that is described, and not merely spoken of."""


def ranges(span: Span) -> Iterator[Fact]:
    """Yield numbered ranges, ceilings, and how far a fold goes."""
    text = span.text
    now = text if span.others else told_now(text)
    if ".." in text:
        for match in _RANGE.finditer(text):
            first, last = int(match[2]), int(match[3])
            prefix = (match[1] or "").rstrip("-")
            where = span.where(match.start())
            if prefix and first <= 1:
                yield Fact("ids", prefix, f"{first}..{last}", where, match[0], span.others)
                continue
            near = text[max(0, match.start() - 60) : match.end() + 60]
            counted = _OBJECTS.match(text, match.end())
            if counted is not None:
                key, listed = f"objects of {match[0]}", str(last - first + 1)
                at = span.where(counted.start(1))
                yield Fact("count", key, counted[1], at, f"{counted[1]} objects", span.others)
                yield Fact("listed", key, listed, where, match[0], span.others)
            if len(match[2]) > 1 and _GOVERNED.search(f"{near} {span.about}"):
                yield Fact("range", prefix, f"{first}..{last}", where, match[0], span.others)
                if _FOLD_BEFORE.search(
                    text[max(0, match.start() - 12) : match.start()]
                ) and not _NOT_DONE.search(text, match.end(), match.end() + 40):
                    yield Fact("number", FOLDED, str(last), where, f"fold {match[0]}", span.others)
    lower = now.lower()
    for match in _CEILING.finditer(now) if "ceiling" in lower else ():
        yield Fact("number", CEILING, match[1], span.where(match.start()), match[0], span.others)
    for match in _FOLD_END.finditer(now) if "fold" in lower or "max" in lower else ():
        yield Fact("number", FOLDED, match[1], span.where(match.start()), match[0], span.others)
    if "_" in text:
        for match in _IN_TOKEN.finditer(text):
            if _GOVERNED.search(text[max(0, match.start() - 60) : match.start()]):
                value = f"{int(match[1])}..{int(match[2])}"
                where = span.where(match.start())
                yield Fact("range", "", value, where, match[0].strip("_"), span.others)


def topics(span: Span) -> Iterator[Fact]:
    """Yield a range of ids of which all have a verdict, and the list that names their topics."""
    for match in _RANGE.finditer(span.text) if ".." in span.text and "all " in span.text else ():
        if not match[1] or int(match[2]) > 1:
            continue
        behind = _TOPICS.search(span.text, match.end(), match.end() + 800)
        if behind is None or span.text.find(". ", match.end(), behind.start()) >= 0:
            continue
        named = [item.strip() for item in behind[1].split(", ")]
        if len(named) >= 4 and all(len(item.split()) <= 8 for item in named):
            count = int(match[3]) - int(match[2]) + 1
            key = f"topics of {match[0]}"
            yield Fact("count", key, str(count), span.where(match.start()), match[0])
            yield Fact(
                "listed", key, str(len(named)), span.where(behind.start(1)), f"{len(named)} named"
            )


def ids(spans: Sequence[Span]) -> Iterator[Fact]:
    """Yield the ids that pieces begin with, or list one after the other."""
    for piece in spans:
        span = in_own_time(piece)
        if not _MAY_BE_ID.search(span.text):
            continue
        found = [
            (match.start(), match[1].rstrip("-"), int(match[2]))
            for match in _ID.finditer(span.text)
        ]
        if not found:
            continue
        by_prefix: dict[str, list[tuple[int, int]]] = {}
        for at, prefix, one in found:
            by_prefix.setdefault(prefix, []).append((at, one))
        for prefix, places in by_prefix.items():
            at, first = places[0]
            for place, id_number in places:
                end = span.text.find(" ", place)
                described = end > 0 and span.text[end + 1 : end + 2].isalpha()
                if span.text[place:end].rstrip(":—").endswith(str(id_number)) and (
                    place == 0
                    or (described and _OPENS.search(span.text[max(0, place - 4) : place]))
                ):
                    where = span.where(place)
                    yield Fact(
                        "id", prefix, str(id_number), where, f"{prefix}-{id_number}", span.others
                    )
            if len(places) >= 4 and first <= 1:
                numbers = [one for _, one in places]
                listing = ",".join(map(str, numbers))
                said = f"{prefix}{numbers[0]} to {prefix}{numbers[-1]}, {len(numbers)} in all"
                yield Fact("sequence", prefix, listing, span.where(at), said, span.others)


def steps(spans: Sequence[Span]) -> Iterator[Fact]:
    """Yield ``six steps`` beside the ids that are described in the same section."""
    by_section: dict[str, list[Span]] = {}
    for span in spans:
        if span.section and span.kind == "paragraph":
            by_section.setdefault(span.section, []).append(span)
    for section, pieces in by_section.items():
        counted = next(
            ((span, match) for span in pieces if (match := _STEPS.search(span.text))), None
        )
        if counted is None:
            continue
        described = [fact for fact in ids(pieces) if fact.kind == "id"]
        prefix = next((fact.subject for fact in described), "")
        names = {fact.value: fact for fact in described if fact.subject == prefix}
        if len(names) < 2:
            continue
        span, match = counted
        key = f"steps of {section}"[:80]
        first = next(iter(names.values()))
        yield Fact("count", key, str(number(match[1])), span.where(match.start()), match[0])
        yield Fact("listed", key, str(len(names)), first.where, f"{len(names)} described")


def in_json(document: Document) -> Iterator[Fact]:
    """Yield the ceilings that a machine report gives as numbers."""
    for statement in document.statements:
        if statement.type != "integer":
            continue
        key = statement.key.rsplit("/", 1)[-1]
        others = speaks_of_others(statement.key)
        if key in ("above_ceiling", "ceiling"):
            said = f"{key} {statement.value}"
            yield Fact("number", CEILING, statement.value, statement.where, said, others)
        elif key in ("body_max", "canonical_body_max"):
            said = f"{key} {statement.value}"
            yield Fact("number", FOLDED, statement.value, statement.where, said, others)
