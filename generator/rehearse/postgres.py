"""A dump of PostgreSQL, and a change to it, tried on a throwaway server before the rehearsal.

What is tried is what the packet's own programs do. Nothing of the dump runs before all of it was
checked, and nothing of it runs outside the sandbox.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import InputError
from generator.model.digest import sha256
from generator.names import visible
from generator.parallel import fork_map
from generator.rehearse import secrets, stated
from generator.rehearse.codes import refused
from generator.rehearse.documents import encoded
from generator.rehearse.inside import rehearse as steps
from generator.rehearse.inside.postgres import dump as dumps
from generator.rehearse.inside.postgres import gates, script, state
from generator.rehearse.inside.postgres import rehearse as inside
from generator.rehearse.inside.postgres import server as servers
from generator.rehearse.preconditions import Looked
from generator.rehearse.source import Prepared

LARGEST_KEPT = 1024 * 1024
"""Bytes of a dump that may be put into the packet."""

_LONGEST_PROBLEM = 300
_FULL = re.compile(re.escape(os.strerror(errno.ENOSPC)) + r"|wrote only \d+ of \d+ bytes")
"""How the server says that the disk is full, where it has no SQLSTATE to say it by."""
_LOOKING = {"default_transaction_read_only": "on", "statement_timeout": "0"}
"""Settings of a session that looks through a database, however long that takes."""
_BY_STATE = {
    "42601": "REHEARSE-SYNTAX",
    "57014": "REHEARSE-TIME",
    "53100": "REHEARSE-SPACE",
}
"""By SQLSTATE, the code of what a change is refused for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a rehearsal its preconditions go by."""

    lane: str
    keep: bool
    """Whether the dump is to be put into the packet."""
    production_targets: Sequence[str]
    provenance: Path | None = None
    requirements: Path | None = None


Progress = Callable[[str, int], Callable[[int], None]]


def prepare(
    dump: Path, change: str, change_name: str, folder: Path, progress: Progress, asked: Asked
) -> Prepared:
    """Look at a dump, and try a change on it, if every precondition holds.

    Args:
        dump: a file, or the folder of a dump in the directory format.
        change: the text of the change.
        change_name: of its file, safe to print.
        folder: where throwaway servers may lie.
        progress: told the name of each phase.
        asked: what else was asked for.

    Raises:
        InputError: the rehearsal is refused (``REHEARSE-…``).
    """
    name = visible(dump.name)
    dump = Path(os.path.realpath(dump))
    keep = asked.keep
    told: dict[str, Any] = {
        "provenance": stated.provenance(asked.provenance, asked.production_targets)
        if asked.provenance is not None
        else None,
        "requirements": stated.requirements(asked.requirements)
        if asked.requirements is not None
        else [],
    }
    with _refusing(name):
        major = servers.newest()
        progress("reading the dump", 0)
        digest, size = dumps.digest(str(dump))
        form, sql = dumps.sql_of(str(dump), major, str(folder))
    told["engine"] = inside.ENGINE
    told["dump"] = {
        "file": inside.HELD if keep else None,
        "sha256": digest,
        "size": size,
        "form": form,
        "server": major,
    }
    with sql:
        with _refusing(name):
            progress("checking the dump", 0)
            dumps.check(sql)
        with _refusing(change_name):
            for statement in script.statements(change.encode(), dump=False):
                script.check_change(statement)
        if keep and (dump.is_dir() or size > LARGEST_KEPT):
            problem = f"only a file of at most {LARGEST_KEPT} bytes can be kept in the packet"
            raise refused("REHEARSE-SIZE", problem, name)
        trial = folder / "trial"
        aside = trial / inside.NOTES
        aside.mkdir(parents=True)
        notes = state.Notes(str(aside))
        plan = {**told, "lane": asked.lane, "production_targets": asked.production_targets}
        told_trial = _Trial(sql, name, change.encode(), change_name, major, str(trial), plan, notes)
        looked, alone = _try(told_trial, progress)
    if keep or not looked.ready:
        shutil.rmtree(trial)
    if not looked.ready:
        # nothing of a dump that may hold secrets goes into a packet, nor what is not needed there
        told["dump"]["file"] = None
        told["change_sha256"] = sha256(change.encode())
        return Prepared(looked.evidence(), told, held=True)
    files = {inside.HELD: dump.read_bytes()} if keep else {}
    files[gates.SCAN] = encoded(looked.scan)
    environment = {} if keep else {"LANEBOOK_DUMP": str(dump)}
    # what the packet can be made from alone is, each time
    once = {} if keep else {"LANEBOOK_RESTORED": str(trial)}
    if alone:
        told[inside.NO_TRANSACTION] = alone
    return Prepared(files, told, environment, once, bool(alone))


@dataclass(frozen=True, slots=True)
class _Trial:
    sql: dumps.Script
    name: str
    change: bytes
    change_name: str
    major: int
    folder: str
    plan: dict[str, Any]
    notes: state.Notes


def _try(trial: _Trial, progress: Progress) -> tuple[Looked, dict[str, object]]:
    """Restore the dump, and apply the change to two copies of it, if every precondition holds.

    Only the clone is left.

    Returns:
        What was seen, and why the change can run in no transaction; nothing where it can.
    """
    with _refusing(trial.name), servers.Server(trial.folder, trial.major) as server:
        looked = Looked(trial.plan, servers.observe(server))
        texts = {"dump": trial.sql.pieces, "change": lambda: iter((trial.change,))}

        def restore() -> None:
            if not looked.problems:
                progress("restoring the dump", 0)
                roles = inside.restore(server, trial.sql)
                (Path(trial.folder) / inside.ROLES).write_text(json.dumps(roles), "utf-8")

        # another process looks through the scripts while the server reads the same
        looked.scripts = fork_map(
            lambda name: secrets.scan_script(name, texts[name]()),
            list(texts),
            jobs=len(texts),
            meanwhile=restore,
            least=len(texts),
        )
        trial.sql.close()
        if looked.problems:
            looked.look()
            return looked, {}
        progress("looking through the clone", 0)
        with server.session(inside.CLONE, None, **_LOOKING) as session:
            looked.look(session)
        if not looked.ready:
            return looked, {}
        progress("reading the clone", 0)
        with server.session(inside.CLONE) as session, server.session(inside.CLONE) as beside:
            before = inside.export(session, trial.notes, beside).data
        progress("trying the change", 0)
        applied, alone = _applied_twice(server, trial)
    if applied[0] == before:
        raise refused("REHEARSE-NO-CHANGE", "changes nothing on the clone", trial.change_name)
    if applied[0] != applied[1]:
        raise refused("REHEARSE-UNSTABLE", "applied twice, it gives two states", trial.change_name)
    return looked, alone


def _applied_twice(server: servers.Server, trial: _Trial) -> tuple[list[bytes], dict[str, object]]:
    """Return the states of two copies with the change, and why it can run in no transaction."""
    applied: list[bytes] = []
    alone: dict[str, object] = {}
    while len(applied) < 2:
        name = f"trial{len(applied)}"
        inside.duplicate(server, inside.CLONE, name)
        try:
            commit = bool(applied or alone)
            applied.append(_applied(server, name, trial, commit=commit, alone=bool(alone)))
        except _Alone as error:
            alone = error.why
        _run(server, f'DROP DATABASE "{name}"')
    return applied, alone


class _Alone(Exception):
    """A change can run in no transaction."""

    def __init__(self, why: dict[str, object]) -> None:
        super().__init__(str(why))
        self.why = why


def _run(server: servers.Server, sql: str) -> None:
    with server.session(inside.MAINTENANCE) as session:
        session.run(sql.encode())


def _applied(
    server: servers.Server, database: str, trial: _Trial, *, commit: bool, alone: bool
) -> bytes:
    """Return the state with the change: in its transaction, after its COMMIT, or without any.

    Raises:
        _Alone: it can run in no transaction.
    """
    with _refusing(trial.change_name):
        with server.session(database) as session:
            if alone:
                inside.run_script(session, trial.change, alone=True)
            else:
                session.run(b"BEGIN")
                try:
                    inside.run_script(session, trial.change)
                except steps.Failed as failure:
                    why = inside.why_not(failure)
                    if why:
                        raise _Alone(why) from failure
                    raise
                if not commit:
                    return inside.export(session, trial.notes).data
                session.run(b"COMMIT")
        with server.session(database) as session:
            return inside.export(session, trial.notes).data


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Say in the words of the command why it is refused."""
    try:
        yield
    except script.Problem as problem:
        place = f"{name}:{problem.line}" if problem.line else name
        raise refused(problem.code, _told(problem.text), place) from problem
    except steps.Failed as failure:
        raise _change_refused(failure, name) from failure
    except state.NotCanonical as error:
        raise refused("REHEARSE-CANONICAL", _told(str(error)), name) from error
    except state.TooLarge as error:
        raise refused("REHEARSE-SIZE", str(error), name) from error
    except servers.Missing as error:
        raise refused("REHEARSE-NO-SERVER", str(error), name) from error
    except servers.Refusal as refusal:
        code = _BY_STATE.get(refusal.state, "REHEARSE-CHANGE")
        raise refused(code, _told(refusal.text), name) from refusal
    except servers.Unable as error:
        code = "REHEARSE-SPACE" if _FULL.search(str(error)) else "REHEARSE-RUN"
        raise refused(code, _told(str(error)), name) from error
    except TimeoutError as error:
        problem_text = f"not done after {servers.PATIENCE:.0f} seconds"
        raise refused("REHEARSE-TIME", problem_text, name) from error
    except OSError as error:
        code = "REHEARSE-SPACE" if error.errno == errno.ENOSPC else "REHEARSE-SOURCE"
        raise refused(code, _told(error.strerror or str(error)), name) from error


def _told(text: str) -> str:
    return visible(text, _LONGEST_PROBLEM)


def _change_refused(failure: steps.Failed, name: str) -> InputError:
    place = f"{name}:{failure.line}"
    if failure.denied[0] == "transaction":
        problem = "the rehearsal begins and ends the transaction itself"
        return refused("REHEARSE-TRANSACTION", problem, place)
    found = failure.error.state if isinstance(failure.error, servers.Refusal) else ""
    return refused(_BY_STATE.get(found, "REHEARSE-CHANGE"), _told(str(failure.error)), place)
