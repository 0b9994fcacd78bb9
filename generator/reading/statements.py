"""What a paragraph states: ``Key: value``, several to a line, and ``key=value`` inside prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_KEY = re.compile(r"[A-Za-z0-9][\w /&'()+,.#-]{0,79}\Z")
_NEXT_KEY = r"[A-Za-z][\w /&'()-]{0,60}:(?:\s|\Z)"
_SPLIT = re.compile(
    r"\s[·•]\s+|\s\.\s+"
    r"|(?<=\.)\s?-\s(?=\S)|(?<=\.\))\s?-\s(?=\S)"
    rf"|\s-\s(?={_NEXT_KEY})"
    r"|(?<=[.)])\s(?=[A-Z][\w /-]{0,40}:\s)"
)
_RUN_TOGETHER = re.compile(rf"\.\)?\s?-\s(?=\S)|(?<=\S)\s-\s(?={_NEXT_KEY})")
_NUMBERS_RUN_TOGETHER = re.compile(r"[.!)]\s[0-9]{1,3}\.(?:\s+(?=[A-Z`])|\Z)")
_NAME_IS = re.compile(r"(?<![\w./=<>!-])(\w{3,80}) ?=(?![=>]) ?([\w./…-]{1,200})")
_WORDS_IS = re.compile(
    r"(?:^|(?<=[.;] ))([A-Z][A-Za-z-]{1,30}(?: [\w-]{1,30}){0,3}) = ([\w./…-]{1,200})",
    re.MULTILINE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|\Z)")
_PLAIN = (
    (re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]+)\1(?!`)"), r"\2"),
    (re.compile(r"\[([^\[\]\n]*)\]\([^()\s]*\)"), r"\1"),
    (re.compile(r"\*\*(?=\S)([^*\n]+)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)([^_\n]+)__(?!\w)"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=[^*\s])([^*\n]+)\*(?![\w*])"), r"\1"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
_MARKS = re.compile(r"[`*\[\\]|__")
_LONGEST_KEY = 90


class Said(NamedTuple):
    """A key, its value, and the line of the value, counted from the start of the paragraph."""

    key: str
    value: str
    line: int
    displaced: bool = False
    """Whether the value stood on a later line than its key."""


class _Piece(NamedTuple):
    text: str
    line: int
    opens_line: bool


def plain(text: str) -> str:
    """Return ``text`` without the marks of emphasis, code and links; lines stay lines."""
    if _MARKS.search(text):
        for pattern, kept in _PLAIN:
            text = pattern.sub(kept, text)
    return text


def stated(paragraph: str) -> list[Said]:
    """Return what a paragraph of plain text states, in its order."""
    found: list[Said] = []
    if ":" in paragraph:
        for piece, displaced in _pieces(paragraph):
            said = _key_and_value(piece)
            if said is not None:
                found.append(said._replace(displaced=displaced))
    if "=" in paragraph:
        starts = _line_starts(paragraph)
        known = {(said.key, said.value) for said in found}
        matches = [match for match in _NAME_IS.finditer(paragraph) if "_" in match[1]]
        for match in (*matches, *_WORDS_IS.finditer(paragraph)):
            key, value = match[1], match[2].rstrip(".")
            if value and (key, value) not in known:
                known.add((key, value))
                found.append(Said(key, value, _line_at(starts, match.start(2))))
        found.sort(key=lambda said: said.line)
    return found


def run_together(line: str) -> str | None:
    """Say what runs together on a line: list items, or numbered ones; None if nothing does."""
    if _NUMBERS_RUN_TOGETHER.search(line):
        return "numbered items run together"
    if _RUN_TOGETHER.search(line):
        return "list items run together"
    return None


def _pieces(paragraph: str) -> list[tuple[_Piece, bool]]:
    pieces: list[tuple[_Piece, bool]] = []
    for number, line in enumerate(paragraph.split("\n")):
        for at, text in enumerate(_SPLIT.split(line)):
            piece = _Piece(text.strip(), number, at == 0)
            if at == 0 and pieces:
                before, displaced = pieces[-1]
                if not piece.text:
                    continue
                if _waits_for_value(before.text) and _key_of(piece.text) is None:
                    joined = _Piece(f"{before.text} {piece.text}", number, before.opens_line)
                    pieces[-1] = (joined, True)
                    continue
                if _continues(before.text, piece.text):
                    # The value ends with its sentence; what is behind it is prose again.
                    end = _SENTENCE_END.search(piece.text)
                    rest = piece.text[: end.end()] if end else piece.text
                    joined = before._replace(text=f"{before.text} {rest}")
                    pieces[-1] = (joined, displaced)
                    if end is None:
                        continue
                    piece = _Piece(piece.text[end.end() :].strip(), number, False)
                elif _is_wrapped_prose(before.text, piece.text):
                    continue
            if piece.text:
                pieces.append((piece, False))
    return pieces


def _waits_for_value(before: str) -> bool:
    return before.endswith(":") and _key_of(before) == before[:-1].strip()


def _continues(before: str, text: str) -> bool:
    """Tell whether a line goes on with the value that the line before began."""
    key = _key_of(before)
    # A bound, so that a paragraph of ever the same line is not copied once for each of them.
    if key is None or len(before) > 2000:
        return False
    value = before[len(key) + 1 :].strip()
    if " " not in value or before[-1] in ".!?":
        return False
    if before[-1] == ",":
        return _key_of(text) is None
    return (text[0].islower() or text[0] in "(`") and _key_of(text) is None


def _is_wrapped_prose(before: str, text: str) -> bool:
    """Tell whether a line that looks like a key only goes on with a sentence."""
    return text[0].islower() and before[-1] not in ".!?:;)|" and _key_of(before) is None


def _key_of(text: str) -> str | None:
    """Return the key that a piece begins with, as it stands before its colon."""
    at = -1
    while True:
        at = text.find(":", at + 1, _LONGEST_KEY)
        if at < 0:
            return None
        if at + 1 == len(text) or text[at + 1].isspace():
            break
    key = text[:at].strip()
    if not _KEY.match(key) or len(key.split()) > 9 or ". " in key or key.isdigit():
        return None
    outside = re.sub(r"\([^()]*\)", "", key)
    return None if "," in outside or "(" in outside or ")" in outside else key


def _key_and_value(piece: _Piece) -> Said | None:
    key = _key_of(piece.text)
    if key is None:
        return None
    value = trimmed(piece.text[piece.text.index(key) + len(key) :].lstrip()[1:])
    return Said(key, value, piece.line) if value else None


def trimmed(value: str) -> str:
    """Return a value without white space and without the full stop of its sentence."""
    value = value.strip()
    if value.endswith(".") and not value.endswith(".."):
        value = value[:-1].rstrip()
    return value


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _line_at(starts: list[int], at: int) -> int:
    return bisect_right(starts, at) - 1
