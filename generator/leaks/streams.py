"""Secrets in what is too long to be held: a text that comes in pieces, and cells of a table.

Nothing of what is found is kept but how often. A text is looked at in windows that overlap, cells
in batches; only where a batch has something is each of its cells looked at alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generator.leaks.scan import scan
from generator.model.digest import Digest

MOST = 10_000
"""What is counted, at most, of one rule: where more is found, that much is told."""
WINDOW = 1 << 20
"""Bytes that are looked at in one go."""
OVERLAP = 1 << 15
"""Bytes of a window that the next one sees again; more than the longest secret that is known."""

# No pattern leads from one cell into the next: a line end ends a token, and zero is no white space.
_BETWEEN = b"\n\0\n"

_MARKED = bytes(byte if byte < 0x80 else 0x7F for byte in range(256))
_WIDE = re.compile(rb"(?:[ -~]\0){4}")

Counts = dict[str, int]
"""By rule, how many were found; a rule that found nothing is not in it."""


def count_text(pieces: Iterable[bytes]) -> Counts:
    """Return how many different secrets a text has.

    Args:
        pieces: the text, cut anywhere; UTF-8, or anything that keeps ASCII.
    """
    seen: dict[str, set[Digest]] = {}
    for window, tail in _windows(pieces):
        text = _text(window)
        last = len(text) if tail is None else len(_text(window[:tail]))
        lines = text.count("\n", 0, last) + 1
        for leak in scan(text):
            # what begins in the overlap is seen whole in the next window
            if leak.line <= lines:
                known = seen.setdefault(leak.rule, set())
                if len(known) < MOST:
                    known.add(leak.digest)
    return {rule: len(found) for rule, found in sorted(seen.items())}


def _windows(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, int | None]]:
    """Yield windows, each with where its overlap with the next begins, if there is one."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= WINDOW + OVERLAP:
            # at the end of a line, if there is one near: what stands before counts for a pattern
            cut = held.rfind(b"\n", WINDOW - OVERLAP, WINDOW) + 1 or WINDOW
            yield bytes(held[: cut + OVERLAP]), cut
            del held[:cut]
    if held:
        yield bytes(held), None


class Column:
    """What was found in the cells of one column."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.cells = 0
        self.counts: Counts = {}

    def full(self, rule: str) -> bool:
        """Tell whether so much was found that no more is counted."""
        return self.counts.get(rule, 0) >= MOST

    def add(self, rules: Iterable[str]) -> None:
        """Count a cell in which these rules find something."""
        for rule in rules:
            self.counts[rule] = min(MOST, self.counts.get(rule, 0) + 1)


class Columns:
    """Looks through the cells of some columns, row by row."""

    def __init__(self, binary: Sequence[bool]) -> None:
        """Begin with empty columns.

        Args:
            binary: of each column, whether its cells are bytes of any kind, or else text in UTF-8.
        """
        self.columns = [Column() for _ in binary]
        self._binary = binary
        self._held: list[list[bytes]] = [[] for _ in binary]
        self._size = 0

    def row(self, cells: Sequence[bytes | None]) -> None:
        """Take a row; what is not there is passed over."""
        for held, cell in zip(self._held, cells, strict=True):
            if cell:
                held.append(cell)
                self._size += len(cell)
        if self._size >= WINDOW:
            self.look()

    def look(self) -> None:
        """Look through what was taken since the last time; has to be called at the end."""
        for binary in (False, True):
            some = [
                (column, held)
                for column, held, kind in zip(self.columns, self._held, self._binary, strict=True)
                if kind == binary and held
            ]
            every = _BETWEEN.join(cell for _, held in some for cell in held)
            if every and rules_of(every, binary=binary):
                for column, held in some:
                    _attribute(column, held, binary=binary)
        for column, held in zip(self.columns, self._held, strict=True):
            column.cells += len(held)
            held.clear()
        self._size = 0


def _attribute(column: Column, cells: list[bytes], *, binary: bool) -> None:
    """Count the cells in which something is found: halves that hold nothing are passed over."""
    found = rules_of(_BETWEEN.join(cells), binary=binary)
    if all(map(column.full, found)):
        return
    if len(cells) == 1:
        column.add(found)
        return
    middle = len(cells) // 2
    for half in (cells[:middle], cells[middle:]):
        _attribute(column, half, binary=binary)


def rules_of(data: bytes, *, binary: bool) -> set[str]:
    """Return the rules that find something in a cell, or in cells that are joined.

    What is no ASCII in bytes of any kind is read as a mark that stands between words, and a text of
    two bytes a character, as in UTF-16, as one of a byte.
    """
    if not binary:
        return {leak.rule for leak in scan(_text(data))}
    text = data.translate(_MARKED).decode("ascii")
    leaks = scan(text)
    if _WIDE.search(data):
        leaks += scan(text.replace("\n\0\n", "\n\1\n").replace("\0", ""))
    return {leak.rule for leak in leaks}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
