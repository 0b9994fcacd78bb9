"""The rollback rehearsal on PostgreSQL, one subcommand a step. Python's standard library only.

It runs on a throwaway server that is made from the dump, in the folder named by REHEARSAL_CLONE;
``server.py`` says how nobody else can reach it. What does not depend on the engine is in
``steps.py``, which is the same program as that of a rehearsal on SQLite. An audit hook writes each
action to actions.jsonl before it happens, and refuses sockets but that of the server, other
processes than bubblewrap, and writes outside the clone folder and this packet.

A dump that is not in the packet is named by LANEBOOK_DUMP; it has to have the digest of plan.json.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
ENGINE = "postgresql"


class Guard(steps.Guard):
    """Lets the server be started and talked to, and nothing else."""

    def __init__(self, step: str, clone: str, packet: str) -> None:
        """Take the real paths of both folders, and begin to look."""
        self.socket = os.path.join(clone, "server", servers.SOCKET)
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
        super().see(event, args)

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
    with servers.Server(guard.clone, steps.plan()["dump"]["server"]) as server:
        yield server


def session(
    guard: Guard, server: servers.Server, name: str, *, reads: bool = False
) -> servers.Session:
    """Open a session whose every statement is written down."""
    guard.database("connect", name)
    options = {"default_transaction_read_only": "on"} if reads else {}
    return server.session(name, lambda sql: guard.sql(shown(name), sql), **options)


def export(opened: servers.Session) -> tuple[bytes, int]:
    """Return the state that a session sees, and how many rows it has.

    Whatever a change has set in the session, it is written the same way.
    """
    settings = {**servers.SESSION, "search_path": "", "role": "none", "statement_timeout": "0"}
    chosen = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

    def query(sql: str) -> list[tuple[bytes | None, ...]]:
        return opened.quiet(sql.encode("utf-8", "surrogateescape")).rows

    query(f"SELECT {chosen}")
    return state.export(query)


def keep(
    guard: Guard, opened: servers.Session, name: str, label: str, database: str = CLONE
) -> bytes:
    """Write a state to the packet, say so, and return its bytes."""
    guard.database("read", database, by="state.py")
    data, count = export(opened)
    steps.write(name, data)
    print("state", label, f"file={name}", f"rows={count}", f"sha256={steps.sha256(data)}")
    return data


def kept(
    guard: Guard, server: servers.Server, name: str, label: str, database: str = CLONE
) -> bytes:
    """Keep the state of a clone as a new session sees it, which can only read."""
    with session(guard, server, database, reads=True) as opened:
        return keep(guard, opened, name, label, database)


def apply_change(opened: servers.Session) -> None:
    """Apply the change in the transaction that is open.

    Raises:
        Failed: at the first statement that fails, or after which there is no transaction left.
    """
    for name in steps.executor_files():
        run_script(opened, steps.read(name))


def run_script(opened: servers.Session, text: bytes) -> None:
    """Run every statement of a change.

    Raises:
        Problem: it has no place in a change.
        Failed: the server refused it.
    """
    for statement in script.statements(text, dump=False):
        script.check_change(statement)
        try:
            status = opened.run(statement.text).status
        except servers.Refusal as refusal:
            line = dumps.line_of(statement, refusal)
            raise steps.Failed(line, refusal, ("", "")) from refusal
        if status != "T":
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


def make(guard: Guard, server: servers.Server, sql: bytes) -> list[str]:
    """Make the clone from a dump; return the roles that it names."""
    roles: list[str] = []
    create = f"CREATE DATABASE {CLONE} TEMPLATE template0"
    with session(guard, server, MAINTENANCE) as opened:
        opened.run(create.encode())
    guard.database("sql", CLONE, sql=".read the dump")
    dumps.restore(server, CLONE, sql, roles.append)
    return sorted(roles)


def lock(guard: Guard) -> int:
    """RX-0: start the server, prove it isolated, and make the clone from the dump."""
    told = steps.plan()
    path = dump_path()
    _, sql = dumps.sql_of(path, told["dump"]["server"], guard.clone)
    dumps.check(sql)
    empty = sorted(os.listdir(guard.clone)) == [steps.MARKER]
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
        data = kept(guard, server, "states/expected.jsonl", "expected")
        copy(guard, server, CLONE, SECOND)
        with session(guard, server, CLONE, reads=True) as opened:
            folder = opened.value(b"SELECT current_setting('data_directory')")
    count = data.count(b"\n" + state.ROW) + data.startswith(state.ROW)
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
        "rows": count,
        "state_sha256": steps.sha256(data),
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
    same = seen[0] == seen[1] == steps.read("states/expected.jsonl")
    print("identical", str(same).lower())
    return 0 if same else 1


def transaction(guard: Guard) -> int:
    """RX-3: BEGIN, apply, read, ROLLBACK; a sequence that moved stays moved, and is named."""
    with running(guard) as server:
        before = kept(guard, server, "states/txn-before.jsonl", "before")
        with session(guard, server, CLONE) as opened:
            opened.run(b"BEGIN")
            apply_change(opened)
            applied = keep(guard, opened, "states/txn-after-apply.jsonl", "after_apply")
            opened.run(b"ROLLBACK")
        after = kept(guard, server, "states/txn-after-rollback.jsonl", "after_rollback")
    tell_moved(before, after)
    return 0 if applied != before == after else 1


def tell_moved(before: bytes, after: bytes) -> None:
    """Say what did not come back."""
    for line in state.moved_sequences(before, after):
        print("moved: sequence", line)
    others = state.other_lines(before, after)
    if others:
        print("moved: other lines", others)


def snapshot(guard: Guard) -> int:
    """RX-4: snapshot, COMMIT the change, restore from the snapshot."""
    with running(guard) as server:
        before = kept(guard, server, "states/snap-before.jsonl", "before", SECOND)
        copy(guard, server, SECOND, SNAPSHOT)
        with session(guard, server, SECOND) as opened:
            opened.run(b"BEGIN")
            apply_change(opened)
            opened.run(b"COMMIT")
        applied = kept(guard, server, "states/snap-after-apply.jsonl", "after_apply", SECOND)
        copy(guard, server, SNAPSHOT, SECOND)
        after = kept(guard, server, "states/snap-after-rollback.jsonl", "after_rollback", SECOND)
    tell_moved(before, after)
    return 0 if applied != before == after else 1


def copy(guard: Guard, server: servers.Server, source: str, target: str) -> None:
    """Make one database a copy of another, in the place of what it was."""
    drop = f'DROP DATABASE IF EXISTS "{target}"'
    create = f'CREATE DATABASE "{target}" TEMPLATE "{source}"'
    guard.database("write", target, by=f"{drop}; {create}")
    with server.session(MAINTENANCE) as opened:
        opened.run(drop.encode())
        opened.run(create.encode())


STEPS: dict[str, Callable[[Guard], int]] = {
    "lock": lock,
    "guard-control": steps.guard_control,
    "read-twice": read_twice,
    "transaction": transaction,
    "snapshot": snapshot,
    "executor": steps.executor,
    "proof": steps.proof,
    "record": lambda guard: steps.record(guard, CLONE),
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
    except (servers.Refusal, servers.Unable, state.NotCanonical, OSError) as error:
        print(f"failed: {steps.one_line(str(error))}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
