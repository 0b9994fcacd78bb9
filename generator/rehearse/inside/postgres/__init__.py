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
    (b'count(b"INSERT INTO ")', b"count(b'[\"row\",')"),
    (b'b"INSERT INTO t VALUES (1);\\n"', b"b'[\"row\",1]\\n'"),
    (
        b'b"INSERT INTO t VALUES (1);\\nINSERT INTO t VALUES (2);\\n"',
        b'b\'["row",1]\\n["row",2]\\n\'',
    ),
)
"""How the validator counts rows, and the rows of its samples: in SQL, and in JSON lines."""

PROGRAMS = tuple(sorted((*_OWN, *_SHARED, _COMMANDS, VALIDATOR)))
"""The files that every rehearsal on PostgreSQL has in its packet, the same bytes each time."""


@cache
def program(name: str) -> bytes:
    """Return the bytes of one of the programs."""
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
