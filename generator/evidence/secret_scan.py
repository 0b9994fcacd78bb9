"""``secret-scan.json``: a dump and the database it became were searched for secrets.

The scanner is lanebook's, and not in the packet: what it found is carried. What can be derived here
again is that every column which can hold text was looked at, that the counts add up, and, where the
packet holds the dump as a script, what is in that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from generator.evidence import samples
from generator.evidence.base import (
    PLAN,
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    claimed,
    derived,
    plan,
    refused,
)
from generator.evidence.tallies import counted
from generator.evidence.target_lock import FILE as LOCK
from generator.evidence.target_lock import TargetLock
from generator.ledger import Row
from generator.rules.base import Code

FILE = "secret-scan.json"
CATALOG = "schema-catalog.jsonl"
HELD = "source.dump"
PRECONDITIONS = "rehearsal-preconditions.json"
CLEAN, SECRETS, NOT_SCANNED = "NO_SECRET_FOUND", "SECRETS_FOUND", "NOT_SCANNED"
DUMP = "dump"
ENGINE = "postgresql"

_HARMLESS = re.compile(
    r"(?:smallint|integer|bigint|real|double precision|boolean|date|uuid|oid|money"
    r"|numeric(?:\([0-9,-]+\))?|interval(?: [a-z ]+)?(?:\([0-9]\))?"
    r"|time(?:stamp)?(?:\([0-9]\))? with(?:out)? time zone)(?:\[\])*"
)
"""Types of PostgreSQL's own whose values are numbers, times and the like."""


def may_hold_text(name: str) -> bool:
    """Tell whether a column of this type can hold a text; of a type that is not known, it can."""
    return _HARMLESS.fullmatch(name) is None


class Script(Part, frozen=True):
    """A script, and how many different secrets it has by rule."""

    script: str
    found: dict[str, int]


class Column(Part, frozen=True):
    """A column, and in how many of its cells each rule found something."""

    schema: str
    table: str
    column: str
    type: str
    cells: int
    found: dict[str, int]


class SecretScan(EvidenceModel, frozen=True):
    """Everything that was looked through, and what that comes to."""

    dump_sha256: str
    rules: list[str]
    counted_up_to: int
    scripts: list[Script]
    columns: list[Column]
    secrets_found: int
    verdict: str
    column_count: int | None = None


_TODO = "Scan the dump again, and rehearse from there."
CODES = {
    "SECRET_SCAN_NONE": Code(
        "A rehearsal on PostgreSQL ran, and its dump was not searched for secrets, or not all of"
        " it.",
        "What nobody looked for was not found.",
        _TODO,
    ),
    "SECRET_FOUND": Code(
        "The dump, or the database that it became, holds a secret.",
        "A clone is seen by more people than its source, and its evidence is published.",
        "Clean the rows before the dump is made, and have the secret changed; the lane's request"
        " says which columns.",
    ),
    "SECRET_SCAN_COLUMN": Code(
        "A column that can hold text was not searched for secrets, or stands twice.",
        "What nobody looked for was not found.",
        _TODO,
    ),
    "SECRET_SCAN_RULE": Code(
        "A scan for secrets lists no rule, or counts for one that it does not list.",
        "Nobody can tell what was looked for.",
        _TODO,
    ),
    "SECRET_SCAN_COUNT_WRONG": Code(
        "A count of a scan for secrets is not that of its list.",
        "Something came or went after it was counted.",
        "Count again.",
    ),
    "SECRET_SCAN_DIFFERS": Code(
        "The dump in the packet holds other secrets than the scan says.",
        "The scan is of another dump.",
        _TODO,
    ),
    "SECRET_SCAN_DUMP_DIFFERS": Code(
        "The scan for secrets is of another dump than the plan names.",
        "What was found in one says nothing about the other.",
        _TODO,
    ),
    "SECRET_SCAN_VERDICT": Code(
        "The verdict of a scan for secrets does not say what its counts say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive the counts, the verdict and what was looked at again."""
    found = evidence.model(FILE, SecretScan)
    lock = evidence.model(LOCK, TargetLock)
    if found is None:
        if lock is not None and lock.target.engine == ENGINE and not evidence.has(FILE):
            where, message = f"{LOCK}#/target/engine", f"There is no {FILE}."
            yield refused(where, ENGINE, "SECRET_SCAN_NONE", message, FILE)
        return
    yield from _dump(evidence, found)
    yield from _counts(evidence, found)
    yield from _columns(evidence, found)
    total = found.secrets_found
    computed = SECRETS if total else CLEAN
    if found.verdict == NOT_SCANNED and not total and not found.columns:
        computed = NOT_SCANNED
    yield derived(
        f"{FILE}#/verdict",
        found.verdict,
        computed,
        against=f"{FILE}#/secrets_found",
        code="SECRET_SCAN_VERDICT",
        message="The counts say something else.",
    )
    if lock is not None and total:
        message = "There is a rehearsal in spite of it."
        yield refused(f"{FILE}#/secrets_found", total, "SECRET_FOUND", message, 0)
    elif lock is not None and found.verdict == NOT_SCANNED:
        message = "There is a rehearsal in spite of it."
        yield refused(f"{FILE}#/verdict", NOT_SCANNED, "SECRET_SCAN_NONE", message, CLEAN)


def _dump(evidence: Evidence, found: SecretScan) -> Iterator[Row]:
    dump = plan(evidence).get("dump")
    planned = dump.get("sha256") if isinstance(dump, dict) else None
    yield derived(
        f"{FILE}#/dump_sha256",
        found.dump_sha256,
        planned if isinstance(planned, str) else None,
        against=f"{PLAN}#/dump/sha256",
        code="SECRET_SCAN_DUMP_DIFFERS",
        message="The plan names another dump.",
    )


def _counts(evidence: Evidence, found: SecretScan) -> Iterator[Row]:
    if not found.rules:
        yield refused(f"{FILE}#/rules", "none", "SECRET_SCAN_RULE", "No rule.", "a rule")
    listed = [(f"{FILE}#/scripts/{at}", one.found) for at, one in enumerate(found.scripts)]
    listed += [(f"{FILE}#/columns/{at}", one.found) for at, one in enumerate(found.columns)]
    for where, counts in listed:
        for rule in counts:
            if rule not in found.rules:
                yield refused(
                    f"{where}/found", rule, "SECRET_SCAN_RULE", "It is not listed.", found.rules
                )
    for at, one in enumerate(found.scripts):
        held = _in_the_packet(evidence) if one.script == DUMP else None
        yield derived(
            f"{FILE}#/scripts/{at}/found",
            _told(one.found),
            None if held is None else _told(held),
            against=HELD,
            code="SECRET_SCAN_DIFFERS",
            message="The dump in the packet holds others.",
        )
    yield from counted(
        f"{FILE}#/column_count",
        found.column_count,
        len(found.columns),
        against=f"{FILE}#/columns",
        code="SECRET_SCAN_COUNT_WRONG",
    )
    yield derived(
        f"{FILE}#/secrets_found",
        found.secrets_found,
        sum(sum(counts.values()) for _, counts in listed),
        against=f"{FILE}#/scripts",
        code="SECRET_SCAN_COUNT_WRONG",
        message="The scripts and columns add up to another number.",
    )


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items())) or "none"


def _in_the_packet(evidence: Evidence) -> Mapping[str, int] | None:
    """Return what is found in the dump; none where it is not here, or is no script."""
    dump = plan(evidence).get("dump")
    content = evidence.content(HELD)
    if content is None or not isinstance(dump, dict) or dump.get("form") != "plain":
        return None
    # late: the library takes a while to load, and few packets hold a dump
    from generator.leaks.streams import count_text

    return count_text([content])


def _columns(evidence: Evidence, found: SecretScan) -> Iterator[Row]:
    """Hold the columns that were looked at against those that the catalog has."""
    seen: set[tuple[str, str, str]] = set()
    for at, one in enumerate(found.columns):
        name = one.schema, one.table, one.column
        where = f"{FILE}#/columns/{at}"
        if name in seen:
            message = "The column stands twice."
            yield refused(f"{where}/column", ".".join(name), "SECRET_SCAN_COLUMN", message)
        seen.add(name)
        yield claimed(f"{where}/found", _told(one.found))
    if not evidence.has(CATALOG) or found.verdict == NOT_SCANNED:
        return
    for name in _searchable(evidence):
        if name not in seen:
            message = "The column was not searched."
            where = f"{FILE}#/columns"
            yield refused(where, "absent", "SECRET_SCAN_COLUMN", message, ".".join(name))


def _searchable(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Return every column that can hold text, of what has rows of its own."""
    found: list[tuple[str, str, str]] = evidence.told("searchable", CATALOG, _read_columns)
    return found


def _read_columns(content: bytes) -> list[tuple[str, str, str]]:
    lines = catalog_lines(content)
    holding = {tuple(line[1:3]) for line in lines if line[0] == "table" and line[3] in ("r", "m")}
    return [
        (line[1], line[2], line[3])
        for line in lines
        if line[0] == "column" and tuple(line[1:3]) in holding and may_hold_text(line[4])
    ]


def catalog_lines(content: bytes) -> list[list[Any]]:
    """Return the lines of a catalog that have their form; others say nothing."""
    lines = []
    for text in content.splitlines():
        try:
            line = msgspec.json.decode(text, type=list[Any])
        except (msgspec.DecodeError, RecursionError):
            continue
        names = [isinstance(part, str) for part in line]
        if (
            (line[:1] in (["table"], ["column"]) and all(names))
            and len(line) == (4 if line[0] == "table" else 5)
        ) or (line[:1] == ["key"] and _is_key(line)):
            lines.append(line)
    return lines


def _is_key(line: list[Any]) -> bool:
    columns = line[4] if len(line) in (5, 7) else None
    rest = [part for at, part in enumerate(line) if at != 4]
    return (
        isinstance(columns, list)
        and all(isinstance(one, str) for one in columns)
        and all(isinstance(one, str) for one in rest)
    )


_CATALOG = (
    ["column", "public", "t", "id", "integer"],
    ["column", "public", "t", "note", "text"],
    ["key", "public", "t", "primary", ["id"]],
    ["table", "public", "t", "r"],
)


def sample_outputs() -> dict[str, bytes]:
    """Return the catalog of the sample."""
    return {CATALOG: "".join(json.dumps(line) + "\n" for line in _CATALOG).encode()}


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "dump_sha256": samples.state("states/expected.sql"),
        "rules": ["LEAK-KEY", "LEAK-TOKEN"],
        "counted_up_to": 10000,
        "scripts": [{"script": DUMP, "found": {}}, {"script": "change", "found": {}}],
        "columns": [
            {
                "schema": "public",
                "table": "t",
                "column": "note",
                "type": "text",
                "cells": 3,
                "found": {},
            }
        ],
        "column_count": 1,
        "secrets_found": 0,
        "verdict": CLEAN,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


def _planned(digest: str, form: str) -> bytes:
    return samples.encoded({"lane": "sample", "dump": {"sha256": digest, "form": form}})


KIND = EvidenceKind(
    file=FILE,
    title="Scan for secrets",
    about="the dump and every column of the clone that can hold text were searched for secrets",
    model=SecretScan,
    codes=CODES,
    rows=rows,
    controls={
        "SECRET_SCAN_NONE": lambda: samples.changed_together(
            {
                FILE: {("columns",): [], ("column_count",): 0, ("verdict",): NOT_SCANNED},
                PRECONDITIONS: {("preconditions", 0, "state"): "NOT_RUN"},
            }
        ),
        "SECRET_FOUND": lambda: samples.changed_together(
            {
                FILE: {
                    ("columns", 0, "found"): {"LEAK-KEY": 1},
                    ("secrets_found",): 1,
                    ("verdict",): SECRETS,
                },
                PRECONDITIONS: samples.failing(0, FILE, "SECRET_FOUND"),
            }
        ),
        "SECRET_SCAN_COLUMN": _damaged("columns", 0, "column", to="label"),
        "SECRET_SCAN_RULE": _damaged("rules", to=[]),
        "SECRET_SCAN_COUNT_WRONG": _damaged("column_count", to=2),
        "SECRET_SCAN_DIFFERS": lambda: samples.evidence(
            {
                HELD: b"ALTER ROLE app PASSWORD " + b"'hunter2';\n",
                PLAN: _planned(samples.state("states/expected.sql"), "plain"),
            }
        ),
        "SECRET_SCAN_DUMP_DIFFERS": lambda: samples.evidence(
            {PLAN: _planned(samples.state("change.sql"), "custom")}
        ),
        "SECRET_SCAN_VERDICT": lambda: samples.changed_together(
            {
                FILE: {("verdict",): SECRETS},
                PRECONDITIONS: samples.failing(0, FILE, "SECRET_FOUND"),
            }
        ),
    },
)
