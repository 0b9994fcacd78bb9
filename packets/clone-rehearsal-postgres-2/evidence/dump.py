"""Dumps of pg_dump: which form they have, what SQL they are, and whether that may be restored.

Every form becomes the same SQL script: an archive is written out by pg_restore, which runs in the
sandbox and talks to no server. The script is put into a file without a name, which ends with the
process, and checked from its first byte to its last before any of it runs.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import stat
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import IO, BinaryIO

if __package__:
    from generator.rehearse.inside.postgres import script
    from generator.rehearse.inside.postgres import server as servers
else:
    import script  # type: ignore[import-not-found, no-redef]
    import server as servers  # type: ignore[import-not-found, no-redef]

LARGEST = 8 * 1024 * 1024 * 1024
"""Bytes of a dump, and of the SQL that it is."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CUSTOM = b"PGDMP"
_TOC = "toc.dat"
_BEGINS = b"-- PostgreSQL database dump\n"
_ENDS = re.compile(rb"^-- PostgreSQL database dump complete\s*$", re.MULTILINE)
_ALL = b"-- PostgreSQL database cluster dump\n"
_MADE_BY = re.compile(rb"^-- Dumped (?:from database|by pg_dump) version (\d+)", re.MULTILINE)
_BLOCK = 512
"""Bytes of a block of a tar file, which ends with two that are empty."""
_HEAD = 4096
_TAIL = 65536
_PATIENCE = 600
_ENCRYPTED = (b"-----BEGIN PGP MESSAGE", b"Salted__", b"age-encryption.org/", b"-----BEGIN AGE")
_PIECE = 1 << 20
_MOST_KNOWN = 20_000
"""Statements of a script whose places are remembered, so that it is not searched for them again."""
_COPIED = 1 << 18
"""Bytes of rows that are sent to the server at once."""
_TRUNCATED = re.compile(
    r"end of file|unexpected end|could not read|could not find header|corrupt|not found in archive"
    r"|could not open|incomplete|no such file",
    re.IGNORECASE,
)
_UNSUPPORTED = re.compile(r"unsupported version")
_NO_ROLE = re.compile(r'role "(.+)" does not exist')
_NO_EXTENSION = re.compile(r"extension .* is not available|extension control file")
_MOST_ROLES = 1000
_NAME = rb'((?:[a-z_][a-z0-9_$]*|"[^"]+")(?:\.(?:[a-z_][a-z0-9_$]*|"[^"]+"))?)'
_CREATES = re.compile(rb"CREATE TABLE " + _NAME + rb" \(")
_COPIES = re.compile(rb"(COPY " + _NAME + rb" (?:\([^;]*\) )?FROM stdin);")
"""How pg_dump makes a table, and how it fills it; what looks otherwise is run as it stands."""


def digest(path: str) -> tuple[str, int]:
    """Return digest and size of a dump.

    Returns:
        Of a file, SHA-256 in hexadecimal and bytes; of a folder, the SHA-256 of the lines
        ``DIGEST  NAME`` of its files, sorted by name.

    Raises:
        Problem: it is neither a file nor a folder of files, or too large.
    """
    if os.path.isdir(path):
        lines, size = b"", 0
        for name in sorted(os.listdir(path), key=os.fsencode):
            found, length = digest_of_file(os.path.join(path, name))
            lines += found.encode() + b"  " + os.fsencode(name) + b"\n"
            size += length
        if size > LARGEST:
            raise too_large()
        return hashlib.sha256(lines).hexdigest(), size
    return digest_of_file(path)


def digest_of_file(path: str) -> tuple[str, int]:
    """Return digest and size of a regular file, following no link."""
    size, digest = 0, hashlib.sha256()
    for piece in _pieces(path):
        size += len(piece)
        digest.update(piece)
    return digest.hexdigest(), size


def too_large() -> script.Problem:
    """Return what refuses a dump that is too large."""
    return script.Problem("REHEARSE-SIZE", 0, f"larger than {LARGEST // 1024 // 1024} MiB")


class Script:
    """A dump as one SQL script, in a file without a name: nobody else can write it."""

    def __init__(self, folder: str) -> None:
        """Make the file in a folder.

        Raises:
            OSError: it cannot be made.
        """
        path = os.path.join(folder, "script.sql")
        self.file: BinaryIO = open(path, "x+b", buffering=0)  # noqa: SIM115 - until close()
        os.remove(path)
        self.size = 0
        self._known: list[tuple[int, script.Statement]] | None = None

    def write(self, piece: bytes) -> None:
        """Add to its end.

        Raises:
            Problem: it becomes too large, or is no text.
            OSError: there is no room.
        """
        if b"\0" in piece:
            raise script.Problem("REHEARSE-DUMP-FORM", 0, "no dump that pg_dump writes")
        self.size += len(piece)
        if self.size > LARGEST:
            raise too_large()
        while piece:
            piece = piece[self.file.write(piece) :]

    def pieces(self, start: int = 0, end: int | None = None, size: int = _PIECE) -> Iterator[bytes]:
        """Yield what stands between two places, in pieces of at most ``size`` bytes."""
        end = self.size if end is None else end
        while start < end and (
            piece := os.pread(self.file.fileno(), min(size, end - start), start)
        ):
            yield piece
            start += len(piece)

    def part(self, start: int, end: int) -> bytes:
        """Return what stands between two places, which has to be short."""
        return b"".join(self.pieces(max(start, 0), end))

    def statements(self) -> Iterator[script.Statement]:
        """Yield each statement; little of the script is in memory at a time.

        Raises:
            Problem: it is no SQL that ends, or has a command of psql.
        """
        if self._known is not None:
            for size, one in self._known:
                yield one._replace(text=self.part(one.at, one.at + size))
        elif self.size:
            with mmap.mmap(self.file.fileno(), self.size, access=mmap.ACCESS_READ) as text:
                yield from self._read(script.statements(text, dump=True))

    def _read(self, found: Iterator[script.Statement]) -> Iterator[script.Statement]:
        """Yield statements, and remember where they are if they are not too many."""
        known: list[tuple[int, script.Statement]] = []
        for one in found:
            if len(known) <= _MOST_KNOWN:
                known.append((len(one.text), one._replace(text=b"")))
            yield one
        if len(known) <= _MOST_KNOWN:
            self._known = known

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def __enter__(self) -> Script:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _pieces(path: str) -> Iterator[bytes]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise script.Problem("REHEARSE-DUMP-FORM", 0, "not a regular file")
        if os.fstat(descriptor).st_size > LARGEST:
            raise too_large()
        while piece := file.read(_PIECE):
            yield piece


def sql_of(path: str, major: int, folder: str) -> tuple[str, Script]:
    """Return the form of a dump, and the SQL that it is.

    Args:
        path: of the dump; it is only read.
        major: of the server that will run it.
        folder: where the script and a decompressed archive may lie.

    Raises:
        Problem: it is no whole dump of pg_dump that this server can take.
        OSError: it cannot be read, or there is no room for it.
    """
    sql = Script(folder)
    try:
        return _sql_of(path, major, folder, sql), sql
    except BaseException:
        sql.close()
        raise


def _sql_of(path: str, major: int, folder: str, sql: Script) -> str:
    """Write the script of a dump; return the form."""
    if os.path.isdir(path):
        if not os.path.isfile(os.path.join(path, _TOC)):
            raise script.Problem("REHEARSE-DUMP-FORM", 0, f"a folder without {_TOC} is no dump")
        _write_out(path, major, sql)
        return "directory"
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if head.startswith((_GZIP, _ZSTD)):
        packed = "+gzip" if head.startswith(_GZIP) else "+zstd"
        unpacked = os.path.join(folder, "unpacked")
        try:
            with open(unpacked, "x+b", buffering=0) as file:
                unpack = _gunzip if packed == "+gzip" else _unzstd
                unpack(path, _Bounded(file))
            return _sql_of_plain(unpacked, major, sql) + packed
        finally:
            if os.path.lexists(unpacked):
                os.remove(unpacked)
    return _sql_of_plain(path, major, sql)


def _sql_of_plain(path: str, major: int, sql: Script) -> str:
    """Write the script of a dump that is not packed; return the form."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        form = _form(file.read(_HEAD))
        if form == "tar":
            file.seek(max(size - 2 * _BLOCK, 0))
            if size % _BLOCK or file.read().strip(b"\0"):
                problem = "truncated: the archive has no end"
                raise script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem)
    if form != "plain":
        _write_out(path, major, sql)
        return form
    for piece in _pieces(path):
        sql.write(piece)
    _whole(sql, major)
    return form


class _Bounded:
    """A file that takes no more than a dump may have."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Add to its end."""
        self.size += len(piece)
        if self.size > LARGEST:
            raise too_large()
        while piece:
            piece = piece[self.file.write(piece) :]


def _form(data: bytes) -> str:
    if data.startswith(_CUSTOM):
        return "custom"
    if data[257:262] == b"ustar" and data.startswith(_TOC.encode() + b"\0"):
        return "tar"
    head = data[:_HEAD].replace(b"\r\n", b"\n")
    if _ALL in head:
        problem = "a dump of a whole cluster, by pg_dumpall; dump one database, with pg_dump"
        raise script.Problem("REHEARSE-DUMP-ROLE", 1, problem)
    if _BEGINS in head:
        return "plain"
    if head.startswith(_ENCRYPTED) or (head[:1] in b"\x84\x85\x8c\xc1\xc3" and head):
        raise script.Problem("REHEARSE-DUMP-FORM", 0, "encrypted; decrypt it first")
    raise script.Problem("REHEARSE-DUMP-FORM", 0, "no dump that pg_dump writes")


def _whole(sql: Script, major: int) -> None:
    """Refuse a script of a newer version, or one that has lost its end."""
    made_by = [int(found) for found in _MADE_BY.findall(sql.part(0, _HEAD))]
    if made_by and max(made_by) > major:
        raise newer(max(made_by), major)
    if not _ENDS.search(sql.part(sql.size - _TAIL, sql.size)):
        line = sum(piece.count(b"\n") for piece in sql.pieces()) + 1
        problem = "truncated: its last line is not the end of a dump"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", line, problem)


def newer(made_by: int, major: int) -> script.Problem:
    """Return what refuses a dump of a newer version."""
    problem = (
        f"made by PostgreSQL {made_by}, the server here is {major}; install postgresql-{made_by}"
    )
    return script.Problem("REHEARSE-DUMP-VERSION", 0, problem)


def _gunzip(path: str, out: _Bounded) -> None:
    """Unpack a file of one gzip member or more (RFC 1952)."""
    problem = "truncated, or damaged: gzip cannot read it to its end"
    damaged = script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem)
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    begun = False
    try:
        for packed in _pieces(path):
            piece = packed
            while piece:
                if reader.eof:
                    # zeros may fill up what follows the last member
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        break
                    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
                begun = True
                out.write(reader.decompress(piece, _PIECE))
                piece = reader.unconsumed_tail or reader.unused_data
        out.write(reader.flush())
    except zlib.error as error:
        raise damaged from error
    if not begun or not reader.eof:
        raise damaged


def _unzstd(path: str, out: _Bounded) -> None:
    if not os.access("/usr/bin/zstd", os.X_OK):
        problem = "packed with zstd, which is not installed; on Debian: apt-get install zstd"
        raise script.Problem("REHEARSE-DUMP-FORM", 0, problem)
    code, _ = _sandboxed(["/usr/bin/zstd", "-dcq", "/dump"], path, out.write)
    if code != 0:
        problem = "truncated, or damaged: zstd cannot read it to its end"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem)


def _write_out(path: str, major: int, sql: Script) -> None:
    """Write what pg_restore makes of an archive; no server is there for it to talk to."""
    program = servers.binaries(major) + "/pg_restore"
    code, said = _sandboxed([program, "-f", "-", "/dump"], path, sql.write)
    if code == 0:
        _whole(sql, major)
        return
    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines()
    text = lines[0].removeprefix("pg_restore: error: ") if lines else f"exit code {code}"
    if _UNSUPPORTED.search(said):
        problem = f"made by a newer pg_dump than the server's {major}: {text}"
        raise script.Problem("REHEARSE-DUMP-VERSION", 0, problem)
    truncated = _TRUNCATED.search(said) is not None
    raise script.Problem(
        "REHEARSE-DUMP-TRUNCATED" if truncated else "REHEARSE-DUMP-FORM",
        0,
        f"truncated, or damaged: {text}" if truncated else f"pg_restore cannot read it: {text}",
    )


def _sandboxed(command: list[str], path: str, take: Callable[[bytes], None]) -> tuple[int, str]:
    """Run a program that reads a dump; return exit code and complaints.

    Args:
        command: the program; the dump is its ``/dump``.
        path: of the dump.
        take: given what the program writes, piece by piece.
    """
    line = servers.with_environment(
        servers.sandboxed([("--ro-bind", os.path.realpath(path), "/dump")]), servers.ENVIRONMENT
    )
    with subprocess.Popen(
        [*line, "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={},
        cwd="/",
    ) as process:
        said: list[bytes] = []
        timer = threading.Timer(_PATIENCE, process.kill)
        reader = threading.Thread(target=_listen, args=(process.stderr, said))
        timer.start()
        reader.start()
        try:
            while process.stdout is not None and (piece := process.stdout.read(_PIECE)):
                take(piece)
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
            reader.join()
    return process.returncode, b"".join(said).decode("utf-8", "replace")


def _listen(complaints: IO[bytes], said: list[bytes]) -> None:
    """Keep the first of what a program complains of; it would wait for one who hears no more."""
    kept = 0
    while piece := complaints.read(_PIECE):
        said.append(piece[: _PIECE - kept])
        kept += len(said[-1])


def check(sql: Script) -> None:
    """Check every statement of a dump.

    Raises:
        Problem: one has no place in a dump.
    """
    for statement in sql.statements():
        script.check_dump(statement)


def restore(
    server: servers.Server,
    database: str,
    sql: Script,
    made: Callable[[str], None] = lambda _name: None,
) -> None:
    """Run a checked dump in an empty database.

    The roles that it names are made, without a login, when the server misses them. What comes
    before its last rows is one transaction, so that the rows of its tables need not be logged, and
    are visible to all from the start.

    Args:
        server: with that database.
        database: its name.
        sql: the dump.
        made: told the name of each role.

    Raises:
        Problem: it cannot be restored.
    """
    last = max((at for at, one in enumerate(sql.statements()) if one.data is not None), default=-1)
    roles: set[str] = set()

    def missing(refusal: servers.Refusal) -> bool:
        """Make the role that a statement misses; tell whether there was one."""
        found = _NO_ROLE.search(refusal.text) if refusal.state == "42704" else None
        name = found[1] if found is not None else ""
        if not name or name in roles or len(roles) >= _MOST_ROLES:
            return False
        roles.add(name)
        quoted = name.replace('"', '""')
        with server.session("postgres") as session:
            session.run(f'CREATE ROLE "{quoted}" NOLOGIN'.encode())
        made(name)
        return True

    # a dump is made to be run with the search path that PostgreSQL has of its own accord
    with server.session(database, search_path='"$user", public') as session:
        at = 0
        while last >= 0:
            session.run(b"BEGIN")
            try:
                _run(session, sql, 0, last + 1, set())
                session.run(b"COMMIT")
                at = last + 1
                break
            except _RefusedError as found:
                session.run(b"ROLLBACK")
                if not missing(found.refusal):
                    break  # if it is the statement, and not the transaction, it is refused again
        while True:
            try:
                _run(session, sql, at, None, None)
                break
            except _RefusedError as found:
                at = found.at
                if not missing(found.refusal):
                    raise failed(found.statement, found.refusal) from found
    with server.session(database) as session:
        # so that every page is visible to all: with commits that are not waited for, what is
        # committed can be marked as that only when it is in the log on disk
        session.quiet(b"CHECKPOINT")
        session.quiet(b"VACUUM (INDEX_CLEANUP OFF, TRUNCATE OFF)")


class _RefusedError(Exception):
    """The server refused a statement of a dump."""

    def __init__(self, at: int, statement: script.Statement, refusal: servers.Refusal) -> None:
        super().__init__(refusal.text)
        self.at = at
        self.statement = statement
        self.refusal = refusal


def _run(
    session: servers.Session,
    sql: Script,
    start: int,
    end: int | None,
    created: set[bytes] | None,
) -> None:
    """Run statements of a dump, from one to before another.

    Args:
        session: of the database.
        sql: the dump.
        start: the number of the first.
        end: the number behind the last; None: all.
        created: gets the tables that are made in the transaction; None where there is none.

    Raises:
        _RefusedError: the server refused one.
    """
    for at, statement in enumerate(islice(sql.statements(), start, end), start):
        data = None if statement.data is None else sql.pieces(*statement.data, _COPIED)
        text = statement.text
        if created is not None:
            table = _CREATES.match(text)
            if table is not None:
                created.add(table[1])
            copied = _COPIES.fullmatch(text)
            if copied is not None and copied[2] in created:
                text = copied[1] + b" WITH (FREEZE);"
        try:
            session.run(text, data)
        except servers.Refusal as refusal:
            raise _RefusedError(at, statement, refusal) from refusal
        if session.parameters.get("standard_conforming_strings") == "off":
            problem = "standard_conforming_strings must be on, or texts end elsewhere"
            raise script.Problem("REHEARSE-DUMP-META", statement.line, problem)


def line_of(statement: script.Statement, refusal: servers.Refusal) -> int:
    """Return the line of a script at which the server refused a statement."""
    text = statement.text.decode("utf-8", "replace")
    return statement.line + text.count("\n", 0, refusal.position)


def failed(statement: script.Statement, refusal: servers.Refusal) -> script.Problem:
    """Return what refuses a dump, one of whose statements the server refused."""
    line = line_of(statement, refusal)
    if refusal.state == "53100":
        return script.Problem("REHEARSE-SPACE", line, refusal.text)
    if refusal.state == "57014":
        return script.Problem("REHEARSE-TIME", line, refusal.text)
    if _NO_EXTENSION.search(refusal.text):
        return script.Problem("REHEARSE-DUMP-EXTENSION", line, refusal.text)
    return script.Problem("REHEARSE-DUMP", line, refusal.text)
