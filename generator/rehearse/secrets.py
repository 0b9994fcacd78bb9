"""Secrets in a dump and in the database that it became: what was looked at, and how often found.

The scanner is that of publishing (:mod:`generator.leaks`). Its library is not in the sandbox, nor
in a packet, so that it runs here: in lanebook's own process, which reads from the throwaway's Unix
socket as the rest of the trial does. Nothing of what is found leaves this process but counts by
rule and column; a digest of a short secret could be guessed. Rows come one by one, and a cell that
is long in pieces, so that no table has to be held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from generator.evidence.secret_scan import may_hold_text
from generator.leaks import RULES
from generator.leaks.streams import MOST, OVERLAP, Column, Columns, count_text, rules_of
from generator.rehearse.inside.postgres import catalog as catalogs
from generator.rehearse.inside.postgres import gates
from generator.rehearse.inside.postgres import server as servers

_LONG = 1 << 18
"""Bytes of a cell that is looked at by itself, in pieces."""
_STEP = 1 << 22
"""Characters, or bytes, of such a piece, but for the overlap."""
_NOT_POPULATED = "55000"
_PLAIN_TEXT = re.compile(r"(?:text|character(?: varying)?)(?:\([0-9]+\))?")
_BYTES = "bytea"
LARGE_OBJECTS = {"schema": "pg_catalog", "table": "pg_largeobject", "column": "data"}


def scan_script(name: str, pieces: Iterable[bytes]) -> dict[str, Any]:
    """Return what ``secret-scan.json`` says of one script.

    Args:
        name: what it is.
        pieces: its text, cut anywhere; read once.
    """
    return {"script": name, "found": count_text(pieces)}


def scan(
    scripts: Iterable[dict[str, Any]],
    opened: servers.Session | None,
    lines: Sequence[catalogs.Line],
) -> dict[str, Any]:
    """Return what ``secret-scan.json`` says, but for lane and dump.

    Args:
        scripts: what was found in each.
        opened: a session in the restored database; none where nothing was restored.
        lines: the catalog of that database.
    """
    found = [*scripts]
    if opened is not None:
        # names that the dump gives stand in the evidence
        found.append(scan_script("catalog", [catalogs.encoded(lines)]))
    columns = _database(opened, lines) if opened is not None else []
    places = [*found, *columns]
    total = sum(sum(one["found"].values()) for one in places)
    if total:
        verdict = gates.SECRETS
    else:
        verdict = gates.NO_SECRET if opened is not None else gates.NOT_SCANNED
    return {
        "rules": sorted(RULES),
        "counted_up_to": MOST,
        "scripts": found,
        "columns": columns,
        "column_count": len(columns),
        "secrets_found": total,
        "verdict": verdict,
    }


def _database(opened: servers.Session, lines: Sequence[catalogs.Line]) -> list[dict[str, Any]]:
    tables: dict[tuple[str, str], list[tuple[str, str]]] = {}
    kinds = {(str(line[1]), str(line[2])): line[3] for line in lines if line[0] == "table"}
    for line in lines:
        if line[0] == "column" and may_hold_text(str(line[4])):
            table = str(line[1]), str(line[2])
            # a view has no rows of its own, nor has what is kept in partitions
            if kinds[table] in ("r", "m"):
                tables.setdefault(table, []).append((str(line[3]), str(line[4])))
    found = []
    for (schema, name), columns in tables.items():
        looked = _table(opened, f"{_quoted(schema)}.{_quoted(name)}", columns)
        for (column, kind), one in zip(columns, looked.columns, strict=True):
            told = {"schema": schema, "table": name, "column": column, "type": kind}
            found.append({**told, "cells": one.cells, "found": dict(sorted(one.counts.items()))})
    return [*found, *_large_objects(opened)]


def _table(opened: servers.Session, path: str, columns: Sequence[tuple[str, str]]) -> Columns:
    """Look through every cell of some columns of a table."""
    binary = [kind == _BYTES for _, kind in columns]
    looked = Columns(binary)
    texts = [_text(name, kind) for name, kind in columns]
    starts = [
        f"substring({text} FROM 1 FOR {_LONG})" if raw else f"left({text}, {_LONG})"
        for text, raw in zip(texts, binary, strict=True)
    ]
    long = [False] * len(columns)
    try:
        for row in opened.stream(f"SELECT {', '.join(starts)} FROM ONLY {path} AS t".encode()):
            cells = [_cell(one, raw) for one, raw in zip(row, binary, strict=True)]
            for at, cell in enumerate(cells):
                if cell is not None and len(cell) >= _LONG:
                    long[at], cells[at] = True, None
            looked.row(cells)
        looked.look()
    except servers.Refusal as refusal:
        if refusal.state != _NOT_POPULATED:
            raise
    for at, text in enumerate(texts):
        if long[at]:
            _long_cells(opened, path, text, looked, at, raw=binary[at])
    return looked


def _long_cells(
    opened: servers.Session, path: str, text: str, looked: Columns, at: int, *, raw: bool
) -> None:
    """Look through the cells of a column that are too long to be held, piece by piece."""
    length = f"octet_length({text})" if raw else f"length({text})"
    part = f"substring({text} FROM 1 + piece * {_STEP} FOR {_STEP + OVERLAP})"
    sql = (
        f"SELECT t.ctid::text, {part} FROM ONLY {path} AS t,"
        f" generate_series(0, {length} / {_STEP}) piece WHERE octet_length({text}) >= {_LONG}"
    )
    place: bytes | None = None
    found: set[str] = set()
    column = looked.columns[at]
    for where, piece in opened.stream(sql.encode()):
        if where != place:
            column.add(found)
            column.cells += 1
            place, found = where, set()
        found |= rules_of(_cell(piece, raw) or b"", binary=raw)
    column.add(found)


def _large_objects(opened: servers.Session) -> list[dict[str, Any]]:
    """Look through every large object, in pieces."""
    numbers = [
        int(one or b"0")
        for (one,) in opened.quiet(b"SELECT oid FROM pg_largeobject_metadata ORDER BY oid").rows
    ]
    if not numbers:
        return []
    column = Column()
    for number in numbers:
        found: set[str] = set()
        at = 0
        while True:
            sql = f"SELECT lo_get({number}, {at}, {_STEP + OVERLAP})"
            piece = _cell(opened.quiet(sql.encode()).rows[0][0], raw=True) or b""
            found |= rules_of(piece, binary=True)
            at += _STEP
            if len(piece) < _STEP + OVERLAP:
                break
        column.cells += 1
        column.add(found)
    return [{**LARGE_OBJECTS, "type": _BYTES, "cells": column.cells, "found": column.counts}]


def _text(name: str, kind: str) -> str:
    """Return an expression for what a column shows; no cast of the dump's own runs for it."""
    if kind == _BYTES or _PLAIN_TEXT.fullmatch(kind):
        return f"t.{_quoted(name)}"
    # by the type's own output function
    return f"CASE WHEN t.{_quoted(name)} IS NOT NULL THEN format('%s', t.{_quoted(name)}) END"


def _cell(value: bytes | None, raw: bool) -> bytes | None:
    if value is None or not raw:
        return value
    # what the server writes of bytea: \x and two digits a byte
    return bytes.fromhex(value[2:].decode("ascii"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
