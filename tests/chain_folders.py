"""Roots of two or three lanes, with one thing in a later lane that the chain does not bear."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.folders import FILES, MANIFEST, TREE, digest, listing, tree_of

Files = dict[str, bytes]
OTHER = digest(b"something else")


def evidence_of(lane: str) -> dict[str, bytes]:
    """Return the files of a lane's packet; each lane has its own tree."""
    return {**FILES, "lane.txt": f"{lane}\n".encode()}


def tree(lane: str) -> str:
    """Return the tree hash of a lane's packet."""
    return digest(listing(evidence_of(lane)))


def blockers(*rows: Mapping[str, object]) -> dict[str, Any]:
    """Return a blocker map whose counts fit its rows."""
    opened = sum(str(row["state"]).startswith("OPEN") for row in rows)
    return {"open_count": opened, "newly_closed": [], "blockers": list(rows)}


def row(name: str, state: str = "OPEN", **more: object) -> dict[str, object]:
    """Return a row of a blocker map."""
    return {"id": f"P-{name}-1", "state": state, "actor": "owner", "next_action": "grant", **more}


LEGS = [{"id": "clone leg", "state": "proven"}, {"id": "production leg", "state": "OPEN"}]


def first() -> dict[str, Any]:
    """Return the machine report of the first lane."""
    return {
        "final_status": "FIRST_CLONE_REHEARSAL_READY_NOT_APPLIED",
        "production_blocker_map": blockers(row("GRANT"), row("ROLLBACK", legs=LEGS)),
        "workstream_F_decision_packet": {
            "default": "HOLD_PRODUCTION",
            "selected": None,
            "options": ["HOLD_PRODUCTION", "AUTHORIZE_SECOND_REHEARSAL"],
            "evidence_tree": tree("first"),
        },
        "governance": {"objects_reserved": "TKT-OBJ-1..4", "apply_now": False, "above_ceiling": 0},
    }


def second() -> dict[str, Any]:
    """Return the machine report of the second lane, which the first bears out in everything."""
    return {
        "final_status": "SECOND_CLONE_REHEARSAL_READY",
        "delegated_decision_consumed": "AUTHORIZE_SECOND_REHEARSAL",
        "preflight": {
            "first": "FIRST_CLONE_REHEARSAL_READY_NOT_APPLIED",
            "previous_packet_tree_sha256": tree("first"),
        },
        "production_blocker_map": blockers(row("GRANT"), row("ROLLBACK", legs=LEGS)),
        "governance": {"objects_reserved": "TKT-OBJ-5..8", "apply_now": False, "above_ceiling": 4},
    }


def lane(name: str, report: object, yml: str = "", **documents: str) -> Files:
    """Return the files of one sealed lane below ``packets/``."""
    held = evidence_of(name)
    manifest = listing(held)
    files = {
        "lane.yml": f"id: {name}\n{yml}".encode(),
        "report.json": f"{json.dumps(report, indent=2)}\n".encode(),
        **{key.replace("_", ".", 1): text.encode() for key, text in documents.items()},
        **{f"evidence/{path}": data for path, data in held.items()},
        f"evidence/{MANIFEST}": manifest,
        f"evidence/{TREE}": tree_of(manifest),
    }
    return {f"packets/{name}/{path}": data for path, data in files.items()}


def root(change: Callable[[dict[str, Any]], None] = lambda report: None, **documents: str) -> Files:
    """Return two lanes; ``change`` damages the report of the second."""
    report = second()
    change(report)
    later = lane("second", report, "previous: first\n", **documents)
    return {**lane("first", first()), **later}


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(report: dict[str, Any]) -> None:
        place = report
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _blockers(*rows: Mapping[str, object], **more: object) -> Files:
    return root(_set("production_blocker_map", to={**blockers(*rows), **more}))


def _pins() -> Files:
    def pins(text: str) -> str:
        return f"# Checkpoint\n\n- Validator: `gate_validator.py` `{text}`\n"

    return {
        **lane("first", first(), checkpoint_md=pins(OTHER)),
        **lane("second", second(), "previous: first\n", checkpoint_md=pins(f"{OTHER[:8]}…0000")),
    }


def _fork() -> Files:
    third = second()
    third["final_status"] = "THIRD_CLONE_REHEARSAL_READY"
    third["governance"] = {"objects_reserved": "TKT-OBJ-9..9", "apply_now": False}
    third["governance"]["above_ceiling"] = 8
    return {**root(), **lane("third", third, "previous: first\n")}


def _unknown_delegation() -> Files:
    report = first()
    report["delegated_decision_consumed"] = "AUTHORIZE_FIRST_REHEARSAL"
    return lane("first", report)


def _uncited() -> Files:
    report = second()
    del report["preflight"]["previous_packet_tree_sha256"]
    return {**lane("first", first()), **lane("second", report, "previous: first\n")}


def _rewritten() -> Files:
    pins = f'lanes:\n  "first":\n    tree: "{tree("first")}"\n    record: "{OTHER}"\n'
    return {**lane("first", first()), "pins.yml": pins.encode()}


def chains() -> dict[str, Files]:
    """Return the defects of chains, by the name of the folder."""
    grant, rollback = row("GRANT"), row("ROLLBACK", legs=LEGS)
    renamed = row("ROLLBACK", legs=[{**LEGS[0], "id": "toy-clone leg"}, LEGS[1]])
    return {
        "CHAIN-TREE-of-no-lane": root(
            _set("preflight", "previous_packet_tree_sha256", to="0" * 64)
        ),
        "CHAIN-FORK-two": _fork(),
        "CHAIN-UNCITED-status-only": _uncited(),
        "RANGE-CEILING-two-too-low": root(_set("governance", "above_ceiling", to=2)),
        "RANGE-OVERLAP-one-object": root(
            lambda report: report["governance"].update(
                objects_reserved="TKT-OBJ-4..8", above_ceiling=3
            )
        ),
        "RANGE-GAP-two-missing": root(
            lambda report: report["governance"].update(
                objects_reserved="TKT-OBJ-7..8", above_ceiling=6
            )
        ),
        "RANGE-FOLDED-into-the-range": root(_set("preflight", "canonical_body_max", to=6)),
        "RANGE-APPLIED-now": root(_set("governance", "apply_now", to=True)),
        "BLOCKER-VANISHED-one": _blockers(rollback),
        "BLOCKER-CLOSED-without-evidence": {
            path: data
            for path, data in _blockers(row("GRANT", "closed"), rollback).items()
            if not path.startswith("packets/second/evidence/")
        },
        "BLOCKER-CHANGED-no-word": _blockers(row("GRANT", "OPEN; narrowed"), rollback),
        "BLOCKER-COUNT-of-none-named": root(
            _set("production_blocker_map", to={"open_count": 1, "newly_closed": []})
        ),
        "BLOCKER-UNNAMED-one": root(
            _set(
                "production_blocker_map",
                to={"open_count": 2, "carried": ["P-ROLLBACK-1 (production leg OPEN)"]},
            )
        ),
        "LEG-RENAMED-clone": _blockers(grant, renamed),
        "LEG-VANISHED-production": _blockers(grant, row("ROLLBACK", legs=LEGS[:1])),
        "PREFLIGHT-STATUS-without-its-end": root(
            _set("preflight", "first", to="FIRST_CLONE_REHEARSAL_READY")
        ),
        "PREFLIGHT-TREE-of-a-named-lane": root(
            _set("preflight", "first", to={"tree": f"{OTHER[:8]}…{OTHER[-6:]}"})
        ),
        "DELEGATION-UNOFFERED-another": root(
            _set("delegated_decision_consumed", to="AUTHORIZE_EVERYTHING_AT_ONCE")
        ),
        "DELEGATION-UNKNOWN-first-lane": _unknown_delegation(),
        "PIN-NAME-short-hash": _pins(),
        "PIN-RECORD-rewritten": _rewritten(),
    }
