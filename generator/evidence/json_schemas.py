"""The JSON Schema of each kind of evidence, from its model (spec 2.2)."""

from __future__ import annotations

from typing import Any

import msgspec

from generator.evidence.base import EvidenceKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The name of the language; nothing is fetched from there."""

_DEFS = "#/$defs/"


def name(kind: EvidenceKind) -> str:
    """Return the file name of a kind's schema."""
    return f"{kind.file.removesuffix('.json')}-{kind.version}.json"


def about(kind: EvidenceKind) -> str:
    """Return what a kind is evidence of, as a sentence."""
    return f"Evidence that {kind.about}."


def schema(kind: EvidenceKind) -> dict[str, Any]:
    """Return the JSON Schema of a kind: whole in itself, and the same in every run.

    Members stand in the order of the model, definitions in that of their names. The file's own
    ``schema`` may only be the name of this kind.
    """
    # defaults that are empty tuples in the model are arrays in JSON
    made = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(kind.model)))
    found: dict[str, dict[str, Any]] = made["$defs"]
    own = made["$ref"].removeprefix(_DEFS)
    top = {key: value for key, value in found[own].items() if key not in ("title", "description")}
    top["properties"] = top["properties"] | {
        "schema": {"anyOf": [{"const": kind.schema}, {"type": "null"}], "default": None}
    }
    # a model that holds itself is still named by its members
    if f'"{made["$ref"]}"'.encode() not in msgspec.json.encode(found):
        del found[own]
    whole = {
        "$schema": DIALECT,
        "$id": f"urn:{kind.schema.replace('/', ':')}",
        "title": kind.title,
        "description": about(kind),
        **top,
    }
    if found:
        whole["$defs"] = {key: found[key] for key in sorted(found)}
    return whole
