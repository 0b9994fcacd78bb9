"""Recorded decisions as JSON: the one form that is written, hashed and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from generator.model.decision import SCHEMA, BlockerState, Decision


def canonical_map(blockers: Sequence[BlockerState]) -> list[dict[str, Any]]:
    """Return a blocker map as the JSON whose canonical bytes (RFC 8785) its digest is of."""
    return [
        {
            "id": blocker.id,
            "open": blocker.open,
            "progress": blocker.progress,
            "legs": [{"id": name, "state": state} for name, state in blocker.legs],
        }
        for blocker in blockers
    ]


def record(decision: Decision) -> dict[str, Any]:
    """Return a decision as the object of its record."""
    bound = decision.bound
    return {
        "schema": SCHEMA,
        "lane": decision.lane,
        "option": decision.option,
        "decided_by": decision.decided_by,
        "decided_on": decision.decided_on,
        "reason": decision.reason,
        "despite_open_blockers": list(decision.despite),
        "bound_to": {
            "tree": bound.tree,
            "decision_packet": [
                {"document": one.name, "sha256": one.sha256} for one in bound.documents
            ],
            "blocker_map": {
                "sha256": bound.map.digest,
                "blockers": canonical_map(bound.map.blockers),
            },
        },
    }


def encoded(decision: Decision) -> bytes:
    """Return the bytes of a record: ASCII, so that no terminal and no editor is moved by it."""
    return (json.dumps(record(decision), ensure_ascii=True, indent=2) + "\n").encode("ascii")
