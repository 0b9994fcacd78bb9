"""What several kinds of evidence derive in the same way: counts, lists of names, named files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from generator.evidence.base import Evidence, derived, refused
from generator.ledger import Row

_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST_KEPT = 200


def word(text: str) -> str:
    """Return a name in the form in which names are compared: ``not checkable``, ``real run``."""
    return _word(text) if len(text) <= _LONGEST_KEPT else _word.__wrapped__(text)


@lru_cache(maxsize=1024)  # lanes have the same ones again and again
def _word(text: str) -> str:
    return _NOT_WORD.sub(" ", text.casefold()).strip() or text.strip()


def counted(
    where: str, stated: int | None, listed: int, *, against: str, code: str
) -> Iterator[Row]:
    """Yield the row of a count, if it is stated."""
    if stated is not None:
        yield derived(
            where,
            stated,
            listed,
            against=against,
            code=code,
            message="The list has another number of them.",
        )


def twice(places: Iterable[tuple[str, str]], code: str) -> Iterator[Row]:
    """Yield a finding for each name that stands before, by place and name."""
    seen: set[str] = set()
    for where, name in places:
        if word(name) in seen:
            yield refused(where, name, code, "The name stands twice.", "another name")
        seen.add(word(name))


def filled(where: str, stated: str, code: str) -> Iterator[Row]:
    """Yield a finding where a text that people need is blank."""
    if not stated.strip():
        yield refused(where, stated, code, "Nothing is written here.", "some words")


def named(evidence: Evidence, where: str, path: str, code: str) -> Row:
    """Return the row of a file's name; its finding where the packet has no such file."""
    if evidence.has(path):
        return derived(where, path, path, against=path, code=code, message="")
    return refused(where, path, code, "The file is not in the packet.", "a file")
