"""The pieces of a document that are read as one, each with its places and what it speaks of."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from generator.contradictions.supposed import told_now
from generator.model.document import Document, DocumentKind, Section

_LONGEST = 20_000
"""Characters of a piece in which facts are looked for; a longer one is read in such parts."""
_OF_OTHERS = re.compile(
    r"(?<![^\W_])(?:preflight|previous|prior|predecessor|upstream|(?:as )?quoted)(?![^\W_])",
    re.IGNORECASE,
)
"""A title or key under which other lanes are spoken of."""


class Span(NamedTuple):
    """A paragraph, a list item, a cell of a table, or a text in JSON."""

    text: str
    """Plain, on one line."""
    name: str
    line: int
    """Its first line; 0 in JSON."""
    breaks: tuple[int, ...]
    """Where in ``text`` its further lines begin."""
    pointer: str
    label: str
    """The first cell of its row, or its keys in JSON as words."""
    section: str
    kind: str
    others: bool
    """Whether it speaks of other lanes than its own."""

    def where(self, at: int = 0) -> str:
        """Return the place of a character."""
        if not self.line:
            return f"{self.name}#{self.pointer}"
        return f"{self.name}:{self.line + bisect_right(self.breaks, at)}"

    @property
    def about(self) -> str:
        """What names its subject where its own words do not, nearest last."""
        return f"{self.section} {self.label}"


@lru_cache(maxsize=4096)  # the keys of machine reports come again and again
def speaks_of_others(title: str) -> bool:
    """Tell whether under this title or key other lanes are spoken of."""
    return _OF_OTHERS.search(title[:400]) is not None


def in_own_time(span: Span) -> Span:
    """Return a piece without what it tells of another time or lane, unless that is its subject."""
    if span.others:
        return span
    now = told_now(span.text)
    return span if now is span.text else span._replace(text=now)


def spans(document: Document) -> Iterator[Span]:
    """Yield the pieces of a document in its order."""
    if document.kind is DocumentKind.MACHINE_REPORT:
        for statement in document.statements:
            if statement.type == "string" and statement.value:
                yield _in_json(document.name, statement.key, statement.value)
        return
    sections = document.sections
    lines = [section.line for section in sections]
    for passage in document.passages:
        at = bisect_right(lines, passage.line + 1) - 1
        section = _title(sections, at)
        if passage.kind == "heading" and at >= 0 and sections[at].level == 1:
            continue
        label = "" if passage.fallback == passage.text else passage.fallback
        others = speaks_of_others(f"{section} {label}")
        for start, end in _parts(passage.text):
            part = passage.text[start:end]
            yield Span(
                part.replace("\n", " "),
                document.name,
                passage.line + 1 + passage.text.count("\n", 0, start),
                tuple(match.end() for match in re.finditer("\n", part)),
                "",
                label,
                section,
                passage.kind,
                others,
            )


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield where to read a text: all of it, or parts that end between two words if they can."""
    start = 0
    while len(text) - start > _LONGEST:
        end = max(text.rfind(mark, start + _LONGEST // 2, start + _LONGEST) for mark in " \n") + 1
        yield start, end or start + _LONGEST
        start = end or start + _LONGEST
    yield start, len(text)


def _title(sections: tuple[Section, ...], at: int) -> str:
    """Return the title of the section at an index; the title of the document is none."""
    return sections[at].title if at >= 0 and sections[at].level > 1 else ""


def _in_json(name: str, key: str, value: str) -> Span:
    keys = key.rsplit("/", 3)[-3:]
    return Span(
        value[:_LONGEST].replace("\n", " "),
        name,
        0,
        (),
        f"/{key}",
        " ".join(keys[1:] if len(keys) > 2 else keys).replace("_", " "),
        keys[0].replace("_", " "),
        "json",
        speaks_of_others(key),
    )
