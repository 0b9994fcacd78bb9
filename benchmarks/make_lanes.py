"""A root of chained lanes with everything a site shows: packet, report, checkpoint, decision."""

from __future__ import annotations

import calendar
import datetime
import json
import random
import shutil
from pathlib import Path
from typing import Any

from benchmarks.make_packets import as_json, blocker_rows, rehearsal, seal, sha256, write

PAGES = ("index", "report", "checkpoint", "decision", "evidence", "verification")
"""The pages of one lane."""

_REPOSITORY = Path(__file__).resolve().parents[1]
_FIRST_DAY = datetime.date(2026, 1, 1)
_CEILING = 1000
_BLOCKERS = 7


def lane_id(number: int) -> str:
    return f"rehearsal-{number:04}"


def newest_epoch(count: int) -> int:
    """Return midnight UTC of the newest lane's date, in seconds."""
    return calendar.timegm(_day(count).timetuple())


def make_root(root: Path, *, seed: int, count: int) -> None:
    """Make a root with the repository's ``mkdocs.yml`` and this many lanes, oldest first."""
    root.mkdir(parents=True)
    shutil.copyfile(_REPOSITORY / "mkdocs.yml", root / "mkdocs.yml")
    tree = ""
    for number in range(1, count + 1):
        tree = _make_lane(root / "packets" / lane_id(number), seed, number, tree)


def _day(number: int) -> datetime.date:
    return _FIRST_DAY + datetime.timedelta(days=number)


def _status(number: int) -> str:
    return f"REHEARSAL_{number:04}_ROLLBACK_PROVEN_ON_CLONE"


def _decision(number: int) -> str:
    return f"AUTHORIZE_REHEARSAL_{number:04}_ONLY"


def _make_lane(home: Path, seed: int, number: int, previous_tree: str) -> str:
    """Write one lane and return its tree hash."""
    lane = lane_id(number)
    rng = random.Random(f"{seed}/{lane}")
    files = rehearsal(rng, lane, lambda: rng.randint(500, 2400), outputs=1)
    blockers = blocker_rows(_BLOCKERS)
    blocker_map = as_json(
        {
            "lane": lane,
            "blocker_count": len(blockers),
            "open_count": len(blockers),
            "closed_count": 0,
            "newly_closed": [],
            "blockers": blockers,
        }
    )
    files["blockers.json"] = blocker_map
    sealed, tree = seal(files)
    write(home / "evidence", sealed)
    day = _day(number).isoformat()
    meta = f'id: {lane}\ntitle: Rehearsal {number}\ndate: "{day}"\n'
    if number > 1:
        meta += f"previous: {lane_id(number - 1)}\n"
    report = _report(number, day, tree, previous_tree, files, blockers)
    documents = {
        "lane.yml": meta.encode(),
        "report.json": as_json(report),
        "checkpoint.md": _checkpoint(number, report).encode(),
        "decision-packet.md": _decision_packet(number, report).encode(),
    }
    write(home, documents)
    return tree


def _report(
    number: int,
    day: str,
    tree: str,
    previous_tree: str,
    files: dict[str, bytes],
    blockers: list[dict[str, Any]],
) -> dict[str, Any]:
    lane = lane_id(number)
    proof = json.loads(files["proof.json"])
    ceiling = _CEILING + 2 * number
    preflight: dict[str, Any] = {"production_hold": True}
    source = "given outside a decision packet"
    if number > 1:
        before_id = lane_id(number - 1)
        source = f"offered by the decision packet of {before_id}"
        preflight[before_id.replace("-", "_")] = _status(number - 1)
        preflight["previous_packet_tree_sha256"] = previous_tree
    return {
        "doc": f"{lane}-report",
        "date": day,
        "delegated_decision_consumed": _decision(number),
        "delegation": source,
        "final_status": _status(number),
        "production_mutation": False,
        "real_run": False,
        "cutover": False,
        "preflight": preflight,
        "workstream_C_rehearsal": {
            "performed": True,
            "entry_count": proof["entry_count"],
            "entries": [
                {name: value for name, value in entry.items() if name != "states"}
                for entry in proof["entries"]
            ],
            "rollback_restores_expected_state": True,
            "log_sha256": sha256(files["log.json"]),
            "proof_sha256": sha256(files["proof.json"]),
        },
        "workstream_F_decision_packet": {
            "default": "HOLD_PRODUCTION",
            "selected": None,
            "options": ["HOLD_PRODUCTION", _decision(number + 1)],
            "evidence_tree_sha256": tree,
            "blocker_map_sha256": sha256(files["blockers.json"]),
        },
        "production_blocker_map": {
            "open_count": len(blockers),
            "newly_closed": [],
            "blockers": [
                {
                    "id": row["id"],
                    "status": "OPEN",
                    "state": "OPEN",
                    "actor": row["actor"],
                    "next_action": row["next_action"],
                    "blocks": row["blocks"],
                }
                for row in blockers
            ],
        },
        "evidence_packet": {
            "path": f"packets/{lane}/evidence/",
            "packet_tree_sha256": tree,
            "file_count": len(files),
            "file_count_present": len(files),
            "held_elsewhere": [],
        },
        "governance": {
            "objects_reserved": f"TKT-OBJ-{ceiling + 1}..{ceiling + 2}",
            "apply_now": False,
            "canonical_fold": False,
            "above_ceiling": ceiling,
        },
        "self_check": {
            "avoided_production_mutation": True,
            "rollback_restores_expected_state": True,
            "every_blocker_carried_unchanged": True,
        },
        "next_macro": "decision by owner/operator (default HOLD_PRODUCTION)",
    }


def _checkpoint(number: int, report: dict[str, Any]) -> str:
    lane = lane_id(number)
    packet, governance = report["evidence_packet"], report["governance"]
    preflight = ""
    if number > 1:
        preflight = f"""
## Preflight

- Previous lane: `{lane_id(number - 1)}`, `{_status(number - 1)}`
- Previous packet tree: `{report["preflight"]["previous_packet_tree_sha256"]}`
"""
    return f"""# Checkpoint: rehearsal {number}

- Lane: `{lane}`
- Date: {report["date"]}
- Status: `{report["final_status"]}`
- Delegation consumed: `{report["delegated_decision_consumed"]}`, {report["delegation"]}
- Production mutation: NO
{preflight}
## Evidence

- Packet: `{packet["path"]}`
- Tree: `{packet["packet_tree_sha256"]}`
- Files: {packet["file_count"]} listed, {packet["file_count"]} present

## Governance

- Reserved: {governance["objects_reserved"]}, above ceiling {governance["above_ceiling"]}
- APPLY_NOW: NO

## Production

- State: HOLD_PRODUCTION, {report["production_blocker_map"]["open_count"]} OPEN
"""


def _decision_packet(number: int, report: dict[str, Any]) -> str:
    decision = report["workstream_F_decision_packet"]
    rows = "".join(
        f"| `{row['id']}` | "
        + " | ".join(row[name] for name in ("status", "actor", "next_action", "blocks"))
        + " |\n"
        for row in report["production_blocker_map"]["blockers"]
    )
    return f"""# Decision packet: rehearsal {number}

- Lane: `{lane_id(number)}`
- Date: {report["date"]}
- Default: `{decision["default"]}`
- Selected: none
- Evidence tree: `{decision["evidence_tree_sha256"]}`
- Blocker map: `{decision["blocker_map_sha256"]}`

Nothing is selected here. A rehearsal on a disposable clone authorizes nothing in production.

## Options

| option | meaning | default |
|---|---|---|
| `HOLD_PRODUCTION` | nothing further is done | yes |
| `{_decision(number + 1)}` | one more rehearsal on a disposable clone | no |

## Preconditions

{_BLOCKERS} blockers are OPEN; this lane changed none of them.

| blocker | status | actor | next action | blocks |
|---|---|---|---|---|
{rows}"""
