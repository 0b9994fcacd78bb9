"""Machine reports: every leaf of the JSON is a statement, keys that nobody knows included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from generator import spelled
from generator.errors import InputError
from generator.model.document import Damage, HashMention, Statement
from generator.reading import hashes, strictjson
from generator.reading.limits import Limits
from generator.reading.strictjson import JsonValue

_HASHED = re.compile(r"(?i)\A(?:(?P<of>.+)_)?(?:sha_?256|digest|hash)(?:_?sum)?\Z")
_POINTERS = 4
"""How many times as long as a document may be all its pointers together may be."""


class MachineReport(NamedTuple):
    """What a machine report states, in its own order."""

    title: str | None
    """The line before the JSON (S2); None if there is none."""
    data: JsonValue
    status: Statement | None
    statements: tuple[Statement, ...]
    hashes: tuple[HashMention, ...]
    damage: tuple[Damage, ...]


def read(name: str, data: bytes, limits: Limits) -> MachineReport:
    """Return what the JSON states, with places ``name#/pointer``.

    Raises:
        InputError: it is not strict JSON, or not that behind a title line; a ``JSON-*`` code.
    """
    allowed = strictjson.Limits(
        depth=limits.json_depth, digits=limits.json_digits, bytes=limits.document_bytes
    )
    title, value, _ = strictjson.title_then_json(data, where=name, limits=allowed)
    statements: list[Statement] = []
    mentions: list[HashMention] = []
    damage: list[Damage] = []
    for pointer, key, named, leaf in _leaves(name, value, _POINTERS * limits.document_bytes):
        where = f"{name}#{pointer}"
        kind, spelling = _spelled(leaf)
        statements.append(Statement(pointer[1:], spelling, where, kind))
        if not isinstance(leaf, str):
            continue
        for hit in hashes.find(leaf):
            label = hashes.label(leaf, hit) or named or key
            mentions.append(HashMention(hit.text, hit.form, where, label, hit.readings))
            if hit.glue:
                what = f"{hit.glue} and a hash run together: {hit.text[:80]}"
                damage.append(Damage(where, what))
        if hashes.upper_case(leaf):
            what = "64 upper-case digits; not a digest in the form that counts"
            damage.append(Damage(where, what))
    status = None
    if isinstance(value, dict) and isinstance(stated := value.get("final_status"), str):
        status = Statement("final_status", stated, f"{name}#/final_status", "string")
    return MachineReport(title, value, status, tuple(statements), tuple(mentions), tuple(damage))


_FILE_KEYS = ("path", "file", "name")
"""Keys under which an object names the file of which it tells a hash."""


def _file_of(step: str, value: Mapping[str, JsonValue]) -> str:
    """Return the file beside a hash: ``tool`` beside ``tool_sha256``, or a key for files."""
    match = _HASHED.match(step)
    if match is None:
        return ""
    keys = (match["of"],) if match["of"] else _FILE_KEYS
    return next((told for one in keys if isinstance(told := value.get(one), str)), "")


def _leaves(name: str, value: JsonValue, most: int) -> list[tuple[str, str, str, JsonValue]]:
    """Return pointer, nearest key, the file that its object names, and value of each leaf.

    An empty container is a leaf.

    Raises:
        InputError: the pointers have more than ``most`` characters together (``JSON-BYTES``): a
            long key over many values would give many times the bytes of the document.
    """
    leaves: list[tuple[str, str, str, JsonValue]] = []
    waiting: list[tuple[str, str, str, str, JsonValue]] = [("", "", "", "", value)]
    length = 0
    while waiting:
        parent, step, key, named, value = waiting.pop()
        # joined only now, so that nothing is made before it is counted
        length += len(parent) + len(step)
        if length > most:
            raise InputError(
                f"its JSON Pointers have more than {most} characters together"
                f" (limit document_bytes, {_POINTERS} times)",
                code="JSON-BYTES",
                place=(name,),
            )
        pointer = parent + step
        if isinstance(value, dict) and value:
            waiting.extend(
                (
                    pointer,
                    f"/{spelled.step(step)}",
                    step,
                    _file_of(step, value),
                    member,
                )
                for step, member in reversed(value.items())
            )
        elif isinstance(value, list) and value:
            waiting.extend(
                (pointer, f"/{at}", key, "", value[at]) for at in range(len(value) - 1, -1, -1)
            )
        else:
            leaves.append((pointer, key, named, value))
    return leaves


def _spelled(leaf: JsonValue) -> tuple[str, str]:
    if leaf is None:
        return "null", "null"
    if isinstance(leaf, bool):
        return "boolean", "true" if leaf else "false"
    if isinstance(leaf, str):
        return "string", leaf
    if isinstance(leaf, int):
        return "integer", str(Decimal(leaf))
    if isinstance(leaf, Decimal):
        return "number", str(leaf)
    return ("object", "{}") if isinstance(leaf, dict) else ("array", "[]")
