"""What tables, columns and keys a database has by its own catalogs, and whether that is enough.

The catalog is names and types only: no default, no check, no value of a row. An entity that a
change needs is a table with some columns, of some types, and some keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as half a step
    from typing import Any

if __package__:
    from generator.rehearse.inside.postgres import state
else:
    import state  # type: ignore[import-not-found, no-redef]

PRESENT, ABSENT, DIFFERENT, NOT_CHECKABLE = "PRESENT", "ABSENT", "DIFFERENT", "NOT_CHECKABLE"

_OF_CLASS = state._OF_CLASS
_QUERIES = (
    "SELECT json_build_array('table', n.nspname, c.relname, c.relkind::text)"
    f" FROM {_OF_CLASS} WHERE c.relkind IN ('r', 'p', 'v', 'm')",
    "SELECT json_build_array('column', n.nspname, c.relname, a.attname,"
    " format_type(a.atttypid, a.atttypmod))"
    f" FROM {_OF_CLASS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    " AND NOT a.attisdropped WHERE c.relkind IN ('r', 'p', 'v', 'm')",
    "SELECT json_build_array('key', n.nspname, c.relname,"
    " CASE WHEN i.indisprimary THEN 'primary' ELSE 'unique' END,"
    " (SELECT json_agg(a.attname ORDER BY k.at) FROM"
    " unnest(i.indkey::int2[]) WITH ORDINALITY k(number, at) JOIN pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.at <= i.indnkeyatts))"
    f" FROM {_OF_CLASS} JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid"
    " AND i.indpred IS NULL AND i.indexprs IS NULL",
    "SELECT json_build_array('key', n.nspname, c.relname, 'foreign',"
    " (SELECT json_agg(a.attname ORDER BY k.at) FROM unnest(f.conkey) WITH ORDINALITY k(number, at)"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number), m.nspname, d.relname)"
    f" FROM {_OF_CLASS} JOIN pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f'"
    " JOIN pg_class d ON d.oid = f.confrelid JOIN pg_namespace m ON m.oid = d.relnamespace",
)
_SAME = {
    "int8": "bigint",
    "bigserial": "bigint",
    "int": "integer",
    "int4": "integer",
    "serial": "integer",
    "int2": "smallint",
    "bool": "boolean",
    "float8": "double precision",
    "float4": "real",
    "decimal": "numeric",
    "varchar": "character varying",
    "char": "character",
    "bpchar": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
"""Other names of types, as PostgreSQL's documentation has them (chapter "Data Types")."""

_TYPE = re.compile(r"(?P<head>[^(\[]*)(?P<length>\([^)]*\))?(?P<tail>[^\[]*)(?P<array>(?:\[\])*)")

Line = list[object]
"""``["table", schema, name, kind]``, ``["column", schema, table, name, type]`` or
``["key", schema, table, kind, columns]``, of a foreign key with the schema and table it is to."""


def read(query: Callable[[str], list[tuple[bytes | None, ...]]]) -> list[Line]:
    """Return the catalog of the database that a session sees, sorted.

    Args:
        query: runs a query in a session without a search path, and returns its rows.
    """
    found = [json.loads(line or b"[]") for sql in _QUERIES for (line,) in query(sql)]
    return sorted(found, key=json.dumps)


def encoded(lines: Iterable[Line]) -> bytes:
    """Return a catalog as JSON lines, in ASCII."""
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


class Catalog:
    """Tables by their names."""

    def __init__(self, lines: Iterable[Sequence[Any]]) -> None:
        """Take the lines of a catalog."""
        self.kinds: dict[str, str] = {}
        self.columns: dict[str, dict[str, str]] = {}
        self.keys: dict[str, list[tuple[str, list[str], str]]] = {}
        for line in lines:
            name = f"{line[1]}.{line[2]}"
            if line[0] == "table":
                self.kinds[name] = line[3]
            elif line[0] == "column":
                self.columns.setdefault(name, {})[line[3]] = line[4]
            elif line[0] == "key":
                to = f"{line[5]}.{line[6]}" if len(line) > 6 else ""
                self.keys.setdefault(name, []).append((line[3], list(line[4]), to))


def judged(wanted: Mapping[str, Any], catalog: Catalog | None) -> tuple[str, str]:
    """Return the state of an entity, and why it is not present.

    Args:
        wanted: ``entity``, ``table`` with its schema, ``columns`` by name with their types, or
            none where any will do, and ``keys``.
        catalog: none where there is no clone to look at.
    """
    table = wanted.get("table")
    if not table:
        return NOT_CHECKABLE, "no table is named by which it could be looked up"
    if catalog is None:
        return NOT_CHECKABLE, "no clone is there to look at"
    table = table if "." in table else "public." + table
    if table not in catalog.kinds:
        return ABSENT, f"there is no table {table}"
    held, reasons = catalog.columns.get(table, {}), []
    for name, kind in (wanted.get("columns") or {}).items():
        if name not in held:
            reasons.append(f"column {name} is absent")
        elif kind and not same_type(held[name], kind):
            reasons.append(f"column {name} is {held[name]}, not {kind}")
    for key in wanted.get("keys") or ():
        to = key.get("table") or ""
        to = to if "." in to or not to else "public." + to
        if (key["kind"], list(key["columns"]), to) not in catalog.keys.get(table, []):
            named = f"{key['kind']} key ({', '.join(key['columns'])})" + (f" to {to}" if to else "")
            reasons.append(f"there is no {named}")
    return (DIFFERENT, "; ".join(reasons)) if reasons else (PRESENT, "")


def same_type(held: str, wanted: str) -> bool:
    """Tell whether a column's type is the one that is wanted; without a length any will do."""
    one, other = _parts(held), _parts(wanted)
    return one[0] == other[0] and one[2] == other[2] and other[1] in ("", one[1])


def _parts(name: str) -> tuple[str, str, str]:
    """Return a type's first name, its length or precision, and the brackets of an array."""
    found = _TYPE.fullmatch(" ".join(name.lower().split()))
    if found is None:
        return name, "", ""
    base = " ".join((found["head"] + found["tail"]).split())
    return _SAME.get(base, base), (found["length"] or "").replace(" ", ""), found["array"]
