"""Hashes and dates: one thing has one of them wherever it is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.contradictions.fact import OUTCOME_WORDS, Fact
from generator.contradictions.spans import Span
from generator.model.document import Document

_DATE = re.compile(r"(?<!\d)(20\d\d)[-_](\d\d)[-_](\d\d)(?!\d)")
_DATED_NAME = re.compile(r"(?<![\w-])(…-)?((?:[a-z0-9]+-){2,24})(20\d\d-\d\d-\d\d)(?!\d)")
_HEAD = re.compile(r"(?<![\w./-])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8}(?![\w.…/-])")
_SLUG = re.compile(r"[^a-z0-9]+")


def dates(document: Document, spans: Sequence[Span]) -> Iterator[Fact]:
    """Yield the dates that a document gives to its own lane: in titles, keys and names."""
    own = slug(_DATE.sub("", document.title))
    if document.data is not None:
        for match in _DATE.finditer(document.title):
            yield _date(match, document.name, match[0])
    for span in spans:
        if span.kind == "title":
            for match in _DATE.finditer(span.text):
                yield _date(match, span.where(match.start()), match[0])
    for statement in document.statements:
        key = statement.key.strip().lower()
        if key in ("macro", "lane", "date"):
            for match in _DATE.finditer(statement.value[-40:]):
                yield _date(match, statement.where, f"{statement.key}: {match[0]}")
    for span in spans:
        for named in _DATED_NAME.finditer(span.text) if "-20" in span.text else ():
            name = ("…-" if named[1] else "") + named[2].rstrip("-")
            where = span.where(named.start())
            yield Fact("dated name", name, named[3], where, named[0], span.others)
    yield Fact("own name", own, document.date, document.name, document.title)
    doc = document.data.get("doc") if isinstance(document.data, dict) else None
    if isinstance(doc, str):
        yield Fact(
            "own name", slug(_DATE.sub("", doc)), document.date, f"{document.name}#/doc", doc
        )
    if document.status is not None:
        words = [w for w in document.status.value.split("_") if w not in OUTCOME_WORDS]
        stem = slug("-".join(words))
        yield Fact("own name", f"{stem}-", document.date, document.status.where, stem)


def slug(text: str) -> str:
    """Return a title as file names write it."""
    return _SLUG.sub("-", text.lower().replace("&", "and")).strip("-")


def _date(match: re.Match[str], where: str, said: str) -> Fact:
    return Fact("date", "date of the lane", "-".join(match.groups()), where, said)


def hashes(document: Document) -> Iterator[Fact]:
    """Yield every hash with its label; of one that is run together, its readings."""
    for mention in document.hashes:
        if mention.form in ("full", "weak"):
            yield Fact("hash", mention.label, mention.text, mention.where, mention.text)
        else:
            readings = [one.rpartition("hash ")[2] for one in mention.readings]
            yield Fact("read hash", mention.label, " ".join(readings), mention.where, mention.text)


def heads(span: Span) -> Iterator[Fact]:
    """Yield words of eight hexadecimal digits, as a hash is named in passing."""
    for match in _HEAD.finditer(span.text):
        yield Fact("head", "", match[0], span.where(match.start()), match[0], span.others)
