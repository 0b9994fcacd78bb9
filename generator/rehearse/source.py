"""Where a clone comes from: a database file or a dump, read once and written down as SQL.

The source is never written to. What is handed on is a seed: a script that makes a database whose
canonical text is that of the source, which is tried out before anybody relies on it.
"""

from __future__ import annotations

import fcntl
import math
import os
import re
import shutil
import sqlite3
import stat
import time
import unicodedata
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from generator.errors import InputError
from generator.names import skeleton, visible
from generator.reading.tree import read_file
from generator.rehearse.codes import refused
from generator.rehearse.inside import rehearse as inside

LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes of a dump, and of the canonical text of a database."""

LARGEST_DATABASE = 1024 * 1024 * 1024
TIME_LIMIT = 600.0
"""Seconds for a dump or a change."""

_BUSY_SECONDS = 1.0
_HEADER = b"SQLite format 3\x00"
_LONGEST_PROBLEM = 300
_WAL = 2
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
"""The bytes that SQLite locks in a database file, readers among each other."""
_STEP = 50
"""Powers of two up to this one have so few digits that every SQLite reads them exactly."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a rehearsal needs of its source, whatever the engine."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Inputs of the packet."""
    plan: dict[str, object] = field(default_factory=dict)
    """What the plan says of the source."""
    environment: dict[str, str] = field(default_factory=dict)
    """How the packet's programs find what is not in the packet."""
    once: dict[str, str] = field(default_factory=dict)
    """What is given to them the first time only: a clone that was made for the trial."""
    alone: bool = False
    """Whether the change can run in no transaction."""
    held: bool = False
    """Whether a precondition fails, so that nothing is rehearsed; ``files`` then say why."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A source, written down."""

    sql: bytes
    """A script that makes the clone."""
    state: bytes
    """The canonical text of the clone."""
    database: Path
    """A database that the script has made."""

    def clone(self, path: Path) -> tuple[sqlite3.Connection, inside.Fence]:
        """Open a fresh clone at ``path``."""
        shutil.copyfile(self.database, path)
        return inside.fenced(str(path))


# --- production ---

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_BESIDE = "(?:db|data|database|sql|sqlite|app|main|my|srv|server)*"
_BEHIND = (
    "(?:s|db|data|database|sql|sqlite|app|main|my|srv|server|copy|copies|clone|snap|snapshot"
    "|backup|bak|dump|export|replica|restore|archive|eu|us|uk|de|asia|apac|emea)*"
)
_PLAIN = "production|produktion|produktiv|produccion|producao"
_BEGINS = re.compile(
    # not: product, produce, produkt, prodigal, prodrome, prodrug, prodding
    f"{_BESIDE}(?:{_PLAIN}|prod(?!u|ig|rom|rug|d(?:ed|er|ing))|(?:prd|live|primary){_BEHIND}\\Z)"
)
_ENDS = re.compile(
    # not: reproduction, preprod
    r"(?!(?:re|pre|post|co|over|under|by|self)pr)"
    f"[a-z]*(?:{_PLAIN}|prod|prd){_BEHIND}\\Z"
)
_HARMLESS = re.compile(
    r"(?<![a-z])(?:(?:non?|not)[-_ .]?(?:prod|production)"
    r"|primary[-_ .]?(?:school|key|care|colou?r)s?)(?![a-z])",
    re.IGNORECASE,
)
"""What says that it is not production, or has another meaning."""


def production_word(text: str) -> str:
    """Return the word of a path or name by which it looks like production; empty if none."""
    text = _HARMLESS.sub(" ", _in_ascii(text))
    # XProd, xProd, x_prod, and prodx where the case tells nothing
    words = [*_WORD.findall(text), *re.split(r"[\W\d_]+", text)]
    return next((word for word in words if _is_production(word.lower())), "")


def _is_production(word: str) -> bool:
    return _BEGINS.match(word) is not None or _ENDS.match(word) is not None


def _in_ascii(text: str) -> str:
    """Write letters of other alphabets as the ASCII ones that they look like."""
    text = unicodedata.normalize("NFKC", text)
    if not text.isascii():
        text = "".join(char if char.isascii() else skeleton(char) for char in text)
        text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Mn"))
    return text


def refuse_production(lane: str, path: Path) -> None:
    """Refuse a lane or a source whose name, or any folder's around it, is one of production.

    Raises:
        InputError: ``REHEARSE-PRODUCTION``.
    """
    for what, text in (
        (f"the lane {lane}", lane),
        (visible(path.name), os.path.abspath(path)),
        (visible(path.name), os.path.realpath(path)),
    ):
        word = production_word(text)
        if word:
            raise refused(
                "REHEARSE-PRODUCTION",
                f"looks like production ({visible(word)}); nothing was opened",
                what,
            )


# --- a database file ---


def copy_database(path: Path, folder: Path) -> sqlite3.Connection:
    """Copy a database with SQLite's own backup, and open the copy.

    Raises:
        InputError: it is locked, too large, or none that can be read.
    """
    name = visible(path.name)
    status = _regular(path, name)
    if status.st_size > LARGEST_DATABASE:
        raise _too_large(name, LARGEST_DATABASE)
    with path.open("rb") as file:
        header = file.read(100)
    if header and not header.startswith(_HEADER):
        raise refused("REHEARSE-SOURCE", "not an SQLite database", name)
    wal = len(header) > 19 and _WAL in header[18:20]
    log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    copy = folder / "source.sqlite"
    try:
        if wal and not os.path.lexists(index):
            # nobody has it open, and a reader would leave both files beside it
            _copy_unopened(path, log, status, folder / "unopened.sqlite")
            _backup(_uri(folder / "unopened.sqlite", "rw"), copy)
        else:
            _backup(_uri(path.resolve(), "ro") + "&immutable=0", copy)
        connection, _ = inside.fenced(str(copy))
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise _unreadable(error, name) from error
    return connection


def _regular(path: Path, name: str) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise refused("REHEARSE-SOURCE", os.strerror(error.errno or 0), name) from error
    if not stat.S_ISREG(status.st_mode):
        raise refused("REHEARSE-SOURCE", "not a file", name)
    if not os.access(path, os.R_OK):
        raise refused("REHEARSE-SOURCE", "not readable", name)
    return status


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path))}?mode={mode}"


def _backup(uri: str, copy: Path) -> None:
    """Copy all pages while one read transaction holds them still."""
    with (
        closing(
            sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        ) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        # the backup itself would wait for a lock without end
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target)
        source.execute("ROLLBACK")


def _copy_unopened(path: Path, log: Path, before: os.stat_result, copy: Path) -> None:
    """Copy a database in WAL mode that no program has open, with the log that one has left."""
    with path.open("rb") as file:
        try:
            # what every reader of SQLite holds; a program that keeps its index to itself refuses it
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except OSError as error:
            raise _held(visible(path.name)) from error
        shutil.copyfile(path, copy)
        if log.is_file():
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
        after = path.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or (
        os.path.lexists(path.with_name(f"{path.name}-shm"))
    ):
        raise refused("REHEARSE-LOCKED", "another program opened it meanwhile", visible(path.name))


def _unreadable(error: sqlite3.Error, name: str) -> InputError:
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _held(name)
    problem = visible(str(error), _LONGEST_PROBLEM)
    if number in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        # a journal beside it that only a writer may play back
        problem = "has to be recovered first; open it once with the program that writes to it"
    return refused("REHEARSE-SOURCE", problem, name)


def _held(name: str) -> InputError:
    return refused("REHEARSE-LOCKED", "another program holds the database", name)


def _too_large(name: str, limit: int) -> InputError:
    return refused("REHEARSE-SIZE", f"larger than {limit} bytes", name)


# --- a dump ---


def load_dump(path: Path, folder: Path) -> sqlite3.Connection:
    """Load a dump into a fresh database that can reach no other file.

    Raises:
        InputError: it is too large, no text, or no SQL that SQLite can run.
    """
    name = visible(path.name)
    _regular(path, name)
    data = read_file(path.resolve(), LARGEST_TEXT, code="REHEARSE-SIZE")
    if data.startswith(_HEADER):
        raise refused("REHEARSE-DUMP", "a database and no dump; name it with --database", name)
    text = decoded(data, "REHEARSE-DUMP", name)
    if next(inside.statements(text), None) is None:
        raise refused("REHEARSE-DUMP", "no statement of SQL in it", name)
    connection, fence = inside.fenced(str(folder / "source.sqlite"))
    with limited(connection):
        try:
            inside.run_script(connection, fence, text, "load")
        except inside.Failed as failure:
            raise _bad_dump(failure, name) from failure
    if connection.in_transaction:
        raise refused("REHEARSE-DUMP", "ends inside a transaction, as if it were cut short", name)
    return connection


def decoded(data: bytes, code: str, name: str) -> str:
    """Return a script as text.

    Raises:
        InputError: it is not UTF-8, with ``code`` and the line.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: byte 0x{data[error.start]:02X}"
        raise refused(code, problem, f"{name}:{line}") from error


def limited(connection: sqlite3.Connection) -> _Limited:
    """Let what runs on a connection end after the time limit."""
    return _Limited(connection)


class _Limited:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        end = time.monotonic() + TIME_LIMIT
        self.connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)

    def __exit__(self, *_: object) -> None:
        self.connection.set_progress_handler(None, 0)


def interrupted(failure: inside.Failed) -> bool:
    """Whether a statement was ended by the time limit."""
    return getattr(failure.error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


def _bad_dump(failure: inside.Failed, name: str) -> InputError:
    place = f"{name}:{failure.line}"
    if interrupted(failure):
        return refused("REHEARSE-TIME", f"not done after {TIME_LIMIT:.0f} seconds", place)
    kind, what = failure.denied
    if kind == "virtual":
        return refused("REHEARSE-CANONICAL", "a virtual table has no canonical text", place)
    problem = f"{what} is not allowed in a dump" if kind else str(failure.error)
    return refused("REHEARSE-DUMP", visible(problem, _LONGEST_PROBLEM), place)


# --- the seed ---


def write_down(connection: sqlite3.Connection, folder: Path, name: str) -> Seed:
    """Write a database down as a script, and make sure that the script makes it again.

    Raises:
        InputError: its text is too long, or it has none.
    """
    try:
        state, _ = inside.dump(connection)
        if len(state) > LARGEST_TEXT:
            raise refused("REHEARSE-SIZE", f"its text is larger than {LARGEST_TEXT} bytes", name)
        sql = _script(connection)
    except inside.NotCanonical as error:
        raise refused("REHEARSE-CANONICAL", visible(str(error), _LONGEST_PROBLEM), name) from error
    except (sqlite3.Error, OverflowError) as error:
        problem = f"cannot be read whole: {error}"
        raise refused("REHEARSE-SOURCE", visible(problem, _LONGEST_PROBLEM), name) from error
    path = folder / "seed.sqlite"
    loaded, fence = inside.fenced(str(path))
    with closing(loaded):
        try:
            inside.load(loaded, fence, sql)
            again, _ = inside.dump(loaded)
        except (sqlite3.Error, inside.NotCanonical) as error:
            problem = f"cannot be made again from SQL: {error}"
            raise refused("REHEARSE-CANONICAL", visible(problem, _LONGEST_PROBLEM), name) from error
    if again != state:
        # such as a value that its column would not take any more
        line = next(
            (
                one
                for one, two in zip(state.split(b"\n"), again.split(b"\n"), strict=False)
                if one != two
            ),
            b"",
        ).decode("utf-8", "replace")
        problem = f"comes out as another database when made from SQL: {visible(line, 120)}"
        raise refused("REHEARSE-CANONICAL", problem, name)
    return Seed(sql.encode(), state, path)


def _script(connection: sqlite3.Connection) -> str:
    """Return the script that makes a database again."""
    encoding, _ = inside.text_encoding(connection)
    lines = [
        "-- The clone starts from this. Rows stand before what could act on them.",
        "PRAGMA foreign_keys = OFF;",
        "PRAGMA ignore_check_constraints = ON;",
    ]
    if encoding != "UTF-8":
        lines.append(f"PRAGMA encoding = '{encoding}';")
    lines.append("BEGIN;")
    for pragma in ("application_id", "user_version"):
        (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if number:
            lines.append(f"PRAGMA {pragma} = {number};")
    defined = inside.schema(connection)
    own = [one for one in defined if not one[1].lower().startswith("sqlite_")]
    # what acts on rows keeps its order, in which it may act; the order of tables has no effect
    tables = sorted((name, sql) for kind, name, sql in own if kind == "table")
    lines += [_ended(sql) for _, sql in tables]
    with closing(sqlite3.connect(":memory:")) as reader:
        real = _exact(reader)
        for name, _ in tables:
            lines += inside.rows(connection, name, real)
        for wanted in ("index", "view", "trigger"):
            lines += [_ended(sql) for kind, _, sql in own if kind == wanted]
        present = [
            name
            for name in inside.KEPT_TABLES
            if ("table", name) in {(kind, name) for kind, name, _ in defined}
        ]
        for name in present:
            rows = inside.rows(connection, name, real)
            if name == "sqlite_sequence":
                lines.append("DELETE FROM sqlite_sequence;")
            elif rows and "ANALYZE sqlite_master;" not in lines:
                lines.append("ANALYZE sqlite_master;")
            lines += rows
    lines.append("COMMIT;")
    return "\n".join(lines) + "\n"


def _ended(sql: str) -> str:
    """End a statement; a comment may stand behind it."""
    for text in (f"{sql};", f"{sql}\n;"):
        if sqlite3.complete_statement(text):
            return text
    raise inside.NotCanonical(f"a definition that does not end: {sql[:80]!a}")


def _exact(reader: sqlite3.Connection) -> Callable[[float], str]:
    """Return how to write a number so that SQLite reads just this one.

    SQLite does not read every decimal fraction to the nearest double (one of some thousand is off
    by the last bit, and which depends on its version); a product of whole numbers is exact.
    """

    def real(value: float) -> str:
        text = inside.decimal(value)
        (found,) = reader.execute(f"SELECT {text}").fetchone()
        return text if repr(found) == repr(value) else _product(value)

    return real


def _product(value: float) -> str:
    if value == 0:
        return "(0.0 * -1.0)" if math.copysign(1, value) < 0 else "0.0"
    part, power = math.frexp(value)
    whole, power = int(part * 2**53), power - 53
    text = f"{whole}.0"
    sign, power = ("*", power) if power > 0 else ("/", -power)
    while power:
        step = min(power, _STEP)
        text += f" {sign} {2**step}.0"
        power -= step
    return f"({text})"
