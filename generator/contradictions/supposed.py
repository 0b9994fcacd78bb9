"""Clauses that tell of another time, of another lane, or of what would be: no facts of this lane.

They are blanked, letter for letter, so that what is left stands where it stood.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

_MARKS = re.compile(
    r"(?i)(?P<whole>\b(?:would|could|might|only (?:if|when|once|after)"
    r"|(?:allowed|possible|permitted|other) (?:final )?(?:status(?:es)?|outcomes?|verdicts?)"
    r"|needs? the delegation|next (?:lane|macro))\b)"
    r"|(?P<onward>\b(?:if|unless|until|in case|provided that)\b)"
    r"|(?P<clause>\b(?:lane before|before this lane|(?:earlier|previous|preceding|next|later)"
    r" (?:lane|run|packet|report|rehearsal|revision)s?|previously|formerly|(?:down|up) from"
    r"|(?:early|first) draft|at first|originally)\b)"
)
_BEGINS = re.compile(
    r"(?i)[\W_]{0,6}(?:in the )?(?:lane before|before this lane|previously|formerly|originally)\b"
)
"""What, at the start of a sentence, says when all of it was so."""
_SENTENCE_ENDS = re.compile(r"[.;!?](?=\s|\Z)|\s[·•]\s")
_CLAUSE_ENDS = re.compile(r"[,()](?!\d)|\s[—–]\s")
_WORDS = (
    *("would", "could", "might", "only ", "status", "outcome", "verdict", "delegation"),
    *("next ", "later ", "if", "unless", "until", "in case", "provided", "lane", "earlier "),
    *("previous", "preceding ", "formerly", "from", "draft", "at first", "originally"),
)
"""Of which one is there wherever a mark is; looking for words is far faster than for patterns."""
_STRUCK = re.compile(r"~~[^~]{1,400}~~")
_LETTER = re.compile(r"\S")


@lru_cache(maxsize=256)  # several readers ask for the pieces of a document, one after the other
def told_now(text: str) -> str:
    """Return a text without its clauses of another time, another lane, or of what would be."""
    if "~~" in text:
        text = _STRUCK.sub(lambda match: _blank(match[0]), text)
    lower = text.lower()
    if not any(word in lower for word in _WORDS) or not _MARKS.search(text):
        return text
    kept = []
    for start, end in _parts(text, 0, len(text), _SENTENCE_ENDS):
        kept.append(_of_sentence(text, start, end))
    return "".join(kept)


def _parts(text: str, start: int, end: int, cut: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in cut.finditer(text, start, end):
        yield start, match.end()
        start = match.end()
    if start < end:
        yield start, end


def _of_sentence(text: str, start: int, end: int) -> str:
    marks = list(_MARKS.finditer(text, start, end))
    sentence = text[start:end]
    if any(mark["whole"] for mark in marks) or _BEGINS.match(sentence):
        return _blank(sentence)
    onward = next((mark.start() for mark in marks if mark["onward"]), end)
    if onward < end:
        sentence = text[start:onward] + _blank(text[onward:end])
    clauses = [mark.start() for mark in marks if mark["clause"] and mark.start() < onward]
    if clauses:
        sentence = "".join(
            _blank(part) if bisect_left(clauses, at) < bisect_left(clauses, till) else part
            for at, till in _parts(text, start, end, _CLAUSE_ENDS)
            for part in (sentence[at - start : till - start],)
        )
    return sentence


def _blank(text: str) -> str:
    return _LETTER.sub(" ", text)
