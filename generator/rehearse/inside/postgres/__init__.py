"""What is copied into the packet of a rehearsal on PostgreSQL and runs there, without lanebook.

Its shell scripts, and ``steps.py``, are the programs of a rehearsal on SQLite, byte for byte. Its
validator is the pinned one, but for how a row begins in a state of JSON lines.
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
    "commands.sh": "commands.sh",
    "step.sh": "step.sh",
    "steps.py": "rehearse.py",
}
_VALIDATOR = "rollback_check.py"
_ROWS = (
    (b'count(b"INSERT INTO ")', b"count(b'[\"row\",')"),
    (b'b"INSERT INTO t VALUES (1);\\n"', b"b'[\"row\",1]\\n'"),
    (
        b'b"INSERT INTO t VALUES (1);\\nINSERT INTO t VALUES (2);\\n"',
        b'b\'["row",1]\\n["row",2]\\n\'',
    ),
)
"""How the validator counts rows, and the rows of its samples: in SQL, and in JSON lines."""

PROGRAMS = tuple(sorted((*_OWN, *_SHARED, _VALIDATOR)))
"""The files that every rehearsal on PostgreSQL has in its packet, the same bytes each time."""


@cache
def program(name: str) -> bytes:
    """Return the bytes of one of the programs."""
    if name in _OWN:
        return (_HERE / name).read_bytes()
    if name != _VALIDATOR:
        return inside.program(_SHARED[name])
    text = inside.program(name)
    for in_sql, in_json in _ROWS:
        if text.count(in_sql) != 1:
            raise AssertionError(f"{name}: {in_sql!r} does not stand there once")
        text = text.replace(in_sql, in_json)
    return text
