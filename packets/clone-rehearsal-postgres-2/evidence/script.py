"""Scripts in PostgreSQL's SQL: where statements end, and which of them have no place here.

Statements are told apart as psql tells them (quotes, dollar quotes, nested comments, bodies between
BEGIN ATOMIC and END), in bytes, as a dump may be in any encoding that keeps ASCII. Nothing is
expanded, and no line is ever a command of psql: one that begins with a backslash is refused. What a
statement does in the course of a function or a DO block cannot be seen here; the sandbox around the
server holds that.

A script may be larger than the memory: it is read where it lies, and what was read is let go.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Text = bytes | mmap.mmap
"""A script: in memory, or in a file that nobody else writes."""


class Statement(NamedTuple):
    """One statement of a script."""

    line: int
    text: bytes
    words: tuple[bytes, ...]
    """The words outside quotes and comments, in upper case; of a long statement the first."""
    copies: bytes = b""
    """Of a COPY, what stands behind its FROM or TO: ``STDIN``, ``STDOUT``, ``PROGRAM`` or else."""
    data: tuple[int, int] | None = None
    """Where the rows of ``COPY … FROM STDIN`` begin and end in the script."""
    at: int = 0
    """Where it begins in the script."""


class Problem(Exception):
    """A script has something that has no place in it."""

    def __init__(self, code: str, line: int, text: str) -> None:
        """Keep the code of the refusal, the line, and what is wrong."""
        super().__init__(text)
        self.code = code
        self.line = line
        self.text = text


MOST_WORDS = 200
"""Words of a statement that are looked at."""
LONGEST = 64 * 1024 * 1024
"""Bytes of a statement, without the rows of a ``COPY``."""
_PIECE = 1 << 20
_LET_GO = 16 * _PIECE
"""Bytes of a mapped script after which what was read is let go."""

# possessive where a choice repeats: what may be tried again is held, a hundred times its size
_TOKEN = re.compile(
    rb"""--[^\n]*
    |/\*
    |(?<![\w$\x80-\xff])[eE]'(?:[^'\\]++|\\.|'')*+(?P<open_e>'|\Z)
    |'[^']*(?P<open_q>'|\Z)
    |"[^"]*(?P<open_d>"|\Z)
    |(?<![\w$\x80-\xff])\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?)\$
    |(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)
    |\d[\w.]*
    |[();\\]""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_SPACE = re.compile(rb"(?:\s++|--[^\n]*+(?:\n|\Z))++")
_KEY = re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]+[ \t]*\r?(?:\n|\Z)")
"""What newer versions of pg_dump put around a dump, so that psql takes no command from it."""
_END_OF_DATA = b"\\."
"""On a line of its own, what ends the rows of a ``COPY``."""


def statements(text: Text, *, dump: bool) -> Iterator[Statement]:
    """Yield each statement of a script.

    Args:
        text: the script.
        dump: whether it may hold the rows of ``COPY … FROM STDIN``, the key of a dump, and comments
            in comments, which whoever judges the log of what ran does not know.

    Raises:
        Problem: it is no SQL that ends, or has a command of psql.
    """
    at = 3 if text[:3] == b"\xef\xbb\xbf" else 0
    counted, held, line = 0, 0, 1
    while True:
        if at - held > _LET_GO:
            held = at
            _let_go(text)
        at = _begin(text, at, dump=dump)
        if at >= len(text):
            return
        line += _lines(text, counted, at)
        counted = at
        end, words, outer = _one(text, at, line, nested=dump)
        if end - at > LONGEST:
            problem = f"a statement of more than {LONGEST // 1024 // 1024} MiB"
            raise Problem("REHEARSE-SIZE", line, problem)
        copies = _copied(outer) if words[:1] == (b"COPY",) else b""
        found = Statement(line, text[at:end], words, copies, None, at)
        at = end
        if copies == b"STDIN":
            if not dump:
                problem = "COPY ... FROM STDIN has no rows here; write INSERT"
                raise Problem("REHEARSE-SYNTAX", line, problem)
            start = text.find(b"\n", end) + 1
            closed, behind, lines = _rows_end(text, start) if start else (-1, -1, 0)
            if closed < 0:
                raise Problem("REHEARSE-DUMP-TRUNCATED", line, "the rows of a COPY have no end")
            found = found._replace(data=(start, closed))
            line += _lines(text, counted, start) + lines
            at = counted = behind
        if found.text.strip(b"; \t\r\n"):
            yield found


def _let_go(text: Text) -> None:
    """Give back the memory that a mapped script took; its bytes come again from the file."""
    if isinstance(text, mmap.mmap):
        text.madvise(mmap.MADV_DONTNEED)


def _lines(text: Text, start: int, end: int) -> int:
    """Return how many lines end between two places."""
    if isinstance(text, bytes):
        return text.count(b"\n", start, end)
    found = 0
    for at in range(start, end, _PIECE):
        found += text[at : min(at + _PIECE, end)].count(b"\n")
        if (at - start) % _LET_GO == 0:
            _let_go(text)
    return found


def _rows_end(text: Text, start: int) -> tuple[int, int, int]:
    """Return where the rows of a ``COPY`` end, and the line behind them, and how many lines end.

    Returns:
        -1, -1 and 0 where they have no end.
    """
    # the end of the line before may be in the piece before
    at, mark, lines = start - 1, b"\n" + _END_OF_DATA, 0
    while at < len(text):
        piece = text[at : at + _PIECE]
        place = piece.find(mark)
        while place >= 0:
            behind = at + place + len(mark)
            end = text[behind : behind + 2]
            for close in (b"\r\n", b"\n"):
                if end.startswith(close):
                    # that before the rows is another's, that of their last line is counted
                    return (
                        at + place + 1,
                        behind + len(close),
                        lines + piece.count(b"\n", 0, place) + 1,
                    )
            if end in (b"", b"\r") and behind + len(end) == len(text):
                return at + place + 1, len(text), lines
            place = piece.find(mark, place + 1)
        step = max(len(piece) - len(mark) + 1, 1)
        lines += piece.count(b"\n", 0, step)
        at += step
        if at % _LET_GO < _PIECE:
            _let_go(text)
    return -1, -1, 0


def _begin(text: Text, at: int, *, dump: bool) -> int:
    """Return where the next statement begins: behind space, comments and the key of a dump."""
    while True:
        space = _SPACE.match(text, at)
        if space is not None:
            at = space.end()
        elif text[at : at + 2] == b"/*":
            at = _after_comment(text, at, nested=dump)
        else:
            key = _KEY.match(text, at) if dump and text[at : at + 1] == b"\\" else None
            if key is None:
                return at
            at = key.end()


def _after_comment(text: Text, start: int, *, nested: bool) -> int:
    depth = 0
    problem = "a comment has no end"
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == b"/*" else -1
        if not depth:
            return edge.end()
        if depth > 1 and not nested:
            problem = "a comment in a comment, which the log of what ran cannot be held against"
            break
    raise Problem("REHEARSE-SYNTAX", _lines(text, 0, start) + 1, problem)


def _copied(outer: Sequence[bytes]) -> bytes:
    """Return what a COPY reads or writes: its query and its columns stand in parentheses."""
    at = next((at for at, word in enumerate(outer) if word in (b"FROM", b"TO")), len(outer))
    return outer[at + 1] if at + 1 < len(outer) else b""


def _one(
    text: Text, start: int, line: int, *, nested: bool
) -> tuple[int, tuple[bytes, ...], tuple[bytes, ...]]:
    """Return where the statement ends, its words, and those of them outside parentheses."""
    words: list[bytes] = []
    outer: list[bytes] = []
    at, parentheses, blocks = start, 0, 0
    while True:
        token = _TOKEN.search(text, at)
        if token is None:
            return len(text), tuple(words), tuple(outer)
        at = token.end()
        found = token[0]
        word = token["word"]
        if word is not None:
            word = word.upper()
            if len(words) < MOST_WORDS:
                words.append(word)
            if parentheses <= 0 and len(outer) < MOST_WORDS:
                outer.append(word)
            if words[0] == b"CREATE" and _makes_routine(words):
                if word == b"BEGIN" or (blocks and word == b"CASE"):
                    blocks += 1
                elif blocks and word == b"END":
                    blocks -= 1
        elif found == b";":
            if parentheses <= 0 and not blocks:
                return at, tuple(words), tuple(outer)
        elif found == b"(":
            parentheses += 1
        elif found == b")":
            parentheses -= 1
        elif found == b"\\":
            where = line + _lines(text, start, token.start())
            command = text[token.start() : token.start() + 20].split()[0].decode("ascii", "replace")
            problem = f"{command} is a command of psql; only SQL is run"
            raise Problem("REHEARSE-DUMP-META", where, problem)
        elif found == b"/*":
            at = _after_comment(text, token.start(), nested=nested)
        elif token["tag"] is not None:
            at = _behind(text, at, b"$" + token["tag"] + b"$", line)
        elif b"" in (token["open_e"], token["open_q"], token["open_d"]):
            raise Problem("REHEARSE-SYNTAX", line, "a quoted text has no end")


def _behind(text: Text, at: int, mark: bytes, line: int) -> int:
    end = text.find(mark, at)
    if end < 0:
        raise Problem("REHEARSE-SYNTAX", line, "a quoted text has no end")
    return end + len(mark)


def _makes_routine(words: Sequence[bytes]) -> bool:
    return any(one in (b"FUNCTION", b"PROCEDURE") for one in words[1:4])


# --- what has no place ---

_CLUSTER = frozenset({b"ROLE", b"USER", b"GROUP", b"DATABASE", b"TABLESPACE"})
_REACHING = frozenset({b"SERVER", b"SUBSCRIPTION"})
_CHANGING = (b"CREATE", b"ALTER", b"DROP")
_ENDING = frozenset({b"BEGIN", b"START", b"COMMIT", b"END", b"ROLLBACK", b"ABORT", b"PREPARE"})
_CLOCK = frozenset(
    {
        *(b"NOW", b"CURRENT_DATE", b"CURRENT_TIME", b"CURRENT_TIMESTAMP", b"LOCALTIME"),
        *(b"LOCALTIMESTAMP", b"CLOCK_TIMESTAMP", b"STATEMENT_TIMESTAMP", b"TIMEOFDAY"),
        *(b"TRANSACTION_TIMESTAMP", b"RANDOM", b"GEN_RANDOM_UUID", b"TXID_CURRENT"),
        *(b"PG_CURRENT_XACT_ID", b"PG_BACKEND_PID"),
    }
)
"""What gives something else each time, whatever it is asked."""


def check(statement: Statement) -> None:
    """Refuse a statement that reaches out of the database, of a dump or of a change.

    Raises:
        Problem: it does.
    """
    words, line = statement.words, statement.line
    first, rest = words[:1], words[1:]
    kind = rest[0] if rest else b""
    if first == (b"COPY",) and statement.copies not in (b"STDIN", b"STDOUT"):
        what = "PROGRAM" if statement.copies == b"PROGRAM" else "a file of the server"
        problem = f"COPY with {what} reaches out of the database"
        raise Problem("REHEARSE-DUMP-PROGRAM", line, problem)
    if first == (b"LOAD",):
        raise Problem("REHEARSE-DUMP-PROGRAM", line, "LOAD takes a program from a file")
    if first and first[0] in _CHANGING:
        named = _shown(words[:2])
        if kind == b"USER" and rest[1:2] == (b"MAPPING",):
            raise Problem("REHEARSE-DUMP-REACH", line, "USER MAPPING is for another server")
        if kind in _CLUSTER:
            problem = f"{named} changes the whole server, which no snapshot of a database holds"
            raise Problem("REHEARSE-DUMP-ROLE", line, problem)
        if kind in _REACHING or kind == b"FOREIGN":
            problem = f"{named} reaches another server"
            raise Problem("REHEARSE-DUMP-REACH", line, problem)
    if _grants_on_the_server(words):
        problem = (
            f"{_shown(first)} of a role, or on the whole server: no state of a database shows it"
        )
        raise Problem("REHEARSE-DUMP-ROLE", line, problem)
    if first == (b"SET",) and b"STANDARD_CONFORMING_STRINGS" in words and _turns_off(statement):
        problem = "standard_conforming_strings must be on, or texts end elsewhere"
        raise Problem("REHEARSE-DUMP-META", line, problem)


def _grants_on_the_server(words: Sequence[bytes]) -> bool:
    """Tell whether a statement makes a role a member, or is about what all databases share."""
    if words[:1] not in ((b"GRANT",), (b"REVOKE",), (b"COMMENT",), (b"SECURITY",)):
        return False
    if b"ON" not in words:
        return True
    return words[words.index(b"ON") + 1 :][:1] in ((b"PARAMETER",), *((one,) for one in _CLUSTER))


def _turns_off(statement: Statement) -> bool:
    value = re.split(rb"=|\bTO\b", statement.text, maxsplit=1, flags=re.IGNORECASE)[-1]
    return value.strip(b"; \t\r\n'").lower() not in (b"on", b"true", b"yes", b"1", b"default")


def check_dump(statement: Statement) -> None:
    """Refuse a statement that no dump of one database needs.

    Raises:
        Problem: it reaches out of the database, or ends the session it is read in.
    """
    check(statement)
    words, line = statement.words, statement.line
    if words[:2] == (b"ALTER", b"SYSTEM"):
        raise Problem("REHEARSE-DUMP-ROLE", line, "ALTER SYSTEM changes the whole server")


def check_change(statement: Statement) -> None:
    """Refuse a statement of a change that cannot be rehearsed on a clone of a database.

    Raises:
        Problem: the code says why.
    """
    words, line = statement.words, statement.line
    first = words[0] if words else b""
    beyond = _beyond_a_snapshot(words)
    if beyond:
        problem = f"{beyond} is taken back by no ROLLBACK, and no snapshot of a database holds it"
        raise Problem("REHEARSE-NO-ROLLBACK", line, problem)
    check(statement)
    if first in _ENDING and not (first == b"ROLLBACK" and b"TO" in words[1:3]):
        problem = f"{first.decode()}: the rehearsal begins and ends the transaction itself"
        raise Problem("REHEARSE-TRANSACTION", line, problem)
    if first in (b"LISTEN", b"NOTIFY", b"UNLISTEN", b"DISCARD", b"DECLARE"):
        problem = f"{first.decode()} has no place in a change that is rehearsed"
        raise Problem("REHEARSE-TRANSACTION", line, problem)
    unsteady = sorted(_CLOCK & set(words))
    if unsteady and first in (b"INSERT", b"UPDATE", b"DELETE", b"MERGE", b"SELECT", b"WITH"):
        problem = f"uses {unsteady[0].decode().lower()}, which gives something else each time"
        raise Problem("REHEARSE-UNSTABLE", line, problem)


def _beyond_a_snapshot(words: Sequence[bytes]) -> str:
    """Return by its words a statement that changes what all databases share; or nothing."""
    first, kind = words[:1], words[1:2]
    if words[:2] == (b"ALTER", b"SYSTEM"):
        return "ALTER SYSTEM"
    if first in ((b"CREATE",), (b"DROP",)) and kind in ((b"DATABASE",), (b"TABLESPACE",)):
        return _shown(words[:2])
    return ""


def _shown(words: Sequence[bytes]) -> str:
    return b" ".join(words).decode("ascii", "replace")
