"""The JSON Schema of a recorded decision, published with the site like those of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.evidence.json_schemas import DIALECT
from generator.model.decision import SCHEMA
from generator.reading.decisions import LONGEST_NAME, LONGEST_REASON

NAME = "decision-1.json"
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT = {"type": "string"}


def schema() -> dict[str, Any]:
    """Return the schema; what reading refuses beyond it, docs/decisions.md says."""
    leg = _object({"id": _TEXT, "state": _TEXT})
    blocker = _object(
        {
            "id": _TEXT,
            "open": {"type": "boolean"},
            "progress": _TEXT,
            "legs": {"type": "array", "items": leg},
        }
    )
    bound = _object(
        {
            "tree": {"anyOf": [_DIGEST, {"type": "null"}]},
            "decision_packet": {
                "type": "array",
                "items": _object({"document": _TEXT, "sha256": _DIGEST}),
            },
            "blocker_map": _object(
                {"sha256": _DIGEST, "blockers": {"type": "array", "items": blocker}}
            ),
        }
    )
    return {
        "$schema": DIALECT,
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": "Recorded decision",
        "description": "What an owner decided on a lane, and what the decision was taken on.",
        **_object(
            {
                "schema": {"const": SCHEMA},
                "lane": {"type": "string", "minLength": 1, "maxLength": 100},
                "option": {"type": "string", "minLength": 1},
                "decided_by": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
                "decided_on": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
                "reason": {"type": "string", "maxLength": LONGEST_REASON},
                "despite_open_blockers": {"type": "array", "items": _TEXT},
                "bound_to": bound,
            }
        ),
    }


def _object(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }
