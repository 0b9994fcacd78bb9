"""``touched-rows.json``: which rows a rehearsed change touched, by their digests.

A row that was changed is told twice: as it went and as it came. What is listed is derived again
from the two states where these have a line for each row; where a table is one line in them, from
the number of its rows and whether their digest is another.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from generator.evidence import rehearsal_log, samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    derived,
    refused,
)
from generator.ledger import Row
from generator.rules.base import Code

FILE = "touched-rows.json"
GONE, CAME = "gone", "came"
_DIFFER, _STATE = "TOUCHED_ROWS_DIFFER", "TOUCHED_STATE_DIFFERS"
_JSON_LINES = ".jsonl"

Touched = tuple[str, str, str, str, str]
"""``gone`` or ``came``, schema, table, digest of the key, digest of the row."""


class Table(Part, frozen=True):
    """How many rows of a table were touched."""

    schema: str
    table: str
    rows_before: int
    rows_after_apply: int
    gone: int
    came: int


class Leg(Part, frozen=True):
    """What the change touched when one step applied it."""

    step: str
    before: str
    after_apply: str
    tables: list[Table]
    rows: list[Touched]
    left_out: int
    """Rows that are counted and not listed."""
    rows_sha256: str
    """Of all of them, each as JSON on a line, in the order of the list."""


class TouchedRows(EvidenceModel, frozen=True):
    """What a change touched, leg by leg."""

    legs: list[Leg]


_TODO = "Rehearse again; the list is made by the steps that apply the change, never by hand."
CODES = {
    _DIFFER: Code(
        "A list of touched rows is not what the states before and after the change come to.",
        "A row that the change touched would be overlooked, or one blamed that it left alone.",
        _TODO,
    ),
    _STATE: Code(
        "A list of touched rows names a step or a state that the rehearsal log does not have.",
        "Nobody can tell between which states these rows were touched.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Hold each list against the log, against itself, and against the two states."""
    found = evidence.model(FILE, TouchedRows)
    if found is None:
        return
    steps = rehearsal_log.steps(evidence)
    for index, leg in enumerate(found.legs):
        place = f"{FILE}#/legs/{index}"
        states = steps[leg.step].states if leg.step in steps else {}
        # a log may tell nothing of states; then both are claimed only
        known = bool(states) or (bool(steps) and leg.step not in steps)
        for name, path in (("before", leg.before), ("after_apply", leg.after_apply)):
            yield derived(
                f"{place}/{name}",
                path,
                states.get(name, "no such state") if known else None,
                against=rehearsal_log.FILE,
                code=_STATE,
                message="The step left another state, or none.",
            )
        yield from _alone(leg, place)
        yield from _against_states(evidence, leg, place)


def _alone(leg: Leg, place: str) -> Iterator[Row]:
    """Hold the parts of a list against each other."""
    listed = Counter((word, schema, table) for word, schema, table, _, _ in leg.rows)
    for at, table in enumerate(leg.tables):
        where = f"{place}/tables/{at}"
        yield _derived(
            f"{where}/rows_after_apply",
            table.rows_after_apply,
            table.rows_before - table.gone + table.came,
            where,
        )
        for word, count in ((GONE, table.gone), (CAME, table.came)):
            said = listed.pop((word, table.schema, table.table), 0)
            yield _derived(
                f"{where}/{word}",
                count,
                max(count, said) if leg.left_out else said,
                f"{place}/rows",
            )
    for stray in listed:
        yield refused(f"{place}/rows", " ".join(stray), _DIFFER, "It has no such table.")
    total = sum(table.gone + table.came for table in leg.tables)
    yield _derived(f"{place}/left_out", leg.left_out, total - len(leg.rows), f"{place}/tables")
    if not leg.left_out:
        yield _derived(
            f"{place}/rows_sha256", leg.rows_sha256, sha256_of(leg.rows), f"{place}/rows"
        )


def _against_states(evidence: Evidence, leg: Leg, place: str) -> Iterator[Row]:
    before, after = (_read(evidence, path) for path in (leg.before, leg.after_apply))
    if before is None or after is None:
        return
    tables = {(one.schema, one.table): one for one in leg.tables}
    for key in sorted(before.counts.keys() | after.counts.keys() | tables.keys()):
        one = tables.get(key)
        was, now = before.counts[key], after.counts[key]
        if one is None:
            same = was == now and before.sums.get(key) == after.sums.get(key)
            # a state may have lines of rows, and the other sums
            if was != now or (before.sums and after.sums and not same):
                yield refused(f"{place}/tables", "absent", _DIFFER, "Its rows differ.", list(key))
            continue
        where = f"{place}/tables/{leg.tables.index(one)}"
        yield _derived(f"{where}/rows_before", one.rows_before, was, leg.before)
        yield _derived(f"{where}/rows_after_apply", one.rows_after_apply, now, leg.after_apply)
    if before.sums or after.sums or leg.left_out:
        return
    gone = [(GONE, *row) for row in (before.rows - after.rows).elements()]
    came = [(CAME, *row) for row in (after.rows - before.rows).elements()]
    computed: list[Touched] = [*gone, *came]
    yield _derived(
        f"{place}/rows", sha256_of(sorted(leg.rows)), sha256_of(sorted(computed)), leg.before
    )


class _State(msgspec.Struct, frozen=True):
    """The rows of a state."""

    counts: Counter[tuple[str, str]]
    rows: Counter[tuple[str, str, str, str]]
    sums: dict[tuple[str, str], str]
    """By table, the digest of all its rows, where these have no lines."""


def _read(evidence: Evidence, path: str) -> _State | None:
    """Return what a state of JSON lines says of rows; None of another, or if it was not kept."""
    if not path.endswith(_JSON_LINES) or evidence.content(path) is None:
        return None
    found: _State | None = evidence.told("rows of a state", path, _rows_of)
    return found


def _rows_of(content: bytes) -> _State | None:
    state = _State(Counter(), Counter(), {})
    for line in content.splitlines():
        if not line.startswith((b'["row",', b'["rows",')):
            continue
        try:
            if line.startswith(b'["row",'):
                _, schema, table, key, row = msgspec.json.decode(
                    line, type=tuple[str, str, str, str, str]
                )
                state.counts[(schema, table)] += 1
                state.rows[(schema, table, key, row)] += 1
            else:
                _, schema, table, count, digest = msgspec.json.decode(
                    line, type=tuple[str, str, str, int, str]
                )
                state.counts[(schema, table)] += count
                state.sums[(schema, table)] = digest
        except msgspec.DecodeError:
            return None
    return state


def sha256_of(touched: list[Touched]) -> str:
    """Return the digest of a list: each row as JSON on a line."""
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in touched)
    return hashlib.sha256(lines).hexdigest()


def _derived(where: str, stated: object, computed: object, against: str) -> Row:
    message = "The states, or the other parts of the list, come to something else."
    return derived(where, stated, computed, against=against, code=_DIFFER, message=message)


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    rows: list[Touched] = [(CAME, "public", "t", "0" * 64, "1" * 64)]
    table = {"schema": "public", "table": "t", "rows_before": 3, "rows_after_apply": 4}
    return {
        "lane": "sample",
        "legs": [
            {
                "step": "RX-4",
                "before": "states/snap-before.sql",
                "after_apply": "states/snap-after-apply.sql",
                "tables": [{**table, GONE: 0, CAME: 1}],
                "rows": rows,
                "left_out": 0,
                "rows_sha256": sha256_of(rows),
            }
        ],
    }


def _damaged(changes: Mapping[str, object]) -> Callable[[], Evidence]:
    return lambda: samples.changed(
        FILE, {("legs", 0, name): value for name, value in changes.items()}
    )


KIND = EvidenceKind(
    file=FILE,
    title="Touched rows",
    about="which rows the change touched, by digests that hold no value",
    model=TouchedRows,
    codes=CODES,
    rows=rows,
    controls={
        _DIFFER: _damaged({"rows": [], "rows_sha256": sha256_of([])}),
        _STATE: _damaged({"before": "states/txn-before.sql"}),
    },
)
