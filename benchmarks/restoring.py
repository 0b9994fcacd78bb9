"""``postgres``: what rehearsing on a dump costs beside restoring that dump and nothing more."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import measure, peak
from benchmarks.measure import LANEBOOK, REPOSITORY, Row, Table, WrongResultError, tell
from generator.rehearse.inside.postgres import server as servers

DEBIAN = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "max_wal_senders": "10",
    "max_worker_processes": "8",
    "wal_level": "replica",
    "shared_buffers": "128MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "jit": "on",
}
"""The settings that a server has where nobody sets any, in the place of those of the throwaway."""
_ROW = 362
"""Bytes that a row takes in a dump in SQL, about."""
_PAUSE = 0.05
_FORMS = {"custom": "c", "plain": "p"}
_SCHEMA = """
CREATE SCHEMA registry;
CREATE TYPE registry.state AS ENUM ('open', 'approved', 'closed');
CREATE TABLE registry.objects (id bigserial PRIMARY KEY, ref text NOT NULL, owner text NOT NULL,
  note text, doc jsonb NOT NULL, amount numeric(12, 2), at timestamptz NOT NULL);
CREATE TABLE registry.approvals (id bigserial PRIMARY KEY, object_id bigint NOT NULL,
  actor text NOT NULL, state registry.state NOT NULL, reason text, at timestamptz NOT NULL);
CREATE TABLE registry.issues (id bigserial PRIMARY KEY, object_id bigint NOT NULL,
  title text NOT NULL, body text, closed boolean NOT NULL, at timestamptz NOT NULL);
CREATE TABLE registry.entries (registry text NOT NULL, key text NOT NULL, value jsonb,
  PRIMARY KEY (registry, key));
CREATE TABLE registry.log (what text, object_id bigint);
CREATE FUNCTION registry.logged() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
  INSERT INTO registry.log VALUES (TG_OP, OLD.id);
  RETURN OLD;
END $f$;
"""
_FILL = """
INSERT INTO registry.objects (ref, owner, note, doc, amount, at)
  SELECT 'OBJ-' || n, 'owner-' || n % 997, repeat(md5(n::text), 4),
    jsonb_build_object('n', n, 'tags', jsonb_build_array(md5((n + 1)::text), 'b'), 'on', n % 2 = 0,
      'text', md5((n * 7)::text) || md5((n * 11)::text)),
    n % 100000 / 100.0, timestamptz '2026-01-01' + n * interval '1 second'
  FROM generate_series(1, {objects}) n;
INSERT INTO registry.approvals (object_id, actor, state, reason, at)
  SELECT 1 + n * 7919 % {objects}, 'actor-' || n % 211,
    (enum_range(NULL::registry.state))[1 + n % 3], repeat(md5(n::text), 6),
    timestamptz '2026-02-01' + n * interval '1 second'
  FROM generate_series(1, {approvals}::bigint) n;
INSERT INTO registry.issues (object_id, title, body, closed, at)
  SELECT 1 + n * 104729 % {objects}, 'issue ' || md5(n::text), repeat(md5((n * 3)::text), 8),
    n % 3 = 0, timestamptz '2026-03-01' + n * interval '1 second'
  FROM generate_series(1, {issues}::bigint) n;
INSERT INTO registry.entries
  SELECT 'registry-' || n % 12, md5(n::text),
    jsonb_build_object('value', repeat(md5((n * 5)::text), 7), 'n', n)
  FROM generate_series(1, {entries}) n;
CREATE INDEX objects_ref ON registry.objects (ref);
CREATE INDEX objects_owner ON registry.objects (owner, at);
CREATE INDEX approvals_object ON registry.approvals (object_id);
CREATE INDEX issues_object ON registry.issues (object_id) WHERE NOT closed;
ALTER TABLE registry.approvals ADD FOREIGN KEY (object_id) REFERENCES registry.objects;
ALTER TABLE registry.issues ADD FOREIGN KEY (object_id) REFERENCES registry.objects;
CREATE VIEW registry.open AS SELECT id, title FROM registry.issues WHERE NOT closed;
CREATE TRIGGER logged AFTER DELETE ON registry.issues
  FOR EACH ROW EXECUTE FUNCTION registry.logged();
"""
_CHANGE = """-- Close what nobody owns; note it; and find it faster.
UPDATE registry.issues SET closed = true WHERE id % 1000 = 7;
DELETE FROM registry.issues WHERE id % 5000 = 11;
ALTER TABLE registry.issues ALTER COLUMN closed SET DEFAULT false;
CREATE INDEX issues_title ON registry.issues (title) WHERE closed;
"""


def restoring(scratch: Path, *, mebibytes: int, runs: int) -> list[Table]:
    """Compare a rehearsal with pg_restore and psql alone, on servers of both kinds."""
    folder = scratch / "postgres"
    folder.mkdir()
    dumps = _dumps(folder, mebibytes)
    tables = [_compared(folder, form, dump, runs) for form, dump in dumps.items()]
    shutil.rmtree(folder)
    return tables


def _dumps(folder: Path, mebibytes: int) -> dict[str, Path]:
    """Make a database, and dump it in each form."""
    tell(f"postgres: making dumps of {mebibytes} MiB")
    rows = mebibytes * 2**20 // _ROW
    sizes = {"objects": rows * 4 // 10, "approvals": rows * 3 // 10}
    sizes |= {"issues": rows * 2 // 10, "entries": rows // 10}
    found = {}
    with _server(folder / "source", {}) as (server, socket):
        _sql(server, "postgres", "CREATE DATABASE source TEMPLATE template0")
        _sql(server, "source", _SCHEMA)
        _sql(server, "source", _FILL.format(**sizes))
        for form, letter in _FORMS.items():
            found[form] = folder / f"copy.{form}"
            # not packed, so that the file has the size that is asked for
            program = [f"{servers.binaries(server.major)}/pg_dump", "-Z", "0", "-F", letter]
            told = [*program, *_connected(socket), "-f", str(found[form]), "source"]
            subprocess.run(told, check=True)
    shutil.rmtree(folder / "source")
    return found


def _compared(folder: Path, form: str, dump: Path, runs: int) -> Table:
    size = dump.stat().st_size / 2**20
    title = f"a dump of {size:.0f} MiB, {form} format, not packed"
    table = Table("postgres", title)
    name = {"custom": "pg_restore", "plain": "psql"}[form]
    ours = Row("lanebook rehearse", [], [])
    alone = Row(f"{name} alone, settings of the throwaway", [], [])
    debian = Row(f"{name} alone, settings of a fresh server", [], [])
    peaks = []
    for number in range(runs):
        for row, settings in ((alone, {}), (debian, DEBIAN)):
            tell(f"postgres: {row.label}, round {number + 1}")
            before = _cpu()
            row.seconds.append(_alone(folder, form, dump, settings))
            row.cpu.append(_cpu() - before)
            tell(f"  {row.seconds[-1]:.1f} s, CPU with the server {row.cpu[-1]:.1f} s")
        tell(f"postgres: lanebook, {form}, round {number + 1}")
        before = _cpu()
        seconds, held, phases = _rehearsed(folder, dump)
        ours.seconds.append(seconds)
        ours.cpu.append(_cpu() - before)
        peaks.append(held)
        told = ", ".join(f"{name} {took:.1f}" for name, took in phases.items())
        tell(f"  {seconds:.1f} s, CPU with the server {ours.cpu[-1]:.1f} s: {told}")
        for row in (alone, debian):
            row.ratios.append(seconds / row.seconds[-1])
    table.rows = [ours, alone, debian]
    table.figures["peak memory of lanebook, without the server"] = f"{max(peaks) / 2**20:.0f} MiB"
    for phase, took in phases.items():
        table.figures[f"phase: {phase}"] = f"{took:.1f} s"
    return table


def _rehearsed(folder: Path, dump: Path) -> tuple[float, int, dict[str, float]]:
    """Rehearse once; return seconds, the most memory of lanebook's processes, and the phases."""
    work = folder / "work"
    (work / "root/packets").mkdir(parents=True)
    (work / "tmp").mkdir()
    (work / "change.sql").write_text(_CHANGE, "utf-8")
    told = [sys.executable, "-m", "benchmarks.rehearsing", str(work / "root"), str(dump)]
    environment = {**measure.plain_environment(), "TMPDIR": str(work / "tmp")}
    began = time.monotonic()
    with subprocess.Popen(
        [*told, str(work / "change.sql")],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        most = 0
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(_PAUSE)
        seconds = time.monotonic() - began
        said = process.stdout.read() if process.stdout is not None else ""
    if process.returncode != 0:
        raise WrongResultError(f"lanebook rehearse: exit code {process.returncode}, not 0")
    if [path.name for path in (work / "tmp").iterdir()]:
        raise WrongResultError("lanebook rehearse left something behind")
    command = [*LANEBOOK, "verify", str(work / "root")]
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(work)
    phases: dict[str, float] = json.loads(said)
    return seconds, most, phases


def _cpu() -> float:
    """Return the time that every program which has ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(process: int) -> int:
    """Return the memory of the Python programs among a process and those that it started.

    Pages that several have are shared out among them (PSS); of the server and the programs of
    PostgreSQL nothing is counted.
    """
    return sum(peak.pss(one) for one in peak.tree(process) if _program(one).startswith("python"))


def _program(process: int) -> str:
    try:
        return os.path.basename(os.readlink(f"/proc/{process}/exe"))
    except OSError:
        return ""


def _alone(folder: Path, form: str, dump: Path, settings: dict[str, str]) -> float:
    """Restore a dump with PostgreSQL's own program; return the seconds it took."""
    with _server(folder / "alone", settings) as (server, socket):
        _sql(server, "postgres", "CREATE DATABASE restored TEMPLATE template0")
        programs = servers.binaries(server.major)
        told = [f"{programs}/pg_restore", *_connected(socket), "-d", "restored", str(dump)]
        if form == "plain":
            told = [f"{programs}/psql", *_connected(socket), "-Xq", "-v", "ON_ERROR_STOP=1"]
            told += ["-d", "restored", "-f", str(dump)]
        began = time.monotonic()
        subprocess.run(told, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
    shutil.rmtree(folder / "alone")
    return seconds


@contextmanager
def _server(folder: Path, settings: dict[str, str]) -> Iterator[tuple[servers.Server, str]]:
    """Run a server; give it, and a folder with its socket whose path is short."""
    folder.mkdir()
    with (
        servers.Server(str(folder), servers.newest(), settings=settings) as server,
        tempfile.TemporaryDirectory() as short,
    ):
        os.symlink(server.folder, f"{short}/s")
        yield server, f"{short}/s"


def _connected(socket: str) -> list[str]:
    return ["-h", socket, "-U", servers.SUPERUSER]


def _sql(server: servers.Server, database: str, text: str) -> None:
    with server.session(database, statement_timeout="0") as session:
        session.run(text.encode())
