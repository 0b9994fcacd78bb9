"""A document as it was read: its statements with their places, nothing judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from generator.model.digest import Digest

OPTION_MEANING = "option meaning"
"""The key of a statement ``TOKEN: what it means``, read from a list of options."""
RESERVED = "reserved range"
"""The kind of a passage that reserves a range of objects."""
STATUS = "preflight status"
"""The kind of a passage of a preflight that quotes a status."""

_LINE = re.compile(r"(.+):([0-9]{1,9})\Z", re.DOTALL)


class Place(NamedTuple):
    """A place in a file: at a JSON Pointer (RFC 6901), on a line, or the file as a whole."""

    name: str
    pointer: str | None = None
    line: str = ""


def read_place(where: str) -> Place:
    """Read ``name#/pointer``, ``name:line`` or ``name``.

    A document's name may hold ``#`` but no ``/``, and ends in its ending, so that only a pointer
    begins with ``#/``, or is the empty one behind a last ``#``.
    """
    name, mark, pointer = where.partition("#/")
    if mark:
        return Place(name, f"/{pointer}")
    if where.endswith("#"):
        return Place(where[:-1], "")
    match = _LINE.match(where)
    return Place(match[1], None, match[2]) if match else Place(where)


class DocumentKind(StrEnum):
    """The documents a lane leaves (spec 1)."""

    REPORT = "report"
    MACHINE_REPORT = "machine report"
    CHECKPOINT = "checkpoint"
    DECISION_PACKET = "decision packet"
    ADDENDUM = "governance addendum"
    OTHER = "document"


class Statement(NamedTuple):
    """A key and what the document says of it.

    ``where`` is ``file:line`` in text, ``file#/pointer`` in JSON. ``type`` is the JSON type
    (string, integer, number, boolean, null) or ``text`` for prose and table cells.
    """

    key: str
    value: str
    where: str
    type: str = "text"


class HashMention(NamedTuple):
    """A hash as it stands in a document.

    ``form`` is ``full`` (64 digits), ``weak`` (abbreviated) or ``ambiguous`` (a revision number
    and a hash run together, so that more than one reading fits). ``label`` is the nearest word
    that says what is hashed: a file name, or a JSON key; empty if there is none.
    """

    text: str
    form: str
    where: str
    label: str = ""
    readings: tuple[str, ...] = ()
    """For ``ambiguous``: every way to read it, such as ``revision 24, hash 0cf39cd4…``."""


class Table(NamedTuple):
    """A table with its header, rows, and the line on which each row begins (1-based)."""

    where: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_lines: tuple[int, ...]


class BallotLine(NamedTuple):
    """A line of a decision packet that names an option, or a sentence that could steer."""

    where: str
    token: str = ""
    """The option with which the line begins; empty for a sentence."""
    listing: int = 0
    """Options under one heading belong together."""
    among_options: bool = False
    """Whether that heading speaks of options."""
    checked: bool = False
    emphasised: bool = False
    remark: str = ""
    """What stands in parentheses right behind the option."""
    text: str = ""
    """What the line says of the option, or the sentence."""


class Section(NamedTuple):
    """A heading and its line (1-based)."""

    title: str
    level: int
    line: int


class Passage(NamedTuple):
    """A piece of text that is read as one: a paragraph, an item, a cell, a block of code."""

    text: str
    line: int
    """0-based."""
    kind: str
    """``paragraph``, ``cell``, ``heading``, ``code``, or ``title`` for that of the document."""
    fallback: str = ""
    """What names a hash in here if nothing nearer does: the first cell of its row."""


class Damage(NamedTuple):
    """Something broken that was read around, and how."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a lane, read once."""

    name: str
    kind: DocumentKind
    sha256: Digest
    size: int
    title: str
    date: str
    """ISO 8601 date that the document states for itself; empty if it states none, or several."""
    status: Statement | None
    """The final status that it states for its own lane."""
    statements: tuple[Statement, ...] = ()
    hashes: tuple[HashMention, ...] = ()
    tables: tuple[Table, ...] = ()
    sections: tuple[Section, ...] = ()
    damage: tuple[Damage, ...] = ()
    passages: tuple[Passage, ...] = ()
    """The text in pieces, without the marks of Markdown; let go of once the lane is judged."""
    ballot: tuple[BallotLine, ...] = ()
    """Of a decision packet in text: its options and what is said of them."""
    data: object = None
    """The parsed JSON of a machine report, unknown keys included; None for text."""
    said: tuple[Statement, ...] = ()
    """What sentences say that other lanes are held against."""
