"""What is copied into the packet of a rehearsal on PostgreSQL and runs there, without lanebook.

Its shell scripts, and ``steps.py``, are the programs of a rehearsal on SQLite, byte for byte, but
that the validator has another name: it is the pinned one, but for how a row begins in a state of
JSON lines, and what is pinned under one name has one digest in every lane.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from generator.rehearse import inside

_HERE = Path(__file__).parent
_OWN = (
    *("catalog.py", "dump.py", "gates.py", "rehearse.py", "script.py", "server.py"),
    "state.py",
)
_SHARED = {
    "RERUN.sh": "RERUN.sh",
    "step.sh": "step.sh",
    "steps.py": "rehearse.py",
}
_COMMANDS = "commands.sh"
_PINNED = "rollback_check.py"
VALIDATOR = "rollback_check_jsonl.py"
_ROWS = (
    (b'states[label].count(b"INSERT INTO ")', b"rows(states[label])"),
    (
        b"def check_entry(entry, read):\n",
        b"def rows(state):\n"
        b'    """Count the lines of rows, and what a line says of a table of many rows."""\n'
        b"    return state.count(b'[\"row\",') + sum(\n"
        b"        json.loads(line)[3] for line in state.splitlines()"
        b" if line.startswith(b'[\"rows\",'))\n"
        b"\n\n"
        b"def check_entry(entry, read):\n",
    ),
    (b'b"INSERT INTO t VALUES (1);\\n"', b"b'[\"row\",1]\\n'"),
    (
        b'b"INSERT INTO t VALUES (1);\\nINSERT INTO t VALUES (2);\\n"',
        b'b\'["row",1]\\n["row",2]\\n\'',
    ),
)
"""How the validator counts rows, and the rows of its samples: in SQL, and in JSON lines."""

PROGRAMS = tuple(sorted((*_OWN, *_SHARED, _COMMANDS, VALIDATOR)))
"""The files that every rehearsal on PostgreSQL has in its packet, the same bytes each time."""


_IN_A_TRANSACTION = b"step RX-3 0 rehearse.py transaction\n"
_IN_NONE = b"step RX-3 3 rehearse.py transaction\n"
"""How commands.sh calls the transaction leg; of a change that can run in none it is a control."""


@cache
def program(name: str, *, alone: bool = False) -> bytes:
    """Return the bytes of one of the programs.

    Args:
        name: of the program.
        alone: of a change that can run in no transaction.
    """
    if alone and name == "commands.sh":
        text = program(name)
        if text.count(_IN_A_TRANSACTION) != 1:
            raise AssertionError(f"{name}: the transaction leg is not called once")
        return text.replace(_IN_A_TRANSACTION, _IN_NONE)
    if name in _OWN:
        return (_HERE / name).read_bytes()
    if name == _COMMANDS:
        return inside.program(name).replace(_PINNED.encode(), VALIDATOR.encode())
    if name != VALIDATOR:
        return inside.program(_SHARED[name])
    text = inside.program(_PINNED)
    for in_sql, in_json in _ROWS:
        if text.count(in_sql) != 1:
            raise AssertionError(f"{name}: {in_sql!r} does not stand there once")
        text = text.replace(in_sql, in_json)
    return text
