"""The rollback rehearsal on PostgreSQL, one subcommand a step. Python's standard library only.

It runs on a throwaway server that is made from the dump, in the folder named by REHEARSAL_CLONE;
``server.py`` says how nobody else can reach it. What does not depend on the engine is in
``steps.py``, which is the same program as that of a rehearsal on SQLite. An audit hook writes each
action to actions.jsonl before it happens, and refuses sockets but that of the server, other
processes than bubblewrap, and writes outside the clone folder and this packet.

A dump that is not in the packet is named by LANEBOOK_DUMP; it has to have the digest of plan.json.
LANEBOOK_RESTORED may name a folder in which lanebook restored that dump just before, with these
programs, to try the change. RX-0 then takes that clone, and restores no second one. RERUN.sh is
given none: where the packet that it makes is the same, this clone was what the dump gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import Any

if __package__:
    from generator.rehearse.inside import rehearse as steps
    from generator.rehearse.inside.postgres import catalog as catalogs
    from generator.rehearse.inside.postgres import dump as dumps
    from generator.rehearse.inside.postgres import gates, script, state
    from generator.rehearse.inside.postgres import server as servers
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import catalog as catalogs  # type: ignore[import-not-found, no-redef]
    import dump as dumps  # type: ignore[import-not-found, no-redef]
    import gates  # type: ignore[import-not-found, no-redef]
    import script  # type: ignore[import-not-found, no-redef]
    import server as servers  # type: ignore[import-not-found, no-redef]
    import state  # type: ignore[import-not-found, no-redef]
    import steps  # type: ignore[import-not-found, no-redef]

CLONE, SECOND, SNAPSHOT, MAINTENANCE = "clone", "second-clone", "snapshot", "postgres"
"""Databases of the throwaway server. What a ROLLBACK leaves moved must not reach the second leg."""
TARGET = "temp-postgresql-clone"
HELD = "source.dump"
"""The name of a dump that is small enough to be in the packet."""
ISOLATION = gates.ISOLATION
TOUCHED = "touched-rows.json"
MOST_LISTED = 5_000
"""Rows of a leg that are listed; the rest is counted, and in the digest of the list."""
BLOCKERS = "production-readiness-blocker-map.json"
GIVEN = "given-blocker-map.json"
"""The owners' map, where the rehearsal writes one in which a leg of a blocker is discharged."""
DISCHARGES = "discharges"
"""In the plan, the ``blocker`` and its ``leg``."""
NO_TRANSACTION = "no_transaction"
"""In the plan, why the change can run in no transaction."""
ONLY_ALONE = ("25001", "55P04")
"""SQLSTATEs by which the server says so: active_sql_transaction, unsafe_new_enum_value_usage."""
NOTES = "notes"
ROLES = "roles.json"
"""In the folder of a clone that was restored before: the roles that the dump names."""
ENGINE = "postgresql"


class Guard(steps.Guard):
    """Lets the server be started and talked to, and nothing else."""

    def __init__(self, step: str, clone: str, packet: str) -> None:
        """Take the real paths of both folders, and begin to look."""
        self.socket = os.path.join(clone, "server", servers.SOCKET)
        self.aside = os.path.join(clone, NOTES)
        self.restored = os.environ.get("LANEBOOK_RESTORED", "") if step == "RX-0" else ""
        super().__init__(step, clone, packet)

    def see(self, event: str, args: tuple[object, ...]) -> None:
        """Look at an action before it happens."""
        if event == "subprocess.Popen" and args[0] in servers.BWRAP:
            return
        if event == "socket.__new__" and args[1] == socket.AF_UNIX:
            return
        if event == "socket.connect" and str(args[1]).startswith("/proc/self/fd/"):
            return
        if event == "open" and args[0] in (os.devnull, self.socket):
            return
        if event in ("open", "os.mkdir", "os.remove", "os.listdir") and self.is_note(args[0]):
            return
        if event == "os.rename" and self.restored and self.is_handed(args[0], args[1]):
            return
        super().see(event, args)

    def is_note(self, path: object) -> bool:
        """Whether a path is the folder for notes, or in it."""
        return isinstance(path, str) and f"{os.path.normpath(path)}/".startswith(f"{self.aside}/")

    def is_handed(self, source: object, target: object) -> bool:
        """Whether what is moved is a part of the clone that was restored before, and moved here."""
        inside = (str(source), self.restored), (str(target), self.clone)
        return all(f"{os.path.normpath(path)}/".startswith(f"{root}/") for path, root in inside)

    def notes(self) -> state.Notes:
        """Return the folder for what is neither clone nor packet: the script, digests of rows.

        What is done in it is not written down.
        """
        if not os.path.isdir(self.aside):
            os.mkdir(self.aside)
        return state.Notes(self.aside)

    def database(self, action: str, name: str, **more: str) -> None:
        """Write down what is done with a database."""
        self.write("TEMP_CLONE", action, shown(name), **more)


def shown(name: str) -> str:
    """Return how a thing in the clone folder is called, wherever that is."""
    return f"{steps.CLONE_TOKEN}/{name}"


@contextmanager
def running(guard: Guard) -> Iterator[servers.Server]:
    """Start the server of this rehearsal, and stop it."""
    guard.write("TEMP_CLONE", "run", shown("server"), command="postgres")
    server = servers.Server(guard.clone, steps.plan()["dump"]["server"])
    if guard.restored:
        os.rename(os.path.join(guard.restored, NOTES), guard.aside)
        server.take(guard.restored)
    with server:
        yield server


def session(
    guard: Guard, server: servers.Server, name: str, *, reads: bool = False
) -> servers.Session:
    """Open a session whose every statement is written down."""
    guard.database("connect", name)
    options = {"default_transaction_read_only": "on"} if reads else {}
    return server.session(name, lambda sql: guard.sql(shown(name), sql), **options)


def export(opened: servers.Session, notes: state.Notes, *beside: servers.Session) -> state.State:
    """Return the state that a session sees.

    Whatever a change has set in the session, it is written the same way.

    Args:
        opened: the session.
        notes: where digests of rows are kept.
        beside: more sessions that see the same, which read some of the tables meanwhile.
    """
    settings = {**servers.SESSION, "search_path": "", "role": "none", "statement_timeout": "0"}
    chosen = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

    def query(sql: str) -> list[tuple[bytes | None, ...]]:
        return opened.quiet(sql.encode("utf-8", "surrogateescape")).rows

    def reader(session: servers.Session) -> state.Records:
        return lambda sql: session.records(sql.encode("utf-8", "surrogateescape"), 64)

    query(f"SELECT {chosen}")
    return state.export(query, [reader(session) for session in (opened, *beside)], notes)


def keep(
    guard: Guard,
    opened: servers.Session,
    name: str,
    label: str,
    database: str = CLONE,
    *beside: servers.Session,
) -> state.State:
    """Write a state to the packet, say so, and return it."""
    guard.database("read", database, by="state.py")
    found = export(opened, guard.notes(), *beside)
    steps.write(name, found.data)
    digest = steps.sha256(found.data)
    print("state", label, f"file={name}", f"rows={found.rows}", f"sha256={digest}")
    return found


def kept(
    guard: Guard, server: servers.Server, name: str, label: str, database: str = CLONE
) -> state.State:
    """Keep the state of a clone as a new session sees it, which can only read."""
    with (
        session(guard, server, database, reads=True) as opened,
        server.session(database, default_transaction_read_only="on") as beside,
    ):
        return keep(guard, opened, name, label, database, beside)


def apply_change(opened: servers.Session) -> None:
    """Apply the change in the transaction that is open, or in none where it can run in none.

    Raises:
        Failed: at the first statement that fails, or after which there is no transaction left.
    """
    for name in steps.executor_files():
        run_script(opened, steps.read(name), alone=bool(no_transaction()))


def no_transaction() -> dict[str, Any]:
    """Return why the change can run in no transaction; nothing where it can.

    Returns:
        ``line`` of the change, the ``sqlstate`` of the server's refusal and its ``text``.
    """
    found: dict[str, Any] = steps.plan().get(NO_TRANSACTION, {})
    return found


def run_script(opened: servers.Session, text: bytes, *, alone: bool = False, to: int = 0) -> None:
    """Run every statement of a change.

    Args:
        opened: in a transaction or, where each statement is one of its own, in none.
        text: of the change.
        alone: whether each is one of its own.
        to: the line of the last statement to run; 0: all.

    Raises:
        Problem: it has no place in a change.
        Failed: the server refused it.
    """
    for statement in script.statements(text, dump=False):
        if to and statement.line > to:
            return
        script.check_change(statement)
        try:
            status = opened.run(statement.text).status
        except servers.Refusal as refusal:
            line = dumps.line_of(statement, refusal)
            raise steps.Failed(line, refusal, ("", "")) from refusal
        if status != ("I" if alone else "T"):
            ended = servers.Refusal("25P01", "the statement ended the transaction")
            raise steps.Failed(statement.line, ended, ("transaction", "COMMIT"))


def dump_path() -> str:
    """Return where the dump is: in the packet, or where LANEBOOK_DUMP says.

    Raises:
        Refused: it is nowhere, or another one.
    """
    told = steps.plan()["dump"]
    path = told["file"]
    if not path:
        given = os.environ.get("LANEBOOK_DUMP", "")
        if not given:
            raise steps.Refused("the dump is not in the packet; LANEBOOK_DUMP has to name it")
        path = os.path.realpath(given)
    try:
        found = dumps.digest(path)[0]
    except OSError as error:
        raise steps.Refused(f"the dump cannot be read: {error.strerror}") from error
    if found != told["sha256"]:
        raise steps.Refused("the dump that was given has another digest than plan.json names")
    return str(path)


def make(guard: Guard, server: servers.Server, sql: dumps.Script | None) -> list[str]:
    """Make the clone from a dump, or take the one that was made; return the roles that it names.

    The log is of the making, whenever it was.
    """
    create = f"CREATE DATABASE {CLONE} TEMPLATE template0"
    guard.database("connect", MAINTENANCE)
    guard.sql(shown(MAINTENANCE), create)
    guard.database("sql", CLONE, sql=".read the dump")
    if sql is None:
        with open(os.path.join(guard.restored, ROLES), encoding="utf-8") as file:
            return [str(name) for name in json.load(file)]
    return restore(server, sql)


def restore(server: servers.Server, sql: dumps.Script) -> list[str]:
    """Make the clone from a dump; return the roles that it names, sorted."""
    roles: list[str] = []
    with server.session(MAINTENANCE) as opened:
        opened.run(f"CREATE DATABASE {CLONE} TEMPLATE template0".encode())
    dumps.restore(server, CLONE, sql, roles.append)
    return sorted(roles)


def lock(guard: Guard) -> int:
    """RX-0: start the server, prove it isolated, and make the clone from the dump."""
    told = steps.plan()
    empty = sorted(os.listdir(guard.clone)) == [steps.MARKER]
    path = dump_path()
    if guard.restored:
        return _locked(guard, path, None, empty=empty)
    _, sql = dumps.sql_of(path, told["dump"]["server"], guard.notes().folder)
    with sql:
        dumps.check(sql)
        return _locked(guard, path, sql, empty=empty)


def _locked(guard: Guard, path: str, sql: dumps.Script | None, *, empty: bool) -> int:
    told = steps.plan()
    with running(guard) as server:
        seen = servers.observe(server)
        wrong = servers.problems(seen)
        write_isolation(told["lane"], seen, wrong)
        if wrong:
            print("not isolated:", *wrong)
            return 1
        roles = make(guard, server, sql)
        missing = preconditions(guard, server, wrong)
        if missing:
            print("not ready:", *missing)
            return 1
        found = kept(guard, server, "states/expected.jsonl", "expected")
        copy(guard, server, CLONE, SECOND)
        with session(guard, server, CLONE, reads=True) as opened:
            folder = opened.value(b"SELECT current_setting('data_directory')")
    checks = {
        # claim() has refused any other
        "folder_was_empty": empty,
        "folder_is_outside_the_packet": steps.outside_the_packet(guard),
        "data_are_in_the_clone_folder": folder == "/server/data",
        "server_has_no_tcp_socket": "SERVER_LISTENS_TCP" not in wrong,
        "server_has_no_route": "SERVER_ROUTE" not in wrong,
        "server_has_one_unix_socket": "SERVER_SOCKET" not in wrong,
        "server_trusts_its_own_user_only": "SERVER_HBA" not in wrong,
        "server_inherits_no_settings": "SERVER_ENVIRONMENT" not in wrong,
        "dump_is_the_planned_one": dumps.digest(path)[0] == told["dump"]["sha256"],
    }
    target: dict[str, object] = {
        "id": TARGET,
        "engine": ENGINE,
        "path": shown(CLONE),
        "rows": found.rows,
        "state_sha256": steps.sha256(found.data),
    }
    code = steps.write_lock(target, checks, ("TEMP_CLONE", "PACKET_FOLDER"))
    for role in roles:
        print("role", steps.one_line(role))
    return int(code)


def preconditions(guard: Guard, server: servers.Server, isolation: list[str]) -> list[str]:
    """Write down where the clone is from and whether it will do; return the codes of what fails."""
    told = steps.plan()
    with session(guard, server, CLONE, reads=True) as opened:
        lines = read_catalog(opened)
    steps.write(gates.CATALOG, catalogs.encoded(lines))
    compatible = gates.schema(told, lines)
    steps.write_json(gates.SCHEMA, compatible)
    scan = json.loads(steps.read(gates.SCAN))
    found = gates.summary(told, isolation, scan, compatible)
    steps.write_json(gates.SUMMARY, found)
    codes = [code for one in found["preconditions"] for code in one["codes"]]
    steps.write_json(gates.PROVENANCE, gates.provenance(told, codes))
    if scan["dump_sha256"] != told["dump"]["sha256"]:
        codes.append("SECRET_SCAN_DUMP_DIFFERS")
    return codes


def read_catalog(opened: servers.Session) -> list[catalogs.Line]:
    """Return the catalog of the database of a session."""
    return catalogs.read(lambda sql: opened.quiet(sql.encode()).rows)


def write_isolation(lane: str, seen: dict[str, list[str]], codes: list[str]) -> None:
    """Write what the server is like from inside, with what that comes to."""
    steps.write_json(ISOLATION, {**gates.isolation(lane, seen, codes), "observed_at_step": "RX-0"})


def read_twice(guard: Guard) -> int:
    """RX-2: two sessions that can only read get the same bytes, and these are the locked ones."""
    with running(guard) as server:
        seen = [kept(guard, server, f"states/read-{one}.jsonl", f"read_{one}") for one in (1, 2)]
    same = seen[0].data == seen[1].data == steps.read("states/expected.jsonl")
    print("identical", str(same).lower())
    return 0 if same else 1


def transaction(guard: Guard) -> int:
    """RX-3: BEGIN, apply, read, ROLLBACK; a sequence that moved stays moved, and is named.

    A change that can run in no transaction is no change in one: that the server refuses it is shown
    again, exit code 3, and this leg is not run.
    """
    if no_transaction():
        return refused_in_transaction(guard)
    with running(guard) as server:
        before = kept(guard, server, "states/txn-before.jsonl", "before")
        with session(guard, server, CLONE) as opened:
            opened.run(b"BEGIN")
            apply_change(opened)
            applied = keep(guard, opened, "states/txn-after-apply.jsonl", "after_apply")
            opened.run(b"ROLLBACK")
        after = kept(guard, server, "states/txn-after-rollback.jsonl", "after_rollback")
    write_touched(guard.step, "txn", before, applied)
    return told_apart(before, applied, after)


def write_touched(step: str, leg: str, before: state.State, applied: state.State) -> None:
    """Write which rows the change touched, beside what the other leg wrote of that."""
    tables: dict[str, dict[str, Any]] = {}
    listed: list[list[str]] = []
    digest, counted = hashlib.sha256(), 0
    counts = [{rows.where: rows.number for rows in found.tables} for found in (before, applied)]
    for word, where, key, row in state.touched(before, applied):
        told = tables.get(where)
        if told is None:
            schema, table = json.loads(f"[{where}]")
            told = tables[where] = {
                "schema": schema,
                "table": table,
                "rows_before": counts[0].get(where, 0),
                "rows_after_apply": counts[1].get(where, 0),
                state.GONE: 0,
                state.CAME: 0,
            }
        told[word] += 1
        counted += 1
        line = [word, told["schema"], told["table"], key, row]
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        digest.update(text.encode("utf-8", "surrogateescape") + b"\n")
        if counted <= MOST_LISTED:
            listed.append(line)
    entry = {
        "step": step,
        "before": f"states/{leg}-before.jsonl",
        "after_apply": f"states/{leg}-after-apply.jsonl",
        "tables": list(tables.values()),
        "rows": listed,
        "left_out": counted - len(listed),
        "rows_sha256": digest.hexdigest(),
    }
    legs = json.loads(steps.read(TOUCHED))["legs"] if os.path.exists(TOUCHED) else []
    steps.write_json(TOUCHED, {"lane": steps.plan()["lane"], "legs": [*legs, entry]})


def refused_in_transaction(guard: Guard) -> int:
    """Show that the server refuses the change in a transaction; exit code 3 if as planned."""
    planned = no_transaction()
    with running(guard) as server, session(guard, server, CLONE) as opened:
        opened.run(b"BEGIN")
        try:
            for name in steps.executor_files():
                run_script(opened, steps.read(name), to=planned["line"])
        except steps.Failed as failure:
            found = why_not(failure)
        else:
            found = {}
        opened.run(b"ROLLBACK")
    if found != planned:
        print("the server does not refuse the change in a transaction")
        return 1
    print(f"refused: line {found['line']}: {found['sqlstate']} {steps.one_line(found['text'])}")
    print("not run: the transaction leg")
    return 3


def why_not(failure: steps.Failed) -> dict[str, Any]:
    """Return why a change that failed in a transaction can run in none; nothing if it may."""
    refusal = failure.error
    if not isinstance(refusal, servers.Refusal) or refusal.state not in ONLY_ALONE:
        return {}
    return {"line": failure.line, "sqlstate": refusal.state, "text": refusal.text}


def told_apart(before: state.State, applied: state.State, after: state.State) -> int:
    """Say what did not come back; exit code 0: all of it did, and the change had changed it."""
    for line in state.moved_sequences(before.data, after.data):
        print("moved: sequence", line)
    moved: dict[str, dict[str, int]] = {}
    for word, where, *_ in state.touched(before, after):
        told = moved.setdefault(where, {state.GONE: 0, state.CAME: 0})
        told[word] += 1
    for where, told in moved.items():
        print(f"moved: rows [{where}]", *(f"{word}={count}" for word, count in told.items()))
    others = state.other_lines(before.data, after.data)
    if others:
        print("moved: other lines", others)
    return 0 if applied.data != before.data == after.data else 1


def snapshot(guard: Guard) -> int:
    """RX-4: snapshot, COMMIT the change, restore from the snapshot."""
    with running(guard) as server:
        before = kept(guard, server, "states/snap-before.jsonl", "before", SECOND)
        copy(guard, server, SECOND, SNAPSHOT)
        with session(guard, server, SECOND) as opened:
            ends = () if no_transaction() else (b"BEGIN", b"COMMIT")
            for begin in ends[:1]:
                opened.run(begin)
            apply_change(opened)
            for commit in ends[1:]:
                opened.run(commit)
        applied = kept(guard, server, "states/snap-after-apply.jsonl", "after_apply", SECOND)
        copy(guard, server, SNAPSHOT, SECOND)
        after = kept(guard, server, "states/snap-after-rollback.jsonl", "after_rollback", SECOND)
    write_touched(guard.step, "snap", before, applied)
    return told_apart(before, applied, after)


def copy(guard: Guard, server: servers.Server, source: str, target: str) -> None:
    """Make one database a copy of another, and write that down."""
    guard.database("write", target, by="; ".join(duplicates(server, source, target)))
    duplicate(server, source, target)


def duplicate(server: servers.Server, source: str, target: str) -> None:
    """Make one database a copy of another, in the place of what it was."""
    with server.session(MAINTENANCE) as opened:
        for sql in duplicates(server, source, target):
            opened.run(sql.encode())


def duplicates(server: servers.Server, source: str, target: str) -> tuple[str, str]:
    """Return the statements that do it."""
    drop = f'DROP DATABASE IF EXISTS "{target}"'
    # file by file, as every version before 15 does: what is remembered of a table holds for both
    how = " STRATEGY file_copy" if server.major >= 15 else ""
    create = f'CREATE DATABASE "{target}" TEMPLATE "{source}"{how}'
    return drop, create


def proof(guard: Guard) -> int:
    """RX-6: write the rollback proof of the legs that were run, and name the one that was not."""
    planned = no_transaction()
    if not planned:
        return int(steps.proof(guard))
    run = [entry for entry in steps.ENTRIES if entry[1] != "RX-3"]
    left = [entry for entry in steps.ENTRIES if entry[1] == "RX-3"]
    # its program is that of a rehearsal on SQLite, byte for byte, where every leg is run
    steps.ENTRIES = tuple(run)  # type: ignore[assignment]
    code = int(steps.proof(guard))
    written = json.loads(steps.read(steps.PROOF))
    written["not_run"] = [
        {"id": entry, "step": step, "reason": planned["text"]} for entry, step in left
    ]
    steps.write_json(steps.PROOF, written)
    for entry, _ in left:
        print(entry, "not run")
    return code


def record(guard: Guard) -> int:
    """After the last step: what every rehearsal writes, and a blocker map if a leg is named."""
    code = int(steps.record(guard, CLONE))
    told = steps.plan().get(DISCHARGES)
    if told:
        every_leg = code == 0 and not no_transaction()
        steps.write_json(
            BLOCKERS, carried(json.loads(steps.read(GIVEN)), told, every_leg=every_leg)
        )
    return code


def carried(given: dict[str, Any], told: dict[str, str], *, every_leg: bool) -> dict[str, Any]:
    """Return a blocker map in which one leg is discharged, if the rehearsal ran and passed whole.

    Nothing is closed: whoever named the leg had to name one beside which another stays open.

    Args:
        given: the map of the owners.
        told: the ids of ``blocker`` and ``leg``.
        every_leg: whether the transaction and the snapshot leg of the rehearsal are proven.
    """
    for row in given["blockers"]:
        if row["id"] != told["blocker"] or not every_leg:
            continue
        for leg in row["legs"]:
            if leg["id"] == told["leg"]:
                leg["status"] = "discharged"
        row["progress"] = "partially discharged"
        row["evidence"] = sorted({*row.get("evidence", []), steps.PROOF})
        row["reason"] = f"{told['leg']}: rehearsed on a clone that was made from a dump"
    if "lane" in given:
        given["lane"] = steps.plan()["lane"]
    return given


STEPS: dict[str, Callable[[Guard], int]] = {
    "lock": lock,
    "guard-control": steps.guard_control,
    "read-twice": read_twice,
    "transaction": transaction,
    "snapshot": snapshot,
    "executor": steps.executor,
    "proof": proof,
    "record": record,
}


def main(arguments: list[str]) -> int:
    """Run one step; exit code 1: it failed, and why."""
    try:
        return int(steps.run(arguments, STEPS, Guard))
    except steps.Failed as failure:
        print(f"failed: line {failure.line}: {steps.one_line(str(failure.error))}")
        return 1
    except script.Problem as problem:
        print(f"failed: {problem.code} line {problem.line}: {steps.one_line(problem.text)}")
        return 1
    except (servers.Refusal, servers.Unable, state.NotCanonical, state.TooLarge, OSError) as error:
        print(f"failed: {steps.one_line(str(error))}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
