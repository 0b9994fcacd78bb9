"""What the operator states of a dump, and what the owners require of it: two small files.

YAML or JSON, read by the strict readers. What stands in them goes into the packet, so that neither
may hold a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from generator.errors import InputError
from generator.evidence.tallies import word
from generator.leaks import scan_bytes
from generator.model.digest import is_digest
from generator.names import visible
from generator.reading import strictjson, strictyaml
from generator.reading.tree import read_file
from generator.rehearse.codes import refused
from generator.rehearse.inside.postgres import gates

LARGEST = 1024 * 1024
"""Bytes of such a file."""
_LONGEST = 1000
_RESERVED = (gates.TARGET, gates.DUMP)
"""Ids of candidates that a rehearsal gives itself."""

Form = TypeVar("Form", bound=msgspec.Struct)


class _Rejected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something else that could have been the clone."""

    id: str
    rejected_because: str


class _Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a dump comes from, as its operator states it."""

    source: str
    stated_by: str
    taken: str | None = None
    cleaned: str | None = None
    method: str | None = None
    sha256: str | None = None
    candidates: tuple[_Rejected, ...] = ()


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key of a table; a foreign one names the table that it is to."""

    kind: Literal["primary", "unique", "foreign"]
    columns: tuple[str, ...]
    table: str | None = None


class _Entity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that the change needs."""

    entity: str
    table: str | None = None
    columns: dict[str, str | None] = {}
    keys: tuple[_Key, ...] = ()


class _Requirements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the change needs."""

    entities: tuple[_Entity, ...]


def provenance(path: Path, taken: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the operator states.

    Args:
        path: of the file.
        taken: ids of candidates that every rehearsal names.

    Raises:
        InputError: it cannot be used (``REHEARSE-INPUT``).
    """
    name, stated = _read(path, _Provenance)
    for key, text in (("source", stated.source), ("stated_by", stated.stated_by)):
        if not text.strip():
            raise refused("REHEARSE-INPUT", "nothing is written here", name, key)
    if stated.sha256 is not None and not is_digest(stated.sha256):
        problem = "not a SHA-256 digest: 64 digits of lower-case hexadecimal"
        raise refused("REHEARSE-INPUT", problem, name, "sha256")
    ids = [*map(word, _RESERVED), *map(word, taken), *(word(one.id) for one in stated.candidates)]
    for at, one in enumerate(stated.candidates):
        place = name, f"candidates[{at}]"
        if ids.count(word(one.id)) > 1:
            raise refused("REHEARSE-INPUT", "the id stands for another candidate", *place)
        if not one.id.strip() or not one.rejected_because.strip():
            raise refused("REHEARSE-INPUT", "id and rejected_because have to be words", *place)
    built: dict[str, Any] = msgspec.to_builtins(stated)
    return built


def requirements(path: Path) -> list[dict[str, Any]]:
    """Return the entities that the change needs.

    Raises:
        InputError: the file cannot be used (``REHEARSE-INPUT``).
    """
    name, wanted = _read(path, _Requirements)
    if not wanted.entities:
        raise refused("REHEARSE-INPUT", "no entity is required", name, "entities")
    names = [word(one.entity) for one in wanted.entities]
    for at, one in enumerate(wanted.entities):
        place = name, f"entities[{at}]"
        if not names[at] or names.count(names[at]) > 1:
            raise refused("REHEARSE-INPUT", "an entity has one name, and no other has it", *place)
        if not one.table and (one.columns or one.keys):
            problem = "columns and keys are those of a table; name it"
            raise refused("REHEARSE-INPUT", problem, *place)
        for key in one.keys:
            if not key.columns or (key.kind == "foreign") != bool(key.table):
                problem = "a key has columns, and a foreign one the table that it is to"
                raise refused("REHEARSE-INPUT", problem, *place)
    return [msgspec.to_builtins(one) for one in wanted.entities]


def _read(path: Path, form: type[Form]) -> tuple[str, Form]:
    name = visible(path.name)
    data = read_file(path, LARGEST, code="REHEARSE-SIZE")
    for leak in scan_bytes(data)[:1]:
        raise refused("REHEARSE-INPUT", f"holds {leak.what}", f"{name}:{leak.line}")
    reader = strictjson if path.suffix.lower() == ".json" else strictyaml
    try:
        value = reader.loads(data, where=name)
    except InputError as error:
        raise refused("REHEARSE-INPUT", error.problem, *error.place) from error
    try:
        found = msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        raise refused(
            "REHEARSE-INPUT", _lower(visible(problem, 200)), name, *_place(place)
        ) from error
    if (long := _too_long(value)) is not None:
        problem = f"a text of more than {_LONGEST} characters: {visible(long, 40)}"
        raise refused("REHEARSE-INPUT", problem, name)
    return name, found


def _place(text: str) -> tuple[str, ...]:
    where = visible(text.strip("`.")[:80])
    return (where,) if where else ()


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _too_long(value: object) -> str | None:
    """Return a text that is longer than a sentence or two."""
    if isinstance(value, str):
        return value if len(value) > _LONGEST else None
    parts: list[object] = []
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list):
        parts = value
    return next((found for part in parts if (found := _too_long(part)) is not None), None)
