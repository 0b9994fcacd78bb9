"""Pipe tables of GitHub's Markdown, also where their rows are broken over several lines.

Tables are taken out of a text before the Markdown parser sees it: the parser would drop surplus
cells and pad short rows, and a row that was broken would become two rows that nobody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-+:?\Z")
_OTHER_BLOCK = re.compile(r"(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]|#{1,6}[ \t]|```|~~~|[ ]{4}|\t)")
_HEADER_LINES = 8


class Row(NamedTuple):
    """The cells of a row and the index of the line on which it begins."""

    cells: tuple[str, ...]
    line: int


class PipeTable(NamedTuple):
    """A table from line index ``start`` to ``end``, exclusive, and what was odd about it."""

    start: int
    end: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    rejoined: tuple[int, ...]
    """Lines on which rows begin that were broken and had one way only to be whole again."""
    odd: tuple[Row, ...]
    """Rows whose number of cells is not the header's; kept as they stand."""
    text_follows: bool
    """Whether text stands right behind the last row, without a blank line."""


def cells(line: str) -> list[str]:
    """Split a line at its pipes; the outer ones make no cell, an escaped one is a letter."""
    parts = _PIPE.split(line.strip())
    if len(parts) > 1 and not parts[0].strip():
        del parts[0]
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    return [part.strip().replace("\\|", "|") for part in parts]


def find(lines: Sequence[str], stops: Callable[[int], bool]) -> list[PipeTable]:
    """Return the tables of ``lines``; ``stops`` says which lines can never belong to one."""
    tables: list[PipeTable] = []
    at, free = 1, 0
    while at < len(lines):
        table = None
        if not stops(at) and _is_delimiter(lines[at]):
            table = _table(lines, at, free, stops)
        if table is None:
            at += 1
            continue
        tables.append(table)
        free = table.end
        at = table.end + 1
    return tables


def _is_delimiter(line: str) -> bool:
    return (
        "|" in line
        and "-" in line
        and not line.startswith(("    ", "\t"))
        and not line.strip("|:- \t")
        and all(_RULE.match(cell) for cell in cells(line))
    )


def _table(
    lines: Sequence[str], delimiter: int, free: int, stops: Callable[[int], bool]
) -> PipeTable | None:
    width = len(cells(lines[delimiter]))
    start = _header(lines, delimiter, free, width, stops)
    if start is None:
        return None
    header = cells(_joined(lines[start:delimiter]))
    end, follows = _body_end(lines, delimiter + 1, width, stops)
    rows: list[Row] = []
    rejoined: list[int] = []
    run: list[int] = []
    for at in range(delimiter + 1, end):
        whole = cells(lines[at])
        if len(whole) == width:
            _close(lines, run, width, rows, rejoined)
            rows.append(Row(tuple(whole), at))
        else:
            run.append(at)
    _close(lines, run, width, rows, rejoined)
    odd = tuple(row for row in rows if len(row.cells) != width)
    if delimiter - start > 1:
        rejoined.insert(0, start)
    return PipeTable(start, end, tuple(header), tuple(rows), tuple(rejoined), odd, follows)


def _header(
    lines: Sequence[str], delimiter: int, free: int, width: int, stops: Callable[[int], bool]
) -> int | None:
    """Return where the header begins: the line above, or more of them if it was broken."""
    for start in range(delimiter - 1, max(free, delimiter - _HEADER_LINES) - 1, -1):
        line = lines[start]
        if stops(start) or "|" not in line or _OTHER_BLOCK.match(line):
            return None
        count = len(cells(_joined(lines[start:delimiter])))
        if count == width:
            return start
        if count > width:
            return None
    return None


def _body_end(
    lines: Sequence[str], at: int, width: int, stops: Callable[[int], bool]
) -> tuple[int, bool]:
    """Return where the rows end, and whether text follows at once."""
    complete = True
    while at < len(lines):
        line = lines[at]
        if not line.strip() or stops(at):
            return at, False
        if at + 1 < len(lines) and "|" in line and _is_delimiter(lines[at + 1]):
            return at, False
        piped = _PIPE.search(line) is not None
        if not line.lstrip().startswith("|") and _OTHER_BLOCK.match(line):
            return at, False
        # A line without a pipe is a part of a cell only where the line before left one open.
        if not piped and complete:
            return at, True
        if piped:
            complete = line.rstrip().endswith("|") or len(cells(line)) == width
        at += 1
    return at, False


def _close(
    lines: Sequence[str], run: list[int], width: int, rows: list[Row], rejoined: list[int]
) -> None:
    """Add the rows of a run of lines none of which is a whole row; empties ``run``.

    A line that begins with a pipe never continues one that ends with a pipe: both are rows by
    themselves, with too few cells or too many.
    """
    start = 0
    for at in range(1, len(run) + 1):
        cut = at == len(run) or (_ends(lines[run[at - 1]]) and _begins(lines[run[at]]))
        if not cut:
            continue
        part = run[start:at]
        start = at
        groups = _only_reading([lines[line] for line in part], width)
        if groups is None:
            rows.extend(Row(tuple(cells(lines[line])), line) for line in part)
            continue
        for first, last in groups:
            whole = cells(_joined([lines[line] for line in part[first:last]]))
            rows.append(Row(tuple(whole), part[first]))
            rejoined.append(part[first])
    run.clear()


def _only_reading(lines: list[str], width: int) -> list[tuple[int, int]] | None:
    """Return the one way to part ``lines`` into rows of ``width`` cells; None if none or several.

    Joining adds the cells up, less one where neither side of the joint has a pipe. So it is a
    count over running sums, linear in the lines, however wide the table is.
    """
    counts = [len(cells(line)) for line in lines]
    joints = [
        0 if _ends(lines[at]) or _begins(lines[at + 1]) else -1 for at in range(len(lines) - 1)
    ]
    starts: dict[int, tuple[int, int]] = {0: (1, 0)}
    came_from = [-1] * (len(lines) + 1)
    total, seams, ways = 0, 0, 0
    for at in range(len(lines)):
        total += counts[at]
        ways, origin = starts.get(total + seams - width, (0, -1))
        came_from[at + 1] = origin
        if at < len(joints):
            seams += joints[at]
        if ways:
            known, _ = starts.get(total + seams, (0, 0))
            starts[total + seams] = (min(2, known + ways), at + 1)
    if ways != 1:
        return None
    groups: list[tuple[int, int]] = []
    end = len(lines)
    while end > 0:
        groups.append((came_from[end], end))
        end = came_from[end]
    return groups[::-1]


def _joined(lines: Sequence[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _ends(line: str) -> bool:
    line = line.rstrip()
    return line.endswith("|") and not line.endswith("\\|")


def _begins(line: str) -> bool:
    return line.lstrip().startswith("|")
