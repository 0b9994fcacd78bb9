"""The rollback rehearsal, one subcommand a step. Python's standard library and SQLite only.

It runs on a disposable clone that is made from seed.sql, in the folder named by REHEARSAL_CLONE. An
audit hook writes each action to actions.jsonl before it happens, and refuses sockets, other
processes, and writes outside the clone folder and this packet. The shell scripts write down what
they do themselves; rollback_check.py, which only reads, is one "run" line. Nothing that a clock, a
host or a temporary folder decides is written to a file of the packet.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import Any, TypeVar

    Own = TypeVar("Own", bound="Guard")

CLONE_TOKEN = "TEMP/lanebook-rehearsal.XXXXXX"  # noqa: S105 - stands for a random folder name
CLONE = "clone.sqlite"
SNAPSHOT = "snapshot.sqlite"
MARKER = "lanebook-clone"
"""The file by which a clone folder is known again: it holds the token of the run that made it."""

EXECUTOR = "executor.sql"
SEED = "seed.sql"
SEALS = ("HASH_MANIFEST.txt", "packet_tree.sha256")
TARGET = "temp-sqlite-clone"
FORBIDDEN_SURFACES = (
    "PRODUCTION_DATABASE",
    "PRODUCTION_DIRECTUS",
    "PRODUCTION_SYSTEM_ISSUES",
    "PRODUCTION_REGISTRY_ROW",
    "PRODUCTION_CI_DEPLOY",
    "SECRETS_CREDENTIALS",
    "REAL_RUN",
    "QT001_APPLY",
    "PERMIT_ACTIVATION_REPOINT_CUTOVER",
    "LIVE_RUNNING_SYSTEM",
    "NETWORK",
    "CANONICAL_REGISTRY_FOLD",
)
ENTRIES = (("RB-SQL-TXN", "RX-3"), ("RB-SQL-SNAP", "RX-4"))
CONTROL = "ROLLBACK_APPLY_DID_NOT_MUTATE"
PROOF = "rollback-recovery-proof.json"

REFUSED_EVENTS = (
    *("socket.", "subprocess.", "ctypes.", "pty.", "sqlite3.enable_load_extension"),
    *("sqlite3.load_extension", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn"),
)
CHANGING_EVENTS = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"),
    *("os.chown", "os.truncate", "os.utime", "os.setxattr", "shutil.rmtree", "shutil.move"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LONGEST_SQL = 2000
"""Characters of one statement in the action log; change.sql and seed.sql hold all of it."""


class Refused(Exception):
    """The guard stopped an action before it happened."""


class NotCanonical(Exception):
    """A database holds something that has no canonical text."""


# --- the guard: files, processes, sockets ---


class Guard:
    """Writes down what is done on the clone and in the packet; refuses the rest."""

    def __init__(self, step: str, clone: str, packet: str) -> None:
        """Take the real paths of both folders, and begin to look."""
        self.step = step
        self.clone = clone
        self.packet = packet
        self.log = open(  # noqa: SIM115 - until the end
            os.path.join(packet, "actions.jsonl"), "a", encoding="utf-8", newline="\n"
        )
        sys.addaudithook(self.see)

    def place(self, path: str | bytes) -> tuple[str, str] | None:
        """Return the surface and the name, free of temporary folders, of a path we may use."""
        real = os.path.realpath(os.fsdecode(path))
        for surface, root, shown in (
            ("TEMP_CLONE", self.clone, CLONE_TOKEN + "/"),
            ("PACKET_FOLDER", self.packet, ""),
        ):
            if real == root or real.startswith(root + os.sep):
                return surface, shown + os.path.relpath(real, root)
        return None

    def write(self, surface: str, action: str, target: str, **more: str) -> None:
        """Add a line to the action log."""
        entry = {"step": self.step, "surface": surface, "action": action, "target": target, **more}
        self.log.write(one_line(entry) + "\n")
        self.log.flush()

    def sql(self, target: str, text: str) -> None:
        """Write down a statement; what a trigger does in the course of one begins with dashes."""
        if not text.startswith("--"):
            surface = "MEMORY" if target == ":memory:" else "TEMP_CLONE"
            shown = text if len(text) <= LONGEST_SQL else text[:LONGEST_SQL] + "…"
            self.write(surface, "sql", target, sql=shown)

    def see(self, event: str, args: tuple[object, ...]) -> None:
        """Look at an action before it happens."""
        if event.startswith(REFUSED_EVENTS):
            raise Refused(event)
        if event == "open" and isinstance(args[0], (str, bytes)):
            writes = isinstance(args[2], int) and bool(args[2] & WRITING)
            place = self.place(args[0])
            if place is not None:
                self.write(place[0], "write" if writes else "read", place[1])
            elif writes:
                raise Refused("write outside the clone folder and the packet")
        elif event == "sqlite3.connect":
            self.connects(args[0])
        elif event in CHANGING_EVENTS:
            place = self.place(args[0]) if isinstance(args[0], (str, bytes)) else None
            if place is None:
                raise Refused(event + " outside the clone folder and the packet")
            self.write(place[0], event, place[1])

    def connects(self, database: object) -> None:
        """Let a database be opened in memory or in the clone folder, nowhere else."""
        if database == ":memory:":
            self.write("MEMORY", "connect", ":memory:")
            return
        place = self.place(database) if isinstance(database, (str, bytes)) else None
        if place is None or place[0] != "TEMP_CLONE":
            raise Refused("database outside the clone folder")
        self.write(place[0], "connect", place[1])


# --- the fence: what SQL may do ---

FILE_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
READING_PRAGMAS = frozenset(
    {
        *("database_list", "table_list", "table_info", "table_xinfo", "index_list", "index_info"),
        *("index_xinfo", "foreign_key_list", "foreign_key_check", "integrity_check"),
        *("quick_check", "collation_list"),
    }
)
CHANGING_PRAGMAS = frozenset({"application_id", "user_version", "defer_foreign_keys"})
LOADING_PRAGMAS = frozenset({"encoding", "foreign_keys", "ignore_check_constraints"})
OWN_PRAGMAS = frozenset({"temp_store", "synchronous"})


class Fence:
    """An authorizer: keeps SQL from other files, and a change within its transaction."""

    def __init__(self) -> None:
        """Begin with what this program does itself."""
        self.mode = "own"
        """``own``, ``load`` for a seed or a dump, ``apply`` for a change."""
        self.denied = ("", "")
        """Kind and name of what was denied last."""

    def __call__(
        self, action: int, first: str | None, second: str | None, _base: object, _by: object
    ) -> int:
        """Answer SQLite."""
        denied = self.denies(action, (first or "").lower(), second)
        if denied is None:
            return sqlite3.SQLITE_OK
        self.denied = denied
        return sqlite3.SQLITE_DENY

    def denies(self, action: int, first: str, second: str | None) -> tuple[str, str] | None:
        """Return kind and name of what is not allowed."""
        if action == sqlite3.SQLITE_ATTACH:
            return "file", "ATTACH"
        if action == sqlite3.SQLITE_DETACH:
            return "file", "DETACH"
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            return ("file", name) if name in FILE_FUNCTIONS else None
        if action == sqlite3.SQLITE_PRAGMA:
            return self.denies_pragma(first, second)
        if self.mode == "own":
            return None
        if action in (sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE):
            return "virtual", "a virtual table"
        if action == sqlite3.SQLITE_TRANSACTION and self.mode == "apply":
            return "transaction", first.upper()
        return None

    def denies_pragma(self, name: str, value: str | None) -> tuple[str, str] | None:
        """Let pass what reads, what is state of the database, and what this program needs."""
        denied = "pragma", "PRAGMA " + name
        if name in READING_PRAGMAS or name in CHANGING_PRAGMAS:
            return None
        if self.mode == "apply":
            # a value would have no effect inside a transaction
            return denied if value is not None or name not in LOADING_PRAGMAS else None
        if name in LOADING_PRAGMAS or (name in OWN_PRAGMAS and self.mode == "own"):
            return None
        return denied


def fenced(path: str) -> tuple[sqlite3.Connection, Fence]:
    """Open a database behind a fence. What is on a clone need not survive a power failure."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = _text
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    fence = Fence()
    connection.set_authorizer(fence)
    return connection, fence


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# --- SQL scripts ---

_MEANINGLESS = re.compile(r"(?:[ \t\n\f\r;]+|--[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|;""",
    re.DOTALL,
)


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each statement of a script, without the comments before it."""
    text = text.removeprefix("\ufeff")
    line, counted = 1, 0
    start = _end_of_meaningless(text, 0)
    for token in _TOKEN.finditer(text):
        end = token.end()
        if token[0] != ";" or end <= start or not sqlite3.complete_statement(text[start:end]):
            continue
        line += text.count("\n", counted, start)
        counted = start
        yield line, text[start:end]
        start = _end_of_meaningless(text, end)
    if start < len(text):
        yield line + text.count("\n", counted, start), text[start:]


def _end_of_meaningless(text: str, start: int) -> int:
    found = _MEANINGLESS.match(text, start)
    return found.end() if found is not None else start


class Failed(Exception):
    """A statement of a script failed."""

    def __init__(self, line: int, error: Exception, denied: tuple[str, str]) -> None:
        """Keep the line on which the statement begins, and what was denied if that is why."""
        super().__init__(str(error))
        self.line = line
        self.error = error
        self.denied = denied


def run_script(connection: sqlite3.Connection, fence: Fence, text: str, mode: str) -> None:
    """Run every statement of a script to its end.

    Raises:
        Failed: at the first that fails; or at the one after which a change has no transaction left.
    """
    fence.mode = mode
    try:
        for line, statement in statements(text):
            fence.denied = ("", "")
            try:
                for _ in connection.execute(statement):
                    pass
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                raise Failed(line, error, fence.denied) from error
            if mode == "apply" and not connection.in_transaction:
                ended = sqlite3.OperationalError("the statement ended the transaction")
                raise Failed(line, ended, ("transaction", "ROLLBACK"))
    finally:
        fence.mode = "own"


def load(connection: sqlite3.Connection, fence: Fence, seed: str) -> None:
    """Fill an empty database from a seed."""
    fence.mode = "load"
    try:
        connection.executescript(seed)
    finally:
        fence.mode = "own"


# --- the canonical text of a database ---

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ROW = "INSERT INTO "
"""Begins each line that holds a row, and stands nowhere else."""

_KINDS = ("table", "index", "view", "trigger")
_ENCODINGS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}
KEPT_TABLES = ("sqlite_sequence", "sqlite_stat1", "sqlite_stat4")
"""Tables of SQLite's own whose rows are state."""

ROWIDS = ("rowid", "_rowid_", "oid")
"""The names by which SQL reaches the number of a row, unless a column has taken them."""

Value = int | float | str | bytes | None


def one_line(value: object) -> str:
    """Return JSON on one line, in which no character is hidden and nothing looks like a row."""
    text = _HIDDEN.sub(_escaped, json.dumps(value, ensure_ascii=False))
    return text.replace(_ROW, "INSERT\\u0020INTO ")


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def quoted(name: str) -> str:
    """Return the name of a table or column as SQL."""
    if _HIDDEN.search(name) or _ROW in name:
        raise NotCanonical(
            "a name with hidden characters, or that looks like a row: " + ascii(name)
        )
    return '"' + name.replace('"', '""') + '"'


def decimal(value: float) -> str:
    """Return the shortest text that only this number has."""
    if value in (float("inf"), float("-inf")):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)


def literal(value: Value, encoding: str, real: Callable[[float], str]) -> str:
    """Return a value as SQL on one line."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, bytes):
        return "x'" + value.hex() + "'"
    if _HIDDEN.search(value) or _ROW in value:
        errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
        return "CAST(x'" + value.encode(encoding, errors).hex() + "' AS TEXT)"
    return string(value)


def string(text: str) -> str:
    """Return text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _order(value: Value) -> tuple[int, int | float | bytes]:
    """Order values as SQLite does, without collations: NULL, numbers, text, blobs."""
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, value.encode("utf-8", "surrogateescape")
    return 3, value


def text_encoding(connection: sqlite3.Connection) -> tuple[str, str]:
    """Return SQLite's and Python's name of the encoding of a database."""
    (name,) = connection.execute("PRAGMA encoding").fetchone()
    return name, _ENCODINGS[name]


def schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return kind, name and text of everything that is defined, in the order of its making.

    Raises:
        NotCanonical: there is a virtual table, whose rows only its module knows.
    """
    found = connection.execute(
        "SELECT type, name, sql, rootpage FROM main.sqlite_master WHERE sql IS NOT NULL"
        " ORDER BY rowid"
    ).fetchall()
    for kind, name, _, page in found:
        if kind == "table" and not page:
            raise NotCanonical("a virtual table: " + ascii(name))
    return [(kind, name, sql) for kind, name, sql, _ in found]


def rowid_of(connection: sqlite3.Connection, table: str, about: list[Any]) -> str:
    """Return the name of a number that each row has and no column holds; empty if there is none.

    A change may go by it, and the order in which rows are read does. There is none in the tables of
    SQLite's own, without rowids, and where the primary key is the rowid.

    Args:
        connection: to the database.
        table: its name.
        about: what SQLite says of its columns.

    Raises:
        NotCanonical: columns have taken every name of it.
    """
    if table.lower().startswith("sqlite_"):
        return ""
    indexes = connection.execute(f"PRAGMA main.index_list({string(table)})").fetchall()
    keys = [name for _, name, _, origin, _ in indexes if origin == "pk"]
    if keys:
        parts = connection.execute(f"PRAGMA main.index_xinfo({string(keys[0])})").fetchall()
        if all(number != -1 for _, number, *_ in parts):
            return ""
    elif any(pk for *_, pk, _ in about):
        return ""
    taken = {name.lower() for _, name, *_ in about}
    for name in ROWIDS:
        if name not in taken:
            return name
    raise NotCanonical("a table whose rows have a number that no name reaches: " + ascii(table))


def rows(
    connection: sqlite3.Connection, table: str, real: Callable[[float], str] = decimal
) -> list[str]:
    """Return the rows of a table, each a statement on one line, by key or else by all columns.

    A number that no column holds stands in front of the others.
    """
    # a bound name would stand in the log in another form
    about = connection.execute(f"PRAGMA main.table_xinfo({string(table)})").fetchall()
    # generated columns are computed again
    columns = [(quoted(name), pk) for _, name, _, _, _, pk, hidden in about if not hidden]
    names = [name for name, _ in columns]
    by = [at for pk, at in sorted((pk, at) for at, (_, pk) in enumerate(columns) if pk)]
    by = by or list(range(len(columns)))
    rowid = rowid_of(connection, table, about)
    if rowid:
        names = [rowid, *names]
        by = [at + 1 for at in by]
    _, encoding = text_encoding(connection)
    begin = _ROW + quoted(table)
    if rowid or len(names) < len(about):
        begin += " (" + ", ".join(names) + ")"
    found: list[tuple[list[tuple[int, int | float | bytes]], str]] = []
    query = "SELECT " + ", ".join(names) + " FROM main." + quoted(table)  # noqa: S608 - quoted
    for row in connection.execute(query):
        values = ", ".join([literal(value, encoding, real) for value in row])
        found.append(([_order(row[at]) for at in by], begin + " VALUES (" + values + ");"))
    found.sort()
    return [line for _, line in found]


def dump(connection: sqlite3.Connection) -> tuple[bytes, int]:
    """Return the canonical text of a database, and the number of its rows."""
    name, _ = text_encoding(connection)
    lines = ["-- encoding " + name]
    for pragma in ("application_id", "user_version"):
        (number,) = connection.execute("PRAGMA " + pragma).fetchone()
        lines.append(f"-- {pragma} {number}")
    defined = schema(connection)
    own = [one for one in defined if not one[1].lower().startswith("sqlite_")]
    own.sort(key=lambda one: (_KINDS.index(one[0]), one[1].encode("utf-8", "surrogateescape")))
    lines += ["-- schema " + one_line(sql) for _, _, sql in own]
    tables = [name for kind, name, _ in own if kind == "table"]
    tables += [name for name in KEPT_TABLES if ("table", name) in {one[:2] for one in defined}]
    before = len(lines)
    for table in tables:
        lines += rows(connection, table)
    return ("\n".join(lines) + "\n").encode(), len(lines) - before


# --- the steps ---


def sha256(data: bytes) -> str:
    """Return the digest of ``data`` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read(name: str) -> bytes:
    """Return the bytes of a file of the packet."""
    with open(name, "rb") as file:
        return file.read()


def write(name: str, data: bytes) -> None:
    """Write a file of the packet or the clone folder."""
    with open(name, "wb") as file:
        file.write(data)


def read_lines(name: str) -> list[str]:
    """Return the lines of a file of the packet."""
    return read(name).decode().split("\n")[:-1]


def write_json(name: str, value: object) -> None:
    """Write an evidence file."""
    write(name, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode())


def connect(guard: Guard, path: str) -> tuple[sqlite3.Connection, Fence]:
    """Open a database whose every statement is written down."""
    connection, fence = fenced(path)
    shown = path if path == ":memory:" else CLONE_TOKEN + "/" + os.path.basename(path)
    connection.set_trace_callback(lambda text: guard.sql(shown, text))
    return connection, fence


def filled(guard: Guard, path: str) -> sqlite3.Connection:
    """Make a database from the seed; the log names the seed instead of each of its statements."""
    connection, fence = connect(guard, path)
    seed = read(SEED).decode()
    connection.set_trace_callback(None)
    shown = path if path == ":memory:" else CLONE_TOKEN + "/" + os.path.basename(path)
    guard.write("MEMORY" if path == ":memory:" else "TEMP_CLONE", "sql", shown, sql=".read " + SEED)
    load(connection, fence, seed)
    connection.set_trace_callback(lambda text: guard.sql(shown, text))
    return connection


def executor_files() -> list[str]:
    """Return the change files that the executor reads, in its order."""
    return [line.split()[1] for line in read_lines(EXECUTOR) if line.startswith(".read ")]


def apply_change(connection: sqlite3.Connection, fence: Fence) -> None:
    """Apply the change in the transaction that is open."""
    for name in executor_files():
        run_script(connection, fence, read(name).decode(), "apply")


def keep(connection: sqlite3.Connection, name: str, label: str) -> bytes:
    """Write a state to the packet, say so, and return its bytes."""
    data, count = dump(connection)
    write(name, data)
    print("state", label, f"file={name}", f"rows={count}", f"sha256={sha256(data)}")
    return data


def kept(guard: Guard, name: str, label: str) -> bytes:
    """Keep the state of the clone as a new connection sees it."""
    connection, _ = connect(guard, clone_path(guard))
    data = keep(connection, name, label)
    connection.close()
    return data


def said(step: str) -> dict[str, dict[str, str]]:
    """Return what a step printed of its states: label to file, rows, digest."""
    found: dict[str, dict[str, str]] = {}
    for line in read_lines("outputs/" + step + ".txt"):
        words = line.split()
        if words[:1] == ["state"]:
            found[words[1]] = dict(word.split("=", 1) for word in words[2:])
    return found


def codes_said(step: str) -> list[str]:
    """Return the codes that rollback_check.py printed in a step, each once."""
    return sorted({line.split()[1] for line in read_lines("outputs/" + step + ".txt")})


def clone_path(guard: Guard) -> str:
    """Return the path of the clone."""
    return os.path.join(guard.clone, CLONE)


def claim(guard: Guard, token: str) -> None:
    """Take an empty folder for this run.

    Raises:
        Refused: somebody else's things are in it.
    """
    if os.listdir(guard.clone):
        raise Refused("foreign clone: the folder is not empty")
    write(os.path.join(guard.clone, MARKER), (token + "\n").encode())


def require_own(guard: Guard, token: str) -> None:
    """Refuse a clone that another run made.

    Raises:
        Refused: the token in the clone folder is not that of this run, or there is none.
    """
    try:
        found = read(os.path.join(guard.clone, MARKER)).decode("ascii", "replace").strip()
    except OSError:
        found = ""
    if not token or found != token:
        raise Refused("foreign clone: the folder is not the one that this run made")


def lock(guard: Guard) -> int:
    """RX-0: make the clone from seed.sql and prove it isolated before anything is rehearsed."""
    clone = filled(guard, clone_path(guard))
    memory = filled(guard, ":memory:")
    expected = keep(memory, "states/expected.sql", "expected")
    data, count = dump(clone)
    databases = clone.execute("PRAGMA database_list").fetchall()
    checks = {
        # claim() has refused any other
        "folder_was_empty": sorted(os.listdir(guard.clone)) == sorted((CLONE, MARKER)),
        "folder_is_outside_the_packet": outside_the_packet(guard),
        "one_database_attached": len(databases) == 1,
        "database_file_is_in_the_clone_folder": os.path.dirname(os.path.realpath(databases[0][2]))
        == guard.clone,
        "content_equals_seed": data == expected,
    }
    memory.close()
    clone.close()
    target: dict[str, object] = {
        "id": TARGET,
        "engine": "sqlite",
        "path": CLONE_TOKEN + "/" + CLONE,
        "rows": count,
        "state_sha256": sha256(data),
    }
    return write_lock(target, checks, ("TEMP_CLONE", "PACKET_FOLDER", "MEMORY"))


def outside_the_packet(guard: Guard) -> bool:
    """Whether the clone folder is one of its own."""
    place = guard.place(guard.clone)
    return (
        place is not None
        and place[0] == "TEMP_CLONE"
        and not (guard.clone + os.sep).startswith(guard.packet + os.sep)
    )


def write_lock(target: dict[str, object], checks: dict[str, bool], allowed: Iterable[str]) -> int:
    """Write the target lock, and say what was checked; return the exit code of the step.

    Args:
        target: what is known of the clone.
        checks: what has to hold for it to be isolated.
        allowed: the surfaces that the rehearsal uses.
    """
    isolated = all(checks.values())
    candidates: list[dict[str, object]] = [
        {"id": target["id"], "is_production": False, "allowed": True, "selected": True}
    ]
    candidates += [
        {"id": name, "is_production": True, "allowed": False, "selected": False}
        for name in plan()["production_targets"]
    ]
    write_json(
        "rehearsal-target-lock.json",
        {
            "lane": plan()["lane"],
            "locked_at_step": "RX-0",
            "proven_before_step": "RX-1",
            "target": {**target, "is_production": False, "disposable": True},
            "isolation": checks,
            "candidates": candidates,
            "allowed_surfaces": list(allowed),
            "executor": [
                {"file": name, "sha256": sha256(read(name))}
                for name in (EXECUTOR, *executor_files())
            ],
            "verdict": "PROVEN_ISOLATED_NOT_PRODUCTION" if isolated else "NOT_ISOLATED",
        },
    )
    for name, holds in checks.items():
        print(name, str(holds).lower())
    return 0 if isolated else 1


def guard_control(guard: Guard) -> int:
    """RX-1: a write next to the clone folder, then a socket; both must be refused, exit code 3."""
    try:
        write(guard.clone + "-outside", b"")
    except Refused as refusal:
        print("refused:", refusal)
    else:
        return 1
    import socket

    socket.socket()
    return 1


def read_twice(guard: Guard) -> int:
    """RX-2: two connections read the same bytes, and these are the seed's."""
    seen = [kept(guard, f"states/read-{one}.sql", f"read_{one}") for one in (1, 2)]
    same = seen[0] == seen[1] == read("states/expected.sql")
    print("identical", str(same).lower())
    return 0 if same else 1


def transaction(guard: Guard) -> int:
    """RX-3: BEGIN, apply, read, ROLLBACK."""
    clone, fence = connect(guard, clone_path(guard))
    before = keep(clone, "states/txn-before.sql", "before")
    clone.execute("BEGIN")
    apply_change(clone, fence)
    applied = keep(clone, "states/txn-after-apply.sql", "after_apply")
    clone.execute("ROLLBACK")
    clone.close()
    after = kept(guard, "states/txn-after-rollback.sql", "after_rollback")
    return 0 if applied != before == after else 1


def snapshot(guard: Guard) -> int:
    """RX-4: snapshot, COMMIT the change, restore from the snapshot."""
    path = clone_path(guard)
    aside = os.path.join(guard.clone, SNAPSHOT)
    before = kept(guard, "states/snap-before.sql", "before")
    write(aside, read(path))
    clone, fence = connect(guard, path)
    clone.execute("BEGIN")
    apply_change(clone, fence)
    clone.execute("COMMIT")
    clone.close()
    applied = kept(guard, "states/snap-after-apply.sql", "after_apply")
    write(path, read(aside))
    after = kept(guard, "states/snap-after-rollback.sql", "after_rollback")
    return 0 if applied != before == after else 1


def executor(guard: Guard) -> int:
    """RX-5: the executor and its change files are still what RX-0 locked."""
    same = True
    for locked in json.loads(read("rehearsal-target-lock.json"))["executor"]:
        now = sha256(read(locked["file"]))
        print(locked["file"], "unchanged" if now == locked["sha256"] else "CHANGED", now)
        same = same and now == locked["sha256"]
    return 0 if same else 1


def proof(guard: Guard) -> int:
    """RX-6: write the rollback proof; its hashes are computed from the state files."""
    expected = said("RX-0")["expected"]["file"]
    entries: list[dict[str, object]] = []
    proven = True
    for entry, step in ENTRIES:
        told = said(step)
        states = {name: told[name]["file"] for name in ("before", "after_apply", "after_rollback")}
        states["expected"] = expected
        hashes = {label: sha256(read(name)) for label, name in states.items()}
        restored = hashes["after_rollback"] == hashes["before"] == hashes["expected"]
        proven = proven and restored
        entries.append(
            {
                "id": entry,
                "step": step,
                "before_hash": hashes["before"],
                "after_apply_hash": hashes["after_apply"],
                "after_rollback_hash": hashes["after_rollback"],
                "expected_hash": hashes["expected"],
                "restored_match": restored,
                "rows_before": int(told["before"]["rows"]),
                "rows_after_apply": int(told["after_apply"]["rows"]),
                "rows_after_rollback": int(told["after_rollback"]["rows"]),
                "states": states,
                "production_rollback_status": "NOT_APPLICABLE",
            }
        )
        print(entry, "restored", str(restored).lower())
    write_json(PROOF, {"lane": plan()["lane"], "entry_count": len(entries), "entries": entries})
    return 0 if proven else 1


def record(guard: Guard, clone: str = CLONE) -> int:
    """After the last step: write the log, the validator's result and the surface proof."""
    steps = log_steps()
    codes = {step: raw for step, raw, _, _ in raw_codes()}
    lane = plan()["lane"]
    write_json(
        "rehearsal-log.json",
        {
            "lane": lane,
            "target": CLONE_TOKEN + "/" + clone,
            "step_count": len(steps),
            "steps": steps,
        },
    )
    result = validator_result(codes)
    write_json("hardened-validator-result.json", result)
    touched = {json.loads(line)["surface"] for line in read_lines("actions.jsonl")}
    surfaces = [
        {"id": name, "state": "TOUCHED" if name in touched else "UNTOUCHED"}
        for name in FORBIDDEN_SURFACES
    ]
    clean = not touched.intersection(FORBIDDEN_SURFACES)
    write_json(
        "forbidden-surface-proof.json",
        {
            "lane": lane,
            "action_log": "actions.jsonl",
            "surface_count": len(surfaces),
            "surfaces": surfaces,
            "surfaces_in_action_log": sorted(touched),
            "any_forbidden_surface_touched": not clean,
        },
    )
    good = all(step["wrapper_exit_code"] == 0 for step in steps)
    return 0 if good and result["overall"] == "PASS" and clean else 1


def raw_codes() -> list[tuple[str, int, int, str]]:
    """Return step, raw and expected exit code, and command of every step that ran."""
    found = [line.split("\t") for line in read_lines("outputs/raw-exit-codes.tsv")]
    return [(step, int(raw), int(expected), command) for step, raw, expected, command in found]


def log_steps() -> list[dict[str, object]]:
    """Return the steps as the log tells them."""
    wrappers = dict(line.split("\t") for line in read_lines("outputs/wrapper-exit-codes.tsv"))
    steps: list[dict[str, object]] = []
    for step, raw, expected, command in raw_codes():
        states = said(step)
        steps.append(
            {
                "id": step,
                "command": command,
                "raw_exit_code": raw,
                "expected_exit_code": expected,
                "wrapper_exit_code": int(wrappers[step]),
                "output": "outputs/" + step + ".txt",
                "states": {label: state["file"] for label, state in states.items()},
                "rows": {label: int(state["rows"]) for label, state in states.items()},
            }
        )
    return steps


def validator_result(codes: dict[str, int]) -> dict[str, object]:
    """Return what the validator answered, from its exit codes and what it printed."""
    validator = plan()["validator"]
    digest = sha256(read(validator["file"]))
    controls: list[dict[str, object]] = []
    for line in read_lines("outputs/RX-7.txt"):
        words = line.split()
        if words[:1] == ["control"]:
            controls.append(
                {
                    "expected_code": words[1],
                    "answered_codes": words[3:],
                    "fails_closed": words[3:] == [words[1]],
                }
            )
    answered = codes_said("RX-9")
    exact = digest == validator["sha256"]
    closes = answered == [CONTROL] and codes["RX-9"] == 1
    passes = (
        exact
        and codes["RX-7"] == codes["RX-8"] == 0
        and closes
        and bool(controls)
        and all(control["fails_closed"] for control in controls)
    )
    return {
        "lane": plan()["lane"],
        "validator": validator["file"],
        "validator_sha256": digest,
        "pinned_sha256": validator["sha256"],
        "validator_is_byte_exact": exact,
        "selftest": {"step": "RX-7", "pass": codes["RX-7"] == 0},
        "lane_proof": {
            "step": "RX-8",
            "proof": PROOF,
            "pass": codes["RX-8"] == 0,
            "codes": codes_said("RX-8"),
        },
        "control_count": len(controls),
        "negative_controls": controls,
        "lane_control": {
            "step": "RX-9",
            "expected_code": CONTROL,
            "answered_codes": answered,
            "fails_closed": closes,
        },
        "overall": "PASS" if passes else "FAIL",
    }


def plan() -> dict[str, Any]:
    """Return what the rehearsal was told: its lane, what is production, and the validator's pin."""
    loaded: dict[str, Any] = json.loads(read("plan.json"))
    return loaded


def manifest() -> int:
    """Print what HASH_MANIFEST.txt must say of the files in this folder; writes nothing."""
    names = [
        os.path.relpath(os.path.join(base, name))
        for base, _, files in os.walk(".")
        for name in files
    ]
    for name in sorted(names, key=os.fsencode):
        if name not in SEALS:
            sys.stdout.buffer.write((sha256(read(name)) + "  " + name + "\n").encode())
    return 0


STEPS: dict[str, Callable[[Guard], int]] = {
    "lock": lock,
    "guard-control": guard_control,
    "read-twice": read_twice,
    "transaction": transaction,
    "snapshot": snapshot,
    "executor": executor,
    "proof": proof,
    "record": record,
}


def run(
    arguments: list[str],
    steps: Mapping[str, Callable[[Own], int]],
    begin: Callable[[str, str, str], Own],
) -> int:
    """Run one step; exit code 3: it was refused.

    Args:
        arguments: of the command line.
        steps: by name.
        begin: makes the guard.
    """
    if arguments == ["manifest"]:
        return manifest()
    if len(arguments) != 1 or arguments[0] not in steps:
        print("usage: rehearse.py manifest|" + "|".join(steps), file=sys.stderr)
        return 2
    clone, token = os.environ["REHEARSAL_CLONE"], os.environ["REHEARSAL_TOKEN"]
    guard = begin(os.environ["REHEARSAL_STEP"], os.path.realpath(clone), os.path.realpath("."))
    try:
        if arguments[0] == "lock":
            claim(guard, token)
        elif arguments[0] != "record":  # the clone is gone by then
            require_own(guard, token)
        return steps[arguments[0]](guard)
    except Refused as refusal:
        print("refused:", refusal)
        return 3


def main(arguments: list[str]) -> int:
    """Run one step of a rehearsal on SQLite."""
    try:
        return run(arguments, STEPS, Guard)
    except Failed as failure:
        print(f"failed: line {failure.line}: {failure.error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
