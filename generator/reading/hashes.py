"""Hashes as they stand in prose: whole, abbreviated, or run together with the word before them.

Where a revision number, a word or a second word touches a hash, every reading that fits is kept and
none is chosen: a guess here would turn into a verdict further down.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_RUN = re.compile(r"[0-9a-f]{4,}(?:(?:…|\.{2,3})[0-9a-f]*)?")
_SEPARATOR = re.compile(r"…|\.{2,3}")
_UPPER = re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[A-F])[0-9A-F]{64}(?![0-9A-Za-z])")
# The letters of "sha256" and "tree" that are hexadecimal digits themselves.
_GLUED_WORDS = (("sh", "a256"), ("tr", "ee"))
_FULL = 64
_SHORTEST = 4
_LONGEST_GLUE = 8
_WINDOW = 240

_SENTENCE_END = re.compile(r"[.!?;]\s|\s[·•]\s|\.- ")
_TOKEN = re.compile(r"[\w./…-]+")
_FILE = re.compile(r"[\w…/.-]*[\w…-]{2}\.[A-Za-z][A-Za-z0-9]{0,7}\Z")
_AFTER = re.compile(r"[ \t]{1,4}(?:[*(]|of |for )?`?([\w./-]{3,200})")
_NOUN = re.compile(
    r"(?<![\w-])((?:[A-Z][0-9]{1,2} |seal |packet )?"
    r"(?:packet_tree|tree|manifest|pin|seal|[A-Z][0-9]{1,2}))[\s:=(`*]{0,6}\Z"
)
_CLAUSE = re.compile(r"(?<![\w-])([\w-]+(?: [\w-]+)?)[\s:=(`*]{0,6}\Z")


class Found(NamedTuple):
    """A hash in a text; ``start`` is where the word that touches it begins, if one does."""

    start: int
    end: int
    text: str
    form: str
    readings: tuple[str, ...] = ()
    glue: str = ""
    """What it is run together with; empty if it stands alone."""
    word: str = ""
    """The known word that touches it: ``sha256``, ``tree`` or ``rev``."""


def find(text: str) -> list[Found]:
    """Return every hash of ``text`` in order."""
    found = []
    for match in _RUN.finditer(text):
        hit = _read(text, match.start(), match.end())
        if hit is not None:
            found.append(hit)
    return found


def upper_case(text: str) -> list[int]:
    """Return where 64 upper-case digits stand: a digest in a form that never counts (spec 2.1)."""
    return [match.start() for match in _UPPER.finditer(text)]


def label(text: str, hit: Found) -> str:
    """Return the nearest word that says what is hashed: a file name, else a noun, else nothing.

    Only the same sentence is looked at; a file name behind the hash counts only where nothing but
    a blank, a star or a bracket stands between them, as ``sha256sum`` prints it.
    """
    before = text[max(0, hit.start - _WINDOW) : hit.start]
    sentence = 0
    for boundary in _SENTENCE_END.finditer(before):
        sentence = boundary.end()
    before = before[sentence:]
    if hit.word in ("tree", "rev"):
        clause = _CLAUSE.search(before)
        named = clause[1] if clause else ""
        return f"{named} {hit.word}".strip() if hit.word == "tree" else named
    best, noun = "", _NOUN.search(before)
    end_of_best = -1
    for token in _TOKEN.finditer(before):
        name = token[0].rstrip(".…-")
        if ".." not in name and _FILE.match(name):
            best, end_of_best = name, token.end()
    if noun and noun.end(1) > end_of_best:
        return noun[1]
    if best:
        return best
    behind = _AFTER.match(text, hit.end)
    if behind and _FILE.match(behind[1].rstrip(".")):
        return behind[1].rstrip(".")
    return ""


def _read(text: str, start: int, end: int) -> Found | None:
    run = text[start:end]
    separator = _SEPARATOR.search(run)
    if separator is None and len(run) < _FULL:
        return None
    head = run[: separator.start()] if separator else run
    tail = run[separator.end() :] if separator else ""
    middle = separator[0] if separator else ""
    if text[max(0, start - 3) : start].lower() == "rev" and not _touches(text, start - 4):
        return _revision(text, start, end, head, middle, tail)
    word = ""
    for outside, inside in _GLUED_WORDS:
        if text[max(0, start - 2) : start] == outside:
            rest = head[len(inside) :]
            fits = len(rest) >= _SHORTEST if separator else len(rest) == _FULL
            if head.startswith(inside) and fits:
                word, head, start = outside + inside, rest, start + len(inside)
                break
    if separator is None:
        return _full(text, start, end, head, word)
    return _weak(text, start, end, (head, middle, tail), word)


def _full(text: str, start: int, end: int, run: str, word: str) -> Found | None:
    if len(run) == _FULL:
        touched = word or _touches(text, start - 1) or _touches(text, end)
        return Found(
            start - len(word), end, run, "full", glue="a word" if touched else "", word=word
        )
    surplus = len(run) - _FULL
    # A longer number that touches nothing is another kind of digest, not a damaged SHA-256.
    if surplus > _LONGEST_GLUE or not (_touches(text, start - 1) or _touches(text, end)):
        return None
    readings = tuple(run[at : at + _FULL] for at in range(surplus + 1))
    return Found(start, end, run, "ambiguous", readings, glue="a word")


def _weak(text: str, start: int, end: int, parts: tuple[str, str, str], word: str) -> Found | None:
    head, middle, tail = parts
    if not _looks_hashed(head + tail) or len(head) >= _FULL or len(tail) >= _FULL:
        return None
    heads, tails = [head], [tail]
    before = not word and _touches(text, start - 1)
    after = bool(tail) and _touches(text, end)
    if before:
        letters = len(head) - len(head.lstrip("abcdef"))
        heads = [head[at:] for at in range(letters + 1) if len(head) - at >= _SHORTEST]
    if after:
        letters = len(tail) - len(tail.rstrip("abcdef"))
        tails = [tail[: len(tail) - at] for at in range(letters, -1, -1)]
    readings = tuple(f"hash {one}{middle}{other}" for one in heads for other in tails)
    glue = "a word" if word or before or after else ""
    if len(readings) == 1:
        return Found(start - len(word), end, text[start:end], "weak", glue=glue, word=word)
    whole = text[start : _word_end(text, end)] if after else text[start:end]
    return Found(start, start + len(whole), whole, "ambiguous", readings, glue=glue)


def _revision(text: str, start: int, end: int, head: str, middle: str, tail: str) -> Found | None:
    digits = len(head) - len(head.lstrip("0123456789"))
    if not middle:
        split = len(head) - _FULL
        if split < 0 or split > digits:
            return None
        return Found(start - 3, end, head[split:], "full", glue="a revision number", word="rev")
    if not _looks_hashed(head + tail) or len(tail) >= _FULL:
        return None
    readings = tuple(
        f"revision {head[:at]}, hash {head[at:]}{middle}{tail}"
        for at in range(1, min(digits, 9) + 1)
        if head[0] != "0" and _SHORTEST <= len(head) - at < _FULL
    )
    if not readings:
        return None
    if len(readings) == 1:
        text_of_hash = readings[0].rsplit(" ", 1)[1]
        return Found(start - 3, end, text_of_hash, "weak", glue="a revision number", word="rev")
    return Found(
        start - 3, end, text[start - 3 : end], "ambiguous", readings, "a revision number", "rev"
    )


def _looks_hashed(digits: str) -> bool:
    # Words such as "added..." have no digit, ranges such as "1000..1020" no letter.
    return any(c in "0123456789" for c in digits) and any(c in "abcdef" for c in digits)


def _touches(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


def _word_end(text: str, at: int) -> int:
    limit = min(len(text), at + 40)
    while at < limit and _touches(text, at):
        at += 1
    return at
