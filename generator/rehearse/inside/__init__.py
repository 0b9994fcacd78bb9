"""What is copied into the packet of a rehearsal and runs there, without lanebook.

``rehearse.py`` is also read by lanebook itself, so that what is tried before the rehearsal and what
is rehearsed are the same code. ``rollback_check.py.txt`` is the validator that the first lanes
pinned, byte for byte; its ending keeps formatters off.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_HELD_AS = {"rollback_check.py": "rollback_check.py.txt"}

PROGRAMS = ("RERUN.sh", "commands.sh", "rehearse.py", "rollback_check.py", "step.sh")
"""The files that every rehearsal has in its packet, the same bytes each time; they are pinned."""


@cache
def program(name: str) -> bytes:
    """Return the bytes of one of the programs."""
    return (_HERE / _HELD_AS.get(name, name)).read_bytes()
