"""The change, tried on clones before the rehearsal: what it may not do, and that it is steady."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from generator.errors import InputError
from generator.names import visible
from generator.rehearse.codes import refused
from generator.rehearse.inside import rehearse as inside
from generator.rehearse.source import LARGEST_TEXT, TIME_LIMIT, Seed, interrupted, limited

_LONGEST_PROBLEM = 300
_SYNTAX = re.compile(
    r"syntax error|unrecognized token|incomplete input|only execute one statement|null character"
)
_NO_PLACE = re.compile(r"(?:from within|inside) a transaction")
_KEYWORDS = ("current_date", "current_time", "current_timestamp")
_DATES = ("date", "time", "datetime", "julianday", "strftime", "unixepoch", "timediff")
_UNSTEADY = (
    *_KEYWORDS,
    *("random", "randomblob", "sqlite_version", "sqlite_source_id"),
    *("sqlite_compileoption_used", "sqlite_compileoption_get"),
)
"""What gives something else each time, or on another machine, whatever it is asked."""
_OF_THE_CLOCK = frozenset({"now", "localtime", "utc", "subsec", "subsecond"})
"""Arguments by which a function of dates asks the machine for something."""


def try_change(script: str, name: str, seed: Seed, folder: Path) -> None:
    """Apply a change to fresh clones, once and again.

    Args:
        script: the text of the change.
        name: of its file, safe to print.
        seed: of the clones.
        folder: where the clones may lie.

    Raises:
        InputError: it cannot be rehearsed; the code says why.
    """
    connection, fence = seed.clone(folder / "trial-1.sqlite")
    with closing(connection):
        _run(connection, fence, script, name)
        applied = _state(connection, name)
    if applied == seed.state:
        raise refused("REHEARSE-NO-CHANGE", "changes nothing on the clone", name)
    connection, fence = seed.clone(folder / "trial-2.sqlite")
    with closing(connection), closing(sqlite3.connect(":memory:")) as real:
        heard = _listen(connection, real)
        _run(connection, fence, script, name)
        if heard:
            problem = f"uses {min(heard)}, which gives something else each time or elsewhere"
            raise refused("REHEARSE-UNSTABLE", problem, name)
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            problem = visible(str(error), _LONGEST_PROBLEM)
            raise refused("REHEARSE-CHANGE", problem, name) from error
        if _state(connection, name) != applied:
            raise refused("REHEARSE-UNSTABLE", "applied twice, it gives two states", name)


def _state(connection: sqlite3.Connection, name: str) -> bytes:
    try:
        state, _ = inside.dump(connection)
    except inside.NotCanonical as error:
        problem = visible(str(error), _LONGEST_PROBLEM)
        raise refused("REHEARSE-CANONICAL", problem, name) from error
    except (sqlite3.Error, OverflowError) as error:
        problem = visible(str(error), _LONGEST_PROBLEM)
        raise refused("REHEARSE-CHANGE", problem, name) from error
    if len(state) > LARGEST_TEXT:
        problem = f"the text of the changed clone is larger than {LARGEST_TEXT} bytes"
        raise refused("REHEARSE-SIZE", problem, name)
    return state


def _run(connection: sqlite3.Connection, fence: inside.Fence, script: str, name: str) -> None:
    connection.execute("BEGIN")
    with limited(connection):
        try:
            inside.run_script(connection, fence, script, "apply")
        except inside.Failed as failure:
            raise _refusal(failure, name) from failure


def _refusal(failure: inside.Failed, name: str) -> InputError:
    place = f"{name}:{failure.line}"
    text = visible(str(failure.error), _LONGEST_PROBLEM)
    kind, what = failure.denied
    if interrupted(failure):
        return refused("REHEARSE-TIME", f"not done after {TIME_LIMIT:.0f} seconds", place)
    if kind == "virtual":
        return refused("REHEARSE-CANONICAL", "a virtual table has no canonical text", place)
    if kind == "transaction":
        problem = f"{what}: the rehearsal begins and ends the transaction itself"
        return refused("REHEARSE-TRANSACTION", problem, place)
    if kind:
        problem = f"{what} has no place in a change that is rehearsed"
        return refused("REHEARSE-TRANSACTION", problem, place)
    if _NO_PLACE.search(text):
        return refused("REHEARSE-TRANSACTION", text, place)
    if _SYNTAX.search(text):
        return refused("REHEARSE-SYNTAX", text, place)
    return refused("REHEARSE-CHANGE", text, place)


def _listen(connection: sqlite3.Connection, real: sqlite3.Connection) -> set[str]:
    """Listen to what functions are asked for; return the set that names the unsteady ones.

    Whether the time was asked for cannot be seen in the states: two runs in the same second, or on
    the same day, give the same. The functions may stand in a default, a view or a trigger.
    """
    heard: set[str] = set()
    for function in (*_DATES, *_UNSTEADY):
        listener = _Listener(function, real, heard)
        try:
            listener.probe()
        except sqlite3.OperationalError:
            continue  # this SQLite does not have it
        connection.create_function(
            function, -1, listener, deterministic=not function.startswith("random")
        )
    return heard


class _Listener:
    """Stands in for a function, and tells whether its answer is the same at all times."""

    def __init__(self, name: str, real: sqlite3.Connection, heard: set[str]) -> None:
        self.name = name
        self.real = real
        self.heard = heard

    def probe(self) -> None:
        """Ask the real function for nothing, to see whether there is one."""
        if self.name in _DATES:
            self._real((None, None))

    def _real(self, arguments: tuple[inside.Value, ...]) -> inside.Value:
        marks = "" if self.name in _KEYWORDS else f"({', '.join('?' * len(arguments))})"
        answer: inside.Value
        (answer,) = self.real.execute(f"SELECT {self.name}{marks}", arguments).fetchone()
        return answer

    def __call__(self, *arguments: inside.Value) -> inside.Value:
        if self.name in _DATES:
            times = arguments[1:] if self.name == "strftime" else arguments
            words = {one.strip().lower() for one in times if isinstance(one, str)}
            if not times or words & _OF_THE_CLOCK:
                self.heard.add(f"{self.name}() of the clock")
        else:
            self.heard.add(self.name)
        return self._real(arguments)
