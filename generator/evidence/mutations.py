"""Which actions of the action log write, and where; what is not known to read, writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generator.evidence import actions
from generator.evidence.actions import Action
from generator.evidence.base import Evidence


class Mutations(NamedTuple):
    """Every surface and target that is written to, in the log's order, each once."""

    made: dict[tuple[str, str], None]
    complete: bool
    """Whether every line of the log could be read."""
    told: bool
    """Whether the log has a line at all."""


MEMORY = ":memory:"
_CUT = "…"
"""Ends a statement of which the log has no more."""
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_OPEN = re.compile(r"""(?:'[^']*|"[^"]*)\Z""")
_UNCLEAR = re.compile(r"--|/\*|[\[`'…]")
"""What may hide the end of a statement, or the next one."""
_READS = re.compile(
    r"""(?:
        (?P<select>SELECT\b[^;]*)
        | (?:BEGIN|COMMIT|END|RELEASE|ROLLBACK|SAVEPOINT)\b[^;]*
        | PRAGMA\s+(?:\w+\.)?(?:application_id|encoding|foreign_keys|freelist_count|journal_mode
            |page_count|page_size|schema_version|user_version)
        | PRAGMA\s+(?:\w+\.)?(?:collation_list|compile_options|database_list|foreign_key_check
            |foreign_key_list|index_info|index_list|index_xinfo|integrity_check|quick_check
            |table_info|table_list|table_xinfo)\s*(?:\([^;=()]*\))?
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_TAKES = re.compile(r"\b(?:INTO|FOR)\b", re.IGNORECASE)
"""What a SELECT that makes a table, or locks rows, has."""
_CALL = re.compile(r"(\.\s*)?\b(\w++)\s*+\(")
_PURE = frozenset(
    {
        # words of the language that a bracket may follow
        *("all", "and", "any", "as", "between", "by", "case", "distinct", "else", "except"),
        *("exists", "filter", "from", "having", "in", "intersect", "is", "join", "like", "limit"),
        *("not", "offset", "on", "or", "over", "select", "then", "union", "using", "values"),
        *("when", "where"),
        # functions
        *("abs", "array_agg", "avg", "cast", "ceil", "char", "char_length", "coalesce", "concat"),
        *("concat_ws", "count", "date", "datetime", "dense_rank", "extract", "first_value"),
        *("floor", "format", "glob", "greatest", "group_concat", "hex", "ifnull", "iif", "instr"),
        *("json_array_length", "json_extract", "json_type", "json_valid", "julianday", "lag"),
        *("last_value", "lead", "least", "left", "length", "lower", "ltrim", "max", "md5", "min"),
        *("mod", "nullif", "octet_length", "position", "printf", "quote", "rank", "replace"),
        *("right", "round", "row_number", "rtrim", "sign", "strftime", "string_agg", "substr"),
        *("substring", "sum", "time", "to_char", "total", "trim", "typeof", "unhex", "unicode"),
        *("unixepoch", "upper"),
    }
)
"""What may be called, because it is known to write nothing."""


def reads_only(sql: str) -> bool:
    """Tell whether a statement surely writes nothing.

    The begin and the end of a transaction write nothing themselves: each statement in it has a line
    of its own. A statement with comments or brackets, with a second one behind it, that locks rows,
    that calls a function which is not known, or whose end was cut off is not beyond doubt.
    """
    # white space and the end are taken off here: three repetitions in a row would take for ever
    bare = _QUOTED.sub("q", sql).strip().removesuffix(";").rstrip()
    if _UNCLEAR.search(bare) is not None:
        return False
    found = _READS.fullmatch(bare)
    if found is None:
        return False
    return found["select"] is None or (
        _TAKES.search(bare) is None
        and all(not of and name.lower() in _PURE for of, name in _CALL.findall(bare))
    )


def may_read_only(sql: str) -> bool:
    """Tell whether a statement surely writes nothing as far as the log has it."""
    if not sql.endswith(_CUT):
        return reads_only(sql)
    return reads_only(_OPEN.sub("q", _QUOTED.sub("q", sql.removesuffix(_CUT))))


def read(evidence: Evidence) -> Mutations | None:
    """Read from the action log what was written; none where its bytes are not at hand."""
    log = actions.read(evidence)
    if log is None:
        return None
    made: dict[tuple[str, str], None] = {}
    for action in log.actions:
        made.update(dict.fromkeys(_written(action)))
    return Mutations(made, not log.broken, bool(log.actions))


def _written(action: Action) -> Iterator[tuple[str, str]]:
    reads = (
        action.action in ("read", "run")
        or (action.action == "connect" and action.target == MEMORY)
        or (action.action == "sql" and isinstance(action.sql, str) and reads_only(action.sql))
    )
    if not reads:
        yield action.surface, action.target
    if action.output is not None:
        # what a command prints is kept in this file
        yield action.surface, str(action.output)
