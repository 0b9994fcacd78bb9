"""The documents of a lane: bytes in, what they state out; nothing is judged here.

It knows nothing of disks. Codes: DOC-SIZE, DOC-EMPTY, DOC-UTF8, and for machine reports those of
`strictjson`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from generator.errors import InputError
from generator.model.digest import sha256
from generator.model.document import BallotLine, Document, DocumentKind
from generator.reading import ballot, machinereport, passages, textdoc
from generator.reading.limits import DEFAULT, Limits

_DATE = re.compile(r"(?<![0-9-])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9-])")
_PARENTHESES = re.compile(r"\(([^()]{0,200})\)")
_BLANK = b" \t\r\n\f\v"

_BY_NAME = (
    (re.compile(r"addendum"), DocumentKind.ADDENDUM),
    (
        re.compile(r"\Adecision|(?:\A|[-_ .])decision[-_ ]packet(?:[-_ .]|\Z)"),
        DocumentKind.DECISION_PACKET,
    ),
    (re.compile(r"(?:\A|[-_ .])checkpoint(?:[-_ .]|\Z)"), DocumentKind.CHECKPOINT),
    (re.compile(r"(?:\A|[-_ .])report(?:[-_ .]|\Z)"), DocumentKind.REPORT),
)
_BY_TITLE = (
    (re.compile(r"(?i)\Acheckpoint\b"), DocumentKind.CHECKPOINT),
    (re.compile(r"(?i)\bgovernance addendum\b"), DocumentKind.ADDENDUM),
    (re.compile(r"(?i)\bdecision packet\b"), DocumentKind.DECISION_PACKET),
    (re.compile(r"(?i)\bcheckpoint\b"), DocumentKind.CHECKPOINT),
    (re.compile(r"(?i)\breport\b"), DocumentKind.REPORT),
)


def read_document(name: str, data: bytes, *, limits: Limits = DEFAULT) -> Document:
    """Return one document, its statements with their places and the damage that was read around.

    Lines are counted as CommonMark does: LF, CRLF and a lone CR each end one.

    Raises:
        InputError: it is too large, holds nothing, is not UTF-8, or is a machine report that is
            not strict JSON.
    """
    if len(data) > limits.document_bytes:
        problem = f"{len(data)} bytes, the limit is {limits.document_bytes}"
        raise InputError(problem, code="DOC-SIZE", place=(name,))
    if not data.strip(_BLANK):
        raise InputError("the document holds nothing", code="DOC-EMPTY", place=(name,))
    named = _kind_by_name(name)
    if named is DocumentKind.MACHINE_REPORT or _looks_like_json(name, named, data):
        return _machine_report(name, data, limits)
    return _text_document(name, data, named)


def _machine_report(name: str, data: bytes, limits: Limits) -> Document:
    report = machinereport.read(name, data, limits)
    fields = report.data if isinstance(report.data, dict) else {}
    title = (report.title or "").split("\n")[0].strip()
    doc, own_date = fields.get("doc"), fields.get("date")
    dates = _dates_in_title(title)
    if isinstance(own_date, str) and _is_date(own_date):
        dates.append(own_date)
    return Document(
        name=name,
        kind=DocumentKind.MACHINE_REPORT,
        sha256=sha256(data),
        size=len(data),
        title=title or (doc if isinstance(doc, str) and doc.strip() else name),
        date=_one(dates),
        status=report.status,
        statements=report.statements,
        hashes=report.hashes,
        damage=report.damage,
        data=report.data,
    )


def _text_document(name: str, data: bytes, named: DocumentKind | None) -> Document:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: byte 0x{data[error.start]:02X} (line {line})"
        raise InputError(problem, code="DOC-UTF8", place=(name,)) from error
    read = textdoc.read(name, text)
    dates = [one for title in read.titles for one in _dates_in_title(title)]
    dates.extend(
        statement.value
        for statement in read.statements
        if statement.key.lower() == "date" and _is_date(statement.value)
    )
    kind = named or _kind_by_title(read.title)
    said = list(read.statements)
    lines: tuple[BallotLine, ...] = ()
    if kind is DocumentKind.DECISION_PACKET:
        lines = ballot.read(name, text)
        said.extend(ballot.statements(lines))
    return Document(
        name=name,
        kind=kind,
        sha256=sha256(data),
        size=len(data),
        title=read.title or name,
        date=_one(dates),
        status=read.status,
        statements=tuple(said),
        hashes=tuple(read.hashes),
        tables=tuple(read.tables),
        sections=tuple(read.sections),
        damage=tuple(read.damage),
        passages=tuple(read.passages),
        said=tuple(passages.read(name, text, read.sections)),
        ballot=lines,
    )


def _kind_by_name(name: str) -> DocumentKind | None:
    base = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
    stem, _, extension = base.rpartition(".")
    if extension == "json" and stem:
        return DocumentKind.MACHINE_REPORT
    return next((kind for pattern, kind in _BY_NAME if pattern.search(stem or base)), None)


def _kind_by_title(title: str) -> DocumentKind:
    return next((kind for word, kind in _BY_TITLE if word.search(title)), DocumentKind.OTHER)


def _looks_like_json(name: str, named: DocumentKind | None, data: bytes) -> bool:
    """Tell whether a document without a telling name is a JSON object, behind a title or not."""
    if named is not None and name.lower().endswith((".md", ".markdown")):
        return False
    if not data.rstrip(_BLANK).endswith(b"}"):
        return False
    first = data.lstrip(_BLANK)
    if first.startswith(b"{"):
        return True
    _, _, rest = first.partition(b"\n")
    return rest.lstrip(_BLANK).startswith(b"{")


def _dates_in_title(title: str) -> list[str]:
    return [
        found
        for inside in _PARENTHESES.findall(title)
        for found in _DATE.findall(inside)
        if _is_date(found)
    ]


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _one(dates: Iterable[str]) -> str:
    """Return the date if there is exactly one."""
    different = set(dates)
    return different.pop() if len(different) == 1 else ""
