"""A PostgreSQL server that nobody else can reach, and a client that talks to it.

The server runs in bubblewrap: no network, no process or environment of the caller, the system's
programs read-only, one folder of its own. Its clients come over a Unix socket in that folder. The
client speaks the simple query protocol (PostgreSQL documentation, chapter "Frontend/Backend
Protocol"); no program of PostgreSQL runs outside the sandbox.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

BINARIES = "/usr/lib/postgresql"
BWRAP = ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap")
SUPERUSER = "postgres"
PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"
HBA = "local all postgres trust\n"
"""Only the Unix socket, and only the one user that the throwaway server has for a login."""

_NOBODY = "65534"
_PASSWD = f"nobody:x:{_NOBODY}:{_NOBODY}::/server:/bin/sh\n"
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SETTINGS = ("/etc/alternatives", "/etc/ld.so.cache")
_START = 60.0
_STOP = 30.0
PATIENCE = 600.0
"""Seconds for a statement; a dump takes back the limit that the server has for it."""
_LONGEST_LOG = 1 << 20
_ERROR = re.compile(r"(?:\b(?:ERROR|FATAL|PANIC)\b|error:)(?!.*is starting up).*")
_ENTRY = """set -eu
exec >>/server/log 2>&1
env >/server/environment
[ -e /server/data/PG_VERSION ] || {
    "$1/initdb" -N -A trust -U postgres --locale=C -E UTF8 -D /server/data >/dev/null 2>/tmp/said ||
        { cat /tmp/said; exit 1; }
}
bin=$1
shift
exec "$bin/postgres" -D /server/data "$@"
"""
ENVIRONMENT = {"HOME": "/server", "LC_ALL": "C", "PATH": "/usr/bin:/bin"}
"""All that the server finds in its environment, but for what a shell sets itself."""

SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": "/server",
    "unix_socket_permissions": "0700",
    "hba_file": "/etc/hba",
    "port": str(PORT),
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "12",
    "max_wal_senders": "0",
    "max_worker_processes": "0",
    "wal_level": "minimal",
    "logging_collector": "off",
    "log_min_messages": "error",
    "log_min_error_statement": "panic",
    "shared_buffers": "128MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "dynamic_shared_memory_type": "mmap",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
"""A throwaway need not survive a power failure; and nothing runs in it of its own accord."""

SESSION = {
    "search_path": '""',
    "datestyle": "ISO,YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
    "row_security": "off",
    "lc_monetary": "C",
    "statement_timeout": "600000",
    "lock_timeout": "60000",
}
"""What decides how a value is written; a state must not depend on it."""


class Unable(Exception):
    """The server cannot be had, and why."""


class Missing(Unable):
    """A program is not installed."""


def newest() -> int:
    """Return the newest major version of PostgreSQL's server that is installed.

    Raises:
        Missing: there is none.
    """
    found = []
    with contextlib.suppress(OSError):
        found = [int(name) for name in os.listdir(BINARIES) if name.isdigit()]
    for major in sorted(found, reverse=True):
        if os.access(binaries(major) + "/postgres", os.X_OK):
            return major
    raise Missing("PostgreSQL's server is not installed; on Debian: apt-get install postgresql")


def binaries(major: int) -> str:
    """Return the folder of the programs of one version."""
    return f"{BINARIES}/{major}/bin"


def sandboxed(binds: Sequence[tuple[str, str, str]], *, network: bool = False) -> list[str]:
    """Return bubblewrap and its arguments, up to the command.

    Args:
        binds: option, path outside, path inside.
        network: with the network of the caller; only a control asks for it.

    Raises:
        Missing: there is no bubblewrap.
    """
    bwrap = next((path for path in BWRAP if os.access(path, os.X_OK)), "")
    if not bwrap:
        raise Missing("bubblewrap is not installed; on Debian: apt-get install bubblewrap")
    line = [bwrap, "--unshare-user", "--unshare-all", "--uid", _NOBODY, "--gid", _NOBODY]
    line += ["--share-net"] if network else []
    line += ["--hostname", "lanebook", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    line += ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = "/" + name
        if os.path.islink(path):
            line += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            line += ["--ro-bind", path, path]
    for path in _SETTINGS:
        line += ["--ro-bind-try", path, path]
    line += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 - inside
    for option, outside, inside in binds:
        line += [option, outside, inside]
    return line


def with_environment(line: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Add an environment of its own to a sandbox."""
    told = [*line, "--clearenv"]
    for name, value in environment.items():
        told += ["--setenv", name, value]
    return told


class Server:
    """A server whose data lie in ``folder/server``; it is started, stopped and started again."""

    def __init__(
        self,
        folder: str,
        major: int,
        *,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        network: bool = False,
    ) -> None:
        """Prepare the folder.

        Args:
            folder: an existing folder of this run.
            major: the version.
            settings: in the place of some of its own; only a control gives any.
            environment: more than its own; only a control gives any.
            network: as for ``sandboxed``.
        """
        self.folder = os.path.join(folder, "server")
        # not in the folder that is the server's, which could put others in their place
        self.given = {os.path.join(folder, "hba"): HBA, os.path.join(folder, "passwd"): _PASSWD}
        self.major = major
        self.settings = {**SERVER_SETTINGS, **(settings or {})}
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.network = network
        self.process: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def start(self) -> None:
        """Start it, and make its data folder if there is none.

        Raises:
            Unable: it does not come up.
        """
        self._prepare()
        binds = [("--bind", self.folder, "/server")]
        binds += [("--ro-bind", path, "/etc/" + os.path.basename(path)) for path in self.given]
        line = with_environment(sandboxed(binds, network=self.network), self.environment)
        options = [word for pair in self.settings.items() for word in ("-c", "=".join(pair))]
        status, status_in = os.pipe()
        line += ["--as-pid-1", "--chdir", "/server", "--json-status-fd", str(status_in), "--"]
        line += ["/bin/sh", "-c", _ENTRY, "sh", binaries(self.major), *options]
        self.process = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            pass_fds=(status_in,),
        )
        os.close(status_in)
        try:
            self.pid = _child(status)
            self._wait()
        except BaseException:
            self.kill()
            raise
        finally:
            os.close(status)

    def take(self, folder: str) -> None:
        """Take the data of another server, which is stopped and is not started again."""
        self._prepare()
        os.rename(os.path.join(folder, "server", "data"), os.path.join(self.folder, "data"))

    def _prepare(self) -> None:
        if os.path.isdir(self.folder):
            return
        os.mkdir(self.folder, 0o700)
        for path, text in self.given.items():
            with open(path, "w", encoding="ascii") as file:
                file.write(text)

    def _wait(self) -> None:
        end = time.monotonic() + _START
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                raise Unable(self.complaint())
            try:
                self.session("postgres").close()
            except (OSError, Refusal):
                time.sleep(0.02)
            else:
                return
        raise Unable("the server did not come up")

    def complaint(self) -> str:
        """Return the first error that the server, or the program that makes its folder, told of."""
        told = _errors(self.folder)
        return told[0] if told else "the server ended without a word"

    def read(self, name: str) -> str:
        """Return a file of the folder; what the server put there may be a link that leads out.

        Raises:
            OSError: there is no such file, or it is none.
        """
        return _read(self.folder, name)

    def session(
        self, database: str, hear: Callable[[str], None] | None = None, **options: str
    ) -> Session:
        """Open a session as the superuser of the throwaway."""
        return Session(self.folder, database, {**SESSION, **options}, hear)

    def stop(self) -> None:
        """Stop it cleanly: after a crash a sequence would stand elsewhere.

        Raises:
            Unable: it had to be killed.
        """
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
        try:
            self.process.wait(_STOP)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Unable("the server did not stop") from error
        self.process = None

    def kill(self) -> None:
        """End it at once; its namespace takes every process of it along."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Server:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop it, or end it at once if something went wrong."""
        if kind is None:
            self.stop()
        else:
            self.kill()


def _read(folder: str, name: str) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(os.path.join(folder, name), flags), "rb") as file:
        return file.read(_LONGEST_LOG).decode("utf-8", "replace")


def _errors(folder: str) -> list[str]:
    """Return the errors that the log of a server tells of."""
    with contextlib.suppress(OSError):
        lines = _read(folder, "log").split("\n")
        return [found[0].strip() for line in lines if (found := _ERROR.search(line))]
    return []


def _child(status: int) -> int:
    """Return the number of the process that bubblewrap started."""
    said = b""
    end = time.monotonic() + _START
    while b"\n" not in said:
        if not select.select([status], [], [], max(0.0, end - time.monotonic()))[0]:
            break
        piece = os.read(status, 4096)
        if not piece:
            break
        said += piece
    try:
        return int(json.loads(said.split(b"\n")[0])["child-pid"])
    except (ValueError, KeyError) as error:
        raise Unable("bubblewrap could not make a sandbox") from error


# --- what it is like from inside ---

_SHELLS = frozenset({"OLDPWD", "PWD", "SHLVL", "_"})
"""What a shell sets itself."""
_HBA_RULES = (
    "SELECT concat_ws(' ', type, array_to_string(database, ','),"
    " array_to_string(user_name, ','), address, auth_method) FROM pg_hba_file_rules"
    " ORDER BY line_number"
)
_STATED = ("listen_addresses", "unix_socket_directories", "unix_socket_permissions")


def observe(server: Server) -> dict[str, list[str]]:
    """Ask the server itself, before anything of a dump is in it, what it is like where it runs.

    Returns:
        By what was looked at (``tcp``, ``route``, ``hba``, ``environment``) its lines. Of a Unix
        socket only the path is told, of the environment only names.
    """
    seen: dict[str, list[str]] = {}
    with server.session("postgres") as session:
        for name, (file, normal) in _NET.items():
            text = session.value(f"SELECT pg_read_file('/proc/net/{file}')".encode())
            lines = [" ".join(line.split()) for line in text.split("\n") if line.strip()]
            seen[name] = normal(lines)
        for name in _STATED:
            seen[name] = [session.value(f"SHOW {name}".encode())]
        seen["hba"] = [(row[0] or b"").decode() for row in session.quiet(_HBA_RULES.encode()).rows]
    names = {line.partition("=")[0] for line in server.read("environment").splitlines()}
    seen["environment"] = sorted(names - _SHELLS)
    return seen


def _without_header(lines: list[str]) -> list[str]:
    return lines[1:]


def _paths(lines: list[str]) -> list[str]:
    return sorted({line.split()[7] for line in lines[1:] if len(line.split()) > 7})


def _interfaces(lines: list[str]) -> list[str]:
    return sorted(line.partition(":")[0] for line in lines if ":" in line)


def _beyond_itself(lines: list[str]) -> list[str]:
    return [line for line in lines if line.split()[-1] != "lo"]


_NET: dict[str, tuple[str, Callable[[list[str]], list[str]]]] = {
    **{name: (name, _without_header) for name in ("tcp", "tcp6", "udp", "udp6", "route")},
    "ipv6_route": ("ipv6_route", _beyond_itself),
    "unix": ("unix", _paths),
    "interfaces": ("dev", _interfaces),
}
"""By what is looked at, the file below ``/proc/net`` and what of its lines is kept."""

_WANTED: dict[str, tuple[str, list[str]]] = {
    **{name: ("SERVER_LISTENS_TCP", []) for name in ("tcp", "tcp6", "udp", "udp6")},
    "listen_addresses": ("SERVER_LISTENS_TCP", [""]),
    "unix": ("SERVER_SOCKET", [f"/server/{SOCKET}"]),
    "unix_socket_directories": ("SERVER_SOCKET", ["/server"]),
    "unix_socket_permissions": ("SERVER_SOCKET", ["0700"]),
    "route": ("SERVER_ROUTE", []),
    "ipv6_route": ("SERVER_ROUTE", []),
    "interfaces": ("SERVER_ROUTE", ["lo"]),
    "hba": ("SERVER_HBA", ["local all postgres trust"]),
}
"""By what is looked at, the only thing that may be seen, and the code of anything else."""


def problems(seen: Mapping[str, Sequence[str]]) -> list[str]:
    """Return by their codes what is wrong with the isolation of a server, sorted."""
    codes = {code for name, (code, wanted) in _WANTED.items() if list(seen[name]) != wanted}
    if set(seen["environment"]) - set(ENVIRONMENT):
        codes.add("SERVER_ENVIRONMENT")
    return sorted(codes)


# --- the client ---


class Refusal(Exception):
    """The server refused a statement."""

    def __init__(self, state: str, text: str, position: int = 0, *, ends: bool = False) -> None:
        """Keep SQLSTATE, message, the character at which it is from 1, and if the session ends."""
        super().__init__(text)
        self.ends = ends
        self.state = state
        self.text = text
        self.position = position


class Result(NamedTuple):
    """What a query gave."""

    rows: list[tuple[bytes | None, ...]]
    status: str
    """``I`` outside a transaction, ``T`` in one, ``E`` in one that failed."""


_NO_CHECKPOINT = "checkpoint request failed"
_MOST = 1 << 30
_PIECE = 1 << 18
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Begins a COPY in binary; without flags, and with no extension of the header."""


class Session:
    """One connection. It passes on bytes as they are; the server reads UTF-8 unless told."""

    def __init__(
        self,
        folder: str,
        database: str,
        options: Mapping[str, str],
        hear: Callable[[str], None] | None = None,
    ) -> None:
        """Connect to the socket in the folder.

        Args:
            folder: the folder of the server.
            database: the name of a database.
            options: settings of the session.
            hear: told each statement that is sent by ``run``.

        Raises:
            OSError: there is no socket, or nobody behind it.
            Unable: something else stands in its place.
            Refusal: the server refused.
        """
        self._hear = hear
        self._folder = folder
        self.parameters: dict[str, str] = {}
        self._buffer = bytearray()
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            held = _own_socket(folder)
            try:
                # whatever stands there by now, this is the socket; and no path is too long
                self._channel.connect(f"/proc/self/fd/{held}")
            finally:
                os.close(held)
            self._channel.settimeout(PATIENCE)
            line = " ".join(
                f"-c {name}=" + re.sub(r"([\\ ])", r"\\\1", value)
                for name, value in options.items()
            )
            body = struct.pack("!I", 196608)
            for text in ("user", SUPERUSER, "database", database, "client_encoding", "UTF8"):
                body += text.encode() + b"\0"
            body += b"options\0" + line.encode() + b"\0\0"
            self._channel.sendall(struct.pack("!I", len(body) + 4) + body)
            self._finish([], None)
        except BaseException:
            self._channel.close()
            raise

    def run(self, sql: bytes, data: Iterable[bytes] | None = None) -> Result:
        """Run statements, all in one message.

        Args:
            sql: the text.
            data: the rows for a ``COPY … FROM STDIN``, piece by piece.

        Raises:
            Refusal: the server refused one; nothing of the message is left.
            OSError: the server is gone.
        """
        if self._hear is not None:
            self._hear(sql.decode("utf-8", "replace"))
        return self.quiet(sql, data)

    def quiet(self, sql: bytes, data: Iterable[bytes] | None = None) -> Result:
        """Run statements of which nobody is told, as ``run`` does."""
        if b"\0" in sql:
            raise Refusal("22021", "a statement with a zero byte")
        self._send(b"Q", sql + b"\0")
        rows: list[tuple[bytes | None, ...]] = []
        status = self._finish(rows, data)
        return Result(rows, status)

    def records(self, sql: bytes, size: int) -> Iterator[bytes]:
        """Run a ``COPY … TO STDOUT (FORMAT binary)`` of one column of which nobody is told.

        Args:
            sql: the statement.
            size: bytes of each value.

        Yields:
            The values, many at a time, one behind the other.

        Raises:
            Refusal: the server refused.
            OSError: the server is gone, or sends something else.
        """
        self._send(b"Q", sql + b"\0")
        tuple_begins = struct.pack("!hi", 1, size)
        begins = b"d" + struct.pack("!I", 4 + len(tuple_begins) + size) + tuple_begins
        stride, header = len(begins) + size, _COPY_HEADER
        values = struct.Struct(f"{len(begins)}x{size}s")
        refusal: Refusal | None = None
        while True:
            # a row is a message; as many as are there are taken at once
            many = len(self._buffer) // stride if not header else 0
            block = bytes(self._buffer[: many * stride])
            if many and all(block[at::stride] == begins[at : at + 1] * many for at in range(11)):
                del self._buffer[: many * stride]
                yield b"".join([value for (value,) in values.iter_unpack(block)])
                continue
            kind, body = next(self._messages())
            if kind == b"d":
                if not body.startswith(header):
                    raise OSError("the server sends something that is no COPY")
                body, header = body[len(header) :], b""
                if body[: len(tuple_begins)] == tuple_begins:
                    yield body[len(tuple_begins) :]
                elif body not in (b"", b"\xff\xff"):
                    raise OSError("the server sends something that is no COPY")
            elif kind == b"E":
                refusal = refusal or _refusal(body)
                if refusal.ends:
                    raise refusal
            elif kind == b"Z":
                if refusal is not None:
                    raise refusal
                return

    def stream(self, sql: bytes) -> Iterator[tuple[bytes | None, ...]]:
        """Yield the rows of a query as they come; nothing else can be asked before their end.

        Raises:
            Refusal: the server refused it, before the first row or behind any.
        """
        self._send(b"Q", sql + b"\0")
        refusal: Refusal | None = None
        for kind, body in self._messages():
            if kind == b"D":
                yield _row(body)
            elif kind == b"E":
                refusal = refusal or _refusal(body)
                if refusal.ends:
                    raise refusal
            elif kind == b"Z":
                if refusal is not None:
                    raise refusal
                return

    def value(self, sql: bytes) -> str:
        """Return the one value of a query."""
        (found,) = self.quiet(sql).rows[0]
        return (found or b"").decode("utf-8", "replace")

    def close(self) -> None:
        """Say goodbye, and wait until the server has let go of the database."""
        with contextlib.suppress(OSError), self._channel:
            self._send(b"X", b"")
            self._channel.settimeout(_STOP)
            while self._channel.recv(_PIECE):
                pass

    def __enter__(self) -> Session:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _send(self, kind: bytes, body: bytes) -> None:
        self._channel.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        while True:
            while len(self._buffer) < 5:
                self._more()
            (length,) = struct.unpack_from("!I", self._buffer, 1)
            if not 4 <= length <= _MOST:
                raise OSError("the server sends something that is no message")
            while len(self._buffer) < length + 1:
                self._more()
            kind, body = bytes(self._buffer[:1]), bytes(self._buffer[5 : length + 1])
            del self._buffer[: length + 1]
            yield kind, body

    def _more(self) -> None:
        piece = self._channel.recv(_PIECE)
        if not piece:
            raise OSError("the server is gone")
        self._buffer += piece

    def _finish(self, rows: list[tuple[bytes | None, ...]], data: Iterable[bytes] | None) -> str:
        """Take messages until the server waits for the next statement; return its status."""
        refusal: Refusal | None = None
        for kind, body in self._messages():
            if kind == b"Z":
                if refusal is not None:
                    raise self._explained(refusal)
                return body.decode("ascii", "replace")
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                refusal = refusal or _refusal(body)
                if refusal.ends:
                    raise refusal
            elif kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode("utf-8", "replace")
            elif kind == b"G":
                self._copy_in(data)
            elif kind == b"R" and body[:4] != b"\0\0\0\0":
                raise OSError("the server asks for a password")
        raise OSError("the server is gone")

    def _explained(self, refusal: Refusal) -> Refusal:
        """Return why a checkpoint failed: the server tells that to its log only."""
        if refusal.text != _NO_CHECKPOINT:
            return refusal
        told = [line for line in _errors(self._folder) if _NO_CHECKPOINT not in line]
        text = told[-1] if told else refusal.text
        full = os.strerror(errno.ENOSPC) in text
        return Refusal("53100" if full else refusal.state, text)

    def _copy_in(self, data: Iterable[bytes] | None) -> None:
        if data is None:
            self._send(b"f", b"no rows were given\0")
            return
        for piece in data:
            self._send(b"d", piece)
        self._send(b"c", b"")


def _own_socket(folder: str) -> int:
    """Return a descriptor of the socket in a folder; a link there could lead to another server.

    Raises:
        OSError: nothing is there.
        Unable: what is there is no socket.
    """
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    held = os.open(os.path.join(folder, SOCKET), flags)
    if not stat.S_ISSOCK(os.fstat(held).st_mode):
        os.close(held)
        raise Unable("something else stands in the place of the server's socket")
    return held


def _row(body: bytes) -> tuple[bytes | None, ...]:
    (count,) = struct.unpack_from("!H", body)
    at = 2
    found: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            found.append(None)
        else:
            found.append(body[at : at + length])
            at += length
    return tuple(found)


def _refusal(body: bytes) -> Refusal:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    position = fields.get(b"P", "0")
    return Refusal(
        fields.get(b"C", ""),
        fields.get(b"M", ""),
        int(position) if position.isdigit() else 0,
        ends=fields.get(b"V") in ("FATAL", "PANIC"),
    )
