"""Dumps of pg_dump: which form they have, what SQL they are, and whether that may be restored.

Every form becomes the same SQL script: an archive is written out by pg_restore, which runs in the
sandbox and talks to no server. The script is checked from its first byte to its last before any of
it runs.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import stat
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import IO

if __package__:
    from generator.rehearse.inside.postgres import script
    from generator.rehearse.inside.postgres import server as servers
else:
    import script  # type: ignore[import-not-found, no-redef]
    import server as servers  # type: ignore[import-not-found, no-redef]

LARGEST = 64 * 1024 * 1024
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
_TRUNCATED = re.compile(
    r"end of file|unexpected end|could not read|could not find header|corrupt|not found in archive"
    r"|could not open|incomplete|no such file",
    re.IGNORECASE,
)
_UNSUPPORTED = re.compile(r"unsupported version")
_NO_ROLE = re.compile(r'role "(.+)" does not exist')
_NO_EXTENSION = re.compile(r"extension .* is not available|extension control file")
_MOST_ROLES = 1000


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


def sql_of(path: str, major: int, folder: str) -> tuple[str, bytes]:
    """Return the form of a dump, and the SQL that it is.

    Args:
        path: of the dump; it is only read.
        major: of the server that will run it.
        folder: where a decompressed archive may lie.

    Raises:
        Problem: it is no whole dump of pg_dump that this server can take.
    """
    if os.path.isdir(path):
        if not os.path.isfile(os.path.join(path, _TOC)):
            raise script.Problem("REHEARSE-DUMP-FORM", 0, f"a folder without {_TOC} is no dump")
        return "directory", _written_out(path, major)
    data = b"".join(_pieces(path))
    packed = ""
    if data.startswith(_GZIP):
        packed, data = "+gzip", _gunzipped(data)
    elif data.startswith(_ZSTD):
        packed, data = "+zstd", _unzstd(path)
    form = _form(data)
    if form == "plain":
        _whole(data, major)
        return form + packed, data
    if form == "tar" and (len(data) % _BLOCK or data[-2 * _BLOCK :].strip(b"\0")):
        problem = "truncated: the archive has no end"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem)
    if packed:
        path = os.path.join(folder, "unpacked")
        with open(path, "wb") as file:
            file.write(data)
    try:
        return form + packed, _written_out(path, major)
    finally:
        if packed:
            os.remove(path)


def _form(data: bytes) -> str:
    if data.startswith(_CUSTOM):
        return "custom"
    if data[257:262] == b"ustar" and data.startswith(_TOC.encode() + b"\0"):
        return "tar"
    head = data[:_HEAD].replace(b"\r\n", b"\n")
    if _ALL in head:
        problem = "a dump of a whole cluster, by pg_dumpall; dump one database, with pg_dump"
        raise script.Problem("REHEARSE-DUMP-ROLE", 1, problem)
    if _BEGINS in head and b"\0" not in data:
        return "plain"
    if head.startswith(_ENCRYPTED) or (head[:1] in b"\x84\x85\x8c\xc1\xc3" and head):
        raise script.Problem("REHEARSE-DUMP-FORM", 0, "encrypted; decrypt it first")
    raise script.Problem("REHEARSE-DUMP-FORM", 0, "no dump that pg_dump writes")


def _whole(data: bytes, major: int) -> None:
    """Refuse a script of a newer version, or one that has lost its end."""
    made_by = [int(found) for found in _MADE_BY.findall(data[:_HEAD])]
    if made_by and max(made_by) > major:
        raise newer(max(made_by), major)
    if not _ENDS.search(data[-_TAIL:]):
        line = data.count(b"\n") + 1
        problem = "truncated: its last line is not the end of a dump"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", line, problem)


def newer(made_by: int, major: int) -> script.Problem:
    """Return what refuses a dump of a newer version."""
    problem = (
        f"made by PostgreSQL {made_by}, the server here is {major}; install postgresql-{made_by}"
    )
    return script.Problem("REHEARSE-DUMP-VERSION", 0, problem)


def _gunzipped(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            found = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        problem = "truncated, or damaged: gzip cannot read it to its end"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem) from error
    if len(found) > LARGEST:
        raise too_large()
    return found


def _unzstd(path: str) -> bytes:
    if not os.access("/usr/bin/zstd", os.X_OK):
        problem = "packed with zstd, which is not installed; on Debian: apt-get install zstd"
        raise script.Problem("REHEARSE-DUMP-FORM", 0, problem)
    code, found, _ = _sandboxed(["/usr/bin/zstd", "-dcq", "/dump"], path)
    if code != 0:
        problem = "truncated, or damaged: zstd cannot read it to its end"
        raise script.Problem("REHEARSE-DUMP-TRUNCATED", 0, problem)
    return found


def _written_out(path: str, major: int) -> bytes:
    """Return what pg_restore makes of an archive; no server is there for it to talk to."""
    program = servers.binaries(major) + "/pg_restore"
    code, data, said = _sandboxed([program, "-f", "-", "/dump"], path)
    if code == 0 and b"\0" not in data:
        _whole(data, major)
        return data
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


def _sandboxed(command: list[str], path: str) -> tuple[int, bytes, str]:
    """Run a program that reads a dump; return exit code, output and complaints."""
    line = servers.with_environment(
        servers.sandboxed([("--ro-bind", os.path.realpath(path), "/dump")]), servers.ENVIRONMENT
    )
    with subprocess.Popen(
        [*line, "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
    ) as process:
        said: list[bytes] = []
        timer = threading.Timer(_PATIENCE, process.kill)
        reader = threading.Thread(target=_listen, args=(process.stderr, said))
        timer.start()
        reader.start()
        try:
            found = process.stdout.read(LARGEST + 1) if process.stdout is not None else b""
            if len(found) > LARGEST:
                raise too_large()
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
            reader.join()
    return process.returncode, found, b"".join(said).decode("utf-8", "replace")


def _listen(complaints: IO[bytes], said: list[bytes]) -> None:
    """Keep the first of what a program complains of; it would wait for one who hears no more."""
    said.append(complaints.read(_PIECE))
    while complaints.read(_PIECE):
        pass


def check(sql: bytes) -> None:
    """Check every statement of a dump.

    Raises:
        Problem: one has no place in a dump.
    """
    for statement in script.statements(sql, dump=True):
        script.check_dump(statement)


def restore(
    server: servers.Server,
    database: str,
    sql: bytes,
    made: Callable[[str], None] = lambda _name: None,
) -> None:
    """Run a checked dump in an empty database.

    The roles that it names are made, without a login, when the server misses them.

    Args:
        server: with that database.
        database: its name.
        sql: the dump.
        made: told the name of each role.

    Raises:
        Problem: it cannot be restored.
    """
    # a dump is made to be run with the search path that PostgreSQL has of its own accord
    with server.session(database, search_path='"$user", public') as session:
        _restore(session, sql, made)


def _restore(session: servers.Session, sql: bytes, made: Callable[[str], None]) -> None:
    rows = memoryview(sql)
    roles: set[str] = set()
    for statement in script.statements(sql, dump=True):
        data = rows[slice(*statement.data)] if statement.data is not None else None
        while True:
            try:
                session.run(statement.text, data)
                break
            except servers.Refusal as refusal:
                missing = _NO_ROLE.search(refusal.text) if refusal.state == "42704" else None
                name = missing[1] if missing is not None else ""
                if not name or name in roles or len(roles) >= _MOST_ROLES:
                    raise failed(statement, refusal) from refusal
                roles.add(name)
                quoted = name.replace('"', '""')
                session.run(f'CREATE ROLE "{quoted}" NOLOGIN'.encode())
                made(name)
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
