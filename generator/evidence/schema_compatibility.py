"""``schema-compatibility.json``: whether the clone has each entity that the change needs.

An entity that is a table is looked up in the clone's state file; every other one is not checkable,
and so is each where no clone is there to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from generator.evidence import samples
from generator.evidence.base import (
    Evidence,
    EvidenceKind,
    EvidenceModel,
    Part,
    derived,
    must_be,
    refused,
)
from generator.evidence.schemas import bare, tables
from generator.evidence.secret_scan import CATALOG, ENGINE, PRECONDITIONS, catalog_lines
from generator.evidence.tallies import counted, named, twice, word
from generator.evidence.target_lock import FILE as LOCK
from generator.evidence.target_lock import TargetLock
from generator.ledger import Row

# what judges a clone before a rehearsal is what judges its evidence: one meaning of each state
from generator.rehearse.inside.postgres.catalog import Catalog, judged
from generator.rules.base import Code

FILE = "schema-compatibility.json"
PRESENT, ABSENT, DIFFERENT, NOT_CHECKABLE = "PRESENT", "ABSENT", "DIFFERENT", "NOT_CHECKABLE"
COMPATIBLE, INCOMPATIBLE, UNCHECKED = "COMPATIBLE", "INCOMPATIBLE", "CANNOT_BE_CHECKED"
_WORDS = {word(state): state for state in (PRESENT, ABSENT, DIFFERENT, NOT_CHECKABLE)}


class Key(Part, frozen=True):
    """A key of a table, ``primary``, ``unique`` or ``foreign``; the last names its other table."""

    kind: str
    columns: list[str]
    table: str | None = None


class Entity(Part, frozen=True):
    """Something that the change needs."""

    entity: str
    state: str
    table: str | None = None
    """The table by which it is looked up."""
    columns: tuple[str, ...] = ()
    """The columns that the change needs of it."""
    types: dict[str, str] = msgspec.field(default_factory=dict)
    """The types that these must have, by name; where none is named, any will do."""
    keys: tuple[Key, ...] = ()
    reason: str | None = None
    """Why it is not present."""


class Counts(Part, frozen=True):
    """How many entities are in each state."""

    present: int
    absent: int
    different: int
    not_checkable: int


class SchemaCompatibility(EvidenceModel, frozen=True):
    """Every entity, and what they come to."""

    entities: list[Entity]
    counts: Counts
    clone_present: bool
    live_schema_read: bool
    verdict: str
    state_file: str | None = None
    entity_count: int | None = None


_TODO = "Check the entities again, against the clone's state file."
CODES = {
    "SCHEMA_NONE": Code("A check of compatibility has no entity.", "Nothing was checked.", _TODO),
    "SCHEMA_TWICE": Code(
        "An entity of a check of compatibility stands twice.",
        "The counts stand for less than they say.",
        "List it once.",
    ),
    "SCHEMA_STATE": Code(
        "The state of an entity is none of the four known words.",
        "Nobody can tell whether the clone has it.",
        "Write PRESENT, ABSENT, DIFFERENT or NOT_CHECKABLE.",
    ),
    "SCHEMA_COUNT_WRONG": Code(
        "A count of entities is not that of the list.",
        "An entity came or went, or changed its state, after it was counted.",
        "Count the entities again.",
    ),
    "SCHEMA_STATE_FILE_MISSING": Code(
        "The state file of a check of compatibility is not in the packet.",
        "What was checked cannot be looked at.",
        "Put it into the packet, or name none and check nothing.",
    ),
    "SCHEMA_ENTITY_DIFFERS": Code(
        "The state of an entity is not the one that the state file gives.",
        "The change would meet something else than was said.",
        _TODO,
    ),
    "SCHEMA_CLONE_FLAG": Code(
        "The flag clone_present does not say whether there is a state file.",
        "A clone that nobody can look at is none.",
        "Name the clone's state file, or say that there is no clone.",
    ),
    "SCHEMA_LIVE_READ": Code(
        "The live schema was read.",
        "That is contact with production, which no rehearsal has.",
        "Stop, and tell the owners.",
    ),
    "SCHEMA_UNCHECKED": Code(
        "A change was rehearsed on PostgreSQL, and it was not checked that the clone has what the"
        " change needs.",
        "A clone that lacks it is not shaped as production is, and shows nothing about it.",
        "Give the entities, with tables to look them up by, with --requirements.",
    ),
    "SCHEMA_INCOMPATIBLE": Code(
        "A change was rehearsed on PostgreSQL, and the clone lacks something that it needs.",
        "A clone that lacks it is not shaped as production is, and shows nothing about it.",
        "Bring a dump that has every entity; the file says what is absent or different.",
    ),
    "SCHEMA_VERDICT": Code(
        "The verdict on compatibility does not say what the entities say.",
        "Whoever reads only the verdict decides on something else.",
        _TODO,
    ),
}


def rows(evidence: Evidence) -> Iterator[Row]:
    """Derive each entity's state from the state file, and counts and verdict from the entities."""
    found = evidence.model(FILE, SchemaCompatibility)
    yield from _rehearsed(evidence, found)
    if found is None:
        return
    if not found.entities:
        yield refused(f"{FILE}#/entities", "none", "SCHEMA_NONE", "No entity.", "an entity")
    places = [(f"{FILE}#/entities/{at}", one) for at, one in enumerate(found.entities)]
    yield from twice(((f"{where}/entity", one.entity) for where, one in places), "SCHEMA_TWICE")
    if found.state_file is not None:
        yield named(evidence, f"{FILE}#/state_file", found.state_file, "SCHEMA_STATE_FILE_MISSING")
    content = evidence.content(found.state_file) if found.state_file is not None else None
    # other forms of state are not read here, and what they hold is only claimed
    state_file = found.state_file or ""
    if content is not None and state_file == CATALOG:
        catalog = Catalog(catalog_lines(content))
        for where, one in places:
            yield from _by_catalog(one, where, catalog, state_file)
    else:
        held = tables(content) if content is not None and state_file.endswith(".sql") else None
        for where, one in places:
            yield _entity(found, one, f"{where}/state", held)
    yield from _summary(found)
    yield derived(
        f"{FILE}#/clone_present",
        found.clone_present,
        found.state_file is not None,
        against=f"{FILE}#/state_file",
        code="SCHEMA_CLONE_FLAG",
        message="A clone that is present has a state file, and one that is not has none.",
    )
    yield must_be(
        f"{FILE}#/live_schema_read",
        found.live_schema_read,
        False,
        code="SCHEMA_LIVE_READ",
        message="It must not be so.",
    )


def _rehearsed(evidence: Evidence, found: SchemaCompatibility | None) -> Iterator[Row]:
    """Refuse a rehearsal on PostgreSQL whose clone is not seen to have everything."""
    lock = evidence.model(LOCK, TargetLock)
    if lock is None or lock.target.engine != ENGINE:
        return
    message = "There is a rehearsal in spite of it."
    if found is None:
        if not evidence.has(FILE):
            where, missing = f"{LOCK}#/target/engine", f"There is no {FILE}."
            yield refused(where, ENGINE, "SCHEMA_UNCHECKED", missing, FILE)
    elif found.verdict == INCOMPATIBLE:
        where = f"{FILE}#/verdict"
        yield refused(where, found.verdict, "SCHEMA_INCOMPATIBLE", message, COMPATIBLE)
    elif found.verdict.startswith(UNCHECKED):
        yield refused(f"{FILE}#/verdict", found.verdict, "SCHEMA_UNCHECKED", message, COMPATIBLE)


def _by_catalog(one: Entity, where: str, catalog: Catalog, path: str) -> Iterator[Row]:
    """Derive state and reason of an entity from what the server's catalogs have."""
    wanted = {
        "table": one.table,
        "columns": {name: one.types.get(name) for name in one.columns},
        "keys": [
            {"kind": key.kind, "columns": key.columns, "table": key.table} for key in one.keys
        ],
    }
    state, reason = judged(wanted, catalog)
    for name, stated, computed in (
        ("state", one.state, state),
        ("reason", one.reason or "", reason),
    ):
        yield derived(
            f"{where}/{name}",
            stated,
            computed,
            against=path,
            code="SCHEMA_ENTITY_DIFFERS",
            message="The catalog gives another one.",
        )


def _entity(
    found: SchemaCompatibility,
    one: Entity,
    where: str,
    held: Mapping[str, frozenset[str] | None] | None,
) -> Row:
    known = _WORDS.get(word(one.state))
    if known is None:
        return refused(where, one.state, "SCHEMA_STATE", "None of the four words.", [*_WORDS])
    computed: str | None = NOT_CHECKABLE
    if one.table is not None and found.state_file is not None:
        computed = _looked_up(one, one.table, held) if held is not None else None
    return derived(
        where,
        one.state,
        one.state if computed == known else computed,
        against=found.state_file or f"{FILE}#/state_file",
        code="SCHEMA_ENTITY_DIFFERS",
        message="The state file gives another one." if found.state_file else "There is no state.",
    )


def _looked_up(one: Entity, table: str, held: Mapping[str, frozenset[str] | None]) -> str | None:
    """Return the state of an entity; none where its columns cannot be read."""
    if bare(table) not in held:
        return ABSENT
    columns = held[bare(table)]
    if not one.columns:
        return PRESENT
    if columns is None:
        return None
    return PRESENT if {bare(column) for column in one.columns} <= columns else DIFFERENT


def _summary(found: SchemaCompatibility) -> Iterator[Row]:
    listed = Counter(_WORDS.get(word(one.state), NOT_CHECKABLE) for one in found.entities)
    counts = (
        ("entity_count", found.entity_count, len(found.entities)),
        ("counts/present", found.counts.present, listed[PRESENT]),
        ("counts/absent", found.counts.absent, listed[ABSENT]),
        ("counts/different", found.counts.different, listed[DIFFERENT]),
        ("counts/not_checkable", found.counts.not_checkable, listed[NOT_CHECKABLE]),
    )
    for name, stated, number in counts:
        yield from counted(
            f"{FILE}#/{name}",
            stated,
            number,
            against=f"{FILE}#/entities",
            code="SCHEMA_COUNT_WRONG",
        )
    if listed[ABSENT] or listed[DIFFERENT]:
        computed = INCOMPATIBLE
    elif listed[NOT_CHECKABLE] or not found.entities:
        computed = UNCHECKED
        if found.verdict.startswith(f"{UNCHECKED}_"):
            # a longer word says why it could not be checked
            computed = found.verdict
    else:
        computed = COMPATIBLE
    yield derived(
        f"{FILE}#/verdict",
        found.verdict,
        computed,
        against=f"{FILE}#/entities",
        code="SCHEMA_VERDICT",
        message="The entities say something else.",
    )


def sample() -> dict[str, object]:
    """Return what the file of the sound sample says."""
    return {
        "lane": "sample",
        "state_file": "states/expected.sql",
        "clone_present": True,
        "live_schema_read": False,
        "entity_count": 4,
        "counts": {"present": 1, "absent": 1, "different": 1, "not_checkable": 1},
        "entities": [
            {"entity": "table t", "table": "t", "columns": ["id"], "state": PRESENT},
            {"entity": "labels of t", "table": "t", "columns": ["label"], "state": DIFFERENT},
            {"entity": "approval fields", "table": "os_proposal_approvals", "state": ABSENT},
            {"entity": "Directus fields", "state": NOT_CHECKABLE},
        ],
        "verdict": INCOMPATIBLE,
    }


def _damaged(*steps: str | int, to: object) -> Callable[[], Evidence]:
    return lambda: samples.changed(FILE, {steps: to})


KIND = EvidenceKind(
    file=FILE,
    title="Schema compatibility",
    about="the clone was looked through for each entity that the change needs",
    model=SchemaCompatibility,
    codes=CODES,
    rows=rows,
    controls={
        "SCHEMA_NONE": lambda: samples.evidence_of(
            FILE,
            {
                "lane": "sample",
                "state_file": "states/expected.sql",
                "clone_present": True,
                "live_schema_read": False,
                "counts": {"present": 0, "absent": 0, "different": 0, "not_checkable": 0},
                "entities": [],
                "verdict": UNCHECKED,
            },
        ),
        "SCHEMA_TWICE": _damaged("entities", 3, "entity", to="approval fields"),
        "SCHEMA_STATE": _damaged("entities", 3, "state", to="PROBABLY"),
        "SCHEMA_COUNT_WRONG": _damaged("counts", "present", to=2),
        "SCHEMA_STATE_FILE_MISSING": _damaged("state_file", to="states/gone.sql"),
        "SCHEMA_ENTITY_DIFFERS": _damaged("entities", 2, "table", to="t"),
        "SCHEMA_CLONE_FLAG": _damaged("clone_present", to=False),
        "SCHEMA_LIVE_READ": _damaged("live_schema_read", to=True),
        "SCHEMA_UNCHECKED": lambda: samples.on_server(
            {
                FILE: {
                    ("entities",): [{"entity": "Directus fields", "state": NOT_CHECKABLE}],
                    ("counts",): {"present": 0, "absent": 0, "different": 0, "not_checkable": 1},
                    ("verdict",): UNCHECKED,
                },
                PRECONDITIONS: samples.failing(3, FILE, "SCHEMA_UNCHECKED"),
            }
        ),
        "SCHEMA_INCOMPATIBLE": lambda: samples.on_server(
            {
                FILE: {
                    ("entities",): [{"entity": "approvals", "table": "a", "state": ABSENT}],
                    ("counts",): {"present": 0, "absent": 1, "different": 0, "not_checkable": 0},
                    ("verdict",): INCOMPATIBLE,
                },
                PRECONDITIONS: samples.failing(3, FILE, "SCHEMA_INCOMPATIBLE"),
            }
        ),
        "SCHEMA_VERDICT": _damaged("verdict", to=COMPATIBLE),
    },
)
