"""Which actions of the action log write, and where; what is not known to read, writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from generator.evidence import actions
from generator.evidence.base import Evidence


class Mutations(NamedTuple):
    """Every surface and target that is written to, in the log's order, each once."""

    made: dict[tuple[str, str], None]
    complete: bool
    """Whether every line of the log could be read."""


class _Line(msgspec.Struct, frozen=True):
    step: str
    surface: str
    action: str
    target: str
    sql: Any = None
    output: Any = None


MEMORY = ":memory:"
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_UNCLEAR = re.compile(r"--|/\*|[\[`'…]")
"""What may hide the end of a statement, or the next one."""
_READS = re.compile(
    r"""(?:
        SELECT\b(?:(?!\bINTO\b)[^;])*
        | (?:BEGIN|COMMIT|END|RELEASE|ROLLBACK|SAVEPOINT)\b[^;]*
        | PRAGMA\s+(?:\w+\.)?(?:application_id|encoding|foreign_keys|freelist_count|journal_mode
            |page_count|page_size|schema_version|user_version)
        | PRAGMA\s+(?:\w+\.)?(?:collation_list|compile_options|database_list|foreign_key_check
            |foreign_key_list|index_info|index_list|index_xinfo|integrity_check|quick_check
            |table_info|table_list|table_xinfo)\s*(?:\([^;=()]*\))?
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def reads_only(sql: str) -> bool:
    """Tell whether a statement surely writes nothing.

    The begin and the end of a transaction write nothing themselves: each statement in it has a line
    of its own. A statement with comments or brackets, with a second one behind it, or whose end was
    cut off is not beyond doubt.
    """
    # white space and the end are taken off here: three repetitions in a row would take for ever
    bare = _QUOTED.sub("q", sql).strip().removesuffix(";").rstrip()
    return _UNCLEAR.search(bare) is None and _READS.fullmatch(bare) is not None


def read(evidence: Evidence) -> Mutations | None:
    """Read from the action log what was written; none where its bytes are not at hand."""
    content = evidence.content(actions.FILE)
    if content is None:
        return None
    made: dict[tuple[str, str], None] = {}
    complete = True
    for data in content.splitlines():
        if not data.strip():
            continue
        try:
            line = _LINE.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            complete = False
        else:
            made.update(dict.fromkeys(_written(line)))
    return Mutations(made, complete)


def _written(line: _Line) -> Iterator[tuple[str, str]]:
    reads = (
        line.action in ("read", "run")
        or (line.action == "connect" and line.target == MEMORY)
        or (line.action == "sql" and isinstance(line.sql, str) and reads_only(line.sql))
    )
    if not reads:
        yield line.surface, line.target
    if line.output is not None:
        # what a command prints is kept in this file
        yield line.surface, str(line.output)


_LINE = msgspec.json.Decoder(_Line)
