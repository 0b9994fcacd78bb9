"""The tables of a state file and their columns, read from its SQL; nothing of it is ever run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

_SCHEMA_LINE = b"-- schema "
"""Begins a line that holds one definition as JSON text."""
_MARKED = re.compile(
    r"""(?P<text>'[^']*(?:'|\Z))|(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|"[^"]*(?:"|\Z)""",
    re.DOTALL,
)
# every repetition is bounded: a state file may be one long line
_NAME = r'(?:"[^"\n]{1,200}"|`[^`\n]{1,200}`|\[[^\]\n]{1,200}\]|\w{1,200})'
_TABLE = re.compile(
    r"\bCREATE\s+(?:(?:TEMP|TEMPORARY|UNLOGGED)\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    rf"(?:{_NAME}\s*\.\s*){{0,2}}(?P<name>{_NAME})\s*(?P<body>\()?",
    re.IGNORECASE,
)
_COLUMN = re.compile(rf"\s*(?P<name>{_NAME})")
_MARK = re.compile(r'"[^"]*"|[(),]')
_CONSTRAINTS = frozenset({"check", "constraint", "exclude", "foreign", "like", "primary", "unique"})


def bare(name: str) -> str:
    """Return a table's or column's name without quotes and schema, as SQL compares it."""
    return name.rsplit(".", 1)[-1].strip('"`[]').lower()


def tables(content: bytes) -> Mapping[str, frozenset[str] | None]:
    """Return each table that a state file defines with its columns; none where it lists none."""
    defined = list(_definitions(content)) or [content.decode("utf-8", "replace")]
    return dict(table for text in defined for table in _tables(_MARKED.sub(_plain, text)))


def _definitions(content: bytes) -> Iterator[str]:
    for line in content.splitlines():
        if line.startswith(_SCHEMA_LINE):
            try:
                yield msgspec.json.decode(line[len(_SCHEMA_LINE) :], type=str)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue


def _plain(found: re.Match[str]) -> str:
    """Take out what may look like a definition and is none; a quoted name stays."""
    if found["text"] is not None:
        return "''"
    return " " if found["comment"] is not None else found[0]


def _tables(text: str) -> Iterator[tuple[str, frozenset[str] | None]]:
    at = 0
    while (found := _TABLE.search(text, at)) is not None:
        at = found.end()
        if found["body"] is None:
            yield bare(found["name"]), None
            continue
        parts, at = _parts(text, at)
        columns = {bare(match["name"]) for part in parts if (match := _COLUMN.match(part))}
        yield bare(found["name"]), frozenset(columns - _CONSTRAINTS)


def _parts(text: str, at: int) -> tuple[list[str], int]:
    """Return what stands between commas up to the closing bracket, and where that is."""
    parts, depth, start = [], 1, at
    for mark in _MARK.finditer(text, at):
        place = mark.start()
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
        if depth == 0 or (mark[0] == "," and depth == 1):
            parts.append(text[start:place])
            start = place + 1
        if depth == 0:
            return parts, start
    return [*parts, text[start:]], len(text)
