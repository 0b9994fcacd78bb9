"""What sentences of a document say that other lanes are held against.

Ranges that are reserved, ceilings, folds, statuses in a preflight, open counts and legs stand in
the middle of sentences, where no key leads to them. Each is taken with its line, as it is spelled;
nothing is judged here. The patterns are bounded: a text may be one line of megabytes.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from generator.model.document import RESERVED, STATUS, Section, Statement

CEILING = "ceiling"
FOLDED = "folded through"
OPEN = "open count"
LEG = "leg"
BLOCKER = "blocker"

_LINE_END = re.compile(r"\r\n|\r|\n")
_PREFIXED = (
    r"(?<![A-Z0-9-])[A-Z]{1,20}(?:-[A-Z]{1,20}){0,5}-\d{1,9}"
    r"\s{0,3}\.\.\s{0,3}(?:[A-Z-]{1,60}-)?\d{1,9}(?!\d)"
)
_RESERVED = re.compile(
    rf"({_PREFIXED})[`*]{{0,3}}\s{{1,3}}(?:is |are )?(?i:reserved)\b"
    r"(?!\s{1,3}(?:by|in)\s{1,3}(?:the\s{1,3})?(?:prior|previous|earlier|lane|preceding)\b)"
    r"|\b(?i:reserves|reserved|objects(?:\s{1,3}reserved)?)[:=]?\s{1,3}[`*]{0,3}"
    rf"({_PREFIXED})"
)
_CEILING = re.compile(
    r"\babove\s{1,3}(?:the\s{1,3})?ceiling(?:\s{1,3}of)?[:=]?\s{1,3}[`*]{0,3}(\d{1,9})(?![\d.]\d)",
    re.IGNORECASE,
)
_FOLDED = re.compile(
    r"\bbody\s{1,3}max(?:imum)?[:=]?\s{1,3}[`*]{0,3}(\d{1,9})(?!\d)"
    r"|\bfold(?:ed)?\s{0,3}(?:->|→|through\b)\s{0,3}(\d{1,9})(?!\d)"
    r"|\bfold\s{1,3}\d{1,9}\.\.(\d{1,9})\s{1,3}[`*]{0,3}APPLIED\b",
    re.IGNORECASE,
)
_OPEN = re.compile(r"(?<![\w./-])(\d{1,6})\s{1,2}(?:blockers?\s{1,2}(?:are\s)?)?OPEN\b(?![_/])")
_STATUS = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?<![…])(?<!\.\.)[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){2,30}"
    r"|(?:\.{3}|…)_?[A-Z][A-Z0-9]{0,60}(?:_[A-Z0-9]{1,60}){0,30})(?![A-Za-z0-9_])"
)
_BLOCKER = re.compile(r"(?<![A-Z0-9-])[A-Z][A-Z0-9]{0,39}(?:-[A-Z0-9]{1,40}){2,12}(?![A-Z0-9-])")
_LEG = re.compile(
    r"(?<![\w-])(?P<name>[a-z][a-z-]{2,40})\s{1,2}leg\b"
    r"(?:\s{1,2}(?:is|remains|still|stays|already))?(?:\s{1,2}(?P<state>[A-Za-z]{2,12}))?"
)
_NO_NAME = frozenset(("the", "this", "that", "each", "every", "its", "one", "other", "any", "same"))
_REACH = 200
"""Characters behind a blocker's id in which its legs are looked for."""

_PREFLIGHT = re.compile(r"\bpreflight\b", re.IGNORECASE)
_MOST = 2000
"""Passages of one kind in one document; who writes more is not read by anybody."""


class _Hit(NamedTuple):
    offset: int
    value: str


def read(name: str, text: str, sections: Sequence[Section]) -> list[Statement]:
    """Return the passages of a text in the order of their kinds, then of their lines."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    spans = _preflights(sections, len(starts))
    found: list[Statement] = []
    for kind, hits, inside in _kinds(text):
        if inside and not spans:
            continue
        kept = (
            (line, hit.value)
            for hit in hits
            if (line := bisect_right(starts, hit.offset))
            and (inside is None or _within(spans, line) is inside)
        )
        found.extend(
            Statement(kind, value, f"{name}:{line}") for line, value in islice(kept, _MOST)
        )
    return found


def _kinds(text: str) -> Iterator[tuple[str, Iterator[_Hit], bool | None]]:
    """Yield each kind, where it is found, and whether only inside or only outside a preflight."""
    yield RESERVED, _groups(_RESERVED, text), False
    yield CEILING, _groups(_CEILING, text), False
    yield FOLDED, _groups(_FOLDED, text), None
    yield OPEN, _groups(_OPEN, text), False
    yield STATUS, (_Hit(match.start(), match[0]) for match in _STATUS.finditer(text)), True
    named = list(islice(_BLOCKER.finditer(text), _MOST))
    yield BLOCKER, (_Hit(one.start(), one[0]) for one in named if not _in_row(text, one)), None
    yield LEG, _legs(text, named), None


def _groups(pattern: re.Pattern[str], text: str) -> Iterator[_Hit]:
    """Yield, for each match, the one group that took part."""
    for match in pattern.finditer(text):
        at = match.lastindex or 0
        yield _Hit(match.start(at), match[at])


def _in_row(text: str, match: re.Match[str]) -> bool:
    """Tell whether a blocker stands in a row of a table, also where the row lost its line."""
    before = text[max(0, match.start() - 8) : match.start()].rpartition("\n")[2]
    behind = text[match.end() : match.end() + 8].partition("\n")[0]
    return before.lstrip().startswith("|") or behind.strip(" `*") == "|"


def _legs(text: str, named: Sequence[re.Match[str]]) -> Iterator[_Hit]:
    """Yield the legs that are named right behind a blocker, as ``id: name leg: state``."""
    for at, match in enumerate(named):
        end = min(match.end() + _REACH, len(text))
        if at + 1 < len(named):
            end = min(end, named[at + 1].start())
        for leg in _LEG.finditer(text, match.end(), end):
            if leg["name"] not in _NO_NAME:
                yield _Hit(leg.start(), f"{match[0]}: {leg['name']} leg: {leg['state'] or ''}")


def legs_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and state of the legs that a text names."""
    for leg in _LEG.finditer(text):
        if leg["name"] not in _NO_NAME:
            yield f"{leg['name']} leg", leg["state"] or ""


def blocker_ids(text: str) -> Iterator[str]:
    """Yield what is spelled like the id of a blocker."""
    return (match[0] for match in islice(_BLOCKER.finditer(text), _MOST))


def _preflights(sections: Sequence[Section], lines: int) -> list[tuple[int, int]]:
    """Return first and last line of each section that speaks of a preflight, with those inside."""
    spans: list[tuple[int, int]] = []
    level = 0
    for section in sections:
        if level and section.level <= level:
            spans[-1] = (spans[-1][0], section.line - 1)
            level = 0
        if not level and section.level > 1 and _PREFLIGHT.search(section.title):
            spans.append((section.line, lines))
            level = section.level
    return spans


def _within(spans: Sequence[tuple[int, int]], line: int) -> bool:
    at = bisect_right(spans, line, key=lambda span: span[0]) - 1
    return at >= 0 and line <= spans[at][1]


def in_preflight(sections: Sequence[Section], line: int) -> bool:
    """Tell whether a line stands in a section that speaks of a preflight."""
    return _within(_preflights(sections, sys.maxsize), line)
